"""What is forecast: the sets, the grids, and the split between what may be tuned on and what is reported.

The split, by series and by time:

    tuning     azure_vm_2017_5min, rte_load_hourly, website_daily, nab_aws_sample and ms_purchases in full;
               of every other set the first 70 % of its time
    reporting  the last 30 % of the other sets. What lies before may be learnt from, only the last 30 % is scored.

A cutoff is where the past ends. In the tuning sets cutoffs lie in the second half, in the tuning part of the others
between 35 and 70 %. The horizons of one series do not overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

#: Levels that are scored: both tails, the middle, and where plans are made.
LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95, 0.99)

TUNING = ("azure_vm_2017_5min", "rte_load_hourly", "website_daily", "nab_aws_sample", "ms_purchases")
REPORTING = ("bike_hourly", "ms_service_rps_5min", "nyc_taxi", "pedestrians_covid_daily", "wiki_daily_prophet")

#: Web load; the other sets stand in for it and are shown apart.
WEB = (
    "ms_service_rps_5min",
    "nab_aws_sample",
    "azure_vm_2017_5min",
    "wiki_daily_prophet",
    "website_daily",
    "ms_purchases",
)

#: Clocks that are local though written as UTC: no holiday or zone is told to anybody, so it matters to nobody here.
HOURLY = ("azure_vm_2017_5min", "bike_hourly", "ms_purchases", "nab_aws_sample", "nyc_taxi", "rte_load_hourly")
DAILY = ("bike_hourly", "nyc_taxi", "rte_load_hourly", "website_daily", "pedestrians_covid_daily", "wiki_daily_prophet")


#: The grids, by the names that peers know them by.
INTERVALS = {"1h": pd.Timedelta(hours=1), "1d": pd.Timedelta(days=1), "5min": pd.Timedelta(minutes=5)}


@dataclass(frozen=True)
class Task:
    """A question asked of every series of some sets."""

    name: str
    grid: str  # of INTERVALS
    horizon: int  # intervals ahead
    sets: tuple[str, ...]
    season: int  # intervals; seasonal naive repeats it, MASE is scaled by it
    shortest: int  # intervals of past below which nothing is asked: seasonal naive has no error to learn from
    longest: int | None = None  # intervals of past shown at most

    @property
    def day(self) -> int:
        """Intervals of a day."""
        return round(pd.Timedelta(days=1) / INTERVALS[self.grid])


TASKS = {
    task.name: task
    for task in (
        Task("hourly/168", "1h", 168, HOURLY, 168, 8 * 24),
        Task("daily/91", "1d", 91, DAILY, 7, 28),
        Task("5min/288", "5min", 288, ("azure_vm_2017_5min", "ms_service_rps_5min", "nab_aws_sample"), 288, 2 * 288),
        Task("26 weeks/672", "1h", 672, HOURLY, 168, 26 * 168, 26 * 168),
    )
}


@dataclass(frozen=True, eq=False)
class Window:
    """One test: what was known, and what happened after it."""

    task: Task
    set: str
    series: str
    past: pd.Series  # on the grid, UTC, gaps as NaN
    actual: np.ndarray  # (horizon,) gaps as NaN

    @property
    def cutoff(self) -> pd.Timestamp:
        return self.past.index[-1] + INTERVALS[self.task.grid]

    @property
    def filled(self) -> np.ndarray:
        """(n,) the past with gaps drawn straight: for peers, and seasonal naive, which cannot bear any."""
        return np.asarray(self.past.interpolate(limit_direction="both").to_numpy(dtype=float))


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model said of one window."""

    quantiles: np.ndarray  # (levels, horizon) at LEVELS; NaN in full where it failed
    peak: float  # 95 % quantile of the horizon's maximum; NaN from a model without paths to take it from
    seconds: float  # CPU time
    error: str = ""  # why it failed


def series_of(folder: Path, grid: str) -> Iterator[pd.Series]:
    """Each series of a set on a grid: means of finer values; a gap where less than half was measured."""
    frame = pd.read_csv(folder / "data.csv.gz", parse_dates=["timestamp"])
    for name, part in frame.groupby("series_id"):
        values = part.set_index("timestamp")["value"].sort_index()
        parts = values.resample(INTERVALS[grid])
        counts = parts.count()
        yield parts.mean().where(counts * 2 >= max(1, counts.max())).rename(str(name))


def cutoffs(length: int, task: Task, origins: int, *, own: bool, tune: bool) -> list[int]:
    """Where pasts end, oldest first: at most `origins`, spread over the part, their horizons apart.

    length  intervals of the series
    own     it belongs to a tuning set
    tune    the tuning part is asked for; a tuning set has no other

    >>> hourly = TASKS["hourly/168"]
    >>> cutoffs(10_000, hourly, 2, own=False, tune=False), cutoffs(10_000, hourly, 2, own=False, tune=True)
    ([7000, 9832], [3500, 6832])
    >>> cutoffs(336, hourly, 2, own=True, tune=True), cutoffs(300, hourly, 2, own=False, tune=False)
    ([], [])
    """
    if own and not tune:
        return []
    first, end = (0.5, 1.0) if own else (0.35, 0.7) if tune else (0.7, 1.0)
    last = int(end * length) - task.horizon
    start = max(round(first * length), task.shortest)
    if tune:  # a short series is asked earlier rather than not at all
        start = max(min(start, last), task.shortest)
    if last < start:
        return []
    count = min(origins, 1 + (last - start) // task.horizon)
    return [last] if count == 1 else [round(place) for place in np.linspace(start, last, count)]


def windows(task: Task, root: Path, *, tune: bool, origins: int = 2) -> Iterator[Window]:
    """Every test of a task. Those after which nothing was measured, or before which all was zero, are no test."""
    for name in task.sets:
        for series in series_of(root / name, task.grid):
            for cutoff in cutoffs(len(series), task, origins, own=name in TUNING, tune=tune):
                past = series.iloc[:cutoff].iloc[-(task.longest or cutoff) :]
                actual = series.iloc[cutoff : cutoff + task.horizon].to_numpy(dtype=float)
                if np.nansum(np.abs(actual)) > 0 and np.nansum(np.abs(past.to_numpy())) > 0:
                    yield Window(task, name, f"{name}/{series.name}", past, actual)
