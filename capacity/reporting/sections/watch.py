"""What is watched: alarms with what they wait for, how they would have done on history, and their runbooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from capacity.reporting import words
from capacity.reporting.sections.base import Block, Document, Nouns, Section
from capacity.reporting.sections.blocks import figures, heading, note, table, text
from capacity.reporting.sections.plainly import cut, left_out
from capacity.reporting.sheets import Field, Sheet
from capacity.reporting.tables import cell, column, row
from capacity.reporting.tables import table as grid

if TYPE_CHECKING:
    from capacity.monitoring import Alarm, Alarms

#: Alarms, and remarks, that the page shows: those that wake someone first.
SHOWN: Final = 25
REMARKS: Final = 3

#: What an alarm tells of, by kind; in the order of the table.
KINDS: Final = {
    "burn_fast": "error budget gone within days",
    "burn_slow": "error budget gone within its window",
    "saturation": "tasks near what they carry",
    "pinned": "at its maximum",
    "leak": "a level that only climbs",
    "silence": "no data",
    "forecast_breach": "demand beyond the plan",
    "quota": "a quota comes near",
    "anomaly": "unlike its past",
}

#: Where to get them.
HOW: Final = (
    {"text": "capacity alarms", "code": True},
    {"text": " renders them for a monitor, ", "code": False},
    {"text": "capacity runbooks", "code": True},
    {"text": " writes a page for each.", "code": False},
)

SEVERITIES: Final = {"page": "wakes someone", "ticket": "opens a ticket"}


def part(nouns: Nouns, document: Document) -> dict[str, Any] | None:
    """A row an alarm, refused ones too; None without alarms."""
    found = nouns.alarms
    if found is None or not found.alarms:
        return None
    return {
        "alarms": [_alarm(one, found) for one in found.alarms],
        "remarks": [finding.message for finding in found.findings if finding.status in ("FAIL", "REVIEW")],
    }


def _alarm(alarm: Alarm, alarms: Alarms) -> dict[str, Any]:
    from capacity.monitoring.render.wording import runbook_link, sentence

    done = alarm.replayed
    return {
        "name": alarm.name,
        "service": alarm.service,
        "kind": alarm.kind,
        "severity": alarm.severity,
        "waits_for": sentence(alarm.condition),
        "summary": alarm.summary,
        "because": alarm.because,
        "lead_minutes": alarm.lead_minutes,
        "days": None if done is None else done.days,
        "fired": None if done is None else done.fired,
        "true": None if done is None else done.true,
        "false": None if done is None else done.false,
        "false_per_month": None if done is None else done.false_per_month,
        "last": None if done is None else words.stamped(done.last),
        "owner": alarm.owner,
        "runbook": runbook_link(alarm, alarms),
        "refused": alarm.refused,
    }


def view(document: Document) -> list[Block]:
    """What history says of them together, by kind, and each that wakes someone."""
    said = document.get("watch")
    if said is None:
        return left_out(document, "watch")
    used = [one for one in said["alarms"] if not one["refused"]]
    ordered = sorted(used, key=lambda one: (one["severity"] != "page", -(one["fired"] or 0), one["service"]))
    shown, more = cut(ordered, SHOWN, "alarm", "Alarms")
    judged = [one for one in used if one["fired"] is not None]
    days = max((one["days"] for one in judged), default=0.0)
    replayed = (
        f"Each was tried on up to {words.number(days, 2)} days of history; what could not be tried "
        "for want of data says so."
        if judged
        else "None could be tried on history: what they need was not measured."
    )
    return [
        text([{"text": f"{replayed} ", "code": False}, *HOW]),
        figures(_figures(said["alarms"])),
        heading("By kind"),
        table(grid("Alarms by kind", _KIND_COLUMNS, _by_kind(used)), sortable=False),
        heading("Each alarm"),
        table(grid("Alarms", _COLUMNS, [_line(one) for one in shown])),
        *more,
        *(note(words.sentence(one)) for one in said["remarks"][:REMARKS]),
        *left_out(document, "watch"),
    ]


def _figures(alarms: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    used = [one for one in alarms if not one["refused"]]
    pages = [one for one in used if one["severity"] == "page"]
    tried = [one["false_per_month"] for one in pages if one["false_per_month"] is not None]
    services = len({one["service"] for one in alarms if one["service"]})
    refused = len(alarms) - len(used)
    return [
        {
            "label": "Alarms",
            "value": f"{len(used):,}",
            "note": f"{words.count(len(pages), 'page')} and {words.count(len(used) - len(pages), 'ticket')}, for "
            f"{words.count(services, 'service')}",
        },
        {
            "label": "False pages",
            "value": words.fixed(sum(tried)) if tried else words.UNKNOWN,
            "note": f"in 30 days, of {len(tried):,} pages that were tried",
        },
        {
            "label": "Refused",
            "value": f"{refused:,}" if refused else "none",
            "note": "would have been false too often; listed under Risks" if refused else "was false too often",
        },
    ]


_KIND_COLUMNS: Final = [
    column("Tells of"),
    column("Pages", number=True),
    column("Tickets", number=True),
    column("Tried", "on history", number=True),
    column("Would have fired", "times", number=True),
    column("Of those right", "times", number=True),
    column("False", "times", number=True),
]


def _by_kind(alarms: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for kind, name in KINDS.items():
        own = [one for one in alarms if one["kind"] == kind]
        tried = [one for one in own if one["fired"] is not None]
        if not own:
            continue
        pages = sum(one["severity"] == "page" for one in own)
        totals = [words.grouped(sum(one[key] for one in tried)) if tried else "–" for key in ("fired", "true", "false")]
        rows.append(
            row(
                cell(name[0].upper() + name[1:]),
                cell(f"{pages:,}"),
                cell(f"{len(own) - pages:,}"),
                cell(f"{len(tried):,} of {len(own):,}"),
                *map(cell, totals),
            )
        )
    return rows


_COLUMNS: Final = [
    column("Alarm", "what it tells of"),
    column("Does", wide=0),
    column("Waits for", wide=2),
    column("On history", "fired; false in 30 days", wide=0),
    column("Runbook"),
]


def _line(one: dict[str, Any]) -> dict[str, Any]:
    kind, fired = KINDS.get(one["kind"], one["kind"]), one["fired"]
    lead = one["lead_minutes"]
    ahead = f"{words.number(lead)} min ahead" if lead is not None else ""
    tried = "not tried" if fired is None else words.count(fired, "time") if fired else "never"
    rate = f"{words.fixed(one['false_per_month'])} false" if one["false_per_month"] is not None else ""
    name = one["runbook"].rsplit("/", 1)[-1].removesuffix(".md")
    return row(
        cell(one["service"] or "account", kind, sort=(one["service"] or "account").lower()),
        cell(SEVERITIES.get(one["severity"], one["severity"]), ahead, sort=one["severity"]),
        cell(one["waits_for"]),
        cell(tried, rate if fired is not None else "", sort=fired),
        cell(name, link=one["runbook"]),
    )


ALARMS: Final = (
    Field("Alarm", "text", 40, lambda row: row["name"]),
    Field("Service", "text", 24, lambda row: row["service"] or "(account)"),
    Field("Kind", "text", 16, lambda row: row["kind"]),
    Field("Severity", "text", 10, lambda row: row["severity"]),
    Field("Waits for", "text", 60, lambda row: row["waits_for"]),
    Field("Rests on", "text", 60, lambda row: row["because"]),
    Field("Promised lead, minutes", "number", 12, lambda row: row["lead_minutes"]),
    Field("Tried on, days of history", "number", 12, lambda row: row["days"]),
    Field("Would have fired, times", "count", 10, lambda row: row["fired"]),
    Field("Of those right", "count", 10, lambda row: row["true"]),
    Field("False", "count", 10, lambda row: row["false"]),
    Field("False in 30 days", "number", 10, lambda row: row["false_per_month"]),
    Field("Would last have fired, UTC", "moment", 18, lambda row: row["last"]),
    Field("Owner", "text", 18, lambda row: row["owner"]),
    Field("Runbook", "text", 40, lambda row: row["runbook"]),
    Field("Refused, because", "text", 50, lambda row: row["refused"]),
)


def sheets(document: Document) -> list[Sheet]:
    """A row an alarm."""
    said = document.get("watch")
    return [] if said is None else [Sheet("Alarms", ALARMS, said["alarms"])]


SECTION: Final = Section("watch", "What is watched", view, part, sheets=sheets, new_page=False)
