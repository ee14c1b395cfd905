"""A Savings Plan sized on paths: what must hold for any plan, and small ones worked out by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from capacity.config import HeldCommitment, PriceSettings, Rate, SavingsPlanRate
from capacity.errors import InputError, PlanError
from capacity.planning import Plan
from capacity.planning.money import Commitment, Offer
from capacity.planning.money.offers import published
from capacity.planning.prices import built_in
from tests.makers import hourly, make_demand, make_forecast
from tests.planning.inputs import BARE, cpu_forecast, forecast_of, plain, planned

TASK = 0.04937  # USD an hour of 1 vCPU and 2 GB in us-east-1, the check value of reference aws.md 5.2
WEEK = 7 * 24


def level(tasks: float, hours: int = 2 * WEEK, paths: int = 3, **service: object) -> Plan:
    """A plan whose every path stands at so many tasks; its past stands there, too."""
    forecast = forecast_of({("web", "cpu"): np.full((paths, hours), tasks)}, past=tasks)
    return planned(forecast, plain(**service), goal=BARE)  # type: ignore[arg-type]


def sized(plan: Plan, **said: object) -> Commitment:
    return plan.commitment(**{"doubt": 0.0, **said})  # type: ignore[arg-type]


def test_level_spend_is_covered_whole_at_plan_rates() -> None:
    found = sized(level(10))
    assert found.usd_per_hour == pytest.approx(10 * TASK * 0.8)
    row = found.advised
    assert row["saving"] == pytest.approx(10 * TASK * 0.2 * 730)
    assert row[["utilization", "coverage"]].tolist() == pytest.approx([1, 1])
    assert row[["loses", "regret"]].tolist() == pytest.approx([0, 0], abs=1e-9)
    assert str(found).startswith("Commit to 0.395 USD/h in a Compute Savings Plan (1 y, no upfront)")


def test_each_published_plan_takes_off_what_was_published() -> None:
    saved = {
        row.option: row.saving / (10 * TASK * 730)
        for row in sized(level(10)).frame.itertuples()
        if " y, " in row.option
    }
    assert saved == pytest.approx(
        {"1 y, all upfront": 0.27, "3 y, no upfront": 0.45, "3 y, all upfront": 0.52}, abs=1e-9
    )
    assert str(published()["date"]) == "2026-09-25"


def test_half_the_time_more_is_not_worth_a_fifth_off_but_worth_half_off() -> None:
    paths = np.tile([4.0, 10.0], (3, WEEK))
    plan = planned(forecast_of({("web", "cpu"): paths}, past=4.0), plain(), goal=BARE)
    assert sized(plan).usd_per_hour == pytest.approx(4 * TASK * 0.8)
    assert sized(plan, term_years=3, payment="all upfront").usd_per_hour == pytest.approx(10 * TASK * 0.48, rel=0.01)


def test_doubt_about_the_level_makes_it_smaller_and_growth_that_is_certain_larger() -> None:
    plan = level(10, 2 * 24, paths=40)
    sure, unsure = sized(plan), sized(plan, doubt=0.6)
    assert unsure.usd_per_hour < sure.usd_per_hour
    assert unsure.advised["saving_p5"] < unsure.advised["saving"] < unsure.advised["saving_p95"]
    assert sized(plan, growth=0.5).usd_per_hour > sure.usd_per_hour > sized(plan, growth=-0.5).usd_per_hour
    assert "lies beyond the forecast" in next(f.message for f in sure.findings if f.check == "term")


def test_more_load_never_asks_for_less_and_dearer_prices_scale_it() -> None:
    assert sized(level(11)).usd_per_hour > sized(level(10)).usd_per_hour
    forecast = forecast_of({("web", "cpu"): np.full((2, WEEK), 10.0)}, past=10.0)
    dear = Rate(region="us-east-1", vcpu=2 * 0.04048, memory_gb=2 * 0.004445)
    twice = planned(forecast, plain(), goal=BARE, prices=dear)
    assert sized(twice).usd_per_hour == pytest.approx(2 * 10 * TASK * 0.8)
    agreed = planned(forecast, plain(), goal=BARE, prices=PriceSettings(discount_percent=10))
    assert sized(agreed).usd_per_hour == pytest.approx(0.9 * 10 * TASK * 0.8)


def test_what_is_held_is_taken_off_until_it_expires() -> None:
    forecast = forecast_of({("web", "cpu"): np.full((2, 2 * WEEK), 10.0)}, past=10.0)

    def beside(*held: HeldCommitment) -> float:
        plan = planned(forecast, plain(), goal=BARE, prices=PriceSettings(commitment=held))
        return sized(plan).usd_per_hour

    full, part = 10 * TASK * 0.8, 4 * TASK * 0.8
    assert beside(HeldCommitment(usd_per_hour=part, end=date(2030, 1, 1))) == pytest.approx(full - part)
    assert beside(HeldCommitment(usd_per_hour=full, end=date(2030, 1, 1))) == 0
    assert beside(HeldCommitment(usd_per_hour=part, end=date(2026, 12, 1))) == pytest.approx(full, rel=0.001)
    assert beside(HeldCommitment(usd_per_hour=part, end=date(2031, 1, 1), start=date(2030, 1, 1))) == pytest.approx(
        full
    )
    # a plan of three years covers more with every dollar: 4 tasks of 0.55
    three = HeldCommitment(usd_per_hour=4 * TASK * 0.55, end=date(2030, 1, 1), term_years=3)
    assert beside(three) == pytest.approx(full - part)


def test_spot_storage_and_addresses_are_not_covered() -> None:
    half = sized(level(10, on_demand_base=2, spot_share=0.5))
    assert half.usd_per_hour == pytest.approx(6 * TASK * 0.8)
    assert sized(level(10, ephemeral_storage_gib=100, public_ipv4=True)).usd_per_hour == pytest.approx(10 * TASK * 0.8)
    with pytest.raises(PlanError, match="all runs on Spot"):
        sized(level(10, spot_share=1.0))


def test_the_deepest_discount_is_covered_first_and_unpublished_plans_leave_it_on_demand() -> None:
    forecast = forecast_of({(name, "cpu"): np.full((2, WEEK), 5.0) for name in ("x", "arm")}, past=5.0)
    plan = planned(forecast, [plain("x"), plain("arm", architecture="arm64")], goal=BARE)
    arm = next(rate for rate in built_in() if rate.architecture == "arm64" and rate.region == "us-east-1")
    both = sized(plan)
    assert both.usd_per_hour == pytest.approx(5 * TASK * 0.8 + 5 * (0.0255 + 2 * 0.0028))
    upfront = sized(plan, payment="all upfront")
    assert upfront.usd_per_hour == pytest.approx(5 * TASK * 0.73)
    assert any(f.status == "UNKNOWN" and "arm64" in f.message for f in upfront.findings)
    on_demand = 5 * (arm.vcpu + 2 * arm.memory_gb)
    assert upfront.advised["usd_per_month"] == pytest.approx((5 * TASK * 0.73 + on_demand) * 730)


def test_the_look_back_rule_is_beside_it_and_sees_only_the_past() -> None:
    forecast = forecast_of({("web", "cpu"): np.full((3, 4 * WEEK), 10.0)}, interval="1h", past=10.0)
    grown = planned(forecast, plain(), goal=BARE)
    assert "look-back 7 d" not in set(sized(grown).frame["option"])  # two days are no week
    demand = make_demand({("web", "cpu"): np.full(60 * 24, 4.0)}, hourly(60))
    plan = planned(make_forecast(demand, steps=28 * 24, paths=5, spread=0.0, growth=1.5), plain(), goal=BARE)
    rows = sized(plan, term_years=3, over="28d").frame.set_index("option")
    for days in (7, 30, 60):
        assert rows.loc[f"look-back {days} d", "usd_per_hour"] == pytest.approx(4 * TASK * 0.55)
    assert rows.loc["advised", "usd_per_hour"] > 4 * TASK * 0.55
    assert rows.loc["advised", "saving"] > rows.loc["look-back 30 d", "saving"]
    assert rows.loc["look-back 30 d", "why"].startswith("saves ")
    assert rows.loc["none", "saving"] == 0


def test_steps_are_bought_where_a_level_falls_in_some_futures() -> None:
    sure = sized(level(10))
    assert sure.way == "all at once"
    assert sure.ladder["saving"].is_monotonic_decreasing
    assert sure.ladder["first"].tolist() == pytest.approx([10 * TASK * 0.8 * part for part in (1, 0.5, 0.25)])
    assert sized(level(10), over="28d").ladder.empty


def test_a_stated_rate_of_a_savings_plan_replaces_the_published_one() -> None:
    forecast = forecast_of({("web", "cpu"): np.full((2, WEEK), 10.0)}, past=10.0)
    mine = SavingsPlanRate(region="us-east-1", vcpu=0.02024, memory_gb=0.0022225)
    plan = planned(forecast, plain(), goal=BARE, prices=PriceSettings(savings_plan=(mine,)))
    assert sized(plan).usd_per_hour == pytest.approx(10 * TASK * 0.5)
    with pytest.raises(InputError, match="no price of a Savings Plan"):
        sized(plan, payment="partial upfront")
    dear = SavingsPlanRate(region="us-east-1", vcpu=0.05, memory_gb=0.005)
    with pytest.raises(InputError, match="not below the on-demand price"):
        sized(planned(forecast, plain(), goal=BARE, prices=PriceSettings(savings_plan=(dear,))))


def test_the_decision_says_what_to_do_and_nothing_to_buy_is_no_decision() -> None:
    decision = sized(level(10)).decision
    assert decision is not None
    assert (decision.kind, decision.unit) == ("commit", "USD/h")
    assert decision.usd_per_month == pytest.approx(-10 * TASK * 0.2 * 730)
    spikes = np.zeros((2, 2 * WEEK))
    spikes[:, ::10] = 50
    rare = sized(planned(forecast_of({("web", "cpu"): spikes}, past=0.0), plain(), goal=BARE))
    assert rare.usd_per_hour == 0
    assert rare.decision is None
    assert "Buy no Savings Plan" in rare.sentence


def test_the_same_plan_is_sized_alike() -> None:
    one, two = (level(10, paths=20).commitment() for _ in range(2))
    assert one.frame.equals(two.frame)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"term_years": 2}, "there is no Savings Plan of 2 years"),
        ({"payment": "monthly"}, "there is no Savings Plan of 1 years, 'monthly'"),
        ({"growth": -1.0}, "not a yearly growth above -1"),
        ({"doubt": -0.1}, "not between 0 and 5"),
    ],
)
def test_what_is_not_sold_or_makes_no_sense_is_refused(said: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        sized(level(10), **said)


def test_without_a_price_there_is_nothing_to_commit_to() -> None:
    plan = planned(cpu_forecast(np.full((2, 48), 5.0)), plain(region="mars-1"), goal=BARE)
    with pytest.raises(PlanError, match="it has no price"):
        sized(plan)


def test_offers_are_named_as_people_name_them() -> None:
    assert str(Offer()) == "1 y, no upfront"
