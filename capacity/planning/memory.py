"""Does each task have the memory it needs? A check of task size, for memory that more tasks do not relieve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.config import FARGATE_SIZES, Service
from capacity.demand.demand import Demand, Key
from capacity.findings import Finding

#: Below this share of the task's memory, at the largest it can be, the task is larger than it has to be.
IDLE: Final = 0.40


#: How far back memory is looked at: a month holds every kind of day, and mostly today's release.
LOOK_BACK: Final = pd.Timedelta(days=28)


@dataclass(frozen=True)
class MemoryPerTask:
    """Largest memory of one task lately, as far as it is known, in GiB.

    A service's memory is measured over all its tasks, and how many ran is not part of a demand. So one task's share
    lies between the whole over the most tasks that may have run and the whole over the fewest. The two are one number
    when the count is fixed or stated (`assumed_running_tasks`). It is measured, not forecast: memory that does not
    scale with load grows with the number of tasks, and so says nothing new about one of them.
    """

    least: float
    most: float


def memory_per_task(service: Service, past: Demand, key: Key) -> MemoryPerTask | None:
    """From the measured memory of all tasks over the last four weeks; None when there was none."""
    lately = past.select([key]).since(past.end - LOOK_BACK)
    known = np.fmax(lately.values, lately.peaks)  # the one-minute peak where there is one
    known = known[np.isfinite(known)]
    if known.size == 0:
        return None
    peak = float(known.max())
    if service.assumed_running_tasks is not None:
        each = peak / service.assumed_running_tasks
        return MemoryPerTask(each, each)
    return MemoryPerTask(peak / service.max_tasks, peak / service.min_tasks if service.min_tasks else np.inf)


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


def memory_finding(service: Service, memory: MemoryPerTask) -> Finding | None:
    """What to say about the task's memory, if anything."""
    full = service.task_memory_gib * service.memory_target
    if memory.most <= full:
        return None
    if memory.least > full:
        return Finding(
            service.name,
            "memory",
            "task size",
            "REVIEW",
            f"A task used at least {memory.least:.3g} GiB of its {service.task_memory_gib:g} GiB, "
            f"above the target of {service.memory_target:.0%}.",
            "Give it more memory; more tasks would not help, or state memory_scales_with_load = true if they do.",
        )
    most = f"{memory.most:.3g} GiB" if np.isfinite(memory.most) else "no known bound"
    return Finding(
        service.name,
        "memory",
        "task size",
        "UNKNOWN",
        f"Whether {service.task_memory_gib:g} GiB a task are enough cannot be told: one task used between "
        f"{memory.least:.3g} GiB and {most}, depending on how many ran.",
        "State assumed_running_tasks, or memory_scales_with_load = true if more tasks relieve it.",
    )
