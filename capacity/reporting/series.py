"""Long series made short enough to draw: buckets that keep the extremes, a detailed piece around the cutoff.

Everything here is plain JSON: a series is `{"start": ISO, "step_seconds": n, ...arrays}`, with None at gaps.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.demand.demand import Demand, Key
from capacity.forecasting.forecasts import Forecast, level_name

#: Levels drawn: the median and the bounds of the 50, 90 and 98 % bands.
LEVELS: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

#: Buckets to choose from, and the most of them in one picture: about one every pixel.
BUCKETS: Final = {"hour": "1h", "day": "1D", "week": "7D", "4 weeks": "28D"}
MOST: Final = 640

#: The piece drawn in detail: this many days before and after the cutoff.
DETAIL_DAYS: Final = 14

#: Of a bucket's intervals, the share that must be known; with less, its extreme would mislead, and it is a gap.
KNOWN: Final = 0.5

#: Significant digits of drawn values.
DIGITS: Final = 5


def bucket_for(span: pd.Timedelta, interval: pd.Timedelta, most: int = MOST) -> tuple[str, pd.Timedelta]:
    """Shortest bucket, at least as long as the interval, of which `most` cover the span; "" when it is the interval.

    >>> bucket_for(pd.Timedelta(days=516), pd.Timedelta(hours=1))
    ('day', Timedelta('1 days 00:00:00'))
    >>> bucket_for(pd.Timedelta(days=10), pd.Timedelta(hours=1))
    ('', Timedelta('0 days 01:00:00'))
    """
    if span / interval <= most:
        return "", interval
    for name, size in BUCKETS.items():
        length = pd.Timedelta(size)
        if length > interval and span / length <= most:
            return name, length
    return name, length


#: Buckets are counted from here, so that weeks begin on Mondays and days at midnight UTC.
MONDAY: Final = pd.Timestamp("1970-01-05", tz="UTC")


def starts(times: pd.DatetimeIndex, bucket: pd.Timedelta) -> np.ndarray:
    """Places where a new bucket begins."""
    begun = times.as_unit("us").asi8 - MONDAY.as_unit("us").value
    number = begun // (bucket // pd.Timedelta("1us"))
    return np.flatnonzero(np.diff(number, prepend=number[:1] - 1))


def begun(times: pd.DatetimeIndex, bucket: pd.Timedelta, interval: pd.Timedelta) -> pd.DatetimeIndex:
    """When the bucket of each stamp began, also where its first intervals are not there; stamps stay if not bucketed.

    >>> begun(pd.DatetimeIndex(["2026-08-03T14:25Z"]), pd.Timedelta(hours=1), pd.Timedelta(minutes=5))[0].minute
    0
    """
    return (MONDAY + (times - MONDAY) // bucket * bucket).as_unit("us") if bucket > interval else times


def enveloped(values: np.ndarray, places: np.ndarray, full: int) -> dict[str, np.ndarray]:
    """Lowest, mean and highest of each bucket of (n,) values; NaN where too little is known, edges included."""
    known = np.add.reduceat(np.isfinite(values).astype(int), places)
    enough = known >= KNOWN * full
    low = np.fmin.reduceat(values, places)
    high = np.fmax.reduceat(values, places)
    mean = np.add.reduceat(np.nan_to_num(values), places) / np.maximum(known, 1)
    return {name: np.where(enough, part, np.nan) for name, part in (("low", low), ("mean", mean), ("high", high))}


def whole(places: np.ndarray, length: int, full: int) -> slice:
    """Which buckets are complete: the first and the last may be cut off, and a part of a day has no daily peak."""
    sizes = np.diff(places, append=length)
    first = 0 if len(sizes) < 2 or sizes[0] >= full else 1
    last = len(sizes) if len(sizes) < 2 or sizes[-1] >= full else len(sizes) - 1
    return slice(first, last)


def overview(forecast: Forecast, key: Key) -> dict[str, Any]:
    """The whole history and the whole horizon of one series, in buckets: highest interval of each, and its envelope."""
    row = forecast.keys.index(key)
    past, interval = forecast.past, forecast.interval
    name, bucket = bucket_for(forecast.times[-1] + interval - past.times[0], interval)
    full = round(bucket / interval)
    places = starts(past.times, bucket)
    part = whole(places, len(past.times), full)
    known = enveloped(past.values[row], places, full)
    ahead = starts(forecast.times, bucket)
    piece = whole(ahead, len(forecast.times), full)
    highest = np.maximum.reduceat(forecast.paths[row], ahead, axis=1)[:, piece]
    return {
        "bucket": name,
        "past": gridded(past.times[places][part], bucket, {label: group[part] for label, group in known.items()}),
        "future": gridded(forecast.times[ahead][piece], bucket, quantiles(highest)),
    }


def detail(forecast: Forecast, key: Key) -> dict[str, Any]:
    """The last and the next two weeks of one series, as they are, or by the hour where they are finer."""
    row = forecast.keys.index(key)
    cutoff, days = forecast.cutoff, pd.Timedelta(days=DETAIL_DAYS)
    past = forecast.past.since(cutoff - days)
    near = int(forecast.times.searchsorted(cutoff + days))
    name, bucket = bucket_for(2 * days, forecast.interval, 2 * 24 * DETAIL_DAYS)
    size = round(bucket / forecast.interval)
    places = starts(past.times, bucket)
    ahead = starts(forecast.times[:near], bucket)
    known = enveloped(past.values[row], places, size)
    sums = np.add.reduceat(forecast.paths[row, :, :near], ahead, axis=1)
    means = sums / np.diff(ahead, append=near)
    return {
        "bucket": name,
        "past": gridded(begun(past.times[places], bucket, past.interval), bucket, {"mean": known["mean"]}),
        "future": gridded(begun(forecast.times[ahead], bucket, past.interval), bucket, quantiles(means)),
    }


def quantiles(paths: np.ndarray) -> dict[str, np.ndarray]:
    """(P, H) paths -> the levels drawn, by name."""
    return {level_name(level): values for level, values in zip(LEVELS, np.quantile(paths, LEVELS, axis=0), strict=True)}


def daily_highest(times: pd.DatetimeIndex, interval: pd.Timedelta, columns: dict[str, np.ndarray]) -> dict[str, Any]:
    """Highest value of each day, for whole columns of counts; a part of a day counts for what it holds."""
    day = max(pd.Timedelta("1D"), interval)
    places = starts(times, day)
    highest = {name: np.fmax.reduceat(np.asarray(values, dtype=float), places) for name, values in columns.items()}
    return gridded(times[places].floor("D") if day > interval else times[places], day, highest)


def passed_by(times: pd.DatetimeIndex, interval: pd.Timedelta, paths: np.ndarray, limit: float) -> dict[str, Any]:
    """Share of (P, H) paths that have been above `limit` at least once, by the end of each day."""
    passed = np.maximum.accumulate(paths > limit, axis=1).mean(axis=0)
    return daily_highest(times, interval, {"probability": passed})


def recent_past(demand: Demand, key: Key, days: int) -> np.ndarray:
    """The known values of the last days of a series; empty when none is known."""
    values = demand.since(demand.end - pd.Timedelta(days=days)).values[demand.keys.index(key)]
    return values[np.isfinite(values)]


def gridded(times: pd.DatetimeIndex, step: pd.Timedelta, columns: dict[str, np.ndarray]) -> dict[str, Any]:
    """Arrays on a regular grid as plain data. A bucket that does not exist is a gap of its own."""
    if len(times):
        grid = pd.date_range(times[0], times[-1], freq=step, unit="us")
        if len(grid) != len(times):
            place = grid.searchsorted(times)
            columns = {name: _placed(values, place, len(grid)) for name, values in columns.items()}
    return {
        "start": times[0].isoformat() if len(times) else None,
        "step_seconds": step.total_seconds(),
        **{name: plain(values) for name, values in columns.items()},
    }


class Plain(list[float | None]):
    """Numbers that are plain already: most of a document is these, and need no second look."""


def plain(values: np.ndarray) -> Plain:
    """Floats of DIGITS significant digits, None for NaN."""
    known = np.asarray(values, dtype=float).tolist()
    return Plain(float(f"{value:.{DIGITS}g}") if isfinite(value) else None for value in known)


def grid_of(series: dict[str, Any], name: str) -> pd.DatetimeIndex:
    """The stamps of a series made by `gridded`: the way back, for drawing."""
    step = pd.Timedelta(seconds=series["step_seconds"])
    if series["start"] is None:
        return pd.DatetimeIndex([], tz="UTC").as_unit("us")
    return pd.date_range(series["start"], periods=len(series[name]), freq=step, unit="us")


def array(series: dict[str, Any], name: str) -> np.ndarray:
    """The values of a series made by `gridded`, NaN at gaps."""
    return np.array([np.nan if value is None else value for value in series[name]], dtype=float)


def _placed(values: np.ndarray, place: np.ndarray, length: int) -> np.ndarray:
    out = np.full(length, np.nan)
    out[place] = values
    return out
