"""Does each task have the memory it needs? A check of task size, for memory that more tasks do not relieve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

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


@dataclass(frozen=True)
class MemoryPerTask:
    """Largest memory of one task lately, as far as it is known, in GiB.

    A service's memory is measured over all its tasks, and how many ran is not part of a demand. So one task's share
    lies between the whole over the most tasks that may have run and the whole over the fewest. It is measured, not
    forecast: memory that does not scale with load grows with the number of tasks, and so says nothing new about one.
    """

    least: float
    most: float


def memory_per_task(service: Service, past: Demand, name: str) -> MemoryPerTask | None:
    """From the measured memory of all tasks over the last four weeks; None when there was none.

    `name` is that of the series. At most the service's maximum ran, or the stated `assumed_running_tasks`; at least
    its minimum, and on Fargate, where no task uses more processor than it reserves, as many as the measured vCPU fill.
    """
    lately = past.since(past.end - LOOK_BACK)
    memory = _row(lately, name, "memory")
    if memory is None or not np.isfinite(memory).any():
        return None
    if service.assumed_running_tasks is not None:
        each = float(np.nanmax(memory)) / service.assumed_running_tasks
        return MemoryPerTask(each, each)
    cpu = _row(lately, name, "cpu") if service.launch_type == "FARGATE" else None
    busy = np.zeros_like(memory) if cpu is None else np.nan_to_num(cpu) / service.task_vcpu
    fewest = np.maximum(busy, service.min_tasks)
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.where(memory == 0, 0.0, memory / fewest)  # memory beside no known task: no bound
    least = float(np.nanmax(memory)) / service.max_tasks
    return MemoryPerTask(least, max(least, float(np.nanmax(most))))


def _row(past: Demand, name: str, metric: str) -> np.ndarray | None:
    """(n,) mean need of one series, NaN at gaps; None when it is not there."""
    key = Key(name, metric)
    return past.values[past.keys.index(key)] if key in past.keys else None


def better_size(service: Service, memory: MemoryPerTask) -> float | None:
    """GiB a task should have instead, when that is sure; None when it has the right size or nobody can tell.

    Larger when even the least its memory can be passes the target; smaller when even the most leaves it mostly idle
    and Fargate has a smaller size beside the same vCPU.

    >>> better_size(Service(name="web", task_memory_gib=4), MemoryPerTask(least=3.9, most=3.9))
    5.0
    >>> better_size(Service(name="web", task_memory_gib=8), MemoryPerTask(least=1.0, most=2.0))
    3.0
    >>> better_size(Service(name="web", task_memory_gib=8), MemoryPerTask(least=1.0, most=8.0)) is None
    True
    """
    if memory.least > service.task_memory_gib * service.memory_target:
        return _smallest(service, memory.least)
    if memory.most <= service.task_memory_gib * IDLE:
        smaller = _smallest(service, memory.most)
        return smaller if smaller is not None and smaller < service.task_memory_gib else None
    return None


def _smallest(service: Service, needed_gib: float) -> float | None:
    """Smallest memory beside the service's vCPU that keeps `needed_gib` within the target; None if there is none."""
    if service.launch_type == "EC2":
        return needed_gib / service.memory_target
    sizes = (mib / 1024 for mib in FARGATE_SIZES[round(service.task_vcpu * 1024)])
    return next((size for size in sizes if needed_gib <= size * service.memory_target), None)


def too_little_memory(service: Service, memory: MemoryPerTask) -> Finding | None:
    """A task that surely used more of its memory than the target allows."""
    if memory.least <= service.task_memory_gib * service.memory_target:
        return None
    return Finding(
        service.name,
        "memory",
        "task size",
        "REVIEW",
        f"A task used at least {memory.least:.3g} GiB of its {service.task_memory_gib:g} GiB, "
        f"above the target of {share(service.memory_target)}.",
        "Give it more memory; more tasks would not help, or state memory_scales_with_load = true if they do.",
    )


def is_unknown(service: Service, memory: MemoryPerTask | None) -> bool:
    """Whether the evidence leaves it open if a task has enough memory."""
    return memory is not None and memory.least <= service.task_memory_gib * service.memory_target < memory.most


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
