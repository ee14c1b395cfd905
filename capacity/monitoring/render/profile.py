"""A week of 168 hours as few spans, for monitors that know the hour and the day but no table."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

HOURS: Final = 24
DAYS: Final = 7

#: Digits that are kept: the rest is rounded away from the side that alarms, by less than one in a thousand.
DIGITS: Final = 4


class Span(NamedTuple):
    """Hours of a day, from `first` to before `end`, in which one value is expected."""

    first: int
    end: int
    value: float


class Day(NamedTuple):
    """Days of one course. Monday is 0."""

    days: tuple[int, ...]
    spans: tuple[Span, ...]

    @property
    def unknown(self) -> list[int]:
        """Hours of which nothing is expected."""
        known = {hour for span in self.spans for hour in range(span.first, span.end)}
        return [hour for hour in range(HOURS) if hour not in known]


def week(profile: tuple[float, ...], comparison: str) -> list[Day]:
    """The profile, Monday 00:00 first, by the days that are alike. Rounded outward: it never alarms earlier for it.

    An hour that is NaN expects nothing, and so has no span.

    >>> flat = tuple([10.0] * 8 + [123456.0] * 16) * 5 + (5.0,) * 48
    >>> week(flat, ">")
    [Day(days=(0, 1, 2, 3, 4), spans=(Span(first=0, end=8, value=10.0), Span(first=8, end=24, value=123500.0))), \
Day(days=(5, 6), spans=(Span(first=0, end=24, value=5.0),))]
    """
    courses: dict[tuple[Span, ...], list[int]] = {}
    for day in range(DAYS):
        values = [outward(value, comparison) for value in profile[day * HOURS : (day + 1) * HOURS]]
        courses.setdefault(tuple(_spans(values)), []).append(day)
    return [Day(tuple(days), spans) for spans, days in courses.items()]


def kindest(profile: tuple[float, ...], minutes: int, comparison: str) -> tuple[float, ...]:
    """By the hour in which a period begins, what it is held against: the kindest of the hours that it may touch.

    An hour that expects nothing is the kindest of all.

    >>> kindest((1.0, 5.0, 2.0), 60, ">"), kindest((1.0, 5.0, 2.0), 1, ">")
    ((5.0, 5.0, 2.0), (1.0, 5.0, 2.0))
    """
    values = np.asarray(profile, dtype=float)
    touched = 0 if minutes == 1 else math.ceil(minutes / 60)
    hours = [np.roll(values, -later) for later in range(touched + 1)]
    held = np.max(hours, axis=0) if ">" in comparison else np.min(hours, axis=0)
    return tuple(float(value) for value in held)


def _spans(values: list[float]) -> list[Span]:
    spans: list[Span] = []
    for hour, value in enumerate(values):
        if math.isnan(value):
            continue
        if spans and spans[-1].value == value and spans[-1].end == hour:
            spans[-1] = spans[-1]._replace(end=hour + 1)
        else:
            spans.append(Span(hour, hour + 1, value))
    return spans


def outward(value: float, comparison: str, digits: int = DIGITS) -> float:
    """Rounded to so many digits, up where more than it alarms, down where less does.

    >>> outward(123456, ">"), outward(123456, "<"), outward(0.0, ">")
    (123500.0, 123400.0, 0.0)
    """
    if value == 0 or not math.isfinite(value):
        return value
    step = 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
    steps = value / step
    whole = round(steps)
    if not math.isclose(steps, whole, rel_tol=1e-12):
        whole = math.ceil(steps) if ">" in comparison else math.floor(steps)
    return float(f"{whole * step:.{digits}g}")
