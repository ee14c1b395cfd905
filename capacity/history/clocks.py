"""Traces of clocks that change: an hour that was never there, a daily rhythm that moves by one hour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.findings import Finding
from capacity.history.line import Line, when
from capacity.timegrid import steps_per

#: Zones whose clocks change on different days: one for each rule that much of the world's traffic lives by.
ZONES: Final = ("Europe/Paris", "America/New_York", "Australia/Sydney", "America/Santiago")
#: The rhythm is seen in the first of these there is.
RHYTHM: Final = ("requests", "cpu", "cpu_utilization", "running_tasks")
#: Two whole weeks on each side make a rhythm; it has to repeat itself this well, and move by an hour, give or take.
WEEKS, ALIKE, AN_HOUR = pd.Timedelta(days=14), 0.9, 0.25
_SEARCHED: Final = 3  # hours to either side


def clock_changes(lines: Sequence[Line], service: Service | None) -> Iterator[Finding]:
    """Findings of one service. A rhythm that moves as the service's own time zone does is as it should be."""
    for metric in RHYTHM:
        line = next((line for line in lines if line.metric == metric), None)
        if line is not None:
            for change, hours, zones in changes(line.times[0], line.end):
                yield from _missing_hour(line, change, hours, zones)
                if service is None or not _follows(service.timezone, change):
                    yield from _moved_rhythm(line, change, hours, zones)
            return


def changes(start: pd.Timestamp, end: pd.Timestamp) -> list[tuple[pd.Timestamp, float, list[str]]]:
    """Every change of clocks in a span: when (UTC), by how many hours (+1: forward), and in which zones.

    >>> for change, hours, zones in changes(pd.Timestamp("2026-03-20", tz="UTC"), pd.Timestamp("2026-04-02", tz="UTC")):
    ...     print(change, hours, zones)
    2026-03-29 01:00:00+00:00 1.0 ['Europe/Paris']
    """
    hours = pd.date_range(start.floor("h"), end.ceil("h"), freq="h", unit="us")
    found: dict[tuple[pd.Timestamp, float], list[str]] = {}
    for zone in ZONES:
        local = hours.tz_convert(zone).tz_localize(None)
        offset = (local - hours.tz_localize(None)) / pd.Timedelta(hours=1)
        for position in np.flatnonzero(np.diff(offset)) + 1:
            found.setdefault((hours[position], float(offset[position] - offset[position - 1])), []).append(zone)
    return [(change, size, zones) for (change, size), zones in sorted(found.items())]


def _follows(timezone: str, change: pd.Timestamp) -> bool:
    """Whether clocks in this zone change at about that time."""
    zone, week = ZoneInfo(timezone), pd.Timedelta(days=1)
    before, after = ((change + side * week).tz_convert(zone).utcoffset() for side in (-1, 1))
    return before != after


def _missing_hour(line: Line, change: pd.Timestamp, hours: float, zones: list[str]) -> Iterator[Finding]:
    """Stamps of a local clock written as UTC lack the hour that this clock skips in spring, and only that one."""
    if hours != 1 or line.interval > pd.Timedelta(hours=1):
        return
    for zone in zones:
        skipped = (
            (change - pd.Timedelta(microseconds=1)).tz_convert(zone).tz_localize(None).ceil("h").tz_localize("UTC")
        )
        first = int(line.times.searchsorted(skipped))
        last = int(line.times.searchsorted(skipped + pd.Timedelta(hours=1)))
        around = line.finite[max(0, first - 1) : last + 1]
        if last > first > 0 and last < len(line.times) and around[0] and around[-1] and not around[1:-1].any():
            yield line.finding(
                "clock",
                "REVIEW",
                f"exactly the hour from {when(skipped)} is missing, which clocks skip in {zone}: these stamps look "
                "like local time written as UTC",
                f'Read the original with timezone="{zone}".',
                first=first,
                last=last - 1,
                count=last - first,
            )


def _moved_rhythm(line: Line, change: pd.Timestamp, hours: float, zones: list[str]) -> Iterator[Finding]:
    """People live by local clocks: in UTC their day begins an hour earlier after clocks went forward."""
    per_day = steps_per("1d", line.interval)
    if per_day < 24:
        return
    day = change.floor("D")
    long_before = _profile(line, day - 2 * WEEKS, per_day)
    before = _profile(line, day - WEEKS, per_day)
    after = _profile(line, day + pd.Timedelta(days=1), per_day)
    if long_before is None or before is None or after is None:
        return
    still, alike = _lag(long_before, before, per_day)
    moved, alike_after = _lag(before, after, per_day)
    if min(alike, alike_after) < ALIKE or abs(still) > AN_HOUR or abs(moved + hours) > AN_HOUR:
        return
    position = int(line.times.searchsorted(change))
    yield line.finding(
        "clock",
        "REVIEW",
        f"the daily rhythm moved by {moved:+.1f} hours on {day:%Y-%m-%d}, when clocks changed in {', '.join(zones)}",
        f'Set timezone = "{zones[0]}" (or the zone of its users) for the service, so that schedules follow that clock.',
        first=position,
        last=position,
        count=1,
    )


def _profile(line: Line, start: pd.Timestamp, per_day: int) -> np.ndarray | None:
    """The average day of two weeks, with mean 0 and spread 1; None where too little is known, or nothing varies."""
    first = int(line.times.searchsorted(start))
    values = line.values[first : first + 14 * per_day]
    if start < line.times[0] or len(values) < 14 * per_day or np.isfinite(values).mean() < 0.8:
        return None
    days = values.reshape(14, per_day)
    if np.isnan(days).all(axis=0).any():
        return None
    day = np.nanmedian(days, axis=0)
    spread = day.std()
    return (day - day.mean()) / spread if spread > 0 else None


def _lag(one: np.ndarray, other: np.ndarray, per_day: int) -> tuple[float, float]:
    """Hours by which `other` comes later than `one`, and how alike they are then (correlation)."""
    per_hour = per_day / 24
    shifts = np.arange(-round(_SEARCHED * per_hour), round(_SEARCHED * per_hour) + 1)
    alike = np.array([float(np.mean(one * np.roll(other, -shift))) for shift in shifts])
    best = int(np.argmax(alike))
    if best in (0, len(shifts) - 1):
        return float(shifts[best] / per_hour), float(alike[best])
    left, middle, right = alike[best - 1 : best + 2]
    curve = left - 2 * middle + right
    between = 0.5 * (left - right) / curve if curve < 0 else 0.0  # top of the parabola through three points
    return float((shifts[best] + between) / per_hour), float(middle)
