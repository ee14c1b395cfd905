"""`[[service]]`: what is planned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from capacity.config.base import Positive, Settings, Share
from capacity.config.limit import Limit
from capacity.config.sizing import RegionShare
from capacity.config.slo import Slo
from capacity.config.task_capacity import TaskCapacity

Architecture = Literal["x86_64", "arm64"]

#: Fargate task sizes: CPU units -> memory in MiB. Source: Amazon ECS, "Task CPU and memory" (reference aws.md 4.1).
FARGATE_SIZES: Final[dict[int, tuple[int, ...]]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}

#: Rows of tables that stand for all services together.
SUMS: Final = ("(all)", "(fleet)")

#: Code of a calendar: a country's two letters (ISO 3166-1), and perhaps a part of it (ISO 3166-2).
HOLIDAYS: Final = r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$"


class Service(Settings):
    """What is planned: one ECS service, its task size and its bounds.

    >>> Service(name="checkout", requests_per_second_per_task=50, min_tasks=2, max_tasks=64).resource_id
    'service/default/checkout'
    """

    name: str = Field(min_length=1, max_length=255, pattern=r"\S", description="Name, as in the history.")
    cluster: str = Field("default", min_length=1, description="ECS cluster.")
    region: str = Field("us-east-1", min_length=1, description="AWS region: decides prices and quotas.")
    launch_type: Literal["FARGATE", "EC2"] = Field("FARGATE", description="Only FARGATE is priced per task.")
    architecture: Architecture = Field("x86_64", description="Processor architecture of the task.")
    task_vcpu: Positive = Field(1.0, description="vCPU reserved by one task.")
    task_memory_gib: Positive = Field(2.0, description="GiB reserved by one task.")
    ephemeral_storage_gib: float = Field(20.0, ge=20, le=200, description="GiB of task storage; 20 are free.")
    public_ipv4: bool = Field(False, description="True if each task has a public IPv4 address, which is billed.")
    zones: int = Field(3, ge=1, le=6, description="Availability zones the tasks spread over.")
    min_tasks: int = Field(1, ge=0, le=5000, description="Fewest tasks, today's setting.")
    max_tasks: int = Field(10, ge=1, le=5000, description="Most tasks, today's setting. 5,000 is ECS's own limit.")
    startup_seconds: float = Field(120.0, ge=0, le=3600, description="From asking for a task to it serving.")
    requests_per_second_per_task: Positive | None = Field(
        None, description="What one task serves within the SLO; leave out to plan by CPU and memory alone."
    )
    task_capacity: TaskCapacity | None = Field(
        None,
        description="The same with its interval and evidence, as `capacity loadtest capacity` writes it; its rate "
        "stands for requests_per_second_per_task.",
    )
    limit: tuple[Limit, ...] = Field((), description="What more tasks do not lift, one [[service.limit]] each.")
    slo: tuple[Slo, ...] = Field((), description="What was promised to its users, one [[service.slo]] each.")
    cpu_target: Share = Field(0.60, description="CPU in use, of what is reserved, that a full task may reach.")
    memory_target: Share = Field(0.80, description="Memory in use, of what is reserved, that a full task may reach.")
    request_target: Share = Field(
        0.85, description="Share of requests_per_second_per_task to plan for: room for the SLO's tail."
    )
    memory_scales_with_load: bool = Field(
        False, description="True if adding tasks lowers the memory of each; else memory is a check of task size."
    )
    minimum_healthy_percent: int = Field(100, ge=0, le=100, description="Of the ECS deployment configuration.")
    maximum_percent: int = Field(200, ge=100, le=400, description="Of the ECS deployment configuration.")
    target_value: Positive | None = Field(
        None, description="Today's target-tracking value, if known: percent CPU, or requests/min per task."
    )
    assumed_running_tasks: Positive | None = Field(
        None, description="How many tasks ran, for history that holds a percentage but no task count."
    )
    service_connect: bool = Field(
        False, description="Whether it uses Service Connect or Cloud Map: ECS then runs 1,000 tasks of it, not 5,000."
    )
    alb_resource_label: str = Field(
        "", description="app/NAME/ID/targetgroup/NAME/ID: needed to track requests per target."
    )
    on_demand_base: int = Field(
        0, ge=0, le=5000, description="Tasks that always run on FARGATE: the base of its capacity provider strategy."
    )
    spot_share: float = Field(
        0.0, ge=0, le=1, description="Part of the tasks above on_demand_base that runs on FARGATE_SPOT, by the weights."
    )
    regions: tuple[RegionShare, ...] = Field(
        (), description="Regions that share its traffic, its own among them; empty: all of it comes here."
    )
    tier: Literal["critical", "standard", "batch"] = Field(
        "standard",
        description="How much a shortage matters. The work of `batch` waits in a queue, so the mean of an interval "
        "sizes it, not its busiest minute.",
    )
    timezone: str = Field("UTC", description="IANA zone in which people and schedules live.")
    holidays: str = Field(
        "", pattern=HOLIDAYS, description="Whose public holidays: DE, or a part of the country, DE-BY. Empty: none."
    )
    owner: str = Field("", description="Who decides; printed beside each decision.")
    change_days: int = Field(7, ge=0, le=365, description="Days it takes to have a limit raised.")

    @model_validator(mode="after")
    def _one_rate(self) -> Self:
        if self.task_capacity is None:
            return self
        rate = self.task_capacity.requests_per_second
        if self.requests_per_second_per_task not in (None, rate):
            raise ValueError(
                f"requests_per_second_per_task is {self.requests_per_second_per_task:g}, and task_capacity says "
                f"{rate:g}: state one of them"
            )
        # the rate alone is what most of the code asks for; pydantic's own way past `frozen` while a model is built
        object.__setattr__(self, "requests_per_second_per_task", rate)
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with these fields changed, which pydantic does not check; another `task_capacity` brings its rate."""
        fields = dict(update or {})
        if isinstance(known := fields.get("task_capacity"), TaskCapacity):
            fields.setdefault("requests_per_second_per_task", known.requests_per_second)
        return super().model_copy(update=fields, deep=deep)

    @model_validator(mode="after")
    def _limits_told_apart(self) -> Self:
        stated = [(limit.kind, limit.name) for limit in self.limit]
        for kind, name in sorted({one for one in stated if stated.count(one) > 1}):
            raise ValueError(f"two [[service.limit]] of kind {kind} are called {name!r}: keep one")
        return self

    @model_validator(mode="after")
    def _promises_told_apart(self) -> Self:
        promised = [slo.name for slo in self.slo]
        for name in sorted({name for name in promised if promised.count(name) > 1}):
            raise ValueError(f"two [[service.slo]] are called {name!r}: give each its own name")
        return self

    @model_validator(mode="after")
    def _regions_add_up(self) -> Self:
        named = [one.region for one in self.regions]
        for region in sorted({one for one in named if named.count(one) > 1}):
            raise ValueError(f"regions names {region!r} twice")
        if not named:
            return self
        if self.region not in named:
            raise ValueError(f"regions names {', '.join(named)} and not {self.region!r}, where the service is")
        if len(named) < 2 or abs(sum(one.share for one in self.regions) - 1) > 0.001:
            shares = ", ".join(f"{one.region} {one.share:g}" for one in self.regions)
            raise ValueError(f"regions are two or more whose shares add up to 1, and these do not: {shares}")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.name in SUMS:
            raise ValueError(f"name {self.name!r} is the row of all services together: call it otherwise")
        if self.min_tasks > self.max_tasks:
            raise ValueError(f"min_tasks ({self.min_tasks}) is above max_tasks ({self.max_tasks})")
        if self.launch_type == "FARGATE":
            units, mib = round(self.task_vcpu * 1024), round(self.task_memory_gib * 1024)
            if units not in FARGATE_SIZES:
                sizes = ", ".join(f"{size / 1024:g}" for size in FARGATE_SIZES)
                raise ValueError(f"task_vcpu {self.task_vcpu:g} is not a Fargate size: {sizes}")
            if mib not in FARGATE_SIZES[units]:
                sizes = ", ".join(f"{size / 1024:g}" for size in FARGATE_SIZES[units])
                raise ValueError(
                    f"task_memory_gib {self.task_memory_gib:g} does not exist beside {self.task_vcpu:g} vCPU: {sizes}"
                )
        if self.minimum_healthy_percent == 100 and self.maximum_percent == 100:
            raise ValueError("minimum_healthy_percent and maximum_percent are both 100: no deployment could move")
        _zone(self.timezone)
        return self

    @property
    def resource_id(self) -> str:
        """Application Auto Scaling's name of the service. Of a name told apart as cluster/service only the service.

        >>> Service(name="blue/web", cluster="blue").resource_id
        'service/blue/web'
        """
        own = self.name.removeprefix(f"{self.region}/").removeprefix(f"{self.cluster}/")
        return f"service/{self.cluster}/{own or self.name}"


def _zone(name: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"timezone {name!r} is not an IANA zone such as 'Europe/Paris'") from None
