"""Days that are known beforehand: public holidays by country, and tables of holidays as Prophet's users keep them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import pandas as pd

from capacity.config import Service
from capacity.config.event import Event
from capacity.errors import InputError, Problem

#: Columns of Prophet's holiday table that we read. Others (prior_scale) say how Prophet fits, and are not ours.
PROPHET: Final = ("holiday", "ds")
WINDOWS: Final = ("lower_window", "upper_window")

#: Whose holidays: one code for all services, one a service, or a table as Prophet's.
Holidays = str | Mapping[str, str] | pd.DataFrame | None


class Known(NamedTuple):
    """An event, and the calendar it is part of: events of one calendar are alike, and learn from each other."""

    event: Event
    calendar: str = ""


def events_of(events: Iterable[Event] | pd.DataFrame) -> tuple[Event, ...]:
    """Events as given, or from a table as Prophet's (holiday, ds, and perhaps lower_window and upper_window)."""
    if isinstance(events, pd.DataFrame):
        return from_prophet(events)
    found = (events,) if isinstance(events, Event) else tuple(events)
    for one in found:
        if not isinstance(one, Event):
            raise InputError(
                f"{one!r} is not an Event", advice='Write capacity.Event(name="launch", start="2026-11-27", uplift=3).'
            )
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"two events are called {twice[0]!r}", advice="One event may have several `dates`; else rename one."
        )
    return found


def from_prophet(table: pd.DataFrame) -> tuple[Event, ...]:
    """One event a holiday of a Prophet-style table: each `ds` is a local day, windows are the days around it.

    >>> table = pd.DataFrame({"holiday": "playoff", "ds": ["2026-01-12", "2027-01-08"], "upper_window": 1})
    >>> [(event.name, event.start, event.dates, event.days_after) for event in from_prophet(table)]
    [('playoff', '2026-01-12', ('2027-01-08',), 1)]
    """
    missing = [name for name in PROPHET if name not in table.columns]
    if missing:
        raise InputError(
            f"a table of holidays needs the column {missing[0]!r}, and has {', '.join(map(repr, table.columns))}",
            advice="As Prophet's: holiday, ds, and perhaps lower_window and upper_window.",
        )
    days = pd.to_datetime(table["ds"], errors="coerce")
    windows = {name: table.get(name, pd.Series(0, index=table.index)).fillna(0).astype(int) for name in WINDOWS}
    bad = [Problem("no day, or a window on the wrong side of it", f"row {row + 1}") for row, (day, low, high) in
           enumerate(zip(days, windows["lower_window"], windows["upper_window"], strict=True))
           if pd.isna(day) or low > 0 or high < 0]  # fmt: skip
    if bad:
        raise InputError("holidays that cannot be read:", bad, "ds is a day, lower_window <= 0 <= upper_window.")
    found = []
    for name, rows in days.groupby(table["holiday"].astype(str), sort=False):
        starts = sorted({day.date().isoformat() for day in rows})
        found.append(
            Event(
                name=str(name),
                start=starts[0],
                dates=tuple(starts[1:]),
                days_before=-int(windows["lower_window"][rows.index].min()),
                days_after=int(windows["upper_window"][rows.index].max()),
            )
        )
    return tuple(found)


def calendars_of(holidays: str | Mapping[str, str] | None, services: Sequence[Service] = ()) -> dict[str, str]:
    """Service -> code of its calendar; "" stands for all others. What is said for one service wins.

    >>> calendars_of("DE", [Service(name="web", holidays="FR")])
    {'': 'DE', 'web': 'FR'}
    """
    given = {"": holidays} if isinstance(holidays, str) else {}
    own = {service.name: service.holidays for service in services if service.holidays}
    if isinstance(holidays, Mapping):
        own |= {str(name): str(code) for name, code in holidays.items()}
    elif holidays is not None and not isinstance(holidays, str):
        raise InputError(
            f"holidays={holidays!r} is neither a code nor one a service",
            advice='Write holidays="DE", holidays={"checkout": "DE-BY"}, or a table with the columns holiday and ds.',
        )
    return {name: code for name, code in (given | own).items() if code}


def public_holidays(code: str, first: date, last: date) -> tuple[Event, ...]:
    """The public holidays of a country ("DE") or a part of it ("DE-BY") between two days: an event each by its name.

    Source: the package `holidays`. A holiday observed on another day is the holiday itself on that day.

    >>> [event.name for event in public_holidays("DE-BY", date(2026, 1, 1), date(2026, 1, 31))]
    ["New Year's Day", 'Epiphany']
    """
    country, _, part = code.partition("-")
    days = _country(country.strip().upper(), part.strip().upper() or None, range(first.year, last.year + 1), code)
    starts: dict[str, list[str]] = {}
    for day, names in sorted(days.items()):
        if first <= day <= last:
            for name in names.split("; "):
                starts.setdefault(name.removesuffix(" (observed)"), []).append(day.isoformat())
    return tuple(Event(name=name, start=found[0], dates=tuple(found[1:])) for name, found in starts.items())


def _country(country: str, part: str | None, years: range, code: str) -> Any:
    import holidays

    try:
        return holidays.country_holidays(country, subdiv=part, years=years, language=_english(holidays, country))
    except NotImplementedError as error:
        known = holidays.list_supported_countries()
        parts = ", ".join(known.get(country, [])) or "none"
        advice = (
            f"Parts of {country} that are known: {parts}."
            if country in known
            else "Use a country's two letters, such as DE, US or GB, and perhaps a part of it: DE-BY."
        )
        raise InputError(f"there is no calendar {code!r}", advice=advice) from error


def _english(holidays: Any, country: str) -> str | None:
    """Names in English where they are kept in it, so that one holiday has one name in every country's calendar."""
    languages = holidays.list_localized_countries().get(country, [])
    return next((name for name in ("en_US", "en") if name in languages), None)
