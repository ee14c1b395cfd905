"""Waves and a damped trend: ridge regression on Fourier terms, with exponential forgetting, for all series at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import scipy.linalg

from capacity.demand.demand import Demand
from capacity.errors import InputError
from capacity.forecasting.ensemble import paths_around
from capacity.forecasting.windows import View

#: Harmonics of a day; each also beside its neighbours in the week, which lets weekdays differ in shape.
DAILY, SIDEBANDS, SLOW, YEARLY = 8, 4, 10, 4

#: From this many days on, a trend can be told from a day or a weekend.
TREND_DAYS: Final = 14

#: Beyond this many half-lives an interval weighs less than 7 % and is left out.
_HALF_LIVES: Final = 4


@dataclass(frozen=True)
class Harmonic:
    """Daily and weekly waves (and a yearly one from 1.6 years on) around a level with a damped trend.

    half_life  days after which an interval counts half
    damping    days over which a trend loses half of its speed
    ridge      how strongly waves are drawn towards none, as a share of the weight of the data
    """

    half_life: float = 42.0
    damping: float = 60.0
    ridge: float = 1e-3

    def __post_init__(self) -> None:
        if not (self.half_life > 0 and self.damping > 0 and self.ridge >= 0):
            raise InputError(f"{self!r}: half-life and damping are above zero, ridge is not negative")

    @property
    def name(self) -> str:
        return "harmonic"

    def centre(self, view: View, horizon: int) -> np.ndarray:
        """(S, H) level, trend and waves carried on. The slow part is learnt from block means, the waves on the rest."""
        seasons = view.seasons
        slow_past, slow_next = self._slow(view, horizon)
        step_days = seasons.block_days / seasons.block
        rows = min(view.fit.shape[1], round(_HALF_LIVES * self.half_life / step_days))
        basis = _waves(rows + horizon, seasons.day, seasons.week, rows)  # (rows + H, K), time counted from the origin
        if basis.shape[1] == 0:
            return slow_next
        rest = view.fit[:, -rows:] - slow_past[:, -rows:]
        weights = 0.5 ** (np.arange(rows)[::-1] * step_days / self.half_life)
        factor = _normal_equations(rows, seasons.day, seasons.week, self.half_life / step_days, self.ridge)
        right = basis[:rows].T @ (rest * weights).T  # (K, S)
        waves = scipy.linalg.cho_solve(factor, right)
        return np.asarray(slow_next + (basis[rows:] @ waves).T)

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        return paths_around(self, past, horizon, count, rng)

    def _slow(self, view: View, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """(S, n) and (S, H): level, trend and year, by weighted ridge on the means of whole days (or steps)."""
        z, seasons = view.fit, view.seasons
        size = seasons.day or 1
        count = z.shape[1] // size
        means = z[:, z.shape[1] - count * size :].reshape(len(z), count, size).mean(axis=2)
        step_days = seasons.block_days / seasons.block * size
        age = (np.arange(count)[::-1] + 0.5) * step_days  # days before the origin
        half_life = max(self.half_life, 365.0) if seasons.year else self.half_life
        week = 7 if (seasons.week and seasons.day) else seasons.week
        year = seasons.year * step_days / size if seasons.year else 0.0
        X = self._slow_basis(-age, week, step_days, year)  # noqa: N806
        weights = 0.5 ** (age / half_life)
        gram = X.T @ (X * weights[:, None]) + np.diag(self._slow_ridge(X.shape[1], count * step_days) * weights.sum())
        coefficients = np.linalg.solve(gram, X.T @ (means * weights).T)  # (K, S)
        steps = np.arange(-z.shape[1], horizon) + 0.5
        days = steps * step_days / size
        full = self._slow_basis(days, 0, 1.0, year)
        slow = (full @ coefficients[: full.shape[1]]).T
        recent = means - (X[:, : full.shape[1]] @ coefficients[: full.shape[1]]).T
        slow = slow + _remaining_level(recent, age, X, coefficients, full.shape[1], self.half_life)[:, None]
        return slow[:, : z.shape[1]], slow[:, z.shape[1] :]

    def _slow_basis(self, days: np.ndarray, week: int, step_days: float, year: float) -> np.ndarray:
        """(n, K) one, trend (damped after the origin), year waves, then waves of the week of daily means."""
        rate = np.log(2) / self.damping
        ahead = np.where(days > 0, -np.expm1(-rate * np.maximum(days, 0)) / rate, days)
        columns = [np.ones_like(days), ahead / self.half_life]
        length = 365.25
        for k in range(1, YEARLY + 1) if year else ():
            columns += [np.cos(2 * np.pi * k * days / length), np.sin(2 * np.pi * k * days / length)]
        for k in range(1, min(3, (week - 1) // 2) + 1 if week else 1):
            angle = 2 * np.pi * k * (days / step_days) / week
            columns += [np.cos(angle), np.sin(angle)]
        return np.stack(columns, axis=1)

    def _slow_ridge(self, count: int, days: float) -> np.ndarray:
        ridge = np.full(count, 10 * self.ridge)
        ridge[0] = 1e-9
        ridge[1] = 0.05 if days >= TREND_DAYS else 1e6
        return ridge


def _remaining_level(
    rest: np.ndarray, age: np.ndarray, basis: np.ndarray, coefficients: np.ndarray, slow: int, half_life: float
) -> np.ndarray:
    """(S,) what the last half-life or so still leaves of level, the week's waves taken out."""
    residual = rest - (basis[:, slow:] @ coefficients[slow:]).T
    weights = 0.5 ** (age / (half_life / 4))
    return np.asarray(residual @ weights / (weights.sum() + 1.0))


@lru_cache(maxsize=32)
def _waves(count: int, day: int, week: int, origin: int) -> np.ndarray:
    """(count, 2 x waves) cosines and sines; step `origin` is time zero, so that every origin shares one basis."""
    period = week or day
    if period == 0:
        return np.empty((count, 0))
    frequencies = wave_numbers(day, week)
    angle = 2 * np.pi * np.arange(-origin, count - origin)[:, None] * (np.array(frequencies) / period)[None, :]
    basis = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    basis.flags.writeable = False
    return basis


def wave_numbers(day: int, week: int) -> list[int]:
    """Which multiples of the longest season's frequency are modelled; below half of the steps, so that none aliases.

    >>> wave_numbers(0, 7)
    [1, 2, 3]
    >>> wave_numbers(24, 168)[-3:]
    [42, 49, 56]
    """
    period = week or day
    if week == 0 or day == 0:
        wanted = set(range(1, DAILY + 1))
    else:
        wanted = set(range(1, SLOW + 1)) | {7 * k for k in range(1, DAILY + 1)}
        wanted |= {7 * k + side for k in range(1, SIDEBANDS + 1) for side in (-2, -1, 1, 2)}
    return sorted(number for number in wanted if 2 * number < period)


@lru_cache(maxsize=64)
def _normal_equations(rows: int, day: int, week: int, half_life: float, ridge: float) -> tuple[np.ndarray, bool]:
    """Cholesky factor of the weighted normal equations: the same for every series and origin of one length."""
    basis = _waves(rows, day, week, rows)
    weights = 0.5 ** (np.arange(rows)[::-1] / half_life)
    gram = basis.T @ (basis * weights[:, None])
    gram[np.diag_indices_from(gram)] += weights.sum() * ridge
    factor: tuple[np.ndarray, bool] = scipy.linalg.cho_factor(gram)
    return factor
