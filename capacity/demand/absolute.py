"""From percentages to vCPU and GiB: utilisation times what was reserved is what was used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from capacity.config import Service
from capacity.demand.levels import Level, Measured, filled, nothing
from capacity.findings import Finding

#: resource -> its unit, and the field of Service with the size of one task.
SIZES: Final[dict[str, tuple[str, str]]] = {"cpu": ("vCPU", "task_vcpu"), "memory": ("GiB", "task_memory_gib")}

#: A stated task size that differs by more than this from what the history shows is pointed out.
SIZE_TOLERANCE: Final = 0.05


@dataclass(frozen=True)
class Sizing:
    """What one task of a service reserves of one resource, and how we know."""

    size: float | None
    assumed_tasks: float | None = None
    stated: bool = False


def sizing(resource: str, level: Level, service: Service | None) -> Sizing:
    """The size of a task: as stated in the Service, else as the history shows (reserved / running tasks)."""
    if service is not None:
        return Sizing(float(getattr(service, SIZES[resource][1])), service.assumed_running_tasks, stated=True)
    return Sizing(shown_size(resource, level))


def shown_size(resource: str, level: Level) -> float | None:
    """What one task reserved of late, by the history: the median over the last quarter of what it tells."""
    tasks = level["running_tasks"].mean
    ratio = np.divide(level[f"{resource}_reserved"].mean, tasks, out=np.full(len(tasks), np.nan), where=tasks > 0)
    ratio = ratio[np.isfinite(ratio)]
    return float(np.median(ratio[-max(1, len(ratio) // 4) :])) if len(ratio) else None


def used(resource: str, level: Level, sizes: Sizing) -> Iterator[tuple[str, Measured]]:
    """(how, demand) by every way this level allows, best first. Only ways that know something.

    1. measured as it is  2. utilisation x reserved  3. utilisation x running tasks x size of a task
    4. utilisation x the stated number of tasks x size of a task

    At one minute the product is also the peak. Over longer intervals the largest utilisation is that of the busiest
    task in its busiest minute: times all tasks it would overstate, so the peak stays unknown, except where one task
    ran, and is that task.
    """
    if level[resource].known:
        yield "measured", level[resource]
    utilization = level[f"{resource}_utilization"]
    if not utilization.known:
        return
    unit = SIZES[resource][0]
    reserved, tasks = level[f"{resource}_reserved"].mean, level["running_tasks"]
    ways = {f"{resource}_utilization x {resource}_reserved": reserved}
    if sizes.size is not None:
        ways[f"{resource}_utilization x running_tasks x {sizes.size:g} {unit}"] = tasks.mean * sizes.size
        if sizes.assumed_tasks is not None:
            assumed = np.full(len(level.times), sizes.assumed_tasks * sizes.size)
            ways[f"{resource}_utilization x {sizes.assumed_tasks:g} assumed tasks x {sizes.size:g} {unit}"] = assumed
    alone = np.where(np.fmax(tasks.mean, tasks.peak) == 1, utilization.peak, np.nan)
    minute = level.interval.total_seconds() <= 60
    for how, supply in ways.items():
        mean = utilization.mean * supply / 100
        if np.isfinite(mean).any():
            single = np.where(np.isnan(alone), np.nan, np.maximum(alone * supply / 100, mean))
            yield how, Measured(mean, mean if minute else single)


def demand_of(resource: str, levels: list[Level], target: Level, sizes: Sizing) -> tuple[str, Measured]:
    """The resource's demand on the target grid, and how it came about.

    levels  finest first, the target's own interval last when it was measured at all
    target  the metrics of all levels, each filled from finer ones: for quantities that come at different intervals

    An interval's own values win; finer ones, multiplied minute by minute before they are averaged, fill what it
    lacks; quantities that meet only on the target grid come last.
    """
    how: list[str] = []
    result = nothing(len(target.times))
    for level in [*reversed(levels), target]:
        for label, found in used(resource, level, sizes):
            one = Level(level.times, level.interval, {resource: found})
            found = (
                one[resource]
                if level.interval == target.interval
                else one.coarser(target.interval, target.times)[resource]
            )
            adds = np.isnan(result.mean) & np.isfinite(found.mean)
            if adds.any() and label not in how:
                how.append(label)
            result = filled(result, found)
    return ", else ".join(how), result


def size_findings(name: str, level: Level, service: Service | None) -> list[Finding]:
    """A stated task size that the history contradicts: percentages of another size are not what they seem."""
    findings = []
    for resource, (unit, field) in SIZES.items():
        shown = shown_size(resource, level)
        stated = getattr(service, field) if service is not None else None
        if shown is None or stated is None or abs(shown / stated - 1) <= SIZE_TOLERANCE:
            continue
        message = f"a task of {stated:g} {unit} is stated, but of late each reserved {shown:.4g} {unit}."
        advice = f"Correct {field} of [[service]] {name!r}, or say nothing of the size and let the history tell."
        findings.append(Finding(name, resource, "task size", "REVIEW", message, advice))
    return findings
