"""What may be different: each scenario beside the plan as it is, from the same futures."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from capacity.reporting import words
from capacity.reporting.pictures import PHONE, WIDE, Picture, pictured
from capacity.reporting.sections.base import Block, Document, Nouns, Section
from capacity.reporting.sections.blocks import note, picture, table, text
from capacity.reporting.sections.plainly import cut, left_out, records
from capacity.reporting.sheets import Field, Sheet
from capacity.reporting.tables import cell, column, row
from capacity.reporting.tables import table as grid
from capacity.reporting.wording import limit_name

#: Scenarios, and notes of what is taken for granted, that the page shows.
SHOWN: Final = 12
NOTED: Final = 5

#: Services named of each scenario, those that it moves most.
NAMED: Final = 3

#: What is kept of a limit that a scenario makes likely to be passed; told are so many of each.
NEWLY: Final = ("service", "limit", "value", "unit", "probability", "first")
TOLD: Final = 3

PICTURE: Final = "scenarios-tasks"


def part(nouns: Nouns, document: Document) -> dict[str, Any] | None:
    """Rows of `schema.WHAT_IF`, and the note of each scenario; None when none was asked."""
    answer = nouns.what_if
    if answer is None or len(answer.cases) < 2:
        return None
    return {
        "headline": answer.headline,
        "whole": answer.whole,
        "level": answer.plans[answer.cases[0].name].goal.level,
        "notes": {case.name: case.note for case in answer.cases if case.note},
        "rows": records(answer.frame),
        "newly": {case.name: records(answer.newly(case.name), NEWLY) for case in answer.cases[1:]},
        "taken_for_granted": [finding.message for finding in answer.findings if finding.status != "PASS"],
    }


def view(document: Document) -> list[Block]:
    """The headline, a line a scenario, and the two numbers side by side."""
    said = document.get("scenarios")
    if said is None:
        return left_out(document, "scenarios")
    lines = [one for one in said["rows"] if one["service"] == said["whole"]]
    shown, more = cut(lines, SHOWN, "scenario", "Scenarios")
    moved = _most_moved(said)
    columns = [
        column("Scenario", "and what it moves most", wide=2),
        column("Tasks that hold", f"{words.level(said['level'])}; 90 %", number=True),
        column("More", "tasks", number=True),
        column("Cost", "USD per month; 90 %", number=True),
        column("More", "USD per month; 90 %", number=True),
        column("Then likely passed", "and not as it is", wide=2),
    ]
    return [
        text(said["headline"]),
        table(grid("Scenarios", columns, [_line(one, said, moved) for one in shown])),
        *more,
        picture(
            PICTURE,
            f"Tasks that hold to the end of the horizon, {words.level(said['level'])} sure, of all services together. "
            "Line: 90 % interval.",
        ),
        *(note(words.sentence(one)) for one in said["taken_for_granted"][:NOTED]),
        *left_out(document, "scenarios"),
    ]


def _line(one: dict[str, Any], said: dict[str, Any], moved: dict[str, str]) -> dict[str, Any]:
    first, name = one["scenario"] == said["rows"][0]["scenario"], one["scenario"]
    small = " ".join(filter(None, (words.ended(said["notes"].get(name, "")), moved.get(name, ""))))
    newly = said["newly"].get(name, [])
    return row(
        cell(name, small, sort=name.lower()),
        cell(words.grouped(one["tasks"]), _between(words.grouped, one["tasks_low"], one["tasks_high"])),
        cell("" if first else _more(words.grouped, one["more_tasks"])),
        cell(words.amount(one["usd_per_month"]), _between(words.amount, one["usd_p5"], one["usd_p95"])),
        cell(
            "" if first else _more(words.amount, one["more_usd_per_month"]),
            "" if first else _between(words.amount, one["more_usd_p5"], one["more_usd_p95"]),
        ),
        cell("" if first else _passed(newly) or "nothing more"),
        strong=first,
    )


def _passed(newly: list[dict[str, Any]]) -> str:
    """Limits that half of the futures or more pass under a scenario, and fewer as it is."""
    told = [
        f"{one['service'].strip('()')}: {limit_name(one['limit'])}, {words.percent(one['probability'])} from "
        f"{words.day(one['first'])}"
        for one in newly[:TOLD]
    ]
    more = len(newly) - TOLD
    return "; ".join([*told, *([f"and {more:,} more"] if more > 0 else [])])


def _more(say: Any, value: float | None) -> str:
    return f"+{say(value)}" if value is not None and round(value) > 0 else str(say(value))


def _between(say: Any, low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{say(low)} – {say(high)}"


def _most_moved(said: dict[str, Any]) -> dict[str, str]:
    """Scenario -> the services whose count it moves most; nothing where it moves none, or there is only one."""
    rows = pd.DataFrame([one for one in said["rows"] if one["service"] != said["whole"]])
    if rows.empty:
        return {}
    rows = rows.assign(more_tasks=rows["more_tasks"].astype(float))
    rows = rows[rows["more_tasks"].abs() >= 0.5]
    rows = rows.iloc[(-rows["more_tasks"].abs()).argsort(kind="stable")]
    return {
        str(scenario): words.ended(
            ", ".join(
                f"{name} {_more(words.grouped, more)}" for name, more in part[["service", "more_tasks"]].to_numpy()
            )
        )
        for scenario, part in ((name, own.head(NAMED)) for name, own in rows.groupby("scenario", sort=False))
    }


def pictures(document: Document) -> list[Picture]:
    """A bar of tasks for each scenario."""
    said = document.get("scenarios")
    if said is None:
        return []
    from capacity import charts

    rows = [one for one in said["rows"] if one["service"] == said["whole"]][:SHOWN]
    value, low, high = (
        pd.Series([one[name] for one in rows], dtype=float).to_numpy() for name in ("tasks", "tasks_low", "tasks_high")
    )
    names = [one["scenario"] for one in rows]
    wide, narrow = (
        charts.bars.spec(names, value, "tasks, with 90 % interval", low=low, high=high, width=width)
        for width in (WIDE, PHONE + 40)
    )
    described = "; ".join(f"{name}: {words.grouped(tasks)} tasks" for name, tasks in zip(names, value, strict=True))
    return [pictured(PICTURE, "Tasks that hold, by scenario", f"{described}.", wide, narrow)]


SCENARIOS: Final = (
    Field("Scenario", "text", 26, lambda row: row["scenario"]),
    Field("Service", "text", 28, lambda row: row["service"]),
    Field("Tasks that hold", "number", 12, lambda row: row["tasks"]),
    Field("5 % quantile, tasks", "number", 12, lambda row: row["tasks_low"]),
    Field("95 % quantile, tasks", "number", 12, lambda row: row["tasks_high"]),
    Field("More tasks than as is", "number", 12, lambda row: row["more_tasks"]),
    Field("Missing above the maximum, tasks", "number", 14, lambda row: row["short"]),
    Field("USD per month: mean", "usd", 14, lambda row: row["usd_per_month"]),
    Field("5 % quantile, USD per month", "usd", 14, lambda row: row["usd_p5"]),
    Field("95 % quantile, USD per month", "usd", 14, lambda row: row["usd_p95"]),
    Field("More USD per month than as is", "usd", 14, lambda row: row["more_usd_per_month"]),
    Field("First limit", "text", 24, lambda row: row["limit"]),
    Field("Probability of passing it", "share", 12, lambda row: row["probability"]),
    Field("5 % have passed it, UTC", "date", 14, lambda row: row["reached"]),
)


def sheets(document: Document) -> list[Sheet]:
    """A row a scenario and service."""
    said = document.get("scenarios")
    return [] if said is None else [Sheet("Scenarios", SCENARIOS, said["rows"])]


SECTION: Final = Section("scenarios", "Scenarios", view, part, pictures, sheets)
