"""How far a stated `TaskCapacity` can be trusted for this plan: its age, its size, its evidence. And how it is said."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import pandas as pd

from capacity.config import Service, TaskCapacity
from capacity.findings import Finding, Status
from capacity.planning.needs import full_of_cpu
from capacity.planning.words import spoken_day

#: Name of these checks.
CHECK: Final = "task capacity"

_MEASURE: Final = "Measure it with a load test: capacity loadtest generate, then capacity loadtest capacity."


def capacity_findings(service: Service, start: pd.Timestamp, cpu_forecast: bool) -> list[Finding]:
    """What to know of a service's capacity per task before relying on its counts; nothing where none is stated.

    start         when the plan begins
    cpu_forecast  whether its CPU is forecast: then that, and not what a request costs, bounds a task's processor
    """
    capacity = service.task_capacity
    if capacity is None:
        return []
    found = [
        _expired(service, capacity, start),
        _other_size(service, capacity),
        _lower_bound(service, capacity),
        _no_evidence(service, capacity),
        _no_interval(service, capacity),
        None if cpu_forecast else _full_of_cpu(service, capacity),
    ]
    return [finding for finding in found if finding is not None]


def expires(capacity: TaskCapacity) -> date | None:
    """The last day on which the measurement counts; None without a day of measurement."""
    return None if capacity.measured is None else capacity.measured + timedelta(days=capacity.expires_days)


def age_days(capacity: TaskCapacity, start: pd.Timestamp) -> int | None:
    """Days from the measurement to the start of the plan; None where nobody says when it was.

    >>> age_days(TaskCapacity(requests_per_second=52, measured=date(2026, 11, 3)), pd.Timestamp("2026-11-23T00:00Z"))
    20
    """
    return None if capacity.measured is None else (start.date() - capacity.measured).days


def in_words(capacity: TaskCapacity) -> str:
    """Its interval and how it is known.

    >>> in_words(TaskCapacity(requests_per_second=52, low=47, high=55, method="load test", measured=date(2026, 11, 3)))
    '47 to 55, load test of 3 November 2026'
    >>> in_words(TaskCapacity(requests_per_second=52, at_least=True))
    'at least, stated'
    """
    low, high = capacity.interval
    day = "" if capacity.measured is None else f" of {spoken_day(capacity.measured)}"
    known = f"{capacity.method}{day}"
    spread = f"{low:.4g} to {high:.4g}" if low < high else ""
    return ", ".join(part for part in ("at least" if capacity.at_least else "", spread, known) if part)


def _expired(service: Service, capacity: TaskCapacity, start: pd.Timestamp) -> Finding | None:
    last = expires(capacity)
    if last is None or capacity.measured is None or start.date() <= last:
        return None
    return _finding(
        service,
        "REVIEW",
        f"What one task carries was measured on {spoken_day(capacity.measured)} and counted until {spoken_day(last)}: "
        "images, mixes and dependencies change.",
        "Measure it again, or raise expires_days if nothing changed since.",
    )


def _other_size(service: Service, capacity: TaskCapacity) -> Finding | None:
    """Measured with another task than is planned: requests do not scale with size as vCPU do."""
    vcpu, memory = capacity.task_vcpu or service.task_vcpu, capacity.task_memory_gib or service.task_memory_gib
    if (vcpu, memory) == (service.task_vcpu, service.task_memory_gib):
        return None
    return _finding(
        service,
        "REVIEW",
        f"What one task carries was measured with {vcpu:g} vCPU and {memory:g} GiB, and tasks are planned with "
        f"{service.task_vcpu:g} vCPU and {service.task_memory_gib:g} GiB.",
        "Measure it at the size that is planned: what a task carries does not grow in step with its size.",
    )


def _lower_bound(service: Service, capacity: TaskCapacity) -> Finding | None:
    if not capacity.at_least:
        return None
    return _finding(
        service,
        "REVIEW",
        f"No load was seen at which a task broke its SLO, so it carries {capacity.requests_per_second:.4g} requests/s "
        "or more, and the plan may hold more tasks than it takes.",
        "Test with more load on one task, until the SLO breaks.",
    )


def _no_evidence(service: Service, capacity: TaskCapacity) -> Finding | None:
    if capacity.method != "stated" or capacity.evidence:
        return None
    return _finding(
        service,
        "UNKNOWN",
        f"{capacity.requests_per_second:.4g} requests/s a task is stated without evidence, so how right it is is not "
        "known.",
        _MEASURE,
    )


def _no_interval(service: Service, capacity: TaskCapacity) -> Finding | None:
    if capacity.method == "stated" or capacity.low is not None:
        return None
    return _finding(
        service,
        "UNKNOWN",
        f"{capacity.requests_per_second:.4g} requests/s a task ({in_words(capacity)}) has no interval, so the plan "
        "takes it as exact.",
        "State low and high, its 95 % interval: capacity loadtest capacity finds them.",
    )


def _full_of_cpu(service: Service, capacity: TaskCapacity) -> Finding | None:
    """A task has no processor left before it serves the requests it is said to serve."""
    cpu = full_of_cpu(service)
    planned = capacity.requests_per_second * service.request_target
    if cpu is None or cpu >= planned:
        return None
    return _finding(
        service,
        "REVIEW",
        f"At {capacity.vcpu_seconds_per_request:.3g} vCPU-seconds a request a task is at its CPU target with "
        f"{cpu:.4g} requests/s, before the {planned:.4g} it is planned for; the plan counts by that.",
        "Give it more vCPU, make a request cheaper, or check the cost of a request against production.",
    )


def _finding(service: Service, status: Status, message: str, advice: str) -> Finding:
    return Finding(service.name, "requests", CHECK, status, message, advice)
