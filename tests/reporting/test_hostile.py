"""Nothing from data is code, in any format."""

from __future__ import annotations

import pytest

from tests.reporting.fleet import NASTY
from tests.reporting.rendered import ON_ONE_WORKER, Page, hostile, page, paper, rendered, workbook

pytestmark = ON_ONE_WORKER


def test_a_hostile_name_stays_text_in_html() -> None:
    tags = page("hostile").tags
    assert not [tag for tag, _ in tags if tag in {"script", "iframe", "object", "embed", "img", "link", "base"}]
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert page("hostile").text.count(NASTY) > 5
    assert "<script>alert" not in rendered("html", "hostile").decode()


def test_a_hostile_name_stays_text_in_the_pdf() -> None:
    assert "".join(NASTY.split()) in "".join(paper("hostile").split())


def test_a_hostile_name_stays_text_in_the_workbook() -> None:
    book = workbook("hostile")
    found = 0
    for sheet in book:
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            if isinstance(cell.value, str) and "cmd()" in cell.value:
                found += 1
                assert cell.data_type == "s", (sheet.title, cell.coordinate)
    assert found > 10


@pytest.mark.parametrize("which", ["full", "hostile"])
def test_no_cell_of_the_workbook_is_a_formula(which: str) -> None:
    kinds = {cell.data_type for sheet in workbook(which) for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "d", "inlineStr"}


def test_a_hostile_name_stays_text_in_a_notebook() -> None:
    shown = Page(hostile()._repr_html_())
    assert {tag for tag, _ in shown.tags} <= {"h3", "p", "ol", "li", "code"}
    assert NASTY in shown.text
