"""A signal in the words of a monitor: its formula, filled with what the monitor measures and a service is known by."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from capacity.config import Account, Service
from capacity.monitoring.signals import BLANK, SIGNALS, CloudWatch, Signal, signal
from capacity.planning.needs import full_tasks

#: Statistic of a reading -> CloudWatch's word for it.
CLOUDWATCH_STATS: Final = {
    "mean": "Average",
    "max": "Maximum",
    "min": "Minimum",
    "p50": "p50",
    "p95": "p95",
    "p99": "p99",
}


def constants(
    service: Service, account: Account | None = None, usd_per_task_hour: float | None = None
) -> dict[str, float]:
    """What formulas know of a service beside its signals; what is not known is not there.

    full_requests, full_vcpu  requests/s and vCPU that one task carries when it is as full as planned
    fargate_vcpu_quota        of the account; usd_per_task_hour: what one task costs

    >>> known = constants(Service(name="web", requests_per_second_per_task=50, request_target=0.8, cpu_target=0.5))
    >>> known["full_requests"], known["full_vcpu"], "usd_per_task_hour" in known
    (40.0, 0.5, False)
    """
    full = full_tasks(service)
    known: dict[str, float | None] = {
        "task_vcpu": service.task_vcpu,
        "task_memory_gib": service.task_memory_gib,
        "max_tasks": float(service.max_tasks),
        "full_vcpu": full["cpu"].carries,
        "full_requests": full["requests"].carries if "requests" in full else None,
        "fargate_vcpu_quota": account.fargate_vcpu_quota if account is not None else None,
        "usd_per_task_hour": usd_per_task_hour,
    }
    return {name: float(value) for name, value in known.items() if value is not None}


def in_terms_of(
    name: str,
    ask: Callable[[str], str | None],
    known: Mapping[str, float],
    largest: Callable[[str, str], str],
) -> str | None:
    """A signal as an expression of a monitor's own language; None where something it needs cannot be asked there.

    ask      signal -> its expression, where the monitor measures it directly; None where it does not
    known    `constants` of the service
    largest  two expressions -> one for the larger of their values

    >>> asked = {"requests": "sum(rate(r[5m]))", "errors": "sum(rate(e[5m]))"}
    >>> in_terms_of("error_ratio", asked.get, {}, "({0} > {1} or {1})".format)
    '(sum(rate(e[5m]))) / (sum(rate(r[5m])))'
    >>> in_terms_of("slack_tasks", asked.get, {}, "({0} > {1} or {1})".format) is None
    True
    """
    return _said(signal(name), ask, known, largest, frozenset())


def _said(
    one: Signal,
    ask: Callable[[str], str | None],
    known: Mapping[str, float],
    largest: Callable[[str, str], str],
    asking: frozenset[str],
) -> str | None:
    direct = ask(one.name)
    if direct is not None:
        return direct
    if one.name in asking:  # CPU in use follows from utilisation where that is measured, and the other way round
        return None
    said = [_filled(formula, ask, known, largest, asking | {one.name}) for formula in one.formulas]
    whole = [text for text in said if text is not None]
    while len(whole) > 1:
        whole[:2] = [largest(whole[0], whole[1])]
    return whole[0] if whole else None


def _filled(
    formula: str,
    ask: Callable[[str], str | None],
    known: Mapping[str, float],
    largest: Callable[[str, str], str],
    asking: frozenset[str],
) -> str | None:
    """The formula with every blank filled; None where one cannot be."""
    filled = {}
    for name in BLANK.findall(formula):
        if name in known:
            filled[name] = f"{known[name]:.12g}"
            continue
        inner = _said(SIGNALS[name], ask, known, largest, asking) if name in SIGNALS else None
        if inner is None:
            return None
        filled[name] = f"({inner})"
    return BLANK.sub(lambda blank: filled[blank[1]], formula)


#: Ids of parts are single letters.
_ID: Final = re.compile(r"\b[a-z]\b")


def in_cloudwatch(name: str, service: Service, known: Mapping[str, float], stat: str = "mean") -> CloudWatch | None:
    """The metrics to ask of CloudWatch for a signal of a service, and the expression; None where it cannot be asked.

    Parts have the statistic filled in, and dimensions for the asking (`Part.dimensions`).

    >>> web = Service(name="web", alb_resource_label="app/a/1/targetgroup/web/2")
    >>> in_cloudwatch("latency", web, {}, "p95").parts[0].stat
    'p95'
    >>> found = in_cloudwatch("requests_per_task", web, constants(web))
    >>> found.expression, [part.name for part in found.parts]
    ('(r / PERIOD(r)) / (n * 60 / PERIOD(n))', ['RequestCount', 'CPUUtilization'])
    """
    if stat not in signal(name).stats:
        return None

    def ask(other: str) -> str | None:
        direct = SIGNALS[other].cloudwatch
        if direct is None or any(part.dimensions(service) is None for part in direct.parts):
            return None
        return direct.expression

    expression = in_terms_of(name, ask, known, "IF({0} > {1}, {0}, {1})".format)
    if expression is None:
        return None
    used = set(_ID.findall(expression))
    known_parts = {part.id: part for one in SIGNALS.values() if one.cloudwatch for part in one.cloudwatch.parts}
    parts = [part for id, part in known_parts.items() if id in used]
    return CloudWatch(tuple(replace(part, stat=part.stat or CLOUDWATCH_STATS[stat]) for part in parts), expression)
