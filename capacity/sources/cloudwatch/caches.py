"""What stands around a service: CloudFront before it, ElastiCache behind it, as series of ours.

Names, units and statistics: "Types of metrics for CloudFront" (Amazon CloudFront Developer Guide), "Metrics for Valkey
and Redis OSS" and "Metrics for Memcached" (Amazon ElastiCache User Guide). CloudFront gives one statistic a metric.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from capacity.config.cloudwatch import CacheNodes, Distribution
from capacity.findings import Finding
from capacity.sources.cloudwatch.catalogue import Query, Wanted, source_name
from capacity.units import factor

CLOUDFRONT, ELASTICACHE = "AWS/CloudFront", "AWS/ElastiCache"
#: The one region that has CloudFront's metrics.
GLOBAL_REGION: Final = "us-east-1"


def before(
    distributions: Iterable[Distribution], account: str, service: str, percentiles: Sequence[str] = ()
) -> list[Wanted]:
    """Series of the CloudFront distributions in front of a service.

    Requests of several add up, their hit rates are averaged by them; percentiles of several cannot be combined and are
    left out.

    >>> [one.metric for one in before([Distribution(id="E2QWRUHAPOMQZL", service="web")], "", "web", ["p95"])]
    ['cdn_requests', 'cache_hit_ratio', 'origin_latency']
    """
    mine = [each for each in distributions if each.service == service]
    if not mine:
        return []
    source, digest = source_name(account, GLOBAL_REGION, "cloudfront"), _digest(each.id for each in mine)

    def queries(name: str, stat: str, only: Sequence[Distribution]) -> tuple[Query, ...]:
        places = [(("DistributionId", each.id), ("Region", "Global")) for each in only]
        return tuple(Query(CLOUDFRONT, name, stat, place, GLOBAL_REGION) for place in places)

    requests = Wanted(source, service, "cdn_requests", "mean", queries("Requests", "Sum", mine), per=1, digest=digest)
    more = [each for each in mine if each.additional_metrics]
    if not more:
        return [requests]
    rate = replace(requests, metric="cache_hit_ratio", per=0, queries=queries("CacheHitRate", "Average", more))
    if len(more) > 1:
        return [requests, replace(rate, weights=queries("Requests", "Sum", more))]
    latency = replace(rate, metric="origin_latency", factor=factor("ms", "seconds"))
    parts = [replace(latency, stat=name, queries=queries("OriginLatency", name, more)) for name in percentiles]
    return [requests, rate, *parts]


def behind(caches: Iterable[CacheNodes], source: str, service: str) -> list[Wanted]:
    """Lookups of a service that its ElastiCache nodes answered, and could not answer, added up over the nodes.

    >>> [one.metric for one in behind([CacheNodes(nodes=("a-001",), service="web")], "cloudwatch:eu-west-1", "web")]
    ['cache_hits', 'cache_misses']
    """
    mine = [each for each in caches if each.service == service]
    if not mine:
        return []
    digest = _digest(node for each in mine for node in each.nodes)
    found = []
    for number, metric in enumerate(("cache_hits", "cache_misses")):
        queries = tuple(
            Query(ELASTICACHE, each.names[number], "Sum", (("CacheClusterId", node),))
            for each in mine
            for node in each.nodes
        )
        found.append(Wanted(source, service, metric, "mean", queries, per=1, digest=digest))
    return found


def strangers(around: Iterable[Distribution | CacheNodes], services: Iterable[str]) -> list[Finding]:
    """Distributions and caches of services that are not there."""
    known = set(services)
    return [
        Finding(
            *(each.service, "", "not asked", "REVIEW"),
            f"{' '.join(each.nodes) if isinstance(each, CacheNodes) else each.id} is said to belong to this service, "
            "which is not among those fetched",
            "Names have to be equal to the letter, as in the history; with prefix = true they are cluster/service.",
        )
        for each in around
        if each.service not in known
    ]


def _digest(names: Iterable[str]) -> str:
    """Other ids are another question, which is asked again."""
    return sha256(" ".join(sorted(names)).encode()).hexdigest()[:10]
