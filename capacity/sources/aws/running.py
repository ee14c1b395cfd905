"""Clusters, services, task definitions and tasks: what ECS says of itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from capacity.errors import SourceError
from capacity.sources.aws.complaints import code_of
from capacity.sources.aws.survey import Survey, parts

#: Names that one call describes at most (botocore's documentation).
SERVICES_A_CALL, REVISIONS_A_CALL, CLUSTERS_A_CALL, TASKS_A_CALL = 10, 20, 100, 100
#: Tasks of a service whose start is looked at when they are asked for service by service: enough for a median.
TASKS_A_SERVICE = 10


def name_of(arn: str) -> str:
    """The last part of an ARN, or the name that was given instead.

    >>> name_of("arn:aws:ecs:eu-west-1:123456789012:service/shop/web"), name_of("shop")
    ('web', 'shop')
    """
    return arn.rsplit("/", 1)[-1]


def cluster_names(survey: Survey) -> list[str]:
    """Every cluster of the region."""
    return [name_of(arn) for arn in survey.listed("ecs", "list_clusters", "clusterArns")]


def clusters_of(survey: Survey, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Those of these clusters that exist and are active, as `describe_clusters` says, settings included."""
    found = {}
    for part in parts(names, CLUSTERS_A_CALL):
        answer = survey.door.call("ecs", "describe_clusters", clusters=part, include=["SETTINGS"])
        found.update({c["clusterName"]: c for c in answer["clusters"] if c.get("status", "ACTIVE") == "ACTIVE"})
    return found


def services_of(survey: Survey, cluster: str, wanted: Collection[str]) -> tuple[list[str], list[dict[str, Any]]]:
    """All service names of a cluster, and what ECS says of the wanted ones (of all, when none is named).

    wanted  names, or cluster/name
    """
    arns = survey.listed("ecs", "list_services", "serviceArns", cluster=cluster)
    names = [name_of(arn) for arn in arns]
    kept = [name for name in names if not wanted or name in wanted or f"{cluster}/{name}" in wanted]

    def describe(part: list[str]) -> dict[str, Any]:
        return survey.door.call("ecs", "describe_services", cluster=cluster, services=part)

    described = []
    for answer in survey.together(describe, list(parts(kept, SERVICES_A_CALL))):
        described += answer["services"]
        for failure in answer.get("failures", []):
            survey.note(
                name_of(failure.get("arn", "")),
                "not-described",
                f"ECS listed this service of {cluster} and then did not describe it: {failure.get('reason', '')} "
                f"{failure.get('detail', '')}".rstrip(),
                "It may just have been deleted. Discover again if it should be there.",
                unknown=True,
            )
    return names, [service for service in described if _plannable(survey, cluster, service)]


def _plannable(survey: Survey, cluster: str, service: Mapping[str, Any]) -> bool:
    """Whether its task count is anyone's to choose; a finding when not."""
    name, status = service["serviceName"], service.get("status", "ACTIVE")
    if status != "ACTIVE":
        survey.note(name, "inactive", f"left out: in {cluster} it is {status}, so it has no future to plan")
    elif service.get("schedulingStrategy", "REPLICA") == "DAEMON":
        survey.note(
            name,
            "daemon",
            f"left out: a DAEMON service of {cluster} runs one task on each instance, whatever the load",
        )
    else:
        return True
    return False


def definitions_of(survey: Survey, arns: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Task definitions by ARN, each asked for once. One that was deleted is missing, with a finding."""
    distinct = list(dict.fromkeys(arn for arn in arns if arn))

    def describe(arn: str) -> dict[str, Any] | None:
        try:
            definition: dict[str, Any] = survey.door.call("ecs", "describe_task_definition", taskDefinition=arn)
            return definition["taskDefinition"]
        except SourceError as error:
            if code_of(error.__cause__)[0] != "ClientException":
                raise
            survey.note("", "task-definition-gone", str(error), f"A service still names {name_of(arn)}.", unknown=True)
            return None

    answers = zip(distinct, survey.together(describe, distinct), strict=True)
    return {arn: definition for arn, definition in answers if definition is not None}


def resolutions_of(survey: Survey, revisions: Iterable[str]) -> dict[str, int]:
    """Service ARN -> seconds between samples of its utilisation, for services that say so; the finest of several.

    Only a service revision says it: `describe_services` does not (botocore's model).
    """
    found: dict[str, int] = {}
    for part in parts(revisions, REVISIONS_A_CALL):
        answer = survey.door.call("ecs", "describe_service_revisions", serviceRevisionArns=part)
        for revision in answer["serviceRevisions"]:
            for metric in revision.get("monitoring", {}).get("metricConfigurations", []):
                service, seconds = revision["serviceArn"], metric.get("resolutionSeconds", 60)
                found[service] = min(seconds, found.get(service, seconds))
    return found


def starts_of(survey: Survey, cluster: str, services: Sequence[str], running: int) -> dict[str, float]:
    """Seconds from asking for a task to it running (createdAt to startedAt), the median of each service's tasks.

    running  tasks of the whole cluster: decides whether it is fewer calls to list them all, or service by service

    The load balancer's health checks come on top; ECS does not say how long they took.
    Source: Amazon ECS, DescribeTasks (reference aws.md 4.4).
    """
    listed = {"cluster": cluster, "desiredStatus": "RUNNING"}

    def tasks_of(name: str) -> list[str]:
        answer = survey.door.call("ecs", "list_tasks", serviceName=name, maxResults=TASKS_A_SERVICE, **listed)
        arns: list[str] = answer["taskArns"]
        return arns

    def describe(part: list[str]) -> list[dict[str, Any]]:
        tasks: list[dict[str, Any]] = survey.door.call("ecs", "describe_tasks", cluster=cluster, tasks=part)["tasks"]
        return tasks

    if 2 * running / TASKS_A_CALL <= len(services):
        arns = survey.listed("ecs", "list_tasks", "taskArns", **listed)
    else:
        arns = [arn for found in survey.together(tasks_of, services) for arn in found]
    seconds: dict[str, list[float]] = {}
    for tasks in survey.together(describe, list(parts(arns, TASKS_A_CALL))):
        for task in tasks:
            kind, _, name = task.get("group", "").partition(":")
            if kind == "service" and "createdAt" in task and "startedAt" in task:
                seconds.setdefault(name, []).append((task["startedAt"] - task["createdAt"]).total_seconds())
    return {name: median(values) for name, values in seconds.items()}
