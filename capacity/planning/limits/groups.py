"""Limits of load balancers and clusters: targets that register, tasks that wait in PROVISIONING."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from capacity.config import Account, Service
from capacity.planning.limits.own import rises
from capacity.planning.limits.published import PROVISIONING_TASKS, TARGETS
from capacity.planning.limits.sharing import Place, SharedUse, Taken, Tasks, Used, deploying_words
from capacity.planning.limits.weighed import Ceiling

#: Kinds of `Place` in this file: `of` is a load balancer, a target group, a cluster, each after its region.
BALANCER, GROUP, CLUSTER = "load balancer", "target group", "cluster"

#: Kind -> field of [account] that states it, what AWS publishes, its row and unit, how it is asked for.
KINDS: Final[Mapping[str, tuple[str, int, str, str]]] = {
    BALANCER: ("targets_per_load_balancer", TARGETS, "targets", "Quota code L-7E6692B2; every target group counts."),
    GROUP: ("targets_per_target_group", TARGETS, "targets", "Quota code L-A0D0B863."),
    CLUSTER: (
        "provisioning_tasks",
        PROVISIONING_TASKS,
        "tasks at once",
        "Quota code L-B7718569; it holds for capacity providers of EC2.",
    ),
}


def of_groups(use: Tasks) -> Iterator[Taken]:
    """What a service takes of its load balancer and its cluster. While it deploys, old and new tasks are registered.

    >>> import numpy as np
    >>> label = "app/shop/50dc/targetgroup/web/6d0e"
    >>> [taken.place.of for taken in of_groups(Tasks(Service(name="web", alb_resource_label=label), np.array([[3]])))]
    ['us-east-1 app/shop/50dc', 'us-east-1 targetgroup/web/6d0e']
    """
    service = use.service
    balancer, group = balancer_of(service)
    for kind, of in ((BALANCER, balancer), (GROUP, group)):
        if of:
            yield Taken(Place(kind, f"{service.region} {of}"), use.running, use.deploying - use.running)
    if service.launch_type == "EC2":
        yield Taken(Place(CLUSTER, f"{service.region} {service.cluster}"), rises(use.running))


def balancer_of(service: Service) -> tuple[str, str]:
    """Its load balancer and target group, by `alb_resource_label`; empty when it states none."""
    parts = service.alb_resource_label.split("/")
    return ("/".join(parts[:3]), "/".join(parts[3:])) if len(parts) == 6 else ("", "")


def ceilings(accounts: Mapping[str, Account], uses: Mapping[Place, SharedUse]) -> Iterator[Used]:
    """The limits of every load balancer, target group and cluster in use."""
    for place, use in uses.items():
        if place.kind in KINDS and use.services:
            region, of = place.of.split(" ", 1)
            ceiling = _ceiling(place.kind, region, of, accounts.get(region))
            yield Used(ceiling, use.peak, deploying_words(use.services) if place.kind != CLUSTER else "")


def _ceiling(kind: str, region: str, of: str, account: Account | None) -> Ceiling:
    limit, published, unit, how = KINDS[kind]
    stated: Any = getattr(account, limit) if account is not None else None
    return Ceiling(
        name=f"({kind} {region} {of})" if kind == CLUSTER else f"({kind} {of})",  # names of clusters are a region's own
        limit=limit,
        value=published if stated is None else stated,
        unit=unit,
        change_days=(account or Account(region=region)).quota_change_days,
        what=f"the {'tasks in PROVISIONING' if kind == CLUSTER else 'targets'} of {kind} {of}",
        how=how
        if stated is not None
        else f"{how} It is what AWS publishes; state {limit} in [account] if yours is another.",
        stated=stated is not None,
    )
