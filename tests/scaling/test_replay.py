"""The compiled replay does what the documented rules say."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.scaling import Clocks, ScheduledAction, ServicePolicy, TargetTracking, simulate
from capacity.scaling.replay import Replay, balanced
from tests.scaling.policies import minutes, scheduled, tracking, web
from tests.scaling.slow import SlowService, slow_replay


def loads(rng: np.random.Generator, size: int, scale: float) -> np.ndarray:
    """Steps and noise, some gaps, some silence: everything that makes alarms come and go."""
    level = np.repeat(rng.uniform(0, scale, size // 20 + 1), 20)[:size]
    load = level * np.exp(rng.choice([0.0, 0.05, 0.3]) * rng.standard_normal(size))
    load[rng.random(size) < rng.choice([0.0, 0.02])] = np.nan
    load[rng.random(size) < rng.choice([0.0, 0.05])] = 0.0
    return load


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    metric=st.sampled_from(["cpu", "requests"]),
    startup=st.integers(0, 400),
    out_cooldown=st.integers(0, 500),
    in_cooldown=st.integers(0, 900),
    delay=st.integers(0, 3),
    scale=st.sampled_from([5.0, 60.0, 4000.0]),
)
def test_the_fast_replay_agrees_with_the_slow_one_minute_for_minute(
    seed: int, metric: str, startup: int, out_cooldown: int, in_cooldown: int, delay: int, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    size = 300
    service = web(startup_seconds=startup, requests_per_second_per_task=1.5, task_vcpu=1, max_tasks=5000)
    target = 60.0 if metric == "cpu" else 72.0
    tracked = TargetTracking(metric, target, out_cooldown, in_cooldown)  # type: ignore[arg-type]
    policy = ServicePolicy(service, 1, 5000, tracked)
    load = loads(rng, size, scale)
    least = np.repeat(rng.integers(0, int(scale) // 2, 10), 30)
    most = least + np.repeat(rng.integers(0, 2 * int(scale), 10), 30)
    run = Replay.of(policy, minutes(load).index, load, Clocks(metric_delay=delay), limits=(least, most))

    at_target = 0.6 if metric == "cpu" else 1.2
    slow = SlowService(
        target=target,
        per_task=1.0 if metric == "cpu" else 100 / 60,  # requests per minute and task read 100 at 1.67 a second
        saturates=metric == "cpu",
        silent_when_idle=metric == "requests",
        out_cooldown=ceil(out_cooldown / 60),
        in_cooldown=ceil(in_cooldown / 60),
        startup=ceil(startup / 60),
        delay=delay,
    )
    expected = slow_replay(slow, load, least, most, balanced(load / at_target, least, most))
    assert np.array_equal(np.column_stack([run.desired, run.running, run.launched]), np.array(expected))


@pytest.mark.parametrize("delay", [1, 3])
def test_a_step_in_load_is_answered_after_three_minutes_and_those_to_hear_of_it(delay: int) -> None:
    load = minutes([100.0] * 60 + [400.0] * 60)
    rows = simulate(tracking(), load, clocks=Clocks(metric_delay=delay)).of("web")
    asked = 60 + 3 + delay
    assert (rows["desired"].iloc[:asked] == 3).all()
    assert rows["desired"].iloc[asked] == 10  # ceil(3 x (400 / 3) / 40)
    assert rows["running"].iloc[asked + 1] == 3
    assert rows["running"].iloc[asked + 2] == 10  # two minutes to start


def test_scaling_in_waits_for_fifteen_low_minutes_and_keeps_what_the_busiest_of_them_needed() -> None:
    load = [400.0] * 60 + [200.0] * 5 + [100.0] * 40
    rows = simulate(tracking(), minutes(load)).of("web")
    assert (rows["desired"].iloc[: 60 + 18] == 10).all()
    assert rows["desired"].iloc[60 + 18] == 5  # the busiest of the fifteen still had 200 requests/s
    assert rows["desired"].iloc[60 + 18 + 5] == 3  # after a cooldown of five minutes only 100 are left


def test_a_gap_moves_nothing() -> None:
    load = np.r_[np.full(60, 100.0), np.full(120, np.nan), np.full(60, 100.0)]
    result = simulate(tracking(), minutes(load))
    assert (result.frame["desired"] == 3).all()
    assert result.metrics["unknown_minutes"].item() == 120
    assert result.frame["demand"].isna().sum() == 120
    assert result.metrics["short_share"].item() == 0


def test_without_requests_there_is_no_datapoint_so_nothing_scales_in() -> None:
    quiet = minutes([400.0] * 60 + [0.0] * 120)
    assert simulate(tracking(), quiet).of("web")["desired"].iloc[-1] == 10
    cpu = ServicePolicy(web(), 2, 40, TargetTracking("cpu", 60))
    assert simulate(cpu, minutes([6.0] * 60 + [0.0] * 120)).of("web")["desired"].iloc[-1] == 2


def test_from_zero_tasks_nothing_scales_out_until_a_schedule_does() -> None:
    rows = simulate(tracking(min_tasks=0), minutes([0.0] * 30 + [400.0] * 240)).of("web")
    assert (rows["running"] == 0).all()
    assert rows["utilization"].isna().all()
    up = ScheduledAction("up", "cron(0 6 * * ? *)", 2, 40)
    down = ScheduledAction("down", "cron(0 20 * * ? *)", 0, 40)
    nightly = tracking(min_tasks=0, schedule=(up, down))
    rows = simulate(nightly, minutes([0.0] * 60 + [400.0] * 720)).of("web")
    assert rows["running"].loc[:"2026-06-01 06:01"].max() == 0
    assert rows["running"].loc["2026-06-01 06:02"] == 2
    assert rows["running"].iloc[-1] == 10


def test_a_saturated_service_hides_how_much_it_needs_and_grows_in_steps() -> None:
    cpu = ServicePolicy(web(startup_seconds=60), 2, 400, TargetTracking("cpu", 50))
    rows = simulate(cpu, minutes([1.0] * 30 + [100.0] * 60)).of("web")
    steps = rows["desired"].drop_duplicates().tolist()
    assert steps[0] == 2
    assert steps[-1] == 200
    assert all(after <= 2 * before for before, after in pairwise(steps))
    service = web(startup_seconds=60, max_tasks=400)
    requests = simulate(tracking(service), minutes([80.0] * 30 + [8000.0] * 60)).of("web")
    assert requests["desired"].drop_duplicates().tolist() == [2, 200]  # all that arrive are counted


def test_a_scheduled_action_moves_the_count_at_once_and_a_lowered_minimum_stops_nothing_by_itself() -> None:
    rows = simulate(scheduled(), minutes([200.0] * (24 * 60))).of("web")
    assert rows["desired"].loc["2026-06-01 05:54"] == 5
    assert rows["desired"].loc["2026-06-01 05:55"] == 12
    assert rows["running"].loc["2026-06-01 05:57"] == 12
    assert rows["minimum"].loc["2026-06-01 16:00"] == 2
    assert rows["desired"].loc["2026-06-01 16:00"] == 5  # AlarmLow had been waiting for the minimum to go


def test_a_lowered_maximum_stops_tasks_at_once() -> None:
    load = np.full(30, 400.0)
    limits = np.full(30, 2), np.repeat([40, 4], 15)
    run = Replay.of(tracking(), minutes(load).index, load, limits=limits)
    assert run.running.tolist() == [10] * 15 + [4] * 15


def test_fargate_launches_a_hundred_at_once_and_twenty_a_second_after() -> None:
    service = web(startup_seconds=60, max_tasks=5000)
    load = np.full(20, 100.0)
    limits = np.repeat([3, 2000], [5, 15]), np.full(20, 5000)
    run = Replay.of(tracking(service), minutes(load).index, load, limits=limits)
    assert run.running[5:10].tolist() == [3, 103, 1303, 2000, 2000]


def test_tasks_still_starting_are_stopped_first() -> None:
    load = np.full(12, 100.0)
    limits = np.repeat([3, 9, 2], [2, 2, 8]), np.repeat([40, 5], [4, 8])
    run = Replay.of(tracking(web(startup_seconds=300)), minutes(load).index, load, limits=limits)
    assert (
        run.running.tolist() == [3] * 7 + [5] * 5
    )  # two of the six are left, ready five minutes after they were asked
    assert run.launched.tolist() == [3, 3, 9, 9] + [5] * 8


def test_in_its_cooldown_a_scale_out_counts_new_tasks_once_and_still_grows_with_the_load() -> None:
    service = web(startup_seconds=60, max_tasks=400)
    patient = tracking(service)
    hasty = replace(tracking(service), tracking=TargetTracking("requests", 2400, scale_out_cooldown=0))
    step = minutes([100.0] * 30 + [400.0] * 60)
    assert simulate(patient, step).metrics["max_running"].item() == 10
    assert simulate(hasty, step).metrics["max_running"].item() > 10
    growing = minutes([100.0] * 30 + [400.0] * 3 + [800.0] * 57)
    rows = simulate(patient, growing).of("web")
    assert rows["desired"].iloc[36:39].tolist() == [10, 20, 20]


def test_metrics_add_up() -> None:
    result = simulate(tracking(), minutes([100.0] * 60 + [400.0] * 60))
    row = result.metrics.iloc[0]
    frame = result.frame
    assert row["short_minutes"] == (frame["demand"] > frame["running"]).sum() == 8
    assert row["missing_task_hours"] == 8 * (8 - 3) / 60
    assert row["tau_u"] == pytest.approx(100 * 8 / 120)
    assert row["task_hours"] == pytest.approx((66 * 3 + 54 * 10) / 60)  # paid from the launch on
    assert row["usd"] == pytest.approx(row["task_hours"] * (0.04048 + 2 * 0.004445))
    assert row["max_running"] == 10
    assert frame["utilization"].iloc[0] == pytest.approx(100 * 100 / 150)


def test_cost_is_unknown_rather_than_zero_without_a_price() -> None:
    result = simulate(tracking(web(region="mars-1")), minutes([100.0] * 60))
    assert np.isnan(result.metrics["usd"].item())


def test_nothing_to_replay_is_refused() -> None:
    with pytest.raises(InputError, match="no minute of this demand holds a value"):
        Replay.of(tracking(), minutes([np.nan]).index, np.array([np.nan])).metrics(1.0)
