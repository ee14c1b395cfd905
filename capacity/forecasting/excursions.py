"""Days in a row that stand out on one side of the usual, and the chance that they last.

That chance depends on how long it has been, on which side it is, and on whether all hours moved alike (a deploy that
halves the work of a request) or the day took another shape (a holiday, a launch). Everything looks backwards only:
what is believed at the end of a day rests on days up to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from capacity.forecasting.prepare import nanquantile

#: Days that say what is usual just now, and how far days scatter about that.
USUAL_DAYS, SCATTER_DAYS = 7, 56

#: Fewest days before an excursion, where days have hours and where they are the grid.
BEFORE, BEFORE_DAILY = 10, 21

#: How far an excursion stands out at least, as a log ratio (about 10 %), and, where days are the grid, in robust
#: standard deviations of days.
SMALLEST, STANDS_OUT_DAILY = 0.10, 5.0

#: Standard deviations needed after one, two, three days where days have hours: one day at the edge of the usual
#: says nothing. Rises in which all hours moved alike need less, for want of capacity is dear. At half of the others the
#: rain and spring of a bicycle fleet were shifts, and four weeks ahead its error rose by a third.
NEEDED_ALIKE_UP: Final = (5.0, 4.0, 3.5)
NEEDED: Final = (7.0, 6.0, 5.0)

#: Days looked back over; an earlier shift has been outlived by every model but the slowest.
REACH: Final = 400

#: All hours moved alike: they scatter about their day at most this many times as widely as before.
ALIKE: Final = 1.5

#: The size of an excursion is the median of its newest days, at most this many: each weekday once.
NEWEST: Final = 7

#: An excursion that ended sooner went back by itself; later its own days have become the usual ones, and levels decide.
OUTLIVED: Final = 14

#: A fall to more than this share of the usual is what holidays do: it is believed later, however alike its hours.
HOLIDAY_SHARE: Final = 0.57

#: Chance that an excursion lasts, at 1, 2, ... days of age. Of 550 excursions in the tuning sets, the median share
#: still there in the week after was, at 1, 2, 3, 5 and 7 days: hourly up 0.2, 0.6, 0.6, 1.0, 0.8, down 0.1, 0.1, 0.3,
#: 0.6, 0.7; daily up 0.2, 0.4, 0.6, 1.0, 1.0, down 0.1, 0.2, 0.4, 0.8, 1.0. Those in which all hours moved alike were
#: too few to count: they are believed sooner, and sooner up than down, for want of capacity is dear. Days without hours
#: are believed later than counted: models that follow the level by themselves need less help.
ALIKE_UP: Final = (0.5, 0.92, 0.98, 1.0)
ALIKE_DOWN: Final = (0.2, 0.6, 0.97, 1.0)
ALIKE_HOLIDAY: Final = (0.05, 0.15, 0.3, 0.6, 0.85, 0.95, 1.0)
OTHER_UP: Final = (0.2, 0.5, 0.65, 0.8, 0.9, 0.95, 1.0)
OTHER_DOWN: Final = (0.05, 0.1, 0.3, 0.45, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0)
DAILY_UP: Final = (0.0, 0.1, 0.3, 0.5, 0.9, 0.95, 1.0)
DAILY_DOWN: Final = (0.0, 0.0, 0.1, 0.2, 0.5, 0.8, 1.0)


class Run(NamedTuple):
    """Days that stand out on one side: `first` to before `stop`, from a `usual` level that days scatter about."""

    first: int
    stop: int
    usual: float
    scatter: float


def usual_range(level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(..., days) median of the week before each day, and robust standard deviation of days about it; NaN before any.

    >>> base, _ = usual_range(np.array([0.0, 0.1, -0.1, 5.0]))
    >>> base[1:].tolist()
    [0.0, 0.05, 0.0]
    """
    base = _median_before(level, USUAL_DAYS)
    return base, 1.4826 * _median_before(np.abs(level - base), SCATTER_DAYS) + 0.01


def _median_before(values: np.ndarray, days: int) -> np.ndarray:
    """(..., n) median of up to `days` values before each; NaN where there is none. Series by series: it is small."""
    padded = np.concatenate([np.full((*values.shape[:-1], days), np.nan), values[..., :-1]], axis=-1)
    windows = sliding_window_view(padded, days, axis=-1)
    if values.ndim == 1:
        return nanquantile(windows, (0.5,))[0]
    return np.stack([nanquantile(rows, (0.5,))[0] for rows in windows])


def standing_out(level: np.ndarray, hours: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(..., days) True where an excursion may begin; with what is usual, how days scatter, and how far is far enough.

    level  (..., days) how far each day stands from what its hours usually are, log ratio
    hours  whether days have hours, which tell more than one value does
    """
    base, scatter = usual_range(level)
    needed = np.where(level > base, NEEDED_ALIKE_UP[-1], NEEDED[-1]) if hours else STANDS_OUT_DAILY
    bar = np.maximum(needed * scatter, SMALLEST)
    return np.abs(level - base) > bar, base, scatter, bar


def runs(level: np.ndarray, hours: bool) -> Iterator[Run]:
    """Each run of days that stand out, oldest first, in the last 400 days.

    A day belongs to the run while it stands half as far to twice as far out as the run did so far.

    >>> days = np.array([0.01, -0.01] * 10 + [0.7, 0.69, 0.71, 0.0])
    >>> [(run.first, run.stop) for run in runs(days, hours=True)]
    [(20, 23)]
    """
    level = level.copy()
    known = int(np.argmax(np.isfinite(level)))
    day = max(known + (BEFORE if hours else BEFORE_DAILY), len(level) - REACH)
    while day < len(level):
        stands, base, scatter, bar = standing_out(level, hours)
        if not stands[day:].any():
            return
        first = day + int(np.argmax(stands[day:]))
        usual = float(base[first])
        away = np.sign(level[first] - usual) * (level - usual)
        day = first + 1
        while day < len(level):
            size = float(np.median(away[max(first, day - NEWEST) : day]))
            if not 0.5 * size <= away[day] <= 2 * size + bar[first]:
                break
            day += 1
        yield Run(first, day, usual, float(scatter[first]))
        level[first:day] = usual  # what is explained is no longer unusual


def believed(
    run: Run, level: np.ndarray, within: np.ndarray, mean: np.ndarray, hours: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(ages,) size, log ratio, and (ages,) chance of lasting, when 1, 2 ... days are known; until a week after its end.

    level   (days,) how far each day stands from what its hours usually are, log ratio
    within  (days,) how far the hours of each day scatter about it
    mean    (days,) log of each day's mean demand

    Where days have no hours, an excursion is forgotten when it has ended.
    """
    away = level - run.usual
    usually = float(np.median(within[max(0, run.first - 4 * NEWEST) : run.first]))
    sizes, shares = [], []
    for age in range(1, run.stop - run.first + 1):
        days = slice(run.first, run.first + age)
        size = float(np.median(away[days][-NEWEST:]))
        scatter = np.sort(within[days])[(age - 1) // 2]
        alike = bool(scatter <= ALIKE * usually + 0.01)
        chances = chances_to_last(size, hours, alike)
        needed = (NEEDED_ALIKE_UP if size > 0 and alike else NEEDED)[min(age, 3) - 1] if hours else STANDS_OUT_DAILY
        sizes.append(size if abs(size) >= max(needed * run.scatter, SMALLEST) else 0.0)
        shares.append(chances[min(age, len(chances)) - 1])
    size = sizes[-1] if hours else 0.0
    for known in range(run.stop + 1, min(run.stop + NEWEST, len(away)) + 1):
        sizes.append(size)
        shares.append(float(run.stop - run.first >= OUTLIVED and _stayed(mean, run, known, size)))
    return np.array(sizes), np.array(shares)


def chances_to_last(size: float, hours: bool, alike: bool) -> tuple[float, ...]:
    """Chance that an excursion of this size (log ratio) lasts, by its age in days from one on; the last one stays.

    >>> chances_to_last(np.log(2), hours=True, alike=True)
    (0.5, 0.92, 0.98, 1.0)
    >>> chances_to_last(np.log(0.7), hours=True, alike=True) == ALIKE_HOLIDAY
    True
    """
    if not hours:
        return DAILY_UP if size > 0 else DAILY_DOWN
    if not alike:
        return OTHER_UP if size > 0 else OTHER_DOWN
    if size > 0:
        return ALIKE_UP
    return ALIKE_DOWN if size < np.log(HOLIDAY_SHARE) else ALIKE_HOLIDAY


def _stayed(mean: np.ndarray, run: Run, known: int, size: float) -> bool:
    """Whether the days after the run, of those `known`, are nearer to its level than to the same weekdays before it."""
    after = np.arange(run.stop, known)
    earlier = after - 7 * ((after - run.first) // 7 + 1)
    after, earlier = after[earlier >= 0], earlier[earlier >= 0]
    return bool(len(after) and np.sign(size) * np.median(mean[after] - mean[earlier]) > 0.5 * abs(size))


def onset(away: np.ndarray, begin: int, day: int, size: float) -> int:
    """The interval from which `away` is about `size`, within a day of `begin`: where the sum of its excess over half
    of that turns.

    Source: Page 1954, "Continuous Inspection Schemes", Biometrika 41 (cumulative sums).

    >>> onset(np.array([0.0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]), 4, 4, 1.0)
    5
    """
    if day == 1:
        return begin
    low = max(0, begin - day)
    gain = np.cumsum(np.sign(size) * away[low : begin + day] - abs(size) / 2)
    return low + int(np.argmin(gain)) + 1
