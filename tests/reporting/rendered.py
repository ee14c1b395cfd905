"""A report that holds everything, and the same for a hostile name: each made and rendered once for all tests."""

from __future__ import annotations

import io
from functools import cache
from html.parser import HTMLParser
from typing import Any, Final

import pandas as pd
import pytest

from capacity.reporting import Report, report
from capacity.reporting.branding import NO_BRAND, Brand
from tests.reporting.fleet import GENERATED_AT, NASTY, failing, nasty, policy_of, scores_of, small

#: On the tests that use what is kept here: each worker would make its own.
ON_ONE_WORKER: Final = pytest.mark.xdist_group("report")


@cache
def full() -> Report:
    """Everything a report can hold: a policy, a backtest, findings of every status."""
    return report(
        small(),
        policy=policy_of(small()),
        findings=failing("checkout"),
        scores=scores_of(small()),
        generated_at=GENERATED_AT,
    )


def shown(*names: str, footer: str = "", brand: Brand = NO_BRAND) -> Report:
    """The full report with some of its sections, its pictures drawn once for all."""
    made = Report(full().document | {"sections": list(names), "footer": footer}, brand)
    vars(made)["pictures"] = full().pictures
    return made


@cache
def hostile() -> Report:
    """The same for a service whose name is code everywhere, in every place a name can reach."""
    return report(
        nasty(),
        policy=policy_of(nasty()),
        findings=failing(NASTY),
        scores=scores_of(nasty()),
        title=NASTY,
        generated_at=GENERATED_AT,
    )


@cache
def rendered(kind: str, which: str = "full") -> bytes:
    return {"full": full, "hostile": hostile}[which]().render(kind)


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, and all text."""

    INLINE = ("a", "b", "code", "span", "strong")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        self.text += "" if tag in self.INLINE else " "

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def words(self) -> str:
        """The text with every space, breaking or not, as one space."""
        return " ".join(self.text.split())


@cache
def page(which: str = "full") -> Page:
    return Page(rendered("html", which).decode())


@cache
def paper(which: str = "full") -> str:
    """The text of the PDF, spaces made plain."""
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(rendered("pdf", which)))
    return " ".join(" ".join(part.extract_text() for part in reader.pages).split())


@cache
def workbook(which: str = "full") -> Any:
    import openpyxl

    return openpyxl.load_workbook(io.BytesIO(rendered("xlsx", which)))


def table(sheet: Any, header: int = 1) -> pd.DataFrame:
    rows = list(sheet.iter_rows(values_only=True))
    return pd.DataFrame(rows[header:], columns=rows[header - 1])
