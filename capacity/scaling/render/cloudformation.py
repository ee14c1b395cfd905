"""A policy as a CloudFormation template, in JSON (which CloudFormation reads as it reads YAML)."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from capacity.errors import InputError, Problem
from capacity.scaling.policy import Policy, ServicePolicy
from capacity.scaling.render.calls import action, coordinates, policies
from capacity.scaling.render.configurations import PLACEHOLDER, alarm

#: Resources of one template (CloudFormation quotas); a service takes two, and more with steps or prediction.
MOST_RESOURCES: Final = 500

#: Logical id of a policy, after the service's name, by its type. Target tracking has had the plain one from the start:
#: another would replace the policy.
_SUFFIX: Final = {"TargetTrackingScaling": "Policy", "StepScaling": "Steps", "PredictiveScaling": "Predictive"}


def cloudformation(policy: Policy) -> str:
    """Of each service one scalable target with its scheduled actions, its scaling policies, and the alarm of its steps.

    A load balancer's resource label that is not known becomes a parameter. Raises InputError for more services than
    one template holds, and for names that CloudFormation would resolve instead of reading: `{{resolve:...}}`.
    """
    parameters: dict[str, Any] = {}
    resources: dict[str, Any] = {}
    for one, name in zip(policy.services, logical_names(policy), strict=True):
        resources |= with_label(_resources(one, name), name, parameters)
    if len(resources) > MOST_RESOURCES:
        raise InputError(
            f"{len(policy.services)} services need {len(resources)} resources, a template holds {MOST_RESOURCES}",
            advice='Render them one at a time: policy.render("cloudformation", service="...").',
        )
    template: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "ECS service auto scaling, written by capacity. Scheduled actions end by themselves.",
        **({"Parameters": parameters} if parameters else {}),
        "Resources": resources,
    }
    _refuse_references(policy)
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def _resources(one: ServicePolicy, name: str) -> dict[str, Any]:
    made = {f"{name}Target": _target(one)}
    for policy in policies(one):
        logical = f"{name}{_SUFFIX[policy['PolicyType']]}"
        properties = {**policy, "ScalingTargetId": {"Ref": f"{name}Target"}}
        made[logical] = {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": properties}
        if policy["PolicyType"] == "StepScaling" and one.steps is not None:
            watched = {**alarm(one, one.steps), "AlarmActions": [{"Ref": logical}]}  # the policy's Ref is its ARN
            made[f"{logical}Alarm"] = {"Type": "AWS::CloudWatch::Alarm", "Properties": watched}
    return made


def _target(one: ServicePolicy) -> dict[str, Any]:
    properties: dict[str, Any] = {**coordinates(one), "MinCapacity": one.min_tasks, "MaxCapacity": one.max_tasks}
    if one.schedule:
        properties["ScheduledActions"] = [action(step) for step in one.schedule]
    return {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": properties}


def with_label(resources: dict[str, Any], name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """A parameter for each place where a label is not known, or a part of it."""
    label = f"{name}AlbResourceLabel"
    pieces = {"LoadBalancer": range(3), "TargetGroup": range(3, 6)}

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(item) for item in value]
        if not isinstance(value, dict):
            return value
        found = {key: filled(item) for key, item in value.items()}
        if found.get("ResourceLabel") == PLACEHOLDER:
            found["ResourceLabel"] = {"Ref": label}
        if found.get("Name") in pieces and found.get("Value") == PLACEHOLDER:
            split = {"Fn::Split": ["/", {"Ref": label}]}
            found["Value"] = {"Fn::Join": ["/", [{"Fn::Select": [n, split]} for n in pieces[found["Name"]]]]}
        return found

    made: dict[str, Any] = filled(resources)
    if made != resources:
        parameters[label] = {
            "Type": "String",
            "Description": "app/NAME/ID/targetgroup/NAME/ID of the load balancer in front of the service.",
        }
    return made


def logical_names(policy: Policy) -> list[str]:
    """A logical id for each service: letters and digits, each once.

    >>> from capacity import Service
    >>> from capacity.scaling.policy import TargetTracking
    >>> tracking = TargetTracking("cpu", 60)
    >>> names = ("web-api", "web_api", "7 <b>")
    >>> logical_names(Policy(tuple(ServicePolicy(Service(name=name), 1, 2, tracking) for name in names)))
    ['WebApi', 'WebApi2', 'Service7B']
    """
    return logical([one.service.name for one in policy.services])


def logical(texts: list[str], otherwise: str = "Service") -> list[str]:
    """The same for any texts; what begins with no letter begins with `otherwise`.

    >>> logical(["web-cpu", "web cpu", "--"], "Alarm")
    ['WebCpu', 'WebCpu2', 'Alarm']
    """
    names: dict[str, None] = {}
    for text in texts:
        words = re.findall(r"[A-Za-z0-9]+", text)
        plain = "".join(word[0].upper() + word[1:] for word in words)[:100]
        plain = plain if plain[:1].isalpha() else f"{otherwise}{plain}"
        number, name = 1, plain
        while name in names:
            number += 1
            name = f"{plain}{number}"
        names[name] = None
    return list(names)


def _refuse_references(policy: Policy) -> None:
    problems = [
        Problem("CloudFormation would resolve `{{resolve:` in a name", where=one.service.name)
        for one in policy.services
        if "{{resolve:" in one.service.resource_id + one.service.alb_resource_label
    ]
    if problems:
        raise InputError("these services cannot be written as CloudFormation:", problems)
