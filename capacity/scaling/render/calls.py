"""A policy as calls to Application Auto Scaling. Every other rendering is made from these."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from capacity.scaling.policy import Policy, ScheduledAction, ServicePolicy
from capacity.scaling.schedule import slug_of

Call = dict[str, Any]

CLIENT: Final = "application-autoscaling"

#: Predefined metrics of target tracking for ECS (reference aws.md 3.2).
METRIC_TYPES: Final = {
    "cpu": "ECSServiceAverageCPUUtilization",
    "memory": "ECSServiceAverageMemoryUtilization",
    "requests": "ALBRequestCountPerTarget",
}

#: Stands where a resource label has to be put: AWS refuses it, so that it cannot be overlooked.
PLACEHOLDER: Final = "PUT-ALB-RESOURCE-LABEL-HERE"


def boto3_calls(policy: Policy) -> list[Call]:
    """`{"client", "operation", "parameters"}`, in the order to make them: bounds, target tracking, scheduled actions.

    Registering sets the bounds outside the schedule at once, until the next scheduled action fires. Actions of an
    earlier policy whose names are not in this one stay in the account: delete them.

    >>> from capacity import Service
    >>> from capacity.scaling.policy import TargetTracking
    >>> web = ServicePolicy(Service(name="web", cluster="prod"), 2, 40, TargetTracking("cpu", 60))
    >>> [call["operation"] for call in boto3_calls(Policy((web,)))]
    ['register_scalable_target', 'put_scaling_policy']
    """
    return [call for one in policy.services for call in _calls(one)]


def _calls(one: ServicePolicy) -> list[Call]:
    return [
        _call("register_scalable_target", **coordinates(one), MinCapacity=one.min_tasks, MaxCapacity=one.max_tasks),
        _call(
            "put_scaling_policy",
            PolicyName=policy_name(one),
            **coordinates(one),
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=tracking(one),
        ),
        *(_call("put_scheduled_action", **coordinates(one), **action(step)) for step in one.schedule),
    ]


def _call(operation: str, **parameters: Any) -> Call:
    return {"client": CLIENT, "operation": operation, "parameters": parameters}


def coordinates(one: ServicePolicy) -> dict[str, str]:
    """The three coordinates that name a scalable target."""
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": one.service.resource_id,
        "ScalableDimension": "ecs:service:DesiredCount",
    }


def policy_name(one: ServicePolicy) -> str:
    """A policy cannot be renamed, and putting one of the same name overwrites it: so the name is stable."""
    return f"capacity-{slug_of(one.service.name)}-{one.tracking.metric}"


def tracking(one: ServicePolicy) -> dict[str, Any]:
    """`TargetTrackingScalingPolicyConfiguration`, nothing left to a default."""
    metric: dict[str, str] = {"PredefinedMetricType": METRIC_TYPES[one.tracking.metric]}
    if one.tracking.metric == "requests":
        metric["ResourceLabel"] = one.service.alb_resource_label or PLACEHOLDER
    return {
        "TargetValue": float(one.tracking.target),
        "PredefinedMetricSpecification": metric,
        "ScaleOutCooldown": one.tracking.scale_out_cooldown,
        "ScaleInCooldown": one.tracking.scale_in_cooldown,
        "DisableScaleIn": one.tracking.disable_scale_in,
    }


def action(step: ScheduledAction) -> dict[str, Any]:
    """One scheduled action: both bounds, always."""
    dates = {"StartTime": step.start, "EndTime": step.end}
    return {
        "ScheduledActionName": step.name,
        "Schedule": step.schedule,
        "Timezone": step.timezone,
        **{name: stamp(moment) for name, moment in dates.items() if moment is not None},
        "ScalableTargetAction": {"MinCapacity": step.min_tasks, "MaxCapacity": step.max_tasks},
    }


def stamp(moment: pd.Timestamp) -> str:
    """UTC, as ISO 8601 text: it goes through JSON, and botocore reads it."""
    return str(moment.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ"))
