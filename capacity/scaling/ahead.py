"""Paths of the forecast, minute by minute: what a schedule is made from, and what the chosen policy is replayed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.demand import to_minutes
from capacity.forecasting.forecasts import Forecast
from capacity.scaling.search.weeks import HELD

#: Paths of each half, evenly spaced from the quietest to the busiest.
PATHS: Final = 12

#: Days replayed: those in which the mean of the paths is busiest.
DAYS: Final = 28


def short_in(share: float) -> str:
    """How much of the time too few tasks serve; what is not nothing is never said as 0.

    >>> short_in(0.0), short_in(0.00004), short_in(0.0012)
    ('never short', 'short in less than 0.01 % of minutes', 'short in 0.12 % of minutes')
    """
    if share == 0:
        return "never short"
    return f"short in {'less than 0.01' if share < 0.0001 else f'{100 * share:.2f}'} % of minutes"


@dataclass(frozen=True, eq=False)
class Futures:
    """Some paths of one series, as minutes: what policies are replayed on."""

    times: pd.DatetimeIndex  # (n,)
    loads: np.ndarray  # (paths, n) in the metric's unit

    @classmethod
    def halves(
        cls, about: Forecast, seed: int, peaks: Callable[[Forecast], np.ndarray] | None = None
    ) -> tuple[Futures, Futures]:
        """Two halves of some paths of a forecast of one series, each from quiet to busy.

        peaks  largest need inside each interval; `forecasting.within_interval_peaks` when not given
        """
        steps = slice(*busiest(about))
        paths = spread(about.paths[0], 2 * PATHS)
        tops = (_within_interval_peaks if peaks is None else peaks)(about)[0]
        means, inside = about.paths[0][paths, steps].astype(float), tops[paths, steps]
        times, minutes = _minutes(about.times[steps], about.interval, means, inside, seed)
        return cls(times, minutes[::2]), cls(times, minutes[1::2])


def _minutes(
    times: pd.DatetimeIndex, interval: pd.Timedelta, means: np.ndarray, peaks: np.ndarray, seed: int
) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """As `weeks.loads` does: short intervals without a peak inside are held."""
    if interval <= HELD and not (peaks > means).any():
        each = max(1, round(interval / pd.Timedelta(minutes=1)))
        return pd.date_range(times[0], periods=each * len(times), freq="min", unit="us"), np.repeat(means, each, axis=1)
    return to_minutes(times, interval, means, peaks, seed)


def busiest(about: Forecast) -> tuple[int, int]:
    """First and last (exclusive) step of the busiest stretch of DAYS; all steps when there are fewer."""
    length, size = len(about.times), round(pd.Timedelta(days=DAYS) / about.interval)
    if size >= length:
        return 0, length
    total = np.concatenate([[0.0], about.paths[0].mean(axis=0).cumsum()])
    start = int(np.argmax(total[size:] - total[:-size]))
    return start, start + size


def spread(paths: np.ndarray, count: int) -> np.ndarray:
    """Rows of `count` paths, evenly spaced by their sum over the horizon, from the least on.

    >>> spread(np.array([[3.0], [1.0], [2.0]]), count=1)
    array([2])
    """
    order = np.argsort(paths.sum(axis=1), kind="stable")
    places = (np.arange(min(count, len(order))) + 0.5) / min(count, len(order)) * len(order)
    return order[places.astype(int)]


def _within_interval_peaks(about: Forecast) -> np.ndarray:
    from capacity.forecasting import within_interval_peaks

    return within_interval_peaks(about)
