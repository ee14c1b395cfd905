"""One interval of one service, held so that it can be planned again with something changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capacity.config import Goal, Service
from capacity.errors import InputError
from capacity.planning.cost import following_hours, spot_hours, usd_of
from capacity.planning.diagnosis.resources import largest_load
from capacity.planning.matching import match
from capacity.planning.needs import fractional_tasks, most_needed
from capacity.planning.peaks import Asks, Peak, counted_tasks
from capacity.planning.planner import peaks_of
from capacity.planning.prices import HOURS_PER_MONTH
from capacity.planning.steps import climb, ready_before, tracked_share, whole_tasks

if TYPE_CHECKING:
    from capacity.planning.plans import Plan


@dataclass(frozen=True, eq=False)
class Moment:
    """What is known of one interval.

    row     of the plan's frame
    goal    as this service is planned by it
    wanted  tasks after every headroom step, at least the minimum, not clipped by the maximum
    """

    plan: Plan
    service: Service
    goal: Goal
    row: Mapping[str, object]
    peak: Peak

    @classmethod
    def of(cls, plan: Plan, service: Service, at: pd.Timestamp, row: Mapping[str, object]) -> Moment:
        """From the plan's row of an interval. Raises InputError for a plan that does not hold what was asked."""
        peak = plan.peaks.get(service.name)
        if peak is None or plan.asked is None:
            raise InputError("this plan does not hold what was asked", advice="Make it with capacity.plan(...).")
        if peak.moment != at:
            peak = _kept(plan, service, at, peak)
        return cls(plan, service, plan.goal_of(service.name), row, peak)

    @cached_property
    def asks(self) -> Asks:
        return self.peak.asks(self.service)

    @cached_property
    def wanted(self) -> int:
        return self.tasks_at(1.0)

    def tasks_at(self, load: float) -> int:
        """Tasks for a multiple of this interval's load."""
        return counted_tasks(self.asks, self.service, self.goal, load)

    def tasks_with(self, service: Service | None = None, goal: Goal | None = None) -> int:
        """Tasks with other settings, or a goal of another level."""
        goal = self.goal if goal is None else goal
        return replace(self.peak, level=goal.level).tasks(self.service if service is None else service, goal)

    def load_within(self, tasks: int) -> float:
        """The largest multiple of this interval's load that these tasks hold; infinite beyond 1,000."""
        return largest_load(lambda load: self.tasks_at(load) <= tasks)

    @cached_property
    def counts(self) -> np.ndarray:
        """(P,) tasks each path needs in this interval, with every headroom and without the bounds."""
        return np.asarray(climb(*self._first, self.service, self.goal).zone_loss)

    @cached_property
    def loaded(self) -> np.ndarray:
        """(P,) whole tasks each path needs in this interval for its load alone."""
        return whole_tasks(self._first[0])

    @cached_property
    def _first(self) -> tuple[np.ndarray, np.ndarray]:
        most = most_needed(fractional_tasks(self.service, self.peak.demand, self.peak.shares))
        ready = ready_before(most, self.service.startup_seconds, self.peak.interval_seconds)
        return most[:, 0], ready[:, 0]

    def usd_per_month(self, load: float = 1.0, service: Service | None = None) -> float:
        """Mean spend of the whole horizon a month when tasks follow a multiple of its load; NaN without a price."""
        assert self.plan.asked is not None  # checked when it was built
        then = self.service if service is None else service
        need, hours = self.plan.needs[self.service.name], self.peak.interval_seconds / 3600
        tracked = need * need.dtype.type(load / tracked_share(then, self.goal))
        running = following_hours(tracked, then.min_tasks, then.max_tasks, hours)
        on_spot = spot_hours(tracked, then, hours) if then.spot_share else np.zeros_like(running)
        usd = usd_of(then, self.plan.asked.prices.of(then), running, on_spot)
        return float(usd.mean() * HOURS_PER_MONTH / (need.shape[1] * hours))


def _kept(plan: Plan, service: Service, at: pd.Timestamp, peak: Peak) -> Peak:
    """The demand of another interval, as the planner read it."""
    assert plan.asked is not None  # checked by the caller
    (found,), _ = match(plan.forecast, (service,), plan.asked.alone)
    about = plan.forecast.select(found.keys)
    inside = about.paths if service.tier == "batch" else np.asarray(peaks_of(plan.asked)(about))
    place = int(plan.forecast.times.get_loc(at))
    ahead = math.ceil(service.startup_seconds / peak.interval_seconds) + 1
    demand = {key.metric: paths[:, place : place + ahead].copy() for key, paths in zip(found.keys, inside, strict=True)}
    return replace(peak, moment=at, demand=demand)
