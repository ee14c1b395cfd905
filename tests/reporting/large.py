"""The report of a fleet of a thousand, made of one real chapter: what a page does with many needs no thousand plans."""

from __future__ import annotations

from functools import cache
from typing import Any

from capacity.reporting import Report
from tests.reporting.fleet import NASTY
from tests.reporting.rendered import full

#: Whose services these are, one of them of a name that is code.
OWNERS = ("shop team", "search team", NASTY)


def chapter(number: int) -> dict[str, Any]:
    """A service of its own name, owner and numbers; only the first is drawn in full."""
    part = full().document["services"][0]
    small = number > 1
    name = NASTY if number == 500 else f"service-{number:04d}"
    demand = [one | {"detail": None} for one in part["demand"]] if small else part["demand"]
    return part | {
        "name": name,
        "anchor": f"service-{number}",
        "drawn": not small,
        "status": ("PASS", "REVIEW", "FAIL")[number % 3],
        "settings": part["settings"] | {"owner": OWNERS[number % 3]},
        "demand": demand,
        "tasks": part["tasks"] | ({"close": None} if small else {}),
        "policy": part["policy"] | ({"week": None} if small else {}),
    }


def fleet_row(part: dict[str, Any], number: int) -> dict[str, Any]:
    """Its line: costs fall as numbers rise, and every tenth is not known."""
    known = number % 10 != 0
    month = dict.fromkeys(("mean", "p5", "p95", "planned"), 10.0 * (1001 - number) if known else None)
    return full().document["fleet"][0] | {
        "service": part["name"],
        "anchor": part["anchor"],
        "owner": part["settings"]["owner"],
        "status": part["status"],
        "usd_per_month": month,
        "tasks_highest": 1 + (number * 37) % 1009,
        "decisions": [1] if number <= 70 else [],
    }


@cache
def large(rows: int = 1000, services: int = 30, decisions: int = 70) -> Report:
    """The document of so many services, of which the first have chapters, and its report."""
    document = full().document
    parts = [chapter(number) for number in range(1, rows + 1)]
    first = document["decisions"][0]
    asked = [
        first
        | {
            "number": number,
            "kind": "raise_max",
            "service": f"service-{number:04d}",
            "sentence": f"Raise `service-{number:04d}` max.",
            "before": document["period"]["horizon_start"],
        }
        for number in range(1, decisions + 1)
    ]
    made = Report(
        document
        | {
            "services": parts[:services],
            "decisions": asked,
            "fleet": [fleet_row(part, number) for number, part in enumerate(parts, start=1)],
        }
    )
    vars(made)["pictures"] = full().pictures  # of the first, which is drawn in full
    return made
