"""What a person should do, most urgent first: each decision with its date, its chance and its reason.

Each rule is a function from the evidence about one service to a decision or nothing. A chance is a share of sample
paths, so it is worded with doubt; a date is never before the forecast begins: what is overdue is due now.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import Goal, Service
from capacity.findings import Finding, Findings
from capacity.planning.evidence import Evidence
from capacity.planning.limits import EARLY, LIKELY
from capacity.planning.limits.asking import asking
from capacity.planning.limits.published import tasks_of_service
from capacity.planning.matching import NOT_PLANNED
from capacity.planning.memory import better_size
from capacity.planning.plans import Decision
from capacity.planning.prices import HOURS_PER_MONTH, price_of
from capacity.planning.steps import Survives
from capacity.planning.words import before, counted, level_words, passing, percent, sensible, share, spoken_date, usd

#: Only when this sure do we advise to take something away.
SURE: Final = 0.95

#: How far ahead the plan has to look before we advise to take something away: four weeks hold every kind of day.
LONG_ENOUGH_HOURS: Final = 28 * 24

#: A minimum is worth raising from this multiple of it on.
WORTH_RAISING: Final = 1.25

#: A minimum is worth lowering when that saves at least this share of the plan's task-hours.
WORTH_SAVING: Final = 0.10

#: A maximum is loose when this many times the count it could be.
LOOSE: Final = 3

#: Room above the highest count of 99 % of paths that a lowered maximum keeps.
ROOM: Final = 2

#: Share of the last week's intervals at capacity from which a service counts as at its limit already.
CAPPED: Final = 0.05

#: What a capped service's maximum is raised by at least: its true demand is unknown until it is no longer capped.
FIRST_STEP: Final = 1.25

#: A closer measurement is worth its day from this share of the peak's tasks on: below, rounding decides as much.
WORTH_MEASURING: Final = 0.05

#: Tiers, most important first.
_TIERS: Final = ("critical", "standard", "batch")


def decide(about: Evidence) -> list[Decision]:
    """Every decision about one service."""
    rules = (raise_max, split, spread, raise_min, lower_min, lower_max, resize, measure)
    return [decision for rule in rules if (decision := rule(about)) is not None]


def raise_max(about: Evidence) -> Decision | None:
    """The maximum is, or will probably be, too low; or it may be, and is to be watched."""
    service, row = about.service, about.limits["max_tasks"]
    reached = about.capped >= CAPPED or row["median"] == about.times[0]
    if service.max_tasks >= tasks_of_service(service) or (row["probability"] < EARLY and not reached):
        return None
    if row["probability"] < LIKELY and not reached:
        return about.decision(
            kind="watch",
            sentence=f"Watch `{service.name}`: {percent(row['probability'])} chance that it needs more than "
            f"{counted(service.max_tasks)} by {about.end}.",
            because=passing(row, about.times, service.timezone),
            probability=row["probability"],
            before=row["act_by"],
            current=service.max_tasks,
        )
    floor = service.max_tasks * FIRST_STEP if about.capped >= CAPPED else service.max_tasks + 1
    proposed = min(sensible(max(row["needed"], floor)), tasks_of_service(service))
    change = f"Raise `{service.name}` max from {service.max_tasks:,} to {proposed:,}"
    return about.decision(
        kind="raise_max",
        sentence=f"{change} now: it is already reached."
        if reached
        else f"{change} {before(row['act_by'], about.times[0], service.timezone)}, {percent(row['probability'])} sure.",
        because=" ".join(filter(None, (_capped(about), passing(row, about.times, service.timezone), _holds(about)))),
        probability=1.0 if reached else row["probability"],
        before=about.times[0] if reached else row["act_by"],
        current=service.max_tasks,
        proposed=proposed,
        usd_per_month=about.monthly(
            about.following(service.min_tasks, proposed) - about.following(service.min_tasks, service.max_tasks)
        ),
    )


def _capped(about: Evidence) -> str:
    if about.capped < CAPPED:
        return ""
    return (
        f"In {share(about.capped)} of the last week's intervals it ran at capacity, so true demand is at least what "
        "was measured; plan again after a week with room."
    )


def _holds(about: Evidence) -> str:
    needed = about.limits["max_tasks"]["needed"]
    return f"{needed:,.0f} hold to {about.end}, {level_words(about.goal.level)} sure."


def split(about: Evidence) -> Decision | None:
    """ECS itself will be the limit: no maximum helps."""
    row, most = about.limits.get("ecs_tasks_per_service") or about.limits["max_tasks"], tasks_of_service(about.service)
    if row["value"] != most or row["probability"] < EARLY:
        return None
    zone = about.service.timezone
    why = " beside Service Connect or Cloud Map" if about.service.service_connect else ""
    return about.decision(
        kind="raise_quota" if row["probability"] >= LIKELY else "watch",
        sentence=f"Split `{about.service.name}` or give it larger tasks {before(row['act_by'], about.times[0], zone)}: "
        f"it needs {counted(row['needed'])} and ECS runs {most:,} in one service{why}, "
        f"{percent(row['probability'])} sure.",
        because=passing(row, about.times, zone),
        probability=row["probability"],
        before=row["act_by"],
        current=most,
        proposed=row["needed"],
    )


def spread(about: Evidence) -> Decision | None:
    """Fargate starts no more tasks of one service in a minute than its largest rise asks for."""
    found = about.weighed.get("service_launch_rate")
    return None if found is None else asking(found, about.times)


def raise_min(about: Evidence) -> Decision | None:
    """Even the quietest interval of the plan needs more than today's minimum."""
    service, floor = about.service, int(about.steps.zone_loss.min())
    chance = float((about.counts.min(axis=1) > service.min_tasks).mean())
    worth = floor >= max(service.min_tasks * WORTH_RAISING, service.min_tasks + 1)
    if service.tier == "batch" or not worth or floor > service.max_tasks or chance < LIKELY:
        return None
    survives = Survives.of(service, about.goal)
    load = int(about.steps.load[np.argmin(about.steps.zone_loss)])
    reason = f"Load alone asks for {counted(load)} then"
    if floor > load:
        zone = f" and the loss of one of {service.zones} zones" if survives.zone_loss else ""
        reason += f"; {floor:,} also carry it through {'a deployment' if survives.deployment else 'start-up'}{zone}"
    return about.decision(
        kind="raise_min",
        sentence=f"Raise `{service.name}` min from {service.min_tasks:,} to {floor:,}: even its quietest interval "
        f"needs more than {service.min_tasks:,}, {percent(chance)} sure.",
        because=f"{reason}.",
        probability=chance,
        current=service.min_tasks,
        proposed=floor,
        usd_per_month=about.monthly(
            about.following(floor, service.max_tasks) - about.following(service.min_tasks, service.max_tasks)
        ),
    )


def lower_min(about: Evidence) -> Decision | None:
    """Today's minimum keeps tasks that, most of the time, nothing needs."""
    service, least = about.service, int(about.steps.zone_loss.min())
    proposed = max(least, _fewest(service, about.goal))
    idle = (about.counts < service.min_tasks).mean(axis=1) >= 0.5  # (P,)
    chance = float(idle.mean())
    wanted = about.steps.zone_loss
    now, then = (int(np.maximum(wanted, bound).sum()) for bound in (service.min_tasks, proposed))
    if not _may_take(about) or proposed >= service.min_tasks or chance < SURE or now - then < WORTH_SAVING * now:
        return None
    saved = about.monthly((now - then) * about.interval_hours)
    return about.decision(
        kind="lower_min",
        sentence=f"Lower `{service.name}` min from {service.min_tasks:,} to {proposed:,}"
        + (f" and save {usd(saved)} a month" if saved is not None else "")
        + f", {percent(chance)} sure.",
        because=f"For more than half of the time to {about.end} its load, with every headroom, needs fewer than "
        f"{counted(service.min_tasks)}; the quietest needs {least:,}.",
        probability=chance,
        current=service.min_tasks,
        proposed=proposed,
        usd_per_month=-saved if saved is not None else None,
    )


def _may_take(about: Evidence) -> bool:
    """Nothing is taken away on data that failed, nor on a look ahead of days: a busier week may follow."""
    return not about.failed and about.horizon_hours >= LONG_ENOUGH_HOURS


def _fewest(service: Service, goal: Goal) -> int:
    """Fewest tasks worth keeping: none is no service, and one does not survive a zone."""
    return 2 if Survives.of(service, goal).zone_loss else 1


def lower_max(about: Evidence) -> Decision | None:
    """Today's maximum is far above anything any path needs: it only bounds what a mistake can cost."""
    service = about.service
    peaks = about.counts.max(axis=1)  # (P,)
    needed = math.ceil(np.quantile(peaks, 0.99))
    proposed = sensible(max(needed * ROOM, service.min_tasks, _fewest(service, about.goal)))
    chance = float((peaks <= proposed).mean())
    if not _may_take(about) or about.capped > 0 or proposed * LOOSE > service.max_tasks or chance < SURE:
        return None
    risk = about.monthly((service.max_tasks - proposed) * about.horizon_hours)
    cost = f", which would cost {usd(risk)} a month more" if risk is not None else ""
    return about.decision(
        kind="lower_max",
        sentence=f"Lower `{service.name}` max from {service.max_tasks:,} to {proposed:,}, {percent(chance)} sure.",
        because=f"99 % of the futures need no more than {counted(needed)} at any time to {about.end}. "
        f"A mistake could start {counted(service.max_tasks)}{cost}.",
        probability=chance,
        current=service.max_tasks,
        proposed=proposed,
    )


def resize(about: Evidence) -> Decision | None:
    """Each task has too little memory, or far too much."""
    if about.memory is None or about.failed:
        return None
    service, size = about.service, better_size(about.service, about.memory)
    if size is None:
        return None
    more = size > service.task_memory_gib
    hours = about.following(service.min_tasks, service.max_tasks)
    spend = hours * (size - service.task_memory_gib) * price_of(about.rate, "memory")
    each, side = (about.memory.least, "at least") if more else (about.memory.most, "at most")
    return about.decision(
        kind="resize",
        sentence=f"Give each task of `{service.name}` {size:g} GiB instead of {service.task_memory_gib:g} GiB.",
        because=f"{about.memory.words.format(f'{side} {each:.3g} GiB')}, "
        f"{share(each / service.task_memory_gib)} of the task's memory; the target is {share(service.memory_target)}. "
        "More or fewer tasks do not change it.",
        probability=1.0,
        current=service.task_memory_gib,
        proposed=size,
        unit="GiB",
        usd_per_month=None if math.isnan(spend) else spend * HOURS_PER_MONTH / about.horizon_hours,
    )


def measure(about: Evidence) -> Decision | None:
    """Not knowing exactly what a task carries holds tasks that a better measurement would set free."""
    capacity, service = about.service.task_capacity, about.service
    if capacity is None or about.peak.shares is None:
        return None
    known, exact = (about.peak.tasks(service, about.goal, exact=exact) for exact in (False, True))
    if known - exact < max(1, WORTH_MEASURING * known):
        return None
    low, high = capacity.interval
    return about.decision(
        kind="measure",
        sentence=f"Measure what one task of `{service.name}` carries more closely: at its peak the plan holds "
        f"{counted(known - exact)} for not knowing.",
        because=f"It is known as {low:.4g} to {high:.4g} requests/s ({capacity.method}). That takes {counted(known)} "
        f"on {spoken_date(about.peak.moment, service.timezone)}, {level_words(about.goal.level)} sure; "
        f"{capacity.requests_per_second:.4g} requests/s for certain would take {exact:,}.",
        probability=1.0,
        current=known,
        proposed=exact,
    )


def fix_data(findings: Findings, owners: dict[str, str]) -> list[Decision]:
    """One decision for each series whose data failed: which data, and what to do."""
    failed: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        if finding.status == "FAIL":
            failed.setdefault((finding.service, finding.metric), []).append(finding)
    return [_fix(service, metric, group, owners) for (service, metric), group in failed.items()]


def _fix(service: str, metric: str, group: list[Finding], owners: dict[str, str]) -> Decision:
    what = f"the {metric} data" if metric else "the data"
    of = f" of `{service}`" if service else " of the fleet"
    sentence = f"Fix {what}{of} before relying on its plan: {group[0].message}"
    if group[0].check == NOT_PLANNED:
        sentence = f"Complete `{service}`, which is not planned: {group[0].message.removeprefix('Not planned: ')}"
    advice = dict.fromkeys(finding.advice for finding in group if finding.advice)
    others = [finding.message for finding in group[1:]]
    return Decision(
        kind="fix_data",
        service=service,
        sentence=sentence,
        because=" ".join([*others, *advice]),
        probability=1.0,
        owner=owners.get(service, ""),
    )


def most_urgent_first(
    decisions: Iterable[Decision], tiers: dict[str, str], start: pd.Timestamp
) -> tuple[Decision, ...]:
    """Sorted by the day to act, then by chance, then by tier; data to fix is due now, and undated advice comes last."""

    def urgency(decision: Decision) -> tuple[Any, ...]:
        day = start if decision.kind == "fix_data" else decision.before
        tier = _TIERS.index(tiers.get(decision.service, "standard"))
        when = math.inf if day is None else (day.normalize() - start.normalize()).days
        return (when, -decision.probability, tier, decision.service, decision.kind)

    return tuple(sorted(decisions, key=urgency))
