"""What to ask of CloudWatch for a service: which metrics and statistics of theirs make which series of ours.

Names, units and dimensions: `AWS/ECS`, `ECS/ContainerInsights` and `AWS/ApplicationELB` in the CloudWatch and ECS user
guides. Only plain statistics are asked: an expression is computed over one page of an answer, not over all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from capacity.config.cloudwatch import CustomMetric
from capacity.findings import Finding
from capacity.schema import METRICS
from capacity.sources.aws.ecs import EcsService, TargetGroup
from capacity.sources.coverage import Asked
from capacity.units import factor

Dimensions = tuple[tuple[str, str], ...]


class Query(NamedTuple):
    """One statistic of one metric, as CloudWatch knows it. Dimensions are in alphabetical order of their names.

    region  where to ask, if not in the source's own: CloudFront's metrics are in us-east-1
    """

    namespace: str
    name: str
    stat: str
    dimensions: Dimensions
    region: str = ""

    @property
    def percentile(self) -> bool:
        return self.stat[0] == "p"

    def asked(self, number: int, period: int) -> dict[str, Any]:
        """The entry of `MetricDataQueries`; no Unit, since one that does not match returns nothing.

        >>> Query("AWS/ECS", "CPUUtilization", "Average", (("ClusterName", "shop"),)).asked(7, 60)["Id"]
        'q7'
        """
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions]
        metric = {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}
        return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": period, "Stat": self.stat}}


#: Between a service and the digest of a metric of the user's own, where coverage names them. No service has a space.
DEFINED: Final = " (metric "


@dataclass(frozen=True)
class Wanted:
    """One series of ours, and the queries it is made of.

    factor   from their unit into ours
    per      0: a level; else the value is a total over the interval, and becomes one per so many seconds
    queries  several (one a target group) add up; with `weights`, they are averaged by them
    digest   of the settings of a metric of the user's own: said otherwise, it is another question; empty: one of ours
    """

    source: str
    service: str
    metric: str
    stat: str
    queries: tuple[Query, ...]
    factor: float = 1.0
    per: int = 0
    weights: tuple[Query, ...] = ()
    digest: str = ""

    def scale(self, period: int) -> float:
        """What to multiply a value over `period` seconds by.

        >>> Wanted("cloudwatch", "web", "requests", "mean", (), per=1).scale(300) * 600
        2.0
        """
        return self.factor * (self.per / period if self.per else 1.0)

    @property
    def needs(self) -> tuple[Query, ...]:
        """Every query whose answer it takes, each once."""
        return tuple(dict.fromkeys((*self.queries, *self.weights)))

    @property
    def region(self) -> str:
        """Where all of its queries are asked; empty: in the source's own region."""
        return self.queries[0].region if self.queries else ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.service, self.metric, self.stat

    def at(self, period: int) -> Asked:
        """The series, as coverage knows it."""
        service = f"{self.service}{DEFINED}{self.digest})" if self.digest else self.service
        return Asked(self.source, service, self.metric, self.stat, period)


class Recipe(NamedTuple):
    """Their statistic, and what it is for us."""

    namespace: str
    name: str
    stat: str
    metric: str
    ours: str
    factor: float = 1.0
    per: int = 0


ECS_NAMESPACE, INSIGHTS_NAMESPACE, BALANCER = "AWS/ECS", "ECS/ContainerInsights", "AWS/ApplicationELB"

#: Free, one-minute. One sample of CPUUtilization a running task and minute: their count is the count of tasks.
ECS: Final = (
    Recipe(ECS_NAMESPACE, "CPUUtilization", "Average", "cpu_utilization", "mean"),
    Recipe(ECS_NAMESPACE, "CPUUtilization", "Maximum", "cpu_utilization", "max"),
    Recipe(ECS_NAMESPACE, "CPUUtilization", "Minimum", "cpu_utilization", "min"),
    Recipe(ECS_NAMESPACE, "CPUUtilization", "SampleCount", "running_tasks", "mean", per=60),
    Recipe(ECS_NAMESPACE, "MemoryUtilization", "Average", "memory_utilization", "mean"),
    Recipe(ECS_NAMESPACE, "MemoryUtilization", "Maximum", "memory_utilization", "max"),
    Recipe(ECS_NAMESPACE, "MemoryUtilization", "Minimum", "memory_utilization", "min"),
)

#: Paid, where the cluster has it on. CPU in units, 1,024 a vCPU. Memory is called Megabytes and counted as the task
#: definition counts it, 1,024 to a GB: a task of 512 MiB reserves 512. One sample a task and minute, so totals add up.
INSIGHTS: Final = (
    Recipe(INSIGHTS_NAMESPACE, "DesiredTaskCount", "Average", "desired_tasks", "mean"),
    Recipe(INSIGHTS_NAMESPACE, "CpuUtilized", "Sum", "cpu", "mean", factor("CPU units", "vCPU"), 60),
    Recipe(INSIGHTS_NAMESPACE, "CpuReserved", "Sum", "cpu_reserved", "mean", factor("CPU units", "vCPU"), 60),
    Recipe(INSIGHTS_NAMESPACE, "MemoryUtilized", "Sum", "memory", "mean", factor("MiB", "GiB"), 60),
    Recipe(INSIGHTS_NAMESPACE, "MemoryReserved", "Sum", "memory_reserved", "mean", factor("MiB", "GiB"), 60),
)

#: Of a target group behind an Application Load Balancer. Counts have a meaningful Sum only; times are in seconds.
REQUESTS: Final = Recipe(BALANCER, "RequestCount", "Sum", "requests", "mean", per=1)
ERRORS: Final = Recipe(BALANCER, "HTTPCode_Target_5XX_Count", "Sum", "errors", "mean", per=1)
LATENCY: Final = Recipe(BALANCER, "TargetResponseTime", "Average", "latency", "mean")


def source_name(account: str, region: str, cluster: str) -> str:
    """What rows of a cluster say in `source`: all that tells it from another, so that each has its own coverage.

    >>> source_name("123456789012", "eu-west-1", "shop"), source_name("", "eu-west-1", "shop")
    ('cloudwatch:123456789012/eu-west-1/shop', 'cloudwatch:eu-west-1/shop')
    """
    return f"cloudwatch:{'/'.join(part for part in (account, region, cluster) if part)}"


def wanted_of(
    service: EcsService,
    name: str,
    percentiles: Iterable[str] = (),
    metrics: Iterable[CustomMetric] = (),
    around: Iterable[Wanted] = (),
) -> tuple[list[Wanted], list[Finding]]:
    """Every series of one service, by its key, and what cannot be asked.

    name    what the service is called in our tables
    around  series of what stands before and behind it, which a metric of the user's own may replace too
    """
    source = source_name(service.account, service.region, service.cluster)
    found: dict[tuple[str, str], Wanted] = {}
    findings: list[Finding] = []
    here = (("ClusterName", service.cluster), ("ServiceName", service.name))
    for recipe in (*ECS, *(INSIGHTS if service.container_insights else ())):
        found[recipe.metric, recipe.ours] = _made(recipe, source, name, [here])
    if service.resolution_seconds != 60:
        findings.append(_fine_samples(service, name))
        running = found["running_tasks", "mean"]
        found["running_tasks", "mean"] = replace(running, factor=service.resolution_seconds / 60)
    groups = [group for group in service.target_groups if group.balancer.startswith("app/")]
    if groups:
        found |= {(made.metric, made.stat): made for made in _behind(groups, source, name, percentiles)}
        if len(groups) > 1 and any(percentiles):
            findings.append(_no_percentiles(name, len(groups)))
    found |= {(made.metric, made.stat): made for made in around}
    for metric in metrics:
        if metric.concerns(service.name) or metric.concerns(name):
            made, finding = _custom(metric, service, groups, source, name)
            if made is not None:
                found[made.metric, made.stat] = made
            findings += finding
    return sorted(found.values(), key=lambda made: made.key), findings


def _made(recipe: Recipe, source: str, service: str, places: Iterable[Dimensions]) -> Wanted:
    queries = tuple(Query(recipe.namespace, recipe.name, recipe.stat, place) for place in places)
    return Wanted(source, service, recipe.metric, recipe.ours, queries, recipe.factor, recipe.per)


def _behind(groups: list[TargetGroup], source: str, service: str, percentiles: Iterable[str]) -> list[Wanted]:
    """Series of the load balancer. Counts of several groups add up; their mean times are weighted by requests."""
    places = [(("LoadBalancer", group.balancer), ("TargetGroup", group.group)) for group in groups]
    requests, errors, latency = (_made(recipe, source, service, places) for recipe in (REQUESTS, ERRORS, LATENCY))
    if len(groups) > 1:
        return [requests, errors, replace(latency, weights=requests.queries)]
    parts = [_made(LATENCY._replace(stat=name, ours=name), source, service, places) for name in percentiles]
    return [requests, errors, latency, *parts]


def _custom(
    metric: CustomMetric, service: EcsService, groups: list[TargetGroup], source: str, name: str
) -> tuple[Wanted | None, list[Finding]]:
    """A metric of the user's own for one service: a query a target group (or balancer) its dimensions name."""
    text = "".join(metric.dimensions.values())
    placed: list[Mapping[str, str]] = [{}]
    if "{load_balancer}" in text or "{target_group}" in text:
        placed = [{"load_balancer": group.balancer, "target_group": group.group} for group in groups]
    places = dict.fromkeys(_dimensions(metric, service, place) for place in placed)
    if not places or (len(places) > 1 and metric.stat != "Sum"):
        reason = f"has {len(places)} target groups, which have no common {metric.stat}" if places else "has none"
        return None, [
            Finding(
                name,
                metric.metric,
                "not asked",
                "REVIEW",
                f"{metric.namespace} {metric.name} is asked for by load balancer, and the service {reason}",
                "Limit the metric to other services with services = [...], or name its dimensions in full.",
            )
        ]
    ours = METRICS[metric.metric].unit
    recipe = Recipe(
        *(metric.namespace, metric.name, metric.stat, metric.metric, metric.ours),
        factor=factor(metric.unit or ours, into=ours),
        per={"": 0, "interval": 1, "minute": 60}[metric.per],
    )
    return replace(_made(recipe, source, name, places), digest=metric.digest), []


def _dimensions(metric: CustomMetric, service: EcsService, place: Mapping[str, str]) -> Dimensions:
    words = {"cluster": service.cluster, "service": service.name, **place}
    return tuple(sorted((key, _filled(value, words)) for key, value in metric.dimensions.items()))


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
    return text


def _no_percentiles(service: str, groups: int) -> Finding:
    return Finding(
        service,
        "latency",
        "percentiles",
        "REVIEW",
        f"percentiles of response time are left out: the service has {groups} target groups, and percentiles of "
        "several cannot be combined. The mean is there, weighted by requests",
        "Read one group's percentiles with a [[cloudwatch.metric]] that names it in full.",
    )


def _fine_samples(service: EcsService, name: str) -> Finding:
    seconds = service.resolution_seconds
    return Finding(
        name,
        "running_tasks",
        "samples",
        "REVIEW",
        f"the service publishes a sample every {seconds} s, so running tasks are counted as samples a minute x "
        f"{seconds}/60; from before that was switched on, they read too low by that factor",
        f"Compare with {service.running} tasks that run now, or read RunningTaskCount of Container Insights with a "
        "[[cloudwatch.metric]].",
    )
