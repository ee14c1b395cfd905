"""What an alarm is chosen from: a service with its plan, policy and history; and what a choice looks like."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Final, NamedTuple

import numpy as np

from capacity.config import Monitoring, Service
from capacity.demand import Demand, Key
from capacity.findings import Finding
from capacity.forecasting.forecasts import quantiles
from capacity.monitoring.alarm import Alarm, Kind, Severity
from capacity.monitoring.breaches import Watch
from capacity.monitoring.conditions import Condition
from capacity.monitoring.naming import named, page
from capacity.planning import Plan
from capacity.planning.needs import FullTask, full_share, full_tasks
from capacity.scaling.clocks import DOCUMENTED, Clocks
from capacity.scaling.policy import ServicePolicy

#: The level of the plan's forecast that counts as expected.
LEVEL: Final = 0.95


class Calmer(NamedTuple):
    """The same alarm, less easily set off and promising no lead; `how` in words: "over windows twice as long"."""

    condition: Condition
    how: str


@dataclass(frozen=True)
class Proposal:
    """An alarm before it is replayed, and what to try, in this order, where it would wake people for nothing."""

    alarm: Alarm
    calmer: tuple[Calmer, ...] = ()


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of one service when its alarms are chosen.

    scaling  its policy, where one was made: its maximum and target are then the ones watched
    watch    its minutes, where there is history
    """

    service: Service
    plan: Plan
    demand: Demand
    settings: Monitoring
    scaling: ServicePolicy | None = None
    watch: Watch | None = None
    clocks: Clocks = DOCUMENTED

    @property
    def max_tasks(self) -> int:
        return self.scaling.max_tasks if self.scaling is not None else self.service.max_tasks

    @property
    def min_tasks(self) -> int:
        return self.scaling.min_tasks if self.scaling is not None else self.service.min_tasks

    @property
    def lead(self) -> int:
        """Minutes from a step in load until tasks that were asked for because of it serve: reaction and start-up."""
        return self.clocks.reaction + ceil(self.service.startup_seconds / 60)

    @cached_property
    def full(self) -> dict[str, float]:
        """Resource -> load of one task past which it no longer keeps its promise; percent for cpu and memory."""
        return {
            resource: task.size * full_share(self.service, resource)
            if resource == "requests"
            else 100 * full_share(self.service, resource)
            for resource, task in self._tasks.items()
        }

    @cached_property
    def _tasks(self) -> dict[str, FullTask]:
        measured = {key.metric for key in self.plan.forecast.keys if key.service == self.service.name}
        return {
            resource: task
            for resource, task in full_tasks(self.service).items()
            if resource != "requests" or "requests" in measured
        }

    @property
    def tracked(self) -> tuple[str, float] | None:
        """(resource, value) that the autoscaler keeps: percent, or requests/s of a task; None where not known."""
        if self.scaling is not None:
            metric, target = self.scaling.tracking.metric, self.scaling.tracking.target
            return metric, target / 60 if metric == "requests" else target
        if self.service.target_value is None:
            return None
        if self.service.target_value > 100:  # requests per task and minute, as `scaling.rehearse` reads it
            return "requests", self.service.target_value / 60
        return "cpu", self.service.target_value

    def kept(self, resource: str) -> float:
        """Share of full that tasks are kept at: by the autoscaler, at least by the plan; above 1: too full."""
        planned = self._tasks[resource].target / full_share(self.service, resource)
        tracked = self.tracked
        if tracked is None or tracked[0] != resource:
            return planned
        return max(planned, tracked[1] / self.full[resource])

    def expected(self, metric: str) -> np.ndarray | None:
        """(H,) the plan's P95 of a metric, over the horizon; None where it is not forecast."""
        if metric not in self._expected:
            forecast, key = self.plan.forecast, Key(self.service.name, metric)
            row = forecast.keys.index(key) if key in forecast.keys else None
            found = None if row is None else quantiles(forecast.paths[row : row + 1], (LEVEL,))[0, 0]
            self._expected[metric] = found
        return self._expected[metric]

    @cached_property
    def _expected(self) -> dict[str, np.ndarray | None]:
        return {}

    @cached_property
    def steepest(self) -> float:
        """Largest rise that the plan expects within an hour, as a share of its highest load; 0 where none is known."""
        hours = self.plan.forecast.interval.total_seconds() / 3600
        steps = max(1, round(1 / hours))  # of the forecast: the noise of minutes is no rise of an hour
        rises = [0.0]
        for resource in self._tasks:
            load = self.expected(resource)
            if load is not None and len(load) > steps and load.max() > 0:
                rises.append(float((load[steps:] - load[:-steps]).max() / load.max() / (hours * steps)))
        return max(rises)

    @cached_property
    def requests(self) -> float:
        """Requests/s on average over what is known; NaN where nothing is."""
        key = Key(self.service.name, "requests")
        values = self.demand.values[self.demand.keys.index(key)] if key in self.demand.keys else np.empty(0)
        return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")

    def alarm(
        self,
        kind: Kind,
        severity: Severity,
        condition: Condition,
        summary: str,
        because: str,
        *,
        more: str = "",
        lead: float | None = None,
    ) -> Alarm:
        """An alarm of the service, named after its kind and what `more` tells it from others of that kind."""
        ending = f"{kind}-{more}" if more else kind
        return Alarm(
            name=named(self.settings.prefix, self.service.name, ending),
            service=self.service.name,
            kind=kind,
            severity=severity,
            condition=condition,
            summary=summary,
            because=because,
            runbook=page(self.service.name, ending),
            owner=self.service.owner,
            region=self.service.region,
            lead_minutes=lead,
        )

    def finding(self, check: str, message: str, advice: str) -> Finding:
        return Finding(self.service.name, "", check, "REVIEW", message, advice)
