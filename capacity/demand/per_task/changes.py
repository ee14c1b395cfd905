"""When a request became dearer or cheaper for good: changes of its cost, dated, sized and found online.

The cost of each hour is held against the week before it. A day that differs from its week by more than days of this
service ever do (`ALARM`, learnt from the series itself, so that noise that lasts and mixes that wander raise the bar)
is a change; its moment is where the two levels part best. Load plays no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

#: What comes after is judged by up to a day, from ten hours on, so that a change is known within a day; and by up to
#: four days, so that a smaller one is known then. What was before is judged by up to a week, from two days on.
AFTER: Final = 24  # hours
LATER: Final = 96
SOONEST: Final = 10
BEFORE: Final = 7 * 24
LEAST_BEFORE: Final = 48
#: A change is at least this large (log of 10 %: the mix of a day and growing data do nearly as much), and so many times
#: what days usually differ from their week by. `benchmarks/per_task.py` has the false alarms.
SMALLEST: Final = float(np.log(1.10))
ALARM: Final = 4.5
#: At a deploy that is known less is enough.
KNOWN_SMALLEST: Final = float(np.log(1.04))
KNOWN_ALARM: Final = 3.5
#: A change found this near a known deploy is that deploy's (a rolling deployment takes its time).
NEAR: Final = pd.Timedelta(hours=6)
#: A level that has gone back by half, so many hours later, was an episode: a sale, an incident, a batch.
EPISODE: Final = 3 * 24
#: Hours that differ from their week by less than this are usual, whatever a short history says.
FLOOR: Final = 0.01
#: Hours that have to remain to say what is usual, when those across the largest difference are left out.
LEAST_USUAL: Final = 72
#: The most changes that are told of one history: with more, its level is not the thing to describe.
MOST: Final = 12

HOUR: Final = 3_600  # seconds


@dataclass(frozen=True)
class Change:
    """From `at` on a request costs `ratio` times as much as before; `low` to `high` is a 95 % interval of it.

    `within` is how exactly the moment is known (the change lies within so much of `at`); `deploy` says that the
    moment is a deploy's that was told; `lasted` is None for a change that stayed, else how long the episode was.
    """

    at: pd.Timestamp
    ratio: float
    low: float
    high: float
    within: pd.Timedelta
    deploy: bool = False
    lasted: pd.Timedelta | None = None


def changes_of(
    start: np.ndarray, seconds: np.ndarray, cost: np.ndarray, deploys: Sequence[pd.Timestamp] = ()
) -> list[Change]:
    """Changes of the cost of a request, in order of time: those that stayed, and episodes.

    start    (n,) seconds since 1970, sorted      seconds  (n,) length of each interval
    cost     (n,) vCPU-seconds per request, positive; NaN is not known
    deploys  moments at which something was deployed: a change at one needs less evidence

    >>> hours = 3600.0 * np.arange(24 * 12)
    >>> cost = np.where(hours < 3600 * 24 * 9, 0.010, 0.0125) * np.exp(np.random.default_rng(0).normal(0, 0.05, 288))
    >>> [(str(change.at), round(change.ratio, 1)) for change in changes_of(hours, np.full(288, 3600.0), cost)]
    [('1970-01-10 00:00:00+00:00', 1.2)]
    """
    known = np.isfinite(cost) & (cost > 0)
    if known.sum() < 3:
        return []
    start, seconds, value = start[known], seconds[known], np.log(cost[known])
    step = max(HOUR, int(np.median(seconds)) if np.median(seconds) > HOUR else HOUR)
    origin = int(start[0] // step)
    hourly = _medians(((start // step).astype(np.int64) - origin), value)
    hourly = hourly - _rhythm(hourly, origin, step)
    told = sorted(int(_seconds(deploy) // step) - origin for deploy in deploys)
    usual = {hours: _usual(hourly, parted, step, hours) for hours, parted in _parted(hourly, step).items()}
    found = _split(hourly, 0, len(hourly), step, usual, told)
    changes = []
    for place, ratio, half, lasted in sorted(found):
        at, within = _moment(start, seconds, value, (origin + place) * step, step)
        near = [deploy for deploy in deploys if abs(deploy - at) <= NEAR]
        length = None if lasted is None else pd.Timedelta(seconds=lasted * step)
        moment = min(near, key=lambda deploy: abs(deploy - at)) if near else at
        low, high = float(np.exp(ratio - half)), float(np.exp(ratio + half))
        changes.append(Change(moment, float(np.exp(ratio)), low, high, within, bool(near), length))
    return changes[:MOST]


def _medians(place: np.ndarray, value: np.ndarray) -> np.ndarray:
    """(hours,) median of each hour's values; NaN where there is none."""
    hourly = np.full(int(place[-1]) + 1, np.nan)
    found = pd.Series(value).groupby(place).median()
    hourly[found.index.to_numpy()] = found.to_numpy()
    return hourly


def _rhythm(hourly: np.ndarray, origin: int, step: int) -> np.ndarray:
    """(hours,) how the hours of the day, or of four known weeks, usually differ: another mix at night is no change."""
    per_day = max(1, 86_400 // step)
    days = np.isfinite(hourly).sum() / per_day
    if days < 4 or per_day == 1:
        return np.zeros(len(hourly))
    level = pd.Series(hourly).rolling(7 * per_day, center=True, min_periods=2 * per_day).median().to_numpy()
    period = 7 * per_day if days >= 28 else per_day
    place = (origin + np.arange(len(hourly))) % period
    table = pd.Series(hourly - level).groupby(place).median().reindex(range(period)).fillna(0.0)
    return np.asarray(table.to_numpy()[place])


def _parted(hourly: np.ndarray, step: int) -> dict[int, np.ndarray]:
    """AFTER and LATER -> (hours,) how far so many hours from each on lie from the week before it; NaN where unknown."""
    per_hour = HOUR / step
    values = pd.Series(hourly)
    before, least = max(3, round(BEFORE * per_hour)), max(2, round(LEAST_BEFORE * per_hour))
    behind = values.rolling(before, min_periods=least).median().shift(1).to_numpy()
    parted = {}
    for hours in (AFTER, LATER):
        after, soonest = max(2, round(hours * per_hour)), max(2, round(hours * per_hour * SOONEST / AFTER))
        parted[hours] = values[::-1].rolling(after, min_periods=soonest).median()[::-1].to_numpy() - behind
    return parted


def _usual(hourly: np.ndarray, parted: np.ndarray, step: int, hours: int) -> float:
    """How far so many hours usually lie from their week, as a standard deviation.

    Where they lie farthest may be a change, and in a short history most of them look across it: they are left out if
    enough remain. Of what remains most is usual.
    """
    moves = np.diff(hourly)
    moves = moves[np.isfinite(moves)]
    hour = 1.4826 * float(np.median(np.abs(moves))) if len(moves) else 0.0
    known = np.isfinite(parted)
    if known.sum() < 2:
        return max(FLOOR, hour)
    top = int(np.nanargmax(np.abs(parted)))
    across = np.zeros(len(parted), dtype=bool)
    across[max(0, top - round(hours * HOUR / step)) : top + round(BEFORE * HOUR / step)] = True
    scales = [_scale(part) for part in (parted[known], parted[known & ~across]) if len(part) >= 2]
    if (known & ~across).sum() * step < LEAST_USUAL * HOUR:
        scales = scales[:1]
    return max(FLOOR, min(scales), hour / 3)


def _scale(values: np.ndarray) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


Found = tuple[int, float, float, int | None]  # hour, log ratio, half width of its interval, how long the episode was


def _split(
    hourly: np.ndarray, first: int, last: int, step: int, usual: dict[int, float], told: Sequence[int]
) -> list[Found]:
    """Changes among the hours from `first` to `last`: the plainest, then those on each side of it.

    Episodes are told and then taken out, so that what stayed is judged without them.
    """
    part = hourly[first:last].copy()
    bars = {hours: _bar(len(part), noise, [hour - first for hour in told], step) for hours, noise in usual.items()}
    episodes: list[Found] = []
    for _ in range(MOST):
        scales = _parted(part, step)
        over = {hours: np.nan_to_num(np.abs(scales[hours]) / bars[hours]) for hours in bars}
        hours = max(over, key=lambda scale: float(over[scale].max(initial=0.0)))
        parted, bar = scales[hours], bars[hours]
        if over[hours].max(initial=0.0) <= 1:
            break
        guess = int(np.argmax(over[hours]))
        place = _best_place(part, guess, float(parted[guess]), step)
        if not 0 < place < len(part):
            break
        before, after, half = _levels(part, place, usual[AFTER], step)
        back = _episode(part, place, before, after, step)
        if back is None:
            if not abs(after - before) >= bar[place] / 2:
                break
            cleared = hourly.copy()
            cleared[first:last] = part
            sides = ((first, first + place), (first + place, last))
            rest = [found for a, b in sides for found in _split(cleared, a, b, step, usual, told)]
            return [*episodes, (first + place, after - before, half, None), *rest]
        inside = part[place:back]
        if not np.isfinite(inside).any():
            break
        size = float(np.nanmedian(inside)) - before
        if abs(size) >= SMALLEST:
            episodes.append((first + place, size, half, back - place))
        inside[:] = np.nan
    return episodes


def _bar(length: int, usual: float, told: Sequence[int], step: int) -> np.ndarray:
    """(length,) how far levels have to part at each hour to be a change; less near deploys that were told."""
    bar = np.full(length, max(SMALLEST, ALARM * usual))
    near = max(1, round(NEAR.total_seconds() / step))
    for hour in told:
        bar[max(0, hour - near) : max(0, hour + near + 1)] = max(KNOWN_SMALLEST, KNOWN_ALARM * usual)
    return bar


def _best_place(part: np.ndarray, guess: int, difference: float, step: int) -> int:
    """The hour at which the level before and the level after part best, near a guess."""
    day = max(2, round(AFTER * HOUR / step))
    low, high = max(0, guess - 2 * day), min(len(part), guess + 2 * day)
    level = float(np.nanmedian(part[max(0, guess - 7 * day) : guess]))
    away = np.abs(part[low:high] - level) - np.abs(part[low:high] - level - difference)
    return low + int(np.argmin(np.concatenate([[0.0], np.cumsum(np.nan_to_num(away))])))


def _levels(part: np.ndarray, place: int, usual: float, step: int) -> tuple[float, float, float]:
    """(level before, level after, half width of a 95 % interval of their difference): each of up to a week."""
    week, day = round(BEFORE * HOUR / step), max(1, round(AFTER * HOUR / step))
    behind, ahead = part[max(0, place - week) : place], part[place : place + week]
    if not np.isfinite(behind).any() or not np.isfinite(ahead).any():
        return float("nan"), float("nan"), float("inf")
    days = [max(1.0, np.isfinite(side).sum() / day) for side in (behind, ahead)]
    half = 1.96 * usual * float(np.sqrt(sum(1 / count for count in days)))
    return float(np.nanmedian(behind)), float(np.nanmedian(ahead)), half


def _episode(part: np.ndarray, place: int, before: float, after: float, step: int) -> int | None:
    """Where the level went back by half within days; None if it stayed, or nobody knows yet."""
    day, limit = max(2, round(AFTER * HOUR / step)), max(2, round(EPISODE * HOUR / step))
    first = part[place : place + day]
    jump = float(np.nanmedian(first)) - before if np.isfinite(first).any() else after - before
    ahead = pd.Series(part[place:]).rolling(day, min_periods=day // 2).median().shift(1 - day).to_numpy()
    gone = np.flatnonzero(np.abs(ahead[: limit + 1] - before) < abs(jump) / 2)
    if not len(gone) or np.isnan(jump):
        return None
    return place + max(1, int(gone[0]) + (day // 2 if gone[0] == 0 else 0))


def _moment(
    start: np.ndarray, seconds: np.ndarray, value: np.ndarray, hour: int, step: int
) -> tuple[pd.Timestamp, pd.Timedelta]:
    """The moment at which the finest data part best near an hour, and how exactly it is known."""
    window = 6 * step
    low, high = np.searchsorted(start, [hour - window, hour + window])
    behind = value[np.searchsorted(start, hour - 24 * step) : np.searchsorted(start, hour)]
    ahead = value[np.searchsorted(start, hour) : np.searchsorted(start, hour + 24 * step)]
    if not len(behind) or not len(ahead) or low == high:
        return pd.Timestamp(hour, unit="s", tz="UTC"), pd.Timedelta(seconds=step)
    before, after = float(np.median(behind)), float(np.median(ahead))
    near = value[low:high]
    sums = np.concatenate([[0.0], np.cumsum(np.abs(near - before) - np.abs(near - after))])
    place = int(np.argmin(sums))
    noise = np.median(np.abs(np.concatenate([behind - before, ahead - after])))
    as_good = np.flatnonzero(sums <= sums[place] + 3 * noise)  # Laplace noise: 95 % of the likelihood
    edges = np.append(start[low:high], start[high - 1] + seconds[high - 1])
    at = float(edges[place])
    wide = max(at - edges[as_good[0]], edges[as_good[-1]] - at, float(seconds[low:high].min()))
    return pd.Timestamp(int(at), unit="s", tz="UTC"), pd.Timedelta(seconds=float(wide))


def _seconds(stamp: pd.Timestamp) -> float:
    return float(stamp.timestamp())
