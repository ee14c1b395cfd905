"""Where events lie on a grid: which intervals each occurrence touches on people's own clock, and which hour of it.

Models see series on wall clocks (`forecasting/clock.py`), where every day has 24 hours; so do we. A wall time is a
naive stamp. Positions are counted in intervals from the first one of the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from capacity.config.event import Event
from capacity.demand.demand import Demand
from capacity.demand.gridding import WallClock
from capacity.timegrid import steps_per

#: Parts of an interval smaller than this are rounding.
ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Grid:
    """n intervals of history and those of the horizon, in the wall time of one zone."""

    wall: np.ndarray  # (n + H,) datetime64[us] start of each interval on the wall clock, ascending
    known: int  # n
    interval: pd.Timedelta
    zone: str

    @property
    def day(self) -> int:
        """Intervals in a day; 1 for daily data, 0 when a day is not a whole number of them."""
        return steps_per("1d", self.interval) or int(self.interval == pd.Timedelta(days=1))

    @property
    def week(self) -> int:
        """Intervals in a week; 1 for weekly data and coarser, 0 when a week is not a whole number of them."""
        return steps_per("7d", self.interval) or int(self.interval >= pd.Timedelta(days=7))

    @property
    def weekday(self) -> np.ndarray:
        """(n + H,) weekday in which the middle of each interval lies; Monday is 0."""
        middle = self.wall + np.timedelta64(self.interval) // 2
        return (middle.astype("datetime64[D]").astype(np.int64) + 3) % 7  # 1 January 1970 was a Thursday

    @property
    def moments(self) -> pd.DatetimeIndex:
        """(n + H,) the UTC moment of each wall time: of an hour that comes twice the first, of none the next."""
        first = np.ones(len(self.wall), dtype=bool)
        local = pd.DatetimeIndex(self.wall).tz_localize(self.zone, ambiguous=first, nonexistent="shift_forward")
        return local.tz_convert("UTC")

    def place(self, moment: datetime) -> float:
        """Position of a moment on the grid, parts of intervals included; below 0 or above n + H when outside."""
        if moment.tzinfo is not None:
            moment = moment.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        stamp = np.datetime64(moment, "us")
        near = int(np.clip(np.searchsorted(self.wall, stamp, side="right") - 1, 0, len(self.wall) - 1))
        return near + float((stamp - self.wall[near]) / np.timedelta64(self.interval))


def grid_of(past: Demand, zone: str, horizon: int) -> Grid:
    """The wall clock of a zone, as `forecasting/clock.py` lays series on it.

    There the clock of the cutoff goes on for ever, in both directions. Where intervals are longer than a clock change
    or do not divide it (days, two hours), values stay where they are, and the wall jumps.
    """
    times = pd.date_range(past.times[0], periods=len(past.times) + horizon, freq=past.interval, unit="us")
    utc = times.tz_localize(None).to_numpy()
    zone = "UTC" if isinstance(past.clock, WallClock) else zone or "UTC"  # such stamps are wall times already
    ahead = times.tz_convert(zone).tz_localize(None).to_numpy() - utc
    last = ahead[len(past.times) - 1]
    steady = not ((ahead - last) % np.timedelta64(past.interval)).astype(np.int64).any()
    return Grid(utc + (last if steady else ahead), len(past.times), past.interval, zone)


class Piece(NamedTuple):
    """What one occurrence of an event covers: a day of it, or all of it when it is not made of whole days.

    offset   which day of it, from its first; below 0 before it. 0 for what is not made of whole days
    core     whether this is the event itself, not a day before or after it
    columns  (K,) intervals touched, within history and horizon
    hours    (K,) which interval of the piece each is, from 0
    share    (K,) how much of each interval is covered, in (0, 1]
    """

    event: str
    number: int  # of the occurrence: days of one share it
    offset: int
    core: bool
    daily: bool
    columns: np.ndarray
    hours: np.ndarray
    share: np.ndarray


def pieces_of(event: Event, grid: Grid) -> list[Piece]:
    """Every piece of an event that touches the grid, in the order of time."""
    first, last = grid.wall[0].astype("datetime64[D]").item(), grid.wall[-1].astype("datetime64[D]").item()
    found = []
    for one in event.occurrences(first, last + timedelta(days=1)):
        if one.end is None:
            continue
        number = one.start.toordinal()
        if not one.whole_days:
            found.append(_piece(event.name, number, 0, True, False, one.start, one.end, grid))
            continue
        days = (one.end - one.start).days
        for offset in range(-event.days_before, days + event.days_after):
            start = one.start + timedelta(days=offset)
            core = 0 <= offset < days
            found.append(_piece(event.name, number, offset, core, True, start, start + timedelta(days=1), grid))
    return [piece for piece in found if len(piece.columns)]


def _piece(
    name: str, number: int, offset: int, core: bool, daily: bool, start: datetime, end: datetime, grid: Grid
) -> Piece:
    begin, stop = grid.place(start), grid.place(end)
    low, high = int(np.floor(begin + ROUNDING)), int(np.ceil(stop - ROUNDING))
    columns = np.arange(max(low, 0), min(high, len(grid.wall)))
    share = np.minimum(columns + 1, stop) - np.maximum(columns, begin)
    return Piece(name, number, offset, core, daily, columns, columns - low, np.clip(share, ROUNDING, 1.0))


def without_overlap(pieces: list[Piece], size: int) -> Iterator[Piece]:
    """Pieces that share no interval: of two, the event itself goes before days around one, and the nearer before."""
    taken = np.zeros(size, dtype=bool)
    for piece in sorted(pieces, key=lambda one: (not one.core, abs(one.offset), one.number, one.event)):
        free = ~taken[piece.columns]
        taken[piece.columns] = True
        if free.any():
            yield piece._replace(columns=piece.columns[free], hours=piece.hours[free], share=piece.share[free])
