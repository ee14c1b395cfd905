"""History as weeks: earlier ones that a schedule is made from, later ones that it is judged on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.demand import Demand, Key
from capacity.scaling.load import minutes_of

#: A schedule is made from at most this many weeks and judged on at most that many later ones.
LEARNT_WEEKS: Final = 8
JUDGED_WEEKS: Final = 4

#: Fewer weeks than these say too little about a weekly pattern: then no schedule is tried.
LEAST_LEARNT: Final = 2

WEEK: Final = pd.Timedelta(days=7)
MINUTES: Final = 7 * 24 * 60

#: Intervals up to this length are held for their minutes as they are where no peak inside them was measured: a smooth
#: curve through them would have no burst at all, and be kinder than any load.
HELD: Final = pd.Timedelta(minutes=5)

#: A week is taken at the level of the newest one, which it is brought to by at most this factor.
MOST_LEVELLED: Final = 4.0

#: How far a week's level strays from the one before, where fewer than four weeks tell; and its bounds.
USUAL_STRAY: Final = 0.10
LEAST_STRAY, MOST_STRAY = 0.02, 0.30

#: Weeks are taken at three levels whose variance is that of a normal distribution: -, 0, + this many deviations.
APART: Final = 1.2247
SIDES: Final = (0, -1, 1)

#: From this many weeks on each is taken at one of the levels in turn, fewer at all three.
MANY: Final = 6


@dataclass(frozen=True)
class Window:
    """What candidates are made from, [learnt, judged), and what they are judged on, [judged, end)."""

    learnt: pd.Timestamp
    judged: pd.Timestamp
    end: pd.Timestamp

    @property
    def may_learn(self) -> bool:
        """Enough earlier weeks for a schedule."""
        return self.judged - self.learnt >= LEAST_LEARNT * WEEK

    def __str__(self) -> str:
        judged = f"{self.judged:%d %b %Y} to {self.end:%d %b %Y}"
        return f"{judged}, each week's schedule made from the weeks before it" if self.may_learn else judged


def window_of(demand: Demand) -> Window:
    """The last weeks to judge on, earlier ones to learn from; all of a history too short for both is judged on.

    >>> hours = pd.date_range("2026-03-02", periods=24 * 70, freq="h", tz="UTC", unit="us")
    >>> nothing = np.zeros((1, 1680))
    >>> print(window_of(Demand((Key("web", "cpu"),), hours, pd.Timedelta("1h"), nothing, nothing, nothing > 0)))
    13 Apr 2026 to 11 May 2026, each week's schedule made from the weeks before it
    """
    weeks = int((demand.end - demand.times[0]) / WEEK)
    judged = min(JUDGED_WEEKS, max(1, weeks - LEAST_LEARNT))
    learnt = min(LEARNT_WEEKS, weeks - judged)
    if learnt < LEAST_LEARNT:
        start = max(demand.times[0], demand.end - JUDGED_WEEKS * WEEK)
        return Window(start, start, demand.end)
    split = demand.end - judged * WEEK
    return Window(split - learnt * WEEK, split, demand.end)


def loads(demand: Demand, key: Key, since: pd.Timestamp, seed: int) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """(n,) minutes and load of one series from a moment on, to rehearse on."""
    recent = demand.select([key]).since(since)
    if recent.interval <= HELD and recent.interval % pd.Timedelta(minutes=1) == pd.Timedelta(0):
        row = recent.keys.index(key)
        if not (recent.peaks[row] > recent.values[row]).any():
            each = round(recent.interval / pd.Timedelta(minutes=1))
            minutes = pd.date_range(recent.times[0], periods=each * len(recent.times), freq="min", unit="us")
            return minutes, np.repeat(recent.values[row], each)
    return minutes_of(recent, key, seed)


def like_the_next(load: np.ndarray, start: int) -> np.ndarray:
    """(R, 10080) weeks that the one from minute `start` on may be like, by those before it.

    Each earlier week, brought to the level of the newest, or a little below or above it: as far as levels of weeks were
    apart. What happened inside each day stays what it was. Gaps stay gaps.

    >>> week = np.repeat([10.0, 20.0], [5040, 5040])
    >>> like_the_next(np.concatenate([week, 2 * week]), 20160).shape
    (6, 10080)
    """
    count = min(start // MINUTES, LEARNT_WEEKS)
    weeks = np.stack([load[start - (back + 1) * MINUTES : start - back * MINUTES] for back in range(count)])
    means = mean_of_known(weeks)
    known = means[means > 0]
    if len(known) == 0:
        return weeks
    newest = known[0]
    strays = np.diff(np.log(known))
    stray = float(np.clip(strays.std() if len(strays) >= 3 else USUAL_STRAY, LEAST_STRAY, MOST_STRAY))
    with np.errstate(divide="ignore", invalid="ignore"):
        levelled = np.where(means > 0, np.clip(newest / means, 1 / MOST_LEVELLED, MOST_LEVELLED), 1.0)
    if count >= MANY:
        sides = np.array([SIDES[back % len(SIDES)] for back in range(count)])
        return np.asarray(weeks * (levelled * np.exp(sides * APART * stray))[:, None])
    return np.concatenate([weeks * (levelled * np.exp(side * APART * stray))[:, None] for side in SIDES])


def mean_of_known(rows: np.ndarray) -> np.ndarray:
    """(R,) mean of what is known of each row; NaN where nothing is.

    >>> mean_of_known(np.array([[1.0, np.nan, 3.0], [np.nan] * 3])).tolist()
    [2.0, nan]
    """
    known = np.isfinite(rows)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, rows, 0.0).sum(axis=1) / known.sum(axis=1))
