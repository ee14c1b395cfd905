"""What surrounds a service: load balancers, zones, autoscaling and quotas. Each may be missing on its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from capacity.errors import SourceError
from capacity.sources.aws.complaints import code_of
from capacity.sources.aws.survey import Survey, parts

#: DescribeLoadBalancers takes 20 ARNs (botocore's documentation); DescribeTargetGroups does not say, so as many.
BALANCERS_A_CALL: Final = 20
#: DescribeScalableTargets takes 50 ids (botocore's model), a filter of DescribeSubnets 200 values (EC2 API reference).
TARGETS_A_CALL, SUBNETS_A_CALL = 50, 200
#: Up to so many services, their policies are asked for one by one; else all of the region's are paged through.
FEW: Final = 10
DIMENSION: Final = "ecs:service:DesiredCount"

#: What decides how far a plan can go: (service code, quota code) -> (operation, what it is). Reference aws.md 4.3.
QUOTAS: Final = {
    ("fargate", "L-3032A538"): ("get_service_quota", "Fargate On-Demand vCPUs"),
    ("fargate", "L-36FBB829"): ("get_service_quota", "Fargate Spot vCPUs"),
    ("ecs", "L-92E49DE3"): ("get_aws_default_service_quota", "tasks per service"),  # ECS has no applied quotas
}


def balancers_of(survey: Survey, groups: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Target group ARN -> (ARN of its load balancer, type of that: application, network, gateway).

    Both empty for a group that nothing points to. A group that could not be looked at is missing.
    """
    owners = {
        found["TargetGroupArn"]: (found.get("LoadBalancerArns") or [""])[0]
        for part in parts(groups, BALANCERS_A_CALL)
        for found in _groups(survey, part)
    }
    types = {
        found["LoadBalancerArn"]: found["Type"]
        for part in parts(filter(None, owners.values()), BALANCERS_A_CALL)
        for found in survey.door.call("elbv2", "describe_load_balancers", LoadBalancerArns=part)["LoadBalancers"]
    }
    return {group: (balancer, types.get(balancer, "")) for group, balancer in owners.items()}


def _groups(survey: Survey, arns: Sequence[str]) -> list[dict[str, Any]]:
    """Target groups. One that was deleted fails the whole call: then they are asked for one by one."""
    try:
        found = survey.door.call("elbv2", "describe_target_groups", TargetGroupArns=list(arns))["TargetGroups"]
        return list(found)
    except SourceError as error:
        if code_of(error.__cause__)[0] not in ("TargetGroupNotFound", "TargetGroupNotFoundException"):
            raise
        if len(arns) == 1:
            survey.note(
                "",
                "target-group-gone",
                f"target group {arns[0]} is named by a service and no longer exists",
                unknown=True,
            )
            return []
        return [group for arn in arns for group in _groups(survey, [arn])]


def zones_of(survey: Survey, subnets: Iterable[str]) -> dict[str, str]:
    """Subnet -> availability zone; a subnet that does not exist is missing."""
    return {
        subnet["SubnetId"]: subnet["AvailabilityZone"]
        for part in parts(subnets, SUBNETS_A_CALL)
        for page in survey.door.pages(
            "ec2", "describe_subnets", "NextToken", Filters=[{"Name": "subnet-id", "Values": part}]
        )
        for subnet in page["Subnets"]
    }


def targets_of(survey: Survey, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Resource id -> its scalable target. Asked for by id, 50 a call, so that no page follows."""
    return {
        target["ResourceId"]: target
        for part in parts(ids, TARGETS_A_CALL)
        for page in survey.door.pages(
            *("application-autoscaling", "describe_scalable_targets", "NextToken"),
            ServiceNamespace="ecs",
            ResourceIds=part,
        )
        for target in page["ScalableTargets"]
        if target["ResourceId"] in part and target["ScalableDimension"] == DIMENSION
    }


def scaling_of(survey: Survey, operation: str, answer: str, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Resource id -> its policies or scheduled actions, as AWS says them.

    operation, answer  ("describe_scaling_policies", "ScalingPolicies") or the pair of scheduled actions
    """
    questions: list[dict[str, str]] = [{"ResourceId": name} for name in ids] if len(ids) <= FEW else [{}]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ids}
    for question in questions:
        pages = survey.door.pages("application-autoscaling", operation, "NextToken", ServiceNamespace="ecs", **question)
        for item in (item for page in pages for item in page[answer]):
            asked = question.get("ResourceId", item["ResourceId"])  # moto matches part of a name; AWS the whole
            if item["ResourceId"] == asked and asked in found and item["ScalableDimension"] == DIMENSION:
                found[asked].append(item)
    return found


def quotas_of(survey: Survey) -> list[tuple[str, str, float]]:
    """(region, quota code, value) of those in QUOTAS that could be read, each on its own."""
    values = {}
    for (service, code), (operation, what) in QUOTAS.items():

        def ask(service: str = service, code: str = code, operation: str = operation) -> dict[str, float]:
            answer = survey.door.call("service-quotas", operation, ServiceCode=service, QuotaCode=code)
            return {code: answer["Quota"]["Value"]}

        instead = "Look it up in the Service Quotas console and fill it in."
        values.update(survey.optional(f"Quota {code} ({what})", instead, ask))
    return [(survey.region, code, value) for code, value in values.items()]
