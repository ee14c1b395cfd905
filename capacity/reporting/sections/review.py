"""What the last plan said, and what happened: the error in parts that add up, promises kept, what became of advice."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from capacity.reporting import words
from capacity.reporting.pictures import Picture, pictured
from capacity.reporting.sections.base import Block, Document, Nouns, Section
from capacity.reporting.sections.blocks import callout, figures, heading, note, picture, table, text
from capacity.reporting.sections.plainly import cut, left_out, records
from capacity.reporting.sheets import Field, Sheet
from capacity.reporting.tables import cell, column, row, runs
from capacity.reporting.tables import table as grid
from capacity.reporting.wording import METRIC_NAMES

#: Level whose promise is told: where plans are made.
LEVEL: Final = 0.95

#: Rows of each table, and reasons for a new plan, that the page shows.
SHOWN: Final = 12
REASONS: Final = 5

#: Parts of the error in their order, as people say them.
PARTS: Final = {"margin": "margin", "demand": "demand", "capacity": "capacity", "policy": "policy", "price": "price"}

PICTURE: Final = "review-parts"


def part(nouns: Nouns, document: Document) -> dict[str, Any] | None:
    """The review as plain data: None without one."""
    review = nouns.review
    if review is None:
        return None
    past, frame = review.pasts[-1], review.frame.set_index("service", drop=False)
    fleet = review.fleet["service"]
    others = [name for name in frame.index if name not in {fleet, *review.largest}]
    kept = review.coverage[review.coverage["level"] == LEVEL]
    peaks = review.peaks[review.peaks["level"] == LEVEL]
    return {
        "began": words.stamped(past.promised.cutoff),
        "until": words.stamped(review.now),
        "ends": words.stamped(past.promised.end),
        "plans": len(review.pasts),
        "said": [fact.text for fact in review.facts if fact.headline],
        "new_plan": {
            "needed": review.drift.needed,
            "answer": review.drift.answer,
            "next_at": words.stamped(review.drift.next_at),
            "reasons": records(review.drift.frame),
        },
        "fleet": records(frame.loc[[fleet]])[0],
        "services": records(frame.loc[[*review.largest, *others]]),
        "promises": records(kept),
        "peaks": records(peaks),
        "recommendations": records(review.fates),
        "unknown": [
            f"`{finding.service}`: {finding.message}" if finding.service else finding.message
            for finding in review.findings
            if finding.status != "PASS" and not finding.metric
        ],
    }


def view(document: Document) -> list[Block]:
    """What it comes to, whether a new plan was needed, the way from planned to actual, promises, advice."""
    said = document.get("review")
    if said is None:
        return left_out(document, "review")
    new = said["new_plan"]
    reasons = [one["sentence"] for one in new["reasons"]]
    more = len(reasons) - REASONS
    told = [_named(sentence) for sentence in reasons[:REASONS]] + ([f"and {more:,} more"] if more > 0 else [])
    return [
        text(said["said"][0] if said["said"] else ""),
        figures(_figures(said)),
        callout(_held(new), told, "bad" if new["needed"] else "good"),
        *_error(said),
        *_advice(said),
        *_promises(said),
        *(note(_named(words.ended(one))) for one in said["unknown"][:REASONS]),
        *left_out(document, "review"),
    ]


def _held(new: dict[str, Any]) -> str:
    """Whether the last plan still holds: this report is the new one, so nobody has to ask for it."""
    if not new["needed"]:
        return f"The last plan still held: without this one, the next was due by {words.date(new['next_at'])}."
    return f"The last plan no longer held, for {words.count(len(new['reasons']), 'reason')}; this one takes its place."


def _figures(said: dict[str, Any]) -> list[dict[str, str]]:
    fleet, advice = said["fleet"], said["recommendations"]
    found = [
        {
            "label": "Task-hours",
            "value": f"{words.grouped(fleet['actual'])}",
            "note": f"ran, of {words.grouped(fleet['planned'])} planned{_compared(fleet['actual'], fleet['planned'])}",
        }
    ]
    if fleet["usd_planned"] is not None:
        paid = fleet["usd_actual"]
        found.append(
            {
                "label": "Spend",
                "value": words.usd(paid),
                "note": f"of {words.usd(fleet['usd_planned'])} planned{_compared(paid, fleet['usd_planned'])}"
                if paid is not None
                else f"{words.usd(fleet['usd_planned'])} planned; no bill is known",
            }
        )
    if (short := fleet["short"]) is not None:
        found.append(
            {
                "label": "Missing",
                "value": f"{words.grouped(short)}" if short >= 0.5 else "nothing",
                "note": "task-hours, for tasks that are no more than full"
                if short >= 0.5
                else "every load was carried",
            }
        )
    if advice:
        done = sum(one["status"] in ("applied", "changed") for one in advice)
        counts = {status: sum(one["status"] == status for one in advice) for status in ("not needed", "not due")}
        later = "".join(f"; {count} {status}" for status, count in counts.items() if count)
        found.append({"label": "Advice followed", "value": f"{done} of {len(advice)}", "note": f"decisions{later}"})
    return found


def _compared(actual: float | None, planned: float | None) -> str:
    if not planned or actual is None:
        return ""
    change = actual / planned - 1
    return f" ({words.signed_share(change)})"


def _error(said: dict[str, Any]) -> list[Block]:
    """The parts as a picture and, of several services, as a table: those of the largest error first."""
    services, money = said["services"], said["fleet"]["usd_actual"] is not None
    shown, more = cut(services, SHOWN, "service", "Review")
    parts = [one for one in PARTS if one != "price"]
    columns = [
        column("Service"),
        column("Planned", "task-hours", number=True),
        *(column(PARTS[one].capitalize(), "task-hours", number=True) for one in parts),
        column("Ran", "task-hours", number=True),
        column("Missing", "task-hours", number=True),
    ]
    rows = [
        row(
            cell(one["service"], sort=one["service"].lower()),
            _hours(one["planned"]),
            *(_change(one[name]) for name in parts),
            _hours(one["actual"]),
            _hours(one["short"]),
        )
        for one in shown
    ]
    explained = (
        "Margin: what the plan held beyond its median, to be as sure as the goal asks. Demand: what users asked for "
        "beyond the median. Capacity: what a task carried less, or more. Policy: tasks that ran beyond what was "
        "needed, headroom included."
    )
    unit = "USD" if money else "task-hours"
    return [
        heading("From planned to actual"),
        picture(PICTURE, f"The fleet, in {unit}. {explained}{' Price: paid beyond list price.' if money else ''}"),
        *([table(grid("From planned to actual by service", columns, rows)), *more] if len(services) > 1 else []),
    ]


def _hours(value: float | None) -> dict[str, Any]:
    return cell(words.grouped(value), sort=value)


def _change(value: float | None) -> dict[str, Any]:
    sign = "+" if value is not None and value >= 0.5 else ""
    return cell("0" if value is not None and abs(value) < 0.5 else f"{sign}{words.grouped(value)}", sort=value)


def _advice(said: dict[str, Any]) -> list[Block]:
    """What became of each recommendation: first those that were not followed, by what was missing."""
    order = ("ignored", "changed", "applied", "not needed", "not due", "cannot be told")
    advice = sorted(
        said["recommendations"],
        key=lambda one: (
            order.index(one["status"]),
            -(one["task_hours_short"] or 0),
            -abs(one["usd"] or 0),
            one["service"],
        ),
    )
    if not advice:
        return []
    shown, more = cut(advice, SHOWN, "recommendation", "Recommendations")
    columns = [
        column("What was recommended", wide=2),
        column("Became", wide=0),
        column("What tells so", wide=2),
        column("Owner", wide=0),
        column("Cost", "USD; − saved", number=True),
    ]
    rows = [
        row(
            cell(_plain(one["recommended"]), sort=one["recommended"].lower()),
            cell(one["status"], sort=order.index(one["status"])),
            cell(_plain(one["evidence"])),
            cell(one["owner"] or "not named", sort=(one["owner"] or "").lower()),
            cell("–" if one["usd"] is None else words.amount(one["usd"]), sort=one["usd"]),
        )
        for one in shown
    ]
    return [heading("What became of its advice"), table(grid("What became of its advice", columns, rows)), *more]


def _promises(said: dict[str, Any]) -> list[Block]:
    """How often demand was above the quantile that plans are made at: of the fleet, and where that was not promised."""
    rows = said["promises"]
    counts: dict[str, int] = {}
    for one in rows:
        counts[one["metric"]] = counts.get(one["metric"], 0) + 1
    whole = said["fleet"]["service"]
    told = [
        one
        for one in rows
        if one["service"] == whole or counts[one["metric"]] == 1 or one["verdict"] in ("too low", "too high")
    ]
    if not told:
        return []
    shown, more = cut(told, SHOWN, "promise", "Promises")
    columns = [
        column("Demand"),
        column("Above its P95", "of intervals; 5 % promised", number=True),
        column("In the long run", "19 times in 20", number=True),
        column("Verdict", wide=0),
    ]
    lines = [
        row(
            cell("the fleet" if one["service"] == whole else one["service"], METRIC_NAMES.get(one["metric"], "")),
            cell(words.share(one["exceeded"]), sort=one["exceeded"]),
            cell(f"{words.share(one['low'])} to {words.share(one['high'])}" if one["low"] is not None else "unknown"),
            cell(VERDICTS.get(one["verdict"], one["verdict"]), sort=one["verdict"]),
        )
        for one in shown
    ]
    plans = said["plans"]
    over = f"over {words.count(plans, 'plan')}" if plans > 1 else "over one plan, whose days miss together"
    return [
        heading("Promises kept"),
        text(f"How often demand was above the level that is planned for, {over}."),
        table(grid("Promises kept", columns, lines)),
        *more,
    ]


VERDICTS: Final = {
    "kept": "kept",
    "too low": "not kept: P95 is too low",
    "too high": "P95 is higher than it has to be",
    "too few": "too few plans to tell",
}


def _named(sentence: str) -> Any:
    """A sentence whose names in backticks stand out."""
    return runs(sentence, "") if sentence.count("`") == 2 else _plain(sentence)


def _plain(sentence: str) -> str:
    """A sentence in a table: the marks around names are for places where names can stand out."""
    return sentence.replace("`", "")


def pictures(document: Document) -> list[Picture]:
    """From planned to actual, of the fleet."""
    said = document.get("review")
    if said is None:
        return []
    from capacity.reviewing.pictures import waterfall

    fleet = said["fleet"]
    money = fleet["usd_actual"] is not None
    names = list(PARTS) if money else [one for one in PARTS if one != "price"]
    prefix, unit = ("usd_", "USD") if money else ("", "task-hours")
    changes = [np.nan if fleet[f"{prefix}{name}"] is None else fleet[f"{prefix}{name}"] for name in names]
    start = fleet[f"{prefix}planned"]
    if start is None:
        return []
    drawn = waterfall.spec(start, [PARTS[name] for name in names], changes, unit, "The fleet: from planned to actual")
    described = (
        f"{words.grouped(start)} {unit} planned, {words.grouped(fleet[f'{prefix}actual'])} in the end: "
        + ", ".join(
            f"{PARTS[name]} {words.grouped(value)}"
            for name, value in zip(names, changes, strict=True)
            if np.isfinite(value)
        )
        + "."
    )
    return [pictured(PICTURE, "From planned to actual", described, drawn)]


REVIEW: Final = (
    Field("Service", "text", 28, lambda row: row["service"]),
    Field("Compared, hours", "number", 12, lambda row: row["hours"]),
    Field("Planned, task-hours", "number", 14, lambda row: row["planned"]),
    *(
        Field(f"{name.capitalize()}, task-hours", "number", 14, lambda row, name=name: row[name])  # type: ignore[misc]
        for name in ("margin", "demand", "capacity", "policy")
    ),
    Field("Ran, task-hours", "number", 14, lambda row: row["actual"]),
    Field("Missing, task-hours", "number", 14, lambda row: row["short"]),
    Field("Planned, USD", "usd", 14, lambda row: row["usd_planned"]),
    *(
        Field(f"{name.capitalize()}, USD", "usd", 14, lambda row, name=name: row[f"usd_{name}"])  # type: ignore[misc]
        for name in ("margin", "demand", "capacity", "policy", "price")
    ),
    Field("Paid, USD", "usd", 14, lambda row: row["usd_actual"]),
)

ADVICE: Final = (
    Field("Service", "text", 28, lambda row: row["service"]),
    Field("Recommended", "text", 60, lambda row: row["recommended"]),
    Field("Became", "text", 14, lambda row: row["status"]),
    Field("What tells so", "text", 60, lambda row: row["evidence"]),
    Field("Cost until now, USD", "usd", 14, lambda row: row["usd"]),
    Field("Missing for it, task-hours", "number", 14, lambda row: row["task_hours_short"]),
    Field("Act by, UTC", "date", 14, lambda row: row["before"]),
    Field("Owner", "text", 20, lambda row: row["owner"]),
)

PROMISES: Final = (
    Field("Service", "text", 28, lambda row: row["service"]),
    Field("Metric", "text", 12, lambda row: row["metric"]),
    Field("Above P95, share of intervals", "share", 14, lambda row: row["exceeded"]),
    Field("Promised", "share", 12, lambda row: row["promised"]),
    Field("In the long run at least", "share", 14, lambda row: row["low"]),
    Field("In the long run at most", "share", 14, lambda row: row["high"]),
    Field("Verdict", "text", 14, lambda row: row["verdict"]),
)


def sheets(document: Document) -> list[Sheet]:
    """Review, Recommendations and Promises; none without a review."""
    said = document.get("review")
    if said is None:
        return []
    return [
        Sheet("Review", REVIEW, [*said["services"], said["fleet"]]),
        Sheet("Recommendations", ADVICE, said["recommendations"]),
        Sheet("Promises", PROMISES, said["promises"]),
    ]


SECTION: Final = Section("review", "Last plan against actual", view, part, pictures, sheets)
