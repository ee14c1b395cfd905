"""Plan -> policy: target tracking, bounds and scheduled minimums, rehearsed before they are recommended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from capacity.config import Rate, Service
from capacity.demand import Demand, Key
from capacity.errors import CapacityError, InputError
from capacity.forecasting.forecasts import Forecast
from capacity.history.line import how_long
from capacity.planning.needs import full_share, full_tasks
from capacity.planning.plans import Plan
from capacity.planning.steps import Survives, tracked_share
from capacity.planning.words import share as in_percent
from capacity.scaling.ahead import short_in
from capacity.scaling.batch import Totals
from capacity.scaling.binding import Filled, each_request, filled_by, stated_for_each_request
from capacity.scaling.bounds import bounds
from capacity.scaling.load import carried, key_of, tracked, tracked_metric
from capacity.scaling.policy import Policy, ServicePolicy
from capacity.scaling.rehearse import ACCEPTED, HEADROOM, Candidate, choose, rehearsal_frame, todays, weighed
from capacity.scaling.schedule import actions, bin_minutes, lead_minutes
from capacity.scaling.search.beside import Beside, asked_for, with_parts
from capacity.scaling.search.compiling import changes, kept_load
from capacity.scaling.search.judging import Coming, Past
from capacity.scaling.search.kinds import Kind, kept_share, made, most_tracked, plain_kinds, scheduled_kinds, tracking
from capacity.scaling.search.weeks import LEAST_LEARNT, Window, loads, window_of
from capacity.sources.base import Span

#: A schedule outlives the plan it was made from by a seventh of its horizon, within these: time to plan again before
#: it ends by itself, and no more than a day of last week's levels for who plans every week.
SHORTEST_GRACE: Final = pd.Timedelta(days=1)
LONGEST_GRACE: Final = pd.Timedelta(days=14)

#: Share of the plan's intervals from which on it is worth saying that another resource asks for more.
NOTED: Final = 0.05

#: Quantile of the paths' quietest intervals that a raised minimum carries: it is for what is nearly certain.
QUIET: Final = 0.05

#: Share of the cost that each line of a schedule has to save: it is one more for people to read and to keep.
A_LINE: Final = 0.0002

#: Kinds with a schedule, and without one, that are rehearsed on the forecast's paths too: the best ones of history.
SHORTLIST: Final = 8

#: Intervals longer than this do not show the hours of a day: no schedule is made from them.
FINEST: Final = pd.Timedelta(hours=1)

#: From a forecast of S series to (S, P, H): the largest need inside each interval of each path.
Peaks = Callable[[Forecast], np.ndarray]


def recommend_policy(
    plan: Plan,
    *,
    demand: Demand | None = None,
    seed: int = 0,
    peaks: Peaks | None = None,
    beside: Iterable[Beside] = (),
) -> Policy:
    """How each service of the plan should scale: bounds, one tracked target, and scheduled minimums where they help.

    plan    its forecast gives schedules, its decisions the bounds
    demand  history to rehearse on; the plan's own past when not given
    seed    of the noise inside coarse intervals
    peaks   as for `plan`
    beside  parts to try beside tracking and schedule: "steps", "predictive". Each is taken only where it pays

    Tracking alone at several targets, and with scheduled minimums of several kinds, is replayed on the last weeks; each
    week's schedule is made from the weeks before it. The kinds that do best are made again from half of the forecast's
    paths and replayed on the other half. The choice is made by `choose` on both: risk first, then task-hours with
    shortage weighed. `reasons` tells all this; `rehearsal` holds every candidate, today's policy among them.

    Requests per task are tracked where their capacity is stated and requests are forecast, else CPU. The target is what
    rehearsal shows to keep the promise: never above what a task carries, nor above `request_target` or `cpu_target`
    where they are stated; with the room that the loss of a zone takes, where that is asked for (`kept_share`). Where
    CPU or memory fills a task before its stated requests do, fewer requests are tracked. Schedules are in force a
    little longer than the plan; a last action then puts the bounds outside the schedule back.
    """
    parts = asked_for(beside)
    return Policy(tuple(recommend_service(plan, service, demand, seed, peaks, parts) for service in plan.services))


def recommend_service(
    plan: Plan,
    service: Service,
    demand: Demand | None,
    seed: int,
    peaks: Peaks | None,
    beside: tuple[Beside, ...] = (),
) -> ServicePolicy:
    """The recommendation for one service, with its reasons and rehearsal."""
    forecast, alone = plan.forecast, len(plan.services) == 1
    name = forecast.past.services[0] if alone and len(forecast.past.services) == 1 else service.name
    metric = tracked_metric(service, {key.metric for key in forecast.keys if key.service == name})
    past = forecast.past if demand is None else demand
    key = key_of(past, service.name, metric, alone=alone)
    each = {**stated_for_each_request(service), **each_request(past, key.service)}  # what was measured wins
    filled = filled_by(service, each) if metric == "requests" else None
    kept = kept_share(service, plan.goal)
    about = forecast.select([Key(name, metric)])
    base, reasons = bounded(plan, service, about, filled, kept)
    plain = plain_kinds(most_tracked(service, metric, full_share(service, metric)), kept)
    policies = {kind.tracked: made(kind, base, kept) for kind in plain}
    planned = full_tasks(service)[metric].target * tracked_share(service, plan.goal)
    window = window_of(past.select([key]))
    try:
        times, load = loads(past, key, window.learnt, seed)
        if not np.isfinite(load[times.searchsorted(window.judged) :]).any():
            raise InputError("no minute of the last weeks holds a value.")
    except CapacityError as error:  # no known minute: nothing to judge by, and that is said
        reasons.append(f"Not rehearsed: {error} Tracking alone is recommended, at the planner's own target.")
        return replace(base, reasons=tuple(reasons))
    history = Past(times, load, window, past.interval, policies, kept_load(base, kept))
    kinds = [*plain, *(scheduled_kinds(plain) if may_schedule(window, past, about) else [])]
    judged = Judged.of(history, kinds, todays(service, metric, planned, filled), rate_of(plan, service))
    coming = Coming.of(about, seed, kept_load(base, kept), peaks)
    level = plan.goal_of(service.name).level
    found = best(judged, coming, about, ACCEPTED[service.tier], level)
    judged.frame.loc[1 + kinds.index(found.kind), "chosen"] = True
    if base.per_task is not None and filled is not None:
        reasons.append(filled.sentence(service, carried(found.policy).target))
    reasons += why(judged, found, service, window, past.interval)
    reasons += [*schedule_said(found), ahead_said(found, coming, ACCEPTED[service.tier])]
    policy, said = with_parts(found.policy, found.kind, history, coming, level, beside)
    reasons += [*said, *doubts(plan, policy, filled)]
    return replace(policy, reasons=tuple(reasons), rehearsal=judged.frame)


def may_schedule(window: Window, past: Demand, about: Forecast) -> bool:
    """Enough weeks to judge a schedule on weeks it was not made from, intervals that show hours, and a day ahead."""
    fine = max(past.interval, about.interval) <= FINEST
    return window.may_learn and fine and len(about.times) * about.interval >= pd.Timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Judged:
    """Every kind on history. Row 0 of the frame is today's policy, row n + 1 that of kinds[n]."""

    kinds: list[Kind]
    policies: dict[tuple[float, int], ServicePolicy]
    frame: pd.DataFrame

    @classmethod
    def of(cls, history: Past, kinds: list[Kind], today: Candidate, rate: Rate | None) -> Judged:
        scheduled = [kind for kind in kinds if kind.pattern]
        plain = [today.policy, *(history.policies[kind.tracked] for kind in kinds if not kind.pattern)]
        judged = history.times[history.first :]
        limits = [*(bounds(policy, judged) for policy in plain), *history.limits_of(scheduled)]
        policies = [*plain, *(history.policies[kind.tracked] for kind in scheduled)]
        weeks = len(judged) / (7 * 24 * 60)
        changed = [float(np.count_nonzero(np.diff(least))) / weeks for least, _ in limits]
        options = [
            today,
            *(
                Candidate(kind.name(history.policies[kind.tracked]), history.policies[kind.tracked], kind)
                for kind in kinds
            ),
        ]
        return cls(kinds, history.policies, rehearsal_frame(options, history.totals(policies, limits), changed, rate))

    @property
    def short(self) -> np.ndarray:
        """(K,) share of the judged minutes."""
        return self.frame["short_share"].to_numpy()[1:]

    def cost(self, level: float) -> np.ndarray:
        """(K,) task-hours, shortage weighed."""
        rows = self.frame.iloc[1:]
        hours, missing = rows["task_hours"].to_numpy(), rows["missing_task_hours"].to_numpy()
        return weighed(hours, missing, self.short, level)


@dataclass(frozen=True, eq=False)
class Found:
    """The kind to recommend, made from the forecast, and how it did on other paths of it."""

    kind: Kind
    policy: ServicePolicy
    ahead: Totals  # (paths,)
    end: pd.Timestamp | None  # of its schedule
    short: float  # share of minutes, mean of history and forecast
    by_forecast: bool  # history alone would have chosen another


def best(judged: Judged, coming: Coming, about: Forecast, accepted: float, level: float) -> Found:
    """The kinds that did best on history, made from some paths of the forecast; chosen by history and other paths."""
    chosen = shortlist(judged, accepted, level)
    horizon = about.times[-1] + about.interval - about.times[0]
    grace = min(max(horizon / 7, SHORTEST_GRACE), LONGEST_GRACE).ceil("D")
    span = Span(about.times[0], about.times[-1] + about.interval + grace)
    service = judged.policies[judged.kinds[0].tracked].service
    lead = lead_minutes(service.startup_seconds)
    size = bin_minutes(lead, about.interval)
    values = coming.worths(judged.policies, size)
    made_again = []
    for row in chosen:
        kind = judged.kinds[row]
        policy = judged.policies[kind.tracked]
        if kind.pattern:
            schedule = actions(
                changes(kind, values(kind), service, size, span),
                service.name,
                floor=policy.min_tasks,
                most=policy.max_tasks,
                timezone=service.timezone,
                lead=lead,
                end=span.end,
            )
            policy = replace(policy, schedule=schedule)
        made_again.append(policy)
    ahead = coming.totals(made_again)
    past_cost, ahead_cost = judged.cost(level)[chosen], np.array([_cost(one, level) for one in ahead])
    short = (judged.short[chosen] + [float(one.short_share.mean()) for one in ahead]) / 2
    lines = np.array([len(one.schedule) for one in made_again])
    cost = (past_cost / past_cost.min() + ahead_cost / ahead_cost.min()) * (1 + A_LINE * lines)
    row = choose(short, cost, accepted)
    policy = made_again[row]
    return Found(
        kind=judged.kinds[chosen[row]],
        policy=policy,
        ahead=ahead[row],
        end=span.end if policy.schedule else None,
        short=float(short[row]),
        by_forecast=row != choose(judged.short[chosen], past_cost, accepted),
    )


def _cost(ahead: Totals, level: float) -> float:
    hours, missing, short = (part.mean() for part in (ahead.task_hours, ahead.missing_task_hours, ahead.short_share))
    return float(weighed(hours, missing, short, level))


def shortlist(judged: Judged, accepted: float, level: float) -> list[int]:
    """Kinds to rehearse on the forecast too, those without a schedule first: of both the best, and the least short."""
    short, cost = judged.short, judged.cost(level)
    order = np.lexsort((cost, short > HEADROOM * accepted))
    patterned = np.array([bool(kind.pattern) for kind in judged.kinds])
    taken = [row for side in (~patterned, patterned) for row in [n for n in order if side[n]][:SHORTLIST]]
    safest = [
        int(n) for side in (~patterned, patterned) if side.any() for n in [np.flatnonzero(side)[np.argmin(short[side])]]
    ]
    return sorted({int(row) for row in (*taken, *safest)})


def schedule_said(found: Found) -> list[str]:
    """What its schedule is, and when it ends."""
    kind, policy = found.kind, found.policy
    if found.end is None:
        return []
    return [
        f"Scheduled minimums ({kind.pattern}, {policy.service.timezone} time) are what costs least on paths of the "
        f"forecast when a minute with too few tasks counts {kind.price:g} times as much as one with the usual count. "
        f"They end on {found.end:%d %b %Y}; then one action puts {policy.min_tasks:,} to {policy.max_tasks:,} tasks "
        "back. Plan again before."
    ]


def ahead_said(found: Found, coming: Coming, accepted: float) -> str:
    """How it did on paths it was not made from."""
    times, shares = coming.judged.times, found.ahead.short_share
    mean, worst = float(shares.mean()), float(shares.max())
    at_max = float(found.ahead.at_max_minutes.sum()) / (len(times) * len(shares))
    end = times[-1] + pd.Timedelta(minutes=1)
    text = (
        f"On {len(shares)} other paths of the forecast, {times[0]:%d %b %Y} to {end:%d %b %Y}: "
        f"{short_in(mean)}{f', {100 * worst:.2f} % on the worst path' if worst > 0 else ''}"
    )
    text += f"; at its maximum in {100 * at_max:.2f} %." if at_max > 0 else "; never at its maximum."
    return text if mean <= accepted else f"{text} That is more than the accepted {100 * accepted:g} %: watch it."


def bounded(
    plan: Plan, service: Service, about: Forecast, filled: Filled | None, kept: float
) -> tuple[ServicePolicy, list[str]]:
    """Tracking at the planner's own target, between the bounds that the plan's decisions leave.

    At least one task: with none there is no datapoint, so that nothing could scale out again (aws.md 3.1). A minimum
    that the plan raises to carry its quietest interval with every headroom is raised to what that interval needs to
    keep the promise: the rest is for tracking and schedules to hold, and rehearsed.
    """
    metric = tracked(about.keys[0].metric)
    per_task = None if filled is None or filled.by == "requests" else filled.requests
    share = full_tasks(service)[metric].target * tracked_share(service, plan.goal)
    policy = ServicePolicy(service, 1, service.max_tasks, tracking(service, metric, share, per_task), per_task=per_task)
    least, most, reasons = service.min_tasks, service.max_tasks, []
    for decision in plan.decisions:
        if decision.service != service.name or decision.proposed is None:
            continue
        if decision.kind in ("raise_max", "lower_max"):
            most = int(decision.proposed)
        elif decision.kind == "lower_min":
            least = int(decision.proposed)
        elif decision.kind == "raise_min":
            quietest = float(np.quantile(about.paths[0].min(axis=1), QUIET)) / kept_load(policy, kept)
            least = max(least, min(int(decision.proposed), int(quietest)))
            if least < decision.proposed:
                reasons.append(
                    f"Min {least:,}, though the plan advises {decision.proposed:,.0f}: those hold the quietest "
                    "interval with every headroom and no autoscaler; here tracking and schedules hold what is needed "
                    "above min."
                )
    if least == 0:
        least = 1
        reasons.append("At least 1 task instead of 0: with no task there is no datapoint, and nothing scales out.")
    most = max(most, least)
    if most != service.max_tasks:
        way = "above" if most > service.max_tasks else "below"
        reasons.append(f"Max {most:,} is {way} today's {service.max_tasks:,}: see the plan's decisions.")
    if least > service.min_tasks > 0:
        reasons.append(f"Min {least:,} instead of today's {service.min_tasks:,}: its quietest interval needs as many.")
    elif least < service.min_tasks:
        reasons.append(f"Min {least:,} instead of today's {service.min_tasks:,}: see the plan's decisions.")
    if kept < 1:
        reasons.append(
            f"Tasks are kept at no more than {in_percent(kept)} of what they carry, so that the rest carry all of it "
            f"when one of {service.zones} zones is lost. What follows counts as short whatever would not survive that, "
            "today's settings too."
        )
    elif Survives.of(service, plan.goal).zone_loss:
        reasons.append(
            "No room is kept for the loss of a zone, which nobody asked for: until ECS has started elsewhere what was "
            "lost, the rest are too full. To have them carry all of it at once, state zones or survive_zone_loss."
        )
    return replace(policy, min_tasks=least, max_tasks=most), reasons


def rate_of(plan: Plan, service: Service) -> Rate | None:
    """The plan's price of the service's region and architecture; None where it has none."""
    if service.launch_type != "FARGATE":
        return None
    place = (service.region, service.architecture)
    return next((rate for rate in plan.rates if (rate.region, rate.architecture) == place), None)


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
        f"In {in_percent(len(missed) / len(bound))} of the plan's intervals {missed.mode().iloc[0]} asks for more "
        f"tasks than {policy.tracking.metric}, the tracked one, which does not see it."
    ]


def why(judged: Judged, found: Found, service: Service, window: Window, interval: pd.Timedelta) -> list[str]:
    """The choice in words: what was compared, on what, and what decided."""
    accepted, frame = ACCEPTED[service.tier], judged.frame
    row = 1 + judged.kinds.index(found.kind)
    passed = found.short <= HEADROOM * accepted
    plain = [1 + n for n, kind in enumerate(judged.kinds) if not kind.pattern]
    alone = min(
        plain, key=lambda n: (max(frame.loc[n, "short_share"] - HEADROOM * accepted, 0), frame.loc[n, "task_hours"])
    )
    others = "; ".join(_outcome(frame.loc[n]) for n in dict.fromkeys((alone, 0)) if n != row)
    lines = [
        f"Rehearsed minute by minute with ECS's clocks on {window}: {len(frame)} candidates.",
        f"Chosen: {_outcome(frame.loc[row])}. Beside it: {others}.",
        f"Of the candidates that are short in at most half of the accepted {100 * accepted:g} % of minutes "
        f"(tier {service.tier}), on history and on the forecast, it costs least, shortage weighed."
        if passed
        else f"No candidate is short in at most half of the accepted {100 * accepted:g} % of minutes "
        f"(tier {service.tier}), on history and on the forecast: it costs least, shortage weighed.",
    ]
    if found.by_forecast:
        lines.append("On history alone another would have been chosen: the paths of the forecast decided.")
    if not window.may_learn:
        lines.append(f"No schedule was tried: that needs {LEAST_LEARNT + 1} weeks of history.")
    elif interval > FINEST:
        lines.append(f"No schedule was tried: intervals of {how_long(interval)} do not show the hours of a day.")
    elif not found.policy.schedule:
        lines.append("No schedule paid for itself at this risk: target tracking alone follows this load.")
    return lines


def _outcome(row: pd.Series) -> str:
    return f"{row['candidate']}, {short_in(row['short_share'])} at {row['task_hours']:,.0f} task-hours"
