"""Stamps as people have them, as one regular UTC grid: sorted, checked, with missing stamps as gaps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.demand.demand import Key
from capacity.errors import HistoryTooShort, InputError, Problem
from capacity.findings import Finding
from capacity.timegrid import duration, interval_of

DAY: Final = pd.Timedelta(days=1)

#: Intervals to suggest for stamps that keep none.
USUAL: Final = ("1min", "5min", "15min", "30min", "1h", "6h", "1D", "7D")

#: Longest grid made of one series: ten years of minutes. Fewer stamps than gaps on such a grid are not a series.
LONGEST: Final = 5_300_000

#: Share of the grid that has to hold a stamp; below it the "interval" is an accident of two close events.
LEAST_FILLED: Final = 0.01


@dataclass(frozen=True, eq=False)
class Gridded:
    """One series on its own regular grid; a gap is NaN."""

    times: pd.DatetimeIndex  # (n,) UTC
    interval: pd.Timedelta
    values: np.ndarray  # (n,)
    clock: Any = "UTC"  # as Demand.clock
    findings: tuple[Finding, ...] = ()


class WallClock:
    """The clock of daily stamps at local midnight: days of 23, 24 and 25 hours, which no UTC grid of 24 hours meets.

    Inside, such a series stands on the wall clock as if it were UTC; `read` gives its stamps back in their zone.

    >>> days = pd.date_range("2026-03-28", periods=3, freq="D", tz="UTC")
    >>> [str(day) for day in WallClock("Europe/Paris").read(days)][1:]
    ['2026-03-29 00:00:00+01:00', '2026-03-30 00:00:00+02:00']
    """

    def __init__(self, zone: str | tzinfo) -> None:
        self.zone = zone

    def read(self, times: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Wall-clock stamps kept as UTC, in their zone. A midnight the clock skips moves to the first moment after."""
        naive = times.tz_localize(None)
        first = np.ones(len(naive), dtype=bool)  # of a midnight that comes twice, the first starts the day
        return naive.tz_localize(self.zone, ambiguous=first, nonexistent="shift_forward")

    def __repr__(self) -> str:
        return f"WallClock({str(self.zone)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WallClock) and str(other.zone) == str(self.zone)

    def __hash__(self) -> int:
        return hash(str(self.zone))


def on_grid(stamps: pd.DatetimeIndex, values: np.ndarray, name: str, *, metric: str = "") -> Gridded:
    """A series from stamps in any order, in any clock.

    stamps   naive (read as UTC) or with a zone; a stamp is the start of its interval
    values   (n,) float, NaN where missing

    The interval is the most common distance of neighbours. Missing stamps become gaps; a row repeated with the same
    value counts once. Stamps with a zone stand on the UTC grid, unless only the local clock makes them regular (days
    at local midnight across a clock change): then on that (`WallClock`).
    Raises HistoryTooShort for fewer than two stamps; InputError for absent stamps, one stamp with two values, and
    stamps that fit no grid (months, events).
    """
    _no_absent(stamps, name)
    if len(stamps) == 0:
        raise HistoryTooShort(name, have=0, need=2, unit="rows", advice="The input is empty: check filter and dates.")
    stamps = stamps.as_unit("us")
    utc = stamps.tz_localize("UTC") if stamps.tz is None else stamps.tz_convert("UTC")
    utc, values, findings = _each_once(utc, np.asarray(values, dtype=float), name, metric)
    if len(utc) < 2:
        raise HistoryTooShort(name, have=1, need=2, unit="rows", advice="One stamp has no interval: bring more rows.")
    clock: Any = stamps.tz
    interval = interval_of(utc)
    if clock is not None:
        wall = utc.tz_convert(clock).tz_localize(None).tz_localize("UTC")
        if not _fits(utc, interval) and wall.is_unique and _fits(wall, interval_of(wall)):
            utc, interval, clock = wall, interval_of(wall), WallClock(clock)
    if not _fits(utc, interval):
        raise _irregular(utc, interval, name)
    times, filled = _filled(utc, values, interval, name)
    return Gridded(times, interval, filled, clock, tuple(findings))


def _no_absent(stamps: pd.DatetimeIndex, name: str) -> None:
    absent = np.flatnonzero(stamps.isna())
    if len(absent):
        problems = [Problem("no timestamp", where=f"row {row + 1}") for row in absent]
        raise InputError(f"{name}: {len(absent)} rows have no timestamp:", problems)


def _each_once(
    utc: pd.DatetimeIndex, values: np.ndarray, name: str, metric: str
) -> tuple[pd.DatetimeIndex, np.ndarray, list[Finding]]:
    """Sorted, one row a stamp. Rows that agree count once, with a finding; rows that differ are refused together."""
    if (np.diff(utc.asi8) > 0).all():
        return utc, values, []
    order = np.argsort(utc.asi8, kind="stable")
    utc, values = utc[order], values[order]
    again = utc[1:] == utc[:-1]
    if not again.any():
        return utc, values, []
    same = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    clash = np.flatnonzero(again & ~same)
    if len(clash):
        problems = [
            Problem(f"{values[i]:g} and {values[i + 1]:g}", where=utc[i].strftime("%Y-%m-%d %H:%M")) for i in clash
        ]
        days = {utc[i].date() for i in clash}
        clocks = len(days) <= 2 * len(set(utc.year)) and all(day.month in (3, 4, 9, 10, 11) for day in days)
        raise InputError(
            f"{name}: {len(clash)} stamps come twice with different values:",
            problems,
            "This looks like a local clock put back an hour: give the stamps their zone, "
            "index.tz_localize('Europe/Paris', ambiguous='infer'), or keep one row of each."
            if clocks
            else "Keep one row a stamp, or name the series each row belongs to.",
        )
    message = f"{int(again.sum())} rows repeat a stamp with the same value; each counts once."
    finding = Finding(name, metric, "duplicates", "REVIEW", message, count=int(again.sum()))
    keep = np.concatenate([[True], ~again])
    return utc[keep], values[keep], [finding]


def _fits(utc: pd.DatetimeIndex, interval: pd.Timedelta) -> bool:
    step = int(interval / pd.Timedelta(microseconds=1))
    return bool(((utc.asi8 - utc.asi8[0]) % step == 0).all())


def _irregular(utc: pd.DatetimeIndex, interval: pd.Timedelta, name: str) -> InputError:
    off = (utc.asi8 - utc.asi8[0]) % int(interval / pd.Timedelta(microseconds=1)) != 0
    if interval >= 28 * DAY:
        cause = "months and quarters are of unequal length"
        advice = "Bring the days behind them, or spread each month over its days: series.resample('D').ffill()."
    else:
        cause = f"{int(off.sum()):,} of {len(utc):,} lie between, the first at {utc[off][0]}"
        near = min(USUAL, key=lambda size: abs(np.log(duration(size) / interval)))
        advice = f"Average them first: series.resample('{near}').mean()."
    return InputError(f"{name}: stamps do not fit a regular grid of {_words(interval)}: {cause}.", advice=advice)


def _words(interval: pd.Timedelta) -> str:
    seconds = interval.total_seconds()
    for unit, size in (("D", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _filled(
    utc: pd.DatetimeIndex, values: np.ndarray, interval: pd.Timedelta, name: str
) -> tuple[pd.DatetimeIndex, np.ndarray]:
    step = int(interval / pd.Timedelta(microseconds=1))
    place = (utc.asi8 - utc.asi8[0]) // step
    length = int(place[-1]) + 1
    if length > LONGEST or len(utc) < LEAST_FILLED * length:
        raise InputError(
            f"{name}: {len(utc):,} stamps from {utc[0]} to {utc[-1]} would fill only {len(utc) / length:.2%} of a grid "
            f"of {_words(interval)}",
            advice="These look like events, not intervals: count or average them first, series.resample('1h').",
        )
    filled = np.full(length, np.nan)
    filled[place] = values
    return pd.date_range(utc[0], periods=length, freq=interval, unit="us"), filled


class Together(NamedTuple):
    """Series that came each on its own grid, on one."""

    times: pd.DatetimeIndex
    interval: pd.Timedelta
    values: dict[Key, np.ndarray]  # (n,) each
    clock: Any
    findings: list[Finding]


def common_grid(gridded: dict[Key, Gridded]) -> Together:
    """All series on the grid that spans them. Raises InputError when intervals or clocks differ.

    Series of the same interval that start at different moments of it move back onto the grid of most of them, with a
    finding.
    """
    interval, clock = _shared(gridded)
    findings = [finding for series in gridded.values() for finding in series.findings]
    phases = [(series.times[0] - pd.Timestamp(0, tz="UTC")) % interval for series in gridded.values()]
    phase = max(sorted(set(phases)), key=phases.count)
    slots = [int((series.times[0] - phase - pd.Timestamp(0, tz="UTC")) // interval) for series in gridded.values()]
    first = min(slots)
    length = max(slot - first + len(series.values) for slot, series in zip(slots, gridded.values(), strict=True))
    values = {}
    for (key, series), slot, own in zip(gridded.items(), slots, phases, strict=True):
        values[key] = np.full(length, np.nan)
        values[key][slot - first : slot - first + len(series.values)] = series.values
        if own != phase:
            message = f"stamps were moved back by {(own - phase) % interval} onto the grid that all series share."
            findings.append(Finding(key.service, key.metric, "grid", "REVIEW", message))
    start = pd.Timestamp(0, tz="UTC") + phase + first * interval
    times = pd.date_range(start, periods=length, freq=interval, unit="us")
    return Together(times, interval, values, clock, findings)


def listed(names: Iterable[str]) -> str:
    """The first five of the names, each once, and how many more.

    >>> listed("abcabcdefg")
    'a, b, c, d, e and 2 more'
    """
    unique = list(dict.fromkeys(names))
    return ", ".join(unique[:5]) + (f" and {len(unique) - 5} more" if len(unique) > 5 else "")


def _shared(gridded: dict[Key, Gridded]) -> tuple[pd.Timedelta, Any]:
    """The interval and the clock of all series."""
    by_interval: dict[pd.Timedelta, list[str]] = {}
    for key, series in gridded.items():
        by_interval.setdefault(series.interval, []).append(key.service)
    if len(by_interval) > 1:
        problems = [Problem(f"interval {size}", where=listed(names)) for size, names in by_interval.items()]
        advice = "Average the finer ones first, or give each on its own."
        raise InputError("series have different intervals:", problems, advice)
    clocks = {str(series.clock): series.clock for series in gridded.values()}
    if len(clocks) > 1:
        raise InputError(f"series have different clocks ({', '.join(sorted(clocks))})", advice="Convert all to UTC.")
    return next(iter(by_interval)), next(iter(clocks.values()))
