"""What a million requests cost, and what each headroom costs: worked out by hand, adding up for any plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Goal
from capacity.planning import Plan
from tests.planning.inputs import BARE, CUTOFF, cpu_forecast, forecast_of, plain, planned
from tests.planning.money.bills import history_of

TASK = 0.04937


def serving(rate: float, hours: int = 10) -> Plan:
    """One service of 10 requests/s a task at `rate` and twice that, half of the paths each."""
    paths = np.array([[rate], [2 * rate]]) * np.ones((2, hours))
    web = plain("web", requests_per_second_per_task=10, request_target=1.0)
    return planned(forecast_of({("web", "requests"): paths}, past=rate), web, goal=BARE)


def test_a_million_requests_cost_their_task_hours() -> None:
    row = serving(100).unit_costs().frame.set_index("service").loc["web"]
    # 10 and 20 tasks for 10 h serve 3.6 and 7.2 million
    assert row["requests"] == pytest.approx((3.6 + 7.2) / 2)
    assert row[["usd_per_million", "p5", "p95"]].tolist() == pytest.approx([100 * TASK / 3.6] * 3)
    assert row[["task_hours", "usd_per_task_hour"]].tolist() == pytest.approx([150, TASK])


def test_few_requests_bear_the_whole_tasks_that_wait_for_them() -> None:
    units = serving(1).unit_costs().frame.set_index("service").loc["web"]
    assert units["p95"] == pytest.approx(10 * TASK / 0.036, rel=0.06)
    assert units["p5"] == pytest.approx(10 * TASK / 0.072, rel=0.06)


def test_the_fleet_is_its_services_together_and_those_without_requests_are_named() -> None:
    forecast = forecast_of(
        {
            ("a", "requests"): np.full((2, 5), 100.0),
            ("b", "requests"): np.full((2, 5), 300.0),
            ("c", "cpu"): [[3.0]] * 2,
        }
        | {("c", "cpu"): np.full((2, 5), 3.0)}
    )
    served = {"requests_per_second_per_task": 10, "request_target": 1.0}
    units = planned(forecast, [plain("a", **served), plain("b", **served), plain("c")], goal=BARE).unit_costs()
    frame = units.frame.set_index("service")
    assert list(frame.index) == ["a", "b", "c", "(fleet)"]
    assert frame.loc["(fleet)", "usd_per_million"] == pytest.approx(5 * 40 * TASK / (5 * 400 * 3600 / 1e6))
    assert frame.loc["c", ["usd_per_million", "requests"]].isna().all()
    assert frame.loc["c", "usd_per_task_hour"] == pytest.approx(TASK)
    assert [(f.service, f.status) for f in units.findings] == [("c", "UNKNOWN")]


@given(
    loads=st.lists(st.floats(0, 40), min_size=4, max_size=4),
    bounds=st.tuples(st.integers(0, 5), st.integers(5, 30)),
    target=st.floats(0.3, 1.0),
)
@settings(deadline=None, max_examples=8)
def test_the_parts_add_up_to_the_plan(loads: list[float], bounds: tuple[int, int], target: float) -> None:
    web = plain(cpu_target=target, min_tasks=bounds[0], max_tasks=bounds[1], startup_seconds=600)
    plan = planned(cpu_forecast([loads]), web, goal=Goal())
    parts = plan.unit_costs().headroom
    assert parts["task_hours"].sum() == pytest.approx(plan.frame["tasks"].sum())
    assert parts["usd"].sum() == pytest.approx(plan.cost["planned"].sum())
    own = parts.set_index("part")["task_hours"]
    assert own["working"] == pytest.approx(sum(loads))
    assert (own.drop("maximum") >= -1e-9).all()
    assert own["maximum"] <= 0


def test_idle_is_what_does_not_work() -> None:
    plan = planned(cpu_forecast(np.full((2, 4), 3.0)), plain(cpu_target=0.5), goal=BARE)
    assert plan.unit_costs().idle == pytest.approx(0.5)


def test_the_past_is_told_by_the_bill_and_else_by_the_tasks_that_ran() -> None:
    plan = serving(100)
    ran = replace(plan.forecast.past, tasks={"web": np.full(48, 20.0)})
    plan = replace(plan, forecast=replace(plan.forecast, past=ran))
    row = plan.unit_costs().frame.iloc[0]
    assert (row["past_from"], row["past_usd_per_million"]) == ("running tasks", pytest.approx(20 * TASK / 0.36))
    days = pd.date_range(CUTOFF - pd.Timedelta(days=2), periods=2, freq="D")
    billed = plan.unit_costs(history_of({("web", "cost"): (days, [0.72, 0.72])}, 86400)).frame.iloc[0]
    assert (billed["past_from"], billed["past_usd_per_million"]) == ("bill", pytest.approx(2.0))
    unknown = serving(100).unit_costs().frame.iloc[0]
    assert unknown["past_from"] == ""
    assert np.isnan(unknown["past_usd_per_million"])


def test_without_a_price_there_is_no_unit_cost_and_no_fleet() -> None:
    web = plain("web", requests_per_second_per_task=10, region="mars-1")
    units = planned(forecast_of({("web", "requests"): [[100.0]]}), web, goal=BARE).unit_costs()
    assert units.frame["service"].tolist() == ["web"]
    assert units.frame[["usd", "usd_per_million"]].isna().all(axis=None)
    assert units.headroom["usd"].isna().all()
    assert np.isnan(units.idle)
