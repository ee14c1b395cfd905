"""Requests before a cache against requests behind it: what share goes through, by robust regression."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

#: Parts of the time that are left out one by one, whole: what happens within one hangs together.
BLOCKS: Final = 20
#: 97.5 % quantile of Student's t with BLOCKS - 1 degrees of freedom: half a 95 % interval, in standard errors.
T95: Final = 2.093
#: Distance from the line, in typical ones, from which an interval counts for less: 95 % as good as least squares on
#: normal noise (Huber 1964).
_HUBER: Final = 1.345
#: From the median distance to the standard deviation of normal noise: 1 / 0.6745.
_MAD: Final = 1.4826
#: Quantile of the requests before the cache at which the share is read: the busy hours are what is planned for.
_BUSY: Final = 0.95


@dataclass(frozen=True)
class Passing:
    """What share of requests goes through a cache when it is busy.

    share, low, high  requests behind it over those before it, with a 95 % interval
    level             requests/s behind the cache that do not follow those before it, by which the line misses zero:
                      they pass it by, or it does better the busier it is. 0 where that is not told from none
    intervals         how many were compared
    """

    share: float
    low: float
    high: float
    level: float
    intervals: int


def passing(before: np.ndarray, behind: np.ndarray) -> Passing:
    """The line through (n,) requests/s before a cache and (n,) behind it on the same intervals, NaN where not known.

    Robust, so that minutes of a purge or an outage do not bend it (Huber 1964), and read at the `_BUSY` quantile of the
    requests before the cache: a cache with a time to live answers a larger share the busier it is. The interval is a
    jackknife over `BLOCKS` parts of the time, each whole: neighbouring minutes are alike, and would promise too much
    one by one (Efron and Stein 1981).

    >>> before = np.linspace(100, 300, 500)
    >>> found = passing(before, 0.2 * before)
    >>> round(found.share, 6), round(found.low, 6), found.level
    (0.2, 0.2, 0.0)
    """
    known = np.isfinite(before) & np.isfinite(behind)
    x, y = before[known], behind[known]
    busy = float(np.quantile(x, _BUSY))
    weights = _weights(x, y)
    intercept, slope = _line(x, y, weights)
    share = intercept / busy + slope
    edges = np.linspace(0, len(x), BLOCKS + 1).astype(int)
    without = []
    for start, end in pairwise(edges):
        rest = np.r_[0:start, end : len(x)]
        without.append(_line(x[rest], y[rest], _weights(x[rest], y[rest], weights[rest])))
    intercepts, slopes = np.array(without).T
    spread = T95 * jackknife_error(intercepts / busy + slopes, share)
    certain = intercept > max(T95 * jackknife_error(intercepts, intercept), 1e-9 * busy)
    return Passing(share, share - spread, share + spread, intercept if certain else 0.0, len(x))


def jackknife_error(without: np.ndarray, whole: float) -> float:
    """Standard error of what was found from the whole, given what was found without each of its (B,) parts.

    >>> values = np.array([1.0, 2.0, 4.0])
    >>> without = (values.sum() - values) / 2
    >>> round(jackknife_error(without, values.mean()), 6), round(float(values.std(ddof=1)) / 3**0.5, 6)
    (0.881917, 0.881917)
    """
    count = len(without)
    return float(np.sqrt((count - 1) / count * ((without - whole) ** 2).sum()))


def _line(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Intercept and slope of weighted least squares; through zero where all of x is the same."""
    total = float(weights.sum())
    middle_x, middle_y = float(weights @ x) / total, float(weights @ y) / total
    across = float(weights @ (x - middle_x) ** 2)
    if across <= 1e-12 * float(weights @ x**2):
        return 0.0, middle_y / middle_x
    slope = float(weights @ ((x - middle_x) * (y - middle_y))) / across
    return middle_y - slope * middle_x, slope


def _weights(x: np.ndarray, y: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """Of Huber's regression: 1 near the line, less the farther away, over the noise that a level has.

    start  weights to begin with; those of least squares when not given

    Counts scatter the more the larger they are, so distances are taken over the square root of the level; what is far
    below the usual level is not trusted more for that.
    """
    base = 1 / np.maximum(x, np.median(x) / 10)
    weights = base if start is None else start
    for _ in range(30):
        intercept, slope = _line(x, y, weights)
        distance = np.abs(y - intercept - slope * x) * np.sqrt(base)
        typical = _MAD * float(np.median(distance))
        if typical <= 1e-12 * float(np.sqrt(np.median(x))):  # at least half lie on the line: those are the ones to keep
            return np.where(distance <= 1e-9 * np.sqrt(np.median(x)), base, 0.0)
        updated = base * np.minimum(1, _HUBER * typical / np.maximum(distance, typical * 1e-6))
        if np.abs(updated - weights).max() <= 1e-4 * base.max():
            break
        weights = updated
    return weights
