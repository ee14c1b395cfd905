"""`[account]`: quotas of one region, and the subnets in which its tasks run."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Final, Self

from pydantic import Field, model_validator

from capacity.config.base import Positive, Settings

#: Addresses of every subnet that AWS keeps: the first four and the last. Source: Amazon VPC, "Subnet CIDR blocks".
KEPT_BY_AWS: Final = 5


class Subnet(Settings):
    """Addresses of a subnet that planned tasks may take: each task on Fargate takes one.

    Say them in one of two ways: by its block and what others hold of it, or by what is free and how many tasks ran.

    >>> Subnet(name="subnet-0a1b", zone="eu-west-1a", cidr="10.0.1.0/24", others=11).addresses
    240
    >>> Subnet(name="subnet-0a1b", zone="eu-west-1a", free=120, running=80).addresses
    200
    """

    name: str = Field(min_length=1, max_length=255, pattern=r"\S", description="subnet-..., or what people call it.")
    zone: str = Field(min_length=1, pattern=r"\S", description="Availability zone it is in, eu-west-1a.")
    cidr: str | None = Field(None, description="Its IPv4 block, 10.0.1.0/24; AWS keeps 5 addresses of it.")
    others: int | None = Field(
        None,
        ge=0,
        description="With cidr: addresses that anything else holds: load balancers, databases, endpoints, functions.",
    )
    free: int | None = Field(
        None, ge=0, description="Instead of cidr: AvailableIpAddressCount, as describe-subnets gives it."
    )
    running: int | None = Field(
        None, ge=0, description="With free: tasks of the planned services that ran in it when that was read."
    )
    clusters: tuple[str, ...] = Field((), description="Clusters whose tasks run in it; empty: all of the region.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        stated = {name for name in ("cidr", "others", "free", "running") if getattr(self, name) is not None}
        if stated not in ({"cidr", "others"}, {"free", "running"}):
            raise ValueError(
                f"a subnet states cidr and others, or free and running; stated: {sorted(stated) or 'none'}"
            )
        if self.cidr is not None and self.addresses < 0:
            raise ValueError(
                f"others hold {self.others:,}, and {self.cidr} has {self.addresses + (self.others or 0):,}"
            )
        return self

    @property
    def addresses(self) -> int:
        """How many addresses the tasks of the planned services may hold at once."""
        if self.cidr is None:
            return (self.free or 0) + (self.running or 0)
        return _usable(self.cidr) - (self.others or 0)


def _usable(cidr: str) -> int:
    """Addresses of a block without those that AWS keeps. A subnet is a /16 to a /28 (Amazon VPC, same page)."""
    try:
        block = IPv4Network(cidr)
    except ValueError:
        raise ValueError(f"cidr {cidr!r} is not an IPv4 block such as 10.0.1.0/24") from None
    if not 16 <= block.prefixlen <= 28:
        raise ValueError(f"cidr {cidr!r} is a /{block.prefixlen}: subnets of AWS are a /16 to a /28")
    return block.num_addresses - KEPT_BY_AWS


class Account(Settings):
    """Quotas of one region, shared by its services."""

    region: str = Field("us-east-1", description="AWS region the quota belongs to.")
    fargate_vcpu_quota: Positive | None = Field(
        None, description="Fargate On-Demand vCPU quota (L-3032A538); leave out if not known."
    )
    fargate_spot_vcpu_quota: Positive | None = Field(
        None, description="Fargate Spot vCPU quota (L-36FBB829); leave out if not known."
    )
    quota_change_days: int = Field(14, ge=0, le=365, description="Days it takes to have the quota raised.")
    fargate_launch_burst: Positive = Field(100, description="Tasks that Fargate starts at once.")
    fargate_launch_rate: Positive = Field(20, description="Tasks a second that Fargate starts after that.")
    launch_within_seconds: Positive = Field(
        60, description="How long the starts of one rise may take before its last tasks count as late."
    )
    targets_per_load_balancer: Positive | None = Field(
        None, description="Targets of one Application Load Balancer (L-7E6692B2), where it is not AWS's 1,000."
    )
    targets_per_target_group: Positive | None = Field(
        None, description="Targets of one target group (L-A0D0B863), where it is not AWS's 1,000."
    )
    provisioning_tasks: Positive | None = Field(
        None, description="Tasks in PROVISIONING of one cluster on EC2 (L-B7718569), where it is not AWS's 500."
    )
    subnet: tuple[Subnet, ...] = Field((), description="Where tasks run, one [[account.subnet]] each.")

    @model_validator(mode="after")
    def _subnets_told_apart(self) -> Self:
        names = [subnet.name for subnet in self.subnet]
        for name in sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two [[account.subnet]] are called {name!r}: keep one")
        return self
