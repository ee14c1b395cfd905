"""What a task of another size carries: work follows the processor as long as the processor is what binds."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from capacity.config import Architecture, Service
from capacity.demand.demand import Demand, Key
from capacity.planning.needs import full_share
from capacity.planning.words import share

#: Share of its vCPU a full task has to keep busy for the processor to be what binds its requests. Below it a request
#: waits less than it works (M/M/1: wait / work = busy / (1 - busy)), so that what breaks the SLO is something else.
CPU_BINDS: Final = 0.5

#: Share of intervals, the busiest ones, from which it is read what a request costs: there idle work matters least.
BUSIEST: Final = 0.1


class Task(NamedTuple):
    """One size of task."""

    vcpu: float
    memory_gib: float
    architecture: Architecture

    def __str__(self) -> str:
        """
        >>> print(Task(0.5, 1.0, "arm64"))
        0.5 vCPU, 1 GiB, arm64
        """
        return f"{self.vcpu:g} vCPU, {self.memory_gib:g} GiB, {self.architecture}"

    @classmethod
    def of(cls, service: Service) -> Task:
        """Today's."""
        return cls(service.task_vcpu, service.task_memory_gib, service.architecture)


def busy_share(service: Service, past: Demand, name: str) -> float | None:
    """Share of its vCPU that a task keeps busy while it serves all its requests; None where nothing tells.

    From the `TaskCapacity`; else from vCPU per request in the busiest tenth of the measured intervals, idle work
    included. `name` is that of the series.

    >>> from capacity.config import TaskCapacity
    >>> known = TaskCapacity(requests_per_second=50, vcpu_seconds_per_request=0.012, base_vcpu=0.1)
    >>> import pandas as pd
    >>> hours = pd.date_range("2026-03-02", periods=2, freq="h", tz="UTC")
    >>> nothing = np.empty((0, 2))
    >>> past = Demand((), hours, pd.Timedelta("1h"), nothing, nothing, nothing > 0)
    >>> round(busy_share(Service(name="web", task_vcpu=1, task_capacity=known), past, "web"), 3)
    0.7
    """
    rate, capacity = service.requests_per_second_per_task, service.task_capacity
    if rate is None:
        return None
    if capacity is not None and capacity.vcpu_seconds_per_request is not None:
        return ((capacity.base_vcpu or 0) + rate * capacity.vcpu_seconds_per_request) / service.task_vcpu
    keys = Key(name, "requests"), Key(name, "cpu")
    if not set(keys) <= set(past.keys):
        return None
    requests, cpu = (past.values[past.keys.index(key)] for key in keys)
    both = np.isfinite(requests) & np.isfinite(cpu) & (requests > 0)
    if not both.any():
        return None
    busiest = both & (requests >= np.quantile(requests[both], 1 - BUSIEST))
    return float(rate * cpu[busiest].sum() / requests[busiest].sum() / service.task_vcpu)


def carries(service: Service, task: Task, speed: float, busy: float | None) -> dict[str, float] | str:
    """How many tasks of today's size one of another size is worth, by resource; in words why it is worth none.

    speed  of a vCPU of its architecture, as a multiple of today's
    busy   `busy_share`; None: the processor is taken to bind

    An idle task uses `base_vcpu` of its `TaskCapacity` whatever its size, so small ones carry less than their share.
    Where the processor does not bind, a larger task carries no more requests, and a smaller one as many until it does.
    Source: utilisation law, U = U0 + X D (reference loadtest.md 8.3).

    >>> carries(Service(name="web", task_vcpu=1), Task(2, 4, "x86_64"), 1.0, None)
    {'cpu': 2.0}
    >>> idle = Service(name="web", requests_per_second_per_task=50, task_vcpu=1, cpu_target=0.6)
    >>> {name: round(worth, 2) for name, worth in carries(idle, Task(4, 8, "x86_64"), 1.0, 0.3).items()}
    {'requests': 1.0, 'cpu': 4.0}
    """
    idle = (service.task_capacity.base_vcpu or 0.0) if service.task_capacity is not None else 0.0
    now, then = service.task_vcpu, task.vcpu * speed
    target, full = service.cpu_target, full_share(service, "cpu")
    if now * target <= idle:
        return f"an idle task uses {idle:g} vCPU, all that its target leaves of {now:g}: no other size can be told"
    if then * target <= idle:
        return f"an idle task uses {idle:g} vCPU, and the target of {share(target)} leaves nothing above that"
    worth = {"cpu": (then * target - idle) / (now * target - idle)}
    if service.requests_per_second_per_task is not None:
        worth = {"requests": _requests(now, then, full, idle, busy), **worth}
        if worth["requests"] <= 0:
            return f"an idle task uses {idle:g} vCPU, and that leaves nothing for requests within the SLO"
    if service.memory_scales_with_load:
        worth["memory"] = task.memory_gib / service.task_memory_gib
    return worth


def _requests(now: float, then: float, full: float, idle: float, busy: float | None) -> float:
    """Requests one task of `then` vCPU serves, as a multiple of those of one of `now`."""
    if busy is None or busy >= CPU_BINDS:
        at = full if busy is None else min(busy, 1.0)
        return max((at * then - idle) / max(at * now - idle, 1e-12), 0.0) if at * now > idle else then / now
    spent = busy * now - idle  # vCPU that all its requests cost
    return 1.0 if spent <= 0 else min(1.0, max(full * then - idle, 0.0) / spent)


def resized(service: Service, task: Task, speed: float, worth: dict[str, float]) -> Service:
    """The service with tasks of another size: what one carries, and how many bounds mean the same, go along."""
    factor = worth.get("requests", worth["cpu"])
    fields: dict[str, object] = {
        "task_vcpu": task.vcpu,
        "task_memory_gib": task.memory_gib,
        "architecture": task.architecture,
    }
    capacity = service.task_capacity
    if capacity is not None:
        scaled = {name: getattr(capacity, name) for name in ("requests_per_second", "low", "high")}
        cost = {name: getattr(capacity, name) for name in ("vcpu_seconds_per_request", "base_vcpu")}
        fields["task_capacity"] = capacity.model_copy(
            update={name: value * factor for name, value in scaled.items() if value is not None}
            | {name: value / speed for name, value in cost.items() if value is not None}
        )
    elif service.requests_per_second_per_task is not None:
        fields["requests_per_second_per_task"] = service.requests_per_second_per_task * factor
    return service.model_copy(update=fields)
