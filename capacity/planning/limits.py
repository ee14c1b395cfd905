"""When limits are reached, with what probability: the first passage of each path, never of a quantile curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.schema import LIMITS

#: Share of paths past a limit at which it counts as reached: `schema.LIMITS.first`.
EARLY: Final = 0.05

#: Share of paths from which on a limit is to be raised; between `EARLY` and this it is to be watched.
LIKELY: Final = 0.5

#: Tasks in one service (reference aws.md 4.3, quota L-92E49DE3).
ECS_TASKS_PER_SERVICE: Final = 5000

#: Share of ECS's own limit from which it is worth a row.
NEAR: Final = 0.8


@dataclass(frozen=True)
class Passage:
    """When paths pass a limit. Times are indices of intervals, None when too few paths pass.

    probability  share of paths that pass within the horizon
    first        when 5 % of the paths have passed
    median       when half of the paths have passed
    needed       what would hold in every interval of the horizon, at the goal's level
    """

    probability: float
    first: int | None
    median: int | None
    needed: float


def passage(paths: np.ndarray, limit: float, level: float) -> Passage:
    """First passage of (P, H) paths over a limit. At the limit is not past it.

    A higher limit is passed by no more paths, and no earlier.

    >>> passage(np.array([[1, 2, 9], [1, 5, 1], [1, 2, 2], [1, 1, 2]]), limit=4, level=0.5)
    Passage(probability=0.5, first=1, median=2, needed=3.5)
    """
    past = paths > limit
    passes = past.any(axis=1)
    at = np.sort(past.argmax(axis=1)[passes])
    return Passage(
        probability=float(passes.mean()),
        first=_when(at, EARLY, len(paths)),
        median=_when(at, 0.5, len(paths)),
        needed=float(np.quantile(paths.max(axis=1), level)),
    )


def _when(at: np.ndarray, share: float, count: int) -> int | None:
    """The interval by which `share` of `count` paths have passed; `at` holds the sorted intervals of those that do."""
    rank = max(math.ceil(share * count - 1e-9), 1)
    return int(at[rank - 1]) if len(at) >= rank else None


def limit_row(
    name: str, limit: str, value: float, unit: str, found: Passage, times: pd.DatetimeIndex, change_days: int
) -> dict[str, object]:
    """One row of `schema.LIMITS`. `act_by` is never before the forecast begins: what is overdue is due now."""
    first = pd.NaT if found.first is None else times[found.first]
    act_by = pd.NaT if found.first is None else max(first - pd.Timedelta(days=change_days), times[0])
    return {
        "service": name,
        "limit": limit,
        "value": float(value),
        "unit": unit,
        "probability": found.probability,
        "first": first,
        "median": pd.NaT if found.median is None else times[found.median],
        "needed": found.needed,
        "act_by": act_by,
    }


def service_limits(
    service: Service, counts: np.ndarray, times: pd.DatetimeIndex, level: float
) -> list[dict[str, object]]:
    """Rows for one service: its own maximum, and ECS's 5,000 tasks when they come near.

    counts  (P, H) whole tasks each path needs after every headroom step, not clipped by today's maximum
    """
    found = passage(counts, service.max_tasks, level)
    found = Passage(found.probability, found.first, found.median, math.ceil(found.needed))
    rows = [limit_row(service.name, "max_tasks", service.max_tasks, "tasks", found, times, service.change_days)]
    if service.max_tasks != ECS_TASKS_PER_SERVICE and found.needed >= NEAR * ECS_TASKS_PER_SERVICE:
        whole = passage(counts, ECS_TASKS_PER_SERVICE, level)
        whole = Passage(whole.probability, whole.first, whole.median, found.needed)
        value = ECS_TASKS_PER_SERVICE
        rows.append(limit_row(service.name, "ecs_tasks_per_service", value, "tasks", whole, times, service.change_days))
    return rows


def limits_frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    """The rows as `schema.LIMITS`, with its types even when there are none."""
    frame = pd.DataFrame(rows, columns=LIMITS.names)
    for column in LIMITS.columns:
        if column.type.startswith("datetime64"):
            frame[column.name] = pd.to_datetime(frame[column.name], utc=True).astype("datetime64[us, UTC]")
        elif column.type == "float64":
            frame[column.name] = frame[column.name].astype("float64")
    return frame
