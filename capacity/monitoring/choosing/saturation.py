"""Tasks that are nearly full at the maximum or in spite of scaling, and tasks that are far too full.

Full is what the plan says that one task carries (`planning.needs.full_share`). Load that rises as steeply as in the
plan's steepest hour goes from the threshold to full while the alarm notices (`NOTICED`) and tasks start:

    threshold = full x (1 - rise x (noticed + lead) / 60),  lead = reaction of the autoscaler + start-up, in minutes

but never below midway between what tasks are kept at and full, or every busy day would set it off. What is left of
the lead is said in words, and not promised: a surge rises faster, and gives no such time. For a surge that is faster
than the autoscaler there is a second threshold, midway from full to all of the processor (or a quarter more requests
than a task carries), whatever number of tasks runs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from capacity.findings import Finding
from capacity.monitoring.choosing.known import Calmer, Known, Proposal
from capacity.monitoring.conditions import All, AnyOf, Reading, Threshold
from capacity.planning.words import counted, percent

#: 3 of 5 minutes: one odd minute is no trouble, and one good one does not end it.
NOTICED: Final = 3
OF: Final = 5

#: 4 of 5 minutes far too full: the autoscaler has noticed by then, and users may have.
FAR_TOO_FULL: Final = 4
#: Requests of a task that is far too full, over what it carries.
A_QUARTER_MORE: Final = 1.25

#: At the maximum for so long is a ticket, whatever the load; a worker that empties a queue is there for hours.
PINNED_MINUTES: Final = 30
PINNED_BATCH_MINUTES: Final = 240

#: Minutes beyond reaction and start-up before tasks that stay too full mean that scaling does not help.
GRACE: Final = 5

#: An autoscaler overshoots what it keeps by this much on a busy day.
OVERSHOOT: Final = 1.05
#: Percent of a processor that a mean over tasks can still be told from 100 at.
NEARLY_ALL: Final = 98.0

_SIGNALS: Final = {"cpu": "cpu_utilization", "memory": "memory_utilization", "requests": "requests_per_task"}
_UNITS: Final = {"cpu": " % CPU", "memory": " % memory", "requests": " requests/s"}


class Limit(NamedTuple):
    """Where a task is too full: threshold and full in percent, or requests/s."""

    resource: str
    threshold: float
    full: float
    lead: float  # minutes that the threshold leaves at the plan's steepest rise; infinite where the plan does not rise


def limits(known: Known, delay: int) -> list[Limit]:
    """Where an alarm of each resource stands that takes `delay` minutes to notice."""
    found = []
    for resource, full in known.full.items():
        kept = known.kept(resource)
        share = max(1 - known.steepest * (delay + known.lead) / 60, (1 + kept) / 2, kept * OVERSHOOT)
        threshold = full * share
        if resource != "requests":
            threshold = min(threshold, NEARLY_ALL)
        lead = 60 * (1 - threshold / full) / known.steepest - delay if known.steepest > 0 else float("inf")
        found.append(Limit(resource, round(threshold, 3 if threshold < 10 else 1), full, lead))
    return found


def saturation(known: Known) -> tuple[list[Proposal], list[Finding]]:
    """`pinned-short` (page: at the maximum and nearly full), `saturation` (full in spite of scaling), `pinned`."""
    batch = known.service.tier == "batch"
    proposals = [_short(known, batch)]
    if known.max_tasks > 1:  # below a maximum of one nothing runs that could be full
        proposals.append(_in_spite(known, batch))
    if known.min_tasks < known.max_tasks:  # a fixed number of tasks is at its maximum, and that says nothing
        proposals.append(_pinned(known, batch))
    if known.scaling is None or known.scaling.max_tasks == known.service.max_tasks:
        return proposals, []
    message = (
        f"Its alarms watch the policy's maximum of {known.max_tasks} tasks; today's is {known.service.max_tasks}: "
        "until the policy is applied, standing at that is not noticed."
    )
    return proposals, [known.finding("maximum", message, "Apply the policy before its alarms.")]


def _at_most(known: Known, at_least: int, of: int) -> Threshold:
    return Threshold(Reading("running_tasks"), ">=", float(known.max_tasks), at_least, of)


def _full(found: list[Limit], at_least: int, of: int, *, at_full: bool = False) -> Threshold | AnyOf:
    parts = tuple(
        Threshold(Reading(_SIGNALS[one.resource]), ">", one.full if at_full else one.threshold, at_least, of)
        for one in found
    )
    return parts[0] if len(parts) == 1 else AnyOf(parts)


def _short(known: Known, batch: bool) -> Proposal:
    found = limits(known, NOTICED)
    far = _far_too_full(known, found)

    def short(at_least: int, of: int, *, at_full: bool = False) -> AnyOf:
        at_maximum = All((_at_most(known, at_least, of), _full(found, at_least, of, at_full=at_full)))
        return AnyOf((at_maximum, *(replace(one, at_least=max(at_least, FAR_TOO_FULL), of=of) for one in far)))

    calmer = (
        Calmer(short(2 * OF, 2 * OF), "for all of 10 minutes"),
        Calmer(short(2 * OF, 2 * OF, at_full=True), "and past what a task carries"),
    )
    over = " or ".join(f"{one.value:g}{_UNITS[resource]}" for resource, one in zip(_measures(found), far, strict=True))
    alarm = known.alarm(
        "pinned",
        "ticket" if batch else "page",
        short(NOTICED, OF),
        f"Short of capacity: {_all_of(known)} nearly full, or tasks are far too full.",
        f"{_words(known, found)} At the maximum of {counted(known.max_tasks)} no more can come. "
        f"{_lead_words(known, found)} Far too full is {over}: load that rises faster than tasks start.",
        more="short",
    )
    return Proposal(alarm, calmer)


def _far_too_full(known: Known, found: list[Limit]) -> list[Threshold]:
    """Thresholds that mean trouble at any number of tasks; memory has none, as it does not follow load at once."""
    far = []
    for one in found:
        if one.resource == "memory":
            continue
        value = max(one.threshold, one.full * A_QUARTER_MORE if one.resource == "requests" else (one.full + 100) / 2)
        if one.resource == "cpu":
            value = min(value, NEARLY_ALL)
        far.append(Threshold(Reading(_SIGNALS[one.resource]), ">", round(value, 3 if value < 10 else 1)))
    return far


def _measures(found: list[Limit]) -> list[str]:
    return [one.resource for one in found if one.resource != "memory"]


def _in_spite(known: Known, batch: bool) -> Proposal:
    """Past the threshold, below the maximum, for longer than the autoscaler needs: it cannot help, or does not know."""
    minutes = known.lead + GRACE
    found = limits(known, NOTICED)

    def unhelped(minutes: int, *, at_full: bool = False) -> All:
        room = Threshold(Reading("running_tasks"), "<", float(known.max_tasks), minutes, minutes, "breaching")
        return All((_full(found, minutes, minutes, at_full=at_full), room))

    slow_answers_page = any(slo.kind == "latency" for slo in known.service.slo)
    calmer = (
        Calmer(unhelped(2 * minutes), "for twice as long"),
        Calmer(unhelped(2 * minutes, at_full=True), "and past what a task carries"),
    )
    alarm = known.alarm(
        "saturation",
        "ticket" if batch or slow_answers_page else "page",
        unhelped(minutes),
        f"Tasks are nearly full for {minutes} minutes below their maximum: scaling does not relieve them.",
        f"{_words(known, found)} The autoscaler needs {known.lead} minutes to notice and to start a task, so that "
        f"{minutes} minutes mean that it cannot: a quota, tasks that do not start, a target that is too high."
        + (" Slow answers page by themselves: a ticket." if slow_answers_page and not batch else ""),
    )
    return Proposal(alarm, calmer)


def _pinned(known: Known, batch: bool) -> Proposal:
    minutes = PINNED_BATCH_MINUTES if batch else PINNED_MINUTES
    alarm = known.alarm(
        "pinned",
        "ticket",
        _at_most(known, minutes, minutes),
        f"The autoscaler stands at its maximum of {counted(known.max_tasks)}.",
        f"{minutes} minutes at {counted(known.max_tasks)}, {_whose(known)}: what more would come is not served, and "
        f"not seen in the demand that is planned by. {_passes(known)}",
    )
    return Proposal(alarm)


def _all_of(known: Known) -> str:
    if known.max_tasks == 1:
        return "the only task that may run is"
    return f"all {known.max_tasks:,} tasks that may run are"


def _whose(known: Known) -> str:
    """Whose maximum that is: the alarm watches no other, and has to be made anew when it changes."""
    return "the maximum in capacity.toml" if known.scaling is None else "the policy's maximum"


def _words(known: Known, found: list[Limit]) -> str:
    parts = [
        f"{one.threshold:g}{_UNITS[one.resource]} of a task that carries {one.full:.4g}{_UNITS[one.resource]}"
        for one in found
    ]
    kept = ""
    if known.tracked is not None:
        kept = f"; the autoscaler keeps {known.tracked[1]:.4g}{_UNITS[known.tracked[0]]}"
    return f"Nearly full is {' or '.join(parts)}{kept}."


def _lead_words(known: Known, found: list[Limit]) -> str:
    lead = int(min(known.lead, *(one.lead for one in found)))
    if lead < 1:
        return "The threshold is too near to what a task carries for a warning ahead."
    rise = f"as in the plan's steepest hour ({known.steepest * 100:.0f} % of the peak)" if known.steepest else "slowly"
    return f"Load that rises {rise} leaves {counted(lead, 'minute')}; a surge leaves none."


def _passes(known: Known) -> str:
    """What the plan says about the maximum."""
    rows = known.plan.limits
    mine = rows[(rows["service"] == known.service.name) & (rows["limit"] == "max_tasks")]
    if mine.empty:
        return "The plan does not ask about the maximum."
    row = mine.iloc[0]
    return (
        f"The plan passes {row['value']:,.0f} with a probability of {percent(row['probability'])}; "
        f"{counted(row['needed'])} would do to the end of its horizon."
    )
