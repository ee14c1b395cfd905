"""Promised and observed: how often each quantile was passed, and how much such a share is worth.

A forecast that starts too low stays too low: hours of one window miss together, and 168 of them are not 168
observations. So a share comes with the count of independent observations it is worth, and with the bounds that follow.

    marks    (W, S, n) cutoffs, series, what was scored: intervals, days, or the whole horizon
    tally    the same, added up by window, series and group of intervals
    bounds   Clopper-Pearson with the effective count

The effective count of a series comes from how much the share above the median differs from window to window: were
all intervals independent it would hardly, were they all one it would be 0 or 1. Tails keep together less than the
middle does, so what is learnt there is on the safe side.

Checked by simulation (168 and 28 steps, 3 to 26 windows, errors from independent to one a window): a P95 that keeps its
promise is called too low in at most 3 % of cases; one that is exceeded 15 % of the time is found in 10 % of cases with
4 windows when each window is one observation, in 37 % when it is worth seven, in 97 % when hours are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from capacity.demand.demand import Key
from capacity.forecasting.backtesting.grouping import Grouping
from capacity.forecasting.backtesting.rehearsal import Window
from capacity.forecasting.scores import Ranks

#: Chance of being outside each bound, when promised and kept: one statement in twenty is wrong.
DOUBT: Final = 0.05

#: Until windows have shown otherwise, a window is one observation. That weighs as much as one window of the fleet;
#: and the fleet as much as two of the series' own, so that three windows of one service are not taken at their word.
PRIOR, BORROWED = 1.0, 2.0


class Marks(NamedTuple):
    """What happened among the quantiles of one model: W cutoffs, S series, n scored things; -1 where there is none."""

    levels: tuple[float, ...]  # (Q,) ascending
    above: np.ndarray  # (W, S, n) int8
    below: np.ndarray  # (W, S, n) int8
    groups: np.ndarray  # (W, S, n)

    @property
    def upper(self) -> np.ndarray:
        """(W, S, n) 1 above the median, 0 below it, a half on it, and where nothing was seen."""
        middle = self.levels.index(0.5)
        return ((self.above > middle) + 1.0 - (self.below >= len(self.levels) - middle)) / 2


class Tally(NamedTuple):
    """Marks added up: W cutoffs, S series, G groups, Q levels."""

    levels: tuple[float, ...]
    scored: np.ndarray  # (W, S, G) how many were seen
    above: np.ndarray  # (Q, W, S, G) how many were above the quantile
    below: np.ndarray  # (Q, W, S, G) how many were below it: ties are neither

    @property
    def upper(self) -> np.ndarray:
        """(W, S, G) how many were above the median; one on it is half of one."""
        middle = self.levels.index(0.5)
        return np.asarray((self.above[middle] + self.scored - self.below[middle]) / 2)

    def total(self, *axes: int) -> Tally:
        """Sums over cutoffs (0), series (1): those stay as axes of one."""
        scored = self.scored.sum(axis=axes, keepdims=True)
        deeper = tuple(axis + 1 for axis in axes)
        above, below = (one.sum(axis=deeper, keepdims=True) for one in (self.above, self.below))
        return Tally(self.levels, scored, above, below)

    def up_to(self) -> Tally:
        """Each group with all groups before it."""
        return Tally(self.levels, *(one.cumsum(axis=-1) for one in (self.scored, self.above, self.below)))


@dataclass(frozen=True, eq=False)
class Shares:
    """How often each quantile was passed: S series or all as one, G groups, Q levels. NaN where nothing was scored.

    above      (Q, S, G) share above the quantile
    reached    (Q, S, G) share above it or on it
    low, high  (Q, S, G) what the first is at least, and the second at most
    scored     (S, G) intervals        effective  (S, G) independent observations that they are worth
    """

    levels: tuple[float, ...]
    above: np.ndarray
    reached: np.ndarray
    low: np.ndarray
    high: np.ndarray
    scored: np.ndarray
    effective: np.ndarray


def marks(windows: Sequence[Window], keys: Sequence[Key], zones: Sequence[str], of: str, grouping: Grouping) -> Marks:
    """The windows of one model side by side, for these series: -1 where one has no part in a window."""
    width = max(getattr(window, of).above.shape[1] for window in windows)
    shape = (len(windows), len(keys), width)
    above, below = np.full(shape, -1, dtype=np.int8), np.full(shape, -1, dtype=np.int8)
    groups = np.zeros(shape, dtype=np.int64)
    place = {key: row for row, key in enumerate(keys)}
    for number, window in enumerate(windows):
        held = [row for row, key in enumerate(window.keys) if key in place]
        rows = [place[window.keys[row]] for row in held]
        found: Ranks = getattr(window, of)
        size = found.above.shape[1]
        above[number, rows, :size], below[number, rows, :size] = found.above[held], found.below[held]
        every = {"intervals": 1, "days": window.day, "horizon": len(window.times)}[of]
        groups[number, rows, :size] = grouping(window.times, [zones[row] for row in rows])[:, ::every]
    return Marks(windows[0].levels, above, below, groups)


def tally(found: Marks) -> Tally:
    """Counts by window, series and group, for each level."""
    levels, groups = len(found.levels), int(found.groups.max()) + 1
    windows, series, _ = found.above.shape
    cell = (np.arange(windows * series).reshape(windows, series, 1) * groups + found.groups).ravel()

    def counted(which: np.ndarray) -> np.ndarray:
        counts = np.bincount(cell[which.ravel()], minlength=windows * series * groups)
        return counts.reshape(windows, series, groups).astype(float)

    return Tally(
        found.levels,
        counted(found.above >= 0),
        np.stack([counted(found.above > level) for level in range(levels)]),
        np.stack([counted(found.below >= levels - level) for level in range(levels)]),
    )


def independent(tally: Tally) -> np.ndarray:
    """(S, G) how many independent observations the intervals of each series and group are worth, over all windows.

    One window is worth p (1 - p) / v: v is the variance between windows of the share above the median. It is learnt
    from the series and, as windows are few, from the fleet (BORROWED) and from caution (PRIOR). At least one a window,
    at most as many as there are intervals.

    Source of the idea: Korn & Graubard 1998, Survey Methodology 24(2), effective sample sizes of clustered shares.
    """
    windows = tally.scored > 0
    count = windows.sum(axis=0)  # (S, G)
    share = np.divide(tally.upper, tally.scored, out=np.zeros_like(tally.scored), where=windows)
    mean = share.sum(axis=0) / np.maximum(count, 1)
    squares = np.where(windows, (share - mean) ** 2, 0.0).sum(axis=0)
    freedom = np.maximum(count - 1, 0)
    fleet = (squares.sum(axis=0) + PRIOR * 0.25) / (freedom.sum(axis=0) + PRIOR)  # (G,)
    variance = (squares + BORROWED * fleet) / (freedom + BORROWED)
    middle = (share.sum(axis=0) + PRIOR * 0.5) / (count + PRIOR)
    each = np.clip(middle * (1 - middle) / variance, 1.0, None)
    return np.asarray(np.minimum(count * each, tally.scored.sum(axis=0)))


def together(found: Marks) -> float:
    """How many series count as one, from 1 to all: those that miss in the same interval say the same.

    The variance of the sum over series of what was above the median, over the sum of their variances.
    """
    seen, upper = found.above >= 0, found.upper
    counts = np.maximum(seen.sum(axis=(0, 2)), 1)
    share = np.where(seen, upper, 0.0).sum(axis=(0, 2)) / counts
    away = np.where(seen, upper - share[None, :, None], 0.0)
    alone = float((away**2).sum())
    return max(1.0, float((away.sum(axis=1) ** 2).sum()) / alone) if alone > 0 else float(seen.shape[1])


def shares_of_each(counts: Tally, doubt: float = DOUBT) -> Shares:
    """Shares of every series: (Q, S, G)."""
    return shares(counts.total(0), independent(counts), doubt)


def shares_of_all(counts: Tally, alike: float) -> Shares:
    """Shares of all series together: (Q, 1, G). `alike` is what `together` says."""
    return shares(counts.total(0, 1), independent(counts).sum(axis=0, keepdims=True) / alike)


def shares(summed: Tally, effective: np.ndarray, doubt: float = DOUBT) -> Shares:
    """Shares with bounds, from sums over windows and how many observations they are worth, (S, G)."""
    scored = summed.scored[0]
    enough = np.where(scored > 0, scored, np.nan)
    above, reached = summed.above[:, 0] / enough, 1 - summed.below[:, 0] / enough
    low, high = bounds(above, reached, effective, doubt)
    return Shares(summed.levels, above, reached, low, high, scored, effective)


def bounds(
    above: np.ndarray, reached: np.ndarray, effective: np.ndarray, doubt: float = DOUBT
) -> tuple[np.ndarray, np.ndarray]:
    """What a share is at least and at most, each wrong with chance `doubt`: Clopper-Pearson; NaN where unknown.

    Source: Clopper & Pearson 1934, Biometrika 26(4); with fractional counts, Korn & Graubard 1998. By hand: nothing in
    10 may be up to 26 %, for 0.74^10 is 0.05.

    >>> low, high = bounds(np.array(0.0), np.array(0.0), np.array(10.0))
    >>> float(low), round(float(high), 3)
    (0.0, 0.259)
    """
    from scipy.special import betaincinv

    known = np.isfinite(above) & (effective > 0)
    count = np.where(known, effective, 1.0)
    hits, most = np.where(known, above * count, 0.0), np.where(known, reached * count, 1.0)
    low = np.where(hits > 1e-9, betaincinv(np.maximum(hits, 1e-9), count - hits + 1, doubt), 0.0)
    high = np.where(most < count - 1e-9, betaincinv(most + 1, np.maximum(count - most, 1e-9), 1 - doubt), 1.0)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)
