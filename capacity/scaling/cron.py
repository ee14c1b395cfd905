"""When a scheduled action fires: AWS's six-field cron and `at`, in a time zone, as UTC minutes.

    cron(minute hour day-of-month month day-of-week year)     one of the two day fields must be `?`
    at(yyyy-mm-ddThh:mm:ss)

Source: Application Auto Scaling, PutScheduledAction (reference aws.md 3.5). Day of week is 1-7 = SUN-SAT, not
Unix's 0-6. `rate(...)` is refused: it runs from the moment it was created, which no
document says. So are `L`, `W` and `#`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.errors import InputError

_DAYS: Final = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1
    )
}
#: Field -> (smallest, largest, names).
_FIELDS: Final[dict[str, tuple[int, int, dict[str, int]]]] = {
    "minute": (0, 59, {}),
    "hour": (0, 23, {}),
    "day-of-month": (1, 31, {}),
    "month": (1, 12, _MONTHS),
    "day-of-week": (1, 7, _DAYS),
    "year": (1970, 2199, {}),
}
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_CRON = re.compile(r"cron\(([^()]*)\)")


@dataclass(frozen=True)
class Cron:
    """Which values each field admits; `?` and `*` admit all."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 1 = SUN
    years: frozenset[int]


@dataclass(frozen=True)
class At:
    """Once, at this wall-clock time of the schedule's time zone."""

    moment: pd.Timestamp


def parse(schedule: str) -> Cron | At:
    """A schedule as AWS writes it. Raises InputError, saying which field is wrong.

    >>> sorted(parse("cron(30 7 ? * MON-FRI *)").weekdays)
    [2, 3, 4, 5, 6]
    >>> parse("at(2026-12-24T08:00:00)").moment
    Timestamp('2026-12-24 08:00:00')
    """
    once = _AT.fullmatch(schedule)
    if once:
        try:
            return At(pd.Timestamp(once[1]).as_unit("us"))
        except ValueError:
            raise InputError(f"schedule {schedule!r} names a moment that does not exist") from None
    cron = _CRON.fullmatch(schedule)
    if cron is None:
        raise InputError(
            f"schedule {schedule!r} is neither cron(...) nor at(...)",
            advice="Write cron(30 7 ? * MON-FRI *) or at(2026-12-24T08:00:00).",
        )
    fields = cron[1].split()
    if len(fields) != len(_FIELDS):
        raise InputError(f"schedule {schedule!r} has {len(fields)} fields, AWS wants six: {' '.join(_FIELDS)}")
    if (fields[2] == "?") == (fields[4] == "?"):
        raise InputError(f"schedule {schedule!r}: exactly one of day-of-month and day-of-week must be '?'")
    return Cron(*(_values(text, field, schedule) for text, field in zip(fields, _FIELDS, strict=True)))


def _values(text: str, field: str, schedule: str) -> frozenset[int]:
    least, most, names = _FIELDS[field]
    if text == "*" or (text == "?" and field.startswith("day")):
        return frozenset(range(least, most + 1))
    admitted: set[int] = set()
    for part in text.split(","):
        body, _, step = part.partition("/")
        ends = [least, most] if body == "*" else [names.get(end.upper(), _number(end)) for end in body.split("-")]
        every = _number(step) if step else 1
        if len(ends) > 2 or any(not least <= end <= most for end in ends) or every < 1 or ends[0] > ends[-1]:
            raise InputError(f"schedule {schedule!r}: {part!r} is no {field} ({least}-{most})")
        last = most if step and len(ends) == 1 else ends[-1]
        admitted.update(range(ends[0], last + 1, every))
    return frozenset(admitted)


def _number(text: str) -> int:
    """The number, or -1, which no field admits."""
    return int(text) if text.isascii() and text.isdigit() else -1


def firings(schedule: str, timezone: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.DatetimeIndex:
    """Every moment in [start, end) at which the schedule fires, UTC, ascending.

    A wall-clock time that daylight saving skips is taken when the clock has moved, one that it repeats the first
    time: AWS does not say (aws.md 3.5), which is why `schedule.py` writes none there.

    >>> start, end = pd.to_datetime(["2026-10-23", "2026-10-27"], utc=True)
    >>> when = firings("cron(30 7 ? * MON-FRI *)", "Europe/Paris", start, end)
    >>> [str(moment) for moment in when]
    ['2026-10-23 05:30:00+00:00', '2026-10-26 06:30:00+00:00']
    """
    parsed = parse(schedule)
    local = pd.DatetimeIndex([parsed.moment]) if isinstance(parsed, At) else _wall(parsed, timezone, start, end)
    first = np.ones(len(local), dtype=bool)
    zoned = local.tz_localize(timezone, ambiguous=first, nonexistent="shift_forward")
    utc = zoned.tz_convert("UTC").as_unit("us").sort_values()
    return utc[(utc >= start) & (utc < end)]


def _wall(cron: Cron, timezone: str, start: pd.Timestamp, end: pd.Timestamp) -> pd.DatetimeIndex:
    """Naive wall-clock firings of the days that touch [start, end)."""
    first, last = (
        np.datetime64(moment.tz_convert(timezone).tz_localize(None).to_datetime64(), "D") for moment in (start, end)
    )
    days = np.arange(first - 1, last + 2)
    months, years = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    weekday = (days.astype(np.int64) + 4) % 7 + 1  # 1 January 1970 was a Thursday; Sunday is 1
    chosen = (
        _within(cron.days, (days - months).astype(np.int64) + 1)
        & _within(cron.months, months.astype(np.int64) % 12 + 1)
        & _within(cron.weekdays, weekday)
        & _within(cron.years, years.astype(np.int64) + 1970)
    )
    times = sorted(hour * 60 + minute for hour in cron.hours for minute in cron.minutes)
    moments = days[chosen, None] + np.array(times, dtype="timedelta64[m]")
    return pd.DatetimeIndex(moments.astype("datetime64[us]").ravel())


def _within(admitted: frozenset[int], values: np.ndarray) -> np.ndarray:
    table = np.zeros(max(max(admitted), int(values.max())) + 1, dtype=bool)
    table[list(admitted)] = True
    return np.asarray(table[values])
