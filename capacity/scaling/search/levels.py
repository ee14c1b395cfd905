"""The cheapest minimums of a week with few changes a day, by dynamic programming."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

#: At most this many scheduled changes a day: what a person still recognises as "the schedule".
MOST_CHANGES: Final = 5


def cheapest(cost: np.ndarray, allowed: np.ndarray, change: float, most: int = MOST_CHANGES) -> np.ndarray:
    """(D, B) index of the level to hold in each bin of days that follow each other in a circle.

    cost     (D, B, M) of holding each level
    allowed  (B,) bins in which a change may fall
    change   what each change costs
    most     changes a day

    Exact for the level that the circle begins and ends with, which is found by going round it twice.

    >>> day = np.array([2.0] * 8 + [10.0] * 10 + [2.0] * 6)
    >>> tasks = np.array([2.0, 10.0])
    >>> cost = np.maximum(tasks, day[:, None]) + 100 * (day[:, None] > tasks)
    >>> held = cheapest(cost[None], np.ones(24, dtype=bool), change=1.0)
    >>> np.flatnonzero(np.diff(held[0])).tolist()
    [7, 17]
    """
    days, bins, _ = cost.shape
    twice = np.empty((2 * days, bins), dtype=np.int64)
    _solve(np.concatenate([cost, cost]), allowed, change, most, -1, twice)
    held = np.empty((days, bins), dtype=np.int64)
    _solve(np.ascontiguousarray(cost), allowed, change, most, int(twice[days - 1, -1]), held)
    return held


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _solve(
    cost: np.ndarray,
    allowed: np.ndarray,
    change: float,
    most: int,
    edge: int,  # level in force before the first bin and after the last; -1: any
    held: np.ndarray,  # (D, B) out
) -> None:
    """`best[m, c]`: least cost so far with level m in force after c changes today."""
    days, bins, count = cost.shape
    best = np.full((count, most + 1), np.inf)
    for m in range(count):
        if edge < 0 or m == edge:
            best[m, 0] = 0.0
    came = np.empty((days * bins, count, most + 1), dtype=np.int32)  # level before, -1: the same one
    ended = np.zeros((days, count), dtype=np.int32)  # changes that the day before had, for each level
    for day in range(days):
        if day > 0:
            for m in range(count):
                least = 0
                for c in range(1, most + 1):
                    if best[m, c] < best[m, least]:
                        least = c
                ended[day, m] = least
                best[m, 0] = best[m, least]
                best[m, 1:] = np.inf
        for b in range(bins):
            step = day * bins + b
            for c in range(most, -1, -1):  # downwards: the changes so far are those of the bin before
                source, cheap = -1, np.inf
                if c > 0 and allowed[b]:
                    for m in range(count):
                        if best[m, c - 1] < cheap:
                            source, cheap = m, best[m, c - 1]
                for m in range(count):
                    came[step, m, c] = -1
                    if cheap + change < best[m, c]:
                        best[m, c] = cheap + change
                        came[step, m, c] = source
                    best[m, c] += cost[day, b, m]
    level, c = max(edge, 0), 0
    for m in range(count):
        if edge >= 0 and m != edge:
            continue
        for changes in range(most + 1):
            if best[m, changes] < best[level, c]:
                level, c = m, changes
    for step in range(days * bins - 1, -1, -1):
        day, b = step // bins, step % bins
        held[day, b] = level
        source = came[step, level, c]
        if source >= 0:
            level = source
            c -= 1
        if b == 0 and day > 0:
            c = ended[day, level]
