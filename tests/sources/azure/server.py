"""The other side: an Azure on 127.0.0.1 that keeps samples, aggregates them as documented and enforces its limits."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd

from capacity.sources import Span
from capacity.sources.azure import AzureMonitor
from tests.servers import Server

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
KIND = "Microsoft.App/containerApps"
TOKEN = "TOKEN-THAT-NOBODY-MAY-SEE"
NOW = pd.Timestamp("2026-11-20T12:00:30Z")
GRAINS = {"PT1M": 1, "PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60}

#: Metric -> unit, aggregations, dimensions, as in "Supported metrics for Microsoft.App/containerapps".
METRICS = {
    "UsageNanoCores": ("NanoCores", {"average", "total", "maximum", "minimum"}, {"revisionName", "podName"}),
    "WorkingSetBytes": ("Bytes", {"average", "total", "maximum", "minimum"}, {"revisionName", "podName"}),
    "Requests": (
        "Count",
        {"average", "total", "maximum", "minimum"},
        {"revisionName", "podName", "statusCodeCategory"},
    ),
    "Replicas": ("Count", {"average", "total", "maximum", "minimum"}, {"revisionName", "deploymentName"}),
    "CpuPercentage": ("Percent", {"average", "total", "maximum", "minimum"}, {"podName"}),
    "MemoryPercentage": ("Percent", {"average", "total", "maximum", "minimum"}, {"podName"}),
    "RxBytes": ("Bytes", {"average", "total", "maximum", "minimum"}, {"revisionName", "podName"}),
    "CoresQuotaUsed": ("Count", {"maximum", "minimum"}, {"revisionName"}),
}


class Token:
    """A credential: what azure-identity gives, without a sign-in."""

    def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken(TOKEN, int(time.time()) + 3600)


@dataclass
class Azure:
    """What the server knows, what it was asked, and what it shall answer first.

    samples  (resource id, metric) -> dimension values -> minute since 1970 -> value
    broken   (resource id, metric) -> error code, in an answer that is otherwise fine
    gone     resource ids that no answer mentions
    first    (status, headers, body) of the next answers, or None for the true one
    """

    url: str = ""
    now: pd.Timestamp = NOW
    samples: dict[tuple[str, str], dict[tuple[tuple[str, str], ...], dict[int, float]]] = field(default_factory=dict)
    broken: dict[tuple[str, str], str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    units: dict[str, str] = field(default_factory=dict)
    first: list[tuple[int, dict[str, str], Any] | None] = field(default_factory=list)
    advice: list[list[dict[str, Any]]] = field(default_factory=list)  # pages
    asked: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, service: str, metric: str, values: Mapping[pd.Timestamp, float], **dimensions: str) -> None:
        """Samples of one minute each."""
        place = self.samples.setdefault((resource(service).lower(), metric.lower()), {})
        minutes = place.setdefault(tuple(sorted(dimensions.items())), {})
        minutes.update({int(stamp.timestamp()) // 60: value for stamp, value in values.items()})

    def monitor(self, *services: str, **settings: Any) -> AzureMonitor:
        """The source of these services, at this server."""
        settings = {"clock": lambda: self.now, "sleep": lambda seconds: None, "credential": Token(), **settings}
        ids = tuple(resource(service) for service in services)
        return AzureMonitor(SUBSCRIPTION, "westeurope", ids, endpoint=self.url, **settings)


def resource(service: str, group: str = "shop") -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{KIND}/{service}"


def minutes(start: str, count: int) -> pd.DatetimeIndex:
    return pd.date_range(start, periods=count, freq="min", tz="UTC", unit="us")


def span(start: str, end: str) -> Span:
    return Span(pd.Timestamp(start, tz="UTC"), pd.Timestamp(end, tz="UTC"))


class Refused(Exception):
    """A request that Azure refuses: status, code, message."""


def metrics_batch(azure: Azure, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to `metrics:getBatch`, or Refused."""
    ids, names = body["resourceids"], query["metricnames"].split(",")
    wanted = query["aggregation"].split(",")
    if len(ids) > 50:
        raise Refused(400, "BadRequest", "A batch holds 50 resource ids at most.")
    if any(path.split("/")[2].lower() != one.split("/")[2].lower() for one in ids):
        raise Refused(400, "BadRequest", "All resources of a batch are in one subscription.")
    if query["metricnamespace"].lower() != KIND.lower() or query["api-version"] != "2024-02-01":
        raise Refused(400, "BadRequest", "No such namespace or version.")
    start, end = pd.Timestamp(query["starttime"]), pd.Timestamp(query["endtime"])
    if start < azure.now - pd.Timedelta(days=93) or end <= start or query["interval"] not in GRAINS:
        raise Refused(400, "BadRequest", "The time span is not kept.")
    conditions = dict(re.findall(r"(\w+) eq '([^']*)'", query.get("filter", "")))
    for name in names:
        known = next((METRICS[known] for known in METRICS if known.lower() == name.lower()), None)
        if known is None:
            raise Refused(400, "BadRequest", f"Failed to find metric configuration for {name}. Valid: {list(METRICS)}")
        if not set(wanted) <= known[1] or not set(conditions) <= known[2]:
            raise Refused(400, "BadRequest", f"{name} does not have this aggregation or dimension.")
    top = int(query.get("top", 10))
    grain = GRAINS[query["interval"]]
    times = range(int(start.timestamp()) // 60 // grain, -(-int(end.timestamp()) // 60 // grain))
    values = [
        {
            "starttime": query["starttime"],
            "endtime": query["endtime"],
            "interval": query["interval"],
            "namespace": KIND,
            "resourceregion": "westeurope",
            "resourceid": one.lower(),  # Azure does not keep our spelling
            "value": [_metric(azure, one.lower(), name, wanted, conditions, top, times, grain) for name in names],
        }
        for one in ids
        if one not in azure.gone
    ]
    return {"values": values}


def _metric(
    azure: Azure,
    one: str,
    name: str,
    wanted: Iterable[str],
    conditions: Mapping[str, str],
    top: int,
    times: range,
    grain: int,
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": f"{one}/providers/Microsoft.Insights/metrics/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name, "localizedValue": name},
        "unit": azure.units.get(name, next(METRICS[known][0] for known in METRICS if known.lower() == name.lower())),
        "errorCode": "Success",
        "timeseries": [],
    }
    if (one, name) in azure.broken:
        return {**entry, "errorCode": azure.broken[one, name], "errorMessage": f"No luck. Bearer {TOKEN}"}
    groups: dict[tuple[tuple[str, str], ...], list[dict[int, float]]] = {}
    for dimensions, samples in azure.samples.get((one, name.lower()), {}).items():
        have = dict(dimensions)
        if all(value in ("*", have.get(dimension)) for dimension, value in conditions.items()):
            groups.setdefault(tuple((d, have.get(d, "")) for d in conditions), []).append(samples)
    for dimensions, series in list(groups.items())[: top if conditions else None]:
        buckets: dict[int, list[float]] = {}
        for samples in series:
            for minute, value in samples.items():
                buckets.setdefault(minute // grain, []).append(value)
        entry["timeseries"].append(
            {
                "metadatavalues": [{"name": {"value": d.lower()}, "value": v} for d, v in dimensions],
                "data": [_point(place * grain, buckets.get(place, []), wanted) for place in times],
            }
        )
    return entry


def _point(minute: int, values: list[float], wanted: Iterable[str]) -> dict[str, Any]:
    point: dict[str, Any] = {"timeStamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(minute * 60))}
    if not values:
        return point  # a missing value is a missing key
    said = {"average": sum(values) / len(values), "total": sum(values), "maximum": max(values), "minimum": min(values)}
    return point | {name: said[name] for name in wanted}


def serve() -> tuple[Azure, Server]:
    """A server on a free port of this machine, answering until it is shut down."""
    azure = Azure()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(body)

        def do_GET(self) -> None:
            self._answer({})

        def _answer(self, body: Mapping[str, Any]) -> None:
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            with azure.lock:
                azure.asked.append({"path": address.path, "query": query, "body": body})
                scripted = azure.first.pop(0) if azure.first else None
            if scripted is not None:
                self._send(*scripted)
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._send(401, {}, error("InvalidAuthenticationToken", "The access token is invalid."))
            elif address.path.endswith("/metrics:getBatch"):
                try:
                    self._send(200, {}, metrics_batch(azure, address.path, query, body))
                except Refused as refused:
                    status, code, message = refused.args
                    self._send(status, {}, error(code, message))
            elif address.path.endswith("/providers/Microsoft.Advisor/recommendations"):
                page = int(query.get("page", 0))
                more = page + 1 < len(azure.advice)
                link = {"nextLink": f"{azure.url}{address.path}?page={page + 1}"} if more else {}
                self._send(200, {}, {"value": azure.advice[page] if azure.advice else [], **link})
            else:
                self._send(404, {}, error("NotFound", "Nothing here."))

        def _send(self, status: int, headers: Mapping[str, str], body: Any) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    azure.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return azure, server


def error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
