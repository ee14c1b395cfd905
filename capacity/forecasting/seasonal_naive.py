"""Repeat the last season: the model to beat, and on hourly load a hard one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.demand.demand import Demand
from capacity.errors import InputError
from capacity.forecasting.ensemble import paths_around
from capacity.forecasting.windows import View


@dataclass(frozen=True)
class SeasonalNaive:
    """Repeat the last season, with the spread it missed by in the past.

    season  intervals in a season; None: a week, a day when there are less than two weeks, else the last value
    """

    season: int | None = None

    def __post_init__(self) -> None:
        if self.season is not None and self.season < 1:
            raise InputError(f"season={self.season}: a season has at least one interval")

    @property
    def name(self) -> str:
        return "seasonal-naive"

    def centre(self, view: View, horizon: int) -> np.ndarray:
        """(S, H) the last season, over and over; gaps in it as in the seasons before."""
        season = min(self.season or view.seasons.longest, view.filled.shape[1])
        return view.filled[:, -season:][:, np.arange(horizon) % season]

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        return paths_around(self, past, horizon, count, rng)
