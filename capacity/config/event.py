"""`[[event]]` and `Event`: what people know of days that are not like others, past and to come."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, model_validator

from capacity.config.base import Positive, Settings

#: `end` of a change that stays.
NEVER: Final = "never"

_DAY: Final = timedelta(days=1)


def _as_text(value: Any) -> Any:
    """Dates and times, TOML's and pandas' own among them, as ISO 8601 text; None, of an end, as 'never'."""
    if value is None:
        return NEVER
    return value.isoformat() if isinstance(value, (date, time)) else value


Moment = Annotated[str, BeforeValidator(_as_text)]


class Occurrence(NamedTuple):
    """One time that an event happens. Naive moments are on the clock of whoever it happens to.

    start, end  the event itself; `end` is None when it never ends
    whole_days  both are midnights on a local clock, so that the days around it can be told apart
    """

    start: datetime
    end: datetime | None
    whole_days: bool


class Event(Settings):
    """Something that moves load and is known beforehand: a launch, a sale, a holiday, a migration.

    Moments are dates, datetimes or ISO 8601 text. Without an offset they are on the local clock of each service
    (`Service.timezone`); with one they are the same moment for all. A date is its midnight. An event without `end`
    lasts the whole local day on which it starts; `end=None` (in TOML "never") is a lasting change of level.

    >>> sale = Event(name="sale", start="2025-11-28", end="2025-12-02", every="year", uplift=3)
    >>> [str(one.start.date()) for one in sale.occurrences(date(2025, 1, 1), date(2027, 1, 1))]
    ['2025-11-28', '2026-11-28']
    >>> Event(name="migration", start="2026-05-03", end=None, uplift=1.4).lasting
    True
    """

    name: str = Field(min_length=1, pattern=r"\S", description="What it is called in findings.")
    start: Moment = Field(description="When it first starts. A date alone is that day's local midnight.")
    end: Moment = Field(
        "", description='When it is over, exclusive; "never" for a lasting change; empty: with the day that it starts.'
    )
    uplift: Positive | None = Field(
        None, description="Load during it over what is usual; leave out to learn it from past times."
    )
    services: tuple[str, ...] = Field((), description="Whom it concerns; empty: all.")
    metrics: tuple[str, ...] = Field(
        (), description="Of what; empty: all, but a given uplift then leaves memory as it is."
    )
    dates: tuple[Moment, ...] = Field((), description="Other times it starts, past or to come; each lasts as long.")
    every: Literal["", "week", "month", "year"] = Field("", description="How it recurs, from `start` on.")
    days_before: int = Field(0, ge=0, le=31, description="Days before it that it moves too; they are learnt only.")
    days_after: int = Field(0, ge=0, le=31, description="Days after it that it moves too; they are learnt only.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        start = _moment(self.start, "start")
        for other in self.dates:
            if (_moment(other, "dates").tzinfo is None) != (start.tzinfo is None):
                raise ValueError(f"dates: {other} and start: {self.start} must both have an offset, or neither")
        if self.lasting:
            if self.every or self.dates or self.days_before or self.days_after:
                raise ValueError("a lasting change happens once: no every, dates, days_before, days_after")
            return self
        if not self.end:
            if not _midnight(start) or start.tzinfo is not None:
                raise ValueError(f"start {self.start} is not a local day: say end, or end=None for a lasting change")
            return self
        end = _moment(self.end, "end")
        if (end.tzinfo is None) != (start.tzinfo is None):
            raise ValueError("start and end must both have an offset, or neither")
        if end <= start:
            raise ValueError(f"end {self.end} is not after start {self.start}: it is exclusive, the day after the last")
        if (self.days_before or self.days_after) and not self._whole_days(start, end):
            raise ValueError("days_before and days_after need an event of whole local days")
        return self

    @property
    def lasting(self) -> bool:
        """Whether it is a change of level that stays."""
        return self.end == NEVER

    def concerns(self, service: str, metric: str) -> bool:
        """Whether a series is moved by it at all."""
        return (not self.services or service in self.services) and (not self.metrics or metric in self.metrics)

    def occurrences(self, first: date, last: date) -> list[Occurrence]:
        """Every time it happens that may touch the local days from `first` to `last`, in order, each once.

        A monthly event of the 31st is on the last day of shorter months, a yearly one of 29 February on the 28th.
        """
        start = _moment(self.start, "start")
        if self.lasting:
            return [Occurrence(start, None, False)]
        length = _moment(self.end, "end") - start if self.end else _DAY
        before, after = timedelta(days=self.days_before + 1), timedelta(days=self.days_after + 1)
        starts = {start, *(_moment(other, "dates") for other in self.dates), *self._repeated(start, last)}
        return [
            Occurrence(one, one + length, self._whole_days(one, one + length))
            for one in sorted(starts)
            if (one + length + after).date() >= first and (one - before).date() <= last
        ]

    def _repeated(self, start: datetime, last: date) -> Iterator[datetime]:
        count = 0
        while self.every:
            count += 1
            moment = start + count * 7 * _DAY if self.every == "week" else _months_after(start, count, self.every)
            if moment.date() - timedelta(days=self.days_before + 1) > last:
                return
            yield moment

    @staticmethod
    def _whole_days(start: datetime, end: datetime) -> bool:
        return start.tzinfo is None and _midnight(start) and _midnight(end)


def _months_after(start: datetime, count: int, every: str) -> datetime:
    months = start.year * 12 + start.month - 1 + (count * 12 if every == "year" else count)
    year, month = divmod(months, 12)
    return start.replace(year=year, month=month + 1, day=min(start.day, calendar.monthrange(year, month + 1)[1]))


def _midnight(moment: datetime) -> bool:
    return moment.time() == time(0)


def _moment(text: str, field: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{field} {text!r} is neither a date such as 2026-11-27 nor a time of ISO 8601") from None
