"""One service as AWS describes it, in our words and units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from capacity.sources.aws.survey import Survey


class Raw(NamedTuple):
    """A service as AWS describes it, beside its cluster."""

    cluster: Mapping[str, Any]
    service: Mapping[str, Any]

    @property
    def resource(self) -> str:
        """Application Auto Scaling's name of it."""
        return f"service/{self.cluster['clusterName']}/{self.service['serviceName']}"

    @property
    def running(self) -> Mapping[str, Any]:
        """What says how its tasks run: the service itself, or its primary task set where those are deployed instead."""
        sets = self.service.get("taskSets", [])
        primary: Mapping[str, Any] = next((each for each in sets if each.get("status") == "PRIMARY"), {})
        return {**primary, **{key: value for key, value in self.service.items() if value not in (None, "", [])}}

    @property
    def definition(self) -> str:
        """ARN of its task definition."""
        return str(self.running.get("taskDefinition", ""))

    @property
    def groups(self) -> list[str]:
        """ARNs of its target groups, also those that only a blue/green deployment uses; each once."""
        balancers = [*self.service.get("loadBalancers", [])]
        balancers += [b for each in self.service.get("taskSets", []) for b in each.get("loadBalancers", [])]
        arns = [b.get("targetGroupArn") for b in balancers]
        arns += [b.get("advancedConfiguration", {}).get("alternateTargetGroupArn") for b in balancers]
        return list(dict.fromkeys(arn for arn in arns if arn))

    @property
    def revisions(self) -> list[str]:
        """What runs of it now: several while a deployment is under way."""
        return [each["arn"] for each in self.service.get("currentServiceRevisions", []) if each.get("arn")]

    @property
    def subnets(self) -> list[str]:
        network = self.running.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        return list(network.get("subnets", []))


def of_service(survey: Survey, raw: Raw) -> dict[str, Any]:
    """What the service and its cluster say themselves."""
    service, how = raw.service, raw.running
    deployment = service.get("deploymentConfiguration", {})
    controller = service.get("deploymentController", {}).get("type", "ECS")
    insights = {s.get("name"): s.get("value") for s in raw.cluster.get("settings", [])}.get("containerInsights")
    return {
        "name": service["serviceName"],
        "cluster": raw.cluster["clusterName"],
        "region": survey.region,
        "arn": service["serviceArn"],
        "launch_type": how.get("launchType", ""),
        "capacity_providers": tuple(
            (each["capacityProvider"], each.get("base", 0), each.get("weight", 0))
            for each in how.get("capacityProviderStrategy", [])
        ),
        "task_definition": how.get("taskDefinition", ""),
        "desired": service.get("desiredCount", 0),
        "running": service.get("runningCount", 0),
        "container_insights": insights in ("enabled", "enhanced"),
        "minimum_healthy_percent": deployment.get("minimumHealthyPercent"),
        "maximum_percent": deployment.get("maximumPercent"),
        "strategy": deployment.get("strategy", "ROLLING") if controller == "ECS" else controller,
    }


def of_task(survey: Survey, raw: Raw, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Size and architecture of one task. A task without a size of its own (EC2) reserves what its containers do."""
    containers = definition.get("containerDefinitions", [])
    cpu = _number(definition.get("cpu")) or sum(c.get("cpu") or 0 for c in containers)
    mib = _number(definition.get("memory")) or sum(
        c.get("memoryReservation") or c.get("memory") or 0 for c in containers
    )
    platform = definition.get("runtimePlatform", {})
    system = platform.get("operatingSystemFamily", "LINUX")
    if system != "LINUX":
        survey.note(
            raw.service["serviceName"],
            "not-linux",
            f"its tasks run {system}, and our prices are those of Linux",
            "Fill in [[prices.rate]] for it, or read its cost as a lower bound.",
        )
    architecture = platform.get(
        "cpuArchitecture", "X86_64" if "FARGATE" in definition.get("compatibilities", []) else ""
    )
    return {
        "task_vcpu": cpu / 1024 if cpu else None,
        "task_memory_gib": mib / 1024 if mib else None,
        "storage_gib": definition.get("ephemeralStorage", {}).get("sizeInGiB"),
        "architecture": architecture.lower() or None,
    }


def _number(text: Any) -> float:
    """CPU units or MiB, which ECS spells as text; 0 when it does not say."""
    return float(text) if text else 0.0


def of_target(survey: Survey, raw: Raw, target: Mapping[str, Any] | None) -> dict[str, Any]:
    """Today's bounds. None: the service does not scale by itself."""
    if target is None:
        return {}
    suspended = [name for name, is_so in target.get("SuspendedState", {}).items() if is_so]
    if suspended:
        survey.note(
            raw.service["serviceName"],
            "scaling-suspended",
            f"its autoscaling is suspended ({', '.join(sorted(suspended))}): its history is not that of its policies",
        )
    return {"min_tasks": target["MinCapacity"], "max_tasks": target["MaxCapacity"]}


def target_groups(survey: Survey, raw: Raw, balancers: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """(target group, load balancer) as CloudWatch spells them, the latter empty when nothing points to the group.

    Those of other kinds of load balancer are left out: they count no requests.
    Source: CloudWatch metrics of the Application Load Balancer (reference aws.md 1.8).
    """
    kept = []
    for arn in raw.groups:
        balancer, kind = balancers.get(arn, ("", ""))
        if kind in ("network", "gateway"):
            survey.note(
                raw.service["serviceName"],
                "no-request-count",
                f"it is behind a {kind} load balancer, which counts no requests",
                "Plan it by CPU and memory, or bring the requests from another source.",
            )
        elif arn in balancers:
            kept.append((arn.rsplit(":", 1)[1], balancer.partition(":loadbalancer/")[2]))
    return kept


def note_shared(survey: Survey, raw: Sequence[Raw]) -> None:
    """Requests of a target group count for each service in it, so two services in one are each given the sum."""
    members = Counter(group for each in raw for group in each.groups)
    for each in raw:
        shared = [group for group in each.groups if members[group] > 1]
        if shared:
            others = [o.service["serviceName"] for o in raw if o is not each and set(o.groups) & set(shared)]
            survey.note(
                each.service["serviceName"],
                "shared-target-group",
                f"it shares the target group {shared[0].rsplit(':', 1)[1]} with {', '.join(others)}: requests counted "
                "there are those of all of them",
                "Give each its own target group, or plan them by CPU and memory.",
            )


def zones(raw: Raw, zones: Mapping[str, str]) -> int | None:
    """How many zones its subnets lie in; None unless all of them are known."""
    found = [zones.get(subnet) for subnet in raw.subnets]
    return len(set(found)) if found and None not in found else None
