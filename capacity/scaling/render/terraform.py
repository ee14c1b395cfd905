"""A policy as Terraform (HCL), for the AWS provider's aws_appautoscaling_* resources."""

from __future__ import annotations

import re
from typing import Any, Final

from capacity.scaling.policy import Policy, ScheduledAction, ServicePolicy, StepScaling
from capacity.scaling.render.calls import policies, stamp
from capacity.scaling.render.configurations import PLACEHOLDER, alarm
from capacity.scaling.render.quoting import literal

#: Left of every `=` in a block, with its value as HCL text; a nested block is a dict, several of one name a list.
Body = dict[str, Any]

_HEAD: Final = """\
# ECS service auto scaling, written by capacity.
# Scheduled actions move min_capacity and max_capacity: a target with a schedule ignores changes to them, or every
# apply would undo the action in force. To change its bounds, take the lifecycle block out for one apply.
"""

_LABEL: Final = "app/NAME/ID/targetgroup/NAME/ID of the load balancer in front of the service."

#: Ends the resource's name of a policy, by its type. Target tracking has had the plain one from the start.
_SUFFIX: Final = {"TargetTrackingScaling": "", "StepScaling": "_steps", "PredictiveScaling": "_predictive"}


def terraform(policy: Policy) -> str:
    """Of each service one target, its policies, its steps' alarm and its scheduled actions.

    A resource label that is not known is a variable. Predictive scaling of ECS needs version 6 of the AWS provider.
    """
    blocks = [_HEAD]
    for one, name in zip(policy.services, resource_names(policy), strict=True):
        blocks += _service(one, name)
    return "\n".join(blocks)


def _service(one: ServicePolicy, name: str) -> list[str]:
    target = f"aws_appautoscaling_target.{name}"
    place: Body = {
        "service_namespace": f"{target}.service_namespace",
        "resource_id": f"{target}.resource_id",
        "scalable_dimension": f"{target}.scalable_dimension",
    }
    body: Body = {
        "service_namespace": quoted("ecs"),
        "resource_id": quoted(one.service.resource_id),
        "scalable_dimension": quoted("ecs:service:DesiredCount"),
        "min_capacity": str(one.min_tasks),
        "max_capacity": str(one.max_tasks),
    }
    if one.schedule:
        body["lifecycle"] = {"ignore_changes": "[min_capacity, max_capacity]"}
    blocks = [block(f'resource "aws_appautoscaling_target" "{name}"', body)]
    label = f"{name}_alb_resource_label"
    for policy in policies(one):
        own = f"{name}{_SUFFIX[policy['PolicyType']]}"
        about = {"name": quoted(policy["PolicyName"]), "policy_type": quoted(policy["PolicyType"]), **place}
        (configuration,) = (key for key in policy if key.endswith("Configuration"))
        parts = _hcl(policy[configuration], label)
        blocks.append(block(f'resource "aws_appautoscaling_policy" "{own}"', {**about, key(configuration): parts}))
        if policy["PolicyType"] == "StepScaling" and one.steps is not None:
            blocks.append(block(f'resource "aws_cloudwatch_metric_alarm" "{own}"', _alarm(one, one.steps, own, label)))
    if any(f"var.{label}" in block for block in blocks):
        about = {"type": "string", "description": quoted(_LABEL)}
        blocks.insert(0, block(f'variable "{label}"', about))
    names = distinct([re.sub(r"[^A-Za-z0-9]+", "_", step.name).strip("_") or "action" for step in one.schedule])
    for step, own in zip(one.schedule, names, strict=True):
        blocks.append(block(f'resource "aws_appautoscaling_scheduled_action" "{name}_{own}"', _action(step, place)))
    return blocks


def _hcl(configuration: dict[str, Any], label: str) -> Body:
    """An API structure in the provider's words: snake case, singular blocks, a label that is not known a variable."""
    body: Body = {}
    for name, value in configuration.items():
        if isinstance(value, dict):
            body[key(name)] = _hcl(value, label)
        elif isinstance(value, list):
            body[key(name).removesuffix("s")] = [_hcl(item, label) for item in value]
        else:
            body[key(name)] = f"var.{label}" if value == PLACEHOLDER else scalar(value)
    return body


def scalar(value: str | float) -> str:
    return quoted(value) if isinstance(value, str) else str(value).lower()


def key(name: str) -> str:
    """`ScaleOutCooldown` -> `scale_out_cooldown`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _alarm(one: ServicePolicy, steps: StepScaling, own: str, label: str) -> Body:
    """The alarm that calls a step policy: its action is the policy's ARN, its dimensions one map on one line."""
    watched = alarm(one, steps)
    parts = {"LoadBalancer": "0, 3", "TargetGroup": "3, 6"}
    found = []
    for of in watched.pop("Dimensions"):
        piece = f'join("/", slice(split("/", var.{label}), {parts.get(of["Name"])}))'
        found.append(f"{of['Name']} = {piece if of['Value'] == PLACEHOLDER else quoted(of['Value'])}")
    body: Body = {key(name): scalar(value) for name, value in watched.items()}
    return {
        **body,
        "dimensions": f"{{ {', '.join(found)} }}",
        "alarm_actions": f"[aws_appautoscaling_policy.{own}.arn]",
    }


def _action(step: ScheduledAction, place: Body) -> Body:
    dates = {"start_time": step.start, "end_time": step.end}
    return {
        "name": quoted(step.name),
        **place,
        "schedule": quoted(step.schedule),
        "timezone": quoted(step.timezone),
        **{name: quoted(stamp(moment)) for name, moment in dates.items() if moment is not None},
        "scalable_target_action": {"min_capacity": str(step.min_tasks), "max_capacity": str(step.max_tasks)},
    }


def quoted(text: str) -> str:
    r"""An HCL string literal that means exactly this text: no template, no escape is left to be read.

    >>> print(quoted('say "hi" to ${var.x} and %{if true}'))
    "say \"hi\" to $${var.x} and %%{if true}"
    """
    return literal(text).replace("${", "$${").replace("%{", "%%{")


def resource_names(policy: Policy) -> list[str]:
    """An identifier for each service: letters, digits and underscores, each once."""
    return identifiers([one.service.name for one in policy.services])


def identifiers(texts: list[str], otherwise: str = "service") -> list[str]:
    """The same for any texts; what begins with no letter begins with `otherwise`."""
    plain = [re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()[:100] for text in texts]
    return distinct([name if name[:1].isalpha() else f"{otherwise}_{name}".rstrip("_") for name in plain])


def distinct(names: list[str]) -> list[str]:
    """Each once: the second `web` becomes `web_2`."""
    taken: dict[str, None] = {}
    for name in names:
        number, own = 1, name
        while own in taken:
            number += 1
            own = f"{name}_{number}"
        taken[own] = None
    return list(taken)


def block(head: str, body: Body, depth: int = 0) -> str:
    """A block as `terraform fmt` writes it: `=` aligned in each run of plain arguments, blocks set apart."""
    pad = "  " * (depth + 1)
    plain = {name: value for name, value in body.items() if isinstance(value, str)}
    width = max((len(name) for name in plain), default=0)
    lines = [f"{pad}{name:<{width}} = {value}" for name, value in plain.items()]
    for name, value in body.items():
        for inner in [value] if isinstance(value, dict) else value if isinstance(value, list) else []:
            lines += ([""] if lines else []) + [f"{pad}{block(name, inner, depth + 1).strip()}"]
    return "\n".join([f"{head} {{", *lines, "  " * depth + "}"]) + ("\n" if depth == 0 else "")
