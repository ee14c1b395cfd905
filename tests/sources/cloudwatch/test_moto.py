"""Against moto over real HTTP: what was put into CloudWatch is what is kept, and the second pull is the tail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from capacity.history import Store
from capacity.sources.aws import Door
from capacity.sources.base import Span
from capacity.sources.cloudwatch import CloudWatch
from capacity.sources.coverage import NOTHING
from tests.sources.cloudwatch.seeding import seed, service

pytestmark = pytest.mark.xdist_group("moto")

NOW = pd.Timestamp("2026-08-03T12:00Z").as_unit("us")
SPAN = Span(NOW - pd.Timedelta("90min"), NOW)
MINUTES = pd.date_range(NOW - pd.Timedelta("90min"), NOW, freq="min", inclusive="left")


def always(count: float, total: float) -> Callable[[int], tuple[float, float, float, float]]:
    return lambda number: (count, total, 0, total)


@pytest.fixture(scope="module")
def shop(moto_address: str) -> str:
    """web: behind a load balancer. worker: nothing but tasks, and ten minutes without any."""
    (balancer,) = service(moto_address, "shop", "web", groups=1, insights=True)
    service(moto_address, "shop", "worker", insights=True)
    gap = [stamp for number, stamp in enumerate(MINUTES) if not 15 <= number < 25]
    for name, stamps in (("web", MINUTES), ("worker", gap)):
        place = {"ClusterName": "shop", "ServiceName": name}
        seed(moto_address, "AWS/ECS", "CPUUtilization", place, stamps, lambda n: (3, 3 * (40 + n / 8), 30, 70))
        seed(moto_address, "AWS/ECS", "MemoryUtilization", place, stamps, lambda n: (3, 3 * 55.5, 50, 60))
    place = {"ClusterName": "shop", "ServiceName": "web"}
    for metric, total in (("CpuUtilized", 1536), ("CpuReserved", 3072), ("MemoryUtilized", 768)):
        seed(moto_address, "ECS/ContainerInsights", metric, place, MINUTES, always(3, total))
    seed(moto_address, "ECS/ContainerInsights", "DesiredTaskCount", place, MINUTES, lambda n: (1, 3, 3, 3))
    seed(moto_address, "AWS/ApplicationELB", "RequestCount", balancer, MINUTES, lambda n: (600 + n, 600 + n, 1, 1))
    seed(moto_address, "AWS/ApplicationELB", "TargetResponseTime", balancer, MINUTES, lambda n: (600, 30, 0.01, 0.9))
    return moto_address


@pytest.fixture(autouse=True)
def _only_an_address(monkeypatch: pytest.MonkeyPatch, moto_address: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_address)


def source(at: pd.Timestamp = NOW, **settings: object) -> CloudWatch:
    return CloudWatch("shop", clock=lambda: at, **{"percentiles": (), **settings})  # type: ignore[arg-type]


def test_what_is_kept_is_what_was_measured(shop: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    for batch in source().pull(Span(MINUTES[0], NOW)):
        store.append(batch.observations)
    kept = store.history().frame
    number = np.arange(len(MINUTES))
    expected: dict[tuple[str, str, str], float | np.ndarray] = {
        ("web", "cpu_utilization", "mean"): 40 + number / 8,
        ("web", "cpu_utilization", "max"): 70.0,
        ("web", "cpu_utilization", "min"): 30.0,
        ("web", "memory_utilization", "mean"): 55.5,
        ("web", "memory_utilization", "max"): 60.0,
        ("web", "memory_utilization", "min"): 50.0,
        ("web", "running_tasks", "mean"): 3.0,
        ("web", "desired_tasks", "mean"): 3.0,
        ("web", "cpu", "mean"): 1.5,
        ("web", "cpu_reserved", "mean"): 3.0,
        ("web", "memory", "mean"): 0.75,
        ("web", "requests", "mean"): (600 + number) / 60,
        ("web", "latency", "mean"): 0.05,
    }
    for (name, metric, stat), values in expected.items():
        rows = kept[(kept["service"] == name) & (kept["metric"] == metric) & (kept["stat"] == stat)]
        assert rows["timestamp"].to_list() == MINUTES.to_list(), metric
        np.testing.assert_allclose(rows["value"], values, rtol=1e-12, err_msg=metric)
    assert set(kept["interval"]) == {60}
    assert set(kept["source"]) == {"cloudwatch:123456789012/us-east-1/shop"}
    worker = kept[(kept["service"] == "worker") & (kept["metric"] == "running_tasks")]
    assert worker["timestamp"].to_list() == [*MINUTES[:15], *MINUTES[25:]]  # no task ran: a gap, not a zero


def test_a_second_pull_asks_only_for_the_tail_and_changes_nothing_settled(shop: str) -> None:
    first = source()
    covered = NOTHING
    rows = []
    for batch in first.pull(Span(MINUTES[0], NOW)):
        covered |= batch.covered
        rows.append(batch.observations.frame)
    assert first.spent.calls["GetMetricData"] == first.spent.least["GetMetricData"] == 1
    later = NOW + pd.Timedelta("10min")
    second = source(later)
    (batch,) = second.pull(Span(MINUTES[0], later), covered)
    assert second.spent.calls["GetMetricData"] == 1
    assert batch.observations.frame["timestamp"].min() == NOW - pd.Timedelta("1h")
    settled = rows[0][rows[0]["timestamp"] < NOW - pd.Timedelta("1h")]
    assert len(settled) and not set(settled["timestamp"]) & set(batch.observations.frame["timestamp"])


def test_a_server_that_cannot_compute_percentiles_still_gives_all_else(shop: str) -> None:
    plain = source().read(Span(MINUTES[0], NOW))
    asked = source(percentiles=("p50", "p99"), door=Door(sleep=lambda seconds: None))
    answer = asked.read(Span(MINUTES[0], NOW))
    pd.testing.assert_frame_equal(answer.frame, plain.frame)
    assert [f.check for f in answer.findings if f.metric == "latency"] == ["percentiles"]
    assert asked.spent.calls["GetMetricData"] <= 6


def test_what_the_server_cannot_compute_is_not_asked_for_again(shop: str) -> None:
    covered = NOTHING
    for batch in source(percentiles=("p50", "p99"), door=Door(sleep=lambda seconds: None)).pull(SPAN):
        covered |= batch.covered
    assert source(percentiles=("p50", "p99")).outlay(SPAN, covered).total == 1  # the hour that has not settled


def test_a_metric_that_was_never_measured_is_said_and_is_not_zero(shop: str) -> None:
    answer = source().read(Span(MINUTES[0], NOW))
    found = {(f.service, f.metric): f for f in answer.findings if f.check == "empty" and f.service == "web"}
    assert set(found) == {("web", "memory_reserved"), ("web", "errors")}
    assert found["web", "memory_reserved"].status == "UNKNOWN"
    assert "Container Insights was off" in found["web", "memory_reserved"].advice
    assert found["web", "errors"].status == "PASS"  # requests were counted; a 5xx is only reported when there is one
