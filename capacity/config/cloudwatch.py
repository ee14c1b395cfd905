"""The table [cloudwatch] of `capacity.toml`: how CloudWatch is read, and metrics of your own beside ours."""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import combinations
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from capacity.config.base import Settings
from capacity.schema import METRICS, STATS
from capacity.units import factor

#: What a dimension of a custom metric may name of the service it is asked for.
PLACEHOLDERS: Final = ("cluster", "service", "load_balancer", "target_group")
#: CloudWatch statistic -> ours. Percentiles are spelt alike.
STATISTICS: Final = {"Average": "mean", "Sum": "mean", "SampleCount": "mean", "Maximum": "max", "Minimum": "min"}
_PERCENTILES: Final = tuple(name for name in STATS if name.startswith("p"))


class CustomMetric(Settings):
    """One metric of CloudWatch that becomes one of ours, for every service or for those named.

    It takes the place of the built-in series of the same metric and statistic. A Sum or SampleCount grows with the
    period, so it has to say `per`: "interval" divides it by the seconds of the period (requests become requests/s),
    "minute" by its minutes (a level that is reported once a minute).

    >>> CustomMetric(namespace="AWS/ApiGateway", name="Count", stat="Sum", per="interval", metric="requests",
    ...     dimensions={"ApiName": "{service}"}).ours
    'mean'
    """

    namespace: str = Field(min_length=1, description="As CloudWatch spells it: 'AWS/SQS'.")
    name: str = Field(min_length=1, description="Name of the metric there.")
    stat: str = Field("Average", description="Average, Sum, SampleCount, Maximum, Minimum, p50, p95 or p99.")
    dimensions: dict[str, str] = Field(
        {}, description="All of its dimensions; {cluster}, {service}, {load_balancer} and {target_group} are filled in."
    )
    metric: str = Field(description="Ours: a name in the metric table of the data dictionary.")
    unit: str = Field("", description="Theirs (after `per`), when it is not the unit of our metric.")
    per: Literal["", "interval", "minute"] = Field("", description="What a Sum or SampleCount is divided by.")
    services: tuple[str, ...] = Field((), description="Only these services; empty: all.")

    @field_validator("stat")
    @classmethod
    def _statistic_we_keep(cls, stat: str) -> str:
        if stat not in STATISTICS and stat not in _PERCENTILES:
            raise ValueError(f"no statistic we keep is {stat!r}: use {', '.join((*STATISTICS, *_PERCENTILES))}")
        return stat

    @field_validator("metric")
    @classmethod
    def _known_metric(cls, metric: str) -> str:
        if metric not in METRICS:
            raise ValueError(f"unknown metric {metric!r}: one of {', '.join(METRICS)}")
        return metric

    @field_validator("dimensions")
    @classmethod
    def _known_placeholders(cls, dimensions: dict[str, str]) -> dict[str, str]:
        for value in dimensions.values():
            unknown = [name for name in re.findall(r"\{(.*?)\}", value) if name not in PLACEHOLDERS]
            if unknown:
                raise ValueError(f"unknown {{{unknown[0]}}} in {value!r}: there are {', '.join(PLACEHOLDERS)}")
        return dimensions

    @model_validator(mode="after")
    def _grows_with_the_period(self) -> Self:
        if (self.stat in ("Sum", "SampleCount")) != bool(self.per):
            raise ValueError(
                f'{self.name}: a Sum or a SampleCount needs per = "interval" or "minute" (it grows with the period), '
                "and no other statistic has one"
            )
        factor(self.unit or METRICS[self.metric].unit, into=METRICS[self.metric].unit)
        return self

    @property
    def ours(self) -> str:
        """Our name of the statistic: a key of `schema.STATS`."""
        return STATISTICS.get(self.stat, self.stat)

    @property
    def digest(self) -> str:
        """Short name of what is asked, and of how the answer is read: everything but for which services."""
        return sha256(self.model_dump_json(exclude={"services"}).encode()).hexdigest()[:10]

    def concerns(self, service: str) -> bool:
        """Whether it is asked for a service of that name."""
        return not self.services or service in self.services


class Distribution(Settings):
    """A CloudFront distribution in front of a service: what reaches it becomes `cdn_requests`.

    Its metrics are in us-east-1, wherever the service is. CacheHitRate and OriginLatency are additional metrics: they
    have to be switched on for the distribution, and CloudFront bills them. Several in front of one service add up.

    >>> Distribution(id="E2QWRUHAPOMQZL", service="web").additional_metrics
    True
    """

    id: str = Field(description="Its id, E2QWRUHAPOMQZL, not its domain name.")
    service: str = Field(min_length=1, description="The service behind it, as it is named in the history.")
    additional_metrics: bool = Field(True, description="False: do not ask for CacheHitRate and OriginLatency.")

    @field_validator("id")
    @classmethod
    def _an_id(cls, text: str) -> str:
        if not re.fullmatch(r"E[A-Z0-9]{5,}", text):
            raise ValueError(f"{text!r} is not a distribution's id: it looks like E2QWRUHAPOMQZL")
        return text


class CacheNodes(Settings):
    """Nodes of an ElastiCache cluster that a service asks: lookups become `cache_hits` and `cache_misses`.

    >>> CacheNodes(nodes=("sessions-001", "sessions-002"), service="web").names
    ('CacheHits', 'CacheMisses')
    """

    nodes: tuple[str, ...] = Field(min_length=1, description="CacheClusterId of each node; they add up.")
    service: str = Field(min_length=1, description="The service that asks it, as it is named in the history.")
    engine: Literal["valkey", "redis", "memcached"] = Field("redis", description="Which engine names its metrics.")

    @property
    def names(self) -> tuple[str, str]:
        """What CloudWatch calls hits and misses ("Metrics for Valkey and Redis OSS", "Metrics for Memcached")."""
        return ("GetHits", "GetMisses") if self.engine == "memcached" else ("CacheHits", "CacheMisses")


class CloudWatchSettings(Settings):
    """How CloudWatch is read.

    >>> CloudWatchSettings(settle="90min").percentiles
    ('p50', 'p95', 'p99')
    """

    settle: str = Field("1h", description="How long values may still change; what is newer is read again.")
    prefix: bool = Field(False, description="Call services 'cluster/service', when clusters share names.")
    percentiles: tuple[Literal["p50", "p95", "p99"], ...] = Field(
        ("p50", "p95", "p99"), description="Of the load balancer's response time; each is one more billed query."
    )
    metric: tuple[CustomMetric, ...] = Field((), description="[[cloudwatch.metric]]: metrics of your own.")
    distribution: tuple[Distribution, ...] = Field((), description="[[cloudwatch.distribution]]: CloudFront.")
    cache: tuple[CacheNodes, ...] = Field((), description="[[cloudwatch.cache]]: ElastiCache.")

    @field_validator("settle")
    @classmethod
    def _duration(cls, text: str) -> str:
        from capacity.timegrid import duration  # brings pandas, which a configuration without this key does not need

        duration(text)
        return text

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        ids = [one.id for one in self.distribution]
        nodes = [node for one in self.cache for node in one.nodes]
        for what, names in (("distribution", ids), ("cache node", nodes)):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{what} {twice[0]!r} is named twice: it would be counted twice, or for two services")
        return self

    @model_validator(mode="after")
    def _one_origin_a_series(self) -> Self:
        for one, other in combinations(self.metric, 2):
            shared = set(one.services) & set(other.services) or not (one.services and other.services)
            if (one.metric, one.ours) == (other.metric, other.ours) and shared:
                raise ValueError(
                    f"{one.name} and {other.name} would both be {one.ours} of {one.metric} for the same services: "
                    "limit each to its own with services = [...]"
                )
        return self
