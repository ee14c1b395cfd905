"""People's clocks: load follows local time, stamps are UTC, and twice a year the two part by an hour.

A daily profile learnt in UTC is an hour wrong from the day of a clock change until it has been forgotten. So models see
each series on its own wall clock, as it stands at the cutoff, and what they say is read back in UTC. Where a clock was
put back, one hour of two is dropped from what is learnt; where it was put forward, an hour is a gap.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from capacity.demand.demand import Demand
from capacity.forecasting.base import Fan, Forecaster, fan_of


def fan_on_local_clocks(model: Forecaster, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> Fan:
    """`fan_of`, with every series of a zone of its own (`Demand.zones`) modelled on that zone's clock."""
    times = pd.date_range(past.times[0], periods=len(past.times) + horizon, freq=past.interval, unit="us")
    known = len(past.times)
    of_zone = {zone: shifts_of(zone, times, known) for zone in dict.fromkeys(past.zones)}
    if not any(shifts.any() for shifts in of_zone.values()):
        return fan_of(model, past, horizon, count, rng)
    shifts = np.array([of_zone[zone] for zone in past.zones])  # (S, n + H)
    ahead = np.arange(horizon) + shifts[:, known:]  # (S, H) which step of the wall clock each interval is
    fan = fan_of(model, on_wall(past, shifts[:, :known]), max(horizon, int(ahead.max()) + 1), count, rng)
    return replace(fan, paths=in_steps(fan.paths, np.clip(ahead, 0, None)))


def in_steps(paths: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(S, P, H') -> (S, P, H) with H at most H': the steps that each series asks for, moved within the array itself."""
    horizon = steps.shape[1]
    moved = paths if paths.flags.writeable else paths.copy()
    for row, wanted in enumerate(steps):
        if (wanted != np.arange(horizon)).any():
            moved[row, :, :horizon] = moved[row][:, wanted]
    return moved[:, :, :horizon]


def shifts_of(zone: str, times: pd.DatetimeIndex, known: int) -> np.ndarray:
    """How many intervals each stamp's wall clock is ahead of where the last known one's would put it: (len(times),).

    Zero throughout for UTC, for zones without clock changes in the span, and for intervals that do not divide the
    change (days, weeks).

    >>> hours = pd.date_range("2026-10-24", periods=48, freq="h", tz="UTC")
    >>> shifts_of("Europe/Paris", hours, known=48)[[0, 24, 25, 47]]  # summer time ends on 25 October, 01:00 UTC
    array([1, 1, 0, 0])
    """
    if zone in ("", "UTC"):
        return np.zeros(len(times), dtype=np.int64)
    wall = times.tz_convert(zone).tz_localize(None).asi8 - times.tz_localize(None).asi8  # microseconds ahead of UTC
    steps, rest = np.divmod(wall - wall[known - 1], interval_microseconds(times))
    return np.zeros(len(times), dtype=np.int64) if rest.any() else steps


def interval_microseconds(times: pd.DatetimeIndex) -> int:
    """The interval of a regular grid in microseconds."""
    return int(times.asi8[1] - times.asi8[0]) if len(times) > 1 else 1


def on_wall(past: Demand, shifts: np.ndarray) -> Demand:
    """The demand with each value moved to its place on the wall clock; of two in one place the later stays."""
    length = len(past.times)
    values, peaks = np.full_like(past.values, np.nan), np.full_like(past.peaks, np.nan)
    censored = np.zeros_like(past.censored)
    for row, shift in enumerate(shifts):
        place = np.arange(length) + shift
        inside = np.flatnonzero((place >= 0) & (place < length))
        for new, given in ((values, past.values), (peaks, past.peaks), (censored, past.censored)):
            new[row, place[inside]] = given[row, inside]
    return replace(past, values=values, peaks=peaks, censored=censored)
