"""A policy as Terraform (HCL), for the AWS provider's aws_appautoscaling_* resources."""

from __future__ import annotations

import re
from typing import Any, Final

from capacity.scaling.policy import Policy, ScheduledAction, ServicePolicy
from capacity.scaling.render.calls import METRIC_TYPES, policy_name, stamp

#: Left of every `=` in a block, with its value as HCL text; nested blocks are dicts.
Body = dict[str, Any]

_HEAD: Final = """\
# ECS service auto scaling, written by capacity.
# Scheduled actions move min_capacity and max_capacity: a target with a schedule ignores changes to them, or every
# apply would undo the action in force. To change its bounds, take the lifecycle block out for one apply.
"""


def terraform(policy: Policy) -> str:
    """One target, one policy and its scheduled actions a service. A resource label that is not known is a variable."""
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
    blocks = [_block(f'resource "aws_appautoscaling_target" "{name}"', body)]
    label = quoted(one.service.alb_resource_label)
    if one.tracking.metric == "requests" and not one.service.alb_resource_label:
        label = f"var.{name}_alb_resource_label"
        about = quoted("app/NAME/ID/targetgroup/NAME/ID of the load balancer in front of the service.")
        blocks.insert(0, _block(f'variable "{name}_alb_resource_label"', {"type": "string", "description": about}))
    blocks.append(_block(f'resource "aws_appautoscaling_policy" "{name}"', _tracking(one, place, label)))
    names = _distinct([re.sub(r"[^A-Za-z0-9]+", "_", step.name).strip("_") or "action" for step in one.schedule])
    for step, own in zip(one.schedule, names, strict=True):
        blocks.append(_block(f'resource "aws_appautoscaling_scheduled_action" "{name}_{own}"', _action(step, place)))
    return blocks


def _tracking(one: ServicePolicy, place: Body, label: str) -> Body:
    metric: Body = {"predefined_metric_type": quoted(METRIC_TYPES[one.tracking.metric])}
    if one.tracking.metric == "requests":
        metric["resource_label"] = label
    return {
        "name": quoted(policy_name(one)),
        "policy_type": quoted("TargetTrackingScaling"),
        **place,
        "target_tracking_scaling_policy_configuration": {
            "target_value": repr(float(one.tracking.target)),
            "scale_out_cooldown": str(one.tracking.scale_out_cooldown),
            "scale_in_cooldown": str(one.tracking.scale_in_cooldown),
            "disable_scale_in": str(one.tracking.disable_scale_in).lower(),
            "predefined_metric_specification": metric,
        },
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
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    escaped = "".join(char if char.isprintable() else _escape(ord(char)) for char in escaped)
    return '"' + escaped.replace("${", "$${").replace("%{", "%%{") + '"'


def _escape(code: int) -> str:
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def resource_names(policy: Policy) -> list[str]:
    """An identifier for each service: letters, digits and underscores, each once."""
    plain = [re.sub(r"[^A-Za-z0-9]+", "_", one.service.name).strip("_").lower()[:100] for one in policy.services]
    return _distinct([name if name[:1].isalpha() else f"service_{name}".rstrip("_") for name in plain])


def _distinct(names: list[str]) -> list[str]:
    """Each once: the second `web` becomes `web_2`."""
    taken: list[str] = []
    for name in names:
        number, own = 1, name
        while own in taken:
            number += 1
            own = f"{name}_{number}"
        taken.append(own)
    return taken


def _block(head: str, body: Body, depth: int = 0) -> str:
    """A block as `terraform fmt` writes it: `=` aligned in each run of plain arguments, blocks set apart."""
    pad = "  " * (depth + 1)
    plain = {name: value for name, value in body.items() if not isinstance(value, dict)}
    width = max((len(name) for name in plain), default=0)
    lines = [f"{pad}{name:<{width}} = {value}" for name, value in plain.items()]
    for name, value in body.items():
        if isinstance(value, dict):
            lines += ([""] if lines else []) + [f"{pad}{_block(name, value, depth + 1).strip()}"]
    return "\n".join([f"{head} {{", *lines, "  " * depth + "}"]) + ("\n" if depth == 0 else "")
