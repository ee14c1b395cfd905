"""[azure] of capacity.toml: what cannot be read is refused before anything is asked."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from capacity.config.azure import AzureMetric, AzureSettings
from capacity.errors import ConfigError
from capacity.sources.azure import AzureMonitor
from capacity.sources.azure.answers import added
from capacity.sources.azure.metrics import OF_CONTAINER_APPS
from tests.sources.azure.server import SUBSCRIPTION, resource

FILE = f"""
[azure]
subscription = "{SUBSCRIPTION}"
region = "westeurope"
resources = ["{resource("web")}", "{resource("ca-api-01")}"]
names = {{ "{resource("ca-api-01")}" = "api" }}

[[azure.metric]]
name = "Requests"
metric = "errors"
aggregation = "total"
filter = "statusCodeCategory eq '5xx'"

[[azure.metric]]
name = "CpuPercentage"
metric = "cpu_utilization"
stat = "max"
aggregation = "maximum"
filter = "podName eq 'web-1'"
"""


def settings(**changes: Any) -> AzureSettings:
    return AzureSettings(**{**tomllib.loads(FILE)["azure"], **changes})


def test_a_file_becomes_a_source() -> None:
    monitor = AzureMonitor.of(settings(settle_minutes=20))
    assert list(monitor.services.values()) == ["web", "api"]
    assert monitor.settle_seconds == 1200
    assert monitor.interval == 60
    names = [(metric.metric, metric.stat) for metric in monitor.metrics]
    assert names == [*((m.metric, m.stat) for m in OF_CONTAINER_APPS), ("errors", "mean")]
    replaced = next(metric for metric in monitor.metrics if metric.stat == "max" and metric.name == "CpuPercentage")
    assert replaced.filter == "podName eq 'web-1'"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"region": "west europe"}, "region"),
        ({"region": "evil.example.com/"}, "region"),
        ({"subscription": "mine"}, "subscription"),
        ({"resources": []}, "resources"),
        ({"interval": "PT2M"}, "interval"),
        ({"namespace": "Microsoft.Web/sites", "metric": []}, "has no ready-made metrics"),
        ({"metric": [{"name": "Requests", "metric": "errors", "aggregation": "total"}] * 2}, "keep one"),
        ({"colour": "blue"}, "unknown key"),
    ],
)
def test_settings_that_cannot_be_say_why(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        settings(**changes)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"metric": "speed"}, "metric 'speed' is unknown"),
        ({"metric": "cpu", "stat": "max"}, "stat 'max' is not Azure's 'average'"),
        ({"metric": "cpu", "aggregation": "total"}, "a total over an interval is a rate, and cpu is not"),
        ({"metric": "cpu", "stat": "max", "aggregation": "maximum", "each": "podName"}, "the largest sum"),
        ({"metric": "cpu_utilization", "each": "podName"}, "ratios do not add up"),
        ({"metric": "cpu", "unit": "GiB"}, "'GiB' measures memory and 'vCPU' measures cpu"),
        ({"metric": "cpu", "name": "A,B"}, "name"),
    ],
)
def test_a_metric_that_would_tell_something_else_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        AzureMetric(**{"name": "Requests", **fields})


def test_resources_that_share_no_call_are_refused_together() -> None:
    foreign = (
        f"/subscriptions/{'0' * 8}-0000-0000-0000-{'0' * 12}/resourceGroups/x/providers/Microsoft.App/containerApps/a"
    )
    machine = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/x/providers/Microsoft.Compute/virtualMachines/b"
    with pytest.raises(ConfigError) as caught:
        AzureMonitor.of(
            settings(resources=[foreign, machine, resource("web"), resource("web", "other")], names={machine[:-1]: "c"})
        )
    assert [str(problem).split(":")[0] for problem in caught.value.problems] == ["resources"] * 3 + ["names"]
    assert "several resources are the service 'web'" in str(caught.value)


def test_parts_are_not_added_up_over_hours() -> None:
    with pytest.raises(ConfigError, match="add up minute by minute only"):
        AzureMonitor.of(settings(interval="PT1H"))


@given(
    arrays.arrays("float64", st.tuples(st.integers(1, 5), st.integers(1, 12)), elements=st.floats(0, 100)),
    st.data(),
)
def test_a_sum_is_all_that_lives_or_nothing(parts: Any, data: st.DataObject) -> None:
    import numpy as np

    hidden = data.draw(arrays.arrays("bool", parts.shape))
    parts = np.where(hidden, np.nan, parts)
    total, holes = added(parts)
    unknown = 0
    for step in range(parts.shape[1]):
        spoken, missing = [], False
        for part in parts:
            alive = np.flatnonzero(np.isfinite(part))
            if np.isfinite(part[step]):
                spoken.append(part[step])
            elif len(alive) and alive[0] < step < alive[-1]:
                missing = True
        unknown += bool(spoken) and missing
        expected = sum(spoken) if spoken and not missing else np.nan
        assert total[step] == pytest.approx(expected, nan_ok=True)
    assert holes == unknown
