"""A bill as observations: what was reserved on average, and what it cost an hour."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from capacity.findings import Finding, Findings
from capacity.sources.base import Observations
from capacity.sources.bills.bill import Bill
from capacity.sources.bills.usage_types import UNITS

_BY: Final = ["service", "interval", "timestamp"]
#: metric -> (resource, purchase; None for all of them)
METRICS: Final[dict[str, tuple[str, str | None]]] = {
    "billed_vcpu": ("vcpu", None),
    "billed_memory": ("memory", None),
    "billed_storage": ("storage", None),
    "billed_vcpu_spot": ("vcpu", "spot"),
    "billed_memory_spot": ("memory", "spot"),
    "billed_vcpu_covered": ("vcpu", "committed"),
    "billed_memory_covered": ("memory", "committed"),
}


def observations(bill: Bill) -> Observations:
    """Mean vCPU, GiB and USD/h of every service and interval of a bill, over accounts, regions and usage types.

    48 vCPU-hours billed for a day are 2 vCPU on average. GB-hours count as GiB-hours (see `usage_types.UNITS`).
    Usage without a charge of Fargate's kind (`ECS-EC2-...`) and usage types that are not known are in none of them.
    An interval of which the bill holds nothing is a gap. `cost` is in USD: charges in another currency stay in the
    bill, and a finding says so; the quantities beside them pass.

    >>> row = {"service": "web", "interval": 86400, "timestamp": pd.Timestamp("2026-08-03", tz="UTC"),
    ...     "usage_type": "USE1-Fargate-vCPU-Hours:perCPU", "resource": "vcpu", "quantity": 48.0,
    ...     "unit": "vCPU-hours", "amount": 12.0, "currency": "USD"}
    >>> observations(Bill.of([row], "example")).frame[["metric", "value"]].values.tolist()
    [['billed_vcpu', 2.0], ['cost', 0.5]]
    """
    quantities = [_mean(bill.frame, metric, *of) for metric, of in METRICS.items()]
    rows = pd.concat([*quantities, _cost(bill.frame)], ignore_index=True)
    negative = (rows["metric"] != "cost") & (rows["value"] < 0)
    findings = [*_foreign(bill.frame), *_unsaid(bill.frame), *_negative(rows[negative])]
    return Observations.of(rows[~negative].assign(stat="mean"), bill.source, Findings.of(bill.findings, findings))


def _mean(frame: pd.DataFrame, metric: str, resource: str, purchase: str | None) -> pd.DataFrame:
    """Hours used, over the hours of the interval."""
    used = (frame["resource"] == resource) & (frame["unit"] == UNITS[resource]) & frame["quantity"].notna()
    if purchase is not None:
        used &= frame["purchase"] == purchase
    return _an_hour(frame[used].groupby(_BY)["quantity"].sum(), metric)


def _cost(frame: pd.DataFrame) -> pd.DataFrame:
    """Dollars an hour; none for an interval in which an amount is not said."""
    dollars = frame[frame["currency"] == "USD"].groupby(_BY)["amount"].sum(skipna=False)
    return _an_hour(dollars.dropna(), "cost")


def _an_hour(sums: pd.Series, metric: str) -> pd.DataFrame:
    rows = sums.rename("value").reset_index()
    rows["value"] = rows["value"] / (rows["interval"] / np.float64(3600))
    return rows.assign(metric=metric)


def _foreign(frame: pd.DataFrame) -> list[Finding]:
    """Charges in a currency that `cost` does not have."""
    charged = frame[(frame["currency"] != "USD") & (frame["amount"].fillna(0) != 0)]
    return [
        Finding(
            "",
            "cost",
            "currency",
            "REVIEW",
            f"{len(rows):,} charges in {currency or 'no named currency'} ({rows['amount'].sum():,.2f} in all) are not "
            "in `cost`, which is in USD",
            "They are in the bill. Nothing is converted: a rate of exchange is yours to choose.",
            count=len(rows),
        )
        for currency, rows in charged.groupby("currency")
    ]


def _unsaid(frame: pd.DataFrame) -> list[Finding]:
    """Intervals without a cost, because an amount is missing."""
    rows = frame[(frame["currency"] == "USD") & frame["amount"].isna()]
    message = f"{len(rows):,} rows of the bill say no amount: their intervals have no `cost`"
    return [Finding("", "cost", "amounts", "UNKNOWN", message, count=len(rows))] if len(rows) else []


def _negative(rows: pd.DataFrame) -> list[Finding]:
    """More corrected than used."""
    return [
        Finding(
            str(service),
            str(metric),
            "negative",
            "REVIEW",
            f"{len(group):,} intervals have more usage taken back than used; they are left out",
            "Corrections belong to usage outside of this bill: read the whole month.",
            count=len(group),
        )
        for (service, metric), group in rows.groupby(["service", "metric"])
    ]
