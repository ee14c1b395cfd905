"""When is an alarm in ALARM? Conditions on minutes, as CloudWatch evaluates them: each minute, on sliding periods.

An alarm reads a minute when it ends; the minute or three that a metric takes to be published comes on top.

**M out of N and gaps** (Amazon CloudWatch, "Configuring how CloudWatch alarms treat missing data"): of the newest
datapoints as many as are evaluated (N) count, gaps left out; to find them a few further periods are looked at. Where
even these hold fewer than N, the rest is what `missing` says: `breaching` and `notBreaching` fill it in; `missing`
decides on what is known: in ALARM with M bad ones, and early, where the oldest bad one of the N is at least M periods
old and nothing good is known; `ignore` keeps the state there was where M bad ones are not known and nothing good is.
How many further periods is not published; its examples show two more than N = 3, which is taken for every N. The ten
examples published in 2026 are a test; they do not show one new bad datapoint among gaps with `ignore`: the state was
kept in an earlier edition, and so it is here.

**What a monitor learns itself** (`Anomaly`) can only be stood in for: a band around the mean of the same minute one and
two weeks before, as wide as the departures from it were over the last week. CloudWatch trains on two weeks, too.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from capacity.errors import InputError
from capacity.monitoring.conditions import (
    Absent,
    All,
    Anomaly,
    AnyOf,
    BurnRate,
    Comparison,
    Condition,
    Missing,
    OutsideProfile,
    Reading,
    Threshold,
    Trend,
)
from capacity.monitoring.minutes import Minutes

#: Periods looked at beyond the N, where some of these are missing: see above.
SPARE: Final = 2
WEEK: Final = 7 * 24 * 60  # minutes
#: 1 January 1970 was a Thursday: hours from a Monday's midnight until it began.
THURSDAY: Final = 72
#: Share of a window that has to be known for a line through it, and for what it says of an error budget.
KNOWN: Final = 0.5

_GAPS: Final[dict[Missing, int]] = {"missing": 0, "breaching": 1, "notBreaching": 2, "ignore": 3}


class Watch:
    """The minutes of one service as alarms read them: what several conditions ask for is computed once."""

    def __init__(self, minutes: Minutes) -> None:
        self.minutes = minutes
        self.size = len(minutes)
        self._kept: dict[object, np.ndarray] = {}
        self._sums: dict[object, tuple[np.ndarray, ...]] = {}

    def breaches(self, condition: Condition) -> np.ndarray:
        """(n,) whether an alarm on the condition is in ALARM after each minute. A signal there is not is all gaps."""
        if condition not in self._kept:
            self._kept[condition] = self._breaches(condition)
        return self._kept[condition]

    def _breaches(self, condition: Condition) -> np.ndarray:
        match condition:
            case Threshold(reading, comparison, value, at_least, of, missing):
                values = self.reading(reading)
                return _in_alarm(values, _past(values, comparison, value), reading.minutes, at_least, of, missing)
            case BurnRate():
                return self._burns(condition)
            case OutsideProfile(reading, profile, _, comparison, at_least, of, missing):
                values = self.reading(reading)
                bad = _past(values, comparison, self._expected(profile, reading.minutes, comparison))
                return _in_alarm(values, bad, reading.minutes, at_least, of, missing)
            case Absent(reading, minutes):
                known = ~np.isnan(self.raw(reading))
                return (np.arange(self.size) + 1 >= minutes) & (windowed(known.astype(float), minutes)[0] == 0)
            case Trend(reading, value, over, ahead, at_least, of):
                values = self._foretold(reading, over, ahead)
                return _in_alarm(values, values >= value, reading.minutes, at_least, of, "notBreaching")
            case Anomaly(reading, deviations, side, at_least, of):
                values = self.reading(reading)
                bad = self._odd(values, deviations, side)
                return _in_alarm(values, bad, reading.minutes, at_least, of, "notBreaching")
            case All(parts):
                return np.logical_and.reduce([self.breaches(part) for part in parts])
            case AnyOf(parts):
                return np.logical_or.reduce([self.breaches(part) for part in parts])
        raise InputError(f"{type(condition).__name__} is no condition of an alarm")

    def raw(self, reading: Reading) -> np.ndarray:
        """(n,) the signal minute by minute; NaN where not known, and throughout where the signal is not known.

        Where only its mean was measured, a largest or smallest value is that of the minutes' means.
        """
        stat = "mean" if reading.stat == "sum" else reading.stat
        if stat in ("max", "min") and not self.minutes.has(reading.signal, stat):
            stat = "mean"
        return self.minutes[reading.signal, stat]

    def reading(self, reading: Reading) -> np.ndarray:
        """(n,) the statistic of the period that ends with each minute; NaN where none of its minutes is known.

        Of a percentile longer periods have the mean of their minutes' percentiles: what lies beneath is not kept.
        """
        if reading not in self._kept:
            values = self.raw(reading)
            if reading.minutes > 1 or reading.stat == "sum":
                values = _statistic(values, reading)
            self._kept[reading] = values
        return self._kept[reading]

    def _burns(self, rate: BurnRate) -> np.ndarray:
        from capacity.monitoring.breaches_kernel import burning

        limit, out = rate.factor * round(1 - rate.objective, 12), np.empty(self.size, dtype=bool)
        least_known = KNOWN * rate.long_minutes
        burning(*self._totals(rate), limit, rate.long_minutes, rate.short_minutes, rate.least_bad, least_known, out)
        return out

    def _totals(self, rate: BurnRate) -> tuple[np.ndarray, ...]:
        """(n + 1,) running totals of what was bad, of what there was, and of minutes that are known."""
        key = (rate.kind, rate.reading, rate.slowest)
        if key not in self._sums:
            bad, everything = self.bad_and_all(rate)
            known = np.isfinite(bad)
            parts = (np.where(known, bad, 0.0), np.where(known, everything, 0.0), known)
            self._sums[key] = tuple(np.concatenate([[0.0], np.cumsum(part, dtype=float)]) for part in parts)
        return self._sums[key]

    def bad_and_all(self, rate: BurnRate) -> tuple[np.ndarray, np.ndarray]:
        """(n,) what was bad and what there was, of each minute: requests, or minutes; NaN where either is not known."""
        if rate.kind == "availability":
            errors, requests = self.raw(Reading("errors")), self.raw(Reading("requests"))
            return np.where(np.isnan(requests), np.nan, errors * 60), np.where(np.isnan(errors), np.nan, requests * 60)
        reading, slowest = rate.slow
        values = self.reading(reading)
        known = ~np.isnan(values)
        return np.where(known, values > slowest, np.nan), np.where(known, 1.0, np.nan)

    def _expected(self, profile: tuple[float, ...], minutes: int, comparison: Comparison) -> np.ndarray:
        """(n,) the profile at the hours that the period before each minute touches: the kindest of them."""
        hours = self.minutes.times.as_unit("s").asi8 // 3600
        values = np.asarray(profile, dtype=float)[(hours + THURSDAY) % len(profile)]
        if minutes == 1:
            return values
        return _largest(values, minutes) if comparison in (">", ">=") else -_largest(-values, minutes)

    def _foretold(self, reading: Reading, over: int, ahead: int) -> np.ndarray:
        from capacity.monitoring.breaches_kernel import foretold

        key = (reading, over, ahead)
        if key not in self._kept:
            out = np.empty(self.size)
            foretold(self.reading(reading), over, ahead, max(2, int(over * KNOWN)), out)
            self._kept[key] = out
        return self._kept[key]

    @staticmethod
    def _odd(values: np.ndarray, deviations: float, side: str) -> np.ndarray:
        before, earlier = _shifted(values, WEEK), _shifted(values, 2 * WEEK)
        apart = values - np.where(np.isnan(earlier), before, (before + earlier) / 2)
        squares, known = windowed(_shifted(apart, 1) ** 2, WEEK)
        with np.errstate(invalid="ignore", divide="ignore"):
            width = np.where(known >= WEEK * KNOWN, deviations * np.sqrt(squares / known), np.inf)
            return {"above": apart > width, "below": -apart > width, "both": np.abs(apart) > width}[side]


def breaches(condition: Condition, minutes: Minutes) -> np.ndarray:
    """(n,) whether an alarm on the condition is in ALARM after each of the minutes. A signal there is not is all gaps.

    >>> import pandas as pd
    >>> from capacity.config import Service
    >>> times = pd.date_range("2026-03-02", periods=6, freq="min", tz="UTC")
    >>> busy = Minutes.of(Service(name="web"), times, {"cpu_utilization": [50, 90, 91, np.nan, 95, 40]})
    >>> breaches(Threshold(Reading("cpu_utilization"), ">", 80, at_least=2, of=2), busy).tolist()
    [False, False, True, True, True, False]
    """
    return Watch(minutes).breaches(condition)


def windowed(values: np.ndarray, minutes: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) sum of what is known of the `minutes` that end with each, and how many of them are known.

    >>> [part.tolist() for part in windowed(np.array([1.0, np.nan, 3.0, 4.0]), 2)]
    [[1.0, 1.0, 3.0, 7.0], [1.0, 1.0, 1.0, 2.0]]
    """
    known = ~np.isnan(values)
    return _sliding(np.where(known, values, 0.0), minutes), _sliding(known.astype(float), minutes)


def _sliding(values: np.ndarray, minutes: int) -> np.ndarray:
    total = np.cumsum(values)
    return np.concatenate([total[:minutes], total[minutes:] - total[:-minutes]])


def _statistic(values: np.ndarray, reading: Reading) -> np.ndarray:
    if reading.stat == "max":
        return _largest(values, reading.minutes)
    if reading.stat == "min":
        return -_largest(-values, reading.minutes)
    total, known = windowed(values, reading.minutes)
    if reading.stat == "sum":
        return np.where(known > 0, total, np.nan)
    return np.divide(total, known, out=np.full(len(values), np.nan), where=known > 0)


def _largest(values: np.ndarray, minutes: int) -> np.ndarray:
    from capacity.monitoring.breaches_kernel import largest

    out = np.empty(len(values))
    largest(np.ascontiguousarray(values), minutes, out)
    return out


def _shifted(values: np.ndarray, minutes: int) -> np.ndarray:
    """(n,) the values that many minutes earlier; NaN before there were any."""
    earlier = np.full(len(values), np.nan)
    earlier[minutes:] = values[:-minutes]
    return earlier


def _past(values: np.ndarray, comparison: Comparison, limit: float | np.ndarray) -> np.ndarray:
    compare = {">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal}[comparison]
    return np.asarray(compare(values, limit))


def _in_alarm(values: np.ndarray, bad: np.ndarray, period: int, at_least: int, of: int, missing: Missing) -> np.ndarray:
    from capacity.monitoring.breaches_kernel import BAD, GAP, GOOD, in_alarm

    states = np.where(np.isnan(values), GAP, np.where(bad, BAD, GOOD)).astype(np.int8)
    out = np.empty(len(states), dtype=bool)
    in_alarm(states, period, at_least, of, SPARE, _GAPS[missing], out)
    return out
