"""Each step gives the fewest tasks that keep its promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Goal, Service
from capacity.errors import GoalUnreachable
from capacity.planning.needs import full_share, in_full_tasks
from capacity.planning.steps import (
    NOISE,
    STEPS,
    Steps,
    climb,
    for_deployment,
    for_zone_loss,
    last_raised,
    ready_before,
    tracked_share,
    whole_tasks,
    within_bounds,
)

counts = st.integers(0, 6000)
loads = st.lists(st.floats(0, 1000), min_size=1, max_size=40)


@given(need=st.floats(0, 1e6))
def test_whole_tasks_hold_the_need_and_one_fewer_does_not(need: float) -> None:
    tasks = int(whole_tasks(need))
    assert tasks >= need - NOISE * max(need, 1)
    assert tasks == 0 or tasks - 1 < need


@given(whole=st.integers(0, 5000), size=st.floats(0.01, 100))
def test_a_load_that_fills_whole_tasks_asks_for_exactly_those(whole: int, size: float) -> None:
    assert int(whole_tasks(whole * size / size)) == whole
    assert int(whole_tasks(np.float32(whole * size) / np.float32(size))) == whole


@given(tasks=counts, percent=st.integers(1, 100))
def test_a_deployment_leaves_enough_and_with_one_fewer_it_would_not(tasks: int, percent: int) -> None:
    asked = int(for_deployment(np.array([tasks]), percent)[0])
    assert math.ceil(asked * percent / 100 - 1e-12) >= tasks
    assert tasks == 0 or math.ceil((asked - 1) * percent / 100 - 1e-12) < tasks


@given(tasks=counts, zones=st.integers(2, 6))
def test_losing_the_fullest_zone_leaves_enough_and_with_one_fewer_it_would_not(tasks: int, zones: int) -> None:
    def left(count: int) -> int:
        spread = [count // zones + (zone < count % zones) for zone in range(zones)]  # ECS spreads evenly
        return sum(spread) - max(spread)

    asked = int(for_zone_loss(np.array([tasks]), zones)[0])
    assert left(asked) >= tasks
    assert tasks == 0 or left(asked - 1) < tasks


def slow_ready_before(need: list[float], startup: float, interval: float) -> list[float]:
    """A second opinion: walk along the line from interval to interval, up to one start-up ahead."""

    def line(moment: float) -> float:
        left = min(int(moment), len(need) - 1)
        right = min(left + 1, len(need) - 1)
        return need[left] + (need[right] - need[left]) * (moment - left)

    ahead = startup / interval
    result = []
    for start in range(len(need)):
        corners = [float(knot) for knot in range(start, int(start + ahead) + 1)]
        result.append(max(line(moment) for moment in [*corners, start + ahead]))
    return result


@given(need=loads, startup=st.floats(0, 3600), interval=st.sampled_from([60.0, 300.0, 900.0, 3600.0]))
@settings(deadline=None)
def test_tasks_are_asked_for_one_start_up_before_the_load_needs_them(
    need: list[float], startup: float, interval: float
) -> None:
    ready = ready_before(np.array(need), startup, interval)
    np.testing.assert_allclose(ready, slow_ready_before(need, startup, interval), rtol=1e-9, atol=1e-9)


@given(need=loads, startup=st.floats(0, 3600))
def test_a_fall_is_never_anticipated(need: list[float], startup: float) -> None:
    assert (ready_before(np.array(need), startup, 300.0) >= np.array(need)).all()


def test_start_up_of_zero_seconds_changes_nothing() -> None:
    need = np.array([3.0, 9.0, 1.0])
    assert ready_before(need, 0, 60).tolist() == need.tolist()


def test_every_path_takes_the_same_steps_as_it_would_alone() -> None:
    need = np.random.default_rng(1).gamma(3, 5, (20, 50))
    together = ready_before(need, 700, 300)
    for row in range(len(need)):
        assert together[row].tolist() == ready_before(need[row], 700, 300).tolist()


@given(tasks=counts, least=st.integers(0, 50), spare=st.integers(0, 5000))
def test_bounds_hold_and_what_is_missing_is_counted(tasks: int, least: int, spare: int) -> None:
    most = least + spare
    run, short = (int(value) for value in within_bounds(np.array(tasks), least, most))
    assert least <= run <= most
    assert short == max(tasks - most, 0)
    assert run + short >= tasks


@given(need=st.floats(0, 500), more=st.floats(0, 100), zones=st.integers(1, 6), percent=st.integers(0, 99))
def test_more_need_never_asks_for_fewer_tasks(need: float, more: float, zones: int, percent: int) -> None:
    service = Service(name="web", zones=zones, minimum_healthy_percent=percent)
    low, high = (climb(np.float64(load), np.float64(load), service, Goal()) for load in (need, need + more))
    assert all(int(b) >= int(a) for a, b in zip(low, high, strict=True))
    ladder = [int(count) for count in low]
    assert ladder == sorted(ladder)


def test_no_count_survives_a_deployment_that_may_stop_every_task() -> None:
    with pytest.raises(GoalUnreachable, match="minimum_healthy_percent is 0"):
        for_deployment(np.array([5]), 0)


def test_no_count_in_one_zone_survives_its_loss() -> None:
    with pytest.raises(GoalUnreachable, match="one zone"):
        for_zone_loss(np.array([5]), 1)


def test_what_a_goal_does_not_ask_for_adds_no_tasks() -> None:
    service = Service(name="web", zones=3, minimum_healthy_percent=50)
    calm = Goal(survive_zone_loss=False, survive_deployment=False)
    assert [int(x) for x in climb(np.float64(9.5), np.float64(9.5), service, calm)] == [10, 10, 10, 10]
    assert [int(x) for x in climb(np.float64(9.5), np.float64(9.5), service, Goal())] == [10, 10, 19, 26]


def served(tasks: int, service: Service, zone_lost: bool) -> float:
    """Load, in tasks at their target, that a count carries: at its target, or full while the fullest zone is lost."""
    if not zone_lost:
        return float(tasks)
    left = tasks - math.ceil(tasks / service.zones)
    return left / in_full_tasks(service)


@given(
    need=st.floats(0, 2000),
    zones=st.integers(2, 6),
    cpu_target=st.floats(0.2, 1.0),
    request_target=st.floats(0.3, 1.0),
)
def test_all_tasks_hold_their_target_the_rest_hold_the_load_without_a_zone_and_one_fewer_fails_at_one_of_the_two(
    need: float, zones: int, cpu_target: float, request_target: float
) -> None:
    service = Service(name="web", zones=zones, cpu_target=cpu_target, request_target=request_target)
    tasks = int(climb(np.float64(need), np.float64(need), service, Goal()).zone_loss)
    slack = 3 * NOISE * max(need, 1)
    assert all(served(tasks, service, lost) >= need - slack for lost in (False, True))
    assert tasks == 0 or any(served(tasks - 1, service, lost) < need for lost in (False, True))


def test_a_full_task_is_never_asked_for_more_than_all_of_it() -> None:
    """No resource may be planned above 100 %: a target near it leaves only the room to 100 %."""
    hot = Service(name="web", requests_per_second_per_task=50, cpu_target=0.95, request_target=0.85)
    assert full_share(hot, "cpu") == 1.0
    assert in_full_tasks(hot) == 0.95
    assert tracked_share(hot, Goal()) == pytest.approx(2 / 3 / 0.95)


@given(need=st.floats(50, 2000), zones=st.integers(2, 6), request_target=st.floats(0.3, 1.0))
def test_the_target_to_track_runs_what_the_plan_counts(need: float, zones: int, request_target: float) -> None:
    service = Service(name="web", zones=zones, request_target=request_target)
    counted = int(climb(np.float64(need), np.float64(need), service, Goal()).zone_loss)
    assert counted == pytest.approx(need / tracked_share(service, Goal()), abs=3)


def test_the_last_step_that_raised_a_count_is_named() -> None:
    ladder = np.array([[5, 5, 5, 5, 1, 50], [5, 6, 6, 6, 1, 50], [5, 6, 8, 8, 1, 50], [5, 6, 8, 9, 1, 50]])
    named = last_raised(Steps(*ladder), least=2, most=20).tolist()
    assert named == ["load", "startup", "deployment", "zone loss", "minimum", "maximum"]
    assert set(named) == set(STEPS)
