"""Plan -> policy: target tracking, bounds and scheduled minimums, rehearsed before they are recommended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.config import Rate, Service
from capacity.demand import Demand, Key
from capacity.errors import CapacityError
from capacity.forecasting.forecasts import Forecast
from capacity.history.line import how_long
from capacity.planning.needs import full_tasks
from capacity.planning.plans import Plan
from capacity.planning.steps import tracked_share
from capacity.scaling.ahead import Ahead, Futures, short_in
from capacity.scaling.binding import Filled, each_request, filled_by, stated_for_each_request
from capacity.scaling.load import carried, key_of, tracked_metric
from capacity.scaling.policy import Policy, ServicePolicy, TrackedMetric
from capacity.scaling.rehearse import (
    ACCEPTED,
    LEAST_LEARNT,
    Candidate,
    Window,
    candidates,
    choose,
    rehearse,
    scheduled,
    tracking,
    weighed,
    window_of,
)
from capacity.sources.base import Span

#: A schedule outlives the plan it was made from by this much: time to review it before it ends by itself.
GRACE: Final = pd.Timedelta(days=14)

#: Share of the plan's intervals from which on it is worth saying that another resource asks for more.
NOTED: Final = 0.05

#: From a forecast of S series to (S, P, H): the largest need inside each interval of each path.
Peaks = Callable[[Forecast], np.ndarray]


def recommend_policy(plan: Plan, *, demand: Demand | None = None, seed: int = 0, peaks: Peaks | None = None) -> Policy:
    """How each service of the plan should scale: bounds, one tracked target, and scheduled minimums where they help.

    plan    its forecast gives schedules, its decisions the bounds; its headroom is what the target leaves free
    demand  history to rehearse on; the plan's own past when not given
    seed    of the noise inside coarse intervals
    peaks   as for `plan`

    Today's policy, tracking alone at several targets, and tracking with scheduled minimums at several levels are
    replayed on the last weeks; a schedule is made from earlier weeks than those it is judged on. The choice is made by
    `choose`: risk first, then task-hours. The chosen kind of schedule is then made again from the forecast's paths,
    and replayed on some of them. `reasons` tells all this; `rehearsal` holds every candidate.

    Requests per task are tracked where their capacity is stated and requests are forecast, else CPU. The target is the
    planner's own: where CPU or memory fills a task before its stated requests do, as many requests as keep that
    resource at its target; and with the room that the loss of a zone takes. Schedules end two weeks after the plan
    does, and a last action then puts the bounds outside the schedule back.
    """
    return Policy(tuple(recommend_service(plan, service, demand, seed, peaks) for service in plan.services))


def recommend_service(
    plan: Plan, service: Service, demand: Demand | None, seed: int, peaks: Peaks | None
) -> ServicePolicy:
    """The recommendation for one service, with its reasons and rehearsal."""
    forecast, alone = plan.forecast, len(plan.services) == 1
    name = forecast.past.services[0] if alone and len(forecast.past.services) == 1 else service.name
    metric = tracked_metric(service, {key.metric for key in forecast.keys if key.service == name})
    room = tracked_share(service, plan.goal)
    planned = full_tasks(service)[metric].target * room
    past = forecast.past if demand is None else demand
    key = key_of(past, service.name, metric, alone=alone)
    each = {**stated_for_each_request(service), **each_request(past, key.service)}  # what was measured wins
    filled = filled_by(service, each) if metric == "requests" else None
    base, reasons = bounded(plan, service, metric, planned, filled)
    rate = rate_of(plan, service)
    window = window_of(past.select([key]))
    options = candidates(base, planned, past, key, window, filled, room)
    try:
        rehearsal = rehearse(options, past, key, window, rate, seed)
    except CapacityError as error:  # no known minute: nothing to judge by, and that is said
        reasons.append(f"Not rehearsed: {error} Tracking alone is recommended.")
        return replace(base, reasons=tuple(reasons))
    about = forecast.select([Key(name, metric)])
    futures = Futures.of(about, seed, peaks)
    row = choose(rehearsal, options, service.tier, plan.goal.level)
    found = with_schedule(options, row, rehearsal, about, futures, plan.goal.level)
    rehearsal.loc[found.row, "chosen"] = True
    reasons += why(options, rehearsal, found.row, service, window, past.interval, plan.goal.level)
    reasons += [*found.reasons, futures.replay(found.policy).sentence(ACCEPTED[service.tier])]
    reasons += doubts(plan, found.policy, filled)
    return replace(found.policy, reasons=tuple(reasons), rehearsal=rehearsal)


def bounded(
    plan: Plan, service: Service, metric: TrackedMetric, planned: float, filled: Filled | None
) -> tuple[ServicePolicy, list[str]]:
    """Tracking at the planner's own target, between the bounds that the plan's decisions leave.

    At least one task: with none there is no datapoint, so that nothing could scale out again (aws.md 3.1).
    """
    least, most, reasons = service.min_tasks, service.max_tasks, []
    for decision in plan.decisions:
        if decision.service != service.name or decision.proposed is None:
            continue
        if decision.kind in ("raise_max", "lower_max"):
            most = int(decision.proposed)
        elif decision.kind in ("raise_min", "lower_min"):
            least = int(decision.proposed)
    if least == 0:
        least = 1
        reasons.append("At least 1 task instead of 0: with no task there is no datapoint, and nothing scales out.")
    most = max(most, least)
    if most != service.max_tasks:
        way = "above" if most > service.max_tasks else "below"
        reasons.append(f"Max {most:,} is {way} today's {service.max_tasks:,}: see the plan's decisions.")
    if least != service.min_tasks and service.min_tasks > 0:
        reasons.append(f"Min {least:,} instead of today's {service.min_tasks:,}: see the plan's decisions.")
    per_task = None if filled is None or filled.by == "requests" else filled.requests
    tracked = tracking(service, metric, planned, per_task)
    policy = ServicePolicy(service, least, most, tracked, per_task=per_task)
    if per_task is not None and filled is not None:
        reasons.append(filled.sentence(service, carried(policy).target))
    if tracked_share(service, plan.goal) < 1:
        task = carried(policy)
        reasons.append(
            f"The planner's target of {tracked.target:,g} keeps tasks at {task.target / task.full:.0%} of what they "
            f"carry, so that the rest carry all of it when one of {service.zones} zones is lost."
        )
    return policy, reasons


def rate_of(plan: Plan, service: Service) -> Rate | None:
    """The plan's price of the service's region and architecture; None where it has none."""
    if service.launch_type != "FARGATE":
        return None
    place = (service.region, service.architecture)
    return next((rate for rate in plan.rates if (rate.region, rate.architecture) == place), None)


class Found(NamedTuple):
    """The policy to recommend, which candidate it is, and what was found about its schedule."""

    policy: ServicePolicy
    row: int
    reasons: tuple[str, ...] = ()


def with_schedule(
    options: list[Candidate], row: int, rehearsal: pd.DataFrame, about: Forecast, futures: Futures, level: float
) -> Found:
    """The chosen candidate, its schedule made from the forecast's paths instead of from the past.

    The schedule has to earn its place again, on the paths: what paid in the weeks it was judged on need not pay in
    the weeks to come (clocks change, loads move). Else its target is tracked alone.
    """
    best = options[row]
    alone = replace(best.policy, schedule=())
    if best.level is None:
        return Found(alone, row)
    plain = next(n for n, option in enumerate(options) if option.share == best.share and option.level is None)
    span = Span(about.times[0], about.times[-1] + about.interval + GRACE)
    schedule = scheduled(alone, about.times, about.paths[0], best.level, span)
    if not schedule:
        return Found(
            alone, plain, (f"{best.name} did best, but the forecast is too short or too even for a schedule.",)
        )
    policy, accepted = replace(alone, schedule=schedule), ACCEPTED[alone.service.tier]
    suffices = bool(rehearsal.loc[plain, "short_share"] <= accepted)
    if not earns_its_place(futures.replay(policy), futures.replay(alone), level, accepted, suffices):
        return Found(alone, plain, (f"{best.name} did best, but does not pay for itself on the forecast's paths.",))
    sentence = (
        f"Scheduled minimums are the {best.level:.0%} quantile of the forecast need of each hour of the week, in "
        f"{alone.service.timezone} time. They end on {span.end:%d %b %Y}; then one action puts {alone.min_tasks:,} to "
        f"{alone.max_tasks:,} tasks back. Plan again before."
    )
    return Found(policy, row, (sentence,))


def earns_its_place(having: Ahead, without: Ahead, level: float, accepted: float, suffices: bool) -> bool:
    """The rule of `choose`, on paths: with its schedule a policy is safer, or as safe and cheaper.

    suffices  the policy without its schedule was short in no more than the accepted share in rehearsal
    """
    if not suffices or without.mean_short > accepted:
        return having.mean_short <= without.mean_short
    cost = weighed(having.task_hours, having.missing_task_hours, level)
    return having.mean_short <= accepted and cost < weighed(without.task_hours, without.missing_task_hours, level)


def doubts(plan: Plan, policy: ServicePolicy, filled: Filled | None) -> list[str]:
    """What the plan counts on and the rehearsal does not: how sure the capacity is, and resources it does not see."""
    return [*_taken_as_exact(policy), *_unseen(plan, policy, filled)]


def _taken_as_exact(policy: ServicePolicy) -> list[str]:
    """The plan's counts hold the interval of what a task carries; a replay knows one number."""
    capacity = policy.service.task_capacity
    if capacity is None or policy.tracking.metric != "requests" or capacity.interval[0] == capacity.interval[1]:
        return []
    low, high = capacity.interval
    return [
        f"Rehearsed as if a task carried {capacity.requests_per_second:.4g} requests/s exactly; it is known as "
        f"{low:.4g} to {high:.4g}, which the plan's counts hold and the target does not."
    ]


def _unseen(plan: Plan, policy: ServicePolicy, filled: Filled | None) -> list[str]:
    """A resource that asks for more tasks than the tracked one."""
    held = {policy.tracking.metric, "" if filled is None else filled.by}
    bound = plan.of(policy.service.name)["load_bound_by"]
    missed = bound[~bound.isin(held)]
    if len(missed) <= NOTED * len(bound):
        return []
    return [
        f"In {len(missed) / len(bound):.0%} of the plan's intervals {missed.mode().iloc[0]} asks for more tasks than "
        f"{policy.tracking.metric}, the tracked one, which does not see it."
    ]


def why(
    options: list[Candidate],
    rehearsal: pd.DataFrame,
    row: int,
    service: Service,
    window: Window,
    interval: pd.Timedelta,
    level: float,
) -> list[str]:
    """The choice in words: what was compared, on what, and what decided."""
    accepted, chosen = ACCEPTED[service.tier], options[row]
    passed = rehearsal.loc[row, "short_share"] <= accepted
    alone = next(n for n, option in enumerate(options) if option.share == 1.0 and option.level is None)
    roomless = [n for n, option in enumerate(options) if n > 0 and option.share is None]
    others = "; ".join(_outcome(rehearsal.loc[n]) for n in dict.fromkeys((alone, *roomless, 0)) if n != row)
    lines = [
        f"Rehearsed minute by minute with ECS's clocks on {window}: {len(options)} candidates.",
        f"Chosen: {_outcome(rehearsal.loc[row])}. Beside it: {others}.",
        f"Of the candidates that are short in at most {accepted:.1%} of minutes (tier {service.tier}) it costs least, "
        "missing task-hours included."
        if passed
        else f"No candidate is short in at most {accepted:.1%} of minutes (tier {service.tier}): the least short one.",
    ]
    if not window.may_learn:
        lines.append(f"No schedule was tried: that needs {LEAST_LEARNT + 1} weeks of history.")
    elif interval > pd.Timedelta(hours=1):
        lines.append(f"No schedule was tried: intervals of {how_long(interval)} do not show the hours of a day.")
    elif chosen.level is None and row == choose(rehearsal, options, service.tier, level):
        lines.append("No schedule paid for itself at this risk: target tracking alone follows this load.")
    return lines


def _outcome(row: pd.Series) -> str:
    return f"{row['candidate']}, {short_in(row['short_share'])} at {row['task_hours']:,.0f} task-hours"
