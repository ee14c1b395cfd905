"""What each calendar month costs on each path: what was spent before the plan begins, and what it will spend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.planning.cost import usd_of
from capacity.planning.money.spend import matches_of, ran, rate_of, running

if TYPE_CHECKING:
    from capacity.planning.plans import Plan

#: Share of a month's time so far that has to be known to say what it cost so far.
KNOWN = 0.5


@dataclass(frozen=True, eq=False)
class Month:
    """One calendar month, UTC, of the spend of some services.

    so_far  USD before the plan begins: 0 for a month that is still to come, NaN where too little of it is known
    spent   (P, T) USD from the month's start to the end of each interval of the plan in it, `so_far` included
    ends    (T,) those ends
    whole   whether the plan reaches to the month's end
    """

    start: pd.Timestamp
    so_far: float
    spent: np.ndarray
    ends: pd.DatetimeIndex
    whole: bool

    @property
    def total(self) -> np.ndarray:
        """(P,) USD of the month, or of as much of it as the plan reaches."""
        return np.asarray(self.spent[:, -1])


def months(plan: Plan, names: Iterable[str]) -> list[Month]:
    """The months that the plan touches, for the services of these names; NaN throughout where one has no price."""
    chosen = set(names)
    times, hours = plan.forecast.times, plan.forecast.interval / pd.Timedelta(hours=1)
    hourly = sum((usd_per_interval(plan, one) for one in plan.services if one.name in chosen), start=np.zeros((1, 1)))
    hourly = np.broadcast_to(hourly, (len(hourly), len(times)))
    begins = times.tz_localize(None).to_period("M").to_timestamp().tz_localize("UTC")
    found = []
    for start in begins.unique():
        inside = begins == start
        end = start + pd.offsets.MonthBegin(1)
        so_far = spent_before(plan, chosen, start) if start < times[0] else 0.0
        ends = times[inside] + plan.forecast.interval
        found.append(Month(start, so_far, so_far + np.cumsum(hourly[:, inside] * hours, axis=1), ends, ends[-1] >= end))
    return found


def usd_per_interval(plan: Plan, service: Service) -> np.ndarray:
    """(P, H) USD an hour of all items, Spot included; NaN without a price."""
    tasks = running(plan, service).astype(float)
    on_spot = service.spot_share * np.maximum(tasks - service.on_demand_base, 0)
    return usd_of(service, rate_of(plan, service), tasks, on_spot)


def spent_before(plan: Plan, names: set[str], start: pd.Timestamp) -> float:
    """USD from `start` to the plan's beginning: of the tasks that ran where known, else of those that load asks for.

    Where some of that time is unknown, it costs as much as the rest; NaN where less than half of it is known.
    """
    total, hours = 0.0, (plan.forecast.cutoff - start) / pd.Timedelta(hours=1)
    for found in matches_of(plan):
        if found.service.name not in names:
            continue
        tasks = ran(plan, found, start)
        if found.name in plan.forecast.past.tasks:
            measured = pd.Series(plan.forecast.past.tasks[found.name], index=plan.forecast.past.times)
            tasks = measured.reindex(tasks.index).fillna(tasks)
        known = tasks.dropna()
        if len(known) * plan.forecast.interval < KNOWN * (plan.forecast.cutoff - start):
            return float("nan")
        on_spot = found.service.spot_share * (known - found.service.on_demand_base).clip(lower=0)
        usd = usd_of(found.service, rate_of(plan, found.service), known.to_numpy(), on_spot.to_numpy())
        total += float(usd.mean()) * hours
    return total
