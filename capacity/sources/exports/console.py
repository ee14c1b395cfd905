"""The CSV that the CloudWatch console downloads of a graph: rows that describe each column, then a row a stamp.

    Id,m1,m2
    StatusCode,Complete,Complete
    Messages,,
    Full label,eu-west-1:AWS/ECS ClusterName:shop ServiceName:web CPUUtilization Average 300,...
    Label,CPUUtilization,...
    2026/08/03 00:00:00,12.5,...

"Amazon CloudWatch User Guide", Graphing metrics, names the action ("Download as .csv") and not the form; this is the
form as people's parsers read it (public repositories; the example has the order of words of a file of February 2026).
So rows are known by their first cell, in any order and number, and words of a label are found wherever they stand.
Stamps have no offset: they are UTC or local as the console was set, and the caller says which.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from capacity.findings import Finding
from capacity.sources.exports.heads import Series
from capacity.sources.exports.statuses import status_finding
from capacity.sources.exports.wide import melted
from capacity.sources.problems import Problems
from capacity.sources.tables import RawTable

if TYPE_CHECKING:
    from capacity.sources.translate import Reading

#: First cells of the rows that describe columns. The last three are known from graphs of single statistics.
_DESCRIBING: Final = ("id", "statuscode", "messages", "full label", "label", "unit", "statistic", "period")
#: How the console writes stamps.
_STAMP: Final = re.compile(r"\d{4}[/-]\d{2}[/-]\d{2}")


def is_console(table: RawTable) -> bool:
    """Whether a table begins as the console's downloads do: rows of which one gives labels, and then a stamp."""
    if not table.header:
        return False
    cells, count = _first_cells(table), _described(table)
    labelled = any(word in ("full label", "label") for word in cells[:count])
    return labelled and (_STAMP.match(cells[count]) is not None if count < len(cells) else count > 1)


def from_console(table: RawTable, reading: Reading, problems: Problems, findings: list[Finding]) -> RawTable | None:
    """One row a value, headed by our column names."""
    count = _described(table)
    kinds = _first_cells(table)[:count]
    series = []
    for position in range(1, len(table.header)):
        column = table.columns[position]
        cells = [table.header[position], *(_text(cell) for cell in column.iloc[: count - 1])]
        said = dict(zip(kinds, cells, strict=True))
        values = column.iloc[count - 1 :].reset_index(drop=True)
        if not any(cells):  # a comma at the end of each line
            continue
        one = _series(said)
        findings += status_finding(table.name, one.label, said.get("statuscode", ""), said.get("messages", ""))
        series.append((one, values))
    body = RawTable(
        table.name, [], [], table.rows[count - 1 :], decimal_comma=table.decimal_comma, fetched_us=table.fetched_us
    )
    stamps = table.columns[0].iloc[count - 1 :].reset_index(drop=True)
    if len(stamps) == 0:
        problems.add("has labels and no rows", table.name)
        return None
    return melted(body, series, stamps, {}, reading, problems, findings)


def _first_cells(table: RawTable) -> list[str]:
    """The first column, header included, as far as it can describe columns."""
    cells = [table.header[0], *(_text(cell) for cell in table.columns[0].iloc[: len(_DESCRIBING)])]
    return [cell.strip().casefold() for cell in cells]


def _described(table: RawTable) -> int:
    """How many rows describe columns, the first of the file included."""
    known = np.array([cell in _DESCRIBING for cell in _first_cells(table)])
    return len(known) if known.all() else int(np.argmin(known))


def _series(said: dict[str, str]) -> Series:
    label, full, name = (said.get(kind, "") for kind in ("label", "full label", "id"))
    carried = {"unit": said.get("unit", ""), "stat": said.get("statistic", ""), "interval": said.get("period", "")}
    return Series(label or full, tuple(other for other in (full, name) if other), carried)


def _text(cell: object) -> str:
    return cell.strip() if isinstance(cell, str) else ""
