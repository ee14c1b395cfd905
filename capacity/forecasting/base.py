"""The contract of a forecaster, and how one is found by its name.

A forecaster is its settings: a frozen dataclass whose repr can be pasted back. It is shown the past and answers with
sample paths; randomness arrives as a generator. A model that cannot answer raises, and never returns zeros.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from capacity.demand.demand import Demand
from capacity.errors import HistoryTooShort, InputError
from capacity.findings import NO_FINDINGS, Findings

#: Entry-point group in which packages name their models, ours among them.
GROUP: Final = "capacity.models"

#: Our own models: what is found where the package is not installed, such as a bare checkout.
BUILT_IN: Final[dict[str, str]] = {
    "auto": "capacity.forecasting.auto:Auto",
    "boosting": "capacity.forecasting.boosting:Boosting",
    "ets": "capacity.forecasting.ets:Ets",
    "harmonic": "capacity.forecasting.harmonic:Harmonic",
    "last-year": "capacity.forecasting.last_year:LastYear",
    "profile": "capacity.forecasting.profile:Profile",
    "prophet": "capacity.forecasting.prophet:ProphetModel",
    "sarimax": "capacity.forecasting.sarimax:Sarimax",
    "seasonal-naive": "capacity.forecasting.seasonal_naive:SeasonalNaive",
}

#: Fewest measured intervals that any model answers from. Three differences are the least that has a spread.
FEWEST: Final = 4


@runtime_checkable
class Forecaster(Protocol):
    """Settings in, sample paths out.

    `paths` gives (S, count, H): possible values of the H intervals that follow `past`, in the metric's unit, finite
    and not negative. Path p of every series is part of the same future. `past` is not changed, the array is its
    caller's to keep and to change, `rng` is the only source of chance, and no warning leaks. Raises HistoryTooShort or
    another ForecastError, naming the series.
    """

    @property
    def name(self) -> str: ...

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class Fan:
    """Sample paths with how they came about: what a model that compares or falls back has to say beside its paths."""

    paths: np.ndarray  # (S, P, H)
    models: tuple[str, ...]  # (S,) "auto(harmonic 0.6, profile 0.4)"
    scores: pd.DataFrame | None = None  # `schema.SCORES`
    findings: Findings = NO_FINDINGS


@runtime_checkable
class Explained(Forecaster, Protocol):
    """A forecaster that also says how its paths came about."""

    def fan(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> Fan: ...


def fan_of(model: Forecaster, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> Fan:
    """The paths of any forecaster, with what it says about them."""
    if isinstance(model, Explained):
        return model.fan(past, horizon, count, rng)
    return Fan(model.paths(past, horizon, count, rng), (model.name,) * len(past.keys))


def model_names() -> list[str]:
    """Every name that `model_named` knows: ours and those of installed packages."""
    return sorted({*BUILT_IN, *(point.name for point in _points())})


def model_named(model: str | Forecaster) -> Forecaster:
    """The model of that name, with its default settings; a model itself is given back as it is.

    >>> model_named("seasonal-naive")
    SeasonalNaive(season=None)
    >>> model_named("oracle")
    Traceback (most recent call last):
        ...
    capacity.errors.InputError: there is no model 'oracle'
    Models: auto, boosting, ets, harmonic, last-year, profile, prophet, sarimax, seasonal-naive.
    """
    if not isinstance(model, str):
        if isinstance(model, type) or not isinstance(model, Forecaster):
            raise InputError(
                f"{model!r} is not a model", advice="Give a name, or an instance with `name` and `paths(...)`."
            )
        return model
    if model in BUILT_IN:
        return _loaded(BUILT_IN[model])
    for point in _points():
        if point.name == model:
            found: Forecaster = point.load()()
            return found
    raise InputError(f"there is no model {model!r}", advice=f"Models: {', '.join(model_names())}.")


def _loaded(place: str) -> Forecaster:
    module, _, name = place.partition(":")
    found: Forecaster = getattr(import_module(module), name)()
    return found


def _points() -> list[EntryPoint]:
    return sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def refuse_too_short(past: Demand, need: int = FEWEST, why: str = "") -> None:
    """Raise HistoryTooShort, naming the series, when one has fewer than `need` measured intervals."""
    have = np.isfinite(past.values).sum(axis=1)
    if not past.keys:
        raise InputError("there is no series to forecast")
    for key, count in zip(past.keys, have, strict=True):
        if count < need:
            raise HistoryTooShort(
                f"{key.service} {key.metric}",
                have=int(count),
                need=need,
                unit=f"intervals of {past.interval}",
                advice=why or "Bring more history: no spread can be learnt from so few.",
            )


def series_by_series(past: Demand) -> Iterator[Demand]:
    """One Demand a series: the loop for models that take one series at a time."""
    for key in past.keys:
        yield past.select([key])


@contextmanager
def quietly() -> Iterator[list[Any]]:
    """Warnings of a library, captured for its caller to judge instead of leaked to ours."""
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def named(items: Iterable[tuple[str, float]]) -> str:
    """Names with their weights, heaviest first, as a model label shows them.

    >>> named([("profile", 0.25), ("harmonic", 0.75)])
    'harmonic 0.75, profile 0.25'
    """
    ordered = sorted(items, key=lambda item: (-round(item[1], 2), item[0]))
    return ", ".join(f"{name} {weight:.2g}" for name, weight in ordered if round(weight, 2) > 0)
