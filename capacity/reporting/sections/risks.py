"""What may go wrong, with its date: limits, promises that will not last, single points, doubts, refused alarms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from capacity.planning.words import first_few
from capacity.reporting import words
from capacity.reporting.sections.base import Block, Document, Nouns, Section
from capacity.reporting.sections.blocks import heading, table, text
from capacity.reporting.sections.plainly import cut, left_out, records
from capacity.reporting.sheets import Field, Sheet
from capacity.reporting.tables import cell, column, row
from capacity.reporting.tables import table as grid
from capacity.reporting.wording import AT_RISK, limit_name

#: Rows of each table that the page shows.
SHOWN: Final = 25

#: Checks that doubt what a task is stated to carry (`demand.per_task.doubts`).
DOUBTS: Final = ("cost change", "stated capacity", "production")

_SLOS: Final = ("service", "slo", "kind", "status", "objective", "window_days", "good", "spent", "left", "gone_at")


def part(nouns: Nouns, document: Document) -> dict[str, Any]:
    """Every risk that is known, the first to act on first. `slos` is None where nobody asked."""
    owners = {service.name: service.owner for service in nouns.plan.services}
    found = nouns.plan.limits
    near = found[found["probability"] >= AT_RISK].sort_values(
        ["act_by", "first", "probability"], ascending=[True, True, False], kind="stable"
    )
    budgets, alarms = nouns.error_budgets, nouns.alarms
    doubted = [finding for finding in nouns.findings if finding.check in DOUBTS and finding.status != "PASS"]
    return {
        "limits": [{**one, "owner": owners.get(one["service"], "")} for one in records(near)],
        "slos": None
        if budgets is None
        else [{**one, "owner": owners.get(one["service"], "")} for one in records(budgets.frame, _SLOS)],
        "single_points": list(_single_points(nouns)),
        "doubts": [
            {
                "service": finding.service,
                "message": finding.message,
                "advice": finding.advice,
                "owner": owners.get(finding.service, ""),
            }
            for finding in doubted
        ],
        "refused": [
            {"service": one.service, "name": one.name, "severity": one.severity, "reason": one.refused}
            for one in (alarms.alarms if alarms is not None else ())
            if one.refused
        ],
    }


def _single_points(nouns: Nouns) -> Iterator[dict[str, str]]:
    """What fails whole: one zone, one task, one thing behind many services. A batch may wait, and is not asked."""
    behind: dict[str, list[str]] = defaultdict(list)
    for service in nouns.plan.services:
        for limit in service.limit:
            behind[limit.name].append(service.name)
        if service.tier == "batch":
            continue
        if service.zones == 1:
            said = "All of its tasks are in one zone: its loss is an outage."
            yield {"service": service.name, "what": "one zone", "message": said, "owner": service.owner}
        if service.min_tasks <= 1:
            said = (
                "One task may serve alone: when it is lost, the next serves after "
                f"{words.number(service.startup_seconds)} s."
            )
            yield {"service": service.name, "what": "one task", "message": said, "owner": service.owner}
    for name, users in behind.items():
        if len(users) > 1:
            said = f"{words.count(len(users), 'service')} depend on it: {first_few(users)}."
            yield {"service": name, "what": "shared", "message": said, "owner": ""}


def view(document: Document) -> list[Block]:
    """A table a kind of risk, none of them empty."""
    said = document.get("risks")
    if said is None:
        return left_out(document, "risks")
    tables = [*_limits(said), *_slos(said), *_doubts(said), *_single(said), *_refused(said)]
    end = words.last_day(document["period"]["horizon_end"])
    calm = f"No limit that is known is passed in {words.share(AT_RISK)} of the futures or more until {end}."
    return [*([] if said["limits"] else [text(calm)]), *tables, *left_out(document, "risks")]


def _limits(said: dict[str, Any]) -> list[Block]:
    if not said["limits"]:
        return []
    shown, more = cut(said["limits"], SHOWN, "limit", "Risks")
    columns = [
        column("Limit", "today"),
        column("Act by", wide=0),
        column("Passed", "share of futures", number=True),
        column("5 % pass it by", "half by", wide=0),
        column("Would hold", number=True),
        column("Owner", wide=0),
    ]
    rows = [
        row(
            cell(
                one["service"].strip("()"),
                f"{limit_name(one['limit'])}, {words.quantity(one['value'], one['unit'])}",
                sort=one["service"].lower(),
            ),
            cell(words.day(one["act_by"]) or "–", sort=one["act_by"]),
            cell(words.percent(one["probability"]), sort=one["probability"]),
            cell(words.day(one["first"]) or "–", words.day(one["median"]), sort=one["first"]),
            cell(words.quantity(one["needed"], one["unit"]), sort=one["needed"]),
            cell(one["owner"] or "not named", sort=one["owner"].lower()),
        )
        for one in shown
    ]
    return [
        heading("Limits that may be passed"),
        text(f"Every limit that {words.share(AT_RISK)} of the futures or more pass, the first to act on first."),
        table(grid("Limits that may be passed", columns, rows)),
        *more,
    ]


def _slos(said: dict[str, Any]) -> list[Block]:
    """Promises that are broken or will be; how many hold."""
    if not said["slos"]:
        return []
    failing = [one for one in said["slos"] if one["status"] in ("FAIL", "REVIEW")]
    unknown = sum(one["status"] == "UNKNOWN" for one in said["slos"])
    holding = len(said["slos"]) - len(failing) - unknown
    rest = f"; of {words.count(unknown, 'promise')} nothing is known" if unknown else ""
    shown, more = cut(failing, SHOWN, "promise", "Error budgets")
    columns = [
        column("Promise (SLO)"),
        column("Status", wide=0),
        column("Good", "share; promised", number=True),
        column("Budget spent", "of its window", number=True),
        column("Gone", "at this rate", wide=0),
        column("Owner", wide=0),
    ]
    rows = [
        row(
            cell(one["service"], f"{one['slo']}, {one['window_days']} days", sort=one["service"].lower()),
            cell(status=one["status"], sort=one["status"]),
            cell(_close(one["good"]), _close(one["objective"]), sort=one["good"]),
            cell(_times(one["spent"]), sort=one["spent"]),
            cell(words.day(one["gone_at"]) or "lasts", sort=one["gone_at"]),
            cell(one["owner"] or "not named", sort=one["owner"].lower()),
        )
        for one in shown
    ]
    verb = "holds" if holding == 1 else "hold"
    kept = f"{words.count(holding, 'promise')} of {len(said['slos']):,} {verb} and will last"
    return [
        heading("Promises that will not last"),
        text(words.sentence(f"{kept}{rest}.")),
        *([table(grid("Promises that will not last", columns, rows)), *more] if rows else []),
    ]


def _close(share: float | None) -> str:
    """A share close to 1, with the digits that matter.

    >>> _close(0.999), _close(0.698611), _close(None)
    ('99.9 %', '69.9 %', 'unknown')
    """
    return words.UNKNOWN if share is None else f"{100 * share:.4g} %" if share > 0.99 else f"{100 * share:.1f} %"


def _times(spent: float | None) -> str:
    """How much of a budget is gone; more than twice as a multiple."""
    if spent is None:
        return words.UNKNOWN
    return words.share(spent) if spent < 2 else f"{words.number(spent)} times"


def _doubts(said: dict[str, Any]) -> list[Block]:
    title = "What a task carries is in doubt"
    rows = [
        row(
            cell(one["service"] or "the fleet", sort=one["service"].lower()),
            cell(words.sentence(one["message"]), words.sentence(one["advice"])),
            cell(one["owner"] or "not named", sort=one["owner"].lower()),
        )
        for one in said["doubts"]
    ]
    return _grouped(title, [column("Service", wide=0), column("What production says", "and what to do"), _OWNER], rows)


def _single(said: dict[str, Any]) -> list[Block]:
    rows = [
        row(
            cell(one["service"], sort=one["service"].lower()),
            cell(one["message"]),
            cell(one["owner"] or "not named", sort=one["owner"].lower()),
        )
        for one in said["single_points"]
    ]
    return _grouped("Single points of failure", [column("What", wide=0), column("Why it matters"), _OWNER], rows)


def _refused(said: dict[str, Any]) -> list[Block]:
    rows = [
        row(
            cell(one["service"] or "account", one["severity"], sort=one["service"].lower()),
            cell(one["name"]),
            cell(words.sentence(one["reason"])),
        )
        for one in said["refused"]
    ]
    columns = [column("Service", "severity", wide=0), column("Alarm"), column("Why it is not to be used", wide=2)]
    return _grouped("Not watched: alarms that history refused", columns, rows)


_OWNER: Final = column("Owner", wide=0)


def _grouped(title: str, columns: list[dict[str, Any]], rows: list[dict[str, Any]]) -> list[Block]:
    """A heading with its table; nothing without rows."""
    shown, more = cut(rows, SHOWN, "row", "Risks")
    return [heading(title), table(grid(title, columns, shown)), *more] if rows else []


RISKS: Final = (
    Field("Kind", "text", 18, lambda row: row["kind"]),
    Field("Service or account", "text", 28, lambda row: row["service"]),
    Field("What", "text", 30, lambda row: row["what"]),
    Field("Why", "text", 70, lambda row: row["why"]),
    Field("Probability", "share", 12, lambda row: row["probability"]),
    Field("Act by, UTC", "date", 14, lambda row: row["act_by"]),
    Field("From, UTC", "date", 14, lambda row: row["first"]),
    Field("Owner", "text", 20, lambda row: row["owner"]),
)

SLOS: Final = (
    Field("Service", "text", 28, lambda row: row["service"]),
    Field("SLO", "text", 18, lambda row: row["slo"]),
    Field("Status", "text", 10, lambda row: row["status"]),
    Field("Promised, share good", "rate", 12, lambda row: row["objective"]),
    Field("Window, days", "count", 10, lambda row: row["window_days"]),
    Field("Was good, share", "rate", 12, lambda row: row["good"]),
    Field("Error budget spent", "share", 12, lambda row: row["spent"]),
    Field("Gone, UTC", "moment", 18, lambda row: row["gone_at"]),
    Field("Owner", "text", 20, lambda row: row["owner"]),
)


def sheets(document: Document) -> list[Sheet]:
    """All risks in one list, and every error budget."""
    said = document.get("risks")
    if said is None:
        return []
    rows = list(_rows(said))
    return [
        *([Sheet("Risks", RISKS, rows)] if rows else []),
        *([Sheet("Error budgets", SLOS, said["slos"])] if said["slos"] else []),
    ]


def _rows(said: dict[str, Any]) -> Iterator[dict[str, Any]]:
    none: dict[str, Any] = {"probability": None, "act_by": None, "first": None, "owner": ""}
    for one in said["limits"]:
        today, needed = (words.quantity(one[name], one["unit"]) for name in ("value", "needed"))
        why = f"{today} today; {needed} would hold."
        yield {**one, "kind": "limit", "what": limit_name(one["limit"]), "why": why}
    for one in said["doubts"]:
        yield none | {**one, "kind": "doubt", "what": "what a task carries", "why": f"{one['message']} {one['advice']}"}
    for one in said["single_points"]:
        yield none | {**one, "kind": "single point", "why": one["message"]}
    for one in said["refused"]:
        yield none | {**one, "kind": "refused alarm", "what": one["name"], "why": one["reason"]}


SECTION: Final = Section("risks", "Risks", view, part, sheets=sheets, new_page=False)
