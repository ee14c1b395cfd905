"""When limits are reached, with what probability: the first passage of each path, never of a quantile curve."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.schema import LIMITS

#: Share of paths past a limit at which it counts as reached: `schema.LIMITS.first`.
EARLY: Final = 0.05

#: Share of paths from which on a limit is to be raised; between `EARLY` and this it is to be watched.
LIKELY: Final = 0.5


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

    @property
    def whole(self) -> Passage:
        """The same of things that are counted: `needed` rounded up."""
        return replace(self, needed=math.ceil(self.needed))


def first_passages(paths: np.ndarray, limit: float) -> np.ndarray:
    """(P,) the interval in which each of (P, H) paths first is above the limit; H for those that never are.

    >>> first_passages(np.array([[1, 2, 9], [1, 5, 1], [1, 2, 2]]), limit=4).tolist()
    [2, 1, 3]
    """
    past = paths > limit
    return np.where(past.any(axis=1), past.argmax(axis=1), paths.shape[1])


def passage(paths: np.ndarray, limit: float, level: float) -> Passage:
    """First passage of (P, H) paths over a limit. At the limit is not past it.

    A higher limit is passed by no more paths, and no earlier.

    >>> passage(np.array([[1, 2, 9], [1, 5, 1], [1, 2, 2], [1, 1, 2]]), limit=4, level=0.5)
    Passage(probability=0.5, first=1, median=2, needed=3.5)
    """
    return passage_of(first_passages(paths, limit), paths, level)


def passage_of(passed: np.ndarray, paths: np.ndarray, level: float) -> Passage:
    """The same, from the paths' `first_passages`."""
    at = np.sort(passed[passed < paths.shape[1]])
    return Passage(
        probability=float(len(at) / len(passed)),
        first=_when(at, EARLY, len(passed)),
        median=_when(at, 0.5, len(passed)),
        needed=float(np.quantile(paths.max(axis=1), level)),
    )


def _when(at: np.ndarray, share: float, count: int) -> int | None:
    """The interval by which `share` of `count` paths have passed; `at` holds the sorted intervals of those that do."""
    rank = max(math.ceil(share * count - 1e-9), 1)
    return int(at[rank - 1]) if len(at) >= rank else None


def limit_row(
    name: str, limit: str, value: float, unit: str, found: Passage, times: pd.DatetimeIndex, change_days: int
) -> dict[str, Any]:
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


def limits_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The rows as `schema.LIMITS`, with its types even when there are none."""
    frame = pd.DataFrame(rows, columns=LIMITS.names)
    for column in LIMITS.columns:
        if column.type.startswith("datetime64"):
            frame[column.name] = pd.to_datetime(frame[column.name], utc=True).astype("datetime64[us, UTC]")
        elif column.type == "float64":
            frame[column.name] = frame[column.name].astype("float64")
    return frame
