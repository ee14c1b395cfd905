"""Promises of what-if: the same futures, nothing but the scenario between two rows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Account, Goal, PriceSettings, Rate, Scenario, Service, TaskCapacity, config_of
from capacity.errors import InputError
from capacity.forecasting.forecasts import Forecast
from capacity.planning import Plan, WhatIf, plan, what_if
from capacity.schema import WHAT_IF
from tests.makers import daily_wave, hourly, make_demand, make_forecast
from tests.planning.inputs import BARE, as_they_are, cpu_forecast, forecast_of, plain, planned


def fleet_forecast(paths: int = 12) -> Forecast:
    times = hourly(14)
    series = {("web", "requests"): 900.0, ("web", "cpu"): 12.0, ("api", "cpu"): 4.0}
    waves = {key: daily_wave(times, mean, 0.4) for key, mean in series.items()}
    return make_forecast(make_demand(waves, times, burst=1.3), steps=48, paths=paths, growth=0.3)


FLEET = [
    Service(name="web", requests_per_second_per_task=40, max_tasks=50, startup_seconds=600),
    Service(name="api", max_tasks=30, zones=2),
]
FORECAST = fleet_forecast()
#: Drawn peaks and all: what a user has.
PLAN = plan(FORECAST, FLEET, accounts=(Account(fargate_vcpu_quota=100),))


def same(a: Plan, b: Plan) -> None:
    """Byte for byte, whatever is in them."""
    for name in ("frame", "limits", "cost", "total_cost"):
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), check_exact=True)
    assert a.decisions == b.decisions
    assert a.findings == b.findings
    assert a.services == b.services
    for name, need in a.needs.items():
        assert need.tobytes() == b.needs[name].tobytes()
        assert a.path_usd[name].tobytes() == b.path_usd[name].tobytes()


def case(asked: Plan, **fields: Any) -> Plan:
    return asked.what_if(Scenario(name="x", **fields)).plans["x"]


@pytest.mark.parametrize(
    "nothing",
    [
        {},
        {"growth": 1},
        {"growth_percent_per_month": 0},
        {"uplift": 1, "start": "2026-08-17"},
        {"hit_ratio_from": 0.8, "hit_ratio_to": 0.8},
        {"vcpu_per_request_times": 1, "requests_per_task_times": 1},
        {"price_times": 1},
        {"change": {"startup_seconds": 600}, "services": ["web"]},
        {"goal": {"level": 0.95}},
        {"prices": {}},
    ],
)
def test_a_scenario_of_zero_change_changes_nothing_byte_for_byte(nothing: dict[str, Any]) -> None:
    found = PLAN.what_if(Scenario(name="x", **nothing))
    same(found.plans["x"], PLAN)
    assert (found.frame.filter(like="more_") == 0).all(axis=None)
    assert found.plans["as is"] is PLAN


def test_growth_of_two_is_the_plan_of_doubled_paths() -> None:
    base = planned(FORECAST, FLEET)
    doubled = planned(replace(FORECAST, paths=2 * FORECAST.paths), FLEET)
    same(case(base, growth=2), doubled)


def test_drawn_peaks_keep_their_ratio_so_that_a_tenth_less_load_asks_for_a_tenth_less_of_everything() -> None:
    less = case(PLAN, growth=0.9)
    for name, need in PLAN.needs.items():
        np.testing.assert_allclose(less.needs[name], 0.9 * need, rtol=1e-6)


@given(factors=st.lists(st.floats(0.6, 3), min_size=2, max_size=2))
@settings(max_examples=3)
def test_more_growth_never_asks_for_less(factors: list[float]) -> None:
    low, high = (case(PLAN, growth=factor) for factor in sorted(factors))
    assert (high.frame["tasks"] >= low.frame["tasks"]).all()
    assert (high.frame["short"] >= low.frame["short"]).all()
    assert (high.cost["usd"] >= low.cost["usd"]).all()
    assert (high.limits["probability"].to_numpy() >= low.limits["probability"].to_numpy()).all()


def test_growths_that_happen_together_multiply() -> None:
    a, b = Scenario(name="a", growth=1.25), Scenario(name="b", growth=1.5)
    together = PLAN.what_if([(a, b)]).plans["a + b"]
    same(together, case(PLAN, growth=1.875))


PARTS = [
    Scenario(name="growth", growth=1.3),
    Scenario(name="cache", hit_ratio_from=0.9, hit_ratio_to=0.87, services=("web",)),
    Scenario(name="launch", uplift=1.7, start="2026-08-17T08:00", end="2026-08-17T20:00", ramp="2h"),
    Scenario(name="zone", lose_zones=1, services=("web",)),
    Scenario(name="code", vcpu_per_request_times=0.8, requests_per_task_times=1.1),
]


def test_the_order_of_scenarios_does_not_matter() -> None:
    orders = [PARTS, [PARTS[i] for i in (2, 0, 4, 1, 3)]]
    first, second = (PLAN.what_if([tuple(order), *order[:2]]) for order in orders)
    same(list(first.plans.values())[1], list(second.plans.values())[1])
    same(first.plans["growth"], second.plans["growth"])


def test_the_table_has_the_columns_of_the_data_dictionary_and_adds_up() -> None:
    found = PLAN.what_if([PARTS[0], PARTS[3]])
    assert list(found.frame.columns) == WHAT_IF.names
    assert found.frame.dtypes.astype(str).tolist() == [column.type for column in WHAT_IF.columns]
    assert not found.frame.duplicated(list(WHAT_IF.key)).any()
    for name, whole in found.plans.items():
        rows = found.of(name)
        months = len(FORECAST.times) / 730
        assert rows.loc["(all)", "usd_per_month"] * months == pytest.approx(whole.cost["usd"].sum())
        assert rows.loc[["web", "api"], "task_hours"].sum() == rows.loc["(all)", "task_hours"]
        assert rows.loc["(all)", "task_hours"] == whole.frame["tasks"].sum()
        for service in ("web", "api"):
            needed = whole.limits.set_index(["service", "limit"]).loc[(service, "max_tasks"), "needed"]
            assert rows.loc[service, "tasks"] == max(needed, whole.service_named(service).min_tasks)
        today = found.of("as is")
        assert (rows["more_tasks"] == rows["tasks"] - today["tasks"]).all()
        paths = sum(whole.path_usd.values()) - sum(PLAN.path_usd.values())
        assert rows.loc["(all)", "more_usd_p95"] == pytest.approx(np.quantile(paths, 0.95) / months)


def test_a_launch_moves_its_window_and_nothing_else() -> None:
    forecast = cpu_forecast(np.full((3, 24), 4.0))
    base = planned(forecast, plain(timezone="UTC"), goal=BARE)
    launch = {"uplift": 2.5, "start": "2026-11-23T06:00", "end": "2026-11-23T12:00"}
    tasks = case(base, **launch).frame["tasks"].tolist()
    assert tasks == [4] * 6 + [10] * 6 + [4] * 12
    # ramps of two hours: on average a quarter, three quarters; its busiest minute sees the whole half of it
    ramped = case(base, **launch, ramp="2h").forecast.paths[0, 0, 5:13].tolist()
    assert ramped == [4.0, 5.5, 8.5, 10.0, 10.0, 8.5, 5.5, 4.0]
    assert case(base, **launch, ramp="2h").frame["tasks"].tolist()[5:9] == [4, 7, 10, 10]


def test_a_campaign_of_half_an_hour_fills_the_busiest_minute_of_its_hour() -> None:
    base = planned(cpu_forecast(np.full((3, 4), 4.0)), plain(), goal=BARE)
    found = case(base, uplift=2, start="2026-11-23T01:30", end="2026-11-23T02:00")
    assert found.frame["tasks"].tolist() == [4, 8, 4, 4]
    assert found.forecast.paths[0, 0].tolist() == [4.0, 6.0, 4.0, 4.0]


def test_a_path_keeps_what_its_task_carries_whatever_a_scenario_makes_of_its_peak() -> None:
    known = TaskCapacity(requests_per_second=10, low=6, high=14)
    paths = np.random.default_rng(1).uniform(10, 90, (16, 8))
    base = planned(forecast_of({("a", "requests"): paths}), plain("a", task_capacity=known), goal=BARE)
    launch = {
        "uplift": 9,
        "start": "2026-11-23T03:00",
        "end": "2026-11-23T04:00",
    }  # now another hour is every path's peak
    found = base.what_if(Scenario(name="x", **launch)).plans["x"]
    np.testing.assert_array_equal(found.peaks["a"].shares, base.peaks["a"].shares)
    again = found.what_if(Scenario(name="y", **launch)).plans["y"]
    np.testing.assert_array_equal(again.peaks["a"].shares, base.peaks["a"].shares)
    others = [0, 1, 2, 4, 5, 6, 7]
    np.testing.assert_array_equal(found.needs["a"][:, others], base.needs["a"][:, others])


def test_growth_by_the_month_compounds_from_the_start() -> None:
    base = planned(cpu_forecast(np.ones((2, 3)), interval="365h"), plain(), goal=BARE)
    paths = case(base, growth_percent_per_month=44).forecast.paths[0, 0]
    np.testing.assert_allclose(paths, [1.44**0.25, 1.44**0.75, 1.44**1.25])


def test_a_worse_cache_lets_through_what_the_formula_says() -> None:
    base = planned(cpu_forecast(np.full((2, 2), 3.0)), plain(), goal=BARE)
    # 10 % of requests passed, then 20 % of those that may be cached and all of the other half: 0.55 -> 0.6
    assert case(base, hit_ratio_from=0.9, hit_ratio_to=0.8).frame["tasks"].tolist() == [6, 6]
    half = case(base, hit_ratio_from=0.9, hit_ratio_to=0.8, cacheable=0.5).forecast.paths[0, 0, 0]
    assert half == pytest.approx(3.0 * 0.6 / 0.55)


def test_faster_code_takes_less_processor_and_leaves_requests() -> None:
    service = plain("a", requests_per_second_per_task=10, request_target=1.0)
    base = planned(forecast_of({("a", "requests"): [[50.0]], ("a", "cpu"): [[8.0]]}), service, goal=BARE)
    assert base.frame["tasks"].tolist() == [8]
    assert case(base, vcpu_per_request_times=0.75).frame["tasks"].tolist() == [6]
    assert case(base, vcpu_per_request_times=0.25).frame["tasks"].tolist() == [5]  # now requests ask for most
    both = case(base, vcpu_per_request_times=0.25, requests_per_task_times=2.5)
    assert both.frame["tasks"].tolist() == [2]


def test_a_lost_zone_is_planned_on_those_that_stay() -> None:
    base = planned(cpu_forecast([[8.0]]), plain(zones=3), goal=Goal())
    expected = planned(cpu_forecast([[8.0]]), plain(zones=2), goal=Goal())
    assert case(base, lose_zones=1).frame["tasks"].tolist() == expected.frame["tasks"].tolist() == [16]
    with pytest.raises(InputError, match="3 of its 3 zones are lost"):
        case(base, lose_zones=3)
    one, two = (base.what_if(Scenario(name="x", lose_zones=lost)) for lost in (1, 2))
    assert not one.findings
    assert "'x' leaves web one zone, so the loss of another is not planned for" in two.explain()


def test_what_moves_nothing_is_not_said_to_move_most() -> None:
    base = planned(cpu_forecast([[8.0]]), plain(zones=3), goal=Goal())
    nothing = Scenario(name="nothing")
    assert base.what_if(nothing).headline.endswith("It does not move that.")
    assert base.what_if([nothing, Scenario(name="none")]).headline.endswith("None of 2 moves that.")
    dearer = base.what_if([nothing, Scenario(name="dearer", price_times=1.1)])
    assert "What moves that most of 2 is dearer" in dearer.headline


def test_load_that_moves_leaves_one_service_and_reaches_the_other() -> None:
    forecast = forecast_of({("eu", "cpu"): [[6.0, 2.0]], ("us", "cpu"): [[3.0, 9.0]]})
    base = planned(forecast, [plain("eu"), plain("us")], goal=BARE)
    found = case(base, move=[{"source": "eu", "target": "us", "share": 0.5}])
    assert found.of("eu")["tasks"].tolist() == [3, 1]
    assert found.of("us")["tasks"].tolist() == [6, 10]
    grown = base.what_if(
        [(Scenario(name="m", move=[{"source": "eu", "target": "us"}]), Scenario(name="g", growth=2, services=["eu"]))]
    ).plans["m + g"]
    assert grown.of("us")["tasks"].tolist() == [15, 13]  # what has grown moves
    twice = [{"source": "eu", "target": "us", "share": 0.6}, {"source": "eu", "target": "us", "share": 0.6}]
    with pytest.raises(InputError, match="more than all of the load of 'eu'"):
        case(base, move=twice)


def test_a_lost_region_is_carried_by_the_same_services_elsewhere_or_by_stated_shares() -> None:
    services = [
        plain("eu-west-1/web", region="eu-west-1", min_tasks=2),
        plain("us-east-1/web", region="us-east-1"),
        plain(
            "api",
            region="us-east-1",
            regions=[{"region": "us-east-1", "share": 0.75}, {"region": "eu-west-1", "share": 0.25}],
        ),
    ]
    paths = {("eu-west-1/web", "cpu"): [[6.0]], ("us-east-1/web", "cpu"): [[3.0]], ("api", "cpu"): [[6.0]]}
    base = planned(forecast_of(paths), services, goal=BARE)
    found = case(base, lose_region="eu-west-1")
    assert found.frame["tasks"].tolist() == [0, 9, 8]
    with pytest.raises(InputError, match="nothing runs in region 'mars-1'"):
        case(base, lose_region="mars-1")
    with pytest.raises(InputError, match="nobody takes over 'us-east-1/web'"):
        case(planned(forecast_of(paths), services[1:2] + services[2:], goal=BARE), lose_region="us-east-1")


def test_load_that_the_target_is_not_planned_by_cannot_move() -> None:
    paths = {("a", "cpu"): [[6.0]], ("b", "cpu"): [[3.0]], ("b", "requests"): [[3.0]]}
    base = planned(forecast_of(paths), [plain("a"), plain("b", requests_per_second_per_task=1)], goal=BARE)
    with pytest.raises(InputError, match="planned by requests too"):
        case(base, move=[{"source": "a", "target": "b"}])


def test_prices_change_money_and_nothing_else() -> None:
    for fields, ratio in (({"price_times": 1.5}, 1.5), ({"prices": {"discount_percent": 20}}, 0.8)):
        found = case(PLAN, **fields)
        pd.testing.assert_frame_equal(found.frame, PLAN.frame)
        np.testing.assert_allclose(found.cost["usd"], PLAN.cost["usd"] * ratio)
    stated = PLAN.what_if(
        Scenario(name="x", prices=PriceSettings(rate=[Rate(region="us-east-1", vcpu=1.0, memory_gb=0.0)]))
    )
    assert stated.plans["x"].rates[0].vcpu == 1.0


def test_a_stricter_slo_follows_the_shared_processor_where_it_is_known_and_is_refused_where_not() -> None:
    known = TaskCapacity(requests_per_second=40, low=30, high=50, slo_ms=500, vcpu_seconds_per_request=0.015)
    service = plain("a", task_capacity=known)
    base = planned(forecast_of({("a", "requests"): [[100.0]]}), service, goal=BARE)
    found = base.what_if(Scenario(name="x", slo_ms=400))
    then = found.plans["x"].services[0].task_capacity
    assert then is not None  # 60 % busy within 500 ms: within 400 ms 1 - 0.4 x 500 / 400 = 50 %
    assert then.requests_per_second == pytest.approx(0.5 / 0.015)
    assert then.interval == pytest.approx((0.5 / 0.015 * 0.75, 0.5 / 0.015 * 1.25))
    assert "shared processor" in found.explain()
    with pytest.raises(InputError, match="no load keeps 100 ms"):
        case(base, slo_ms=100)
    with pytest.raises(InputError, match="is not known"):
        case(planned(cpu_forecast([[1.0]]), plain()), slo_ms=100)


def test_a_task_of_another_size_serves_by_its_vcpu_and_it_is_said() -> None:
    service = plain("a", requests_per_second_per_task=10, request_target=1.0)
    base = planned(forecast_of({("a", "requests"): [[80.0]]}), service, goal=BARE)
    found = base.what_if(Scenario(name="x", change={"task_vcpu": 2, "task_memory_gib": 4}))
    assert found.plans["x"].frame["tasks"].tolist() == [4]
    assert "'x' takes requests/s of a task for granted" in found.explain()
    stated = base.what_if(
        Scenario(name="x", change={"task_vcpu": 2, "task_memory_gib": 4}, requests_per_task_times=1.5)
    )
    assert stated.plans["x"].frame["tasks"].tolist() == [6]
    assert not stated.findings


def test_settings_are_checked_as_any_others_and_a_stated_rate_replaces_a_measured_one() -> None:
    with pytest.raises(InputError, match=r"web: min_tasks \(60\) is above max_tasks \(50\)"):
        case(PLAN, change={"min_tasks": 60})
    known = plain("a", task_capacity=TaskCapacity(requests_per_second=40))
    base = planned(forecast_of({("a", "requests"): [[100.0]]}), known, goal=BARE)
    assert case(base, change={"requests_per_second_per_task": 10}).services[0].task_capacity is None
    with pytest.raises(InputError, match="changes what is known of no service it concerns"):
        case(planned(cpu_forecast([[1.0]]), plain()), requests_per_task_times=2)
    requests = planned(forecast_of({("a", "requests"): [[100.0]]}), plain("a", requests_per_second_per_task=10))
    with pytest.raises(InputError, match="changes what is known of no service it concerns"):
        case(requests, vcpu_per_request_times=0.5)


@pytest.mark.parametrize(
    ("scenarios", "words"),
    [
        ([Scenario(name="x", services=["shop"])], "no service 'shop' is planned"),
        ([Scenario(name="x"), Scenario(name="x")], "two scenarios are called 'x'"),
        ([Scenario(name="as is")], "that is the plan itself"),
        (["launch"], "'launch' is not a Scenario"),
        ([()], "an empty combination"),
        ([Scenario(name="x", combines=["y"])], "combines 'y', which is not there"),
        (
            [tuple(Scenario(name=name, change={"min_tasks": count}) for name, count in (("a", 2), ("b", 3)))],
            "'a' and 'b' set min_tasks of api to different values: 2 and 3",
        ),
        ([tuple(Scenario(name=n, goal={"level": v}) for n, v in (("a", 0.9), ("b", 0.8)))], r"set \[goal\] level"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(scenarios: list[Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        PLAN.what_if(scenarios)


def test_two_parts_that_say_the_same_of_different_services_do_not_contradict() -> None:
    parts = (
        Scenario(name="a", services=["web"], change={"min_tasks": 2}),
        Scenario(name="b", services=["api"], change={"min_tasks": 3}),
    )
    assert [one.min_tasks for one in PLAN.what_if([parts]).plans["a + b"].services] == [2, 3]


def test_the_scenarios_of_a_config_are_asked_whole_and_combinations_find_their_parts() -> None:
    config = config_of(
        {
            "service": [{"name": "web"}],
            "scenario": [
                {"name": "a", "growth": 1.5},
                {"name": "b", "lose_zones": 1},
                {"name": "c", "combines": ["a", "b"]},
            ],
        }
    )
    found = PLAN.what_if(config)
    assert list(found.plans) == ["as is", "a", "b", "c"]
    only = PLAN.what_if(config.scenario[2], among=config.scenario)
    same(only.plans["c"], found.plans["c"])


def test_a_plan_of_a_scenario_can_be_asked_again() -> None:
    grown = case(PLAN, growth=1.5)
    same(case(grown, growth=2), case(PLAN, growth=3))


def test_an_own_way_to_read_peaks_goes_along() -> None:
    def thrice(asked: Forecast) -> np.ndarray:
        return 3 * np.asarray(asked.paths)

    base = plan(cpu_forecast([[2.0, 2.0]]), plain(), goal=BARE, peaks=thrice)
    assert case(base, growth=2).frame["tasks"].tolist() == [12, 12]


def test_one_service_by_another_name_than_its_series_is_found() -> None:
    base = plan(cpu_forecast([[2.0, 2.0]], "series"), plain("service"), goal=BARE, peaks=as_they_are)
    assert case(base, growth=2).frame["tasks"].tolist() == [4, 4]
    assert "service: 4 tasks" not in base.what_if(Scenario(name="x", growth=2)).explain()


def test_it_shows_itself_in_words_a_table_and_a_picture() -> None:
    found = PLAN.what_if([PARTS[0], Scenario(name="<b>", note="why", growth="300%")])
    assert isinstance(found, WhatIf)
    text = str(found)
    assert text.startswith("As is: ")
    assert "What moves that most of 2 is <b>:" in text
    assert "Then likely passed: " in text
    assert "why" in text
    assert "<b>" not in found._repr_html_().replace("<strong>", "")
    document = found.plot().to_dict()  # Vega-Lite checks itself against its schema
    assert len(document["hconcat"]) == 2
    assert json.dumps(document) == json.dumps(found.plot().to_dict())
    assert "growth" in json.dumps(found.plot("web").to_dict())
    for wrong in (found.of, found.plot, found.newly):
        with pytest.raises(InputError, match="There are: "):
            wrong("cart")


def test_without_a_price_money_is_unknown_and_never_zero() -> None:
    base = planned(cpu_forecast([[2.0, 2.0]]), plain(launch_type="EC2"), goal=BARE)
    found = base.what_if(Scenario(name="x", growth=2))
    assert found.frame.filter(like="usd").isna().all(axis=None)
    assert "USD" not in found.explain()
    found.plot().to_dict()


def test_a_plan_that_was_not_made_by_plan_is_refused() -> None:
    with pytest.raises(InputError, match="does not hold what was asked"):
        what_if(replace(PLAN, asked=None), [])


def test_what_happens_together_is_what_happens_one_after_the_other() -> None:
    cache, launch = PARTS[1:3]
    together = PLAN.what_if([(cache, launch)]).plans["cache + launch"]
    after = PLAN.what_if(cache).plans["cache"].what_if(launch).plans["launch"]
    for name, need in together.needs.items():
        np.testing.assert_allclose(need, after.needs[name], rtol=1e-5)
