"""Money: itemised, path by path, from a dated price or from none, never from zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import PriceSettings, Rate, Service
from capacity.errors import ConfigError
from capacity.planning.prices import HOURS_PER_MONTH, Prices, built_in, usd_per_hour
from capacity.schema import COST
from tests.planning.inputs import BARE, cpu_forecast, forecast_of, plain, planned


def test_the_check_value_of_one_vcpu_and_two_gb_in_virginia() -> None:
    rate = Prices().of(Service(name="web", task_vcpu=1, task_memory_gib=2, region="us-east-1"))
    assert usd_per_hour(Service(name="web", task_vcpu=1, task_memory_gib=2), rate) == pytest.approx(0.04937)
    assert rate is not None
    assert round(0.04937 * HOURS_PER_MONTH, 2) == 36.04


def test_every_built_in_price_names_its_day_and_source_and_stands_once() -> None:
    rates = built_in()
    assert len({(rate.region, rate.architecture) for rate in rates}) == len(rates)
    assert len(rates) == 9 + 5  # regions of x86 and of ARM in the published table
    assert {rate.date for rate in rates} == {"2026-09-11"}
    assert all(rate.source and rate.vcpu > rate.memory_gb > 0 for rate in rates)
    arm = {rate.region for rate in rates if rate.architecture == "arm64"}
    assert arm == {"us-east-1", "us-east-2", "eu-west-1", "ap-south-1", "sa-east-1"}


def test_storage_above_twenty_gb_is_billed_and_the_rest_is_not() -> None:
    rate = built_in()[0]
    free, paid = (Service(name="web", ephemeral_storage_gib=size) for size in (20, 120))
    assert usd_per_hour(paid, rate) - usd_per_hour(free, rate) == pytest.approx(100 * 0.000111)
    forecast = cpu_forecast([[1.0]])
    assert list(planned(forecast, plain()).cost["item"]) == ["vcpu", "memory"]
    assert list(planned(forecast, plain(ephemeral_storage_gib=120)).cost["item"]) == ["vcpu", "memory", "storage"]


@given(loads=st.lists(st.lists(st.floats(0, 50), min_size=3, max_size=3), min_size=1, max_size=8))
@settings(deadline=None, max_examples=30)
def test_cost_is_the_sum_of_its_items_on_every_path(loads: list[list[float]]) -> None:
    service = plain(min_tasks=1, max_tasks=20, ephemeral_storage_gib=30)
    plan = planned(cpu_forecast(loads, interval="30min"), service, goal=BARE)
    hourly = 0.04048 + 2 * 0.004445 + 10 * 0.000111
    slow = [sum(min(max(int(np.ceil(x - 1e-6 * max(x, 1))), 1), 20) for x in path) / 2 * hourly for path in loads]
    np.testing.assert_allclose(plan.path_usd["web"], slow)
    assert plan.cost["usd"].sum() == pytest.approx(np.mean(slow))
    assert plan.cost["p95"].sum() == pytest.approx(np.quantile(slow, 0.95))
    assert plan.cost["planned"].sum() == pytest.approx(plan.frame["tasks"].sum() / 2 * hourly)
    assert (plan.cost["quantity"] * plan.cost["rate"]).tolist() == pytest.approx(plan.cost["usd"].tolist())
    assert list(plan.cost.columns) == COST.names


def test_the_fleet_is_added_path_by_path_and_not_quantile_by_quantile() -> None:
    opposite = forecast_of({("a", "cpu"): [[1.0], [9.0]], ("b", "cpu"): [[9.0], [1.0]]})
    plan = planned(opposite, [plain("a"), plain("b")], goal=BARE)
    total = plan.total_cost.loc["horizon"]
    assert total["p5"] == pytest.approx(total["p95"]) == pytest.approx(10 * 0.04937)
    assert plan.cost["p95"].sum() > 1.5 * total["p95"]
    assert plan.total_cost.loc["month", "usd"] == pytest.approx(10 * 0.04937 * 730)


def test_a_region_without_a_price_costs_nothing_known_rather_than_nothing() -> None:
    forecast = forecast_of({("a", "cpu"): [[1.0]], ("b", "cpu"): [[1.0]]})
    plan = planned(forecast, [plain("a"), plain("b", region="mars-1")], goal=BARE)
    rows = plan.cost[plan.cost["service"] == "b"]
    assert rows[["rate", "usd", "p5", "p50", "p95", "planned"]].isna().all(axis=None)
    assert (rows["quantity"] > 0).all()
    (finding,) = [f for f in plan.findings if f.check == "price"]
    assert (finding.service, finding.status) == ("b", "UNKNOWN")
    assert '[[prices.rate]] region = "mars-1"' in finding.advice
    assert plan.total_cost.loc["month", ["services", "unpriced"]].tolist() == [1, 1]
    assert plan.total_cost.loc["horizon", "usd"] == pytest.approx(0.04937)


def test_with_no_price_at_all_the_total_is_unknown() -> None:
    plan = planned(cpu_forecast([[1.0]]), plain(region="mars-1"))
    assert plan.total_cost[["usd", "p5", "p50", "p95", "planned"]].isna().all(axis=None)
    assert plan.rates == ()


def test_ec2_tasks_are_not_priced_one_by_one() -> None:
    plan = planned(cpu_forecast([[1.0]]), plain(launch_type="EC2"))
    assert plan.cost["usd"].isna().all()
    assert any("paid by the instance" in f.message for f in plan.findings)


def test_a_stated_rate_replaces_the_built_in_one_and_says_where_it_is_from() -> None:
    mine = Rate(region="us-east-1", vcpu=1.0, memory_gb=0.0, source="contract", date="2026-10-01")
    for prices in (mine, [mine], PriceSettings(rate=(mine,))):
        plan = planned(cpu_forecast([[3.0]]), plain(), goal=BARE, prices=prices)
        assert plan.cost["usd"].sum() == pytest.approx(3.0)
        assert plan.rates == (mine,)


def test_a_discount_is_taken_off_every_item_and_named() -> None:
    full = planned(cpu_forecast([[3.0]]), plain(), goal=BARE)
    less = planned(cpu_forecast([[3.0]]), plain(), goal=BARE, prices=PriceSettings(discount_percent=20))
    assert (less.cost["usd"] / full.cost["usd"]).tolist() == pytest.approx([0.8, 0.8])
    assert less.rates[0].source.endswith("less 20 %")


def test_two_rates_for_one_place_are_refused() -> None:
    mine = Rate(region="us-east-1", vcpu=1.0, memory_gb=0.0)
    with pytest.raises(ConfigError, match="two rates for us-east-1 x86_64"):
        planned(cpu_forecast([[3.0]]), plain(), prices=[mine, mine])


def test_prices_that_are_no_rates_are_refused() -> None:
    with pytest.raises(ConfigError, match="is not a Rate"):
        planned(cpu_forecast([[3.0]]), plain(), prices=["cheap"])  # type: ignore[list-item]


@given(
    loads=st.lists(st.lists(st.floats(0, 50), min_size=3, max_size=3), min_size=1, max_size=8),
    base=st.integers(0, 8),
    share=st.floats(0.05, 1),
)
@settings(deadline=None, max_examples=15)
def test_spot_and_addresses_are_items_of_the_same_sum(loads: list[list[float]], base: int, share: float) -> None:
    service = plain(max_tasks=40, on_demand_base=base, spot_share=share, public_ipv4=True, ephemeral_storage_gib=30)
    plan = planned(cpu_forecast(loads), service, goal=BARE)
    dear, cheap = 0.04048 + 2 * 0.004445, 0.01288871 + 2 * 0.00141527
    slow = []
    for path in loads:
        tasks = [min(int(np.ceil(x - 1e-6 * max(x, 1))), 40) for x in path]
        spot = [share * max(n - base, 0) for n in tasks]
        hours = zip(tasks, spot, strict=True)
        slow.append(sum((n - s) * dear + s * cheap + n * (10 * 0.000111 + 0.005) for n, s in hours))
    np.testing.assert_allclose(plan.path_usd["web"], slow, atol=1e-9)
    assert plan.cost["usd"].sum() == pytest.approx(np.mean(slow), abs=1e-9)
    assert list(plan.cost["item"]) == ["vcpu", "memory", "spot_vcpu", "spot_memory", "storage", "public_ipv4"]
    assert (plan.cost["quantity"] * plan.cost["rate"]).tolist() == pytest.approx(plan.cost["usd"].tolist())


def test_spot_without_a_price_costs_nothing_known() -> None:
    plan = planned(cpu_forecast([[4.0]]), plain(region="sa-east-1", spot_share=0.5), goal=BARE)
    assert np.isnan(plan.path_usd["web"]).all()
    (finding,) = [f for f in plan.findings if f.check == "price"]
    assert finding.status == "UNKNOWN"
    assert "spot_vcpu" in finding.advice


def test_a_price_of_more_than_a_year_ago_is_said_to_be_old() -> None:
    def said(day: str) -> list[str]:
        mine = Rate(region="us-east-1", vcpu=1.0, memory_gb=0.1, date=day)
        plan = planned(cpu_forecast([[3.0]]), plain(), goal=BARE, prices=mine)
        return [f.message for f in plan.findings if f.check == "price"]

    assert said("2025-11-01") == ["Its price in us-east-1 (x86_64) is of 2025-11-01, more than a year ago."]
    assert said("2025-12-01") == said("") == said("soon") == []
