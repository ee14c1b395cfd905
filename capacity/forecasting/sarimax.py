"""SARIMAX (statsmodels): a small ARIMA around the shape of the week and Fourier waves of what it left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.demand.demand import Demand
from capacity.errors import DidNotConverge, InputError
from capacity.forecasting.base import quietly
from capacity.forecasting.ets import without_shape
from capacity.forecasting.prepare import Prepared
from capacity.forecasting.seasons import Seasons
from capacity.forecasting.shocks import Linear, linear_paths

#: Pairs of waves of the day and of the week that are regressed on, after the usual shape was taken out.
DAY_WAVES, WEEK_WAVES = 2, 2


@dataclass(frozen=True)
class Sarimax:
    """ARIMA(p, d, q) with Fourier regressors, on the models' log scale.

    The regressors are fitted first, by least squares: estimated together with the ARIMA they cost seconds a series.

    order    (p, d, q)
    newest   intervals it is fitted to
    maxiter  steps of the optimiser
    """

    order: tuple[int, int, int] = (1, 1, 1)
    newest: int = 700
    maxiter: int = 60

    def __post_init__(self) -> None:
        p, d, q = self.order
        if not (0 <= p <= 5 and 0 <= d <= 2 and 0 <= q <= 5 and self.newest >= 20 and self.maxiter >= 1):
            raise InputError(f"{self!r}: orders are small (p, q <= 5, d <= 2), newest at least 20, maxiter at least 1")

    @property
    def name(self) -> str:
        return "sarimax"

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        return linear_paths(self._fit, past, horizon, count, rng)

    def _fit(self, alone: Prepared, horizon: int) -> Linear:
        from statsmodels.tsa.arima_process import arma2ma
        from statsmodels.tsa.statespace.sarimax import SARIMAX

        rest, shape = without_shape(alone, horizon, half_life=8.0)
        rest = rest[-self.newest :]
        if np.ptp(rest) < 1e-9:  # nothing to learn: the likelihood of a constant has no maximum
            return Linear(rest[-1] + shape, np.zeros(len(rest)), np.eye(1, horizon)[0])
        waves = fourier(len(rest), horizon, alone.seasons)
        carried = waves @ np.linalg.lstsq(waves[: len(rest)], rest, rcond=None)[0]  # (n + H,)
        rest, shape = rest - carried[: len(rest)], shape + carried[len(rest) :]
        scale = max(float(rest.std()), 1e-9)
        with quietly():
            model = SARIMAX(rest / scale, order=self.order, concentrate_scale=True)
            fitted = model.fit(disp=False, maxiter=self.maxiter)
            expected = np.asarray(fitted.forecast(horizon)) * scale
        if not np.isfinite(fitted.llf) or not np.isfinite(fitted.params).all():
            raise DidNotConverge("SARIMAX found no parameters; use the model 'auto' or 'profile'.")
        ar = np.asarray(fitted.polynomial_ar, dtype=float)
        for _ in range(self.order[1]):
            ar = np.convolve(ar, [1.0, -1.0])
        psi = np.asarray(arma2ma(ar, np.asarray(fitted.polynomial_ma, dtype=float), lags=horizon))
        burnt = sum(self.order)  # the first errors are those of the filter's start, not of the series
        return Linear(expected + shape, np.asarray(fitted.resid)[burnt:] * scale, psi)


def fourier(past: int, horizon: int, seasons: Seasons) -> np.ndarray:
    """(past + horizon, K) one, and cosines and sines of day and week."""
    steps = np.arange(-past, horizon)
    waves = [(k, seasons.day) for k in range(1, DAY_WAVES + 1) if 2 * k < seasons.day]
    waves += [(k, seasons.week) for k in range(1, WEEK_WAVES + 1) if 2 * k < seasons.week <= past]
    angles = [2 * np.pi * k * steps / period for k, period in waves]
    columns = [np.ones(len(steps)), *(wave(angle) for angle in angles for wave in (np.cos, np.sin))]
    return np.stack(columns, axis=1)
