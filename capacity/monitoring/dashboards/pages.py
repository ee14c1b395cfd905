"""Which parts stand on which page: one page a service, and pages of the fleet with those that need attention first."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, TypeVar

from capacity.config import Service
from capacity.config.monitoring import Monitoring
from capacity.monitoring.alarm import Alarm, Alarms
from capacity.monitoring.conditions import All, AnyOf, BurnRate, Condition, OutsideProfile
from capacity.monitoring.dashboards import words
from capacity.monitoring.dashboards.naming import fleet_name, page_name
from capacity.monitoring.dashboards.parts import (
    COLOURS,
    COLUMNS,
    AlarmList,
    Band,
    Chart,
    Level,
    Line,
    Page,
    Part,
    Words,
)
from capacity.monitoring.facts import Demand, Facts
from capacity.monitoring.markdown import Markdown, code
from capacity.planning import Plan
from capacity.planning.limits import EARLY
from capacity.planning.needs import full_share

Item = TypeVar("Item")

#: Small pictures of one page of the fleet: with words, quotas and alarms they stay below the 500 widgets, and with
#: three metrics each below the 2,500 metrics, that a dashboard of CloudWatch holds (aws.md 7.2).
MOST_SERVICES: Final = 400

#: Alarms of one list: more are not read, and the alarms of a fleet are found by its services.
MOST_ALARMS: Final = 100


def service_page(facts: Facts, alarms: Sequence[Alarm], settings: Monitoring) -> Page:
    """The page of one service: words, alarms, demand and tasks beside the plan, how full tasks are, promises kept."""
    service = facts.service
    spoken = Words(words.of_service(facts, alarms, settings), height=_height(facts, alarms))
    rows: list[tuple[Part, ...]] = [(spoken,)]
    if alarms:
        rows.append((AlarmList(tuple(alarms[:MOST_ALARMS])),))
    rows += [
        _shared(_demand(facts, alarms)),
        _shared(_fullness(facts)),
        _shared(_answers(service)),
        _promises(service, alarms),
    ]
    return Page(page_name(settings.prefix, service), service.name, tuple(rows), service.name, service.region)


def _height(facts: Facts, alarms: Sequence[Alarm]) -> int:
    """Rows of CloudWatch's grid for the words: five lines of text take two of them."""
    passed = min(sum(row["probability"] >= EARLY for row in facts.limits), words.SHOWN)
    lines = 5 + min(len(facts.decisions), words.SHOWN + 1) + (2 if alarms else 0) + (2 + passed if passed else 0)
    return -(-lines * 2 // 5) + 1


def _shared(charts: Iterable[Chart]) -> tuple[Part, ...]:
    """Charts of one row, equally wide."""
    found = list(charts)
    return tuple(replace(chart, width=COLUMNS // len(found)) for chart in found)


def _demand(facts: Facts, alarms: Sequence[Alarm]) -> Iterator[Chart]:
    service = facts.service
    asked = [metric for metric in ("requests", "cpu") if metric in facts.demand] or ["cpu"]
    names = {"requests": ("Requests", "requests/s"), "cpu": ("Processor in use", "vCPU")}
    marks = ((facts.cutoff, "planned"),)
    for metric in asked:
        title, unit = names[metric]
        bands = _bands(facts.demand[metric]) if metric in facts.demand else ()
        bands += _edges(metric, alarms)
        yield Chart(title, unit, (Line(service, metric, "measured"),), bands=bands, marks=marks)
    levels = [
        Level(service.min_tasks, "minimum today", "target"),
        Level(service.max_tasks, "maximum today", "limit"),
    ]
    if facts.proposed_max > service.max_tasks:
        levels.append(Level(facts.proposed_max, "maximum proposed", "plan"))
    bands = (Band(facts.tasks, "planned"),) if facts.tasks is not None else ()
    yield Chart("Tasks", "tasks", (Line(service, "running_tasks", "running"),), tuple(levels), bands, marks)


def _bands(demand: Demand) -> tuple[Band, ...]:
    if demand.usual is None or demand.high is None:
        return ()
    return Band(demand.usual, "plan, median"), Band(demand.high, "plan, 95 %", over="plan, median")


def _edges(metric: str, alarms: Sequence[Alarm]) -> tuple[Band, ...]:
    """Where an alarm waits for demand to leave the plan; not where it expects nothing of some hour."""
    found = [alarm.condition for alarm in alarms if isinstance(alarm.condition, OutsideProfile)]
    mine = [one for one in found if one.reading.signal == metric and not any(map(math.isnan, one.profile))]
    return tuple(
        Band(one.profile, f"alarm: above it for {_long(one.of * one.reading.minutes)}", "promise") for one in mine[:1]
    )


def _fullness(facts: Facts) -> Iterator[Chart]:
    """How full tasks are, beside what they are planned to be and what they carry."""
    service, rate = facts.service, facts.service.requests_per_second_per_task
    tracked = facts.policy.tracking if facts.policy is not None else None
    if rate is not None:
        levels = [
            Level(rate * service.request_target, "planned for", "target"),
            Level(rate, "one task carries", "full"),
        ]
        line = Line(service, "requests_per_task", "measured")
        yield Chart("Requests per task", "requests/s", (line,), tuple(levels))
    for resource, title, target in (
        ("cpu", "Processor", service.cpu_target),
        ("memory", "Memory", service.memory_target),
    ):
        levels = [
            Level(100 * target, "planned for", "target"),
            Level(100 * full_share(service, resource), "full", "full"),
        ]
        if tracked is not None and tracked.metric == resource:
            levels.append(Level(tracked.target, "tracked by the autoscaler", "plan"))
        signal = f"{resource}_utilization"
        lines = (
            Line(service, signal, "mean of the tasks"),
            Line(service, signal, "fullest task", stat="max", colour=COLOURS["second"]),
        )
        yield Chart(title, "% of reserved", lines, tuple(levels))


def _answers(service: Service) -> Iterator[Chart]:
    promised = [slo for slo in service.slo if slo.kind == "latency"]
    stats = list(dict.fromkeys(["p50", "p95", *(slo.percentile for slo in promised)]))
    colours = [COLOURS["second"], COLOURS["measured"], COLOURS["full"], COLOURS["plan"]]
    lines = [Line(service, "latency", stat, stat, colour=colours[n]) for n, stat in enumerate(stats)]
    levels = [
        Level(slo.latency_seconds, f"promised, {slo.percentile}", "promise")
        for slo in promised
        if slo.latency_seconds is not None
    ]
    yield Chart("Latency", "seconds", tuple(lines), tuple(levels))
    budgets = [
        Level(100 * slo.budget, f"spends the budget of {slo.name}", "promise")
        for slo in service.slo
        if slo.kind == "availability"
    ]
    errors = Line(service, "error_ratio", "answered with 5xx", factor=100)
    yield Chart("Errors", "% of requests", (errors,), tuple(budgets))


def _promises(service: Service, alarms: Sequence[Alarm]) -> tuple[Part, ...]:
    """How fast error budgets burn, and what is left of each."""
    if not service.slo:
        text = (
            f"### No promise stated\n\nAdd `[[service.slo]]` to {code(service.name)} in capacity.toml: then its error "
        )
        return (Words(Markdown(text + "budget and how fast it burns stand here."), height=2),)
    most = 3  # numbers beside the chart; services with more promises than that have other troubles
    lines = [
        Line(service, "", f"{slo.name}, {_long(minutes)}", measure="burn", slo=slo, minutes=minutes, colour=colour)
        for slo, minutes, colour in (
            (slo, minutes, colour)
            for slo in service.slo[:most]
            for minutes, colour in ((60, COLOURS["measured"]), (360, COLOURS["second"]))
        )
    ]
    burning = {(one.factor, alarm.severity) for alarm in alarms for one in burn_rates(alarm.condition)}
    levels = [
        Level(factor, severity, "promise" if severity == "page" else "plan") for factor, severity in sorted(burning)
    ]
    chart = Chart("How fast the error budget burns", "times too fast", tuple(lines), tuple(levels or _ONE))
    numbers = [
        Chart(
            f"Error budget left: {slo.name}",
            "%",
            (Line(service, "", f"of {slo.window_days} days", measure="budget", slo=slo),),
            kind="number",
            days=slo.window_days,
            width=12 // min(len(service.slo), most),
        )
        for slo in service.slo[:most]
    ]
    return (chart, *numbers)


_ONE: Final = (Level(1.0, "spends exactly the budget", "promise"),)


def burn_rates(condition: Condition) -> Iterator[BurnRate]:
    """Every burn rate that an alarm waits for."""
    if isinstance(condition, BurnRate):
        yield condition
    elif isinstance(condition, All | AnyOf):
        for part in condition.parts:
            yield from burn_rates(part)


def _long(minutes: int) -> str:
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def fleet_pages(plan: Plan, facts: dict[str, Facts], alarms: Alarms | None, settings: Monitoring) -> list[Page]:
    """As many pages as the fleet needs, those that need attention on the first: by the urgency of what is decided."""
    first: dict[str, int] = {}
    for place, decision in enumerate(plan.decisions):
        first.setdefault(decision.service, place)
    ordered = sorted(facts.values(), key=lambda one: _urgency(one, first))
    groups = list(_in_groups(ordered, MOST_SERVICES)) or [()]
    pages = []
    for number, group in enumerate(groups, start=1):
        named = [(one, page_name(settings.prefix, one.service)) for one in group]
        spoken = words.of_fleet(plan, named, number, len(groups))
        rows: list[tuple[Part, ...]] = [(Words(spoken, height=5 + min(len(group), words.SHOWN_SERVICES)),)]
        here = {one.service.name for one in group}
        listed = [one for one in alarms or () if one.service in here or (number == 1 and not one.service)]
        if listed:
            listed.sort(key=lambda one: one.severity != "page")
            rows.append((AlarmList(tuple(listed[:MOST_ALARMS]), "Alarms that fire", height=4, firing=True),))
        if number == 1:
            rows += _in_groups(_quotas(plan), 2)
        rows += _in_groups((_small(one) for one in group), 4)
        regions = [one.service.region for one in group] or ["us-east-1"]
        title = "Fleet" if len(groups) == 1 else f"Fleet, part {number} of {len(groups)}"
        pages.append(Page(fleet_name(settings.prefix, number), title, tuple(rows), region=regions[0]))
    return pages


def _in_groups(items: Iterable[Item], size: int) -> Iterator[tuple[Item, ...]]:
    """`itertools.batched` of Python 3.12."""
    rest = iter(items)
    while group := tuple(islice(rest, size)):
        yield group


def _urgency(one: Facts, first: dict[str, int]) -> tuple[int, float, str]:
    """Those of which something has to be decided in the plan's own order, then those nearest to a limit."""
    chance = max((row["probability"] for row in one.limits), default=0.0)
    return first.get(one.service.name, sys.maxsize), -chance, one.service.name


def _quotas(plan: Plan) -> Iterator[Chart]:
    """The quota of Fargate in each region where tasks of the fleet run, with what is known of it."""
    known = {account.region: account.fargate_vcpu_quota for account in plan.accounts}
    regions = {service.region: service for service in plan.services if service.launch_type == "FARGATE"}
    for region, service in regions.items():
        quota = known.get(region)
        levels = (Level(quota, "quota", "limit"),) if quota is not None else ()
        yield Chart(f"Fargate On-Demand, {region}", "vCPU", (Line(service, "fargate_vcpu", "in use"),), levels)


def _small(facts: Facts) -> Chart:
    service = facts.service
    levels = (Level(service.max_tasks, "maximum", "limit"), Level(facts.most, "most planned", "plan"))
    line = Line(service, "running_tasks", "running")
    return Chart(service.name, "tasks", (line,), levels, width=6, height=4)
