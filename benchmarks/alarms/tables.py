"""What the judge found, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from benchmarks.alarms.incidents import KINDS
from benchmarks.alarms.judging import Caught, Judged

#: Name of a set of alarms -> what the judge found on each world.
Found = Mapping[str, Sequence[Judged]]


def table(found: Found) -> str:
    """Incidents by kind, a column group a set of alarms; below it pages and tickets a service and month."""
    names = list(found)
    lines = [
        "| incident | n |"
        + "".join(f" {name}: caught | in the lead stated | lead, median | by chance |" for name in names),
        "|---|--:|" + "--:|--:|--:|--:|" * len(names),
    ]
    for kind in (*KINDS, ""):
        rows = {
            name: [one for judged in found[name] for one in judged.caught if kind in ("", one.incident.kind)]
            for name in names
        }
        count = len(rows[names[0]])
        cells = "".join(_cells(rows[name], kind, found[name]) for name in names)
        lines.append(f"| {kind or '**all**'} | {count} |{cells}")
    lines += ["", "| a service and month | " + " | ".join(names) + " |", "|---|" + "--:|" * len(names)]
    for words, number in _MONTHLY.items():
        lines.append(f"| {words} | " + " | ".join(f"{number(found[name]):.2f}" for name in names) + " |")
    return "\n".join(lines)


def _cells(rows: Sequence[Caught], kind: str, judged: Sequence[Judged]) -> str:
    caught = [one for one in rows if one.by]
    chance = float("nan") if not kind else float(np.nanmean([one.chance[kind] for one in judged]))  # type: ignore[index]
    leads = [one.lead for one in caught]
    return (
        f" {_share(len(caught), len(rows))} | {_share(sum(one.kept for one in rows), len(rows))} |"
        f" {span(float(np.median(leads))) if leads and kind else ''} | {'' if np.isnan(chance) else f'{chance:.0%}'} |"
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def span(minutes: float) -> str:
    """Minutes before users were hurt; after it, below zero.

    >>> span(-3), span(95), span(2000)
    ('-3 min', '95 min', '33 h')
    """
    return f"{minutes:.0f} min" if abs(minutes) < 120 else f"{minutes / 60:.0f} h"


def _months(found: Iterable[Judged]) -> float:
    return sum(one.months for one in found)


_MONTHLY: Final[dict[str, Callable[[Sequence[Judged]], float]]] = {
    "false pages": lambda found: sum(one.false_pages for one in found) / _months(found),
    "false pages, of the worst service": lambda found: max(one.false_pages / one.months for one in found),
    "pages outside incidents": lambda found: sum(one.outside for one in found) / _months(found),
    "tickets outside incidents": lambda found: sum(one.tickets_outside for one in found) / _months(found),
    "pages an incident": lambda found: float(np.mean([each.pages for one in found for each in one.caught])),
}


def promises(found: Sequence[Judged]) -> str:
    """Leads that alarms state, and those that came of them, by kind of alarm."""
    lines = ["| alarm | went off in time | states | median found | kept |", "|---|--:|--:|--:|--:|"]
    each = [promise for one in found for promise in one.promises]
    for kind in sorted({kind for kind, _, _ in each}):
        mine = np.array([(stated, got) for name, stated, got in each if name == kind])
        kept = int((mine[:, 1] >= mine[:, 0]).sum())
        lines.append(
            f"| {kind} | {len(mine)} | {span(float(np.median(mine[:, 0])))} | {span(float(np.median(mine[:, 1])))} | "
            f"{_share(kept, len(mine))} |"
        )
    return "\n".join(lines)


def first(found: Sequence[Judged]) -> str:
    """Which alarm caught what first."""
    each = [one for judged in found for one in judged.caught]
    alarms = sorted({one.by for one in each if one.by})
    lines = ["| first to tell of | " + " | ".join((*alarms, "nobody")) + " |", "|---|" + "--:|" * (len(alarms) + 1)]
    flavours = sorted({(one.incident.kind, one.incident.flavour) for one in each})
    for kind, flavour in flavours:
        mine = [one.by for one in each if (one.incident.kind, one.incident.flavour) == (kind, flavour)]
        counts = " | ".join(str(mine.count(by) or "") for by in (*alarms, ""))
        lines.append(f"| {kind}: {flavour} | {counts} |")
    return "\n".join(lines)


def document(found: Found, about: Mapping[str, Any]) -> dict[str, Any]:
    """Everything as plain values, for JSON."""
    return {"about": dict(about), **{name: [_plain(one) for one in judged] for name, judged in found.items()}}


def _plain(one: Judged) -> dict[str, Any]:
    return {
        "service": one.service,
        "months": round(one.months, 3),
        "false_pages": one.false_pages,
        "pages_outside": one.outside,
        "tickets_outside": one.tickets_outside,
        "incidents": [
            {
                "kind": each.incident.kind,
                "flavour": each.incident.flavour,
                "start": each.incident.start,
                "hurt": each.incident.hurt,
                "end": each.incident.end,
                "by": each.by,
                "lead_minutes": each.lead if each.by else None,
                "as_stated": each.kept,
                "pages": each.pages,
            }
            for each in one.caught
        ],
    }
