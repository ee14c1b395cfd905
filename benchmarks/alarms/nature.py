"""What a service is like, and what its users want of it: requests/s for every minute, without incidents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

MINUTES_A_DAY: Final = 1440

#: Weeks of history before the first alarms are made, and weeks judged.
LEARNT_WEEKS: Final = 13
JUDGED_WEEKS: Final = 52

#: A Monday.
BEGIN: Final = pd.Timestamp("2025-01-06", tz="UTC")


@dataclass(frozen=True)
class Nature:
    """One service, drawn from a seed: nothing of it is the same for two seeds."""

    name: str
    seed: int
    base: float  # requests/s of a usual hour
    cpu_seconds: float  # vCPU-seconds a request costs
    task_vcpu: float
    idle_vcpu: float  # share of a task's vCPU in use at rest
    startup: int  # minutes until a new task serves
    target: float  # share of CPU that its autoscaler tracks
    calm_seconds: float  # p95 latency at little load
    peak_hour: float
    depth: float  # of the daily wave, 0-1
    weekend: float  # share of a working day
    growth: float  # a year
    noise: float  # of a minute
    drift: float  # of an hour or so
    batch: float  # work of a nightly job, as a share of the usual requests'; 0: no such job
    batch_hour: int
    memory_rest: float  # share of memory in use after a start
    memory_cache: float  # share that a cache adds over the first days, and no more
    memory_load: float  # share that goes up and down with the load

    @classmethod
    def of(cls, seed: int, number: int) -> Nature:
        """The service with this number in the world of this seed."""
        rng = np.random.default_rng([seed, number])
        cost = float(np.exp(rng.uniform(np.log(0.005), np.log(0.2))))
        vcpu = float(rng.choice([0.5, 1.0, 2.0]))
        tasks = float(np.exp(rng.uniform(np.log(2), np.log(40))))
        return cls(
            name=f"service-{number:02d}",
            seed=seed * 1000 + number,
            base=tasks * vcpu * 0.5 / cost,
            cpu_seconds=cost,
            task_vcpu=vcpu,
            idle_vcpu=float(rng.uniform(0.01, 0.06)),
            startup=int(rng.integers(1, 5)),
            target=float(rng.choice([0.5, 0.55, 0.6, 0.65])),
            calm_seconds=float(np.exp(rng.uniform(np.log(0.04), np.log(0.4)))),
            peak_hour=float(rng.uniform(10, 21)),
            depth=float(rng.uniform(0.35, 0.7)),
            weekend=float(rng.uniform(0.5, 1.0)),
            growth=float(rng.uniform(-0.1, 0.6)),
            noise=float(rng.uniform(0.01, 0.05)),
            drift=float(rng.uniform(0.02, 0.06)),
            batch=float(rng.choice([0.0, 0.0, rng.uniform(0.2, 0.5)])),
            batch_hour=int(rng.integers(0, 6)),
            memory_rest=float(rng.uniform(0.25, 0.4)),
            memory_cache=float(rng.uniform(0.05, 0.25)),
            memory_load=float(rng.uniform(0.03, 0.12)),
        )

    @property
    def slowest_seconds(self) -> float:
        """What p95 latency was promised to stay below: that of a task nine tenths busy."""
        return round(float(p95(self, np.array(0.9))), 3)

    @property
    def requests_per_task(self) -> float:
        """Requests/s that a load test would have found a task to carry within that promise."""
        return (0.9 - self.idle_vcpu) * self.task_vcpu / self.cpu_seconds


def p95(nature: Nature, busy: np.ndarray) -> np.ndarray:
    """(n,) seconds of latency that 95 % of requests stay below when tasks are `busy` (0-1): M/M/c, by Sakasegawa.

    Wait = service x rho^(sqrt(2 (c + 1)) - 1) / (c (1 - rho)), with four requests at once for each vCPU; the 95 %
    point of an exponential wait is ln(20) times its mean.
    """
    slots = max(2.0, 4 * nature.task_vcpu)
    service = nature.cpu_seconds * slots / nature.task_vcpu
    rho = np.clip(busy, 0.0, 0.995)
    wait = service * rho ** (np.sqrt(2 * (slots + 1)) - 1) / (slots * (1 - rho))
    return np.asarray(nature.calm_seconds + np.log(20) * wait)


def days(weeks: int) -> int:
    return 7 * weeks


def minutes(count_days: int) -> pd.DatetimeIndex:
    return pd.date_range(BEGIN, periods=count_days * MINUTES_A_DAY, freq="min", unit="us")


def wanted(nature: Nature, times: pd.DatetimeIndex, rng: np.random.Generator) -> np.ndarray:
    """(n,) requests/s: day, week, year, growth, a handful of holidays, noise of minutes and of hours."""
    count = len(times)
    minute = np.arange(count)
    hour = (minute % MINUTES_A_DAY) / 60
    day = minute // MINUTES_A_DAY
    wave = np.cos(2 * np.pi * (hour - nature.peak_hour) / 24)
    second = 0.3 * np.cos(4 * np.pi * (hour - nature.peak_hour + 2) / 24)
    shape = np.maximum(1 + nature.depth * (wave + second) / 1.15, 0.08)
    level = np.where(day % 7 >= 5, nature.weekend, 1.0)
    level = level * (1 + 0.06 * np.cos(2 * np.pi * (day - rng.uniform(0, 365)) / 365))
    level = level * (1 + nature.growth) ** (minute / (365 * MINUTES_A_DAY))
    last = int(day[-1]) + 1
    for holiday in rng.choice(last, max(1, last // 50), replace=False):
        level = np.where(day == holiday, level * rng.uniform(0.55, 1.15), level)
    return np.asarray(
        nature.base * shape * level * lasting(nature.drift, 90, count, rng) * noisy(nature.noise, count, rng)
    )


def lasting(size: float, minutes_kept: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) factors about 1 that stay for some `minutes_kept`: an AR(1) in logarithms."""
    from scipy.signal import lfilter

    kept = float(np.exp(-1 / minutes_kept))
    shocks = rng.standard_normal(count) * size * np.sqrt(1 - kept**2)
    return np.asarray(np.exp(lfilter([1.0], [1.0, -kept], shocks) - size**2 / 2))


def noisy(size: float, count: int, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(np.exp(size * rng.standard_normal(count) - size**2 / 2))
