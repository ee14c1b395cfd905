"""A week of minimums -> scheduled actions: few enough for people to read, each up with its down."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pandas as pd

from capacity.scaling.policy import ScheduledAction

#: Wall-clock minutes of the day in which daylight saving skips or repeats time in most zones (aws.md 3.5: avoid).
CLOCK_CHANGES: Final = (60, 180)

DAY: Final = 24 * 60

#: Days that share one pattern, Monday 0.
Days = tuple[int, ...]
DAILY: Final[tuple[Days, ...]] = ((0, 1, 2, 3, 4, 5, 6),)
WEEK_PARTS: Final[tuple[Days, ...]] = ((0, 1, 2, 3, 4), (5, 6))
EACH_DAY: Final[tuple[Days, ...]] = tuple((day,) for day in range(7))

_NAMES: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_LABELS: Final[dict[Days, str]] = {DAILY[0]: "daily", WEEK_PARTS[0]: "weekday", WEEK_PARTS[1]: "weekend"}


@dataclass(frozen=True)
class Change:
    """From this minute of the local day on, on these days, at least this many tasks."""

    days: Days
    minute: int
    level: int  # tasks

    @property
    def label(self) -> str:
        """The days in a name: daily, weekday, weekend, mon, mon-thu ..."""
        return _LABELS.get(self.days) or "-".join(_NAMES[day].lower() for day in self.days)


def bin_minutes(lead: int, interval: pd.Timedelta) -> int:
    """How finely a day is cut: bins that divide a day, each longer than a rise's lead by five minutes.

    So two actions are never nearer than that (aws.md 3.5), and what was measured by the hour is not cut to minutes.

    >>> bin_minutes(5, pd.Timedelta("5min")), bin_minutes(5, pd.Timedelta("1h")), bin_minutes(20, pd.Timedelta("5min"))
    (10, 30, 30)
    """
    least = max(lead + 5, 10 if interval <= pd.Timedelta(minutes=10) else 30)
    return next(size for size in (10, 15, 20, 30, 60, 90, 120) if size >= least)


def changes_of(held: np.ndarray, groups: tuple[Days, ...]) -> tuple[Change, ...]:
    """The changes of a week of levels; equal ones of several days as one.

    held    (G, B) tasks at least in each bin of the days of each group, which follow each other in a circle
    groups  the days of each

    >>> [(one.label, one.minute, one.level) for one in changes_of(np.array([[2] * 8 + [10] * 10 + [2] * 6]), DAILY)]
    [('daily', 480, 10), ('daily', 1080, 2)]
    """
    flat = held.ravel()
    size = DAY // held.shape[1]
    found: dict[tuple[int, int], list[int]] = {}
    for place in np.flatnonzero(flat != np.roll(flat, 1)):
        group, slot = divmod(int(place), held.shape[1])
        found.setdefault((slot * size, int(flat[place])), []).extend(groups[group])
    return tuple(Change(tuple(sorted(days)), minute, level) for (minute, level), days in sorted(found.items()))


def week_of(changes: tuple[Change, ...], *, floor: int, most: int, lead: int) -> np.ndarray:
    """(10080,) minimum in force in each minute of the local week, Monday 00:00 first, as `actions` set it.

    >>> week = week_of((Change((0,), 480, 12), Change((0,), 1080, 4)), floor=2, most=9, lead=5)
    >>> week[[0, 474, 475, 1079, 1080]].tolist()
    [4, 4, 9, 9, 4]
    """
    fired = np.full(7 * DAY, -1)
    for change, early in zip(changes, _rises(changes), strict=True):
        level = min(max(change.level, floor), most)
        fired[[day * DAY + change.minute - (lead if early else 0) for day in change.days]] = level
    last = np.maximum.accumulate(np.where(fired >= 0, np.arange(fired.size), -1))
    last[last < 0] = last[-1]  # the week goes round
    return np.where(last >= 0, fired[last], floor)


def lead_minutes(startup_seconds: float) -> int:
    """How far ahead a rise is fired: the start-up time and a minute, rounded up to five minutes.

    >>> lead_minutes(120), lead_minutes(300)
    (5, 10)
    """
    return 5 * -(-(-(-int(np.ceil(startup_seconds)) // 60) + 1) // 5)


@cache
def allowed_bins(timezone: str, lead: int, start: pd.Timestamp, end: pd.Timestamp, size: int) -> np.ndarray:
    """(B,) bins of the day at whose start a change may fall, size in minutes.

    Neither it nor its lead may meet a change of the clocks; and the lead has to stay on the same day, so that a day's
    changes are those that its name says. Where the clocks do not move between `start` and `end`, only the latter.

    >>> winter, spring, summer = pd.to_datetime(["2026-01-05", "2026-03-02", "2026-06-01"], utc=True)
    >>> allowed_bins("Europe/Paris", 5, winter, summer, 60).nonzero()[0].tolist()[:3]
    [4, 5, 6]
    >>> [int(allowed_bins(zone, 5, winter, end, 60).sum()) for zone, end in (("Europe/Paris", spring), ("UTC", summer))]
    [23, 23]
    """
    ranges = clock_changes(timezone, start, end)
    starts = np.arange(0, DAY, size)
    fits = starts >= lead
    for low, high in ranges:
        for fired in (starts, starts - lead):
            fits &= ~((low <= fired) & (fired <= high))
    return np.asarray(fits)


def clock_changes(timezone: str, start: pd.Timestamp, end: pd.Timestamp) -> list[tuple[int, int]]:
    """Ranges of minutes of the local day that this zone's clocks skip or repeat between two moments.

    Where there is one, the usual hours are added: when a zone moves its clocks is for parliaments to change.
    """
    hours = pd.date_range(start.floor("h"), end, freq="h", unit="us").tz_convert(timezone)
    wall = hours.tz_localize(None).asi8 // 60_000_000
    ranges = [CLOCK_CHANGES]
    for index in np.flatnonzero(np.diff(wall) != 60):
        low, high = sorted((int(wall[index]) + 60, int(wall[index + 1])))  # skipped, or repeated
        ranges.append((low % 1440, low % 1440 + high - low))
    return ranges if len(ranges) > 1 else []


def places(times: pd.DatetimeIndex, timezone: str, size: int) -> np.ndarray:
    """(n,) which bin of which local day of the week each minute is in: day x bins + bin, Monday 0."""
    local = times.tz_convert(timezone)
    return np.asarray(local.day_of_week * (DAY // size) + (local.hour * 60 + local.minute) // size, dtype=np.int64)


def actions(
    changes: tuple[Change, ...], service: str, *, floor: int, most: int, timezone: str, lead: int, end: pd.Timestamp
) -> tuple[ScheduledAction, ...]:
    """Scheduled actions of a week's changes, and the one that ends them.

    floor, most  bounds outside the schedule; a level is held between them, and every action sets both bounds.
                 Levels that are all one then make no schedule
    lead         minutes by which a rise is fired ahead; a fall is never anticipated
    end          UTC; recurring actions stop here. Because nothing reverts by itself, a last action then puts
                 `floor` and `most` back, ten minutes later

    >>> ups_and_downs = (Change((0, 1, 2, 3, 4), 480, 12), Change((0, 1, 2, 3, 4), 1140, 4))
    >>> end = pd.Timestamp("2027-02-22", tz="UTC")
    >>> for one in actions(ups_and_downs, "web", floor=2, most=40, timezone="Europe/Paris", lead=5, end=end):
    ...     print(one.name, one.schedule, one.min_tasks, one.max_tasks)
    capacity-web-weekday-0755 cron(55 7 ? * MON-FRI *) 12 40
    capacity-web-weekday-1900 cron(0 19 ? * MON-FRI *) 4 40
    capacity-web-expiry at(2027-02-22T00:10:00) 2 40
    """
    levels = [min(max(change.level, floor), most) for change in changes]
    if len(set(levels)) < 2:
        return ()
    slug, listed = slug_of(service), []
    for change, level, early in zip(changes, levels, _rises(changes), strict=True):
        minute = change.minute - (lead if early else 0)
        listed.append(
            ScheduledAction(
                name=f"capacity-{slug}-{change.label}-{minute // 60:02d}{minute % 60:02d}",
                schedule=f"cron({minute % 60} {minute // 60} ? * {day_names(change.days)} *)",
                min_tasks=level,
                max_tasks=most,
                timezone=timezone,
                end=end,
            )
        )
    after = (end + pd.Timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%S")
    return (*listed, ScheduledAction(f"capacity-{slug}-expiry", f"at({after})", floor, most))


def _rises(changes: tuple[Change, ...]) -> list[bool]:
    """For each change, whether on one of its days at least a lower level is in force before it."""
    fired = sorted((day * DAY + one.minute, n) for n, one in enumerate(changes) for day in one.days)
    rises = [False] * len(changes)
    for place, (_, n) in enumerate(fired):
        rises[n] |= changes[fired[place - 1][1]].level < changes[n].level
    return rises


def day_names(days: Days) -> str:
    """Days as AWS writes them; Monday is 0 here.

    >>> day_names((0, 1, 2, 3, 4)), day_names((4, 5)), day_names(tuple(range(7)))
    ('MON-FRI', 'FRI,SAT', '*')
    """
    if len(days) == 7:
        return "*"
    return "MON-FRI" if days == WEEK_PARTS[0] else ",".join(_NAMES[day] for day in days)


def slug_of(name: str) -> str:
    """A name made of letters, digits and dashes, for what AWS wants to be plain; never empty, at most 100 characters.

    >>> slug_of('web "a" ${b}'), slug_of("服务")
    ('web-a-b', 'service')
    """
    return re.sub(r"[^A-Za-z0-9]+", "-", name)[:100].strip("-") or "service"
