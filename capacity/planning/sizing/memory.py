"""What a full task of another size takes of memory: a part that every task takes, and a part that follows its load."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from capacity.config import Service
from capacity.demand.demand import Demand, Key
from capacity.planning.memory import LOOK_BACK, MemoryPerTask, memory_per_task, of_full_task, taken_together
from capacity.planning.words import share

#: Intervals of which memory, load and running tasks have to be known, for memory to be parted by them: two days.
FEWEST: Final = 48

#: Load of one task has to vary by this at least (standard deviation over mean) to tell anything.
LEAST_VARIED: Final = 0.001

#: The two halves of the intervals have to agree on the fixed part, to this share of all memory: else it is not told.
AGREE: Final = 0.10


@dataclass(frozen=True)
class Parted:
    """Memory of one task as `fixed` + `per_load` x its load, both at least 0, and at most `above` more than that.

    fixed     GiB that a task takes without load
    per_load  GiB for each vCPU in use, or each request/s where CPU was not measured
    above     GiB that the least fitting interval lay above the line
    load      vCPU in use (or requests/s) of the busiest task's interval
    """

    fixed: float
    per_load: float
    above: float
    load: float

    def of(self, times: float) -> float:
        """GiB of a task that is given `times` the load of today's busiest."""
        return self.fixed + self.per_load * self.load * times + self.above


def parted(memory: np.ndarray, load: np.ndarray) -> Parted | None:
    """Memory and load of the mean task (n,) as a fixed part and one that follows; None where that cannot be told.

    Least squares with both parts at least 0. None for fewer than `FEWEST` intervals, and where the earlier half and the
    later one do not tell the same: load that hardly varies, memory that grows with age or follows something else.
    Source: reference aws.md 4.5, GB = fixed x tasks + variable.

    >>> load = np.tile([0.2, 0.3, 0.6, 0.4], 15)
    >>> found = parted(0.9 + 0.5 * load, load)
    >>> round(found.fixed, 3), round(found.per_load, 3), round(found.of(2.0), 3)
    (0.9, 0.5, 1.5)
    """
    known = np.isfinite(memory) & np.isfinite(load)
    memory, load = memory[known], load[known]
    half = len(load) // 2
    if len(load) < FEWEST or min(load[:half].std(), load[half:].std()) <= LEAST_VARIED * load.mean():
        return None
    fixed, slope = _line(memory, load)
    earlier, later = (_line(memory[part], load[part])[0] for part in (slice(half), slice(half, None)))
    if abs(earlier - later) > AGREE * memory.mean():
        return None
    above = max(float((memory - fixed - slope * load).max()), 0.0)
    return Parted(fixed, slope, above, float(load.max()))


def _line(memory: np.ndarray, load: np.ndarray) -> tuple[float, float]:
    """Fixed part and slope of least squares, neither below 0."""
    slope = max(float(np.cov(load, memory, bias=True)[0, 1] / load.var()), 0.0)
    fixed = float(memory.mean() - slope * load.mean())
    return (fixed, slope) if fixed >= 0 else (0.0, float((load * memory).sum() / (load**2).sum()))


def parted_of(service: Service, past: Demand, name: str) -> Parted | None:
    """From the last four weeks of running tasks, memory and load of the series called `name`."""
    lately = past.since(past.end - LOOK_BACK)
    rows = {key.metric: lately.values[row] for row, key in enumerate(lately.keys) if key.service == name}
    followed = next((metric for metric in ("cpu", "requests") if metric in rows), None)
    if "memory" not in rows or followed is None or name not in lately.tasks:
        return None
    ran = lately.tasks[name]
    ran = np.where(ran >= 1, ran, np.nan)
    return parted(rows["memory"] / ran, rows[followed] / ran)


@dataclass(frozen=True)
class KnownMemory:
    """All that is known of the memory of one task of today's size."""

    measured: MemoryPerTask | None
    parted: Parted | None

    @classmethod
    def of(cls, service: Service, past: Demand, name: str) -> KnownMemory:
        """Of the series called `name`, where more tasks do not relieve its memory."""
        if Key(name, "memory") not in past.keys:
            return cls(None, None)
        return cls(memory_per_task(service, past, name), parted_of(service, past, name))

    def at(self, resized: Service, service: Service, times: float) -> MemoryPerTask | None:
        """Of a full task that is given `times` the load of one of today's; None where nothing tells.

        Where it is not known which part follows the load, a larger task may take as many times more, and a smaller
        one no less. Together with the `TaskCapacity` of the resized service.
        """
        measured = self.measured
        if measured is not None and self.parted is not None:
            known = max(measured.least, self.parted.of(1.0)) if times == 1 else self.parted.of(times)
            measured = MemoryPerTask(known, known)
        elif measured is not None:
            measured = MemoryPerTask(measured.least * min(times, 1.0), measured.most * max(times, 1.0))
        return taken_together(measured, of_full_task(resized))


def too_little(service: Service, memory: MemoryPerTask | None, present: Service, times: float) -> str:
    """Why the task's memory does not suffice, or why that is not known; empty when it does.

    present  the service with today's task, whose memory is taken to suffice where nothing else is known

    >>> small = Service(name="web", task_vcpu=0.25, task_memory_gib=1)
    >>> too_little(small, MemoryPerTask(1.1, 1.1), small, 1.0)
    'a full task takes 1.1 GiB, which does not fit 80 % of 1 GiB'
    """
    room = service.task_memory_gib * service.memory_target * (1 + 1e-9)
    if memory is None or math.isinf(memory.most):
        least = present.task_memory_gib * max(times, 1.0)
        if memory is not None:
            least = max(least, memory.least / service.memory_target)
        if service.task_memory_gib * (1 + 1e-9) >= least:
            return ""
        return f"what a task takes of memory is not known, so no less than {_gib(least)} is tried"
    if memory.most <= room:
        return ""
    fits = f"does not fit {share(service.memory_target)} of {service.task_memory_gib:g} GiB"
    if memory.least < memory.most and memory.least <= room:
        return f"a full task may take {_gib(memory.most)} (at least {_gib(memory.least)}), which {fits}"
    sure = "at least " if memory.least < memory.most else ""
    return f"a full task takes {sure}{_gib(memory.least)}, which {fits}"


def _gib(amount: float) -> str:
    return f"{amount:.3g} GiB"
