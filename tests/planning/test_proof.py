"""From a forecast to a load test: peak, spike and rise as its paths say, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.config import Service, TaskCapacity
from capacity.errors import InputError, PlanError
from capacity.planning.proof import foreseen, plan_from_forecast
from tests.makers import daily_wave, hourly, make_demand, make_forecast
from tests.planning.inputs import forecast_of

#: Eleven paths of three hours: path n rises from 10 to 100 + 10 n in the second hour.
PATHS = np.array([[10.0, 100.0 + 10 * n, 50.0] for n in range(11)])

WEB = Service(name="web", requests_per_second_per_task=50, request_target=0.8, min_tasks=2)


def test_peak_and_rise_are_quantiles_over_the_paths() -> None:
    seen = foreseen(forecast_of({("web", "requests"): PATHS}), WEB, level=0.9)
    assert seen.peak_per_s == 190  # the tenth of eleven paths
    assert seen.rise_per_s == pytest.approx(180 / 3600)  # from 10 to 190 in an hour
    assert seen.spike == 1.0  # no burst was ever measured


def test_a_spike_is_the_busiest_minute_over_the_mean_of_its_hour() -> None:
    times = hourly(28)
    demand = make_demand({("web", "requests"): daily_wave(times)}, times, burst=1.5)
    seen = foreseen(make_forecast(demand, spread=0.0), WEB)
    assert seen.peak_per_s == pytest.approx(150)
    assert seen.spike == pytest.approx(1.5, rel=1e-6)
    batch = WEB.model_copy(update={"tier": "batch"})
    assert foreseen(make_forecast(demand, spread=0.0), batch).spike == 1.0  # its work waits


def test_tasks_share_the_peak_as_the_plan_would_run_them() -> None:
    plan = plan_from_forecast(forecast_of({("web", "requests"): PATHS}), WEB, level=0.9, tasks=1, slo_ms=250)
    assert plan.planned == 5  # 190 / (50 × 0.8) = 4.75
    assert plan.share_per_s == 38
    assert plan.claimed == 50
    ramp = next(stage for stage in plan.stages if stage.kind == "ramp")
    assert ramp.seconds == 600  # 0.6 × 190 at 0.05/s a second would take 38 min: a test rises faster
    assert any("p90 of the largest interval" in sentence for sentence in plan.arithmetic)
    assert any("up to 3/s a minute" in sentence for sentence in plan.arithmetic)
    assert plan.service == "web"


def test_a_steep_rise_is_driven_as_steep() -> None:
    minutes = np.tile([10.0, 100.0, 100.0], (5, 1))
    plan = plan_from_forecast(forecast_of({("web", "requests"): minutes}, interval="1min"), WEB, slo_ms=250)
    ramp = next(stage for stage in plan.stages if stage.kind == "ramp")
    assert ramp.seconds == 40  # 60 of 100 at 90 a minute


def test_the_slo_is_the_one_that_the_capacity_was_measured_by() -> None:
    capacity = TaskCapacity(requests_per_second=50, slo_ms=80, slo_quantile=0.99)
    service = Service(name="web", task_capacity=capacity)
    forecast = forecast_of({("web", "requests"): PATHS})
    plan = plan_from_forecast(forecast, service)
    assert (plan.slo.ms, plan.slo.quantile) == (80, 0.99)
    assert plan_from_forecast(forecast, service, slo_ms=100).slo.ms == 100
    assert plan_from_forecast(forecast, service, spike=2.0).spike == 2.0


def test_a_service_that_states_no_rate_is_tested_as_it_stands() -> None:
    plan = plan_from_forecast(
        forecast_of({("web", "requests"): PATHS}), Service(name="web"), level=1.0, tasks=4, slo_ms=9
    )
    assert (plan.planned, plan.share_per_s, plan.claimed) == (4, 200, 50)


def test_what_cannot_be_proven_is_said() -> None:
    requests = forecast_of({("web", "requests"): PATHS})
    with pytest.raises(PlanError, match="State slo_ms"):
        plan_from_forecast(requests, WEB)
    with pytest.raises(PlanError, match="of it cpu is forecast"):
        plan_from_forecast(forecast_of({("web", "cpu"): PATHS}), WEB, slo_ms=250)
    with pytest.raises(PlanError, match="of it nothing is forecast"):
        plan_from_forecast(requests, Service(name="other"), slo_ms=250)
    with pytest.raises(PlanError, match="there is no peak to test"):
        plan_from_forecast(forecast_of({("web", "requests"): np.zeros((3, 3))}), WEB, slo_ms=250)
    with pytest.raises(InputError, match="fewer than"):
        plan_from_forecast(requests, WEB, slo_ms=250, tasks=3, planned=2)
