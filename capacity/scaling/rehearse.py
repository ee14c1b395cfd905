"""Candidates, replayed on history they were not made from, and the choice between them: risk first, then cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import pandas as pd

from capacity.config import Rate, Service
from capacity.planning.prices import usd_per_hour
from capacity.scaling.batch import Totals
from capacity.scaling.binding import Filled
from capacity.scaling.load import target_value
from capacity.scaling.policy import ServicePolicy, TargetTracking, TrackedMetric
from capacity.scaling.search.kinds import Kind

#: Share of minutes in which too few tasks may serve, by tier. 0.1 % is 44 minutes a month, 0.5 % is 3.6 hours.
ACCEPTED: Final = {"critical": 0.001, "standard": 0.005, "batch": 0.02}

#: A rehearsal has to be short in no more than this part of the accepted share: rehearsed weeks are few, and the best of
#: a hundred candidates looks better on them than it is.
HEADROOM: Final = 0.5

#: Defaults of Application Auto Scaling, taken for today's policy, whose cooldowns are not known (aws.md 3.2).
ECS_COOLDOWN: Final = 300

Hours = TypeVar("Hours", float, np.ndarray)


@dataclass(frozen=True)
class Candidate:
    """One way to scale; `kind` is None for today's."""

    name: str
    policy: ServicePolicy
    kind: Kind | None = None


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
        name = f"today, its {value:,g} of {own} read as {100 * share:.0f} % of a task's {metric}"
    if value is not None and value > 100 and metric == "requests":
        target = value  # as it is, whatever a task carries
    else:
        target = target_value(service, metric, share, per_task)
    today = TargetTracking(metric, target, scale_out_cooldown=ECS_COOLDOWN, scale_in_cooldown=ECS_COOLDOWN)
    return Candidate(name, ServicePolicy(service, service.min_tasks, service.max_tasks, today, per_task=per_task))


def rehearsal_frame(
    options: list[Candidate], totals: Totals, changes_a_week: list[float], rate: Rate | None
) -> pd.DataFrame:
    """One row a candidate: how it did on the judged minutes. `chosen` is set by whoever chooses.

    short counts minutes with too few tasks to keep the promise: with a zone lost, where that is promised.
    """
    hours = totals.task_hours
    prices = np.array([usd_per_hour(option.policy.service, rate) for option in options])
    return pd.DataFrame(
        {
            "candidate": [option.name for option in options],
            "chosen": False,
            "target": [option.policy.tracking.target for option in options],
            "changes_a_week": changes_a_week,
            "short_minutes": totals.short_minutes,
            "short_share": totals.short_share,
            "missing_task_hours": totals.missing_task_hours,
            "task_hours": hours,
            "usd": hours * prices,
            "theta_u": totals.theta_u,
            "theta_o": totals.theta_o,
            "tau_u": 100 * totals.short_share,
            "changes": totals.changes,
            "max_running": totals.max_running,
        }
    )


def weighed(task_hours: Hours, missing: Hours, short: Hours, level: float) -> Hours:
    """Task-hours, where a missing one counts 1 / (1 - level) times, and a short minute as many minutes of all tasks.

    At that price more tasks pay for themselves exactly up to the goal's level: the newsvendor's critical ratio. The
    minutes count beside the tasks, since what is lost when too few serve is the promise to all who wait.

    short  share of the minutes

    >>> weighed(np.array([100.0, 112.0]), np.array([1.0, 0.0]), np.array([0.01, 0.0]), level=0.9).round(6).tolist()
    [120.0, 112.0]
    """
    return task_hours * (1 + short / (1 - level)) + missing / (1 - level)


def choose(short: np.ndarray, cost: np.ndarray, accepted: float) -> int:
    """Index of the candidate to recommend: first the risk, then the cost.

    short  (C,) share of minutes that are short
    cost   (C,) `weighed`: of those that are short in no more than `HEADROOM` of the accepted share, the one that costs
           least; of equals the first listed, so that a schedule has to earn its place. Where no candidate is that safe,
           the one that costs least of all: bursts that nothing foretells cannot be bought off, and cost is what says
           how far it pays to try

    >>> choose(np.array([0.0, 0.002, 0.02]), np.array([9.0, 7.0, 5.0]), accepted=0.005)
    1
    >>> choose(np.array([0.05, 0.02, 0.03]), np.array([9.0, 7.0, 5.0]), accepted=0.005)
    2
    """
    safe = short <= HEADROOM * accepted
    options = np.flatnonzero(safe) if safe.any() else np.arange(len(short))
    return int(options[np.argmin(cost[options])])
