"""What every noun promises to a notebook: to show itself as a table in which names stay text, and to draw itself."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest

import capacity
from tests.contracts.shown import HOSTILE, MAKERS

#: Documents, and what is set up or stands somewhere: there is nothing in them to draw.
NOT_DRAWN: Final = {
    *("Advice", "Chain", "Dashboard", "Diff", "Discovery", "Fetched", "Live", "Reconciled", "Report", "Runbooks"),
    *("Settings", "Store"),
}
#: Those that name no service, file or scenario; alarms, whose names monitors have to take; and runbooks, whose titles
#: are Markdown, in which a name is escaped.
NAMELESS: Final = {
    *("Alarms", "Chain", "Commitment", "Elasticity", "LoadPlan", "Runbooks", "Scaling", "UniversalScalability"),
}
#: Of these the fields are what there is to say; and a report is read in a browser.
PLAIN: Final = {"Chain", "Elasticity", "Report", "Settings", "Store"}

DRAWN: Final = sorted(MAKERS.keys() - NOT_DRAWN)

#: Of pandas' tables and of what we write around them: nothing that loads or runs.
TAGS: Final = {
    *("p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "style", "div", "h3", "ol", "ul", "li"),
}


@cache
def one(noun: str) -> Any:
    return MAKERS[noun]()


class Page(HTMLParser):
    """Tags and text of a piece of HTML, as a browser reads it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def words(chart: dict[str, Any]) -> list[dict[str, Any]]:
    """The titles of a chart, or of each that stands in it beside others."""
    beside = [part for key in ("hconcat", "vconcat") for part in chart.get(key, ())]
    return [title for part in beside for title in words(part)] if beside else [chart.get("title", {})]


def test_every_noun_that_shows_itself_is_tried_here() -> None:
    found = set()
    for path in Path(capacity.__file__).parent.rglob("*.py"):
        name = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            named = re.match(r"class (\w+)", line)
            name = named[1] if named else name
            if re.match(r"    def (_repr_html_|plot)\(", line):
                found.add(name)
    assert found == set(MAKERS)


@pytest.mark.parametrize("noun", sorted(MAKERS))
def test_in_a_notebook_a_name_stays_text(noun: str) -> None:
    assert noun in [part.__name__ for part in type(one(noun)).__mro__]
    page = Page(one(noun)._repr_html_())
    assert {"p"} <= set(page.tags) <= TAGS
    assert noun in NAMELESS or HOSTILE in page.text


@pytest.mark.parametrize("noun", sorted(MAKERS.keys() - PLAIN))
def test_printed_a_noun_is_words_and_not_its_fields(noun: str) -> None:
    said = str(one(noun))
    assert said
    assert not said.startswith(f"{noun}(")


@pytest.mark.parametrize("noun", DRAWN)
def test_a_noun_draws_itself_with_a_title_and_the_unit_below_it(noun: str) -> None:
    chart = one(noun).plot().to_dict()  # Vega-Lite's schema is checked by it
    titles = words(chart)
    assert titles
    for title in titles:
        assert title.get("text"), "what it is of"
        assert title.get("subtitle"), "in which unit"
