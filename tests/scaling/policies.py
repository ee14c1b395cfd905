"""Small policies and demands for the tests of this room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from capacity import Service
from capacity.scaling import Policy, ScheduledAction, ServicePolicy, TargetTracking

LABEL = "app/front/50dc6c495c0c9188/targetgroup/web/943f017f100becff"


def web(**changes: Any) -> Service:
    """50 requests/s a task, ready after two minutes."""
    fields: dict[str, Any] = {
        "name": "web",
        "cluster": "prod",
        "requests_per_second_per_task": 50,
        "startup_seconds": 120,
        "min_tasks": 2,
        "max_tasks": 40,
        "alb_resource_label": LABEL,
    }
    return Service(**(fields | changes))


def tracking(service: Service | None = None, **changes: Any) -> ServicePolicy:
    """Requests at 80 % of a task: 40 requests/s, 2400 a minute. The cooldown outlasts start-up and metric delay."""
    service = web() if service is None else service
    fields: dict[str, Any] = {
        "service": service,
        "min_tasks": service.min_tasks,
        "max_tasks": service.max_tasks,
        "tracking": TargetTracking("requests", target=2400.0, scale_out_cooldown=360, scale_in_cooldown=300),
    }
    return ServicePolicy(**(fields | changes))


def scheduled(service: Service | None = None) -> ServicePolicy:
    """12 tasks from 7:55 to 18:00 on weekdays, Paris time; 2 otherwise."""
    end = pd.Timestamp("2027-02-22", tz="UTC")
    up = ScheduledAction("capacity-web-up", "cron(55 7 ? * MON-FRI *)", 12, 40, "Europe/Paris", end=end)
    down = ScheduledAction("capacity-web-down", "cron(0 18 ? * MON-FRI *)", 2, 40, "Europe/Paris", end=end)
    back = ScheduledAction("capacity-web-back", "at(2027-02-22T00:10:00)", 2, 40)
    return tracking(service, schedule=(up, down, back))


def fleet(*policies: ServicePolicy) -> Policy:
    return Policy(policies)


def minutes(values: np.ndarray | list[float], start: str = "2026-06-01") -> pd.Series:
    """A series of one-minute values; the default start is a Monday."""
    index = pd.date_range(start, periods=len(values), freq="min", tz="UTC", unit="us")
    return pd.Series(np.asarray(values, dtype=float), index=index, name="web")
