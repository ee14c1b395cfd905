"""What stands, or shall stand, on a service, item by item: its bounds, its policies, its actions, its alarms.

An item is always told by the parameters of the call that makes it, whether it was read from the account, rendered
from a policy, or kept in the audit log: so all three can be compared, and each can be put back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import pandas as pd

from capacity.scaling.render.calls import arn_placeholder

Kind = Literal["bounds", "policy", "alarm", "action"]
Parameters = dict[str, Any]
Call = dict[str, Any]

SCALING: Final = "application-autoscaling"
DIMENSION: Final = "ecs:service:DesiredCount"

#: Kind -> (boto3 client, operation that makes it, operation that takes it away, member that holds its name).
OPERATIONS: Final[dict[Kind, tuple[str, str, str, str]]] = {
    "bounds": (SCALING, "register_scalable_target", "deregister_scalable_target", ""),
    "policy": (SCALING, "put_scaling_policy", "delete_scaling_policy", "PolicyName"),
    "action": (SCALING, "put_scheduled_action", "delete_scheduled_action", "ScheduledActionName"),
    "alarm": ("cloudwatch", "put_metric_alarm", "delete_alarms", "AlarmName"),
}

#: What AWS takes when a member is left out (botocore's documentation; reference aws.md 3.2-3.4, 7.1).
_DEFAULTS: Final[dict[str, Parameters]] = {
    "TargetTrackingScalingPolicyConfiguration": {
        "ScaleOutCooldown": 300,
        "ScaleInCooldown": 300,
        "DisableScaleIn": False,
    },
    "StepScalingPolicyConfiguration": {"MetricAggregationType": "Average", "Cooldown": 300},
    "PredictiveScalingPolicyConfiguration": {
        "Mode": "ForecastOnly",
        "SchedulingBufferTime": 300,
        "MaxCapacityBreachBehavior": "HonorMaxCapacity",
    },
}
_KIND_DEFAULTS: Final[dict[Kind, Parameters]] = {
    "bounds": {},
    "policy": {},
    "action": {"Timezone": "UTC"},
    "alarm": {"ActionsEnabled": True, "TreatMissingData": "missing"},
}

#: Lists that mean a set, and what orders them.
_SETS: Final = {"Dimensions": "Name", "StepAdjustments": "MetricIntervalLowerBound", "Metrics": "Id"}
_MOMENTS: Final = ("StartTime", "EndTime")
_POLICY_ARN: Final = re.compile(r"arn:[^:]*:autoscaling:[^:]*:[^:]*:scalingPolicy:.*:resource/ecs/(.+):policyName/(.+)")


class Item(NamedTuple):
    """One thing that an account holds for a service."""

    region: str
    resource_id: str
    kind: Kind
    name: str = ""  # bounds have none: a service has one scalable target

    @property
    def place(self) -> tuple[str, str]:
        return self.region, self.resource_id


def coordinates(resource_id: str) -> dict[str, str]:
    """The three coordinates that name a scalable target."""
    return {"ServiceNamespace": "ecs", "ResourceId": resource_id, "ScalableDimension": DIMENSION}


def putting(item: Item, parameters: Parameters) -> Call:
    """The call that makes an item as told."""
    client, put, _, _ = OPERATIONS[item.kind]
    return {"client": client, "operation": put, "parameters": parameters}


def taking(item: Item) -> Call:
    """The call that takes an item away."""
    client, _, delete, named = OPERATIONS[item.kind]
    if item.kind == "alarm":
        return {"client": client, "operation": delete, "parameters": {"AlarmNames": [item.name]}}
    name = {named: item.name} if named else {}
    return {"client": client, "operation": delete, "parameters": {**name, **coordinates(item.resource_id)}}


def told(described: Mapping[str, Any], operation: str, client: str = SCALING) -> Parameters:
    """What AWS describes, as the parameters that would make it: what it merely reports is left out.

    >>> told({"PolicyName": "a", "PolicyARN": "arn:...", "PolicyType": "StepScaling"}, "PutScalingPolicy")
    {'PolicyName': 'a', 'PolicyType': 'StepScaling'}
    """
    from capacity.scaling.live.referee import model

    members = model(client).operation_model(operation).input_shape.members
    kept = {key: _plain(value) for key, value in described.items() if key in members and key != "Tags"}
    return {key: value for key, value in kept.items() if value not in (None, [], {}, "")}


def _plain(value: Any) -> Any:
    """As JSON holds it: moments in UTC as ISO 8601, nothing that is None."""
    if isinstance(value, datetime):
        return pd.Timestamp(value).tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items() if each is not None}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def same(kind: Kind, one: Parameters | None, other: Parameters | None) -> bool:
    """Whether AWS would do the same by both: defaults are filled in, sets have no order, moments no spelling.

    >>> same("action", {"Timezone": "UTC", "EndTime": "2027-01-01T00:00:00Z"}, {"EndTime": "2027-01-01T01:00:00+01:00"})
    True
    """
    if one is None or other is None:
        return one is other
    return normal(kind, one) == normal(kind, other)


def normal(kind: Kind, parameters: Parameters) -> Parameters:
    """Parameters with every default written out, in one spelling. Tags are left out: they are set at creation only."""
    given = {key: value for key, value in parameters.items() if key != "Tags"}
    if kind == "alarm" and "EvaluationPeriods" in given:
        given = {"DatapointsToAlarm": given["EvaluationPeriods"]} | given
    whole: Parameters = _canonical("", _KIND_DEFAULTS[kind] | given)
    return whole


def _canonical(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        inner = {name: _canonical(name, each) for name, each in (_DEFAULTS.get(key, {}) | dict(value)).items()}
        return {name: each for name, each in sorted(inner.items()) if each not in (None, [], {}, "")}
    if isinstance(value, list | tuple):
        listed = [_canonical("", each) for each in value]
        by = _SETS.get(key)
        if by is not None:
            return sorted(listed, key=lambda each: (by in each, each.get(by, 0)))  # no lower bound: the lowest
        return sorted(listed) if key.endswith("Actions") else listed
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return float(value)
    if key in _MOMENTS and value:
        return pd.Timestamp(value).tz_convert("UTC").isoformat()
    return " ".join(value.split()) if key == "Schedule" else value


def policy_of_arn(arn: str) -> tuple[str, str] | None:
    """(resource id, policy name) of a scaling policy's ARN; None for anything else.

    >>> policy_of_arn("arn:aws:autoscaling:eu-west-1:1:scalingPolicy:7a:resource/ecs/service/prod/web:policyName/surge")
    ('service/prod/web', 'surge')
    """
    found = _POLICY_ARN.fullmatch(arn)
    return (found[1], found[2]) if found else None


def policy_of_placeholder(text: str) -> str:
    """The policy whose ARN has to stand where this does; empty when it is no `arn_placeholder`.

    >>> policy_of_placeholder("PUT-ARN-OF-capacity-web-cpu-steps-HERE"), policy_of_placeholder("arn:aws:sns:::ops")
    ('capacity-web-cpu-steps', '')
    """
    begins, _, ends = arn_placeholder("|").partition("|")
    inside = text.removeprefix(begins).removesuffix(ends)
    return inside if text == f"{begins}{inside}{ends}" else ""


def acts_on(parameters: Mapping[str, Any]) -> list[str]:
    """Everything that an alarm calls upon, in any of its states."""
    return [
        action
        for state in ("AlarmActions", "OKActions", "InsufficientDataActions")
        for action in parameters.get(state, [])
    ]


def metric_of(parameters: Parameters) -> Parameters | None:
    """What a target-tracking policy tracks; None for any other policy."""
    tracking = parameters.get("TargetTrackingScalingPolicyConfiguration")
    if tracking is None:
        return None
    wanted = ("PredefinedMetricSpecification", "CustomizedMetricSpecification")
    return {key: tracking[key] for key in wanted if tracking.get(key)}
