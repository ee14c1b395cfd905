"""The usual alarm, beside: "CPU > 80 %" for so many minutes on end, as thousands of accounts have it."""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.alarms.judging import Firing, told
from benchmarks.alarms.observed import Signals

ABOVE: Final = 80.0  # per cent


def static(seen: Signals, minutes: int) -> list[Firing]:
    """One page: the mean utilisation of `minutes` minutes on end is above 80 %. Without data it stays as it was."""
    on = on_end(seen["cpu_utilization", "mean"], minutes)
    return [Firing(f"CPU > 80 % for {minutes} min", "static", "page", told(on))]


def on_end(values: np.ndarray, minutes: int) -> np.ndarray:
    """(n,) True where the last `minutes` known values are all above; NaN holds what was.

    >>> on_end(np.array([90, 90, np.nan, 90, 50, 90.0]), 2).tolist()
    [False, True, True, True, False, False]
    """
    known = ~np.isnan(values)
    above = values[known] > ABOVE
    place = np.arange(len(above))
    last_below = np.maximum.accumulate(np.where(above, -1, place))
    states = np.concatenate([[False], place - last_below >= minutes])  # before any value, and after each
    enough = np.concatenate([[False], place + 1 >= minutes])
    return np.asarray((states & enough)[np.cumsum(known)])
