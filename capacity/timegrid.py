"""Regular time: intervals, horizons and seasons. Inside the package a stamp is UTC and the start of its interval."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import numpy as np
import pandas as pd

from capacity.errors import InputError

#: Share of an interval's finer values that must be there for their mean to speak for it; with fewer it is a gap.
LEAST_PRESENT: Final = 0.5

#: Share of the hours known at all that an interval has to know to be preferred to a longer one that knows them all.
NEARLY: Final = 0.99

#: Intervals to plan by, and the most of them in a horizon: 91 days of hours are 2,184, and 400 paths of those for a
#: hundred series 0.7 GB. The same quarter by minutes would be sixty times that, and no better known.
PLANNING: Final = ("1min", "5min", "15min", "30min", "1h")
PLANNED_STEPS: Final = 2_500

_DURATION = re.compile(r"(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>s|sec|min|m|h|d|w)", re.IGNORECASE)
_SECONDS = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def duration(text: str | timedelta) -> pd.Timedelta:
    """A duration from words such as '91d', '36h', '5min', '13w'.

    >>> duration("91d")
    Timedelta('91 days 00:00:00')
    """
    if isinstance(text, timedelta):
        return pd.Timedelta(text)
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{text!r} is not a duration", advice="Write a number and a unit: 91d, 36h, 90min, 13w.")
    return pd.Timedelta(seconds=float(match["count"]) * _SECONDS[match["unit"].lower()])


def horizon_steps(horizon: int | str | timedelta, interval: pd.Timedelta) -> int:
    """How many intervals a horizon spans: a count stays, a duration is divided by the interval and rounded up.

    >>> horizon_steps("91d", pd.Timedelta("1h"))
    2184
    """
    if isinstance(horizon, str) and horizon.strip().isdigit():
        horizon = int(horizon)
    if isinstance(horizon, bool) or not isinstance(horizon, (int, np.integer, str, timedelta)):
        raise InputError(f"horizon {horizon!r} is neither a count of intervals nor a duration such as '91d'")
    steps = int(horizon) if isinstance(horizon, (int, np.integer)) else int(np.ceil(duration(horizon) / interval))
    if steps < 1:
        raise InputError(f"horizon {horizon!r} is shorter than one interval ({interval})")
    return steps


def planning_interval(horizon: str) -> pd.Timedelta | None:
    """The shortest of the usual intervals by which a horizon is planned: the finest with at most PLANNED_STEPS of them.

    None for a count of intervals: those are the history's own. Never longer than an hour: within it the busiest minute
    is kept beside the mean, and a day keeps its shape.

    >>> planning_interval("91d"), planning_interval("7d"), planning_interval("500")
    (Timedelta('0 days 01:00:00'), Timedelta('0 days 00:05:00'), None)
    """
    if horizon.strip().isdigit():
        return None
    length = duration(horizon)
    fitting = (size for size in map(pd.Timedelta, PLANNING) if length / size <= PLANNED_STEPS)
    return next(fitting, pd.Timedelta(PLANNING[-1]))


def interval_of(times: pd.DatetimeIndex) -> pd.Timedelta:
    """The interval of a series: the most common distance between neighbours (the smaller of equals).

    Raises InputError with fewer than two distinct stamps: one point has no interval.
    """
    stamps = times.as_unit("us").asi8
    gaps = np.diff(stamps)
    if len(gaps) and gaps[0] > 0 and (gaps == gaps[0]).all():  # as most are: nothing to sort or to count
        return pd.Timedelta(int(gaps[0]), unit="us")
    gaps = np.diff(np.unique(stamps))
    if len(gaps) == 0:
        raise InputError("one stamp has no interval", advice="Say interval_seconds=..., or bring more rows.")
    sizes, counts = np.unique(gaps, return_counts=True)
    return pd.Timedelta(int(sizes[np.argmax(counts)]), unit="us")


def grid(start: pd.Timestamp, end: pd.Timestamp, interval: pd.Timedelta) -> pd.DatetimeIndex:
    """Every interval start from `start` to before `end`."""
    return pd.date_range(start, end, freq=interval, inclusive="left", unit="us")


def steps_per(period: str, interval: pd.Timedelta) -> int:
    """Intervals in a day or week; 0 when the interval is not shorter than it, or does not divide it.

    >>> steps_per("1d", pd.Timedelta(minutes=5)), steps_per("7d", pd.Timedelta(days=1))
    (288, 7)
    >>> steps_per("1d", pd.Timedelta(days=1))
    0
    """
    ratio = duration(period) / interval
    return int(ratio) if ratio > 1 and float(ratio).is_integer() else 0


def reaching(starts: Mapping[int, np.ndarray]) -> int:
    """The interval that, with the finer ones that divide it, knows most hours; the shortest that knows nearly as many.

    starts  interval in seconds -> when its own values start, in microseconds since 1970

    CloudWatch keeps minutes for two weeks, five minutes for nine, hours for fifteen months: the rows of each interval
    are the older part only, and those of finer ones go on from there. Who fetches once a month has the two in turn.

    >>> day = 86_400_000_000
    >>> minutes, fives = np.arange(15 * day, 30 * day, 60_000_000), np.arange(0, 15 * day, 300_000_000)
    >>> reaching({60: minutes, 300: fives}), reaching({60: minutes, 300: minutes[::5]})
    (300, 60)
    """
    hours = {seconds: _hours(us, seconds) for seconds, us in starts.items()}
    known = {
        seconds: len(np.unique(np.concatenate([part for finer, part in hours.items() if seconds % finer == 0])))
        for seconds in sorted(hours)
    }
    return next(seconds for seconds, count in known.items() if count >= NEARLY * max(known.values()))


def _hours(us: np.ndarray, seconds: int) -> np.ndarray:
    """Which hours since 1970 hold a part of these intervals; each hour once."""
    first = np.unique(us // 3_600_000_000)
    return np.unique(first[:, None] + np.arange(max(1, seconds // 3600)))


def averaged(parts: np.ndarray, least: float = LEAST_PRESENT) -> np.ndarray:
    """(n,) mean of each row's values; NaN where fewer than this share of them is there, and where none is.

    >>> rows = np.array([[1, 2, 3, np.nan], [1, np.nan, np.nan, np.nan], [np.nan] * 4])
    >>> averaged(rows).tolist(), averaged(rows, least=0.0).tolist()
    ([2.0, nan, nan], [2.0, 1.0, nan])
    """
    present = np.isfinite(parts)
    counts = present.sum(axis=1)
    sums = np.where(present, parts, 0.0).sum(axis=1)
    return np.where(counts >= max(least * parts.shape[1], 1), sums / np.maximum(counts, 1), np.nan)
