"""What is still to be asked: the series and windows that nothing covers, as calls, and which calls a series needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd

from capacity.sources.base import Span, microseconds
from capacity.sources.cloudwatch.answers import Points
from capacity.sources.cloudwatch.catalogue import Query, Wanted
from capacity.sources.cloudwatch.packing import PRICE, SPARE, Call, calls_of, fewest
from capacity.sources.cloudwatch.periods import Window
from capacity.sources.coverage import Coverage

_SECOND = 1_000_000  # microseconds
_NOT_YET = pd.Timestamp.max.tz_localize("UTC")


@dataclass
class Unit:
    """A series over a window, while its answers come in."""

    wanted: Wanted
    window: Window
    awaited: int = 0
    parts: dict[Query, list[Points]] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)  # why some of it was not answered to its end
    at: pd.Timestamp = _NOT_YET  # when the first of it was asked

    def take(self, query: Query, points: Points, reason: str, at: pd.Timestamp) -> None:
        """One of the answers it waits for; with the reason, if it is not all of it."""
        self.awaited -= 1
        self.parts.setdefault(query, []).append(points)
        self.at = min(self.at, at)
        if reason:
            self.reasons.add(reason)


@dataclass(frozen=True)
class Agenda:
    """Calls in the order they are made, and the series that wait for each query and window of them."""

    calls: tuple[Call, ...]
    waiting: dict[tuple[Query, Window], list[Unit]]

    @property
    def usd(self) -> float:
        """What the queries of all calls cost at list price."""
        return PRICE * sum(len(call.queries) for call in self.calls)


def agenda(series: Sequence[Wanted], windows: Sequence[Window], known: Coverage) -> Agenda:
    """All that is missing of the series, packed; at most one cent dearer than the cheapest way.

    Series that miss the same window are asked together, each query once, those of another region apart. `windows` are
    in the order of `windows()`.
    """
    groups: dict[tuple[Window, str], list[Wanted]] = {}
    for number, window in enumerate(windows):
        finer = [other.period for other in windows[:number]]
        for wanted in series:
            for gap in missing(wanted, window, finer, known):
                groups.setdefault((gap, wanted.region), []).append(wanted)
    calls: list[Call] = []
    waiting: dict[tuple[Query, Window], list[Unit]] = {}
    spare = SPARE
    for (window, _), members in sorted(groups.items(), key=_oldest_first):
        queries = list(dict.fromkeys(query for wanted in members for query in wanted.needs))
        packing = fewest(len(queries), window.points, spare)
        spare -= packing.extra
        packed = calls_of(window, queries, packing)
        calls += packed
        _await(window, members, packed, waiting)
    return Agenda(tuple(calls), waiting)


def _oldest_first(group: tuple[tuple[Window, str], list[Wanted]]) -> tuple[int, int, str]:
    window, region = group[0]
    return window.period, window.start, region


def missing(wanted: Wanted, window: Window, finer: Sequence[int], known: Coverage) -> Iterator[Window]:
    """The parts of a window for which neither its own period nor a finer one is covered, in whole intervals."""
    gaps = known.missing(wanted.at(window.period), window.span)
    for period in finer:
        gaps = [rest for gap in gaps for rest in known.missing(wanted.at(period), gap)]
    for gap in gaps:
        yield _whole(gap, window.period)


def _whole(gap: Span, period: int) -> Window:
    """A gap widened to whole intervals."""
    start, end = microseconds(gap.start) // _SECOND, -(-microseconds(gap.end) // _SECOND)
    return Window(start // period * period, -(-end // period) * period, period)


def _await(
    window: Window, members: Sequence[Wanted], calls: Sequence[Call], waiting: dict[tuple[Query, Window], list[Unit]]
) -> None:
    """Which units wait for what. A series is a unit a part if all its queries are cut alike, else one in all."""
    parts: dict[Query, list[Window]] = {}
    for call in calls:
        for query in call.queries:
            parts.setdefault(query, []).append(call.window)
    for wanted in members:
        needs = [(query, part) for query in wanted.needs for part in parts[query]]
        alike = all(parts[query] == parts[wanted.queries[0]] for query in wanted.needs)
        units = {part: Unit(wanted, part) for part in parts[wanted.queries[0]]} if alike else {}
        together = Unit(wanted, window)
        for query, part in needs:
            unit = units.get(part, together)
            unit.awaited += 1
            waiting.setdefault((query, part), []).append(unit)
