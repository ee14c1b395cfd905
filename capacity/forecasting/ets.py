"""Exponential smoothing (statsmodels): level and damped trend, after the shape of the week is taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.demand.demand import Demand
from capacity.errors import DidNotConverge, InputError
from capacity.forecasting.base import quietly
from capacity.forecasting.prepare import Prepared
from capacity.forecasting.profile import seasonal_shape
from capacity.forecasting.shocks import Linear, linear_paths


@dataclass(frozen=True)
class Ets:
    """ETS(A, Ad, N) on the models' log scale, so multiplicative in the metric's unit.

    newest     intervals it is fitted to; more take longer and say little about today's level
    half_life  weeks after which a week counts half in the shape that is taken out first: a season of 168 hourly
               states is beyond what the likelihood can learn from months of data
    """

    newest: int = 1000
    half_life: float = 6.0

    def __post_init__(self) -> None:
        if self.newest < 10 or not self.half_life > 0:
            raise InputError(f"{self!r}: newest is at least 10, half_life above zero")

    @property
    def name(self) -> str:
        return "ets"

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        return linear_paths(self._fit, past, horizon, count, rng)

    def _fit(self, alone: Prepared, horizon: int) -> Linear:
        from statsmodels.tsa.exponential_smoothing.ets import ETSModel

        rest, shape = without_shape(alone, horizon, self.half_life)
        rest = rest[-self.newest :]
        if np.ptp(rest) < 1e-9:  # nothing to learn: the likelihood of a constant has no maximum
            return Linear(rest[-1] + shape, np.zeros(len(rest)), np.eye(1, horizon)[0])
        trended = len(rest) >= 10
        with quietly():
            model = ETSModel(rest, error="add", trend="add" if trended else None, damped_trend=trended)
            fitted = model.fit(disp=False, maxiter=400)
            expected = np.asarray(fitted.forecast(horizon))
        if not fitted.mle_retvals.get("converged", True) and not np.isfinite(fitted.llf):
            raise DidNotConverge("exponential smoothing found no parameters; use the model 'auto' or 'profile'.")
        phi = float(fitted.damping_trend) if trended else 0.0
        trend = float(fitted.smoothing_trend) if trended else 0.0
        psi = psi_weights(float(fitted.smoothing_level), trend, phi, horizon)
        return Linear(expected + shape, np.asarray(fitted.resid), psi)


def without_shape(alone: Prepared, horizon: int, half_life: float) -> tuple[np.ndarray, np.ndarray]:
    """(n,) one series less the shape of its season, and (H,) that shape carried on."""
    z, seasons = alone.fit, alone.seasons
    season = seasons.week or seasons.day
    if season == 0:
        return z[0], np.zeros(horizon)
    steps_a_week = seasons.week or 7 * seasons.day
    shape = seasonal_shape(z, season, half_life * steps_a_week)[0]
    return z[0] - shape[np.arange(-z.shape[1], 0) % season], shape[np.arange(horizon) % season]


def psi_weights(alpha: float, beta: float, phi: float, horizon: int) -> np.ndarray:
    """(H,) effect of one surprise k steps later, for ETS(A, Ad, N): 1, then alpha + beta x (phi + ... + phi^k).

    Source: Hyndman et al. 2008, w' F^(k-1) g with beta = alpha x beta*, as statsmodels counts it.

    >>> psi_weights(0.5, 0.0, 0.0, 3).tolist()
    [1.0, 0.5, 0.5]
    """
    k = np.arange(1, horizon)
    growth = np.cumsum(phi**k) if phi else np.zeros(len(k))
    return np.concatenate([[1.0], alpha + beta * growth])
