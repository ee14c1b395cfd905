"""Scored intervals by how far ahead they lie, by weekday and by hour: on the clock of the people behind each series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.timegrid import horizon_steps

#: Monday is 0, as pandas counts.
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

#: Where what is trusted may end, in days: tomorrow, a week, four weeks, a quarter, half a year, four quarters.
LEAD_DAYS: Final = (1.0, 7.0, 28.0, 91.0, 182.0, 364.0)

#: Gives each of (H,) scored intervals of each of S series, living by these zones, its group: (S, H) from 0.
Grouping = Callable[[pd.DatetimeIndex, Sequence[str]], np.ndarray]


def all_as_one(times: pd.DatetimeIndex, zones: Sequence[str]) -> np.ndarray:
    """Every interval in one group."""
    return np.zeros((len(zones), len(times)), dtype=np.int64)


def by_lead(every: str | int, interval: pd.Timedelta) -> Grouping:
    """So many intervals after the first that is scored, in parts of `every`."""
    size = horizon_steps(every, interval)
    return lambda times, zones: np.tile(np.arange(len(times)) // size, (len(zones), 1))


def by_band(interval: pd.Timedelta) -> Grouping:
    """Leads in the bands that end at LEAD_DAYS."""
    return lambda times, zones: np.tile(bands(len(times), interval), (len(zones), 1))


def bands(steps: int, interval: pd.Timedelta) -> np.ndarray:
    """(H,) band of each lead.

    >>> bands(4, pd.Timedelta("12h")).tolist(), bands(3, pd.Timedelta("5D")).tolist()
    ([0, 0, 1, 1], [1, 2, 2])
    """
    days = np.arange(1, steps + 1) * (interval / pd.Timedelta(days=1))
    return np.searchsorted(LEAD_DAYS, days - 1e-9)


def by_weekday(interval: pd.Timedelta) -> Grouping:
    """Day of the week on each series' own clock, Monday is 0."""
    if interval > pd.Timedelta(days=1):
        raise InputError(f"intervals of {interval} have no day of the week", advice="Look at by_lead() instead.")
    return lambda times, zones: on_clocks(times, zones, interval, "day_of_week")


def by_hour(interval: pd.Timedelta) -> Grouping:
    """Hour of the day on each series' own clock, 0 to 23."""
    if interval >= pd.Timedelta(days=1):
        raise InputError(f"intervals of {interval} have no hour of the day", advice="Look at by_weekday() instead.")
    return lambda times, zones: on_clocks(times, zones, interval, "hour")


def on_clocks(times: pd.DatetimeIndex, zones: Sequence[str], interval: pd.Timedelta, part: str) -> np.ndarray:
    """(S, H) hour or day of the week at the middle of each interval, where a whole day is still that day west of UTC.

    >>> noon = pd.date_range("2026-10-05", periods=2, freq="D", tz="UTC")  # Monday, Tuesday
    >>> on_clocks(noon, ["America/New_York", "UTC"], pd.Timedelta(days=1), "day_of_week").tolist()
    [[0, 1], [0, 1]]
    """
    middle = times + interval / 2
    found = {zone: np.asarray(getattr(middle.tz_convert(zone), part)) for zone in dict.fromkeys(zones)}
    return np.stack([found[zone] for zone in zones])
