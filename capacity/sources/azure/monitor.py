"""Azure Monitor: platform metrics of Container Apps and other resources, up to fifty resources a call."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from math import ceil
from typing import Any, Final

import pandas as pd

from capacity.config.azure import CONTAINER_APPS, GRAINS, AzureMetric, AzureSettings
from capacity.errors import CapacityError, ConfigError, MissingExtra
from capacity.findings import Finding, Findings
from capacity.sources.azure import access
from capacity.sources.azure.answers import Told, told, untold
from capacity.sources.azure.asking import DAYS_KEPT, Call, aligned, calls
from capacity.sources.azure.checks import wrong_metrics, wrong_region, wrong_resources
from capacity.sources.azure.complaints import Doing, Refused, ours
from capacity.sources.azure.gathering import ROWS_A_BATCH, Gathering
from capacity.sources.azure.metrics import OF_CONTAINER_APPS, ready_made
from capacity.sources.base import Observations, Span
from capacity.sources.coverage import NOTHING, Asked, Coverage
from capacity.sources.pulling import Batch, Outlay, last_days, pulled

#: Of the batch API that we read (REST reference, Metrics Batch).
API_VERSION: Final = "2024-02-01"
#: USD for a standard call of up to 1,440 values, after the first million calls of a month, which are free (Azure
#: Monitor pricing, "Metrics"; believed, not confirmed: the amount is small either way).
USD_A_CALL, VALUES_A_STANDARD_CALL = 0.01 / 1000, 1440


@dataclass(frozen=True, eq=False)
class AzureMonitor:
    """Platform metrics of resources of one subscription, region and type.

    subscription    its id, a GUID
    region          where the resources are, as Azure spells it: westeurope
    resources       resource ids; the last part of each is the name of its service, unless `names` says another
    namespace       resource type
    metrics         which of Azure's metrics is which of ours; default: those of Container Apps
    interval        seconds: 60, 300, 900, 1800 or 3600
    credential      of azure-identity or alike; None: `DefaultAzureCredential`
    endpoint        instead of the region's own: a test server on this machine
    settle_seconds  how long values may still change: what is younger is read again. Azure is "eventually consistent";
                    others wait 5 minutes (Dynatrace, "Azure Monitor Metrics")
    workers         calls under way at once
    clock, sleep    the time, UTC, and what waits; defaults are real

    Azure keeps 93 days. A value that Azure leaves out is a gap. Where parts add up (replicas, revisions), an interval
    in which one of them is silent between two of its values is a gap too.
    """

    subscription: str
    region: str
    resources: tuple[str, ...]
    namespace: str = CONTAINER_APPS
    metrics: tuple[AzureMetric, ...] = OF_CONTAINER_APPS
    names: Mapping[str, str] = field(default_factory=dict)
    interval: int = 60
    credential: Any = field(default=None, repr=False)
    endpoint: str = ""
    settle_seconds: float = 900.0
    workers: int = 3
    clock: Callable[[], pd.Timestamp] = field(default=lambda: pd.Timestamp.now(tz="UTC"), repr=False)
    sleep: Callable[[float], None] | None = field(default=None, repr=False)
    _tally: Counter[str] = field(default_factory=Counter, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        problems = [
            *wrong_region(self.region),
            *wrong_resources(self.services, self.subscription, self.namespace, self.names),
            *wrong_metrics(self.metrics, self.interval),
        ]
        if problems:
            raise ConfigError("Azure Monitor cannot be read like this:", problems)

    @classmethod
    def of(cls, settings: AzureSettings, credential: Any = None, **more: Any) -> AzureMonitor:
        """The source that `[azure]` describes. `more`: endpoint, clock, workers ..."""
        return cls(
            settings.subscription,
            settings.region,
            settings.resources,
            settings.namespace,
            ready_made(settings.namespace, settings.metric),
            settings.names,
            GRAINS[settings.interval],
            credential,
            settle_seconds=settings.settle_minutes * 60,
            **more,
        )

    @property
    def name(self) -> str:
        """With the subscription: what one has answered says nothing about a service of that name in another."""
        return f"azure-monitor:{self.region}/{self.subscription}"

    @cached_property
    def services(self) -> dict[str, str]:
        """Resource id -> name of its service."""
        named = {resource.lower(): name for resource, name in self.names.items()}
        return {r: named.get(r.lower(), r.rstrip("/").rsplit("/", 1)[-1]) for r in self.resources}

    @property
    def spent(self) -> Outlay:
        """Requests sent, those repeated included."""
        return _outlay(self._tally["requests"], self._tally["standard"])

    def outlay(self, span: Span, known: Coverage = NOTHING) -> Outlay:
        """Calls that a pull would make, and what they cost with ten replicas a resource. Asks nobody."""
        asked = self._calls(span, known, self.clock())
        return _outlay(len(asked), sum(ceil(call.values / VALUES_A_STANDARD_CALL) for call in asked))

    def read(self, span: Span | None = None) -> Observations:
        """All at once; without a span, the 93 days that Azure keeps."""
        return pulled(self, span or last_days(DAYS_KEPT, self.clock()))

    def pull(self, span: Span, known: Coverage = NOTHING) -> Iterator[Batch]:
        """What `known` does not cover, oldest first. When Azure fails, what came before is still handed over.

        Metrics that Azure refuses become findings, and the others are read; when it refuses all, that is an error.
        Raises SourceDenied, SourceThrottled, SourceChanged or SourceError, each with what to do.
        """
        now = self.clock()
        asked = self._calls(span, known, now)
        if not asked:
            return
        settled = _floor(now - pd.Timedelta(seconds=self.settle_seconds), self.interval)
        gathering = Gathering(self.name, self.services, settled, known)
        failed: CapacityError | None = None
        refused: dict[tuple[AzureMetric, ...], Refused] = {}
        try:
            for call, series in self._answers(asked, refused):
                gathering.add(call, series)
                if gathering.rows >= ROWS_A_BATCH:
                    yield gathering.batch(self.clock())
            if len(refused) == len({call.metrics for call in asked}):
                failed = next(iter(refused.values()))
        except CapacityError as error:
            failed = error
        last = gathering.batch(self.clock())
        remarks = () if failed else (*gathering.remarks(), *self._too_old(span, known, now))
        yield _remarked(last, remarks)
        if failed:
            raise failed

    def _calls(self, span: Span, known: Coverage, now: pd.Timestamp) -> list[Call]:
        """Whole intervals only, and none that Azure has forgotten."""
        oldest = max(span.start, now - pd.Timedelta(days=DAYS_KEPT))
        start, end = aligned(Span(oldest, max(oldest, span.end)), self.interval)
        whole = Span(start, min(end, _floor(now, self.interval)))
        return calls(self.services, self.metrics, whole, self.interval, source=self.name, known=known)

    def _answers(
        self, asked: list[Call], refused: dict[tuple[AzureMetric, ...], Refused]
    ) -> Iterator[tuple[Call, list[Told]]]:
        """Answers in the order of the calls, a few under way at once. What was refused once is not asked again."""
        with self._client() as client, ThreadPoolExecutor(self.workers) as pool:
            waiting: deque[tuple[Call, Future[list[Told]]]] = deque()
            ahead = iter(asked)
            try:
                while True:
                    for call in islice(ahead, 2 * self.workers - len(waiting)):
                        waiting.append((call, pool.submit(self._answer, client, call, refused)))
                    if not waiting:
                        return
                    first, answer = waiting.popleft()
                    yield first, answer.result()
            finally:
                for _, answer in waiting:
                    answer.cancel()

    def _answer(self, client: Any, call: Call, refused: dict[tuple[AzureMetric, ...], Refused]) -> list[Told]:
        """What one call was told, or why it was not."""
        if call.metrics not in refused:
            try:
                return self._ask(client, call)
            except Refused as error:
                refused[call.metrics] = error
        return untold(call, str(refused[call.metrics]))

    def _ask(self, client: Any, call: Call) -> list[Told]:
        """One call. The SDK's own reader takes seven times as long and drops the resource id."""
        import orjson
        from azure.core.rest import HttpRequest

        request = HttpRequest(
            "POST",
            f"/subscriptions/{self.subscription}/metrics:getBatch",
            params={"api-version": API_VERSION, "metricnamespace": self.namespace, **call.parameters},
            json={"resourceids": list(call.resources)},
            headers={"Accept": "application/json"},
        )
        try:
            response = client.send_request(request, **access.options(self._endpoint))
            response.raise_for_status()
            answer = orjson.loads(response.content)
        except Exception as error:
            raise ours(error, self._doing) from None  # the SDK's error holds the answer whole, whatever is in it
        answer = orjson.loads(answer) if isinstance(answer, str) else answer  # seen by the SDK: JSON inside JSON
        series = told(answer, call)
        self._count("standard", ceil(_values(answer) / VALUES_A_STANDARD_CALL))
        return series

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """The SDK's client, over its real transport, with our policies."""
        try:
            import orjson  # noqa: F401  (used by every answer; missing, it is better said before the first call)
            from azure.monitor.querymetrics import MetricsClient
        except ImportError as error:
            package = "orjson" if error.name == "orjson" else "azure-monitor-querymetrics"
            raise MissingExtra(package, "azure", "reading Azure Monitor") from None
        access.options(self._endpoint)
        with access.signed_in(self.credential) as credential:
            settings = access.policies(
                credential,
                access.METRICS_SCOPE,
                count=lambda: self._count("requests", 1),
                sleep=self.sleep,
                reading=False,
            )
            with MetricsClient(self._endpoint, credential, **settings) as client:
                yield client

    def _count(self, what: str, how_many: int) -> None:
        with self._lock:
            self._tally[what] += how_many

    @property
    def _endpoint(self) -> str:
        return self.endpoint or f"https://{self.region}.metrics.monitor.azure.com"

    @property
    def _doing(self) -> Doing:
        return Doing(
            f"metrics:getBatch in {self.region}",
            self.subscription,
            "Monitoring Reader",
            f"Are all resources in {self.region} (`az resource show --ids ID --query location`) and of the type "
            f"{self.namespace}, and does that type have these metrics?",
        )

    def _too_old(self, span: Span, known: Coverage, now: pd.Timestamp) -> Iterator[Finding]:
        """That nothing can come from before the 93 days, unless it came while it could."""
        oldest = now - pd.Timedelta(days=DAYS_KEPT)
        forgotten = Span(span.start, min(span.end, _floor(oldest, self.interval)))
        every = (
            Asked(self.name, service, metric.metric, metric.stat, self.interval)
            for service in self.services.values()
            for metric in self.metrics
        )
        if forgotten.start < forgotten.end and any(known.missing(asked, forgotten) for asked in every):
            yield Finding(
                "",
                "",
                "retention",
                "REVIEW",
                f"Azure Monitor keeps {DAYS_KEPT} days: nothing from before {oldest:%Y-%m-%d %H:%M} UTC can come",
                "Fetch at least every three months, and what is fetched stays.",
                forgotten.start,
                forgotten.end,
            )


def _outlay(requests: int, standard_calls: int) -> Outlay:
    return Outlay({"metrics:getBatch": requests}, usd=standard_calls * USD_A_CALL)


def _values(answer: Mapping[str, Any]) -> int:
    """Points in an answer, with or without a value."""
    entries = (entry for item in answer["values"] for entry in item["value"])
    return sum(len(one.get("data", ())) for entry in entries for one in entry.get("timeseries", ()))


def _floor(stamp: pd.Timestamp, seconds: int) -> pd.Timestamp:
    return stamp.floor(f"{seconds}s").as_unit("us")


def _remarked(batch: Batch, remarks: tuple[Finding, ...]) -> Batch:
    """The batch with further findings."""
    seen = batch.observations
    together = Findings.of(seen.findings, remarks)
    return Batch(Observations(seen.frame, seen.source, together, seen.fetched_at), batch.covered)
