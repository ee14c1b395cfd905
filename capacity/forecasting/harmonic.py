"""Waves and a damped trend: ridge regression on Fourier terms, with exponential forgetting, for all series at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import scipy.linalg

from capacity.demand.demand import Demand
from capacity.errors import InputError
from capacity.forecasting.ensemble import paths_around
from capacity.forecasting.seasons import Seasons, fading
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
    steadiness how strongly the trend is drawn towards none, likewise
    """

    half_life: float = 42.0
    damping: float = 60.0
    ridge: float = 1e-3
    steadiness: float = 0.05

    def __post_init__(self) -> None:
        if not (self.half_life > 0 and self.damping > 0 and self.ridge >= 0 and self.steadiness >= 0):
            raise InputError(f"{self!r}: half-life and damping are above zero, ridge and steadiness not negative")

    @property
    def name(self) -> str:
        return "harmonic"

    def centre(self, view: View, horizon: int) -> np.ndarray:
        """(S, H) level, trend and waves carried on. The slow part is learnt from block means, the waves on the rest."""
        seasons = view.seasons
        step_days = seasons.block_days / seasons.block
        rows = min(view.fit.shape[1], round(_HALF_LIVES * self.half_life / step_days))
        slow_past, slow_next = self._slow(view, rows, horizon)
        period = seasons.week or seasons.day
        if period == 0:
            return slow_next
        basis = _waves(seasons.day, seasons.week)  # (period, K), time counted from the origin
        rest = (view.fit[:, view.fit.shape[1] - rows :] - slow_past) * fading(rows, self.half_life / step_days)
        folded = np.pad(rest, ((0, 0), (-rows % period, 0))).reshape(len(rest), -1, period).sum(axis=1)  # (S, period)
        factor = _normal_equations(rows, seasons.day, seasons.week, self.half_life / step_days, self.ridge)
        waves = scipy.linalg.cho_solve(factor, (folded @ basis).T)  # (K, S)
        return np.asarray(slow_next + (basis @ waves).T[:, np.arange(horizon) % period])

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        return paths_around(self, past, horizon, count, rng)

    def _slow(self, view: View, rows: int, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """(S, rows) and (S, H): level, trend and year, by weighted ridge on the means of whole days (or steps)."""
        z, seasons = view.fit, view.seasons
        size = seasons.day or 1
        count = z.shape[1] // size
        means = view.once("daily means", lambda: z[:, -count * size :].reshape(len(z), count, size).mean(axis=2))
        fit = _slow_fit(self, count, seasons)
        coefficients = fit.solve @ means.T  # (K, S)
        known = coefficients[: fit.lasting]
        slow = (_slow_steps(self, rows, horizon, seasons) @ known).T
        recent = means - (fit.basis @ coefficients).T
        slow += (recent @ fit.recent)[:, None]
        return slow[:, :rows], slow[:, rows:]

    def slow_basis(self, days: np.ndarray, week: int, step_days: float, year: bool) -> np.ndarray:
        """(n, K) one, trend (damped after the origin), year waves, then waves of the week of daily means."""
        rate = np.log(2) / self.damping
        ahead = np.where(days > 0, -np.expm1(-rate * np.maximum(days, 0)) / rate, days)
        columns = [np.ones_like(days), ahead / self.half_life]
        for k in range(1, YEARLY + 1) if year else ():
            angle = 2 * np.pi * k * days / 365.25
            columns += [np.cos(angle), np.sin(angle)]
        for k in range(1, min(3, (week - 1) // 2) + 1 if week else 1):
            angle = 2 * np.pi * k * (days / step_days) / week
            columns += [np.cos(angle), np.sin(angle)]
        return np.stack(columns, axis=1)

    def slow_ridge(self, count: int, days: float) -> np.ndarray:
        ridge = np.full(count, 10 * self.ridge)
        ridge[0] = 1e-9
        ridge[1] = self.steadiness if days >= TREND_DAYS else 1e6
        return ridge


class _SlowFit(NamedTuple):
    """What depends on the length of the history alone, so that every series and call shares it."""

    basis: np.ndarray  # (days, K)
    solve: np.ndarray  # (K, days) daily means -> coefficients
    lasting: int  # how many coefficients are level, trend and year; the others are the week
    recent: np.ndarray  # (days,) weights of what the last half-life or so still leaves of level


@lru_cache(maxsize=256)
def _slow_fit(model: Harmonic, count: int, seasons: Seasons) -> _SlowFit:
    step_days = seasons.block_days / seasons.block * (seasons.day or 1)
    age = (np.arange(count)[::-1] + 0.5) * step_days  # days before the origin
    week = 7 if (seasons.week and seasons.day) else seasons.week
    year = bool(seasons.year)
    basis = model.slow_basis(-age, week, step_days, year)
    weights = 0.5 ** (age / (max(model.half_life, 365.0) if year else model.half_life))
    gram = basis.T @ (basis * weights[:, None])
    gram += np.diag(model.slow_ridge(basis.shape[1], count * step_days) * weights.sum())
    near = 0.5 ** (age / (model.half_life / 4))
    return _SlowFit(
        basis,
        np.linalg.solve(gram, (basis * weights[:, None]).T),
        2 + (2 * YEARLY if year else 0),
        near / (near.sum() + 1.0),
    )


def _slow_steps(model: Harmonic, rows: int, horizon: int, seasons: Seasons) -> np.ndarray:
    """(rows + H, K) level, trend and year at every step, time zero at the origin."""
    longer = 1 << max(rows - 1, 0).bit_length()  # one table for histories of many lengths
    return _slow_table(model, longer, horizon, seasons)[longer - rows :]


@lru_cache(maxsize=64)
def _slow_table(model: Harmonic, rows: int, horizon: int, seasons: Seasons) -> np.ndarray:
    days = (np.arange(-rows, horizon) + 0.5) * (seasons.block_days / seasons.block)
    return model.slow_basis(days, 0, 1.0, bool(seasons.year))


@lru_cache(maxsize=32)
def _waves(day: int, week: int) -> np.ndarray:
    """(period, 2 x waves) cosines and sines over one turn of the longest season, time zero first."""
    period = week or day
    angle = 2 * np.pi * np.arange(period)[:, None] * (np.array(wave_numbers(day, week)) / period)[None, :]
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


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


@lru_cache(maxsize=256)
def _normal_equations(rows: int, day: int, week: int, half_life: float, ridge: float) -> tuple[np.ndarray, bool]:
    """Cholesky factor of the weighted normal equations: the same for every series and origin of one length.

    Every wave turns a whole number of times in the longest season, so weights are summed over seasons first.
    """
    period = week or day
    basis = _waves(day, week)
    weights = np.pad(fading(rows, half_life), (-rows % period, 0)).reshape(-1, period).sum(axis=0)
    gram = basis.T @ (basis * weights[:, None])
    gram[np.diag_indices_from(gram)] += weights.sum() * ridge
    factor: tuple[np.ndarray, bool] = scipy.linalg.cho_factor(gram)
    return factor
