"""Shapes that measurements of a live service do not have: counters, frozen values, impossible peaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from capacity.findings import Finding
from capacity.history.line import Line, counted, how_long, runs
from capacity.schema import METRICS
from capacity.timegrid import steps_per

#: A rate falls about as often as it rises. A counter falls only when it starts anew: in hourly data, 1 step in 24.
COUNTER_FALLS, COUNTER_RISES, COUNTER_STEPS = 0.05, 0.5, 48
#: What is left of a counter after it started anew, of what it was: what came since.
_ANEW: Final = 0.2
#: A run of one value is worth a look from this length on, if chance does not explain it and it is no habit.
FLAT_STEPS, FLAT_TIME, FLAT_CHANCE = 12, "12h", 1e-3
#: Metrics that stand still by nature: counts of tasks and what follows from them; errors are mostly 0.
STANDING: Final = ("running_tasks", "desired_tasks", "cpu_reserved", "memory_reserved", "errors")
#: Above this many times the 99th percentile of all other values no service's demand was ever seen.
IMPOSSIBLE: Final = 1000.0
#: A whole block of impossible values leaves a hole in the ranking of all values: this factor between two neighbours,
#: with at most this share above it. At the end of a history it may be a service that came alive (a request a day
#: before, hundreds a second after), so there it takes the second factor.
LEAP, LEAP_AT_END, LEAP_SHARE = 1e3, 1e7, 0.2
#: A launch brings 3 to 10 times the usual for hours: from here on a value is named, if it is also beyond its noise.
UNUSUAL, NOISES, DROP = 8.0, 10.0, 20.0


def resets(line: Line) -> Iterator[Finding]:
    """A counter that only grows, and starts anew, read as if it were a rate."""
    present = np.flatnonzero(line.finite)
    values = line.values[present]
    step = np.diff(values)
    if len(step) < COUNTER_STEPS or (step > 0).mean() < COUNTER_RISES or (step < 0).mean() > COUNTER_FALLS:
        return
    falls = np.flatnonzero(step < 0)
    anew = falls[values[falls + 1] <= _ANEW * values[falls]]
    endless = len(falls) == 0 and (step > 0).mean() > 0.99 and values[-1] > 20 * max(values[0], 0)
    if not endless and (len(anew) == 0 or len(anew) < 0.8 * len(falls)):
        return
    times = [int(present[position + 1]) for position in anew]
    fell = f", and fell to near zero {len(anew):,} times, first on {line.when(times[0])}" if times else ""
    yield line.finding(
        "resets",
        "FAIL",
        f"looks like a counter, not a rate: {(step > 0).mean():.0%} of steps rise{fell}",
        "Export its rate: the increase per second, with starts anew taken out.",
        first=times[0] if times else None,
        last=times[-1] if times else None,
        count=len(times),
    )


def flat(line: Line) -> Iterator[Finding]:
    """The same value, to the last digit, for longer than chance or habit explains."""
    if line.metric in STANDING or line.finite.sum() < 2 * FLAT_STEPS or not np.nanmax(np.abs(line.values)) > 0:
        return
    same = np.diff(line.values) == 0  # NaN equals nothing
    starts, lengths = runs(same)
    if len(starts) == 0:
        return
    order = np.argsort(-lengths, kind="stable")
    longest = int(lengths[order[0]])
    rest = max(1, len(same) - longest)
    equal = min(max((same.sum() - longest) / rest, 1e-6), 0.999)  # how often neighbours are equal elsewhere
    by_chance = np.log(FLAT_CHANCE / len(same)) / np.log(equal)
    habit = 3 * int(lengths[order[3]]) if len(order) > 3 else 0
    if longest + 1 < max(FLAT_STEPS, line.steps(FLAT_TIME), by_chance, habit):
        return
    first = int(starts[order[0]])
    last = first + longest
    value = float(line.values[first])
    outage = "An outage, or missing data written as 0? If the latter, make it a gap."
    yield line.finding(
        "flat",
        "REVIEW",
        f"exactly {line.amount(value)} for {how_long((longest + 1) * line.interval)}, from {line.when(first)}",
        outage if value == 0 else "A frozen exporter? If so, make it a gap.",
        first=first,
        last=last,
        count=longest + 1,
    )


def outliers(line: Line) -> Iterator[Finding]:
    """Values far from what this hour of the week usually is, and beyond all that is usual at any hour."""
    values = line.values
    positive = values[line.finite & (np.nan_to_num(values) > 0)]
    if len(positive) < 12:
        return
    top = _top_of_the_rest(positive)
    block = beyond_a_leap(values, LEAP)
    if block[-1]:
        block = beyond_a_leap(values, LEAP_AT_END)
    impossible = np.flatnonzero((np.nan_to_num(values) > IMPOSSIBLE * top) | block)
    if block.any():
        top = float(np.max(values[line.finite & ~block]))
    if len(impossible):
        worst = int(impossible[np.argmax(values[impossible])])
        yield line.finding(
            "outliers",
            "FAIL",
            f"{line.amount(values[worst])} at {line.when(worst)}: {values[worst] / top:.1e} times the "
            + ("largest" if block.any() else "99th percentile")
            + " of the rest"
            + (f", and {len(impossible) - 1:,} more like it" if len(impossible) > 1 else ""),
            "No demand is like that: correct it, or make it a gap.",
            first=int(impossible[0]),
            last=int(impossible[-1]),
            count=len(impossible),
        )
    if not METRICS[line.metric].demand:
        return
    usual = _usual(line)
    with np.errstate(divide="ignore", invalid="ignore"):
        beside = np.log(values / usual)
    noise = 1.4826 * float(np.nanmedian(np.abs(beside[np.isfinite(beside)]))) if np.isfinite(beside).any() else np.inf
    beside = np.nan_to_num(beside, nan=0.0, posinf=0.0, neginf=-np.inf)
    high = (beside > max(NOISES * noise, np.log(UNUSUAL))) & (np.nan_to_num(values) > 2 * top)
    high[impossible] = False
    yield from _unusual(line, high, usual, "above")
    level = float(np.median(positive))
    seldom_zero = (values == 0).sum() < 0.01 * line.finite.sum()
    low = (beside < -max(NOISES * noise, np.log(DROP))) & (usual > 0.2 * level) & (seldom_zero | (values > 0))
    yield from _unusual(line, low & line.finite, usual, "below")


def beyond_a_leap(values: np.ndarray, leap: float) -> np.ndarray:
    """(n,) True for the few values beyond a hole of at least `leap` in the ranking of the positive ones.

    >>> beyond_a_leap(np.array([5.0, 7.0, 6e9, 9e9, 4.0, 3.0, 8.0, 5.0, 6.0, 5.0]), 1e3).nonzero()[0].tolist()
    [2, 3]
    """
    ranked = np.sort(values[np.nan_to_num(values) > 0])
    few = int(LEAP_SHARE * len(ranked))
    below = ranked[len(ranked) - few - 1 :]  # neighbours with at most `few` values above
    wide = np.flatnonzero(below[1:] > leap * below[:-1])
    return np.nan_to_num(values) > below[wide[0]] if len(wide) else np.zeros(len(values), dtype=bool)


def _top_of_the_rest(positive: np.ndarray) -> float:
    """99th percentile of the positive values, those of the top hundredth left out where they are few: (n,) -> 1.

    With 50 values, 1 of which is a mistake, the plain percentile would be half of the mistake.
    """
    ordered = np.sort(positive)
    return float(ordered[min(len(ordered) - 1 - max(1, len(ordered) // 100), len(ordered) - 1)])


def _usual(line: Line) -> np.ndarray:
    """Median of the same hour of the week over all weeks (of the day, with less than 4 weeks; of all, with 4 days)."""
    for period, needed in (("7d", 28), ("1d", 4)):
        season = steps_per(period, line.interval)
        if season and len(line.values) >= needed * steps_per("1d", line.interval) > 0:
            seasons = -(-len(line.values) // season)
            padded = np.full(seasons * season, np.nan)
            padded[: len(line.values)] = line.values
            table = padded.reshape(seasons, season)
            empty = np.isnan(table).all(axis=0)
            table[:, empty] = np.nanmedian(line.values)
            return np.tile(np.nanmedian(table, axis=0), seasons)[: len(line.values)]
    return np.full(len(line.values), np.nanmedian(line.values))


def _unusual(line: Line, mask: np.ndarray, usual: np.ndarray, side: str) -> Iterator[Finding]:
    places = np.flatnonzero(mask)
    if len(places) == 0:
        return
    ratio = line.values[places] / np.maximum(usual[places], np.finfo(float).tiny)
    worst = int(places[np.argmax(ratio) if side == "above" else np.argmin(ratio)])
    advice = (
        "If it was a launch or campaign, note it as an event; if it was a mistake, make it a gap."
        if side == "above"
        else "If it was an outage, make it a gap, so that it is not forecast to happen again."
    )
    yield line.finding(
        "outliers",
        "REVIEW",
        f"{counted(len(places), 'value')} far {side} the usual of their hour, the farthest "
        f"{line.amount(line.values[worst])} at {line.when(worst)}, when {line.amount(usual[worst])} is usual",
        advice,
        first=int(places[0]),
        last=int(places[-1]),
        count=len(places),
    )
