"""What an alarm waits for, as values: one meaning, replayed on minutes here and rendered for every monitor.

Signals have the names of `monitoring.signals`. A minute without a value is NaN, never zero; what it means for an
alarm is said by `missing`, in CloudWatch's words (PutMetricAlarm, TreatMissingData).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from capacity.errors import InputError

Missing = Literal["missing", "breaching", "notBreaching", "ignore"]
Comparison = Literal[">", ">=", "<", "<="]


@dataclass(frozen=True)
class Reading:
    """One signal as an alarm reads it: a statistic of each period.

    signal   a name of `monitoring.signals.SIGNALS`
    stat     "mean", "max", "min", "sum", or a percentile the signal is known by ("p95")
    minutes  length of a period
    """

    signal: str
    stat: str = "mean"
    minutes: int = 1


@dataclass(frozen=True)
class Threshold:
    """`at_least` of the last `of` periods are past a value: CloudWatch's M out of N."""

    reading: Reading
    comparison: Comparison
    value: float
    at_least: int = 1
    of: int = 1
    missing: Missing = "missing"


@dataclass(frozen=True)
class BurnRate:
    """An error budget burns `factor` times too fast, over a long window and still over a short one.

    kind "availability": errors of requests; "latency": minutes in which `reading` is above `slowest`.
    Source: Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".

    least_bad  errors (or bad minutes) the long window holds at least: a single failed request at night is no page
    """

    slo: str
    kind: Literal["availability", "latency"]
    objective: float
    factor: float
    long_minutes: int
    short_minutes: int
    reading: Reading | None = None  # for latency
    slowest: float | None = None  # seconds, for latency
    least_bad: float = 0.0

    def __post_init__(self) -> None:
        if self.kind == "latency":
            _ = self.slow

    @property
    def slow(self) -> tuple[Reading, float]:
        """What is read, and above how many seconds it is slow. Raises InputError where that is not said.

        >>> BurnRate("fast", "latency", 0.99, 14.4, 60, 5, Reading("latency", "p95"), 0.5).slow[1]
        0.5
        """
        if self.reading is None or self.slowest is None:
            raise InputError(
                f"the burn rate of {self.slo!r} does not say what is slow",
                advice="State reading and slowest: of a rate of kind latency, seconds above which a minute is bad.",
            )
        return self.reading, self.slowest


@dataclass(frozen=True)
class OutsideProfile:
    """A signal is above (or below) what was expected of that hour of the week, `at_least` of the last `of` periods.

    profile  168 values in the signal's unit, Monday 00:00 UTC first: the plan's P95, for instance
    level    the probability that `profile` stands for
    """

    reading: Reading
    profile: tuple[float, ...]
    level: float
    comparison: Literal[">", "<"] = ">"
    at_least: int = 3
    of: int = 3
    missing: Missing = "missing"


@dataclass(frozen=True)
class Absent:
    """No value of a signal for so many minutes: silence, which is neither zero nor good news."""

    reading: Reading
    minutes: int = 15


@dataclass(frozen=True)
class Trend:
    """A signal's straight line over the last `over_minutes` passes `value` within `ahead_minutes`: a slow leak."""

    reading: Reading
    value: float
    over_minutes: int
    ahead_minutes: int
    at_least: int = 1
    of: int = 1


@dataclass(frozen=True)
class Anomaly:
    """A signal leaves the band that the monitor itself learns (CloudWatch's ANOMALY_DETECTION_BAND): never a page."""

    reading: Reading
    deviations: float = 2.0
    side: Literal["above", "below", "both"] = "above"
    at_least: int = 3
    of: int = 3


@dataclass(frozen=True)
class All:
    """Every part holds at once."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Condition, ...]


Condition = Threshold | BurnRate | OutsideProfile | Absent | Trend | Anomaly | All | AnyOf
