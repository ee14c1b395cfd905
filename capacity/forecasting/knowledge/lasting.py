"""Changes of level that stay: a migration, a new client, a cache. Measured across the moment at which they came."""

from __future__ import annotations

from typing import Final

import numpy as np

from capacity.forecasting.knowledge.places import ROUNDING, Grid
from capacity.forecasting.knowledge.usual import MAD, TOGETHER, median

#: Weeks on either side that a change is measured over: long enough to even out days, short enough to leave growth out.
WEEKS: Final = 2

#: Weeks before it that say what a week usually gains.
BEFORE: Final = 8

#: A change that came with less than this many days of history after it, or before it, is not measured.
LEAST_DAYS: Final = 2


def change_of_level(logs: np.ndarray, start: float, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """(S,) by how much (S, n) log values changed at a position, and (S,) how sure: a standard deviation.

    Values of up to two weeks after it, each against the same hour of the last week before, less what weeks usually
    gain. NaN where there are less than two days on either side.

    start  position on the grid: part of an interval belongs to neither side
    """
    length = logs.shape[1]
    season = grid.week if 0 < grid.week <= np.floor(start) else max(grid.day, 1)
    last, first = int(np.floor(start + ROUNDING)), int(np.ceil(start - ROUNDING))  # before `last`, from `first` on
    least = max(1, round(LEAST_DAYS * 86400 / grid.interval.total_seconds()))
    columns = np.arange(first, min(length, first + WEEKS * season))
    unknown = np.full(len(logs), np.nan)
    if len(columns) < least or last < max(least, season):
        return unknown, unknown
    seasons = -(-(columns - last + 1) // season)
    gains = logs[:, columns] - logs[:, columns - seasons * season]
    before = logs[:, max(0, last - BEFORE * season) : last]
    if before.shape[1] > season:
        usual = np.nan_to_num(median((before[:, season:] - before[:, :-season]).T))
        gains = gains - usual[:, None] * seasons
    size = median(gains.T)
    known = np.isfinite(gains).sum(axis=1)
    doubt = MAD * median(np.abs(gains - size[:, None]).T) / np.sqrt(np.maximum(known / TOGETHER, 1))
    return np.where(known >= least, size, np.nan), np.where(known >= least, doubt, np.nan)


def raised(values: np.ndarray, start: float, size: np.ndarray) -> np.ndarray:
    """(S, n) log factors that bring what was before a position to the level after it."""
    before = np.clip(start - np.arange(values.shape[1]), 0.0, 1.0)  # share of each interval that lay before
    level = np.exp(size)[:, None]
    return np.where(before > 0, np.log(level / (before + (1 - before) * level)), 0.0)
