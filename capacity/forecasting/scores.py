"""How right a forecast was: pure functions of what happened and what was said. Gaps (NaN) are not scored.

`actual` is (n,) and `quantiles` (Q, n) in one unit; `levels` (Q,) belong to its rows. NaN means nothing could be
scored, never that all was well.
"""

from __future__ import annotations

import numpy as np


def pinball(actual: np.ndarray, quantile: np.ndarray, level: float) -> np.ndarray:
    """(n,) loss of one quantile: `level` per unit too low, 1 - `level` per unit too high.

    Source: Koenker & Bassett 1978, Econometrica 46(1). By hand: actual 10, P90 8: 0.9 x 2; P90 13: 0.1 x 3.

    >>> pinball(np.array([10.0, 10.0]), np.array([8.0, 13.0]), 0.9).round(6).tolist()
    [1.8, 0.3]
    """
    miss = actual - quantile
    return np.asarray(np.maximum(level * miss, (level - 1) * miss))


def wql(actual: np.ndarray, quantiles: np.ndarray, levels: tuple[float, ...]) -> float:
    """Weighted quantile loss: 2 x sum of pinball over levels and intervals / (levels x sum of |actual|).

    NaN where actuals sum to zero. By hand: for the median alone |10 - 8| / 10; for two levels 2 x (1 + 0.3) / (2 x 10).

    >>> wql(np.array([10.0]), np.array([[8.0]]), (0.5,))
    0.2
    >>> wql(np.array([10.0, np.nan]), np.array([[8.0, 1.0], [13.0, 1.0]]), (0.5, 0.9)).__round__(9)
    0.13
    """
    seen = np.isfinite(actual)
    size = np.abs(actual[seen]).sum()
    loss = sum(pinball(actual[seen], row[seen], level).sum() for row, level in zip(quantiles, levels, strict=True))
    return float(2 * loss / (len(levels) * size)) if size > 0 else float("nan")


def mase(actual: np.ndarray, median: np.ndarray, past: np.ndarray, season: int) -> float:
    """Mean absolute error over that of repeating the last season inside the past.

    Source: Hyndman & Koehler 2006, Int. J. Forecasting 22(4). By hand: the past misses by 1, 1; we by 2 and 4.

    >>> mase(np.array([5.0, 7.0]), np.array([3.0, 3.0]), np.array([1.0, 2.0, 3.0]), season=1)
    3.0
    """
    naive = np.abs(past[season:] - past[: len(past) - min(season, len(past))])
    scale = float(naive[np.isfinite(naive)].mean()) if np.isfinite(naive).any() else float("nan")
    error = np.abs(actual - median)
    error = error[np.isfinite(error)]
    return float(error.mean() / scale) if len(error) and scale > 0 else float("nan")


def coverage(actual: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Share of actuals inside [low, high]; both ends count.

    >>> coverage(np.array([1.0, 5.0, np.nan, 9.0]), np.full(4, 2.0), np.full(4, 9.0)).__round__(3)
    0.667
    """
    seen = np.isfinite(actual)
    return float(((actual >= low) & (actual <= high))[seen].mean()) if seen.any() else float("nan")


def exceeded(actual: np.ndarray, high: np.ndarray) -> float:
    """Share of actuals above a quantile; 0.05 is right for the 95 % quantile.

    >>> exceeded(np.array([1.0, 2.0, 3.0, np.nan]), np.array([2.0, 2.0, 2.0, 0.0])).__round__(3)
    0.333
    """
    seen = np.isfinite(actual)
    return float((actual > high)[seen].mean()) if seen.any() else float("nan")


def bias(actual: np.ndarray, median: np.ndarray) -> float:
    """Sum of (median - actual) over sum of |actual|: forecast 12, actual 10 gives +0.2.

    >>> bias(np.array([10.0, np.nan]), np.array([12.0, 5.0]))
    0.2
    """
    seen = np.isfinite(actual)
    size = np.abs(actual[seen]).sum()
    return float((median - actual)[seen].sum() / size) if size > 0 else float("nan")


def peak_ratio(actual: np.ndarray, paths: np.ndarray, level: float = 0.95) -> float:
    """Largest actual over the quantile of the paths' maxima; above 1 the peak was planned too low.

    Only intervals that were seen take part, on both sides. paths is (P, n).

    >>> peak_ratio(np.array([4.0, 6.0, np.nan]), np.array([[5.0, 3.0, 99.0]]))
    1.2
    """
    seen = np.isfinite(actual)
    if not seen.any():
        return float("nan")
    planned = float(np.quantile(paths[:, seen].max(axis=1), level))
    return float(actual[seen].max() / planned) if planned > 0 else float("nan")


def crps(actual: np.ndarray, paths: np.ndarray) -> float:
    """Mean continuous ranked probability score of sample paths (P, n), in the metric's unit.

    Source: Gneiting & Raftery 2007, JASA 102(477): E|X - y| - E|X - X'| / 2. By hand: paths 0 and 2, actual 1:
    1 - (0 + 2 + 2 + 0) / 4 / 2.

    >>> crps(np.array([1.0]), np.array([[0.0], [2.0]]))
    0.5
    """
    seen = np.isfinite(actual)
    if not seen.any():
        return float("nan")
    ordered = np.sort(paths[:, seen], axis=0)
    count = len(ordered)
    weights = 2 * np.arange(1, count + 1) - count - 1
    between = (weights[:, None] * ordered).sum(axis=0) / count**2  # E|X - X'| / 2
    return float((np.abs(ordered - actual[seen]).mean(axis=0) - between).mean())
