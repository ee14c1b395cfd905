"""The judge of policies: it follows AWS's clocks, reads what we render, and its opponents are as strong as they are."""

from __future__ import annotations

import doctest
from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib import import_module
from math import ceil, nan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capacity
from benchmarks.policy import opponents, run, traces
from benchmarks.policy.calls import settings as settings_of
from benchmarks.policy.cron import firings
from benchmarks.policy.generated import STORIES
from benchmarks.policy.judge import InForce, Rules, in_force, judge
from benchmarks.policy.opponents import Point
from benchmarks.policy.score import score
from benchmarks.policy.traces import Trace
from benchmarks.policy.upsampling import finer, minutes_of
from capacity.scaling import cron as our_cron
from capacity.scaling.clocks import DOCUMENTED

MONDAY = pd.Timestamp("2026-03-02", tz="UTC")
SERVICE = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/default/x",
    "ScalableDimension": "ecs:service:DesiredCount",
}


def call(operation: str, **parameters: Any) -> dict[str, Any]:
    return {"client": "application-autoscaling", "operation": operation, "parameters": {**SERVICE, **parameters}}


def tracked(target: float, least: int = 2, most: int = 500, out: int = 300) -> list[dict[str, Any]]:
    """The calls of plain target tracking."""
    tracking = {
        "TargetValue": target,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"},
        "ScaleOutCooldown": out,
        "ScaleInCooldown": 300,
    }
    policy = {"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": tracking}
    return [
        call("register_scalable_target", MinCapacity=least, MaxCapacity=most),
        call("put_scaling_policy", PolicyName="p", **policy),
    ]


def scheduled(schedule: str, least: int, most: int, name: str = "a", **more: Any) -> dict[str, Any]:
    bounds = {"MinCapacity": least, "MaxCapacity": most}
    return call(
        "put_scheduled_action", ScheduledActionName=name, Schedule=schedule, ScalableTargetAction=bounds, **more
    )


def minutes(count: int) -> pd.DatetimeIndex:
    return pd.date_range(MONDAY, periods=count, freq="min", unit="us")


@pytest.mark.parametrize("name", ["cron", "upsampling", "score"])
def test_the_examples_of_the_judge_hold(name: str) -> None:
    tried = doctest.testmod(import_module(f"benchmarks.policy.{name}"), optionflags=doctest.ELLIPSIS)
    assert tried.attempted and not tried.failed


@pytest.mark.parametrize("delay", [1, 3])
def test_a_step_is_served_after_alarm_delay_and_start(delay: int) -> None:
    """3 minutes of alarm, the metric's delay, and 2 minutes in which a task starts (aws.md 3.2)."""
    load = np.repeat([400.0, 900.0], [30, 60])
    held = InForce.tracking(3000, 300, 300, np.full(90, 2), np.full(90, 500))
    running = judge(load, held, Rules(metric_delay=delay)).running
    assert running.tolist() == [8] * (30 + 3 + delay + 2) + [18] * (60 - 3 - delay - 2)


def test_scale_in_waits_for_fifteen_minutes_below_nine_tenths() -> None:
    load = np.repeat([900.0, 820.0, 400.0], [40, 40, 60])  # 900 -> 820 stays within the tenth
    running = judge(load, InForce.tracking(3000, 300, 300, np.full(140, 2), np.full(140, 500)), Rules()).running
    assert (running[:96] == 18).all()  # 15 datapoints, and one minute until the last can be read
    assert running[96] == 8


def plain(
    load: list[float], target: float, bounds: tuple[int, int], rules: Rules, cooldowns: tuple[int, int]
) -> list[tuple[int, int]]:
    """The same rules over a list of tasks, each with the minute from which it serves: slow and obvious."""
    least, most = bounds
    tasks = [0] * min(max(ceil(load[0] / 50), least), most)
    metric: list[float] = []
    rows: list[tuple[int, int]] = []
    desired, loud_until, quiet_until = len(tasks), 0, 0
    for now, arriving in enumerate(load):
        seen = metric[: max(0, now - rules.metric_delay)]
        serving = sum(since <= now for since in tasks)
        then = rows[len(seen) - 1][0] if seen else 0
        if len(seen) >= 3 and all(value > target for value in seen[-3:]):
            count = {"measured": then, "current": serving, "cooldown": then if now < loud_until else serving}
            wanted = min(ceil(count[rules.base] * seen[-1] / target - 1e-9), most)
            if wanted > desired:
                desired, loud_until, quiet_until = wanted, now + cooldowns[0], now
        elif len(seen) >= 15 and all(value < 0.9 * target for value in seen[-15:]) and now >= quiet_until:
            share = max(seen[-15:]) if rules.cautious else seen[-1]
            wanted = max(ceil((then if rules.base == "measured" else serving) * share / target - 1e-9), least)
            if wanted < desired:
                desired, quiet_until = wanted, now + cooldowns[1]
        tasks = sorted(tasks)[:desired]  # the youngest stop first
        tasks += [now + 2] * (desired - len(tasks))
        serving = sum(since <= now for since in tasks)
        rows.append((serving, len(tasks)))
        metric.append(60 * arriving / serving if arriving > 0 and serving > 0 else nan)
    return rows


@settings(deadline=None, max_examples=25)
@given(
    levels=st.lists(st.tuples(st.integers(1, 25), st.integers(0, 2000)), min_size=2, max_size=8),
    target=st.integers(1200, 3600),
    least=st.integers(0, 6),
    rules=st.builds(
        Rules,
        metric_delay=st.integers(0, 3),
        base=st.sampled_from(["measured", "current", "cooldown"]),
        cautious=st.booleans(),
    ),
)
def test_the_compiled_minutes_are_those_of_the_obvious_loop(
    levels: list[tuple[int, int]], target: int, least: int, rules: Rules
) -> None:
    load = [float(level) for lasts, level in levels for _ in range(lasts)]
    held = InForce.tracking(target, 180, 300, np.full(len(load), least), np.full(len(load), 60))
    verdict = judge(np.array(load), held, rules)
    rows = plain(load, target, (least, 60), rules, (3, 5))
    assert verdict.running.tolist() == [serving for serving, _ in rows]
    assert verdict.task_hours == pytest.approx(sum(paid for _, paid in rows) / 60)


def test_two_simulators_written_apart_agree() -> None:
    """`capacity.simulate`, and this judge under the same reading of what AWS leaves open."""
    rng = np.random.default_rng(4)
    times = minutes(3 * 1440)
    wave = (
        1500 * (1 + 0.7 * np.sin(np.arange(len(times)) / 230)) * np.repeat(rng.lognormal(0, 0.25, len(times) // 5), 5)
    )
    service = capacity.Service(name="x", requests_per_second_per_task=50, startup_seconds=120, max_tasks=200)
    policy = capacity.scaling.ServicePolicy(
        service, 4, 200, capacity.scaling.TargetTracking("requests", 2400, scale_out_cooldown=240)
    )
    simulated = capacity.simulate(policy, pd.Series(wave, index=times))
    rules = Rules(metric_delay=DOCUMENTED.metric_delay, base="cooldown", cautious=True)
    held = in_force(times, [(MONDAY, settings_of(capacity.Policy((policy,)).render("boto3")))])
    held.minimum[0] = np.ceil(wave[0] / 40)  # ours starts in balance at its target, not at a full task
    verdict = judge(wave, held, rules)
    assert (verdict.running == simulated.of("x")["running"].to_numpy()).mean() > 0.999
    spec = capacity.elasticity(verdict.need, verdict.running)
    assert (verdict.theta_u, verdict.theta_o) == pytest.approx((spec.theta_u, spec.theta_o))


@settings(deadline=None, max_examples=25)
@given(
    minute=st.integers(0, 59),
    hours=st.sets(st.integers(4, 23), min_size=1, max_size=3),
    days=st.sampled_from(["? * MON-FRI *", "? * 1,7 *", "* * ? *", "1-31/3 MAR,OCT ? 2026", "? * 6,SAT,1 2026"]),
    zone=st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata"]),
    start=st.sampled_from(["2026-03-24 05:17", "2026-10-21 23:59"]),
)
def test_two_readings_of_cron_written_apart_agree(
    minute: int, hours: set[int], days: str, zone: str, start: str
) -> None:
    schedule = f"cron({minute} {','.join(map(str, sorted(hours)))} {days})"
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
    end = begin + timedelta(days=9)
    theirs = our_cron.firings(schedule, zone, pd.Timestamp(begin), pd.Timestamp(end))
    assert [pd.Timestamp(at) for at in firings(schedule, zone, begin, end)] == list(theirs)


@pytest.mark.parametrize(
    "schedule",
    [
        "cron(0 8 * * * *)",
        "cron(0 8 ? * ? *)",
        "cron(0 8 ? * MON)",
        "cron(0 24 ? * MON *)",
        "cron(0 8 L * ? *)",
        "cron(0 8 ? * FRI-SUN *)",
        "rate(1 day)",
    ],
)
def test_a_schedule_that_aws_would_refuse_or_we_cannot_read_is_refused(schedule: str) -> None:
    with pytest.raises(ValueError, match=r"cron|day fields"):
        firings(schedule, "UTC", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC))


def test_an_hour_that_the_clock_skips_does_not_fire() -> None:
    begin = datetime(2026, 3, 28, tzinfo=UTC)
    found = firings("cron(30 2 ? * * *)", "Europe/Paris", begin, begin + timedelta(days=2))
    assert [f"{at:%d %H:%M}" for at in found] == ["28 01:30"]  # not on the 29th


def test_nothing_reverts_until_the_next_action_or_the_next_documents() -> None:
    first = [
        *tracked(3000),
        scheduled("cron(0 6 ? * MON *)", 40, 500, EndTime=MONDAY.to_pydatetime() + timedelta(hours=7)),
    ]
    then = tracked(2400, least=5)
    times = minutes(9 * 1440)
    held = in_force(times, [(MONDAY, settings_of(first)), (MONDAY + pd.Timedelta("8D"), settings_of(then))])
    assert (
        held.minimum.tolist() == [2] * 360 + [40] * (8 * 1440 - 360) + [5] * 1440
    )  # the second Monday is past its end
    assert held.fired == Counter({"2026-03-02": 1})
    assert (held.target[[0, -1]] == [3000, 2400]).all()


@pytest.mark.parametrize(
    ("calls", "word"),
    [
        ([call("delete_scaling_policy", PolicyName="p")], "delete_scaling_policy"),
        (tracked(3000)[1:], "before register"),
        ([*tracked(3000), {**tracked(3000)[1], "client": "ecs"}], "ecs"),
        ([*tracked(3000), call("put_scaling_policy", PolicyName="q", PolicyType="StepScaling", Alarms=[])], "Alarms"),
        ([call("register_scalable_target", MinCapacity=1, MaxCapacity=2, RoleARN="r")], "RoleARN"),
    ],
)
def test_what_the_judge_does_not_understand_is_refused(calls: list[dict[str, Any]], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        settings_of(calls)


def test_a_minimum_above_the_maximum_is_refused_when_it_fires() -> None:
    with pytest.raises(ValueError, match="above the maximum"):
        in_force(minutes(1440), [(MONDAY, settings_of([*tracked(3000), scheduled("at(2026-03-02T06:00:00)", 50, 40)]))])


def wave(days: int, level: float = 1500, seed: int = 0) -> pd.Series:
    times = pd.date_range(MONDAY, periods=288 * days, freq="5min", unit="us")
    noise = np.random.default_rng(seed).lognormal(0, 0.08, len(times))
    return pd.Series(level * (1 + 0.6 * np.sin(2 * np.pi * np.arange(len(times)) / 288)) * noise, index=times)


def test_tracking_judged_as_if_it_were_ours_is_on_its_own_front_and_sees_no_future() -> None:
    trace = Trace("test/wave", "tune", wave(20), measured=False)
    seen: list[pd.Series] = []

    def recommend(past: pd.Series) -> list[dict[str, Any]]:
        seen.append(past)
        return tracked(0.8 * 3000, most=2000)

    outcome = run.run(trace, recommend)
    assert [past.index[-1] for past in seen] == [trace.series.index[cut - 1] for cut in (2880, 2880 + 2016)]
    same = next(point for point in outcome.front if point.share == 0.8 and point.out_cooldown == 300)
    assert (outcome.point.task_hours, outcome.point.short_share) == (same.task_hours, same.short_share)
    compared = outcome.against_tracking
    assert compared.at_short >= 1 - 1e-9 and compared.at_hours_u >= 1 - 1e-9
    assert len(outcome.load) == 10 * 1440
    slower = run.run(trace, recommend, rules=Rules(metric_delay=3))
    assert slower.front != outcome.front and slower.point.short_share > outcome.point.short_share


def test_the_public_road_can_be_judged() -> None:
    calls = run.ours(wave(15))
    read = settings_of(calls)
    assert 2 <= read.minimum <= read.maximum <= 2000
    assert 0 < read.target <= 3000


@given(
    hours=st.lists(st.integers(100, 200), min_size=3, max_size=12, unique=True),
    shorts=st.lists(st.integers(0, 50), min_size=12, max_size=12),
    data=st.data(),
)
def test_no_point_of_a_front_beats_the_front(hours: list[int], shorts: list[int], data: st.DataObject) -> None:
    front = [Point(0.5, 60, float(h), u / 1000, u / 10, 1.0) for h, u in zip(hours, shorts, strict=False)]
    compared = score(data.draw(st.sampled_from(front)), front)
    assert compared.at_short >= 1 and compared.at_theta >= 1
    assert not compared.at_hours_u < 1 and not compared.at_hours_theta < 1
    assert not compared.wins and compared.reached


def test_the_crude_schedule_holds_the_same_hours_of_three_weeks_and_looks_only_back() -> None:
    need = np.arange(5 * opponents.WEEK_MINUTES) // 60 % 168 + 3.0  # the hour of the week, and three
    need[-opponents.WEEK_MINUTES :] += 100  # a last week unlike the others
    minimum = opponents.hourly_minimum(need, 3 * opponents.WEEK_MINUTES)
    assert (minimum[: 3 * opponents.WEEK_MINUTES] == opponents.LEAST).all()
    judged = slice(3 * opponents.WEEK_MINUTES, None)
    assert (minimum[judged] == np.tile(need[: opponents.WEEK_MINUTES], 2)).all()


@given(means=st.lists(st.integers(0, 10**6), min_size=2, max_size=30), times=st.sampled_from([6, 12]))
def test_made_finer_every_interval_keeps_its_mean(means: list[int], times: int) -> None:
    fine = finer(np.array(means), times)
    assert (fine >= 0).all()
    np.testing.assert_allclose(fine.reshape(-1, times).mean(axis=1), means, atol=1e-6 * max(1, *means))


def test_minutes_keep_what_was_measured() -> None:
    rates = wave(3).to_numpy()
    assert (minutes_of(rates, "step", 0).reshape(-1, 5) == rates[:, None]).all()
    for within in ("linear", "noisy"):
        assert minutes_of(rates, within, 0).mean() == pytest.approx(rates.mean(), rel=0.01)
    assert (minutes_of(rates, "noisy", 1) == minutes_of(rates, "noisy", 1)).all()


def test_no_series_is_on_both_sides_of_the_split_and_every_trace_can_be_judged() -> None:
    sides = {side: traces.traces(side) for side in ("tune", "report")}
    sources = {side: {one.name.split("@")[0] for one in found} for side, found in sides.items()}
    assert not sources["tune"] & sources["report"]
    names = [one.name for found in sides.values() for one in found]
    assert len(set(names)) == len(names)
    for one in [one for found in sides.values() for one in found]:
        assert np.isfinite(one.series).all() and (one.series >= 0).all() and one.series.index.freq == "5min"
        assert one.series.to_numpy().max() <= 50 * opponents.MOST
        assert len(one.series) - one.first >= 5 * 288


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_told_alike_from_its_seed(name: str) -> None:
    first, again, other = (STORIES[name](np.random.default_rng(seed)) for seed in (5, 5, 6))
    pd.testing.assert_series_equal(first, again)
    assert (first.to_numpy() != other.to_numpy()).mean() > 0.9


def test_the_tournament_ends_and_the_launch_stays() -> None:
    daily = STORIES["collapse"](np.random.default_rng(3)).resample("D").mean()
    assert daily.idxmax() > daily.index[40]
    assert daily.iloc[-7:].mean() < 0.2 * daily.max()
    launched = STORIES["launch"](np.random.default_rng(3)).resample("7D").mean()
    assert launched.iloc[-1] > 1.4 * launched.iloc[0]
