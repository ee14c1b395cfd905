"""Where to cut a day: the hours at which holding a minimum wastes least, by dynamic programming."""

from __future__ import annotations

from typing import Final

import numpy as np

HOURS: Final = 24

#: At most this many scheduled changes a day: what a person still recognises as "the schedule".
MOST_CHANGES: Final = 5

#: A change must save this share of the day's task-hours, or it is left out.
WORTH: Final = 0.03


def cut_day(need: np.ndarray, allowed: np.ndarray, most: int = MOST_CHANGES, worth: float = WORTH) -> list[int]:
    """Hours at which the minimum of a day changes, ascending. The last level of a day holds into the next one.

    need     (24,) tasks; each stretch between two changes holds the largest need inside it
    allowed  (24,) where a change may fall

    Least sum of (held tasks + worth x the day's need for each change), by dynamic programming from every first hour.

    >>> need = np.array([2.0] * 8 + [10.0] * 10 + [2.0] * 6)
    >>> cut_day(need, np.ones(24, dtype=bool))
    [8, 18]
    >>> cut_day(np.full(24, 3.0), np.ones(24, dtype=bool))
    [0]
    """
    price, circle = worth * need.sum(), _circle(need)
    best, hours = need.max() * HOURS + price, [0]
    if most < 2:
        return hours
    for first in np.flatnonzero(allowed):
        cost = circle[(_START + first) % HOURS, _LENGTH]
        cost[~np.roll(allowed, -first)] = np.inf  # a stretch starts only where a change may fall
        reach = cost[0] + price  # (25,) least cost up to each hour with one stretch so far
        back = []
        for _ in range(1, most):
            paths = reach[:HOURS, None] + cost + price
            back.append(paths.argmin(axis=0))
            reach = paths.min(axis=0)
            if reach[HOURS] < best - 1e-9:
                best, hours = float(reach[HOURS]), _trace(back, int(first))
    return hours


#: Hour at which a stretch starts, and how long it is, for stretches i..j-1 of a day: (24, 25). Those with j <= i have
#: length 0, which costs infinitely much.
_START: Final = np.repeat(np.arange(HOURS)[:, None], HOURS + 1, axis=1)
_LENGTH: Final = np.maximum(np.arange(HOURS + 1)[None, :] - np.arange(HOURS)[:, None], 0)


def _circle(need: np.ndarray) -> np.ndarray:
    """(24, 25) task-hours of holding, from each hour on and for each count of hours, the largest need; 0 hours: inf."""
    around = np.concatenate([need, need])
    hours = around[np.arange(HOURS)[:, None] + np.arange(HOURS)[None, :]]
    cost = np.maximum.accumulate(hours, axis=1) * np.arange(1, HOURS + 1)
    return np.concatenate([np.full((HOURS, 1), np.inf), cost], axis=1)


def _trace(back: list[np.ndarray], first: int) -> list[int]:
    """Start hours of the stretches, from the choices made on the way."""
    place, starts = HOURS, []
    for choice in reversed(back):
        place = int(choice[place])
        starts.append(place)
    return sorted((first + start) % HOURS for start in [*starts, 0])
