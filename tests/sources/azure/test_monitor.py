"""Azure Monitor over the SDK's real transport: what is asked, what comes, what is left as a gap."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from capacity.config.azure import AzureMetric
from capacity.findings import Finding
from capacity.sources import Source, Span
from capacity.sources.azure.asking import VALUES_A_CALL, calls
from capacity.sources.azure.metrics import OF_CONTAINER_APPS
from capacity.sources.base import Observations, faults
from capacity.sources.coverage import NOTHING, Coverage
from capacity.sources.pulling import Pulled
from tests.sources.azure.server import NOW, SUBSCRIPTION, Azure, minutes, resource, span

DAY = span("2026-11-19", "2026-11-20")
HOUR = span("2026-11-19T10:00", "2026-11-19T11:00")
REQUESTS = (AzureMetric(name="Requests", metric="requests", aggregation="total"),)


def series(seen: Observations, service: str, metric: str, stat: str = "mean") -> pd.Series:
    frame = seen.frame
    rows = frame[(frame["service"] == service) & (frame["metric"] == metric) & (frame["stat"] == stat)]
    return pd.Series(rows["value"].to_numpy(), index=pd.DatetimeIndex(rows["timestamp"]))


def found(seen: Observations, check: str) -> list[Finding]:
    return [finding for finding in seen.findings if finding.check == check]


def test_it_is_a_source_that_is_pulled(azure: Azure) -> None:
    monitor = azure.monitor("web")
    assert isinstance(monitor, Pulled)
    assert isinstance(monitor, Source)
    assert monitor.name == f"azure-monitor:westeurope/{SUBSCRIPTION}"


def test_every_metric_of_container_apps_arrives_in_our_units(azure: Azure) -> None:
    times = minutes("2026-11-19T10:00", 3)
    for pod, share in (("web-a", 1.0), ("web-b", 3.0)):
        dimensions = {"podName": pod, "revisionName": "web--1"}
        azure.keep("web", "UsageNanoCores", dict.fromkeys(times, 250e6 * share), **dimensions)
        azure.keep("web", "WorkingSetBytes", dict.fromkeys(times, 2.0**29 * share), **dimensions)
        azure.keep("web", "Requests", dict.fromkeys(times, 600 * share), **dimensions)
        azure.keep("web", "CpuPercentage", dict.fromkeys(times, 20 * share), podName=pod)
        azure.keep("web", "MemoryPercentage", dict.fromkeys(times, 10 * share), podName=pod)
    azure.keep("web", "Replicas", dict.fromkeys(times, 2.0), revisionName="web--1")
    seen = azure.monitor("web").read(DAY)
    assert faults(seen.frame) == []
    assert (seen.frame["interval"] == 60).all()
    want = {
        ("cpu", "mean"): 1.0,  # 0.25 + 0.75 vCPU: their average would say 0.5
        ("memory", "mean"): 2.0,
        ("requests", "mean"): 40.0,
        ("running_tasks", "mean"): 2.0,
        ("cpu_utilization", "mean"): 40.0,
        ("cpu_utilization", "max"): 60.0,
        ("memory_utilization", "mean"): 20.0,
        ("memory_utilization", "max"): 30.0,
    }
    for (metric, stat), value in want.items():
        assert series(seen, "web", metric, stat).to_dict() == pytest.approx(dict.fromkeys(times, value), rel=1e-12)
    assert len(seen) == len(want) * len(times)
    assert len(seen.findings) == 0


def test_more_than_ten_replicas_are_added_up_too(azure: Azure) -> None:
    times = minutes("2026-11-19T10:00", 2)
    for pod in range(25):
        azure.keep("web", "UsageNanoCores", dict.fromkeys(times, 1e9), podName=f"web-{pod}")
    seen = azure.monitor("web", metrics=OF_CONTAINER_APPS[:1]).read(DAY)
    assert series(seen, "web", "cpu").tolist() == [25.0, 25.0]


def test_a_gap_is_left_a_gap_and_a_zero_is_a_zero(azure: Azure) -> None:
    times = minutes("2026-11-19T10:00", 5)
    azure.keep("web", "Requests", {times[0]: 60.0, times[1]: 0.0, times[4]: 120.0})
    seen = azure.monitor("web", metrics=REQUESTS).read(DAY)
    assert series(seen, "web", "requests").to_dict() == {times[0]: 1.0, times[1]: 0.0, times[4]: 2.0}


def test_a_sum_is_unknown_while_a_replica_that_lives_on_is_silent(azure: Azure) -> None:
    times = minutes("2026-11-19T10:00", 4)
    azure.keep("web", "UsageNanoCores", dict.fromkeys(times, 1e9), podName="steady")
    azure.keep("web", "UsageNanoCores", {times[0]: 1e9, times[2]: 1e9}, podName="hesitant")
    seen = azure.monitor("web", metrics=OF_CONTAINER_APPS[:1]).read(DAY)
    assert series(seen, "web", "cpu").to_dict() == {times[0]: 2.0, times[2]: 2.0, times[3]: 1.0}
    assert [(finding.status, finding.count) for finding in found(seen, "gaps")] == [("REVIEW", 1)]


def test_nothing_from_outside_the_span_and_only_whole_intervals(azure: Azure) -> None:
    azure.keep("web", "Requests", dict.fromkeys(minutes("2026-11-20T11:00", 90), 60.0))
    monitor = azure.monitor("web", metrics=REQUESTS)
    inside = series(monitor.read(span("2026-11-20T11:10:30", "2026-11-20T11:20:30")), "web", "requests").index
    assert (inside[0], inside[-1]) == (pd.Timestamp("2026-11-20T11:11Z"), pd.Timestamp("2026-11-20T11:20Z"))
    latest = series(monitor.read(span("2026-11-20T11:50", "2026-11-20T13:00")), "web", "requests").index
    assert latest[-1] == pd.Timestamp("2026-11-20T11:59Z")  # the minute of 12:00 is not over at 12:00:30


def test_fifty_resources_share_a_call(azure: Azure) -> None:
    services = [f"svc-{number:03}" for number in range(120)]
    times = minutes("2026-11-19T10:00", 2)
    for number, service in enumerate(services):
        azure.keep(service, "Requests", dict.fromkeys(times, 60.0 * number))
    monitor = azure.monitor(*services, metrics=REQUESTS)
    estimate = monitor.outlay(HOUR)
    seen = monitor.read(HOUR)
    assert sorted(len(asked["body"]["resourceids"]) for asked in azure.asked) == [20, 50, 50]
    assert estimate.calls == monitor.spent.calls == {"metrics:getBatch": 3}
    assert [series(seen, service, "requests").iloc[0] for service in services] == list(range(120))


def test_a_metric_that_lacks_an_aggregation_or_dimension_spoils_no_other(azure: Azure) -> None:
    others = (AzureMetric(name="CoresQuotaUsed", metric="desired_tasks", stat="max", aggregation="maximum"),)
    azure.keep("web", "CoresQuotaUsed", dict.fromkeys(minutes("2026-11-19T10:00", 2), 4.0), revisionName="web--1")
    seen = azure.monitor("web", metrics=(*OF_CONTAINER_APPS, *others)).read(DAY)
    assert series(seen, "web", "desired_tasks", "max").tolist() == [4.0, 4.0]


def test_a_long_span_is_asked_for_in_pieces_that_lose_nothing(azure: Azure) -> None:
    times = minutes("2026-11-10T00:00", 15_000)
    azure.keep("web", "UsageNanoCores", dict.fromkeys(times, 1e9), podName="web-1")
    monitor = azure.monitor("web", metrics=OF_CONTAINER_APPS[:1])
    whole = Span(times[0], times[-1] + pd.Timedelta(minutes=1))
    planned = calls(monitor.services, monitor.metrics, whole, 60, source=monitor.name, known=NOTHING)
    assert all(call.values <= VALUES_A_CALL for call in planned)
    assert all(one.span.end == other.span.start for one, other in pairwise(planned))
    seen = monitor.read(whole)
    assert len(azure.asked) == len(planned) == 2
    assert series(seen, "web", "cpu").index.equals(times)


def test_a_second_pull_asks_only_for_the_tail(azure: Azure) -> None:
    azure.keep("web", "Requests", dict.fromkeys(minutes("2026-11-20T10:00", 110), 60.0))
    monitor = azure.monitor("web", metrics=REQUESTS)
    first = list(monitor.pull(span("2026-11-20T10:00", "2026-11-20T12:00")))
    known = Coverage.of(pair for batch in first for pair in batch.covered)
    azure.asked.clear()
    azure.keep("web", "Requests", {pd.Timestamp("2026-11-20T11:49Z"): 120.0})  # it had not settled
    later = azure.monitor("web", metrics=REQUESTS, clock=lambda: NOW + pd.Timedelta(minutes=10))
    again = list(later.pull(span("2026-11-20T10:00", "2026-11-20T12:10"), known))
    assert [asked["query"]["starttime"] for asked in azure.asked] == ["2026-11-20T11:45:00.000Z"]
    assert series(again[0].observations, "web", "requests").loc[pd.Timestamp("2026-11-20T11:49Z")] == 2.0
    assert later.outlay(span("2026-11-20T10:00", "2026-11-20T12:10"), known).total == 1
    assert later.outlay(span("2026-11-20T10:00", "2026-11-20T11:45"), known).total == 0
    assert list(later.pull(span("2026-11-20T10:00", "2026-11-20T11:45"), known)) == []


def test_a_new_service_is_fetched_whole_while_the_known_ones_give_their_tail(azure: Azure) -> None:
    azure.keep("web", "Requests", dict.fromkeys(minutes("2026-11-20T10:00", 60), 60.0))
    known = Coverage.of(
        pair
        for batch in azure.monitor("web", metrics=REQUESTS).pull(span("2026-11-20T10:00", "2026-11-20T11:00"))
        for pair in batch.covered
    )
    azure.asked.clear()
    list(azure.monitor("web", "api", metrics=REQUESTS).pull(span("2026-11-20T10:00", "2026-11-20T11:30"), known))
    asked = {ask["query"]["starttime"]: ask["body"]["resourceids"] for ask in azure.asked}
    assert asked == {
        "2026-11-20T10:00:00.000Z": [resource("api")],
        "2026-11-20T11:00:00.000Z": [resource("web")],
    }


def test_what_is_older_than_93_days_is_said_and_not_asked_for(azure: Azure) -> None:
    monitor = azure.monitor("web", metrics=REQUESTS)
    seen = monitor.read(Span(NOW - pd.Timedelta(days=120), NOW))
    assert min(ask["query"]["starttime"] for ask in azure.asked) == "2026-08-19T12:01:00.000Z"
    (finding,) = found(seen, "retention")
    assert finding.status == "REVIEW"
    assert "keeps 93 days" in str(finding)
    assert len(monitor.read()) == 0  # its default span is what Azure keeps
    assert not found(monitor.read(), "retention")


def test_a_series_that_never_came_is_said_once(azure: Azure) -> None:
    seen = azure.monitor("web", metrics=REQUESTS).read(DAY)
    (finding,) = seen.findings
    assert (finding.service, finding.metric, finding.check, finding.status) == ("web", "requests", "empty", "UNKNOWN")


def test_a_resource_that_fails_is_a_finding_and_is_asked_for_again(azure: Azure) -> None:
    times = minutes("2026-11-19T10:00", 2)
    for service in ("web", "api"):
        azure.keep(service, "Requests", dict.fromkeys(times, 60.0))
    azure.broken[resource("api").lower(), "Requests"] = "InternalServerError"
    azure.gone.add(resource("old"))
    batches = list(azure.monitor("web", "api", "old", metrics=REQUESTS).pull(DAY))
    (seen,) = (batch.observations for batch in batches)
    assert set(seen.frame["service"]) == {"web"}
    said = {finding.service: str(finding) for finding in found(seen, "unanswered")}
    assert "InternalServerError" in said["api"]
    assert "TOKEN" not in said["api"]
    assert "not in Azure's answer" in said["old"]
    assert {asked.service for asked, _ in batches[0].covered} == {"web"}


def test_a_unit_that_is_not_the_metrics_is_refused_not_stored(azure: Azure) -> None:
    azure.keep("web", "Replicas", dict.fromkeys(minutes("2026-11-19T10:00", 2), 60.0))
    wrong = (AzureMetric(name="Replicas", metric="memory"),)
    seen = azure.monitor("web", metrics=wrong).read(DAY)
    assert len(seen) == 0
    (finding,) = found(seen, "unanswered")
    assert "'Count', which is not a unit of memory" in finding.message


def test_a_unit_that_azure_does_not_say_is_taken_from_the_settings(azure: Azure) -> None:
    azure.units["Replicas"] = "Unspecified"
    azure.keep("web", "Replicas", dict.fromkeys(minutes("2026-11-19T10:00", 2), 512.0))
    metric = AzureMetric(name="Replicas", metric="cpu", unit="CPU units")
    assert series(azure.monitor("web", metrics=(metric,)).read(DAY), "web", "cpu").tolist() == [0.5, 0.5]


def test_errors_are_the_requests_of_one_status(azure: Azure) -> None:
    times = minutes("2026-11-19T10:00", 2)
    azure.keep("web", "Requests", dict.fromkeys(times, 600.0), statusCodeCategory="2xx")
    azure.keep("web", "Requests", {times[1]: 30.0}, statusCodeCategory="5xx")
    errors = AzureMetric(name="Requests", metric="errors", aggregation="total", filter="statusCodeCategory eq '5xx'")
    seen = azure.monitor("web", metrics=(*REQUESTS, errors)).read(DAY)
    assert series(seen, "web", "requests").tolist() == [10.0, 10.5]
    assert series(seen, "web", "errors").to_dict() == {times[1]: 0.5}


def test_averages_of_parts_are_not_mixed_without_being_told_how(azure: Azure) -> None:
    for pod in ("a", "b"):
        azure.keep("web", "CpuPercentage", dict.fromkeys(minutes("2026-11-19T10:00", 2), 50.0), podName=pod)
    split = AzureMetric(name="CpuPercentage", metric="cpu_utilization", filter="podName eq '*'")
    seen = azure.monitor("web", metrics=(split,)).read(DAY)
    assert len(seen) == 0
    assert "splits it into 2 series" in found(seen, "unanswered")[0].message


def test_hours_are_averaged_and_totals_divided_by_their_seconds(azure: Azure) -> None:
    times = minutes("2026-11-19T10:00", 60)
    azure.keep("web", "Requests", dict.fromkeys(times, 120.0))
    azure.keep("web", "CpuPercentage", dict(zip(times, np.arange(60.0), strict=True)))
    metrics = (*REQUESTS, *(metric for metric in OF_CONTAINER_APPS if metric.name == "CpuPercentage"))
    seen = azure.monitor("web", metrics=metrics, interval=3600).read(DAY)
    assert series(seen, "web", "requests").to_dict() == {times[0]: 2.0}
    assert series(seen, "web", "cpu_utilization").to_dict() == {times[0]: 29.5}
    assert series(seen, "web", "cpu_utilization", "max").to_dict() == {times[0]: 59.0}


def test_a_resource_may_have_another_name_here(azure: Azure) -> None:
    azure.keep("ca-web-prod-01", "Requests", dict.fromkeys(minutes("2026-11-19T10:00", 2), 60.0))
    names = {resource("ca-web-prod-01").upper(): "checkout"}  # ids have no case
    seen = azure.monitor("ca-web-prod-01", metrics=REQUESTS, names=names).read(DAY)
    assert set(seen.frame["service"]) == {"checkout"}


def test_the_same_pull_gives_the_same_rows_whoever_answers_first(azure: Azure) -> None:
    services = [f"svc-{number}" for number in range(60)]
    for service in services:
        azure.keep(service, "Requests", dict.fromkeys(minutes("2026-11-19T10:00", 30), 60.0))
    one = azure.monitor(*services, metrics=REQUESTS, workers=1).read(HOUR)
    many = azure.monitor(*services, metrics=REQUESTS, workers=8).read(HOUR)
    pd.testing.assert_frame_equal(one.frame, many.frame)


@pytest.mark.parametrize("spelling", [str.lower, str.upper])
def test_resource_ids_have_no_case(azure: Azure, spelling: object) -> None:
    azure.keep("web", "Requests", dict.fromkeys(minutes("2026-11-19T10:00", 2), 60.0))
    monitor = azure.monitor("web", metrics=REQUESTS)
    other = type(monitor)(
        monitor.subscription, monitor.region, (spelling(resource("web")),), metrics=REQUESTS,  # type: ignore[operator]
        credential=monitor.credential, endpoint=azure.url, clock=monitor.clock,
    )  # fmt: skip
    assert len(other.read(DAY)) == 2
