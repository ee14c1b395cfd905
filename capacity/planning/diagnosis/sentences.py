"""A diagnosis in words: when the peak is, in which order things bind, what would move the first of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import pandas as pd

from capacity.planning.diagnosis.levers import Lever, saving
from capacity.planning.diagnosis.resources import Bound
from capacity.planning.words import counted, level_words, spoken_time

#: Levers named in the sentence; all are in `Bottlenecks.levers`.
NAMED: Final = 3

_NAMES: Final = {
    "cpu": "CPU",
    "requests": "requests within the SLO",
    "memory": "memory",
    "max_tasks": "today's maximum",
    "connections": "connections of {}",
    "deploying": "connections of {} while deploying",
    "downstream": "{} behind it",
    "retries": "retries of {}",
    "fargate_vcpu_quota": "the region's Fargate quota",
}


def named(bound: Bound) -> str:
    """What binds, as people call it.

    >>> named(Bound("connections", "orders-db", 680, 700, "connections", 1.03, ""))
    'connections of orders-db'
    """
    return _NAMES[bound.kind].format(bound.name)


def times(multiple: float) -> str:
    """A multiple of the peak, rounded down: what holds at 1.259 holds at 1.25.

    >>> times(1.0), times(1.259), times(0.2999), times(20.6)
    ('1.00x', '1.25x', '0.29x', '20.6x')
    """
    if multiple >= 10:
        return f"{multiple:.3g}x"
    return f"{math.floor(multiple * 100 + 1e-6) / 100:.2f}x"


def sentence(
    moment: pd.Timestamp,
    level: float,
    timezone: str,
    bounds: Sequence[Bound],
    levers: Sequence[Lever],
    tasks: int | None,
    through: int | None = None,
) -> str:
    """All of it; `bounds` in the order in which they bind, `tasks` at the peak with every headroom.

    through  tasks that hold through the whole horizon, each path at its own busiest moment
    """
    held = f", {counted(tasks)} with every headroom" if tasks is not None else ""
    held += f"; {through:,} hold through the whole horizon" if through is not None and through > (tasks or 0) else ""
    peak = f"At the forecast peak (P{level_words(level).removesuffix(' %')}, {spoken_time(moment, timezone)}{held})"
    finite = [bound for bound in bounds if math.isfinite(bound.binds_at) and bound.kind != "retries"]
    if finite:
        first = " first," if len(finite) > 1 else ""
        order = f"{peak} {named(finite[0])} {_verb(finite[0])}{first} at {times(finite[0].binds_at)}{_why(finite[0])}"
        text = "; ".join([order, *(f"{named(bound)} at {times(bound.binds_at)}{_why(bound)}" for bound in finite[1:])])
    else:
        text = f"{peak} nothing is known to bind"
    unknown = [bound for bound in bounds if math.isnan(bound.binds_at)]
    storms = [bound for bound in bounds if bound.kind == "retries" and math.isfinite(bound.binds_at)]
    return " ".join([f"{text}.", *map(_unknown, unknown), *map(_storm, storms), *_moves(finite, levers, tasks)])


def _unknown(bound: Bound) -> str:
    return f"{capital(named(bound))}: {bound.evidence}."


def _storm(bound: Bound) -> str:
    """Retries bind in a disturbance, not by growth."""
    return (
        f"{capital(named(bound))}: a disturbance keeps itself going from {times(bound.binds_at)} on ({bound.evidence})."
    )


def _why(bound: Bound) -> str:
    """The arithmetic of what more tasks do not lift; how CPU and requests add up, the plan explains."""
    said = bound.aside if bound.relieved or bound.kind == "max_tasks" else bound.evidence
    return f" ({said})" if said else ""


def _moves(bounds: Sequence[Bound], levers: Sequence[Lever], tasks: int | None) -> list[str]:
    """What lifts everything that does not hold the peak, then what saves tasks where tasks help."""
    short = {bound.resource for bound in bounds if bound.short and not bound.relieved}
    lifts = [f"{named(bound)}: {lever.change}" for bound in bounds for lever in _first(levers, bound, short)]
    helps = saving(lever for lever in levers if lever.resource in _relieved(bounds))[:NAMED]
    saves = [f"{one.change}: {one.tasks:,} instead of {tasks:,}{_dearer(one)}" for one in helps]
    said = [f"It would hold the peak with: {'; '.join(lifts)}."] if lifts else []
    return said + ([f"Tasks then: {'; '.join(saves)}."] if saves else [])


def _dearer(lever: Lever) -> str:
    """Fewer tasks that reserve more in all."""
    return f", though {lever.vcpu:,.4g} vCPU in all" if lever.dearer else ""


def _first(levers: Sequence[Lever], bound: Bound, short: set[str]) -> list[Lever]:
    own = [lever for lever in levers if lever.resource == bound.resource and bound.resource in short]
    return own[:1]


def _relieved(bounds: Sequence[Bound]) -> set[str]:
    return {bound.resource for bound in bounds if bound.relieved}


def _verb(bound: Bound) -> str:
    """CPU binds, connections bind."""
    return "bind" if bound.kind in ("requests", "connections", "deploying") else "binds"


def capital(text: str) -> str:
    """As a sentence, or a row, begins."""
    return f"{text[:1].upper()}{text[1:]}"
