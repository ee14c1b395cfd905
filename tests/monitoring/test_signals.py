"""The catalogue of signals: known metrics only, one formula for every monitor, nothing asked that a service lacks."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.config import Account, Service
from capacity.errors import InputError
from capacity.monitoring.measuring import constants, in_cloudwatch, in_terms_of
from capacity.monitoring.minutes import Minutes
from capacity.monitoring.signals import BLANK, SIGNALS, Signal, signal
from capacity.schema import METRICS, STATS
from capacity.sources.aws.ecs import EcsService, TargetGroup
from capacity.sources.cloudwatch.catalogue import wanted_of
from capacity.sources.prometheus.presets import PRESETS

MINUTE = pd.date_range("2026-03-02", periods=1, freq="min", tz="UTC")
LABEL = "app/shop/50dc6c495c0c9188/targetgroup/web/5b6450e8e8bf3288"
WEB = Service(name="web", cluster="shop", requests_per_second_per_task=50, max_tasks=8, alb_resource_label=LABEL)
KNOWN = constants(WEB, Account(fargate_vcpu_quota=100), usd_per_task_hour=0.05)


def larger(one: str, other: str) -> str:
    return f"max({one}, {other})"


@pytest.mark.parametrize("one", SIGNALS.values(), ids=list(SIGNALS))
def test_a_signal_says_its_unit_and_meaning_and_what_it_is_made_of(one: Signal) -> None:
    assert one.name and one.unit and one.meaning.endswith(".")
    assert one.history == (one.name in METRICS)
    if one.history:
        assert one.unit == METRICS[one.name].unit
    assert set(one.stats) <= set(STATS)
    assert set(one.inputs) <= set(SIGNALS) | set(KNOWN)
    for metric in one.azure:
        assert metric.metric == one.name


def test_the_kinds_the_job_asks_for_are_all_there() -> None:
    kinds = {one.kind for one in SIGNALS.values()}
    assert kinds == {"latency", "traffic", "errors", "saturation", "slack", "cost", "supply", "quota"}


def test_ids_of_parts_tell_metrics_apart() -> None:
    parts = {part for one in SIGNALS.values() if one.cloudwatch for part in one.cloudwatch.parts}
    assert len({part.id for part in parts}) == len(parts)
    assert all(re.fullmatch("[a-z]", part.id) for part in parts)


def test_what_is_watched_is_what_is_fetched() -> None:
    """The same metrics, dimensions and statistics as the source asks for, so that an alarm sees what the plan saw."""
    group = TargetGroup("targetgroup/web/5b6450e8e8bf3288", "app/shop/50dc6c495c0c9188")
    theirs = EcsService("web", "shop", "eu-west-1", "arn", target_groups=(group,), container_insights=True)
    fetched = {
        (query.namespace, query.name, query.stat, query.dimensions)
        for wanted in wanted_of(theirs, "web", ("p50", "p95", "p99"))[0]
        for query in wanted.queries
    }
    for one in SIGNALS.values():
        for stat in one.stats:
            found = in_cloudwatch(one.name, WEB, KNOWN, stat)
            for part in found.parts if found else ():
                if part.where != "account":
                    assert (part.namespace, part.name, part.stat, part.dimensions(WEB)) in fetched, one.name


def test_a_service_without_a_load_balancer_has_no_requests_to_ask_for() -> None:
    worker = Service(name="worker", cluster="shop")
    assert in_cloudwatch("requests", worker, constants(worker)) is None
    assert in_cloudwatch("error_ratio", worker, constants(worker)) is None
    slack = in_cloudwatch("slack_tasks", worker, constants(worker))
    assert slack is not None
    assert {part.id for part in slack.parts} == {"c", "n"}


def test_a_statistic_that_a_signal_does_not_have_is_not_asked_for() -> None:
    assert in_cloudwatch("latency", WEB, KNOWN, "max") is None
    assert in_cloudwatch("error_ratio", WEB, KNOWN, "p95") is None


def test_an_unknown_signal_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InputError, match=r"no signal 'cpu_percent'[\s\S]*cpu_utilization"):
        signal("cpu_percent")


PROMETHEUS = ("requests", "errors", "cpu", "memory", "running_tasks", "fargate_vcpu")
CLOUDWATCH = ("requests", "errors", "cpu_utilization", "memory_utilization", "running_tasks", "fargate_vcpu")


@given(st.sampled_from([PROMETHEUS, CLOUDWATCH]), st.sampled_from(sorted(SIGNALS)), st.data())
def test_a_formula_is_the_same_number_in_words_and_on_arrays(
    measured: tuple[str, ...], name: str, data: st.DataObject
) -> None:
    """What a monitor would be told, computed by Python, in which + - * / bind as they do there."""
    values = {one: data.draw(st.floats(0.001, 1e6), label=one) for one in measured}
    text = in_terms_of(name, {one: repr(value) for one, value in values.items()}.get, KNOWN, larger)
    minutes = Minutes.of(WEB, MINUTE, {one: [value] for one, value in values.items()}, KNOWN)
    if text is None:
        assert not minutes.has(name)
        assert name in ("latency", "queue_depth", "desired_tasks")
    else:
        assert not BLANK.search(text)
        assert eval(text, {"max": max}) == pytest.approx(minutes[name][0], rel=1e-9)  # text of our own making


def test_every_metric_that_prometheus_has_a_preset_for_is_a_signal() -> None:
    assert {one.metric for one in PRESETS.values()} <= set(SIGNALS)


def test_in_prometheus_utilisation_follows_from_use_and_in_cloudwatch_use_from_utilisation() -> None:
    prometheus = {one.metric: one.metric for one in PRESETS.values()}
    assert in_terms_of("cpu_utilization", prometheus.get, KNOWN, larger) == "100 * (cpu) / ((running_tasks) * 1)"
    asked = in_cloudwatch("cpu", WEB, KNOWN)
    assert asked is not None
    assert asked.expression == "(c) / 100 * (n * 60 / PERIOD(n)) * 1"


def test_no_formula_runs_in_a_circle_where_neither_side_is_measured() -> None:
    assert in_terms_of("cpu_utilization", {"running_tasks": "n"}.get, KNOWN, larger) is None


def test_a_quota_is_asked_of_the_account_and_not_of_the_service() -> None:
    found = in_cloudwatch("fargate_quota_share", WEB, KNOWN)
    assert found is not None
    assert found.expression == "u / SERVICE_QUOTA(u)"
    assert dict(found.parts[0].dimensions(WEB) or ())["Resource"] == "vCPU"
    assert [name for name, _ in found.parts[0].dimensions(WEB) or ()] == ["Class", "Resource", "Service", "Type"]
