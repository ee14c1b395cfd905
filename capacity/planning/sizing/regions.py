"""Two or more regions share traffic: what each takes over when one of them is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from capacity.config import Service
from capacity.errors import InputError


def for_region_loss(shares: Mapping[str, float], lost: str) -> dict[str, float]:
    """How many times its ordinary load each remaining region gets when `lost` is gone.

    shares  region -> part of all traffic it takes, adding up to 1
    result  region -> factor; the traffic of the lost one is shared out in proportion, so it is the same for all

    Load is moved, not lost: sum of share x factor over the remaining regions is 1 again.
    Raises InputError for a region that is not among them, shares that are none, and when nothing is left.

    >>> for_region_loss({"eu-west-1": 0.5, "us-east-1": 0.3, "us-west-2": 0.2}, lost="us-west-2")
    {'eu-west-1': 1.25, 'us-east-1': 1.25}
    """
    if lost not in shares:
        raise InputError(f"no traffic is known of region {lost!r}", advice=f"There are: {', '.join(sorted(shares))}.")
    if any(not 0 <= part <= 1 for part in shares.values()) or abs(sum(shares.values()) - 1) > 0.001:
        raise InputError(f"shares of regions add up to 1, each from 0 to 1, and these do not: {dict(shares)}")
    rest = sum(part for region, part in shares.items() if region != lost)
    if rest <= 0:
        raise InputError(f"no region but {lost} takes traffic: nothing is left to take it over")
    return {region: 1 / rest for region in shares if region != lost}


def region_factors(services: Iterable[Service], lost: str) -> dict[str, float]:
    """service -> times its ordinary load when a region is lost: 0 for those in it; others without `regions` keep 1.

    From each service's `[[service.regions]]`; what is planned with the factors takes the same steps as any load.

    >>> from capacity.config import RegionShare
    >>> both = (RegionShare(region="eu-west-1", share=0.6), RegionShare(region="us-east-1", share=0.4))
    >>> here, there = (Service(name=region, region=region, regions=both) for region in ("eu-west-1", "us-east-1"))
    >>> region_factors([here, there, Service(name="alone")], lost="eu-west-1")
    {'eu-west-1': 0.0, 'us-east-1': 2.5, 'alone': 1.0}
    """
    factors = {}
    for service in services:
        shares = {one.region: one.share for one in service.regions}
        if service.region == lost:
            factors[service.name] = 0.0
        else:
            factors[service.name] = for_region_loss(shares, lost)[service.region] if lost in shares else 1.0
    return factors
