"""What a source has already answered for good, so that the next pull asks only for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from capacity.sources.base import Span


class Asked(NamedTuple):
    """One series, as one source knows it."""

    source: str
    service: str
    metric: str
    stat: str
    seconds: int  # the interval


@dataclass(frozen=True)
class Coverage:
    """Spans of series that a source answered and will not revise: what came is stored, what did not come is a gap.

    What is newer than its source needs to settle is stored too, and not covered: the next pull reads it again.

    >>> day = [pd.Timestamp(f"2026-08-0{n}", tz="UTC") for n in range(1, 6)]
    >>> web = Asked("cloudwatch:eu-west-1/shop", "web", "cpu_utilization", "mean", 60)
    >>> known = Coverage.of([(web, Span(day[0], day[1])), (web, Span(day[2], day[3])), (web, Span(day[1], day[2]))])
    >>> [f"{start:%d} to {end:%d}" for start, end in known.missing(web, Span(day[0], day[4]))]
    ['04 to 05']
    """

    spans: Mapping[Asked, tuple[Span, ...]] = field(default_factory=dict)  # of each: in order, apart from one another

    @classmethod
    def of(cls, pairs: Iterable[tuple[Asked, Span]]) -> Coverage:
        """Coverage from spans in any order; those that touch or overlap become one, empty ones are left out."""
        found: dict[Asked, list[Span]] = {}
        for asked, span in pairs:
            if span.start < span.end:
                found.setdefault(asked, []).append(span)
        return cls({asked: _joined(spans) for asked, spans in found.items()})

    def __iter__(self) -> Iterator[tuple[Asked, Span]]:
        return ((asked, span) for asked, spans in self.spans.items() for span in spans)

    def __len__(self) -> int:
        return len(self.spans)

    def __or__(self, other: Coverage) -> Coverage:
        """What either covers."""
        merged = dict(self.spans)
        for asked, spans in other.spans.items():
            merged[asked] = _joined([*merged.get(asked, ()), *spans])
        return Coverage(merged)

    def missing(self, asked: Asked, span: Span) -> list[Span]:
        """The parts of a span that are not covered, in order."""
        gaps, start = [], span.start
        for known in self.spans.get(asked, ()):
            if known.start >= span.end:
                break
            if known.start > start:
                gaps.append(Span(start, known.start))
            start = max(start, known.end)
        if start < span.end:
            gaps.append(Span(start, span.end))
        return gaps

    def until(self, asked: Asked) -> pd.Timestamp | None:
        """The end of the last span covered; None when nothing is."""
        spans = self.spans.get(asked)
        return spans[-1].end if spans else None


def kind_of(source: str) -> str:
    """What a source is, whatever it looks at.

    >>> kind_of("cloudwatch:123456789012/eu-west-1/shop")
    'cloudwatch'
    """
    return source.partition(":")[0]


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)


#: A source that has answered nothing yet.
NOTHING = Coverage()
