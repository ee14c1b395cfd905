"""Limits of an account in one region: Fargate's vCPU quotas, its launch rate, and the addresses of subnets.

Of the launch rate two things are weighed: the largest rise of all services at once, and what has to start again when
the fullest zone of each service is lost, where the goal is to survive that. Both may take `launch_within_seconds`, by
default the minute that a metric is read by: 100 + 20 x 60 = 1,300 tasks. `plan.launches()` tells how long they take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from capacity.config import Account, Goal, Service
from capacity.planning.limits.own import rises
from capacity.planning.limits.sharing import Place, SharedUse, Taken, Tasks, Used, deploying_words
from capacity.planning.limits.weighed import Ceiling
from capacity.planning.steps import NOISE, Survives

#: Quota codes of Fargate's vCPU, On-Demand and Spot (reference aws.md 4.3).
ON_DEMAND_CODE: Final = "L-3032A538"
SPOT_CODE: Final = "L-36FBB829"

#: Kinds of `Place` in this file: `of` is the region; of addresses, the region and the clusters of the subnets.
ON_DEMAND, SPOT, RISE, ZONE, ADDRESSES = "on-demand vCPU", "Spot vCPU", "rise", "zone", "addresses"
KINDS: Final = (ON_DEMAND, SPOT, RISE, ZONE, ADDRESSES)

#: Quotas: words, field of [account] and row, code.
_QUOTAS: Final = {
    ON_DEMAND: ("Fargate vCPU", "fargate_vcpu_quota", ON_DEMAND_CODE),
    SPOT: ("Fargate Spot vCPU", "fargate_spot_vcpu_quota", SPOT_CODE),
}

#: Of the launch rate: row, and what is counted.
_LAUNCHES: Final = {
    RISE: ("launch_rate", "Counted as if all services rose at once: schedules a minute apart need less."),
    ZONE: ("launch_rate_zone_loss", "Counted: what starts again when the fullest zone of each service is lost."),
}


def account_name(region: str) -> str:
    """How a region's account-wide rows are named.

    >>> account_name("eu-west-1")
    '(account eu-west-1)'
    """
    return f"(account {region})"


def in_quota(service: Service, account: Account) -> bool:
    """Does the service use the account's Fargate quota?"""
    return service.launch_type == "FARGATE" and service.region == account.region


def on_demand(service: Service, tasks: np.ndarray) -> np.ndarray:
    """Tasks on FARGATE: the base first, then its weight's part of the rest (reference aws.md 4.2), rounded up.

    >>> on_demand(Service(name="web", on_demand_base=2, spot_share=0.75), np.array([1, 2, 8, 9])).tolist()
    [1, 2, 4, 4]
    """
    rest = np.maximum(tasks - service.on_demand_base, 0)
    return np.asarray(tasks - rest + _part(rest, 1 - service.spot_share))


def on_spot(service: Service, tasks: np.ndarray) -> np.ndarray:
    """Tasks on FARGATE_SPOT, rounded up as well: which of the two ECS fills first is not published.

    >>> on_spot(Service(name="web", on_demand_base=2, spot_share=0.75), np.array([1, 2, 8, 9])).tolist()
    [0, 0, 5, 6]
    """
    return _part(np.maximum(tasks - service.on_demand_base, 0), service.spot_share)


def _part(tasks: np.ndarray, share: float) -> np.ndarray:
    return np.asarray(np.ceil(tasks * share - NOISE).astype(tasks.dtype))


def fullest_zone(service: Service, tasks: np.ndarray) -> np.ndarray:
    """Tasks in the zone that holds most: ceil(n / zones)."""
    return -(-tasks // service.zones)


def of_region(use: Tasks, account: Account | None, goal: Goal) -> Iterator[Taken]:
    """What a service on Fargate takes of its region's limits; of quotas and subnets only where there is an account."""
    service, region = use.service, use.service.region
    if service.launch_type != "FARGATE":
        return
    yield Taken(Place(RISE, region), rises(use.running))
    zone = fullest_zone(service, use.running)
    if Survives.of(service, goal).zone_loss:
        yield Taken(Place(ZONE, region), zone)
    if account is None:
        return
    yield Taken(Place(ON_DEMAND, region), *on_demand_vcpu(use))
    if service.spot_share > 0:
        yield Taken(
            Place(SPOT, region), *_vcpu(service, on_spot(service, use.running), on_spot(service, use.deploying))
        )
    for clusters in {subnet.clusters for subnet in account.subnet}:
        if not clusters or service.cluster in clusters:
            yield Taken(addresses(region, clusters), zone, fullest_zone(service, use.deploying) - zone)


def on_demand_vcpu(use: Tasks) -> tuple[np.ndarray, np.ndarray]:
    """(P, H) Fargate On-Demand vCPU of one service, and how much more while it deploys.

    >>> api = Service(name="api", task_vcpu=2, task_memory_gib=4, maximum_percent=150)
    >>> running, surge = on_demand_vcpu(Tasks(api, np.array([[4, 1]])))
    >>> running.tolist(), surge.tolist()
    ([[8.0, 2.0]], [[4.0, 0.0]])
    """
    service = use.service
    if service.spot_share == 0:
        return _vcpu(service, use.running, use.deploying)
    return _vcpu(service, on_demand(service, use.running), on_demand(service, use.deploying))


def _vcpu(service: Service, running: np.ndarray, deploying: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return running * service.task_vcpu, (deploying - running) * service.task_vcpu


def addresses(region: str, clusters: tuple[str, ...]) -> Place:
    """Where the tasks of these clusters take their addresses; of all clusters when none is named."""
    return Place(ADDRESSES, f"{region} {', '.join(clusters)}".strip())


def ceilings(accounts: Mapping[str, Account], uses: Mapping[Place, SharedUse]) -> Iterator[Used]:
    """The limits of regions that are known, each with what uses it and what its figures count."""
    for place, use in uses.items():
        if place.kind not in KINDS or not use.services:
            continue
        region = place.of.split(" ")[0]
        account = accounts.get(region, Account(region=region))
        if place.kind in (RISE, ZONE):
            yield _launch_rate(account, place.kind, use)
        elif place.kind == ADDRESSES:
            yield from _subnets(account, place, use)
        else:
            yield from _quota(account, place.kind, use)


def _quota(account: Account, kind: str, use: SharedUse) -> Iterator[Used]:
    words, limit, code = _QUOTAS[kind]
    quota: Any = getattr(account, limit)
    if quota is not None:
        what, how = f"the {words} quota of {account.region}", f"Quota code {code}."
        ceiling = _of(account, limit, quota, "vCPU", what, how=how, whole=False)
        yield Used(ceiling, use.peak, deploying_words(use.services))


def _launch_rate(account: Account, kind: str, use: SharedUse) -> Used:
    seconds = account.launch_within_seconds
    most = account.fargate_launch_burst + account.fargate_launch_rate * seconds
    stated = bool({"fargate_launch_burst", "fargate_launch_rate", "launch_within_seconds"} & account.model_fields_set)
    how = f"Fargate starts {account.fargate_launch_burst:g} tasks at once and {account.fargate_launch_rate:g} a second."
    what, unit = f"Fargate's launch rate of {account.region}", f"tasks within {seconds:g} s"
    limit, counted = _LAUNCHES[kind]
    return Used(_of(account, limit, most, unit, what, how=how, stated=stated), use.peak, counted)


def _subnets(account: Account, place: Place, use: SharedUse) -> Iterator[Used]:
    pools: dict[tuple[str, tuple[str, ...]], int] = {}
    for subnet in account.subnet:
        if addresses(account.region, subnet.clusters) == place:
            pool = (subnet.zone, subnet.clusters)
            pools[pool] = pools.get(pool, 0) + subnet.addresses
    for (zone, clusters), most in pools.items():
        of = f" of {', '.join(clusters)}" if clusters else ""
        limit, what = f"subnet_addresses: {zone}{of}", f"the subnets of {zone}{of}"
        how = "A task holds one; a subnet cannot grow, so add one or move to larger ones."
        ceiling = _of(account, limit, most, "addresses", what, ask="Widen", how=how)
        yield Used(ceiling, use.peak, f"{deploying_words(use.services)} Of each service its fullest zone.")


def _of(
    account: Account,
    limit: str,
    value: float,
    unit: str,
    what: str,
    *,
    ask: str = "Raise",
    how: str = "",
    stated: bool = True,
    whole: bool = True,
) -> Ceiling:
    name, days = account_name(account.region), account.quota_change_days
    return Ceiling(name, limit, value, unit, days, what, ask, how, stated=stated, whole=whole)
