"""What a request costs: a robust line of vCPU (or GiB) of one task on its rate, with an interval one can believe.

Users move the rate, and so does the autoscaler, which answers dear minutes with more tasks: dear minutes then have low
rates, and a plain regression reads too low a cost, by a tenth to a half where tasks track a target well. Errors in the
rate lower it too. So minutes are compared only while the number of tasks stays (`stretches`), where nothing but users
moves the rate. Where that is not precise, or data are coarser, all intervals are compared, and the cost is raised by
the most that both could have taken away (`_raised`): by the variance of the cost over that of the rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from capacity.demand.per_task.blocks import blocks_of, student, weighted_median

#: Longest interval (seconds) whose task count can be said to have stayed.
FINE: Final = 60
#: Standard error, over the slope, that no stretch shows: its end depends on what went before it. On simulated services
#: whose cost wanders by 3-10 % slopes come out 0-4 % low (`benchmarks/per_task.py`).
UNSEEN: Final = 0.015
#: Stretches with fewer rows than this say little about a slope.
LEAST_ROWS: Final = 4
#: Huber's constant: 95 % as good as least squares where noise is normal (Huber 1964).
HUBER: Final = 1.345
#: Rounds of reweighting: from the fourth on slopes move by less than a thousandth of their interval.
ROUNDS: Final = 5
#: Half width of a slope's 95 % interval, over the slope, up to which it may stand for itself.
PRECISE: Final = 0.15
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
    def precise(self) -> bool:
        """Whether the slope is known to within PRECISE of itself."""
        return bool(self.slope > 0 and student(self.blocks) * self.slope_error <= PRECISE * self.slope)

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
    x: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    seconds: np.ndarray,
    stretch: np.ndarray | None = None,
    *,
    bends: bool = True,
) -> Line | None:
    """The line through what one task did; None where it cannot be told (too few rows, or a rate that never moves).

    x, y     (n,) rate per task, and vCPU or GiB of it
    start    (n,) seconds since 1970, sorted
    seconds  (n,) length of each interval: an hour weighs as much as its sixty minutes
    stretch  (n,) number of the stretch of constant task count each row is in; None: the count never changed
    bends    whether to look for an upward bend, which takes as long as the line itself

    >>> x = np.tile([10.0, 20.0, 30.0, 25.0], 60)
    >>> found = line(x, 0.1 + 0.02 * x, 60.0 * np.arange(240), np.full(240, 60.0))
    >>> round(found.base, 6), round(found.slope, 6)
    (0.1, 0.02)
    """
    if len(x) < 4 * LEAST_ROWS or np.ptp(x) <= 1e-9 * np.abs(x).max():
        return None
    block = blocks_of(start)
    weight = np.sqrt(seconds / seconds.max())
    slope = error = float("nan")
    precise, how = False, "while the number of tasks stayed"
    if stretch is not None and np.median(seconds) <= FINE:
        keep, group = _long_enough(stretch)
        if keep.sum() >= 4 * LEAST_ROWS:
            slope, doubt = _slope(x[keep], y[keep], weight[keep], group[keep], block[keep])
            precise = student(int(block[-1]) + 1) * doubt <= PRECISE * slope
            error = float(np.hypot(doubt, UNSEEN * slope))
    if not precise:
        pooled = _raised(x, y, *_slope(x, y, weight, None, block))
        if np.isfinite(pooled[0]):
            slope, error, how = *pooled, "over all intervals"
    if not np.isfinite(slope) or not np.isfinite(error):
        return None
    return _through(x, y, seconds, block, max(slope, 0.0), error, how, bends)


def through_base(
    x: np.ndarray, y: np.ndarray, start: np.ndarray, seconds: np.ndarray, base: float, doubt: float
) -> Line | None:
    """The line from a known use of an idle task through the middle of the data: for days too few to tell both.

    base, doubt  vCPU, and its standard error      None where fewer than `LEAST_ROWS` rows have a rate

    >>> x = np.array([10.0, 12.0, 11.0, 9.0, 10.0])
    >>> found = through_base(x, 0.1 + 0.02 * x, 3600.0 * np.arange(5), np.full(5, 3600.0), 0.1, 0.0)
    >>> round(found.slope, 6)
    0.02
    """
    keep = (x > 0) & (y > base)
    if keep.sum() < LEAST_ROWS:
        return None
    x, y, start, seconds = x[keep], y[keep], start[keep], seconds[keep]
    costs, block = (y - base) / x, blocks_of(start)
    slope, centre = weighted_median(costs, seconds), weighted_median(x, seconds)
    means = np.array([np.median(costs[block == number]) for number in range(int(block[-1]) + 1)])
    own = float(np.std(means, ddof=1) / np.sqrt(len(means))) if len(means) > 1 else float("inf")
    error = float(np.hypot(own, doubt / centre))
    return Line(base, slope, error, own * centre, centre, len(x), len(means), how="with the idle use of all weeks")


def _raised(x: np.ndarray, y: np.ndarray, slope: float, error: float) -> tuple[float, float]:
    """(slope, standard error) of a pooled fit, raised by what feedback and errors in x can have taken away.

    If y = base + c x, and x answers c (an autoscaler) or is measured with errors, then the slope of y on x falls short
    by at most var(log c) / var(log x) of itself: all of it when x is the inverse of c. A line through zero is the
    most there can be. The difference counts as an error, so that the interval holds both. Where the line leaves the
    requests hardly any work, and more of what it does leave is noise than line, nothing tells work from idling: an
    autoscaler that holds utilisation looks like that, so all of it is taken as work.
    """
    if not slope > 0:
        return slope, error
    middle = float(np.median(x))
    base = max(0.0, float(np.median(y)) - slope * middle)
    work = (y - base)[(x > 0) & (y - base > 0.2 * y)]
    rate = x[(x > 0) & (y - base > 0.2 * y)]
    most = max(slope, float(np.median(y[x > 0] / x[x > 0])))
    if len(work) < max(4 * LEAST_ROWS, len(x) / 2):
        rest = y - slope * x
        raised = most if np.var(rest) > np.var(slope * x) else slope
        return raised, float(np.hypot(error, (raised - slope) / 1.5))
    moves = np.log(rate)
    costs = np.log(work / rate)
    spread = (1.4826 * float(np.median(np.abs(costs - np.median(costs))))) ** 2
    share = spread / max(float(np.var(np.clip(moves, *np.quantile(moves, [0.01, 0.99])))), 1e-12)
    raised = min(slope * (1 + share), most)
    return raised, float(np.hypot(error, (raised - slope) / 1.5))


def _through(
    x: np.ndarray,
    y: np.ndarray,
    seconds: np.ndarray,
    block: np.ndarray,
    slope: float,
    error: float,
    how: str,
    bends: bool,
) -> Line:
    """The line of this slope through the middle of the data; through nothing below zero."""
    rest = y - slope * x
    base, centre = weighted_median(rest, seconds), weighted_median(x, seconds)
    if base < 0 and (x > 0).any():  # no task uses less than nothing: the line goes through zero
        base, slope = 0.0, weighted_median(y[x > 0] / x[x > 0], seconds[x > 0])
    counts = np.bincount(block)
    means = np.bincount(block, y - base - slope * x)[counts > 0] / counts[counts > 0]
    level = float(np.std(means, ddof=1) / np.sqrt(len(means))) if len(means) > 1 else float("nan")
    found = Line(base, slope, error, level, centre, len(x), len(means), how=how)
    if not bends:
        return found
    bend, bend_error, steep = _bend(x, y, np.sqrt(seconds / seconds.max()), block, slope)
    return replace(found, bend=bend, bend_error=bend_error, steep=steep)


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
) -> tuple[float, float]:
    """(slope, standard error): Huber's, within the groups.

    Errors are relative to the height of the line, as costs vary; the standard error is that of sums over blocks of
    time (Liang and Zeger 1986), each as if it had been left out (Bell and McCaffrey 2002), so that minutes that
    resemble each other do not pass for many.
    """
    group = np.zeros(len(x), dtype=np.int64) if group is None else group
    usual = float(np.abs(y).mean())
    used = int((np.bincount(block) > 0).sum())
    w = weight
    slope = error = float("nan")
    for _ in range(ROUNDS):
        total = np.maximum(np.bincount(group, w), 1e-300)
        level = (np.bincount(group, w * y) / total)[group]
        dx = x - (np.bincount(group, w * x) / total)[group]
        moved = float((w * dx * dx).sum())
        if moved <= 0:
            return float("nan"), float("nan")
        slope = float((w * dx * (y - level)).sum()) / moved
        rest = y - level - slope * dx
        held = np.minimum(np.bincount(block, w * dx * dx) / moved, 0.9)  # what a block has to say in the slope
        scores = np.bincount(block, w * dx * rest) / (1 - held)
        error = float(np.sqrt((scores**2).sum() * used / max(1, used - 2))) / moved
        size = usual / np.clip(np.abs(level + slope * dx), 0.25 * usual, None)
        relative = np.abs(rest * size)
        scale = 1.4826 * float(np.median(relative))
        if scale <= 1e-12 * usual:
            break
        w = weight * size**2 * np.minimum(1.0, HUBER * scale / np.maximum(relative, 1e-300))
    telling = 1 / float((held**2).sum())  # as many blocks of equal weight as these come to
    return slope, error * student(max(3, round(telling))) / student(max(3, used))


def _long_enough(stretch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) rows of stretches that are long enough, and their numbers."""
    group = np.cumsum(np.diff(stretch, prepend=stretch[0]) != 0)
    return np.bincount(group)[group] >= LEAST_ROWS, group
