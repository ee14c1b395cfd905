"""Dates, chances and amounts as people say them in a decision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from capacity.planning.limits import EARLY

#: Months by name, so that a sentence does not depend on the machine's locale.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def spoken_date(moment: pd.Timestamp, timezone: str = "UTC") -> str:
    """A day in words, in the zone where people live.

    >>> spoken_date(pd.Timestamp("2027-01-13T23:30Z"), "Europe/Paris")
    '14 January 2027'
    """
    return spoken_day(moment.tz_convert(timezone).date())


def spoken_day(day: date) -> str:
    """A day of the calendar in words.

    >>> spoken_day(date(2027, 1, 14))
    '14 January 2027'
    """
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def spoken_time(moment: pd.Timestamp, timezone: str = "UTC") -> str:
    """A moment in words, with its zone.

    >>> spoken_time(pd.Timestamp("2027-01-13T23:30Z"), "Europe/Paris")
    '14 January 2027, 00:30 Europe/Paris'
    """
    local = moment.tz_convert(timezone)
    return f"{spoken_date(moment, timezone)}, {local.hour:02d}:{local.minute:02d} {timezone}"


def percent(probability: float) -> str:
    """A share of paths, rounded towards doubt: finitely many paths never show certainty, nor impossibility.

    >>> percent(0.928), percent(1.0), percent(0.0)
    ('92 %', '>99 %', '<1 %')
    """
    if probability > 0.99:
        return ">99 %"
    if probability < 0.01:
        return "<1 %"
    return f"{math.floor(probability * 100 + 1e-9)} %"


def level_words(level: float) -> str:
    """A level that was asked for, as it was asked.

    >>> level_words(0.95), level_words(0.999)
    ('95 %', '99.9 %')
    """
    return f"{level * 100:.6g} %"


def share(part: float) -> str:
    """A measured part of a whole, in whole percent.

    >>> share(0.8), share(1.66), share(0.0004)
    ('80 %', '166 %', '0.04 %')
    """
    return f"{part * 100:.0f} %" if part == 0 or part >= 0.01 else f"{part * 100:.1g} %"


def counted(number: float, noun: str = "task") -> str:
    """A whole number of things.

    >>> counted(1), counted(5200)
    ('1 task', '5,200 tasks')
    """
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def first_few(names: Sequence[str], most: int = 5) -> str:
    """The first of many names, and how many more there are.

    >>> first_few(["a", "b", "c"], most=2), first_few(["a", "b"])
    ('a, b and 1 more', 'a and b')
    """
    return listed(names) if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most:,} more"


def usd(amount: float) -> str:
    """Money, with cents only where they matter.

    >>> usd(1234.5), usd(7.5), usd(-40)
    ('1,234 USD', '7.50 USD', '-40 USD')
    """
    return f"{amount:,.2f} USD" if 0 < abs(amount) < 10 else f"{amount:,.0f} USD"


def sensible(needed: float) -> int:
    """A count people would choose: rounded up, by at most a tenth.

    >>> [sensible(count) for count in (3, 19.2, 21, 61, 103, 640, 1010)]
    [3, 20, 22, 65, 110, 650, 1100]
    """
    whole = math.ceil(needed)
    for below, step in ((20, 1), (50, 2), (100, 5), (500, 10), (1000, 50)):
        if whole <= below:
            return -(-whole // step) * step
    return -(-whole // 100) * 100


def before(act_by: pd.Timestamp, start: pd.Timestamp, timezone: str) -> str:
    """By when, in words: `now` when that is no later than the day the forecast begins.

    >>> before(pd.Timestamp("2027-01-14T08:00Z"), pd.Timestamp("2026-11-23T00:00Z"), "UTC")
    'before 14 January 2027'
    """
    day = spoken_date(act_by, timezone)
    return "now" if day == spoken_date(start, timezone) else f"before {day}"


def passing(row: dict[str, Any], times: pd.DatetimeIndex, timezone: str) -> str:
    """When paths pass the limit of a row of `schema.LIMITS`, in one sentence; empty when too few do."""
    if row["first"] is pd.NaT:
        return ""
    amount = f"{row['value']:,.10g} {row['unit']}"
    text = f"{percent(row['probability'])} of the futures need more than {amount} by {spoken_date(times[-1])}"
    if row["first"] == times[0]:
        return f"{text}, {percent(EARLY)} or more from the first interval on."
    return f"{text}, the first {percent(EARLY)} by {spoken_date(row['first'], timezone)}."
