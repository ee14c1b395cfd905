"""Pictures: pure functions of arrays that give an Altair chart, and `to_svg`, the one way a chart becomes SVG.

    lines        several series over time               steps        whole tasks over time
    fan          a past and its possible futures        probability  how likely, by when
    bars         amounts with their intervals

Every noun's `.plot()` and every page of a report is drawn here, so that they look alike. Stamps are shown in UTC. NaN
is a gap in the line, never a zero and never bridged. Values start at zero. Colours are roles (`drawing.LIGHT`): a chart
in a notebook is drawn in them, and `to_svg` swaps each for its dark twin or for a CSS variable of the page around it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from typing import Any, Final, Generic, ParamSpec

import numpy as np
import pandas as pd

from capacity import drawing
from capacity.drawing import DASHES, LIGHT, SERIES, drawn, themed, to_svg
from capacity.errors import InputError

__all__ = ["BANDS", "bars", "drawn", "fan", "lines", "probability", "steps", "themed", "to_svg"]

Limits = float | Mapping[str, float] | None
Values = Sequence[float] | np.ndarray

#: Bands of a fan, narrowest first, and the quantile levels that bound them.
BANDS: Final = {"50 % of futures": (0.25, 0.75), "90 %": (0.05, 0.95), "98 %": (0.01, 0.99)}

P = ParamSpec("P")


class Drawer(Generic[P]):
    """A function that gives an Altair chart; its `spec` gives the same picture as a Vega-Lite document, without Altair.

    A notebook wants the chart. A report of a hundred pictures wants SVG, for which Altair would only copy the document.
    """

    def __init__(self, spec: Callable[P, drawing.Spec]) -> None:
        self.spec = spec
        update_wrapper(self, spec)

    def __call__(self, *args: P.args, **settings: P.kwargs) -> Any:
        return drawing.chart_of(self.spec(*args, **settings))


WIDTH: Final = 840  # pixels of the whole picture
HEIGHT: Final = 220


@Drawer
def lines(
    times: pd.DatetimeIndex,
    series: Mapping[str, Values],
    unit: str,
    title: str = "",
    limit: Limits = None,
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> drawing.Spec:
    """One line a series: label -> (n,) values in `unit`. `limit` is a level across, or several with their names."""
    return _over_time(times, series, unit, title, limit, width, height)


@Drawer
def steps(
    times: pd.DatetimeIndex,
    series: Mapping[str, Values],
    unit: str = "tasks",
    title: str = "",
    limit: Limits = None,
    *,
    proposed: Limits = None,
    roles: Mapping[str, str] | None = None,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> drawing.Spec:
    """As `lines`, for counts that hold for an interval and then jump; the last interval is drawn to its end.

    proposed  levels across as `limit` is, drawn as what is advised beside what is in force
    roles     label -> role of its colour (`past`, `series-1`, `muted` ...), where the order does not say enough
    """
    if len(times) > 1:
        series = {label: np.append(values, values[-1]) for label, values in series.items()}
        times = times.append(times[-1:] + (times[-1] - times[-2]))
    named = _limits(proposed)
    return _over_time(times, series, unit, title, limit, width, height, None, named, roles, interpolate="step-after")


@Drawer
def fan(
    past_times: pd.DatetimeIndex,
    past_values: Values,
    times: pd.DatetimeIndex,
    quantiles: Mapping[float, Values],
    unit: str,
    title: str = "",
    limit: Limits = None,
    *,
    envelope: tuple[Values, Values] | None = None,
    past_label: str = "measured",
    envelope_label: str = "lowest to highest",
    key: bool = True,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> drawing.Spec:
    """What was, then what may come: the median, and those of `BANDS` whose levels are in `quantiles`.

    past_values  (n,) in `unit`; NaN is a gap        quantiles  level -> (H,) in `unit`; nothing below 0 is drawn
    envelope     (n,) lowest and (n,) highest of each past interval, when the past is drawn coarser than measured
    """
    future = {round(float(level), 6): np.maximum(values, 0) for level, values in quantiles.items()}
    layers: list[drawing.Spec] = []
    colours: dict[str, str] = {}
    if envelope is not None:
        layers.append(drawing.area(past_times, np.asarray(envelope[0]), np.asarray(envelope[1]), envelope_label))
        colours[envelope_label] = LIGHT["envelope"]
    bands = [(label, *levels) for label, levels in BANDS.items() if set(levels) <= set(future)]
    layers += [drawing.area(times, future[low], future[high], label) for label, low, high in reversed(bands)]
    if len(past_times):
        layers += drawing.line(past_times, np.asarray(past_values, dtype=float), past_label, strokeWidth=1.2)
        colours[past_label] = LIGHT["past"]
    if 0.5 in future:
        layers += drawing.line(times, future[0.5], "median forecast")
        colours["median forecast"] = LIGHT["series-1"]
    colours |= {label: LIGHT[f"band-{list(BANDS).index(label) + 1}"] for label, _, _ in bands}
    limits = _limits(limit)
    values = [past_values, *future.values(), *(envelope or ()), [*limits.values()]]
    y = drawing.value_axis([np.asarray(group, dtype=float) for group in values], height)
    span = _span(past_times, times)
    return drawing.over_time(layers, colours, span, y, limits, drawing.heading(title, unit), (width, height), key=key)


@Drawer
def probability(
    times: pd.DatetimeIndex, series: Mapping[str, Values], title: str = "", *, width: int = WIDTH, height: int = 120
) -> drawing.Spec:
    """How likely something has happened by each time: label -> (n,) from 0 to 1."""
    percent = "format(100 * datum.value, '.0f') + ' %'"
    y = {"scale": {"domain": [0, 1]}, "axis": {"labelExpr": percent, "values": [0, 0.25, 0.5, 0.75, 1]}}
    return _over_time(times, series, "probability", title, None, width, height, y, interpolate="step-after")


@Drawer
def bars(
    labels: Sequence[str],
    values: Values,
    unit: str,
    title: str = "",
    *,
    low: Values | None = None,
    high: Values | None = None,
    unknown: str = "unknown",
    width: int = WIDTH,
) -> drawing.Spec:
    """One horizontal bar a label, in the order given, with an interval from `low` to `high` where both are known.

    A NaN has no bar: the word `unknown` stands in its place.
    """
    nothing = [np.nan] * len(labels)
    columns = [
        drawing.numbers(group) for group in (values, nothing if low is None else low, nothing if high is None else high)
    ]
    rows = [{"n": n, "v": v, "lo": lo, "hi": hi} for n, (v, lo, hi) in enumerate(zip(*columns, strict=True))]
    known = [row for row in rows if row["v"] is not None]
    ranged = [row for row in known if row["lo"] is not None and row["hi"] is not None]
    missing = [row for row in rows if row["v"] is None]
    top = drawing.top_of([np.array([row[name] or 0.0 for row in rows], dtype=float) for name in ("v", "hi")])
    names = drawing.literal([drawing.short(label) for label in labels])
    y = {"field": "n", "type": "ordinal", "scale": {"domain": [row["n"] for row in rows]}}
    y["axis"] = {
        "title": None,
        "labelExpr": f"{names}[datum.value]",
        "labelLimit": 132,
        "labelFontSize": 12,
        "minExtent": 164,
    }
    x = {"type": "quantitative", "scale": {"domain": [0, top], "nice": False}}
    x["axis"] = {"title": None, "format": drawing.number_format(top), "tickCount": 5, "grid": True, "domain": False}
    bar, rule = {"type": "bar", "height": 13, "color": LIGHT["band-1"]}, {"type": "rule", "color": LIGHT["series-1"]}
    tick = {"type": "tick", "color": LIGHT["series-1"], "thickness": 2, "size": 13}
    text = {"type": "text", "text": unknown, "align": "left", "dx": 4, "color": LIGHT["muted"]}
    layers = [
        drawing.mark(known, bar, x={"field": "v", **x}, y=y),
        drawing.mark(ranged, rule | {"strokeWidth": 1.5}, x={"field": "lo", **x}, x2={"field": "hi"}, y=y),
        drawing.mark(known, tick, x={"field": "v", **x}, y=y),
        drawing.mark(missing, text, x={"datum": 0, **x}, y=y),
    ]
    spec = {"layer": layers, "width": width - 190, "height": 24 * max(1, len(rows)), **drawing.heading(title, unit)}
    return drawing.built(spec, width)


def _over_time(
    times: pd.DatetimeIndex,
    series: Mapping[str, Values],
    unit: str,
    title: str,
    limit: Limits,
    width: int,
    height: int,
    y: drawing.Spec | None = None,
    proposed: Mapping[str, float] | None = None,
    roles: Mapping[str, str] | None = None,
    **style: Any,
) -> drawing.Spec:
    arrays = {label: np.asarray(values, dtype=float) for label, values in series.items()}
    layers: list[drawing.Spec] = []
    for number, (label, values) in enumerate(arrays.items()):
        dash = DASHES[number % len(DASHES)] if label not in (roles or {}) else None
        layers += drawing.line(times, values, label, **style, **({"strokeDash": dash} if dash else {}))
    colours = {label: SERIES[number % len(SERIES)] for number, label in enumerate(arrays)}
    colours |= {label: LIGHT[role] for label, role in (roles or {}).items() if label in arrays}
    limits = _limits(limit)
    y = y or drawing.value_axis(
        [*arrays.values(), np.array([*limits.values(), *(proposed or {}).values()], dtype=float)], height
    )
    words = drawing.heading(title, unit)
    return drawing.over_time(layers, colours, _span(times), y, limits, words, (width, height), proposed=proposed)


def _limits(limit: Limits) -> dict[str, float]:
    named = {} if limit is None else dict(limit) if isinstance(limit, Mapping) else {"": limit}
    return {label: float(value) for label, value in named.items() if np.isfinite(value)}


def _span(*times: pd.DatetimeIndex) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last stamp of them all. Raises InputError when there is none: an empty picture would say zero."""
    filled = [part for part in times if len(part)]
    if not filled:
        raise InputError("nothing to draw: no times were given")
    zoned = [part.tz_localize("UTC") if part.tz is None else part.tz_convert("UTC") for part in filled]
    return min(part.min() for part in zoned), max(part.max() for part in zoned)
