"""What a request costs: a robust line of vCPU (or GiB) of one task on its rate, with an interval one can believe.

Users move the rate, and so does the autoscaler, which answers dear minutes with more tasks: rate and cost are then
tied, and a plain regression reads too low a cost (by 4-12 % on the sample fleet). So the rate is compared only while
the number of tasks stays (`STRETCH`), where nothing but users can have moved it; of coarse data, between the hours of
the day. Errors in the rate lower what is read as well. Of several such readings that are precise enough the largest
stands, since every bias there is goes the other way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

#: Longest stretch of a constant task count that is looked at as one: the count's end depends on what went before it.
STRETCH: Final = 30 * 60  # seconds
#: Stretches with fewer rows than this say little about a slope.
LEAST_ROWS: Final = 6
#: Huber's constant: 95 % as good as least squares where noise is normal (Huber 1964).
HUBER: Final = 1.345
#: Half width of a slope's 95 % interval, over the slope, up to which it may stand for itself.
PRECISE: Final = 0.15
#: Blocks of time that errors are taken as independent between: a day, or a twelfth of the time where that is short.
BLOCK: Final = 86_400  # seconds
BLOCKS: Final = 12
#: A cost at high load this much above that at low load, and this many standard errors, is an upward bend.
BEND: Final = (0.25, 4.0)


@dataclass(frozen=True)
class Line:
    """y = base + slope * x, robust. All values are in the units of y and x.

    `slope_error` and `level_error` are standard errors, from blocks of time: of the slope, and of the height of the
    line at `centre`, the median x. `bend`: slope in the upper half of x over that in the lower half, less one; NaN
    where it is not known.
    """

    base: float
    slope: float
    slope_error: float
    level_error: float
    centre: float
    rows: int
    blocks: int
    bend: float = float("nan")
    bend_error: float = float("nan")
    steep: float = float("nan")  # slope in the upper half of x
    how: str = ""

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the slope, not below zero."""
        half = student(self.blocks) * self.slope_error
        return max(0.0, self.slope - half), self.slope + half

    @property
    def base_interval(self) -> tuple[float, float]:
        """95 % interval of the base, not below zero."""
        half = student(self.blocks) * float(np.hypot(self.level_error, self.centre * self.slope_error))
        return max(0.0, self.base - half), self.base + half

    @property
    def bends_up(self) -> bool:
        """Whether high load is dearer than low load, plainly: contention."""
        return bool(self.bend > BEND[0] and self.bend > BEND[1] * self.bend_error)

    def reaches(self, level: float) -> tuple[float, float, float]:
        """(x, low, high): where the line reaches `level`, with a 95 % interval; infinite where it never does."""
        slope = self.steep if self.bends_up and level > self.base + self.slope * self.centre else self.slope
        if slope <= 0:
            return float("inf"), float("inf"), float("inf")
        x = self.centre + (level - self.base - self.slope * self.centre) / slope
        error = float(np.hypot(self.level_error, (x - self.centre) * self.slope_error)) / slope
        half = student(self.blocks) * error
        return x, x - half, x + half


def line(
    x: np.ndarray, y: np.ndarray, start: np.ndarray, seconds: np.ndarray, stretch: np.ndarray | None = None
) -> Line | None:
    """The line through what one task did; None where it cannot be told (too few rows, or a rate that never moves).

    x, y     (n,) rate per task, and vCPU or GiB of it
    start    (n,) seconds since 1970, sorted
    seconds  (n,) length of each interval: an hour weighs as much as its sixty minutes
    stretch  (n,) number of the stretch of constant task count each row is in; None: the count never changed

    >>> x = np.tile([10.0, 20.0, 30.0, 25.0], 60)
    >>> found = line(x, 0.1 + 0.02 * x, 60.0 * np.arange(240), np.full(240, 60.0))
    >>> round(found.base, 6), round(found.slope, 6)
    (0.1, 0.02)
    """
    if len(x) < 4 * LEAST_ROWS or np.ptp(x) <= 1e-9 * np.abs(x).max():
        return None
    block = blocks_of(start)
    weight = np.sqrt(seconds / seconds.max())
    fits = []
    if stretch is not None:
        keep, group = _long_enough(stretch)
        if keep.sum() >= 4 * LEAST_ROWS:
            fits.append(
                ("while the number of tasks stayed", *_slope(x[keep], y[keep], weight[keep], group[keep], block[keep]))
            )
        hour = (start % 86_400 // 3600).astype(np.int64)
        if block[-1] >= BLOCKS and len(np.unique(hour)) >= 12:
            fits.append(("between the hours of the day", *_slope(x, y, weight, None, block, by=hour)))
    fits.append(("over all intervals", *_slope(x, y, weight, None, block)))
    fits = [fit for fit in fits if np.isfinite(fit[1]) and np.isfinite(fit[2])]
    if not fits:
        return None
    how, slope, error = _chosen(fits, student(int(block[-1]) + 1))
    return _through(x, y, start, seconds, block, max(slope, 0.0), error, how)


def _chosen(fits: list[tuple[str, float, float]], half: float) -> tuple[str, float, float]:
    """The first of the precise readings, unless a later one is plainly larger; the most precise where none is.

    fits  (how, slope, standard error), the least biased first      half  width of a 95 % interval in standard errors
    """
    fine = [fit for fit in fits if fit[1] > 0 and half * fit[2] <= PRECISE * fit[1]]
    if not fine:
        return min(fits, key=lambda fit: fit[2])
    best = fine[0]
    for fit in fine[1:]:
        best = fit if fit[1] - best[1] > 2 * float(np.hypot(fit[2], best[2])) else best
    return best


def _through(
    x: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    seconds: np.ndarray,
    block: np.ndarray,
    slope: float,
    error: float,
    how: str,
) -> Line:
    """The line of this slope through the middle of the data; through nothing below zero."""
    rest = y - slope * x
    base, centre = weighted_median(rest, seconds), weighted_median(x, seconds)
    if base < 0 and (x > 0).any():  # no task uses less than nothing: the line goes through zero
        base, slope = 0.0, weighted_median(y[x > 0] / x[x > 0], seconds[x > 0])
    counts = np.bincount(block)
    means = np.bincount(block, y - base - slope * x)[counts > 0] / counts[counts > 0]
    level = float(np.std(means, ddof=1) / np.sqrt(len(means))) if len(means) > 1 else float("nan")
    bend, bend_error, steep = _bend(x, y, np.sqrt(seconds / seconds.max()), block, slope)
    return Line(base, slope, error, level, centre, len(x), len(means), bend, bend_error, steep, how)


def _bend(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, block: np.ndarray, slope: float
) -> tuple[float, float, float]:
    """(bend, its standard error, slope of the upper half)."""
    low, high = x <= np.median(x), x >= np.median(x)
    if min(low.sum(), high.sum()) < 8 * LEAST_ROWS or slope <= 0:
        return float("nan"), float("nan"), float("nan")
    (b1, e1), (b2, e2) = (_slope(x[part], y[part], weight[part], None, block[part]) for part in (low, high))
    if not np.isfinite([b1, b2, e1, e2]).all():
        return float("nan"), float("nan"), float("nan")
    return (b2 - b1) / slope, float(np.hypot(e1, e2)) / slope, max(b2, slope)


def _slope(
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    group: np.ndarray | None,
    block: np.ndarray,
    *,
    by: np.ndarray | None = None,
) -> tuple[float, float]:
    """(slope, standard error): Huber's, within the groups; `by`: only what moves with these bins moves x (2SLS).

    Errors are relative to the height of y, as costs vary; the standard error is that of sums over blocks of time
    (Liang and Zeger 1986), so that minutes that resemble each other do not pass for many.
    """
    group = np.zeros(len(x), dtype=np.int64) if group is None else group
    size = np.abs(y).mean() / np.maximum(np.abs(y), 0.25 * np.abs(y).mean() + 1e-300)
    base = weight * np.minimum(size, 4.0) ** 2
    w = base.copy()
    slope = error = float("nan")
    for _ in range(6):
        total = np.bincount(group, w)
        dx = x - (np.bincount(group, w * x) / np.maximum(total, 1e-300))[group]
        dy = y - (np.bincount(group, w * y) / np.maximum(total, 1e-300))[group]
        signal = dx
        if by is not None:
            bins = np.bincount(by, w)
            signal = (np.bincount(by, w * dx) / np.maximum(bins, 1e-300))[by]
        moved = float((w * signal * dx).sum())
        if moved <= 0:
            return float("nan"), float("nan")
        slope = float((w * signal * dy).sum()) / moved
        rest = dy - slope * dx
        scores = np.bincount(block, w * signal * rest)
        used = np.unique(block)
        error = float(np.sqrt((scores**2).sum() * len(used) / max(1, len(used) - 1))) / moved
        relative = rest * np.sqrt(np.minimum(size, 4.0) ** 2)
        scale = 1.4826 * float(np.median(np.abs(relative)))
        if scale <= 1e-12 * np.abs(y).max():
            break
        w = base * np.minimum(1.0, HUBER * scale / np.maximum(np.abs(relative), 1e-300))
    return slope, error


def _long_enough(stretch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) rows of stretches that are long enough, and their numbers."""
    _, group, counts = np.unique(stretch, return_inverse=True, return_counts=True)
    return counts[group] >= LEAST_ROWS, group


def stretches(start: np.ndarray, seconds: np.ndarray, tasks: np.ndarray) -> np.ndarray:
    """(n,) number of the stretch of constant task count that each row is in, each at most STRETCH long.

    >>> stretches(60.0 * np.arange(6), np.full(6, 60.0), np.array([4.0, 4, 4, 5, 5, 4])).tolist()
    [0, 0, 0, 1, 1, 2]
    """
    gap = np.diff(start) > 1.5 * seconds[:-1] + 240  # rows left out around a change of the count do not end anything
    moved = np.abs(np.diff(tasks)) > 0.005 * np.maximum(tasks[:-1], 1)
    run = np.concatenate([[0], np.cumsum(gap | moved)])
    first = np.concatenate([[True], np.diff(run) > 0])
    began = start[np.flatnonzero(first)][run]
    piece = ((start - began) // STRETCH).astype(np.int64)
    new = np.concatenate([[0], np.cumsum((np.diff(run) > 0) | (np.diff(piece) != 0))])
    return np.asarray(new)


def blocks_of(start: np.ndarray) -> np.ndarray:
    """(n,) number of the block of time each row is in, from zero."""
    length = min(float(BLOCK), max(1800.0, (start[-1] - start[0]) / BLOCKS))
    return np.unique(((start - start[0]) // length).astype(np.int64), return_inverse=True)[1]


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """The value with half of the weight at or below it.

    >>> weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0]))
    2.0
    """
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order[int(np.searchsorted(total, total[-1] / 2))]])


def student(blocks: int) -> float:
    """Half width of a 95 % interval in standard errors that come from so many blocks; infinite below three.

    >>> round(student(12), 2), round(student(10_000), 2)
    (2.23, 1.96)
    """
    from scipy.special import stdtrit

    return float(stdtrit(blocks - 2, 0.975)) if blocks > 2 else float("inf")
