"""Does each task have the memory it needs? A check of task size, for memory that more tasks do not relieve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from capacity.config import FARGATE_SIZES, Service
from capacity.demand.demand import Demand, Key
from capacity.findings import Finding
from capacity.planning.words import share

#: Below this share of the task's memory, at the largest it can be, the task is larger than it has to be.
IDLE: Final = 0.40


#: How far back memory is looked at: a month holds every kind of day, and mostly today's release.
LOOK_BACK: Final = pd.Timedelta(days=28)


#: Share of the intervals of known memory in which the running tasks have to be known for these to speak for all.
MOSTLY: Final = 0.5

#: Where what is known of a task's memory comes from, as sentences say it.
Known = Literal["measured", "task capacity", "both"]


@dataclass(frozen=True)
class MemoryPerTask:
    """Largest memory of one task, as far as it is known, in GiB.

    A service's memory is measured over all its tasks. Where it is known how many ran, a task took its share of it.
    Where that is not known, the share lies between the whole over the most tasks that may have run and the whole over
    the fewest. It is measured, not forecast: memory that does not scale with load grows with the number of tasks, and
    so says nothing new about one.
    Where a `TaskCapacity` says what a task and a request take, that of a full task is known too (`of_full_task`).
    """

    least: float
    most: float
    known: Known = "measured"

    @property
    def words(self) -> str:
        """How it is known, before the amount."""
        return {
            "measured": "It used {} at its peak in the last four weeks",
            "task capacity": "A full task takes {} by what was measured of one",
            "both": "By what was measured of one task and of all, a full one takes {}",
        }[self.known]


def of_full_task(service: Service) -> MemoryPerTask | None:
    """GiB of a task that serves all it carries, by its `TaskCapacity`; None where what an idle one takes is not known.

    Requests in flight follow from Little's law, rate x time in the system: at most rate x SLO, since most requests
    answer sooner; at least none. Without what a request takes, or an SLO in ms, only the least is known.

    >>> from capacity.config import TaskCapacity
    >>> known = TaskCapacity(requests_per_second=50, slo_ms=400, base_memory_gib=1, memory_gib_per_request=0.025)
    >>> of_full_task(Service(name="web", task_capacity=known))
    MemoryPerTask(least=1.0, most=1.5, known='task capacity')
    """
    capacity = service.task_capacity
    if capacity is None or capacity.base_memory_gib is None:
        return None
    least = most = capacity.base_memory_gib
    if capacity.memory_gib_per_request is None:
        most = math.inf
    elif capacity.memory_gib_per_request > 0:
        in_flight = math.inf if capacity.slo_ms is None else capacity.requests_per_second * capacity.slo_ms / 1000
        most = least + capacity.memory_gib_per_request * in_flight
    return MemoryPerTask(least, most, "task capacity")


def taken_together(measured: MemoryPerTask | None, full: MemoryPerTask | None) -> MemoryPerTask | None:
    """What production and the capacity of a task say of a full task's memory.

    A full task takes no less than tasks took lately. So production lifts the least; where it saw more than the
    capacity allows at all, the capacity is wrong about memory and production alone counts.

    >>> taken_together(MemoryPerTask(0.5, 3.0), MemoryPerTask(0.8, 1.2, "task capacity"))
    MemoryPerTask(least=0.8, most=1.2, known='both')
    >>> taken_together(MemoryPerTask(1.5, 3.0), MemoryPerTask(0.8, 1.2, "task capacity"))
    MemoryPerTask(least=1.5, most=3.0, known='measured')
    """
    if measured is None or full is None:
        return full if measured is None else measured
    if measured.least > full.most:
        return measured
    if math.isinf(full.most):
        return MemoryPerTask(max(measured.least, full.least), max(measured.most, full.least))
    return MemoryPerTask(max(measured.least, full.least), full.most, "both")


def contradicted(service: Service, measured: MemoryPerTask | None, full: MemoryPerTask | None) -> Finding | None:
    """Tasks took more memory in production than their capacity says a full one takes."""
    if measured is None or full is None or measured.least <= full.most:
        return None
    return Finding(
        service.name,
        "memory",
        "task capacity",
        "REVIEW",
        f"A task used at least {measured.least:.3g} GiB in production, and its task_capacity gives a full one "
        f"{full.most:.3g} GiB at most; the plan goes by production.",
        "Look for memory that grows with time (caches, leaks), which a short load test does not see.",
    )


def memory_per_task(service: Service, past: Demand, name: str) -> MemoryPerTask | None:
    """From the measured memory of all tasks over the last four weeks; None when there was none.

    `name` is that of the series. Where it was measured how many tasks ran, in most of the intervals, the mean task's
    largest share is known; so it is of the stated `assumed_running_tasks`. Else at most the service's maximum ran; at
    least its minimum, and on Fargate, where no task uses more processor than it reserves, as many as the measured vCPU
    fill.
    """
    lately = past.since(past.end - LOOK_BACK)
    memory = _row(lately, name, "memory")
    if memory is None or not np.isfinite(memory).any():
        return None
    shares = memory / _busy_tasks(lately, name)
    if np.isfinite(shares).sum() >= MOSTLY * np.isfinite(memory).sum():
        each = float(np.nanmax(shares))
        return MemoryPerTask(each, each)
    if service.assumed_running_tasks is not None:
        each = float(np.nanmax(memory)) / service.assumed_running_tasks
        return MemoryPerTask(each, each)
    cpu = _row(lately, name, "cpu") if service.launch_type == "FARGATE" else None
    busy = np.zeros_like(memory) if cpu is None else np.nan_to_num(cpu) / service.task_vcpu
    fewest = np.maximum(busy, service.min_tasks)
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.where(memory == 0, 0.0, memory / fewest)  # memory beside no known task: no bound
    least = float(np.nanmax(memory)) / service.max_tasks
    if np.isfinite(shares).any():
        least = max(least, float(np.nanmax(shares)))
    return MemoryPerTask(least, max(least, float(np.nanmax(most))))


def _busy_tasks(past: Demand, name: str) -> np.ndarray:
    """(n,) tasks that ran, at least one; NaN where none did for the whole interval, and where nobody knows."""
    ran = past.tasks.get(name, np.full(len(past.times), np.nan))
    return np.where(ran >= 1, ran, np.nan)


def _row(past: Demand, name: str, metric: str) -> np.ndarray | None:
    """(n,) mean need of one series, NaN at gaps; None when it is not there."""
    key = Key(name, metric)
    return past.values[past.keys.index(key)] if key in past.keys else None


def better_size(service: Service, memory: MemoryPerTask) -> float | None:
    """GiB a task should have instead, when that is sure; None when it has the right size or nobody can tell.

    Larger when even the least its memory can be passes the target; smaller when even the most leaves it mostly idle
    and Fargate has a smaller size beside the same vCPU. On EC2 any size will do, and one of whole 64 MiB is told.

    >>> better_size(Service(name="web", task_memory_gib=4), MemoryPerTask(least=3.9, most=3.9))
    5.0
    >>> better_size(Service(name="web", task_memory_gib=8), MemoryPerTask(least=1.0, most=2.0))
    3.0
    >>> better_size(Service(name="web", task_memory_gib=8), MemoryPerTask(least=1.0, most=8.0)) is None
    True
    >>> better_size(Service(name="web", launch_type="EC2"), MemoryPerTask(least=0.258, most=0.258))
    0.375
    """
    if memory.least > service.task_memory_gib * service.memory_target:
        return _smallest(service, memory.least)
    if memory.most <= service.task_memory_gib * IDLE:
        smaller = _smallest(service, memory.most)
        return smaller if smaller is not None and smaller < service.task_memory_gib else None
    return None


#: Steps of memory in a GiB that are told on EC2: 64 MiB each.
_STEPS_A_GIB: Final = 16


def _smallest(service: Service, needed_gib: float) -> float | None:
    """Smallest memory beside the service's vCPU that keeps `needed_gib` within the target; None if there is none."""
    if service.launch_type == "EC2":
        return math.ceil(needed_gib / service.memory_target * _STEPS_A_GIB - 1e-9) / _STEPS_A_GIB
    sizes = (mib / 1024 for mib in FARGATE_SIZES[round(service.task_vcpu * 1024)])
    return next((size for size in sizes if needed_gib <= size * service.memory_target), None)


#: How the least is said, by where it is known from.
_AT_LEAST: Final[dict[Known, str]] = {
    "measured": "A task used at least",
    "task capacity": "A full task takes at least",
    "both": "A full task takes at least",
}


def too_little_memory(service: Service, memory: MemoryPerTask) -> Finding | None:
    """A task that surely used more of its memory than the target allows."""
    if memory.least <= service.task_memory_gib * service.memory_target:
        return None
    return Finding(
        service.name,
        "memory",
        "task size",
        "REVIEW",
        f"{_AT_LEAST[memory.known]} {memory.least:.3g} GiB of its {service.task_memory_gib:g} GiB, "
        f"above the target of {share(service.memory_target)}.",
        "Give it more memory; more tasks would not help, or state memory_scales_with_load = true if they do.",
    )


def perhaps_too_little(service: Service, memory: MemoryPerTask) -> Finding | None:
    """A full task may take more than the target allows, by its capacity; what it takes for sure fits."""
    if memory.known == "measured" or math.isinf(memory.most) or not _left_open(service, memory):
        return None
    return Finding(
        service.name,
        "memory",
        "task size",
        "UNKNOWN",
        f"A full task takes {memory.least:.3g} to {memory.most:.3g} GiB of its {service.task_memory_gib:g} GiB, by its "
        f"task_capacity with every request in flight as long as the SLO allows; the target is "
        f"{share(service.memory_target)}.",
        "Watch the memory of one task in the next load test, at the load it is planned for.",
    )


def memory_findings(service: Service, measured: MemoryPerTask | None, full: MemoryPerTask | None) -> list[Finding]:
    """All that production and the capacity of a task say about its memory that asks for attention."""
    memory = taken_together(measured, full)
    found = [contradicted(service, measured, full)]
    found += [] if memory is None else [too_little_memory(service, memory), perhaps_too_little(service, memory)]
    return [finding for finding in found if finding is not None]


def is_unknown(service: Service, memory: MemoryPerTask | None) -> bool:
    """Whether what was measured of all tasks leaves it open if one has enough memory, and nothing else tells."""
    return memory is not None and memory.known == "measured" and _left_open(service, memory)


def _left_open(service: Service, memory: MemoryPerTask) -> bool:
    return memory.least <= service.task_memory_gib * service.memory_target < memory.most


def unknown_memory(names: list[str]) -> list[Finding]:
    """One finding for all services of which nobody can tell whether a task has enough memory.

    >>> [finding.service for finding in unknown_memory(["web"])], unknown_memory([])
    (['web'], [])
    """
    if not names:
        return []
    one = len(names) == 1
    return [
        Finding(
            names[0] if one else "",
            "memory",
            "task size",
            "UNKNOWN",
            "Whether a task has enough memory cannot be told, because it is not known how many tasks shared what was "
            f"measured{'' if one else ': ' + ', '.join(names)}.",
            "State assumed_running_tasks, or memory_scales_with_load = true if more tasks relieve it.",
        )
    ]
