"""What the pictures of `charts.py` are made of: colours by role, axes in words, marks, and the way to SVG.

A chart is a Vega-Lite document of fixed field names (t, y, y2, v, n): text from data is always a value in it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from capacity.errors import InputError, MissingExtra

Theme = Literal["css", "light", "dark"]
Spec = dict[str, Any]

#: Role -> colour on white. Each serves one role only: they are also the marks `themed` looks for.
#: Lines and text have at least 4.5:1 against the paper (WCAG 2.2, 1.4.3); bands are tints of the forecast's blue.
LIGHT: Final[dict[str, str]] = {
    "ink": "#1c1f24",
    "muted": "#5c646f",
    "grid": "#e6e8eb",
    "past": "#3b434d",
    "envelope": "#e2e5e9",
    "series-1": "#1d5fb8",
    "series-2": "#b04a12",
    "series-3": "#17735a",
    "series-4": "#7446a0",
    "series-5": "#7d6100",
    "band-1": "#a9c7ef",
    "band-2": "#cbdef6",
    "band-3": "#e4eefb",
    "limit": "#c0212f",
}
DARK: Final[dict[str, str]] = {
    "ink": "#e8eaed",
    "muted": "#a3abb5",
    "grid": "#2b3037",
    "past": "#c3c9d0",
    "envelope": "#323840",
    "series-1": "#86b7f8",
    "series-2": "#f0955c",
    "series-3": "#57c2a0",
    "series-4": "#c09be6",
    "series-5": "#d8b74a",
    "band-1": "#31588f",
    "band-2": "#25446d",
    "band-3": "#1c314e",
    "limit": "#ff7d82",
}
SERIES: Final = tuple(LIGHT[f"series-{number}"] for number in range(1, 6))
DASHES: Final = (None, [6, 3], [2, 2], [8, 3, 2, 3], [1, 3])

#: Widths of labels come from this family, which the package brings along, so that layouts agree on every machine.
FONT: Final = "Inter, system-ui, sans-serif"
FONTS: Final = Path(__file__).parent / "reporting" / "fonts"

#: The grammar our documents are written in; the converter brings its own copy.
SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"

#: Pixels left of the plot for the numbers of the value axis, so that pictures below each other share one time axis.
AXIS: Final = 46

#: Pixels a label of the key gets when it has to be broken into rows.
LEGEND_COLUMN: Final = 120

#: Labels of the key that are sure to fit, in characters: others are measured once more, to be cut at 160 pixels.
LEGEND_SHORT: Final = 22

#: Longest label drawn; the rest is in tables, in full.
LABEL_LIMIT: Final = 40


def over_time(
    layers: Sequence[Spec],
    colours: Mapping[str, str],
    span: tuple[pd.Timestamp, pd.Timestamp],
    y: Spec,
    limits: Mapping[str, float],
    heading: Spec,
    size: tuple[int, int],
    *,
    proposed: Mapping[str, float] | None = None,
    key: bool = True,
) -> Spec:
    """Layers over one time axis and one value axis, with a key above them when there is more than one colour.

    Limits are lines across; those in `proposed` are drawn as what is advised, the others as what is in force.
    """
    width, height = size
    across = {**limits, **(proposed or {})}
    width -= AXIS + margin(across)
    symbol = "square" if any(layer["mark"]["type"] == "area" for layer in layers) else "stroke"
    legend: Spec | None = None
    if key and len(colours) > 1:
        legend = {"title": None, "orient": "top", "values": list(colours), "symbolType": symbol}
        legend["columns"] = max(1, (width + 40) // LEGEND_COLUMN)
        if max(map(len, colours)) <= LEGEND_SHORT:
            legend["labelLimit"] = 0
    scale = {"domain": list(colours), "range": list(colours.values())}
    axis = time_axis(*span, width)
    for layer in layers:
        layer["encoding"]["x"] |= {"axis": dict(axis), "title": None}
        layer["encoding"]["x"]["scale"] = {"type": "utc", "domain": [stamp(span[0]), stamp(span[1])], "nice": False}
        layer["encoding"]["y"] |= {**y, "title": None}
        layer["encoding"]["color"] |= {"scale": scale, "legend": legend}
    rules = limit_rules(across, y["scale"]["domain"][1], height, proposed or {})
    return built({"layer": [*layers, *rules], "width": width, "height": height, **heading}, size[0])


def built(spec: Spec, across: int) -> Spec:
    """A Vega-Lite document of layers, in our type and colours; as SVG it is at least `across` pixels wide."""
    small = {"labelFontSize": 11, "labelColor": LIGHT["muted"], "titleColor": LIGHT["muted"], "labelFontWeight": 400}
    grid = dict.fromkeys(("gridColor", "domainColor", "tickColor"), LIGHT["grid"])
    spec["padding"] = 2
    spec["usermeta"] = {"across": across}
    spec["config"] = {
        "aria": False,
        "font": FONT,
        "background": "transparent",
        "view": {"stroke": None},
        "axis": {**small, **grid, "labelLimit": 0},  # numbers are short: Vega would measure each to find that out
        "axisY": {"domain": False, "ticks": False, "labelPadding": 6, "minExtent": AXIS - 6},
        "axisX": {"grid": False, "tickSize": 4, "labelFlush": False},
        "legend": {**small, "symbolSize": 90, "columnPadding": 14, "offset": 10, "rowPadding": 2},
        "title": {
            "anchor": "start",
            "frame": "group",
            "color": LIGHT["ink"],
            "fontSize": 13,
            "fontWeight": 600,
            "subtitleColor": LIGHT["muted"],
            "subtitleFontSize": 11,
            "offset": 10,
        },
        "text": {"font": FONT, "fontSize": 11},
    }
    return spec


def chart_of(spec: Spec) -> Any:
    """The document as an Altair chart, which notebooks know how to show: on white, whatever their own theme."""
    try:
        import altair
    except ImportError:
        raise MissingExtra("altair", "report", "drawing a chart") from None
    with altair.utils.schemapi.debug_mode(False):  # our documents are checked by the tests, once, not at each drawing
        if "hconcat" in spec:
            parts = [_layered(altair, one) for one in spec["hconcat"]]
            rest = {name: part for name, part in spec.items() if name != "hconcat"}
            return altair.HConcatChart(hconcat=parts, **rest, background="white")
        return _layered(altair, spec, background="white")


def _layered(altair: Any, spec: Spec, **more: Any) -> Any:
    rest = {name: part for name, part in spec.items() if name != "layer"}
    layers = [altair.Chart(**{**one, "encoding": altair.FacetedEncoding(**one["encoding"])}) for one in spec["layer"]]
    return altair.LayerChart(layer=layers, **rest, **more)


#: What of a document is said once for all that stand beside each other.
_ONCE: Final = ("config", "padding", "usermeta")


def beside(specs: Sequence[Spec]) -> Spec:
    """Documents side by side as one: what `built` says of each is said once."""
    across = sum(spec["usermeta"]["across"] for spec in specs)
    parts = [{name: part for name, part in spec.items() if name not in _ONCE} for spec in specs]
    return {"hconcat": parts, **{name: specs[0][name] for name in _ONCE}, "usermeta": {"across": across}}


def heading(title: str, unit: str) -> Spec:
    """Title above, unit below it; the unit alone when the page says the rest."""
    if title:
        return {"title": {"text": title, "subtitle": unit}}
    return {"title": {"text": unit, "fontSize": 11, "fontWeight": 400, "color": LIGHT["muted"], "offset": 8}}


def line(times: pd.DatetimeIndex, values: np.ndarray, label: str, **style: Any) -> list[Spec]:
    """A line with a gap wherever values are NaN; a value with a gap on both sides is a dot."""
    values = np.asarray(values, dtype=float)
    if len(values) != len(times):
        raise InputError(f"{label!r} has {len(values)} values for {len(times)} times")
    rows = [{"t": t, "y": v} for t, v in zip(stamps(times), numbers(values), strict=True)]
    known = np.concatenate([[False], np.isfinite(values), [False]])
    alone = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])
    path = {"type": "line", "strokeWidth": 1.6, "invalid": "break-paths-show-path-domains", **style}
    layers = [mark(rows, path, x=_X, y=_Y, label=label)]
    if len(alone):
        dot = {"type": "point", "filled": True, "size": 9, "opacity": 1}
        layers.append(mark([rows[place] for place in alone], dot, x=_X, y=_Y, label=label))
    return layers


def area(times: pd.DatetimeIndex, low: np.ndarray, high: np.ndarray, label: str) -> Spec:
    """A band between two series, open where either is NaN."""
    rows = [
        {"t": t, "y": top if bottom is not None else None, "y2": bottom}
        for t, bottom, top in zip(stamps(times), numbers(low), numbers(high), strict=True)
    ]
    path = {"type": "area", "invalid": "break-paths-show-path-domains", "line": False, "opacity": 1}
    return mark(rows, path, x=_X, y=_Y, y2={"field": "y2"}, label=label)


def limit_rules(limits: Mapping[str, float], top: float, height: int, proposed: Mapping[str, float]) -> list[Spec]:
    """A line across at each limit, named in the margin to its right, names kept a line of text apart."""
    across = {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.2}
    style = {"type": "text", "align": "left", "baseline": "middle", "dx": 6}
    parts, lowest = [], -np.inf
    for label, value in sorted(limits.items(), key=lambda item: item[1]):
        colour = {"color": LIGHT["series-3" if label in proposed else "limit"]}
        parts.append(mark([{}], across | colour, y={"datum": value, "type": "quantitative"}))
        lowest = max(value, lowest + 13 / height * top)
        if label:
            x, y = {"value": "width"}, {"datum": lowest, "type": "quantitative"}
            parts.append(mark([{}], style | colour | {"text": short(label)}, x=x, y=y))
    return parts


def margin(limits: Mapping[str, float]) -> int:
    """Pixels right of the plot for the names of limits, and for half of the last label of the time axis.

    7 px a character: a reader without Inter sees a wider fallback, such as DejaVu Sans.
    """
    return max([20, *(10 + round(7 * len(short(label))) for label in limits)])


_X: Final[Spec] = {"field": "t", "type": "temporal"}
_Y: Final[Spec] = {"field": "y", "type": "quantitative"}


def mark(rows: list[dict[str, Any]], style: Spec, label: str | None = None, **encoding: Spec) -> Spec:
    """One layer, of the series `label` if it has a colour by name. Its encodings are copies, to be finished later."""
    if label is not None:
        encoding["color"] = {"field": "s", "type": "nominal"}
    named = {} if label is None else {"transform": [{"calculate": literal(label), "as": "s"}]}
    return named | {
        "data": {"values": rows},
        "mark": style,
        "encoding": {name: dict(one) for name, one in encoding.items()},
    }


def value_axis(groups: Iterable[np.ndarray], height: int) -> Spec:
    """From zero to a little above the largest finite value, so that heights can be compared by eye."""
    top = top_of(groups)
    return {
        "scale": {"domain": [0, top], "nice": False},
        "axis": {"format": number_format(top), "tickCount": max(3, height // 48)},
    }


def top_of(groups: Iterable[np.ndarray]) -> float:
    """Upper end of an axis: 6 % above the largest finite value; 1 when there is none.

    >>> top_of([np.array([50.0, np.nan]), np.array([100.0])])
    106.0
    """
    finite = [float(np.max(group[np.isfinite(group)])) for group in groups if np.isfinite(group).any()]
    return 1.06 * max(finite) if finite and max(finite) > 0 else 1.0


def number_format(top: float) -> str:
    """How an axis up to `top` writes its numbers (a d3 format): thousands separators, SI prefixes from a million.

    >>> number_format(12_000), number_format(3e6), number_format(0.4)
    (',.0f', '~s', '.2~f')
    """
    if top >= 1e6:
        return "~s"
    if top >= 10:
        return ",.0f"
    return ".1~f" if top >= 2 else ".2~f" if top >= 0.1 else ".3~g"


#: Distance between ticks -> how a tick is written: words of the tick, then of the line below it.
_TICKS: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("6h", "%H:%M", "utchours(datum.value) == 0", "%-d %b"),
    ("1D", "%-d %b", "", ""),
    ("2D", "%-d %b", "", ""),
    ("W-MON", "%-d %b", "", ""),
    ("2W-MON", "%-d %b", "", ""),
    ("MS", "%b", "utcmonth(datum.value) == 0", "%Y"),
    ("2MS", "%b", "utcmonth(datum.value) < 2", "%Y"),
    ("QS", "%b", "utcmonth(datum.value) == 0", "%Y"),
    ("YS", "%Y", "", ""),
    ("2YS", "%Y", "", ""),
    ("5YS", "%Y", "", ""),
)


def _ticks(first: pd.Timestamp, last: pd.Timestamp, width: int) -> tuple[tuple[str, str, str, str], pd.DatetimeIndex]:
    """The finest kind of tick whose labels fit, and its places; the coarsest when none fits."""
    for kind in _TICKS:
        start = first.ceil("6h") if kind[0] == "6h" else first.ceil("D")
        ticks = pd.date_range(start, last, freq=kind[0])
        if len(ticks) <= width / (40 if kind[0].endswith("S") else 62):
            break
    return kind, ticks


def time_axis(first: pd.Timestamp, last: pd.Timestamp, width: int) -> Spec:
    """Ticks on midnights, Mondays, months or quarters, as many as fit, in words; years below where they begin.

    >>> axis = time_axis(pd.Timestamp("2026-01-05", tz="UTC"), pd.Timestamp("2026-12-05", tz="UTC"), 800)
    >>> [pd.Timestamp(tick, unit="ms").month for tick in axis["values"]]
    [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    """
    (freq, words, when, below), ticks = _ticks(first, last, width)
    first_year = not freq.endswith("YS") and len(ticks) > 0
    test = f"time(datum.value) == {stamp(ticks[0])}" if len(ticks) else "false"
    under = f"({when}) ? utcFormat(datum.value, '{below}') : ''" if when else "''"
    if freq != "6h" and first_year:
        under = f"({test}) ? utcFormat(datum.value, '%Y') : {under}"
    return {
        "values": [stamp(tick) for tick in ticks],
        "labelExpr": f"[utcFormat(datum.value, '{words}'), {under}]",
        "labelOverlap": False,
    }


def stamp(time: pd.Timestamp) -> int:
    """Milliseconds since 1970, as Vega counts."""
    return int(time.timestamp() * 1000)


def stamps(times: pd.DatetimeIndex) -> list[int]:
    return [int(value) for value in times.as_unit("ms").asi8]


def numbers(values: Sequence[float] | np.ndarray) -> list[float | None]:
    """Five significant digits, more than a pixel; NaN and infinity become None."""
    return [float(f"{value:.5g}") if isfinite(value) else None for value in np.asarray(values, dtype=float).tolist()]


def short(text: str) -> str:
    """At most LABEL_LIMIT characters, on one line."""
    text = " ".join(str(text).split())
    return text if len(text) <= LABEL_LIMIT else text[: LABEL_LIMIT - 1] + "…"


def literal(values: str | Sequence[str]) -> str:
    """Strings as a literal of Vega's expression language, which is JSON's; nothing in them is evaluated."""
    return json.dumps(values if isinstance(values, str) else list(values))


# --- to SVG -----------------------------------------------------------------------------------------------------------


def to_svg(picture: Any, theme: Theme = "css", *, name: str = "", describe: tuple[str, str] | None = None) -> str:
    """The chart as SVG, the same bytes each time.

    theme     "light" and "dark" are for pages of one colour; "css" asks the page: `var(--ink)`, `var(--series-1)` ...
    name      starts every id inside, so that many charts can share a page; made from the picture when left out
    describe  title and longer description for those who do not see the picture
    """
    return themed(drawn(picture), theme, name=name, describe=describe)


def drawn(picture: Any) -> str:
    """The chart as SVG in the light theme, its ids not yet its own: what `themed` starts from."""
    converter = _converter()
    spec = picture if isinstance(picture, dict) else picture.to_dict(validate=False)
    svg = _slim(converter.vegalite_to_svg({"$schema": SCHEMA, **_apart(spec)}))
    return _at_least(svg, spec.get("usermeta", {}).get("across", 0))


def _apart(spec: Spec) -> Spec:
    """The same document with its rows in one place, called by name: Vega-Lite hashes and copies what stands in layers.

    >>> _apart({"layer": [{"data": {"values": [{"y": 1}]}, "mark": "point"}]})
    {'layer': [{'data': {'name': 'rows-0'}, 'mark': 'point'}], 'datasets': {'rows-0': [{'y': 1}]}}
    """
    rows: dict[str, Any] = dict(spec.get("datasets", {}))

    def named(part: Spec) -> Spec:
        inside = {name: [named(one) for one in part[name]] for name in ("layer", "hconcat") if name in part}
        if "values" not in part.get("data", {}):
            return part | inside
        name = f"rows-{len(rows)}"
        rows[name] = part["data"]["values"]
        return part | inside | {"data": {"name": name}}

    return named(spec) | {"datasets": rows}


_SIZE = re.compile(r'width="([0-9.]+)" height="([0-9.]+)" viewBox="0 0 [0-9.]+ ([0-9.]+)"')


def _at_least(svg: str, across: int) -> str:
    """With its right margin as wide as it was asked for: Vega cuts it where its own font ends, a reader's may be wider.

    >>> _at_least('<svg width="80" height="20" viewBox="0 0 80 20">', 100)
    '<svg width="100" height="20" viewBox="0 0 100 20">'
    """

    def widened(found: re.Match[str]) -> str:
        width, height, depth = max(float(found[1]), across), found[2], found[3]
        return f'width="{width:g}" height="{height}" viewBox="0 0 {width:g} {depth}"'

    return _SIZE.sub(widened, svg, count=1)


@cache
def _converter() -> Any:
    try:
        import vl_convert
    except ImportError:
        raise MissingExtra("vl-convert-python", "report", "drawing a chart as SVG") from None
    vl_convert.register_font_directory(str(FONTS))
    return vl_convert


def themed(svg: str, theme: Theme, *, name: str = "", describe: tuple[str, str] | None = None) -> str:
    """A light SVG in another theme: recolouring costs nothing, drawing does."""
    name = name or f"c{hashlib.sha256(svg.encode()).hexdigest()[:10]}"
    for role, colour in LIGHT.items():
        if theme != "light":
            svg = svg.replace(f'"{colour}"', f'"var(--{role})"' if theme == "css" else f'"{DARK[role]}"')
    if theme == "css":
        svg = re.sub(r' font-family="[^"]*"', "", svg)
    svg = re.sub(r'\bid="([^"]+)"', lambda found: f'id="{name}-{found[1]}"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{name}-{found[1]})", svg)
    if describe is None:
        return svg.replace("<svg ", '<svg aria-hidden="true" ', 1)
    title, words = (escape(text) for text in describe)
    spoken = f'<title id="{name}-title">{title}</title><desc id="{name}-desc">{words}</desc>'
    tag, rest = svg.split(">", 1)
    tag = tag.replace("<svg ", f'<svg role="img" aria-labelledby="{name}-title" aria-describedby="{name}-desc" ', 1)
    return f"{tag}>{spoken}{rest}"


_LONG = re.compile(r"-?\d+\.\d{2,}")
_NUMERIC = re.compile(r' (?:d|transform|x2|y2|x|y)="[^"]*"')


def _slim(svg: str) -> str:
    """Without what no reader needs: Vega's roles, empty frames, hundredths of a pixel."""
    svg = re.sub(r' (?:aria-[a-z]+|role|class|pointer-events)="[^"]*"', "", svg)
    svg = re.sub(r'(<svg [^>]*>)<rect [^>]*fill="white"/>', r"\1", svg, count=1)
    svg = re.sub(r'<path d="[^"]*" display="none"/>|<path d="M0,0h0v0h0Z"/>', "", svg)
    return _NUMERIC.sub(lambda part: _LONG.sub(lambda n: f"{float(n[0]):.1f}", part[0]), svg)
