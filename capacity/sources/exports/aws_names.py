"""CloudWatch's names in ours: which metric, in which unit, and what each statistic of it means."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from capacity.sources.cells import known_stat


class AwsMetric(NamedTuple):
    """One metric that AWS publishes, as ours.

    unit     it is published in, as `capacity.units` writes it
    counted  events: the sum over the interval counts them, and no other statistic means anything here
    sampled  each datum is one task's, once a minute: the sum of a minute is what all tasks use
    """

    metric: str
    unit: str
    counted: bool = False
    sampled: bool = False


#: Units and meanings: "Amazon ECS CloudWatch metrics" and "Container Insights metrics" (Amazon ECS Developer Guide,
#: Amazon CloudWatch User Guide), "CloudWatch metrics for your Application Load Balancer" (User Guide for Application
#: Load Balancers), "Available CloudWatch metrics for Amazon SQS", "Types of metrics for CloudFront", "Metrics for
#: Valkey and Redis OSS" and "Metrics for Memcached" (ElastiCache). Container Insights calls memory Megabytes and counts
#: it as the task definition does, 1,024 to a GB. RequestCountPerTarget is left out: how many targets there were is not
#: in an export; and so are CloudFront's Requests, a name that could be anybody's.
AWS_METRICS: Final[dict[str, AwsMetric]] = {
    "CPUUtilization": AwsMetric("cpu_utilization", "%"),
    "MemoryUtilization": AwsMetric("memory_utilization", "%"),
    "RunningTaskCount": AwsMetric("running_tasks", "tasks"),
    "DesiredTaskCount": AwsMetric("desired_tasks", "tasks"),
    "CpuUtilized": AwsMetric("cpu", "CPU units", sampled=True),
    "CpuReserved": AwsMetric("cpu_reserved", "CPU units", sampled=True),
    "MemoryUtilized": AwsMetric("memory", "MiB", sampled=True),
    "MemoryReserved": AwsMetric("memory_reserved", "MiB", sampled=True),
    "TargetResponseTime": AwsMetric("latency", "seconds"),
    "RequestCount": AwsMetric("requests", "requests/s", counted=True),
    "HTTPCode_Target_5XX_Count": AwsMetric("errors", "requests/s", counted=True),
    "HTTPCode_ELB_5XX_Count": AwsMetric("errors", "requests/s", counted=True),
    "ApproximateNumberOfMessagesVisible": AwsMetric("queue_depth", "messages"),
    "CacheHitRate": AwsMetric("cache_hit_ratio", "%"),
    "OriginLatency": AwsMetric("origin_latency", "ms"),
    "CacheHits": AwsMetric("cache_hits", "requests/s", counted=True),
    "CacheMisses": AwsMetric("cache_misses", "requests/s", counted=True),
    "GetHits": AwsMetric("cache_hits", "requests/s", counted=True),
    "GetMisses": AwsMetric("cache_misses", "requests/s", counted=True),
}
#: Metrics of ours whose sum over an interval is a count of events.
COUNTS: Final = frozenset({"requests", "errors", "cdn_requests", "cache_hits", "cache_misses"})
#: Statistics as the console and the API write them: five words and percentiles. (API: GetMetricData, "Stat".)
STATISTIC: Final = re.compile(r"Average|Sum|Minimum|Maximum|SampleCount|p\d{1,2}(?:\.\d+)?")
#: Units of the API ("StandardUnit") that say nothing of what is counted: the metric does.
UNIT_OF_COUNTS: Final = frozenset({"", "none", "count"})


class Meaning(NamedTuple):
    """How a statistic of a metric is read."""

    stat: str  # ours
    per_second: bool = False  # a sum over the interval: divided by its seconds
    per_minute: bool = False  # a sum over samples, one a task and minute: divided by its minutes
    tasks: bool = False  # the samples themselves are counted: each is a running task

    @property
    def counts(self) -> bool:
        """Whether it grows with the length of the interval."""
        return self.per_second or self.per_minute


def meaning(metric: str, statistic: str, aws: str = "", tasks_sampled: bool = False) -> Meaning | str:
    """How to read a statistic of a metric of ours, or why it cannot be, in words.

    aws            CloudWatch's own name of the metric, where known
    tasks_sampled  whether each sample is one task's: so for AWS/ECS with a service as dimension

    >>> meaning("requests", "Sum")
    Meaning(stat='mean', per_second=True, per_minute=False, tasks=False)
    >>> meaning("requests", "Average", aws="RequestCount")
    'Average of RequestCount means nothing: it is always 1; Sum counts the requests'
    """
    word = statistic.casefold()
    if aws and AWS_METRICS[aws].counted and word != "sum":
        if not word:
            return f"{aws} needs its statistic to be known; Sum counts the requests"
        ones = AWS_METRICS[aws].metric in ("requests", "errors") and word in ("average", "minimum", "maximum")
        always = ": it is always 1" if ones else ""
        return f"{statistic} of {aws} means nothing{always}; Sum counts the requests"
    if aws and AWS_METRICS[aws].sampled:
        if word == "sum":
            return Meaning("mean", per_minute=True)
        return f"{statistic or 'one statistic'} of {aws} is one task's; Sum is that of all of them"
    if word == "sum":
        if metric in COUNTS:
            return Meaning("mean", per_second=True)
        return f"a sum of {metric} means nothing here; export Average, Maximum, Minimum or a percentile"
    if word == "samplecount":
        if metric == "running_tasks" or (aws == "CPUUtilization" and tasks_sampled):
            return Meaning("mean", per_minute=True, tasks=True)
        return (
            f"SampleCount of {aws or metric} is a count of tasks only for CPUUtilization of an ECS service; "
            "if it is one, say the metric: running_tasks"
        )
    ours = known_stat(statistic)
    return Meaning(ours) if ours is not None else f"unknown stat {statistic!r}"
