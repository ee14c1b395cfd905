"""A recommendation is rehearsed on weeks it was not made from, and says what it rests on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from capacity.config import Goal, Service, TaskCapacity
from capacity.demand import Demand
from capacity.errors import InputError
from capacity.forecasting import Forecast, forecast
from capacity.planning import Decision, Plan, plan
from capacity.scaling import Policy, ServicePolicy, check_policy, recommend_policy, simulate
from capacity.scaling.binding import each_request, filled_by
from capacity.scaling.bounds import bounds
from capacity.scaling.rehearse import ACCEPTED, HEADROOM, choose, todays, weighed
from capacity.scaling.search.weeks import Window, window_of
from tests.makers import daily_wave, hourly, make_demand, make_forecast
from tests.scaling.aws_model import problems
from tests.scaling.policies import tracking, web

WEEK = pd.Timedelta(days=7)


def five_minutes(weeks: int, start: str = "2026-06-01") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=weeks * 7 * 288, freq="5min", tz="UTC", unit="us")


def office(times: pd.DatetimeIndex, day: float = 2000.0, night: float = 200.0) -> np.ndarray:
    """Jumps at 8:00 and falls at 18:00 on weekdays: what target tracking always meets too late."""
    busy = (times.hour >= 8) & (times.hour < 18) & (times.day_of_week < 5)
    noise = np.random.default_rng(1).normal(0, 0.03, len(times))
    return np.asarray(np.where(busy, day, night) * np.exp(noise))


def no_peaks(forecast: Forecast) -> np.ndarray:
    """Means as peaks: nothing is known of what happens inside an interval."""
    return forecast.paths


def planned(demand: Demand, services: Any, steps: int = 14 * 288, **settings: Any) -> Plan:
    forecast = make_forecast(demand, steps=steps, paths=40, spread=0.05)
    return plan(forecast, services, peaks=no_peaks, **settings)


@cache
def office_policy() -> tuple[Plan, Policy]:
    times = five_minutes(12)
    demand = make_demand({("web", "requests"): office(times)}, times)
    made = planned(demand, web(min_tasks=2, max_tasks=200), goal=Goal(survive_zone_loss=False))
    return made, recommend_policy(made, peaks=no_peaks)


def test_a_load_that_jumps_gets_scheduled_minimums_ahead_of_the_jump() -> None:
    made, policy = office_policy()
    one = policy["web"]
    monday = pd.Timestamp("2026-08-31", tz="UTC")
    minimum, _ = bounds(one, pd.date_range(monday, periods=7 * 24 * 60, freq="min", unit="us"))
    days = minimum.reshape(7, 24 * 60)
    assert (days[:5, 8 * 60 - 3 : 8 * 60 + 10] >= 40).all()  # 2,000 requests/s, met before they come
    assert (days[:5, : 7 * 60] < 20).all()
    assert (days[5:, : 23 * 60] < 20).all()
    assert (np.count_nonzero(np.diff(days), axis=1) <= 5).all()
    assert one.tracking.metric == "requests"
    assert one.tracking.target <= 50 * 60
    assert check_policy(policy).status == "PASS"
    assert any("Scheduled minimums" in reason for reason in one.reasons)
    end = max(action.end for action in one.schedule if action.end)
    assert end == made.forecast.times[-1] + pd.Timedelta(days=2, minutes=5)  # a seventh of two weeks


def test_the_recommendation_was_judged_beside_todays_policy_and_tracking_alone() -> None:
    _, policy = office_policy()
    rehearsal = policy["web"].rehearsal
    assert rehearsal is not None
    assert rehearsal["chosen"].sum() == 1
    chosen = rehearsal[rehearsal["chosen"]].iloc[0]
    plain = rehearsal[~rehearsal["candidate"].str.contains("schedule")].iloc[1:]
    assert rehearsal["candidate"].iloc[0] == "today, target not known"
    assert chosen["short_share"] <= HEADROOM * ACCEPTED["standard"]
    as_safe = plain[plain["short_share"] <= chosen["short_share"]]
    assert (as_safe["task_hours"] > 1.1 * chosen["task_hours"]).all()
    as_cheap = plain[plain["task_hours"] <= chosen["task_hours"]]
    assert (as_cheap["missing_task_hours"] > 5 * chosen["missing_task_hours"]).all()
    assert (rehearsal["changes_a_week"] <= 35).all()


def test_simulating_the_recommendation_on_later_demand_keeps_its_promise() -> None:
    _, policy = office_policy()
    later = five_minutes(2, "2026-08-24")
    result = simulate(policy, pd.Series(office(later), index=later))
    assert result.metrics["short_share"].item() < ACCEPTED["standard"]


def test_no_schedule_is_judged_on_the_weeks_it_was_made_from() -> None:
    # The pattern turns round in the judged weeks: what was learnt before them must fail there.
    times = five_minutes(12)
    before = office(times)
    after = office(times + pd.Timedelta(hours=12))
    demand = make_demand({("web", "requests"): np.where(times < times[-1] - 4 * WEEK, before, after)}, times)
    calm = Goal(survive_zone_loss=False)
    policy = recommend_policy(planned(demand, web(min_tasks=2, max_tasks=200), goal=calm), peaks=no_peaks)
    rehearsal = policy["web"].rehearsal
    assert rehearsal is not None
    alone = rehearsal[rehearsal["candidate"] == "tracking 2,550/min"].iloc[0]
    scheduled = rehearsal[rehearsal["candidate"].str.match(r"tracking 2,550/min, \w.* schedule")]
    assert len(scheduled) == 18
    # the first judged week is met as without a schedule; the three after it are learnt from what came before them
    assert (scheduled["missing_task_hours"] > 0.15 * alone["missing_task_hours"]).all()


def test_windows_do_not_overlap_and_leave_enough_to_learn_from() -> None:
    for weeks in range(1, 40):
        times = hourly(weeks * 7)
        window = window_of(make_demand({("web", "cpu"): np.ones(len(times))}, times))
        assert times[0] <= window.learnt <= window.judged < window.end == times[-1] + pd.Timedelta(hours=1)
        assert window.may_learn == (weeks >= 3)
        assert not window.may_learn or WEEK <= window.end - window.judged <= 4 * WEEK
        assert not window.may_learn or window.judged - window.learnt >= 2 * WEEK


def test_a_short_history_gets_tracking_alone_and_says_why() -> None:
    times = five_minutes(2)
    made = planned(make_demand({("web", "requests"): office(times)}, times), web(), steps=288)
    one = recommend_policy(made, peaks=no_peaks)["web"]
    assert one.schedule == ()
    assert "No schedule was tried: that needs 3 weeks of history." in one.reasons


def test_an_even_load_gets_tracking_alone() -> None:
    times = hourly(70)
    demand = make_demand({("web", "cpu"): daily_wave(times, 30.0, 0.002)}, times)
    service = Service(name="web", task_vcpu=1, task_memory_gib=2, min_tasks=2, max_tasks=100)
    one = recommend_policy(planned(demand, service, steps=24 * 14), peaks=no_peaks)["web"]
    assert one.schedule == ()
    assert one.tracking.metric == "cpu"
    assert one.tracking.target <= 70.6  # 60 % / 85 %: a full task
    assert any("target tracking alone follows this load" in reason for reason in one.reasons)


def test_days_without_hours_give_no_schedule() -> None:
    times = pd.date_range("2025-01-06", periods=200, freq="D", tz="UTC", unit="us")
    demand = make_demand({("web", "requests"): 500 + 100 * np.sin(np.arange(200))}, times)
    one = recommend_policy(planned(demand, web(max_tasks=100), steps=30), peaks=no_peaks)["web"]
    assert one.schedule == ()
    assert any("do not show the hours of a day" in reason for reason in one.reasons)


def test_a_history_without_a_value_in_its_last_weeks_is_not_rehearsed_and_says_so() -> None:
    times = five_minutes(12)
    load = office(times)
    made = planned(make_demand({("web", "requests"): load}, times), web(max_tasks=200))
    load[times >= times[-1] - 5 * WEEK] = np.nan
    one = recommend_policy(made, demand=make_demand({("web", "requests"): load}, times), peaks=no_peaks)["web"]
    assert one.rehearsal is None
    assert one.schedule == ()
    assert any(reason.startswith("Not rehearsed:") for reason in one.reasons)


def test_a_recommendation_never_leaves_its_bounds_to_none() -> None:
    times = five_minutes(3)
    made = planned(make_demand({("web", "requests"): office(times, 40.0, 4.0)}, times), web(min_tasks=0), steps=288)
    made = replace(made, decisions=())
    one = recommend_policy(made, peaks=no_peaks)["web"]
    assert one.min_tasks == 1
    assert any("no datapoint" in reason for reason in one.reasons)


@pytest.mark.parametrize(
    ("kind", "proposed", "bounds"), [("raise_max", 64, (2, 64)), ("raise_min", 3, (3, 40)), ("raise_min", 90, (3, 40))]
)
def test_bounds_follow_the_plans_decisions(kind: Any, proposed: int, bounds: tuple[int, int]) -> None:
    times = five_minutes(2)
    made = planned(make_demand({("web", "requests"): office(times)}, times), web(), steps=288)
    decision = Decision(kind, "web", "Raise it.", "Because.", 0.9, current=1, proposed=proposed)
    one = recommend_policy(replace(made, decisions=(decision,)), peaks=no_peaks)["web"]
    assert (one.min_tasks, one.max_tasks) == bounds
    assert any("instead of" in reason or "above today" in reason for reason in one.reasons)
    unchanged = recommend_policy(replace(made, decisions=()), peaks=no_peaks)["web"]
    assert (unchanged.min_tasks, unchanged.max_tasks) == (2, 40)


def test_same_plan_same_policy() -> None:
    made, policy = office_policy()
    again = recommend_policy(made, peaks=no_peaks)
    assert again.render("boto3") == policy.render("boto3")
    assert again["web"].reasons == policy["web"].reasons
    pd.testing.assert_frame_equal(again.rehearsals, policy.rehearsals)


def test_a_service_fares_the_same_alone_and_in_a_fleet() -> None:
    times = five_minutes(4)
    loads = {("web", "requests"): office(times), ("api", "requests"): office(times, 900.0, 500.0)}
    services = [web(max_tasks=200), web(name="api", max_tasks=200)]
    together = recommend_policy(planned(make_demand(loads, times, burst=1.2), services, steps=288), peaks=no_peaks)
    api = {("api", "requests"): loads["api", "requests"]}
    alone = recommend_policy(planned(make_demand(api, times, burst=1.2), services[1], steps=288), peaks=no_peaks)
    first, second = together["api"].rehearsal, alone["api"].rehearsal
    assert first is not None
    assert second is not None
    pd.testing.assert_frame_equal(first, second)


def test_the_calls_pass_botocores_model() -> None:
    _, policy = office_policy()
    assert [problem for call in policy.render("boto3") for problem in problems(call)] == []


def test_todays_target_is_read_by_its_size() -> None:
    assert todays(web(target_value=70), "requests", 0.85).policy.tracking.target == 0.70 * 3000
    assert todays(web(target_value=1800), "requests", 0.85).policy.tracking.target == 1800
    assert todays(web(target_value=1800), "cpu", 0.6).policy.tracking.target == 60  # 1800 of 3000 requests a minute
    assert todays(web(), "cpu", 0.6).name == "today, target not known"
    assert "70 of cpu read as 70 % of a task" in todays(web(target_value=70), "requests", 0.85).name


def test_risk_comes_first_then_cost() -> None:
    short, cost = np.array([0.02, 0.002, 0.0005]), np.array([100.0, 120.0, 130.0])
    assert choose(short, cost, ACCEPTED["standard"]) == 1
    assert choose(short, cost, ACCEPTED["critical"]) == 2
    assert choose(np.array([0.009, 0.002]), cost[:2], ACCEPTED["batch"]) == 0
    assert choose(np.array([0.5, 0.4, 0.1]), np.array([3.0, 2.0, 9.0]), ACCEPTED["standard"]) == 1  # none is safe
    assert choose(np.zeros(3), np.ones(3), ACCEPTED["standard"]) == 0  # of equals the first listed


def test_a_missing_task_hour_weighs_what_the_goal_says() -> None:
    hours, missing = np.array([100.0, 115.0]), np.array([1.0, 0.0])
    never = np.zeros(2)
    assert np.argmin(weighed(hours, missing, never, 0.90)) == 0  # 100 + 10 x 1 < 115
    assert np.argmin(weighed(hours, missing, never, 0.95)) == 1  # 100 + 20 x 1 > 115
    assert weighed(100.0, 0.0, 0.01, 0.95) == pytest.approx(120)  # one minute in a hundred counts as twenty


def test_requests_without_a_capacity_are_refused() -> None:
    times = five_minutes(1)
    service = ServicePolicy(web(requests_per_second_per_task=None), 1, 2, tracking().tracking)
    with pytest.raises(InputError, match="what one task serves is not known"):
        simulate(replace(service, per_task=None), pd.Series(office(times), index=times))


def test_windows_print_what_was_learnt_from_what() -> None:
    stamps = pd.to_datetime(["2026-03-02", "2026-04-27", "2026-05-25"], utc=True)
    assert str(Window(*stamps)) == "27 Apr 2026 to 25 May 2026, each week's schedule made from the weeks before it"


def test_the_public_road_from_a_series_to_boto3_calls() -> None:
    times = five_minutes(5)
    series = pd.Series(office(times), index=times, name="anything")
    service = Service(name="x", requests_per_second_per_task=50, startup_seconds=120, min_tasks=2, max_tasks=2000)
    policy = recommend_policy(plan(forecast(series, horizon=7 * 288), service))
    calls = policy.render("boto3")
    assert [problem for call in calls for problem in problems(call)] == []
    metric = calls[1]["parameters"]["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]
    assert metric["PredefinedMetricType"] == "ALBRequestCountPerTarget"
    assert [call["operation"] for call in calls[2:]].count("put_scheduled_action") == len(policy["x"].schedule) >= 3
    assert simulate(policy, series).metrics["short_share"].item() < ACCEPTED["standard"]


@cache
def cpu_bound(zones: int = 1, cpu_each: float = 1 / 40, **settings: Any) -> tuple[Plan, ServicePolicy]:
    """A service of which CPU at 60 % allows 24 requests/s a task (of 1 vCPU), while 50 x 85 % are stated."""
    times = hourly(42)
    wave = daily_wave(times, 300.0, 0.2)
    demand = make_demand({("web", "requests"): wave, ("web", "cpu"): wave * cpu_each}, times)
    service = web(max_tasks=100, zones=zones, task_vcpu=1, startup_seconds=0, **settings)
    made = planned(demand, service, steps=24 * 14)
    return made, recommend_policy(made, peaks=no_peaks)["web"]


def test_where_cpu_fills_a_task_first_fewer_requests_are_tracked_and_that_is_said() -> None:
    _, one = cpu_bound()
    assert one.tracking.metric == "requests"
    assert one.per_task is not None
    assert one.per_task == pytest.approx(0.6 / 0.85 * 40)
    rate = one.tracking.target / 60
    assert rate <= one.per_task
    assert f"at the target's {rate:.3g} requests/s a task is at {100 * rate / 40:.0f} % of its cpu" in " ".join(
        one.reasons
    )
    _, light = cpu_bound(cpu_each=1 / 400)
    assert light.per_task is None
    assert one.per_task * 60 < light.tracking.target <= 50 * 60
    assert not any("fills a task" in reason for reason in light.reasons)


@pytest.mark.parametrize("zones", [1, 2, 3])
@pytest.mark.parametrize("cpu_each", [1 / 400, 1 / 40])
def test_no_target_is_above_what_keeps_the_promise(zones: int, cpu_each: float) -> None:
    _, one = cpu_bound(zones, cpu_each)
    carries = min(50.0, 0.6 / 0.85 / cpu_each)
    left = (zones - 1) / zones if zones > 1 else 1.0
    assert 0.4 * carries * left < one.tracking.target / 60 <= carries * left + 0.001


def test_a_stated_target_is_never_tracked_above() -> None:
    _, free = cpu_bound(cpu_each=1 / 400)
    _, bound = cpu_bound(cpu_each=1 / 400, request_target=0.7)
    assert bound.tracking.target <= 0.7 * 50 * 60 < free.tracking.target


def test_short_means_the_same_in_rehearsal_whichever_resource_binds() -> None:
    """24 requests/s fill 0.6 vCPU; 28.2 fill all that CPU may reach: 30 a task are short, though 50 are stated."""
    _, one = cpu_bound()
    minutes = pd.date_range("2026-11-23", periods=60, freq="min", tz="UTC")
    fixed = replace(one, min_tasks=10, max_tasks=10, schedule=())
    short = [simulate(fixed, pd.Series(load, index=minutes)).metrics["short_share"].item() for load in (281.0, 283.0)]
    assert short == [0.0, 1.0]


def test_the_target_leaves_the_room_that_losing_a_zone_takes() -> None:
    _, one = cpu_bound(zones=2)
    assert one.tracking.target <= 0.5 * 0.6 / 0.85 * 40 * 60 + 0.06
    assert any("kept at no more than 50 % of what they carry" in reason for reason in one.reasons)
    _, office = office_policy()
    assert not any("zones" in reason for reason in office["web"].reasons)


def test_room_for_a_zone_that_nobody_asked_for_is_not_kept_and_that_is_said() -> None:
    times = five_minutes(4)
    demand = make_demand({("web", "requests"): office(times)}, times)
    one = recommend_policy(planned(demand, web(max_tasks=200), steps=288), peaks=no_peaks)["web"]
    assert one.tracking.target > 2 / 3 * 50 * 60
    assert any("No room is kept for the loss of a zone" in reason for reason in one.reasons)


def test_todays_cpu_target_is_read_as_the_requests_that_cause_it() -> None:
    filled = filled_by(web(task_vcpu=1), {"cpu": 0.02})
    today = todays(web(task_vcpu=1, target_value=60), "requests", 0.85, filled)
    assert today.policy.tracking.target == pytest.approx(0.6 / 0.02 * 60, abs=0.1)
    assert todays(web(target_value=1800), "requests", 0.85, filled).policy.tracking.target == 1800


def test_a_resource_that_the_target_was_not_made_for_is_named() -> None:
    made, one = cpu_bound()
    unmeasured = make_demand({("web", "requests"): daily_wave(hourly(42), 300.0, 0.2)}, hourly(42))
    blind = recommend_policy(made, demand=unmeasured, peaks=no_peaks)["web"]
    assert any(
        reason.startswith("In 100 % of the plan's intervals cpu asks for more tasks") for reason in blind.reasons
    )
    assert not any("asks for more tasks" in reason for reason in one.reasons)


def test_what_a_request_takes_is_read_off_busy_hours_with_room() -> None:
    times = hourly(42)
    wave = daily_wave(times, 300.0, 0.5)
    cpu = wave / 40 + 2.0  # tasks idle, too
    demand = make_demand({("web", "requests"): wave, ("web", "cpu"): cpu}, times)
    busy = wave[-28 * 24 :] >= np.quantile(wave[-28 * 24 :], 0.75)
    expected = cpu[-28 * 24 :][busy].sum() / wave[-28 * 24 :][busy].sum()
    assert each_request(demand, "web") == {"cpu": pytest.approx(expected)}
    full = replace(demand, censored=np.ones_like(demand.censored))
    assert each_request(full, "web") == {}
    assert each_request(demand, "other") == {}


def test_a_stated_cost_of_a_request_bounds_the_target_where_cpu_was_not_measured() -> None:
    """0.02 vCPU-seconds a request and 0.1 vCPU idle: a task is full of CPU, 0.6 / 0.85 of it, at 30.3 requests/s."""
    wave = daily_wave(hourly(42), 300.0, 0.2)
    demand = make_demand({("web", "requests"): wave}, hourly(42))
    cost = {"vcpu_seconds_per_request": 0.02, "base_vcpu": 0.1}
    known = TaskCapacity(requests_per_second=50, low=45, high=54, method="load test", **cost)
    service = web(requests_per_second_per_task=None, task_capacity=known, task_vcpu=1, zones=1)
    made = plan(make_forecast(demand, steps=24 * 7), service, peaks=no_peaks)
    one = recommend_policy(made, demand=demand, peaks=no_peaks)["web"]
    assert one.per_task == pytest.approx((0.6 / 0.85 - 0.1) / 0.02)
    assert any("cpu fills a task before 50 requests/s do" in reason for reason in one.reasons)
    assert any("as if a task carried 50 requests/s exactly; it is known as 45 to 54" in text for text in one.reasons)


def test_the_front_holds_what_no_other_candidate_beats() -> None:
    _, policy = office_policy()
    front, every = policy.front("web"), policy["web"].rehearsal
    assert every is not None
    for row in every.iloc[1:].itertuples():
        as_good = (front["task_hours"] <= row.task_hours) & (front["short_share"] <= row.short_share)
        assert as_good.any()
    assert front["task_hours"].is_monotonic_increasing
    assert (np.diff(front["short_share"]) < 0).all()
    assert len(front) >= 3
    assert Policy((tracking(),)).front().empty


def test_a_ladder_is_taken_where_it_pays_and_never_where_it_makes_worse() -> None:
    times = five_minutes(4)
    rng = np.random.default_rng(3)
    surges = np.ones(len(times))
    for start in rng.integers(0, len(times) - 12, 40):
        surges[start : start + 12] = 1.45  # an hour each, at any time
    demand = make_demand({("web", "requests"): 1000.0 * surges}, times)
    made = planned(demand, web(min_tasks=2, max_tasks=200, tier="batch"), steps=7 * 288)
    bare = recommend_policy(made, peaks=no_peaks)["web"]
    one = recommend_policy(made, peaks=no_peaks, beside=["steps", "predictive"])["web"]
    assert one.steps is not None
    assert one.steps.threshold > one.tracking.target
    assert any(reason.startswith("Step scaling saves") for reason in one.reasons)
    assert any(reason.startswith("Predictive scaling") for reason in one.reasons)
    assert replace(one, steps=None, predictive=None, reasons=bare.reasons).schedule == bare.schedule
    series = pd.Series(1000.0 * surges, index=times)
    with_steps, without = (simulate(policy, series).metrics.iloc[0] for policy in (one, bare))
    assert with_steps["missing_task_hours"] < without["missing_task_hours"]
    assert one.predictive is None or one.predictive.mode == "ForecastOnly"
    assert [problem for call in Policy((one,)).render("boto3") for problem in problems(call)] == []


def test_a_part_that_does_not_exist_is_refused() -> None:
    made, _ = office_policy()
    with pytest.raises(InputError, match="cannot stand beside"):
        recommend_policy(made, beside=["magic"])  # type: ignore[list-item]
