"""What was used and what it cost, as the provider billed it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.display import table_html
from capacity.errors import InputError, Problem
from capacity.findings import NO_FINDINGS, Findings
from capacity.schema import BILL
from capacity.sources.bills.usage_types import UNITS

KEY: Final = list(BILL.key)
#: Service of what carries no value of the cost-allocation tag, and of everything when no tag is named.
UNTAGGED, ACCOUNT = "(untagged)", "(account)"
#: Seconds: a bill is by hour or by day.
HOUR, DAY = 3600, 86400
#: Services in a picture.
DRAWN: Final = 20
#: What a column holds where nothing is said.
_UNSAID: Final = {"str": "", "float64": np.nan, "bool": False}


@dataclass(frozen=True, eq=False)
class Bill:
    """A bill by service, interval and usage type: the table `schema.BILL`, sorted by its key, each key once.

    Build it with `Bill.of`, which brings loose rows into this form. Amounts are in the currency of their row, and
    quantities in the unit of their row: neither adds up over the whole table. `totals` adds what may be added.
    """

    frame: pd.DataFrame
    source: str
    findings: Findings = NO_FINDINGS

    def __post_init__(self) -> None:
        problems = [Problem(message) for message in faults(self.frame)]
        if problems:
            raise InputError(f"{self.source}: this is no bill:", problems)

    @classmethod
    def of(
        cls, rows: pd.DataFrame | Iterable[Mapping[str, Any]], source: str, findings: Findings = NO_FINDINGS
    ) -> Bill:
        """A bill from rows in any order that name what they know; rows of one key are added up.

        A quantity adds to one of the same unit and an amount to one of the same currency. Where one key has several,
        each keeps a row of its own, its usage type followed by the unit or currency in brackets. A charge without
        usage (NaN quantity) joins the usage of its key.

        >>> day = {"service": "web", "interval": 86400, "timestamp": pd.Timestamp("2026-08-03", tz="UTC"),
        ...     "usage_type": "Fargate-GB-Hours", "resource": "memory", "currency": "USD"}
        >>> usage = {"quantity": 48.0, "unit": "GB-hours", "amount": 0.25, "billed": 0.25}
        >>> bill = Bill.of([day | usage, day | {"amount": -0.05, "billed": -0.05}], "example")
        >>> bill.frame[["quantity", "unit", "amount"]].values.tolist()
        [[48.0, 'GB-hours', 0.2]]
        """
        table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
        return cls(_added_up(_typed(table)), source, findings)

    def __len__(self) -> int:
        return len(self.frame)

    def totals(self) -> pd.DataFrame:
        """One row a service, month (UTC) and currency: what it cost, and what was used.

        amount, billed  of the currency; NaN when an amount of the month is not said
        vcpu_hours, gb_hours, storage_gb_hours  NaN where the bill holds none
        estimated  True while one of the rows is
        """
        frame = self.frame.assign(month=_month(self.frame["timestamp"]))
        by = ["service", "month", "currency"]
        money = frame.groupby(by, sort=True)[["amount", "billed"]].sum(skipna=False)
        for name, resource in (("vcpu_hours", "vcpu"), ("gb_hours", "memory"), ("storage_gb_hours", "storage")):
            used = frame[(frame["resource"] == resource) & (frame["unit"] == UNITS[resource])]
            money[name] = used.groupby(by)["quantity"].sum(min_count=1).reindex(money.index)
        return money.assign(estimated=frame.groupby(by)["estimated"].any()).reset_index()

    def plot(self) -> Any:
        """A bar a service: what it cost in all, the dearest first, in the currency of most rows."""
        from capacity import charts

        currency = self.frame["currency"].mode()
        if currency.empty:
            raise InputError("nothing to draw: the bill has no rows")
        rows = self.frame[self.frame["currency"] == currency[0]]
        sums = (
            rows.groupby("service")["amount"].sum(skipna=False).sort_values(ascending=False, kind="stable").head(DRAWN)
        )
        first, last = rows["timestamp"].min(), rows["timestamp"].max()
        title = f"What services cost, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        return charts.bars(list(sums.index), sums.to_numpy(), currency[0], title)

    def __str__(self) -> str:
        return f"Bill: {len(self):,} rows from {self.source}"

    def _repr_html_(self) -> str:
        return table_html(str(self), self.totals())


def faults(frame: pd.DataFrame) -> list[str]:
    """What keeps a table from being a bill, in words; empty when nothing does."""
    if list(frame.columns) != BILL.names:
        return [f"columns are {list(frame.columns)}, not {BILL.names}"]
    wrong = [
        f"{column.name} has type {frame[column.name].dtype}, not {column.type}"
        for column in BILL.columns
        if str(frame[column.name].dtype) != column.type
    ]
    if wrong:
        return wrong
    numbers = frame[["quantity", "amount", "billed"]].to_numpy()
    checks = {
        "a key occurs twice": bool(frame.duplicated(KEY).any()),
        "rows are not sorted by key": not _sorted(frame),
        "a stamp is missing": bool(frame["timestamp"].isna().any()),
        "a text is missing": bool(frame[_text_columns()].isna().any(axis=None)),
        "an interval is neither 3600 nor 86400 seconds": not bool(frame["interval"].isin((HOUR, DAY)).all()),
        "a number is infinite": bool(np.isinf(numbers).any()),
        "a quantity has no unit": bool((frame["quantity"].notna() & (frame["unit"] == "")).any()),
    }
    return [message for message, failed in checks.items() if failed]


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of a bill in its types, unsaid ones filled with what says nothing."""
    columns: dict[str, object] = {}
    for column in BILL.columns:
        said = rows[column.name] if column.name in rows else pd.Series(index=rows.index, dtype="object")
        if column.type.startswith("datetime"):
            columns[column.name] = pd.to_datetime(said, utc=True).astype(column.type).array
        elif column.type in _UNSAID:
            unsaid = _UNSAID[column.type]
            filled = said.astype("object").where(said.notna(), unsaid) if said.isna().any() else said
            columns[column.name] = filled.astype(column.type).array
        else:
            columns[column.name] = said.astype(column.type).array
    return pd.DataFrame(columns, columns=BILL.names)


def _added_up(frame: pd.DataFrame) -> pd.DataFrame:
    """Each key once, in order."""
    if frame.duplicated(KEY).any():
        frame = _grouped(frame, [*KEY, "unit", "currency"])
    if frame.duplicated(KEY).any():
        frame = _grouped(_charges_with_their_usage(frame), [*KEY, "unit", "currency"])
    if frame.duplicated(KEY).any():
        frame = _told_apart(frame)
    return frame.sort_values(KEY, kind="stable").reset_index(drop=True)


def _grouped(frame: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    groups = frame.groupby(by, sort=False, as_index=False)
    text = {name: (name, "first") for name in BILL.names if name not in (*by, "quantity", "amount", "billed")}
    added = groups.agg(**(text | {"estimated": ("estimated", "any")}))
    added["quantity"] = groups["quantity"].sum(min_count=1)["quantity"]
    for name in ("amount", "billed"):  # one that is not said leaves the sum unsaid
        added[name] = groups[name].sum(skipna=False)[name]
    return added[BILL.names].astype({column.name: column.type for column in BILL.columns})


def _charges_with_their_usage(frame: pd.DataFrame) -> pd.DataFrame:
    """Charges without a unit take that of the usage of their key, where there is but one."""
    units = frame[frame["unit"] != ""].drop_duplicates([*KEY, "unit"])
    single = units[~units.duplicated(KEY, keep=False)].set_index(KEY)[["unit", "resource", "architecture"]]
    charges = frame["unit"] == ""
    found = frame.loc[charges, KEY].join(single, on=KEY)
    frame = frame.copy()
    for name in ("unit", "resource", "architecture"):
        frame.loc[charges, name] = found[name].where(found[name].notna(), frame.loc[charges, name])
    return frame


def _told_apart(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of one key that differ in unit or currency, named after what they differ in."""
    frame = frame.copy()
    for name in ("unit", "currency"):
        several = frame.groupby(KEY, sort=False)[name].transform("nunique") > 1
        apart = several & (frame[name] != "")
        frame.loc[apart, "usage_type"] += " [" + frame.loc[apart, name] + "]"
    return frame


def _sorted(frame: pd.DataFrame) -> bool:
    """Whether rows are in the order of the key."""
    ordered = frame.sort_values(KEY, kind="stable").index.to_numpy()
    return bool((np.diff(ordered) > 0).all())


def _month(stamps: pd.Series) -> pd.Series:
    """The start of the month of each stamp."""
    return stamps.dt.tz_localize(None).dt.to_period("M").dt.to_timestamp().dt.tz_localize("UTC").dt.as_unit("us")


def _text_columns() -> list[str]:
    return [column.name for column in BILL.columns if column.type == "str"]
