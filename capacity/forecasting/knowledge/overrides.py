"""What an expert said against the models: applied to the paths, and recorded with who, why and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from capacity.demand.demand import Demand, Key
from capacity.demand.gridding import WallClock
from capacity.errors import InputError
from capacity.findings import Finding
from capacity.forecasting.prepare import OFFSET

#: A moment: text, a date, a datetime, a Timestamp. Without an offset it is on the local clock of the service.
When = str | date


@dataclass(frozen=True)
class Override:
    """One judgement: of which series, from when to when (UTC, end exclusive), what, by whom, why, and on which day.

    multiply  what the paths were multiplied by; None when `to` is given
    to        what the median of each interval was made to be
    """

    service: str
    metric: str
    start: pd.Timestamp
    end: pd.Timestamp
    multiply: float | None
    to: float | None
    by: str
    why: str
    made: str

    def __str__(self) -> str:
        what = f"×{self.multiply:g}" if self.multiply is not None else f"to {self.to:g} {Key('', self.metric).unit}"
        span = f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"
        return f"{self.service} {self.metric} {what}, {span}, by {self.by} on {self.made}: {self.why}"

    @property
    def finding(self) -> Finding:
        """It as a finding: everyone who reads the forecast is told."""
        message = f"overridden: {str(self).removeprefix(f'{self.service} {self.metric} ')}"
        return Finding(
            self.service, self.metric, "override", "REVIEW", message, "See that it still holds.", self.start, self.end
        )


def overridden(
    paths: np.ndarray, inside: np.ndarray, *, multiply: float | None = None, to: float | None = None
) -> np.ndarray:
    """(P, H) paths of one series with the (H,) intervals inside changed.

    Where `to` lowers the median, paths keep their relative spread. Where it raises it, they keep it above an offset, as
    models see load (prepare.py): a night in which ten times the usual is nothing is not the spread of a busy hour.

    >>> paths = np.array([[1.0, 1.0], [3.0, 3.0]])
    >>> overridden(paths, np.array([True, False]), to=1.0).tolist()
    [[0.5, 1.0], [1.5, 3.0]]
    >>> overridden(paths, np.array([True, False]), to=8.0).round(1).tolist()
    [[4.7, 1.0], [11.3, 3.0]]
    """
    given = multiply if multiply is not None else to
    if (multiply is None) == (to is None):
        raise InputError("an override says either multiply= or to=", advice="multiply=1.3 is 30 % more; to=500 is 500.")
    if given is None or not (np.isfinite(given) and given >= 0):
        raise InputError(f"an override to {given!r}: it is a number, and not negative")
    changed = np.array(paths)
    if multiply is not None:
        changed[:, inside] *= multiply
        return changed
    medians = np.median(changed, axis=0).astype(float)
    middle, part = medians[inside], changed[:, inside].astype(float)
    offset = np.where(given > middle, OFFSET * medians.mean(), 0.0)
    scaled = np.divide(given + offset, middle + offset, out=np.ones_like(middle), where=middle + offset > 0)
    changed[:, inside] = np.where(middle + offset > 0, (part + offset) * scaled - offset, given)
    return changed


def inside_of(past: Demand, key: Key, times: pd.DatetimeIndex, start: When, end: When | None) -> np.ndarray:
    """(H,) True for intervals that start in [start, end); `end` None is the end of the horizon.

    Raises InputError when there is none.
    """
    zone = past.zones[past.keys.index(key)]
    wall = times.tz_localize(None) if isinstance(past.clock, WallClock) else times.tz_convert(zone).tz_localize(None)
    inside = _compared(times, wall, start) >= 0
    if end is not None:
        inside &= _compared(times, wall, end) < 0
    if not inside.any():
        raise InputError(
            f"no interval of the forecast starts from {start} to before {end}",
            advice=f"It covers {times[0]:%Y-%m-%d %H:%M} to {times[-1]:%Y-%m-%d %H:%M} UTC; end is exclusive.",
        )
    return inside


def _compared(times: pd.DatetimeIndex, wall: pd.DatetimeIndex, when: When) -> np.ndarray:
    """(H,) below, at or above 0: before, at or after a moment."""
    try:
        moment = pd.Timestamp(when)
    except (ValueError, TypeError) as error:
        raise InputError(f"{when!r} is not a time", advice="Write 2026-11-27, or a time of ISO 8601.") from error
    own = wall if moment.tz is None else times
    return np.sign((own - moment) / pd.Timedelta("1us"))
