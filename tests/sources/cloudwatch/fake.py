"""A fake of the other side: GetMetricData over real HTTP, with its real limits, its silences and its bad days.

It keeps one-minute truth and answers as CloudWatch documents it: at most 500 queries, at most 100,800 points a page,
`NextToken` with unchanged parameters, ids of the documented form, aligned buckets, nothing at all for a period that is
too fine for the age of the start. On its bad days (`Faults`) it throttles, fails, and answers in part.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol, Self

import numpy as np

from tests.servers import Server

DAY = 86400
KEPT = ((60, 15 * DAY), (300, 63 * DAY), (3600, 455 * DAY))
#: namespace, name, dimensions in any order
Key = tuple[str, str, frozenset[tuple[str, str]]]
#: JSON of stamps and of values, a fragment a point
Fragments = tuple[list[bytes], list[bytes]]
#: id, status, points
Result = tuple[str, str, Fragments]


class Truth(Protocol):
    """What was measured: fragments of JSON for one statistic of one metric, over buckets of a period."""

    def __call__(self, key: Key, stat: str, start: int, end: int, period: int) -> Fragments: ...


@dataclass
class Minutes:
    """One-minute truth: of each metric, the samples of each minute, by its start in seconds since 1970."""

    samples: dict[Key, dict[int, list[float]]] = field(default_factory=dict)
    percentiles: bool = True

    def put(self, namespace: str, name: str, dimensions: dict[str, str], minute: int, values: list[float]) -> None:
        """Add samples of a minute, or revise them."""
        self.samples.setdefault((namespace, name, frozenset(dimensions.items())), {})[minute] = values

    def __call__(self, key: Key, stat: str, start: int, end: int, period: int) -> Fragments:
        buckets: dict[int, list[float]] = {}
        for minute, values in self.samples.get(key, {}).items():
            bucket = minute // period * period
            if start <= bucket < end:
                buckets.setdefault(bucket, []).extend(values)
        answer = [(stamp, statistic(values, stat)) for stamp, values in sorted(buckets.items()) if values]
        return [b"%d" % stamp for stamp, _ in answer], [json.dumps(value).encode() for _, value in answer]


def statistic(samples: list[float], stat: str) -> float:
    """A statistic of samples, as CloudWatch defines it."""
    if stat[0] == "p":
        return float(np.percentile(samples, float(stat[1:])))
    kinds: dict[str, Callable[[list[float]], float]] = {
        "Average": lambda values: sum(values) / len(values),
        "Sum": sum,
        "Minimum": min,
        "Maximum": max,
        "SampleCount": lambda values: float(len(values)),
    }
    return float(kinds[stat](samples))


@dataclass
class Faults:
    """Chances, each of a call or of a result, that something goes wrong."""

    throttle: float = 0.0
    failure: float = 0.0  # HTTP 500
    internal: float = 0.0  # StatusCode InternalError, of a result
    partial: float = 0.0  # StatusCode PartialData with only the first part, of a result; a token follows or not
    stale: float = 0.0  # a token that has expired
    seed: int = 0


class Refused(Exception):
    """A documented error: code and message."""


@dataclass
class FakeCloudWatch:
    """A server on this machine. `calls` are the requests it answered, `refusals` those it did not accept.

    now         what time it is there, in seconds since 1970
    page        points a page
    per_second  calls, and points, it lets pass in a second; None: any
    """

    truth: Truth = field(default_factory=Minutes)
    now: float = 1_785_000_000.0
    page: int = 100_800
    faults: Faults = field(default_factory=Faults)
    per_second: tuple[float, float] | None = None
    percentiles: bool = True
    forbidden: frozenset[str] = frozenset()  # names of metrics
    messages: list[dict[str, str]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    targets: set[str] = field(default_factory=set)
    refusals: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"throttled": 0, "points": 0, "bytes": 0})

    def __post_init__(self) -> None:
        self._random = random.Random(self.faults.seed)
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[str, list[Result]]] = {}
        self._free = [0.0, 0.0]
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = Server(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def minutes(self) -> Minutes:
        """The truth, where it is one to be written to."""
        assert isinstance(self.truth, Minutes)
        return self.truth

    def start_over(self, page: int, faults: Faults) -> None:
        """As new: no truth, no calls, another kind of day."""
        self.truth, self.page, self.faults = Minutes(), page, faults
        self._random = random.Random(faults.seed)
        for kept in (self.calls, self.refusals, self._tokens):
            kept.clear()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Status and body for one request."""
        operation = target.rpartition(".")[2]
        request = json.loads(body)
        with self._lock:
            self.targets.add(operation)
            chances = [self._random.random() for _ in range(3)]
        try:
            if chances[0] < self.faults.throttle or not self._within_quota(request):
                self.counts["throttled"] += 1
                raise Refused("Throttling", "Rate exceeded")
            if chances[1] < self.faults.failure:
                return 500, b'{"__type": "InternalServiceFault", "message": "not today"}'
            self._check(operation, request)
            stats = {query["MetricStat"]["Stat"] for query in request["MetricDataQueries"]}
            if not self.percentiles and any(stat[0] == "p" for stat in stats):
                return 500, b'{"__type": "InternalServiceFault", "message": "no percentiles today"}'
            self.calls.append(request)
            return 200, self._page(request, stale=chances[2] < self.faults.stale)
        except Refused as refused:
            code, message = refused.args
            if code != "Throttling":
                self.refusals.append(f"{code}: {message}")
            return 400, json.dumps({"__type": code, "message": message}).encode()

    def _within_quota(self, request: dict[str, Any]) -> bool:
        """Token buckets of calls and of points that were asked for, each of one second."""
        if self.per_second is None:
            return True
        points = sum(
            (request["EndTime"] - request["StartTime"]) / query["MetricStat"]["Period"]
            for query in request["MetricDataQueries"]
        )
        with self._lock:
            moment = time.monotonic()
            free = [max(moment - 1, at) for at in self._free]
            if any(at > moment for at in free):
                return False
            rates = (1, points)
            self._free = [at + rate / limit for at, rate, limit in zip(free, rates, self.per_second, strict=True)]
            return True

    def _check(self, operation: str, request: dict[str, Any]) -> None:
        if operation != "GetMetricData":
            raise Refused("AccessDenied", f"not authorized to perform: cloudwatch:{operation}")
        queries = request["MetricDataQueries"]
        ids = [query["Id"] for query in queries]
        if not 1 <= len(queries) <= 500:
            raise Refused("ValidationError", f"{len(queries)} queries, at most 500")
        if len(set(ids)) < len(ids) or not all(re.fullmatch(r"[a-z][a-zA-Z0-9_]{0,254}", each) for each in ids):
            raise Refused("ValidationError", "ids have to be unique and of the documented form")
        if request["StartTime"] >= request["EndTime"]:
            raise Refused("ValidationError", "StartTime must be less than EndTime")
        for query in queries:
            metric, period = query["MetricStat"]["Metric"], query["MetricStat"]["Period"]
            names = [dimension["Name"] for dimension in metric.get("Dimensions", [])]
            if period <= 0 or period % 60 or names != sorted(names) or "Unit" in query["MetricStat"]:
                raise Refused("ValidationError", f"a period of {period}, dimensions {names}, or a unit")

    def _page(self, request: dict[str, Any], stale: bool) -> bytes:
        plain = json.dumps({key: value for key, value in request.items() if key != "NextToken"}, sort_keys=True)
        if token := request.get("NextToken"):
            with self._lock:
                known, results = self._tokens.get(token, ("", []))
            if known != plain or stale:
                raise Refused("InvalidNextToken", "the token is not valid, or has expired")
        else:
            results = [(query["Id"], *self._result(request, query)) for query in request["MetricDataQueries"]]
        now, later = _parted(results, self.page)
        body = b'{"MetricDataResults":[' + b",".join(_fragment(*result) for result in now) + b"]"
        if later:
            with self._lock:
                token = f"token{len(self._tokens)}"
                self._tokens[token] = (plain, later)
            body += b',"NextToken":"%s"' % token.encode()
        if self.messages:
            body += b',"Messages":' + json.dumps(self.messages).encode()
        with self._lock:
            self.counts["points"] += sum(len(result[2][0]) for result in now)
            self.counts["bytes"] += len(body)
        return body + b"}"

    def _result(self, request: dict[str, Any], query: dict[str, Any]) -> tuple[str, Fragments]:
        stat, metric = query["MetricStat"], query["MetricStat"]["Metric"]
        period = stat["Period"]
        if metric["MetricName"] in self.forbidden:
            return "Forbidden", ([], [])
        kept = max((age for tier, age in KEPT if tier <= period), default=0)
        if request["StartTime"] < self.now - kept:
            return "Complete", ([], [])
        with self._lock:
            chances = [self._random.random() for _ in range(2)]
        if chances[0] < self.faults.internal:
            return "InternalError", ([], [])
        dimensions = frozenset((each["Name"], each["Value"]) for each in metric.get("Dimensions", []))
        key = (metric["Namespace"], metric["MetricName"], dimensions)
        start = int(request["StartTime"]) // period * period
        stamps, values = self.truth(key, stat["Stat"], start, int(request["EndTime"]), period)
        if chances[1] < self.faults.partial:
            half = len(stamps) // 2
            return "PartialData", (stamps[:half], values[:half])
        return "Complete", (stamps, values)


def _parted(results: list[Result], room: int) -> tuple[list[Result], list[Result]]:
    """What fits on a page, and what follows on the next: a result that is cut is PartialData so far."""
    now: list[Result] = []
    for number, (name, status, (stamps, values)) in enumerate(results):
        if len(stamps) > room:
            rest: Result = (name, status, (stamps[room:], values[room:]))
            return [*now, (name, "PartialData", (stamps[:room], values[:room]))], [rest, *results[number + 1 :]]
        room -= len(stamps)
        now.append((name, status, (stamps, values)))
    return now, []


def _fragment(name: str, status: str, points: Fragments) -> bytes:
    stamps, values = points
    head = f'{{"Id":"{name}","Label":"label","StatusCode":"{status}","Timestamps":['.encode()
    return head + b",".join(stamps) + b'],"Values":[' + b",".join(values) + b"]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: FakeCloudWatch

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = self.fake.answer(self.headers["X-Amz-Target"], body)
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""
