"""How much each input moves the count and the cost: measured by planning the interval again, not by a formula."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.planning.steps import Survives
from capacity.planning.why.moment import Moment
from capacity.planning.why.turning import LEVELS

#: Columns of the table.
COLUMNS: Final = (
    *("input", "unit", "today", "low", "high", "tasks_low", "tasks", "tasks_high", "tasks_elasticity"),
    *("usd_low", "usd", "usd_high", "usd_elasticity"),
)

#: How far an input is moved to either side: a tenth, about what a quarter changes.
STEP: Final = 0.1


def sensitivity(about: Moment) -> pd.DataFrame:
    """A row an input: the count of one interval and the month's cost with the input low and high.

    load               times 0.9 and 1.1
    capacity per task  times 0.9 and 1.1: what a full task carries of everything
    start-up           half of today's seconds, and today's
    zones              today's and one more
    level              the next lower and higher of 50, 75, 90, 95, 99, 99.9 %

    tasks        of the interval, with every headroom and not clipped by the maximum
    usd          of the whole horizon a month, mean of the paths, tasks following load: start-up and level, which are
                 about what to keep ready, do not move it
    elasticity   percent that tasks (or USD) move by for each percent of the input: ln(high/low) over ln(high/low).
                 NaN for a level, and where a count is 0. Counts are whole, so a small service moves in jumps
    """
    rows = [_row("load", "times", 1.0, 1 - STEP, 1 + STEP, *_of_load(about, lambda value: value))]
    rows.append(_row("capacity per task", "times", 1.0, 1 - STEP, 1 + STEP, *_of_load(about, lambda value: 1 / value)))
    rows += _startup(about)
    rows += _zones(about)
    rows += _level(about)
    return pd.DataFrame(rows, columns=list(COLUMNS)).assign(tasks=about.wanted, usd=about.usd_per_month())


def _of_load(about: Moment, load: Any) -> tuple[tuple[int, int], tuple[float, float]]:
    low, high = load(1 - STEP), load(1 + STEP)
    return (about.tasks_at(low), about.tasks_at(high)), (about.usd_per_month(low), about.usd_per_month(high))


def _startup(about: Moment) -> list[dict[str, Any]]:
    seconds = about.service.startup_seconds
    if seconds <= 0:
        return []
    faster = about.tasks_with(about.service.model_copy(update={"startup_seconds": seconds / 2}))
    usd = about.usd_per_month()
    return [_row("start-up", "seconds", seconds, seconds / 2, seconds, (faster, about.wanted), (usd, usd))]


def _zones(about: Moment) -> list[dict[str, Any]]:
    zones = about.service.zones
    if not Survives.of(about.service, about.goal).zone_loss or zones >= 6:
        return []
    wider: Service = about.service.model_copy(update={"zones": zones + 1})
    usd = about.usd_per_month(), about.usd_per_month(service=wider)
    return [_row("zones", "zones", zones, zones, zones + 1, (about.wanted, about.tasks_with(wider)), usd)]


def _level(about: Moment) -> list[dict[str, Any]]:
    today = about.goal.level
    low = max((level for level in LEVELS if level < today - 1e-9), default=today)
    high = min((level for level in LEVELS if level > today + 1e-9), default=today)
    tasks = tuple(about.tasks_with(goal=about.goal.model_copy(update={"level": level})) for level in (low, high))
    usd = about.usd_per_month()
    row = _row("level", "probability", today, low, high, (tasks[0], tasks[1]), (usd, usd))
    return [row | {"tasks_elasticity": math.nan, "usd_elasticity": math.nan}]


def _row(
    name: str, unit: str, today: float, low: float, high: float, tasks: tuple[int, int], usd: tuple[float, float]
) -> dict[str, Any]:
    row: dict[str, Any] = {"input": name, "unit": unit, "today": today, "low": low, "high": high}
    for what, ends in (("tasks", tasks), ("usd", usd)):
        row |= {f"{what}_low": float(ends[0]), f"{what}_high": float(ends[1])}
        row[f"{what}_elasticity"] = elasticity((low, high), ends)
    return row


def elasticity(inputs: tuple[float, float], outputs: tuple[float, float]) -> float:
    """Percent that an output moves by for each percent of the input, between two points; NaN where one is 0.

    >>> elasticity((0.9, 1.1), (18, 22)), elasticity((100, 200), (10, 10))
    (1.0, 0.0)
    """
    ends = np.array([inputs, outputs], dtype=float)
    if not (np.isfinite(ends).all() and (ends > 0).all() and ends[0, 0] != ends[0, 1]):
        return math.nan
    moved = np.log(ends[:, 1] / ends[:, 0])
    return float(round(moved[1] / moved[0], 6)) + 0.0
