"""The picture of a what-if: a bar a scenario, tasks beside money."""

from __future__ import annotations

from typing import Final

import pandas as pd

from capacity import charts, drawing

#: Pixels of each of the two charts, names included.
WIDTH: Final = 460


@charts.Drawer
def side_by_side(rows: pd.DataFrame, service: str) -> drawing.Spec:
    """Two charts of rows of `schema.WHAT_IF` of one service, in their order: tasks that hold, and USD a month."""
    panels = {
        "tasks that hold": ("tasks", ("tasks", "tasks_low", "tasks_high")),
        "cost": ("USD a month", ("usd_per_month", "usd_p5", "usd_p95")),
    }
    specs = []
    for title, (unit, columns) in panels.items():
        value, low, high = (rows[column].to_numpy(dtype=float) for column in columns)
        heading = f"{drawing.short(service)}: {title}"
        words = f"{unit}; lines: 5 % to 95 % of the futures"
        names = rows["scenario"].tolist()
        specs.append(
            charts.bars.spec(names, value, words, heading, low=low, high=high, width=WIDTH, unknown="no price")
        )
    return drawing.beside(specs)
