"""The year's course: today's level moved as the level moved a year ago. It needs one year, not the two of a wave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from capacity.demand.demand import Demand
from capacity.errors import InputError
from capacity.forecasting.ensemble import paths_around
from capacity.forecasting.profile import Profile
from capacity.forecasting.windows import View

#: Fifty-two weeks: weekdays fall on weekdays.
YEAR_DAYS: Final = 364


@dataclass(frozen=True)
class LastYear:
    """Shape of the week at today's level, plus a share of how the level went at this time last year.

    share    how much of last year's movement is expected again, on the models' log scale: 0 to 1
    smooth   days over which last year's level is averaged, centred
    profile  shape and level that the movement is added to, and all there is while history is shorter than a year
             and half of `smooth`, or has no week (intervals of a week or more)

    `share` and `smooth` were chosen on the tuning sets and the public series that docs/accuracy.md names.
    """

    share: float = 0.8
    smooth: float = 28.0
    profile: Profile = field(default_factory=lambda: Profile(20.0, 7.0))

    def __post_init__(self) -> None:
        if not (0 <= self.share <= 1 and self.smooth >= 1):
            raise InputError(f"{self!r}: share is from 0 to 1, smooth at least a day")

    @property
    def name(self) -> str:
        return "last-year"

    def centre(self, view: View, horizon: int) -> np.ndarray:
        """(S, H) on the models' scale."""
        ordinary = self.profile.centre(view, horizon)
        step_days = view.seasons.block_days / view.seasons.block
        year, half = round(YEAR_DAYS / step_days), max(1, round(self.smooth / 2 / step_days))
        length = view.fit.shape[1]
        if not view.seasons.week or length < year + half:
            return ordinary
        total = view.once("total", lambda: np.pad(view.fit, ((0, 0), (1, 0))).cumsum(axis=1))  # (S, n + 1)
        week = view.seasons.week
        whole = max(1, round(2 * half / week)) * week  # whole weeks, so that the shape of the week cancels

        def level(middle: np.ndarray) -> np.ndarray:
            start = np.clip(middle - whole // 2, 0, length - whole)
            return np.asarray((total[:, start + whole] - total[:, start]) / whole)

        ahead = length - year + np.minimum(np.arange(horizon), year - 1)
        moved = level(ahead) - level(np.array([length - year]))
        return np.asarray(ordinary + self.share * moved)

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        return paths_around(self, past, horizon, count, rng)
