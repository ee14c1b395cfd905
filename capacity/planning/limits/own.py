"""Limits of one service by itself: its maximum, the tasks that ECS runs of it, the tasks that Fargate starts of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.planning.limits.published import LAUNCHES_PER_MINUTE, NEAR, tasks_of_service
from capacity.planning.limits.weighed import Ceiling, Weighed, weighed


def service_limits(service: Service, counts: np.ndarray, times: pd.DatetimeIndex, level: float) -> list[Weighed]:
    """Its own maximum, and what AWS publishes for every service when that comes near.

    counts  (P, H) whole tasks each path needs after every headroom step, not clipped by today's maximum
    """
    found = (weighed(ceiling, paths, times, level) for ceiling, paths in _own(service, counts))
    return [one for one in found if one is not None]


def _own(service: Service, counts: np.ndarray) -> Iterator[tuple[Ceiling, np.ndarray]]:
    yield _of(service, "max_tasks", service.max_tasks, "tasks", f"the maximum of `{service.name}`", stated=True), counts
    most = tasks_of_service(service)
    if service.max_tasks != most:
        yield _of(service, "ecs_tasks_per_service", most, "tasks", f"what ECS runs of `{service.name}`"), counts
    if service.launch_type == "FARGATE" and counts.max() >= NEAR * LAUNCHES_PER_MINUTE:
        ceiling = _of(
            service,
            "service_launch_rate",
            LAUNCHES_PER_MINUTE,
            "tasks a minute",
            f"the rises of `{service.name}` over several minutes, or it over several services,",
            ask="Spread",
            how=f"Fargate starts {LAUNCHES_PER_MINUTE} tasks of one service in a minute, for everyone.",
            fixed=True,
        )
        yield ceiling, rises(np.maximum(counts, service.min_tasks))


def _of(
    service: Service,
    limit: str,
    value: float,
    unit: str,
    what: str,
    *,
    ask: str = "Raise",
    how: str = "",
    stated: bool = False,
    fixed: bool = False,
) -> Ceiling:
    owner, zone = service.owner, service.timezone
    return Ceiling(service.name, limit, value, unit, service.change_days, what, ask, how, owner, zone, stated, fixed)


def rises(tasks: np.ndarray) -> np.ndarray:
    """(P, H) tasks to start at the beginning of each interval; none are known to start in the first.

    >>> rises(np.array([[3, 5, 4, 9]])).tolist()
    [[0, 2, 0, 5]]
    """
    more = np.zeros_like(tasks)
    np.maximum(tasks[:, 1:] - tasks[:, :-1], 0, out=more[:, 1:])
    return more
