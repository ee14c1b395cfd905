"""A capacity with an interval: every path plans with its own, and the counts hold demand and capacity together."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from capacity.config import Account, Goal, Service, TaskCapacity
from capacity.planning import Plan
from capacity.planning.per_task import balanced, carried_shares, two_piece
from tests.planning.inputs import BARE, forecast_of, plain, planned

ends = st.tuples(st.floats(0.2, 1.0), st.floats(1.0, 3.0))


def web(low: float = 47, high: float = 55, name: str = "web", **fields: Any) -> Service:
    known = {"requests_per_second": 52, "low": low, "high": high, "method": "load test", **fields.pop("capacity", {})}
    stated = {"request_target": 1.0, "startup_seconds": 0, "min_tasks": 0, "max_tasks": 5000, **fields}
    return Service(name=name, task_capacity=TaskCapacity(**known), **stated)


def of_requests(paths: np.ndarray, service: Service, goal: Goal = BARE, **fields: Any) -> Plan:
    return planned(forecast_of({(service.name, "requests"): paths}), service, goal=goal, **fields)


def lognormal(count: int, spread: float, seed: int = 3) -> np.ndarray:
    """(count, 1) demand around 10,000 requests/s, in no order."""
    paths = 1e4 * np.exp(spread * stats.norm.ppf((np.arange(count) + 0.5) / count))
    return np.random.default_rng(seed).permutation(paths)[:, None]


@given(ends=ends, count=st.integers(1, 700))
def test_the_shares_are_those_of_a_lognormal_with_a_spread_for_each_side(ends: tuple[float, float], count: int) -> None:
    low, high = ends
    levels = (np.arange(count) + 0.5) / count
    below = stats.lognorm.ppf(levels, s=max(-np.log(low), 1e-12) / stats.norm.ppf(0.975))
    above = stats.lognorm.ppf(levels, s=max(np.log(high), 1e-12) / stats.norm.ppf(0.975))
    np.testing.assert_allclose(two_piece(low, high, count), np.where(levels < 0.5, below, above), rtol=1e-9)


def test_the_shares_of_many_paths_span_the_stated_interval() -> None:
    shares = carried_shares(web(), lognormal(2000, 0.2))
    assert shares is not None
    assert (52 * np.quantile(shares, (0.025, 0.5, 0.975))).tolist() == pytest.approx([47, 52, 55], rel=1e-3)


@given(count=st.integers(0, 300), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_a_balanced_order_holds_each_place_once(count: int, seed: int) -> None:
    assert sorted(balanced(count, np.random.default_rng(seed))) == list(range(count))


@pytest.mark.parametrize("count", [8, 64, 512])
@pytest.mark.parametrize("size", [2, 4, 8])
def test_neighbours_of_a_balanced_order_come_from_different_parts(count: int, size: int) -> None:
    parts = balanced(count, np.random.default_rng(1)) * size // count
    assert (np.sort(parts.reshape(-1, size), axis=1) == np.arange(size)).all()


def test_an_exact_capacity_plans_as_a_bare_rate_does_to_the_byte() -> None:
    rng = np.random.default_rng(5)
    forecast = forecast_of(
        {("web", "requests"): rng.gamma(9, 100, (40, 30)), ("web", "cpu"): rng.gamma(9, 2, (40, 30))}
    )
    bare = Service(name="web", requests_per_second_per_task=52, max_tasks=30)
    for low, high in ((None, None), (52, 52)):
        known = TaskCapacity(requests_per_second=52, low=low, high=high, method="load test")
        exact = Service(name="web", task_capacity=known, max_tasks=30)
        a, b = planned(forecast, bare), planned(forecast, exact)
        pd.testing.assert_frame_equal(a.frame, b.frame, check_exact=True)
        pd.testing.assert_frame_equal(a.limits, b.limits, check_exact=True)
        pd.testing.assert_frame_equal(a.cost, b.cost, check_exact=True)
        assert a.needs["web"].tobytes() == b.needs["web"].tobytes()
        assert a.decisions == b.decisions


@given(narrow=ends, wider=ends, level=st.floats(0.6, 0.99), load=st.floats(1, 1e5), count=st.integers(6, 60))
@settings(deadline=None, max_examples=20)
def test_a_wider_interval_never_gives_fewer_tasks_above_the_median(
    narrow: tuple[float, float], wider: tuple[float, float], level: float, load: float, count: int
) -> None:
    """The demand is certain, so that the level is the capacity's own."""
    low, high = narrow
    paths = np.full((count, 3), load)
    goal = BARE.model_copy(update={"level": level})
    tasks = [
        of_requests(paths, web(52 * at, 52 * to), goal).frame["for_load"].to_numpy()
        for at, to in ((1.0, 1.0), (low, high), (low * wider[0], high * wider[1]))
    ]
    assert (tasks[0] <= tasks[1]).all()
    assert (tasks[1] <= tasks[2]).all()


@pytest.mark.parametrize("spread", [0.02, 0.1, 0.4])
@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_demand_and_capacity_are_uncertain_together_not_one_after_the_other(spread: float, level: float) -> None:
    """A quotient of two independent lognormals is one: its spread is the root of the sum of squares."""
    of_capacity = 0.15
    half = np.exp(stats.norm.ppf(0.975) * of_capacity)
    result = of_requests(lognormal(500, spread), web(52 / half, 52 * half), BARE.model_copy(update={"level": level}))
    expected = 1e4 / 52 * np.exp(stats.norm.ppf(level) * np.hypot(spread, of_capacity))
    need = result.frame["need"].iloc[0]
    assert need == pytest.approx(expected, rel=0.025)  # of 500 paths: three times its root mean square over names
    one_after_the_other = 1e4 / 52 * np.exp(stats.norm.ppf(level) * (spread + of_capacity))
    assert spread < 0.1 or abs(need - expected) < abs(need - one_after_the_other)


def test_under_uncertain_demand_too_not_knowing_costs_tasks() -> None:
    needs = [
        of_requests(lognormal(500, 0.2), web(52 / half, 52 * half)).frame["need"].iloc[0]
        for half in (1.0, 1.05, 1.1, 1.2, 1.4, 1.8)
    ]
    assert all(wider > 0.995 * narrower for narrower, wider in pairwise(needs))  # a sample of 500 paths is so fine
    assert needs[-1] > 1.3 * needs[0]


def test_a_path_keeps_its_capacity_in_every_interval() -> None:
    wave = 1000 * (2 + np.sin(np.arange(48)))
    need = of_requests(np.tile(wave, (20, 1)), web(40, 60)).needs["web"]
    each = wave / need  # (P, H) what a task carries
    assert np.ptp(each, axis=1).max() < 1e-2
    assert np.unique(each[:, 0].round(3)).size == 20


@given(order=st.permutations(range(12)))
@settings(deadline=None, max_examples=20)
def test_the_order_of_the_paths_does_not_matter_nor_do_ties(order: list[int]) -> None:
    paths = np.array([[5, 9, 3], [9, 5, 3], [5, 9, 3], [1, 1, 9]] * 3, dtype=float) * 100
    a, b = (of_requests(some, web(30, 80)) for some in (paths, paths[order]))
    pd.testing.assert_frame_equal(a.frame, b.frame)
    pd.testing.assert_frame_equal(a.limits, b.limits)
    pd.testing.assert_frame_equal(a.cost, b.cost)


def test_capacities_of_two_services_are_independent_of_each_other_and_of_the_demand() -> None:
    paths = lognormal(512, 0.3)
    first, second = (carried_shares(web(name=name), paths) for name in ("web", "api"))
    again = carried_shares(web(name="web"), paths)
    assert first is not None and second is not None and again is not None
    assert (first == again).all()
    assert abs(stats.spearmanr(first, second).statistic) < 0.12
    assert abs(stats.spearmanr(first, paths).statistic) < 0.01


def test_dates_and_quotas_and_money_follow_the_capacity_path_by_path() -> None:
    """Four paths of the same demand whose tasks carry 52 x (0.61, 0.86, 1.16, 1.63): counted by hand."""
    service = web(52 / 2, 52 * 2, max_tasks=24, maximum_percent=100, minimum_healthy_percent=50)
    quota = (Account(region="us-east-1", fargate_vcpu_quota=25),)
    result = of_requests(np.full((4, 2), 1040.0), service, accounts=quota)
    spread = np.exp(np.log(2) / stats.norm.ppf(0.975) * stats.norm.ppf(np.array([0.125, 0.375, 0.625, 0.875])))
    counts = np.ceil(20 / spread)
    assert sorted(result.counts("web")[:, 0]) == sorted(counts)
    assert result.limits.set_index("limit")["probability"].to_dict() == {
        "max_tasks": (counts > 24).mean(),
        "fargate_vcpu_quota": (counts > 25).mean(),
    }
    hours = np.minimum(counts, 24) * 2
    assert result.cost.set_index("item").loc["vcpu", "quantity"] == pytest.approx(hours.mean())


def test_what_a_request_costs_bounds_a_task_where_cpu_is_not_forecast() -> None:
    """0.02 vCPU-seconds a request and 0.1 vCPU idle: 25 requests/s fill 0.6 of a vCPU, before the stated 52 do."""
    costs = {"vcpu_seconds_per_request": 0.02, "base_vcpu": 0.1, "low": None, "high": None}
    service = web(cpu_target=0.6, capacity=costs)
    alone = planned(forecast_of({("web", "requests"): [[1000.0]]}), service, goal=BARE)
    assert alone.frame[["for_load", "load_bound_by"]].iloc[0].tolist() == [40, "cpu"]
    assert "0.02 vCPU-seconds a request" in alone.explain("web")
    (finding,) = [f for f in alone.findings if "vCPU-seconds" in f.message]
    assert "with 25 requests/s, before the 52" in finding.message
    both = planned(forecast_of({("web", "requests"): [[1000.0]], ("web", "cpu"): [[3.0]]}), service, goal=BARE)
    assert both.frame[["for_load", "load_bound_by"]].iloc[0].tolist() == [20, "requests"]  # its CPU is known: 3 / 0.6
    assert not [f for f in both.findings if "vCPU-seconds" in f.message]


def test_a_task_that_idles_above_its_target_cannot_be_planned_by_requests() -> None:
    service = web(cpu_target=0.5, capacity={"vcpu_seconds_per_request": 0.02, "base_vcpu": 0.6})
    forecast = forecast_of({("web", "requests"): [[1000.0]], ("api", "cpu"): [[1.0]]})
    result = planned(forecast, [service, plain("api")], goal=BARE)
    (failed,) = [f for f in result.findings if f.status == "FAIL"]
    assert (failed.service, "give it more vCPU" in failed.message) == ("web", True)


def test_a_close_measurement_is_worth_what_it_would_free() -> None:
    """Certain demand, so the level is the capacity's: 10,000 / 52 = 193 tasks, and 20 % fewer requests at P95."""
    paths = np.full((400, 2), 1e4)
    wide, narrow = (of_requests(paths, web(52 / half, 52 * half)) for half in (1.25, 1.02))
    at_95 = 1e4 / 52 * 1.25 ** (stats.norm.ppf(0.95) / stats.norm.ppf(0.975))
    (decision,) = [d for d in wide.decisions if d.kind == "measure"]
    assert decision.current == pytest.approx(at_95, rel=0.01)
    assert decision.proposed == 193
    freed = int(decision.current or 0) - 193
    assert decision.sentence == (
        "Measure what one task of `web` carries more closely: "
        f"at its peak the plan holds {freed} tasks for not knowing."
    )
    assert "41.6 to 65 requests/s (load test)" in decision.because
    assert "193" in decision.because
    assert [d.kind for d in narrow.decisions if d.kind == "measure"] == []


def test_the_kept_peak_plans_as_the_plan_did() -> None:
    rng = np.random.default_rng(11)
    demand = {("web", "requests"): rng.gamma(9, 100, (40, 60)), ("web", "cpu"): rng.gamma(9, 2, (40, 60))}
    for startup, interval in ((0, "1h"), (600, "1h"), (3600, "1h"), (150, "1min")):
        service = web(40, 60, startup_seconds=startup)
        result = planned(forecast_of(demand, interval=interval), service, goal=Goal())
        peak = result.peaks["web"]
        row = result.of("web").loc[peak.moment]
        assert peak.tasks(service, Goal()) == row["for_zone_loss"] == result.frame["for_zone_loss"].max()
        assert peak.asks(service).need == pytest.approx(row["need"])
        assert replace(peak, shares=None).tasks(service, Goal()) == peak.tasks(service, Goal(), exact=True)
