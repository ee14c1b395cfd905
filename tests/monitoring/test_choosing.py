"""Which alarms a service gets: from its promises, plan and policy, and nothing from a rule of thumb."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity
from capacity.config import Account, Goal, Service
from capacity.config.slo import Slo
from capacity.errors import InputError
from capacity.monitoring import Alarm, Alarms, alarms
from capacity.monitoring.breaches import breaches
from capacity.monitoring.choosing.breach import highest_but_one
from capacity.monitoring.conditions import All, AnyOf, BurnRate, Condition, OutsideProfile, Threshold, Trend
from capacity.monitoring.minutes import Minutes
from capacity.monitoring.naming import LONGEST_NAME, named, page
from capacity.planning import Plan, plan
from capacity.scaling import Policy, ServicePolicy, TargetTracking
from capacity.schema import ALARMS
from tests.makers import daily_wave, hourly, make_demand, make_forecast

PROMISED = (Slo(objective=0.999), Slo(kind="latency", objective=0.99, latency_seconds=0.25))


def service(name: str = "web", **changes: Any) -> Service:
    fields: dict[str, Any] = {"requests_per_second_per_task": 50, "max_tasks": 12, "slo": PROMISED, "target_value": 60}
    return Service(name=name, **(fields | changes))


def plan_of(*services: Service, steps: int = 24 * 28, mean: float = 300.0) -> Plan:
    times = hourly(14)
    series = {}
    for one in services:
        if one.requests_per_second_per_task is not None:
            series[one.name, "requests"] = daily_wave(times, mean)
        series[one.name, "cpu"] = daily_wave(times, mean / 100)
    forecast = make_forecast(make_demand(series, times), steps, paths=40)
    accounts = [Account(region="us-east-1", fargate_vcpu_quota=20)]
    return plan(forecast, services, goal=Goal(horizon=f"{steps}h"), accounts=accounts)


@cache
def planned() -> Plan:
    return plan_of(service())


@cache
def chosen() -> Alarms:
    return alarms(planned())


def of_kind(found: Alarms, kind: str, severity: str | None = None) -> list[Alarm]:
    return [one for one in found if one.kind == kind and severity in (None, one.severity)]


def parts(condition: Condition) -> list[Condition]:
    if isinstance(condition, All | AnyOf):
        return [deep for part in condition.parts for deep in parts(part)]
    return [condition]


def test_what_wakes_someone_is_little_and_every_kind_is_there() -> None:
    found = chosen()
    assert [one.name for one in found.pages] == [
        "capacity-web-burn_fast-availability",
        "capacity-web-burn_fast-latency",
        "capacity-web-pinned-short",
        "capacity-web-leak",
    ]
    assert {one.kind for one in found} == {
        *("burn_fast", "burn_slow", "saturation", "pinned", "leak", "forecast_breach", "silence", "anomaly", "quota")
    }
    assert len({one.runbook for one in found}) == len(found)


def test_burn_rates_of_thirty_days_are_those_of_the_workbook() -> None:
    fast, slow = of_kind(chosen(), "burn_fast")[0], of_kind(chosen(), "burn_slow")[0]
    rates = [part for one in (fast, slow) for part in parts(one.condition) if isinstance(part, BurnRate)]
    assert [(rate.factor, rate.long_minutes, rate.short_minutes) for rate in rates] == [
        (14.4, 60, 5),
        (6.0, 360, 30),
        (3.0, 1440, 120),
        (1.0, 4320, 360),
    ]


@settings(max_examples=25, deadline=None)
@given(days=st.integers(1, 90), objective=st.sampled_from([0.9, 0.95, 0.99, 0.999, 0.9999]))
def test_a_page_costs_at_most_its_share_of_any_budget_and_can_go_off(days: int, objective: float) -> None:
    promising = replace(planned(), services=(service(slo=(Slo(objective=objective, window_days=days),)),))
    for rate in parts(of_kind(alarms(promising), "burn_fast")[0].condition):
        assert isinstance(rate, BurnRate)
        assert rate.factor * (1 - objective) < 1  # all requests failing sets it off
        assert rate.factor >= 1 or rate.factor * (1 - objective) == pytest.approx(0.8)
        spent = rate.factor * rate.long_minutes / (days * 1440)
        assert spent == pytest.approx({60: 0.02, 360: 0.05}[rate.long_minutes]) or rate.factor in (
            1.0,
            pytest.approx(0.8 / (1 - objective)),
        )


def test_a_single_failed_request_at_night_is_no_page() -> None:
    few = service(slo=(Slo(objective=0.999),))
    night = alarms(plan_of(few, mean=0.2))
    condition = of_kind(night, "burn_fast")[0].condition
    minutes = 180
    requests, errors = np.full(minutes, 3 / 60), np.zeros(minutes)
    errors[100] = 1 / 60
    times = pd.date_range("2026-03-02", periods=minutes, freq="min", tz="UTC")
    assert not breaches(condition, Minutes.of(few, times, {"requests": requests, "errors": errors})).any()
    errors[100:] = 3 / 60  # but all of them failing is one
    assert breaches(condition, Minutes.of(few, times, {"requests": requests, "errors": errors})).any()


def test_the_lead_it_speaks_of_is_there_for_load_that_rises_as_steeply_as_planned() -> None:
    """At the maximum, with load rising as in the steepest planned hour, tasks are full no sooner than was said."""
    found = chosen()
    page = found["capacity-web-pinned-short"]
    (left,) = re.findall(r"leaves (\d+) minutes; a surge leaves none", page.because)
    assert page.lead_minutes is None  # and so it is not promised
    made = planned()
    load = made.forecast.quantile(0.95)
    peak = {metric: float(load["web", metric].max()) for metric in ("requests", "cpu")}
    steepest = max(float(load["web", m].diff().max()) / peak[m] for m in peak)  # of the peak, in an hour
    minutes = 240
    used = np.linspace(60, 60 + steepest * minutes / 60 * 70, minutes)  # percent; 70.6 is full
    times = pd.date_range("2026-03-02", periods=minutes, freq="min", tz="UTC")
    seen = Minutes.of(service(), times, {"cpu_utilization": used, "running_tasks": np.full(minutes, 12.0)})
    off = int(np.argmax(breaches(page.condition, seen)))
    full = int(np.argmax(used >= 100 * 0.6 / 0.85))
    assert off > 0
    assert full - off >= int(left) > 0


def test_a_busy_day_at_the_target_sets_no_capacity_alarm_off() -> None:
    found = chosen()
    size = 3 * 1440
    rng = np.random.default_rng(3)
    load = 60 * rng.lognormal(0, 0.03, size)
    times = pd.date_range("2026-03-02", periods=size, freq="min", tz="UTC")
    seen = Minutes.of(
        service(),
        times,
        {"cpu_utilization": load, "running_tasks": np.full(size, 9.0), "memory_utilization": np.full(size, 50.0)},
    )
    for alarm in found:
        if alarm.kind in ("saturation", "pinned", "leak"):
            assert not breaches(alarm.condition, seen).any(), alarm.name


def test_a_leak_pages_hours_before_memory_is_full_and_a_release_does_not() -> None:
    found = chosen()
    size = 2 * 1440
    times = pd.date_range("2026-03-02", periods=size, freq="min", tz="UTC")
    noise = np.random.default_rng(5).normal(0, 0.5, size)
    climbing = 70 + np.clip(np.arange(size) - 600, 0, None) / 480 * 25  # from 70 to 95 % within eight hours
    stepping = np.where(np.arange(size) < 600, 70.0, 88.0)
    page = found["capacity-web-leak"]
    off = breaches(page.condition, Minutes.of(service(), times, {"memory_utilization": climbing + noise}))
    assert page.lead_minutes == 60
    assert 600 < np.argmax(off) <= 600 + 480 - page.lead_minutes
    assert not breaches(page.condition, Minutes.of(service(), times, {"memory_utilization": stepping + noise})).any()


def test_a_service_that_promises_nothing_is_told_and_gets_the_rest() -> None:
    found = alarms(plan_of(service(slo=())))
    assert not of_kind(found, "burn_fast")
    assert [one.check for one in found.findings] == ["slo"]
    assert "[[service.slo]]" in found.findings.items[0].advice
    assert [one.name for one in found.pages] == [
        "capacity-web-pinned-short",
        "capacity-web-saturation",  # slow answers cannot page by themselves
        "capacity-web-leak",
    ]


def test_a_promise_about_what_nothing_measures_is_told() -> None:
    times = pd.date_range("2026-03-02", periods=2 * 1440, freq="min", tz="UTC")
    row = {"service": "web", "metric": "cpu_utilization", "interval": 60, "timestamp": times, "value": 50.0}
    found = alarms(planned(), history=capacity.read(pd.DataFrame(row)))
    said = [one.message for one in found.findings if one.check == "slo"]
    assert [re.findall(r"holds no (.*): if", one) for one in said] == [["requests"], ["latency (p95)"]]


def test_a_batch_service_wakes_no_one_for_latency_or_load() -> None:
    batch = service("worker", tier="batch", requests_per_second_per_task=None)
    assert [one.name for one in alarms(plan_of(batch)).pages] == ["capacity-worker-burn_fast-availability"]


def test_silence_of_a_critical_service_is_a_page_and_of_one_that_may_be_off_nothing() -> None:
    assert of_kind(alarms(plan_of(service(tier="critical"))), "silence", "page")
    off = alarms(plan_of(service(min_tasks=0)))
    assert not of_kind(off, "silence")
    assert "silence" in [one.check for one in off.findings]


def test_with_a_policy_its_maximum_and_target_are_watched_and_that_is_said() -> None:
    one = service()
    policy = Policy((ServicePolicy(one, 2, 40, TargetTracking("cpu", target=50)),))
    found = alarms(plan_of(one), policy=policy)
    pinned = found["capacity-web-pinned"].condition
    assert isinstance(pinned, Threshold)
    assert pinned.value == 40
    assert "50 % CPU" in found["capacity-web-pinned-short"].because
    assert [one.check for one in found.findings] == ["maximum"]


def test_a_fixed_number_of_tasks_stands_at_its_maximum_and_no_ticket_says_so() -> None:
    found = alarms(plan_of(service(min_tasks=1, max_tasks=1)))
    assert [one.name for one in found if one.kind in ("pinned", "saturation")] == ["capacity-web-pinned-short"]
    several = alarms(plan_of(service(min_tasks=4, max_tasks=4)))  # of which one may be missing
    assert "capacity-web-pinned" not in [one.name for one in several]
    assert of_kind(several, "saturation")
    assert "the only task that may run is nearly full" in found["capacity-web-pinned-short"].summary


def test_a_plan_of_two_days_says_which_hours_it_cannot_be_held_against() -> None:
    found = alarms(plan_of(service(), steps=48))
    (said,) = [one for one in found.findings if one.check == "forecast_breach"]
    assert "48 of the week's 168 hours" in said.message


def test_windows_of_a_burn_rate_are_no_longer_than_the_promise_and_its_words_are_about_these() -> None:
    daily = Slo(kind="latency", objective=0.9, latency_seconds=0.5, window_days=1)
    found = alarms(replace(planned(), services=(service(slo=(daily,)),)))
    assert [rate.long_minutes for rate in parts(found["capacity-web-burn_slow"].condition)] == [1440]  # type: ignore[union-attr]
    assert "(spends 4.2 % in 1 h or 25 % in 6 h;" in found["capacity-web-burn_fast"].because
    assert "over 1 day." in found["capacity-web-burn_fast"].because


def test_noise_of_minutes_is_no_rise_of_an_hour() -> None:
    """The same day, told by quarters of an hour with noise: the steepest hour stays a fifth of the peak or less."""
    times = pd.date_range("2026-03-02", periods=14 * 96, freq="15min", tz="UTC")
    noisy = daily_wave(times, 300.0) * np.random.default_rng(2).lognormal(0, 0.05, len(times))
    made = plan(make_forecast(make_demand({("web", "cpu"): noisy / 100}, times), 7 * 96, paths=20), service())
    (found,) = re.findall(r"steepest hour \((\d+) % of the peak\)", alarms(made)["capacity-web-pinned-short"].because)
    assert int(found) <= 25


def test_each_alarm_says_how_early_it_comes() -> None:
    for one in chosen():
        early = one.lead_minutes is not None
        assert early == (one.kind == "leak")
        assert one.warns.startswith(f"at least {one.lead_minutes:.0f} minutes before" if early else "of ")


def test_the_quota_is_the_accounts_and_a_region_without_one_is_told() -> None:
    found = chosen()
    (quota,) = of_kind(found, "quota")
    assert (quota.service, quota.severity, quota.region) == ("", "ticket", "us-east-1")
    assert "16 of 20 vCPU" in quota.because
    elsewhere = alarms(plan_of(service(region="eu-west-1")))
    assert "The quota of Fargate vCPU in eu-west-1 is not stated" in str(elsewhere.findings.items[0])


def test_demand_is_beyond_the_plan_above_all_weeks_but_the_highest() -> None:
    breach = chosen()["capacity-web-forecast_breach-requests"].condition
    assert isinstance(breach, OutsideProfile)
    load = planned().forecast.quantile(0.95)["web", "requests"]
    by_hour = load.groupby([load.index.day_of_week, load.index.hour])
    second = by_hour.apply(lambda values: sorted(values)[-2])
    assert breach.profile == pytest.approx(second.to_numpy(), rel=1e-5)
    assert breach.of >= 3  # breach_hours


def test_a_plan_that_is_right_is_left_at_most_once_a_month() -> None:
    found = chosen()
    made = planned()
    for metric in ("requests", "cpu"):
        breach = found[f"capacity-web-forecast_breach-{metric}"].condition
        assert isinstance(breach, OutsideProfile)
        row = [key.metric for key in made.forecast.keys].index(metric)
        went_off = 0
        for path in made.forecast.paths[row]:
            run = 0
            for place, value in enumerate(path):
                hour = made.forecast.times[place]
                run = run + 1 if value > breach.profile[hour.day_of_week * 24 + hour.hour] else 0
                went_off += run == breach.of
        assert went_off / len(made.forecast.paths[row]) / 28 * 30 <= 1


@given(weeks=st.integers(1, 5), step=st.sampled_from([15, 60, 180, 1440]))
@settings(max_examples=20)
def test_a_profile_of_any_interval_has_every_hour_that_the_horizon_reaches(weeks: int, step: int) -> None:
    interval = pd.Timedelta(minutes=step)
    times = pd.date_range("2026-08-03", periods=weeks * 7 * 1440 // step, freq=interval, tz="UTC")
    profile = highest_but_one(np.ones(len(times)), times, interval)
    assert profile == (1.0,) * 168
    short = highest_but_one(np.ones(max(1, 1440 // step)), times[: max(1, 1440 // step)], interval)
    assert np.isfinite(short[:24]).all()
    assert np.isnan(short[24:]).all()


@given(st.text(min_size=1, max_size=255), st.text(min_size=1, max_size=255))
def test_names_are_plain_fit_and_stay_apart(one: str, other: str) -> None:
    slo = f"burn_fast-{other[:80]}"
    for found in (named("p" * 40, one, slo), page(one, slo)):
        assert len(found) <= LONGEST_NAME
        assert set(found) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    if one != other:
        assert page(one, "leak") != page(other, "leak")
        assert named("capacity", one, "leak") != named("capacity", other, "leak")


def test_two_alarms_of_one_name_are_refused_before_one_overwrites_the_other() -> None:
    web = service("web", slo=(Slo(name="a"), Slo(name="burn_fast-x")))
    alike = service("web-burn_fast", slo=(Slo(name="b"), Slo(name="x")))
    with pytest.raises(InputError, match="two alarms are called 'capacity-web-burn_fast-burn_fast-x'"):
        alarms(plan_of(web, alike, steps=48))


def test_the_table_has_its_columns_and_shows_itself() -> None:
    found = chosen()
    frame = found.frame
    assert dict(frame.dtypes.astype(str)) == ALARMS.types
    assert list(frame["name"]) == [one.name for one in found]
    assert frame["fired"].isna().all()  # nothing was replayed
    assert found.replayed.empty
    assert str(found).startswith("Alarms: 1 service, 4 pages and ")
    assert "capacity-web-burn_fast" in found._repr_html_()
    with pytest.raises(InputError, match="no alarm was tried on history"):
        found.plot()


def test_one_services_alarms_can_be_taken_out() -> None:
    both = alarms(plan_of(service(), service("api")))
    mine = both.of("api")
    assert {one.service for one in mine} == {"api"}
    assert [one.name for one in mine.services] == ["api"]
    assert [one.kind for one in both.of("")] == ["quota"]
    with pytest.raises(InputError, match="There are: web, api"):
        both.of("wbe")
    with pytest.raises(KeyError):
        both["capacity-nothing"]


def test_hostile_names_stay_text() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    found = alarms(plan_of(service(hostile)))
    assert "<img" not in found._repr_html_()
    assert all("/" not in name and "<" not in name for one in found for name in (one.runbook, one.name))
    assert {one.service for one in found} == {hostile, ""}  # what it is called stays


def test_the_public_function_is_the_rooms() -> None:
    assert capacity.alarms is alarms
    assert replace(chosen(), alarms=()).pages == ()
    assert not [part for part in parts(chosen()["capacity-web-burn_fast-latency"].condition) if isinstance(part, Trend)]
