"""What runs in an AWS account: clusters, services, their tasks, load balancers, bounds and policies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import pandas as pd

from capacity.display import table_html
from capacity.errors import SourceError
from capacity.findings import NO_FINDINGS, Findings
from capacity.sources.aws import around, facts, running
from capacity.sources.aws.door import Door
from capacity.sources.aws.survey import Survey


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
    launch_type: str = ""  # FARGATE, EC2, EXTERNAL, MANAGED_INSTANCES; empty when capacity providers decide
    capacity_providers: tuple[tuple[str, int, int], ...] = ()  # name, base, weight
    architecture: str | None = None  # x86_64, arm64
    task_definition: str = ""
    task_vcpu: float | None = None
    task_memory_gib: float | None = None
    storage_gib: float | None = None  # None: Fargate's own 20
    desired: int = 0
    running: int = 0
    target_groups: tuple[TargetGroup, ...] = ()  # of application load balancers, or of none; the others count nothing
    container_insights: bool = False
    resolution_seconds: int = 60  # of CPUUtilization and MemoryUtilization: 20 when the service says so
    zones: int | None = None
    minimum_healthy_percent: int | None = None
    maximum_percent: int | None = None
    strategy: str = ""  # ROLLING, BLUE_GREEN, LINEAR, CANARY, CODE_DEPLOY, EXTERNAL
    min_tasks: int | None = None
    max_tasks: int | None = None
    startup_seconds: float | None = None  # median of the tasks that run now, from asked for to running
    policies: tuple[dict[str, Any], ...] = ()  # as describe_scaling_policies says
    scheduled: tuple[dict[str, Any], ...] = ()  # as describe_scheduled_actions says

    @property
    def account(self) -> str:
        """The twelve digits of the ARN."""
        return self.arn.split(":")[4] if self.arn.count(":") >= 4 else ""

    @property
    def fargate(self) -> bool:
        """Whether its tasks run on Fargate, Spot included."""
        providers = {name for name, _, _ in self.capacity_providers}
        return self.launch_type == "FARGATE" or (bool(providers) and providers <= {"FARGATE", "FARGATE_SPOT"})


@dataclass(frozen=True)
class Discovery:
    """What was found, and what could not be looked at."""

    services: tuple[EcsService, ...]
    quotas: tuple[tuple[str, str, float], ...] = ()  # region, quota code, value
    findings: Findings = NO_FINDINGS

    def named(self) -> dict[str, EcsService]:
        """Each service by a name that no other has: its own; where two share one, all by as much as tells all apart.

        All of one depth, as `CloudWatch` names their history with and without its `prefix`.

        >>> web = [EcsService("web", c, "eu-west-1", f"arn:aws:ecs:eu-west-1:1:service/{c}/web") for c in ("a", "b")]
        >>> list(Discovery(tuple(web)).named())
        ['a/web', 'b/web']
        """
        for depth in (1, 2, 3):
            named = {"/".join((s.region, s.cluster, s.name)[-depth:]): s for s in self.services}
            if len(named) == len(self.services):
                return named
        return {"/".join((s.account, s.region, s.cluster, s.name)): s for s in self.services}

    @property
    def frame(self) -> pd.DataFrame:
        """One row a service: what to see at a glance. Missing where AWS did not say."""
        rows = [
            {
                "service": name,
                "cluster": each.cluster,
                "region": each.region,
                "runs_on": each.launch_type or " + ".join(provider for provider, _, _ in each.capacity_providers),
                "architecture": each.architecture,
                "task_vcpu": each.task_vcpu,
                "task_memory_gib": each.task_memory_gib,
                "zones": each.zones,
                "running": each.running,
                "desired": each.desired,
                "min_tasks": each.min_tasks,
                "max_tasks": each.max_tasks,
                "startup_seconds": each.startup_seconds,
                "target_groups": len(each.target_groups),
                "policies": ", ".join(policy["PolicyType"] for policy in each.policies),
                "scheduled": len(each.scheduled),
            }
            for name, each in self.named().items()
        ]
        counts = dict.fromkeys(("zones", "running", "desired", "min_tasks", "max_tasks"), "Int64")
        sizes = dict.fromkeys(("task_vcpu", "task_memory_gib", "startup_seconds"), "float64")
        return pd.DataFrame(rows, columns=list(_SEEN)).astype({**counts, **sizes})

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it; times as ISO 8601."""
        services = [{"as": name, "account": each.account, **asdict(each)} for name, each in self.named().items()]
        quotas = [{"region": region, "code": code, "value": value} for region, code, value in self.quotas]
        plain: dict[str, Any] = json.loads(json.dumps({"services": services, "quotas": quotas}, default=_iso))
        return plain | {"findings": [str(finding) for finding in self.findings]}

    def __str__(self) -> str:
        return f"Discovery: {len(self.services)} services, {len(self.findings)} findings"

    def _repr_html_(self) -> str:
        return table_html(str(self), self.frame)


_SEEN = (
    *("service", "cluster", "region", "runs_on", "architecture", "task_vcpu", "task_memory_gib", "zones", "running"),
    *("desired", "min_tasks", "max_tasks", "startup_seconds", "target_groups", "policies", "scheduled"),
)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def discover(
    clusters: Sequence[str] = (),
    services: Sequence[str] = (),
    *,
    door: Door | Sequence[Door] | None = None,
    measured: bool = False,
) -> Discovery:
    """What runs on ECS, in every region and account that a door opens: by region, cluster and name.

    clusters  names or ARNs; none: all of them
    services  names, or cluster/name; none: all of them
    door      None: the region and credentials AWS's own tools would use
    measured  True: only what names their metrics (load balancers, resolution), in fewer calls and with fewer rights

    Services of which nobody chooses the count (DAEMON) and those being deleted are left out, each with a finding. What
    may not be read is a finding, and None or empty in the result. Raises SourceError for an unknown name.
    """
    surveys = [Survey(each) for each in _doors(door)]
    wanted = {running.name_of(name) for name in clusters}
    found = [running.clusters_of(survey, wanted or running.cluster_names(survey)) for survey in surveys]
    _all_known("cluster", wanted, {name for each in found for name in each}, surveys, running.cluster_names)

    names: list[str] = []
    raw: list[list[facts.Raw]] = []
    for survey, described in zip(surveys, found, strict=True):
        raw.append([])
        for cluster, settings in described.items():
            listed, kept = running.services_of(survey, cluster, services)
            names += [*listed, *(f"{cluster}/{name}" for name in listed)]
            raw[-1] += [facts.Raw(settings, service) for service in kept]
    _all_known("service", set(services), set(names), surveys, lambda survey: [n for n in names if "/" not in n])

    complete = [_completed(survey, each, measured) for survey, each in zip(surveys, raw, strict=True)]
    once = {service.arn: service for each in complete for service in each}
    ordered = tuple(sorted(once.values(), key=lambda s: (s.region, s.cluster, s.name, s.arn)))
    quotas = tuple(dict.fromkeys(q for survey in surveys for q in around.quotas_of(survey))) if not measured else ()
    if not ordered:
        places = ", ".join(sorted({survey.region for survey in surveys}))
        surveys[0].note(
            "", "empty", f"no service to plan was found in {places}", "Another region, or cluster?", unknown=True
        )
    return Discovery(ordered, quotas, Findings.of(*(survey.findings for survey in surveys)))


def _completed(survey: Survey, raw: Sequence[facts.Raw], measured: bool) -> list[EcsService]:
    """The services with what surrounds them, in as few calls as there can be; each look-up may fail on its own."""
    if not raw:
        return []
    balancers = survey.optional(
        "Load balancers",
        "Without them no requests are fetched, and alb_resource_label is left to fill in.",
        lambda: around.balancers_of(survey, [group for each in raw for group in each.groups]),
    )
    resolutions = survey.optional(
        "Resolution of the services' metrics",
        "60 seconds are assumed: where it is 20, running tasks would be counted threefold.",
        lambda: running.resolutions_of(survey, [revision for each in raw for revision in each.revisions]),
    )
    facts.note_shared(survey, raw)
    services = [
        EcsService(
            **facts.of_service(survey, each),
            target_groups=tuple(TargetGroup(*pair) for pair in facts.target_groups(survey, each, balancers)),
            resolution_seconds=resolutions.get(each.service["serviceArn"], 60),
        )
        for each in raw
    ]
    return services if measured else _planned(survey, raw, services)


def _planned(survey: Survey, raw: Sequence[facts.Raw], services: Sequence[EcsService]) -> list[EcsService]:
    """The same services with what a plan needs beside their metrics: sizes, zones, bounds, policies, start-up."""
    ids = [each.resource for each in raw]
    definitions = survey.optional(
        "Task definitions",
        "Fill in task_vcpu, task_memory_gib and architecture by hand.",
        lambda: running.definitions_of(survey, [each.definition for each in raw]),
    )
    zones = survey.optional(
        "Zones of the subnets",
        "Fill in zones by hand.",
        lambda: around.zones_of(survey, [subnet for each in raw for subnet in each.subnets]),
    )
    targets = survey.optional(
        "Scalable targets",
        "Fill in min_tasks and max_tasks by hand.",
        lambda: around.targets_of(survey, ids),
    )
    policies = survey.optional(
        "Scaling policies",
        "Fill in target_value by hand.",
        lambda: around.scaling_of(survey, "describe_scaling_policies", "ScalingPolicies", ids),
    )
    scheduled = survey.optional(
        "Scheduled actions",
        "Those there are stay unseen: `aws application-autoscaling describe-scheduled-actions` lists them.",
        lambda: around.scaling_of(survey, "describe_scheduled_actions", "ScheduledActions", ids),
    )
    starts = survey.optional("Start-up times", "Fill in startup_seconds by hand.", lambda: _starts(survey, raw))
    return [
        replace(
            service,
            **facts.of_task(survey, each, definitions.get(each.definition, {})),
            **facts.of_target(survey, each, targets.get(each.resource)),
            zones=facts.zones(each, zones),
            policies=tuple(policies.get(each.resource, ())),
            scheduled=tuple(scheduled.get(each.resource, ())),
            startup_seconds=starts.get(each.resource),
        )
        for service, each in zip(services, raw, strict=True)
    ]


def _starts(survey: Survey, raw: Sequence[facts.Raw]) -> dict[str, float]:
    """Resource id -> seconds a task takes to run."""
    found = {}
    for name, cluster in {each.cluster["clusterName"]: each.cluster for each in raw}.items():
        members = [each.service["serviceName"] for each in raw if each.cluster["clusterName"] == name]
        seconds = running.starts_of(survey, name, members, cluster.get("runningTasksCount", 0))
        found.update({f"service/{name}/{service}": value for service, value in seconds.items()})
    return found


def _doors(door: Door | Sequence[Door] | None) -> list[Door]:
    return [Door()] if door is None else [door] if isinstance(door, Door) else list(door)


def _all_known(
    kind: str, wanted: set[str], known: set[str], surveys: Sequence[Survey], names: Callable[[Survey], Iterable[str]]
) -> None:
    """Raises SourceError for the first name that is not there, with those that are."""
    for name in sorted(wanted - known):
        there = sorted({each for survey in surveys for each in names(survey)})
        places = ", ".join(sorted({survey.region for survey in surveys}))
        close = get_close_matches(name, there, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        shown = ", ".join(there[:_SHOWN]) + (f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else "")
        raise SourceError(
            f"no {kind} {name!r} in {places}.{hint} There are: {shown or 'none'}. "
            f"Name it as `aws ecs list-{kind}s` does, or another region with --region."
        )


#: Names that an error spells out.
_SHOWN = 20
