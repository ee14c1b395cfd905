"""Which metric of Azure is which of ours, and in which unit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from capacity.config.azure import CONTAINER_APPS, AzureMetric
from capacity.errors import UnitMismatch
from capacity.schema import METRICS
from capacity.units import factor

#: Of `Microsoft.App/containerApps`. Names, units, aggregations and dimensions: Azure Monitor, "Supported metrics for
#: Microsoft.App/containerapps". CPU, memory and replicas are added up over their parts; a total needs no parts.
OF_CONTAINER_APPS: Final = (
    AzureMetric(name="UsageNanoCores", metric="cpu", each="podName"),
    AzureMetric(name="WorkingSetBytes", metric="memory", each="podName"),
    AzureMetric(name="Requests", metric="requests", aggregation="total"),
    AzureMetric(name="Replicas", metric="running_tasks", each="revisionName"),
    AzureMetric(name="CpuPercentage", metric="cpu_utilization"),
    AzureMetric(name="CpuPercentage", metric="cpu_utilization", stat="max", aggregation="maximum"),
    AzureMetric(name="MemoryPercentage", metric="memory_utilization"),
    AzureMetric(name="MemoryPercentage", metric="memory_utilization", stat="max", aggregation="maximum"),
)

#: Azure's units (REST reference, `MetricUnit`) -> one of ours, and how many of it one of theirs is.
_UNITS: Final[dict[str, tuple[str, float]]] = {
    "NanoCores": ("vCPU", 1e-9),
    "MilliCores": ("mCPU", 1.0),
    "Cores": ("vCPU", 1.0),
    "Bytes": ("bytes", 1.0),
    "Percent": ("%", 1.0),
    "Seconds": ("seconds", 1.0),
    "MilliSeconds": ("ms", 1.0),
    "CountPerSecond": ("requests/s", 1.0),
    "BytesPerSecond": ("bytes/s", 1.0),
    "BitsPerSecond": ("bytes/s", 0.125),
}
#: What a `Count` may be a count of, when it is no total: things that are there, not things that happen.
_THINGS: Final = frozenset({"tasks", "connections", "messages"})
#: What a total over an interval becomes, once divided by its seconds.
_TOTALS: Final = {"Count": "requests/s", "Unspecified": "requests/s", "Bytes": "bytes/s"}


def ready_made(namespace: str, others: Iterable[AzureMetric] = ()) -> tuple[AzureMetric, ...]:
    """The metrics of a resource type with `others` beside them; each in place of the one of its metric and stat.

    >>> [metric.name for metric in ready_made("Microsoft.Web/sites", [AzureMetric(name="CpuTime", metric="cpu")])]
    ['CpuTime']
    """
    known = OF_CONTAINER_APPS if namespace.lower() == CONTAINER_APPS.lower() else ()
    chosen = {(metric.metric, metric.stat): metric for metric in (*known, *others)}
    return tuple(chosen.values())


def multiplier(metric: AzureMetric, said: str, seconds: int) -> float:
    """What to multiply Azure's values by, to have them in our unit.

    said     the unit in Azure's answer
    seconds  of an interval: a total is divided by it

    Raises UnitMismatch where the two measure different things, so that a wrong name in the settings is found out.

    >>> multiplier(OF_CONTAINER_APPS[0], "NanoCores", 60)
    1e-09
    >>> multiplier(OF_CONTAINER_APPS[2], "Count", 60) * 120
    2.0
    """
    into = METRICS[metric.metric].unit
    if metric.aggregation == "count" or metric.aggregation == "total":
        rate = "requests/s" if metric.aggregation == "count" else _TOTALS.get(said, said)
        return factor(rate, into) / seconds
    if metric.unit and said in ("Unspecified", "Count"):
        return factor(metric.unit, into)
    if said == "Count" and into in _THINGS:
        return 1.0
    if said not in _UNITS:
        raise UnitMismatch(f"Azure counts {metric.name} in {said!r}, which is not a unit of {metric.metric} ({into})")
    unit, size = _UNITS[said]
    return size * factor(unit, into)
