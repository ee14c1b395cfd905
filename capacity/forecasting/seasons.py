"""Which rhythms a grid can show: steps in a day, a week and a year, and the block in which errors are drawn."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from capacity.timegrid import steps_per

_DAY = pd.Timedelta(days=1)


class Seasons(NamedTuple):
    """Lengths in steps of one grid; 0 for a season that the grid, or the length of the history, cannot show.

    block   the unit of error paths: a day; a week for daily data; one step for anything coarser or very short
    """

    day: int
    week: int
    year: float
    block: int
    block_days: float

    @property
    def longest(self) -> int:
        """The season that seasonal naive repeats: a week, else a day, else one step."""
        return self.week or self.day or 1


#: A yearly season is learnt from this many years on: less cannot tell it from growth.
YEARS_FOR_A_YEAR = 1.6


def seasons_of(interval: pd.Timedelta, length: int) -> Seasons:
    """Seasons that `length` intervals can show: one full day, two full weeks, 1.6 years.

    >>> seasons_of(pd.Timedelta("1h"), 24 * 60)
    Seasons(day=24, week=168, year=0.0, block=24, block_days=1.0)
    >>> seasons_of(pd.Timedelta(days=1), 700).week
    7
    >>> seasons_of(pd.Timedelta("5min"), 600).week
    0
    """
    day, week = steps_per("1d", interval), steps_per("7d", interval)
    year = pd.Timedelta(days=365.25) / interval
    weekly = week if week and length >= 4 * week else 1
    block = max(1, round(_DAY / interval)) if interval < _DAY else weekly
    block = min(block, max(1, length // 4))
    return Seasons(
        day=day if length >= 2 * day else 0,
        week=week if length >= 2 * week else 0,
        year=year if year > 2 and length >= YEARS_FOR_A_YEAR * year else 0.0,
        block=block,
        block_days=block * (interval / _DAY),
    )


def fading(count: int, half_life: float) -> np.ndarray:
    """(count,) weights that halve every `half_life` steps back from the last, which weighs 1. Not to be written to.

    >>> fading(3, 1.0).tolist()
    [0.25, 0.5, 1.0]
    """
    return _faded(1 << max(count - 1, 0).bit_length(), half_life)[-count:]


@lru_cache(maxsize=64)
def _faded(count: int, half_life: float) -> np.ndarray:
    weights: np.ndarray = 0.5 ** (np.arange(count)[::-1] / half_life)
    weights.flags.writeable = False
    return weights
