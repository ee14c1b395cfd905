"""What a scheduled minimum is worth: the cost of holding each level in each part of the week.

Target tracking is replayed without a schedule first. Where a minimum of m tasks were in force, about max(m, what
tracking ran) would have served: so each minute's cost, in tasks and in shortage, is known for every level at once, and
the minutes do not depend on each other. That is what lets dynamic programming find the best schedule exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit


class Worth(NamedTuple):
    """Means over the minutes of each part of the week: (D, B, M) for D days, B bins a day and M levels.

    serving  tasks
    short    share of minutes with too few
    missing  tasks
    known    (D, B) minutes they rest on; where there is none, a level costs its own tasks
    """

    levels: np.ndarray  # (M,) tasks, ascending
    serving: np.ndarray
    short: np.ndarray
    missing: np.ndarray
    known: np.ndarray

    def pooled(self, groups: tuple[tuple[int, ...], ...]) -> Worth:
        """The days of each group as one."""
        weight = self.known[:, :, None]
        total = np.stack([self.known[list(days)].sum(axis=0) for days in groups])
        parts = [
            np.stack([(part * weight)[list(days)].sum(axis=0) for days in groups]) / np.maximum(total, 1)[:, :, None]
            for part in (self.serving, self.short, self.missing)
        ]
        return Worth(self.levels, parts[0], parts[1], parts[2], total)

    def cost(self, price: float) -> np.ndarray:
        """(D, B, M) tasks, a shortage included.

        price  of a short minute, in mean serving tasks; a missing task costs `MISSING` times that many tasks
        """
        cost = self.serving + price * (self.usual * self.short + MISSING * self.missing)
        return np.where(self.known[:, :, None] > 0, cost, self.levels)

    @property
    def usual(self) -> float:
        """Mean tasks that tracking alone had serving, over the parts of the week that are known; 1 where none is."""
        known = self.known > 0
        return float(self.serving[:, :, 0][known].mean()) if known.any() else 1.0


#: A missing task, against the price of a minute in which any is missing: a deep shortage is worse than a shallow one.
MISSING = 4.0


def worth(serving: np.ndarray, need: np.ndarray, place: np.ndarray, days: int, bins: int, levels: np.ndarray) -> Worth:
    """The worth of every level.

    serving  (R, n) tasks that tracking alone had serving
    need     (R, n) whole tasks that were needed; NaN where not known
    place    (n,) day x bins + bin of each minute

    >>> one = worth(np.array([[2, 2]]), np.array([[2.0, 5.0]]), np.array([0, 1]), 1, 2, np.array([2, 5]))
    >>> one.serving[0].tolist(), one.short[0].tolist(), one.missing[0].tolist()
    ([[2.0, 5.0], [2.0, 5.0]], [[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [3.0, 0.0]])
    """
    parts, count = days * bins, len(levels)
    # of a count of tasks the first level that is not below it; the last entry stands for all counts above the levels
    first = np.searchsorted(levels, np.arange(int(levels[-1]) + 2))
    edges, known = np.zeros((6, parts, count + 1)), np.zeros(parts)
    _add(serving, need, place, first, edges, known)
    # of each minute only where its effect begins and ends was noted: sums over the levels spread it over all
    ran, raised, short, too_few, needed, held = np.cumsum(edges, axis=2)[:, :, :count]
    sums = (ran + raised * levels, short, too_few + needed - held * levels)
    whole = np.maximum(known, 1)[:, None]
    means = [(part / whole).reshape(days, bins, count) for part in sums]
    return Worth(levels, means[0], means[1], means[2], known.reshape(days, bins))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _add(
    serving: np.ndarray,
    need: np.ndarray,
    place: np.ndarray,
    first: np.ndarray,  # of a count of tasks: the first level that is not below it
    edges: np.ndarray,  # (6, parts, M + 1) in and out
    known: np.ndarray,  # (parts,) in and out
) -> None:
    """With what ran below it a level serves, above it not: from `raises` on. A need is met from `meets` on."""
    for row in range(serving.shape[0]):
        for minute in range(serving.shape[1]):
            needed = need[row, minute]
            if np.isnan(needed):
                continue
            part, ran = place[minute], serving[row, minute]
            known[part] += 1
            raises = first[min(ran, first.size - 1)]
            edges[0, part, 0] += ran  # what ran, below `raises`
            edges[0, part, raises] -= ran
            edges[1, part, raises] += 1  # the level itself, from there on
            if needed > ran:
                meets = first[int(min(needed, first.size - 1))]
                edges[2, part, 0] += 1  # short, below `meets`
                edges[2, part, meets] -= 1
                edges[3, part, 0] += needed - ran  # missing from what ran, below `raises`
                edges[3, part, raises] -= needed - ran
                edges[4, part, raises] += needed  # missing from the level, from there to `meets`
                edges[4, part, meets] -= needed
                edges[5, part, raises] += 1
                edges[5, part, meets] -= 1
