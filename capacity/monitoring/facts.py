"""What is known of a service, gathered once for its dashboard and its runbooks: from plan, policy and history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.forecasting.forecasts import quantiles
from capacity.history import History
from capacity.monitoring.profile import WEEKS_AHEAD, Profile, weekly
from capacity.planning import Plan
from capacity.planning.plans import Decision
from capacity.scaling import Policy, ServicePolicy

#: Days of history in which the highest value is looked for.
RECENT_DAYS: Final = 28

#: What of a history says how a service stands.
MEASURED: Final = ("requests", "cpu", "cpu_utilization", "memory_utilization", "running_tasks", "latency", "errors")


@dataclass(frozen=True)
class Measured:
    """The last value of a series, and the highest of its last `RECENT_DAYS`; in the metric's unit, at `at` UTC."""

    last: float
    at: pd.Timestamp
    highest: float
    highest_at: pd.Timestamp


@dataclass(frozen=True)
class Demand:
    """What the plan expects of one metric: a week at two levels, and the peak of the horizon."""

    usual: Profile | None  # median of each hour of the week
    high: Profile | None  # 95 % quantile
    peak_p50: float
    peak_p95: float


@dataclass(frozen=True)
class Facts:
    """Numbers of one service, as they stand when the plan is made.

    tasks        a week of the tasks to run; None when the plan looks less than a week ahead
    most         most tasks that the plan asks for, before the maximum cuts it, and when
    short        intervals in which the maximum leaves tasks missing
    demand       metric -> what is expected of it
    limits       its rows of `schema.LIMITS`, and those of what it shares
    decisions    about it, most urgent first
    measured     metric -> what history holds of it
    """

    service: Service
    cutoff: pd.Timestamp
    until: pd.Timestamp
    level: float
    tasks: Profile | None
    most: int
    most_at: pd.Timestamp
    short: int
    demand: Mapping[str, Demand]
    limits: tuple[dict[str, Any], ...]
    decisions: tuple[Decision, ...]
    policy: ServicePolicy | None = None
    measured: Mapping[str, Measured] | None = None

    @property
    def proposed_max(self) -> int:
        """Most tasks to allow: what the policy says, else what the plan asks for; never below today's."""
        return max(self.service.max_tasks, self._proposed("raise_max", "max_tasks"))

    @property
    def proposed_min(self) -> int:
        """Fewest tasks to keep while in doubt: what the policy says, else what the plan asks for; at least today's."""
        return max(self.service.min_tasks, self._proposed("raise_min", "min_tasks"))

    def _proposed(self, kind: str, bound: str) -> int:
        decided = [int(one.proposed) for one in self.decisions if one.kind == kind and one.proposed is not None]
        return max([*decided, int(getattr(self.policy, bound, 0))])

    @property
    def seen(self) -> Mapping[str, Measured]:
        """What was measured; empty without a history."""
        return self.measured or {}


def amount(value: float) -> str:
    """Three digits, and never an exponent.

    >>> amount(70.588), amount(1234.5), amount(0.25)
    ('70.6', '1,234', '0.25')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def facts_of(plan: Plan, policy: Policy | None = None, history: History | None = None) -> dict[str, Facts]:
    """Service -> what is known of it, for every service of the plan."""
    rows = plan.frame.groupby("service", sort=False).indices
    series = {key: row for row, key in enumerate(plan.forecast.keys)}
    metrics: dict[str, dict[str, int]] = {}
    for key, row in series.items():
        metrics.setdefault(key.service, {})[key.metric] = row
    limits = plan.limits.to_dict(orient="records")
    policies = {one.service.name: one for one in policy.services} if policy is not None else {}
    columns = {name: plan.frame[name].to_numpy() for name in ("tasks", "short")}
    stamps = pd.DatetimeIndex(plan.frame["timestamp"])
    found = {}
    for service in plan.services:
        at = rows.get(service.name, np.zeros(0, dtype=int))
        times, tasks, short = stamps[at], columns["tasks"][at], columns["short"][at]
        top = int(np.argmax(tasks + short)) if len(at) else 0
        found[service.name] = Facts(
            service,
            plan.forecast.cutoff,
            plan.forecast.times[-1],
            plan.goal_of(service.name).level,
            _whole(weekly(tasks, times, plan.forecast.interval)) if len(at) else None,
            int((tasks + short)[top]) if len(at) else service.min_tasks,
            times[top] if len(at) else plan.forecast.cutoff,
            int((short > 0).sum()),
            {metric: _demand(plan, row) for metric, row in metrics.get(service.name, {}).items()},
            tuple(row for row in limits if row["service"] == service.name),
            tuple(one for one in plan.decisions if one.service == service.name),
            policies.get(service.name),
            _measured(history, service.name) if history is not None else None,
        )
    return found


def _whole(profile: Profile | None) -> Profile | None:
    """Whole tasks: the median of an even count of weeks may lie between two."""
    return None if profile is None else tuple(float(np.ceil(value)) for value in profile)


def _demand(plan: Plan, row: int) -> Demand:
    forecast = plan.forecast
    near = forecast.paths[row : row + 1, :, : max(1, round(pd.Timedelta(weeks=WEEKS_AHEAD) / forecast.interval))]
    usual, high = (values[0] for values in quantiles(near, (0.5, 0.95)))
    times = forecast.times[: near.shape[2]]
    peaks = quantiles(forecast.paths[row : row + 1].max(axis=2, keepdims=True), (0.5, 0.95))
    week, edge = (weekly(values, times, forecast.interval) for values in (usual, high))
    return Demand(week, edge, float(peaks[0].item()), float(peaks[1].item()))


def _measured(history: History, service: str) -> dict[str, Measured]:
    if service not in history.services:
        return {}
    known = history.metrics(service)
    found = {}
    for metric in MEASURED:
        stats = (
            [stat for stat in ("p95", "mean") if history.intervals(service, metric, stat)] if metric in known else []
        )
        if not stats:
            continue
        finest = history.intervals(service, metric, stats[0])[0]
        values = history.series(service, metric, stats[0], finest).dropna()
        recent = values[values.index > values.index[-1] - pd.Timedelta(days=RECENT_DAYS)] if len(values) else values
        if len(recent):
            top = recent.idxmax()
            found[metric] = Measured(float(recent.iloc[-1]), recent.index[-1], float(recent.loc[top]), top)
    return found
