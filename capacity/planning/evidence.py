"""All that is known about one service when decisions are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from capacity.config import Goal, Rate, Service
from capacity.planning.cost import following_hours
from capacity.planning.limits.weighed import Weighed
from capacity.planning.memory import MemoryPerTask, taken_together
from capacity.planning.peaks import Peak
from capacity.planning.plans import Decision
from capacity.planning.prices import HOURS_PER_MONTH, usd_per_hour
from capacity.planning.steps import Steps
from capacity.planning.words import spoken_date


@dataclass(frozen=True, eq=False)
class Evidence:
    """P paths, H intervals; computed once, read by every rule in `decisions.py`."""

    service: Service
    goal: Goal
    rate: Rate | None
    times: pd.DatetimeIndex  # (H,)
    interval_hours: float
    need: np.ndarray  # (P, H) fractional tasks at the service's targets
    tracked: np.ndarray  # (P, H) fractional tasks at the target a policy tracks, which leaves room to lose a zone
    counts: np.ndarray  # (P, H) whole tasks after every headroom step
    requests: np.ndarray | None  # (P, H) requests/s inside each interval, where forecast
    need_at: np.ndarray  # (H,) fractional tasks at the goal's level
    steps: Steps  # (H,) each: the plan's own counts, at the goal's level
    load_bound_by: np.ndarray  # (H,) which resource asks for most
    weighed: dict[str, Weighed]  # limit -> what the paths use of it
    capped: float  # share of the last week's intervals in which demand was censored
    peak: Peak  # the interval of most tasks, to plan again with something changed
    measured_memory: MemoryPerTask | None  # of one task, lately; None where more tasks relieve it
    full_memory: MemoryPerTask | None  # of a full task, by its capacity
    failed: bool  # its data failed the quality gate

    @property
    def limits(self) -> dict[str, dict[str, Any]]:
        """Limit -> its row of `schema.LIMITS`."""
        return {limit: found.row for limit, found in self.weighed.items()}

    @property
    def memory(self) -> MemoryPerTask | None:
        """What a full task takes, by all that is known."""
        return taken_together(self.measured_memory, self.full_memory)

    @property
    def end(self) -> str:
        """The last day of the horizon, in words: the same for every service, so in UTC."""
        return spoken_date(self.times[-1])

    def monthly(self, task_hours: float) -> float | None:
        """Task-hours over the horizon as USD a month; None without a price."""
        if self.rate is None:
            return None
        return task_hours * usd_per_hour(self.service, self.rate) * HOURS_PER_MONTH / self.horizon_hours

    @property
    def horizon_hours(self) -> float:
        return len(self.times) * self.interval_hours

    def following(self, least: int, most: int) -> float:
        """Mean task-hours when tasks follow the load at the tracked target, between these bounds."""
        return float(following_hours(self.tracked, least, most, self.interval_hours).mean())

    def decision(self, **fields: Any) -> Decision:
        """A decision about the service; one that rests on data that failed a check says so."""
        doubt = " Made from data that failed a check." if self.failed else ""
        because = f"{fields.pop('because')}{doubt}"
        return Decision(service=self.service.name, owner=self.service.owner, because=because, **fields)
