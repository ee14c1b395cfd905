"""Measurements of one service on regular grids, one level an interval, and how finer levels fill coarser ones."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.history.history import History
from capacity.schema import METRICS
from capacity.timegrid import averaged

#: Metrics that demand is estimated from. A metric outside the dictionary is the caller's own, and demand as it stands.
INPUTS: Final = (
    "requests",
    "cpu",
    "memory",
    "cpu_utilization",
    "memory_utilization",
    "running_tasks",
    "cpu_reserved",
    "memory_reserved",
)


def plannable(history: History) -> list[str]:
    """Services that demand can be estimated of, sorted: `(untagged)` of a bill, or a queue by itself, is none."""
    metrics = [name for name in history.metrics() if name in INPUTS or name not in METRICS]
    return sorted(map(str, history.frame["service"][history.frame["metric"].isin(metrics)].unique()))


class Measured(NamedTuple):
    """One quantity on a grid: (n,) mean over each interval, (n,) largest one-minute value; NaN where not known."""

    mean: np.ndarray
    peak: np.ndarray

    @property
    def known(self) -> bool:
        return bool(np.isfinite(self.mean).any())


@dataclass(frozen=True, eq=False)
class Level:
    """What is known of one service at one interval. `times` starts and ends with whole intervals of the target grid."""

    times: pd.DatetimeIndex
    interval: pd.Timedelta
    metrics: dict[str, Measured]

    def __getitem__(self, metric: str) -> Measured:
        """The metric, all gaps when it is not there."""
        return self.metrics[metric] if metric in self.metrics else nothing(len(self.times))

    def coarser(self, interval: pd.Timedelta, target: pd.DatetimeIndex) -> Level:
        """The same, averaged onto the grid `target` of a longer interval that this one's divides."""
        count = round(interval / self.interval)
        first = int((self.times[0] - target[0]) / interval)
        metrics = {}
        for name, (mean, peak) in self.metrics.items():
            filled = nothing(len(target))
            place = slice(first, first + len(mean) // count)
            filled.mean[place] = averaged(mean.reshape(-1, count))
            filled.peak[place] = highest(np.fmax(mean, peak).reshape(-1, count))
            filled.peak[np.isnan(filled.mean)] = np.nan
            metrics[name] = filled
        return Level(target, interval, metrics)


def nothing(length: int) -> Measured:
    """A quantity of which nothing is known.

    >>> nothing(2).known
    False
    """
    return Measured(np.full(length, np.nan), np.full(length, np.nan))


def filled(first: Measured, *others: Measured) -> Measured:
    """The first, its gaps filled from the next that knows; likewise for peaks.

    >>> a, b = Measured(np.array([1, np.nan]), np.array([np.nan, np.nan])), Measured(np.array([5, 6]), np.array([9, 8]))
    >>> [part.tolist() for part in filled(a, b)]
    [[1.0, 6.0], [9.0, 8.0]]
    """
    mean, peak = first.mean, first.peak
    for other in others:
        mean = np.where(np.isnan(mean), other.mean, mean)
        peak = np.where(np.isnan(peak), other.peak, peak)
    return Measured(mean, peak)


def highest(parts: np.ndarray) -> np.ndarray:
    """(n,) largest value of each row; NaN where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row of gaps: its maximum is a gap
        return np.asarray(np.nanmax(parts, axis=1))


def levels_of(rows: pd.DataFrame, target: pd.DatetimeIndex, interval: pd.Timedelta) -> list[Level]:
    """The levels of one service, finest first, up to the interval of the target grid.

    rows  that service's rows of `schema.HISTORY`, stats mean and max only; intervals that do not divide the target's
          are left out
    """
    levels = []
    for seconds, part in rows.groupby("interval", sort=True, observed=True):
        size = pd.Timedelta(seconds=int(seconds))
        if size <= interval and interval % size == pd.Timedelta(0):
            levels.append(_level(part, target, interval, size))
    return levels


def _level(rows: pd.DataFrame, target: pd.DatetimeIndex, interval: pd.Timedelta, size: pd.Timedelta) -> Level:
    count = round(interval / size)
    offset = np.asarray((pd.DatetimeIndex(rows["timestamp"]) - target[0]) / size)
    slot = np.floor(offset + 0.5).astype(np.int64)  # to the nearest: days at local midnight move with the clock
    first = int(slot.min()) // count * count if size < interval else 0
    end = len(target) * count  # the nearest slot of a stamp off the grid may be beyond it
    last = min(-(-(int(slot.max()) + 1) // count) * count, end) if size < interval else len(target)
    slot = np.clip(slot, first, last - 1) - first
    times = pd.date_range(target[0] + first * size, periods=last - first, freq=size, unit="us")
    values = rows["value"].to_numpy(dtype=float)
    stats = {name: (rows["stat"] == name).to_numpy() for name in ("mean", "max")}
    metrics = {}
    for metric, places in rows.groupby("metric", sort=False, observed=True).indices.items():
        chosen = {name: places[there[places]] for name, there in stats.items()}
        mean, peak = (_placed(values[these], slot[these], len(times), name) for name, these in chosen.items())
        if size <= pd.Timedelta(minutes=1):
            peak = np.fmax(peak, mean)
        metrics[str(metric)] = Measured(mean, peak)
    return Level(times, size, metrics)


def _placed(values: np.ndarray, slot: np.ndarray, length: int, stat: str) -> np.ndarray:
    """(length,) values in their slots; of several in one slot the mean, or the largest of maxima."""
    result = np.full(length, np.nan)
    if np.bincount(slot, minlength=1).max() <= 1:
        result[slot] = values
    else:
        grouped = pd.Series(values).groupby(slot)
        found = grouped.max() if stat == "max" else grouped.mean()
        result[found.index.to_numpy()] = found.to_numpy()
    return result
