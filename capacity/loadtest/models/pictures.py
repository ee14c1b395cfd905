"""Points and curves over concurrency or load, drawn with the marks of every other picture of the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from capacity import drawing
from capacity.charts import HEIGHT, WIDTH, Drawer
from capacity.drawing import LIGHT, SERIES

Curve = tuple[np.ndarray, np.ndarray]


@Drawer
def scatter(
    x: pd.Series | np.ndarray,
    y: pd.Series | np.ndarray,
    curves: Mapping[str, Curve],
    *,
    across: str,
    unit: str,
    title: str = "",
    band: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    limit: tuple[str, float] | None = None,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> drawing.Spec:
    """Measured points with curves: label -> (x, y). `across` names the x axis, `unit` the y axis.

    band   (x, low, high), shaded      limit  a line across with its name; NaN leaves gaps
    """
    measured = np.asarray(y, dtype=float)
    heights = [measured, *(values for _, values in curves.values()), *([band[2]] if band else [])]
    heights += [np.array([limit[1]])] if limit else []
    lowest = min(0.0, float(np.nanmin(measured)) * 1.1) if len(measured) else 0.0
    axis = drawing.value_axis(heights, height)
    axis["scale"]["domain"] = [lowest, axis["scale"]["domain"][1]]
    last = max([float(np.nanmax(np.asarray(x, dtype=float))), *(float(at.max()) for at, _ in curves.values())])
    words = {"title": across, "titleFontWeight": 400, "titleFontSize": 11, "titlePadding": 6, "tickCount": 8}
    sideways = {"type": "quantitative", "scale": {"domain": [0, last * 1.02], "nice": False}, "axis": words}
    upwards = {"type": "quantitative", "title": None, **axis}
    where: dict[str, Any] = {"x": {"field": "x", **sideways}, "y": {"field": "y", **upwards}}
    layers: list[drawing.Spec] = []
    if band is not None and np.isfinite(band[1]).any():
        area = {"type": "area", "color": LIGHT["band-2"], "opacity": 1}
        layers.append(drawing.mark(_rows(x=band[0], y=band[2], y2=band[1]), area, **where, y2={"field": "y2"}))
    scale = {"domain": list(curves), "range": [SERIES[number % len(SERIES)] for number in range(len(curves))]}
    key = {"title": None, "orient": "top", "symbolType": "stroke"} if len(curves) > 1 else None
    colour = {"field": "curve", "type": "nominal", "scale": scale, "legend": key}
    for label, (at, values) in curves.items():
        rows = [{**row, "curve": label} for row in _rows(x=at, y=values)]
        layers.append(drawing.mark(rows, {"type": "line", "strokeWidth": 1.6}, **where, color=colour))
    dots = {"type": "point", "filled": True, "size": 36, "opacity": 1, "color": LIGHT["past"]}
    layers.append(drawing.mark(_rows(x=np.asarray(x, dtype=float), y=measured), dots, **where))
    if limit is not None:
        rule = {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.2, "color": LIGHT["limit"]}
        text = {"type": "text", "align": "left", "baseline": "bottom", "dx": 6, "dy": -3, "color": LIGHT["limit"]}
        level = {"datum": limit[1], **upwards}
        layers.append(drawing.mark([{}], rule, y=level))
        layers.append(drawing.mark([{}], text | {"text": drawing.short(limit[0])}, x={"value": 0}, y=level))
    size = {"width": width - drawing.AXIS - 20, "height": height}
    return drawing.built({"layer": layers, **size, **drawing.heading(title, unit)}, width)


def _rows(**columns: np.ndarray) -> list[dict[str, float | None]]:
    """Rows of named numbers; NaN is None."""
    named = {name: drawing.numbers(values) for name, values in columns.items()}
    return [dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)]
