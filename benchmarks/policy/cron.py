"""When a scheduled action fires: AWS's cron and at expressions, read by the letter (aws.md 3.5).

Written from the documentation alone, without a look at `capacity.scaling.cron`: two readings that agree are evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")  # 1-7, not the Unix 0-6


def firings(schedule: str, timezone: str, start: datetime, end: datetime) -> list[datetime]:
    """Every moment in [start, end), UTC, at which `schedule` fires by the clock of `timezone`.

    A time that the clock skips in spring does not fire; one that it repeats in autumn fires at its first turn.
    Raises ValueError for anything but `cron(...)` with six fields and `at(...)`.

    >>> noon = datetime(2026, 3, 27, 12, tzinfo=UTC)
    >>> [f"{at:%a %H:%M}" for at in firings("cron(30 7 ? * MON-FRI *)", "Europe/Paris", noon, noon + timedelta(4))]
    ['Mon 05:30', 'Tue 05:30']
    >>> firings("at(2026-03-28T06:00:00)", "UTC", noon, noon + timedelta(1))
    [datetime.datetime(2026, 3, 28, 6, 0, tzinfo=datetime.timezone.utc)]
    """
    zone = ZoneInfo(timezone)
    found = [moment for local in _local_times(schedule, zone, start, end) if (moment := _utc(local, zone)) is not None]
    return sorted(moment for moment in found if start <= moment < end)


def _local_times(schedule: str, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    once = re.fullmatch(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", schedule)
    if once:
        yield datetime.fromisoformat(once[1])
        return
    fields = re.fullmatch(r"cron\(([^)]*)\)", schedule)
    if fields is None or len(fields[1].split()) != 6:
        raise ValueError(f"{schedule!r} is neither at(yyyy-mm-ddThh:mm:ss) nor cron with its six fields")
    minute, hour, day_of_month, month, day_of_week, year = fields[1].split()
    if (day_of_month == "?") == (day_of_week == "?"):
        raise ValueError(f"{schedule!r}: one of its two day fields, and only one, must be '?'")
    minutes, hours = values(minute, 0, 59), values(hour, 0, 23)
    months, years = values(month, 1, 12, MONTHS), values(year, 1970, 2199)
    days = values("*" if day_of_month == "?" else day_of_month, 1, 31)
    weekdays = values("*" if day_of_week == "?" else day_of_week, 1, 7, WEEKDAYS)
    for day in _days(start.astimezone(zone).date(), end.astimezone(zone).date()):
        if day.year in years and day.month in months and day.day in days and day.isoweekday() % 7 + 1 in weekdays:
            yield from (datetime(day.year, day.month, day.day, h, m) for h in sorted(hours) for m in sorted(minutes))


def values(field: str, least: int, most: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """What one field of a cron expression stands for. L, W and # are refused: no hour of ours needs them.

    >>> sorted(values("MON-WED,SAT", 1, 7, WEEKDAYS)), sorted(values("10/20", 0, 59))
    ([2, 3, 4, 7], [10, 30, 50])
    """
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        low = least if span == "*" else _number(first, least, most, names)
        high = _number(last, least, most, names) if last else (low if not step and span != "*" else most)
        every = int(step) if step.isdigit() and int(step) > 0 else 0 if step else 1
        if every == 0 or low > high:
            raise ValueError(f"cron field {field!r}: {part!r} is no range with a step from 1 on")
        found.update(range(low, high + 1, every))
    return frozenset(found)


def _number(text: str, least: int, most: int, names: tuple[str, ...]) -> int:
    value = names.index(text.upper()) + least if text.upper() in names else int(text) if text.isdigit() else -1
    if not least <= value <= most:
        raise ValueError(f"cron field {text!r} is not within {least}-{most}")
    return value


def _days(first: date, last: date) -> Iterator[date]:
    for count in range((last - first).days + 1):
        yield first + timedelta(days=count)


def _utc(local: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment of a local clock's time, None where the clock skips it."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None
