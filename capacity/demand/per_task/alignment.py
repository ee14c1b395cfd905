"""Metrics of two sources moved onto the same minute: a container agent's stamps may run behind the balancer's."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

#: Minutes that stamps may run behind each other. Beyond that it is a wrong clock, not a late report.
FARTHEST: Final = 3
#: A shift has to explain this much more of the moves from minute to minute (correlation) to be believed ...
CLEARLY: Final = 0.10
#: ... and the moves have to be known to at least so many minutes.
LEAST: Final = 240


def shifts_of(load: np.ndarray, work: np.ndarray, interval: pd.Timedelta) -> int:
    """By how many intervals `work` is stamped after the `load` that caused it; 0 unless it is plain. Up to 5 minutes.

    load, work  (n,) on one grid, NaN at gaps

    The moves of one minute to the next are compared, so that the wave of the day says nothing.

    >>> load = np.random.default_rng(0).normal(100, 10, 600)
    >>> shifts_of(load, np.roll(load, 2) * 0.01, pd.Timedelta("1min")), shifts_of(load, load, pd.Timedelta("1min"))
    (2, 0)
    """
    if interval > pd.Timedelta(minutes=5):
        return 0
    moves = [np.diff(part) for part in (load, work)]
    fits = {}
    for step in range(-FARTHEST, FARTHEST + 1):
        first, second = moves[0], shifted(moves[1], -step)
        known = np.isfinite(first) & np.isfinite(second)
        if known.sum() < LEAST or first[known].std() == 0 or second[known].std() == 0:
            return 0
        fits[step] = float(np.corrcoef(first[known], second[known])[0, 1])
    best = max(fits, key=lambda step: (fits[step], -abs(step)))
    return best if fits[best] > fits[0] + CLEARLY else 0


def shifted(values: np.ndarray, steps: int) -> np.ndarray:
    """(n,) moved later by so many places; what comes in from outside is not known (NaN, or False).

    >>> shifted(np.array([1.0, 2.0, 3.0]), 1).tolist(), shifted(np.array([1.0, 2.0, 3.0]), -1).tolist()
    ([nan, 1.0, 2.0], [2.0, 3.0, nan])
    """
    moved = np.zeros_like(values) if values.dtype == bool else np.full_like(values, np.nan)
    if abs(steps) < len(values):
        moved[max(0, steps) : len(values) + min(0, steps)] = values[max(0, -steps) : len(values) - max(0, steps)]
    return moved
