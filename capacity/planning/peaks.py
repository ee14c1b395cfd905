"""The interval of a plan that asks for most tasks, kept so that it can be planned again with something changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capacity.config import Goal, Service
from capacity.planning.needs import fractional_tasks, most_needed
from capacity.planning.steps import Steps, climb, ready_before


@dataclass(frozen=True, eq=False)
class Asks:
    """What the peak asks for at the goal's level, as fractional tasks."""

    each: dict[str, float]  # by resource
    need: float  # by the resource that asks for most, path by path
    ready: float  # with what rises while a task starts


@dataclass(frozen=True, eq=False)
class Peak:
    """The demand of all P paths in the interval of most tasks, and as far after it as a start-up takes: K intervals.

    demand  metric -> (P, K) largest need inside each interval, in the metric's unit
    shares  (P, 1) of the stated requests/s that a task carries on each path; None where they are exact
    """

    moment: pd.Timestamp
    demand: dict[str, np.ndarray]
    shares: np.ndarray | None
    level: float
    interval_seconds: float

    @classmethod
    def of(
        cls,
        demand: Mapping[str, np.ndarray],
        shares: np.ndarray | None,
        steps: Steps,
        need: np.ndarray,
        times: pd.DatetimeIndex,
        *,
        startup_seconds: float,
        interval_seconds: float,
        level: float,
    ) -> Peak:
        """From (P, H) demand and the plan's (H,) counts and need: the first of the largest count and need."""
        at = int(np.lexsort((-np.arange(len(need)), need, steps.zone_loss))[-1])
        ahead = math.ceil(startup_seconds / interval_seconds) + 1
        return cls(
            moment=times[at],
            demand={metric: paths[:, at : at + ahead].copy() for metric, paths in demand.items()},
            shares=shares,
            level=level,
            interval_seconds=interval_seconds,
        )

    def at_level(self, metric: str) -> float:
        """The metric's demand at the peak, at the goal's level."""
        return float(np.quantile(self.demand[metric][:, 0], self.level))

    def asks(self, service: Service, times: Mapping[str, float] | None = None, *, exact: bool = False) -> Asks:
        """What this service would need at the peak: the planner's own steps on the kept paths.

        times  factors on the demand of some metrics: {"cpu": 0.9} for requests that take 10 % less processor
        exact  as if the stated requests/s of a task were known exactly
        """
        demand = {
            metric: paths * paths.dtype.type((times or {}).get(metric, 1.0)) for metric, paths in self.demand.items()
        }
        needs = fractional_tasks(service, demand, None if exact else self.shares)
        most = most_needed(needs)
        ready = ready_before(most, service.startup_seconds, self.interval_seconds)
        return Asks(
            each={resource: self._quantile(paths) for resource, paths in needs.items()},
            need=self._quantile(most),
            ready=self._quantile(ready),
        )

    def _quantile(self, paths: np.ndarray) -> float:
        return float(np.quantile(paths[:, 0], self.level))

    def tasks(
        self, service: Service, goal: Goal, times: Mapping[str, float] | None = None, *, exact: bool = False
    ) -> int:
        """Tasks at the peak after every headroom step, at least the service's minimum, not clipped by its maximum."""
        return counted_tasks(self.asks(service, times, exact=exact), service, goal)


def counted_tasks(asks: Asks, service: Service, goal: Goal, load: float = 1.0) -> int:
    """Whole tasks for `load` times what is asked, with the service's minimum and without its maximum."""
    steps = climb(np.float64(asks.need * load), np.float64(asks.ready * load), service, goal)
    return max(int(steps.zone_loss), service.min_tasks)
