"""`[[instance]]` and `[[service.regions]]`: what tasks run on, and where else they run."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from capacity.config.base import Positive, Settings, Share


class Instance(Settings):
    """An EC2 instance type, as a cluster's tasks see it: what it has, and what the system keeps for itself.

    >>> m7g = Instance(name="m7g.2xlarge", vcpu=8, memory_gib=32, usd_per_hour=0.3264, reserved_memory_gib=1)
    >>> m7g.free_memory_gib
    31.0
    """

    name: str = Field(min_length=1, max_length=255, pattern=r"\S", description="Name of the type, as m7g.2xlarge.")
    vcpu: Positive = Field(description="vCPU of one instance.")
    memory_gib: Positive = Field(description="GiB of one instance.")
    usd_per_hour: Positive | None = Field(None, description="What you pay for one; leave out if not known.")
    reserved_vcpu: float = Field(0.0, ge=0, description="vCPU that no task can have.")
    reserved_memory_gib: float = Field(
        0.5,
        ge=0,
        description="GiB that no task can have: system, ECS agent (ECS_RESERVED_MEMORY), daemons. ECS shows what is "
        "left as the instance's registered memory.",
    )
    max_tasks: int | None = Field(
        None, ge=1, description="Most tasks on one, where network interfaces run out first (awsvpc without trunking)."
    )

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.free_vcpu <= 0 or self.free_memory_gib <= 0:
            raise ValueError(
                f"the system keeps {self.reserved_vcpu:g} of {self.vcpu:g} vCPU and {self.reserved_memory_gib:g} of "
                f"{self.memory_gib:g} GiB: nothing is left for tasks"
            )
        return self

    @property
    def free_vcpu(self) -> float:
        """vCPU for tasks."""
        return self.vcpu - self.reserved_vcpu

    @property
    def free_memory_gib(self) -> float:
        """GiB for tasks."""
        return self.memory_gib - self.reserved_memory_gib


class RegionShare(Settings):
    """One of the regions that share a service's traffic, in ordinary times.

    >>> RegionShare(region="eu-west-1", share=0.6).share
    0.6
    """

    region: str = Field(min_length=1, description="AWS region.")
    share: Share = Field(description="Part of all traffic that it takes; those of all regions add up to 1.")
