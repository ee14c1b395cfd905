"""What one task carries and what binds first, as the document holds it and as pages say it."""

from __future__ import annotations

import math
from typing import Any, Final

import pandas as pd

from capacity.config import Service
from capacity.history.history import History
from capacity.planning.diagnosis.bottlenecks import Diagnosis, diagnose
from capacity.planning.diagnosis.levers import best
from capacity.planning.diagnosis.resources import FARTHEST, Bound
from capacity.planning.diagnosis.sentences import capital, named, times
from capacity.planning.known_capacity import age_days, expires
from capacity.planning.plans import Plan
from capacity.reporting import words
from capacity.reporting.tables import cell, column, row, table

#: Evidence of a capacity that is shown; the rest is in the JSON.
SHOWN_EVIDENCE: Final = 2


def task_capacity(plan: Plan, service: Service) -> dict[str, Any] | None:
    """What one task carries, how sure that is and how it is known; None where only a rate is stated, or none."""
    capacity = service.task_capacity
    if capacity is None:
        return None
    start, last = plan.forecast.times[0], expires(capacity)
    low, high = capacity.interval
    freed = [one for one in plan.decisions if one.kind == "measure" and one.service == service.name]
    return {
        "requests_per_second": capacity.requests_per_second,
        "low": low,
        "high": high,
        "at_least": capacity.at_least,
        "slo_quantile": capacity.slo_quantile,
        "slo_ms": capacity.slo_ms,
        "vcpu_seconds_per_request": capacity.vcpu_seconds_per_request,
        "method": capacity.method,
        "model": capacity.model,
        "evidence": list(capacity.evidence),
        "measured": None if capacity.measured is None else capacity.measured.isoformat(),
        "expires": None if last is None else last.isoformat(),
        "age_days": age_days(capacity, start),
        "tasks_for_not_knowing": int((freed[0].current or 0) - (freed[0].proposed or 0)) if freed else 0,
    }


def bottlenecks(plan: Plan, service: Service, history: History | None) -> dict[str, Any] | None:
    """What binds first at the peak and what next; None where one resource alone sets the count, and none is stated."""
    found = diagnose(plan, service, history)
    if not service.limit and sum(bound.relieved for bound in found.bounds) < 2:
        return None
    return {
        "at": found.moment.isoformat(),
        "sentence": found.words,
        "rows": [_bound(found, bound) for bound in found.bounds],
    }


def _bound(found: Diagnosis, bound: Bound) -> dict[str, Any]:
    """`binds_at` is None where it is not known; what holds beyond `FARTHEST` times the peak is said to hold that."""
    lever = best(found.levers, bound)
    return {
        "resource": bound.resource,
        "name": named(bound),
        "demand": bound.demand,
        "carries": bound.carries,
        "unit": bound.unit,
        "binds_at": FARTHEST if math.isinf(bound.binds_at) else bound.binds_at,
        "evidence": bound.evidence,
        "lever": "" if lever is None else lever.change,
        "tasks_saved": None if lever is None else lever.saved,
    }


def capacity_view(own: dict[str, Any] | None, name: str) -> dict[str, Any] | None:
    """A small table of one row: the rate, its interval, how it is known, how old it is."""
    if own is None:
        return None
    at_least = "at least " if own["at_least"] else ""
    slo = (
        f"P{100 * own['slo_quantile']:g} within {words.number(own['slo_ms'])} ms" if own["slo_ms"] else "within the SLO"
    )
    known = own["low"] < own["high"]
    spread = f"{words.number(own['low'])} to {words.number(own['high'])}" if known else "not known"
    columns = [
        column("Requests/s per task", slo, wide=0),
        column("95 % interval", "requests/s", number=True),
        column("Known by"),
        column("Measured", wide=0),
        column("Counts until", wide=0),
    ]
    line = row(
        cell(f"{at_least}{words.number(own['requests_per_second'])}"),
        cell(spread),
        cell(own["method"], own["model"]),
        cell(words.day(own["measured"]) or "not stated", _age(own["age_days"])),
        cell(words.day(own["expires"]) or "not stated"),
    )
    said = [words.sentence(one) for one in own["evidence"][:SHOWN_EVIDENCE]]
    if own["tasks_for_not_knowing"]:
        held = words.count(own["tasks_for_not_knowing"], "task")
        said.append(f"Not knowing it more closely holds {held} at the peak.")
    return {"table": table(f"What one task carries, {name}", columns, [line]), "note": " ".join(said)}


def _age(days: int | None) -> str:
    """Of a measurement when the plan begins: a plan from last week's history may begin before it.

    >>> _age(1), _age(-7), _age(None)
    ('1 day old', 'after the plan begins', '')
    """
    if days is None:
        return ""
    return f"{words.count(days, 'day')} old" if days >= 0 else "after the plan begins"


def bottlenecks_view(own: dict[str, Any] | None, name: str) -> dict[str, Any] | None:
    """A line a resource, in the order in which they bind as load grows."""
    if own is None:
        return None
    columns = [
        column("What binds"),
        column("At the peak", "of what it carries", number=True),
        column("Holds until", "× the peak", number=True),
        column("How that is known", "and what would move it", wide=2),
    ]
    lines = [
        row(
            cell(capital(one["name"])),
            cell(words.number(one["demand"]), f"{words.number(one['carries'])} {one['unit']}"),
            cell(_multiple(one["binds_at"])),
            cell(words.sentence(one["evidence"]), _lever(one)),
            strong=one["binds_at"] is not None and one["binds_at"] < 1 and not _in_a_disturbance(one),
        )
        for one in own["rows"]
    ]
    moment = pd.Timestamp(own["at"])
    text = (
        f"The peak is on {words.moment(moment)}. What binds at less than 1.00x does not hold it; the resource at 1.00x "
        "sets the count of tasks."
    )
    if any(map(_in_a_disturbance, own["rows"])):
        text += " Retries bind in a disturbance, not by growth: from their multiple on, one keeps itself going."
    return {"text": text, "table": table(f"Bottlenecks, {name}", columns, lines)}


def _in_a_disturbance(one: dict[str, Any]) -> bool:
    """Whether what binds is retries."""
    return str(one["resource"]).startswith("retries: ")


def _lever(one: dict[str, Any]) -> str:
    """What would move it, and the tasks that saves."""
    saved = f": {words.count(one['tasks_saved'], 'task')} fewer" if (one["tasks_saved"] or 0) > 0 else ""
    return words.sentence(f"{one['lever']}{saved}") if one["lever"] else ""


def _multiple(binds_at: float | None) -> str:
    if binds_at is None:
        return words.UNKNOWN
    return f">{FARTHEST:,.0f}x" if binds_at >= FARTHEST else times(binds_at)
