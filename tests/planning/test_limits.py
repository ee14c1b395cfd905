"""Dates at which limits are reached come from the paths, one first passage each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.config import Account, Goal
from capacity.planning.limits import EARLY, passage
from capacity.schema import LIMITS
from tests.planning.inputs import BARE, CUTOFF, cpu_forecast, forecast_of, plain, planned

some_paths = hnp.arrays(np.int64, st.tuples(st.integers(1, 30), st.integers(1, 25)), elements=st.integers(0, 40))


def slow_passage(paths: list[list[int]], limit: float) -> tuple[float, int | None, int | None]:
    """A second opinion: walk through time and count who has passed so far."""
    passed: set[int] = set()
    first = median = None
    for hour in range(len(paths[0])):
        passed |= {number for number, path in enumerate(paths) if path[hour] > limit}
        share = len(passed) / len(paths)
        if first is None and share >= EARLY - 1e-9 and passed:
            first = hour
        if median is None and share >= 0.5 - 1e-9:
            median = hour
    return len(passed) / len(paths), first, median


@given(paths=some_paths, limit=st.integers(0, 41))
@settings(deadline=None)
def test_first_passage_agrees_with_a_walk_through_time(paths: np.ndarray, limit: int) -> None:
    found = passage(paths, limit, 0.95)
    probability, first, median = slow_passage(paths.tolist(), limit)
    assert found.probability == pytest.approx(probability)
    assert (found.first, found.median) == (first, median)


@given(paths=some_paths, limit=st.integers(0, 40), more=st.integers(0, 40))
@settings(deadline=None)
def test_a_higher_limit_is_passed_by_no_more_paths_and_no_earlier(paths: np.ndarray, limit: int, more: int) -> None:
    low, high = passage(paths, limit, 0.9), passage(paths, limit + more, 0.9)
    never = paths.shape[1]
    assert high.probability <= low.probability
    assert (never if high.first is None else high.first) >= (never if low.first is None else low.first)
    assert (never if high.median is None else high.median) >= (never if low.median is None else low.median)
    assert high.needed == low.needed


@given(paths=some_paths, level=st.sampled_from([0.5, 0.9, 0.95]))
@settings(deadline=None)
def test_what_is_needed_holds_every_interval_of_enough_paths(paths: np.ndarray, level: float) -> None:
    needed = np.ceil(passage(paths, 0, level).needed)
    assert (paths.max(axis=1) <= needed).mean() >= level - 1 / len(paths)


def growing(to: float, hours: int = 24 * 30, paths: int = 100) -> np.ndarray:
    """Straight lines from 10 vCPU; path p of n ends at `to` x (0.8 .. 1.2)."""
    ends = to * np.linspace(0.8, 1.2, paths)
    return 10 + (ends[:, None] - 10) * np.arange(1, hours + 1) / hours


def test_the_date_to_act_is_the_date_of_five_percent_less_the_days_a_change_takes() -> None:
    plan = planned(cpu_forecast(growing(40)), plain(max_tasks=30, change_days=5), goal=BARE)
    row = plan.limits.iloc[0]
    counts = plan.counts("web")
    hour = min(h for h in range(counts.shape[1]) if (counts[:, : h + 1] > 30).any(axis=1).mean() >= 0.05)
    assert row["first"] == CUTOFF + pd.Timedelta(hours=hour)
    assert row["act_by"] == row["first"] - pd.Timedelta(days=5)
    assert row["first"] < row["median"]
    assert row["probability"] == 1.0
    assert row["needed"] == 48  # the 95 % path ends at 40 x (0.8 + 0.4 x 0.95) = 47.2


def test_an_overdue_change_is_due_now_and_not_in_the_past() -> None:
    plan = planned(cpu_forecast(growing(40)), plain(max_tasks=11, change_days=60), goal=BARE)
    assert plan.limits.iloc[0]["act_by"] == CUTOFF


def test_a_limit_that_too_few_paths_pass_has_no_date() -> None:
    path = np.full((100, 5), 3.0)
    path[:4, 3] = 30.0
    row = planned(cpu_forecast(path), plain(max_tasks=10), goal=BARE).limits.iloc[0]
    assert row["probability"] == 0.04
    assert row[["first", "median", "act_by"]].isna().all()


def test_limits_keep_their_types_when_nothing_is_ever_reached() -> None:
    frame = planned(cpu_forecast([[1.0, 1.0]]), plain()).limits
    assert list(frame.columns) == LIMITS.names
    assert frame.dtypes.astype(str).tolist() == [column.type for column in LIMITS.columns]


def test_headroom_counts_when_a_maximum_is_judged() -> None:
    forecast = cpu_forecast([[10.0, 10.0]])
    bare = planned(forecast, plain(max_tasks=12, zones=3), goal=BARE)
    safe = planned(forecast, plain(max_tasks=12, zones=3), goal=Goal())
    assert (bare.limits.iloc[0]["probability"], safe.limits.iloc[0]["probability"]) == (0.0, 1.0)
    assert safe.limits.iloc[0]["needed"] == 15


def test_the_5000_tasks_of_ecs_are_watched_only_when_they_are_near() -> None:
    far, near = (planned(cpu_forecast([[load]]), plain(max_tasks=100), goal=BARE) for load in (3000.0, 5200.0))
    assert list(far.limits["limit"]) == ["max_tasks"]
    assert list(near.limits["limit"]) == ["max_tasks", "ecs_tasks_per_service"]
    assert near.limits.iloc[1]["probability"] == 1.0


def test_the_quota_holds_the_sum_of_services_and_the_largest_deployment_path_by_path() -> None:
    a, b = [[3.0, 5.0], [7.0, 1.0]], [[4.0, 4.0], [2.0, 9.0]]
    services = [
        plain("a", task_vcpu=1),
        plain("b", task_vcpu=2, task_memory_gib=4, maximum_percent=150, min_tasks=2),
    ]
    forecast = forecast_of({("a", "cpu"): a, ("b", "cpu"): b})
    account = Account(region="us-east-1", fargate_vcpu_quota=15, quota_change_days=0)
    row = planned(forecast, services, goal=BARE, accounts=(account,)).limits.iloc[-1]
    # path 0: hour 0: a 3, b max(2, 2) x 2 = 4, surge max(3, 1 x 2) = 3: 10; hour 1: 5 + 4 + max(5, 2) = 14
    # path 1: hour 0: a 7, b 2 x 2 = 4, surge 7: 18; hour 1: 1 + 5 x 2 + max(1, floor(7.5) - 5 = 2 x 2) = 15
    assert (row["service"], row["limit"], row["unit"]) == ("(account us-east-1)", "fargate_vcpu_quota", "vCPU")
    assert row["probability"] == 0.5
    assert row["needed"] == pytest.approx(14 + 0.95 * (18 - 14))
    assert row["first"] == CUTOFF


def test_a_quota_is_not_hidden_behind_a_maximum_that_is_to_be_raised() -> None:
    forecast = cpu_forecast([[100.0]])
    account = Account(fargate_vcpu_quota=50)
    row = planned(forecast, plain(max_tasks=10, maximum_percent=100, minimum_healthy_percent=50), accounts=(account,))
    assert row.limits.iloc[-1]["probability"] == 1.0


def test_services_elsewhere_and_on_ec2_do_not_use_the_quota() -> None:
    forecast = forecast_of({("a", "cpu"): [[100.0]], ("b", "cpu"): [[100.0]], ("c", "cpu"): [[1.0]]})
    services = [plain("a", region="eu-west-1"), plain("b", launch_type="EC2"), plain("c")]
    plan = planned(forecast, services, goal=BARE, accounts=(Account(fargate_vcpu_quota=50),))
    assert plan.limits.iloc[-1]["needed"] == 2


def test_an_unstated_quota_is_unknown_and_not_endless() -> None:
    plan = planned(cpu_forecast([[100.0]]), plain(), accounts=(Account(),))
    assert list(plan.limits["limit"]) == ["max_tasks"]
    assert [f.status for f in plan.findings if f.check == "quota"] == ["UNKNOWN"]


def test_services_that_could_not_be_planned_are_said_to_be_missing_from_the_quota() -> None:
    forecast = forecast_of({("a", "cpu"): [[1.0]], ("b", "requests"): [[1.0]]})
    plan = planned(forecast, [plain("a"), plain("b")], accounts=(Account(fargate_vcpu_quota=50),))
    assert any("not counted against the quota: b." in f.message for f in plan.findings if f.check == "quota")
