"""The cost of a shortage: how sure to be follows from it, and that is the cheapest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Goal, PriceSettings, Rate
from capacity.planning import Plan
from capacity.planning.sizing.shortage import SUREST, critical_ratio
from tests.planning.inputs import BARE, cpu_forecast, plain, planned

IDLE = 0.05  # USD an hour: 1 vCPU at 0.04, 2 GiB at 0.005
PRICES = PriceSettings(rate=(Rate(region="us-east-1", vcpu=0.04, memory_gb=0.005),))
RNG = np.random.default_rng(11)
LOADS = 30 * np.exp(0.4 * RNG.standard_normal((101, 24)))


def at(shortage: float | None, loads: np.ndarray = LOADS, **goal: object) -> Plan:
    fields = {**BARE.model_dump(), "shortage_usd_per_task_hour": shortage, **goal}
    return planned(cpu_forecast(loads), plain(), goal=Goal(**fields), prices=PRICES)


@pytest.mark.parametrize(
    "shortage", [0.05 * ratio / (100 - ratio) for ratio in (20, 50, 75, 90, 99)]
)  # of 101 paths, these ratios are a path's own
def test_the_counts_cost_least_of_all_counts(shortage: float) -> None:
    tasks = at(shortage).frame["tasks"].to_numpy()
    needed = np.ceil(LOADS.astype(np.float64) - 1e-5)  # (101, 24) whole tasks of each future
    for hour in range(24):
        counts = np.arange(0, 200)
        idle = np.maximum(counts[:, None] - needed[None, :, hour], 0).mean(axis=1)
        missing = np.maximum(needed[None, :, hour] - counts[:, None], 0).mean(axis=1)
        cost = IDLE * idle + shortage * missing
        assert cost[tasks[hour]] <= cost.min() + 1e-9


def test_by_hand() -> None:
    assert critical_ratio(0.95, 0.05) == pytest.approx(0.95)
    assert critical_ratio(1e9, 0.05) == SUREST
    plan = at(0.45)  # 0.45 / (0.45 + 0.05)
    assert plan.goal_of("web").level == pytest.approx(0.9)
    assert plan.frame["tasks"].tolist() == at(None, level=0.9).frame["tasks"].tolist()
    assert plan.goal.level == 0.95
    assert at(1e-9).goal_of("web").level == 0.0001  # a shortage that costs nothing is still planned by a probability


@given(low=st.floats(0.001, 100), factor=st.floats(1, 100))
@settings(max_examples=15)
def test_the_dearer_a_shortage_the_more_tasks(low: float, factor: float) -> None:
    assert (at(low * factor).frame["tasks"] >= at(low).frame["tasks"]).all()
    assert critical_ratio(low * factor, IDLE) >= critical_ratio(low, IDLE)


def test_it_is_explained_with_both_prices() -> None:
    assert (
        "90 % sure, which is cheapest when an hour of a missing task costs 0.45 USD and one of an idle task 0.05"
        in (at(0.45).explain("web"))
    )
    assert "95 % sure" in at(None).explain("web")


def test_where_no_price_is_known_the_level_counts_and_it_is_said() -> None:
    goal = BARE.model_copy(update={"shortage_usd_per_task_hour": 1.0})
    plan = planned(cpu_forecast(LOADS), plain(launch_type="EC2"), goal=goal)
    assert plan.goal_of("web").level == 0.95
    (finding,) = [f for f in plan.findings if f.check == "shortage"]
    assert (finding.status, "planned 95 % sure" in finding.message) == ("UNKNOWN", True)


def test_that_paths_are_too_few_to_be_as_sure_is_said() -> None:
    (finding,) = [f for f in at(100.0).findings if f.check == "shortage"]
    assert finding.message.startswith("To be 99.95 % sure is cheapest, and 101 paths tell no more")
    assert [f for f in at(0.45).findings if f.check == "shortage"] == []
