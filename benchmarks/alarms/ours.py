"""`capacity.alarms` as its user has it: each quarter a new forecast, plan and alarms, of what was measured by then.

A store holds hours of everything and minutes of the last month. Nothing after the cutoff is seen, and of the world
nothing but what monitoring saw, what the owner configured, and what a load test found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

import capacity
from benchmarks.alarms.judging import AVAILABILITY, DELAY, FAST_MINUTES, Firing
from benchmarks.alarms.nature import MINUTES_A_DAY
from benchmarks.alarms.observed import ACCOUNT, Signals
from benchmarks.alarms.world import Bounds, World
from capacity.config import Account, Slo
from capacity.monitoring import Alarms
from capacity.monitoring.breaches import Watch
from capacity.monitoring.measuring import constants
from capacity.monitoring.minutes import Minutes

#: Minutes kept: a month.
MONTH_OF_MINUTES: Final = 30 * MINUTES_A_DAY

#: Before a quarter begins its alarms look back so far: three weeks, for bands that learn from two.
LOOKS_BACK: Final = 21 * MINUTES_A_DAY

HORIZON: Final = "91d"


@dataclass(frozen=True, eq=False)
class Quarter:
    """The alarms of a quarter, and what was known when they were made."""

    bounds: Bounds
    service: capacity.Service
    account: Account
    alarms: Alarms


def service_of(world: World, bounds: Bounds) -> capacity.Service:
    """What the owner wrote in capacity.toml for a quarter."""
    nature = world.nature
    return capacity.Service(
        name=nature.name,
        task_vcpu=nature.task_vcpu,
        task_memory_gib=2 * nature.task_vcpu,
        min_tasks=bounds.fewest,
        max_tasks=bounds.most,
        startup_seconds=60 * nature.startup,
        requests_per_second_per_task=nature.requests_per_task,
        cpu_target=nature.target,
        target_value=100 * nature.target,
        slo=(
            Slo(objective=AVAILABILITY),
            Slo(kind="latency", objective=FAST_MINUTES, latency_seconds=nature.slowest_seconds),
        ),
    )


def history_of(world: World, seen: Signals, cutoff: int) -> capacity.History:
    """Hours from the beginning and minutes of the last month, until the cutoff; a gap is no row."""
    tables = []
    for (metric, stat), values in seen.items():
        if metric in ACCOUNT:
            continue
        known = values[:cutoff].reshape(-1, 60)
        enough = np.isfinite(known).mean(axis=1) >= 0.5
        whole = known[enough]
        hours = np.nanmax(whole, axis=1) if stat == "max" else np.nanmean(whole, axis=1)
        tables.append(_rows(world, metric, stat, 3600, world.times[:cutoff:60][enough], hours))
        part = values[max(0, cutoff - MONTH_OF_MINUTES) : cutoff]
        there = np.isfinite(part)
        stamps = world.times[max(0, cutoff - MONTH_OF_MINUTES) : cutoff]
        tables.append(_rows(world, metric, stat, 60, stamps[there], part[there]))
    return capacity.read(pd.concat(tables, ignore_index=True))


def _rows(
    world: World, metric: str, stat: str, seconds: int, times: pd.DatetimeIndex, values: np.ndarray
) -> pd.DataFrame:
    about = {"service": world.nature.name, "metric": metric, "stat": stat, "interval": seconds}
    return pd.DataFrame({**about, "timestamp": times, "value": values})


def made(world: World, seen: Signals, bounds: Bounds) -> Quarter:
    """The public road, at the beginning of a quarter."""
    service, account = service_of(world, bounds), Account(fargate_vcpu_quota=bounds.quota_vcpu)
    history = history_of(world, seen, bounds.begin)
    forecast = capacity.forecast(history, horizon=HORIZON, services=[service])
    plan = capacity.plan(forecast, service, accounts=account)
    return Quarter(bounds, service, account, capacity.alarms(plan, history=history))


def quarters(world: World, seen: Signals) -> list[Quarter]:
    """One for each judged quarter."""
    return [made(world, seen, bounds) for bounds in world.bounds[1:]]


def firings(world: World, seen: Signals, each: list[Quarter]) -> Iterator[Firing]:
    """What these alarms did, each in its own quarter."""
    ends = [*(one.bounds.begin for one in each[1:]), len(world.times)]
    for quarter, end in zip(each, ends, strict=True):
        begin = quarter.bounds.begin
        back = max(0, begin - LOOKS_BACK)
        minutes = Minutes.of(
            quarter.service,
            world.times[back:end],
            {key: values[back:end] for key, values in seen.items()},
            constants(quarter.service, quarter.account),
        )
        watch = Watch(minutes)
        for alarm in quarter.alarms:
            on = watch.breaches(alarm.condition)
            went = back + np.flatnonzero(np.diff(on.astype(np.int8), prepend=0) == 1)
            went = went[went >= begin] + DELAY
            yield Firing(alarm.name, alarm.kind, alarm.severity, went, alarm.lead_minutes)
