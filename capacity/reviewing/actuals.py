"""What happened, on the grid of a plan: demand, tasks that ran, what they cost. Gaps stay gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.demand import Demand, estimate_demand
from capacity.demand.demand import Key
from capacity.demand.levels import plannable
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Findings
from capacity.history.history import History, SeriesKey
from capacity.planning.words import first_few, listed, spoken_time
from capacity.reviewing.snapshot import Snapshot
from capacity.reviewing.wording import spoken_length
from capacity.sources.base import Span

_HOUR: Final = pd.Timedelta(hours=1)

#: Share of a day, or of a cost interval, that has to be known for it to be compared.
KNOWN: Final = 0.9


class Paid(NamedTuple):
    """What was paid while it is known which tasks ran."""

    usd: float
    task_hours: float

    @property
    def usd_per_task_hour(self) -> float:
        """NaN where nothing is known."""
        return self.usd / self.task_hours if self.task_hours > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class Actual:
    """What happened to the services of one plan, up to `now`. n intervals of the plan have passed.

    demand    series of the planned services on the plan's own grid; NaN where nothing is known
    ran       service -> (n,) mean tasks that ran, NaN where not known
    strangers services that the history knows and the plan does not
    missing   services of the plan that the history does not know
    """

    times: pd.DatetimeIndex  # (n,)
    interval: pd.Timedelta
    now: pd.Timestamp
    demand: Demand
    ran: Mapping[str, np.ndarray]
    history: History
    strangers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    findings: Findings = NO_FINDINGS

    @cached_property
    def _told(self) -> dict[str, list[SeriesKey]]:
        """Service -> what its history holds of the tasks that ran."""
        found: dict[str, list[SeriesKey]] = {}
        for key in self.history.keys:
            if key.metric in ("running_tasks", "desired_tasks"):
                found.setdefault(key.service, []).append(key)
        return found

    @property
    def hours(self) -> float:
        """Hours in an interval."""
        return float(self.interval / _HOUR)

    @cached_property
    def rows(self) -> dict[Key, int]:
        """Series -> its place."""
        return {key: row for row, key in enumerate(self.demand.keys)}

    def values(self, service: str, metric: str) -> np.ndarray | None:
        """(n,) mean need of each interval; None where the metric is not known at all."""
        row = self.rows.get(Key(service, metric))
        return None if row is None else self.demand.values[row]

    def busiest(self, service: str, metric: str, usual: float) -> np.ndarray | None:
        """(n,) busiest minute of each interval: measured, else the mean times the usual ratio of this series.

        usual  peak over mean that the plan knew; NaN where it knew none and counted by means, which are compared then
        """
        row = self.rows.get(Key(service, metric))
        if row is None:
            return None
        mean, peak = self.demand.values[row], self.demand.peaks[row]
        if np.isnan(usual):
            return mean
        known = ratio_of(mean, peak)
        return np.fmax(np.where(np.isfinite(peak), peak, mean * (usual if np.isnan(known) else known)), mean)

    def censored(self, service: str) -> np.ndarray:
        """(n,) True where the service was saturated: it needed at least what was measured."""
        rows = [
            row for metric in ("requests", "cpu", "memory") if (row := self.rows.get(Key(service, metric))) is not None
        ]
        return np.asarray(self.demand.censored[rows].any(axis=0))

    def extreme(self, service: str, stat: str) -> np.ndarray:
        """(n,) most ("max") or fewest ("min") tasks asked for or running inside each interval; NaN where not known."""
        best = np.full(len(self.times), np.nan)
        joining = np.fmax if stat == "max" else np.fmin
        metrics = ("running_tasks", "desired_tasks") if stat == "max" else ("desired_tasks", "running_tasks")
        for key in self._told.get(service, ()):
            if key.metric not in metrics or key.stat not in (stat, "mean"):
                continue
            if pd.Timedelta(seconds=key.seconds) > self.interval:
                continue
            part = self.history.frame.iloc[self.history.keys[key]]
            place = np.asarray((pd.DatetimeIndex(part["timestamp"]) - self.times[0]) // self.interval, dtype=np.int64)
            inside = (place >= 0) & (place < len(best))
            joining.at(best, place[inside], part["value"].to_numpy()[inside])
            if stat == "min" and key.metric == "desired_tasks":
                return best  # asked for is never below the minimum; running is, while tasks start
        return best

    def reserved(self, service: str, metric: str) -> float:
        """Median of what one task reserved (`cpu_reserved`, `memory_reserved`); NaN where not known."""
        series = self.regular(service, metric)
        if series is None:
            return float("nan")
        with np.errstate(invalid="ignore", divide="ignore"):
            each = series / np.where(self.ran[service] > 0, self.ran[service], np.nan)
        return float(np.nanmedian(each)) if np.isfinite(each).any() else float("nan")

    def regular(self, service: str, metric: str) -> np.ndarray | None:
        """(n,) mean of a metric on the plan's grid; None where it is not known, or only in longer intervals."""
        series = joined(self.history, service, metric)
        return None if series is None else on_grid(series, self.times, self.interval)

    @cached_property
    def spent(self) -> dict[str, Paid]:
        """Service -> what was paid for tasks that are known; nothing for services without a cost."""
        found = {service: self._paid(service) for service in self.ran}
        return {service: paid for service, paid in found.items() if paid is not None}

    def _paid(self, service: str) -> Paid | None:
        series = joined(self.history, service, "cost")
        if series is None:
            return None
        size = max(pd.Timedelta(series.index.freq), self.interval)
        origin, hours = series.index[0], float(size / _HOUR)
        tasks = averaged(self.ran[service], self.times, self.interval, origin, size)
        usd = averaged(series.to_numpy(), series.index, pd.Timedelta(series.index.freq), origin, size)
        count = min(len(usd), len(tasks))
        both = np.isfinite(usd[:count]) & np.isfinite(tasks[:count])
        return (
            Paid(float(usd[:count][both].sum()) * hours, float(tasks[:count][both].sum()) * hours)
            if both.any()
            else None
        )


def averaged(
    values: np.ndarray, times: pd.DatetimeIndex, step: pd.Timedelta, origin: pd.Timestamp, size: pd.Timedelta
) -> np.ndarray:
    """Means over longer intervals from `origin` on; NaN where less than nearly all of one is known."""
    place = np.asarray((times - origin) // size, dtype=np.int64)
    known = np.isfinite(values) & (place >= 0)
    counts = np.bincount(place[known])
    sums = np.bincount(place[known], weights=values[known])
    return np.where(counts >= KNOWN * max(1.0, size / step), sums / np.maximum(counts, 1), np.nan)


def joined(history: History, service: str, metric: str) -> pd.Series | None:
    """The mean of a metric over all the time it is known for; None where it is not."""
    if service not in history.services or metric not in history.metrics(service):
        return None
    return history.joined(service, metric) if history.intervals(service, metric) else None


def on_grid(series: pd.Series, times: pd.DatetimeIndex, interval: pd.Timedelta) -> np.ndarray | None:
    """(n,) the series on another grid of the same or longer intervals; None for longer ones than the grid's."""
    if pd.Timedelta(series.index.freq) > interval:
        return None
    place = np.asarray((series.index - times[0]) // interval, dtype=np.int64)
    known = np.isfinite(series.to_numpy()) & (place >= 0) & (place < len(times))
    sums, counts = np.zeros(len(times)), np.zeros(len(times))
    np.add.at(sums, place[known], series.to_numpy()[known])
    np.add.at(counts, place[known], 1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def ratio_of(mean: np.ndarray, peak: np.ndarray) -> float:
    """Busiest minute over the mean, of what is known together; NaN where nothing is.

    >>> ratio_of(np.array([10.0, 20.0, 5.0]), np.array([12.0, 24.0, np.nan])).__round__(3)
    1.2
    """
    known = np.isfinite(peak) & (mean > 0)
    return float(np.median(peak[known] / mean[known])) if known.any() else float("nan")


def actual_of(history: History, snapshot: Snapshot, now: pd.Timestamp | None = None) -> Actual:
    """What happened to a plan, from a history that reaches into its horizon.

    now  up to when; the end of the history when not given
    Raises InputError when nothing of the plan has happened, or the history knows none of its services.
    """
    times, interval = plan_times(snapshot), snapshot.demand.interval
    planned = list(dict.fromkeys(map(str, snapshot.plan["service"].unique())))
    known = [name for name in planned if name in history.services]
    if not known:
        raise InputError(
            "the actuals know no service of the plan",
            advice=f"Planned are: {first_few(planned)}. The actuals have: {first_few(history.services)}. "
            "Names must be equal to the letter.",
        )
    own = history.select(known)
    end = own.span.end if now is None else min(now, own.span.end)
    passed = times[times + interval <= end]
    if not len(passed):
        raise InputError(
            f"nothing of this plan has happened yet: it begins {spoken_time(times[0])}, and the actuals end "
            f"{spoken_time(end)}",
            advice="Bring a history that goes on after the plan's beginning, or review an older plan.",
        )
    own = own.select(span=Span(passed[0], passed[-1] + interval))
    if not len(own):
        raise InputError(
            f"the actuals hold no row of the plan's time, {spoken_time(passed[0])} to "
            f"{spoken_time(passed[-1] + interval)}",
            advice="Bring actuals of that time, or leave this plan out.",
        )
    _fine_enough(own, interval)
    demand = regridded(estimate_demand(own, snapshot.config.service, interval=interval), passed)
    services = {service.name: service for service in snapshot.config.service}
    bare = Actual(passed, interval, passed[-1] + interval, demand, {}, own)
    others = tuple(name for name in plannable(history) if name not in services and name not in planned)
    return replace(
        bare,
        ran={name: _ran(bare, services.get(name), name) for name in own.services},
        strangers=others,
        missing=tuple(name for name in planned if name not in own.services),
        findings=demand.findings,
    )


def _fine_enough(history: History, interval: pd.Timedelta) -> None:
    """Raises InputError for actuals of longer intervals than the plan's, or of such as do not fit into them."""
    known = sorted({key.seconds for key in history.keys})
    if not any(interval % pd.Timedelta(seconds=seconds) == pd.Timedelta(0) for seconds in known):
        raise InputError(
            f"the plan says what is needed in every {spoken_length(interval)}, and the actuals are means over "
            f"{listed([spoken_length(pd.Timedelta(seconds=seconds)) for seconds in known])}",
            advice="Fetch them as fine as the plan, or finer.",
        )


def plan_times(snapshot: Snapshot) -> pd.DatetimeIndex:
    """The intervals of a plan, ascending."""
    return pd.DatetimeIndex(snapshot.plan["timestamp"].unique()).sort_values()


def regridded(demand: Demand, times: pd.DatetimeIndex) -> Demand:
    """The demand at exactly these intervals; NaN at those it does not have."""
    place = demand.times.get_indexer(times, method="nearest", tolerance=demand.interval / 2)
    there = place >= 0

    def at(values: np.ndarray, missing: float | bool) -> np.ndarray:
        return np.where(there, values[..., np.maximum(place, 0)], missing)

    return replace(
        demand,
        times=times,
        values=at(demand.values, np.nan),
        peaks=at(demand.peaks, np.nan),
        censored=at(demand.censored, False).astype(bool),
        tasks={name: at(ran, np.nan) for name, ran in demand.tasks.items()},
    )


def _ran(actual: Actual, service: Service | None, name: str) -> np.ndarray:
    """(n,) tasks that ran: counted, else what was reserved over the size of a task."""
    counted = actual.demand.tasks.get(name)
    if counted is not None and np.isfinite(counted).any():
        return counted
    reserved = actual.regular(name, "cpu_reserved")
    if reserved is None or service is None:
        return np.full(len(actual.times), np.nan)
    return reserved / service.task_vcpu
