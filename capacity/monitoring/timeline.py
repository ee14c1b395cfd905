"""`Alarms` to look at: when each would have gone off, as a chart and as text."""

from __future__ import annotations

from typing import Final

import pandas as pd

from capacity import drawing
from capacity.charts import WIDTH, Drawer
from capacity.drawing import LIGHT
from capacity.errors import InputError
from capacity.monitoring.alarm import Alarms, counted
from capacity.monitoring.naming import plain

#: A firing of minutes is drawn at least this wide on a quarter: it would not be seen.
LEAST: Final = pd.Timedelta(hours=3)

#: Pixels of the names beside the bars.
ASIDE: Final = 250

#: What a bar is.
_UNIT: Final = "a bar each time, from its start to its end; UTC"

#: Rows of text that are shown.
SHOWN: Final = 40


@Drawer
def timeline(alarms: Alarms, service: str | None = None) -> drawing.Spec:
    """One row an alarm of a service, a bar each time it would have gone off: dark where it was right, light where not.

    Raises InputError where nothing was replayed: an empty picture would say that nothing ever went off.
    """
    replayed = alarms.replayed
    if replayed.empty:
        raise InputError("no alarm was tried on history", advice="Pass history=... to capacity.alarms.")
    if service is None:
        service = replayed.groupby("service", sort=False)["fired"].sum().idxmax()
    mine = replayed[replayed["service"] == service]
    if mine.empty:
        there = ", ".join(list(dict.fromkeys(replayed["service"]))[:10])
        raise InputError(f"no alarm of {service!r} was tried on history", advice=f"There are those of: {there}.")
    names = {name: place for place, name in enumerate(mine["name"])}
    rows = [
        {
            "n": names[str(one.name)],
            "s": drawing.stamp(one.start),
            "e": drawing.stamp(max(one.end, one.start + LEAST)),
            "was": "right" if one.true else "false",
        }
        for one in alarms.firings[alarms.firings["service"] == service].itertuples(index=False)
    ]
    labels = drawing.literal([drawing.short(_label(row)) for _, row in mine.iterrows()])
    y = {"field": "n", "type": "ordinal", "scale": {"domain": list(names.values())}}
    y["axis"] = {"title": None, "labelExpr": f"{labels}[datum.value]", "labelLimit": 220, "minExtent": 224}
    first, last = alarms.about["replayed_from"], alarms.about["replayed_to"]
    x = {"type": "temporal", "scale": {"type": "utc", "domain": [drawing.stamp(first), drawing.stamp(last)]}}
    x["axis"] = {"title": None, "grid": True, **drawing.time_axis(first, last, WIDTH - ASIDE)}
    colour = {
        "field": "was",
        "type": "nominal",
        "scale": {"domain": ["right", "false"], "range": [LIGHT["series-1"], LIGHT["band-1"]]},
        "legend": {"title": None, "orient": "top"},
    }
    bar = {"type": "bar", "height": 10}
    layers = [drawing.mark(rows, bar, x={"field": "s", **x}, x2={"field": "e"}, y=y, color=colour)]
    title = f"{service or 'account'}: when alarms would have gone off"
    spec = {"layer": layers, "width": WIDTH - ASIDE, "height": 22 * len(names), **drawing.heading(title, _UNIT)}
    return drawing.built(spec, WIDTH)


def listing(alarms: Alarms) -> str:
    """The alarms to use as text, pages first, then the refused ones with the reason."""
    ordered = sorted(alarms, key=lambda one: (one.service, one.severity != "page"))
    lines = [counted(alarms)]
    for one in ordered[:SHOWN]:
        lead = "" if one.lead_minutes is None else f", {one.lead_minutes:g} min ahead"
        lines.append(f"  {one.severity:6} {one.name}{lead}: {one.summary}")
    if len(ordered) > SHOWN:
        lines.append(f"  ... and {len(ordered) - SHOWN} more in .frame")
    lines += [f"  refused {one.name}: {one.refused}" for one in alarms.alarms if one.refused]
    return "\n".join(lines)


def _label(row: pd.Series) -> str:
    return str(row["name"]).partition(f"{plain(str(row['service']))}-")[2] or str(row["name"])
