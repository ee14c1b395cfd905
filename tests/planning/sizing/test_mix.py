"""Spot: ECS's split, what a wave leaves, and the cheapest mix that keeps the promise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Goal, PriceSettings, Rate, Service
from capacity.errors import InputError
from capacity.planning import Interruptions, Plan, Strategy
from capacity.planning.prices import built_in
from capacity.schema import MIXES
from tests.planning.inputs import BARE, cpu_forecast, forecast_of, plain, planned
from tests.scaling.aws_model import problems

RATE = Rate(region="us-east-1", vcpu=0.04, memory_gb=0.005, spot_vcpu=0.01, spot_memory_gb=0.001)
PRICES = PriceSettings(rate=(RATE,))
HOUR, SPOT = 0.04 + 2 * 0.005, 0.01 + 2 * 0.001  # of a task of 1 vCPU and 2 GiB

strategies = st.builds(Strategy, st.integers(0, 12), st.integers(0, 100).map(lambda percent: percent / 100))


def some_plan(service: Service | None = None, goal: Goal = BARE, paths: object = None) -> Plan:
    rng = np.random.default_rng(5)
    load = 20 * np.exp(0.2 * rng.standard_normal((40, 24))) if paths is None else paths
    return planned(cpu_forecast(load), plain() if service is None else service, goal=goal, prices=PRICES)


@given(strategy=strategies, tasks=st.integers(0, 500))
def test_the_base_comes_first_and_the_rest_goes_by_weights(strategy: Strategy, tasks: int) -> None:
    own, spot = strategy.weights
    on_spot = int(strategy.on_spot(np.array(tasks)))
    rest = max(tasks - strategy.base, 0)
    assert on_spot == (0 if rest == 0 else math.ceil(rest * spot / (own + spot)))
    assert 0 <= on_spot <= rest
    assert spot / (own + spot) == pytest.approx(strategy.spot_share, abs=0.0011)
    assert math.gcd(own, spot) == 1


@given(strategy=strategies)
def test_every_mix_is_a_strategy_that_ecs_takes(strategy: Strategy) -> None:
    items = strategy.provider_strategy
    parameters = {"serviceName": "web", "capacityProviderStrategy": items}
    assert problems({"client": "ecs", "operation": "create_service", "parameters": parameters}) == []
    assert sum(item["weight"] for item in items) > 0  # reference aws.md 4.2: at least one weight above 0
    assert sum("base" in item for item in items) <= 1
    assert all(1 <= item["weight"] <= 1000 for item in items)  # "weight of 0 cannot place tasks", not even a base


def test_costs_and_chances_by_hand() -> None:
    plan = some_plan(plain(cpu_target=0.68, request_target=0.85))  # at 85 % of full, so 0.85 of a need is full
    waves = Interruptions(lost_share=0.5, waves_per_month=3, replacement_seconds=240)
    found = plan.mix(shares=[0.6], bases=[4], interruptions=waves).of("web")
    row = found[found["spot_share"] == 0.6].iloc[0]
    need = plan.needs["web"].astype(float)
    broken, dollars, spots = 0, [], []
    counts = plan.frame["tasks"].tolist()
    for path in need:
        paid = on_spot = 0.0
        for hour, load in enumerate(path):
            on = math.ceil((counts[hour] - 4) * 0.6 - 1e-9)
            left = counts[hour] - math.ceil(on * 0.5)
            broken += left < math.ceil(load * 0.85 - 1e-4)
            ran = math.ceil(load - 1e-5)
            paid += ran * HOUR - 0.6 * (ran - 4) * (HOUR - SPOT)
            on_spot += 0.6 * (ran - 4)
        dollars.append(paid * 730 / 24)
        spots.append(on_spot * 730 / 24)
    assert row["breaks"] == pytest.approx(broken / need.size)
    assert row["usd"] == pytest.approx(np.mean(dollars))
    assert row["p95"] == pytest.approx(np.quantile(dollars, 0.95))
    assert row["spot_task_hours"] == pytest.approx(np.mean(spots))
    assert row["breaks_a_month"] == pytest.approx(1 - math.exp(-3 * row["breaks"]))
    assert row["short_minutes"] == pytest.approx(3 * row["breaks"] * 4)


@given(lost=st.floats(0, 1), level=st.sampled_from([0.5, 0.9, 0.99]))
@settings(max_examples=5)
def test_the_chosen_is_the_cheapest_that_keeps_the_promise(lost: float, level: float) -> None:
    service = plain(zones=3, request_target=0.7)
    mix = some_plan(service, Goal(level=level)).mix(interruptions=Interruptions(lost_share=lost))
    allowed = mix.frame[mix.frame["rejected_because"] == ""]
    assert mix.best.loc["web", "usd"] <= allowed["usd"].min() + 1e-9
    assert (allowed[allowed["spot_share"] > 0]["breaks"] <= 1 - level + 1e-9).all()
    assert mix.frame["present"].sum() == 1
    assert not mix.frame.duplicated(["base", "spot_share"]).any()


def test_the_more_a_wave_takes_the_less_runs_on_spot() -> None:
    plan = some_plan(plain(request_target=0.7), Goal(survive_zone_loss=False))
    dollars = [
        plan.mix(interruptions=Interruptions(lost_share=share)).best.loc["web", "usd"] for share in (0, 0.25, 0.5, 1)
    ]
    assert dollars == sorted(dollars)
    assert dollars[0] == pytest.approx(plan.mix().of("web")["usd"].min())  # nothing is ever lost: all on Spot
    assert dollars[-1] > dollars[0]


def test_what_a_zone_keeps_spare_also_covers_a_wave() -> None:
    one, three = (
        some_plan(plain(zones=zones), Goal()).mix(bases=[0]).best.loc["web", "spot_share"] for zones in (1, 3)
    )
    assert three > one


def test_work_that_waits_runs_on_spot_as_far_as_it_pays() -> None:
    plan = some_plan(plain(tier="batch"))
    mix = plan.mix(interruptions=Interruptions(lost_share=1, waves_per_month=100, replacement_seconds=3600))
    best = mix.best.loc["web"]
    assert (best["spot_share"], best["breaks"]) == (1.0, 0.0)
    again = best["spot_task_hours"] / 730 * 100  # each wave works an hour of all its tasks twice
    assert best["usd"] == pytest.approx((best["spot_task_hours"] + again) * SPOT)
    assert "never, because its work waits" in mix.sentence("web")


def test_a_wave_that_breaks_nothing_is_not_told_as_work_that_waits() -> None:
    told = some_plan(goal=Goal(), paths=[[0.1, 0.1]]).mix().sentence("web")  # the second of two tasks is spare
    assert "100 % Spot" in told
    assert "breaks its promise in none of the futures" in told


def test_todays_mix_costs_what_the_plan_says_and_is_always_compared() -> None:
    plan = some_plan(plain(on_demand_base=3, spot_share=0.35))
    mix = plan.mix(shares=[1.0])
    present = mix.frame[mix.frame["present"]].iloc[0]
    assert (present["base"], present["spot_share"]) == (3, 0.35)
    assert present["usd"] == pytest.approx(plan.total_cost.loc["month", "usd"])
    assert present["p5"] == pytest.approx(plan.total_cost.loc["month", "p5"])


def test_without_a_price_of_spot_no_spot_is_recommended_and_it_is_said() -> None:
    plan = planned(cpu_forecast([[5.0]]), plain(region="ap-south-1"), goal=BARE)
    mix = plan.mix()
    assert mix.best.loc["web", "spot_share"] == 0
    some = mix.frame[mix.frame["spot_share"] > 0]
    assert some["usd"].isna().all()
    assert set(some[some["bound_by"] != "promise"]["rejected_because"]) <= {
        "no price is known for FARGATE_SPOT, x86_64 in ap-south-1"
    }
    assert any(f.check == "price" and "spot_vcpu = " in f.advice for f in mix.findings)
    assert mix.strategy("web") == [{"capacityProvider": "FARGATE", "base": 0, "weight": 1}]
    none = planned(cpu_forecast([[5.0]]), plain(region="mars-1"), goal=BARE).mix()
    assert none.best.empty
    with pytest.raises(InputError, match="no mix of 'web' can be recommended"):
        none.strategy("web")


def test_that_its_rates_are_assumed_is_said_unless_they_are_stated() -> None:
    plan = some_plan()
    assert [f.check for f in plan.mix().findings] == ["spot"]
    assert len(plan.mix(interruptions=Interruptions(waves_per_month=1)).findings) == 0
    assert "<strong>" in plan.mix()._repr_html_()
    assert plan.mix().frame.dtypes.astype(str).to_dict() == MIXES.types


def test_the_built_in_prices_of_spot_are_those_published_and_dated() -> None:
    known = {(rate.region, rate.architecture): rate for rate in built_in() if rate.spot_vcpu is not None}
    assert set(known) == {("us-east-1", "x86_64"), ("us-east-1", "arm64"), ("eu-west-1", "x86_64")}
    assert {rate.spot_date for rate in known.values()} == {"2026-09-28"}
    for rate in known.values():  # -68 % and -70 % (reference aws.md 5.2)
        assert rate.spot_vcpu is not None
        assert 1 - rate.spot_vcpu / rate.vcpu == pytest.approx(0.68 if rate.region == "us-east-1" else 0.70, abs=0.005)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"service": "nobody"}, "no service 'nobody' is planned"),
        ({"service": "ec2"}, "ec2 runs on EC2"),
        ({"shares": [1.5]}, "spot_share 1.5 is not a share"),
        ({"bases": [-1]}, "base -1 is not a count"),
    ],
)
def test_what_cannot_be_asked_is_said(asked: dict[str, Any], words: str) -> None:
    forecast = forecast_of({("web", "cpu"): [[1.0]], ("ec2", "cpu"): [[1.0]]})
    plan = planned(forecast, [plain(), plain("ec2", launch_type="EC2")], goal=BARE)
    assert list(plan.mix().best.index) == ["web"]
    with pytest.raises(InputError, match=words):
        plan.mix(**asked)


@pytest.mark.parametrize("wrong", [{"lost_share": 1.2}, {"waves_per_month": -1.0}, {"replacement_seconds": math.inf}])
def test_interruptions_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Interruptions(**wrong)
