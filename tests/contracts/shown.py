"""One of each noun that a notebook may show, small, about a service whose name would do harm were it taken for HTML.

Those that would cost a second to compute are put together by hand: what is tried is how they show themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pandas as pd

import capacity
from capacity.config import Budget, Scenario, TaskCapacity
from capacity.config.sizing import Instance
from capacity.demand.per_task import PerTask, ProductionEvidence, TypeCosts
from capacity.demand.per_task.reconciling import Reconciled
from capacity.findings import Finding, Findings
from capacity.forecasting import Forecast
from capacity.history import History
from capacity.history.fetching import Fetched
from capacity.history.store import Appended
from capacity.loadtest import fit_scaling, plan_for
from capacity.loadtest.models.fit_usl import fit_usl
from capacity.monitoring import error_budgets, kpis
from capacity.planning import Plan
from capacity.planning.caching import Caching, Popularity, what_if
from capacity.planning.money.reconciliation import Reconciliation
from capacity.reviewing import Snapshot
from capacity.scaling import Policy, ServicePolicy, TargetTracking, elasticity
from capacity.scaling.live.changes import Change, Diff
from capacity.scaling.live.items import Item
from capacity.scaling.live.live import Live, LiveService
from capacity.sources.advice import Advice
from capacity.sources.aws.ecs import Discovery, EcsService
from capacity.sources.base import Observations
from capacity.sources.bills import Bill
from capacity.sources.pulling import Outlay
from tests.loadtest.runs import poisson, run, written
from tests.makers import daily_wave, hourly

#: Of a service, of a file, of a check: whatever people, tags and file names may bring.
HOSTILE: Final = """web"><img src=x onerror="alert('1')">"""

TIMES: Final = hourly(15)
N_OF_USERS: Final = [1, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64]  # ray tracer on an SGI Origin 2000, Gunther (2007)
PER_SECOND: Final = [20, 78, 130, 170, 190, 200, 210, 230, 260, 280, 310]


class Shown:
    """The nouns, by the names of their classes; those made by the chain are made once."""

    @cached_property
    def service(self) -> capacity.Service:
        return capacity.Service(
            name=HOSTILE,
            requests_per_second_per_task=20,
            max_tasks=12,
            startup_seconds=60,
            slo=({"objective": 0.999},),
        )

    @cached_property
    def rows(self) -> pd.DataFrame:
        load = daily_wave(TIMES)
        tasks = np.ceil(load / 20)
        metrics = {
            "requests": load,
            "cpu": load * 0.01,
            "running_tasks": tasks,
            "cost": tasks * 0.05,
            "errors": 0 * load,
        }
        tables = [
            pd.DataFrame({"service": HOSTILE, "metric": metric, "timestamp": TIMES, "value": values})
            for metric, values in metrics.items()
        ]
        return pd.concat(tables, ignore_index=True)

    @cached_property
    def history(self) -> History:
        return capacity.read(self.rows)

    @cached_property
    def demand(self) -> capacity.Demand:
        return capacity.estimate_demand(self.history, [self.service])

    def forecast_of(self, demand: capacity.Demand, horizon: str) -> Forecast:
        return capacity.forecast(demand, horizon, model="profile", paths=20, services=[self.service])

    @cached_property
    def forecast(self) -> Forecast:
        return self.forecast_of(self.demand, "40d")  # to the end of a month, of which budgets are

    @cached_property
    def plan(self) -> Plan:
        return capacity.plan(self.forecast, self.service, budgets=[Budget(name=HOSTILE, usd_per_month=1)])

    @cached_property
    def policy(self) -> Policy:
        return Policy((ServicePolicy(self.service, 2, 12, TargetTracking("cpu", 60)),))

    @cached_property
    def alarms(self) -> capacity.Alarms:
        return capacity.alarms(self.plan, demand=self.demand, history=self.history)

    @cached_property
    def review(self) -> capacity.Review:
        then = self.forecast_of(self.demand.until(TIMES[240]), "5d")
        return capacity.review(Snapshot.of(capacity.plan(then, self.service)), self.history)

    @cached_property
    def findings(self) -> Findings:
        return Findings.of([Finding(HOSTILE, "cpu", HOSTILE, "REVIEW", f"{HOSTILE} is slow.", HOSTILE)])

    @cached_property
    def per_task(self) -> PerTask:
        columns = {"requests_per_s": 15.0, "vcpu": 0.2, "usable": True}
        return PerTask(HOSTILE, pd.DataFrame(columns, index=TIMES.rename("timestamp")), self.findings)


_S: Final = Shown()
_CARRIES: Final = TaskCapacity(requests_per_second=20, low=18, high=22, evidence=(HOSTILE,))


def _type_costs() -> TypeCosts:
    columns = {"vcpu_seconds": [0.01], "low": [0.008], "high": [0.012], "share": [1.0]}
    return TypeCosts(pd.DataFrame(columns, index=[HOSTILE]), 0.02, 3.0, False, 60, _S.findings)


def _reconciliation() -> Reconciliation:
    month = {"service": HOSTILE, "month": TIMES[0], "table": 10.0, "quantity": 1.0, "spot": 0.0, "committed": 0.0}
    frame = pd.DataFrame([{**month, "price": -1.0, "billed": 10.0, "of_table": 0.9}])
    return Reconciliation(frame, (), _S.findings, capacity.Config(service=(_S.service,)).prices)


def _bill() -> Bill:
    day = {"service": HOSTILE, "interval": 86400, "timestamp": TIMES[0], "usage_type": "vCPU", "resource": "vcpu"}
    return Bill.of([day | {"currency": "USD", "quantity": 1.0, "unit": "h", "amount": 2.0, "billed": 2.0}], HOSTILE)


def _diff() -> Diff:
    parameters = {"MinCapacity": 2, "MaxCapacity": 12}
    item = Item("eu-west-1", f"service/c/{HOSTILE}", "bounds", "")
    call = {"client": "application-autoscaling", "operation": "register_scalable_target", "parameters": parameters}
    return Diff("123456789012", TIMES[0], (Change(item, "add", None, parameters, call),), _S.findings, 1, again=_same)


def _same(door: object) -> Diff:
    return _diff()


def _live() -> Live:
    one = LiveService("eu-west-1", f"service/c/{HOSTILE}", (2, 12))
    return Live("123456789012", "arn", {("eu-west-1", one.resource_id): one}, TIMES[0])


def _observations() -> Observations:
    return Observations.of(_S.rows.assign(stat="mean", interval=3600), HOSTILE)


def _store() -> capacity.Store:
    return capacity.Store(f"/nowhere/{HOSTILE}")


def _load_test() -> Any:
    arrivals = poisson(20, 60, np.random.default_rng(0))
    rows = run(arrivals, np.full(len(arrivals), 0.02), label=HOSTILE)
    with TemporaryDirectory() as folder:
        return capacity.loadtest.read(written(rows, Path(folder) / "results.jtl"))


#: Class -> how to come by one.
MAKERS: Final[dict[str, Callable[[], Any]]] = {
    "Advice": lambda: Advice.of([{"service": HOSTILE, "suggested_vcpu": 0.5}]),
    "Alarms": lambda: _S.alarms,
    "Backtest": lambda: capacity.backtest(_S.demand, ["profile", "seasonal-naive"], "1d", 2),
    "Bill": _bill,
    "Bottlenecks": lambda: _S.plan.bottlenecks(),
    "Budgets": lambda: _S.plan.budgets(),
    "CacheWhatIf": lambda: what_if(_S.plan, HOSTILE, Caching(hit_ratio=0.9)),
    "Chain": lambda: capacity.Chain(capacity.Config(service=(_S.service,))),
    "Commitment": lambda: _S.plan.commitment(),
    "Dashboard": lambda: capacity.dashboard(_S.plan, alarms=_S.alarms),
    "Demand": lambda: _S.demand,
    "Diff": _diff,
    "Discovery": lambda: Discovery((EcsService(HOSTILE, "c", "eu-west-1", "arn"),)),
    "Elasticity": lambda: elasticity([10, 10, 12, 12], [8, 10, 15, 12]),
    "ErrorBudgets": lambda: error_budgets(_S.history, [_S.service]),
    "Fetched": lambda: Fetched(Appended(1, 0, 0), Outlay({}, {}), _S.findings),
    "Findings": lambda: _S.findings,
    "Forecast": lambda: _S.forecast,
    "History": lambda: _S.history,
    "Instances": lambda: _S.plan.instances(Instance(name=HOSTILE, vcpu=8, memory_gib=32, usd_per_hour=0.4)),
    "Kpis": lambda: kpis(_S.history, [_S.service]),
    "Live": _live,
    "LoadPlan": lambda: plan_for(100, slo_ms=250, tasks=2, claimed=60),
    "LoadTest": _load_test,
    "Mix": lambda: _S.plan.mix(),
    "Observations": _observations,
    "PerTask": lambda: _S.per_task,
    "Plan": lambda: _S.plan,
    "Policy": lambda: _S.policy,
    "Popularity": lambda: Popularity(np.array([50, 20, 5, 1, 1]), source=HOSTILE),
    "ProductionEvidence": lambda: ProductionEvidence(HOSTILE, _S.per_task, (), (), _CARRIES, _S.findings, 0.02),
    "Reconciled": lambda: Reconciled(_CARRIES, _CARRIES, _CARRIES, _S.findings),
    "Reconciliation": _reconciliation,
    "Report": lambda: capacity.report(_S.plan),
    "Review": lambda: _S.review,
    "Runbooks": lambda: capacity.runbooks(_S.alarms, plan=_S.plan),
    "Scaling": lambda: fit_scaling(N_OF_USERS, PER_SECOND),
    "ServicePolicy": lambda: _S.policy[HOSTILE],
    "Settings": lambda: _S.service,
    "Simulation": lambda: capacity.simulate(_S.policy, _S.demand),
    "Sizes": lambda: _S.plan.sizes(),
    "Snapshot": lambda: Snapshot.of(_S.plan),
    "Store": _store,
    "TypeCosts": _type_costs,
    "UnitCosts": lambda: _S.plan.unit_costs(_S.history),
    "UniversalScalability": lambda: fit_usl(N_OF_USERS, PER_SECOND),
    "WhatIf": lambda: _S.plan.what_if([Scenario(name=HOSTILE, growth="25%")]),
}
