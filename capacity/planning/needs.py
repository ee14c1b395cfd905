"""Demand paths -> the fractional tasks each path needs: what one full task carries, resource by resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from capacity.config import Service
from capacity.demand.demand import Key
from capacity.errors import GoalUnreachable, PlanError

#: Resources that can ask for tasks; of equal needs the first one listed is named.
RESOURCES = ("requests", "cpu", "memory")

#: More tasks than this are not told apart: ECS runs 5,000 in a service, and sums of counts stay exact integers.
COUNTLESS = 1e9


@dataclass(frozen=True)
class FullTask:
    """What one task carries of a resource when it is as full as planned: `size` x `target`, in the metric's unit."""

    resource: str
    size: float
    target: float

    @property
    def carries(self) -> float:
        return self.size * self.target

    def __str__(self) -> str:
        return f"{self.size:g} {Key('', self.resource).unit} × {self.target:.4g} per task"


def full_tasks(service: Service) -> dict[str, FullTask]:
    """What one task of the service carries, for every resource that adding tasks relieves.

    Requests count only when their capacity per task is stated, memory only when it is said to scale with load:
    the fixed part of every task's memory does not fall when tasks are added (reference aws.md 4.5).

    >>> full_tasks(Service(name="web", requests_per_second_per_task=50, task_vcpu=1, cpu_target=0.6))["cpu"].carries
    0.6
    >>> list(full_tasks(Service(name="web")))
    ['cpu']
    """
    full = {"cpu": FullTask("cpu", service.task_vcpu, service.cpu_target)}
    if service.requests_per_second_per_task is not None:
        full["requests"] = FullTask("requests", service.requests_per_second_per_task, service.request_target)
    if service.memory_scales_with_load:
        full["memory"] = FullTask("memory", service.task_memory_gib, service.memory_target)
    return {resource: full[resource] for resource in RESOURCES if resource in full}


def full_share(service: Service, resource: str) -> float:
    """Share of a task's size past which it is too full, in (0, 1]: what it may reach while a zone is lost.

    requests_per_second_per_task is what one task serves within the SLO: for requests the share is 1. `request_target`
    leaves room below it; CPU and memory targets leave the same room, so a task is full at target / request_target.

    >>> round(full_share(Service(name="web", cpu_target=0.60, request_target=0.85), "cpu"), 4)
    0.7059
    """
    if resource == "requests":
        return 1.0
    share = service.cpu_target if resource == "cpu" else service.memory_target
    return min(1.0, share / service.request_target)


def in_full_tasks(service: Service) -> float:
    """Full tasks that carry what one task carries at its target: `request_target`, unless a target is above it.

    A service planned at 95 % CPU and 85 % of its requests has the room of the tighter one: 0.95.

    >>> in_full_tasks(Service(name="web", requests_per_second_per_task=50, request_target=0.8))
    0.8
    """
    return max(full.target / full_share(service, full.resource) for full in full_tasks(service).values())


def full_of_cpu(service: Service) -> float | None:
    """Requests/s at which a task is at its CPU target, by what a request and an idle task cost; None where not known.

    At most 0 when an idle task is at the target already.
    Source: utilisation law, U = U0 + X D (reference loadtest.md 8.3).

    >>> from capacity.config import TaskCapacity
    >>> known = TaskCapacity(requests_per_second=52, vcpu_seconds_per_request=0.02, base_vcpu=0.1)
    >>> full_of_cpu(Service(name="web", task_vcpu=1, cpu_target=0.6, task_capacity=known))
    25.0
    """
    capacity = service.task_capacity
    if capacity is None or capacity.vcpu_seconds_per_request is None:
        return None
    return (service.task_vcpu * service.cpu_target - (capacity.base_vcpu or 0)) / capacity.vcpu_seconds_per_request


def unsizeable(service: Service, metrics: set[str]) -> str:
    """Why the metrics at hand cannot size the service, and what to state; empty when they can.

    >>> print(unsizeable(Service(name="web"), {"requests"}))
    its requests are forecast, but not what one task serves: state requests_per_second_per_task, or bring cpu
    """
    if metrics & set(full_tasks(service)):
        cpu = full_of_cpu(service)
        if cpu is not None and cpu <= 0 and {"requests", "cpu"} & metrics == {"requests"}:
            return (
                f"its task_capacity says that an idle task uses base_vcpu, and cpu_target {service.cpu_target:g} of "
                f"{service.task_vcpu:g} vCPU leaves nothing above that for requests: give it more vCPU"
            )
        return ""
    if "requests" in metrics:
        return (
            "its requests are forecast, but not what one task serves: state requests_per_second_per_task, or bring cpu"
        )
    if "memory" in metrics:
        return (
            "only its memory is forecast, and memory is taken not to fall when tasks are added: bring requests or cpu, "
            "or state memory_scales_with_load = true if it does"
        )
    known = ", ".join(sorted(metrics)) or "nothing"
    return f"of it, {known} is forecast, which says nothing about tasks: bring requests or cpu"


def fractional_tasks(
    service: Service, demand: Mapping[str, np.ndarray], shares: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Fractional tasks each path needs, by resource: demand over what a full task carries.

    demand  metric -> (P, H) largest need inside each interval, in the metric's unit
    shares  (P, 1) of the stated requests/s that a task carries on each path; None: exactly those
    result  resource -> (P, H), at most `COUNTLESS`

    Where CPU is not forecast but what a request costs of it is known, requests ask for CPU too (`full_of_cpu`).

    Raises GoalUnreachable when no metric sizes the service, PlanError for demand that is NaN, infinite or negative.

    >>> web = Service(name="web", requests_per_second_per_task=50, request_target=0.8)
    >>> fractional_tasks(web, {"requests": np.array([[100.0]]), "latency": np.array([[9.0]])})["requests"].tolist()
    [[2.5]]
    """
    reason = unsizeable(service, set(demand))
    if reason:
        raise GoalUnreachable(f"{service.name}: {reason}.")
    needs = {}
    for resource, full in full_tasks(service).items():
        if resource in demand:
            wrong = defect(demand[resource])
            if wrong:
                raise PlanError(f"{service.name}: the forecast of {resource} {wrong}.")
            needs[resource] = np.minimum(demand[resource] / full.carries, COUNTLESS)
    if shares is not None and "requests" in needs:
        needs["requests"] = np.minimum(needs["requests"] / shares, COUNTLESS)
    cpu = full_of_cpu(service)
    if cpu is not None and "requests" in needs and "cpu" not in needs:
        needs["cpu"] = np.minimum(demand["requests"] / cpu, COUNTLESS)
    return {resource: needs[resource] for resource in RESOURCES if resource in needs}


def defect(values: np.ndarray) -> str:
    """What makes demand unusable, in words; empty for finite values of at least zero.

    >>> defect(np.array([1.0, np.nan])), defect(np.array([0.0, 2.0]))
    ('holds NaN or infinite values', '')
    """
    if values.size == 0:
        return "is empty"
    least, most = values.min(), values.max()
    if not np.isfinite(least) or not np.isfinite(most):
        return "holds NaN or infinite values"
    return "is negative" if least < 0 else ""


def most_needed(needs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Fractional tasks of the resource that asks for most, path by path: (P, H)."""
    arrays = list(needs.values())
    most = arrays[0].copy()
    for array in arrays[1:]:
        np.maximum(most, array, out=most)
    return most


def asks_for_most(quantiles: Mapping[str, np.ndarray]) -> np.ndarray:
    """Which resource's quantile is largest in each interval: (H,) names; of equal ones the first.

    >>> asks_for_most({"requests": np.array([1.0, 2.0]), "cpu": np.array([1.0, 3.0])}).tolist()
    ['requests', 'cpu']
    """
    names = np.array(list(quantiles), dtype=object)
    return names[np.argmax(np.stack(list(quantiles.values())), axis=0)]
