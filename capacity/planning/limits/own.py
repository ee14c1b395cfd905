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
    speaks = {"change_days": service.change_days, "owner": service.owner, "timezone": service.timezone}
    yield Ceiling(service.name, "max_tasks", service.max_tasks, "tasks", what="its maximum", **speaks), counts
    most = tasks_of_service(service)
    if service.max_tasks != most:
        what = f"the tasks that ECS runs of `{service.name}`"
        yield Ceiling(service.name, "ecs_tasks_per_service", most, "tasks", what=what, stated=False, **speaks), counts
    if service.launch_type == "FARGATE" and counts.max() >= NEAR * LAUNCHES_PER_MINUTE:
        yield (
            Ceiling(
                service.name,
                "service_launch_rate",
                LAUNCHES_PER_MINUTE,
                "tasks a minute",
                what=f"one rise of `{service.name}`",
                ask="Spread the rises, or the load over several services:",
                how="Fargate starts 500 tasks of one service in a minute; that is not adjustable.",
                stated=False,
                **speaks,
            ),
            rises(np.maximum(counts, service.min_tasks)),
        )


def rises(tasks: np.ndarray) -> np.ndarray:
    """(P, H) tasks to start at the beginning of each interval; none are known to start in the first.

    >>> rises(np.array([[3, 5, 4, 9]])).tolist()
    [[0, 2, 0, 5]]
    """
    more = np.zeros_like(tasks)
    np.maximum(tasks[:, 1:] - tasks[:, :-1], 0, out=more[:, 1:])
    return more
