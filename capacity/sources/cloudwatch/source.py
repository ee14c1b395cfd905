"""CloudWatch as a source: its settings, and the few methods that touch the outside world."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from capacity.config.cloudwatch import CacheNodes, CustomMetric, Distribution
from capacity.errors import InputError, Problem
from capacity.findings import Finding
from capacity.schema import METRICS
from capacity.sources.aws.complaints import action_of
from capacity.sources.aws.door import Door
from capacity.sources.aws.ecs import Discovery, EcsService, discover
from capacity.sources.base import Observations, Span, microseconds
from capacity.sources.cloudwatch.answers import read_fast
from capacity.sources.cloudwatch.asking import Asking
from capacity.sources.cloudwatch.caches import before, behind, strangers
from capacity.sources.cloudwatch.catalogue import Wanted, source_name, wanted_of
from capacity.sources.cloudwatch.pace import AWS_QUOTA, Pace, Quota
from capacity.sources.cloudwatch.packing import PRICE
from capacity.sources.cloudwatch.periods import refused, tiers, windows
from capacity.sources.cloudwatch.planning import Agenda, agenda
from capacity.sources.cloudwatch.pull import ROWS, Pull
from capacity.sources.cloudwatch.telling import Outcome, redefined, retention
from capacity.sources.coverage import NOTHING, Coverage
from capacity.sources.pulling import Batch, Outlay, last_days, pulled
from capacity.timegrid import duration

#: Days that `read` reads when no span is said: what CloudWatch keeps by the minute.
DAYS = 15
_GET = "GetMetricData"


def _now() -> pd.Timestamp:
    return pd.Timestamp.now(tz="UTC").as_unit("us")


@dataclass(frozen=True)
class CloudWatch:
    """Use of ECS services as CloudWatch knows it: tasks, CPU, memory, and what their load balancers count.

    clusters     name or names; empty: every cluster of the region
    services     names; empty: all of them
    door         region and credentials. Its counter is where `spent` comes from: one door a source keeps them apart
    prefix       True: services are called "cluster/service". Needed when two clusters have one of the same name
    percentiles  of response time: p50, p95, p99; each is one more billed query
    metrics      metrics of the user's own, [[cloudwatch.metric]]
    only         names of our metrics, to ask (and pay) for these and no others; empty: all
    settle       how long values may still change: what is newer than that is read again by the next pull
    period       seconds for all of the span; None: the finest that is kept for each part, so that a span of more than
                 15 days gives rows of several intervals (60, 300 and 3600 s), which touch
    found        the services, where an earlier `discover` found them already; None: they are looked up, once
    quota        of the account, per second
    batch_rows   rows of a batch, about: what a kill can lose
    clock        what time it is
    distributions, caches  CloudFront in front of services and ElastiCache behind them, [[cloudwatch.distribution]] and
                 [[cloudwatch.cache]]

    A series has a row where CloudWatch has a value, and nothing where it has none. Counts of requests and errors are
    per second over the interval. Sources of facts: the modules `catalogue` (metrics), `periods` (retention), `packing`
    (limits and price) and `pace` (quota).

    >>> CloudWatch("shop", door=Door(region="eu-west-1")).name
    'cloudwatch:eu-west-1/shop'
    """

    clusters: Sequence[str] | str = ()
    services: Sequence[str] = ()
    door: Door = field(default_factory=Door)
    prefix: bool = False
    percentiles: Sequence[str] = ("p50", "p95", "p99")
    metrics: Sequence[CustomMetric] = ()
    only: Sequence[str] = ()
    settle: str = "1h"
    period: int | None = None
    found: Discovery | None = field(default=None, repr=False)
    quota: Quota = AWS_QUOTA
    batch_rows: int = ROWS
    clock: Callable[[], pd.Timestamp] = field(default=_now, repr=False)
    distributions: Sequence[Distribution] = ()
    caches: Sequence[CacheNodes] = ()
    _billed: Counter[str] = field(default_factory=Counter, init=False, repr=False, compare=False)
    _before: Counter[tuple[str, str]] = field(default_factory=Counter, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "clusters", _several(self.clusters))
        object.__setattr__(self, "services", _several(self.services))
        object.__setattr__(self, "only", _several(self.only))
        for name in ("percentiles", "metrics", "distributions", "caches"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for names, known in ((self.percentiles, ("p50", "p95", "p99")), (self.only, tuple(METRICS))):
            if unknown := [name for name in names if name not in known]:
                raise InputError(f"{', '.join(unknown)}: not known", advice=f"There are: {', '.join(known)}.")
        tiers(self.period)
        duration(self.settle)
        self._before.update(self.door.counted)

    @property
    def name(self) -> str:
        """Region and clusters. A row says the account and the one cluster it comes from."""
        return source_name("", self.door.where, ",".join(self.clusters) or "*")

    @property
    def spent(self) -> Outlay:
        """Calls made since this was built, discovery included, and the price of the queries that were answered."""
        calls = Counter(self.door.counted)
        calls.subtract(self._before)
        named = {action_of(*key).partition(":")[2]: count for key, count in calls.items() if count}
        least = {_GET: self._billed["least"]} if self._billed["least"] else {}
        return Outlay(named, least, PRICE * self._billed["queries"])

    def outlay(self, span: Span, known: Coverage = NOTHING) -> Outlay:
        """What a pull would cost: calls when nothing goes wrong, and dollars. Looks up the services, which is free.

        `least` is the fewest calls the limits allow at no more than one cent above the cheapest: see `packing`.
        """
        planned = self._agenda(span, known, self.clock())
        count = len(planned.calls)
        return Outlay({_GET: count}, {_GET: count}, planned.usd)

    def pull(self, span: Span, known: Coverage = NOTHING) -> Iterator[Batch]:
        """Batches of rows with what they cover; the last one carries what is remarkable about the whole."""
        now = self.clock()
        planned = self._agenda(span, known, now)
        self._billed["least"] += len(planned.calls)
        for region in {call.region for call in planned.calls}:
            read_fast(self.door.client("cloudwatch", region))
        pace = Pace(self.quota, self.door.sleep or time.sleep)
        gone = refused(span, now, self.period)
        findings = [*self._discovery.findings, *self._wanted[1], *([retention(gone, self.period)] if gone else [])]
        findings += redefined(self._wanted[0], known)
        periods = [tier.period for tier in tiers(self.period)]
        unknown = frozenset(w for w in self._wanted[0] if not any(w.at(p) in known.spans for p in periods))
        settled = microseconds(now - duration(self.settle)) // 1_000_000
        asking = Asking(self.door, pace, self.clock, self._billed)
        yield from Pull(
            self.name, planned, asking, settled, Outcome(span, unknown), findings, self.batch_rows
        ).batches()

    def read(self, span: Span | None = None) -> Observations:
        """All batches as one. Without a span: the last 15 days."""
        return pulled(self, span if span is not None else last_days(DAYS, self.clock()))

    def _agenda(self, span: Span, known: Coverage, now: pd.Timestamp) -> Agenda:
        return agenda(self._wanted[0], windows(span, now, self.period), known)

    @cached_property
    def _discovery(self) -> Discovery:
        return self.found or discover(self.clusters, self.services, door=self.door, measured=True)

    @cached_property
    def _wanted(self) -> tuple[tuple[Wanted, ...], tuple[Finding, ...]]:
        """Every series of every service, and what cannot be asked. Raises InputError when two services share a name."""
        found = self._discovery.services
        names = [f"{each.cluster}/{each.name}" if self.prefix else each.name for each in found]
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            raise InputError(
                "services of one name in several clusters would become one:",
                [Problem(", ".join(s.cluster for s in found if s.name == name), where=name) for name in twice],
                "Name them cluster/service with prefix=True (--prefix), or fetch each cluster into its own store.",
            )
        parts = [self._of(service, name) for service, name in zip(found, names, strict=True)]
        every = (wanted for part, _ in parts for wanted in part if not self.only or wanted.metric in self.only)
        series = sorted(every, key=lambda wanted: wanted.key)
        unknown = () if self.services else strangers((*self.distributions, *self.caches), names)
        return tuple(series), (*(finding for _, findings in parts for finding in findings), *unknown)

    def _of(self, service: EcsService, name: str) -> tuple[list[Wanted], list[Finding]]:
        """Series of one service and of what stands around it."""
        here = source_name(service.account, service.region, service.cluster)
        around = before(self.distributions, service.account, name, self.percentiles)
        around += behind(self.caches, here, name)
        return wanted_of(service, name, self.percentiles, self.metrics, around)


def _several(names: Sequence[str] | str) -> tuple[str, ...]:
    return ((names,) if names else ()) if isinstance(names, str) else tuple(names)
