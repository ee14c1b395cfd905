"""What to ask Azure Monitor for: calls that hold as much as a call may, and answers that stay moderate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from math import ceil
from typing import Final, NamedTuple

import pandas as pd

from capacity.config.azure import GRAINS, AzureMetric
from capacity.sources.base import Span, microseconds
from capacity.sources.coverage import Asked, Coverage

#: Most resource ids in one call (REST reference, Metrics Batch).
RESOURCES_A_CALL: Final = 50
#: Values to ask for in one call. There is no paging; 100,000 come as some 7 MB, and are read in a third of a second.
VALUES_A_CALL: Final = 100_000
#: Replicas or revisions to expect of a resource: sizes the calls that ask for each by itself, nothing else.
PARTS_EXPECTED: Final = 10
#: How many series of a resource to be given, with a filter: unsaid it is 10, and the rest is dropped in silence.
TOP: Final = 10_000
_Kind = tuple[str, tuple[str, ...]]  # filter, aggregations
#: Days that platform metrics are kept (Azure Monitor, "Metrics retention").
DAYS_KEPT: Final = 93


class Call(NamedTuple):
    """One `metrics:getBatch`: every metric of every resource, over whole intervals from start to end."""

    span: Span
    resources: tuple[str, ...]
    metrics: tuple[AzureMetric, ...]  # of one filter
    seconds: int

    @property
    def names(self) -> tuple[str, ...]:
        """Azure's names, each once."""
        return tuple(dict.fromkeys(metric.name for metric in self.metrics))

    @property
    def grain(self) -> str:
        """The interval, as Azure spells it."""
        return next(name for name, seconds in GRAINS.items() if seconds == self.seconds)

    @property
    def steps(self) -> int:
        """Intervals in the span."""
        return (microseconds(self.span.end) - microseconds(self.span.start)) // (self.seconds * 1_000_000)

    @property
    def values(self) -> int:
        """How many values to expect."""
        return self.steps * len(self.resources) * series_of(self.metrics)

    @property
    def parameters(self) -> dict[str, str]:
        """The query, without resource type and version."""
        start, end = (stamp.strftime("%Y-%m-%dT%H:%M:%S.000Z") for stamp in self.span)
        asked = {
            "starttime": start,
            "endtime": end,
            "interval": self.grain,
            "metricnames": ",".join(self.names),
            "aggregation": ",".join(sorted({metric.aggregation for metric in self.metrics})),
        }
        query = self.metrics[0].query
        return {**asked, "filter": query, "top": str(TOP)} if query else asked


def calls(
    services: Mapping[str, str],
    metrics: Iterable[AzureMetric],
    span: Span,
    seconds: int,
    *,
    source: str,
    known: Coverage,
) -> list[Call]:
    """The calls for all that `known` does not cover, oldest first.

    services  resource id -> name of its service
    span      on the grid of the interval
    seconds   of an interval

    Series share a call when they share filter, aggregations and missing span: a metric that lacks an aggregation, or
    a dimension, fails the whole call.
    """
    together: dict[tuple[Span, _Kind], dict[str, list[AzureMetric]]] = {}
    kinds = _kinds(tuple(metrics))
    for resource, (metric, kind) in product(services, kinds.items()):
        asked = Asked(source, services[resource], metric.metric, metric.stat, seconds)
        for missing in known.missing(asked, span):
            gap = aligned(missing, seconds)
            if gap.start < gap.end:
                together.setdefault((gap, kind), {}).setdefault(resource, []).append(metric)
    found = [
        Call(part, ids, alike, seconds)
        for (gap, _), of in together.items()
        for alike, resources in _alike(of)
        for ids in _batches(resources)
        for part in parts(gap, seconds, steps_a_call(len(ids), alike))
    ]
    return sorted(found, key=lambda call: call.span.start)


def steps_a_call(resources: int, metrics: Sequence[AzureMetric]) -> int:
    """How many intervals to ask for at once, so that an answer stays moderate; at least one.

    >>> steps_a_call(50, [AzureMetric(name="Requests", metric="requests", aggregation="total")])
    2000
    """
    return max(1, VALUES_A_CALL // (resources * series_of(metrics)))


def series_of(metrics: Sequence[AzureMetric]) -> int:
    """Series to expect of one resource."""
    return sum(PARTS_EXPECTED if metric.each else 1 for metric in metrics)


def parts(span: Span, seconds: int, steps: int) -> Iterator[Span]:
    """A span in pieces of so many intervals, the last one shorter.

    >>> hour = Span(pd.Timestamp("2026-08-03T00:00Z"), pd.Timestamp("2026-08-03T01:00Z"))
    >>> [f"{part.start:%H:%M}-{part.end:%H:%M}" for part in parts(hour, 60, 25)]
    ['00:00-00:25', '00:25-00:50', '00:50-01:00']
    """
    length = pd.Timedelta(seconds=seconds * steps)
    for number in range(ceil((span.end - span.start) / length)):
        start = span.start + number * length
        yield Span(start, min(start + length, span.end))


def aligned(span: Span, seconds: int) -> Span:
    """The intervals that start inside the span: both ends moved up to the grid, which counts from 1970.

    >>> aligned(Span(pd.Timestamp("2026-08-03T00:00:01Z"), pd.Timestamp("2026-08-03T00:03:01Z")), 60).start.minute
    1
    """
    step = seconds * 1_000_000
    start, end = (pd.Timestamp(-(-microseconds(stamp) // step) * step, unit="us", tz="UTC") for stamp in span)
    return Span(start, end)


def _kinds(metrics: Sequence[AzureMetric]) -> dict[AzureMetric, _Kind]:
    """What each metric may share a call for: its filter, and all aggregations wanted of Azure's metric with it."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for metric in metrics:
        wanted.setdefault((metric.name, metric.query), set()).add(metric.aggregation)
    return {metric: (metric.query, tuple(sorted(wanted[metric.name, metric.query]))) for metric in metrics}


def _alike(of: Mapping[str, list[AzureMetric]]) -> Iterator[tuple[tuple[AzureMetric, ...], list[str]]]:
    """Resources by the metrics that they miss."""
    groups: dict[tuple[AzureMetric, ...], list[str]] = {}
    for resource, metrics in of.items():
        groups.setdefault(tuple(metrics), []).append(resource)
    yield from groups.items()


def _batches(resources: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for first in range(0, len(resources), RESOURCES_A_CALL):
        yield tuple(resources[first : first + RESOURCES_A_CALL])
