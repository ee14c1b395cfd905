"""The numbers of a page as they stand when it is written: each with what it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import pandas as pd

from capacity.monitoring.alarm import Kind
from capacity.monitoring.conditions import OutsideProfile
from capacity.monitoring.facts import RECENT_DAYS, Facts, amount
from capacity.monitoring.runbook_pages.subject import Subject
from capacity.planning.limits import EARLY
from capacity.planning.words import counted, level_words, percent, spoken_date
from capacity.schema import METRICS

Row = tuple[str, str, str]

#: Services that are named of those that share a quota.
MOST_PEERS: Final = 8


#: Kind of alarm -> metrics whose forecast and measurements help.
HELPFUL: Final[dict[Kind, tuple[str, ...]]] = {
    "burn_fast": ("errors", "latency", "requests", "running_tasks"),
    "burn_slow": ("errors", "latency", "requests", "running_tasks"),
    "saturation": ("requests", "cpu", "cpu_utilization", "memory_utilization", "running_tasks"),
    "leak": ("memory", "memory_utilization", "running_tasks"),
    "pinned": ("requests", "cpu", "cpu_utilization", "running_tasks"),
    "forecast_breach": ("requests", "cpu", "running_tasks"),
    "silence": ("running_tasks", "requests", "cpu_utilization"),
    "quota": (),
    "anomaly": ("requests", "errors", "latency"),
}


def numbers_of(about: Subject) -> list[Row]:
    """(what, value, rests on), of the alarm's service, or of its account: what helps with this kind of alarm."""
    if about.shared:
        return [*_quota(about), *_peers(about), *_record(about)]
    rows = [*_tasks(about), *_demand(about)]
    if about.alarm.kind in ("burn_fast", "burn_slow"):
        rows += _promised(about)
    if about.facts is not None:
        rows += [*_limits(about.facts), *_measured(about.facts, HELPFUL[about.alarm.kind])]
    return [*rows, *_record(about)]


def _tasks(about: Subject) -> Iterator[Row]:
    service, facts = about.service, about.facts
    yield "tasks today", f"{service.min_tasks} to {service.max_tasks}", "capacity.toml"
    if facts is not None:
        short = f"; the maximum leaves some missing in {facts.short:,} intervals of it" if facts.short else ""
        made = f"plan of {spoken_date(facts.cutoff)}, {level_words(facts.level)} sure{short}"
        yield "most tasks planned", f"{facts.most:,} on {spoken_date(facts.most_at, service.timezone)}", made
    size = f"{service.task_vcpu:g} vCPU, {service.task_memory_gib:g} GiB"
    rate = service.requests_per_second_per_task
    carries = f"{rate:g} requests/s" if rate is not None else "not stated: planned by CPU and memory"
    full = f", planned at {rate * service.request_target:g}" if rate is not None else ""
    yield "one task", size, f"carries {carries}{full}"
    yield "ready after", f"{service.startup_seconds:,.0f} s", "startup_seconds of capacity.toml"


def _demand(about: Subject) -> Iterator[Row]:
    if about.facts is None:
        return
    for metric, demand in about.facts.demand.items():
        if metric not in HELPFUL[about.alarm.kind]:
            continue
        unit = METRICS[metric].unit
        peak = f"{amount(demand.peak_p50)} {unit}; 95 % sure of less than {amount(demand.peak_p95)}"
        yield f"highest forecast: {metric}", peak, f"to {spoken_date(about.facts.until)}"
    condition = about.alarm.condition
    if isinstance(condition, OutsideProfile):
        known = [value for value in condition.profile if math.isfinite(value)]
        if known:
            unit = METRICS[condition.reading.signal].unit if condition.reading.signal in METRICS else ""
            edge = f"{amount(min(known))} to {amount(max(known))} {unit}"
            yield "edge of the plan", edge, f"by the hour of the week, {level_words(condition.level)}"


def _promised(about: Subject) -> Iterator[Row]:
    for slo in about.service.slo:
        what = (
            "of requests without an error"
            if slo.latency_seconds is None
            else f"of minutes with {slo.percentile} at most {slo.latency_seconds:g} s"
        )
        days = slo.window_days
        minutes = slo.budget * days * 24 * 60
        yield (
            f"promised: {slo.name}",
            f"{slo.objective * 100:.6g} % {what}",
            f"over {days} days; if all fails, the budget is gone in {minutes:,.0f} minutes",
        )


def _limits(facts: Facts) -> Iterator[Row]:
    for row in facts.limits:
        if row["probability"] >= EARLY and row["first"] is not pd.NaT:
            when = f"{percent(row['probability'])} pass it, the first by {spoken_date(row['first'])}"
            yield f"limit {row['limit']}", f"{row['value']:,.10g} {row['unit']}", when


def _measured(facts: Facts, metrics: tuple[str, ...]) -> Iterator[Row]:
    for metric in metrics:
        found = facts.seen.get(metric)
        if found is None:
            continue
        highest = f"highest of {RECENT_DAYS} days {amount(found.highest)} on {spoken_date(found.highest_at)}"
        highest = highest if found.highest else f"never above 0 in {RECENT_DAYS} days"
        value = f"{amount(found.last)} {METRICS[metric].unit}"
        yield f"measured: {metric}", value, f"{found.at:%Y-%m-%d %H:%M} UTC, the last in the history; {highest}"


def _quota(about: Subject) -> Iterator[Row]:
    quota = about.account.fargate_vcpu_quota if about.account is not None else None
    if quota is not None and about.account is not None:
        yield "quota today", f"{quota:,.0f} vCPU", "capacity.toml; L-3032A538, Fargate On-Demand"
        yield "days to have it raised", f"{about.account.quota_change_days}", "quota_change_days of capacity.toml"
    for decision in about.decisions:
        yield "decided", decision.sentence, decision.because


def _peers(about: Subject) -> Iterator[Row]:
    """Those that take most of it at the plan's peak, in the order in which their owners are asked."""
    sizes = [(one.most * one.service.task_vcpu, one) for one in about.peers if one.service.launch_type == "FARGATE"]
    for vcpu, one in sorted(sizes, key=lambda pair: (-pair[0], pair[1].service.name))[:MOST_PEERS]:
        owner = f", {one.service.owner}" if one.service.owner else ""
        tasks = f"{one.most:,} tasks of {one.service.task_vcpu:g} vCPU, tier {one.service.tier}{owner}"
        yield f"at most: {one.service.name}", f"{amount(vcpu)} vCPU", tasks


def _record(about: Subject) -> Iterator[Row]:
    """How the alarm did on history, so that whoever is woken knows how far to trust it."""
    found = about.alarm.replayed
    if found is None:
        yield "on history", "not replayed", "no history fine enough was there to judge it by"
        return
    if not found.fired:
        yield "on history", "never went off", f"{found.days:,.0f} days"
        return
    lead = ""
    if math.isfinite(found.lead_minutes):
        minutes = counted(abs(found.lead_minutes), "minute")
        lead = f", {minutes} ahead" if found.lead_minutes >= 0 else f", {minutes} after trouble began"
    last = f"; last on {spoken_date(found.last)}" if found.last is not None else ""
    said = f"{counted(found.fired, 'time')}, {found.true} of them true{lead}"
    yield "on history", said, f"{found.days:,.0f} days, {found.false_per_month:.2g} false in 30 days{last}"
