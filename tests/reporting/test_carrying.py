"""What one task carries, how sure that is, and what binds first: on the page, on paper, in the workbook, in JSON."""

from __future__ import annotations

import io
from datetime import date
from functools import cache
from typing import Any

import pytest

from capacity.config import Limit, Service, TaskCapacity
from capacity.planning import bottlenecks
from capacity.planning.plans import Plan
from capacity.reporting import Report, report
from tests.reporting.fleet import GENERATED_AT, NASTY, demand_plan, small, web
from tests.reporting.rendered import ON_ONE_WORKER, Page, page, table

pytestmark = ON_ONE_WORKER

KNOWN = TaskCapacity(
    requests_per_second=10,
    low=6,
    high=14,
    slo_ms=250,
    method="load test",
    measured=date(2026, 9, 3),
    evidence=("Two runs of 20 minutes.",),
)


def checkout(**fields: Any) -> Service:
    limits = (
        Limit(name=NASTY, kind="connections", total=300, per_task=12),
        Limit(name="payments", kind="downstream", total=1e6),
        Limit(name="cache", kind="connections", total=100),
    )
    return web(requests_per_second_per_task=None, task_capacity=KNOWN, limit=limits, **fields)


@cache
def carrying() -> tuple[Plan, Report]:
    """The plan starts on 20 November 2026."""
    plan = demand_plan(checkout(), web("search"))
    return plan, report(plan, generated_at=GENERATED_AT)


@cache
def words() -> str:
    return Page(carrying()[1].render("html").decode()).words


def test_the_page_shows_what_a_task_carries_with_interval_method_and_age() -> None:
    assert "What one task carries Requests/s per taskP95 within 250 ms 95 % interval" in words()
    assert "10 6 to 14 load test 3 Sep 2026 78 days old 2 Dec 2026 Two runs of 20 minutes." in words()
    assert words().count("What one task carries Requests/s") == 1  # of `search` only a rate is stated


def test_the_page_shows_what_binds_in_the_order_of_a_growing_load() -> None:
    plan, _ = carrying()
    found = bottlenecks(plan).of("checkout")
    part = words()[words().index("What binds") :]
    places = [part.index(text) for text in ("while deploying", "Requests within the SLO", "CPU", "unknown")]
    assert places == sorted(places)
    assert found["resource"].iloc[0] == f"deploying: {NASTY}"
    assert ">1,000x" in part
    assert "bring connections and running_tasks in the history" in part


def test_a_name_of_a_limit_is_text() -> None:
    tags = Page(carrying()[1].render("html").decode()).tags
    assert not [tag for tag, _ in tags if tag == "script"]
    assert "".join(NASTY.split()) in "".join(words().split())


def test_the_json_holds_the_same_as_the_plan() -> None:
    plan, made = carrying()
    own, other = made.document["services"]
    assert (own["task_capacity"]["low"], own["task_capacity"]["high"], own["task_capacity"]["age_days"]) == (6, 14, 78)
    assert own["task_capacity"]["expires"] == "2026-12-02"
    assert other["task_capacity"] is None
    rows = bottlenecks(plan).of("checkout")
    assert [row["resource"] for row in own["bottlenecks"]["rows"]] == rows["resource"].tolist()
    first, shown = rows.iloc[0], own["bottlenecks"]["rows"][0]
    assert shown["binds_at"] == pytest.approx(first["binds_at"], rel=1e-6)
    assert shown["demand"] == first["demand"]
    assert own["bottlenecks"]["sentence"] == bottlenecks(plan).sentence("checkout")
    held = [one for one in plan.decisions if one.kind == "measure"]
    freed = sum(int((one.current or 0) - (one.proposed or 0)) for one in held)
    assert own["task_capacity"]["tasks_for_not_knowing"] == freed


def test_the_workbook_holds_both_as_numbers() -> None:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(carrying()[1].render("xlsx")))
    services = table(book["Services"]).set_index("Service")
    assert services["One task carries, requests/s"].to_dict() == {"checkout": 10, "search": 10}
    assert services.loc["checkout", "Lower end of 95 %, requests/s"] == 6
    assert services.loc["checkout", "Known by"] == "load test"
    assert services.loc["search", "Lower end of 95 %, requests/s"] == "unknown"
    binding = table(book["Bottlenecks"])
    assert binding["Service"].unique().tolist() == ["checkout", "search"]
    assert binding["Holds until, times the peak"].iloc[0] < 1


def test_paper_says_both() -> None:
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(carrying()[1].render("pdf")))
    text = " ".join(" ".join(part.extract_text() for part in reader.pages).split())
    assert "What one task carries" in text
    assert "Requests within the SLO" in text


def test_a_bare_rate_has_no_table_and_one_resource_nothing_to_say() -> None:
    assert "What one task carries" not in page().words
    plan = small()
    alone = report(demand_plan_of_requests(), generated_at=GENERATED_AT)
    assert alone.document["services"][0]["bottlenecks"] is None
    assert report(plan, generated_at=GENERATED_AT).document["services"][0]["bottlenecks"] is not None


def demand_plan_of_requests() -> Plan:
    from capacity.planning import plan

    made = small()
    forecast = made.forecast.select([key for key in made.forecast.keys if key.metric == "requests"])
    return plan(forecast, made.services, peaks=lambda forecast: forecast.paths)
