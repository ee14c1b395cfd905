"""From when to when: how much of a change each interval of the horizon sees."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from capacity.config import Scenario
from capacity.demand.gridding import WallClock
from capacity.errors import InputError
from capacity.forecasting.forecasts import Forecast
from capacity.timegrid import duration

_MICRO: Final = pd.Timedelta("1us")


class Shares(NamedTuple):
    """(H,) share of a change in force, in [0, 1]: on average over each interval, at least in it, and at most."""

    mean: np.ndarray
    least: np.ndarray
    most: np.ndarray


def shares(scenario: Scenario, forecast: Forecast, timezone: str) -> Shares:
    """How much of the scenario each interval of a forecast sees; all of it when nobody said when.

    timezone  whose clock moments without an offset are on

    Raises InputError when the horizon sees nothing of it.
    """
    length = len(forecast.times)
    if not scenario.windowed:
        return Shares(*(np.ones(length) for _ in range(3)))
    zone = "UTC" if isinstance(forecast.past.clock, WallClock) else timezone
    (once,) = scenario.event.occurrences(date(1, 1, 3), date(9999, 12, 28))
    begin, end = once.start, once.end
    first = _place(begin, zone)
    last = None if end is None else _place(end, zone)
    ramp = round(duration(scenario.ramp) / _MICRO) if scenario.ramp else 0
    starts = forecast.times.as_unit("us").asi8
    found = trapezoid(starts, starts + round(forecast.interval / _MICRO), first, last, ramp)
    if not found.most.any():
        until = "" if last is None else f" to {pd.Timestamp(last, unit='us'):%Y-%m-%d %H:%M}"
        raise InputError(
            f"scenario {scenario.name!r} happens outside of the plan: {pd.Timestamp(first, unit='us'):%Y-%m-%d %H:%M}"
            f"{until} UTC",
            advice=f"The plan spans {forecast.times[0]:%Y-%m-%d %H:%M} to "
            f"{forecast.times[-1] + forecast.interval:%Y-%m-%d %H:%M} UTC.",
        )
    return found


def happens(scenario: Scenario, forecast: Forecast, timezones: Iterable[str]) -> bool:
    """Whether the horizon sees anything of it, on any of these clocks."""
    for zone in dict.fromkeys(timezones):
        try:
            shares(scenario, forecast, zone)
        except InputError:
            return False
    return True


def _place(moment: datetime, zone: str) -> int:
    """Microseconds since 1970: of a local hour that comes twice the first, of one that never comes the next."""
    if moment.tzinfo is None:
        local = pd.Timestamp(moment).tz_localize(ZoneInfo(zone), ambiguous=True, nonexistent="shift_forward")
    else:
        local = pd.Timestamp(moment)
    return int((local - pd.Timestamp(0, tz="UTC")) / _MICRO)


def trapezoid(starts: np.ndarray, ends: np.ndarray, begin: int, end: int | None, ramp: int) -> Shares:
    """A rise from 0 to 1 over `ramp` from `begin` on, 1, and a fall to 0 over `ramp` before `end` (None: never).

    starts, ends  (H,) of the intervals, on the same axis

    >>> trapezoid(np.array([0, 10, 20, 30]), np.array([10, 20, 30, 40]), begin=10, end=40, ramp=10).mean.tolist()
    [0.0, 0.5, 1.0, 0.5]
    >>> [part.tolist() for part in trapezoid(np.array([0, 10]), np.array([10, 20]), begin=15, end=None, ramp=0)]
    [[0.0, 0.5], [0.0, 0.0], [0.0, 1.0]]
    """
    far = max(int(ends[-1]), begin) + 2 * ramp + 1 if end is None else end
    inside = ends if ramp else ends - 1  # an interval does not hold its end; a slope comes as near to it as can be
    mean = (_area(ends, begin, far, ramp) - _area(starts, begin, far, ramp)) / (ends - starts)
    edges = [_height(place, begin, far, ramp) for place in (starts, inside)]
    most = _height(np.clip(np.full_like(starts, begin + ramp), starts, inside), begin, far, ramp)
    return Shares(np.clip(mean, 0.0, 1.0), np.minimum(*edges), most)


def _height(places: np.ndarray, begin: int, end: int, ramp: int) -> np.ndarray:
    if ramp == 0:
        return ((places >= begin) & (places < end)).astype(float)
    return np.clip(np.minimum(places - begin, end - places) / ramp, 0.0, 1.0)


def _area(places: np.ndarray, begin: int, end: int, ramp: int) -> np.ndarray:
    """What has been seen until each place: flanks are half full, so that each counts as a step in its middle."""
    rise, fall = (np.clip(places - one, 0, ramp).astype(float) for one in (begin, end - ramp))
    flat = np.clip(places, begin + ramp, end - ramp).astype(float) - (begin + ramp)
    if ramp == 0:
        return flat
    return np.asarray(rise**2 / (2 * ramp) + flat + fall - fall**2 / (2 * ramp))
