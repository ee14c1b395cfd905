"""A policy as a CloudFormation template, in JSON (which CloudFormation reads as it reads YAML)."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from capacity.errors import InputError, Problem
from capacity.scaling.policy import Policy, ServicePolicy
from capacity.scaling.render.calls import action, coordinates, policy_name, tracking

#: Resources of one template (CloudFormation quotas); a service takes two.
MOST_RESOURCES: Final = 500


def cloudformation(policy: Policy) -> str:
    """One scalable target with its scheduled actions, and one scaling policy, a service.

    A load balancer's resource label that is not known becomes a parameter. Raises InputError for more services than
    one template holds, and for names that CloudFormation would resolve instead of reading: `{{resolve:...}}`.
    """
    count = 2 * len(policy.services)
    if count > MOST_RESOURCES:
        raise InputError(
            f"{len(policy.services)} services need {count} resources, a template holds {MOST_RESOURCES}",
            advice='Render them one at a time: policy.render("cloudformation", service="...").',
        )
    parameters: dict[str, Any] = {}
    resources: dict[str, Any] = {}
    for one, name in zip(policy.services, logical_names(policy), strict=True):
        resources[f"{name}Target"] = _target(one)
        resources[f"{name}Policy"] = _policy(one, name, parameters)
    template: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "ECS service auto scaling, written by capacity. Scheduled actions end by themselves.",
        **({"Parameters": parameters} if parameters else {}),
        "Resources": resources,
    }
    _refuse_references(policy)
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def _target(one: ServicePolicy) -> dict[str, Any]:
    properties: dict[str, Any] = {**coordinates(one), "MinCapacity": one.min_tasks, "MaxCapacity": one.max_tasks}
    if one.schedule:
        properties["ScheduledActions"] = [action(step) for step in one.schedule]
    return {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": properties}


def _policy(one: ServicePolicy, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    configuration = tracking(one)
    if one.tracking.metric == "requests" and not one.service.alb_resource_label:
        parameters[f"{name}AlbResourceLabel"] = {
            "Type": "String",
            "Description": "app/NAME/ID/targetgroup/NAME/ID of the load balancer in front of the service.",
        }
        configuration["PredefinedMetricSpecification"]["ResourceLabel"] = {"Ref": f"{name}AlbResourceLabel"}
    return {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "Properties": {
            "PolicyName": policy_name(one),
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": {"Ref": f"{name}Target"},
            "TargetTrackingScalingPolicyConfiguration": configuration,
        },
    }


def logical_names(policy: Policy) -> list[str]:
    """A logical id for each service: letters and digits, each once.

    >>> from capacity import Service
    >>> from capacity.scaling.policy import TargetTracking
    >>> tracking = TargetTracking("cpu", 60)
    >>> names = ("web-api", "web_api", "7 <b>")
    >>> logical_names(Policy(tuple(ServicePolicy(Service(name=name), 1, 2, tracking) for name in names)))
    ['WebApi', 'WebApi2', 'Service7B']
    """
    names: list[str] = []
    for one in policy.services:
        words = re.findall(r"[A-Za-z0-9]+", one.service.name)
        plain = "".join(word[0].upper() + word[1:] for word in words)[:100]
        plain = plain if plain[:1].isalpha() else f"Service{plain}"
        number, name = 1, plain
        while name in names:
            number += 1
            name = f"{plain}{number}"
        names.append(name)
    return names


def _refuse_references(policy: Policy) -> None:
    problems = [
        Problem("CloudFormation would resolve `{{resolve:` in a name", where=one.service.name)
        for one in policy.services
        if "{{resolve:" in one.service.resource_id + one.service.alb_resource_label
    ]
    if problems:
        raise InputError("these services cannot be written as CloudFormation:", problems)
