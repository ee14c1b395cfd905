"""Levels that moved from one day to the next and stayed: a migration, a new customer, a cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pandas as pd

from capacity.findings import Finding
from capacity.history.line import Line

#: Two weeks on each side: whole weeks, so that weekdays weigh the same, and longer than a holiday.
WINDOW: Final = 14  # days
#: The move has to be at least this much, this far beyond noise, and mostly within days, not a slope over weeks.
SMALLEST, BEYOND_NOISE, ABRUPT = np.log(1.25), 6.0, 0.6
#: A shift that is not there any more a month later was an episode.
LASTING: Final = 0.5
#: Metrics that are looked at, leaders first: what follows another metric's shift is not said again.
LEADERS: Final = ("requests", "cpu", "memory", "cpu_utilization", "memory_utilization")
#: The most that is said about one series: with more, its level is not the thing to describe.
MOST: Final = 5


def shifts(line: Line) -> Iterator[Finding]:
    """Dates when the level moved for good, by how much. A steady trend is no shift, nor is a holiday."""
    if line.metric not in LEADERS or line.interval > pd.Timedelta(days=1):
        return
    days = daily_level(line)
    if days.notna().sum() < max(4 * WINDOW, len(days) / 2):
        return
    level = np.log(days.to_numpy())
    level = level - _weekdays(level)
    for day in _moves(level):
        before, after = np.exp(_median(level[max(0, day - WINDOW) : day])), np.exp(_median(level[day : day + WINDOW]))
        date = days.index[day]
        at = min(int(line.times.searchsorted(date)), len(line.times) - 1)
        yield line.finding(
            "shift",
            "REVIEW",
            f"the level moved on {date:%Y-%m-%d} from about {line.amount(before)} to {line.amount(after)} "
            f"({after / before - 1:+.0%})"
            + (" and stayed" if day + 2 * WINDOW <= len(level) else ", near the end of the data"),
            "If it is for good, note it as an event on that date, so that older data is read in its light.",
            first=at,
            last=at,
            count=1,
        )


def daily_level(line: Line) -> pd.Series:
    """Mean of each UTC day from the first whole day to the last; NaN where less than half is known, or nothing ran."""
    per_day = pd.Timedelta(days=1) / line.interval
    series = pd.Series(line.values, index=line.times)
    grouped = series.resample("1D")
    mean, count = grouped.mean(), grouped.count()
    return mean.where((count >= per_day / 2) & (mean > 0))


def _weekdays(level: np.ndarray) -> np.ndarray:
    """What each day of the week adds to the level of its week: medians over all weeks, (n,)."""
    week = pd.Series(level).rolling(7, center=True, min_periods=4).median().to_numpy()
    beside = level - week
    table = [np.nan_to_num(_median(beside[day::7])) for day in range(7)]
    return np.array(table)[np.arange(len(level)) % 7]


def _median(values: np.ndarray) -> float:
    """Median of what is known; NaN of nothing, without a word."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _difference(level: np.ndarray, window: int) -> np.ndarray:
    """Median of the `window` days from each day on, less that of the window before it; NaN at the ends."""
    medians = pd.Series(level).rolling(window, min_periods=max(2, window // 2)).median().to_numpy()
    result = np.full(len(level), np.nan)
    days = np.arange(window, len(level) - window + 1)
    result[days] = medians[days + window - 1] - medians[days - 1]
    return result


def _moves(level: np.ndarray) -> list[int]:
    """Days on which the level moved, strongest first, sorted by date."""
    move = _difference(level, WINDOW)
    usual = _median(move)  # what a steady trend moves in a window
    noise = 1.4826 * _median(np.abs(move - usual))
    daily = 1.4826 * _median(np.abs(np.diff(level) - _median(np.diff(level)))) / np.sqrt(2)
    if not np.isfinite([usual, noise, daily]).all():
        return []
    noise = max(noise, daily * np.sqrt(2 * np.pi / 2 / WINDOW))  # a median's spread is sqrt(pi/2) of a mean's
    beyond = np.nan_to_num(np.abs(move - usual))
    found: list[int] = []
    while len(found) < MOST:
        peak = int(np.argmax(beyond))
        if beyond[peak] < max(SMALLEST, BEYOND_NOISE * noise):
            break
        day = _edge(level, peak)
        if _abrupt(level, day, move[peak] - usual) and _lasts(level, day, move[peak] - usual):
            found.append(day)
        beyond[max(0, peak - WINDOW) : peak + WINDOW + 1] = 0.0
    return sorted(found)


def _edge(level: np.ndarray, peak: int) -> int:
    """The day of the step near `peak`: where two constant levels, before and after, leave the least unexplained."""
    start, stop = max(0, peak - WINDOW), min(len(level), peak + WINDOW)
    part = level[start:stop]
    candidates = range(3, len(part) - 3)
    rest = [
        np.nansum((part[:at] - np.nanmean(part[:at])) ** 2) + np.nansum((part[at:] - np.nanmean(part[at:])) ** 2)
        if np.isfinite(part[:at]).any() and np.isfinite(part[at:]).any()
        else np.inf
        for at in candidates
    ]
    return start + 3 + int(np.argmin(rest)) if rest else peak


def _abrupt(level: np.ndarray, day: int, size: float) -> bool:
    """Most of the move happened within the days around it: a trend or a ramp needs the whole window."""
    moved = _median(level[day : day + 4]) - _median(level[max(0, day - 4) : day])
    return bool(moved / size >= ABRUPT)  # NaN is not


def _lasts(level: np.ndarray, day: int, size: float) -> bool:
    """Still there a month later, as far as the data reaches; and it was not the way back from an episode."""
    before, after = level[max(0, day - WINDOW) : day], level[day : day + WINDOW]
    long_before, long_after = (
        level[max(0, day - 3 * WINDOW) : max(0, day - 2 * WINDOW)],
        level[day + 2 * WINDOW :][:WINDOW],
    )
    checks = []
    if np.isfinite(long_after).sum() >= WINDOW // 2:
        checks.append((_median(long_after) - _median(before)) / size)
    if np.isfinite(long_before).sum() >= WINDOW // 2:
        checks.append((_median(after) - _median(long_before)) / size)
    return all(check >= LASTING for check in checks)


def without_followers(found: Iterable[Finding]) -> list[Finding]:
    """Shifts of one service, without those that follow a leading metric's within three days."""
    ordered = sorted(found, key=lambda finding: LEADERS.index(finding.metric))
    said: list[Finding] = []
    for finding in ordered:
        near = pd.Timedelta(days=3)
        if not any(other.start and finding.start and abs(other.start - finding.start) <= near for other in said):
            said.append(finding)
    return said
