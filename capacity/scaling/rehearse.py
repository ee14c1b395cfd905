"""Candidates, replayed on history they were not made from, and the choice between them: risk first, then cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np
import pandas as pd

from capacity.config import Rate, Service
from capacity.demand import Demand, Key
from capacity.planning.prices import usd_per_hour
from capacity.scaling.binding import Filled
from capacity.scaling.bounds import bounds
from capacity.scaling.clocks import DOCUMENTED
from capacity.scaling.cron import Cron, parse
from capacity.scaling.load import carried, minutes_of, target_value
from capacity.scaling.policy import ScheduledAction, ServicePolicy, TargetTracking, TrackedMetric
from capacity.scaling.schedule import actions, allowed_hours, hourly_need, lead_minutes, weekly_changes
from capacity.scaling.simulation import Replay
from capacity.sources.base import Span

#: Share of minutes in which too few tasks may serve, by tier. 0.1 % is 44 minutes a month, 0.5 % is 3.6 hours.
ACCEPTED: Final = {"critical": 0.001, "standard": 0.005, "batch": 0.02}

#: Candidates within this factor of the least short are as short: what is left is for the maximum, not the target.
AS_SHORT: Final = 1.02

#: A schedule is learnt from at most this many weeks and judged on at most that many later ones.
LEARNT_WEEKS: Final = 8
JUDGED_WEEKS: Final = 4

#: Fewer weeks than these say too little about a weekly pattern: then no schedule is tried.
LEAST_LEARNT: Final = 2

#: Targets tried, as shares of the planner's own; never above it, or target tracking would undo the plan (aws.md 4.5).
SHARES: Final = (1.0, 0.85, 0.7)

#: Levels tried for scheduled minimums: quantiles of the need of each hour of the week.
LEVELS: Final = (0.25, 0.5, 0.8, 0.95)

#: Defaults of Application Auto Scaling, taken for today's policy, whose cooldowns are not known (aws.md 3.2).
ECS_COOLDOWN: Final = 300

WEEK: Final = pd.Timedelta(days=7)

Hours = TypeVar("Hours", float, np.ndarray)


@dataclass(frozen=True)
class Window:
    """What candidates are made from, [learnt, judged), and what they are judged on, [judged, end)."""

    learnt: pd.Timestamp
    judged: pd.Timestamp
    end: pd.Timestamp

    @property
    def may_learn(self) -> bool:
        """Enough earlier weeks for a schedule."""
        return self.judged - self.learnt >= LEAST_LEARNT * WEEK

    def __str__(self) -> str:
        judged = f"{self.judged:%d %b %Y} to {self.end:%d %b %Y}"
        return f"{judged}, schedules made from {self.learnt:%d %b %Y} on" if self.may_learn else judged


def window_of(demand: Demand) -> Window:
    """The last weeks to judge on, earlier ones to learn from; all of a history too short for both is judged on.

    >>> hours = pd.date_range("2026-03-02", periods=24 * 70, freq="h", tz="UTC", unit="us")
    >>> nothing = np.zeros((1, 1680))
    >>> print(window_of(Demand((Key("web", "cpu"),), hours, pd.Timedelta("1h"), nothing, nothing, nothing > 0)))
    20 Apr 2026 to 11 May 2026, schedules made from 02 Mar 2026 on
    """
    weeks = int((demand.end - demand.times[0]) / WEEK)
    judged = min(JUDGED_WEEKS, max(1, weeks // 3))
    learnt = min(LEARNT_WEEKS, weeks - judged)
    if learnt < LEAST_LEARNT:
        start = max(demand.times[0], demand.end - JUDGED_WEEKS * WEEK)
        return Window(start, start, demand.end)
    split = demand.end - judged * WEEK
    return Window(split - learnt * WEEK, split, demand.end)


@dataclass(frozen=True)
class Candidate:
    """One way to scale. `level` is the quantile of its schedule, None without one."""

    name: str
    policy: ServicePolicy
    share: float | None = None  # of the planner's own target
    level: float | None = None


def tracking(service: Service, metric: TrackedMetric, share: float, per_task: float | None = None) -> TargetTracking:
    """Target tracking at a share of a task's size, with a cooldown that outlasts start-up and metric delay.

    A datapoint measured before new tasks served must not be multiplied by a count that includes them.
    """
    deaf = -(-int(np.ceil(service.startup_seconds)) // 60) + DOCUMENTED.metric_delay + 1
    target = target_value(service, metric, share, per_task)
    return TargetTracking(metric, target, scale_out_cooldown=60 * deaf)


def todays(service: Service, metric: TrackedMetric, planned: float, filled: Filled | None = None) -> Candidate:
    """What stands today, as far as it is known: bounds and target value, ECS's default cooldowns.

    A target up to 100 is percent CPU, a larger one requests per task and minute. Replayed on another metric than its
    own, CPU is taken as the requests that cause it, where that was measured (`filled`), else as the same share of a
    task. Not stated, the planner's own is taken.
    """
    value, name = service.target_value, "today"
    per_task = None if filled is None else filled.requests
    if value is None:
        share, name, own = planned, "today, target not known", metric
    elif value <= 100 and metric == "requests" and filled is not None and filled.each.get("cpu"):
        requests, own = value / 100 * service.task_vcpu / filled.each["cpu"], metric
        share, name = requests / filled.requests, f"today, its {value:g} % CPU read as {requests:.3g} requests/s a task"
    elif value > 100 and service.requests_per_second_per_task is not None:
        share, own = value / (60 * service.requests_per_second_per_task), "requests"
    else:
        share, own = value / 100, "cpu"
    if own != metric:
        name = f"today, its {value:,g} of {own} read as {share:.0%} of a task's {metric}"
    if value is not None and value > 100 and metric == "requests":
        target = value  # as it is, whatever a task carries
    else:
        target = target_value(service, metric, share, per_task)
    today = TargetTracking(metric, target, scale_out_cooldown=ECS_COOLDOWN, scale_in_cooldown=ECS_COOLDOWN)
    return Candidate(name, ServicePolicy(service, service.min_tasks, service.max_tasks, today, per_task=per_task))


def scheduled(
    policy: ServicePolicy, times: pd.DatetimeIndex, load: np.ndarray, level: float, span: Span
) -> tuple[ScheduledAction, ...]:
    """The schedule made from this load at this level; empty when a constant minimum does as well.

    load  (n,) or (P, n) in the metric's unit, on intervals not coarser than an hour
    span  when it shall be in force
    """
    service = policy.service
    lead = lead_minutes(service.startup_seconds)
    samples = hourly_need(times, load / carried(policy).target, service.timezone)
    changes = weekly_changes(samples, level, allowed_hours(service.timezone, lead, span.start, span.end))
    return actions(
        changes,
        service.name,
        floor=policy.min_tasks,
        most=policy.max_tasks,
        timezone=service.timezone,
        lead=lead,
        end=span.end,
    )


def candidates(
    base: ServicePolicy,
    planned: float,
    demand: Demand,
    key: Key,
    window: Window,
    filled: Filled | None = None,
    room: float = 1.0,
) -> list[Candidate]:
    """Today's policy, tracking alone at several targets, and tracking with schedules made from the learnt weeks.

    room  of `planned`, the share that is left for the loss of a zone; below 1, tracking without that room is replayed
          too, never to be chosen: it shows what the room costs
    """
    service, metric = base.service, base.tracking.metric
    alone = [_alone(base, planned, share) for share in SHARES]
    found = [todays(service, metric, planned, filled), *alone, *_without_room(base, room)]
    if not window.may_learn or demand.interval > pd.Timedelta(hours=1):
        return found
    past = demand.select([key]).since(window.learnt).until(window.judged)
    for one in alone[:2]:
        for level in LEVELS:
            schedule = scheduled(one.policy, past.times, past.values[0], level, Span(window.judged, window.end))
            if schedule and schedule not in [other.policy.schedule for other in found]:
                name = f"{one.name} with schedule p{100 * level:g}"
                found.append(Candidate(name, replace(one.policy, schedule=schedule), one.share, level))
    return found


def _without_room(base: ServicePolicy, room: float) -> list[Candidate]:
    if room >= 1:
        return []
    tracked = replace(base.tracking, target=round(base.tracking.target / room, 1))
    unit = "/min" if tracked.metric == "requests" else " %"
    name = f"tracking {tracked.target:,g}{unit}, no room to lose a zone"
    return [Candidate(name, replace(base, tracking=tracked))]


def _alone(base: ServicePolicy, planned: float, share: float) -> Candidate:
    tracked = tracking(base.service, base.tracking.metric, planned * share, base.per_task)
    unit = "/min" if tracked.metric == "requests" else " %"
    return Candidate(f"tracking {tracked.target:,g}{unit}", replace(base, tracking=tracked), share)


def rehearse(
    options: list[Candidate], demand: Demand, key: Key, window: Window, rate: Rate | None, seed: int
) -> pd.DataFrame:
    """One row a candidate: how it did on the judged minutes. `chosen` is set by `choose`.

    Raises InputError when none of the judged minutes holds a value.
    """
    times, load = minutes_of(demand.select([key]).since(window.judged), key, seed)
    rows = []
    for option in options:
        run = Replay.of(option.policy, times, load, limits=bounds(option.policy, times))
        metrics = run.metrics(usd_per_hour(option.policy.service, rate))
        rows.append(
            {
                "candidate": option.name,
                "chosen": False,
                "target": option.policy.tracking.target,
                "changes_a_week": fired_a_week(option.policy.schedule),
                **{name: metrics[name] for name in SCORED},
            }
        )
    return pd.DataFrame(rows)


#: What of `Simulation.metrics` a rehearsal keeps.
SCORED: Final = (
    "short_minutes",
    "short_share",
    "missing_task_hours",
    "task_hours",
    "usd",
    "theta_u",
    "theta_o",
    "tau_u",
    "changes",
    "max_running",
)


def fired_a_week(schedule: tuple[ScheduledAction, ...]) -> int:
    """How many changes a week of this weekly schedule has."""
    weekly = [parse(action.schedule) for action in schedule]
    return sum(len(one.weekdays) * len(one.hours) * len(one.minutes) for one in weekly if isinstance(one, Cron))


def weighed(task_hours: Hours, missing: Hours, level: float) -> Hours:
    """Task-hours, where a missing one counts 1 / (1 - level) times.

    At that price more tasks pay for themselves exactly up to the goal's level: the newsvendor's critical ratio.

    >>> weighed(np.array([100.0, 104.0]), np.array([1.0, 0.0]), level=0.9).tolist()
    [110.0, 104.0]
    """
    return task_hours + missing / (1 - level)


def choose(rehearsal: pd.DataFrame, options: list[Candidate], tier: str, level: float) -> int:
    """Row of the candidate to recommend, never today's: first the risk, then the cost.

    Of the candidates that are short in no more minutes than tracking alone at the planner's target, and in at most
    the share of minutes accepted for the tier, the one that costs least (`weighed`). Of equals the first listed, so
    that a schedule has to earn its place. When none is safe, the cheapest of the least short.
    """
    ours = [row for row, option in enumerate(options) if option.share is not None]
    alone = next(row for row in ours if options[row].level is None)
    short = rehearsal["short_share"].to_numpy()
    cost = weighed(rehearsal["task_hours"].to_numpy(), rehearsal["missing_task_hours"].to_numpy(), level)
    safe = [row for row in ours if short[row] <= min(ACCEPTED[tier], short[alone])]
    least = [row for row in ours if short[row] <= AS_SHORT * short[ours].min()]
    return min(safe or least, key=lambda row: (cost[row], row))
