"""The page `index.html` of a Gatling report: from 3.14 on, the only statistics a run leaves (loadtest.md 3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import ClassVar, Final

import numpy as np

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile, Summary
from capacity.loadtest.readers.finished import Row, number, summary, whole_text
from capacity.loadtest.readers.gatling.rows import label_of
from capacity.loadtest.readers.gatling.statistics import note_failures, note_ranks

_TABLES: Final = ("container_statistics_head", "container_statistics_body")
#: What the columns of the table hold; `col-1` is the name, 3 the successes, 5 the share of failures, 14 the standard
#: deviation; 8 to 11 are percentiles, whose ranks the header says ("95th pct").
_FIGURES: Final = {
    2: "samples",
    4: "errors",
    6: "throughput_per_s",
    7: "min_ms",
    12: "max_ms",
    13: "mean_ms",
}
_USUAL_RANKS: Final = {8: "p50_ms", 10: "p95_ms", 11: "p99_ms"}
_RANK: Final = re.compile(r"(\d+)(st|nd|rd|th) pct")
_COLUMN: Final = re.compile(r"(?:^|\s)col-(\d+)(?:\s|$)")
_ROOT: Final = "ROOT"


class GatlingPage:
    """The table of a report's first page: a row a request and a group, as `GatlingStatistics` has them; the header
    says the ranks of its percentiles.

    Raises InputError for pages of earlier releases, whose table a script fills in from `js/stats.js`.
    """

    name: ClassVar[str] = "Gatling report page"

    def recognises(self, file: ResultFile) -> bool:
        text = file.text[:4096].lower()
        return text.startswith(("<!doctype html", "<html")) and "gatling" in text

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        page = _Page()
        page.feed(whole_text(file, reading))
        rows = {row.key: row for row in page.told()}
        if _ROOT not in rows:
            raise InputError(
                f"{file.path}: a page of Gatling without a table of statistics",
                advice="Before 3.14 a script fills it in: bring js/stats.json, js/stats.js or simulation.log. "
                "From 3.14 on, the table is in index.html alone.",
            )
        root = rows.pop(_ROOT)
        if not page.ranks:
            note_ranks(file.path.name, reading)
        note_failures(root.figures.get("errors", 0.0), root.figures["samples"], "", reading)
        labels = [(label_of(_path(row, rows)), _figures(row)) for row in rows.values()]
        return summary(labels, _figures(root))


def _figures(row: _Row) -> Row:
    """Its figures; without requests there are no times."""
    if row.figures["samples"] > 0:
        return row.figures
    return {name: row.figures[name] for name in ("samples", "errors") if name in row.figures}


def _path(row: _Row, rows: dict[str, _Row]) -> list[str]:
    """Names from the outermost group to the row itself."""
    path = [row.name]
    seen = {row.key}
    while row.parent in rows and row.parent not in seen:
        row = rows[row.parent]
        seen.add(row.key)
        path.insert(0, row.name)
    return path


@dataclass
class _Row:
    key: str
    parent: str
    name: str = ""
    cells: dict[int, float] = field(default_factory=dict)  # by column
    figures: dict[str, float] = field(default_factory=dict)  # by name


class _Page(HTMLParser):
    """Collects the rows of the two tables."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[_Row] = []
        self.ranks: dict[int, str] = {}  # of the columns of percentiles, where the header says them
        self._inside = False
        self._column = 0
        self._naming = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "table":
            self._inside = given.get("id") in _TABLES
        elif not self._inside:
            return
        elif tag == "tr":
            self.rows.append(_Row(given.get("id", ""), given.get("data-parent", "")))
        elif tag in ("td", "th"):
            column = _COLUMN.search(given.get("class" if tag == "td" else "id", ""))
            self._column = int(column[1]) if column else 0
        elif tag == "span":
            self._naming = "ellipsed-name" in given.get("class", "").split()

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._inside = False
        elif tag in ("td", "th", "tr"):
            self._column = 0
        elif tag == "span":
            self._naming = False

    def handle_data(self, data: str) -> None:
        text = data.strip()
        if not (self._inside and self.rows and text):
            return
        if self._naming:
            self.rows[-1].name += text
        elif rank := _RANK.fullmatch(text):
            self.ranks[self._column] = f"p{rank[1]}_ms"
        elif self._column > 1:
            self.rows[-1].cells[self._column] = number(text)

    def told(self) -> list[_Row]:
        """The rows with their figures by name."""
        names = {**_FIGURES, **(self.ranks or _USUAL_RANKS)}
        for row in self.rows:
            row.figures = {names[column]: cell for column, cell in row.cells.items() if column in names}
        return [row for row in self.rows if not np.isnan(row.figures.get("samples", np.nan))]
