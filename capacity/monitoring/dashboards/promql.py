"""A line of a chart as a question to Prometheus: about one service, with no label left that arithmetic would miss."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from capacity.config import Account
from capacity.config.prometheus import PrometheusQuery, PrometheusSettings
from capacity.config.slo import Slo
from capacity.monitoring.dashboards.parts import Line
from capacity.monitoring.measuring import constants, in_terms_of
from capacity.sources.prometheus.presets import PRESETS
from capacity.sources.prometheus.query import Query
from capacity.sources.prometheus.settings import queries_of

#: Asked where no [[prometheus.query]] says what to ask: docs/prometheus.md has what each expects to be there.
USUAL: Final = tuple(
    PrometheusQuery(preset=name)
    for name in (
        "http-requests",
        "http-errors",
        "http-p50",
        "http-p95",
        "http-p99",
        "ecs-cpu",
        "ecs-memory",
        "ecs-tasks",
    )
)


@dataclass
class Questions:
    """PromQL for lines, from what capacity.toml says to ask; each service's queries are made once.

    >>> from capacity import Service
    >>> print(Questions().of(Line(Service(name="web"), "requests", "measured")))
    sum(sum by (service) (rate(http_requests_total{service="web"}[$__rate_interval])))
    """

    settings: PrometheusSettings | None = None
    _made: dict[tuple[str, int], tuple[Query, ...]] = field(default_factory=dict, repr=False)

    def of(self, line: Line, account: Account | None = None, step: int = 0) -> str | None:
        """One series, in the chart's unit; None where nothing that is asked of Prometheus answers it.

        step  seconds that rates look over; 0 leaves that to Grafana ($__rate_interval)
        """
        if line.slo is None:
            asked = self._signal(line, line.signal, line.stat, step, account)
            return asked if asked is None or line.factor == 1 else f"{line.factor:g} * ({asked})"
        # rates over the step itself, so that nothing between two steps is missed; an hour is fine enough for a month
        left = line.measure == "budget"
        window, step = (f"{line.slo.window_days}d", 3600) if left else (f"{line.minutes}m", 60)
        bad = self._bad_share(line, line.slo, window, step)
        if bad is None:
            return None
        budget = f"{line.slo.budget:.12g}"
        return f"100 * (1 - ({bad}) / {budget})" if left else f"({bad}) / {budget}"

    def _bad_share(self, line: Line, slo: Slo, window: str, step: int) -> str | None:
        """Share of requests with an error, or of the steps with slow answers, over a window."""
        if slo.kind == "latency":
            step = min(step, 300)  # a share of minutes: hours would hide slow ones
            slow = self._signal(line, "latency", slo.percentile, step)
            return f"avg_over_time((({slow}) > bool {slo.latency_seconds:.12g})[{window}:{step}s])" if slow else None
        errors, requests = (self._signal(line, name, "mean", step) for name in ("errors", "requests"))
        if errors is None or requests is None:
            return None
        return f"avg_over_time(({errors})[{window}:{step}s]) / avg_over_time(({requests})[{window}:{step}s])"

    def _signal(self, line: Line, name: str, stat: str, step: int = 0, account: Account | None = None) -> str | None:
        service = line.service.name

        def ask(signal: str) -> str | None:
            wanted = stat if signal == name else "mean"
            for query in self._queries(service, step):
                if query.metric == signal and query.stat == wanted and query.service in ("", service):
                    return _of_one(query, service, step)
            return None

        if stat not in ("mean", "p50", "p95", "p99"):  # the fullest task: no query of ours tells tasks apart
            return None
        return in_terms_of(name, ask, constants(line.service, account), "({0} > {1} or {1})".format)

    def _queries(self, service: str, step: int) -> tuple[Query, ...]:
        if (service, step) not in self._made:
            self._made[service, step] = _queries(self.settings, service, step)
        return self._made[service, step]


def _queries(settings: PrometheusSettings | None, service: str, step: int) -> tuple[Query, ...]:
    """What is asked, with presets that ask for this service alone."""
    chosen = settings if settings is not None and settings.query else PrometheusSettings(query=USUAL)
    tables = [_narrowed(table, service) for table in chosen.query]
    if step:
        tables = [table.model_copy(update={"step": f"{step}s"}) for table in tables]
    return queries_of(chosen.model_copy(update={"query": tuple(tables)}))


def _narrowed(table: PrometheusQuery, service: str) -> PrometheusQuery:
    """A preset with a matcher for the service: the server then reads no other's series."""
    if not table.preset or table.service or table.preset not in PRESETS:
        return table
    label = table.labels.get("service") or table.service_label or PRESETS[table.preset].labels["service"]
    own = f"{label}={text(service)}"
    return table.model_copy(update={"match": f"{table.match}, {own}" if table.match else own})


def _of_one(query: Query, service: str, step: int) -> str:
    """The query for one service, without labels, in the metric's own unit."""
    asked = query.text if step else query.promql
    if not query.service and f"{query.service_label}={text(service)}" not in asked:
        # `$` begins a group of a regular expression in what label_replace puts there
        label, name = query.service_label, text(service.replace("$", "$$"))
        asked = f'({asked}) and on ({label}) label_replace(vector(1), "{label}", {name}, "", "")'
    whole = f"sum({asked})"
    return whole if query.factor == 1 else f"{whole} * {query.factor:.12g}"


def text(value: str) -> str:
    r"""A string of PromQL that means exactly this, and that Grafana finds no variable in.

    Escapes are Go's. Source: Prometheus documentation, "Querying basics", string literals.

    >>> print(text('a"b$x[[y]]'))
    "a\"b\x24x\x5b\x5by]]"
    """
    quoted = json.dumps(value, ensure_ascii=False)[1:-1].replace("\\/", "/")
    plain = "".join(char if char.isprintable() else _numbered(char) for char in quoted)
    return f'"{plain}"'.replace("$", r"\x24").replace("[", r"\x5b")


def _numbered(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def selector(labels: Mapping[str, str]) -> str:
    """Labels as a selector.

    >>> selector({"service": "web", "alertstate": "firing"})
    '{service="web", alertstate="firing"}'
    """
    return "{" + ", ".join(f"{name}={text(value)}" for name, value in labels.items()) + "}"
