"""What people are told to do: the sentence, its date, its chance, and what it rests on."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Account, Goal, PriceSettings, Rate, Service
from capacity.forecasting.forecasts import Forecast
from capacity.planning import Decision, Plan
from capacity.planning.memory import MemoryPerTask, memory_per_task
from capacity.planning.words import percent, sensible, spoken_date
from tests.planning.inputs import BARE, CUTOFF, censored, cpu_forecast, forecast_of, plain, planned

DAYS = 60


def rising(share: float, paths: int = 100) -> np.ndarray:
    """Daily paths: `share` of them climb from 20 to 60 vCPU in a straight line, the others stay at 20."""
    climb = 20 + 40 * np.arange(1, DAYS + 1) / DAYS
    return np.where((np.arange(paths) < share * paths)[:, None], climb, 20.0)


def decided(plan: Plan, kind: str) -> Decision | None:
    found = [decision for decision in plan.decisions if decision.kind == kind]
    assert len(found) <= 1
    return found[0] if found else None


def daily_plan(share: float, **settings: object) -> Plan:
    fields: dict[str, object] = {"max_tasks": 40, "min_tasks": 20, "change_days": 7, "owner": "Ann", **settings}
    return planned(cpu_forecast(rising(share), "checkout", interval="1D"), plain("checkout", **fields), goal=BARE)


def test_a_maximum_that_will_probably_be_passed_is_to_be_raised_in_time() -> None:
    decision = decided(daily_plan(0.92), "raise_max")
    assert decision is not None
    # 20 + 40 d / 60 is above 40 from day 31 on: the 30th interval after the cutoff, less 7 days
    assert decision.sentence == "Raise `checkout` max from 40 to 60 before 16 December 2026, 92 % sure."
    assert decision.before == CUTOFF + pd.Timedelta(days=30 - 7)
    assert (decision.probability, decision.current, decision.proposed) == (0.92, 40, 60)
    assert decision.owner == "Ann"
    assert decision.because == (
        "92 % of the futures need more than 40 tasks by 21 January 2027, the first 5 % by 23 December 2026. "
        "60 hold to 21 January 2027, 95 % sure."
    )


def test_raising_a_maximum_costs_what_the_paths_then_use_more() -> None:
    decision = decided(daily_plan(0.92), "raise_max")
    assert decision is not None and decision.usd_per_month is not None
    counts = np.ceil(rising(0.92) - 1e-9)
    extra = (counts - np.minimum(counts, 40)).sum(axis=1).mean() * 24
    assert decision.usd_per_month == pytest.approx(extra * 0.04937 * 730 / (DAYS * 24))


def test_dates_are_said_in_the_zone_where_people_live() -> None:
    decision = decided(daily_plan(0.92, timezone="America/Los_Angeles"), "raise_max")
    assert decision is not None
    assert "before 15 December 2026" in decision.sentence


def test_a_maximum_that_may_be_passed_is_to_be_watched() -> None:
    plan = daily_plan(0.23)
    assert decided(plan, "raise_max") is None
    decision = decided(plan, "watch")
    assert decision is not None
    assert decision.sentence == ("Watch `checkout`: 23 % chance that it needs more than 40 tasks by 21 January 2027.")


def test_a_maximum_that_hardly_any_path_passes_asks_for_nothing() -> None:
    assert [d.kind for d in daily_plan(0.03).decisions] == []


def test_even_when_every_path_agrees_nothing_is_said_to_be_certain() -> None:
    decision = decided(daily_plan(1.0), "raise_max")
    assert decision is not None
    assert decision.sentence.endswith(">99 % sure.")
    assert "100 %" not in decision.sentence + decision.because


def test_a_change_that_takes_longer_than_is_left_is_due_now() -> None:
    decision = decided(daily_plan(0.92, change_days=300), "raise_max")
    assert decision is not None
    assert decision.sentence == "Raise `checkout` max from 40 to 60 now, 92 % sure."
    assert decision.before == CUTOFF


def test_a_limit_passed_from_the_first_interval_on_is_already_reached() -> None:
    plan = planned(cpu_forecast(np.full((10, 5), 50.0)), plain(max_tasks=40), goal=BARE)
    decision = decided(plan, "raise_max")
    assert decision is not None
    assert decision.sentence == "Raise `web` max from 40 to 50 now: it is already reached."
    assert (decision.before, decision.probability) == (CUTOFF, 1.0)


def test_a_service_measured_at_capacity_is_already_reached_whatever_the_paths_say() -> None:
    forecast = cpu_forecast(np.full((10, 5), 36.0))
    assert decided(planned(forecast, plain(max_tasks=40), goal=BARE), "raise_max") is None
    decision = decided(planned(censored(forecast, 0.5), plain(max_tasks=40), goal=BARE), "raise_max")
    assert decision is not None
    assert decision.sentence == "Raise `web` max from 40 to 50 now: it is already reached."
    assert decision.because.startswith("In 50 % of the last week's intervals it ran at capacity")


def test_a_single_interval_at_capacity_is_not_yet_a_limit() -> None:
    forecast = censored(cpu_forecast(np.full((10, 5), 36.0)), 1 / 48)
    assert decided(planned(forecast, plain(max_tasks=40), goal=BARE), "raise_max") is None


def test_nobody_is_told_to_pass_the_limit_of_ecs() -> None:
    plan = planned(cpu_forecast(np.full((10, 5), 9000.0)), plain(max_tasks=4000), goal=BARE)
    raised = decided(plan, "raise_max")
    assert raised is not None
    assert raised.proposed == 5000
    split = decided(plan, "raise_quota")
    assert split is not None
    assert split.sentence.startswith("Split `web` or give it larger tasks now: it needs 9,000 tasks and ECS runs 5,000")


def test_a_quota_that_will_be_passed_is_to_be_raised() -> None:
    forecast = cpu_forecast(rising(0.92), interval="1D")
    account = Account(fargate_vcpu_quota=80, quota_change_days=14)
    plan = planned(forecast, plain(min_tasks=20), goal=BARE, accounts=(account,))
    decision = decided(plan, "raise_quota")
    assert decision is not None
    # twice the running tasks while deploying: above 80 from day 31 on, less 14 days
    assert decision.sentence == (
        "Raise the Fargate vCPU quota of us-east-1 from 80 to 120 before 9 December 2026, 92 % sure."
    )
    assert decision.unit == "vCPU"


def test_a_minimum_that_does_not_survive_a_zone_is_to_be_raised() -> None:
    plan = planned(cpu_forecast(np.full((10, 48), 0.4)), plain(min_tasks=1, max_tasks=10), goal=Goal())
    decision = decided(plan, "raise_min")
    assert decision is not None
    assert decision.sentence == "Raise `web` min from 1 to 2: even its quietest interval needs more than 1, >99 % sure."
    assert "the loss of one of 3 zones" in decision.because
    assert decision.usd_per_month == pytest.approx(0.04937 * 730)


def test_a_batch_service_may_rest_at_one_task() -> None:
    plan = planned(cpu_forecast(np.full((10, 48), 0.4)), plain(min_tasks=1, max_tasks=10, tier="batch"), goal=Goal())
    assert decided(plan, "raise_min") is None


def test_a_minimum_nothing_needs_is_to_be_lowered_with_what_that_saves() -> None:
    plan = planned(cpu_forecast(np.full((50, 48), 4.0), interval="1D"), plain(min_tasks=20, max_tasks=22), goal=BARE)
    decision = decided(plan, "lower_min")
    assert decision is not None
    saved = 16 * 0.04937 * 730
    assert decision.sentence == f"Lower `web` min from 20 to 4 and save {saved:,.0f} USD a month, >99 % sure."
    assert decision.usd_per_month == pytest.approx(-saved)


def test_a_maximum_far_above_any_need_is_to_be_lowered() -> None:
    decision = decided(
        planned(cpu_forecast(np.full((50, 48), 4.0), interval="1D"), plain(max_tasks=500), goal=BARE), "lower_max"
    )
    assert decision is not None
    assert decision.sentence == "Lower `web` max from 500 to 8, >99 % sure."
    assert decision.because.startswith("99 % of the futures need no more than 4 tasks at any time to 9 January 2027.")
    assert f"{492 * 0.04937 * 730:,.0f} USD a month more" in decision.because


@given(level=st.floats(0.5, 40), least=st.integers(0, 60), most=st.integers(60, 600), share=st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_advice_to_take_away_leaves_what_the_plan_needs(level: float, least: int, most: int, share: float) -> None:
    paths = rising(share) * level / 20
    plan = planned(cpu_forecast(paths, interval="1D"), plain(min_tasks=least, max_tasks=most), goal=Goal())
    for decision in plan.decisions:
        if decision.kind == "lower_max":
            assert decision.proposed is not None
            assert (plan.counts("web").max(axis=1) <= decision.proposed).mean() >= 0.95
            assert decision.proposed >= least
        if decision.kind == "lower_min":
            assert decision.proposed is not None
            assert plan.frame["for_zone_loss"].min() <= decision.proposed < least
    assert {d.kind for d in plan.decisions} & {"raise_max", "lower_max"} != {"raise_max", "lower_max"}
    assert {d.kind for d in plan.decisions} & {"raise_min", "lower_min"} != {"raise_min", "lower_min"}


def test_nothing_is_taken_away_on_failed_data() -> None:
    from capacity.findings import Finding

    failed = Finding("web", "cpu", "gaps", "FAIL", "Nearly all gaps.")
    forecast = forecast_of({("web", "cpu"): np.full((50, 48), 4.0)}, interval="1D", findings=(failed,))
    plan = planned(forecast, plain(min_tasks=20, max_tasks=500), goal=BARE)
    assert [d.kind for d in plan.decisions] == ["fix_data"]


def test_nothing_is_taken_away_for_one_quiet_week() -> None:
    week, quarter = (cpu_forecast(np.full((50, days), 4.0), interval="1D") for days in (7, 91))
    service = plain(min_tasks=20, max_tasks=500)
    assert [d.kind for d in planned(week, service, goal=BARE).decisions] == []
    assert {d.kind for d in planned(quarter, service, goal=BARE).decisions} == {"lower_min", "lower_max"}


def with_memory(gib: float, **fields: object) -> Plan:
    """A service with 1 vCPU of load whose tasks together used `gib` GiB lately."""
    forecast = forecast_of({("web", "cpu"): [[1.0] * 24], ("web", "memory"): [[gib] * 24]}, past=gib)
    stated: dict[str, object] = {"min_tasks": 4, "max_tasks": 4, **fields}
    return planned(forecast, plain("web", **stated), goal=BARE)


def test_tasks_short_of_memory_are_to_be_made_larger() -> None:
    plan = with_memory(4 * 1.9)
    decision = decided(plan, "resize")
    assert decision is not None
    assert decision.sentence == "Give each task of `web` 3 GiB instead of 2 GiB."
    assert "at least 1.9 GiB" in decision.because
    assert decision.usd_per_month == pytest.approx(4 * 0.004445 * 730)
    assert any(f.check == "task size" and f.status == "REVIEW" for f in plan.findings)


def test_tasks_with_idle_memory_are_to_be_made_smaller() -> None:
    decision = decided(with_memory(4 * 1.0, task_memory_gib=8), "resize")
    assert decision is not None
    assert decision.sentence == "Give each task of `web` 2 GiB instead of 8 GiB."
    assert decision.usd_per_month == pytest.approx(-4 * 6 * 0.004445 * 730)


def test_memory_of_tasks_whose_number_is_not_known_is_unknown() -> None:
    plan = with_memory(4 * 1.0, min_tasks=1, max_tasks=8, launch_type="EC2")
    assert decided(plan, "resize") is None
    assert [f.status for f in plan.findings if f.check == "task size"] == ["UNKNOWN"]
    stated = with_memory(4 * 1.0, min_tasks=1, max_tasks=8, launch_type="EC2", assumed_running_tasks=4)
    assert [f.status for f in stated.findings if f.check == "task size"] == []


def test_memory_of_one_task_is_known_where_it_was_counted_how_many_ran() -> None:
    forecast = forecast_of({("web", "cpu"): [[1.0] * 24], ("web", "memory"): [[7.6] * 24]}, past=7.6)
    past, service = forecast.past, plain("web", min_tasks=1, max_tasks=8, launch_type="EC2")
    ran = np.full(len(past.times), np.nan)
    ran[: len(ran) // 2] = 4  # half of the intervals are enough
    ran[0] = 3.999
    known = memory_per_task(service, replace(past, tasks={"web": ran}), "web")
    assert known == MemoryPerTask(7.6 / 3.999, 7.6 / 3.999)
    plan = planned(replace(forecast, past=replace(past, tasks={"web": ran})), service, goal=BARE)
    assert [f.status for f in plan.findings if f.check == "task size"] == ["REVIEW"]
    ran[1:] = np.nan  # one count speaks for itself alone: the least is known, the most is not
    bounds = memory_per_task(service, replace(past, tasks={"web": ran}), "web")
    assert bounds == MemoryPerTask(7.6 / 3.999, 7.6)
    ran[:] = 0  # nobody ran, and yet memory was used: counts that cannot be are no counts
    assert memory_per_task(service, replace(past, tasks={"web": ran}), "web") == MemoryPerTask(7.6 / 8, 7.6)


def test_services_of_unknown_memory_are_said_in_one_finding() -> None:
    series = {(name, metric): [[1.0]] for name in "ab" for metric in ("cpu", "memory")}
    fields: dict[str, object] = {"min_tasks": 1, "max_tasks": 8, "launch_type": "EC2"}
    plan = planned(forecast_of(series, past=5.0), [plain("a", **fields), plain("b", **fields)], goal=BARE)
    (finding,) = [f for f in plan.findings if f.check == "task size"]
    assert (finding.service, finding.status) == ("", "UNKNOWN")
    assert finding.message.endswith(": a, b.")


def test_the_processor_in_use_bounds_how_few_tasks_ran() -> None:
    idle = forecast_of({("web", "cpu"): [[1.0]], ("web", "memory"): [[1.0]]}, past=6.0)
    plan = planned(idle, plain(min_tasks=1, max_tasks=8), goal=BARE)  # 6 GiB and 6 vCPU: 6 to 8 tasks of 1 vCPU ran
    assert [f.check for f in plan.findings if f.check == "task size"] == []
    assert [d.kind for d in plan.decisions if d.kind == "resize"] == []


def test_memory_that_was_never_measured_is_not_judged() -> None:
    forecast = forecast_of({("web", "cpu"): [[1.0]], ("web", "memory"): [[1.0]]}, past=np.nan)
    plan = planned(forecast, plain(min_tasks=1, max_tasks=8), goal=BARE)
    assert [f.check for f in plan.findings if f.check == "task size"] == []


def test_the_most_urgent_comes_first() -> None:
    paths = {name: rising(1.0) if name != "later" else rising(1.0) - 9 for name in ("later", "sooner", "vital")}
    forecast: Forecast = forecast_of({(name, "cpu"): path for name, path in paths.items()}, interval="1D")
    services = [plain(name, max_tasks=40, min_tasks=20) for name in ("later", "sooner")]
    services.append(plain("vital", max_tasks=40, min_tasks=20, tier="critical"))
    plan = planned(forecast, services, goal=BARE)
    dated = [d for d in plan.decisions if d.kind == "raise_max"]
    assert [d.service for d in dated] == ["vital", "sooner", "later"]
    for first, second in pairwise(dated):
        assert first.before is not None and second.before is not None and first.before <= second.before


def test_a_service_named_in_code_stays_as_it_is_in_a_sentence() -> None:
    name = "=cmd()|'<b>\"`"
    plan = planned(cpu_forecast(np.full((10, 5), 50.0), name), plain(name, max_tasks=40), goal=BARE)
    assert plan.decisions[0].sentence.startswith(f"Raise `{name}` max")


def test_without_a_price_a_decision_names_no_money() -> None:
    plan = planned(
        cpu_forecast(np.full((50, 48), 4.0), interval="1D"),
        plain(min_tasks=20, max_tasks=22, region="mars-1"),
        goal=BARE,
    )
    decision = decided(plan, "lower_min")
    assert decision is not None
    assert decision.usd_per_month is None
    assert "USD" not in decision.sentence + decision.because and "nan" not in decision.sentence + decision.because


def test_a_price_of_zero_is_a_price() -> None:
    free = PriceSettings(rate=(Rate(region="us-east-1", vcpu=0, memory_gb=0, storage_gb=0),))
    service: Service = plain(min_tasks=20, max_tasks=22)
    decision = decided(
        planned(cpu_forecast(np.full((50, 48), 4.0), interval="1D"), service, goal=BARE, prices=free), "lower_min"
    )
    assert decision is not None
    assert decision.usd_per_month == 0


@given(count=st.floats(0.1, 5000))
def test_a_sensible_count_is_enough_and_at_most_a_tenth_more(count: float) -> None:
    chosen = sensible(count)
    assert count <= chosen <= np.ceil(count) * 1.1


@given(probability=st.floats(0, 1))
def test_a_chance_is_never_said_to_be_zero_or_one(probability: float) -> None:
    said = percent(probability)
    assert said not in ("0 %", "100 %")
    if said[0] not in "<>":
        assert -1e-9 <= probability * 100 - int(said.split()[0]) < 1.001  # 0.57 x 100 is a little less than 57


@given(day=st.datetimes(min_value=pd.Timestamp("2020-01-01"), max_value=pd.Timestamp("2040-01-01")))
def test_a_spoken_date_can_be_read_back(day: pd.Timestamp) -> None:
    assert pd.Timestamp(spoken_date(pd.Timestamp(day, tz="UTC"))).date() == day.date()
