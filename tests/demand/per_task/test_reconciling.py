"""A load test and production as one capacity, honest about both."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.config import TaskCapacity
from capacity.demand.per_task import reconcile


def known(rate: float, half: float | None = 0.05, **more: object) -> TaskCapacity:
    """A capacity with an interval of `half` on each side, as a share."""
    if half is not None:
        more |= {"low": rate * (1 - half), "high": rate * (1 + half)}
    return TaskCapacity.model_validate({"requests_per_second": rate, **more})


def checks(test: TaskCapacity, production: TaskCapacity, **settings: object) -> list[str]:
    return [finding.check for finding in reconcile(test, production, **settings).findings]  # type: ignore[arg-type]


RATES = st.floats(1, 1000)
HALVES = st.floats(0.01, 0.4)


@given(a=RATES, b=RATES, first=HALVES, second=HALVES, bounds=st.tuples(st.booleans(), st.booleans()))
def test_the_interval_is_in_order_and_never_promises_more_than_either(
    a: float, b: float, first: float, second: float, bounds: tuple[bool, bool]
) -> None:
    both = reconcile(known(a, first, at_least=bounds[0]), known(b, second, at_least=bounds[1]))
    low, high = both.task_capacity.interval
    assert low <= both.task_capacity.requests_per_second <= high
    assert both.task_capacity.requests_per_second <= max(a, b) * (1 + 1e-9)
    assert both.task_capacity.method == "load test and production"


@given(a=RATES, b=RATES, first=HALVES, second=HALVES)
def test_which_is_called_which_does_not_matter_for_the_rate(a: float, b: float, first: float, second: float) -> None:
    one, other = known(a, first), known(b, second)
    forth, back = reconcile(one, other).task_capacity, reconcile(other, one).task_capacity
    assert forth.requests_per_second == pytest.approx(back.requests_per_second)
    assert forth.interval == pytest.approx(back.interval)


def test_those_that_agree_are_weighted_by_precision() -> None:
    both = reconcile(known(50, 0.04), known(54, 0.20)).task_capacity
    assert 50 < both.requests_per_second < 52
    assert both.interval[0] <= 50 and both.interval[1] >= 54
    assert checks(known(50), known(54)) == []


def test_of_those_that_contradict_the_lower_is_planned_with_and_causes_are_named() -> None:
    both = reconcile(known(80, 0.05, measured=date(2026, 10, 1)), known(50, 0.05, measured=date(2026, 11, 1)))
    planned, message = both.task_capacity, str(both.findings)
    assert (planned.requests_per_second, *planned.interval) == (50, 47.5, 80)
    assert "60% more than production" in message and "mix" in message and "dependencies" in message
    assert "2026-10-01" in message and "2026-11-01" in message


def test_a_lower_bound_contradicts_nothing_above_it() -> None:
    both = reconcile(known(60, 0.05), known(40, 0.02, at_least=True))
    assert both.task_capacity.requests_per_second == 60 and not both.task_capacity.at_least
    assert not list(both.findings)
    more = reconcile(known(60, 0.05, at_least=True), known(40, 0.05, at_least=True))
    assert more.task_capacity.requests_per_second == 60 and more.task_capacity.at_least


def test_a_test_of_more_than_fills_the_processor_contradicts_a_lower_bound() -> None:
    """The results of another service, or of a stub: each was once planned with, because nothing broke the SLO."""
    real = known(20, 0.05, at_least=True, vcpu_seconds_per_request=0.03, base_vcpu=0.1, task_vcpu=1.0)
    both = reconcile(known(190, 0.02), real)
    planned, message = both.task_capacity, str(both.findings)
    assert planned.requests_per_second == 20 and planned.interval == pytest.approx((19, 30))
    assert planned.at_least and "30 requests/s fill the 1 vCPU" in message and "mix" in message
    assert reconcile(known(29, 0.02), real).task_capacity.requests_per_second == 29


def test_production_that_did_more_than_the_test_says_is_a_contradiction() -> None:
    both = reconcile(known(40, 0.03), known(60, 0.02, at_least=True))
    assert both.task_capacity.requests_per_second == 40
    assert "production shows 50% more" in str(both.findings)


def test_what_is_old_is_said_on_the_day_it_is_read() -> None:
    old, new = known(50, measured=date(2026, 5, 1)), known(50, measured=date(2026, 11, 20))
    assert checks(old, new) == ["expired"]  # by the day of the other one
    assert checks(new, new, today=date(2027, 2, 18)) == []  # 90 days: still holds
    assert checks(new, new, today=date(2027, 2, 19)) == ["expired", "expired"]
    assert checks(known(50), new, today=date(2026, 11, 26)) == ["age"]


def test_another_task_size_is_not_compared_unless_a_rule_is_stated() -> None:
    small, large = known(30, task_vcpu=0.5), known(58, task_vcpu=1.0, method="production")
    refused = reconcile(small, large)
    assert refused.task_capacity == large and "0.5 and 1 vCPU" in str(refused.findings)
    scaled = reconcile(small, large, size_rule="vcpu")
    assert 58 <= scaled.task_capacity.requests_per_second <= 60
    assert scaled.task_capacity.task_vcpu == 1.0 and "scaled by 2" in str(scaled.findings)
    assert scaled.test == small  # as it was given


def test_costs_are_those_of_the_real_mix() -> None:
    test = known(50, vcpu_seconds_per_request=0.010, base_memory_gib=0.5, memory_gib_per_request=0.002, slo_ms=200)
    real = known(50, vcpu_seconds_per_request=0.014)
    both = reconcile(test, real).task_capacity
    assert both.vcpu_seconds_per_request == 0.014
    assert both.memory_gib_per_request == 0.002 and both.slo_ms == 200
    assert checks(test, known(50, slo_ms=300)) == ["other SLO"]


def test_both_are_shown() -> None:
    both = reconcile(known(52), known(50, method="production"), service="<web>")
    text, page = str(both), both._repr_html_()
    for words in ("load test", "production", "planned with", "requests/s"):
        assert words in text
    assert "52" in page and "50" in page and "<web>" not in page
    assert list(both.frame["evidence"]) == ["load test", "production", "planned with"]
