"""Regular time: intervals, horizons and seasons. Inside the package a stamp is UTC and the start of its interval."""

from __future__ import annotations

import re
from datetime import timedelta

import numpy as np
import pandas as pd

from capacity.errors import InputError

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


def interval_of(times: pd.DatetimeIndex) -> pd.Timedelta:
    """The interval of a series: the most common distance between neighbours (the smaller of equals).

    Raises InputError with fewer than two distinct stamps: one point has no interval.
    """
    gaps = np.diff(np.unique(times.as_unit("us").asi8))
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
