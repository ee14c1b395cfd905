"""What one task carries, from the cost of a request and, where it was measured, from latency against the rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from capacity.demand.per_task.costing import Line
from capacity.demand.per_task.latency import Curve

#: Nothing seen vouches for more than this times the highest rate that a task had while the SLO held
#: (reference loadtest.md 8.3).
FARTHEST: Final = 1.5
#: The highest rate a task had: this quantile of its rates, since one minute proves nothing.
HIGHEST: Final = 0.99
#: Intervals of full use that are needed to read a ceiling from them.
LEAST_FULL: Final = 5
#: Full use that the requests explain to this share, at least, is a ceiling of requests. Of less, something else filled
#: the task: a batch, a neighbour, a collector of garbage.
EXPLAINED: Final = 0.8


@dataclass(frozen=True)
class Carried:
    """Requests/s of one task, with a 95 % interval, and how it is known. `at_least`: the truth may be more."""

    rate: float
    low: float
    high: float
    at_least: bool
    how: str


def ceiling(full: np.ndarray, cost: Line | None, size: float) -> float:
    """Requests/s that a task which could do no more had: no task carries more. Infinite where too few were seen.

    full  (n,) requests/s of a task in intervals of full use      cost  of a request      size  vCPU of a task

    >>> ceiling(np.array([50.0, 52, 51, 49, 50, 51]), None, 1.0), ceiling(np.array([50.0]), None, 1.0)
    (50.5, inf)
    """
    full = full[np.isfinite(full)]
    if cost is not None:
        full = full[cost.base + cost.slope * full >= EXPLAINED * size]
    return float(np.median(full)) if len(full) >= LEAST_FULL else float("inf")


def carried(rates: np.ndarray, cost: Line | None, curve: Curve | None, full: float, *, level: float) -> Carried | None:
    """What one task carries; None where nothing tells.

    rates  (n,) requests/s per task of the usable intervals      cost   the line of vCPU on rate
    curve  latency against the rate, where both are known         full   requests/s of a task that could do no more
    level  vCPU in use up to which a task may go

    Latency decides where it was seen to break the SLO. Where it never did, the highest rate seen is a lower bound, and
    the cost of a request says how much more it might be. Without latency the cost alone says it: an extrapolation.
    Never above FARTHEST times what was seen, nor above what a full task had.
    """
    highest = float(np.quantile(rates, HIGHEST)) if len(rates) else float("nan")
    by_cost = _by_cost(cost, highest, full, level)
    if curve is None:
        return by_cost
    if curve.crossing == 0:
        first = float(curve.frame["requests_per_s"].iloc[0])
        return _bounded(first, 0.5 * first, first, False, "latency was above the SLO at every rate seen: less", full)
    if np.isfinite(curve.crossing):
        high = curve.high if np.isfinite(curve.high) else FARTHEST * curve.held
        return _bounded(curve.crossing, curve.low, high, False, "latency crosses the SLO", full)
    seen = max(curve.held, highest) if np.isfinite(curve.held) else highest
    most = max(seen, by_cost.rate) if by_cost is not None else FARTHEST * seen
    return _bounded(seen, seen, most, True, "the SLO held at every rate seen: at least", full)


def _by_cost(cost: Line | None, highest: float, full: float, level: float) -> Carried | None:
    if cost is None or not np.isfinite(highest):
        return None
    rate, low, high = cost.reaches(level)
    if not np.isfinite(rate) or rate <= 0:
        return None
    most = FARTHEST * highest
    if rate > most:
        how = f"extrapolated by CPU, cut at {FARTHEST:g} x the highest rate seen"
        return _bounded(most, min(low, most), min(high, most), True, how, full)
    return _bounded(rate, low, high, False, "extrapolated by CPU", full)


def _bounded(rate: float, low: float, high: float, at_least: bool, how: str, full: float) -> Carried:
    """Within what a full task had, and in order."""
    if rate > full:
        return Carried(full, min(low, full) if low > 0 else 0.5 * full, full, False, f"{how}; a full task had no more")
    low = low if np.isfinite(low) and low > 0 else 0.5 * rate
    return Carried(
        rate, min(low, rate), max(rate, min(high, full)) if np.isfinite(high) else rate * FARTHEST, at_least, how
    )
