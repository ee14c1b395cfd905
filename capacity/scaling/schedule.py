"""A week of need -> a handful of scheduled minimums: few enough for people to read, each up with its down.

The need of each hour is a quantile over weeks (of history) or over weeks and paths (of a forecast), pooled over
Monday to Friday and over Saturday and Sunday. The day is cut where holding a minimum wastes least, by dynamic
programming over the hours; a cut must earn its keep. One pattern for all days is taken when it is nearly as good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from capacity.scaling.cut import HOURS, cut_day
from capacity.scaling.policy import ScheduledAction

#: One pattern for every day is taken when it needs at most this much more than weekdays and weekends apart.
NEARLY: Final = 1.05

#: Wall-clock minutes of the day in which daylight saving skips or repeats time in most zones (aws.md 3.5: avoid).
CLOCK_CHANGES: Final = (60, 180)

#: Label and days, Monday 0.
DayType = tuple[str, tuple[int, ...]]
WEEKDAY: Final[DayType] = ("weekday", (0, 1, 2, 3, 4))
WEEKEND: Final[DayType] = ("weekend", (5, 6))
DAILY: Final[DayType] = ("daily", (0, 1, 2, 3, 4, 5, 6))
_NAMES: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True)
class Change:
    """From this hour on, on these days, at least this many tasks."""

    label: str  # weekday, weekend, daily
    days: tuple[int, ...]  # Monday 0
    hour: int  # local
    level: int  # tasks


def hourly_need(times: pd.DatetimeIndex, need: np.ndarray, timezone: str) -> np.ndarray:
    """(7, 24, k) samples of need by local day of week and hour, NaN-padded.

    times  (n,) start of each interval, UTC, not coarser than an hour
    need   (n,) or (P, n) fractional tasks

    The largest interval of each hour is one sample; an hour without any value is none. Raises no error for days
    or hours that never occur: their samples are all NaN.
    """
    rows = np.atleast_2d(need)
    local = times.tz_convert(timezone)
    hour = (local.day_of_week * HOURS + local.hour).to_numpy()
    starts = np.flatnonzero(np.r_[True, np.diff(hour) != 0])
    filled = np.where(np.isnan(rows), -np.inf, rows)
    largest = np.maximum.reduceat(filled, starts, axis=1)  # (P, hours)
    largest = np.where(np.isinf(largest), np.nan, largest)
    place = hour[starts]
    weeks = np.bincount(place, minlength=7 * HOURS).max()
    samples = np.full((7 * HOURS, weeks, len(rows)), np.nan)
    order = np.argsort(place, kind="stable")
    first = np.searchsorted(place[order], np.arange(7 * HOURS))
    samples[place[order], np.arange(len(order)) - first[place[order]]] = largest[:, order].T
    return samples.reshape(7, HOURS, -1)


def profile(samples: np.ndarray, days: tuple[int, ...], quantile: float) -> np.ndarray | None:
    """(24,) need of each hour at a quantile over the samples of these days; None when an hour has no sample."""
    pooled = np.moveaxis(samples[list(days)], 1, 0).reshape(HOURS, -1)
    if np.isnan(pooled).all(axis=1).any():
        return None
    return quantile_of_known(pooled, quantile)


def quantile_of_known(rows: np.ndarray, level: float) -> np.ndarray:
    """Quantile of each row's known values, as `np.nanquantile` gives it, without a loop over rows.

    >>> quantile_of_known(np.array([[3.0, np.nan, 1.0], [4.0, 8.0, 6.0]]), 0.5).tolist()
    [2.0, 6.0]
    """
    ordered = np.sort(rows, axis=1)  # NaN last
    place = level * (np.isfinite(rows).sum(axis=1) - 1)
    below, above = (edge(place).astype(np.int64)[:, None] for edge in (np.floor, np.ceil))
    low, high = (np.take_along_axis(ordered, index, axis=1)[:, 0] for index in (below, above))
    return np.asarray(low + (high - low) * (place - below[:, 0]))


def weekly_changes(samples: np.ndarray, quantile: float, allowed: np.ndarray) -> tuple[Change, ...]:
    """The scheduled changes of a week: empty when a constant minimum does as well, or when hours are not known.

    samples   (7, 24, k), see `hourly_need`
    allowed   (24,) True where a change may fall
    """
    needs = {kind: profile(samples, kind[1], quantile) for kind in (WEEKDAY, WEEKEND)}
    weekday, weekend = needs.values()
    if weekday is None or weekend is None:
        return ()
    apart = _covering({WEEKDAY: weekday, WEEKEND: weekend}, allowed)
    one = _covering({DAILY: np.maximum(weekday, weekend)}, allowed)
    chosen = one if _task_hours(one) <= NEARLY * _task_hours(apart) else apart
    levels = {change.level for change in chosen}
    return tuple(chosen) if len(levels) > 1 else ()


def _covering(needs: dict[DayType, np.ndarray], allowed: np.ndarray) -> list[Change]:
    """Changes of each day type, levels raised so that each covers every hour of the week in which it is in force."""
    week = np.zeros((7, HOURS))
    changes = []
    for (label, days), need in needs.items():
        week[list(days)] = need
        changes += [Change(label, days, hour, 0) for hour in cut_day(need, allowed)]
    held = in_force(changes)
    covering = [replace(change, level=whole(week.ravel()[held == n].max())) for n, change in enumerate(changes)]
    return _without_repeats(covering)


def in_force(changes: list[Change]) -> np.ndarray:
    """(168,) which change holds in each hour of the week, Monday 00:00 first."""
    fired = np.full(7 * HOURS, -1)
    for number, change in enumerate(changes):
        for day in change.days:
            fired[day * HOURS + change.hour] = number
    last = np.maximum.accumulate(np.where(fired >= 0, np.arange(fired.size), -1))
    last[last < 0] = np.flatnonzero(fired >= 0)[-1]  # the week wraps
    return fired[last]


def whole(need: float) -> int:
    """Whole tasks that hold a need; a billionth above a whole number is noise."""
    return int(np.ceil(need - 1e-9))


def _without_repeats(changes: list[Change]) -> list[Change]:
    """Leave out changes that always find their own level in force already; keep one at least."""
    kept = list(changes)
    for change in changes:
        held = in_force(kept)
        before = {held[(day * HOURS + change.hour - 1) % (7 * HOURS)] for day in change.days}
        if len(kept) > 1 and all(kept[n].level == change.level for n in before):
            kept.remove(change)
    return kept


def _task_hours(changes: list[Change]) -> int:
    levels = np.array([change.level for change in changes])
    return int(levels[in_force(changes)].sum())


def lead_minutes(startup_seconds: float) -> int:
    """How far ahead of its hour a rise is fired: the start-up time and a minute, rounded up to five minutes.

    >>> lead_minutes(120), lead_minutes(300)
    (5, 10)
    """
    return 5 * -(-(-(-int(np.ceil(startup_seconds)) // 60) + 1) // 5)


def allowed_hours(timezone: str, lead: int, start: pd.Timestamp, end: pd.Timestamp) -> np.ndarray:
    """(24,) hours at which a change may fall: neither it nor its lead meets a change of the clocks.

    Where the clocks do not move between `start` and `end`, every hour is allowed.

    >>> winter, spring, summer = pd.to_datetime(["2026-01-05", "2026-03-02", "2026-06-01"], utc=True)
    >>> allowed_hours("Europe/Paris", 5, winter, summer).nonzero()[0].tolist()[:3]
    [0, 4, 5]
    >>> [bool(allowed_hours(zone, 5, winter, end).all()) for zone, end in (("Europe/Paris", spring), ("UTC", summer))]
    [True, True]
    """
    ranges = clock_changes(timezone, start, end)
    allowed = np.ones(HOURS, dtype=bool)
    for hour in range(HOURS):
        for fired in (hour * 60, (hour * 60 - lead) % (24 * 60)):
            allowed[hour] &= not any(low <= fired <= high for low, high in ranges)
    return allowed


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


def actions(
    changes: tuple[Change, ...], service: str, *, floor: int, most: int, timezone: str, lead: int, end: pd.Timestamp
) -> tuple[ScheduledAction, ...]:
    """Scheduled actions of a week's changes, and the one that ends them.

    floor, most  bounds outside the schedule; a level is held between them, and every action sets both bounds.
                 Levels that are all one then make no schedule
    lead         minutes by which a rise is fired ahead of its hour; a fall is never anticipated
    end          UTC; recurring actions stop here. Because nothing reverts by itself, a last action then puts
                 `floor` and `most` back, ten minutes later

    >>> ups_and_downs = (Change("weekday", (0, 1, 2, 3, 4), 8, 12), Change("weekday", (0, 1, 2, 3, 4), 0, 4))
    >>> end = pd.Timestamp("2027-02-22", tz="UTC")
    >>> for one in actions(ups_and_downs, "web", floor=2, most=40, timezone="Europe/Paris", lead=5, end=end):
    ...     print(one.name, one.schedule, one.min_tasks, one.max_tasks)
    capacity-web-weekday-0755 cron(55 7 ? * MON-FRI *) 12 40
    capacity-web-weekday-0000 cron(0 0 ? * MON-FRI *) 4 40
    capacity-web-expiry at(2027-02-22T00:10:00) 2 40
    """
    levels = {change: min(max(change.level, floor), most) for change in changes}
    if len(set(levels.values())) < 2:
        return ()
    slug, listed = slug_of(service), []
    for change in changes:
        early = lead if _rises(change, changes) else 0
        ahead, minute = divmod(change.hour * 60 - early, 24 * 60)
        days = tuple(sorted((day + ahead) % 7 for day in change.days))
        listed.append(
            ScheduledAction(
                name=f"capacity-{slug}-{change.label}-{minute // 60:02d}{minute % 60:02d}",
                schedule=f"cron({minute % 60} {minute // 60} ? * {day_names(days)} *)",
                min_tasks=levels[change],
                max_tasks=most,
                timezone=timezone,
                end=end,
            )
        )
    after = (end + pd.Timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%S")
    return (*listed, ScheduledAction(f"capacity-{slug}-expiry", f"at({after})", floor, most))


def _rises(change: Change, changes: tuple[Change, ...]) -> bool:
    """True when on one of its days at least a lower level is in force before it."""
    held = in_force(list(changes))
    before = (held[(day * HOURS + change.hour - 1) % (7 * HOURS)] for day in change.days)
    return any(changes[n].level < change.level for n in before)


def day_names(days: tuple[int, ...]) -> str:
    """Days as AWS writes them; Monday is 0 here.

    >>> day_names((0, 1, 2, 3, 4)), day_names((0, 1, 2, 3, 6)), day_names((4, 5)), day_names(tuple(range(7)))
    ('MON-FRI', 'SUN-THU', 'FRI,SAT', '*')
    """
    if len(days) == 7:
        return "*"
    known: dict[tuple[int, ...], str] = {(0, 1, 2, 3, 4): "MON-FRI", (0, 1, 2, 3, 6): "SUN-THU"}
    return known.get(days) or ",".join(_NAMES[day] for day in days)


def slug_of(name: str) -> str:
    """A name made of letters, digits and dashes, for what AWS wants to be plain; never empty, at most 100 characters.

    >>> slug_of('web "a" ${b}'), slug_of("服务")
    ('web-a-b', 'service')
    """
    return re.sub(r"[^A-Za-z0-9]+", "-", name)[:100].strip("-") or "service"
