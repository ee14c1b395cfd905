"""One service, every size of task there is: what each would run, cost and need, and what rules it out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.config import FARGATE_SIZES, Architecture, Goal, Rate, Service
from capacity.planning.cost import following_hours, spot_hours, spread, usd_of
from capacity.planning.limits.published import tasks_of_service
from capacity.planning.matching import Match
from capacity.planning.needs import fractional_tasks, most_needed
from capacity.planning.per_task import carried_shares
from capacity.planning.prices import HOURS_PER_MONTH
from capacity.planning.sizing.larger import Task, busy_share, carries, resized
from capacity.planning.sizing.memory import KnownMemory, too_little
from capacity.planning.steps import Survives, climb, ready_before, tracked_share, whole_tasks

if TYPE_CHECKING:
    from capacity.planning.plans import Plan

#: Sizes are compared without a maximum: one that binds would make the promise of some smaller.
_NO_MAXIMUM: Final = int(np.iinfo(np.int64).max)

_ARCHITECTURES: Final[tuple[Architecture, ...]] = ("x86_64", "arm64")

#: What rules a size out, by short name, in the order they are looked at.
BOUNDS: Final = ("processor", "memory", "tasks per service", "quota", "price")


class Counted(NamedTuple):
    """What one size runs."""

    tasks: int  # most in any interval of the plan, at the goal's level, after every headroom step
    least: int  # never fewer
    hours: np.ndarray  # (P,) task-hours over the horizon when tasks follow each path
    on_spot: np.ndarray  # (P,) those of them on FARGATE_SPOT
    month: float  # mean task-hours a month


class Option(NamedTuple):
    """One size of task for one service. Without a price USD are NaN; one that is ruled out says by what and why."""

    task: Task
    present: bool
    worth: float  # tasks of today's size that one of these carries
    memory_gib: float  # what a full task takes at most, NaN where not known
    counted: Counted | None
    usd: dict[str, float]  # a month: usd (mean), p5, p50, p95
    bound_by: str = ""
    rejected_because: str = ""


def grid(present: Task) -> list[Task]:
    """Every Fargate size on both architectures, and today's. Source: `FARGATE_SIZES` (reference aws.md 4.1).

    >>> len(grid(Task(1, 2, "x86_64")))
    148
    """
    sizes = [
        Task(units / 1024, mib / 1024, architecture)
        for architecture in _ARCHITECTURES
        for units, memories in FARGATE_SIZES.items()
        for mib in memories
    ]
    return sizes if present in sizes else [present, *sizes]


@dataclass(frozen=True, eq=False)
class Weighing:
    """What is the same for all sizes of one service: its needs, path by path, in tasks of today's size."""

    service: Service
    goal: Goal
    needs: dict[str, np.ndarray]  # resource -> (P, H) fractional tasks
    interval: pd.Timedelta
    memory: KnownMemory
    busy: float | None
    quota_vcpu: float | None  # of the account, in the service's region

    @classmethod
    def of(cls, plan: Plan, found: Match) -> Weighing:
        """From the plan's own paths, with the peaks inside each interval that the plan was asked to take."""
        from capacity.planning.planner import peaks_of

        service, about = found.service, plan.forecast.select(found.keys)
        inside = about.paths if service.tier == "batch" or plan.asked is None else peaks_of(plan.asked)(about)
        demand = dict(zip((key.metric for key in found.keys), inside, strict=True))
        shares = carried_shares(service, demand["requests"]) if "requests" in demand else None
        quotas = [account.fargate_vcpu_quota for account in plan.accounts if account.region == service.region]
        return cls(
            service=service,
            goal=plan.goal_of(service.name),
            needs=fractional_tasks(service, demand, shares),
            interval=about.interval,
            memory=KnownMemory.of(service, about.past, found.name),
            busy=busy_share(service, about.past, found.name),
            quota_vcpu=quotas[0] if quotas else None,
        )

    @property
    def horizon_hours(self) -> float:
        return float(next(iter(self.needs.values())).shape[1] * (self.interval / pd.Timedelta(hours=1)))

    @cached_property
    def _known_curves(self) -> dict[tuple[tuple[str, float], ...], tuple[np.ndarray, np.ndarray, np.ndarray]]:
        return {}

    def _curves(self, worth: tuple[tuple[str, float], ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(P, H) need, and its (H,) quantile without and with start-up; the same for all sizes alike in proportion."""
        known = self._known_curves
        if worth not in known:
            need = most_needed({name: self.needs[name] / self.needs[name].dtype.type(each) for name, each in worth})
            ready = ready_before(need, self.service.startup_seconds, self.interval / pd.Timedelta(seconds=1))
            known[worth] = (need, *(np.quantile(paths, self.goal.level, axis=0) for paths in (need, ready)))
        return known[worth]

    def counted(self, worth: dict[str, float], fewest: int) -> Counted:
        """Tasks of a size that is worth so many of today's, with the same headroom steps. No maximum is kept.

        fewest  of any size; today's minimum is kept as the capacity it is: half as many tasks of twice the size
        """
        lowest = min(worth.values())
        need, need_at, ready_at = self._curves(tuple((name, round(worth[name] / lowest, 12)) for name in self.needs))
        peak = int(climb(need_at / lowest, ready_at / lowest, self.service, self.goal).zone_loss.max())
        least = max(fewest, int(whole_tasks(self.service.min_tasks / lowest)))
        tracked = need / need.dtype.type(tracked_share(self.service, self.goal) * lowest)
        interval = self.interval / pd.Timedelta(hours=1)
        hours = following_hours(tracked, least, _NO_MAXIMUM, interval)
        on_spot = np.zeros(len(hours))
        if self.service.spot_share > 0:
            base = int(whole_tasks(self.service.on_demand_base / lowest))
            bounds = {"min_tasks": least, "max_tasks": _NO_MAXIMUM, "on_demand_base": base}
            on_spot = spot_hours(tracked, self.service.model_copy(update=bounds), interval)
        month = float(hours.mean()) * HOURS_PER_MONTH / self.horizon_hours
        return Counted(max(peak, least), least, hours, on_spot, month)


def fewest_of(service: Service, goal: Goal) -> int:
    """Fewest tasks of any size: two where a zone is to be survived, one elsewhere, none where none may run today."""
    return 0 if service.min_tasks == 0 else 2 if Survives.of(service, goal).zone_loss else 1


def options(
    about: Weighing, plan: Plan, speeds: dict[Architecture, float], fewest: int | None = None
) -> Iterator[Option]:
    """Every size of one service.

    speeds  architecture -> speed of its vCPU, as a multiple of one of today's architecture
    fewest  tasks of any size; `fewest_of` when None
    """
    service = about.service
    least = fewest_of(service, about.goal) if fewest is None else fewest
    seen: dict[tuple[tuple[str, float], ...], Counted] = {}
    for task in grid(Task.of(service)):
        worth = carries(service, task, speeds[task.architecture], about.busy)
        if isinstance(worth, str):
            nothing = dict.fromkeys(("usd", "p5", "p50", "p95"), math.nan)
            yield Option(task, task == Task.of(service), 0.0, math.nan, None, nothing, "processor", worth)
            continue
        asked = {name: worth[name] for name in about.needs}
        key = tuple(asked.items())
        if key not in seen:
            seen[key] = about.counted(asked, least)
        yield _option(about, plan, task, worth, min(asked.values()), seen[key], speeds[task.architecture])


def _option(
    about: Weighing, plan: Plan, task: Task, worth: dict[str, float], least: float, counted: Counted, speed: float
) -> Option:
    service = resized(about.service, task, speed, worth)
    rate = plan.asked.prices.of(service) if plan.asked is not None else None
    month = HOURS_PER_MONTH / about.horizon_hours
    usd = spread(usd_of(service, rate, counted.hours, counted.on_spot) * month)
    loaded = worth.get("requests", worth["cpu"])
    memory = None if service.memory_scales_with_load else about.memory.at(service, about.service, loaded)
    surge = counted.tasks * service.maximum_percent // 100  # a deployment's most: floor(n x percent / 100)
    own = (surge - max(surge - service.on_demand_base, 0) * service.spot_share) * task.vcpu  # what is not on Spot
    most = tasks_of_service(service)
    reasons = {
        "memory": "" if service.memory_scales_with_load else too_little(service, memory, about.service, loaded),
        "tasks per service": f"its peak needs {counted.tasks:,} tasks, and ECS runs {most:,} in one service"
        if counted.tasks > most
        else "",
        "quota": f"a deployment at its peak needs {own:,.0f} vCPU, and the quota is {about.quota_vcpu:,.0f}"
        if about.quota_vcpu is not None and own > about.quota_vcpu
        else "",
        "price": f"no price is known for {_what(service, rate)}" if np.isnan(usd["usd"]) else "",
    }
    bound_by = next((bound for bound in BOUNDS if reasons.get(bound)), "")
    known = memory.most if memory is not None and math.isfinite(memory.most) else math.nan
    present = task == Task.of(about.service)
    return Option(task, present, least, known, counted, usd, bound_by, reasons.get(bound_by, ""))


def _what(service: Service, rate: Rate | None) -> str:
    place = f"{service.architecture} in {service.region}"
    return place if rate is None else f"FARGATE_SPOT, {place}"
