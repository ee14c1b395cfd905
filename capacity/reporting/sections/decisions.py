"""What to do: by when, who, why and for how much."""

from __future__ import annotations

from typing import Any, Final

from capacity.planning.plans import Decision
from capacity.planning.words import first_few
from capacity.reporting import words
from capacity.reporting.sections.base import Block, Document, Nouns, Section
from capacity.reporting.sections.blocks import callout, heading, note, table
from capacity.reporting.sections.plainly import cut
from capacity.reporting.sheets import Field, Sheet
from capacity.reporting.tables import cell, column, row, runs
from capacity.reporting.tables import table as grid
from capacity.reporting.wording import ACTIONS, grouped_decisions


def part(nouns: Nouns, document: Document) -> list[dict[str, Any]]:
    """Every decision of the plan, numbered, most urgent first; last the Savings Plan to buy, if there is one."""
    commit = nouns.commitment.decision if nouns.commitment is not None else None
    told = [*nouns.plan.decisions, *([commit] if commit is not None else [])]
    return [decision_row(number, decision) for number, decision in enumerate(told, start=1)]


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
    warned = [{"kind": "alerts", **failed}] if failed else []
    return [*calm, *groups, *warned, *_by_owner(document), *_calendar(document), *_next_time(document)]


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

#: Decisions of a long group that are told one by one before those of a kind are gathered.
FIRST: Final = 5

#: What many services are told at once, by kind of decision; the first of these also where the list is short.
UNDATED: Final = ("raise_min", "lower_min", "lower_max")
GATHERED: Final = {
    "raise_min": "Raise the minimum of {} services: even their quietest intervals need more, headroom included.",
    "lower_min": "Lower the minimum of {} services: most of the time nothing needs it.",
    "lower_max": "Lower the maximum of {} services: no future comes near it.",
    "raise_max": "Raise the maximum of {} services: their load will need more.",
    "resize": "Change the size of the tasks of {} services.",
    "measure": "Measure what a task of {} services carries.",
    "fix_data": "Repair the data of {} services before acting on their numbers.",
    "watch": "Watch {} services: they may need more than their limits allow.",
}


def _together(group: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The group in its order, with many decisions of one kind gathered where the first of them stood.

    Gathered are undated ones about bounds; of a group too long to be read, all kinds, but for its most urgent few.
    """
    long = len(group) > SHOWN
    apart = [
        one["kind"] not in GATHERED
        or ((one["before"] is not None or one["kind"] not in UNDATED) and (not long or place < FIRST))
        for place, one in enumerate(group)
    ]
    kinds = [one["kind"] for one, alone in zip(group, apart, strict=True) if not alone]
    many = {kind for kind in GATHERED if kinds.count(kind) >= MANY}
    gathered: dict[Any, list[dict[str, Any]]] = {}
    for number, (one, alone) in enumerate(zip(group, apart, strict=True)):
        whole = one["kind"] in many and not alone
        gathered.setdefault(one["kind"] if whole else number, []).append(one)
    return list(gathered.values())


def _gathered(together: list[dict[str, Any]], failed: set[str]) -> dict[str, Any]:
    """Many decisions of one kind as one: which services, from what to what, and what it costs in all."""
    why: list[dict[str, Any]] = []
    for one in together[:NAMED]:
        doubt = " (its data failed a check)" if one["service"] in failed else ""
        change = f"{_from_to(one, ' ')}{doubt}, "
        why += [{"text": one["service"], "code": True}, {"text": change, "code": False}]
    rest = len(together) - NAMED
    last = f" and {rest:,} more, each with its numbers in report.xlsx." if rest > 0 else "."
    why[-1]["text"] = why[-1]["text"].removesuffix(", ") + last
    priced = [one["usd_per_month"] for one in together if one["usd_per_month"] is not None]
    spend, unpriced = sum(priced), len(together) - len(priced)
    owners = sorted({one["owner"] for one in together if one["owner"]})
    dates = sorted(one["before"] for one in together if one["before"])
    facts = [["Act by", f"{words.day(dates[0])} on"]] if dates else []
    facts.append(["Owner", first_few(owners) if owners else "not named"])
    if priced and (abs(spend) >= 0.5 or unpriced):
        doubt = f", not known for {unpriced}" if unpriced else ""
        facts.append(["Spend", f"{words.usd_change(spend)} a month{doubt}"])
    what = GATHERED[together[0]["kind"]].format(len(together))
    return {"what": runs(what, ""), "why": why, "failed": False, "facts": facts}


def _from_to(one: dict[str, Any], before: str = "") -> str:
    """From what to what, where both are known."""
    if one["current"] is None or one["proposed"] is None:
        return ""
    return f"{before}{words.grouped(one['current'])} → {words.grouped(one['proposed'])}"


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


#: Decisions from which on a table beside the list helps to find one's own, and rows of it that the page shows.
TABLED: Final = 5
ROWS: Final = 100

#: Weeks of the calendar, and decisions named in each.
WEEKS: Final = 14
IN_A_WEEK: Final = 4


def _by_owner(document: Document) -> list[Block]:
    """Who has to do what, by when: a line a decision, by owner and then by date."""
    decisions, start = document["decisions"], document["period"]["horizon_start"]
    if len(decisions) < TABLED:
        return []
    ordered = sorted(decisions, key=lambda one: (not one["owner"], one["owner"].lower(), one["before"] or "9"))
    shown, more = cut(ordered, ROWS, "decision", "Decisions")
    anchors = {part["name"]: part["anchor"] for part in document["services"]}
    columns = [
        column("Owner"),
        column("Act by", wide=0),
        column("What to do"),
        column("Whose"),
        column("From → to", number=True),
        column("Spend", "USD per month", number=True),
    ]
    rows = [
        row(
            cell(one["owner"] or "not named", sort=one["owner"].lower() or None),
            cell(_by_when(one["before"], start), sort=one["before"]),
            cell(ACTIONS.get(one["kind"], one["kind"]), sort=one["kind"]),
            cell(_whose(one), anchor=anchors.get(one["service"], ""), sort=one["service"].lower()),
            cell(_from_to(one) or _one_number(one), one["unit"] if one["proposed"] is not None else ""),
            cell(_spend(one["usd_per_month"]), sort=one["usd_per_month"]),
        )
        for one in shown
    ]
    return [heading("Who does what"), table(grid("Decisions by owner", columns, rows)), *more]


def _whose(one: dict[str, Any]) -> str:
    """The service, what is shared, or all of it."""
    return str(one["service"]).strip("()") or "the fleet"


def _by_when(before: str | None, start: str) -> str:
    return "no date" if before is None else "now" if before <= start else words.day(before)


def _one_number(one: dict[str, Any]) -> str:
    """What is proposed where there is nothing today, such as a first commitment."""
    return words.number(one["proposed"]) if one["proposed"] is not None else ""


def _spend(change: float | None) -> str:
    if change is None:
        return "–"
    return "0" if abs(change) < 0.5 else words.usd_change(change).removesuffix(" USD")


def _calendar(document: Document) -> list[Block]:
    """The dates by which something is to be done, week by week, and when the next plan is due."""
    start, end = document["period"]["horizon_start"], document["period"]["horizon_end"]
    dated = [one for one in document["decisions"] if one["before"]]
    if len(dated) < 2:
        return []
    weeks: dict[str, list[dict[str, Any]]] = {}
    for one in sorted(dated, key=lambda one: (one["before"], one["number"])):
        weeks.setdefault("" if one["before"] <= start else words.week(one["before"]), []).append(one)
    rows = [
        row(
            cell("now" if not week else f"week of {words.day(week)}"),
            cell(words.grouped(len(held))),
            cell(_in_week(held)),
            cell(first_few(sorted({one["owner"] or "not named" for one in held}))),
        )
        for week, held in list(weeks.items())[:WEEKS]
    ]
    columns = [
        column("When", wide=0),
        column("Decisions", number=True),
        column("Last day to act", wide=3),
        column("Owners"),
    ]
    return [
        heading("Calendar"),
        table(grid("Calendar", columns, rows), sortable=False),
        note(f"The plan reaches to {words.last_day(end)}: the next one is due before it ends."),
    ]


def _in_week(held: list[dict[str, Any]]) -> str:
    """Which decisions fall into a week: "raise maximum: checkout (5 Jan), ..."."""
    told = [
        f"{ACTIONS.get(one['kind'], one['kind']).lower()}: {_whose(one)} ({words.day(one['before']).rsplit(' ', 1)[0]})"
        for one in held[:IN_A_WEEK]
    ]
    more = len(held) - IN_A_WEEK
    return ", ".join(told) + (f" and {more:,} more" if more > 0 else "")


def _next_time(document: Document) -> list[Block]:
    """Where this plan is kept, for a report that had no last one to open with."""
    kept = document.get("kept", "")
    if not kept or document.get("review") is not None:
        return []
    return [
        note(
            f"This plan is kept in {kept}. Name that file, or the folder it is kept in, as previous in [report], and "
            "the next report opens with how this plan did."
        )
    ]


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
