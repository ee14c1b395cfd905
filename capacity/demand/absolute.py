"""From percentages to vCPU and GiB: utilisation times what was reserved is what was used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.demand.levels import Level, Measured, filled, nothing
from capacity.findings import Finding

#: resource -> its unit, and the field of Service with the size of one task.
SIZES: Final[dict[str, tuple[str, str]]] = {"cpu": ("vCPU", "task_vcpu"), "memory": ("GiB", "task_memory_gib")}

#: A stated task size that differs by more than this from what the history shows is pointed out.
SIZE_TOLERANCE: Final = 0.05

#: Share of the intervals in which a single task has to run for a service to count as one that always is one task.
ALWAYS: Final = 0.95


@dataclass(frozen=True)
class Sizing:
    """What one task of a service reserves of one resource, and how we know."""

    size: float | None
    assumed_tasks: float | None = None


def sizing(resource: str, shown: dict[str, float], service: Service | None) -> Sizing:
    """The size of a task: as stated in the Service, else as the history shows (`shown_sizes`)."""
    if service is not None:
        return Sizing(float(getattr(service, SIZES[resource][1])), service.assumed_running_tasks)
    return Sizing(shown.get(resource))


def shown_sizes(rows: pd.DataFrame) -> dict[str, float]:
    """resource -> what one task reserved of late: the median of reserved / running tasks over its last quarter.

    rows  one service's rows of `schema.HISTORY`; both metrics have to be known at the same interval
    """
    means = (rows["stat"] == "mean").to_numpy()
    ran, sizes = _by_interval(rows, means & (rows["metric"] == "running_tasks").to_numpy()), {}
    for resource in SIZES if ran else ():
        reserved = _by_interval(rows, means & (rows["metric"] == f"{resource}_reserved").to_numpy())
        both = [_ratios(ran[size], reserved[size]) for size in sorted(ran.keys() & reserved.keys())]
        if sum(len(times) for times, _ in both):
            times, ratios = (np.concatenate(part) for part in zip(*both, strict=True))
            late = ratios[np.argsort(times, kind="stable")][len(ratios) * 3 // 4 :]
            sizes[resource] = float(np.median(late))
    return sizes


def _by_interval(rows: pd.DataFrame, chosen: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """interval -> times, each once, and values of the chosen rows: those of one metric."""
    intervals = rows["interval"].to_numpy()[chosen]
    times, values = pd.DatetimeIndex(rows["timestamp"]).asi8[chosen], rows["value"].to_numpy()[chosen]
    return {int(size): (times[intervals == size], values[intervals == size]) for size in np.unique(intervals)}


def _ratios(
    ran: tuple[np.ndarray, np.ndarray], reserved: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Times at which both are known and a task ran, and what one task reserved then."""
    times, here, there = np.intersect1d(ran[0], reserved[0], assume_unique=True, return_indices=True)
    tasks, whole = ran[1][here], reserved[1][there]
    busy = (tasks > 0) & np.isfinite(whole)
    return times[busy], whole[busy] / tasks[busy]


def used(resource: str, level: Level, sizes: Sizing) -> Iterator[tuple[str, Measured]]:
    """(how, demand) by every way this level allows, best first. Only ways that know something.

    1. measured as it is  2. utilisation x reserved  3. utilisation x running tasks x size of a task
    4. utilisation x the stated number of tasks x size of a task

    At one minute the product is also the peak. Over longer intervals the largest utilisation is that of the busiest
    task in its busiest minute: times all tasks it would overstate, so the peak stays unknown. Except for a service
    that (nearly) always is one task: there it is that task. Of services that are one task only when idle it would
    tell the peaks of idle hours alone, and whoever learns a ratio from them would learn the wrong one.
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
    single_task = np.fmax(tasks.mean, tasks.peak) == 1
    always = single_task.sum() >= ALWAYS * np.isfinite(utilization.mean).sum()
    alone = np.where(single_task & always, utilization.peak, np.nan)
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


def size_findings(name: str, shown: dict[str, float], service: Service | None) -> list[Finding]:
    """A stated task size that the history contradicts: percentages of another size are not what they seem."""
    findings = []
    for resource, size in shown.items():
        unit, field = SIZES[resource]
        stated = getattr(service, field) if service is not None else size
        if abs(size / stated - 1) > SIZE_TOLERANCE:
            message = f"a task of {stated:g} {unit} is stated, but of late each reserved {size:.4g} {unit}."
            advice = f"Correct {field} of [[service]] name = {name!r}."
            findings.append(Finding(name, resource, "task size", "REVIEW", message, advice))
    return findings
