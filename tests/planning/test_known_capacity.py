"""How far a stated capacity can be trusted is said beside the plan."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from capacity.config import Service, TaskCapacity
from capacity.findings import Finding
from capacity.planning import Plan
from tests.planning.inputs import BARE, forecast_of, planned


def with_capacity(memory: float | None = None, service: dict[str, Any] | None = None, **fields: Any) -> Plan:
    """The plan, from 23 November 2026 on, of a service with this capacity; `memory`: GiB that all tasks took lately."""
    known = {
        "requests_per_second": 50,
        "low": 48,
        "high": 52,
        "method": "load test",
        "evidence": ("two runs",),
        **fields,
    }
    web = Service(
        name="web", task_capacity=TaskCapacity(**known), **{"min_tasks": 4, "max_tasks": 4, **(service or {})}
    )
    paths = {("web", "requests"): [[100.0]], **({} if memory is None else {("web", "memory"): [[memory]]})}
    return planned(forecast_of(paths, past=1.0 if memory is None else memory), web, goal=BARE)


def said(plan: Plan, check: str = "task capacity") -> list[Finding]:
    return [finding for finding in plan.findings if finding.check == check]


def test_a_good_measurement_asks_for_nothing() -> None:
    assert said(with_capacity(measured=date(2026, 11, 3))) == []


def test_an_age_past_its_expiry_is_said_with_both_days() -> None:
    assert said(with_capacity(measured=date(2026, 8, 25))) == []  # 90 days before the plan's first
    (finding,) = said(with_capacity(measured=date(2026, 8, 24)))
    assert finding.status == "REVIEW"
    assert "measured on 24 August 2026 and counted until 22 November 2026" in finding.message
    assert said(with_capacity(measured=date(2026, 8, 24), expires_days=365)) == []


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"task_vcpu": 2}, "REVIEW", "measured with 2 vCPU and 2 GiB, and tasks are planned with 1 vCPU and 2 GiB"),
        ({"task_memory_gib": 4}, "REVIEW", "measured with 1 vCPU and 4 GiB"),
        ({"at_least": True}, "REVIEW", "it carries 50 requests/s or more"),
        ({"method": "stated", "evidence": ()}, "UNKNOWN", "stated without evidence"),
        ({"low": None, "high": None}, "UNKNOWN", "50 requests/s a task (load test) has no interval"),
    ],
)
def test_each_doubt_about_a_capacity_is_a_finding_with_advice(fields: dict[str, Any], status: str, words: str) -> None:
    (finding,) = said(with_capacity(**fields))
    assert finding.status == status
    assert words in finding.message
    assert finding.advice


def test_a_bare_rate_is_planned_as_ever_without_a_finding() -> None:
    web = Service(name="web", requests_per_second_per_task=50)
    assert said(planned(forecast_of({("web", "requests"): [[100.0]]}), web, goal=BARE)) == []


def test_the_ladder_says_the_interval_and_how_it_is_known() -> None:
    told = with_capacity(measured=date(2026, 11, 3)).explain("web")
    assert "tasks full of requests (50 requests/s × 0.85 per task; 48 to 52, load test of 3 November 2026)" in told


def test_memory_of_a_full_task_is_base_and_requests_in_flight() -> None:
    """50 requests/s for at most 0.4 s each: 20 in flight, 20 x 0.04 + 0.9 = 1.7 GiB at most, of 2 GiB x 80 %."""
    known: dict[str, Any] = {"base_memory_gib": 0.9, "slo_ms": 400}
    (open_,) = said(with_capacity(memory_gib_per_request=0.04, **known), "task size")
    assert (open_.status, "0.9 to 1.7 GiB of its 2 GiB" in open_.message) == ("UNKNOWN", True)
    assert said(with_capacity(memory_gib_per_request=0.03, **known), "task size") == []  # 1.5 GiB fit
    (short,) = said(with_capacity(base_memory_gib=1.9, slo_ms=400), "task size")
    assert (short.status, short.message.startswith("A full task takes at least 1.9 GiB")) == ("REVIEW", True)


def test_a_capacity_answers_what_production_left_open() -> None:
    """4 GiB of 1 to 8 tasks: 0.5 to 4 GiB each, nobody can tell; by its capacity a full task takes 1.1 GiB at most."""
    fleet = {"min_tasks": 1, "max_tasks": 8}
    assert [f.status for f in said(with_capacity(4.0, fleet), "task size")] == ["UNKNOWN"]
    known: dict[str, Any] = {"base_memory_gib": 0.9, "memory_gib_per_request": 0.01, "slo_ms": 400}
    assert said(with_capacity(4.0, fleet, **known), "task size") == []


def test_production_that_took_more_than_the_capacity_allows_is_believed_and_said() -> None:
    plan = with_capacity(4 * 1.9, base_memory_gib=0.9, memory_gib_per_request=0.01, slo_ms=400)
    assert [f.message for f in said(plan)] == [
        "A task used at least 1.9 GiB in production, and its task_capacity gives a full one 1.1 GiB at most; the plan "
        "goes by production."
    ]
    (resize,) = [d for d in plan.decisions if d.kind == "resize"]
    assert resize.sentence == "Give each task of `web` 3 GiB instead of 2 GiB."


def test_an_idle_task_that_fills_its_memory_is_to_be_made_larger_before_anyone_measured_it() -> None:
    (resize,) = [d for d in with_capacity(base_memory_gib=1.9).decisions if d.kind == "resize"]
    assert resize.because.startswith("A full task takes at least 1.9 GiB by what was measured of one, 95 % of")
