"""Requests before a cache against requests behind it: what share goes through, by robust regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

#: Parts of the time that are drawn again, whole: what happens within one hangs together.
BLOCKS: Final = 20
#: Draws of the bootstrap: 2.5 % of them are 25 at each end.
DRAWS: Final = 1000
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


def passing(before: np.ndarray, behind: np.ndarray, seed: int = 0) -> Passing:
    """The line through (n,) requests/s before a cache and (n,) behind it on the same intervals, NaN where not known.

    Robust, so that minutes of a purge or an outage do not bend it (Huber 1964), and read at the `_BUSY` quantile of the
    requests before the cache: a cache with a time to live answers a larger share the busier it is. The interval is a
    bootstrap over `BLOCKS` parts of the time, each whole: neighbouring minutes are alike, and would promise too much
    one by one (Kunsch 1989).

    >>> before = np.linspace(100, 300, 500)
    >>> found = passing(before, 0.2 * before)
    >>> round(found.share, 6), round(found.low, 6), found.level
    (0.2, 0.2, 0.0)
    """
    known = np.isfinite(before) & np.isfinite(behind)
    x, y = before[known], behind[known]
    busy = float(np.quantile(x, _BUSY))
    weights = _weights(x, y)
    starts = np.linspace(0, len(x), BLOCKS + 1).astype(int)[:-1]
    blocks = np.stack([np.add.reduceat(part, starts) for part in _products(x, y, weights)], axis=1)  # (B, 5)
    drawn = blocks[np.random.default_rng(seed).integers(len(blocks), size=(DRAWS, len(blocks)))].sum(axis=1)
    intercept, slope = _line(blocks.sum(axis=0))
    intercepts, slopes = _line(drawn)
    low, high = np.quantile(intercepts / busy + slopes, (0.025, 0.975))
    certain = np.quantile(intercepts, 0.025) > 1e-9 * busy
    share = float(intercept / busy + slope)
    return Passing(share, min(float(low), share), max(float(high), share), float(intercept) if certain else 0.0, len(x))


def _line(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and slope of weighted least squares, from sums of `_products` along the last axis.

    Where all of x is the same, the line goes through zero.
    """
    w, wx, wy, wxx, wxy = np.moveaxis(sums, -1, 0)
    across = w * wxx - wx**2
    flat = across <= 1e-12 * w * wxx
    slope = np.where(flat, wy / wx, (w * wxy - wx * wy) / np.where(flat, 1, across))
    return (wy - slope * wx) / w, slope


def _products(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, ...]:
    return w, w * x, w * y, w * x * x, w * x * y


def _weights(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of Huber's regression: 1 near the line, less the farther away, over the noise that a level has.

    Counts scatter the more the larger they are, so distances are taken over the square root of the level; what is far
    below the usual level is not trusted more for that.
    """
    base = 1 / np.maximum(x, np.median(x) / 10)
    weights = base
    for _ in range(30):
        intercept, slope = _line(np.array([part.sum() for part in _products(x, y, weights)]))
        distance = np.abs(y - intercept - slope * x) * np.sqrt(base)
        typical = _MAD * float(np.median(distance))
        if typical <= 1e-12 * float(np.sqrt(np.median(x))):
            return np.where(distance <= 1e-9 * np.sqrt(np.median(x)), base, 0.0)
        updated = base * np.minimum(1, _HUBER * typical / np.maximum(distance, typical * 1e-6))
        if np.allclose(updated, weights, rtol=1e-6):
            break
        weights = updated
    return weights
