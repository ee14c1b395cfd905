"""The picture of a what-if: what the origin needs, by hit ratio."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from capacity import drawing
from capacity.charts import HEIGHT, WIDTH, Drawer
from capacity.drawing import LIGHT

#: Columns of the band of each column that is drawn.
_BANDS: Final = {"tasks": ("tasks_low", "tasks_high"), "origin_per_s": ("origin_low", "origin_high")}


@Drawer
def curve(
    frame: pd.DataFrame, column: str, *, unit: str, today: float, limit: float, width: int = WIDTH, height: int = HEIGHT
) -> drawing.Spec:
    """A line over hit ratios from 0 to 1 with its band, a rule at today's ratio, and one at the limit where known."""
    low, high = _BANDS[column]
    columns = [drawing.numbers(frame[name].to_numpy(dtype=float)) for name in ("hit_ratio", column, low, high)]
    rows: list[dict[str, Any]] = [
        dict(zip(("x", "y", "lo", "hi"), row, strict=True)) for row in zip(*columns, strict=True)
    ]
    known = [np.array([limit])] if np.isfinite(limit) else []
    y = {"type": "quantitative", **drawing.value_axis([frame[high].to_numpy(dtype=float), *known], height)}
    x = {"type": "quantitative", "scale": {"domain": [0, 1]}}
    x["axis"] = {"title": "hit ratio", "labelExpr": "format(100 * datum.value, '.0f') + ' %'"}
    across = {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.2}
    text = {"type": "text", "align": "left", "baseline": "middle", "dx": 6}
    layers = [
        drawing.mark(
            rows,
            {"type": "area", "color": LIGHT["band-2"]},
            x={"field": "x", **x},
            y={"field": "lo", **y},
            y2={"field": "hi"},
        ),
        drawing.mark(rows, {"type": "line", "color": LIGHT["series-1"]}, x={"field": "x", **x}, y={"field": "y", **y}),
        drawing.mark([{}], across | {"color": LIGHT["muted"]}, x={"datum": today, **x}),
        drawing.mark(
            [{}],
            text | {"text": "today", "baseline": "top", "color": LIGHT["muted"]},
            x={"datum": today, **x},
            y={"value": 0},
        ),
    ]
    if known:
        red = {"color": LIGHT["limit"]}
        layers += [
            drawing.mark([{}], across | red, y={"datum": limit, **y}),
            drawing.mark([{}], text | red | {"text": "limit"}, x={"value": "width"}, y={"datum": limit, **y}),
        ]
    size = {"width": width - drawing.AXIS - 80, "height": height}
    return drawing.built({"layer": layers, **size, **drawing.heading("At the peak", unit)}, width)
