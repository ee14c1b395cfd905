"""How to ask with the fewest calls: queries over a window, packed into calls of limited size.

A call takes up to 500 queries and gives up to 100,800 points, and all its queries share one window. AWS bills queries
($0.01 for 1,000), not calls; so asking each query once, over its whole window, is the cheapest. It is not always the
fewest calls: 15 days of minutes are 21,600 points, four queries a call, and the room for 14,400 more points is wasted.
Queries whose window is cut in parts fit more tightly and are billed once a part.

The rule: the fewest calls among packings that cost at most one cent more than the cheapest; a packing asks some queries
whole and cuts all others in the same places. `fewest` finds the best of these exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from capacity.sources.cloudwatch.catalogue import Query
from capacity.sources.cloudwatch.periods import Window


class Limits(NamedTuple):
    """Of one call (GetMetricData, API reference)."""

    queries: int = 500
    points: int = 100_800


LIMITS: Final = Limits()
#: USD for one query of one call: "$0.01 per 1,000 metrics requested" (CloudWatch pricing).
PRICE: Final = 0.01 / 1000
#: Queries that may be asked beyond the cheapest, for fewer calls: one cent.
SPARE: Final = 1000


@dataclass(frozen=True)
class Packing:
    """How many queries are cut, and in which parts; the rest is asked whole.

    parts  of each part: its points, and the calls it takes to ask the `cut` queries for it
    """

    cut: int
    parts: tuple[tuple[int, int], ...]
    whole_calls: int

    @property
    def calls(self) -> int:
        return self.whole_calls + sum(calls for _, calls in self.parts)

    @property
    def extra(self) -> int:
        """Queries billed beyond one each."""
        return self.cut * max(len(self.parts) - 1, 0)


class Call(NamedTuple):
    """What one call asks: up to 500 queries, one window, one region."""

    window: Window
    queries: tuple[Query, ...]

    @property
    def region(self) -> str | None:
        """Where, if not in the source's own region."""
        return (self.queries[0].region or None) if self.queries else None


@lru_cache(maxsize=256)
def fewest(queries: int, points: int, spare: int = SPARE, limits: Limits = LIMITS) -> Packing:
    """The packing with the fewest calls, for so many queries of so many points each.

    spare  how many queries may be billed beyond one each

    >>> fewest(80, 21_600, spare=0).calls, fewest(80, 21_600).calls, -(-80 * 21_600 // 100_800)
    (20, 18, 18)
    """
    room = min(limits.queries, limits.points // points)
    best = Packing(0, (), _share(queries, room))
    bound = max(_share(queries, limits.queries), _share(queries * points, limits.points))
    for cut in range(min(queries, spare), 0, -1):
        whole_calls = _share(queries - cut, room)
        if best.calls == bound:
            break
        if whole_calls + max(_share(cut, limits.queries), _share(cut * points, limits.points)) >= best.calls:
            continue
        parts = _parts(cut, points, 1 + spare // cut, best.calls - whole_calls - 1, limits)
        if parts:
            best = Packing(cut, parts, whole_calls)
    return best


def calls_of(window: Window, queries: Sequence[Query], packing: Packing) -> list[Call]:
    """The calls of a packing, oldest windows first; queries stay in order."""
    found, start = [], window.start
    for points, calls in packing.parts:
        end = min(start + points * window.period, window.end)
        found += _chunks(window._replace(start=start, end=end), queries[: packing.cut], calls)
        start = end
    return found + _chunks(window, queries[packing.cut :], packing.whole_calls)


def _chunks(window: Window, queries: Sequence[Query], calls: int) -> list[Call]:
    size = max(_share(len(queries), max(calls, 1)), 1)
    return [Call(window, tuple(queries[at : at + size])) for at in range(0, len(queries), size)]


def _parts(queries: int, points: int, most: int, calls: int, limits: Limits) -> tuple[tuple[int, int], ...]:
    """At most `most` parts that cover `points` of each query in at most `calls` calls, the fewest; () if none do.

    With c calls for a part, each asks ceil(queries / c) queries, so the part can be limits.points over that long:
    `reach[c]`. The longest cover by exactly so many calls, part by part, is a knapsack.
    """
    sizes = -(-queries // np.arange(1, calls + 1))  # queries a call, when a part takes 1, 2, ... calls
    reach = np.concatenate([[0], np.where(sizes <= limits.queries, limits.points // sizes, 0)])
    layers = [reach]
    while len(layers) < most:
        longest = layers[-1]
        further = np.array([np.max(longest[: n + 1] + reach[n::-1]) for n in range(calls + 1)])
        if np.array_equal(further, longest):
            break
        layers.append(further)
    enough = np.flatnonzero(layers[-1] >= points)
    return _traced(layers, reach, int(enough[0]), points) if len(enough) else ()


def _traced(layers: list[np.ndarray], reach: np.ndarray, calls: int, points: int) -> tuple[tuple[int, int], ...]:
    """The parts behind the longest cover by `calls` calls, in as few parts as do; the last is as short as need be."""
    depth = next(number for number, layer in enumerate(layers) if layer[calls] >= points)
    parts = []
    while depth and calls:
        before = layers[depth - 1][: calls + 1] + reach[calls::-1]
        left = int(np.argmax(before))
        parts.append((int(reach[calls - left]), calls - left))
        calls, depth = left, depth - 1
    parts.append((int(reach[calls]), calls))
    parts = [part for part in parts if part[1]]
    rest = points - sum(length for length, _ in parts[:-1])
    return (*parts[:-1], (rest, parts[-1][1]))


def _share(total: int, size: int) -> int:
    """How many of a size it takes."""
    return -(-total // size)
