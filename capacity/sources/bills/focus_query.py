"""The two questions put to each file of a FOCUS export. DuckDB streams through it, and holds only the answer.

`facts` is one row about the whole file: what is wrong with it, what is left out, and where its time ends. `charges` is
the bill: rows of one service, account, region, interval, usage type, purchase, unit and currency added up, in exact
decimals, so that neither the order of rows nor the number of threads changes a digit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from capacity.sources.base import Span
from capacity.sources.bills.bill import ACCOUNT, DAY, HOUR, UNTAGGED
from capacity.sources.bills.focus_columns import USAGE_TYPE, Reading, literal, quoted

#: Columns whose cells must be read, with what they have to be.
CHECKED: Final = {
    "ChargePeriodStart": "a time",
    "ChargePeriodEnd": "a time",
    "ConsumedQuantity": "a number",
    "EffectiveCost": "a number",
    "BilledCost": "a number",
}


def relation(path: Path) -> str:
    """A file as a table: Parquet with its types, CSV as text, for what cannot be read has to be seen to be named."""
    name = literal(re.sub(r"([*?\[])", r"[\1]", str(path)))  # which DuckDB would take for patterns
    if path.suffix == ".parquet":
        return f"read_parquet({name})"
    return f"read_csv({name}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')"


def columns_of(connection: Any, path: Path) -> dict[str, str]:
    """Names and types of a file's columns."""
    rows = connection.execute(f"DESCRIBE SELECT * FROM {relation(path)}").fetchall()
    return {str(row[0]): str(row[1]) for row in rows}


def facts(connection: Any, path: Path, rows: Rows) -> dict[str, Any]:
    """One row about a file: counts, and an example of each cell that is not what it should be."""
    bad = ", ".join(
        f"min({quoted(name)}) FILTER (WHERE kept AND {quoted('bad ' + name)}) AS {quoted(name)}, "
        f"count(*) FILTER (WHERE kept AND {quoted('bad ' + name)}) AS {quoted('count ' + name)}"
        for name in CHECKED
    )
    query = f"""
        SELECT count(*) AS rows, {bad},
            count(*) FILTER (WHERE inside AND NOT kept) AS others,
            list(DISTINCT service_name) FILTER (WHERE inside AND NOT kept) AS other_names,
            count(*) FILTER (WHERE inside AND kept AND seconds IS NULL) AS longer,
            CAST(sum(effective) FILTER (WHERE inside AND kept AND seconds IS NULL) AS DOUBLE) AS longer_cost,
            count(*) FILTER (WHERE inside AND kept AND effective IS NULL) AS unpriced,
            count(*) FILTER (WHERE inside AND kept AND tags_unreadable) AS tags,
            max(period_end) FILTER (WHERE seconds IS NOT NULL) AS last
        FROM ({rows.select(_checks(rows.reading))} FROM {relation(path)})
    """
    answer = connection.execute(query)
    names = [column[0] for column in answer.description]
    return dict(zip(names, answer.fetchall()[0], strict=True))


def charges(connection: Any, path: Path, rows: Rows) -> pd.DataFrame:
    """The bill of one file, as it stands in it: units and usage types in the provider's words."""
    by = "service, account, region, interval, timestamp, usage_type, purchase, unit, currency"
    query = f"""
        SELECT {by.replace("interval", "seconds AS interval")},
            CAST(sum(quantity) AS DOUBLE) AS quantity,
            CAST(CASE WHEN count(effective) = count(*) THEN sum(effective) END AS DOUBLE) AS amount,
            CAST(CASE WHEN count(billed) = count(*) THEN sum(billed) END AS DOUBLE) AS billed
        FROM ({rows.select()} FROM {relation(path)})
        WHERE inside AND kept AND seconds IS NOT NULL
        GROUP BY {by.replace("interval", "seconds")} ORDER BY {by.replace("interval", "seconds")}
    """
    frame: pd.DataFrame = connection.execute(query).df()
    return frame


@dataclass(frozen=True)
class Rows:
    """Each row of a file in our words.

    Quantities belong to usage only, and an unused commitment is a charge without one (FOCUS: ConsumedQuantity is null
    there). A correction is a row like any other: it adds up. A row belongs to the hour or day its charge period lies
    in; `seconds` is NULL where that is longer than a day.
    """

    reading: Reading
    services: tuple[str, ...]
    tag: str
    granularity: str
    span: Span | None

    def select(self, more: str = "") -> str:
        """`SELECT ...`, to be followed by FROM; `more` are further columns."""
        read = self.reading
        usage = f"({self._lower('ChargeCategory')} = 'usage' AND {self._lower('CommitmentDiscountStatus')} <> 'unused')"
        quantity = f"CASE WHEN {usage} THEN {read.number('ConsumedQuantity')} END"
        seconds, timestamp = self._interval()
        return f"""
            SELECT {self._service()} AS service, {read.text("SubAccountId")} AS account,
                {read.text("RegionId")} AS region, {seconds} AS seconds, {timestamp} AS timestamp,
                {read.first((*USAGE_TYPE, "ChargeCategory"))} AS usage_type, {self._purchase()} AS purchase,
                CASE WHEN {quantity} IS NOT NULL THEN {read.text("ConsumedUnit")} ELSE '' END AS unit,
                {read.text("BillingCurrency")} AS currency, {quantity} AS quantity,
                {read.number("EffectiveCost")} AS effective, {read.number("BilledCost")} AS billed,
                {read.stamp("ChargePeriodEnd")} AS period_end, {read.text("ServiceName")} AS service_name,
                {read.tags_unreadable()} AS tags_unreadable, {self._kept()} AS kept,
                {self._inside(timestamp)} AS inside {more}
        """

    def _service(self) -> str:
        if not self.tag:
            return literal(ACCOUNT)
        return f"coalesce(nullif({self.reading.tag(self.tag)}, ''), {literal(UNTAGGED)})"

    def _interval(self) -> tuple[str, str]:
        """(seconds, start) of the interval that the charge period lies in."""
        start, end = self.reading.stamp("ChargePeriodStart"), self.reading.stamp("ChargePeriodEnd")
        day, hour = f"date_trunc('day', {start})", f"date_trunc('hour', {start})"
        in_day, in_hour = f"{end} <= {day} + INTERVAL 1 DAY", f"{end} <= {hour} + INTERVAL 1 HOUR"
        if self.granularity == "DAILY":
            return f"CASE WHEN {in_day} THEN {DAY} END", day
        seconds = f"CASE WHEN {in_hour} THEN {HOUR} WHEN {in_day} THEN {DAY} END"
        return seconds, f"CASE WHEN {in_hour} THEN {hour} ELSE {day} END"

    def _purchase(self) -> str:
        pricing = self._lower("PricingCategory")
        return f"""
            CASE WHEN {self._lower("ChargeCategory")} <> 'usage' THEN ''
                WHEN {self._lower("CommitmentDiscountStatus")} <> '' OR {pricing} = 'committed' THEN 'committed'
                WHEN {pricing} = 'dynamic' THEN 'spot'
                WHEN {pricing} = 'standard' THEN 'on-demand' ELSE '' END
        """

    def _kept(self) -> str:
        """Whether a row is of a service to keep; all are when none is named."""
        if not self.services:
            return "true"
        return f"{self._lower('ServiceName')} IN ({', '.join(literal(name.lower()) for name in self.services)})"

    def _inside(self, timestamp: str) -> str:
        if self.span is None:
            return "true"
        first, end = (stamp.tz_convert("UTC").strftime("%Y-%m-%d %H:%M:%S.%f") for stamp in self.span)
        return f"({timestamp} >= TIMESTAMP {literal(first)} AND {timestamp} < TIMESTAMP {literal(end)})"

    def _lower(self, name: str) -> str:
        return f"lower({self.reading.text(name)})"


def _checks(reading: Reading) -> str:
    """Further columns: each checked cell as it is written, and whether it says something else than it should.

    An empty cell is one only where there has to be a time.
    """
    columns = []
    for name, kind in CHECKED.items():
        text = reading.text(name)
        wrong = (
            f"{reading.stamp(name)} IS NULL" if kind == "a time" else f"{reading.number(name)} IS NULL AND {text} <> ''"
        )
        columns.append(f", {text} AS {quoted(name)}, ({wrong}) AS {quoted('bad ' + name)}")
    return "".join(columns)
