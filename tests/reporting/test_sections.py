"""A report shows the sections it was asked for, in their order, in every format; a large one stays within bounds."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from capacity.errors import InputError
from capacity.reporting import Report, report
from capacity.reporting import sections as parts
from capacity.reporting.view import view
from tests.reporting.fleet import GENERATED_AT, NASTY, small
from tests.reporting.large import large
from tests.reporting.rendered import ON_ONE_WORKER, Page, full, rendered, shown

pytestmark = ON_ONE_WORKER


def pages(made: Report) -> list[str]:
    import pypdf

    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(made.render("pdf"))).pages]


def test_sections_are_shown_in_the_order_asked_for_and_no_others() -> None:
    made = shown("cost", "decisions")
    page = Page(made.render("html").decode())
    assert [held["id"] for tag, held in page.tags if tag == "section"] == ["cost", "decisions"]
    assert "Method and sources" not in page.words.replace("under Method and sources", "")
    paper = " ".join(pages(made))
    decision = full().document["decisions"][0]["sentence"].replace("`", "")
    assert paper.index("If tasks follow demand") < paper.index(decision)
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(made.render("xlsx")))
    assert book.sheetnames == ["Summary", "Cost", "Rates", "Decisions"]
    assert json.loads(made.render("json"))["fleet"] == full().document["fleet"]


@pytest.mark.parametrize("name", parts.NAMES)
def test_each_section_stands_alone(name: str) -> None:
    made = shown(name)
    page = Page(made.render("html").decode())
    ids = [held["id"] for _, held in page.tags if "id" in held]
    (skip,) = [held["href"] for _, held in page.tags if held.get("class") == "skip"]
    assert str(skip).removeprefix("#") in ids
    assert pages(made)[0].startswith("Capacity report")
    assert made.render("xlsx").startswith(b"PK")


def test_a_section_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        InputError, match="review, decisions, fleet, scenarios, cost, risks, watch, services, quality, method"
    ):
        report(small(), sections=["costs"], generated_at=GENERATED_AT)
    with pytest.raises(InputError, match="twice"):
        report(small(), sections=["cost", "cost"], generated_at=GENERATED_AT)


def test_a_document_of_before_sections_were_chosen_still_shows_all_of_it() -> None:
    old = {key: value for key, value in full().document.items() if key not in ("sections", "footer")}
    assert view(old) == view(full().document)


def test_blocks_of_every_kind_say_their_text_on_page_and_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """A section of one's own: nothing but blocks, and a name that is code in each of them."""
    from capacity.reporting.sections import blocks
    from capacity.reporting.tables import cell, column, row, table

    def said(document: dict[str, Any]) -> list[dict[str, Any]]:
        grid = table("Grid", [column("Name"), column("USD", number=True)], [row(cell(f"table {NASTY}"), cell("1"))])
        return [
            blocks.heading(f"heading {NASTY}"),
            blocks.text(f"text {NASTY}"),
            blocks.note(f"note {NASTY}"),
            blocks.figures([{"label": f"figure {NASTY}", "value": "2", "note": "three"}]),
            blocks.table(grid),
            blocks.picture("none of that name", "never seen"),
            blocks.bullets([f"bullet {NASTY}", "another"]),
            blocks.callout(f"callout {NASTY}", [f"item {NASTY}"], "bad"),
            blocks.facts([["fact", f"is {NASTY}"]]),
        ]

    own = parts.Section("own", "A section of one's own", said)
    monkeypatch.setattr(parts, "SECTIONS", (*parts.SECTIONS, own))
    made = Report(full().document | {"sections": ["own"]})
    words, paper = Page(made.render("html").decode()).text, "".join("".join(pages(made)).split())
    for kind in ("heading", "text", "note", "figure", "table", "bullet", "callout", "item", "is"):
        assert f"{kind} {NASTY}" in words
        assert "".join(f"{kind} {NASTY}".split()) in paper
    assert "never seen" not in words


def test_a_page_of_a_thousand_services_stays_below_fifteen_megabytes() -> None:
    """Two pages tell what one more service takes: its row, its part, its picture, all it can hold."""
    few, more = (len(large(rows=count, services=count).render("html")) for count in (14, 24))
    each = (more - few) / 10
    full_one = len(rendered("html"))
    assert 1000 * each + 24 * full_one < 15e6


def test_paper_shows_what_is_drawn_and_names_where_the_rest_is() -> None:
    told = pages(large(rows=20, services=20))
    text = " ".join(told)
    assert "Raise the maximum of 65 services: their load will need more." in text
    assert "Drawn in full: 1 of 20 services" in text
    assert text.count("How right this has been") == 1
    assert all(len(page) > 100 for page in told), "no page is empty"


def test_many_are_told_the_same_in_one_line_that_names_the_first() -> None:
    first = small().decisions[0]
    many = tuple(
        replace(first, kind="raise_min", service=f"service-{number}", before=None, current=2, proposed=3, owner="shop")
        for number in range(100)
    )
    words = Page(report(replace(small(), decisions=many), generated_at=GENERATED_AT).render("html").decode()).words
    assert "service-19 2 → 3 and 80 more, each with its numbers in report.xlsx." in words
    assert "service-20 2 → 3," not in words
