"""Cost of a month: the fleet, each service, the prices it was reckoned with, and what `money` knows beyond the sum."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from capacity import charts
from capacity.planning.prices import HOURS_PER_MONTH
from capacity.reporting import words
from capacity.reporting.pictures import PHONE, WIDE, Picture, pictured
from capacity.reporting.sections import money
from capacity.reporting.sections.base import Block, Document, Nouns, Section
from capacity.reporting.sections.blocks import note, picture, text
from capacity.reporting.sheets import Field, Sheet
from capacity.reporting.wording import COST_PICTURE, ITEM_NAMES

#: Services in the picture, those that cost most first, and services without a price that are named.
SHOWN_SERVICES: Final = 30
SHOWN_UNPRICED: Final = 10


def part(nouns: Nouns, document: Document) -> dict[str, Any]:
    """Spend of the fleet for a month, added path by path, and of each service."""
    plan, chapters = nouns.plan, document["services"]
    month = plan.total_cost.loc["month"]
    unpriced = [part["name"] for part in chapters if part["cost"]["month"]["mean"] is None]
    priced = len(chapters) - len(unpriced)
    return {
        "month": {
            "mean": words.known(month["usd"]),
            "p5": words.known(month["p5"]),
            "p95": words.known(month["p95"]),
            "planned": words.known(month["planned"]),
        },
        "hours_per_month": HOURS_PER_MONTH,
        "priced_services": priced,
        "unpriced": [
            {"service": part["name"], "reason": part["cost"]["reason"]} for part in chapters if part["cost"]["reason"]
        ],
        "services": [{"service": part["name"], **part["cost"]["month"]} for part in chapters],
        "rates": [
            {
                "region": rate.region,
                "architecture": rate.architecture,
                "vcpu": rate.vcpu,
                "memory_gb": rate.memory_gb,
                "storage_gb": rate.storage_gb,
                "source": rate.source,
                "date": rate.date,
            }
            for rate in plan.rates
        ],
        **money.part(nouns),
    }


def view(document: Document) -> list[Block]:
    """The sum in a sentence, what costs most as a picture, and what has no price."""
    part = document["cost"]
    month = part["month"]
    several = len(part["services"])
    shown = "" if several <= SHOWN_SERVICES else f"The {SHOWN_SERVICES} of {several:,} services that cost most. "
    unpriced, more = part["unpriced"][:SHOWN_UNPRICED], len(part["unpriced"]) - SHOWN_UNPRICED
    return [
        text("Unknown: no service has a price." if month["mean"] is None else _month_words(part)),
        picture(
            COST_PICTURE, f"{shown}Bar: mean. Line: 90 % interval. Prices and their date are under Method and sources."
        ),
        *(note(f"{one['service']}: cost unknown. {one['reason']}") for one in unpriced),
        *(
            [note(f"The cost of {words.count(more, 'more service')} is unknown; report.xlsx says why.")]
            if more > 0
            else []
        ),
        *money.blocks(document),
    ]


def _month_words(part: dict[str, Any]) -> str:
    month, several = part["month"], part["priced_services"] > 1
    added = (
        " Futures are added path by path before the interval is read, so it is narrower than the sum of the services' "
        "intervals."
    )
    return (
        f"If tasks follow demand between their minimum and maximum, {words.count(part['priced_services'], 'service')} "
        f"{'cost' if several else 'costs'} {words.usd(month['mean'])} per month ({part['hours_per_month']} hours), "
        f"with 90 % probability between {words.amount(month['p5'])} and {words.usd(month['p95'])}. Running exactly the "
        f"planned counts, headroom included, costs {words.usd(month['planned'])}.{added if several else ''}"
    )


def pictures(document: Document) -> list[Picture]:
    """Each service's month; of a large fleet, of those that cost most."""
    cost = document["cost"]
    if not cost["priced_services"]:
        return []
    rows = sorted(cost["services"], key=lambda row: (row["mean"] is None, -(row["mean"] or 0), row["service"]))
    described = f"{words.count(len(rows), 'service')}; the largest is {rows[0]['service']}."
    rows = rows[:SHOWN_SERVICES]
    columns = {name: np.array([row[name] for row in rows], dtype=float) for name in ("mean", "p5", "p95")}
    wide, narrow = (
        charts.bars.spec(
            [row["service"] for row in rows],
            columns["mean"],
            "USD per month, with 90 % interval",
            low=columns["p5"],
            high=columns["p95"],
            width=width,
        )
        for width in (WIDE, PHONE + 40)
    )
    return [pictured(COST_PICTURE, "Cost per month by service", described, wide, narrow)]


RATES: Final = (
    Field("Region", "text", 16, lambda row: row["region"]),
    Field("Architecture", "text", 14, lambda row: row["architecture"]),
    Field("USD per vCPU-hour", "rate", 14, lambda row: row["vcpu"]),
    Field("USD per GB-hour", "rate", 14, lambda row: row["memory_gb"]),
    Field("USD per GB-hour of storage", "rate", 16, lambda row: row["storage_gb"]),
    Field("Source", "text", 44, lambda row: row["source"]),
    Field("Date", "text", 14, lambda row: row["date"] or "not stated"),
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


def sheets(document: Document) -> list[Sheet]:
    """Every item of every service with what they add up to, and the prices."""
    rows = [{"service": one["name"], **item} for one in document["services"] for item in one["cost"]["items"]]
    dates = sorted({rate["date"] or "no date" for rate in document["cost"]["rates"]})
    month, dated = document["cost"]["hours_per_month"], ", ".join(dates) or "unknown date"
    totals = {
        heading: sum(row[name] for row in rows if row[name] is not None)
        for heading, name in (("USD per month", "usd_per_month"), ("As planned, USD per month", "planned_per_month"))
    }
    said = f"A month has {month} hours. Prices of {dated}; see Rates."
    return [
        Sheet("Cost", ITEMS, rows, said, totals, "Total of what has a price"),
        Sheet("Rates", RATES, document["cost"]["rates"]),
        *money.sheets(document),
    ]


SECTION: Final = Section("cost", "Cost and commitments", view, part, pictures, sheets, new_page=False)
