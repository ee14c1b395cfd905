"""A past that is all at the level expected next, and futures that doubt it: shifts of level, and what only looks so.

Load that has moved to a new level makes the history before it mislead, and a holiday makes its own days mislead. By
the chance that an excursion lasts, history before it is moved to its level, and its own days are moved back by the
rest. Sample paths then stay or go back, by the same chance: the fan is wide while there is doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from capacity.forecasting.excursions import (
    BEFORE,
    BEFORE_DAILY,
    REACH,
    SCATTER_DAYS,
    believed,
    onset,
    runs,
    standing_out,
)
from capacity.forecasting.prepare import LOOK_BACK, Prepared, complete, usual_values

#: Added to demand, in units of its mean, before ratios are taken: quiet hours are not torn apart.
QUIET: Final = 0.02

#: Paths that go back do so within this many days, evenly spread: most holidays and launches are over by then.
BACK_WITHIN: Final = 1.0


class Excursion(NamedTuple):
    """One excursion of one series: intervals `start` to before `stop`.

    first   the day it began with, counted as `Shifts` counts
    sizes   (ages,) log ratio to the usual, when one, two ... days of it are known; the last stays
    shares  (ages,) chance that it lasts, likewise
    """

    row: int
    first: int
    start: int
    stop: int
    sizes: np.ndarray
    shares: np.ndarray

    def at(self, days: int) -> tuple[float, float]:
        """Size and chance of lasting as they are believed when `days` days are known."""
        if days <= self.first:
            return 0.0, 0.0
        age = min(days - self.first, len(self.sizes)) - 1
        return float(self.sizes[age]), float(self.shares[age])


@dataclass(frozen=True, eq=False)
class Shifts:
    """Excursions of S series; days have `day` intervals and are counted so that the last one ends at the end."""

    found: tuple[Excursion, ...]
    offset: np.ndarray  # (S,) of the models' scale
    length: int  # intervals of the past
    day: int
    interval_days: float

    def levelled(self, z: np.ndarray, sure: float = 0.0) -> np.ndarray:
        """(S, n) the first n intervals of the past on the models' scale, all at the level expected at interval n.

        sure  excursions that are less likely to last are left as they are
        """
        end = z.shape[1]
        days = self.length // self.day - -(-(self.length - end) // self.day)
        ratios: dict[int, np.ndarray] = {}
        for one in self.found:
            size, share = one.at(days)
            if size and share >= sure:
                ratio = ratios.setdefault(one.row, np.zeros(end))
                ratio[: one.start] += share * size
                ratio[one.start : one.stop] -= (1 - share) * size
        if not ratios:
            return z
        moved = z.copy()
        for row, ratio in ratios.items():
            moved[row] = multiplied(z[row], np.exp(ratio), self.offset[row])
        return moved

    def doubted(self, z: np.ndarray, chance: np.ndarray) -> np.ndarray:
        """(S, P, H) paths on the models' scale around the expected level: in a young excursion they stay or go back.

        chance  (P,) uniform in [0, 1): which paths stay, and when the others go back

        A series without a young excursion is left as it is; the others are changed in place.
        """
        lead = (np.arange(z.shape[2]) + 0.5) * self.interval_days
        within = BACK_WITHIN * max(1.0, self.day * self.interval_days)
        for one in self.found:
            size, share = one.at(self.length // self.day)
            if size and 0 < share < 1:
                goes = np.where(chance < share, np.inf, (chance - share) / (1 - share) * within)
                ratio = np.where(lead[None] < goes[:, None], (1 - share) * size, -share * size)
                z[one.row] = multiplied(z[one.row], np.exp(ratio), self.offset[one.row])
        return z


def multiplied(z: np.ndarray, factor: np.ndarray, offset: float) -> np.ndarray:
    """z = log(y + offset) of `factor` times the demand y: not a constant more, as it would be without the offset.

    >>> multiplied(np.log(np.array([0.3, 2.3])), np.array([2.0, 2.0]), 0.3).round(3).tolist()
    [-1.204, 1.459]
    """
    return np.asarray(np.log(np.maximum(np.exp(z) - offset, 0.0) * factor + offset))


def shifts_in(past: Prepared, day: int) -> Shifts:
    """Every excursion of the last 400 days; none where fewer than 12 days (23 where they are the grid) are known.

    day  intervals of a day, or one of anything coarser
    """
    hours = day > 1
    found: list[Excursion] = []
    whole = past.length // day
    if whole >= (BEFORE if hours else BEFORE_DAILY) + 2:
        days = _days(past, day)
        known = days.level.shape[1]
        earlier = past.length - known * day
        for row in np.flatnonzero(standing_out(days.level, hours)[0].any(axis=1)):
            level = days.level[row]
            for run in runs(level, hours):
                sizes, shares = believed(run, level, days.within[row], days.mean[row], hours)
                if not sizes.any():
                    continue
                size, away = float(sizes[np.flatnonzero(sizes)[0]]), days.surplus[row] - run.usual
                start = onset(away, run.first * day, day, size)
                stop = onset(size - away, run.stop * day, day, size) if run.stop < known else known * day
                place = int(row), whole - known + run.first, earlier + start, earlier + stop
                found.append(Excursion(*place, sizes, shares))
    return Shifts(tuple(found), past.offset, past.length, day, past.seasons.block_days / past.seasons.block)


class _Days(NamedTuple):
    """The last days of S series beside what their hours usually are; log ratios.

    surplus  (S, days x day) each interval to its usual
    level    (S, days) each day's demand to its usual
    within   (S, days) how far the hours of each day scatter about it
    mean     (S, days) log of each day's demand
    """

    surplus: np.ndarray
    level: np.ndarray
    within: np.ndarray
    mean: np.ndarray


def _days(past: Prepared, day: int) -> _Days:
    count = min(past.length // day, REACH + SCATTER_DAYS)
    z = past.fit[:, -min(past.length, (count + 7 * LOOK_BACK) * day) :]
    demand = np.maximum(np.exp(z) - past.offset[:, None], 0.0)
    usual = complete(usual_values(demand, past.seasons), demand)
    demand, usual = (values[:, -count * day :] + QUIET for values in (demand, usual))
    surplus = np.log(demand / usual)
    shape = (len(z), count, day)
    mean = np.log(demand.reshape(shape).mean(axis=2))
    level = mean - np.log(usual.reshape(shape).mean(axis=2))
    within = np.median(np.abs(surplus.reshape(shape) - level[..., None]), axis=2)
    if past.seasons.week and past.seasons.day and count >= 28:
        level[:, : max(0, 14 - (past.length // day - count))] = np.nan  # weekdays were not told apart yet
    return _Days(surplus, level, within, mean)
