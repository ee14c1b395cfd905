"""Pictures: pure functions of arrays that give an Altair chart, and `to_svg`, the one way a chart becomes SVG.

    lines        several series over time               steps        whole tasks over time
    fan          a past and its possible futures        probability  how likely, by when
    bars         amounts with their intervals
    calibration, reliability, skill      what a backtest found: promises kept, and loss beside seasonal naive's

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

__all__ = [
    "BANDS",
    "bars",
    "calibration",
    "drawn",
    "fan",
    "lines",
    "probability",
    "reliability",
    "skill",
    "steps",
    "themed",
    "to_svg",
]

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


@Drawer
def calibration(
    days: Values,
    observed: Values,
    low: Values,
    high: Values,
    *,
    promised: float,
    title: str = "",
    width: int = WIDTH,
    height: int = HEIGHT,
) -> drawing.Spec:
    """How often a quantile was passed by days ahead, with bounds, over the band promised: 0.5 to 1.5 times `promised`.

    All are shares from 0 to 1. Where nothing was scored (NaN) there is a gap.
    """
    rows = _points(days, y=observed, lo=low, hi=high)
    top = min(
        1.0, drawing.top_of([np.array([4 * promised, *np.asarray(part, dtype=float)]) for part in (observed, high)])
    )
    x, y = _days(days), _share(0, top)
    band = [{"lo": 0.5 * promised, "hi": 1.5 * promised}]
    bar = {"type": "rule", "color": LIGHT["muted"], "strokeWidth": 1.2}
    across = {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.2, "color": LIGHT["series-3"]}
    text = {"type": "text", "align": "left", "baseline": "middle", "dx": 6, "color": LIGHT["series-3"]}
    layers = [
        drawing.mark(band, {"type": "rect", "color": LIGHT["band-3"]}, y={"field": "lo", **y}, y2={"field": "hi"}),
        drawing.mark([{}], across, y={"datum": promised, **y}),
        drawing.mark([{}], text | {"text": "promised"}, x={"value": "width"}, y={"datum": promised, **y}),
        drawing.mark(rows, bar, x={"field": "x", **x}, y={"field": "lo", **y}, y2={"field": "hi"}),
        *_trace(rows, x, y, LIGHT["series-1"]),
    ]
    size = {"width": width - drawing.AXIS - 80, "height": height}
    return drawing.built({"layer": layers, **size, **drawing.heading(title, _BOUNDS)}, width)


@Drawer
def reliability(
    said: Values, observed: Values, low: Values, high: Values, title: str = "", *, width: int = 480
) -> drawing.Spec:
    """Said levels against observed shares below them, with bounds, 0 to 1. On the diagonal, promises are kept.

    Drawn on normal probability paper, which gives the tails room: 95 % and 99 % are as far apart as 50 % and 75 %.
    """
    rows = _points(_on_paper(said), y=_on_paper(observed), lo=_on_paper(low), hi=_on_paper(high))
    x, y = _paper("forecast said"), _paper(None)
    ends = [{"x": end, "y": end} for end in x["scale"]["domain"]]
    bar = {"type": "rule", "color": LIGHT["muted"], "strokeWidth": 1.2}
    kept = {"type": "line", "strokeDash": [5, 3], "strokeWidth": 1.2, "color": LIGHT["series-3"]}
    layers = [
        drawing.mark(ends, kept, x={"field": "x", **x}, y={"field": "y", **y}),
        drawing.mark(rows, bar, x={"field": "x", **x}, y={"field": "lo", **y}, y2={"field": "hi"}),
        *_trace(rows, x, y, LIGHT["series-1"]),
    ]
    side = width - drawing.AXIS - 20
    words = drawing.heading(title, "share that was below; bars: what it may be, each end wrong one time in twenty")
    return drawing.built({"layer": layers, "width": side, "height": side, **words}, width)


@Drawer
def skill(
    days: Values, ratios: Mapping[str, Values], title: str = "", *, width: int = WIDTH, height: int = HEIGHT
) -> drawing.Spec:
    """Loss over that of seasonal naive by days ahead, a line a model: below 1 is better. NaN is a gap."""
    arrays = {label: np.asarray(values, dtype=float) for label, values in ratios.items()}
    x, y = _days(days), {"type": "quantitative", **drawing.value_axis([np.array([1.2]), *arrays.values()], height)}
    y["axis"] |= {"title": None}
    across = {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.2, "color": LIGHT["limit"]}
    text = {"type": "text", "align": "left", "baseline": "middle", "dx": 6}
    name = {"text": "seasonal naive", "color": LIGHT["limit"]}
    layers = [
        drawing.mark([{}], across, y={"datum": 1, **y}),
        drawing.mark([{}], text | name, x={"value": "width"}, y={"datum": 1, **y}),
    ]
    labels = list(arrays)
    scale = {"domain": labels, "range": [SERIES[number % len(SERIES)] for number in range(len(labels))]}
    legend = {"title": None, "orient": "top", "symbolType": "stroke"} if len(labels) > 1 else None
    for label, values in arrays.items():
        for layer in _trace(_points(days, y=values), x, y, None, label):
            layer["encoding"]["color"] |= {"scale": scale, "legend": legend}
            layers.append(layer)
    size = {"width": width - drawing.AXIS - 110, "height": height}
    return drawing.built({"layer": layers, **size, **drawing.heading(title, "times seasonal naive's")}, width)


_BOUNDS: Final = "share of intervals; bars: what it may be, each end wrong one time in twenty"


def _points(x: Values, **columns: Values) -> list[dict[str, float | None]]:
    """Rows of named numbers; NaN is None."""
    named = {"x": drawing.numbers(x), **{name: drawing.numbers(values) for name, values in columns.items()}}
    return [dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)]


def _trace(
    rows: list[dict[str, float | None]], x: drawing.Spec, y: drawing.Spec, colour: str | None, label: str | None = None
) -> list[drawing.Spec]:
    """A line with a dot at each row; in one colour, or in that of its label."""
    colours = {"color": colour} if colour else {}
    line = {"type": "line", "strokeWidth": 1.6, "invalid": "break-paths-show-path-domains", **colours}
    dot = {"type": "point", "filled": True, "size": 24, "opacity": 1, **colours}
    where = {"x": {"field": "x", **x}, "y": {"field": "y", **y}}
    known = [row for row in rows if row["y"] is not None]
    return [drawing.mark(rows, line, label, **where), drawing.mark(known, dot, label, **where)]


_WORDS: Final[drawing.Spec] = {"titleFontWeight": 400, "titleFontSize": 11, "titlePadding": 6}

#: Shares marked on probability paper, which ends at the first and last: what is beyond is drawn at the edge.
_MARKED: Final = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)


def _days(days: Values) -> drawing.Spec:
    """An axis of days ahead, in weeks where there are more than two."""
    longest = _longest(days)
    axis = {"title": "days ahead", "tickCount": 8, "format": ",.3~g", **_WORDS}
    if longest > 14:
        axis["values"] = list(range(0, int(longest) + 1, 7 * max(1, round(longest / 84))))
    return {"type": "quantitative", "scale": {"domain": [0, longest], "nice": False}, "axis": axis}


def _share(low: float, high: float) -> drawing.Spec:
    axis = {"labelExpr": "format(100 * datum.value, '.2~f') + ' %'", "title": None, "tickCount": 5}
    return {"type": "quantitative", "scale": {"domain": [low, high], "nice": False}, "axis": axis}


def _on_paper(shares: Values) -> np.ndarray:
    """Where shares lie on normal probability paper; 0 and 1, which are infinitely far away, at its edges."""
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(np.asarray(shares, dtype=float), _MARKED[0], _MARKED[-1])))


def _paper(words: str | None) -> drawing.Spec:
    places = [float(place) for place in _on_paper(_MARKED).round(4)]
    names = [f"{100 * share:g} %" for share in _MARKED]
    shown = "".join(f"datum.value < {at + 0.01} ? '{name}' : " for at, name in zip(places, names, strict=True)) + "''"
    axis = {"values": places, "labelExpr": shown, "title": words, "labelOverlap": False, **_WORDS}
    return {"type": "quantitative", "scale": {"domain": [places[0], places[-1]], "nice": False}, "axis": axis}


def _longest(days: Values) -> float:
    """End of an axis of leads. Raises InputError when there are none: an empty picture would say zero."""
    if not len(days):
        raise InputError("nothing to draw: no leads were given")
    return float(np.max(days)) * 1.02
