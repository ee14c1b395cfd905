"""The tables [prometheus] and [[prometheus.query]] as people write them, and what is said when they are wrong."""

from __future__ import annotations

import re
import sys
import tomllib
import traceback
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from capacity.config import Config
from capacity.config.prometheus import PrometheusSettings
from capacity.errors import ConfigError, InputError, MissingExtra
from capacity.schema import METRICS
from capacity.sources.base import Span
from capacity.sources.prometheus import PRESETS, Basic, Bearer, Nobody, Prometheus, Query, Signed, Tls
from tests.conftest import ROOT

GUIDE = (ROOT / "docs" / "prometheus.md").read_text(encoding="utf-8")
ONE = {"preset": "http-requests"}


def settings(text: str) -> PrometheusSettings:
    return PrometheusSettings(**tomllib.loads(text)["prometheus"])


def wrong(**table: Any) -> str:
    """What is said of a table, or of the source it makes."""
    with pytest.raises(ConfigError) as caught:
        Prometheus.of(PrometheusSettings(**{"url": "http://prom:9090", "query": [ONE]} | table))
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def test_a_file_becomes_a_source() -> None:
    text = """
        [prometheus]
        url = "https://metrics.example/prometheus"
        step = "5min"
        scrape_interval = "30s"
        bearer_token_file = "token"
        ca_file = "ca.pem"
        headers = { X-Scope-OrgID = "shop" }
        max_points = 5000
        max_span = "7d"
        timeout = "90s"
        settle = "10min"

        [[prometheus.query]]
        preset = "cadvisor-memory"
        service_label = "container_label_service"
        labels = { container = "name" }
        match = 'cluster="live"'
        step = "1h"

        [[prometheus.query]]
        metric = "latency"
        stat = "p95"
        unit = "ms"
        query = "histogram_quantile(0.95, sum by (le, app) (rate(took_ms_bucket[$__rate_interval])))"
        service_label = "app"
    """
    source = Prometheus.of(settings(text), Path("etc"))
    assert source.name == "prometheus:metrics.example:443"
    assert source.access == Bearer(file=Path("etc/token"))
    assert source.tls == Tls(ca_file=Path("etc/ca.pem"))
    assert source.headers == {"X-Scope-OrgID": "shop"}
    assert (source.max_points, source.max_span, source.timeout, source.settle) == (5000, 604_800, 90, 600)
    memory, latency = source.queries
    assert memory.text == (
        "avg_over_time((sum by (container_label_service) ("
        'container_memory_working_set_bytes{name!="", name!="POD", image!="", cluster="live"} and last_over_time('
        'container_memory_working_set_bytes{name!="", name!="POD", image!="", cluster="live"}[60s])))[3600s:30s])'
    )
    assert (memory.metric, memory.unit, memory.step, memory.service_label) == (
        "memory", "bytes", 3600, "container_label_service",
    )  # fmt: skip
    assert latency.text == "histogram_quantile(0.95, sum by (le, app) (rate(took_ms_bucket[300s])))"
    assert (latency.metric, latency.stat, latency.factor, latency.step) == ("latency", "p95", 1e-3, 300)


def test_the_address_on_the_command_line_wins() -> None:
    table = PrometheusSettings(url="http://prom:9090", query=[ONE])
    assert Prometheus.of(table, url="http://127.0.0.1:1234").name == "prometheus:127.0.0.1:1234"
    assert Prometheus.of(PrometheusSettings(query=[ONE]), url="http://[::1]/").name == "prometheus:[::1]:80"
    assert "no url" in wrong(url="")


@pytest.mark.parametrize(
    ("table", "access"),
    [
        ({}, Nobody()),
        ({"bearer_token_env": "TOKEN"}, Bearer("TOKEN")),
        ({"basic_user": "me", "basic_password_env": "PASSWORD"}, Basic("me", "PASSWORD")),
        ({"sigv4_region": "eu-west-1"}, Signed("eu-west-1")),
    ],
)
def test_there_is_one_way_to_be_let_in(table: dict[str, str], access: object) -> None:
    assert Prometheus.of(PrometheusSettings(url="http://prom", query=[ONE], **table)).access == access


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"url": "http://me:s3cret@prom"}, "url: the url holds a user or password"),
        ({"url": "http://prom?token=s3cret"}, "url: the url goes on after ?"),
        ({"url": "prom:9090"}, "url: the url is not an address such as http://prometheus:9090"),
        ({"url": "http://prom:port"}, "url: the url is not an address"),
        ({"headers": {"Authorization": "Bearer s3cret"}}, "a secret does not stand in this file. Write env:NAME"),
        ({"headers": {"X-Api-Key": "s3cret"}}, "X-Api-Key: a secret does not stand in this file"),
        ({"headers": {"X Y": "z"}}, "'X Y' cannot be the name of a header"),
        ({"step": "500ms"}, "step: '500ms' is not a duration"),
        ({"step": "0.5s"}, "'0.5s' is not a positive count of whole seconds"),
        ({"max_points": 20_000}, "max_points: Input should be less than or equal to 11000"),
        ({"bearer_token_env": "A", "sigv4_region": "b"}, "bearer_token_env and sigv4_region: keep one way"),
        ({"basic_user": "me"}, "basic_user and basic_password_env belong together"),
        ({"key_file": "k"}, "key_file is the key of cert_file"),
        ({"insecure": True, "ca_file": "c"}, "insecure checks no certificate"),
        ({"bearer_token": "s3cret"}, "bearer_token: unknown key"),
        ({"bearer_tokn_env": "A"}, "Known keys of PrometheusSettings: url, step, scrape_interval, bearer_token_env"),
        ({"headers": "Bearer s3cret"}, "headers: Input should be a valid dictionary"),
        ({"headers": {"Authorization": ["s3cret"]}}, "headers Authorization: Input should be a valid string"),
        ({"query": []}, "nothing to ask"),
        ({"query": [{}]}, "query #1: say either query = PromQL, with its metric, or preset"),
        ({"query": [{"query": "up"}]}, "metric is required beside query"),
        ({"query": [{"query": "up", "metric": "load"}]}, "unknown metric 'load'"),
        ({"query": [{"query": "up", "metric": "cpu", "stat": "sum"}]}, "unknown statistic 'sum'"),
        ({"query": [{"query": "up", "metric": "cpu", "unit": "GiB"}]}, "cpu cannot be in 'GiB'"),
        ({"query": [{"query": "up[$__range]", "metric": "cpu"}]}, "$__range: Grafana fills that in, we do not"),
        ({"query": [{"query": "up", "metric": "cpu", "match": "a='b'"}]}, "labels and match belong to a preset"),
        ({"query": [{"query": "up", "metric": "cpu", "service_label": "a b"}]}, "'a b' cannot be the name of a label"),
        ({"query": [ONE | {"unit": "ms"}]}, "a preset knows its metric, stat and unit"),
        ({"query": [ONE | {"service": "a", "service_label": "b"}]}, "say either service, or the label"),
        ({"query": [ONE | {"labels": {"x": "1b"}}]}, "'1b' cannot be the name of a label"),
        ({"query": [{"preset": "x"}, {"preset": "y"}]}, "[[prometheus.query]] #2: there is no ready-made query 'y'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_without_secrets(table: dict[str, Any], message: str) -> None:
    try:
        said = wrong(**table)
    except InputError as error:
        said = str(error)
    assert message in said
    assert "s3cret" not in said


def test_an_address_and_headers_are_not_shown_with_the_settings() -> None:
    settings = PrometheusSettings(url="https://prom/s3cret", headers={"X-Scope": "s3cret"})
    assert "s3cret" not in f"{settings!r} {settings} {Config(prometheus=settings)!r}"


def test_a_source_made_in_python_checks_itself() -> None:
    with pytest.raises(InputError, match="holds a user or password") as caught:
        Prometheus("http://me:s3cret@prom", (Query("cpu", "x"),))
    assert "s3cret" not in str(caught.value)
    same = Query("cpu", "sum(x)", service="web")
    with pytest.raises(InputError, match=r"two queries tell of web cpu \(mean\)"):
        Prometheus("http://prom", (same, Query("cpu", "sum(y)", service="web")))
    assert Prometheus("http://prom", (same, Query("cpu", "sum(y)", service="api"))).queries
    with pytest.raises(InputError, match="nothing to ask"):
        Prometheus("http://prom", ())
    with pytest.raises(InputError, match="unknown metric 'load'"):
        Query("load", "x")
    with pytest.raises(InputError, match="neither service nor service_label"):
        Query("cpu", "x", service_label="")


def test_a_path_that_is_as_good_as_a_password_is_not_shown() -> None:
    source = Prometheus("https://prom.example/s3cret-path/", (Query("cpu", "x"),), headers={"X-Scope-OrgID": "shop"})
    day = Span(pd.Timestamp("2026-08-03", tz="UTC"), pd.Timestamp("2026-08-04", tz="UTC"))
    assert "s3cret-path" not in repr(source) + source.name + str(source.outlay(day))


@pytest.mark.parametrize("package", ["httpx", "orjson", "tenacity"])
def test_a_package_that_is_not_there_is_named_with_its_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=f"'{package}' .extra 'prometheus'"):
        Prometheus("http://127.0.0.1:9", (Query("cpu", "x"),)).read()


def test_the_guide_tells_of_every_ready_made_query() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (\w+) \| (\w+) \| (\S+) \| `(\w+)` \|", GUIDE, re.MULTILINE)
    assert rows == [
        (one.name, one.metric, one.stat, METRICS[one.metric].unit, one.labels["service"]) for one in PRESETS.values()
    ]


def test_every_example_of_the_guide_is_one() -> None:
    examples = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    assert len(examples) >= 3
    for text in examples:
        assert Prometheus.of(settings(text), url="http://127.0.0.1:9090").queries
