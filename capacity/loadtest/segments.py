"""Where a load changed: the stretches of time in which it was level, and those in which it rose or fell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

#: Points after which neighbours are taken together: the search compares every pair of them.
MOST_POINTS: Final = 1_500

#: Fewest points of a segment: two lines of fewer cannot be told from noise.
SHORTEST: Final = 5

#: A segment whose line changes by more than this share of its mean is a ramp.
RAMP: Final = 0.15

#: Neighbours whose levels differ by less than this share are one: generators wander by as much, and plans do not ask
#: for steps that small without naming them.
SAME: Final = 0.07

#: Of a normal distribution: standard deviation over median absolute deviation.
_MAD: Final = 1.4826

#: Of the absolute value of a standard normal: its lower quartile.
_QUARTILE: Final = 0.3186

#: Means from which wandering is estimated.
_FEW_BLOCKS: Final = 12

#: What a further segment has to save, over what the Bayesian information criterion asks: arrivals are autocorrelated,
#: for which independent noise is too hopeful.
_CAUTION: Final = 1.5

#: What a segment that rises or falls costs, in level ones: four levels in a row are rather a staircase than a ramp.
_SLOPE: Final = 4.0


@dataclass(frozen=True)
class Segment:
    """Points begin to end - 1. `ramp`: the load rose or fell all the way."""

    begin: int
    end: int
    ramp: bool


def segments(signals: Sequence[np.ndarray]) -> list[Segment]:
    """Cut signals of one test, each (n,) and at least 0, where any of them changes level or slope.

    The signals are rates, of counts or users; NaN is not allowed. A segment is level in all signals, or has a straight
    line in each; the number of segments is the one that pays for itself (penalised least squares, solved exactly).
    Source: optimal partitioning, Jackson et al. (2005); noise by the median of second differences, which neither
    ramps nor steps disturb.

    >>> load = np.repeat([40.0, 80.0], 20)
    >>> [(part.begin, part.end, part.ramp) for part in segments([load])]
    [(0, 20, False), (20, 40, False)]
    >>> [part.ramp for part in segments([np.linspace(10, 200, 60)])]
    [True]
    """
    n = len(signals[0])
    together = -(-n // MOST_POINTS)
    points = -(-n // together)
    if points < 2 * SHORTEST:
        whole = [Segment(0, n, False)]
        return whole if n < SHORTEST else _classified(whole, signals)
    starts = np.arange(0, n, together)
    lengths = np.diff(np.append(starts, n))
    found = _partition(*zip(*(_calm(np.add.reduceat(signal, starts) / lengths) for signal in signals), strict=True))
    parts = [Segment(int(starts[low]), int(n if high == points else starts[high]), False) for low, high in found]
    return _joined(_classified(parts, signals), signals)


def _calm(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The signal with single outliers taken in, and the weight of each point: one over its variance.

    Counts vary with the root of their size; how much more or less than that, the signal tells itself.
    """
    root = 2 * np.sqrt(signal + 3 / 8)  # Anscombe (1948): of a Poisson count, this has a deviation of 1
    padded = np.pad(root, 2, mode="reflect")  # the first and last second are often cut: outliers as well
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    noise = max(_noise(root), 0.01 * float(np.median(root)), 0.05)  # a metronome has none: 2 % of its rate is a level
    outlier = np.abs(root - middle) > 5 * noise
    wander = max(noise, _wandering(np.where(outlier, middle, root)))
    return np.where(outlier, middle**2 / 4 - 3 / 8, signal), 4 / (wander * middle) ** 2


def _noise(values: np.ndarray) -> float:
    """Standard deviation from point to point, by the median of second differences: neither steps nor ramps count."""
    bends = values[2:] - 2 * values[1:-1] + values[:-2]
    return _MAD * float(np.median(np.abs(bends - np.median(bends)))) / np.sqrt(6)


def _wandering(values: np.ndarray) -> float:
    """The deviation of independent points that would move means of SHORTEST points as these are moved.

    By the lower quartile of what lies between neighbouring means: steps may part every other pair of them.
    """
    blocks = len(values) // SHORTEST
    means = values[: blocks * SHORTEST].reshape(blocks, SHORTEST).mean(axis=1)
    quartile = float(np.quantile(np.abs(np.diff(means)), 0.25)) if blocks > _FEW_BLOCKS else 0.0
    return quartile / _QUARTILE / np.sqrt(2 / SHORTEST)


def _partition(signals: Sequence[np.ndarray], weights: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """The cheapest cut of k signals of n points into levels and straight lines, as pairs of begin and end."""
    y, w = np.array(signals), np.array(weights)
    k, n = y.shape
    penalty = _CAUTION * (k + 1) * np.log(n)
    x = np.arange(n) - n / 2
    moments = np.array([w, w * x, w * x * x, w * y, w * x * y, w * y * y])
    sums = np.concatenate([np.zeros((6, k, 1)), np.cumsum(moments, axis=2)], axis=2)
    best = np.zeros(n + 1)
    best[1:] = np.inf
    cut = np.zeros(n + 1, dtype=np.int64)
    for end in range(SHORTEST, n + 1):
        s, sx, sxx, sy, sxy, syy = sums[:, :, end, None] - sums[:, :, : end - SHORTEST + 1]
        level = syy - sy * sy / s
        line = level - (sxy - sx * sy / s) ** 2 / (sxx - sx * sx / s)
        value = best[: end - SHORTEST + 1] + np.minimum(
            level.sum(axis=0) + penalty, line.sum(axis=0) + _SLOPE * penalty
        )
        cut[end] = np.argmin(value)
        best[end] = value[cut[end]]
    found, end = [], n
    while end > 0:
        found.append((int(cut[end]), end))
        end = int(cut[end])
    return found[::-1]


def _classified(parts: Sequence[Segment], signals: Sequence[np.ndarray]) -> list[Segment]:
    return [
        Segment(part.begin, part.end, any(_ramps(signal[part.begin : part.end]) for signal in signals))
        for part in parts
    ]


def _ramps(values: np.ndarray) -> bool:
    """Whether a line through the values rises or falls by more than RAMP of their mean, and more than noise would."""
    n = len(values)
    if n < 3 or not values.any():
        return False
    places = np.arange(n) - (n - 1) / 2
    slope = float(places @ values / (places @ places))
    rest = values - values.mean() - slope * places
    error = np.sqrt(float(rest @ rest) / (n - 2) / float(places @ places))
    return abs(slope) * n > RAMP * float(values.mean()) and abs(slope) > 3 * error


def _joined(parts: Sequence[Segment], signals: Sequence[np.ndarray]) -> list[Segment]:
    """Level neighbours of the same level as one, and ramps that go on in the same direction."""
    kept = [parts[0]]
    for part in parts[1:]:
        last = kept[-1]
        pairs = [(signal[last.begin : last.end], signal[part.begin : part.end]) for signal in signals]
        level = not last.ramp and not part.ramp and all(_same(*pair) for pair in pairs)
        onward = last.ramp and part.ramp and all(_rises(one) == _rises(other) for one, other in pairs)
        if level or onward:
            kept[-1] = Segment(last.begin, part.end, part.ramp)
        else:
            kept.append(part)
    return kept


def _rises(values: np.ndarray) -> bool:
    places = np.arange(len(values)) - (len(values) - 1) / 2
    return bool(places @ values > 0)


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    low, high = sorted((float(np.mean(one)), float(np.mean(other))))
    return high - low <= SAME * high
