"""Pictures of a load test: its course, and latency against throughput. Vega-Lite documents in the package's colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from capacity import drawing
from capacity.drawing import LIGHT
from capacity.errors import InputError

if TYPE_CHECKING:
    from capacity.loadtest.generate.plan import LoadPlan
    from capacity.loadtest.result import LoadTest

WIDTH: Final = 840  # pixels of the whole picture
HEIGHT: Final = 260

#: Points drawn of a course: longer ones are drawn coarser, as means of neighbours.
DRAWN: Final = 1_200

_WORDS: Final[drawing.Spec] = {"titleFontWeight": 400, "titleFontSize": 11, "titlePadding": 6}

#: Seconds of a tick on the axis of time, of which the first that leaves at most ten is taken.
_TICKS: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 43_200, 86_400)


def over_time(test: LoadTest) -> Any:
    """Arrivals, completions and failures per second, p95 beside them, steady parts shaded; time since the start.

    Raises InputError where the test has no course.
    """
    return drawing.chart_of(course(test))


def course(test: LoadTest) -> drawing.Spec:
    """As `over_time`, the document."""
    timeline = _coarser(test.timeline)
    if timeline.empty:
        raise InputError("nothing to draw: this result tells nothing over time", advice='Use .plot("curve").')
    origin = timeline["timestamp"].iloc[0]
    at = (timeline["timestamp"] - origin).dt.total_seconds().to_numpy(dtype=float)
    seconds = timeline["seconds"].to_numpy(dtype=float)
    rates = {
        "arrivals/s": (timeline["arrivals"].to_numpy(dtype=float) / seconds, "past"),
        "completed/s": (timeline["completions"].to_numpy(dtype=float) / seconds, "series-1"),
        "failed/s": (timeline["errors"].to_numpy(dtype=float) / seconds, "limit"),
    }
    rates = {name: pair for name, pair in rates.items() if np.isfinite(pair[0]).any()}
    if not np.nansum(rates.get("failed/s", (np.zeros(1), ""))[0]):
        rates.pop("failed/s", None)
    which = "p95" if timeline["p95_ms"].notna().any() else "mean"
    latency, named = timeline[f"{which}_ms"].to_numpy(dtype=float), f"{which} ms (right)"
    colours = {name: LIGHT[role] for name, (_, role) in rates.items()} | {named: LIGHT["series-2"]}
    x = {"field": "x", **_since(float(at[-1] + seconds[-1]))}
    left = {"type": "quantitative", **drawing.value_axis([values for values, _ in rates.values()], HEIGHT)}
    left["axis"] |= {"title": None}
    right = {"type": "quantitative", **drawing.value_axis([latency], HEIGHT)}
    right["axis"] |= {"orient": "right", "title": None, "grid": False, "ticks": False, "domain": False}
    layers = [_shades(test, origin, x)]
    for name, (values, _) in rates.items():
        layers.append(_line(at, values, name, x, left, 1.2))
        left = {**left, "axis": None}
    layers.append(_line(at, latency, named, x, right, 1.6))
    scale = {"domain": list(colours), "range": list(colours.values())}
    for layer in layers[1:]:
        layer["encoding"]["color"] |= {"scale": scale, "legend": _LEGEND}
    words = drawing.heading(
        "Load over time", f"requests/s, and {which} latency in ms; steady parts of the steps shaded"
    )
    size = {"width": WIDTH - 2 * drawing.AXIS, "height": HEIGHT}
    return drawing.built({"layer": layers, **size, **words, "resolve": {"scale": {"y": "independent"}}}, WIDTH)


def driven(plan: LoadPlan) -> Any:
    """The rate that a plan drives over time: ramps are slanted; stages that nothing is promised for stand out."""
    ends = np.cumsum([stage.seconds for stage in plan.stages])
    x = {"field": "x", **_since(float(ends[-1]))}
    y = {"type": "quantitative", **drawing.value_axis([np.array([stage.rate for stage in plan.stages])], HEIGHT)}
    y["axis"] |= {"title": None}
    colours = {"the SLO is promised": LIGHT["series-1"], "beyond: looked at only": LIGHT["series-2"]}
    layers = []
    for label, judged in zip(colours, (True, False), strict=True):
        at, rates = [], []
        for stage, end in zip(plan.stages, ends, strict=True):
            known = stage.judged == judged  # a stage of the other line is a gap in this one
            at += [end - stage.seconds, end]
            rates += [stage.rate if stage.rate_from is None else stage.rate_from, stage.rate] if known else [np.nan] * 2
        layers.append(_line(np.array(at, dtype=float), np.array(rates, dtype=float), label, x, y, 1.8))
    scale = {"domain": list(colours), "range": list(colours.values())}
    for layer in layers:
        layer["encoding"]["color"] |= {"scale": scale, "legend": _LEGEND}
    size = {"width": WIDTH - drawing.AXIS - 20, "height": HEIGHT}
    words = drawing.heading("The load test, stage by stage", "requests/s")
    return drawing.chart_of(drawing.built({"layer": layers, **size, **words}, WIDTH))


def curve(test: LoadTest) -> Any:
    """p50 and p95 of the load points by the throughput they reached: saturated ones hollow.

    Raises InputError where there are no load points with latencies.
    """
    return drawing.chart_of(latencies(test))


def latencies(test: LoadTest) -> drawing.Spec:
    """As `curve`, the document."""
    steps = test.steps
    columns = {"p95": "p95_ms", "p50": "p50_ms"}
    if not steps[[*columns.values()]].notna().any().any():
        columns = {"mean": "mean_ms"}
    if not steps[[*columns.values()]].notna().any().any():
        raise InputError("nothing to draw: this test has no load points with latencies", advice='Use .plot("time").')
    rates = steps["throughput_per_s"].to_numpy(dtype=float)
    top = drawing.top_of([rates])
    axis = {"title": "requests/s answered", "format": drawing.number_format(top), "tickCount": 8, **_WORDS}
    x = {"field": "x", "type": "quantitative", "scale": {"domain": [0, top], "nice": False}, "axis": axis}
    y = {"type": "quantitative", **drawing.value_axis([steps[name].to_numpy() for name in columns.values()], HEIGHT)}
    y["axis"] |= {"title": None}
    scale = {"domain": list(columns), "range": [LIGHT[f"series-{n + 1}"] for n in range(len(columns))]}
    layers = []
    for label, name in columns.items():
        rows = [
            {"x": rate, "y": value, "n": number, "full": full}
            for rate, value, number, full in zip(
                drawing.numbers(rates),
                drawing.numbers(steps[name].to_numpy()),
                steps["step"],
                steps["saturated"],
                strict=True,
            )
            if value is not None
        ]
        rows = [{**row, "n": int(row["n"]), "full": bool(row["full"])} for row in rows]
        at = {"x": x, "y": {"field": "y", **y}}
        path = {"type": "line", "strokeWidth": 1.4}
        order = {"field": "n", "type": "quantitative"}
        layers.append(drawing.mark(rows, path, label, **at, order=order))
        good, full = [row for row in rows if not row["full"]], [row for row in rows if row["full"]]
        dot = {"type": "point", "size": 42, "opacity": 1}
        layers.append(drawing.mark(good, dot | {"filled": True}, label, **at))
        layers.append(drawing.mark(full, dot | {"filled": False, "strokeWidth": 1.6}, label, **at))
    for layer in layers:
        layer["encoding"]["color"] |= {"scale": scale, "legend": _LEGEND}
    words = drawing.heading("Latency by throughput", "ms, of a load point each, in order of time; hollow: saturated")
    return drawing.built({"layer": layers, "width": WIDTH - drawing.AXIS - 20, "height": HEIGHT, **words}, WIDTH)


_LEGEND: Final[drawing.Spec] = {"title": None, "orient": "top", "symbolType": "stroke"}


def _shades(test: LoadTest, origin: pd.Timestamp, x: drawing.Spec) -> drawing.Spec:
    """The steady parts of the steps as bands behind the lines."""
    spans = [((start - origin).total_seconds(), (end - origin).total_seconds()) for start, end in _steady(test.steps)]
    rows = [{"x": max(0.0, start), "x2": end} for start, end in spans]
    return drawing.mark(rows, {"type": "rect", "color": LIGHT["band-3"], "opacity": 0.6}, x=x, x2={"field": "x2"})


def _steady(steps: pd.DataFrame) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    chosen = steps[steps["steady"]]
    return list(zip(chosen["start"], chosen["end"], strict=True))


def _line(
    at: np.ndarray, values: np.ndarray, label: str, x: drawing.Spec, y: drawing.Spec, wide: float
) -> drawing.Spec:
    rows = [{"x": where, "y": value} for where, value in zip(drawing.numbers(at), drawing.numbers(values), strict=True)]
    style = {"type": "line", "strokeWidth": wide, "invalid": "break-paths-show-path-domains"}
    return drawing.mark(rows, style, label, x=x, y={"field": "y", **y})


def _since(seconds: float) -> drawing.Spec:
    """An axis of time since the start: minutes and seconds, or hours and minutes."""
    step = next((tick for tick in _TICKS if seconds / tick <= 10), _TICKS[-1])
    big, small = (3600, 60) if seconds > 7200 else (60, 1)
    words = f"floor(datum.value / {big}) + ':' + format(floor(datum.value % {big} / {small}), '02d')"
    title = "hours:minutes since the start" if big == 3600 else "minutes:seconds since the start"
    ticks = [step * n for n in range(int(seconds // step) + 1)]
    axis = {"values": ticks, "labelExpr": words, "title": title, **_WORDS}
    return {"type": "quantitative", "scale": {"domain": [0, seconds], "nice": False}, "axis": axis}


def _coarser(timeline: pd.DataFrame) -> pd.DataFrame:
    """At most DRAWN rows: sums of counts and lengths, the largest latency of neighbours: it is not averaged."""
    timeline = _with_gaps(timeline)
    together = -(-len(timeline) // DRAWN)
    if together <= 1:
        return timeline
    grouped = timeline.groupby(np.arange(len(timeline)) // together)
    how = {"timestamp": "first", "p95_ms": "max", "mean_ms": "max"}
    sums = {name: grouped[name].sum(min_count=1) for name in ("seconds", "arrivals", "completions", "errors")}
    return grouped.agg(how).assign(**sums)


def _with_gaps(timeline: pd.DataFrame) -> pd.DataFrame:
    """With a row of nothing behind each stretch, so that lines break where nothing was measured."""
    if timeline.empty:
        return timeline
    ends = timeline["timestamp"] + pd.to_timedelta(timeline["seconds"], unit="s")
    broken = timeline["timestamp"].shift(-1) - ends > pd.to_timedelta(timeline["seconds"], unit="s")
    if not broken.any():
        return timeline
    empty = pd.DataFrame({"timestamp": ends[broken], "seconds": timeline["seconds"][broken]})
    return pd.concat([timeline, empty]).sort_values("timestamp", ignore_index=True)
