"""The tables of JMeter's Aggregate Report and Summary Report, saved as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from capacity.errors import InputError, Problem
from capacity.loadtest.readers.base import Reading, ResultFile, Summary
from capacity.loadtest.readers.finished import Row, number, summary, whole_text

#: Columns by what English versions and the plugins' command line (`aggregate_report_...`) call them.
_NAMES: Final = {
    "label": "label",
    "sampler_label": "label",
    "# samples": "samples",
    "count": "samples",
    "average": "mean_ms",
    "median": "p50_ms",
    "min": "min_ms",
    "max": "max_ms",
    "error %": "errors",
    "error%": "errors",
    "throughput": "throughput_per_s",
    "rate": "throughput_per_s",
}
_LINE: Final = re.compile(r"(\d+(?:[.,]\d+)?)\s?%(?:[ _].*)?")  # "95% Line", "aggregate_report_95%_line"

#: By the place of the column that ends in "%": headers follow the language of the GUI, their order does not.
_AGGREGATE: Final = (
    "label",
    "samples",
    "mean_ms",
    "p50_ms",
    "p90_ms",
    "p95_ms",
    "p99_ms",
    "min_ms",
    "max_ms",
    "errors",
)
_OLD_AGGREGATE: Final = ("label", "samples", "mean_ms", "p50_ms", "p90_ms", "min_ms", "max_ms", "errors")  # to 2.11
_SUMMARY: Final = ("label", "samples", "mean_ms", "min_ms", "max_ms", "", "errors")
_BY_PLACE: Final = {9: _AGGREGATE, 7: _OLD_AGGREGATE, 6: _SUMMARY}

_PER: Final = {"sec": 1.0, "s": 1.0, "min": 60.0, "hour": 3600.0, "h": 3600.0}
_RATE: Final = re.compile(r"([\d.,]+)\s*/\s*(sec|s|min|hour|h)", re.IGNORECASE)


@dataclass(frozen=True)
class JMeterAggregate:
    """A row a label; the last one, TOTAL in English, is the total as JMeter counts it.

    Errors are told as a share of three decimals, so their count is rounded. A Summary Report has no percentiles. Those
    of an Aggregate Report are taken by the rank in their header, and are exact over the run.
    """

    name: ClassVar[str] = "JMeter Aggregate or Summary Report"

    def recognises(self, file: ResultFile) -> bool:
        rows = _cells(file.text)
        return len(rows) > 1 and _columns(rows[0], rows[1]) is not None

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        rows = _cells(whole_text(file, reading).lstrip())
        columns = _columns(rows[0], rows[1])
        problems = [
            Problem(f"the row has {len(row)} cells, the header {len(rows[0])}", where=f"{file.path} row {place}")
            for place, row in enumerate(rows[1:], start=2)
            if len(row) != len(rows[0])
        ]
        if columns is None or problems:
            raise InputError(f"{file.path} is no report as JMeter saves it.", problems, "Save the table again.")
        cells = [dict(zip(columns, row, strict=False)) for row in rows[1:]]
        if any("," in row["errors"] for row in cells):  # a share has no thousands: the GUI wrote a decimal comma
            cells = [
                {**row, **{name: _pointed(row[name]) for name in row if name not in ("", "label")}} for row in cells
            ]
        read = [_row(row, file) for row in cells]
        last, total = rows[-1][0], read[-1][1]
        parts = read[:-1]
        counted = sum(row["samples"] for _, row in parts)
        if not parts or counted != total["samples"]:
            why = f"its last row, {last!r}, counts {total['samples']:,.0f} samples and the others {counted:,.0f}"
            reading.note("no total", "REVIEW", f"{file.path.name}: {why}; it was read as a label, and added up")
            return summary(read, None)
        return summary(parts, total)


def _cells(text: str) -> list[list[str]]:
    """The rows, with the delimiter that makes most of the header: comma, or a semicolon as Excel writes."""
    first = text.split("\n", 1)[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return []
    return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]


def _columns(header: Sequence[str], row: Sequence[str]) -> tuple[str, ...] | None:
    """What the cells of a row are, by the header's names or else by their places; None when this is another table."""
    named = tuple(_named(cell) for cell in header)
    if {"label", "samples", "mean_ms", "errors", "throughput_per_s"} <= set(named):
        return named
    share = next((place for place, cell in enumerate(row) if cell.endswith("%")), -1)
    places = _BY_PLACE.get(share)
    if places is None or not len(places) + 2 <= len(row) == len(header) <= len(places) + 4:
        return None
    if any(np.isnan(number(cell)) for cell in row[1:share]):
        return None
    return (*places, "throughput_per_s", *[""] * (len(row) - len(places) - 1))


def _named(cell: str) -> str:
    name = cell.lower().removeprefix("aggregate_report_")
    line = _LINE.fullmatch(name)
    return f"p{float(line[1].replace(',', '.')):g}_ms" if line else _NAMES.get(name, "")


def _pointed(text: str) -> str:
    """A figure of a GUI that writes decimal commas, with a point.

    >>> _pointed("2,000%"), _pointed("1.234,5")
    ('2.000%', '1234.5')
    """
    return text.replace(".", "").replace(",", ".")


def _row(cells: dict[str, str], file: ResultFile) -> tuple[str, Row]:
    row = {column: number(text) for column, text in cells.items() if column not in ("", "label", "errors")}
    share = cells["errors"]
    samples = row["samples"]
    part = number(share.removesuffix("%")) / 100 if share.endswith("%") else number(share)
    rate = _RATE.fullmatch(cells["throughput_per_s"])
    if rate:
        row["throughput_per_s"] = number(rate[1]) / _PER[rate[2].lower()]
    if np.isnan(samples):
        raise InputError(f"{file.path}: the count of {cells['label']!r} is {cells['samples']!r}, which is no number.")
    if not 0 <= part <= 1 and not np.isnan(part):
        raise InputError(f"{file.path}: the share of errors of {cells['label']!r} is {share!r}, more than all or none.")
    return cells["label"], {**row, "errors": float(np.round(part * samples))}
