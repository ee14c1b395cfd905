"""A small fleet for the reporting tests: hand-made demand through the real planner, so no shape is guessed."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from capacity.config import Account, Limit, Service, TaskCapacity
from capacity.findings import Finding, Findings
from capacity.planning import plan
from capacity.planning.plans import Plan
from capacity.scaling.policy import Policy, ScheduledAction, ServicePolicy, TargetTracking
from tests.makers import daily_wave, hourly, make_demand, make_forecast

#: A name that would do harm in HTML, a spreadsheet, Typst, Vega and a shell, were it ever taken for code.
NASTY = """=cmd()|' /C calc'!A1 <script>alert("x")</script> #import *bold* $x$ [a.b]'"\\` @ref ${y} {{z}}"""

GENERATED_AT = pd.Timestamp("2026-11-23T09:30:00Z")


def web(name: str = "checkout", **settings: object) -> Service:
    stated: dict[str, object] = {
        "requests_per_second_per_task": 10,
        "min_tasks": 2,
        "max_tasks": 40,
        "owner": "shop team",
    }
    return Service(name=name, **(stated | settings))


def demand_plan(
    *services: Service,
    days: int = 60,
    horizon_days: int = 28,
    growth: float = 0.4,
    paths: int = 80,
    accounts: bool = True,
) -> Plan:
    """A plan for services of growing size, requests and CPU, with a gap of two days in the first one's history."""
    times = hourly(days, start="2026-09-21")
    rng = np.random.default_rng(5)
    series = {}
    for number, service in enumerate(services, start=1):
        wave = daily_wave(times, mean=60.0 * number) * np.exp(0.05 * rng.standard_normal(len(times)))
        wave *= np.linspace(0.7, 1.0, len(times))
        series[service.name, "requests"] = wave
        series[service.name, "cpu"] = wave * 0.03
    series[services[0].name, "requests"][240:288] = np.nan
    forecast = make_forecast(make_demand(series, times), steps=24 * horizon_days, paths=paths, growth=growth)
    quota = (Account(region="us-east-1", fargate_vcpu_quota=120),) if accounts else ()
    return plan(forecast, services, accounts=quota, peaks=lambda forecast: forecast.paths)


@cache
def small() -> Plan:
    """One service in which everything is known."""
    return demand_plan(web())


@cache
def nasty() -> Plan:
    """Two services: one has a name that looks like code everywhere, of the other is known what a task carries."""
    return demand_plan(web(NASTY, owner=NASTY), carrying("search", max_tasks=60))


def carrying(name: str, **settings: object) -> Service:
    """A service with a measured capacity and limits that more tasks do not lift, one of a hostile name."""
    known = TaskCapacity(
        requests_per_second=10,
        low=6,
        high=14,
        slo_ms=250,
        method="load test",
        measured=date(2026, 9, 3),
        evidence=("Two runs of 20 minutes.",),
    )
    limits = (
        Limit(name=NASTY, kind="connections", total=300, per_task=12),
        Limit(name="payments", kind="downstream", total=1e6),
        Limit(name="cache", kind="connections", total=100),
    )
    return web(name, requests_per_second_per_task=None, task_capacity=known, limit=limits, **settings)


def policy_of(plan: Plan) -> Policy:
    """A policy as the scaling room would give it, with a rehearsal of three candidates."""
    rehearsal = pd.DataFrame(
        {
            "candidate": ["today", "tracking", "recommended"],
            "short_minutes": [310, 42, 3],
            "short_share": [0.0077, 0.001, 0.00007],
            "task_hours": [18000.0, 15100.0, 15400.0],
            "usd": [888.66, 745.49, 760.3],
            "changes": [120, 410, 388],
            "theta_u": [1.2, 0.3, 0.02],
            "theta_o": [41.0, 22.5, 24.1],
            "upsilon": [3.0, 9.5, 9.1],
        }
    )
    up = ScheduledAction("morning", "cron(30 7 ? * MON-FRI *)", 12, 64, "Europe/Paris")
    down = ScheduledAction("evening", "cron(0 20 ? * MON-FRI *)", 4, 64, "Europe/Paris")
    return Policy(
        tuple(
            ServicePolicy(
                service=service,
                min_tasks=4,
                max_tasks=64,
                tracking=TargetTracking("requests", 510.0),
                schedule=(up, down),
                reasons=("CPU and requests rise together; requests are seen a minute earlier.",),
                rehearsal=rehearsal,
                per_task=10.0,
            )
            for service in plan.services
        )
    )


def scores_of(plan: Plan) -> pd.DataFrame:
    """`schema.SCORES` of two models over two windows, for every series of the plan."""
    rows = [
        {
            "service": key.service,
            "metric": key.metric,
            "model": model,
            "cutoff": pd.Timestamp(cutoff, tz="UTC"),
            "steps": 168,
            "wql": wql + 0.002 * window,
            "mase": 10 * wql,
            "coverage": 0.9 - 0.02 * window,
            "exceeded": 0.05 + 0.01 * window,
            "peak_ratio": 0.98,
            "bias": -0.01,
            "seconds": 0.2,
        }
        for key in plan.forecast.keys
        for model, wql in (("hand-made", 0.06), ("seasonal-naive", 0.08))
        for window, cutoff in enumerate(("2026-11-06", "2026-11-13"))
    ]
    return pd.DataFrame(rows)


def failing(service: str) -> Findings:
    """Findings of every status about one service."""
    return Findings.of(
        [
            Finding(
                service,
                "requests",
                "gaps",
                "FAIL",
                "41 % of the last four weeks are missing.",
                "Fetch them again before deciding on this service.",
                pd.Timestamp("2026-10-20", tz="UTC"),
                pd.Timestamp("2026-11-01", tz="UTC"),
                288,
            ),
            Finding(
                service, "cpu", "shift", "REVIEW", "The level rose by 30 % on 3 November 2026.", "Was it a release?"
            ),
            Finding(service, "memory", "saturation", "UNKNOWN", "No memory was measured."),
        ]
    )


def quick(times: pd.DatetimeIndex, values: np.ndarray, steps: int, service: Any = None) -> Plan:
    """A plan without ceremony, for values on any grid."""
    demand = make_demand({("checkout", "requests"): values}, times)
    forecast = make_forecast(demand, steps=steps, paths=40)
    return plan(forecast, service or web(), peaks=lambda forecast: forecast.paths)
