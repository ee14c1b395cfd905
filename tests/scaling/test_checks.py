"""Every rule finds its fault, says what to do, and leaves a sound policy alone."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from capacity.config import Account
from capacity.errors import InputError
from capacity.scaling import (
    PredictiveScaling,
    ScheduledAction,
    ServicePolicy,
    Step,
    StepScaling,
    TargetTracking,
    check_policy,
)
from tests.makers import make_demand
from tests.scaling.policies import fleet, scheduled, tracking, web


def named(name: str) -> ServicePolicy:
    return replace(scheduled(web(name=name)), tracking=TargetTracking("cpu", 60))


def ladder(*bounds: tuple[float, float | None], **changes: Any) -> ServicePolicy:
    """Steps of 10, 20, ... percent from 80 % CPU on, beside a target of 60 %."""
    rungs = tuple(Step(lower, upper, 10 * n) for n, (lower, upper) in enumerate(bounds, start=1))
    fields: dict[str, Any] = {"metric": "cpu", "threshold": 80.0, "steps": rungs}
    return replace(named("web"), steps=StepScaling(**(fields | changes)))


def foreseen(one: ServicePolicy | None = None, **changes: Any) -> ServicePolicy:
    fields: dict[str, Any] = {"metric": "cpu", "target": 60.0, "mode": "ForecastAndScale"}
    unscheduled = replace(named("web"), schedule=())
    return replace(unscheduled if one is None else one, predictive=PredictiveScaling(**(fields | changes)))


def broken(**changes: Any) -> ServicePolicy:
    first, *others = scheduled().schedule
    return replace(scheduled(), schedule=(replace(first, **changes), *others))


@pytest.mark.parametrize(
    ("policy", "status", "words"),
    [
        (tracking(tracking=TargetTracking("cpu", 120.0)), "FAIL", "above 100 %"),
        (tracking(tracking=TargetTracking("cpu", 0.0)), "FAIL", "not a positive number"),
        (tracking(tracking=TargetTracking("cpu", float("inf"))), "FAIL", "not a positive number"),
        (tracking(tracking=TargetTracking("rps", 60.0)), "FAIL", "'rps' cannot be tracked"),  # type: ignore[arg-type]
        (broken(start=pd.Timestamp("2026-01-01")), "FAIL", "without a time zone"),
        (tracking(tracking=TargetTracking("requests", 2400.0, -1)), "FAIL", "cooldown is negative"),
        (tracking(web(alb_resource_label="app/x")), "FAIL", "targetgroup"),
        (tracking(web(alb_resource_label="")), "REVIEW", "not at which target group"),
        (tracking(min_tasks=0), "REVIEW", "no datapoint"),
        (tracking(max_tasks=5001), "FAIL", "5,001"),
        (named("a b"), "REVIEW", "cannot be the name of an ECS service"),
        (broken(schedule="cron(55 7 * * MON-FRI *)"), "FAIL", "exactly one of"),
        (broken(schedule="cron(30 2 ? * * *)", end=None), "REVIEW", "clocks in Europe/Paris skip or repeat"),
        (tracking(tracking=TargetTracking("requests", 2400, resolution=20)), "FAIL", "no metric of 20 seconds"),
        (tracking(tracking=TargetTracking("cpu", 60, resolution=20)), "REVIEW", "publish metrics every 20 seconds"),
        (tracking(tracking=TargetTracking("cpu", 60, disable_scale_in=True)), "REVIEW", "never taken away"),
        (ladder(), "FAIL", "0 steps"),
        (ladder(*((n, n + 1) for n in range(20)), (20, None)), "FAIL", "21 steps"),
        (ladder((0, 10), (10, 20)), "FAIL", "the highest step has an upper end"),
        (ladder((0, None), (10, None)), "FAIL", "has no upper end"),
        (ladder((0, 10), (12, None)), "FAIL", "have a gap"),
        (ladder((0, 10), (8, None)), "FAIL", "have an overlap"),
        (ladder((0, 0), (0, None)), "FAIL", "ends at or below where it begins"),
        (ladder((-5, 5), (5, None)), "FAIL", "begins at -5"),
        (ladder((5, None)), "FAIL", "begins at +5"),
        (ladder((0, float("nan"))), "FAIL", "not a number"),
        (ladder(steps=(Step(0, None, -10),)), "FAIL", "adds nothing"),
        (ladder((0, None), cooldown=-1), "FAIL", "cooldown below 0"),
        (ladder((0, None), minutes=0), "FAIL", "over 0 minutes"),
        (ladder(steps=(Step(0, 10, 30), Step(10, None, 20))), "REVIEW", "adds less"),
        (ladder((0, None), threshold=60.0), "REVIEW", "at or below the target 60"),
        (ladder((0, None), threshold=100.0), "REVIEW", "not reached"),
        (foreseen(target=0), "FAIL", "out of range"),
        (foreseen(buffer=3601), "FAIL", "3601 s ahead"),
        (foreseen(over=101), "FAIL", "101 % over"),
        (foreseen(target=70.0), "REVIEW", "target tracking at 60"),
        (foreseen(named("web")), "REVIEW", "both raise the minimum"),
        (
            foreseen(tracking(tracking=TargetTracking("cpu", 60, disable_scale_in=True))),
            "REVIEW",
            "target tracking takes none away",
        ),
        (broken(timezone="Mars/Olympus"), "FAIL", "not an IANA zone"),
        (broken(name="a:b"), "FAIL", "name of a scheduled action"),
        (broken(name=" a"), "FAIL", "name of a scheduled action"),
        (broken(name="capacity-web-down"), "FAIL", "only one would stay"),
        (broken(min_tasks=41), "FAIL", "minimum 41 is above maximum 40"),
        (broken(start=pd.Timestamp("2028-01-01", tz="UTC")), "FAIL", "ends before it starts"),
        (broken(schedule="cron(58 17 ? * MON-FRI *)"), "REVIEW", "within five minutes"),
        (replace(scheduled(), schedule=scheduled().schedule[:1]), "REVIEW", "never another"),
        (replace(scheduled(), schedule=scheduled().schedule[:2]), "REVIEW", "no later action puts the bounds back"),
        (replace(scheduled(), schedule=scheduled().schedule[:1] * 201), "FAIL", "201 scheduled actions"),
    ],
)
def test_every_rule_finds_its_fault(policy: ServicePolicy, status: str, words: str) -> None:
    found = [finding for finding in check_policy(policy) if words in finding.message]
    assert [finding.status for finding in found][:1] == [status]


def test_a_sound_policy_has_no_findings() -> None:
    assert len(check_policy(fleet(scheduled(), named("api")))) == 0


def test_parts_that_go_together_have_no_findings() -> None:
    sound = [
        ladder((0, 10), (10, None)),
        ladder((0, None), metric="memory", threshold=50.0),  # another metric may be lower than the tracked target
        foreseen(),
        foreseen(named("web"), mode="ForecastOnly"),
        broken(schedule="cron(55 3 ? * MON-FRI *)"),
        broken(schedule="cron(30 2 ? * MON-FRI *)", timezone="Asia/Tokyo"),  # no clock is moved there
    ]
    assert [str(finding) for one in sound for finding in check_policy(one)] == []


def test_a_time_that_clocks_skip_is_fine_in_a_schedule_that_ends_before_they_do() -> None:
    january = pd.Timestamp("2027-01-31", tz="UTC")
    one = broken(schedule="cron(30 2 ? * * *)", end=january)
    assert not [finding for finding in check_policy(one) if "skip or repeat" in finding.message]
    spring = broken(schedule="cron(30 2 ? * * *)", end=pd.Timestamp("2027-04-10", tz="UTC"))
    assert [finding.status for finding in check_policy(spring) if "skip or repeat" in finding.message] == ["REVIEW"]


def test_the_setting_that_metrics_of_20_seconds_need_is_a_command_to_paste() -> None:
    one = tracking(web(cluster="a'b"), tracking=TargetTracking("cpu", 60, resolution=20))
    (finding,) = [finding for finding in check_policy(one) if finding.check == "resolution"]
    words = shlex.split(finding.advice.removeprefix("First: "))
    assert words[:5] == ["aws", "ecs", "update-service", "--cluster", "a'b"]


def test_an_alarm_whose_name_does_not_fit_is_refused() -> None:
    long = replace(ladder((0, None)), service=web(name="s" * 200, cluster="c" * 60))
    assert [finding.check for finding in check_policy(long) if finding.status == "FAIL"] == ["name"]


def test_minimums_have_to_fit_the_quota_of_their_own_region_alone_and_together() -> None:
    def said(quota: float | None, region: str = "us-east-1") -> list[str]:
        account = Account(region=region, fargate_vcpu_quota=quota)
        return [finding.message for finding in check_policy(fleet(named("a"), named("b")), accounts=[account])]

    assert said(24) == said(None) == said(1, region="eu-west-1") == []
    (together,) = said(23)  # twelve tasks of one vCPU each, twice, from 7:55 in Paris on
    assert "Monday 15 February 2027 06:55 UTC the minimums of 2 services need 24 vCPU together" in together
    assert len(said(11)) == 2
    assert all("needs 12 vCPU" in message for message in said(11))


@pytest.mark.parametrize("dates", [{"start": "2026-12-01"}, {"end": "2026-02-23"}, {"start": "2026-01-05"}, {}])
def test_minimums_of_a_schedule_with_dates_are_held_against_the_quota_in_its_own_weeks(dates: dict[str, str]) -> None:
    moments = {name: pd.Timestamp(day, tz="UTC") for name, day in dates.items()}

    def dated(one: ServicePolicy) -> ServicePolicy:
        up, down, _ = one.schedule
        return replace(one, schedule=tuple(replace(action, **{"end": None, **moments}) for action in (up, down)))

    parts = fleet(dated(named("a")), dated(named("b")))
    (together,) = [f for f in check_policy(parts, accounts=[Account(fargate_vcpu_quota=23)]) if f.check == "quota"]
    assert "the minimums of 2 services need 24 vCPU together" in together.message


def test_quotas_are_not_asked_of_what_runs_elsewhere_than_on_fargate() -> None:
    one = named("a")
    there = replace(one, service=one.service.model_copy(update={"launch_type": "EC2"}))
    assert len(check_policy(there, accounts=[Account(fargate_vcpu_quota=1)])) == 0


@pytest.mark.parametrize(("load", "pinned"), [(40.0, True), (6 * 40.0, False), (float("nan"), False)])
def test_a_schedule_that_keeps_twice_what_is_needed_is_seen_in_the_past(load: float, pinned: bool) -> None:
    """40 requests/s are one task at the target; the schedule holds twelve on weekdays."""
    times = pd.date_range("2026-06-01", periods=28 * 24, freq="h", tz="UTC", unit="us")
    demand = make_demand({("web", "requests"): np.full(len(times), load)}, times)
    found = [finding for finding in check_policy(scheduled(), demand=demand) if "more than twice" in finding.message]
    assert [finding.status for finding in found] == ["REVIEW"] * pinned
    assert all(finding.message.startswith("in 100%") for finding in found)


def test_two_services_of_one_name_in_two_regions_are_two_services() -> None:
    here, there = named("web"), replace(named("web"), service=web(name="eu-west-1/prod/web", region="eu-west-1"))
    same = replace(named("web"), service=web(name="prod/web"))
    assert len(check_policy(fleet(here, there))) == 0
    assert [f.status for f in check_policy(fleet(here, same)) if "two policies" in f.message] == ["FAIL", "FAIL"]


def test_what_is_broken_is_refused_in_one_error_that_names_all_of_it() -> None:
    with pytest.raises(InputError, match=r"(?s)3601 s ahead.*have a gap"):
        fleet(replace(ladder((0, 10), (12, None)), predictive=foreseen(buffer=3601).predictive)).render("table")


def test_a_schedule_of_many_years_is_still_checked_in_time() -> None:
    often = ScheduledAction("often", "cron(0/5 * ? * * *)", 3, 40, "Europe/Paris")
    found = check_policy(replace(scheduled(), schedule=(often, *scheduled().schedule)))
    assert any("within five minutes" in finding.message for finding in found)
