"""Prophet, selectable by name: its own seasonalities, trend changes and samples; quiet, and repeatable."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from capacity.demand.demand import Demand, Key
from capacity.errors import DidNotConverge, InputError, MissingExtra
from capacity.forecasting.base import quietly, refuse_too_short, series_by_series


@dataclass(frozen=True)
class ProphetModel:
    """Prophet with its defaults, on the metric's own scale; what falls below zero is read as zero.

    Its trend and noise samples are drawn with one seed for every series, so path p of each holds the same draws.
    That makes series more alike than they are: sums over services come out wide rather than narrow.
    """

    seasonality_mode: Literal["additive", "multiplicative"] = "additive"
    changepoint_prior_scale: float = 0.05

    def __post_init__(self) -> None:
        if self.seasonality_mode not in ("additive", "multiplicative") or not self.changepoint_prior_scale > 0:
            raise InputError(f"{self!r}: seasonality is additive or multiplicative, the prior above zero")

    @property
    def name(self) -> str:
        return "prophet"

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        refuse_too_short(past)
        if horizon < 1 or count < 1:
            raise InputError(f"horizon={horizon}, paths={count}: both are at least 1")
        seed = int(rng.integers(2**31))
        return np.stack([self._sampled(alone, horizon, count, seed) for alone in series_by_series(past)])

    def _sampled(self, alone: Demand, horizon: int, count: int, seed: int) -> np.ndarray:
        values = np.where(np.isfinite(alone.values[0]), alone.values[0], np.nan)
        if np.nanmax(values) <= 0:
            return np.zeros((count, horizon))
        scale = float(np.nanmean(np.abs(values)))
        stamps = alone.times.tz_localize(None)
        future = pd.date_range(alone.end, periods=horizon, freq=alone.interval, unit="us").tz_localize(None)
        with _silence(), quietly(), _global_seed(seed):
            model = _prophet()(
                seasonality_mode=self.seasonality_mode,
                changepoint_prior_scale=self.changepoint_prior_scale,
                uncertainty_samples=count,
            )
            _fit(model, pd.DataFrame({"ds": stamps, "y": values / scale}).dropna(), seed, alone.keys[0])
            samples = model.predictive_samples(pd.DataFrame({"ds": future}))["yhat"]  # (H, count)
        return np.maximum(np.asarray(samples, dtype=float).T, 0) * scale


def _prophet() -> Any:
    try:
        from prophet import Prophet
    except ImportError as error:
        raise MissingExtra("prophet", "prophet", "The model 'prophet'") from error
    return Prophet


def _fit(model: Any, frame: pd.DataFrame, seed: int, key: Key) -> None:
    try:
        model.fit(frame, seed=seed)
    except (RuntimeError, ValueError) as error:
        advice = "use the model 'auto'."
        raise DidNotConverge(f"{key.service} {key.metric}: Prophet could not be fitted ({error}); {advice}") from error


@contextmanager
def _silence() -> Iterator[None]:
    """Prophet and cmdstanpy log progress; none of it is for our reader."""
    loggers = [logging.getLogger(name) for name in ("prophet", "prophet.plot", "cmdstanpy")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


@contextmanager
def _global_seed(seed: int) -> Iterator[None]:
    """Prophet draws from numpy's global generator: seeded for it, and given back as it was."""
    state = np.random.get_state()  # noqa: NPY002  (the library's own choice)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
