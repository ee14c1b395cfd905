"""The document as a workbook for finance: numbers as numbers, units in headings, text that can never be a formula.

Sheets: Summary, Decisions, Services, Tasks, Limits, Bottlenecks, Cost, Rates, Findings. No cell is a formula: intervals
and what-ifs cannot follow a rate changed by hand, so rates are changed in capacity.toml, where everything follows.
Stamps are UTC, written as dates without a zone, which Excel does not have.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import pandas as pd

from capacity.errors import MissingExtra
from capacity.reporting import words
from capacity.reporting.series import array, grid_of
from capacity.reporting.wording import ACTIONS, ITEM_NAMES, STATUS_WORDS

Kind = Literal["text", "count", "number", "usd", "rate", "share", "date", "moment"]

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


class Field(NamedTuple):
    """A column of a sheet: heading with unit, what it holds, its width in characters, where its value is."""

    heading: str
    kind: Kind
    width: int
    value: Callable[[dict[str, Any]], Any]


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
    sheets.table("Decisions", DECISIONS, document["decisions"])
    sheets.table("Services", SERVICES, document["services"])
    sheets.table("Tasks", TASKS, daily_tasks(document), note="Highest planned count of each day and service; UTC days.")
    sheets.table("Limits", LIMITS, limits(document))
    sheets.table("Bottlenecks", BOTTLENECKS, bottlenecks(document))
    cost(sheets, document)
    sheets.table("Rates", RATES, document["cost"]["rates"])
    sheets.table("Findings", FINDINGS, findings(document))
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

    def table(self, name: str, fields: Sequence[Field], rows: Sequence[dict[str, Any]], note: str = "") -> Any:
        """One sheet: headings that stay in sight, then a row an item; a filter when there is something to filter."""
        sheet = self.book.add_worksheet(name)
        top = 1 if note else 0
        if note:
            sheet.write_string(0, 0, note, self.strong)
        for place, field in enumerate(fields):
            sheet.write_string(top, place, field.heading, self.heading)
            sheet.set_column(place, place, field.width)
        for line, row in enumerate(rows[: MOST_ROWS - top - 2], start=top + 1):
            for place, field in enumerate(fields):
                self.put(sheet, line, place, field.value(row), field.kind)
        sheet.freeze_panes(top + 1, 1)
        if rows:
            sheet.autofilter(top, 0, top + len(rows), len(fields) - 1)
        finish(sheet)
        return sheet

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


DECISIONS: Final = (
    Field("No.", "count", 6, lambda row: row["number"]),
    Field("Action", "text", 16, lambda row: ACTIONS.get(row["kind"], row["kind"])),
    Field("Service", "text", 24, lambda row: row["service"]),
    Field("Decision", "text", 60, lambda row: row["sentence"]),
    Field("Because", "text", 70, lambda row: row["because"]),
    Field("Probability", "share", 12, lambda row: row["probability"]),
    Field("Act by, UTC", "date", 14, lambda row: row["before"]),
    Field("Today", "number", 10, lambda row: row["current"]),
    Field("Proposed", "number", 10, lambda row: row["proposed"]),
    Field("Unit", "text", 8, lambda row: row["unit"]),
    Field("Change in spend, USD per month", "usd", 16, lambda row: row["usd_per_month"]),
    Field("Owner", "text", 20, lambda row: row["owner"]),
)


def _capacity(row: dict[str, Any], field: str) -> Any:
    """What is known of a task's capacity; the bare rate where nothing more is stated."""
    if row["task_capacity"] is None:
        return row["settings"]["requests_per_second_per_task"] if field == "requests_per_second" else None
    return row["task_capacity"][field]


SERVICES: Final = (
    Field("Service", "text", 28, lambda row: row["name"]),
    Field("Region", "text", 14, lambda row: row["settings"]["region"]),
    Field("Architecture", "text", 12, lambda row: row["settings"]["architecture"]),
    Field("vCPU per task", "number", 9, lambda row: row["settings"]["task_vcpu"]),
    Field("GiB per task", "number", 9, lambda row: row["settings"]["task_memory_gib"]),
    Field("Minimum today, tasks", "count", 10, lambda row: row["settings"]["min_tasks"]),
    Field("Maximum today, tasks", "count", 10, lambda row: row["settings"]["max_tasks"]),
    Field("One task carries, requests/s", "number", 11, lambda row: _capacity(row, "requests_per_second")),
    Field("Lower end of 95 %, requests/s", "number", 11, lambda row: _capacity(row, "low")),
    Field("Upper end of 95 %, requests/s", "number", 11, lambda row: _capacity(row, "high")),
    Field("Known by", "text", 16, lambda row: _capacity(row, "method")),
    Field("Measured, UTC", "date", 14, lambda row: _capacity(row, "measured")),
    Field("Age at the start of the plan, days", "count", 11, lambda row: _capacity(row, "age_days")),
    Field("Peak next week, tasks", "count", 11, lambda row: row["tasks"]["next_week"]),
    Field("Peak in horizon, tasks", "count", 11, lambda row: row["tasks"]["highest"]),
    Field("Minimum advised, tasks", "count", 11, lambda row: (row["policy"] or {}).get("min_tasks")),
    Field("Maximum advised, tasks", "count", 11, lambda row: (row["policy"] or {}).get("max_tasks")),
    Field("Cost, USD per month: mean", "usd", 13, lambda row: row["cost"]["month"]["mean"]),
    Field("5 % quantile, USD per month", "usd", 13, lambda row: row["cost"]["month"]["p5"]),
    Field("95 % quantile, USD per month", "usd", 13, lambda row: row["cost"]["month"]["p95"]),
    Field("Why cost is unknown", "text", 34, lambda row: row["cost"]["reason"]),
    Field("Data", "text", 10, lambda row: STATUS_WORDS[row["status"]]),
    Field("Owner", "text", 18, lambda row: row["settings"]["owner"]),
)

TASKS: Final = (
    Field("Service", "text", 28, lambda row: row["service"]),
    Field("Day, UTC", "date", 14, lambda row: row["day"]),
    Field("To run, tasks", "count", 12, lambda row: row["tasks"]),
    Field("Missing above the maximum, tasks", "count", 16, lambda row: row["short"]),
    Field("Needed, median, tasks", "count", 12, lambda row: row["p50"]),
    Field("Needed, 95 % quantile, tasks", "count", 14, lambda row: row["p95"]),
)

LIMITS: Final = (
    Field("Service or account", "text", 28, lambda row: row["service"]),
    Field("Limit", "text", 22, lambda row: row["limit"]),
    Field("Limit today", "number", 12, lambda row: row["value"]),
    Field("Unit", "text", 8, lambda row: row["unit"]),
    Field("Probability of passing it", "share", 14, lambda row: row["probability"]),
    Field("5 % have passed, UTC", "date", 14, lambda row: row["first"]),
    Field("Half have passed, UTC", "date", 14, lambda row: row["median"]),
    Field("Would hold", "number", 12, lambda row: row["needed"]),
    Field("Ask by, UTC", "date", 14, lambda row: row["act_by"]),
)

BOTTLENECKS: Final = (
    Field("Service", "text", 28, lambda row: row["service"]),
    Field("What binds", "text", 30, lambda row: row["name"]),
    Field("At the forecast peak", "number", 12, lambda row: row["demand"]),
    Field("Carries", "number", 12, lambda row: row["carries"]),
    Field("Unit", "text", 12, lambda row: row["unit"]),
    Field("Holds until, times the peak", "number", 12, lambda row: row["binds_at"]),
    Field("How that is known", "text", 60, lambda row: row["evidence"]),
    Field("What would move it", "text", 60, lambda row: row["lever"]),
    Field("Tasks that saves at the peak", "count", 12, lambda row: row["tasks_saved"]),
)

RATES: Final = (
    Field("Region", "text", 16, lambda row: row["region"]),
    Field("Architecture", "text", 14, lambda row: row["architecture"]),
    Field("USD per vCPU-hour", "rate", 14, lambda row: row["vcpu"]),
    Field("USD per GB-hour", "rate", 14, lambda row: row["memory_gb"]),
    Field("USD per GB-hour of storage", "rate", 16, lambda row: row["storage_gb"]),
    Field("Source", "text", 44, lambda row: row["source"]),
    Field("Date", "text", 14, lambda row: row["date"] or "not stated"),
)

FINDINGS: Final = (
    Field("Service", "text", 28, lambda row: row["service"] or "(fleet)"),
    Field("Metric", "text", 14, lambda row: row["metric"]),
    Field("Check", "text", 14, lambda row: row["check"]),
    Field("Status", "text", 10, lambda row: STATUS_WORDS[row["status"]]),
    Field("Found", "text", 70, lambda row: row["message"]),
    Field("What to do", "text", 60, lambda row: row["advice"]),
    Field("From, UTC", "moment", 18, lambda row: row["start"]),
    Field("To, UTC", "moment", 18, lambda row: row["end"]),
    Field("Intervals", "count", 10, lambda row: row["count"]),
)

ITEMS: Final = (
    Field("Service", "text", 28, lambda row: row["service"]),
    Field("Item", "text", 14, lambda row: ITEM_NAMES.get(row["item"], row["item"])),
    Field("Quantity per month", "number", 16, lambda row: row["quantity_per_month"]),
    Field("Unit", "text", 12, lambda row: row["unit"]),
    Field("Rate, USD per unit", "rate", 14, lambda row: row["rate"]),
    Field("USD per month", "usd", 16, lambda row: row["usd_per_month"]),
    Field("5 % quantile, USD per month", "usd", 16, lambda row: row["p5"]),
    Field("95 % quantile, USD per month", "usd", 16, lambda row: row["p95"]),
    Field("As planned, USD per month", "usd", 16, lambda row: row["planned_per_month"]),
)


def cost(sheets: Sheets, document: dict[str, Any]) -> None:
    """Every item of every service, and what they add up to."""
    rows = [{"service": part["name"], **item} for part in document["services"] for item in part["cost"]["items"]]
    dates = sorted({rate["date"] or "no date" for rate in document["cost"]["rates"]})
    month, dated = document["cost"]["hours_per_month"], ", ".join(dates) or "unknown date"
    note = f"A month has {month} hours. Prices of {dated}; see Rates."
    sheet = sheets.table("Cost", ITEMS, rows, note=note)
    if rows:
        end = 2 + len(rows)
        known = [row["usd_per_month"] for row in rows if row["usd_per_month"] is not None]
        planned = [row["planned_per_month"] for row in rows if row["planned_per_month"] is not None]
        sheet.write_string(end + 1, 0, "Total of what has a price", sheets.strong)
        sheet.write_number(end + 1, 5, sum(known), sheets.total)
        sheet.write_number(end + 1, 8, sum(planned), sheets.total)


def daily_tasks(document: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a service and day: the highest count of each day, for hours do not fit a review."""
    rows = []
    for part in document["services"]:
        daily = part["tasks"]["daily"]
        days, columns = grid_of(daily, "tasks"), {name: array(daily, name) for name in ("tasks", "asked", "p50", "p95")}
        for place, moment in enumerate(days):
            held = {name: columns[name][place] for name in columns}
            rows.append(
                {
                    "service": part["name"],
                    "day": moment.isoformat(),
                    "short": held["asked"] - held["tasks"],
                    **{name: held[name] for name in ("tasks", "p50", "p95")},
                }
            )
    return rows


def limits(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Limits of services, then quotas that they share."""
    rows = [{"service": part["name"], **limit} for part in document["services"] for limit in part["limits"]]
    shared = [
        {
            **account,
            "service": account["region"],
            "limit": "fargate_vcpu_quota",
            "value": account["quota"],
            "unit": "vCPU",
        }
        for account in document["accounts"]
    ]
    return rows + shared


def bottlenecks(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What binds in each service that has something to say of it."""
    known = [part for part in document["services"] if part["bottlenecks"] is not None]
    return [{"service": part["name"], **one} for part in known for one in part["bottlenecks"]["rows"]]


def findings(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [*document["fleet_findings"], *(one for part in document["services"] for one in part["findings"])]
