"""The words on a dashboard: what the plan decided, when limits are reached, and where the runbooks are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import pandas as pd

from capacity.config.monitoring import Monitoring
from capacity.monitoring.alarm import Alarm
from capacity.monitoring.facts import Facts
from capacity.monitoring.markdown import Markdown, code, escaped, link, prose, table
from capacity.planning.limits import EARLY
from capacity.planning.plans import Decision, Plan
from capacity.planning.words import counted, level_words, percent, spoken_date

#: Decisions and limits said in full; the rest are counted: a dashboard is glanced at.
SHOWN: Final = 5

#: Services in the table of a fleet.
SHOWN_SERVICES: Final = 25


def of_service(facts: Facts, alarms: Sequence[Alarm], settings: Monitoring) -> Markdown:
    """The first part of a service's page."""
    service = facts.service
    head = [
        f"# {escaped(service.name)}",
        f"Planned on {day(facts.cutoff)} to {day(facts.until)}, {level_words(facts.level)} sure. "
        f"Today {service.min_tasks} to {counted(service.max_tasks)}; the plan asks for up to {counted(facts.most)}, "
        f"on {spoken_date(facts.most_at, service.timezone)}."
        + (f" Owner: {escaped(service.owner)}." if service.owner else ""),
    ]
    return _paragraphs(
        *head,
        _decisions(facts.decisions, "Nothing has to be decided."),
        limits(facts.limits),
        runbook_links(alarms, settings),
    )


def of_fleet(plan: Plan, ordered: Sequence[tuple[Facts, str]], number: int, of: int) -> Markdown:
    """The first part of a fleet's page. `ordered`: facts and the name of the service's own dashboard."""
    which = f" (part {number} of {of}: one dashboard holds 500 widgets)" if of > 1 else ""
    rows = [
        (
            code(facts.service.name),
            prose(facts.decisions[0].sentence) if facts.decisions else "",
            f"{facts.service.min_tasks} to {facts.service.max_tasks}",
            f"{facts.most:,}",
            first_limit(facts.limits),
            link(code(name), f"dashboard:{name}"),
        )
        for facts, name in ordered[:SHOWN_SERVICES]
    ]
    more = len(ordered) - len(rows)
    shared = [one for one in plan.decisions if one.service not in {facts.service.name for facts, _ in ordered}]
    return _paragraphs(
        f"# Fleet{which}",
        f"{counted(len(plan.services), 'service')}, planned on {day(plan.forecast.cutoff)} to "
        f"{day(plan.forecast.times[-1])}. Those that need attention come first.",
        _decisions(shared, "") if number == 1 else "",
        table(["service", "decide", "tasks today", "most planned", "first limit", "dashboard"], rows),
        f"and {more:,} more, each below" if more > 0 else "",
    )


def _decisions(found: Sequence[Decision], otherwise: str) -> str:
    lines = [f"- {prose(one.sentence)}" + (f" ({escaped(one.owner)})" if one.owner else "") for one in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"- and {len(found) - SHOWN} more")
    return "\n".join(lines) or otherwise


def limits(rows: Iterable[dict[str, Any]]) -> str:
    """The limits that one path in twenty passes, those that are passed first first; empty without any."""
    passed = sorted(
        (row for row in rows if row["probability"] >= EARLY), key=lambda row: (-row["probability"], str(row["act_by"]))
    )
    if not passed:
        return ""
    cells = (
        (
            code(row["limit"]),
            f"{row['value']:,.10g} {row['unit']}",
            percent(row["probability"]),
            _day_or_dash(row["first"]),
            _day_or_dash(row["act_by"]),
            f"{row['needed']:,.3g}" if row["needed"] < 100 else f"{row['needed']:,.0f}",
        )
        for row in passed[:SHOWN]
    )
    return table(["limit", "today", "chance", "reached from", "act by", "needed"], cells)


def first_limit(rows: Iterable[dict[str, Any]]) -> str:
    """The limit that is reached first, with its day."""
    dated = sorted((row["first"], row["limit"]) for row in rows if row["first"] is not pd.NaT)
    return Markdown(f"{code(dated[0][1])}, {day(dated[0][0])}") if dated else "none"


def runbook_links(alarms: Iterable[Alarm], settings: Monitoring) -> str:
    """A link to each alarm's runbook, or the names of the files where nobody said where they are published."""
    found = dict.fromkeys(one.runbook for one in alarms)
    if not found:
        return ""
    places = [link(spoken(file), settings.runbook_url + file) if settings.runbook_url else code(file) for file in found]
    return "Runbooks: " + ", ".join(places)


def spoken(file: str) -> str:
    """What a page is about, by its name.

    >>> spoken("web--burn_fast-availability.md"), spoken("other.md")
    ('burn fast availability', 'other')
    """
    return file.removesuffix(".md").rpartition("--")[2].replace("_", " ").replace("-", " ")


def day(moment: pd.Timestamp) -> str:
    return str(moment.strftime("%Y-%m-%d"))


def _day_or_dash(moment: pd.Timestamp) -> str:
    return "–" if moment is pd.NaT else day(moment)


def _paragraphs(*parts: str) -> Markdown:
    return Markdown("\n\n".join(part for part in parts if part))
