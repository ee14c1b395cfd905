"""What production says against a stated capacity: releases since, and a processor that is full before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import pandas as pd

from capacity.config import Service
from capacity.demand.per_task.production import ProductionEvidence, from_production
from capacity.errors import HistoryError
from capacity.findings import Finding, Findings
from capacity.history.history import History

#: How far back a change of the cost of a request is news: a planning quarter, and the reviews are one apart.
NEWS: Final = pd.Timedelta(days=91)

#: CPU at the stated rate, of a whole task, from which it is not the rate that a task carries: a little above full, for
#: what a line extrapolates.
OVERFULL: Final = 1.05


def doubts(history: History, services: Iterable[Service], began: Callable[[str], None] = lambda name: None) -> Findings:
    """Findings about the stated capacity of each service whose history tells what a request costs.

    services  those that state no rate, or whose history lacks requests, tasks or CPU, are not asked
    began     called with the name of each service that is

    Told are changes of the cost of a request within the last 91 days of the history (an older one is in the stated
    rate), or since the day the capacity was measured; and a stated rate at which a task would be past its processor.
    """
    found: list[Finding] = []
    for service in services:
        if service.requests_per_second_per_task is None or service.name not in history.services:
            continue
        began(service.name)
        try:
            seen = from_production(history, service)
        except HistoryError:
            continue  # it lacks what is needed: `capacity loadtest production` says what
        found += _changed(service, seen, history.span[1])
        found += _overfull(service, seen)
    return Findings.of(found)


def _changed(service: Service, seen: ProductionEvidence, end: pd.Timestamp) -> Iterator[Finding]:
    measured = None if service.task_capacity is None else service.task_capacity.measured
    since = end - NEWS if measured is None else pd.Timestamp(measured, tz="UTC")
    lasting = {change.at for change in seen.changes if change.lasted is None}
    for finding in seen.findings:
        if finding.check == "cost change" and finding.start in lasting and finding.start >= since:
            yield finding


def _overfull(service: Service, seen: ProductionEvidence) -> Iterator[Finding]:
    known, rate = seen.task_capacity, service.requests_per_second_per_task
    if known.vcpu_seconds_per_request is None or rate is None:
        return
    used = (known.base_vcpu or 0.0) + rate * known.vcpu_seconds_per_request
    if used <= OVERFULL * service.task_vcpu:
        return
    yield Finding(
        service.name,
        "requests",
        "stated capacity",
        "REVIEW",
        f"At its stated {rate:.4g} requests/s a task would use {used:.2f} of its {service.task_vcpu:g} vCPU, as "
        f"production shows what a request costs now ({known.vcpu_seconds_per_request:.3g} vCPU-seconds).",
        f"Test again, or state what production shows: capacity loadtest production --service {service.name} --toml",
    )
