"""What a generated service is made of: how its users behave, what a request costs, how it scales today.

    arrivals  = base x growth x hour x weekday x season x steps x surges x outages x (1 + bursts) x noise, then Poisson
    processor = tasks x idle + served x seconds of vCPU per request
    memory    = tasks x idle + GiB per concurrent unit of load
    tasks     = target tracking on CPU between minimum and maximum, with start-up time

Everything is a number one can read here, and `truth.json` repeats it, so that each estimate can be checked against
what was put in. Sizes of effects follow real traces: daily peak over trough 2-6, weekends 0.5-0.9 of weekdays, growth
20-60 % a year, launches 3-10 times the usual for hours, one-minute peak over hourly mean 1.1-1.5 for large services
and 2-5 for small ones, two to four level shifts a year over the fleet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

#: The fleet is observed from START to CUTOFF in hours, and from MINUTES_FROM in minutes; TRUTH_END is as far as
#: `true_demand` can tell what came after: a quarter of 91 days and a day to spare.
START: Final = pd.Timestamp("2025-09-15", tz="UTC")
CUTOFF: Final = pd.Timestamp("2026-11-16", tz="UTC")
MINUTES_FROM: Final = CUTOFF - pd.Timedelta(days=14)
TRUTH_END: Final = CUTOFF + pd.Timedelta(days=92)

#: Fargate list price of eu-west-1 by architecture: USD per vCPU-hour and per GB-hour (Price List of 2026-09-11).
LIST_PRICE: Final[dict[str, tuple[float, float]]] = {"x86_64": (0.04048, 0.004445), "arm64": (0.03238, 0.00356)}


def utc(stamp: str) -> pd.Timestamp:
    return pd.Timestamp(stamp, tz="UTC")


@dataclass(frozen=True)
class Step:
    """From `at` on, `factor` times as much, for good. On `cpu` it changes what a request costs, else arrivals."""

    at: pd.Timestamp
    factor: float
    what: str
    on: Literal["arrivals", "cpu"] = "arrivals"


@dataclass(frozen=True)
class Surge:
    """A launch or a sale: `factor` times the usual after a quarter of an hour, fading with a half-life of `hours`."""

    at: pd.Timestamp
    factor: float
    hours: float
    what: str


@dataclass(frozen=True)
class Outage:
    """Between start and end only `level` of the usual arrives."""

    start: pd.Timestamp
    end: pd.Timestamp
    level: float
    what: str


@dataclass(frozen=True)
class Bursts:
    """Unforeseeable short bursts: `per_day` of them, each adding (height - 1) times the usual for some minutes."""

    per_day: float
    minutes: tuple[int, int]  # shortest and longest, equally likely
    height: tuple[float, float]  # lowest and highest, equally likely

    @property
    def expected(self) -> float:
        """Mean of what bursts multiply arrivals by.

        >>> Bursts(per_day=144, minutes=(10, 10), height=(2, 2)).expected
        2.0
        """
        return 1 + self.per_day / 1440 * sum(self.minutes) / 2 * (sum(self.height) / 2 - 1)


@dataclass(frozen=True)
class Noise:
    """Spread (log) of the day, the hour and the minute around what is expected; each lasts into the next."""

    day: float = 0.04
    hour: float = 0.03
    minute: float = 0.04


@dataclass(frozen=True)
class ServiceModel:
    """One service, with everything that was put in."""

    name: str
    character: str  # in one line, for README and truth.json
    seed: int
    base: float  # requests/s (jobs/s of a worker) at START, averaged over a week
    hours: tuple[float, ...]  # 24 relative levels by local hour, normalised to mean 1
    week: tuple[float, ...]  # 7 relative levels, Monday first, normalised to mean 1
    timezone: str = "UTC"
    growth: float = 0.0  # a year, compound: 0.6 is +60 %
    season: float = 0.0  # half swing over the year
    season_top: int = 350  # day of the year of its top
    month_start: float = 1.0  # factor on the first of each month
    launched: pd.Timestamp = START
    ramp_days: float = 0.0  # from launch to all users
    steps: tuple[Step, ...] = ()
    surges: tuple[Surge, ...] = ()
    outages: tuple[Outage, ...] = ()
    bursts: Bursts | None = None
    noise: Noise = Noise()
    worker: bool = False  # takes jobs from a queue: no request metrics, work waits instead of being lost
    task_vcpu: float = 1.0
    task_memory_gib: float = 2.0
    architecture: str = "x86_64"
    cpu_seconds_per_request: float = 0.01
    idle_vcpu: float = 0.02  # of each task
    idle_memory_gib: float = 0.6  # of each task
    memory_gib_per_busy_vcpu: float = 0.5
    unloaded_p95_seconds: float = 0.12  # latency with nobody else there
    slo_p95_seconds: float = 0.30
    min_tasks: int = 2
    max_tasks: int = 40
    target: float = 60.0  # % CPU, today's target tracking
    startup_seconds: float = 90.0
