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
from capacity.planning.why import Moment, last_time, sensitivity, table, turns
from capacity.planning.words import counted, spoken_time

if TYPE_CHECKING:
    from capacity.forecasting import Backtest
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


def explain(plan: Plan, name: str, at: object = None, *, scores: Backtest | None = None, sizes: bool = False) -> str:
    """The count of one interval, what led to it, the next-best one, and what would change it.

    at      a moment within the horizon (naive stamps are UTC); None: the interval of most tasks
    scores  a backtest: how right the same method was last time
    sizes   also which other size of task would do, and what rules the next smaller one out; takes seconds
    """
    service = plan.service_named(name)
    moment, row = _row(plan, service, at)
    lines = [
        f"`{name}`, {spoken_time(moment, service.timezone)}: {counted(row['tasks'])}.",
        f"{ladder(row, service)}.",
    ]
    lines += [f"- {step}: {tasks:,}, {why}" for step, tasks, why in steps_in_words(plan, service, row)]
    if plan.asked is not None:
        lines += _changes(Moment.of(plan, service, moment, row))
        lines += _sizes(plan, name) if sizes else []
        lines += last_time(plan, name, scores) if scores is not None else []
    failed = [f for f in plan.findings.about(name) if f.status == "FAIL"]
    lines += [f"Made from data that failed a check: {finding.message}" for finding in failed]
    return "\n".join(lines)


def why(plan: Plan, name: str, at: object = None) -> pd.DataFrame:
    """The same as a table: a row a step, option and turning point (`planning.why.table`)."""
    service = plan.service_named(name)
    moment, row = _row(plan, service, at)
    about = Moment.of(plan, service, moment, row)
    return table(about, steps_in_words(plan, service, row), turns(about))


def sensitivity_of(plan: Plan, name: str, at: object = None) -> pd.DataFrame:
    """How much each input moves the count of an interval and the month's cost (`planning.why.sensitivity`)."""
    service = plan.service_named(name)
    moment, row = _row(plan, service, at)
    return sensitivity(Moment.of(plan, service, moment, row))


def _changes(about: Moment) -> list[str]:
    """The next-best count and what would change the decision, in words."""
    found = turns(about)
    options = {one.item: one.words for one in found if one.part == "option"}
    best, planned = options.get("one task fewer"), options.get("as planned")
    said = [f"Next best: {best}" if best else "", f"{'planned' if best else 'Planned'}, {planned}" if planned else ""]
    turning = [one.words for one in found if one.part == "turn" and one.tasks != about.wanted]
    moved = sensitivity(about).set_index("input")
    lines = [f"{'; '.join(filter(None, said))}."] if options else []
    lines += [f"What would change it: {'; '.join(turning)}."] if turning else []
    told = [_moves(str(name), row) for name, row in moved.iterrows() if abs(row["tasks_elasticity"]) > 0]
    return [*lines, *([f"For each percent more of it: {'; '.join(told)}."] if told else [])]


def _moves(name: str, row: pd.Series) -> str:
    """What one percent more of an input moves.

    >>> _moves("load", pd.Series({"tasks_elasticity": 0.912, "usd_elasticity": float("nan")}))
    'load moves tasks by +0.91 %'
    """
    cost = f" and cost by {row['usd_elasticity']:+.2g} %" if abs(row["usd_elasticity"]) > 0 else ""
    return f"{name} moves tasks by {row['tasks_elasticity']:+.2g} %{cost}"


def _sizes(plan: Plan, name: str) -> list[str]:
    """Which size of task would do, and what rules the next smaller one out."""
    found, now = plan.sizes(name), plan.service_named(name)
    if found.frame.empty:
        return [f"Task size: {finding.message} {finding.advice}" for finding in found.findings]
    rows = found.of(name)
    out = rows[(rows["rejected_because"] != "") & (rows["vcpu"] <= now.task_vcpu) & ~rows["present"]]
    out = out[out["architecture"] == now.architecture].sort_values(["vcpu", "memory_gib"])
    lines = [f"Task size: {found.sentence(name)}"]
    if len(out):
        last = out.iloc[-1]
        lines.append(f"Ruled out: {last['vcpu']:g} vCPU, {last['memory_gib']:g} GiB: {last['rejected_because']}.")
    return lines


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
    """The plan's row that holds a moment; when none is given the one of most tasks, of those of the largest need."""
    rows = plan.of(service.name)
    if at is None:
        asked = rows["tasks"] + rows["short"]
        peak = plan.peaks.get(service.name)
        moment = asked.idxmax() if peak is None or asked[peak.moment] < asked.max() else peak.moment
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
