"""A free load test: latency of production minutes against the rate each task had, and where the SLO breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.demand.per_task.blocks import blocks_of

#: Bins of equal count that intervals are sorted into by rate per task; a bin of fewer intervals says nothing.
BINS: Final = 20
LEAST: Final = 8
#: Draws of the bootstrap over blocks of time.
DRAWS: Final = 400


@dataclass(frozen=True, eq=False)
class Curve:
    """Latency against the rate per task, never falling (isotonic), as far as it was seen.

    frame     a row a bin of intervals: `requests_per_s` (median), `latency_ms` (median, as measured),
              `isotonic_ms`, `intervals`
    crossing  requests/s per task at which it reaches the SLO; infinite if it never did; 0 if it always was above
    low, high 95 % interval of the crossing
    held      largest rate per task (median of its bin) at which the SLO held; NaN if at none
    """

    frame: pd.DataFrame
    slo_ms: float
    crossing: float
    low: float
    high: float
    held: float


def curve(rate: np.ndarray, latency_ms: np.ndarray, start: np.ndarray, slo_ms: float, *, seed: int = 0) -> Curve | None:
    """Latency against the rate, and its crossing of the SLO; None with fewer than three bins of intervals.

    rate, latency_ms  (n,) of intervals whose latency is known, saturated ones among them: they show the limit
    start             (n,) seconds since 1970

    Source: isotonic regression of binned medians, interpolated at the SLO (reference loadtest.md 8.2, 8.3); the
    interval is a bootstrap over blocks of time, widened by the distance of the two bins around the crossing.

    >>> rate = np.tile(np.linspace(10, 50, 100), 20)
    >>> found = curve(rate, 50 + rate**2 / 10, np.arange(2000) * 60.0, slo_ms=210)
    >>> round(found.crossing), found.low <= 40 <= found.high
    (40, True)
    """
    if len(rate) < 3 * LEAST or np.ptp(rate) == 0:
        return None
    edges = np.unique(np.quantile(rate, np.linspace(0, 1, min(BINS, len(rate) // LEAST) + 1)))
    if len(edges) < 4:
        return None
    which = np.clip(np.searchsorted(edges, rate, side="right") - 1, 0, len(edges) - 2)
    table = pd.DataFrame({"rate": rate, "latency": latency_ms}).groupby(which)
    middle = table.median()
    x, y, counts = middle["rate"].to_numpy(), middle["latency"].to_numpy(), table.size().to_numpy()
    if len(x) < 3:
        return None
    smooth = rising(y, counts)
    draws = _drawn(which, latency_ms, start, x, len(edges) - 1, middle.index.to_numpy(), slo_ms, seed)
    at = crossing(x, smooth, slo_ms)
    low, high = (float(np.quantile(draws, level, method="nearest")) for level in (0.025, 0.975))
    if 0 < at < np.inf:  # the step between bins is an error no draw shows
        place = int(np.searchsorted(smooth, slo_ms))
        low, high = min(low, float(x[max(0, place - 1)]), at), max(high, float(x[min(place, len(x) - 1)]), at)
    frame = pd.DataFrame({"requests_per_s": x, "latency_ms": y, "isotonic_ms": smooth, "intervals": counts})
    held = float(x[smooth <= slo_ms].max()) if (smooth <= slo_ms).any() else float("nan")
    return Curve(frame, slo_ms, at, low, high, held)


def rising(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n,) the nearest values that never fall.

    >>> rising(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4)).tolist()
    [1.0, 2.5, 2.5, 4.0]
    """
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values, weights=weights.astype(float)).x)


def crossing(x: np.ndarray, y: np.ndarray, level: float) -> float:
    """Where a curve that never falls passes a level, between the last point at or below it and the first above.

    >>> crossing(np.array([10.0, 20.0]), np.array([100.0, 200.0]), 150.0)
    15.0
    >>> crossing(np.array([10.0, 20.0]), np.array([100.0, 200.0]), 300.0)
    inf
    """
    place = int(np.searchsorted(y, level, side="right"))
    if place == len(y):
        return float("inf")
    if place == 0:
        return 0.0
    rise = y[place] - y[place - 1]
    return float(x[place - 1] + (x[place] - x[place - 1]) * (level - y[place - 1]) / rise)


def _drawn(
    which: np.ndarray,
    latency: np.ndarray,
    start: np.ndarray,
    x: np.ndarray,
    bins: int,
    there: np.ndarray,
    slo_ms: float,
    seed: int,
) -> np.ndarray:
    """(DRAWS,) crossings, of blocks of time drawn with replacement; each block has its own median in each bin."""
    block = blocks_of(start)
    count = int(block.max()) + 1
    table = pd.DataFrame({"key": block * bins + which, "latency": latency}).groupby("key")["latency"]
    medians, sizes = np.full(count * bins, np.nan), np.zeros(count * bins)
    found = table.median()
    medians[found.index.to_numpy()], sizes[found.index.to_numpy()] = found.to_numpy(), table.size().to_numpy()
    medians, sizes = medians.reshape(count, bins)[:, there], sizes.reshape(count, bins)[:, there]
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=DRAWS)
    weight = drawn @ sizes
    level = np.log(np.maximum(np.nan_to_num(medians, nan=1.0), 1e-9))
    mean = np.exp((drawn @ (sizes * level)) / np.maximum(weight, 1e-9))
    result = np.empty(DRAWS)
    for number in range(DRAWS):
        seen = weight[number] > 0
        result[number] = crossing(x[seen], rising(mean[number, seen], weight[number, seen]), slo_ms)
    return result
