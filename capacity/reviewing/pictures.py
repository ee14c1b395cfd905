"""A review in pictures: the way from planned to actual, demand over its band, tasks that ran beside the plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from capacity import charts, drawing
from capacity.drawing import LIGHT
from capacity.errors import InputError
from capacity.forecasting.forecasts import CHART_LEVELS, DRAWN, highest
from capacity.reviewing.decomposing import PARTS
from capacity.reviewing.facts import CENTS
from capacity.reviewing.wording import FLEET, plus
from capacity.timegrid import steps_per

if TYPE_CHECKING:
    from capacity.reviewing.reviews import Review

KINDS: Final = ("parts", "demand", "tasks")


def plot(review: Review, service: str | None, of: str) -> Any:
    """See `Review.plot`."""
    if of not in KINDS:
        raise InputError(f"a review has no picture of {of!r}", advice=f"There are: {', '.join(KINDS)}.")
    if of == "parts":
        return parts(review, service)
    return (demand if of == "demand" else tasks)(review, review.split_of(service or review.services[0]).service.name)


def parts(review: Review, service: str | None = None) -> Any:
    """From planned to actual, in USD where what was paid is known, else in task-hours."""
    name = FLEET if service is None else review.split_of(service).service.name
    row = review.frame[review.frame["service"] == name].iloc[0]
    money = bool(np.isfinite(row["usd_actual"]))
    prefix, told = ("usd_", PARTS) if money else ("", PARTS[:-1])
    changes = [float(row[f"{prefix}{part}"]) for part in told]
    title = "The fleet" if service is None else name
    unit = "USD" if money else "task-hours"
    return waterfall(float(row[f"{prefix}planned"]), told, changes, unit, f"{title}: from planned to actual")


class Bar(NamedTuple):
    """One bar of a waterfall, and what stands beside it."""

    label: str
    begin: float
    end: float
    word: str
    role: str


def bars(start: float, labels: Sequence[str], changes: Sequence[float]) -> list[Bar]:
    """From `planned` by way of `expected`, which is planned and its margin, to `actual`.

    >>> [(one.label, one.begin, one.end, one.word) for one in bars(500, ["margin", "price"], [-100, 20])][1:]
    [('margin', 500, 400, '-100'), ('expected', 0, 400, '400'), ('price', 400, 420, '+20'), ('actual', 0, 420, '420')]
    """
    digits, at = 0 if abs(start) >= CENTS else 2, start
    found = [Bar("planned", 0, at, f"{at:,.{digits}f}", "past")]
    for label, change in zip(labels, changes, strict=True):
        end = at if np.isnan(change) else at + change
        found.append(Bar(label, at, end, plus(change, digits), "series-2" if end > at else "series-3"))
        at = end
        if label == PARTS[0]:
            found.append(Bar("expected", 0, at, f"{at:,.{digits}f}", "past"))
    return [*found, Bar("actual", 0, at, f"{at:,.{digits}f}", "past")]


@charts.Drawer
def waterfall(start: float, labels: Sequence[str], changes: Sequence[float], unit: str, title: str) -> drawing.Spec:
    """Bars that begin where the one above ends, from `start` to where all changes lead. A NaN has words and no bar."""
    drawn = bars(start, labels, changes)
    ends = [one.end for one in drawn]
    low, high = min(0.0, *ends), max(ends)
    names = drawing.literal([drawing.short(one.label) for one in drawn])
    order = {"field": "n", "type": "ordinal", "scale": {"domain": list(range(len(drawn)))}}
    order["axis"] = {"title": None, "labelExpr": f"{names}[datum.value]", "labelFontSize": 12, "minExtent": 84}
    scale = {"domain": [low, high * 1.12 if high > 0 else 1.0], "nice": False}
    axis = {"title": None, "format": drawing.number_format(max(high, 1.0)), "tickCount": 5, "domain": False}
    across = {"type": "quantitative", "scale": scale, "axis": axis}
    layers = []
    for place, one in enumerate(drawn):
        begin, end = sorted((one.begin, one.end))
        row = [{"n": place, "lo": float(f"{begin:.6g}"), "hi": float(f"{end:.6g}")}]
        bar = {"type": "bar", "height": 15, "color": LIGHT[one.role]}
        layers.append(drawing.mark(row, bar, x={"field": "lo", **across}, x2={"field": "hi"}, y=order))
        text = {"type": "text", "text": one.word, "align": "left", "dx": 5, "color": LIGHT["muted"]}
        layers.append(drawing.mark(row, text, x={"field": "hi", **across}, y=order))
    spec = {"layer": layers, "width": charts.WIDTH - 130, "height": 26 * len(drawn), **drawing.heading(title, unit)}
    return drawing.built(spec, charts.WIDTH)


def demand(review: Review, service: str) -> Any:
    """What was asked for over the band that was promised; more than four weeks of hours as the highest of each day."""
    past = review.pasts[-1]
    keys = [key for key in past.held(past.promised.keys) if key.service == service]
    if not keys:
        raise InputError(f"no series of {service!r} was both forecast and measured")
    key = next((one for one in keys if one.metric == "requests"), keys[0])
    count = len(past.actual.times)
    size = max(1, steps_per("1d", past.actual.interval)) if count > DRAWN else 1
    whole = count // size * size
    values = past.actual.values(*key)
    assert values is not None  # it is held
    bands = {
        level: highest(past.promised.quantile(key, level)[:whole], size)
        for level in CHART_LEVELS
        if level in past.promised.levels
    }
    times = past.actual.times[:whole:size]
    title = f"{service} {key.metric} over its plan" + (", highest of each day" if size > 1 else "")
    known = highest(values[:whole], size)
    return charts.fan(times, known, times, bands, unit=key.unit, title=title, past_label="actual")


def tasks(review: Review, service: str) -> Any:
    """Tasks that ran beside those planned, and those that the actual demand needed."""
    one = review.split_of(service)
    size = max(1, round(24 / one.hours)) if len(one.times) > DRAWN else 1
    whole = len(one.times) // size * size
    states = {"planned": one.tasks["planned"], "needed": one.need, "ran": one.tasks["ran"]}
    lines = {label: highest(values[:whole], size) for label, values in states.items()}
    unit = "tasks, highest of each day" if size > 1 else "tasks"
    limit = {"maximum": float(one.service.max_tasks)}
    return charts.steps(one.times[:whole:size], lines, unit=unit, title=f"{service}: plan and actual", limit=limit)
