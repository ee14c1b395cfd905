"""The catalogue: each signal that matters for a service, with unit, kind, meaning, and how every monitor measures it.

A signal is measured directly, or follows from others by a formula that is written once: `monitoring.measuring` says
it in metric math, in PromQL or in whatever has + - * /, and `monitoring.minutes` computes it on arrays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from capacity.config import Service
from capacity.config.azure import AzureMetric
from capacity.errors import InputError
from capacity.schema import METRICS
from capacity.sources.azure.metrics import OF_CONTAINER_APPS
from capacity.sources.cloudwatch.catalogue import BALANCER, ECS_NAMESPACE, INSIGHTS_NAMESPACE

Kind = Literal["latency", "traffic", "errors", "saturation", "slack", "cost", "supply", "quota"]
Where = Literal["service", "target group", "account"]

#: A name in a formula, in braces: of a signal, or of `measuring.constants`.
BLANK: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Part:
    """One metric of CloudWatch, under the name that it has in an expression.

    id     of metric math: begins with a small letter
    stat   Sum, SampleCount ...; empty: the one that is asked for, in CloudWatch's word
    where  whose dimensions: `dimensions` fills them in
    fixed  dimensions that are the same everywhere
    """

    id: str
    namespace: str
    name: str
    stat: str = ""
    where: Where = "service"
    fixed: tuple[tuple[str, str], ...] = ()

    def dimensions(self, service: Service) -> tuple[tuple[str, str], ...] | None:
        """(name, value) in the order of the alphabet; None where the service states no alb_resource_label.

        >>> Part("c", "AWS/ECS", "CPUUtilization").dimensions(Service(name="web", cluster="shop"))
        (('ClusterName', 'shop'), ('ServiceName', 'web'))
        """
        if self.where == "service":
            return ("ClusterName", service.cluster), ("ServiceName", service.resource_id.split("/", 2)[2])
        if self.where == "account":
            return self.fixed
        balancer, found, group = service.alb_resource_label.partition("/targetgroup/")
        return (("LoadBalancer", balancer), ("TargetGroup", f"targetgroup/{group}")) if found else None


@dataclass(frozen=True)
class CloudWatch:
    """Metrics of CloudWatch and metric math over their ids; `expression` is the id itself where there is no arithmetic.

    insights  whether they exist only where Container Insights is on
    """

    parts: tuple[Part, ...]
    expression: str

    @property
    def insights(self) -> bool:
        return any(part.namespace == INSIGHTS_NAMESPACE for part in self.parts)


@dataclass(frozen=True)
class Signal:
    """What is watched of a service.

    name        that of `schema.METRICS`, where it is one of them
    stats       statistics of a period that can be read of it
    formulas    how it follows from other signals and from `constants`, each in braces; of several, the largest counts
    cloudwatch  how CloudWatch measures it directly
    azure       metrics of Azure Container Apps that are it directly, one a statistic
    history     whether a history may hold it under its name
    """

    name: str
    unit: str
    kind: Kind
    meaning: str
    stats: tuple[str, ...] = ("mean",)
    formulas: tuple[str, ...] = ()
    cloudwatch: CloudWatch | None = None
    azure: tuple[AzureMetric, ...] = ()

    @property
    def history(self) -> bool:
        return self.name in METRICS

    @property
    def inputs(self) -> tuple[str, ...]:
        """Signals and constants its formulas name, each once.

        >>> SIGNALS["slack_tasks"].inputs
        ('running_tasks', 'load_tasks')
        """
        return tuple(dict.fromkeys(name for formula in self.formulas for name in BLANK.findall(formula)))


def signal(name: str) -> Signal:
    """The signal of that name; raises InputError with the names there are."""
    if name not in SIGNALS:
        raise InputError(f"there is no signal {name!r}", advice=f"Signals: {', '.join(SIGNALS)}.")
    return SIGNALS[name]


#: Watched, but not fetched with the ready-made ones: a response time without percentiles (a preview, in milliseconds),
#: and the requests of one class of status. Source: Azure Monitor, "Supported metrics for Microsoft.App/containerapps".
_MORE_OF_CONTAINER_APPS: Final = (
    AzureMetric(name="Requests", metric="errors", aggregation="total", filter="statusCodeCategory eq '5xx'"),
    AzureMetric(name="ResponseTime", metric="latency"),
)


def _azure(metric: str) -> tuple[AzureMetric, ...]:
    return tuple(one for one in (*OF_CONTAINER_APPS, *_MORE_OF_CONTAINER_APPS) if one.metric == metric)


_CPU: Final = Part("c", ECS_NAMESPACE, "CPUUtilization")
_MEMORY: Final = Part("m", ECS_NAMESPACE, "MemoryUtilization")
#: One sample a running task and minute (aws.md 1.5): their count is the count of tasks, without Container Insights.
_SAMPLES: Final = Part("n", ECS_NAMESPACE, "CPUUtilization", "SampleCount")
_DESIRED: Final = Part("d", INSIGHTS_NAMESPACE, "DesiredTaskCount", "Average")
_REQUESTS: Final = Part("r", BALANCER, "RequestCount", "Sum", "target group")
_ERRORS: Final = Part("e", BALANCER, "HTTPCode_Target_5XX_Count", "Sum", "target group")
_LATENCY: Final = Part("l", BALANCER, "TargetResponseTime", "", "target group")
#: Dimensions of the usage metric behind quota L-3032A538, in the order of the alphabet.
_VCPU: Final = Part(
    "u",
    "AWS/Usage",
    "ResourceCount",
    "Maximum",
    "account",
    (("Class", "Standard/OnDemand"), ("Resource", "vCPU"), ("Service", "Fargate"), ("Type", "Resource")),
)
_UTILISATION: Final = ("mean", "max", "min")


def _measured(name: str, kind: Kind, **how: object) -> Signal:
    """A signal that a history holds under this name: unit and meaning are the metric's."""
    metric = METRICS[name]
    return Signal(name, metric.unit, kind, metric.meaning, azure=_azure(name), **how)  # type: ignore[arg-type]


#: name -> Signal, in the order in which they are shown.
SIGNALS: Final[dict[str, Signal]] = {
    one.name: one
    for one in (
        _measured("requests", "traffic", cloudwatch=CloudWatch((_REQUESTS,), "r / PERIOD(r)")),
        # The balancer counts errors only where there are some: with requests and without errors, there were none.
        _measured("errors", "errors", cloudwatch=CloudWatch((_ERRORS, _REQUESTS), "(FILL(e, 0) + 0 * r) / PERIOD(r)")),
        Signal(
            "error_ratio",
            "1",
            "errors",
            "Share of the requests answered with a server error (5xx); nothing where there were no requests.",
            formulas=("{errors} / {requests}",),
            cloudwatch=CloudWatch((_ERRORS, _REQUESTS), "FILL(e, 0) / r"),
        ),
        _measured("latency", "latency", stats=("mean", "p50", "p95", "p99"), cloudwatch=CloudWatch((_LATENCY,), "l")),
        _measured("cpu", "traffic", formulas=("{cpu_utilization} / 100 * {running_tasks} * {task_vcpu}",)),
        _measured("memory", "traffic", formulas=("{memory_utilization} / 100 * {running_tasks} * {task_memory_gib}",)),
        _measured(
            "cpu_utilization",
            "saturation",
            stats=_UTILISATION,
            formulas=("100 * {cpu} / ({running_tasks} * {task_vcpu})",),
            cloudwatch=CloudWatch((_CPU,), "c"),
        ),
        _measured(
            "memory_utilization",
            "saturation",
            stats=_UTILISATION,
            formulas=("100 * {memory} / ({running_tasks} * {task_memory_gib})",),
            cloudwatch=CloudWatch((_MEMORY,), "m"),
        ),
        Signal(
            "requests_per_task",
            "requests/s",
            "saturation",
            "Requests that one running task serves, on average over the tasks.",
            formulas=("{requests} / {running_tasks}",),
        ),
        _measured("queue_depth", "saturation"),
        _measured("running_tasks", "supply", cloudwatch=CloudWatch((_SAMPLES,), "n * 60 / PERIOD(n)")),
        _measured("desired_tasks", "supply", cloudwatch=CloudWatch((_DESIRED,), "d")),
        Signal(
            "tasks_of_max",
            "1",
            "supply",
            "Running tasks, as a share of the most that the autoscaler may run.",
            formulas=("{running_tasks} / {max_tasks}",),
        ),
        Signal(
            "load_tasks",
            "tasks",
            "traffic",
            "Tasks that the load would fill as full as planned: by requests or by processor, whichever asks for more.",
            formulas=("{requests} / {full_requests}", "{cpu} / {full_vcpu}"),
        ),
        Signal(
            "slack_tasks",
            "tasks",
            "slack",
            "Running tasks beyond those that the load fills as full as planned; below zero, they are too full.",
            formulas=("{running_tasks} - {load_tasks}",),
        ),
        _measured("cost", "cost", formulas=("{running_tasks} * {usd_per_task_hour}",)),
        Signal(
            "cost_per_million_requests",
            "USD",
            "cost",
            "Spend on the service's tasks while a million requests came.",
            formulas=("{cost} / {requests} / 3600 * 1000000",),
        ),
        Signal(
            "fargate_vcpu",
            "vCPU",
            "quota",
            "vCPU of all tasks on Fargate On-Demand that run in the account and region.",
            cloudwatch=CloudWatch((_VCPU,), "u"),
        ),
        Signal(
            "fargate_quota_share",
            "1",
            "quota",
            "Share of the account's quota of Fargate On-Demand vCPU (L-3032A538) that is in use.",
            formulas=("{fargate_vcpu} / {fargate_vcpu_quota}",),
            cloudwatch=CloudWatch((_VCPU,), "u / SERVICE_QUOTA(u)"),
        ),
    )
}
