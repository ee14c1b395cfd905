"""What one task carries, how sure that is, and what binds first: on the page, on paper, in the workbook, in JSON."""

from __future__ import annotations

import pytest

from capacity.planning import bottlenecks, plan
from capacity.reporting import report
from capacity.reporting.carrying import bottlenecks_view
from tests.reporting.fleet import NASTY, nasty, small
from tests.reporting.rendered import ON_ONE_WORKER, hostile, page, paper, table, workbook

pytestmark = ON_ONE_WORKER


def test_the_page_shows_what_a_task_carries_with_interval_method_and_age() -> None:
    words = page("hostile").words  # the plan starts on 20 November 2026
    assert "What one task carries Requests/s per taskP95 within 250 ms 95 % interval" in words
    assert "10 6 to 14 load test 3 Sep 2026 78 days old 2 Dec 2026 Two runs of 20 minutes." in words
    assert words.count("What one task carries Requests/s") == 1  # of the other service only a rate is stated


def test_the_page_shows_what_binds_in_the_order_of_a_growing_load() -> None:
    part = page("hostile").words
    part = part[part.rindex("What binds") :]
    places = [part.index(text) for text in ("while deploying", "Requests within the SLO", "CPU", "unknown")]
    assert places == sorted(places)
    assert bottlenecks(nasty()).of("search")["resource"].iloc[0] == f"deploying: {NASTY}"
    assert ">1,000x" in part
    assert "bring connections and running_tasks in the history" in part


def test_the_json_holds_the_same_as_the_plan() -> None:
    other, own = hostile().document["services"]
    assert (own["task_capacity"]["low"], own["task_capacity"]["high"], own["task_capacity"]["age_days"]) == (6, 14, 78)
    assert own["task_capacity"]["expires"] == "2026-12-02"
    assert other["task_capacity"] is None
    rows = bottlenecks(nasty()).of("search")
    assert [row["resource"] for row in own["bottlenecks"]["rows"]] == rows["resource"].tolist()
    first, shown = rows.iloc[0], own["bottlenecks"]["rows"][0]
    assert shown["binds_at"] == pytest.approx(first["binds_at"], rel=1e-6)
    assert shown["demand"] == first["demand"]
    assert own["bottlenecks"]["sentence"] == bottlenecks(nasty()).sentence("search")
    (held,) = [one for one in nasty().decisions if one.kind == "measure"]
    assert own["task_capacity"]["tasks_for_not_knowing"] == (held.current or 0) - (held.proposed or 0) > 0


def test_the_workbook_holds_both_as_numbers() -> None:
    services = table(workbook("hostile")["Services"]).set_index("Service")
    assert services["One task carries, requests/s"].tolist() == [10, 10]
    assert services.loc["search", "Lower end of 95 %, requests/s"] == 6
    assert services.loc["search", "Known by"] == "load test"
    assert services.loc[NASTY, "Lower end of 95 %, requests/s"] == "unknown"
    binding = table(workbook("hostile")["Bottlenecks"]).set_index("Service")
    assert binding.loc["search", "Holds until, times the peak"].iloc[0] < 1


def test_paper_says_both() -> None:
    assert "What one task carries" in paper("hostile")
    assert "Requests within the SLO" in paper("hostile")


def test_a_bare_rate_has_no_table_and_one_resource_nothing_to_say() -> None:
    assert "What one task carries" not in page().words
    requests = small().forecast.select([key for key in small().forecast.keys if key.metric == "requests"])
    alone = plan(requests, small().services, peaks=lambda forecast: forecast.paths)
    assert report(alone).document["services"][0]["bottlenecks"] is None


def test_retries_bind_in_a_disturbance_and_are_not_marked_as_a_peak_that_is_not_held() -> None:
    one = {"demand": 47.0, "carries": 40.0, "unit": "tasks", "binds_at": 0.8, "evidence": "", "lever": ""}
    kinds = {"max_tasks": "today's maximum", "retries: mobile app": "retries of mobile app"}
    both = [{**one, "resource": resource, "name": name, "tasks_saved": None} for resource, name in kinds.items()]
    shown = bottlenecks_view({"at": "2026-11-23T01:00:00Z", "rows": both}, "web")
    assert shown is not None
    assert [line["strong"] for line in shown["table"]["rows"]] == [True, False]
    assert "in a disturbance" in shown["text"]
    alone = bottlenecks_view({"at": "2026-11-23T01:00:00Z", "rows": both[:1]}, "web")
    assert alone is not None and "disturbance" not in alone["text"]
