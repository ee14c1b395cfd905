"""A report with every noun beside its plan, made once: a review, scenarios, money, error budgets, alarms."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from capacity.config import Budget, Limit, Scenario
from capacity.config.slo import Slo
from capacity.history import History
from capacity.monitoring import Alarms, error_budgets
from capacity.monitoring.alarm import Replayed
from capacity.planning.plans import Plan
from capacity.reporting import Report, report
from capacity.reviewing import Review, review
from tests.monitoring.histories import history_of
from tests.monitoring.planned import TOLD, alarms_of
from tests.reporting.fleet import GENERATED_AT, NASTY, demand_plan, web
from tests.reviewing import worlds

LAUNCH = Scenario(name=NASTY, note="What sales hopes for.", growth="100%")
BUDGET = Budget(name="shop", usd_per_month=150, owner="finance")


@cache
def watched() -> Plan:
    """Two services that promise something: a lone task, of a name that is code, and one that shares its database."""
    database = Limit(name="orders", kind="connections", total=3000, per_task=10)
    promised = (Slo(objective=0.999),)
    return demand_plan(
        web(NASTY, owner=NASTY, min_tasks=1, limit=(database,), slo=promised),
        web("search", zones=1, max_tasks=16, limit=(database,), slo=promised),
        horizon_days=35,
        paths=40,
    )


@cache
def measured() -> History:
    """A month of hours in which one request of a hundred fails: ten times what is promised."""
    hours = 24 * 30
    return history_of(
        {
            ("requests", "mean", 3600): np.full(hours, 100.0),
            ("errors", "mean", 3600): np.full(hours, 1.0),
        },
        service="search",
        start=pd.Timestamp("2026-10-21", tz="UTC"),
    )


@cache
def reviewed() -> Review:
    """Demand was a fifth above the plan, every request cost a tenth more, and all of it was paid at list price."""
    made = worlds.snapshot()
    return review(made, worlds.World(demand=1.2, cost=1.1).history(made), config=worlds.today())


def alarms() -> Alarms:
    """One of each kind and service; one is refused, one was never tried."""
    found = alarms_of(watched(), TOLD)
    first, second, *others = found.alarms
    often = Replayed(days=30, fired=12, true=0, false=12)
    refused = replace(first, refused="It was false 12 times in 30 days.", replayed=often)
    return replace(found, alarms=(refused, replace(second, replayed=None), *others))


@cache
def whole() -> Report:
    """Everything a report can say beside its plan."""
    plan = watched()
    return report(
        plan,
        review=reviewed(),
        what_if=plan.what_if([LAUNCH, Scenario(name="a good year", growth="25%")]),
        unit_costs=plan.unit_costs(),
        commitment=plan.commitment(),
        budgets=plan.budgets([BUDGET]),
        error_budgets=error_budgets(measured(), plan.services),
        alarms=alarms(),
        kept="report.plan",
        left_out={"watch": "Nothing else."},
        generated_at=GENERATED_AT,
    )
