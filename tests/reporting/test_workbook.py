"""The workbook: sheets, units, formats, and sums that agree."""

from __future__ import annotations

import io
import re

import pandas as pd
import pytest

from tests.reporting.fleet import small
from tests.reporting.rendered import ON_ONE_WORKER, full, rendered, table, workbook

pytestmark = ON_ONE_WORKER


def test_the_workbook_has_its_sheets_with_units_and_frozen_headings() -> None:
    book = workbook()
    names = [
        "Summary",
        "Decisions",
        "Services",
        "Tasks",
        "Limits",
        "Bottlenecks",
        "Cost",
        "Rates",
        "Findings",
        "Coverage",
    ]
    assert book.sheetnames == names
    assert [book[name].freeze_panes is not None for name in names[1:]] == [True] * 9
    assert "USD" in " ".join(str(cell.value) for cell in book["Cost"][2])


def test_each_number_of_the_workbook_is_formatted_by_what_it_is() -> None:
    book = workbook()

    def form(sheet: str, heading: str, header: int = 1) -> set[str]:
        place = next(cell.column for cell in book[sheet][header] if cell.value == heading)
        cells = [book[sheet].cell(row, place) for row in range(header + 1, book[sheet].max_row + 1)]
        return {cell.number_format for cell in cells if cell.data_type in "nd" and cell.value is not None}

    assert form("Services", "Peak in horizon, tasks") == {"#,##0"}
    assert form("Services", "Cost, USD per month: mean") == {"#,##0.00"}
    assert form("Decisions", "Probability") == {"0.0%"}
    assert form("Tasks", "Day, UTC", header=2) == {"d mmm yyyy"}
    assert form("Cost", "Rate, USD per unit", header=2) == {"0.000000"}
    assert form("Cost", "USD per month", header=2) == {"#,##0.00"}


def test_money_and_tasks_name_their_unit_in_each_heading() -> None:
    for sheet in workbook():
        header = 2 if sheet.title in ("Tasks", "Cost") else 1
        for cell in sheet[header] if sheet.title != "Summary" else ():
            below = sheet.cell(header + 1, cell.column)
            if "#,##0.00" in below.number_format and sheet.title in ("Services", "Cost"):
                assert re.search("USD|Quantity|vCPU|GiB|requests/s", str(cell.value)), (sheet.title, cell.value)
            if below.number_format.startswith("d mmm"):
                assert "UTC" in str(cell.value), (sheet.title, cell.value)


def test_numbers_are_numbers_and_dates_are_dates() -> None:
    tasks = table(workbook()["Tasks"], header=2)
    assert len(tasks) == 28
    assert pd.api.types.is_datetime64_any_dtype(tasks["Day, UTC"])
    rows = small().of("checkout")
    daily = rows["tasks"].groupby(rows.index.floor("D")).max()
    assert tasks["To run, tasks"].tolist() == daily.tolist()
    decisions = table(workbook()["Decisions"])
    assert decisions["Probability"].map(lambda value: isinstance(value, (int, float))).all()


def test_the_total_of_the_cost_sheet_is_the_sum_of_its_lines() -> None:
    import openpyxl

    sheet = openpyxl.load_workbook(io.BytesIO(rendered("xlsx")), data_only=True)["Cost"]
    rows = list(sheet.iter_rows(min_row=3, values_only=True))
    assert rows[-1][0] == "Total of what has a price"
    lines = [row[5] for row in rows[:-1] if row[5] is not None]
    assert rows[-1][5] == pytest.approx(sum(lines))
    assert rows[-1][5] == pytest.approx(full().document["cost"]["month"]["mean"])


def test_the_date_and_source_of_each_price_are_in_the_workbook() -> None:
    rates = table(workbook()["Rates"])
    assert rates["Date"].tolist() == [small().rates[0].date]
    assert rates["Source"].tolist() == [small().rates[0].source]
