"""What a stored plan expected, drawn."""

from __future__ import annotations

from typing import Any

import pandas as pd

from capacity import charts
from capacity.demand.demand import Key
from capacity.errors import InputError
from capacity.forecasting.forecasts import CHART_LEVELS, DRAWN, highest, level_name
from capacity.reviewing.snapshot import Snapshot
from capacity.timegrid import steps_per


def fan(snapshot: Snapshot, service: str | None, metric: str | None) -> Any:
    """Chart of one series, the first of that service and metric: the history it was made from, and the band expected.

    More than `DRAWN` intervals are drawn as the highest of each day. Raises InputError when there is no such series.
    """
    past, rows = snapshot.demand, snapshot.quantiles
    chosen = rows if service is None else rows[rows["service"] == service]
    chosen = chosen if metric is None else chosen[chosen["metric"] == metric]
    if not len(chosen):
        raise InputError(f"there is no series of service {service!r} and metric {metric!r} in this plan")
    key = Key(chosen["service"].iloc[0], chosen["metric"].iloc[0])
    own = chosen[(chosen["service"] == key.service) & (chosen["metric"] == key.metric)]
    size = max(1, steps_per("1d", past.interval)) if len(own) > DRAWN else 1
    ahead = len(own) // size * size
    behind = min(max(2 * ahead, 14), len(past.times)) // size * size
    known = slice(len(past.times) - behind, None)
    return charts.fan(
        past.times[known][::size],
        highest(past.values[past.keys.index(key), known], size),
        pd.DatetimeIndex(own["timestamp"])[:ahead:size],
        {level: highest(own[level_name(level)].to_numpy(dtype=float)[:ahead], size) for level in CHART_LEVELS},
        unit=key.unit,
        title=f"{key.service} {key.metric}" + (", highest of each day" if size > 1 else ""),
    )
