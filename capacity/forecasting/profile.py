"""Shape times level: an exponentially weighted daily and weekly profile, at the level of the last days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.demand.demand import Demand
from capacity.errors import InputError
from capacity.forecasting.ensemble import paths_around
from capacity.forecasting.seasons import fading
from capacity.forecasting.windows import View

#: Beyond this many half-lives a week weighs less than 2 % and is left out.
_HALF_LIVES = 6


@dataclass(frozen=True)
class Profile:
    """What this hour of the week usually is, at today's level.

    half_life        weeks after which a week counts half in the shape
    level_half_life  days after which a day counts half in the level
    """

    half_life: float = 3.0
    level_half_life: float = 3.0

    def __post_init__(self) -> None:
        if not (self.half_life > 0 and self.level_half_life > 0):
            raise InputError(f"{self!r}: half-lives are above zero")

    @property
    def name(self) -> str:
        return "profile"

    def centre(self, view: View, horizon: int) -> np.ndarray:
        """(S, H) level plus shape, on the models' scale: shape times level in the metric's unit."""
        z, seasons = view.fit, view.seasons
        season = seasons.week or seasons.day
        step_days = seasons.block_days / seasons.block
        if season == 0 or z.shape[1] < season:
            return np.repeat(recent_level(z, self.level_half_life / step_days)[:, None], horizon, axis=1)
        shape = view.once(("shape", self.half_life), lambda: self._shape(view, season))  # (S, season)
        length = z.shape[1]
        known = min(length, max(season, round(4 * self.level_half_life * 4 / step_days)))
        rest = z[:, -known:] - shape[:, np.arange(-known, 0) % season]
        level = recent_level(rest, self.level_half_life / step_days)
        return level[:, None] + shape[:, np.arange(horizon) % season]

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        return paths_around(self, past, horizon, count, rng)

    def _shape(self, view: View, season: int) -> np.ndarray:
        z, seasons = view.fit, view.seasons
        shape = seasonal_shape(z, season, self.half_life * 7 * seasons.block / seasons.block_days)
        return self._steadied(z, shape, seasons.day, season) if season == seasons.week and seasons.day else shape

    def _steadied(self, z: np.ndarray, shape: np.ndarray, day: int, week: int) -> np.ndarray:
        """With few weeks seen, each hour of the week is drawn towards that hour of any day."""
        weeks = z.shape[1] / week
        daily = seasonal_shape(z, day, self.half_life * week)
        levels = shape.reshape(len(z), 7, day).mean(axis=2, keepdims=True)
        plain = (levels + daily[:, None, :]).reshape(len(z), week)
        trust = weeks / (weeks + 0.5)
        return trust * shape + (1 - trust) * plain


def seasonal_shape(z: np.ndarray, season: int, half_life: float) -> np.ndarray:
    """(S, season) weighted mean deviation of each step of the season from its season's mean.

    half_life  steps after which a season counts half
    """
    count = min(z.shape[1] // season, max(1, int(np.ceil(_HALF_LIVES * half_life / season))))
    seasons = z[:, z.shape[1] - count * season :].reshape(len(z), count, season)
    weights = fading(count, half_life / season)
    deviations = seasons - seasons.mean(axis=2, keepdims=True)
    return np.einsum("k,skj->sj", weights / weights.sum(), deviations)


def recent_level(z: np.ndarray, half_life: float) -> np.ndarray:
    """(S,) exponentially weighted mean, half-life in steps."""
    weights = fading(z.shape[1], half_life)
    return np.asarray(z @ weights / weights.sum())
