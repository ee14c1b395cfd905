"""A small plan with everything a file has to hold, made once for all tests that keep it."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from capacity.config import (
    Account,
    Budget,
    Config,
    Event,
    ForecastSettings,
    Goal,
    HeldCommitment,
    Limit,
    PriceSettings,
    Service,
    Slo,
    TaskCapacity,
)
from capacity.demand import Demand
from capacity.findings import Finding, Findings
from capacity.forecasting import forecast
from capacity.planning import Plan, plan
from capacity.reviewing import Snapshot, open_snapshot
from capacity.scaling import Policy, recommend_policy
from tests.makers import daily_wave, hourly, make_demand

#: A name that would do harm in SQL, a path, JSON or a page, were it ever taken for code.
NASTY = """web'; DROP TABLE rows; -- "<b>" ../../etc/passwd \\ €"""

THEN = "2026-08-24T09:30:00Z"


class Made(NamedTuple):
    """A plan, and what it was made from."""

    demand: Demand
    config: Config
    plan: Plan
    policy: Policy

    def kept(self) -> Snapshot:
        return Snapshot.of(self.plan, self.config, demand=self.demand, policy=self.policy, created_at=THEN)


def load(days: int = 15) -> Demand:
    """Requests and CPU of two services; a gap, an outage of counting, a saturated morning, tasks that ran."""
    times = hourly(days, start="2026-08-09")
    noise = np.exp(0.05 * np.random.default_rng(7).standard_normal((2, len(times))))
    first, second = daily_wave(times, 300) * noise[0], daily_wave(times, 40, 0.3) * noise[1]
    first[30:36] = np.nan
    found = make_demand(
        {(NASTY, "requests"): first, (NASTY, "cpu"): first * 0.01, ("search", "requests"): second}, times
    )
    peaks, censored = np.array(found.values * 1.2), np.array(found.censored)
    peaks[1, 50:] = np.nan
    censored[0, -30:-24] = True
    remark = Finding(NASTY, "requests", "gaps", "REVIEW", "6 hours are missing.", "", times[30], times[36], count=6)
    return Demand(
        keys=found.keys,
        times=found.times,
        interval=found.interval,
        values=found.values,
        peaks=peaks,
        censored=censored,
        derived=("measured", "cpu_utilization x cpu_reserved", "measured"),
        findings=Findings.of([remark]),
        clock=ZoneInfo("Europe/Paris"),
        zones=("Europe/Paris", "Europe/Paris", "UTC"),
        tasks={NASTY: np.where(np.isnan(first), np.nan, np.ceil(first / 40))},
    )


def settings() -> Config:
    """Settings of every kind that a plan follows from."""
    carries = TaskCapacity(requests_per_second=45, low=40, high=50, measured=date(2026, 7, 3), evidence=("One run.",))
    return Config(
        goal=Goal(horizon="5d", level=0.9),
        account=(Account(region="eu-west-1", fargate_vcpu_quota=12),),
        prices=PriceSettings(
            discount_percent=7.0, commitment=(HeldCommitment(usd_per_hour=0.1, end=date(2027, 3, 1)),)
        ),
        budget=(Budget(name="shop", usd_per_month=250, owner="A. Rao"),),
        forecast=ForecastSettings(model="profile", paths=60, seed=11, holidays="DE"),
        event=(Event(name="sale", start="2026-08-26", uplift=1.3, services=(NASTY,)),),
        service=(
            Service(
                name=NASTY,
                region="eu-west-1",
                timezone="Europe/Paris",
                task_capacity=carries,
                zones=3,
                max_tasks=12,
                slo=(Slo(objective=0.995), Slo(kind="latency", latency_seconds=0.3)),
                limit=(Limit(name="db", kind="connections", total=200, per_task=20),),
            ),
            Service(name="search", region="eu-west-1", requests_per_second_per_task=20, spot_share=0.5),
        ),
    )


@cache
def made() -> Made:
    """Forecast, planned, and its policy rehearsed, as the chain does it."""
    demand, config = load(), settings()
    said = config.forecast
    drawn = forecast(
        demand,
        config.goal.horizon,
        model=said.model,
        paths=said.paths,
        seed=said.seed,
        services=config.service,
        events=config.event,
        holidays=said.holidays,
    )
    planned = plan(drawn, config)
    return Made(demand, config, planned, recommend_policy(planned, demand=demand, seed=said.seed))


@cache
def snapshot() -> Snapshot:
    return made().kept()


@cache
def again() -> Snapshot:
    """The same, run again from its file."""
    with TemporaryDirectory() as folder:
        return open_snapshot(snapshot().save(Path(folder) / "one.plan")).rerun(created_at=THEN)
