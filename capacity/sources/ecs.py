"""What runs in an AWS account: clusters, services, their tasks, load balancers, bounds and policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from capacity.findings import NO_FINDINGS, Findings


@dataclass(frozen=True)
class TargetGroup:
    """Where a service's requests come from, as CloudWatch spells it. `balancer` is empty when nothing points to it."""

    group: str  # targetgroup/web/943f017f100becff
    balancer: str = ""  # app/shop/778d41231b141a0f

    @property
    def resource_label(self) -> str:
        """What `ALBRequestCountPerTarget` policies name."""
        return f"{self.balancer}/{self.group}" if self.balancer else ""


@dataclass(frozen=True)
class EcsService:
    """One ECS service as it is set up today. None: AWS did not say, or we may not read it."""

    name: str
    cluster: str
    region: str
    arn: str
    launch_type: str = ""  # FARGATE, EC2, EXTERNAL; empty when capacity providers decide
    capacity_providers: tuple[tuple[str, int, int], ...] = ()  # name, base, weight
    architecture: str | None = None  # x86_64, arm64
    task_definition: str = ""
    task_vcpu: float | None = None
    task_memory_gib: float | None = None
    storage_gib: float | None = None
    desired: int = 0
    running: int = 0
    target_groups: tuple[TargetGroup, ...] = ()
    container_insights: bool = False
    resolution_seconds: int = 60  # of CPUUtilization and MemoryUtilization: 20 when the service says so
    zones: int | None = None
    minimum_healthy_percent: int | None = None
    maximum_percent: int | None = None
    min_tasks: int | None = None
    max_tasks: int | None = None
    policies: tuple[dict[str, Any], ...] = ()  # as describe_scaling_policies says
    scheduled: tuple[dict[str, Any], ...] = ()  # as describe_scheduled_actions says


@dataclass(frozen=True)
class Discovery:
    """What was found, and what could not be looked at."""

    services: tuple[EcsService, ...]
    quotas: tuple[tuple[str, str, float], ...] = ()  # region, quota code, value
    findings: Findings = NO_FINDINGS
