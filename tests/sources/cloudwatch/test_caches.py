"""CloudFront before a service and ElastiCache behind it: asked where their metrics are, and kept as ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import capacity
from capacity.config import CacheNodes, Distribution, config_of
from capacity.errors import ConfigError
from capacity.sources.aws import Door
from capacity.sources.aws.ecs import Discovery, EcsService
from capacity.sources.base import Span
from capacity.sources.cloudwatch import CloudWatch
from capacity.sources.cloudwatch.caches import before, behind
from capacity.sources.coverage import NOTHING
from tests.commands import called
from tests.sources.cloudwatch.fake import FakeCloudWatch
from tests.sources.cloudwatch.fleet import ecs_service, now, series, source, table
from tests.sources.cloudwatch.seeding import seed, service

ONE, TWO = (Distribution(id=f"E2QWRUHAPOMQZ{letter}", service="web") for letter in "AB")
NODES = CacheNodes(nodes=("sessions-001", "sessions-002"), service="web")
NOW = pd.Timestamp("2026-08-03T12:00Z").as_unit("us")
MINUTES = pd.date_range(NOW - pd.Timedelta("90min"), NOW, freq="min", inclusive="left")


def place(distribution: Distribution) -> dict[str, str]:
    return {"DistributionId": distribution.id, "Region": "Global"}


@pytest.mark.xdist_group("moto")
def test_a_service_in_europe_has_its_cdns_metrics_from_virginia_and_its_caches_from_home(moto_address: str) -> None:
    cdn, home = "AWS/CloudFront", "eu-west-1"
    seed(moto_address, cdn, "Requests", place(ONE), MINUTES, lambda n: (6000 + n, 6000 + n, 1, 1))
    seed(moto_address, cdn, "CacheHitRate", place(ONE), MINUTES, lambda n: (1, 90 + n / 90, 90, 90))
    seed(moto_address, cdn, "Requests", place(ONE), MINUTES, lambda n: (7, 7, 1, 1), home)  # not where they are read
    for times, node in enumerate(NODES.nodes, start=1):
        for name, count in (("CacheHits", 540), ("CacheMisses", 60)):
            where = {"CacheClusterId": node}
            seed(moto_address, "AWS/ElastiCache", name, where, MINUTES, _always(count * times), home)
    web = EcsService("web", "shop", home, f"arn:aws:ecs:{home}:123456789012:service/shop/web")
    door = Door(region=home, endpoint=moto_address)
    settings: dict[str, Any] = {"distributions": (ONE,), "caches": (NODES,), "percentiles": ()}
    asked = CloudWatch("shop", door=door, found=Discovery((web,)), clock=lambda: NOW, **settings)
    span = Span(MINUTES[0], NOW)
    batches = list(asked.pull(span))
    rows = table(batches)
    number = np.arange(len(MINUTES))
    expected: dict[str, np.ndarray] = {
        "cdn_requests": (6000 + number) / 60,
        "cache_hit_ratio": 90 + number / 90,
        "cache_hits": np.full(len(MINUTES), 3 * 540 / 60),
        "cache_misses": np.full(len(MINUTES), 3 * 60 / 60),
    }
    for metric, values in expected.items():
        np.testing.assert_allclose(series(rows, "web", metric).to_numpy(), values, rtol=1e-12, err_msg=metric)
    sources = rows.groupby("metric")["source"].first()
    assert sources["cdn_requests"] == "cloudwatch:123456789012/us-east-1/cloudfront"
    assert sources["cache_hits"] == "cloudwatch:123456789012/eu-west-1/shop"
    assert asked.spent.calls["GetMetricData"] == asked.spent.least["GetMetricData"] == 2  # one a region
    covered = NOTHING
    for batch in batches:
        covered |= batch.covered
    again = table(list(asked.pull(span, covered)))
    assert again["timestamp"].min() == NOW - pd.Timedelta("1h")  # only what had not settled
    other = CloudWatch("shop", door=door, found=Discovery((web,)), clock=lambda: NOW, **settings | {"caches": ()})
    assert set(table(list(other.pull(span)))["metric"]) == {"cdn_requests", "cache_hit_ratio"}


def _always(count: float) -> Any:
    return lambda number: (count, count, 1, 1)


@pytest.mark.xdist_group("moto")
def test_the_command_reads_them_from_the_settings(
    moto_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = pd.date_range(end=pd.Timestamp.now("UTC").floor("min") - pd.Timedelta("10min"), periods=30, freq="min")
    service(moto_address, "front", "shop-web")
    mine = Distribution(id="E3AAAAAAAAAAAA", service="shop-web")
    seed(moto_address, "AWS/CloudFront", "Requests", place(mine), stamps, _always(120))
    (tmp_path / "capacity.toml").write_text(
        f'[cloudwatch]\npercentiles = []\n[[cloudwatch.distribution]]\nid = "{mine.id}"\nservice = "shop-web"\n'
        "additional_metrics = false\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_address)
    store = str(tmp_path / "store")
    asked = ("fetch", "cloudwatch", "--cluster", "front", "--days", "0.1", "--store", store, "--region", "us-east-1")
    called(*asked, "--config", str(tmp_path / "capacity.toml"), "--quiet")
    assert capacity.read(store).series("shop-web", "cdn_requests").tolist() == [2.0] * 30


def test_several_distributions_add_up_and_their_hit_rates_weigh_as_they_are_asked(
    fake: FakeCloudWatch, door: Door
) -> None:
    minutes = range(int(fake.now) // 60 * 60 - 7200, int(fake.now) // 60 * 60 - 3600, 60)
    for distribution, requests, rate in ((ONE, 30, 90.0), (TWO, 10, 50.0)):
        for minute in minutes:
            fake.minutes.put("AWS/CloudFront", "Requests", place(distribution), minute, [1.0] * requests)
            fake.minutes.put("AWS/CloudFront", "CacheHitRate", place(distribution), minute, [rate])
    span = Span(now(fake) - pd.Timedelta("2h"), now(fake) - pd.Timedelta("1h"))
    asked = source(fake, door, [ecs_service("web")], distributions=(ONE, TWO))
    rows = table(list(asked.pull(span)))
    assert set(series(rows, "web", "cdn_requests")) == {40 / 60}
    assert set(series(rows, "web", "cache_hit_ratio")) == {(30 * 90 + 10 * 50) / 40}
    assert "origin_latency" not in set(rows["metric"])


def test_origin_latency_is_asked_for_in_percentiles_which_is_all_that_cloudfront_has() -> None:
    found = {(one.metric, one.stat): one for one in before([ONE], "", "web", ("p50", "p95"))}
    assert set(found) == {
        ("cdn_requests", "mean"),
        ("cache_hit_ratio", "mean"),
        ("origin_latency", "p50"),
        ("origin_latency", "p95"),
    }
    assert found["origin_latency", "p95"].scale(60) * 250 == 0.25  # milliseconds
    assert {query.region for one in found.values() for query in one.needs} == {"us-east-1"}
    frugal = ONE.model_copy(update={"additional_metrics": False})
    assert [one.metric for one in before([frugal], "", "web", ("p95",))] == ["cdn_requests"]
    assert before([ONE], "", "api") == behind([NODES], "", "api") == []


def test_memcached_has_other_names_and_other_ids_are_another_question() -> None:
    redis, memcached = (
        behind([CacheNodes(nodes=("a-1",), service="web", engine=engine)], "s", "web")
        for engine in ("valkey", "memcached")
    )
    assert [one.queries[0].name for one in redis] == ["CacheHits", "CacheMisses"]
    assert [one.queries[0].name for one in memcached] == ["GetHits", "GetMisses"]
    more = behind([CacheNodes(nodes=("a-1", "a-2"), service="web")], "s", "web")
    assert more[0].at(60) != redis[0].at(60)


def test_additional_metrics_that_are_off_are_a_gap_with_the_reason(fake: FakeCloudWatch, door: Door) -> None:
    minute = int(fake.now) // 60 * 60 - 7200
    fake.minutes.put("AWS/CloudFront", "Requests", place(ONE), minute, [1.0] * 60)
    span = Span(now(fake) - pd.Timedelta("3h"), now(fake) - pd.Timedelta("1h"))
    asked = source(fake, door, [ecs_service("web")], distributions=(ONE,), percentiles=())
    findings = {f.metric: f for batch in asked.pull(span) for f in batch.observations.findings if f.check == "empty"}
    assert "additional metrics: they have to be switched on" in findings["cache_hit_ratio"].advice
    assert "cdn_requests" not in findings


def test_a_distribution_of_a_service_that_is_not_there_is_named(fake: FakeCloudWatch, door: Door) -> None:
    span = Span(now(fake) - pd.Timedelta("2h"), now(fake) - pd.Timedelta("1h"))
    asked = source(fake, door, [ecs_service("web")], distributions=(Distribution(id=ONE.id, service="wbe"),))
    found = [f for batch in asked.pull(span) for f in batch.observations.findings if f.check == "not asked"]
    assert [(f.service, f.status) for f in found] == [("wbe", "REVIEW")]


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"distribution": [{"id": "d111.cloudfront.net", "service": "web"}]}, "it looks like E2QWRUHAPOMQZL"),
        ({"distribution": [{"id": ONE.id, "service": "a"}, {"id": ONE.id, "service": "b"}]}, "is named twice"),
        ({"cache": [{"nodes": ["a", "a"], "service": "web"}]}, "cache node 'a' is named twice"),
        ({"cache": [{"nodes": [], "service": "web"}]}, "nodes"),
        ({"cache": [{"nodes": ["a"], "service": "web", "engine": "dynamo"}]}, "engine"),
    ],
)
def test_what_cannot_be_asked_is_said_when_the_settings_are_read(tables: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        config_of({"cloudwatch": tables})
