"""`Policy`: how services scale, as values. `render.py` makes documents of them, `simulate.py` replays them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from capacity.config import Service

TrackedMetric = Literal["cpu", "memory", "requests"]


@dataclass(frozen=True)
class TargetTracking:
    """Keep a metric at a value. `cpu`, `memory`: percent of reserved; `requests`: per task and minute.

    Cooldowns default to 300 s in ECS (botocore, PutScalingPolicy); ours are stated, never left to a default.
    """

    metric: TrackedMetric
    target: float
    scale_out_cooldown: int = 60  # seconds
    scale_in_cooldown: int = 300  # seconds
    disable_scale_in: bool = False


@dataclass(frozen=True)
class ScheduledAction:
    """From this moment on, these bounds. Nothing reverts by itself: each up has its down.

    schedule  "cron(30 7 ? * MON-FRI *)" or "at(2026-12-24T08:00:00)", in `timezone`
    """

    name: str
    schedule: str
    min_tasks: int
    max_tasks: int
    timezone: str = "UTC"
    start: pd.Timestamp | None = None
    end: pd.Timestamp | None = None


@dataclass(frozen=True, eq=False)
class ServicePolicy:
    """The scaling of one service, with how it did in rehearsal beside what stands today."""

    service: Service
    min_tasks: int
    max_tasks: int
    tracking: TargetTracking
    schedule: tuple[ScheduledAction, ...] = ()
    reasons: tuple[str, ...] = ()
    rehearsal: pd.DataFrame | None = None  # one row a candidate: today's, tracking alone, the recommended ...
    per_task: float | None = None  # load one task carries at 100 %: requests/s, vCPU or GiB, as `tracking.metric`


@dataclass(frozen=True, eq=False)
class Policy:
    """The scaling of one service or of a fleet."""

    services: tuple[ServicePolicy, ...]

    def __getitem__(self, name: str) -> ServicePolicy:
        for policy in self.services:
            if policy.service.name == name:
                return policy
        raise KeyError(name)
