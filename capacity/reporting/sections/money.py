"""Cost beyond its sum: unit costs, a Savings Plan to buy, budgets, and the bill beside the price table."""

from __future__ import annotations

from typing import Any, Final

from capacity.reporting import words
from capacity.reporting.sections.base import Block, Document, Nouns
from capacity.reporting.sections.blocks import heading, note, table, text
from capacity.reporting.sections.plainly import cut, left_out, records
from capacity.reporting.sheets import Field, Sheet
from capacity.reporting.tables import cell, column, row
from capacity.reporting.tables import table as grid

#: Rows of each table, and remarks below it, that the page shows.
SHOWN: Final = 15
REMARKS: Final = 3

#: Parts of the planned spend, in the order of the plan's steps (`planning.money.unit_costs`).
HEADROOM: Final = {
    "working": "working for load",
    "target": "what the target leaves free",
    "rounding": "whole tasks",
    "start-up": "while tasks start",
    "deployment": "during deployments",
    "zone room": "to survive a zone",
    "minimum": "the stated minimum",
}


def part(nouns: Nouns) -> dict[str, Any]:
    """Unit costs, commitment, budgets and bill as plain data; None where one is not known."""
    return {
        "unit_costs": _unit_costs(nouns),
        "commitment": _commitment(nouns),
        "budgets": _budgets(nouns),
        "bill": _bill(nouns),
    }


def _unit_costs(nouns: Nouns) -> dict[str, Any] | None:
    found = nouns.unit_costs
    if found is None:
        return None
    usd = found.headroom.groupby("part", sort=False)["usd"].sum(min_count=1)
    whole = usd.sum(min_count=1)
    return {
        "sentence": found.sentence,
        "services": records(found.frame),
        "headroom": [{"part": str(name), "share": float(value / whole)} for name, value in usd.items()],
    }


def _commitment(nouns: Nouns) -> dict[str, Any] | None:
    found = nouns.commitment
    if found is None:
        return None
    remarks = [finding.message for finding in found.findings if finding.status != "PASS"]
    return {
        "sentence": found.sentence,
        "because": found.because,
        "usd_per_hour": found.usd_per_hour,
        "plan": str(found.offer),
        "options": records(found.frame),
        "remarks": remarks,
    }


def _budgets(nouns: Nouns) -> dict[str, Any] | None:
    found = nouns.budgets
    if found is None or not found.budgets:
        return None
    owners = {budget.name: budget.owner for budget in found.budgets}
    rows = [{**one, "owner": owners.get(one["budget"], "")} for one in records(found.frame)]
    return {"rows": rows, "remarks": [finding.message for finding in found.findings if finding.status != "PASS"]}


def _bill(nouns: Nouns) -> dict[str, Any] | None:
    """Month by month, of all services that were billed: what the table says, and what leads from it to the bill."""
    found = nouns.reconciliation
    if found is None:
        return None
    parts = ["table", "quantity", "spot", "committed", "price", "billed"]
    months = found.frame.groupby("month")[parts].sum(min_count=1)
    months["services"] = found.frame.groupby("month")["service"].nunique()
    remarks = [f"{finding.message} {finding.advice}" for finding in found.findings if finding.status == "REVIEW"]
    return {"months": records(months.reset_index()), "remarks": remarks}


def blocks(document: Document) -> list[Block]:
    """What there is to say of each, in the order of what can be done about it."""
    said = document["cost"]
    parts = [
        _to_commit(said.get("commitment")),
        _of_budgets(said.get("budgets")),
        _per_million(said.get("unit_costs")),
        _billed(said.get("bill")),
    ]
    return [block for part in parts for block in part] + left_out(document, "cost")


def _to_commit(said: dict[str, Any] | None) -> list[Block]:
    if said is None:
        return []
    columns = [
        column("Savings Plan"),
        column("Commit to", "USD per hour", number=True),
        column("Saves", "USD per month; 90 %", number=True),
        column("Used", "share of it", number=True),
        column("Loses", "share of futures", number=True),
        column("Beside the advised", wide=2),
    ]
    first = {"advised": f"advised: {said['plan']}"} if said["usd_per_hour"] else {"advised": "advised: none"}
    rows = [
        row(
            cell(first.get(one["option"], one["option"])),
            cell(words.fixed(one["usd_per_hour"])),
            cell(words.amount(one["saving"]), _between(one["saving_p5"], one["saving_p95"])),
            cell("–" if one["utilization"] is None else words.share(one["utilization"])),
            cell(words.percent(one["loses"])),
            cell(one["why"] or ""),
            strong=one["option"] == "advised",
        )
        for one in said["options"]
    ]
    return [
        heading("Commitments"),
        text(f"{said['sentence']} {said['because']}"),
        table(grid("Savings Plans that were weighed", columns, rows), sortable=False),
        *(note(words.sentence(one)) for one in said["remarks"][:REMARKS]),
    ]


def _between(low: float, high: float) -> str:
    """An interval of dollars; nothing where there is no doubt."""
    return "" if low == high else f"{words.amount(low)} – {words.amount(high)}"


def _of_budgets(said: dict[str, Any] | None) -> list[Block]:
    if said is None:
        return []
    shown, more = cut(said["rows"], SHOWN, "month of a budget", "Budgets")
    columns = [
        column("Budget"),
        column("Month", wide=0),
        column("May spend", "USD", number=True),
        column("Expected", "USD; 90 %", number=True),
        column("Passed", "share of futures", number=True),
        column("From", "5 % of futures; half", wide=0),
        column("Owner", wide=0),
    ]
    rows = [
        row(
            cell(one["budget"], sort=one["budget"].lower()),
            cell(_month(one["month"]), "" if one["whole"] else "until the plan ends", sort=one["month"]),
            cell(words.amount(one["limit"]), sort=one["limit"]),
            cell(words.amount(one["usd"]), f"{words.amount(one['p5'])} – {words.amount(one['p95'])}", sort=one["usd"]),
            cell(words.percent(one["probability"]), sort=one["probability"]),
            cell(words.day(one["first"]) or "–", words.day(one["median"]), sort=one["first"]),
            cell(one["owner"] or "not named", sort=one["owner"].lower()),
        )
        for one in shown
    ]
    return [
        heading("Budgets"),
        table(grid("Budgets", columns, rows)),
        *more,
        *(note(words.sentence(one)) for one in said["remarks"][:REMARKS]),
    ]


def _month(start: str) -> str:
    """Of the first day of a month, its name.

    >>> _month("2026-12-01T00:00:00+00:00")
    'December 2026'
    """
    return words.date(start).split(" ", 1)[1]


def _per_million(said: dict[str, Any] | None) -> list[Block]:
    if said is None:
        return []
    known = [one for one in said["services"] if one["usd_per_million"] is not None]
    whole, services = known[-1:] if len(known) > 2 else [], known[:-1] if len(known) > 2 else known
    services = sorted(services, key=lambda one: -one["usd"] if one["usd"] is not None else 0.0)
    shown, more = cut(services, SHOWN, "service", "Unit costs")
    columns = [
        column("A million requests"),
        column("Will cost", "USD; 90 %", number=True),
        column("Cost lately", "USD, last 4 weeks", number=True),
        column("Task-hour", "USD", number=True),
    ]
    rows = [
        row(
            cell("all of them" if one in whole else one["service"], sort=one["service"].lower()),
            cell(
                words.fixed(one["usd_per_million"]),
                f"{words.fixed(one['p5'])} – {words.fixed(one['p95'])}",
                sort=one["usd_per_million"],
            ),
            cell(
                words.fixed(one["past_usd_per_million"]) if one["past_usd_per_million"] is not None else "unknown",
                f"from the {one['past_from']}" if one["past_from"] == "bill" else one["past_from"] or "",
                sort=one["past_usd_per_million"],
            ),
            cell(words.number(one["usd_per_task_hour"]), sort=one["usd_per_task_hour"]),
        )
        for one in shown
    ]
    total = [
        row(
            cell("All together"),
            cell(words.fixed(one["usd_per_million"]), f"{words.fixed(one['p5'])} – {words.fixed(one['p95'])}"),
            cell(words.fixed(one["past_usd_per_million"]) if one["past_usd_per_million"] is not None else "unknown"),
            cell(words.number(one["usd_per_task_hour"])),
            total=True,
        )
        for one in whole
    ]
    shares = [one for one in said["headroom"] if one["share"] is not None and one["share"] >= 0.005]
    parts = words.listed([f"{HEADROOM.get(one['part'], one['part'])} {words.share(one['share'])}" for one in shares])
    cut_off = sum(one["share"] for one in said["headroom"] if one["share"] is not None and one["share"] < 0)
    parts += f", less {words.share(-cut_off)} that the maximum cuts off" if cut_off <= -0.005 else ""
    return [
        heading("Unit costs"),
        text(said["sentence"]),
        *([note(f"Where the planned spend goes: {parts}.")] if parts else []),
        *([table(grid("Unit costs", columns, [*rows, *total]), sortable=False), *more] if rows else []),
    ]


def _billed(said: dict[str, Any] | None) -> list[Block]:
    if said is None:
        return []
    parts = {
        "quantity": ("Quantity", "billed beyond what ran"),
        "spot": ("Spot", "less than on demand"),
        "committed": ("Savings Plans", "less than on demand"),
        "price": ("Price", "what remains"),
    }
    known = [name for name in parts if any(one[name] is not None for one in said["months"])]
    columns = [
        column("Month", "USD, services billed"),
        column("By the price table", number=True),
        *(column(parts[name][0], parts[name][1], number=True) for name in known),
        column("Billed", number=True),
    ]
    rows = [
        row(
            cell(_month(one["month"]), words.count(one["services"], "service")),
            cell(words.amount(one["table"])),
            *(cell("–" if one[name] is None else _whole(one[name])) for name in known),
            cell(words.amount(one["billed"])),
        )
        for one in said["months"]
    ]
    return [
        heading("The bill beside the price table"),
        table(grid("The bill beside the price table", columns, rows), sortable=False),
        *(note(words.sentence(one)) for one in said["remarks"][:REMARKS]),
    ]


def _whole(value: float) -> str:
    """Dollars of a difference: less than half a dollar is none."""
    return "0" if abs(value) < 0.5 else f"{'+' if value > 0 else ''}{words.amount(value)}"


UNITS: Final = (
    Field("Service", "text", 28, lambda row: row["service"]),
    Field("Requests over the horizon, millions", "number", 16, lambda row: row["requests"]),
    Field("USD per million requests: mean", "number", 14, lambda row: row["usd_per_million"]),
    Field("5 % quantile, USD per million", "number", 14, lambda row: row["p5"]),
    Field("95 % quantile, USD per million", "number", 14, lambda row: row["p95"]),
    Field("Last 4 weeks, USD per million", "number", 14, lambda row: row["past_usd_per_million"]),
    Field("Known from", "text", 16, lambda row: row["past_from"]),
    Field("USD per task-hour", "rate", 14, lambda row: row["usd_per_task_hour"]),
)

OPTIONS: Final = (
    Field("Savings Plan", "text", 24, lambda row: row["option"]),
    Field("Term, years", "count", 10, lambda row: row["term_years"]),
    Field("Payment", "text", 16, lambda row: row["payment"]),
    Field("Commit to, USD per hour", "rate", 14, lambda row: row["usd_per_hour"]),
    Field("Saves, USD per month", "usd", 14, lambda row: row["saving"]),
    Field("5 % quantile, USD per month", "usd", 14, lambda row: row["saving_p5"]),
    Field("95 % quantile, USD per month", "usd", 14, lambda row: row["saving_p95"]),
    Field("Used", "share", 10, lambda row: row["utilization"]),
    Field("Share of futures in which it loses", "share", 14, lambda row: row["loses"]),
    Field("Beside the advised", "text", 50, lambda row: row["why"]),
)

BUDGETS: Final = (
    Field("Budget", "text", 24, lambda row: row["budget"]),
    Field("Month, UTC", "date", 14, lambda row: row["month"]),
    Field("May spend, USD", "usd", 14, lambda row: row["limit"]),
    Field("Expected, USD", "usd", 14, lambda row: row["usd"]),
    Field("5 % quantile, USD", "usd", 14, lambda row: row["p5"]),
    Field("95 % quantile, USD", "usd", 14, lambda row: row["p95"]),
    Field("Probability of passing it", "share", 14, lambda row: row["probability"]),
    Field("5 % have passed it, UTC", "date", 14, lambda row: row["first"]),
    Field("Owner", "text", 20, lambda row: row["owner"]),
)

BILL: Final = (
    Field("Month, UTC", "date", 14, lambda row: row["month"]),
    Field("Services billed", "count", 10, lambda row: row["services"]),
    Field("By the price table, USD", "usd", 14, lambda row: row["table"]),
    Field("Quantity, USD", "usd", 14, lambda row: row["quantity"]),
    Field("Spot, USD", "usd", 14, lambda row: row["spot"]),
    Field("Savings Plans, USD", "usd", 14, lambda row: row["committed"]),
    Field("Price, USD", "usd", 14, lambda row: row["price"]),
    Field("Billed, USD", "usd", 14, lambda row: row["billed"]),
)


def sheets(document: Document) -> list[Sheet]:
    """A sheet for each that is known."""
    said = document["cost"]
    units, commitment, held, bill = (said.get(name) for name in ("unit_costs", "commitment", "budgets", "bill"))
    return [
        *([Sheet("Unit costs", UNITS, units["services"])] if units else []),
        *([Sheet("Commitments", OPTIONS, commitment["options"])] if commitment else []),
        *([Sheet("Budgets", BUDGETS, held["rows"])] if held else []),
        *([Sheet("Bill", BILL, bill["months"])] if bill else []),
    ]
