"""Why that many tasks: the steps of a plan, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from capacity.config import Service
from capacity.errors import InputError
from capacity.planning.known_capacity import in_words
from capacity.planning.needs import full_tasks
from capacity.planning.sizing.shortage import how_sure
from capacity.planning.steps import Survives
from capacity.planning.words import counted, spoken_time

if TYPE_CHECKING:
    from capacity.planning.plans import Plan

#: Column of each step, its name, and how a sentence says what the step is for.
_LADDER = (
    ("for_load", "load", "for load"),
    ("for_startup", "startup", "for start-up"),
    ("for_deployment", "deployment", "for a deployment"),
    ("for_zone_loss", "zone loss", "to survive a zone"),
)


def reasons(plan: Plan) -> pd.DataFrame:
    """Each step of each service's largest count: columns service, timestamp, step, tasks, why."""
    rows = []
    for service in plan.services:
        moment, row = _row(plan, service, None)
        for step, tasks, why in steps_in_words(plan, service, row):
            rows.append({"service": service.name, "timestamp": moment, "step": step, "tasks": tasks, "why": why})
    return pd.DataFrame(rows, columns=["service", "timestamp", "step", "tasks", "why"])


def explain(plan: Plan, name: str, at: object = None) -> str:
    """The count of one interval and what led to it. `at`: a moment within the horizon (naive stamps are UTC)."""
    service = plan.service_named(name)
    moment, row = _row(plan, service, at)
    lines = [
        f"`{name}`, {spoken_time(moment, service.timezone)}: {counted(row['tasks'])}.",
        f"{ladder(row, service)}.",
    ]
    lines += [f"- {step}: {tasks:,}, {why}" for step, tasks, why in steps_in_words(plan, service, row)]
    failed = [f for f in plan.findings.about(name) if f.status == "FAIL"]
    lines += [f"Made from data that failed a check: {finding.message}" for finding in failed]
    return "\n".join(lines)


def ladder(row: Any, service: Service) -> str:
    """The steps that raised the count, in one breath.

    >>> row = dict(for_load=38, for_startup=40, for_deployment=40, for_zone_loss=42, tasks=42, short=0)
    >>> ladder(row, Service(name="web", max_tasks=64))
    '38 for load, 40 for start-up, 42 to survive a zone'
    """
    said, parts = None, []
    for column, _, purpose in _LADDER:
        if said is None or row[column] > said:
            said = row[column]
            parts.append(f"{said:,} {purpose}")
    if row["tasks"] > said:
        parts.append(f"{row['tasks']:,} as its minimum")
    if row["short"] > 0:
        parts.append(f"but its maximum is {service.max_tasks:,}: {row['short']:,} missing")
    return ", ".join(parts)


def steps_in_words(plan: Plan, service: Service, row: Any) -> list[tuple[str, int, str]]:
    """Every step, the count after it, and what it is for, with its numbers."""
    survives = Survives.of(service, plan.goal)
    goal = plan.goal_of(service.name)
    rate = plan.asked.prices.of(service) if plan.asked is not None else None
    why = {
        "load": f"{row['need']:.4g} tasks full of {row['load_bound_by']} "
        f"({_full(plan, service, row['load_bound_by'])}), {how_sure(goal, service, rate)}",
        "startup": f"ready for what rises in the {service.startup_seconds:g} s a task takes to start",
        "deployment": f"a deployment keeps {service.minimum_healthy_percent} % of them in service"
        if survives.deployment
        else "deployments are not planned for",
        "zone loss": f"{_left(row, service):,} stay when the fullest of {service.zones} zones is lost, none too full"
        if survives.zone_loss
        else "its work waits while tasks of a lost zone start elsewhere"
        if plan.goal.survive_zone_loss and service.tier == "batch"
        else "the loss of a zone is not planned for",
    }
    steps = [(step, int(row[column]), why[step]) for column, step, _ in _LADDER]
    bounds = f"between its minimum {service.min_tasks:,} and its maximum {service.max_tasks:,}"
    missing = f"; the maximum leaves {row['short']:,} missing" if row["short"] > 0 else ""
    return [*steps, ("bounds", int(row["tasks"]), bounds + missing)]


def _full(plan: Plan, service: Service, resource: str) -> str:
    """What a full task carries of a resource, and how that is known."""
    full, capacity = full_tasks(service)[resource], service.task_capacity
    peak = plan.peaks.get(service.name)
    if capacity is not None and resource == "requests":
        return f"{full}; {in_words(capacity)}"
    if capacity is not None and peak is not None and resource not in peak.demand:
        base = f" above {capacity.base_vcpu:.3g} vCPU of an idle one" if capacity.base_vcpu else ""
        return f"{full}{base}, {capacity.vcpu_seconds_per_request:.3g} vCPU-seconds a request"
    return str(full)


def _left(row: Any, service: Service) -> int:
    """Tasks in the other zones."""
    return int(row["for_zone_loss"]) - -(-int(row["for_zone_loss"]) // service.zones)


def _row(plan: Plan, service: Service, at: object) -> tuple[pd.Timestamp, Any]:
    """The plan's row that holds a moment; the first of most tasks, and of most missing, when none is given."""
    rows = plan.of(service.name)
    if at is None:
        moment = (rows["tasks"] + rows["short"]).idxmax()
        return moment, rows.loc[moment]
    try:
        moment = pd.Timestamp(at)
    except (TypeError, ValueError):
        raise InputError(f"{at!r} is not a moment", advice="Write it as 2027-01-14T09:00Z.") from None
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    start, end = rows.index[0], rows.index[-1] + plan.forecast.interval
    if moment is pd.NaT or not start <= moment < end:
        raise InputError(f"{at!r} is outside the plan, which spans {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC")
    place = rows.index.searchsorted(moment, side="right") - 1
    return rows.index[place], rows.iloc[place]
