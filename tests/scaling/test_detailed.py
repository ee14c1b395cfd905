"""The detailed replay does what the documented rules say: against objects of one task each, and by hand."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Rate, Service
from capacity.errors import InputError
from capacity.scaling import (
    Clocks,
    Deployment,
    PredictiveScaling,
    ServicePolicy,
    Spot,
    Step,
    StepScaling,
    TargetTracking,
    simulate,
)
from capacity.scaling.disruptions import Circumstances
from capacity.scaling.foreseen import foreseen
from capacity.scaling.replay import Replay, balanced
from tests.scaling.policies import fleet, minutes, tracking, web
from tests.scaling.slow_detailed import SlowAlarm, SlowEcs, SlowLadder, slow_detailed
from tests.scaling.test_replay import loads

START = pd.Timestamp("2026-06-01", tz="UTC")


def case(rng: np.random.Generator, fine: bool, metric: str) -> tuple[ServicePolicy, Circumstances, Clocks]:
    """Any policy in any circumstances."""
    healthy, most = [(100, 200), (50, 100), (100, 150), (0, 100), (75, 125), (100, 101)][int(rng.integers(6))]
    service = web(
        startup_seconds=int(rng.integers(0, 400)),
        requests_per_second_per_task=1.0,
        task_vcpu=1,
        max_tasks=5000,
        minimum_healthy_percent=healthy,
        maximum_percent=most,
    )
    ladder = None
    if rng.random() < 0.5:
        top = float(rng.integers(1, 30))
        ladder = StepScaling(
            metric,  # type: ignore[arg-type]
            float(rng.choice([50.0, 65.0, 80.0])),
            (Step(0, top, int(rng.integers(0, 40))), Step(top, None, int(rng.integers(1, 120)))),
            by=("tasks", "percent")[int(rng.integers(2))],
            minutes=int(rng.integers(1, 4)),
            cooldown=int(rng.integers(0, 400)),
            least=int(rng.integers(1, 4)),
        )
    out, back = rng.integers(0, 900, 2).tolist()
    tracked = TargetTracking(metric, 60.0 if metric == "cpu" else 36.0, out, back, resolution=20 if fine else 60)  # type: ignore[arg-type]
    policy = ServicePolicy(service, 1, 5000, tracked, steps=ladder)
    deployments = tuple(
        Deployment(START + pd.Timedelta(minutes=int(at)), hold_minutes=float(rng.integers(0, 20)))
        for at in rng.integers(0, 50, int(rng.integers(0, 3)))
    )
    spot = Spot(
        per_hour=float(rng.choice([0.1, 2.0])),
        share=float(rng.choice([0.3, 1.0])),
        base=int(rng.integers(0, 3)),
        together=float(rng.choice([0.0, 0.5])),
        warning=int(rng.choice([0, 120])),
    )
    late = ("shed", "carry")[int(rng.integers(2))]
    met = Circumstances(late, deployments, spot if rng.random() < 0.5 else None, seed=int(rng.integers(1000)))  # type: ignore[arg-type]
    return policy, met, Clocks(metric_delay=int(rng.integers(0, 4)), launch_burst=20, launch_rate=24)


def second_opinion(policy: ServicePolicy, met: Circumstances, clocks: Clocks, step: int) -> SlowEcs:
    """The same service, told in the slow replay's words."""
    service, tracked, ladder, spot = policy.service, policy.tracking, policy.steps, met.spot
    cpu, a_minute = tracked.metric == "cpu", 60 // step
    period, delay, low = (1, clocks.metric_delay, 15) if step == 60 else (4, 5, 45)
    alarm = None
    if ladder is not None:
        shown = SlowAlarm(
            period=a_minute,
            delay=clocks.metric_delay * a_minute,
            per_task=0.01 if cpu else 1 / 60,
            most=100.0 if cpu else np.inf,
            silent_when_idle=not cpu,
        )
        rungs = [(rung.lower, np.inf if rung.upper is None else rung.upper, rung.adjustment) for rung in ladder.steps]
        alarm = SlowLadder(
            shown,
            ladder.minutes,
            ladder.threshold,
            rungs,
            ladder.by == "percent",
            ladder.least,
            ceil(ladder.cooldown / step),
        )
    return SlowEcs(
        tracked=SlowAlarm(period, delay, 0.6, 1 / 0.6 if cpu else np.inf, not cpu),
        ladder=alarm,
        high=3,
        low=low,
        out_cooldown=ceil(tracked.scale_out_cooldown / step),
        in_cooldown=ceil(tracked.scale_in_cooldown / step),
        startup=ceil(service.startup_seconds / step),
        burst=clocks.launch_burst,
        rate=clocks.launch_rate * step // 60,
        minimum_healthy=service.minimum_healthy_percent,
        maximum=service.maximum_percent,
        spot_share=0.0 if spot is None else spot.share or 0.0,
        spot_base=0 if spot is None else spot.base or 0,
        chance=0.0 if spot is None else spot.chance(step),
        together=0.0 if spot is None else spot.together,
        warning=0 if spot is None else ceil(spot.warning / step),
        full=1.0,
        carry=met.late == "carry",
        shows_backlog=cpu,
    )


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), fine=st.booleans(), metric=st.sampled_from(["cpu", "requests"]))
def test_it_agrees_with_a_replay_of_one_object_a_task_step_for_step(seed: int, fine: bool, metric: str) -> None:
    rng = np.random.default_rng(seed)
    policy, met, clocks = case(rng, fine and metric == "cpu", metric)
    step = 5 if policy.tracking.resolution == 20 else 60
    size = 50 if step == 5 else 140
    load = loads(rng, size, float(rng.choice([3.0, 20.0])))
    least = rng.integers(0, 6, 10).repeat(size // 10)
    most = least + rng.integers(0, 60, 10).repeat(size // 10)
    run = Replay.of(policy, minutes(load).index, load, clocks, limits=(least, most), met=met)
    n, each = size * 60 // step, 60 // step
    deploy = np.full(n, -1)
    for one in met.deployments:
        at = int((one.moment - START).total_seconds()) // step
        deploy[at] = max(deploy[at], int(one.hold_minutes * 60) // step)
    luck = np.random.default_rng(met.seed).random(n)
    slow = second_opinion(policy, met, clocks, step)
    fine_load = load.repeat(each)
    first = balanced(fine_load / 0.6, least, most)
    rows = slow_detailed(slow, fine_load, fine_load, least.repeat(each), most.repeat(each), deploy, luck, first)
    expected = np.array(rows)
    assert np.array_equal(np.column_stack([run.desired, run.running, run.launched]), expected[:, :3])
    assert run.late == pytest.approx(expected[:, 3], abs=1e-6)
    assert (run.interrupted, run.deploying) == (slow.taken, slow.deployed)


def cpu(resolution: int = 60, **changes: Any) -> ServicePolicy:
    """60 % of one vCPU, ready after 23 s: what AWS's benchmark took from the request to new tasks."""
    service = web(startup_seconds=23, task_vcpu=1)
    tracked = TargetTracking("cpu", 60.0, scale_out_cooldown=360, resolution=resolution)  # type: ignore[arg-type]
    return replace(ServicePolicy(service, 3, 40, tracked), **changes)


def since_the_step(policy: ServicePolicy, clocks: Clocks | None = None) -> tuple[float, float]:
    """Seconds from a step in load to the request for more tasks, and to the first of them serving."""
    load = minutes([1.5] * 60 + [2.9] * 60)
    rows = simulate(policy, load, clocks=Clocks() if clocks is None else clocks).of("web")
    moments = [rows.index[int(np.argmax(rows[name].to_numpy() > 3))] for name in ("desired", "running")]
    asked, served = ((moment - load.index[60]).total_seconds() for moment in moments)
    return asked, served


@pytest.mark.parametrize(("resolution", "published"), [(60, (363, 386)), (20, (86, 109))])
def test_a_step_in_load_is_answered_as_fast_as_aws_measured_it(resolution: int, published: tuple[float, float]) -> None:
    """AWS, 18 June 2026: seconds until a scale-out is triggered, and until new tasks are provisioned."""
    assert since_the_step(cpu(resolution)) == pytest.approx(published, rel=0.10)


def test_clocks_move_the_reaction_by_as_much_as_they_say() -> None:
    assert since_the_step(cpu(), Clocks(metric_delay=1)) == (240, 300)
    assert since_the_step(cpu(20), Clocks(fine_delay=5)) == (65, 90)


def test_work_that_waits_is_done_later_and_shed_work_never() -> None:
    """Work of 6 tasks for ten minutes on 4, then of 1: what waits grows by 2 a minute and shrinks by 3."""
    load = np.r_[np.full(10, 6.0), np.full(20, 1.0)]
    fixed = ServicePolicy(web(task_vcpu=1), 4, 4, TargetTracking("cpu", 60))
    limits = np.full(30, 4), np.full(30, 4)
    carried = Replay.of(fixed, minutes(load).index, load, limits=limits, met=Circumstances("carry"))
    assert carried.late == pytest.approx([*range(2, 21, 2), 17, 14, 11, 8, 5, 2, *[0] * 14], abs=1e-9)
    assert carried.max_late_seconds == pytest.approx(60 * 20 / 4)
    assert carried.shed_share == 0
    shed = Replay.of(fixed, minutes(load).index, load, limits=limits)
    assert shed.late.tolist() == [2] * 10 + [0] * 20
    assert shed.shed_share == pytest.approx(20 / 80)
    assert shed.max_late_seconds == 0


def test_cpu_stays_full_while_work_waits_and_requests_are_counted_when_they_come() -> None:
    load = minutes([2.0] * 30 + [9.0] * 15 + [1.0] * 60)
    slow = ServicePolicy(web(task_vcpu=1, startup_seconds=3600), 2, 40, TargetTracking("cpu", 60))
    waits = simulate(slow, load, late="carry")
    sheds = simulate(slow, load, late="shed")
    at_the_end = waits.of("web")["desired"].iloc[75], sheds.of("web")["desired"].iloc[75]
    assert at_the_end[0] > at_the_end[1] == 2  # four tasks work at 100 % for 25 minutes more
    assert waits.metrics["late_minutes"].item() > sheds.metrics["late_minutes"].item()
    step = minutes([100.0] * 30 + [400.0] * 30)
    assert (
        simulate(tracking(), step, late="carry")
        .of("web")["desired"]
        .equals(simulate(tracking(), step).of("web")["desired"])
    )


def test_no_task_at_all_leaves_work_waiting_for_ever() -> None:
    result = simulate(tracking(min_tasks=0), minutes([0.0] * 30 + [400.0] * 30), late="carry").metrics.iloc[0]
    assert result["max_late_seconds"] == np.inf
    assert result["late_minutes"] == 30


def test_a_gap_leaves_what_waits_as_it_is() -> None:
    load = np.r_[np.full(5, 6.0), np.full(10, np.nan), np.full(5, 4.0)]
    fixed = ServicePolicy(web(task_vcpu=1), 4, 4, TargetTracking("cpu", 60))
    run = Replay.of(
        fixed, minutes(load).index, load, limits=(np.full(20, 4), np.full(20, 4)), met=Circumstances("carry")
    )
    assert run.late == pytest.approx([2, 4, 6, 8, *[10] * 16])


def deployed(service: Service, hold: float = 0.0) -> pd.DataFrame:
    """10 tasks, deployed at minute 5."""
    load = minutes([400.0] * 30)
    policy = tracking(service)
    return simulate(policy, load, deployments=[Deployment("2026-06-01 00:05", hold)]).of("web")


def test_a_deployment_surges_and_replaces_as_ecs_rounds() -> None:
    """10 tasks ready after two minutes. 100 and 200 %: ten more at once. 100 and 150 %: five by five."""
    double = deployed(web())
    assert double["running"].iloc[4:9].tolist() == [10, 10, 10, 10, 10]
    frame = Replay.of(
        tracking(web(maximum_percent=150)),
        minutes([400.0] * 30).index,
        np.full(30, 400.0),
        met=Circumstances(deployments=(Deployment("2026-06-01 00:05"),)),
    )
    assert frame.launched.tolist() == [10] * 5 + [15] * 4 + [10] * 21
    assert frame.running.min() == 10
    assert frame.deploying == 5
    half = Replay.of(
        tracking(web(minimum_healthy_percent=50, maximum_percent=100)),
        minutes([400.0] * 30).index,
        np.full(30, 400.0),
        limits=(np.full(30, 10), np.full(30, 10)),
        met=Circumstances(deployments=(Deployment("2026-06-01 00:05"),)),
    )
    assert half.launched.max() == 10
    assert half.running.tolist() == [10] * 5 + [5] * 4 + [10] * 21  # half at a time, two minutes each


def test_a_deployment_without_room_never_ends() -> None:
    """One task, 100 and 150 %: floor(1.5) leaves no room for a second, ceil(1) none for none."""
    stuck = tracking(web(min_tasks=1, maximum_percent=150), min_tasks=1)
    result = simulate(stuck, minutes([10.0] * 60), deployments=["2026-06-01 00:10"])
    assert result.metrics["deploying_minutes"].item() == 50
    assert (result.frame["running"] == 1).all()


def test_nothing_scales_in_during_a_deployment_and_scale_out_goes_on() -> None:
    load = minutes([400.0] * 30 + [100.0] * 90)
    alone = simulate(tracking(), load).of("web")
    held = simulate(tracking(), load, deployments=[Deployment("2026-06-01 00:25", hold_minutes=60)])
    assert alone["desired"].iloc[84] == 3
    assert held.of("web")["desired"].iloc[84] == 10
    assert held.of("web")["desired"].iloc[-1] == 3
    assert held.metrics["deploying_minutes"].item() == 61
    rising = minutes([100.0] * 30 + [400.0] * 60)
    out = simulate(tracking(), rising, deployments=[Deployment("2026-06-01 00:25", hold_minutes=60)]).of("web")
    assert out["desired"].iloc[36] == 10


def test_a_step_policy_adds_by_its_rungs_and_rounds_as_aws_does() -> None:
    """3 tasks at 20 requests/s each; then 45 of 50 each, 2700 a minute: 300 above the threshold."""
    ladder = StepScaling("requests", 2400, (Step(0, 200, 10), Step(200, None, 50)), minutes=1, cooldown=600)
    policy = replace(tracking(tracking=TargetTracking("requests", 4000)), steps=ladder)
    load = minutes([60.0] * 20 + [135.0] * 20)
    start = tracking(min_tasks=3, tracking=TargetTracking("requests", 4000), steps=ladder)
    rows = simulate(start, load).of("web")
    assert rows["desired"].iloc[20 + 4] == 3 + 1  # half of three is 1.5: rounded down; seen one minute and three later
    assert rows["desired"].iloc[20 + 3] == 3
    few = replace(policy, min_tasks=3, steps=replace(ladder, steps=(Step(0, None, 10),)))
    assert simulate(few, load).of("web")["desired"].iloc[24] == 4  # 10 % of three is 0.3: one
    many = replace(few, steps=replace(ladder, steps=(Step(0, None, 10),), least=3))
    assert simulate(many, load).of("web")["desired"].iloc[24] == 6
    counted = replace(few, steps=replace(ladder, steps=(Step(0, None, 5),), by="tasks"))
    assert simulate(counted, load).of("web")["desired"].iloc[24] == 8


def test_of_two_policies_the_larger_scale_out_wins_and_a_cooldown_counts_what_was_added() -> None:
    ladder = StepScaling("requests", 2600, (Step(0, None, 900),), minutes=1, cooldown=600)
    policy = tracking(steps=ladder, max_tasks=100)
    rows = simulate(policy, minutes([100.0] * 30 + [400.0] * 40)).of("web")
    assert rows["desired"].iloc[34] == 30  # the step policy: one minute and three to hear, 3 + 900 % of 3
    alone = replace(policy, tracking=TargetTracking("requests", 100_000), min_tasks=3)
    load = minutes([100.0] * 30 + [2000.0] * 40)  # 30 tasks are still above the threshold
    counts = simulate(replace(alone, max_tasks=400), load).of("web")["desired"]
    assert counts.iloc[34:44].tolist() == [30] * 10  # in its cooldown it asks for the same again
    assert counts.iloc[44] == 300
    gentle = tracking(web(startup_seconds=300), steps=replace(ladder, steps=(Step(0, None, 10),)))
    assert simulate(gentle, minutes([100.0] * 30 + [400.0] * 40)).of("web")["desired"].iloc[36] == 10


def test_a_step_policy_on_another_metric_needs_demand_of_it() -> None:
    ladder = StepScaling("cpu", 70, (Step(0, None, 100),), minutes=2)
    with pytest.raises(InputError, match="no cpu of 'web' in the demand"):
        simulate(tracking(steps=ladder), minutes([100.0] * 30))
    index = minutes([0.0] * 60).index
    long = pd.DataFrame(
        {
            "service": "web",
            "timestamp": [*index, *index],
            "metric": ["requests"] * 60 + ["cpu"] * 60,
            "value": [100.0] * 60 + [0.5] * 30 + [2.4] * 30,
        }
    )
    rows = simulate(tracking(steps=ladder), long).of("web")
    assert rows["desired"].iloc[30 + 2 + 3] == 6  # 2.4 of 3 vCPU are 80 %: twice the tasks, after two minutes and three
    assert rows["desired"].iloc[34] == 3


def test_spot_loses_as_many_tasks_as_its_rate_says_and_replaces_them() -> None:
    """200 Spot tasks for 200 hours at 0.05 an hour: 2,000, give or take 45."""
    policy = ServicePolicy(web(startup_seconds=60, max_tasks=300), 200, 200, TargetTracking("requests", 2400))
    quiet = minutes([4000.0] * (60 * 200))
    each = simulate(policy, quiet, spot=Spot(0.05, share=1.0)).metrics.iloc[0]
    assert each["interrupted"] == pytest.approx(2000, abs=4 * 45)
    assert each["spot_task_hours"] == each["task_hours"]
    together = simulate(policy, quiet, spot=Spot(0.05, share=1.0, together=0.25)).metrics.iloc[0]
    assert together["interrupted"] == pytest.approx(2000, abs=4 * 45 * np.sqrt(50))
    assert together["interrupted"] % 50 == 0
    half = simulate(policy, quiet, spot=Spot(0.05, share=0.5, base=100)).metrics.iloc[0]
    assert half["interrupted"] == pytest.approx(500, abs=4 * 23)
    assert half["spot_task_hours"] == pytest.approx(half["task_hours"] / 4, rel=0.01)
    again = simulate(policy, quiet, spot=Spot(0.05, share=1.0)).metrics.iloc[0]
    other = simulate(policy, quiet, seed=1, spot=Spot(0.05, share=1.0)).metrics.iloc[0]
    assert again["interrupted"] == each["interrupted"] != other["interrupted"]


def test_spot_takes_from_each_service_by_its_own_luck_whatever_their_order() -> None:
    one, two = (tracking(web(name=name, max_tasks=200), min_tasks=100, max_tasks=100) for name in ("web", "shop"))
    demand = pd.concat({name: minutes([100.0] * 3000) for name in ("web", "shop")}, axis=1)
    there = simulate(fleet(one, two), demand, spot=Spot(0.5, share=1.0)).metrics.set_index("service")["interrupted"]
    back = simulate(fleet(two, one), demand, spot={"shop": Spot(0.5, share=1.0), "web": Spot(0.5, share=1.0)})
    assert there.sort_index().equals(back.metrics.set_index("service")["interrupted"].sort_index())
    assert there["web"] != there["shop"]


def test_memory_queues_nothing() -> None:
    policy = ServicePolicy(web(task_memory_gib=2), 2, 2, TargetTracking("memory", 80))
    row = simulate(policy, minutes([6.0] * 30), late="carry").metrics.iloc[0]
    assert (row["shed_share"], row["max_late_seconds"]) == (pytest.approx(1 / 3), 0)


def test_a_task_that_is_taken_back_serves_until_its_warning_has_run_out() -> None:
    policy = ServicePolicy(web(startup_seconds=240), 10, 10, TargetTracking("requests", 2400))
    load = np.full(200, 100.0)
    spot = Spot(per_hour=1.0, share=1.0, together=1.0)
    run = Replay.of(policy, minutes(load).index, load, met=Circumstances(spot=spot, seed=3))
    assert run.interrupted > 0
    first = int(np.argmax(run.launched > 10))
    assert run.launched[first : first + 5].tolist() == [20, 20, 10, 10, 10]  # two minutes beside their replacements
    assert run.running[first : first + 5].tolist() == [10, 10, 0, 0, 10]  # ready four minutes after the warning


def test_spot_is_paid_at_its_own_price_and_at_none_when_that_is_not_known() -> None:
    service = web(spot_share=0.5, on_demand_base=2, min_tasks=10, max_tasks=10)
    policy = tracking(service)
    rate = Rate(region="us-east-1", vcpu=0.04, memory_gb=0.004, spot_vcpu=0.01, spot_memory_gb=0.001)
    row = simulate(policy, minutes([100.0] * 60), prices=rate).metrics.iloc[0]
    assert row["spot_task_hours"] == 4
    assert row["usd"] == pytest.approx(6 * 0.048 + 4 * 0.012)
    unknown = rate.model_copy(update={"spot_vcpu": None, "spot_memory_gb": None})
    assert np.isnan(simulate(policy, minutes([100.0] * 60), prices=unknown).metrics["usd"].item())


def test_a_predicted_minimum_holds_from_its_buffer_before_the_hour_until_the_hour_ends() -> None:
    part = PredictiveScaling("requests", 2400, "ForecastAndScale", buffer=300)
    hours = pd.date_range("2026-06-01", periods=4, freq="h", tz="UTC")
    forecast = pd.Series([0.0, 8.0, 60.0, np.nan], index=hours)
    policy = tracking(predictive=part)
    rows = simulate(policy, minutes([100.0] * 240), predicted=forecast).of("web")
    least = rows["minimum"]
    assert least.iloc[[54, 55, 114, 115, 179, 180]].tolist() == [2, 8, 8, 40, 40, 2]  # the maximum of 40 is honoured
    assert rows["desired"].iloc[180] == 3  # target tracking had been waiting for the minimum to go
    out_only = replace(policy, tracking=TargetTracking("requests", 2400, disable_scale_in=True))
    assert simulate(out_only, minutes([100.0] * 240), predicted=forecast).of("web")["desired"].iloc[-1] == 40
    wide = tracking(predictive=replace(part, over=10))
    assert simulate(wide, minutes([100.0] * 240), predicted=forecast).of("web")["desired"].max() == 60
    watching = tracking(predictive=replace(part, mode="ForecastOnly"))
    assert simulate(watching, minutes([100.0] * 240), predicted=forecast).of("web")["minimum"].max() == 2


def test_the_stand_in_forecast_repeats_the_day_and_knows_nothing_of_the_first() -> None:
    part = PredictiveScaling("requests", 2400, "ForecastAndScale", buffer=0)
    day = np.repeat(np.where(np.arange(24) < 12, 80.0, 800.0), 60)
    rows = simulate(tracking(predictive=part), minutes(np.tile(day, 3))).of("web")
    least = rows["minimum"].to_numpy().reshape(3, 24, 60)
    assert (least[0] == 2).all()
    assert (least[1:, :12] == 2).all()
    assert (least[1:, 12:] == 20).all()


def test_the_stand_in_forecast_takes_a_saturday_for_a_weekday_until_it_has_seen_one() -> None:
    part = PredictiveScaling("requests", 2400, "ForecastAndScale", buffer=0)
    week = np.repeat([800.0] * 5 + [80.0] * 2, 1440)  # from a Monday on
    least = simulate(tracking(predictive=part), minutes(np.tile(week, 2))).of("web")["minimum"]
    noon = least.to_numpy().reshape(14, 1440)[:, 720]
    assert noon.tolist() == [2, 20, 20, 20, 20, 20, 17, *[20] * 5, 2, 2]  # Sunday: (5 x 800 + 80) / 6 / 40


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 9 * 1440 - 1))
def test_the_stand_in_forecast_never_looks_ahead(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    policy = tracking(predictive=PredictiveScaling("requests", 2400, "ForecastAndScale"))
    load = rng.uniform(0, 2000, 9 * 24).repeat(60)
    times = minutes(load).index
    other = np.r_[load[:cut], rng.uniform(0, 9000, len(load) - cut)]
    ours, theirs = (foreseen(policy, times, values, 40.0)[: cut + 1] for values in (load, other))
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Clocks(metric_delay=-1), "metric_delay: is -1"),
        (lambda: Clocks(low_share=0), "low_share: is 0"),
        (lambda: Clocks(fine_step=7), "seconds that divide 20"),
        (lambda: Clocks(fine_delay=7), "whole steps of 5 s"),
        (lambda: Clocks(launch_rate=0), "at least one task a minute"),
        (lambda: Spot(per_hour=-1), "per_hour -1 is not from 0 to 6"),
        (lambda: Spot(0.1, share=1.5, base=-1, together=2, warning=-1), "share 1.5.*together 2.*base -1.*warning -1"),
        (lambda: Deployment("tomorrow-ish"), "cannot start at 'tomorrow-ish'"),
        (lambda: Deployment(pd.NaT), "needs a start"),
        (lambda: Deployment("2026-06-01", hold_minutes=-1), "holds for -1 minutes"),
        (lambda: Circumstances("drop"), "late work cannot be 'drop'"),  # type: ignore[arg-type]
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(made: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        made()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"deployments": ["2025-01-01"]}, "none of the 1 deployments begins between 2026-06-01 00:00"),
        ({"deployments": [Deployment("2026-06-01", service="shop")]}, "a deployment of 'shop'"),
        ({"spot": {"shop": Spot(0.1)}}, "spot names 'shop'"),
        ({"predicted": pd.Series([1.0], index=pd.date_range("2026-06-01", periods=1))}, "has no predictive part"),
        ({"late": "never"}, "late work cannot be 'never'"),
    ],
)
def test_circumstances_of_nobody_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        simulate(tracking(), minutes([100.0] * 30), **arguments)


def test_a_forecast_that_is_none_is_refused() -> None:
    policy = tracking(predictive=PredictiveScaling("requests", 2400, "ForecastAndScale"))
    for index, values in (
        (pd.RangeIndex(2), [1.0, 2.0]),
        (pd.date_range("2026-06-01 00:30", periods=2, freq="h"), [1.0, 2.0]),
        (pd.date_range("2026-06-01", periods=2, freq="h"), [1.0, -2.0]),
    ):
        with pytest.raises(InputError, match="a predictive forecast"):
            simulate(policy, minutes([100.0] * 30), predicted=pd.Series(values, index=index))


def test_a_prediction_of_what_is_not_replayed_is_refused_and_one_that_is_handed_in_is_not() -> None:
    policy = tracking(predictive=PredictiveScaling("cpu", 60, "ForecastAndScale"))
    with pytest.raises(InputError, match="predictive scaling forecasts cpu, of which nothing is replayed"):
        simulate(policy, minutes([100.0] * 30))
    forecast = pd.Series([9.0], index=pd.date_range("2026-06-01", periods=1))
    assert simulate(policy, minutes([100.0] * 30), predicted=forecast).of("web")["desired"].iloc[0] == 9


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), metric=st.sampled_from(["cpu", "requests"]), delay=st.integers(0, 3))
def test_where_nothing_happens_the_detailed_replay_is_the_plain_one(seed: int, metric: str, delay: int) -> None:
    rng = np.random.default_rng(seed)
    policy = replace(case(rng, fine=False, metric=metric)[0], steps=None)
    load = loads(rng, 400, float(rng.choice([5.0, 60.0, 3000.0])))
    times, clocks = minutes(load).index, Clocks(metric_delay=delay)
    least = rng.integers(0, 30, 10).repeat(40)
    limits = least, least + rng.integers(0, 900, 10).repeat(40)
    plain = Replay.of(policy, times, load, clocks, limits=limits)
    quiet = Replay.of(policy, times, load, clocks, limits=limits, met=Circumstances(spot=Spot(0.0, share=1.0)))
    for name in ("desired", "running", "launched"):
        assert np.array_equal(getattr(plain, name), getattr(quiet, name))
    assert plain.late == pytest.approx(quiet.late)
    assert plain.changes == quiet.changes
    assert quiet.interrupted == 0


def test_twenty_second_metrics_of_requests_are_refused() -> None:
    wrong = tracking(tracking=TargetTracking("requests", 2400, resolution=20))
    with pytest.raises(InputError, match="requests per target come every minute"):
        simulate(wrong, minutes([100.0] * 30))


def test_demand_every_twenty_seconds_is_replayed_as_it_is() -> None:
    """Twenty seconds in which the load is high do not make three datapoints; a minute does."""
    index = pd.date_range("2026-06-01", periods=90, freq="20s", tz="UTC")
    spike = pd.Series([1.5] * 30 + [2.9] * 2 + [1.5] * 58, index=index)
    assert (simulate(cpu(20), spike).frame["desired"] == 3).all()
    minute = pd.Series([1.5] * 30 + [2.9] * 3 + [1.5] * 57, index=index)
    result = simulate(cpu(20), minute)
    assert result.frame["desired"].max() == 5
    assert len(result.frame) == 90 * 4
    assert result.metrics["minutes"].item() == 30
