"""Alarms as Terraform (HCL), for the AWS provider's aws_cloudwatch_metric_alarm and aws_cloudwatch_composite_alarm."""

from __future__ import annotations

import re
from typing import Any, Final

from capacity.monitoring.alarm import Alarms
from capacity.monitoring.render.cloudwatch import Call, calls_by_alarm
from capacity.monitoring.render.rendered import Rendered
from capacity.scaling.render.configurations import PLACEHOLDER
from capacity.scaling.render.table import printable
from capacity.scaling.render.terraform import Body, block, identifiers, key, quoted, scalar

TYPES: Final = {
    "put_metric_alarm": "aws_cloudwatch_metric_alarm",
    "put_composite_alarm": "aws_cloudwatch_composite_alarm",
}
_LABEL: Final = "app/NAME/ID/targetgroup/NAME/ID of the load balancer in front of the service."
#: What of a label is which dimension's value.
_PIECES: Final = {"LoadBalancer": "0, 3", "TargetGroup": "3, 6"}


def terraform(alarms: Alarms) -> Rendered:
    """A resource a call. A load balancer that is not known is a variable of its service.

    Where there are several regions each resource says its own, which needs version 6 of the AWS provider.
    """
    telling, made = calls_by_alarm(alarms)
    calls = [call for _, several in made for call in several]
    names = iter(identifiers([call["parameters"]["AlarmName"] for call in calls], "alarm"))
    services = sorted({alarm.service for alarm, _ in made})
    labels = {
        service: f"{name}_alb_resource_label" for service, name in zip(services, identifiers(services), strict=True)
    }
    many = len({call["region"] for call in calls}) > 1
    blocks = []
    for alarm, several in made:
        own = [next(names) for _ in several]
        for call, name in zip(several, own, strict=True):
            body = _body(call, labels[alarm.service])
            if many:
                body = {"region": quoted(call["region"]), **body}
            if call["operation"] == "put_composite_alarm":
                body["depends_on"] = f"[{', '.join(f'aws_cloudwatch_metric_alarm.{child}' for child in own[:-1])}]"
            blocks.append(block(f'resource "{TYPES[call["operation"]]}" "{name}"', body))
    text = "\n".join(blocks)
    used = set(re.findall(r"var\.(\w+)\)", text))
    holes = [
        block(f'variable "{label}"', {"type": "string", "description": quoted(_LABEL)})
        for label in labels.values()
        if label in used
    ]
    head = ["# Alarms written by capacity.", *(f"# {printable(line)}" for line in telling.unsaid)]
    return telling.of({"alarms.tf": "\n".join(["\n".join(head) + "\n", *holes, text])})


def _body(call: Call, label: str) -> Body:
    """Parameters of the API in the provider's words: lists and maps on one line, metric math in blocks."""
    body: Body = {}
    for name, value in call["parameters"].items():
        if name == "Tags":
            body["tags"] = _map({tag["Key"]: quoted(tag["Value"]) for tag in value})
        elif name == "AlarmActions":
            body["alarm_actions"] = f"[{', '.join(map(quoted, value))}]"
        elif name == "Dimensions":
            body["dimensions"] = _dimensions(value, label)
        elif name == "Metrics":
            body["metric_query"] = [_query(query, label) for query in value]
        else:
            body[key(name)] = scalar(value)
    return body


def _query(query: dict[str, Any], label: str) -> Body:
    body: Body = {"id": quoted(query["Id"]), "return_data": scalar(query["ReturnData"])}
    if "Expression" in query:
        return {**body, "expression": quoted(query["Expression"]), "label": quoted(query["Label"])}
    metric = query["MetricStat"]["Metric"]
    body["metric"] = {
        "namespace": quoted(metric["Namespace"]),
        "metric_name": quoted(metric["MetricName"]),
        "dimensions": _dimensions(metric["Dimensions"], label),
        "period": scalar(query["MetricStat"]["Period"]),
        "stat": quoted(query["MetricStat"]["Stat"]),
    }
    return body


def _dimensions(dimensions: list[dict[str, str]], label: str) -> str:
    found = {}
    for one in dimensions:
        piece = f'join("/", slice(split("/", var.{label}), {_PIECES.get(one["Name"])}))'
        found[one["Name"]] = piece if one["Value"] == PLACEHOLDER else quoted(one["Value"])
    return _map(found)


def _map(values: dict[str, str]) -> str:
    """
    >>> _map({"managed-by": '"capacity"', "Type": '"Resource"'})
    '{ "managed-by" = "capacity", Type = "Resource" }'
    """
    named = (f"{name if name.isidentifier() else quoted(name)} = {value}" for name, value in values.items())
    return f"{{ {', '.join(named)} }}"
