"""`capacity.alarms` as its user has it: each quarter a new forecast, plan and alarms, of what was measured by then.

An alarm that asks to plan again is heard: the next morning there is a new plan, with new alarms.

A store holds hours of everything and minutes of the last month. Nothing after the cutoff is seen, and of the world
nothing but what monitoring saw, what the owner configured, and what a load test found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

import capacity
from benchmarks.alarms.judging import AVAILABILITY, DELAY, FAST_MINUTES, Firing, told
from benchmarks.alarms.nature import MINUTES_A_DAY
from benchmarks.alarms.observed import ACCOUNT, Signals
from benchmarks.alarms.world import Bounds, World
from capacity.config import Account, Slo
from capacity.monitoring import Alarms
from capacity.monitoring.breaches import Watch
from capacity.monitoring.measuring import constants
from capacity.monitoring.minutes import Key, Minutes

#: Minutes kept: a month.
MONTH_OF_MINUTES: Final = 30 * MINUTES_A_DAY

#: Before a quarter begins its alarms look back so far: three weeks, for bands that learn from two.
LOOKS_BACK: Final = 21 * MINUTES_A_DAY

HORIZON: Final = "91d"


#: The kind of alarm that asks to plan again, and for how long a new plan is left alone.
AGAIN: Final = "forecast_breach"
YOUNG: Final = 7 * MINUTES_A_DAY
NEVER: Final = 2**31


@dataclass(frozen=True, eq=False)
class Planned:
    """Alarms from the minute `begin` on, and what was known when they were made."""

    begin: int
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


def made(world: World, seen: Signals, bounds: Bounds, begin: int) -> Planned:
    """The public road, from what is known at this minute."""
    service, account = service_of(world, bounds), Account(fargate_vcpu_quota=bounds.quota_vcpu)
    history = history_of(world, seen, begin)
    demand = capacity.estimate_demand(history, [service], interval="1h")
    forecast = capacity.forecast(demand, horizon=HORIZON, services=[service])
    plan = capacity.plan(forecast, service, accounts=account)
    return Planned(begin, service, account, capacity.alarms(plan, demand=demand, history=history))


Make = Callable[[World, Signals, Bounds, int], Planned]


def firings(world: World, seen: Signals, make: Make = made) -> Iterator[Firing]:
    """Alarms made at the beginning of each judged quarter, and again on the morning after one asks to plan again."""
    ends = [*(one.begin for one in world.bounds[2:]), len(world.times)]
    for bounds, end in zip(world.bounds[1:], ends, strict=True):
        begin = bounds.begin
        while begin < end:
            found = list(_until(world, seen, make(world, seen, bounds, begin), end))
            until = min([end, *(_next_day(one.went_off, begin) for one in found if one.kind == AGAIN)])
            for one in found:
                yield replace(one, went_off=one.went_off[one.went_off < until])
            begin = until


def _next_day(went_off: np.ndarray, begin: int) -> int:
    """The midnight after the first time that counts: a plan younger than a week is not made again."""
    late = went_off[went_off >= begin + YOUNG]
    return (int(late[0]) // MINUTES_A_DAY + 1) * MINUTES_A_DAY if len(late) else NEVER


def _until(world: World, seen: Signals, planned: Planned, end: int) -> Iterator[Firing]:
    """What these alarms do until this minute."""
    back = max(0, planned.begin - LOOKS_BACK)
    values: dict[Key, object] = {key: one[back:end] for key, one in seen.items()}
    known = constants(planned.service, planned.account)
    watch = Watch(Minutes.of(planned.service, world.times[back:end], values, known))
    for alarm in planned.alarms:
        went = back + told(watch.breaches(alarm.condition))
        yield Firing(alarm.name, alarm.kind, alarm.severity, went[went >= planned.begin + DELAY], alarm.lead_minutes)
