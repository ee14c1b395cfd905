"""What is asked for a service, and metrics of the user's own."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from capacity.config.cloudwatch import CloudWatchSettings, CustomMetric
from capacity.errors import ConfigError, InputError
from capacity.schema import METRICS, STATS
from capacity.sources.aws import Door
from capacity.sources.aws.ecs import EcsService, TargetGroup
from capacity.sources.base import Span
from capacity.sources.cloudwatch.catalogue import wanted_of
from tests.sources.cloudwatch.fake import FakeCloudWatch
from tests.sources.cloudwatch.fleet import ecs_service, now, series, source


def custom(**changes: Any) -> CustomMetric:
    settings = {"namespace": "Shop", "name": "Orders", "stat": "Average", "metric": "queue_depth"} | changes
    return CustomMetric(**settings)


def asked(service: EcsService, *metrics: CustomMetric) -> dict[tuple[str, str], list[dict[str, str]]]:
    """metric, stat -> dimensions of each query"""
    found, _ = wanted_of(service, service.name, ("p50", "p95", "p99"), metrics)
    return {(w.metric, w.stat): [dict(query.dimensions) for query in w.queries] for w in found}


def test_everything_asked_for_is_in_the_data_dictionary() -> None:
    series = asked(ecs_service("web", groups=1, container_insights=True))
    assert {metric for metric, _ in series} <= set(METRICS) and {stat for _, stat in series} <= set(STATS)
    assert len(series) == 18


def test_a_service_without_a_load_balancer_is_not_asked_for_requests() -> None:
    nlb = ecs_service("web")
    for service in (nlb, EcsService(**{**vars(nlb), "target_groups": (TargetGroup("targetgroup/a/1", "net/a/2"),)})):
        assert not {metric for metric, _ in asked(service)} & {"requests", "latency", "errors"}


def test_dimensions_are_in_alphabetical_order() -> None:
    found, _ = wanted_of(ecs_service("web", groups=2, container_insights=True), "web", ("p95",), [])
    for wanted in found:
        for query in wanted.needs:
            assert [name for name, _ in query.dimensions] == sorted(name for name, _ in query.dimensions)


def test_a_metric_of_the_users_own_takes_the_place_of_the_built_in_one() -> None:
    mine = custom(metric="requests", stat="Sum", per="interval", dimensions={"Api": "{cluster}-{service}", "A": "b"})
    series = asked(ecs_service("web", groups=1), mine)
    assert series["requests", "mean"] == [{"A": "b", "Api": "shop-web"}]


def test_a_metric_may_be_for_some_services_only() -> None:
    mine = custom(services=("worker",))
    assert ("queue_depth", "mean") not in asked(ecs_service("web"), mine)
    assert ("queue_depth", "mean") in asked(ecs_service("worker"), mine)


def test_a_metric_by_load_balancer_is_asked_for_each_and_refused_where_there_is_none() -> None:
    mine = custom(metric="connections", stat="Sum", per="minute", dimensions={"LoadBalancer": "{load_balancer}"})
    assert len(asked(ecs_service("web", groups=2), mine)["connections", "mean"]) == 2
    for service, metric in (
        (ecs_service("web"), mine),
        (ecs_service("web", groups=2), mine.model_copy(update={"stat": "Maximum", "per": ""})),
    ):
        found, findings = wanted_of(service, "web", (), [metric])
        assert not [w for w in found if w.metric == "connections"]
        assert [f.check for f in findings] == ["not asked"]


def test_units_are_converted_and_totals_divided(fake: FakeCloudWatch, door: Door) -> None:
    fake.minutes.put("Shop", "Orders", {"Service": "web"}, int(fake.now) // 60 * 60 - 120, [30.0, 90.0])
    place = {"Service": "{service}"}
    metrics = [
        custom(metric="requests", stat="Sum", per="interval", dimensions=place),
        custom(metric="running_tasks", stat="SampleCount", per="minute", dimensions=place),
        custom(metric="latency", stat="Maximum", unit="ms", dimensions=place),
        custom(metric="latency", stat="p50", unit="ms", dimensions=place),
        custom(metric="memory", unit="MiB", dimensions=place),
    ]
    span = Span(now(fake) - pd.Timedelta("1h"), now(fake))
    rows = source(fake, door, [ecs_service("web")], metrics=metrics).read(span).frame
    found = {
        (metric, stat): float(series(rows, "web", metric, stat).iloc[0])
        for metric, stat in (
            ("requests", "mean"),
            ("running_tasks", "mean"),
            ("latency", "max"),
            ("latency", "p50"),
            ("memory", "mean"),
        )
    }
    assert found == pytest.approx(
        {
            ("requests", "mean"): 2.0,
            ("running_tasks", "mean"): 2.0,
            ("latency", "max"): 0.09,
            ("latency", "p50"): 0.06,
            ("memory", "mean"): 60 / 1024,
        }
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stat": "p90"}, "no statistic we keep is 'p90'"),
        ({"metric": "orders"}, "unknown metric 'orders'"),
        ({"stat": "Sum"}, 'needs per = "interval"'),
        ({"per": "minute"}, "no other statistic has one"),
        ({"unit": "vCPU"}, "one cannot be converted"),
        ({"dimensions": {"A": "{servce}"}}, "unknown {servce}"),
        ({"namespce": "x"}, "unknown key"),
    ],
)
def test_a_metric_that_makes_no_sense_is_refused_in_words(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        custom(**changes)
    assert said in str(caught.value)


def test_settings_of_the_table_are_checked_together() -> None:
    for wrong, said in (
        ({"settle": "soon"}, "not a duration"),
        ({"percentiles": ("p90",)}, "percentiles"),
        ({"metric": (custom(), custom(name="Other"))}, "for the same services"),
    ):
        with pytest.raises(ConfigError) as caught:
            CloudWatchSettings(**wrong)
        assert said in str(caught.value)
    CloudWatchSettings(metric=(custom(services=("a",)), custom(name="Other", services=("b",))))


def test_who_wants_only_some_metrics_pays_for_no_others(fake: FakeCloudWatch, door: Door) -> None:
    span = Span(now(fake) - pd.Timedelta("1h"), now(fake))
    web = [ecs_service("web", groups=1)]
    assert source(fake, door, web, only=("cpu_utilization", "running_tasks")).outlay(span).usd == pytest.approx(4e-5)
    for wrong in ({"only": ("cpus",)}, {"percentiles": ("p90",)}):
        with pytest.raises(InputError, match="not known"):
            source(fake, door, web, **wrong)
