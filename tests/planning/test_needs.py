"""Demand becomes tasks through what one full task carries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.config import Service
from capacity.errors import GoalUnreachable, PlanError
from capacity.planning.needs import asks_for_most, fractional_tasks, most_needed

WEB = Service(
    name="web",
    requests_per_second_per_task=50,
    request_target=0.8,
    task_vcpu=0.5,
    cpu_target=0.6,
    task_memory_gib=2,
    memory_target=0.5,
    memory_scales_with_load=True,
)


def test_each_resource_asks_for_demand_over_size_times_target() -> None:
    demand = {"requests": np.array([[120.0]]), "cpu": np.array([[1.5]]), "memory": np.array([[4.0]])}
    needs = fractional_tasks(WEB, demand)
    assert {name: round(float(need[0, 0]), 9) for name, need in needs.items()} == {
        "requests": 3.0,
        "cpu": 5.0,
        "memory": 4.0,
    }
    assert float(most_needed(needs)[0, 0]) == needs["cpu"][0, 0]


def test_memory_asks_for_tasks_only_when_more_tasks_relieve_it() -> None:
    fixed = WEB.model_copy(update={"memory_scales_with_load": False})
    assert list(fractional_tasks(fixed, {"cpu": np.ones((1, 1)), "memory": np.ones((1, 1))})) == ["cpu"]


def test_the_most_needed_resource_may_differ_from_path_to_path() -> None:
    needs = {"requests": np.array([[1.0], [4.0]]), "cpu": np.array([[3.0], [2.0]])}
    assert most_needed(needs).tolist() == [[3.0], [4.0]]
    assert asks_for_most({"requests": np.array([2.0, 1.0]), "cpu": np.array([2.0, 3.0])}).tolist() == [
        "requests",
        "cpu",
    ]


@given(load=st.floats(0, 1e6), capacity=st.floats(0.1, 1e4))
def test_stating_requests_by_the_minute_instead_of_the_second_changes_nothing(load: float, capacity: float) -> None:
    by_second = WEB.model_copy(update={"requests_per_second_per_task": capacity})
    by_minute = WEB.model_copy(update={"requests_per_second_per_task": capacity * 60})
    a = fractional_tasks(by_second, {"requests": np.array([[load]])})["requests"]
    b = fractional_tasks(by_minute, {"requests": np.array([[load * 60]])})["requests"]
    np.testing.assert_allclose(a, b, rtol=1e-12)


def test_requests_without_a_capacity_per_task_say_what_to_state() -> None:
    with pytest.raises(GoalUnreachable, match=r"web: .*requests_per_second_per_task, or bring cpu"):
        fractional_tasks(Service(name="web"), {"requests": np.ones((1, 1))})


def test_memory_alone_says_when_it_would_be_enough() -> None:
    with pytest.raises(GoalUnreachable, match="memory_scales_with_load = true"):
        fractional_tasks(Service(name="web"), {"memory": np.ones((1, 1))})


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_a_need_that_is_no_number_never_becomes_tasks(value: float) -> None:
    with pytest.raises(PlanError, match="web: the forecast of cpu"):
        fractional_tasks(Service(name="web"), {"cpu": np.array([[1.0, value]])})
