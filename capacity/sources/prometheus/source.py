"""Prometheus as a source: every query in parts that the server accepts, each part one batch."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import pandas as pd

from capacity.config.prometheus import PrometheusSettings, address_faults
from capacity.errors import ConfigError, InputError
from capacity.findings import NO_FINDINGS, Findings
from capacity.sources.base import Observations, Span, microseconds
from capacity.sources.coverage import NOTHING, Asked, Coverage
from capacity.sources.prometheus.access import Access, Nobody, Tls
from capacity.sources.prometheus.answers import Notes, incomplete, rows
from capacity.sources.prometheus.api import CALL, Api
from capacity.sources.prometheus.complaints import TooMuch
from capacity.sources.prometheus.query import Query
from capacity.sources.prometheus.remarks import billed, remarks, skewed
from capacity.sources.prometheus.settings import access_of, queries_of, tls_of
from capacity.sources.prometheus.steps import SECOND, Steps, parts, starting_in
from capacity.sources.pulling import Batch, Outlay, last_days, pulled
from capacity.timegrid import duration

#: What a server keeps if nobody tells it otherwise (Prometheus documentation, --storage.tsdb.retention.time).
RETENTION_DAYS: Final = 15
#: Halvings in a row because a call took too long. A limit, in contrast, is halved down to one point.
_HURRIED: Final = 4


def _now() -> pd.Timestamp:
    return pd.Timestamp.now(tz="UTC").as_unit("us")


@dataclass(frozen=True, eq=False)
class Prometheus:
    """A server that speaks Prometheus' query API, and what to ask it.

    url         everything before /api/v1, without user, password or query
    queries     what to ask, each with its own step
    access      Nobody(), Bearer(env=...) or Bearer(file=...), Basic(user, password_env), Signed(region)
    headers     further headers, such as a tenant's X-Scope-OrgID; a value may be "env:NAME"
    tls         certificates
    max_points  points a series that one call may ask for; Prometheus refuses more than 11,000 intervals
    max_span    seconds that one call may span: managed servers refuse more than 32 days or so
    timeout     seconds one call may take
    settle      seconds: what is younger is stored, and read again by the next pull
    clock       what time it is
    sleep       takes seconds, between attempts

    A value that the server gives for T tells of the step that ends at T, and is stamped with that step's start. The
    step that has not ended is left out. What is covered is remembered by query: one that is changed is asked anew.
    """

    url: str = field(repr=False)  # a path may be as good as a password
    queries: tuple[Query, ...]
    access: Access = field(default_factory=Nobody)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: Tls = field(default_factory=Tls)
    max_points: int = 11_000
    max_span: float = 32 * 86_400.0
    timeout: float = 60.0
    settle: float = 300.0
    clock: Callable[[], pd.Timestamp] = field(default=_now, repr=False)
    sleep: Callable[[float], None] | None = field(default=None, repr=False)
    _counted: Counter[str] = field(default_factory=Counter, repr=False)
    _least: Counter[str] = field(default_factory=Counter, repr=False)

    def __post_init__(self) -> None:
        try:
            address_faults(self.url)
        except ValueError as error:
            raise InputError(f"Prometheus: {error}") from None
        if twice := _twice(self.queries):
            raise InputError(f"{self.name}: two queries tell of {twice}", advice="Keep one of them.")
        if not self.queries:
            raise InputError(
                f"{self.name}: there is nothing to ask",
                advice='Write a query: [[prometheus.query]] with preset = "http-requests", or metric and query.',
            )

    @classmethod
    def of(
        cls,
        settings: PrometheusSettings,
        base_folder: Path = Path(),
        *,
        url: str | None = None,
        clock: Callable[[], pd.Timestamp] = _now,
    ) -> Self:
        """From the tables of capacity.toml.

        base_folder  where the paths in them start: the folder of that file
        url          wins over that of the table
        """
        address = url or settings.url
        if not address:
            raise ConfigError("[prometheus] has no url", advice="Write url = 'http://HOST:9090', or say --url.")

        def seconds(text: str) -> float:
            return duration(text).total_seconds()

        return cls(
            address,
            queries_of(settings),
            access=access_of(settings, base_folder),
            headers=settings.headers,
            tls=tls_of(settings, base_folder),
            max_points=settings.max_points,
            max_span=seconds(settings.max_span),
            timeout=seconds(settings.timeout),
            settle=seconds(settings.settle),
            clock=clock,
        )

    @property
    def name(self) -> str:
        """`prometheus:HOST:PORT`.

        >>> Prometheus("https://prom.example/secret/path", (Query("cpu", "x"),)).name
        'prometheus:prom.example:443'
        """
        address = urlsplit(self.url)
        host = address.hostname or ""
        port = address.port or (443 if address.scheme == "https" else 80)
        return f"prometheus:{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def spent(self) -> Outlay:
        """Calls made, those that failed included, and no dollars: what a managed server bills, it does not tell."""
        return Outlay(dict(self._counted), dict(self._least))

    def outlay(self, span: Span, known: Coverage = NOTHING) -> Outlay:
        """Calls that a pull would take, if none has to be halved or made again. Asks nobody."""
        now = self._seconds_now()
        calls = sum(len(list(self._todo(query, span, known, now))) for query in self.queries)
        return Outlay({CALL: calls}, {CALL: calls}) if calls else Outlay()

    def read(self, span: Span | None = None) -> Observations:
        """All of a span at once; default: the 15 days that a server keeps by default."""
        return pulled(self, span if span is not None else last_days(RETENTION_DAYS, self.clock()))

    def pull(self, span: Span, known: Coverage = NOTHING) -> Iterator[Batch]:
        """One batch for each call that was answered. Raises InputError when two queries tell of one series."""
        now = self._seconds_now()
        owners: dict[tuple[str, str, str, int], Query] = {}
        with self._api() as api:
            for query in self.queries:
                for batch in self._batches(api, query, span, known, now):
                    _claim(owners, query, batch.observations.frame)
                    yield batch

    def _batches(self, api: Api, query: Query, span: Span, known: Coverage, now: float) -> Iterator[Batch]:
        """The answers to one query. Its findings come with the last of them, counted over all."""
        asked, notes, values = self._asked(query), Notes(query.metric), 0
        todo = deque(self._todo(query, span, known, now))
        self._least[CALL] += len(todo)
        whole = Span(todo[0].span.start, todo[-1].span.end) if todo else span
        hurried = 0
        while todo:
            part = todo.popleft()
            fetched = self.clock()
            try:
                answer = api.answer(query, part)
            except TooMuch as refusal:
                hurried = hurried + 1 if refusal.slow else 0
                if part.size == 1 or hurried > _HURRIED:
                    raise refusal.error from refusal
                todo = deque(parts([part, *todo], (part.size + 1) // 2))
                continue
            hurried = 0
            partial = incomplete(answer, part, notes)
            frame = rows(answer, query, part, notes)
            values += len(frame)
            told = (notes.findings(), remarks(query, values, whole), billed(self.access), skewed(now, api.date))
            last = NO_FINDINGS if todo else Findings.of(*told)
            settled = Span(part.span.start, part.until(min(now, api.date) - self.settle).span.end)
            covered = NOTHING if partial else Coverage.of([(asked, settled)])
            yield Batch(Observations.of(frame, self.name, last, fetched), covered)

    def _todo(self, query: Query, span: Span, known: Coverage, now: float) -> Iterator[Steps]:
        """What is to be asked: ended intervals that are not known, in parts that the limits allow."""
        size = max(1, min(self.max_points, int(self.max_span // query.step)))
        gaps = known.missing(self._asked(query), span)
        return parts((starting_in(gap, query.step).until(now) for gap in gaps), size)

    def _asked(self, query: Query) -> Asked:
        """Under which name it is remembered what a query has answered: it may tell of any number of services."""
        tenant = [f"{name}={value}" for name, value in sorted(self.headers.items())]
        digest = query.digest(self._address, *tenant)
        return Asked(self.name, f"{query.service or '*'} (query {digest})", query.metric, query.stat, query.step)

    @property
    def _address(self) -> str:
        """The url, up to where /api/v1 starts."""
        return self.url.rstrip("/").removesuffix(f"/{CALL}").removesuffix("/query").removesuffix("/api/v1").rstrip("/")

    def _api(self) -> Api:
        return Api(
            self._address, self.name, self.access, self.headers, self.tls, self.timeout, self._counted, self.sleep
        )

    def _seconds_now(self) -> float:
        return microseconds(self.clock()) / SECOND


def _twice(queries: tuple[Query, ...]) -> str:
    """The first series that two queries name, in words; empty when there is none that can be seen from here."""
    seen: set[tuple[str, str, str, int]] = set()
    for query in queries:
        key = (query.service, query.metric, query.stat, query.step)
        if query.service and key in seen:
            return f"{query.service} {query}"
        seen.add(key)
    return ""


def _claim(owners: dict[tuple[str, str, str, int], Query], query: Query, frame: pd.DataFrame) -> None:
    """Each series belongs to one query. Raises InputError when a second one tells of it, too."""
    for service in frame["service"].cat.categories:
        owner = owners.setdefault((service, query.metric, query.stat, query.step), query)
        if owner is not query:
            raise InputError(
                f"two queries tell of {service} {query}, and which one counts is not guessed:\n"
                f"  {owner.text}\n  {query.text}",
                advice="Keep one of them, or bring both together in one query: sum by (service) (... or ...).",
            )
