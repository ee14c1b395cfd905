"""Chances by day, and how long starts take."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Account, Goal, Limit
from capacity.errors import InputError
from capacity.planning import launch_seconds
from tests.planning.inputs import BARE, CUTOFF, cpu_forecast, forecast_of, plain, planned

LOADS = np.random.default_rng(5).uniform(1, 12, (25, 60)).cumsum(axis=1) / 10


@given(most=st.integers(1, 40))
@settings(deadline=None, max_examples=10)
def test_the_chance_of_each_day_is_the_share_of_paths_past_the_limit_by_its_end(most: int) -> None:
    plan = planned(cpu_forecast(LOADS), plain(max_tasks=most), goal=BARE)
    frame = plan.limits_over_time("max_tasks")
    days = plan.forecast.times.normalize()
    for date, chance in zip(frame["date"], frame["probability"], strict=True):
        seen = LOADS[:, days <= date]
        assert chance == pytest.approx((np.ceil(seen - 1e-6) > most).any(axis=1).mean())
    assert frame["date"].tolist() == list(days.unique())
    assert frame["probability"].iloc[-1] == plan.limits.iloc[0]["probability"]


def test_the_table_has_its_types_and_every_limit_of_the_plan() -> None:
    forecast = forecast_of({("a", "cpu"): LOADS, ("b", "cpu"): LOADS})
    account = Account(fargate_vcpu_quota=100)
    plan = planned(forecast, [plain("a"), plain("b")], goal=BARE, accounts=(account,))
    frame = plan.limits_over_time()
    assert frame.dtypes.astype(str).to_dict() == {
        "service": "object",
        "limit": "object",
        "date": "datetime64[us, UTC]",
        "probability": "float64",
    }
    assert set(zip(frame["service"], frame["limit"], strict=True)) == set(
        zip(plan.limits["service"], plan.limits["limit"], strict=True)
    )
    assert set(plan.limits_over_time(service="b")["service"]) == {"b"}
    rising = frame.groupby(["service", "limit"])["probability"].diff().dropna()
    assert (rising >= 0).all()


def test_a_limit_is_found_by_its_kind_and_by_what_it_is_of_and_strangers_are_refused() -> None:
    pool = Limit(name="orders-db", kind="connections", total=100, per_task=8)
    plan = planned(cpu_forecast(LOADS), plain(limit=(pool,)), goal=BARE)
    for asked in ("connections", "orders-db", "connections: orders-db"):
        assert set(plan.limits_over_time(asked)["limit"]) == {"connections: orders-db"}
    with pytest.raises(InputError, match=r"no limit 'quota'.*\n?.*max_tasks"):
        plan.limits_over_time("quota")
    with pytest.raises(InputError, match="no limit of 'api'"):
        plan.limits_over_time(service="api")


def test_the_picture_holds_the_likeliest_limits_and_says_what_it_leaves_out() -> None:
    forecast = forecast_of({(f"s{n}", "cpu"): LOADS for n in range(12)})
    plan = planned(forecast, [plain(f"s{n}", max_tasks=20 + n) for n in range(12)], goal=BARE)
    chart = plan.plot_limits("max_tasks").to_json()
    assert "s0 max_tasks" in chart
    assert "s11 max_tasks" not in chart
    assert "the 8 likeliest of 12" in chart


@given(tasks=st.integers(0, 5000), burst=st.integers(0, 200), rate=st.integers(1, 50))
@settings(deadline=None)
def test_tasks_start_in_a_burst_and_then_one_by_one(tasks: int, burst: int, rate: int) -> None:
    started, seconds = burst, 0
    while started < tasks:
        seconds += 1
        started += rate
    assert math.ceil(launch_seconds(tasks, burst, rate)) == seconds


def test_launches_of_three_situations_by_hand() -> None:
    # two zones, all tasks full when one is lost: 2 x 300 and 2 x 400 of each service, then 2 x 350
    forecast = forecast_of({("a", "cpu"): [[300.0, 400.0, 350.0]], ("b", "cpu"): [[300.0, 400.0, 350.0]]})
    services = [plain(name, zones=2, request_target=1.0, startup_seconds=90) for name in ("a", "b")]
    plan = planned(forecast, services, goal=Goal(survive_deployment=False))
    ready = 300 + 100 * 90 / 3600  # what rises while a task starts
    assert plan.counts("a").tolist() == [[2 * math.ceil(ready), 800, 700]]
    table = plan.launches().set_index("situation")
    assert table["tasks"].tolist() == [2 * (800 - 606), 800, 1600]
    assert table["launch_seconds"].tolist() == [(388 - 100) / 20, (800 - 100) / 20, (1600 - 100) / 20]
    assert (table["ready_seconds"] - table["launch_seconds"] == 90).all()
    assert (table["at"] == CUTOFF + pd.Timedelta(hours=1)).all()
    # a rise that starts 14.4 s late meets 100 x 104.4 / 3600 = 2.9 tasks more: 303 hold that; 35 s late, 3.47 do not
    assert table.loc["largest rise", "short_services"] == 0
    assert table.loc["zone loss", "short_services"] == 2
    assert table.loc["zone loss", "first_short"] == CUTOFF
    assert table.loc["region evacuation", "short_services"] == 2


def test_a_slow_start_breaks_no_promise_while_load_is_level() -> None:
    plan = planned(cpu_forecast([[900.0, 900.0]]), plain(zones=2, request_target=1.0), goal=Goal())
    table = plan.launches().set_index("situation")
    assert table.loc["zone loss", "launch_seconds"] == pytest.approx((900 - 500) * 60 / 500)  # one service's own rate
    assert table.loc["zone loss", "short_services"] == 0
    assert table.loc["zone loss", "first_short"] is pd.NaT


def test_regions_start_by_themselves_and_ec2_has_no_launch_rate() -> None:
    forecast = forecast_of({(name, "cpu"): [[300.0]] for name in ("a", "b", "c")})
    services = [plain("a", region="eu-west-1"), plain("b", region="us-east-1"), plain("c", launch_type="EC2")]
    account = Account(region="eu-west-1", fargate_launch_burst=50, fargate_launch_rate=10)
    table = planned(forecast, services, goal=BARE, accounts=(account,)).launches()
    left = table[table["situation"] == "region evacuation"].set_index("region")["launch_seconds"]
    assert left.to_dict() == {"eu-west-1": 25.0, "us-east-1": 10.0}
