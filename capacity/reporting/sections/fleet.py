"""Every service on one line, what they share, and what was found about all of them."""

from __future__ import annotations

from typing import Any, Final

from capacity.planning.plans import Plan
from capacity.reporting import words
from capacity.reporting.sections.base import Block, Document, Nouns, Section
from capacity.reporting.sections.blocks import figures, heading, table, text
from capacity.reporting.sections.fleet_sheets import fleet_sheets
from capacity.reporting.tables import cell, column, findings_table, row
from capacity.reporting.tables import table as grid
from capacity.reporting.wording import AT_RISK, STATUS_WORDS

#: From so many services on, the table can be sorted and searched; so many owners fit a list to choose from.
SEARCHED: Final = 8
MOST_OWNERS: Final = 500

COLUMNS: Final = [
    column("Service", wide=1.5),
    column("Demand", "past and forecast", wide=0),
    column("Peak tasks", "next week → horizon", number=True),
    column("Maximum", "would hold", number=True),
    column("Passed", "5 % of futures", wide=0),
    column("USD per month", "90 % interval", number=True),
    column("Data", wide=0),
]


def part(nouns: Nouns, document: Document) -> list[dict[str, Any]]:
    """A row a service."""
    return [_fleet_row(one, document["decisions"]) for one in document["services"]]


def _fleet_row(part: dict[str, Any], decisions: list[dict[str, Any]]) -> dict[str, Any]:
    """One service on one line of the overview."""
    own = next((limit for limit in part["limits"] if limit["limit"] == "max_tasks"), None)
    return {
        "service": part["name"],
        "anchor": part["anchor"],
        "tasks_next_week": part["tasks"]["next_week"],
        "tasks_highest": part["tasks"]["highest"],
        "min_tasks": part["settings"]["min_tasks"],
        "max_tasks": part["settings"]["max_tasks"],
        "limit_needed": own["needed"] if own else None,
        "limit_probability": own["probability"] if own else None,
        "limit_first": own["first"] if own else None,
        "limit_median": own["median"] if own else None,
        "usd_per_month": part["cost"]["month"],
        "cost_reason": part["cost"]["reason"],
        "status": part["status"],
        "owner": part["settings"]["owner"],
        "decisions": [decision["number"] for decision in decisions if decision["service"] == part["name"]],
    }


def accounts(plan: Plan) -> list[dict[str, Any]]:
    """Quotas that services share. A region in use without a stated quota is listed too: not known is not endless."""
    regions = sorted({service.region for service in plan.services if service.launch_type == "FARGATE"})
    stated = {account.region: account for account in plan.accounts}
    rows = []
    for region in regions:
        account = stated.get(region)
        known = account.fargate_vcpu_quota if account is not None else None
        found = plan.limits[
            (plan.limits["service"] == f"(account {region})") & (plan.limits["limit"] == "fargate_vcpu_quota")
        ]
        row = found.iloc[0] if len(found) else None
        services = [service.name for service in plan.services if service.region == region]
        rows.append(
            {
                "region": region,
                "quota": known,
                "services": services,
                "needed": words.known(row["needed"]) if row is not None else None,
                "probability": words.known(row["probability"]) if row is not None else None,
                "first": words.stamped(row["first"]) if row is not None else None,
                "median": words.stamped(row["median"]) if row is not None else None,
                "act_by": words.stamped(row["act_by"]) if row is not None else None,
            }
        )
    return rows


def view(document: Document) -> list[Block]:
    """The fleet in four figures, a line a service, then quotas they share and findings about all of them."""
    rows = document["fleet"]
    found = [one for one in document["fleet_findings"] if one["status"] != "PASS"]
    return [
        figures(_fleet_figures(document)),
        table(grid("Fleet overview", COLUMNS, [_line(one) for one in rows]), _tools(rows)),
        heading("Shared quotas"),
        *(text(_quota(account)) for account in document["accounts"]),
        *([] if document["accounts"] else [text("No service runs on Fargate.")]),
        *([heading("Findings about the fleet")] if found else []),
        *([table(findings_table("Findings about the fleet", found, fleet=True))] if found else []),
    ]


def _tools(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What a table of many services is searched by; nothing for one that is seen at a glance."""
    if len(rows) < SEARCHED:
        return None
    statuses = [status for status in STATUS_WORDS if any(row["status"] == status for row in rows)]
    owners = sorted({row["owner"] for row in rows if row.get("owner")})
    return {"statuses": statuses, "owners": owners[:MOST_OWNERS]}


def _fleet_figures(document: dict[str, Any]) -> list[dict[str, str]]:
    month, counts, goal = document["cost"]["month"], document["finding_counts"], document["method"]["goal"]
    risky = [one for one in document["fleet"] if (one["limit_probability"] or 0) >= AT_RISK]
    unpriced = len(document["cost"]["unpriced"])
    spread = f"90 % between {words.amount(month['p5'])} and {words.amount(month['p95'])}"
    without = f"{words.count(unpriced, 'service')} without a price" if unpriced else ""
    money = "; ".join(filter(None, (spread, without))) if month["mean"] is not None else "no service has a price"
    found = [(counts["FAIL"], "failed"), (counts["UNKNOWN"], "unknown"), (counts["REVIEW"], "to review")]
    worst = [f"{number} {word}" for number, word in found if number]
    zone = ", and after the loss of a zone" if goal["survive_zone_loss"] else ""
    return [
        {"label": "Cost per month", "value": words.usd(month["mean"]), "note": money},
        {
            "label": "May reach their maximum",
            "value": f"{len(risky):,} of {len(document['fleet']):,}",
            "note": f"services, with a probability of {words.share(AT_RISK)} or more",
        },
        {"label": "Planned to hold", "value": words.level(goal["level"]), "note": f"in each interval{zone}"},
        {
            "label": "Data checks",
            "value": worst[0] if worst else "passed",
            "note": words.listed(worst[1:]) or ("nothing else asks for attention" if worst else ""),
        },
    ]


def _line(one: dict[str, Any]) -> dict[str, Any]:
    """A row of the table, with what each cell sorts by; what is not known sorts last."""
    month, first, todo = one["usd_per_month"], one["limit_first"], len(one["decisions"])
    likely = one["limit_probability"]
    return row(
        cell(one["service"], one.get("owner", ""), anchor=one["anchor"], sort=one["service"].lower()),
        cell("", spark=one["anchor"], sort=one["tasks_highest"] / max(1, one["tasks_next_week"])),
        cell(
            f"{words.grouped(one['tasks_next_week'])} → {words.grouped(one['tasks_highest'])}",
            sort=one["tasks_highest"],
        ),
        cell(words.grouped(one["max_tasks"]), words.grouped(one["limit_needed"]), sort=one["max_tasks"]),
        cell(words.percent(likely), f"from {words.day(first)}" if first else "", sort=likely),
        cell(
            words.amount(month["mean"]),
            f"{words.amount(month['p5'])} – {words.amount(month['p95'])}" if month["mean"] is not None else "",
            sort=month["mean"],
        ),
        cell(
            status=one["status"],
            small=words.count(todo, "decision") if todo else "",
            sort=list(STATUS_WORDS).index(one["status"]),
        ),
        about={"owner": one.get("owner", ""), "status": one["status"], "decisions": todo},
    )


def _quota(account: dict[str, Any]) -> str:
    if account["quota"] is None:
        fit = "its service fits" if len(account["services"]) == 1 else f"its {len(account['services'])} services fit"
        return (
            f"{account['region']}: the Fargate vCPU quota is not stated, so whether {fit} into it is unknown. "
            "State fargate_vcpu_quota in [[account]]."
        )
    start = f", from {words.date(account['first'])} on" if account["first"] else ""
    ask = f"; ask for it by {words.date(account['act_by'])}" if account["act_by"] else ""
    return (
        f"{account['region']}: the Fargate quota of {words.number(account['quota'], 6)} vCPU is passed with a "
        f"probability of {words.percent(account['probability'])}{start}. {words.number(account['needed'])} vCPU would "
        f"hold to the end of the horizon{ask}."
    )


SECTION: Final = Section("fleet", "Fleet", view, part, sheets=fleet_sheets)
