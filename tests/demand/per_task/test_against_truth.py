"""Production evidence held against what was put into the sample fleet."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from capacity.config import load_config
from capacity.demand.per_task import ProductionEvidence, from_production
from capacity.errors import HistoryError
from capacity.samples import sample_path, truth
from tests.sample_fleet import ON_ONE_WORKER, history

pytestmark = ON_ONE_WORKER

FLEET = load_config(sample_path() / "capacity.toml")
WITH_REQUESTS = [service.name for service in FLEET.service if service.tier != "batch"]


@cache
def evidence(name: str) -> ProductionEvidence:
    return from_production(history(name), FLEET.service_named(name))


@pytest.mark.parametrize("name", WITH_REQUESTS)
def test_a_request_costs_what_was_put_in_and_only_real_changes_are_told(name: str) -> None:
    facts = truth()["services"][name]
    newest = evidence(name).epochs.iloc[-1]
    cost = facts["cpu_seconds_per_request_at_cutoff"]
    assert newest["vcpu_seconds_per_request"] == pytest.approx(cost, rel=0.05)
    assert newest["cost_low"] <= cost <= newest["cost_high"]
    assert newest["base_vcpu"] == pytest.approx(facts["idle_vcpu"], abs=0.02 * facts["task_vcpu"])
    told = [(change.at, change.ratio) for change in evidence(name).changes]
    real = [(pd.Timestamp(step["at"]), step["factor"]) for step in facts["steps"] if step["on"] == "cpu"]
    assert len(told) == len(real)
    for (at, ratio), (moment, factor) in zip(told, real, strict=True):
        assert abs(at - moment) <= pd.Timedelta(hours=1)  # the history has hours then
        assert ratio == pytest.approx(factor, rel=0.02)


@pytest.mark.parametrize("name", WITH_REQUESTS)
def test_memory_is_what_an_idle_task_holds_and_what_work_adds(name: str) -> None:
    """GiB = idle + per busy vCPU x vCPU, and vCPU = idle + cost x rate: so much a request/s."""
    facts, newest = truth()["services"][name], evidence(name).epochs.iloc[-1]
    each = facts["memory_gib_per_busy_vcpu"] * facts["cpu_seconds_per_request_at_cutoff"]
    assert newest["memory_unit"] == "request/s"  # minutes know no latency
    assert newest["memory_gib_per_unit"] == pytest.approx(each, rel=0.06)
    assert newest["base_memory_gib"] == pytest.approx(facts["idle_memory_gib"], rel=0.05)


def test_where_the_slo_broke_the_crossing_is_the_truth() -> None:
    """Recommendations is pinned at its maximum in the evenings: production itself is the load test."""
    facts = truth()["services"]["recommendations"]
    slo = 1000 * facts["slo_p95_seconds"]
    found = from_production(history("recommendations"), FLEET.service_named("recommendations"), slo_ms=slo)
    true = facts["requests_per_second_per_task_at_slo"]
    assert found.task_capacity.requests_per_second == pytest.approx(true, rel=0.10)
    assert found.task_capacity.interval[0] <= true <= found.task_capacity.interval[1]
    assert not found.task_capacity.at_least


def test_a_worker_without_requests_says_what_is_missing() -> None:
    with pytest.raises(HistoryError, match="invoicing carries cannot be read from its history: it lacks requests"):
        evidence("invoicing")
