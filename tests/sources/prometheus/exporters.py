"""An hour of what cAdvisor, the ECS exporter, kube-state-metrics, HTTP servers and proxies expose, at a steady pace.

Each entry is a series and how it moves: a counter by so much a second, a gauge at one value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from tests.sources.prometheus import month

START = month.START + pd.Timedelta(days=5)
FIRST = int(START.timestamp())
STAMPS = range(FIRST, FIRST + 3600 + month.STEP, month.STEP)
GIB = 1024**3


class Counter(NamedTuple):
    series: str
    per_second: float


class Gauge(NamedTuple):
    series: str
    value: float


def histogram(name: str, labels: str, unit: float) -> list[Counter]:
    """20 requests/s: half within 100 ms, nine in ten within 500 ms, all within a second. `unit`: edges in a second."""
    shares = {0.1: 0.5, 0.5: 0.9, 1.0: 1.0, float("inf"): 1.0}
    return [
        Counter(f'{name}_bucket{{{labels}, le="{"+Inf" if edge == float("inf") else f"{edge * unit:g}"}"}}', 20 * share)
        for edge, share in shares.items()
    ]


#: p50, p95, p99 of that, seconds: linear inside a bucket.
LATENCY = {"p50": 0.1, "p95": 0.75, "p99": 0.95}

EXPOSED: list[Counter | Gauge] = [
    Counter('container_cpu_usage_seconds_total{service="pay", container="app", image="a", pod="1"}', 0.5),
    Counter('container_cpu_usage_seconds_total{service="pay", container="app", image="a", pod="2"}', 0.25),
    Counter('container_cpu_usage_seconds_total{service="pay", container="POD", image="pause", pod="2"}', 3.0),
    Counter('container_cpu_usage_seconds_total{service="pay", container="", image="", pod="2"}', 7.0),
    Gauge('container_memory_working_set_bytes{service="pay", container="app", image="a", pod="1"}', 1.0 * GIB),
    Gauge('container_memory_working_set_bytes{service="pay", container="app", image="a", pod="2"}', 0.5 * GIB),
    Gauge('container_memory_working_set_bytes{service="pay", container="", image="", pod="2"}', 9.0 * GIB),
    Counter('ecs_cpu_seconds_total{service="old", instance="1:9779", container="app", cpu="0"}', 0.5),
    Counter('ecs_cpu_seconds_total{service="old", instance="1:9779", container="app", cpu="1"}', 0.25),
    Counter('ecs_container_cpu_usage_seconds_total{service="new", instance="2:9779", container_name="app"}', 0.375),
    Gauge('ecs_memory_bytes{service="old", instance="1:9779", container="app"}', 0.5 * GIB),
    Gauge('ecs_memory_bytes{service="old", instance="1:9779", container="proxy"}', 0.25 * GIB),
    Gauge('ecs_memory_bytes{service="old", instance="3:9779", container="app"}', 0.5 * GIB),
    Gauge('ecs_container_memory_usage_bytes{service="new", instance="2:9779", container_name="app"}', 2.0 * GIB),
    Gauge('kube_deployment_status_replicas_ready{deployment="pay"}', 3),
    Gauge('kube_deployment_spec_replicas{deployment="pay"}', 4),
    Counter('nginx_ingress_controller_requests{service="pay", status="200"}', 8),
    Counter('nginx_ingress_controller_requests{service="pay", status="503"}', 2),
    Counter('nginx_ingress_controller_requests{service="calm", status="200"}', 1),
    *histogram("nginx_ingress_controller_request_duration_seconds", 'service="pay"', 1),
    *histogram("http_request_duration_seconds", 'service="pay"', 1),
    Counter('envoy_cluster_upstream_rq_total{envoy_cluster_name="pay"}', 5),
    Counter('envoy_cluster_upstream_rq_xx{envoy_cluster_name="pay", envoy_response_code_class="2"}', 4),
    Counter('envoy_cluster_upstream_rq_xx{envoy_cluster_name="pay", envoy_response_code_class="5"}', 1),
    *histogram("envoy_cluster_upstream_rq_time", 'envoy_cluster_name="pay"', 1000),
    Counter('istio_requests_total{reporter="source", destination_service_name="pay", response_code="200"}', 6),
    Counter('istio_requests_total{reporter="destination", destination_service_name="pay", response_code="200"}', 5),
    Counter('istio_requests_total{reporter="destination", destination_service_name="pay", response_code="500"}', 1),
    *histogram("istio_request_duration_milliseconds", 'reporter="destination", destination_service_name="pay"', 1000),
    *histogram("istio_request_duration_milliseconds", 'reporter="source", destination_service_name="pay"', 5000),
    Counter('traefik_service_requests_total{service="pay@ecs", code="200"}', 3),
    Counter('traefik_service_requests_total{service="pay@ecs", code="502"}', 1),
    *histogram("traefik_service_request_duration_seconds", 'service="pay@ecs"', 1),
    Counter('app_requests_total{app="shop", status="200", stage="live"}', 7),
    Counter('app_requests_total{app="shop", status="200", stage="canary"}', 100),
]

#: Ready-made query -> what it has to say, at every minute of the hour.
EXPECTED: dict[str, dict[str, float]] = {
    "cadvisor-cpu": {"pay": 0.75},
    "cadvisor-memory": {"pay": 1.5},
    "ecs-cpu": {"new": 0.375, "old": 0.75},
    "ecs-memory": {"new": 2.0, "old": 1.25},
    "ecs-tasks": {"new": 1, "old": 2},
    "kube-tasks": {"pay": 3},
    "kube-desired": {"pay": 4},
    "http-requests": {"checkout": 1.0, "search": 2.0},  # of the month: the first hour of a day
    "http-errors": {"checkout": 0, "search": 0},
    "nginx-requests": {"calm": 1, "pay": 10},
    "nginx-errors": {"calm": 0, "pay": 2},
    "envoy-requests": {"pay": 5},
    "envoy-errors": {"pay": 1},
    "istio-requests": {"pay": 6},
    "istio-errors": {"pay": 1},
    "traefik-requests": {"pay@ecs": 4},
    "traefik-errors": {"pay@ecs": 1},
}
for _prefix, _service in (
    ("http", "pay"),
    ("nginx", "pay"),
    ("envoy", "pay"),
    ("istio", "pay"),
    ("traefik", "pay@ecs"),
):
    EXPECTED |= {f"{_prefix}-{_stat}": {_service: _seconds} for _stat, _seconds in LATENCY.items()}


def lines() -> Iterator[str]:
    """OpenMetrics text of all of it."""
    for one in EXPOSED:
        for stamp in STAMPS:
            value = one.value if isinstance(one, Gauge) else one.per_second * (stamp - FIRST + 1000)
            yield f"{one.series.replace(', ', ',')} {float(value)!r} {stamp}"
