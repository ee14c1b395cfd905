"""Promises of the whole plan, for any demand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.config import Account, Goal, Service
from capacity.demand.demand import Key
from capacity.findings import Finding
from capacity.forecasting.forecasts import Forecast
from capacity.planning import Plan, plan
from capacity.schema import COST, LIMITS, PLAN
from tests.makers import daily_wave, hourly, make_demand, make_forecast
from tests.planning.inputs import BARE, CUTOFF, as_they_are, cpu_forecast, forecast_of, plain, planned

loads = hnp.arrays(np.float64, st.tuples(st.integers(2, 12), st.integers(1, 10)), elements=st.floats(0, 300))
WEB = Service(name="web", min_tasks=2, max_tasks=60, startup_seconds=1200, minimum_healthy_percent=60)
STEPS = ["for_load", "for_startup", "for_deployment", "for_zone_loss"]


def fleet(seed: int = 0, paths: int = 40, steps: int = 72) -> Forecast:
    times = hourly(14)
    demand = make_demand(
        {
            ("web", "requests"): daily_wave(times, 900),
            ("web", "cpu"): daily_wave(times, 12, 0.3),
            ("api", "cpu"): daily_wave(times, 4, 0.6),
        },
        times,
        burst=1.3,
    )
    return make_forecast(demand, steps=steps, paths=paths, growth=0.3, seed=seed)


FLEET = [Service(name="web", requests_per_second_per_task=40, max_tasks=50), Service(name="api", max_tasks=30)]


def fleet_plan(forecast: Forecast) -> Plan:
    return planned(forecast, FLEET, accounts=(Account(fargate_vcpu_quota=100),))


def test_the_tables_have_the_columns_and_types_of_the_data_dictionary() -> None:
    result = fleet_plan(fleet())
    for frame, table in ((result.frame, PLAN), (result.limits, LIMITS), (result.cost, COST)):
        assert list(frame.columns) == table.names
        assert frame.dtypes.astype(str).tolist() == [column.type for column in table.columns]
        assert not frame.duplicated(list(table.key)).any()
    assert len(result.frame) == 2 * 72
    assert result.of("api").index.equals(fleet().times)


@given(paths=loads, factor=st.floats(1, 3))
@settings(deadline=None, max_examples=40)
def test_more_demand_never_plans_fewer_tasks(paths: np.ndarray, factor: float) -> None:
    low, high = (planned(cpu_forecast(load), WEB) for load in (paths, paths * factor))
    for column in [*STEPS, "tasks", "short"]:
        assert (high.frame[column] >= low.frame[column]).all(), column
    below, above = (one.limits.set_index("limit")["probability"] for one in (low, high))
    assert (above[below.index] >= below).all()  # with more demand, more limits come near enough for a row
    assert (high.cost["usd"] >= low.cost["usd"] - 1e-9).all()


@given(paths=loads, level=st.sampled_from([0.5, 0.9, 0.95]))
@settings(deadline=None, max_examples=40)
def test_counts_hold_the_load_and_one_task_fewer_does_not(paths: np.ndarray, level: float) -> None:
    rows = planned(cpu_forecast(paths), plain(), goal=BARE.model_copy(update={"level": level})).frame
    wanted = np.quantile(paths, level, axis=0)
    tasks = rows["tasks"].to_numpy()
    assert (tasks >= wanted * (1 - 2e-6) - 2e-6).all()
    assert (tasks - 1 < wanted)[tasks > 0].all()
    assert ((paths <= tasks * (1 + 1e-5) + 1e-5).mean(axis=0) >= level - 1 / len(paths)).all()


@given(paths=loads)
@settings(deadline=None, max_examples=30)
def test_the_steps_only_climb_and_the_bounds_hold(paths: np.ndarray) -> None:
    rows = planned(cpu_forecast(paths), WEB).frame
    for below, above in zip(["need", *STEPS], STEPS, strict=False):
        assert (rows[above] >= rows[below] - 1e-3).all()
    assert rows["tasks"].between(WEB.min_tasks, WEB.max_tasks).all()
    assert (rows["tasks"] + rows["short"] == np.maximum(rows["for_zone_loss"], WEB.min_tasks)).all()


@given(paths=loads)
@settings(deadline=None, max_examples=30)
def test_counting_requests_by_the_minute_plans_the_same(paths: np.ndarray) -> None:
    service = Service(name="web", requests_per_second_per_task=7, max_tasks=60)
    by_minute = service.model_copy(update={"requests_per_second_per_task": 7.0 * 60})
    a = planned(forecast_of({("web", "requests"): paths}), service)
    b = planned(forecast_of({("web", "requests"): paths * 60}), by_minute)
    pd.testing.assert_frame_equal(a.frame, b.frame)
    pd.testing.assert_frame_equal(a.limits, b.limits)
    pd.testing.assert_frame_equal(a.cost, b.cost)
    assert [d.sentence for d in a.decisions] == [d.sentence for d in b.decisions]


@given(order=st.permutations(range(12)))
@settings(deadline=None, max_examples=20)
def test_the_order_of_the_paths_does_not_matter(order: list[int]) -> None:
    forecast = fleet(paths=12)
    shuffled = replace(forecast, paths=forecast.paths[:, order])
    a, b = fleet_plan(forecast), fleet_plan(shuffled)
    pd.testing.assert_frame_equal(a.frame, b.frame)
    pd.testing.assert_frame_equal(a.limits, b.limits)
    pd.testing.assert_frame_equal(a.cost, b.cost)
    pd.testing.assert_frame_equal(a.total_cost, b.total_cost)


def test_the_same_input_gives_the_same_plan() -> None:
    a, b = plan(fleet(), FLEET), plan(fleet(), FLEET)
    pd.testing.assert_frame_equal(a.frame, b.frame, check_exact=True)
    pd.testing.assert_frame_equal(a.limits, b.limits, check_exact=True)
    pd.testing.assert_frame_equal(a.cost, b.cost, check_exact=True)
    assert a.decisions == b.decisions
    assert a.findings == b.findings


def test_a_service_is_planned_the_same_whoever_is_planned_beside_it() -> None:
    whole = plan(fleet(), FLEET)
    alone = plan(fleet().of("api"), FLEET[1])
    pd.testing.assert_frame_equal(whole.of("api"), alone.of("api"))


def test_the_burst_inside_the_hour_is_planned_for() -> None:
    forecast = fleet()
    mean, busiest = planned(forecast, FLEET), plan(forecast, FLEET)
    ratio = busiest.frame["need"] / mean.frame["need"]
    assert ratio.between(1.25, 1.35).all()  # every measured hour's busiest minute was 1.3 times its mean


def test_zero_demand_keeps_the_minimum_and_no_more() -> None:
    calm = cpu_forecast(np.zeros((5, 4)))
    assert planned(calm, plain(min_tasks=3)).frame["tasks"].tolist() == [3] * 4
    assert planned(calm, plain(min_tasks=3)).frame["bound_by"].tolist() == ["minimum"] * 4
    assert planned(calm, plain(min_tasks=0)).frame["tasks"].tolist() == [0] * 4


def test_the_smallest_load_keeps_a_task_because_at_none_a_request_waits() -> None:
    assert planned(cpu_forecast([[0.001]]), plain(min_tasks=0), goal=BARE).frame["tasks"].tolist() == [1]


def test_what_the_maximum_leaves_missing_is_said() -> None:
    row = planned(cpu_forecast([[12.0]]), plain(max_tasks=8), goal=BARE).frame.iloc[0]
    assert row[["tasks", "short", "bound_by"]].tolist() == [8, 4, "maximum"]


def test_an_hourly_plan_is_ready_for_the_part_of_the_rise_that_comes_while_a_task_starts() -> None:
    service = plain(startup_seconds=600)
    rows = planned(cpu_forecast([[10.0, 40.0, 10.0]]), service, goal=BARE).frame
    assert rows["for_startup"].tolist() == [15, 40, 10]  # 600 s of 3600 s: a sixth of the rise of 30
    assert rows["bound_by"].tolist() == ["startup", "load", "load"]


def test_each_interval_names_the_resource_that_asks_for_most() -> None:
    service = plain("a", requests_per_second_per_task=10, request_target=1.0)
    forecast = forecast_of({("a", "requests"): [[50.0, 10.0]], ("a", "cpu"): [[2.0, 3.0]]})
    rows = planned(forecast, service, goal=BARE).frame
    assert rows["load_bound_by"].tolist() == ["requests", "cpu"]
    assert rows["tasks"].tolist() == [5, 3]


def test_data_that_failed_its_gate_is_planned_and_said_to_have_failed() -> None:
    failed = Finding("web", "cpu", "gaps", "FAIL", "40 % of the intervals are gaps.", "Fetch them again.")
    forecast = forecast_of({("web", "cpu"): [[4.0]]}, findings=(failed,))
    result = planned(forecast, [plain()])
    assert failed in result.findings
    (decision,) = [d for d in result.decisions if d.kind == "fix_data"]
    assert decision.sentence == (
        "Fix the cpu data of `web` before relying on its plan: 40 % of the intervals are gaps."
    )
    assert decision.because == "Fetch them again."
    assert "failed checks" in result._repr_html_()
    assert "40 % of the intervals are gaps." in result.explain("web")


def test_findings_of_the_demand_come_along_too() -> None:
    forecast = cpu_forecast([[4.0]])
    gap = Finding("web", "cpu", "gaps", "REVIEW", "3 gaps")
    past = replace(forecast.past, findings=type(forecast.findings).of([gap]))
    assert gap in planned(replace(forecast, past=past), plain()).findings


def test_counts_by_path_are_what_the_limits_were_judged_on() -> None:
    result = fleet_plan(fleet())
    for name in ("web", "api"):
        row = result.limits[result.limits["service"] == name].iloc[0]
        peaks = result.counts(name).max(axis=1)
        assert (peaks > row["value"]).mean() == row["probability"]
        assert np.ceil(np.quantile(peaks, 0.95)) == row["needed"]


def test_settings_no_count_can_repair_are_findings_and_the_rest_is_still_planned() -> None:
    service = plain(zones=1, minimum_healthy_percent=0, max_tasks=20)
    result = planned(cpu_forecast([[4.0]]), service, goal=Goal())
    assert result.frame["tasks"].tolist() == [4]
    assert {f.check for f in result.findings if f.status == "REVIEW"} == {"zones", "deployment"}


def test_a_deployment_that_cannot_move_is_a_finding() -> None:
    service = plain(minimum_healthy_percent=90, maximum_percent=110)
    stuck = planned(cpu_forecast([[4.0]]), service, goal=BARE).findings
    moves = planned(cpu_forecast([[40.0]]), service, goal=BARE).findings
    assert [f.check for f in stuck] == ["deployment"]
    assert len(moves) == 0


@pytest.mark.parametrize("load", [1e18, 1e300])
def test_an_absurd_load_is_planned_as_far_beyond_every_limit(load: float) -> None:
    result = planned(cpu_forecast([[1.0, load]]), plain(maximum_percent=400, minimum_healthy_percent=1))
    assert result.frame["tasks"].tolist()[1] == 5000
    assert result.frame["short"].iloc[1] > 1e8
    assert result.limits["probability"].eq(1.0).all()


@pytest.mark.parametrize("interval", ["1min", "5min", "1h", "1D"])
def test_any_regular_interval_can_be_planned(interval: str) -> None:
    result = planned(cpu_forecast([[1.0, 5.0, 2.0]], interval=interval), WEB)
    assert result.frame["timestamp"].iloc[1] - CUTOFF == pd.Timedelta(interval)


def test_a_plan_shows_hostile_names_as_text() -> None:
    name = "<script>alert(1)</script>"
    html = planned(cpu_forecast([[1.0]], name), plain(name))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_paths_are_never_written_to() -> None:
    forecast = fleet()
    before = forecast.paths.copy()
    planned(forecast, FLEET)
    assert (forecast.paths == before).all()
    assert as_they_are(forecast) is forecast.paths


def test_the_metrics_of_one_service_are_taken_together() -> None:
    assert Key("web", "cpu") in fleet().keys
    alone = planned(fleet().select([Key("web", "cpu")]), FLEET[0])
    both = planned(fleet(), FLEET)
    assert (both.of("web")["need"] >= alone.of("web")["need"]).all()


def test_queued_work_is_sized_by_the_mean_of_an_interval_and_the_rest_by_its_busiest_minute() -> None:
    forecast = cpu_forecast([[6.0, 6.0]])

    def minutes(asked: Forecast) -> np.ndarray:
        return 3 * np.asarray(asked.paths)

    needs = {
        tier: plan(forecast, plain(tier=tier), peaks=minutes).frame["need"].iloc[0] for tier in ("standard", "batch")
    }
    assert needs["standard"] == pytest.approx(3 * needs["batch"])
