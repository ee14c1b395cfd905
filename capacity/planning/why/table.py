"""The whole explanation of one count as a table: steps, options, turning points, sensitivities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from capacity.planning.why.moment import Moment
from capacity.planning.why.turning import Turn

#: Columns of `Plan.why`, with their types.
COLUMNS: Final = {
    "service": "object",
    "timestamp": "datetime64[us, UTC]",
    "part": "object",
    "item": "object",
    "value": "float64",
    "unit": "object",
    "tasks": "float64",
    "more_tasks": "float64",
    "chance": "float64",
    "why": "object",
}


def table(about: Moment, steps: Sequence[tuple[str, int, str]], found: Sequence[Turn]) -> pd.DataFrame:
    """A row a step (in the order of the ladder), option and turning point.

    part        step, option or turn
    value       how much of the item, in `unit`: of a turn the smallest change that moves the count
    tasks       the count then; NaN where it stays
    more_tasks  than every headroom step asks for today
    chance      of options: that these tasks do not hold the interval
    why         the same in words
    """
    rows: list[dict[str, Any]] = [
        {"part": "step", "item": step, "value": float(tasks), "unit": "tasks", "tasks": tasks, "why": why}
        for step, tasks, why in steps
    ]
    rows += [
        {"part": one.part, "item": one.item, "value": one.value, "unit": one.unit, "tasks": one.tasks, "why": one.words}
        | {"chance": one.chance}
        for one in found
    ]
    frame = pd.DataFrame(rows).assign(service=about.service.name, timestamp=about.peak.moment)
    frame["more_tasks"] = frame["tasks"].astype(float) - about.wanted
    return frame.reindex(columns=list(COLUMNS)).astype(COLUMNS)
