"""The fewest calls: held against trying everything."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.sources.cloudwatch.catalogue import Query
from capacity.sources.cloudwatch.packing import LIMITS, SPARE, Call, Limits, calls_of, fewest
from capacity.sources.cloudwatch.periods import Window


def made(queries: int, points: int, spare: int = SPARE, limits: Limits = LIMITS) -> list[Call]:
    names = [Query("AWS/ECS", f"metric {number}", "Average", ()) for number in range(queries)]
    return calls_of(Window(0, 60 * points, 60), names, fewest(queries, points, spare, limits))


def compositions(total: int) -> list[list[int]]:
    """Every way to cut a window into parts."""
    if total == 0:
        return [[]]
    return [[first, *rest] for first in range(1, total + 1) for rest in compositions(total - first)]


def tried(queries: int, points: int, spare: int, limits: Limits) -> int:
    """The fewest calls by trying every count of cut queries and every way to cut the window."""

    def calls(count: int, length: int) -> int:
        return math.ceil(count / min(limits.queries, limits.points // length))

    best = calls(queries, points)
    for cut in range(1, queries + 1):
        for parts in compositions(points):
            if (len(parts) - 1) * cut <= spare:
                best = min(best, calls(queries - cut, points) + sum(calls(cut, part) for part in parts))
    return best


@given(
    queries=st.integers(1, 9),
    points=st.integers(1, 8),
    spare=st.integers(0, 20),
    per_call=st.integers(1, 6),
    room=st.integers(0, 20),
)
@settings(max_examples=200)
def test_no_packing_within_the_rule_takes_fewer_calls(
    queries: int, points: int, spare: int, per_call: int, room: int
) -> None:
    limits = Limits(per_call, points + room)
    packing = fewest(queries, points, spare, limits)
    assert packing.calls == tried(queries, points, spare, limits)
    assert packing.extra <= spare


@given(queries=st.integers(1, 3000), points=st.integers(1, 21_600), spare=st.sampled_from([0, 100, SPARE]))
@settings(max_examples=60)
def test_every_query_is_asked_for_every_interval_once_and_within_the_limits(
    queries: int, points: int, spare: int
) -> None:
    calls = made(queries, points, spare)
    asked: Counter[Query] = Counter()
    for call in calls:
        assert 0 < len(call.queries) <= LIMITS.queries
        assert len(call.queries) * call.window.points <= LIMITS.points
        asked.update(dict.fromkeys(call.queries, call.window.points))
    assert set(asked.values()) == {points} and len(asked) == queries
    parts = {query: sorted(call.window for call in calls if query in call.queries) for query in list(asked)[:50]}
    for windows in parts.values():
        assert all(one.end == other.start for one, other in pairwise(windows))
    assert sum(len(call.queries) for call in calls) <= queries + spare
    assert len(calls) == fewest(queries, points, spare).calls <= fewest(queries, points, 0).calls


def test_small_fleets_reach_the_bound_of_points_and_of_queries() -> None:
    """15 days by the minute: no way of asking can take fewer calls than there are points for."""
    for queries in (4, 14, 80, 333, 500):
        assert fewest(queries, 21_600).calls == math.ceil(queries * 21_600 / LIMITS.points)
    assert fewest(1200, 60).calls == math.ceil(1200 / LIMITS.queries)


def test_a_large_fleet_is_never_much_dearer_than_the_cheapest() -> None:
    packing = fewest(4000, 21_540)
    assert packing.extra <= SPARE
    assert packing.calls <= 965
