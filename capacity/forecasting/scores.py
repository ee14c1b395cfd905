"""How right a forecast was: pure functions of what happened and what was said. Gaps (NaN) are not scored.

`actual` is (n,) and `quantiles` (Q, n) in one unit; `levels` (Q,) belong to its rows. NaN means nothing could be
scored, never that all was well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

#: Relative difference below which two numbers are one: a load of 10 is not above a P95 of 9.999999999999998, which is
#: what logarithm and back make of it.
ROUNDING: Final = 1e-9


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
    """Mean continuous ranked probability score of sample paths (P, n), in the metric's unit: see `fair_crps`.

    >>> crps(np.array([1.0, np.nan]), np.array([[0.0, 5.0], [2.0, 5.0]]))
    0.0
    """
    seen = np.isfinite(actual)
    if not seen.any():
        return float("nan")
    return float(fair_crps(actual[seen], np.sort(paths[:, seen].T, axis=-1)).mean())


def fair_crps(actual: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """(...) continuous ranked probability score of P values each, ascending along the last axis: (..., P).

    E|X - y| - E|X - X'| / 2, where X and X' are different paths: with P (P - 1) pairs its mean does not depend on how
    many paths were drawn, so 100 paths and 1,000 can be compared. A single score can be below zero; their mean is not,
    but by luck. One path has no spread: its absolute error is given. NaN where `actual` is.

    Source: Ferro 2014, Q. J. R. Meteorol. Soc. 140 (fair scores); the sum over pairs from the order, in O(P log P), as
    in Zamo & Naveau 2018, Math. Geosci. 50. By hand: values 0 and 4, actual 1: (1 + 3) / 2 - 4 / 2.

    >>> fair_crps(np.array([1.0]), np.array([[0.0, 4.0]])).tolist()
    [0.0]
    """
    count = ordered.shape[-1]
    away = np.abs(ordered - actual[..., None]).mean(axis=-1)
    if count < 2:
        return np.asarray(away)
    weights = (2 * np.arange(1, count + 1) - count - 1) / (count * (count - 1.0))
    return np.asarray(away - ordered @ weights)


def quantiles_of(ordered: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """(Q, ...) quantiles of values that ascend along the last axis: what `numpy.quantile` gives, without sorting again.

    >>> quantiles_of(np.array([[0.0, 1.0, 5.0]]), (0.5, 0.75)).tolist()
    [[1.0], [3.0]]
    """
    place = np.asarray(levels, dtype=float) * (ordered.shape[-1] - 1)
    low = place.astype(np.int64)
    high = np.minimum(low + 1, ordered.shape[-1] - 1)
    share = (place - low).reshape(-1, *(1,) * (ordered.ndim - 1))
    below, above = np.moveaxis(ordered[..., low], -1, 0), np.moveaxis(ordered[..., high], -1, 0)
    return np.asarray(below + share * (above - below))


class Ranks(NamedTuple):
    """Where what happened lies among Q quantiles: how many are above it, and how many below; -1 where nothing was seen.

    A quantile that was met exactly is neither: with many zeros that is the rule, and a tie breaks no promise.
    """

    above: np.ndarray  # int8, shaped as what happened: quantiles that it exceeded
    below: np.ndarray  # int8: quantiles that it stayed under

    def of(self, rows: int | Sequence[int]) -> Ranks:
        """Those of some rows, or of one."""
        return Ranks(self.above[rows], self.below[rows])


def ranks(actual: np.ndarray, quantiles: np.ndarray) -> Ranks:
    """`Ranks` of (...) actuals among (Q, ...) quantiles, ascending. Differences of rounding are ties.

    >>> ranks(np.array([7.0, 5.0, np.nan]), np.array([[2.0, 2.0, 2.0], [5.0, 5.0, 5.0]]))
    Ranks(above=array([ 2,  1, -1], dtype=int8), below=array([ 0,  0, -1], dtype=int8))
    """
    seen = np.isfinite(actual)
    slack = ROUNDING * np.abs(actual)
    above = np.where(seen, (quantiles < actual - slack).sum(axis=0), -1)
    below = np.where(seen, (quantiles > actual + slack).sum(axis=0), -1)
    return Ranks(above.astype(np.int8), below.astype(np.int8))
