"""What an origin carries when its cache does worse: by hand, by the planner itself, and for any ratio."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Goal, PriceSettings, Rate, Service, TaskCapacity
from capacity.errors import InputError
from capacity.forecasting.forecasts import Forecast
from capacity.planning import Plan
from capacity.planning.caching import (
    SCENARIOS,
    CacheWhatIf,
    Caching,
    LruCache,
    Popularity,
    TtlCache,
    ttl_hit_ratio,
    what_if,
    zipf,
)
from capacity.planning.caching.caches import cold_misses
from capacity.schema import CACHE_WHAT_IF
from tests.planning.inputs import BARE, CUTOFF, as_they_are, forecast_of, plain, planned

#: One task serves exactly ten requests/s, and its price is one dollar an hour.
WEB = plain(requests_per_second_per_task=10, request_target=1.0, max_tasks=30)
PRICE = Rate(region="us-east-1", vcpu=1.0, memory_gb=0.0)


def asked(paths: object, caching: Caching, service: Service = WEB, goal: Goal = BARE, **more: object) -> CacheWhatIf:
    forecast = forecast_of({("web", "requests"): paths})
    return what_if(planned(forecast, service, goal=goal, prices=PRICE), "web", caching, peaks=as_they_are, **more)  # type: ignore[arg-type]


def steady(requests: float = 100.0, paths: int = 40, steps: int = 24) -> np.ndarray:
    return np.full((paths, steps), requests)


def test_the_arithmetic_that_matters_by_hand() -> None:
    answer = asked(steady(), Caching(0.95))
    rows = answer.frame.set_index("scenario")
    expected = {
        "as is": (1.0, 100, 10),
        "hit ratio -1 point": (1.2, 120, 12),
        "hit ratio -5 points": (2.0, 200, 20),  # from 0.95 to 0.90 the origin's load doubles (loadtest.md 9.1)
        "hit ratio -10 points": (3.0, 300, 30),
        "purge at the peak": (20.0, 2000, 200),  # 1 / (1 - h)
        "cache outage": (20.0, 2000, 200),
    }
    for name, (times, origin, tasks) in expected.items():
        assert rows.loc[name, "times"] == pytest.approx(times, rel=1e-5), name
        assert rows.loc[name, "origin_per_s"] == pytest.approx(origin, rel=1e-5), name
        assert rows.loc[name, "tasks"] == tasks, name
    assert rows["exceeded"].tolist() == [0, 0, 0, 0, 1, 1]
    assert rows.loc["cache outage", "reached"] == CUTOFF
    assert answer.caching.sensitivity == pytest.approx(-20)


def test_what_may_not_be_cached_is_not_lost_with_the_cache() -> None:
    answer = asked(steady(), Caching(0.9, cacheable=0.5))  # 45 % are answered, so 181.8 requests/s come in
    assert answer.of("cache outage")["origin_per_s"] == pytest.approx(100 / 0.55)
    assert answer.of("hit ratio -10 points")["origin_per_s"] == pytest.approx(100 * (1 - 0.8 * 0.5) / 0.55)


def test_a_cache_that_protects_a_database_changes_queries_and_no_tasks() -> None:
    caching = Caching(0.9, protects="database", lookups_per_request=3, nodes=4)
    answer = asked(steady(), caching, limit=100)
    assert answer.of("as is")["origin_per_s"] == pytest.approx(30)  # 100 x 3 x 0.1
    assert answer.of("cache outage")["origin_per_s"] == pytest.approx(300)
    assert answer.of("cache node lost")["origin_per_s"] == pytest.approx(300 * (1 - 0.9 * 3 / 4))
    assert answer.frame["tasks"].isna().all() and answer.curve["tasks"].isna().all()
    assert answer.frame.set_index("scenario")["exceeded"].loc[["as is", "cache outage"]].tolist() == [0, 1]
    assert answer.headline == (
        "Without its cache, the database behind `web` would get 300 queries/s instead of 30, 10 times today's load "
        "(95 % sure). The database carries 100."
    )
    assert asked(steady(), caching).frame["exceeded"].isna().all()  # nobody said what the database carries


@pytest.mark.parametrize("known", [None, TaskCapacity(requests_per_second=10, low=8, high=11)])
def test_as_is_is_the_plan_whatever_is_known_of_a_task(known: TaskCapacity | None) -> None:
    random = np.random.default_rng(0)
    paths = random.lognormal(4, 0.3, size=(60, 48))
    service = WEB.model_copy(
        update={"zones": 3, "minimum_healthy_percent": 50, "startup_seconds": 600.0, "task_capacity": known}
    )
    forecast = forecast_of({("web", "requests"): paths})
    whole = planned(forecast, service, goal=Goal())
    answer = what_if(whole, "web", Caching(0.9, 0.85, 0.93), peaks=as_they_are)
    row, limit = answer.of("as is"), whole.limits.iloc[0]
    assert (row["tasks"], row["exceeded"]) == (limit["needed"], limit["probability"])
    assert row["reached"] is limit["first"] is pd.NaT or row["reached"] == limit["first"]
    hours = whole.path_usd["web"].mean() * 730 / 48
    assert row["usd_per_month"] == pytest.approx(hours, rel=1e-6)


def test_what_runs_for_the_minimum_is_there_when_the_cache_fails() -> None:
    answer = asked(steady(), Caching(0.9), WEB.model_copy(update={"min_tasks": 20, "max_tasks": 200}))
    assert answer.of("as is")[["tasks_low", "tasks", "tasks_high"]].tolist() == [20, 20, 20]  # 10 would do
    assert answer.of("cache outage")["tasks"] == 100
    assert answer.of("cache outage")["standby_usd_per_month"] == pytest.approx(80 * 730)
    assert answer.curve["tasks"].min() == 20


def test_each_row_is_the_plan_of_that_much_more_demand() -> None:
    random = np.random.default_rng(1)
    paths = random.lognormal(4, 0.3, size=(60, 48))
    service = WEB.model_copy(update={"zones": 2, "startup_seconds": 600.0, "max_tasks": 40})
    answer = asked(paths, Caching(0.8), service, goal=Goal())
    for name, share in (("hit ratio -10 points", 0.3), ("cache outage", 1.0)):
        more = planned(forecast_of({("web", "requests"): paths * share / 0.2}), service, goal=Goal())
        row, limit = answer.of(name), more.limits.iloc[0]
        assert row["tasks"] == limit["needed"]
        assert row["exceeded"] == limit["probability"]
        assert (row["reached"] == limit["first"]) or (row["reached"] is pd.NaT and limit["first"] is pd.NaT)


def test_the_hit_ratio_is_drawn_on_every_path_and_its_interval_is_what_was_said() -> None:
    caching = Caching(0.95, 0.90, 0.97)
    draws = caching.draws(4_000, seed=3)
    assert np.quantile(draws, [0.025, 0.5, 0.975]) == pytest.approx([0.90, 0.95, 0.97], abs=2e-4)
    assert (caching.draws(100, seed=3) == caching.draws(100, seed=3)).all()
    row = asked(steady(paths=4_000, steps=2), caching, scenarios=[]).of("cache outage")
    assert (row["hit_low"], row["hit_high"]) == (0, 0)
    passes = 1 - caching.draws(4_000)
    assert row["origin_high"] == pytest.approx(np.quantile(100 / passes, 0.95), rel=1e-3)
    assert row["origin_low"] < 2000 < row["origin_high"]


def test_the_order_of_the_futures_does_not_matter() -> None:
    random = np.random.default_rng(2)
    paths, order = random.lognormal(4, 0.4, size=(30, 5)), random.permutation(30)
    one, two = (asked(each, Caching(0.9, 0.8, 0.95)).frame for each in (paths, paths[order]))
    pd.testing.assert_frame_equal(one, two)


@given(ratio=st.floats(0, 0.999), share=st.floats(0.05, 1), spread=st.floats(0, 0.3))
@settings(deadline=None, max_examples=8)
def test_a_worse_cache_never_needs_less(ratio: float, share: float, spread: float) -> None:
    low, high = max(ratio - spread, 0), min(ratio + spread / 10, 0.9995)
    answer = asked(steady(paths=12, steps=3), Caching(ratio, low, high, cacheable=share))
    rows = answer.frame.set_index("scenario")
    worse = ["as is", "hit ratio -1 point", "hit ratio -5 points", "hit ratio -10 points", "cache outage"]
    for column in ("origin_per_s", "tasks", "exceeded", "times"):
        assert rows.loc[worse, column].is_monotonic_increasing, column
    assert (answer.curve["tasks"].diff().dropna() <= 0).all()
    assert (rows["tasks_low"] <= rows["tasks_high"]).all()


def test_the_curve_holds_todays_point_and_that_of_an_outage() -> None:
    answer = asked(steady(), Caching(0.873))
    at = answer.curve.set_index("hit_ratio")["tasks"]
    assert at.loc[0.873] == answer.of("as is")["tasks"]
    assert at.loc[0.0] == answer.of("cache outage")["tasks"]
    assert at.index.is_monotonic_increasing


KEYS = Popularity.of_zipf(2_000, 0.8)


def test_a_change_of_ttl_follows_the_formula_at_the_load_of_the_peak() -> None:
    caching = Caching.of_keys(KEYS, TtlCache(60), rate=500, cacheable=1.0)
    rates = 500 * zipf(2_000, 0.8)
    answer = asked(steady(500 * (1 - caching.hit_ratio)), caching)
    assert "model" not in {finding.check for finding in answer.findings}
    today = 1 - ttl_hit_ratio(rates, 60)
    for name, ttl in (("TTL halved", 30), ("TTL doubled", 120)):
        times = (1 - ttl_hit_ratio(rates, ttl)) / today
        assert answer.of(name)["times"] == pytest.approx(times, rel=1e-6)
    purge = answer.of("purge at the peak")
    assert purge["origin_per_s"] == pytest.approx(500 * cold_misses(TtlCache(60), rates, 60), rel=1e-6)
    assert 0 < purge["refill_seconds"] <= 60
    assert "Origin Shield off" not in set(answer.frame["scenario"])


def test_a_model_that_does_not_fit_the_load_of_the_peak_is_a_finding() -> None:
    answer = asked(
        steady(100), Caching(0.5, popularity=KEYS, cache=TtlCache(60))
    )  # 2,000 keys a minute are 33 a second
    (finding,) = [finding for finding in answer.findings if finding.check == "model"]
    assert "At the 200 cacheable requests/s of the peak" in finding.message


def test_without_a_shared_tier_every_edge_misses_for_itself() -> None:
    caching = Caching.of_keys(KEYS, TtlCache(300, edges=30, shield=True), rate=500)
    with_tier = asked(steady(), caching)
    assert with_tier.of("Origin Shield off")["times"] > 1.5


def test_an_lru_cache_has_no_ttl_and_says_so() -> None:
    answer = asked(steady(), Caching.of_keys(KEYS, LruCache(400)))
    told = {finding.message: finding.status for finding in answer.findings if finding.check == "scenario"}
    assert told["TTL halved: does not apply: the cache is a LRU of 400 keys."] == "UNKNOWN"
    assert answer.of("purge at the peak")["refill_seconds"] > 0


def test_without_key_statistics_only_the_first_are_answered_and_the_others_say_why() -> None:
    answer = asked(steady(), Caching(0.9, 0.88, 0.92))
    assert list(answer.frame["scenario"]) == list(SCENARIOS[:6])
    reasons = {finding.message.partition(":")[0]: finding for finding in answer.findings}
    assert set(reasons) == set(SCENARIOS[6:])
    assert "without key statistics" in reasons["TTL halved"].message
    assert all(finding.status == "UNKNOWN" and finding.advice for finding in reasons.values())
    assert np.isnan(answer.of("purge at the peak")["refill_seconds"])
    assert "TTL halved, TTL doubled, Origin Shield off: cannot be computed" in answer.explain()


def test_an_endpoint_made_cacheable_and_a_campaign_with_random_addresses() -> None:
    answer = asked(steady(), Caching(0.8, cacheable=0.5), newly_cacheable=0.25, random_query=0.1)
    assert answer.of("endpoint made cacheable")["times"] == pytest.approx((1 - 0.8 * 0.75) / 0.6)
    assert answer.of("random query string")["times"] == pytest.approx((1 - 0.8 * 0.45) / 0.6)
    for wrong in ({"newly_cacheable": 0.6}, {"random_query": 1.5}, {"miss_cost": -1}):
        with pytest.raises(InputError):
            asked(steady(), Caching(0.8, cacheable=0.5), **wrong)


def test_requests_that_are_cheap_to_answer_need_fewer_tasks_when_they_come() -> None:
    light = asked(steady(), Caching(0.9), miss_cost=0.2).of("cache outage")
    assert light["tasks"] == 28  # 10 tasks for today's, 900 requests/s more at a fifth of the work
    assert light["origin_per_s"] == pytest.approx(1000)


def test_cost_is_of_what_lasts_and_of_tasks_kept_for_what_does_not() -> None:
    rows = asked(steady(), Caching(0.9)).frame.set_index("scenario")
    assert rows.loc["as is", "usd_per_month"] == pytest.approx(10 * 730)
    assert rows.loc["hit ratio -10 points", "usd_per_month"] == pytest.approx(20 * 730)
    assert np.isnan(rows.loc["cache outage", "usd_per_month"])
    assert rows.loc["cache outage", "standby_usd_per_month"] == pytest.approx((100 - 10) * 730)


def test_the_table_is_that_of_the_data_dictionary_and_the_same_every_time() -> None:
    one, two = (asked(steady(), Caching(0.9, 0.8, 0.95), seed=4).frame for _ in range(2))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert list(one.columns) == CACHE_WHAT_IF.names
    assert one.dtypes.astype(str).tolist() == [column.type for column in CACHE_WHAT_IF.columns]


def test_only_the_scenarios_asked_for_and_unknown_ones_are_refused() -> None:
    answer = asked(steady(), Caching(0.9), scenarios=["hit ratio -5 points"])
    assert list(answer.frame["scenario"]) == ["as is", "hit ratio -5 points", "cache outage"]
    with pytest.raises(InputError, match="no scenario is called 'earthquake'"):
        asked(steady(), Caching(0.9), scenarios=["earthquake"])
    with pytest.raises(InputError, match="There are: as is, hit ratio -5 points, cache outage"):
        answer.of("TTL halved")


def test_a_forecast_will_do_where_there_is_no_plan() -> None:
    forecast: Forecast = forecast_of({("web", "requests"): steady()})
    straight = what_if(forecast, WEB, Caching(0.9), goal=BARE, prices=PriceSettings(rate=(PRICE,)), peaks=as_they_are)
    pd.testing.assert_frame_equal(straight.frame, asked(steady(), Caching(0.9)).frame)
    with pytest.raises(InputError, match="does not know the service"):
        what_if(forecast, "web", Caching(0.9))


def test_vcpu_alone_plans_too_and_a_database_needs_requests() -> None:
    whole: Plan = planned(forecast_of({("web", "cpu"): steady(4.0)}), plain(), goal=BARE)
    answer = what_if(whole, "web", Caching(0.5), peaks=as_they_are)
    assert answer.of("cache outage")[["vcpu", "tasks"]].tolist() == [8, 8]
    assert answer.frame["origin_per_s"].isna().all()
    with pytest.raises(InputError, match="queries of its database follow from requests"):
        what_if(whole, "web", Caching(0.5, protects="database"), peaks=as_they_are)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hit_ratio": 95}, "95 % is 0.95"),
        ({"hit_ratio": 1.0}, "from 0 to below 1"),
        ({"hit_ratio": float("nan")}, "from 0 to below 1"),
        ({"hit_ratio": 0.9, "low": 0.8}, "state both or none"),
        ({"hit_ratio": 0.9, "low": 0.95, "high": 0.97}, "ends in order"),
        ({"hit_ratio": 0.9, "cacheable": 0}, "share of requests"),
        ({"hit_ratio": 0.9, "protects": "queue"}, "'service' or a 'database'"),
        ({"hit_ratio": 0.9, "nodes": 0}, "one or more"),
        ({"hit_ratio": 0.9, "rate": -1}, "above 0 requests/s"),
    ],
)
def test_caching_that_cannot_be_says_why(settings: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Caching(**settings)  # type: ignore[arg-type]


def test_it_shows_itself_in_words_and_pictures() -> None:
    answer = asked(steady(), Caching(0.9, 0.88, 0.92), service=WEB.model_copy(update={"timezone": "Europe/Paris"}))
    assert answer.headline.startswith("Without its cache, `web` would need ")
    assert " (95 % sure), 10 times today's load at the median, at its peak about" in answer.headline
    assert "its maximum leaves" in answer.headline and "Europe/Paris" in answer.headline
    assert "<td>cache outage</td>" in answer._repr_html_()
    chart = answer.plot().to_dict()
    assert len(chart["layer"]) == 6
    text = answer.explain()
    assert "Hit ratio 90.0 % (88.0 % to 92.0 %), stated, of the 100 % of requests that may be cached." in text
    assert text.count("\n- ") == 6 + 4


def test_a_hostile_name_stays_text() -> None:
    name = "<script>alert(1)</script>"
    whole = planned(forecast_of({(name, "requests"): steady()}), WEB.model_copy(update={"name": name}), goal=BARE)
    assert "<script>" not in what_if(whole, name, Caching(0.9), peaks=as_they_are)._repr_html_()
