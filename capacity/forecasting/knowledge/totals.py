"""Sums over services, path by path: the fleet is the sum of its services in every future, and so are its peaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from capacity.demand.demand import Demand, Key
from capacity.errors import InputError
from capacity.schema import METRICS

if TYPE_CHECKING:
    from capacity.forecasting.forecasts import Forecast

#: Service of a total over all of them.
EVERYTHING = "total"


def total(forecast: Forecast, by: Mapping[str, str] | None = None, metric: str | None = None) -> Forecast:
    """See `Forecast.total`."""
    keys = [key for key in forecast.keys if metric in (None, key.metric)]
    if not keys:
        known = ", ".join(dict.fromkeys(key.metric for key in forecast.keys))
        raise InputError(f"there is no metric {metric!r} in this forecast", advice=f"There are: {known}.")
    for key in keys:
        if key.metric in METRICS and METRICS[key.metric].additivity == "ratio":
            raise InputError(f"{key.metric} is a ratio: those of several services do not add up")
    groups: dict[Key, list[int]] = {}
    for key in keys:
        name = EVERYTHING if by is None else by.get(key.service, key.service)
        groups.setdefault(Key(name, key.metric), []).append(forecast.keys.index(key))
    rows = list(groups.values())
    return replace(
        forecast,
        past=_summed(forecast.past, groups),
        paths=np.stack([_sum_of(forecast.paths, part) for part in rows]),
        models=tuple(_models(forecast, part) for part in rows),
        scores=None,
    )


def _sum_of(paths: np.ndarray, rows: list[int]) -> np.ndarray:
    """(P, H) in double precision, one series added after the other: a fleet's paths are not copied."""
    total = np.zeros(paths.shape[1:])
    for row in rows:
        total += paths[row]
    return total


def _summed(past: Demand, groups: Mapping[Key, list[int]]) -> Demand:
    """The history of sums: a gap where one service has one. Busiest minutes do not add up, and are not known."""
    rows = list(groups.values())
    values = np.stack([past.values[part].sum(axis=0) for part in rows])
    return replace(
        past,
        keys=tuple(groups),
        values=values,
        peaks=np.stack([past.peaks[part[0]] if len(part) == 1 else np.full(values.shape[1], np.nan) for part in rows]),
        censored=np.stack([past.censored[part].any(axis=0) for part in rows]),
        derived=tuple(f"sum of {len(part)}" for part in rows),
        zones=tuple(_shared([past.zones[row] for row in part]) for part in rows),
    )


def _models(forecast: Forecast, rows: list[int]) -> str:
    names = list(dict.fromkeys(forecast.models[row].partition("(")[0] for row in rows))
    return forecast.models[rows[0]] if len(rows) == 1 else f"sum of {len(rows)} by {', '.join(names)}"


def _shared(zones: list[str]) -> str:
    return zones[0] if len(set(zones)) == 1 else "UTC"
