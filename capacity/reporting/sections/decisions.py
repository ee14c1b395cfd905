"""What to do: by when, who, why and for how much."""

from __future__ import annotations

from typing import Any, Final

from capacity.planning.plans import Decision
from capacity.planning.words import first_few
from capacity.reporting import words
from capacity.reporting.sections.base import Block, Document, Nouns, Section
from capacity.reporting.sections.blocks import callout
from capacity.reporting.sheets import Field, Sheet
from capacity.reporting.tables import runs
from capacity.reporting.wording import ACTIONS, grouped_decisions


def part(nouns: Nouns, document: Document) -> list[dict[str, Any]]:
    """Every decision of the plan, numbered, most urgent first."""
    return [decision_row(number, decision) for number, decision in enumerate(nouns.plan.decisions, start=1)]


def decision_row(number: int, decision: Decision) -> dict[str, Any]:
    return {
        "number": number,
        "kind": decision.kind,
        "service": decision.service,
        "sentence": decision.sentence,
        "because": decision.because,
        "probability": decision.probability,
        "before": words.stamped(decision.before),
        "current": decision.current,
        "proposed": decision.proposed,
        "unit": decision.unit,
        "owner": decision.owner,
        "usd_per_month": decision.usd_per_month,
    }


def view(document: Document) -> list[Block]:
    """What to do in groups, then what of it rests on doubtful data."""
    calm = [callout("Nothing has to be decided.", [nothing(document)], "good")] if not document["decisions"] else []
    groups = [{"kind": "decisions", **group} for group in decisions(document)]
    failed = alerts(document)
    return [*calm, *groups, *([{"kind": "alerts", **failed}] if failed else [])]


def nothing(document: dict[str, Any]) -> str:
    return (
        f"Every service keeps within its limits to {words.last_day(document['period']['horizon_end'])}, as surely as "
        f"the goal asks ({words.level(document['method']['goal']['level'])})."
    )


def decisions(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Groups that are not empty: with a date, without one, to watch."""
    failed = {alert["service"] for alert in document["alerts"]}
    titles = ("", "No date is set for these", "To watch")
    groups = zip(titles, grouped_decisions(document["decisions"]), strict=True)
    start = document["period"]["horizon_start"]
    told = []
    for title, group in groups:
        items = [
            _decision(together[0], failed, start) if len(together) < MANY else _gathered(together, failed)
            for together in _together(group)
        ]
        if items:
            more = len(items) - SHOWN
            label = f"{words.count(more, 'more decision')}" if more > 0 else ""
            paper = f"and {label}, in report.html and in report.xlsx" if more > 0 else ""
            told.append(
                {
                    "title": title,
                    "lesser": bool(title),
                    "items": items[:SHOWN],
                    "more": items[SHOWN:],
                    "label": label,
                    "paper": paper,
                }
            )
    return told


#: Decisions of a group that are seen at once; the others are folded away.
SHOWN: Final = 15

#: Services named where many are told the same at once.
NAMED: Final = 20

#: Failed checks named at the top; the rest are in the services' own parts.
SHOWN_ALERTS: Final = 8

#: How many undated decisions of one kind are said in one: a page of "raise min" would hide what has a date.
MANY: Final = 3

#: What many services are told at once, by kind of decision.
GATHERED: Final = {
    "raise_min": "Raise the minimum of {} services: even their quietest intervals need more, headroom included.",
    "lower_min": "Lower the minimum of {} services: most of the time nothing needs it.",
    "lower_max": "Lower the maximum of {} services: no future comes near it.",
}


def _together(group: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The group in its order, with many undated decisions of one kind gathered where the first of them stood."""
    kinds = [one["kind"] for one in group if one["before"] is None]
    many = {kind for kind in GATHERED if kinds.count(kind) >= MANY}
    gathered: dict[Any, list[dict[str, Any]]] = {}
    for number, one in enumerate(group):
        whole = one["kind"] in many and one["before"] is None
        gathered.setdefault(one["kind"] if whole else number, []).append(one)
    return list(gathered.values())


def _gathered(together: list[dict[str, Any]], failed: set[str]) -> dict[str, Any]:
    """Many decisions of one kind as one: which services, from what to what, and what it costs in all."""
    why: list[dict[str, Any]] = []
    for one in together[:NAMED]:
        doubt = " (its data failed a check)" if one["service"] in failed else ""
        change = f" {words.grouped(one['current'])} → {words.grouped(one['proposed'])}{doubt}, "
        why += [{"text": one["service"], "code": True}, {"text": change, "code": False}]
    rest = len(together) - NAMED
    last = f" and {rest:,} more, each with its numbers in report.xlsx." if rest > 0 else "."
    why[-1]["text"] = why[-1]["text"].removesuffix(", ") + last
    priced = [one["usd_per_month"] for one in together if one["usd_per_month"] is not None]
    spend, unpriced = sum(priced), len(together) - len(priced)
    owners = sorted({one["owner"] for one in together if one["owner"]})
    facts = [["Owner", first_few(owners) if owners else "not named"]]
    if priced and (abs(spend) >= 0.5 or unpriced):
        doubt = f", not known for {unpriced}" if unpriced else ""
        facts.append(["Spend", f"{words.usd_change(spend)} a month{doubt}"])
    what = GATHERED[together[0]["kind"]].format(len(together))
    return {"what": runs(what, ""), "why": why, "failed": False, "facts": facts}


def _decision(one: dict[str, Any], failed: set[str], start: str) -> dict[str, Any]:
    facts = [["Act by", "now" if one["before"] <= start else words.day(one["before"])]] if one["before"] else []
    facts.append(["Owner", one["owner"] or "not named"])
    change = one["usd_per_month"]
    if change is not None and abs(change) >= 0.5:
        facts.append(["Spend", f"{words.usd_change(change)} a month"])
    return {
        "what": runs(words.ended(one["sentence"]), one["service"]),
        "why": runs(words.ended(one["because"]), one["service"]),
        "failed": one["service"] in failed and one["kind"] != "fix_data",
        "facts": facts,
    }


def alerts(document: dict[str, Any]) -> dict[str, Any] | None:
    """Failed checks, named where the decisions stand; None when there are none."""
    anchors = {part["name"]: part["anchor"] for part in document["services"]}
    items = [
        {
            "service": alert["service"],
            "anchor": anchors.get(alert["service"], "fleet"),
            "text": words.ended(f"{alert['metric']}: {alert['message']}" if alert["metric"] else alert["message"]),
        }
        for alert in document["alerts"]
    ]
    more = len(items) - SHOWN_ALERTS
    return (
        {
            "title": "Some of this rests on data that failed its checks.",
            "items": items[:SHOWN_ALERTS],
            "more": f"and {more} more, in the services' own parts" if more > 0 else "",
        }
        if items
        else None
    )


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


def sheets(document: Document) -> list[Sheet]:
    """A row a decision."""
    return [Sheet("Decisions", DECISIONS, document["decisions"])]


SECTION: Final = Section("decisions", "Decisions", view, part, sheets=sheets)
