"""From loads that may come to scheduled minimums: what each level is worth, the cheapest week, its actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.scaling.clocks import DOCUMENTED
from capacity.scaling.load import carried
from capacity.scaling.policy import ServicePolicy
from capacity.scaling.replay import NOISE, Replay
from capacity.scaling.schedule import DAY, Change, allowed_bins, changes_of, lead_minutes, places
from capacity.scaling.search.kinds import PATTERNS, Kind
from capacity.scaling.search.levels import cheapest
from capacity.scaling.search.worth import Worth, worth
from capacity.sources.base import Span

#: Levels that a minimum may take, spread evenly by ratio.
LEVELS: Final = 32

#: A change must save this share of a day's task-hours, or it is left out.
WORTH_A_CHANGE: Final = 0.005


@dataclass(frozen=True, eq=False)
class Compiler:
    """Loads of weeks that may come, ready to be compiled for any kind.

    times     (n,) minutes, UTC
    loads     (R, n) in the metric's unit; NaN where not known
    kept      load of a task that keeps the promise, in the metric's unit
    size      minutes a bin
    policies  kind.tracked -> the policy of tracking alone
    """

    times: pd.DatetimeIndex
    loads: np.ndarray
    kept: float
    size: int
    policies: Mapping[tuple[float, int], ServicePolicy]

    def worths(self) -> Callable[[Kind], Worth]:
        """What levels are worth under each kind's tracking, its days pooled; each computed once."""
        need = np.ceil(self.loads / self.kept - NOISE)
        base = next(iter(self.policies.values()))
        place = places(self.times, base.service.timezone, self.size)
        levels = _levels(need, base.min_tasks, base.max_tasks)

        @cache
        def each_day(tracked: tuple[float, int]) -> Worth:
            serving = alone(self.policies[tracked], self.times, self.loads)
            return worth(serving, need, place, 7, DAY // self.size, levels)

        @cache
        def pooled(tracked: tuple[float, int], pattern: str) -> Worth:
            return each_day(tracked).pooled(PATTERNS[pattern])

        return lambda kind: pooled(kind.tracked, kind.pattern)


def changes(kind: Kind, value: Worth, service: Service, size: int, span: Span) -> tuple[Change, ...]:
    """The scheduled changes of one kind, for a span in which they shall be in force.

    value  of the days of its pattern
    size   minutes a bin
    """
    lead = lead_minutes(service.startup_seconds)
    daily = value.usual * (DAY // size)
    allowed = allowed_bins(service.timezone, lead, span.start, span.end, size)
    held = cheapest(value.cost(kind.price), allowed, WORTH_A_CHANGE * daily)
    return changes_of(value.levels[held], PATTERNS[kind.pattern])


def alone(policy: ServicePolicy, times: pd.DatetimeIndex, loads: np.ndarray) -> np.ndarray:
    """(R, n) tasks that serve when the policy's target is tracked, on each row of loads."""
    limits = tuple(np.full(len(times), bound, dtype=np.int64) for bound in (policy.min_tasks, policy.max_tasks))
    runs = (Replay.of(policy, times, row, DOCUMENTED, (limits[0], limits[1])) for row in loads)
    return np.stack([run.running for run in runs])


def kept_load(policy: ServicePolicy, kept: float) -> float:
    """Load of a task that keeps the promise: that share of a full one."""
    return carried(policy).full * kept


def _levels(need: np.ndarray, floor: int, most: int) -> np.ndarray:
    """(M,) tasks, ascending, from the floor to what nearly all minutes need."""
    known = need[np.isfinite(need)]
    top = int(min(max(np.quantile(known, 0.9999) if len(known) else floor, floor + 1), max(most, floor + 1)))
    return np.unique(np.round(np.geomspace(max(floor, 1), top, LEVELS)).astype(np.int64).clip(floor, None))
