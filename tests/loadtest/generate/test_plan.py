"""A plan drives what its arithmetic says: rates, threads, stages, and what is promised where."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.loadtest.generate import LoadPlan, Request, Slo, Stage, plan_for
from capacity.loadtest.stages import asked_rate

#: A plan of ten stages is a document of hundreds of elements: fewer examples say as much.
few = settings(max_examples=25)


@st.composite
def plans(draw: st.DrawFn) -> LoadPlan:
    tasks = draw(st.integers(1, 20))
    return plan_for(
        draw(st.floats(20, 20_000)),
        slo_ms=draw(st.floats(1, 5000)),
        tasks=tasks,
        planned=draw(st.none() | st.integers(tasks, 10 * tasks)),
        claimed=draw(st.none() | st.floats(0.5, 1000)),
        spike=draw(st.floats(1, 4)),
        ramp=draw(st.integers(60, 600)),
    )


def groups(plan: LoadPlan) -> list[tuple[ET.Element, ET.Element]]:
    """Thread groups of the .jmx, each with the tree of what it does."""
    tree = ET.fromstring(plan.jmx()).findall("hashTree/hashTree")[0]
    return [(one, inside) for one, inside in pairwise(tree) if one.tag == "ThreadGroup"]


def number(element: ET.Element, name: str) -> float:
    return float(next(one.text or "" for one in element.iter() if one.get("name") == name))


@few
@given(plan=plans())
def test_every_thread_group_says_in_its_name_what_it_drives_and_drives_it(plan: LoadPlan) -> None:
    for (group, inside), level in zip(groups(plan), plan.levels, strict=True):
        rate = asked_rate(group.get("testname", ""))
        assert (group.get("testname"), rate) == (level.name, level.rate)
        timer = inside.find("ConstantThroughputTimer")
        assert timer is not None
        assert number(timer, "calcMode") == 0  # a clock for each thread: the shared modes miss the rate
        threads = number(group, "ThreadGroup.num_threads")
        assert threads * number(timer, "throughput") * plan.generators / 60 == pytest.approx(rate, rel=1e-9)
        assert number(group, "ThreadGroup.delay") == level.start
        assert 0.9 * level.seconds <= number(group, "ThreadGroup.duration") <= level.seconds
        assert number(group, "ThreadGroup.ramp_time") >= 1  # 0 starts all threads at once, and they stay together


@few
@given(plan=plans())
def test_stages_follow_each_other_without_a_gap(plan: LoadPlan) -> None:
    for one, other in pairwise(plan.levels):
        assert one.start + one.seconds == other.start
    assert plan.levels[0].start == 0
    assert plan.levels[-1].start + plan.levels[-1].seconds == plan.seconds


@few
@given(plan=plans())
def test_a_generator_has_threads_for_its_share_and_no_more_than_it_can_keep_in_time(plan: LoadPlan) -> None:
    cycle = max(0.4, 4 * plan.slo.ms / 1000)
    for group, inside in groups(plan):
        share = asked_rate(group.get("testname", "")) / plan.generators
        threads = number(group, "ThreadGroup.num_threads")
        assert threads >= share * cycle - 1e-6
        assert threads <= max(4, share * cycle + 1)
        assert threads <= 1000
        jitter = inside.find("UniformRandomTimer")
        assert jitter is not None
        assert number(jitter, "RandomTimer.range") == pytest.approx(800 * threads / share, abs=1)


@few
@given(plan=plans())
def test_the_promise_reaches_to_the_claim_and_to_the_spike_and_what_is_above_comes_last(plan: LoadPlan) -> None:
    promised = max(plan.claimed * plan.tasks, plan.share_per_s * plan.spike)
    for stage in plan.stages:
        assert stage.judged == (stage.rate <= promised * (1 + 1e-3))
    order = [stage.judged for stage in plan.stages]
    assert order == sorted(order, reverse=True)
    soaks = [stage for stage in plan.stages if stage.kind == "soak"]
    assert [stage.rate for stage in soaks] == [pytest.approx(plan.share_per_s, rel=1e-3)]
    assert {stage.kind for stage in plan.stages} == {"hold", "ramp", "soak", "spike"}


@few
@given(plan=plans())
def test_stairs_of_a_ramp_send_what_a_straight_rise_would(plan: LoadPlan) -> None:
    ramp = next(stage for stage in plan.stages if stage.kind == "ramp")
    assert ramp.rate_from is not None
    stairs = ramp.levels(0)
    sent = sum(stair.rate * stair.seconds for stair in stairs)
    # stairs last whole seconds, so one may be a second longer than another
    slack = len(stairs) * ramp.rate * 0.5 + 1e-3 * sent
    assert sent == pytest.approx((ramp.rate_from + ramp.rate) / 2 * ramp.seconds, abs=slack)
    assert [stair.rate for stair in stairs] == sorted(stair.rate for stair in stairs)


def test_load_points_are_those_of_the_reference_by_default() -> None:
    plan = plan_for(1200, slo_ms=250, tasks=2, planned=24, claimed=60, spike=1.5)
    points = {stage.rate for stage in plan.stages if stage.kind == "hold"}
    assert {48, 72, 96, 120, 144, 168} <= points  # 40 to 140 % of 2 × 60
    held = [
        stage.seconds for stage in plan.stages if stage.kind == "hold" and stage.rate in (48, 72, 96, 120, 144, 168)
    ]
    assert min(held) >= 240  # 60 s to settle and 3 minutes
    assert plan.share_per_s == 100  # 1200 / 24 × 2
    assert [stage.rate for stage in plan.stages if stage.kind == "spike"] == [150]


def test_tasks_that_were_not_planned_are_as_many_as_the_claim_needs() -> None:
    assert plan_for(1200, slo_ms=250, claimed=50).planned == 24
    assert plan_for(1200, slo_ms=250, claimed=50, spike=1.1).planned == 27  # 1320 / 50 = 26.4
    assert plan_for(120, slo_ms=250, claimed=50, tasks=10).planned == 10  # those under test are more
    unclaimed = plan_for(120, slo_ms=250, tasks=3, spike=1.5)
    assert (unclaimed.planned, unclaimed.claimed) == (3, 60)  # 180 / 3


def test_many_threads_are_split_over_generators_and_the_plan_says_so() -> None:
    plan = plan_for(3000, slo_ms=250)  # 4,200/s at most, C = 1 s: 4,200 threads
    assert plan.generators == 5
    assert any("5 JMeter generators at once" in sentence for sentence in plan.arithmetic)
    assert "5 generators at once" in plan.jmx() or "5 JMeter generators" in plan.jmx()
    alone = plan_for(300, slo_ms=250)
    assert alone.generators == 1
    assert not any("generators" in sentence for sentence in alone.arithmetic)


def test_the_arithmetic_can_be_checked_by_hand() -> None:
    plan = plan_for(1200, slo_ms=100, tasks=2, planned=24, spike=1.5, service="shop")
    words = " ".join(plan.arithmetic)
    assert "Peak of shop 1,200 requests/s over 24 planned tasks is 50 a task" in words
    assert "are to carry 100, and 150 in a spike" in words
    assert "p95 at most 100 ms and at most 1 % errors, at every rate up to 150 requests/s" in words
    assert "C = max(0.4 s, 4 × 100 ms) = 0.4 s" in words
    assert "84 for 210" in words  # 210 · 0.4
    sent = sum(stage.rate * stage.seconds for stage in plan.stages if stage.kind != "ramp")
    ramp = next(stage for stage in plan.stages if stage.kind == "ramp")
    assert plan.requests == pytest.approx(sent + 0.7 * ramp.rate * ramp.seconds, rel=1e-3)


def test_short_stages_are_said_to_prove_nothing() -> None:
    assert any("prove no capacity" in line for line in plan_for(50, slo_ms=100, hold=5, settle=1).arithmetic)
    assert not any("prove no capacity" in line for line in plan_for(50, slo_ms=100).arithmetic)


def test_the_same_request_gives_the_same_files() -> None:
    one, other = plan_for(500, slo_ms=80, spike=1.3), plan_for(500, slo_ms=80, spike=1.3)
    assert (one.jmx(), one.taurus(), one.gatling()) == (other.jmx(), other.taurus(), other.gatling())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"peak_per_s": 0}, "peak_per_s: 0 is not a rate"),
        ({"peak_per_s": math.nan}, "peak_per_s: nan is not a rate"),
        ({"claimed": -1}, "claimed: -1 is not a rate"),
        ({"tasks": 0}, "tasks: 0 tasks serve nothing"),
        ({"tasks": 3, "planned": 2}, "planned: 2 tasks are fewer than the 3 under test"),
        ({"spike": 0.5}, "spike: 0.5 is not the ratio"),
        ({"steps": ()}, "steps: are shares"),
        ({"steps": (1.0, 0.4)}, "steps: have to ascend"),
        ({"hold": "3 parsec"}, "hold: '3 parsec' is not a duration"),
        ({"soak": 0}, "soak: 0 s is not between"),
        ({"ramp": math.nan}, "ramp: nan s is not between"),
        ({"peak_per_s": 0.01, "spike_for": 5}, "over before its first request"),
        ({"slo_ms": 0}, "Slo"),
        ({"quantile": 1}, "Slo"),
        ({"error_share": 1}, "Slo"),
        ({"service": "a\nb"}, "line breaks"),
    ],
)
def test_what_cannot_be_driven_is_refused_in_words(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        plan_for(**{"peak_per_s": 100, "slo_ms": 250, **wrong})
    assert said in str(refused.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InputError) as refused:
        plan_for(-1, slo_ms=250, tasks=0, hold="x", spike=math.inf)
    assert len(refused.value.problems) == 4


@pytest.mark.parametrize(
    "stage",
    [
        lambda: Stage(1, "hold", 0, 10),
        lambda: Stage(1, "hold", math.inf, 10),
        lambda: Stage(1, "hold", 10, 0),
        lambda: Stage(1, "ramp", 10, 10),
        lambda: Stage(1, "hold", 10, 10, rate_from=5),
    ],
)
def test_a_stage_that_drives_nothing_is_refused(stage: Any) -> None:
    with pytest.raises(InputError, match="stage 1"):
        stage()


def test_a_plan_has_stages_and_requests_that_can_be_told_apart() -> None:
    stages, slo = (Stage(1, "hold", 10, 10),), Slo(ms=100)
    with pytest.raises(InputError, match="without stages"):
        LoadPlan((), (Request(),), slo, 10, 1, 1, 10)
    with pytest.raises(InputError, match="0 requests"):
        LoadPlan(stages, (), slo, 10, 1, 1, 10)
    with pytest.raises(InputError, match="labels have to differ"):
        LoadPlan(stages, (Request(path="/a?x=1"), Request(path="/a?x=2")), slo, 10, 1, 1, 10)
