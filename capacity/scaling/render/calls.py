"""A policy as calls to Application Auto Scaling and CloudWatch. Other renderings are made from the same parts."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from capacity.scaling.policy import Policy, ScheduledAction, ServicePolicy
from capacity.scaling.render.configurations import alarm, predicting, stepping, tracking
from capacity.scaling.schedule import slug_of

Call = dict[str, Any]

CLIENT: Final = "application-autoscaling"


def boto3_calls(policy: Policy) -> list[Call]:
    """`{"client", "operation", "parameters"}`, in the order to make them: bounds, policies, alarm, scheduled actions.

    Registering sets the bounds outside the schedule at once, until the next scheduled action fires. Actions of an
    earlier policy whose names are not in this one stay in the account: delete them. The alarm of a step policy names
    that policy by `arn_placeholder`: put the `PolicyARN` there that the call before it answers.

    >>> from capacity import Service
    >>> from capacity.scaling.policy import TargetTracking
    >>> web = ServicePolicy(Service(name="web", cluster="prod"), 2, 40, TargetTracking("cpu", 60))
    >>> [call["operation"] for call in boto3_calls(Policy((web,)))]
    ['register_scalable_target', 'put_scaling_policy']
    """
    return [call for one in policy.services for call in _calls(one)]


def _calls(one: ServicePolicy) -> list[Call]:
    bounds = {"MinCapacity": one.min_tasks, "MaxCapacity": one.max_tasks}
    calls = [_call("register_scalable_target", **coordinates(one), **bounds)]
    for policy in policies(one):
        calls.append(_call("put_scaling_policy", **coordinates(one), **policy))
        if policy["PolicyType"] == "StepScaling" and one.steps is not None:
            action_of = {"AlarmActions": [arn_placeholder(policy["PolicyName"])]}
            parameters = {**alarm(one, one.steps), **action_of}
            calls.append({"client": "cloudwatch", "operation": "put_metric_alarm", "parameters": parameters})
    return calls + [_call("put_scheduled_action", **coordinates(one), **action(step)) for step in one.schedule]


def _call(operation: str, **parameters: Any) -> Call:
    return {"client": CLIENT, "operation": operation, "parameters": parameters}


def policies(one: ServicePolicy) -> list[dict[str, Any]]:
    """Name, type and configuration of each scaling policy: target tracking first, then steps, then predictive."""
    made = [
        {
            "PolicyName": policy_name(one),
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": tracking(one),
        }
    ]
    if one.steps is not None:
        made.append(
            {
                "PolicyName": step_policy_name(one, one.steps.metric),
                "PolicyType": "StepScaling",
                "StepScalingPolicyConfiguration": stepping(one.steps),
            }
        )
    if one.predictive is not None:
        made.append(
            {
                "PolicyName": predictive_policy_name(one),
                "PolicyType": "PredictiveScaling",
                "PredictiveScalingPolicyConfiguration": predicting(one.predictive, one),
            }
        )
    return made


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


def step_policy_name(one: ServicePolicy, metric: str) -> str:
    """Of the step policy; its alarm is `configurations.alarm_name`."""
    return f"capacity-{slug_of(one.service.name)}-{metric}-steps"


def predictive_policy_name(one: ServicePolicy) -> str:
    """Of the predictive policy: there is one a service."""
    return f"capacity-{slug_of(one.service.name)}-predictive"


def arn_placeholder(policy_name: str) -> str:
    """Stands where the ARN of a policy has to be put, which only the answer to PutScalingPolicy tells.

    >>> arn_placeholder("capacity-web-cpu-steps")
    'PUT-ARN-OF-capacity-web-cpu-steps-HERE'
    """
    return f"PUT-ARN-OF-{policy_name}-HERE"


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
