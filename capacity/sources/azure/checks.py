"""What cannot be asked of Azure Monitor, found before anything is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from capacity.config.azure import GRAINS, AzureMetric
from capacity.errors import Problem


def wrong_region(region: str) -> Iterator[Problem]:
    """A region becomes part of the host that is sent a token: letters and digits only.

    >>> [str(problem) for problem in wrong_region("example.com/")]
    ["region: 'example.com/' is not a region: `az account list-locations`"]
    """
    if not (region.isascii() and region.isalnum()):
        yield Problem(f"{region!r} is not a region: `az account list-locations`", where="region")


def wrong_resources(
    services: Mapping[str, str], subscription: str, namespace: str, names: Iterable[str]
) -> Iterator[Problem]:
    """Azure takes one subscription and type a call; we need one service a resource.

    services  resource id -> name of its service
    names     resource ids that were given another name
    """
    if not services:
        yield Problem("there is none: `az containerapp list --query [].id` lists them", where="resources")
    home, kind = f"/subscriptions/{subscription}/".lower(), f"/providers/{namespace}/".lower()
    for resource in services:
        if not resource.lower().startswith(home):
            yield Problem(f"{resource} is not in subscription {subscription}", where="resources")
        elif kind not in resource.lower():
            yield Problem(f"{resource} is not of the type {namespace}", where="resources")
    for name, count in Counter(services.values()).items():
        if count > 1:
            yield Problem(f"several resources are the service {name!r}: name them apart in `names`", where="resources")
    for resource in sorted({name.lower() for name in names} - {resource.lower() for resource in services}):
        yield Problem(f"{resource} is named, but not among the resources", where="names")


def wrong_metrics(metrics: Iterable[AzureMetric], interval: int) -> Iterator[Problem]:
    """Intervals that Azure does not have, and parts that do not add up over them."""
    if interval not in GRAINS.values():
        yield Problem(f"{interval} s is not one of {', '.join(map(str, GRAINS.values()))}", where="interval")
    for metric in metrics:
        if metric.each and interval != 60:
            yield Problem(
                f"the parts of {metric.name} add up minute by minute only, as one that lived a while has no average "
                "over all of a longer interval: use PT1M, or leave this metric out",
                where="interval",
            )
