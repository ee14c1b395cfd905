"""Ready-made questions for what most people have: cAdvisor, the ECS exporter, proxies, HTTP servers.

Counters are read as rates over $__rate_interval (four scrapes, or the step if that is longer), and summed after it, so
that a restarted task does not read as a fall. Gauges are summed at every scrape and then averaged over the step, so
that two tasks that follow each other in one interval do not count as two; none is repeated for longer than two scrapes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Final

from capacity.errors import InputError
from capacity.sources.prometheus.query import Query


@dataclass(frozen=True)
class Preset:
    """A question with blanks: labels, which differ from one scrape configuration to the next, and matchers.

    promql   `$service` and the other names of `labels` stand for labels, `$match` for further matchers
    labels   what each label is called if nothing else is said; `service` is the one that names the service
    """

    name: str
    metric: str
    promql: str
    meaning: str
    stat: str = "mean"
    unit: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: {"service": "service"})


def preset(
    name: str,
    *,
    step: int = 60,
    scrape: int = 15,
    service: str = "",
    service_label: str = "",
    labels: Mapping[str, str] | None = None,
    match: str = "",
) -> Query:
    """A ready-made question as a Query.

    name     see `PRESETS`
    step     seconds; `scrape`: how often targets are scraped, seconds
    service  all of it is this one service; else `service_label` names the service
    labels   label of the preset -> yours
    match    further matchers: 'namespace="shop", job!="canary"'

    >>> preset("http-errors", labels={"code": "status"}).promql.split(" or ")[0]
    '(sum by (service) (rate(http_requests_total{status=~"5.."}[$__rate_interval]))'
    """
    known = PRESETS.get(name)
    if known is None:
        raise InputError(f"there is no ready-made query {name!r}", advice=f"There are: {', '.join(PRESETS)}.")
    said = dict(labels or {}) | ({"service": service_label} if service_label else {})
    if unknown := sorted(set(said) - set(known.labels)):
        raise InputError(
            f"the ready-made query {name!r} has no label {', '.join(map(repr, unknown))}",
            advice=f"Its labels, as in labels = {{{next(iter(known.labels))} = 'yours'}}: {', '.join(known.labels)}.",
        )
    called = dict(known.labels) | said
    blanks = called | ({"service": ""} if service else {})
    text = Template(known.promql).safe_substitute(
        blanks, match=match.strip(" ,"), recent=f"{2 * scrape}s", scrape=f"{min(scrape, step)}s", step=f"{step}s"
    )
    return Query(
        known.metric, _tidied(text), known.stat, service, called["service"], known.unit, step=step, scrape=scrape
    )


def _tidied(text: str) -> str:
    """The text without what an empty blank leaves behind: commas before a bracket, empty brackets.

    >>> _tidied('sum by () (rate(m{, }[5m])) / sum by (le, ) (n{a="b", })')
    'sum (rate(m[5m])) / sum by (le) (n{a="b"})'
    """
    return re.sub(r",\s*(?=[)}])", "", text).replace("{}", "").replace(" by ()", "")


#: Latency is read at these quantiles: our statistics of the same names.
_QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def _rate(counter: str) -> str:
    return f"sum by ($service) (rate({counter}[$__rate_interval]))"


def _level(gauge: str, gathered: str = "sum by ($service) ({})") -> str:
    """A gauge of many tasks brought together at every scrape, then averaged over the step.

    A task that ends is gone at its staleness marker. Where the server itself was away there is none, and the server
    would repeat the last value for five minutes: what is older than two scrapes is left out.
    """
    now = gathered.format(f"{gauge} and last_over_time({gauge}[$recent])")
    return f"avg_over_time(({now})[$step:$scrape])"


def _requests(
    prefix: str, counted: str, labels: Mapping[str, str], what: str, *, by_code: str = "", failed: str = '=~"5.."'
) -> list[Preset]:
    """Requests and errors of one kind of server.

    by_code  the counter that has the label of the status, if it is not `counted` itself
    failed   matches that label where it means 5xx

    Where requests are counted by status and errors never were, there were none. Where no series has that label, nobody
    counted: it may have another name, so there is no zero.
    """
    metric, _, matchers = (by_code or counted).partition("{")
    errors, answers = (f"{metric}{{$code{means}, {matchers}" for means in (failed, '!=""'))
    return [
        Preset(f"{prefix}-requests", "requests", _rate(counted), f"Requests {what}.", labels=_without_code(labels)),
        Preset(
            f"{prefix}-errors",
            "errors",
            f"({_rate(errors)} or 0 * {_rate(answers)})",
            f"Requests {what} that were answered with 5xx; 0 where they are counted by status and no error ever was.",
            labels=labels,
        ),
    ]


def _latency(prefix: str, buckets: str, unit: str, labels: Mapping[str, str], what: str) -> list[Preset]:
    """Quantiles of a classic histogram, linear inside a bucket: no finer than its buckets."""
    return [
        Preset(
            f"{prefix}-{stat}",
            "latency",
            f"histogram_quantile({quantile}, sum by (le, $service) (rate({buckets}[$__rate_interval])))",
            f"Time to answer, {what}: {quantile:.0%} of requests are faster. A gap where there were none.",
            stat,
            unit,
            _without_code(labels),
        )
        for stat, quantile in _QUANTILES.items()
    ]


def _without_code(labels: Mapping[str, str]) -> dict[str, str]:
    return {role: label for role, label in labels.items() if role != "code"}


_CADVISOR: Final = {"service": "service", "container": "container", "image": "image"}
_HTTP: Final = {"service": "service", "code": "code"}  # client_golang's promhttp; others say `status`
_NGINX: Final = {"service": "service", "code": "status"}
_ENVOY: Final = {"service": "envoy_cluster_name", "code": "envoy_response_code_class"}
_ISTIO: Final = {"service": "destination_service_name", "code": "response_code"}
_TRAEFIK: Final = {"service": "service", "code": "code"}
_KUBE: Final = {"service": "deployment"}
_TASKS: Final = {"service": "service", "instance": "instance"}

#: cAdvisor also tells of whole machines, pods and pause containers: those have no image or no name of their own.
_CONTAINERS: Final = '{$container!="", $container!="POD", $image!="", $match}'
#: ecs_exporter up to v0.1 and after it (README of both).
_ECS_CPU: Final = '{__name__=~"ecs_cpu_seconds_total|ecs_container_cpu_usage_seconds_total", $match}'
_ECS_MEMORY: Final = '{__name__=~"ecs_memory_bytes|ecs_container_memory_usage_bytes", $match}'

#: name -> Preset, in the order of docs/prometheus.md. Metric names: cAdvisor docs/storage/prometheus.md, the README of
#: ecs_exporter, ingress-nginx user-guide/monitoring, Envoy cluster statistics, Istio standard metrics, Traefik
#: observability/metrics, kube-state-metrics deployment metrics.
PRESETS: Final[dict[str, Preset]] = {
    one.name: one
    for one in (
        Preset(
            "cadvisor-cpu",
            "cpu",
            _rate(f"container_cpu_usage_seconds_total{_CONTAINERS}"),
            "Processor time in use by all containers of the service, as cAdvisor and the kubelet count it.",
            labels=_CADVISOR,
        ),
        Preset(
            "cadvisor-memory",
            "memory",
            _level(f"container_memory_working_set_bytes{_CONTAINERS}"),
            "Working set of all containers of the service: what cannot be given back under pressure.",
            unit="bytes",
            labels=_CADVISOR,
        ),
        Preset("ecs-cpu", "cpu", _rate(_ECS_CPU), "Processor time in use, from ecs_exporter beside each task."),
        Preset(
            "ecs-memory",
            "memory",
            _level(_ECS_MEMORY),
            "Memory in use, from ecs_exporter beside each task.",
            unit="bytes",
        ),
        Preset(
            "ecs-tasks",
            "running_tasks",
            _level(_ECS_MEMORY, "count by ($service) (count by ($instance, $service) ({}))"),
            "Tasks that run, counted by the ecs_exporter beside each.",
            labels=_TASKS,
        ),
        Preset(
            "kube-tasks",
            "running_tasks",
            _level("kube_deployment_status_replicas_ready{$match}"),
            "Ready replicas of a deployment, from kube-state-metrics.",
            labels=_KUBE,
        ),
        Preset(
            "kube-desired",
            "desired_tasks",
            _level("kube_deployment_spec_replicas{$match}"),
            "Replicas a deployment is asked to keep, from kube-state-metrics.",
            labels=_KUBE,
        ),
        *_requests(
            "http",
            "http_requests_total{$match}",
            _HTTP,
            "that the service's own code counts",
        ),
        *_latency("http", "http_request_duration_seconds_bucket{$match}", "seconds", _HTTP, "inside the service"),
        *_requests(
            "nginx",
            "nginx_ingress_controller_requests{$match}",
            _NGINX,
            "through ingress-nginx",
        ),
        *_latency(
            "nginx",
            "nginx_ingress_controller_request_duration_seconds_bucket{$match}",
            "seconds",
            _NGINX,
            "through ingress-nginx",
        ),
        *_requests(
            "envoy",
            "envoy_cluster_upstream_rq_total{$match}",
            _ENVOY,
            "that Envoy sent to the cluster",
            by_code="envoy_cluster_upstream_rq_xx{$match}",
            failed='="5"',
        ),
        *_latency("envoy", "envoy_cluster_upstream_rq_time_bucket{$match}", "ms", _ENVOY, "as Envoy saw it"),
        # Both ends of a request count it: the server's proxy is asked.
        *_requests(
            "istio",
            'istio_requests_total{reporter="destination", $match}',
            _ISTIO,
            "that the service's own Istio proxy counts",
        ),
        *_latency(
            "istio",
            'istio_request_duration_milliseconds_bucket{reporter="destination", $match}',
            "ms",
            _ISTIO,
            "as the service's own Istio proxy saw it",
        ),
        *_requests(
            "traefik",
            "traefik_service_requests_total{$match}",
            _TRAEFIK,
            "through Traefik",
        ),
        *_latency(
            "traefik", "traefik_service_request_duration_seconds_bucket{$match}", "seconds", _TRAEFIK, "through Traefik"
        ),
    )
}
