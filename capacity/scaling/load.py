"""What one task carries, and which load a policy is replayed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast, get_args
from zlib import crc32

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.demand import Demand, Key, demand_from, to_minutes
from capacity.errors import InputError
from capacity.planning.needs import full_share
from capacity.scaling.clocks import Clocks
from capacity.scaling.policy import ServicePolicy, TrackedMetric


@dataclass(frozen=True)
class Carried:
    """One task's load, in requests/s, vCPU or GiB.

    size    at 100 %: task_vcpu, task_memory_gib, or requests_per_second_per_task; fewer requests where another
            resource is full before them (`ServicePolicy.per_task`)
    target  at the tracked value
    full    at the point past which it no longer keeps its promise: what `short` is counted against
    """

    size: float
    target: float
    full: float


def task_size(service: Service, metric: TrackedMetric) -> float:
    """Load one task carries at 100 %. Raises InputError when requests are tracked and their capacity is not stated."""
    if metric == "cpu":
        return service.task_vcpu
    if metric == "memory":
        return service.task_memory_gib
    if service.requests_per_second_per_task is None:
        raise InputError(
            f"{service.name}: requests per task are tracked, but what one task serves is not known",
            advice="State requests_per_second_per_task of the service.",
        )
    return service.requests_per_second_per_task


def carried(policy: ServicePolicy) -> Carried:
    """What one task carries under this policy.

    >>> from capacity.scaling.policy import TargetTracking
    >>> web = Service(name="web", requests_per_second_per_task=50)
    >>> carried(ServicePolicy(web, 1, 10, TargetTracking("requests", target=2550)))
    Carried(size=50.0, target=42.5, full=50.0)
    """
    metric, target = policy.tracking.metric, policy.tracking.target
    size = task_size(policy.service, metric) if policy.per_task is None else policy.per_task
    at_target = target / 60 if metric == "requests" else size * target / 100
    return Carried(size=size, target=at_target, full=size * full_share(policy.service, metric))


def target_value(service: Service, metric: TrackedMetric, share: float, per_task: float | None = None) -> float:
    """`TargetValue` at which a task is this full: requests per task and minute, or percent.

    per_task  load of a task at 100 %, where it is not the stated one

    >>> target_value(Service(name="web", requests_per_second_per_task=50), "requests", share=0.85)
    2550.0
    """
    size = task_size(service, metric) if per_task is None else per_task
    per_minute = size * 60 if metric == "requests" else 100.0
    return round(share * per_minute, 3 if per_minute < 10 else 1)


def tracked_metric(service: Service, metrics: set[str]) -> TrackedMetric:
    """Which metric to track: requests per task where its capacity is stated and requests are known, else CPU.

    Raises InputError when what is known of the service cannot be turned into tasks.

    >>> tracked_metric(Service(name="web", requests_per_second_per_task=50), {"cpu", "requests"})
    'requests'
    """
    if service.requests_per_second_per_task is not None and "requests" in metrics:
        return "requests"
    if "cpu" in metrics:
        return "cpu"
    if "memory" in metrics and service.memory_scales_with_load:
        return "memory"
    known = ", ".join(sorted(metrics)) or "nothing"
    raise InputError(
        f"{service.name}: no tracked metric can be followed, of it {known} is known",
        advice="State requests_per_second_per_task for requests, or bring cpu.",
    )


def as_demand(data: Any, policy: ServicePolicy) -> Demand:
    """Demand as it is; a Series or DataFrame is read as the metric the policy tracks."""
    return data if isinstance(data, Demand) else demand_from(data, metric=policy.tracking.metric)


def key_of(demand: Demand, service: str, metric: str, *, alone: bool) -> Key:
    """The series of a service. When there is one service on both sides, its name need not be the same.

    Raises InputError, naming what there is.
    """
    names = demand.services
    name = names[0] if alone and len(names) == 1 else service
    key = Key(name, metric)
    if key not in demand.keys:
        known = ", ".join(f"{one.service} {one.metric}" for one in demand.keys[:10]) or "nothing"
        raise InputError(
            f"no {metric} of {service!r} in the demand, which holds: {known}",
            advice="The policy tracks that metric: replay it on demand of the same service and metric.",
        )
    return key


def minutes_of(demand: Demand, key: Key, seed: int) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """(n,) minutes and load of one series. Noise inside coarse intervals depends on seed and name, not on the order."""
    row = demand.keys.index(key)
    own = seed * 2**32 + crc32(f"{key.service}\n{key.metric}".encode())
    return to_minutes(demand.times, demand.interval, demand.values[row], demand.peaks[row], own)


def steps_of(
    demand: Demand, key: Key, seed: int, policy: ServicePolicy, clocks: Clocks
) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """(n,) minutes and load of one series; where the policy tracks 20-second metrics, finer demand as it is.

    Intervals shorter than a minute are kept when they are whole steps of `Clocks.fine_step`, else averaged.
    """
    seconds = demand.interval.total_seconds()
    if policy.tracking.resolution == 60 or seconds >= 60 or seconds % clocks.fine_step or 60 % seconds:
        return minutes_of(demand, key, seed)
    return pd.DatetimeIndex(demand.times), demand.values[demand.keys.index(key)]


def tracked(name: str) -> TrackedMetric:
    """The name, if it is a metric that can be tracked."""
    if name not in get_args(TrackedMetric):
        raise InputError(f"{name!r} cannot be tracked", advice=f"One of: {', '.join(get_args(TrackedMetric))}.")
    return cast(TrackedMetric, name)
