"""The document as a workbook for finance: numbers as numbers, units in headings, text that can never be a formula.

Sheets: Summary, then those of the sections. No cell is a formula: intervals
and what-ifs cannot follow a rate changed by hand, so rates are changed in capacity.toml, where everything follows.
Stamps are UTC, written as dates without a zone, which Excel does not have.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pandas as pd

from capacity.errors import MissingExtra
from capacity.reporting import sections, words
from capacity.reporting.sheets import Kind, Sheet

FORMATS: Final[dict[str, str]] = {
    "count": "#,##0",
    "number": "#,##0.00",
    "usd": "#,##0.00",
    "rate": "0.000000",
    "share": "0.0%",
    "date": "d mmm yyyy",
    "moment": "d mmm yyyy hh:mm",
}

#: Excel refuses longer text in a cell, and more rows in a sheet.
LONGEST_TEXT: Final = 32_767
MOST_ROWS: Final = 1_048_576


def render(document: dict[str, Any]) -> bytes:
    """The workbook's bytes: the same for the same document."""
    try:
        import xlsxwriter
    except ImportError:
        raise MissingExtra("xlsxwriter", "report", "writing the report as a workbook") from None
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, options)
    made = pd.Timestamp(document["generated_at"] or document["period"]["cutoff"]).tz_localize(None).to_pydatetime()
    book.set_properties({"title": document["title"], "created": made, "author": "capacity"})
    sheets = Sheets(book)
    summary(sheets, document)
    for sheet in sections.sheets(document):
        sheets.table(sheet)
    book.close()
    return buffer.getvalue()


@dataclass
class Sheets:
    """A workbook with our formats, and the only ways anything is written into it."""

    book: Any

    def __post_init__(self) -> None:
        plain = {"font_name": "Calibri", "font_size": 11, "valign": "top"}
        self.formats = {kind: self.book.add_format(plain | {"num_format": form}) for kind, form in FORMATS.items()}
        self.formats["text"] = self.book.add_format(plain | {"text_wrap": True})
        self.formats["unknown"] = self.book.add_format(plain | {"font_color": "#6b7280", "align": "right"})
        self.heading = self.book.add_format(
            plain | {"bold": True, "text_wrap": True, "bottom": 1, "bg_color": "#F1F3F5"}
        )
        self.strong = self.book.add_format(plain | {"bold": True})
        self.title = self.book.add_format(plain | {"bold": True, "font_size": 16})
        self.total = self.book.add_format(plain | {"bold": True, "num_format": FORMATS["usd"], "top": 1})

    def table(self, asked: Sheet) -> None:
        """One sheet: headings that stay in sight, then a row an item; a filter when there is something to filter."""
        sheet = self.book.add_worksheet(asked.name)
        top = 1 if asked.note else 0
        rows = asked.rows[: MOST_ROWS - top - 3]
        if asked.note:
            sheet.write_string(0, 0, asked.note, self.strong)
        for place, field in enumerate(asked.fields):
            sheet.write_string(top, place, field.heading, self.heading)
            sheet.set_column(place, place, field.width)
        for line, row in enumerate(rows, start=top + 1):
            for place, field in enumerate(asked.fields):
                self.put(sheet, line, place, field.value(row), field.kind)
        if rows and asked.totals:
            sheet.write_string(top + len(rows) + 2, 0, asked.total_label, self.strong)
            for place, field in enumerate(asked.fields):
                if field.heading in asked.totals:
                    sheet.write_number(top + len(rows) + 2, place, asked.totals[field.heading], self.total)
        sheet.freeze_panes(top + 1, 1)
        if rows:
            sheet.autofilter(top, 0, top + len(rows), len(asked.fields) - 1)
        finish(sheet)

    def put(self, sheet: Any, line: int, place: int, value: Any, kind: Kind) -> None:
        """A value as its kind; one that is not known says so, and is never blank or 0."""
        if value is None:
            sheet.write_string(
                line, place, "" if kind in ("text", "date", "moment") else words.UNKNOWN, self.formats["unknown"]
            )
        elif kind == "text":
            sheet.write_string(line, place, str(value)[:LONGEST_TEXT], self.formats["text"])
        elif kind in ("date", "moment"):
            sheet.write_datetime(line, place, clock(value), self.formats[kind])
        else:
            sheet.write_number(line, place, float(value), self.formats[kind])


def finish(sheet: Any) -> None:
    """On paper: landscape, one page wide, headings repeated."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&RPage &P of &N")


def clock(stamp: str) -> datetime:
    """A stamp as Excel keeps it: UTC, without a zone."""
    time = pd.Timestamp(stamp)
    moment: datetime = (time.tz_convert("UTC").tz_localize(None) if time.tz is not None else time).to_pydatetime()
    return moment


def summary(sheets: Sheets, document: dict[str, Any]) -> None:
    """What it is about, the month's spend, and what the other sheets hold."""
    sheet = sheets.book.add_worksheet("Summary")
    sheet.set_column(0, 0, 38)
    sheet.set_column(1, 1, 60)
    sheet.write_string(0, 0, document["title"], sheets.title)
    month, period = document["cost"]["month"], document["period"]
    lines: list[tuple[str, Any, Kind]] = [
        ("Written, UTC", document["generated_at"] or None, "moment"),
        ("History from, UTC", period["history_start"], "date"),
        ("Planned from, UTC", period["horizon_start"], "date"),
        ("Planned to (not included), UTC", period["horizon_end"], "date"),
        ("Services", len(document["services"]), "count"),
        ("Decisions", len(document["decisions"]), "count"),
        ("Cost, USD per month of 730 h: mean", month["mean"], "usd"),
        ("Cost, USD per month: 5 % quantile", month["p5"], "usd"),
        ("Cost, USD per month: 95 % quantile", month["p95"], "usd"),
        ("Cost, USD per month: exactly as planned", month["planned"], "usd"),
        ("Services without a price, not in the sums", len(document["cost"]["unpriced"]), "count"),
        ("Checks of the data that failed", document["finding_counts"]["FAIL"], "count"),
        ("Fingerprint of inputs, SHA-256", document["method"]["fingerprint"], "text"),
        ("capacity version", document["capacity_version"], "text"),
    ]
    left = sheets.book.add_format({"align": "left"})
    for line, (label, value, kind) in enumerate(lines, start=2):
        sheet.write_string(line, 0, label, sheets.strong)
        sheets.put(sheet, line, 1, value, kind)
    sheet.set_column(1, 1, 68, left)
    finish(sheet)
