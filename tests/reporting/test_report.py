"""The report: decisions first, then why, and every number the same in every format."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from capacity.history import read
from capacity.reporting import report
from tests.reporting.fleet import GENERATED_AT, demand_plan, failing, policy_of, quick, small, web
from tests.reporting.rendered import ON_ONE_WORKER, Page, full, hostile, page, paper, rendered, table, workbook

pytestmark = ON_ONE_WORKER


def test_the_page_opens_with_decisions_and_only_then_says_why() -> None:
    words, sentences = page().words, [one["sentence"].replace("`", "") for one in full().document["decisions"]]
    assert sentences
    rest = [
        words.index(text) for text in ("May reach their maximum", "If tasks follow demand", "Demand, never utilisation")
    ]
    assert rest == sorted(rest)
    assert max(words.index(sentence) for sentence in sentences) < rest[0]


def test_each_format_holds_each_decision() -> None:
    for one in full().document["decisions"]:
        sentence = one["sentence"].replace("`", "")
        assert sentence in page().words
        assert sentence in paper()
        assert one["because"].replace("`", "") in paper()
    held = table(workbook()["Decisions"])
    assert list(held["Decision"]) == [one["sentence"] for one in full().document["decisions"]]
    assert json.loads(rendered("json"))["decisions"] == full().document["decisions"]


def test_a_plan_without_decisions_says_so_gladly() -> None:
    calm = report(replace(small(), decisions=()), generated_at=GENERATED_AT)
    words = Page(calm.render("html").decode()).words
    assert "Nothing has to be decided." in words
    assert "Every service keeps within its limits to 17 December 2026" in words


def test_what_was_not_done_is_said_and_nothing_breaks() -> None:
    bare = report(demand_plan(web(), horizon_days=7, accounts=False), generated_at=GENERATED_AT)
    words = Page(bare.render("html").decode()).words
    assert "No policy was recommended or rehearsed for this report." in words
    assert "how right this forecast is, is unknown" in words
    assert "the Fargate vCPU quota is not stated" in words
    assert bare.render("pdf").startswith(b"%PDF")
    assert bare.render("xlsx").startswith(b"PK")


def test_data_that_failed_is_announced_beside_the_decisions_and_in_the_service() -> None:
    words = page().words
    assert words.count("data that failed") == 2
    assert words.index("Some of this rests on data that failed its checks.") < words.index("May reach their maximum")
    assert "This plan rests on data that failed 1 check" in words
    assert "This plan rests on data that failed 1 check" in paper()
    assert [row["status"] for row in full().document["services"][0]["findings"]] == ["FAIL", "UNKNOWN", "REVIEW"]


def test_a_cost_that_is_not_known_is_unknown_with_its_reason_and_never_zero() -> None:
    unpriced = report(demand_plan(web(region="us-gov-west-1")), generated_at=GENERATED_AT)
    document = unpriced.document
    assert document["cost"]["month"]["mean"] is None
    assert "No price is known for x86_64 in us-gov-west-1" in document["services"][0]["cost"]["reason"]
    words = Page(unpriced.render("html").decode()).words
    assert "Cost per month unknown" in words
    assert "us-gov-west-1, so this plan has no cost for it." in words
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(unpriced.render("xlsx")))
    assert table(book["Services"])["Cost, USD per month: mean"].tolist() == ["unknown"]


def test_a_month_costs_what_its_items_cost_and_what_the_planner_says() -> None:
    part = full().document["services"][0]["cost"]
    assert part["month"]["mean"] == pytest.approx(sum(item["usd_per_month"] for item in part["items"]))
    hours = 28 * 24
    assert part["month"]["mean"] == pytest.approx(small().cost["usd"].sum() * 730 / hours)
    item = part["items"][0]
    assert item["usd_per_month"] == pytest.approx(item["quantity_per_month"] * item["rate"])


def test_the_fleets_interval_is_narrower_than_the_sum_of_its_services() -> None:
    cost = hostile().document["cost"]
    assert cost["month"]["mean"] == pytest.approx(sum(row["mean"] for row in cost["services"]))
    assert cost["month"]["p95"] <= sum(row["p95"] for row in cost["services"]) * (1 + 1e-9)


def test_the_ladder_adds_up_to_the_highest_count() -> None:
    part = full().document["services"][0]
    steps = part["why"]["steps"]
    assert sum(step["added"] for step in steps) == steps[-1]["tasks"]
    rows = small().of("checkout")
    assert part["tasks"]["highest"] == (rows["tasks"] + rows["short"]).max()
    assert steps[-1]["tasks"] + part["why"]["short"] == part["tasks"]["highest"]


def test_the_curve_of_a_limit_ends_at_its_probability() -> None:
    limit = next(limit for limit in full().document["services"][0]["limits"] if limit["limit"] == "max_tasks")
    curve = limit["curve"]["probability"]
    assert curve[-1] == pytest.approx(limit["probability"], abs=1e-4)
    assert curve == sorted(curve)


def test_the_backtest_names_the_model_in_use_and_compares_it_with_seasonal_naive() -> None:
    rows = {(row["metric"], row["model"]): row for row in full().document["services"][0]["accuracy"]}
    chosen = rows["requests", "hand-made"]
    assert chosen["used"]
    assert chosen["against_naive"] == pytest.approx(1 - 0.061 / 0.081)
    assert rows["requests", "seasonal-naive"]["against_naive"] is None
    assert "25 % better" in page().words


def test_tasks_that_ran_are_drawn_up_to_today_in_whatever_intervals_they_are_known() -> None:
    """As CloudWatch keeps them: hours until two weeks ago, then minutes. The highest minute of a day is its highest."""
    cutoff = small().forecast.cutoff
    hours = pd.date_range(cutoff - pd.Timedelta(days=40), cutoff - pd.Timedelta(days=15), freq="h", inclusive="left")
    minutes = pd.date_range(hours[-1] + pd.Timedelta("1h"), cutoff, freq="min", inclusive="left")
    tasks = pd.concat([pd.Series(4.0, hours), pd.Series(5.0, minutes)])
    tasks[minutes[30]] = 9.0
    rows = pd.DataFrame({"timestamp": tasks.index, "value": tasks.to_numpy(), "service": "checkout"})
    rows["interval"] = np.where(rows.index < len(hours), 3600, 60)
    history = read(rows, metric="running_tasks")
    running = report(small(), history=history, generated_at=GENERATED_AT).document["services"][0]["tasks"]["running"]
    assert running["start"][:10] == f"{hours[0]:%Y-%m-%d}"
    assert running["tasks"] == [4.0] * 25 + [9.0] + [5.0] * 14


def test_gaps_of_the_history_stay_gaps_in_what_is_drawn() -> None:
    demand = full().document["services"][0]["demand"][0]
    high = demand["overview"]["past"]["high"]
    days = round(len(high) * demand["overview"]["past"]["step_seconds"] / 86400)
    assert days == 60
    assert high.count(None) == 2
    assert 0.0 not in high


def test_many_small_decisions_of_one_kind_are_one_line_and_dated_ones_stay_alone() -> None:
    names = [f"service-{letter}" for letter in "abcd"]
    first = small().decisions[0]
    undated = [
        replace(first, kind="raise_min", service=name, current=2, proposed=number + 3, before=None, owner="shop",
                usd_per_month=10.0, sentence=f"Raise `{name}` min from 2 to {number + 3}.")
        for number, name in enumerate(names)
    ]  # fmt: skip
    dated = replace(undated[0], service="service-e", before=GENERATED_AT, sentence="Raise `service-e` min.")
    made = report(replace(small(), decisions=(*undated, dated)), generated_at=GENERATED_AT)
    words = Page(made.render("html").decode()).words
    assert "Raise the minimum of 4 services" in words
    assert "service-a 2 → 3, service-b 2 → 4, service-c 2 → 5, service-d 2 → 6." in words
    assert "Spend +40 USD a month" in words
    assert "Raise service-e min." in words
    assert "Raise service-a min" not in words
    assert len(made.document["decisions"]) == 5


def test_two_of_a_kind_are_said_one_by_one() -> None:
    first = replace(small().decisions[0], kind="raise_min", before=None, sentence="Raise `checkout` min from 2 to 3.")
    made = report(replace(small(), decisions=(first, first)), generated_at=GENERATED_AT)
    assert Page(made.render("html").decode()).words.count("Raise checkout min from 2 to 3.") == 2


def test_a_decision_on_failed_data_says_so_also_among_many() -> None:
    first = replace(small().decisions[0], kind="raise_min", service="checkout", before=None, current=2, proposed=3)
    many = tuple(replace(first, service=name) for name in ("checkout", "search", "catalog"))
    alone = report(replace(small(), decisions=(first,)), findings=failing("checkout"), generated_at=GENERATED_AT)
    among = report(replace(small(), decisions=many), findings=failing("checkout"), generated_at=GENERATED_AT)
    assert "Its data failed a check" in Page(alone.render("html").decode()).words
    assert "checkout 2 → 3 (its data failed a check), search 2 → 3," in Page(among.render("html").decode()).words


def test_words_fit_the_interval_of_the_history() -> None:
    times = pd.date_range("2024-01-01", periods=800, freq="D", tz="UTC", unit="us")
    daily = quick(times, 500 + 10 * np.sin(np.arange(800)), 28, web(max_tasks=20))
    words = Page(report(daily, policy=policy_of(daily), generated_at=GENERATED_AT).render("html").decode()).words
    tasks = words[words.index("Tasks ", words.index("Requests decide")) : words.index("Limits More than")]
    assert "hour" not in tasks
    assert "minute" not in tasks
    assert "UTC" not in tasks
    assert "28 of 28 days today's maximum leaves tasks missing" in tasks
    assert "The next two weeks, each day." in tasks
    assert "quarter-hour" not in words
    assert "one value a day, so its replay cannot show what happens within one" in words


def test_a_short_horizon_is_not_called_two_weeks() -> None:
    made = report(demand_plan(web(), horizon_days=7), generated_at=GENERATED_AT)
    words = Page(made.render("html").decode()).words
    assert "The last two weeks and the next week of requests." in words
    assert "The next week, each hour." in words


def test_a_limit_that_hardly_any_future_passes_has_words_and_no_curve() -> None:
    never, likely = report(demand_plan(web(max_tasks=400))), report(demand_plan(web(max_tasks=12)))
    assert "service-1-max_tasks" not in never.pictures
    assert "service-1-max_tasks" in likely.pictures
    assert "400" in Page(never.render("html").decode()).words
