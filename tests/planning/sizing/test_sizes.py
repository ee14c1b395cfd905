"""Task sizes: each is planned as if it were today's, the cheapest is chosen, and what rules one out is said."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import FARGATE_SIZES, Account, Goal, PriceSettings, Rate, Service, TaskCapacity
from capacity.errors import InputError
from capacity.forecasting.forecasts import Forecast
from capacity.planning import Plan, Sizes
from capacity.planning.prices import HOURS_PER_MONTH
from capacity.planning.sizing.larger import Task, carries
from capacity.schema import SIZES
from tests.planning.inputs import BARE, as_they_are, cpu_forecast, forecast_of, plain, planned

X86, ARM = (0.04048, 0.004445), (0.03238, 0.00356)  # us-east-1, vCPU and GB (reference aws.md 5.2)


def with_memory(forecast: Forecast, *, each: float = 0.5, per_vcpu: float = 0.0) -> Forecast:
    """The forecast after a past in which it was seen what one task took: `each` GiB and `per_vcpu` for its load."""
    past = forecast.past
    name = past.keys[0].service
    load = 0.3 + 0.2 * np.sin(np.arange(len(past.times)))
    ran = np.full(len(past.times), 5.0)
    rows = {"cpu": load * ran, "memory": (each + per_vcpu * load) * ran}
    values = np.array([rows[key.metric] for key in past.keys])
    return replace(forecast, past=replace(past, values=values, tasks={name: ran}))


def row(sizes: Sizes, vcpu: float, gib: float, architecture: str = "x86_64", service: str = "web") -> Any:
    rows = sizes.of(service)
    found = rows[(rows["vcpu"] == vcpu) & (rows["memory_gib"] == gib) & (rows["architecture"] == architecture)]
    assert len(found) == 1
    return found.iloc[0]


def test_the_table_by_hand() -> None:
    sizes = planned(cpu_forecast([[10.0] * 24]), plain(min_tasks=2), goal=BARE).sizes()
    assert len(sizes.frame) == 2 * sum(len(memories) for memories in FARGATE_SIZES.values()) == 148
    for architecture, (vcpu_usd, gb_usd) in (("x86_64", X86), ("arm64", ARM)):
        for units, memories in FARGATE_SIZES.items():
            for mib in memories:
                vcpu, gib = units / 1024, mib / 1024
                found = row(sizes, vcpu, gib, architecture)
                most, tasks = math.ceil(10 / vcpu), max(math.ceil(10 / vcpu), 1, math.ceil(2 / vcpu))
                assert (found["tasks"], found["worth"]) == (tasks, vcpu)
                assert found["task_hours"] == pytest.approx(tasks * HOURS_PER_MONTH)
                assert found["usd"] == pytest.approx(730 * tasks * (vcpu * vcpu_usd + gib * gb_usd))
                enough = gib >= 2 * max(1, vcpu)  # of memory nothing is known but that 2 GiB do for 1 vCPU
                assert (found["bound_by"] == "") == enough, (vcpu, gib, found["rejected_because"])
                assert most <= tasks
    assert sizes.best.loc["web", ["vcpu", "memory_gib", "architecture"]].tolist() == [1.0, 2.0, "arm64"]


WEB = Service(
    name="web",
    requests_per_second_per_task=20,
    request_target=0.8,
    cpu_target=0.6,
    startup_seconds=900,
    zones=3,
    minimum_healthy_percent=60,
    min_tasks=4,
    max_tasks=5000,
)


def both(seed: int = 3, paths: int = 25, hours: int = 72) -> Forecast:
    """Requests and CPU that bind by turns."""
    rng = np.random.default_rng(seed)
    wave = 1 + 0.7 * np.sin(np.arange(hours) / 4) * np.exp(0.3 * rng.standard_normal((paths, 1)))
    noise = np.exp(0.1 * rng.standard_normal((2, paths, hours)))
    return forecast_of(
        {("web", "requests"): 400 * abs(wave) * noise[0], ("web", "cpu"): 13 * abs(wave) * noise[1]}, past=0.0
    )


@pytest.mark.parametrize(("vcpu", "gib"), [(0.5, 2.0), (1.0, 2.0), (2.0, 4.0), (8.0, 16.0)])
def test_every_size_is_planned_as_if_it_were_todays(vcpu: float, gib: float) -> None:
    forecast = both()
    changed = WEB.model_copy(
        update={
            "task_vcpu": vcpu,
            "task_memory_gib": gib,
            "requests_per_second_per_task": 20 * vcpu,
            "min_tasks": max(2, math.ceil(4 / vcpu)),
        }
    )
    found = row(planned(forecast, WEB).sizes(), vcpu, gib)
    again = planned(forecast, changed)  # the planner itself, asked to plan that size
    assert found["tasks"] == again.frame["tasks"].max()
    assert found["usd"] == pytest.approx(again.total_cost.loc["month", "usd"])
    assert found["p95"] == pytest.approx(again.total_cost.loc["month", "p95"])
    assert found["present"] == (vcpu == 1.0)


loads = st.lists(st.lists(st.floats(0, 300), min_size=4, max_size=4), min_size=2, max_size=6)


@given(paths=loads, zones=st.integers(1, 3), startup=st.sampled_from([0.0, 600.0]), least=st.sampled_from([None, 0, 5]))
@settings(max_examples=5)
def test_the_chosen_costs_no_more_than_any_that_would_do(
    paths: list[list[float]], zones: int, startup: float, least: int | None
) -> None:
    service = plain(zones=zones, startup_seconds=startup, min_tasks=2, cpu_target=0.7)
    sizes = planned(cpu_forecast(paths), service).sizes(least=least)
    allowed = sizes.frame[sizes.frame["rejected_because"] == ""]
    assert sizes.best.loc["web", "usd"] <= allowed["usd"].min() + 1e-9
    present = sizes.frame[sizes.frame["present"]]
    assert present[["vcpu", "memory_gib", "architecture"]].to_numpy().tolist() == [[1.0, 2.0, "x86_64"]]
    assert ((sizes.frame["bound_by"] == "") == (sizes.frame["rejected_because"] == "")).all()
    assert (sizes.frame["tasks"] >= sizes.frame["least"]).all()
    assert not sizes.frame.duplicated(["vcpu", "memory_gib", "architecture"]).any()


def test_counting_requests_by_the_minute_compares_the_same() -> None:
    forecast, by_minute = both(), WEB.model_copy(update={"requests_per_second_per_task": 20.0 * 60})
    scaled = (
        forecast.paths * np.where(np.array([key.metric == "requests" for key in forecast.keys]), 60, 1)[:, None, None]
    )
    a = planned(forecast, WEB).sizes()
    b = planned(replace(forecast, paths=scaled), by_minute).sizes()
    pd.testing.assert_frame_equal(a.frame, b.frame)
    assert a.sentences == b.sentences


def test_few_large_tasks_lose_to_zones_and_rounding_and_many_small_ones_to_what_each_takes() -> None:
    small = planned(with_memory(forecast_of({("web", "cpu"): [[0.5]], ("web", "memory"): [[0.1]]})), plain()).sizes()
    assert small.best.loc["web", "vcpu"] == 0.25  # 16 vCPU would be two tasks all the same
    assert row(small, 16.0, 32.0)["tasks"] == 2
    idle = TaskCapacity(requests_per_second=20, base_vcpu=0.1, vcpu_seconds_per_request=0.025, base_memory_gib=0.2)
    busy = plain(task_capacity=idle, cpu_target=0.6, request_target=0.85, task_vcpu=2, task_memory_gib=4)
    large = planned(forecast_of({("web", "requests"): [[9000.0]]}), busy).sizes()
    assert row(large, 0.25, 0.5)["worth"] < 0.25 / 2
    assert row(large, 0.25, 0.5)["usd"] > 1.5 * large.best.loc["web", "usd"]


def test_an_idle_task_that_fills_a_small_one_rules_it_out() -> None:
    known = TaskCapacity(requests_per_second=40, base_vcpu=0.2, vcpu_seconds_per_request=0.01)
    service = Service(name="web", task_capacity=known, cpu_target=0.6)
    tiny = carries(service, Task(0.25, 0.5, "x86_64"), 1.0, 0.6)
    assert tiny == "an idle task uses 0.2 vCPU, and the target of 60 % leaves nothing above that"
    slow = carries(service, Task(0.5, 1, "x86_64"), 0.7, 0.5)  # it may not be as busy as its target: 0.5 x 0.35 < 0.2
    assert slow == "an idle task uses 0.2 vCPU, and that leaves nothing for requests within the SLO"
    twice = carries(service, Task(2, 4, "x86_64"), 1.0, 0.6)
    assert isinstance(twice, dict)
    assert list(twice) == ["requests", "cpu"]
    assert list(twice.values()) == pytest.approx([(0.6 * 2 - 0.2) / (0.6 - 0.2), 2.5])
    sizes = planned(forecast_of({("web", "requests"): [[100.0]]}), service).sizes()
    ruled_out = row(sizes, 0.25, 0.5)
    assert (ruled_out["bound_by"], ruled_out["usd"] != ruled_out["usd"]) == ("processor", True)


def test_where_the_processor_does_not_bind_a_larger_task_serves_no_more() -> None:
    known = TaskCapacity(requests_per_second=40, vcpu_seconds_per_request=0.005)  # 0.2 vCPU of 1 at 40 requests/s
    service = Service(name="web", task_capacity=known, max_tasks=500, cpu_target=0.6)
    sizes = planned(forecast_of({("web", "requests"): [[4000.0]]}), service, goal=BARE).sizes()
    assert row(sizes, 4.0, 8.0)["tasks"] == row(sizes, 1.0, 2.0)["tasks"] == math.ceil(4000 / 34)
    assert row(sizes, 0.25, 2.0)["tasks"] == math.ceil(4000 * 0.005 / 0.15)  # there the processor binds again
    (said,) = [f for f in sizes.findings if f.metric == "requests"]
    assert "keeps 20 % of its vCPU busy" in said.message


@pytest.mark.parametrize(
    ("memory", "vcpu", "gib", "why"),
    [
        ({"each": 1.1}, 0.25, 1.0, "a full task takes 1.1 GiB, which does not fit 80 % of 1 GiB"),
        ({"each": 1.1}, 0.25, 2.0, ""),
        ({"each": 0.4, "per_vcpu": 2.0}, 1.0, 2.0, ""),  # 1.4 of 1.6 GiB
        ({"each": 0.4, "per_vcpu": 2.0}, 2.0, 2.0, None),  # no such size
        ({"each": 0.4, "per_vcpu": 2.0}, 8.0, 16.0, ""),  # 0.4 + 16 x 0.5 GiB: 8.4 of 12.8
        ({"each": 0.4, "per_vcpu": 4.0}, 8.0, 16.0, "a full task takes 16.4 GiB, which does not fit 80 % of 16 GiB"),
    ],
)
def test_memory_that_every_task_takes_and_memory_that_follows_its_load(
    memory: dict[str, float], vcpu: float, gib: float, why: str | None
) -> None:
    paths = {("web", "cpu"): [[4.0]], ("web", "memory"): [[4.0]]}
    sizes = planned(with_memory(forecast_of(paths), **memory), plain(), goal=BARE).sizes()
    if why is None:
        assert not ((sizes.frame["vcpu"] == vcpu) & (sizes.frame["memory_gib"] == gib)).any()
    else:
        assert row(sizes, vcpu, gib)["rejected_because"] == why


def test_memory_of_which_it_is_not_known_what_follows_the_load_bounds_both_ways() -> None:
    forecast = with_memory(forecast_of({("web", "cpu"): [[4.0]], ("web", "memory"): [[4.0]]}), each=1.0)
    flat = np.full(len(forecast.past.times), 2.0)
    rows = [flat if key.metric == "cpu" else forecast.past.values[1] for key in forecast.past.keys]
    sizes = planned(replace(forecast, past=replace(forecast.past, values=np.array(rows))), plain(), goal=BARE).sizes()
    assert row(sizes, 0.25, 2.0)["rejected_because"] == ""  # no less than a whole task takes
    assert row(sizes, 0.25, 1.0)["rejected_because"].startswith("a full task may take 1 GiB (at least 0.25 GiB)")
    assert row(sizes, 4.0, 8.0)["full_memory_gib"] == pytest.approx(4.0)  # at most four times as much


def test_what_is_too_many_too_much_or_has_no_price_is_said() -> None:
    forecast = cpu_forecast([[1500.0]])
    quota = (Account(region="us-east-1", fargate_vcpu_quota=3000),)
    sizes = planned(forecast, plain(), goal=BARE, accounts=quota).sizes()
    assert row(sizes, 0.25, 2.0)["rejected_because"] == "its peak needs 6,000 tasks, and ECS runs 5,000 in one service"
    because = row(sizes, 16.0, 32.0)["rejected_because"]
    assert because == "a deployment at its peak needs 3,008 vCPU, and the quota is 3,000"
    assert row(sizes, 1.0, 2.0)["rejected_because"] == ""
    frankfurt = planned(cpu_forecast([[5.0]]), plain(region="eu-central-1"), goal=BARE).sizes()
    assert row(frankfurt, 1.0, 2.0, "arm64")["rejected_because"] == "no price is known for arm64 in eu-central-1"
    nowhere = planned(cpu_forecast([[5.0]]), plain(region="mars-1"), goal=BARE).sizes()
    assert nowhere.best.empty
    assert any("State one: [[prices.rate]]" in finding.advice for finding in nowhere.findings)
    assert nowhere.sentences == ["No size would do for `web`; of today's 1 vCPU, 2 GiB, x86_64: no price is known for "
                                 "x86_64 in mars-1."]  # fmt: skip


def test_the_speed_of_arm_is_what_a_test_says_and_else_said_to_be_unknown() -> None:
    plan = planned(cpu_forecast([[8.0]]), plain(), goal=BARE)
    unknown, slow = plan.sizes(), plan.sizes(arm_speed=0.5)
    assert [f.metric for f in unknown.findings] == ["cpu", "memory"]
    assert [f.metric for f in slow.findings] == ["memory"]
    assert "it pays from about 80 % of x86_64's on" in str(unknown)
    assert (row(unknown, 1.0, 2.0, "arm64")["tasks"], row(slow, 1.0, 2.0, "arm64")["tasks"]) == (8, 16)
    assert slow.best.loc["web", "architecture"] == "x86_64"
    arm = planned(cpu_forecast([[8.0]]), plain(architecture="arm64"), goal=BARE).sizes(arm_speed=0.5)
    assert (row(arm, 1.0, 2.0, "arm64")["tasks"], row(arm, 1.0, 2.0)["tasks"]) == (8, 4)


def test_what_it_saves_is_said_with_todays_beside_it() -> None:
    forecast = with_memory(forecast_of({("web", "cpu"): [[4.0]], ("web", "memory"): [[4.0]]}), each=0.5)
    service = plain(task_memory_gib=8)
    rates = PriceSettings(rate=(Rate(region="us-east-1", vcpu=0.04, memory_gb=0.005),))
    sizes = planned(forecast, service, goal=BARE, prices=rates).sizes(arm_speed=0.1)
    assert str(sizes) == (
        "Give each task of `web` 1 vCPU, 2 GiB, x86_64 instead of 1 vCPU, 8 GiB, x86_64 and save 88 USD a month "
        "(38 %): 4 tasks at its peak instead of 4."
    )
    kept = planned(forecast, plain(), goal=BARE, prices=rates).sizes(arm_speed=0.1)
    assert str(kept).startswith("`web` has the cheapest size that keeps its promise: 1 vCPU, 2 GiB, x86_64")
    assert "<strong>" in kept._repr_html_()


def test_a_fleet_is_compared_service_by_service_and_tasks_on_ec2_are_left_out() -> None:
    forecast = forecast_of({("a", "cpu"): [[4.0]], ("b", "cpu"): [[2.0]], ("c", "cpu"): [[1.0]]})
    plan: Plan = planned(forecast, [plain("a"), plain("b"), plain("c", launch_type="EC2")], goal=BARE)
    sizes = plan.sizes()
    assert list(sizes.best.index) == ["a", "b"]
    assert [f.service for f in sizes.findings if "EC2" in f.message] == ["c"]
    assert sizes.frame.dtypes.astype(str).to_dict() == SIZES.types
    pd.testing.assert_frame_equal(plan.sizes("b").frame, sizes.of("b").reset_index(drop=True))
    with pytest.raises(InputError, match="sizes of 'c' were not compared"):
        sizes.of("c")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"service": "wbe"}, "no service 'wbe' is planned"),
        ({"arm_speed": 0.0}, "arm_speed 0.0 is not a speed"),
        ({"arm_speed": 90}, "arm_speed 90 is not a speed\n0.9: "),
        ({"arm_speed": math.nan}, "arm_speed nan is not a speed"),
        ({"least": -1}, "least -1 is not a count of tasks"),
    ],
)
def test_what_cannot_be_asked_is_said(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        planned(cpu_forecast([[1.0]]), plain()).sizes(**asked)


def test_work_that_waits_is_sized_by_its_mean_and_may_run_nothing() -> None:
    queue = plain(tier="batch", min_tasks=0)
    forecast = cpu_forecast([[0.0, 3.0]])
    plan = planned(forecast, queue, goal=Goal())
    assert row(plan.sizes(), 1.0, 2.0)["least"] == 0
    assert row(plan.sizes(), 1.0, 2.0)["task_hours"] == pytest.approx(1.5 * HOURS_PER_MONTH)
    assert as_they_are(forecast) is forecast.paths
