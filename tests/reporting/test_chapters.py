"""What stands beside the plan: last plan, scenarios, money, risks, alarms, data. Each number as its noun says it."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from capacity.planning.plans import Decision, DecisionKind
from capacity.reporting import Report, report
from capacity.reporting.sections import of
from capacity.reporting.sections.decisions import FIRST, decisions
from tests.reporting.chapters import BUDGET, alarms, reviewed, watched, whole
from tests.reporting.fleet import GENERATED_AT, NASTY, small
from tests.reporting.rendered import ON_ONE_WORKER, Page, full

pytestmark = ON_ONE_WORKER


def page() -> Page:
    return Page(whole().render("html").decode())


def grids(made: Report) -> list[dict[str, Any]]:
    return [
        block["table"] for section in of(made.document) for block in section.view(made.document) if "table" in block
    ]


def lines(label: str) -> list[list[str]]:
    """The cells of a table of the whole report, by its label, small print after a slash."""
    (grid,) = [one for one in grids(whole()) if one["label"] == label]
    return [
        [" / ".join(filter(None, (cell["text"] or cell["status"], cell["small"]))) for cell in row["cells"]]
        for row in grid["rows"]
    ]


def test_the_report_opens_with_the_last_plan_and_then_says_what_to_decide() -> None:
    ids = [held["id"] for tag, held in page().tags if tag == "section"]
    assert ids[:7] == ["review", "decisions", "fleet", "scenarios", "cost", "risks", "watch"]
    assert ids[-2:] == ["quality", "method"]


def test_parts_of_the_last_error_lead_from_planned_to_actual_in_the_document_too() -> None:
    said = whole().document["review"]
    for row in (*said["services"], said["fleet"]):
        parts = [row[name] for name in ("planned", "margin", "demand", "capacity", "policy")]
        assert math.isclose(sum(parts), row["actual"], rel_tol=1e-6)
    assert said["fleet"]["usd_actual"] is not None
    assert said["new_plan"]["needed"]
    assert "The last plan no longer held" in page().words


def test_without_a_last_plan_the_decisions_say_where_this_one_is_kept() -> None:
    made = report(small(), kept="report.plan, beside this report", generated_at=GENERATED_AT)
    words = Page(made.render("html").decode()).words
    assert "Last plan against actual" not in words
    assert "This plan is kept in report.plan, beside this report." in words
    assert "This plan is kept in" not in page().words, "nobody has to be told twice"


def test_a_last_plan_that_cannot_be_reviewed_says_so_where_its_review_would_stand() -> None:
    made = report(small(), left_out={"review": "Nothing of it has happened yet."}, generated_at=GENERATED_AT)
    (first, *_) = made.document["sections"]
    assert first == "review"
    assert "Last plan against actual Nothing of it has happened yet." in Page(made.render("html").decode()).words


def test_every_recommendation_of_the_last_plan_is_told_with_what_became_of_it() -> None:
    made = report(small(), review=reviewed(), generated_at=GENERATED_AT)
    told = made.document["review"]["recommendations"]
    assert [one["status"] for one in told] == [fate.status for fate in reviewed().recommendations]


def test_scenarios_differ_from_the_plan_as_it_is_by_what_they_say() -> None:
    rows = lines("Scenarios")
    assert [row[0].split(" / ")[0] for row in rows] == ["as is", NASTY, "a good year"]
    answer = watched().what_if([])
    before = answer.frame.set_index("service").loc[answer.whole, "tasks"]
    assert rows[0][1].startswith(f"{before:,.0f} / ")
    assert rows[0][2] == ""
    assert rows[1][2].startswith("+")


def test_a_savings_plan_to_buy_is_a_decision_too_and_its_options_are_weighed() -> None:
    document = whole().document
    bought = watched().commitment().decision
    assert bought is not None
    assert document["decisions"][-1]["sentence"] == bought.sentence
    assert document["decisions"][-1]["number"] == len(document["decisions"]) == len(watched().decisions) + 1
    saved = {one["option"]: one["saving"] for one in document["cost"]["commitment"]["options"]}
    assert math.isclose(-document["decisions"][-1]["usd_per_month"], saved["advised"], rel_tol=1e-6)
    assert saved["none"] == 0


def test_budgets_and_unit_costs_are_those_of_the_plan() -> None:
    assert [row[0] for row in lines("Budgets")] == [BUDGET.name] * len(lines("Budgets"))
    costs = watched().unit_costs()
    assert costs.sentence in page().words
    (fleet,) = [one for one in whole().document["cost"]["unit_costs"]["services"] if one["service"] == "(fleet)"]
    assert math.isclose(fleet["usd_per_million"], costs.frame["usd_per_million"].iloc[-1], rel_tol=1e-6)


def test_limits_are_told_the_first_to_act_on_first_and_none_that_is_unlikely() -> None:
    limits = whole().document["risks"]["limits"]
    assert limits
    assert all(one["probability"] >= 0.05 for one in limits)
    dates = [one["act_by"] for one in limits if one["act_by"]]
    assert dates == sorted(dates)
    every = watched().limits
    assert len(limits) == (every["probability"] >= 0.05).sum()


def test_a_promise_that_is_broken_is_a_risk_and_one_of_which_nothing_is_known_is_counted_apart() -> None:
    words = page().words
    assert "No promises of 2 hold and will last; of 1 promise nothing is known." in words
    (row,) = lines("Promises that will not last")
    assert row[:4] == ["search / availability, 30 days", "FAIL", "99.0 % / 99.9 %", "10 times"]


def test_what_fails_whole_is_named_one_zone_one_task_one_database() -> None:
    told = {(one["service"], one["what"]) for one in whole().document["risks"]["single_points"]}
    assert told == {(NASTY, "one task"), ("search", "one zone"), ("orders", "shared")}


def test_alarms_that_history_refused_are_risks_and_not_among_those_that_watch() -> None:
    refused = [one for one in alarms().alarms if one.refused]
    assert [row[1] for row in lines("Not watched: alarms that history refused")] == [one.name for one in refused]
    by_kind = {row[0]: row for row in lines("Alarms by kind")}
    counted = sum(int(row[1]) + int(row[2]) for row in by_kind.values())
    assert counted == len(alarms()) == len(alarms().alarms) - 1
    assert len(whole().document["watch"]["alarms"]) == len(alarms().alarms)


def test_an_alarm_never_tried_is_not_one_that_was_never_wrong() -> None:
    (untried,) = [one for one in whole().document["watch"]["alarms"] if one["fired"] is None]
    assert untried["false"] is None
    assert any("not tried" in row[3] for row in lines("Alarms"))


def test_runbooks_are_linked_where_they_are_published_and_nowhere_else() -> None:
    links = [str(held["href"]) for tag, held in page().tags if tag == "a"]
    outside = {link for link in links if not link.startswith("#")}
    assert outside
    assert all(link.startswith("https://wiki.example.com/runbooks/") for link in outside)


def test_coverage_of_the_data_counts_the_gap_that_is_there() -> None:
    series = full().document["quality"]["series"]
    (gapped,) = [one for one in series if one["longest_gap_hours"]]
    assert (gapped["service"], gapped["metric"], gapped["longest_gap_hours"]) == ("checkout", "requests", 48)
    assert math.isclose(gapped["since_known_share"], 1 - 48 / (60 * 24))
    counted = sum(count for one in full().document["quality"]["checks"] for count in one["counts"].values())
    findings = [*full().document["fleet_findings"], *full().document["services"][0]["findings"]]
    assert counted == len(findings)


def test_no_table_is_empty_and_each_numeric_column_says_what_it_counts() -> None:
    for made in (whole(), full()):
        assert all(grid["rows"] for grid in grids(made))
        assert all(len(row["cells"]) == len(grid["columns"]) for grid in grids(made) for row in grid["rows"])


def test_hostile_names_stay_text_in_every_section() -> None:
    made = page()
    assert sum(tag == "script" for tag, _ in made.tags) <= 1
    assert made.text.count(NASTY) > 10
    assert not {"img", "iframe", "object", "base"} & {tag for tag, _ in made.tags}


def test_paper_and_workbook_hold_the_sections_too() -> None:
    import openpyxl
    import pypdf

    paper = " ".join(part.extract_text() for part in pypdf.PdfReader(io.BytesIO(whole().render("pdf"))).pages)
    for title in (
        "Last plan against actual",
        "Scenarios",
        "Cost and commitments",
        "Risks",
        "What is watched",
        "The data",
    ):
        assert title in paper
    book = openpyxl.load_workbook(io.BytesIO(whole().render("xlsx")))
    wanted = {"Review", "Recommendations", "Promises", "Scenarios", "Unit costs", "Commitments", "Budgets", "Risks"}
    assert wanted | {"Error budgets", "Alarms", "Coverage"} <= set(book.sheetnames)
    assert all(not str(cell.value).startswith("=") or cell.data_type == "s" for row in book["Alarms"] for cell in row)
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def many(kind: DecisionKind, count: int) -> tuple[Decision, ...]:
    """Dated decisions of one kind, one a service, twenty a day."""
    first, day = small().decisions[0], pd.Timestamp("2026-12-01", tz="UTC")
    return tuple(
        replace(first, kind=kind, service=f"s-{number}", before=day + pd.Timedelta(days=number // 20))
        for number in range(count)
    )


@pytest.mark.parametrize("kind", ["raise_max", "watch"])
def test_a_long_list_tells_its_most_urgent_one_by_one_and_gathers_the_rest_with_their_first_date(
    kind: DecisionKind,
) -> None:
    made = report(replace(small(), decisions=many(kind, 300)), generated_at=GENERATED_AT)
    (group,) = decisions(made.document)
    assert len(group["items"]) == FIRST + 1
    assert f"{300 - FIRST} services" in "".join(run["text"] for run in group["items"][-1]["what"])
    assert group["items"][-1]["facts"][0] == ["Act by", "1 Dec 2026 on"]
    assert len(made.document["decisions"]) == 300, "the workbook and JSON hold each"
