"""Alarms as a CloudFormation template, in JSON (which CloudFormation reads as it reads YAML)."""

from __future__ import annotations

import json
from typing import Any, Final

from capacity.errors import InputError, Problem
from capacity.monitoring.alarm import Alarm, Alarms
from capacity.monitoring.render.cloudwatch import Call, calls_by_alarm
from capacity.monitoring.render.fitting import boxes, numbered
from capacity.monitoring.render.rendered import Rendered, Telling
from capacity.scaling.render.cloudformation import MOST_RESOURCES, logical, with_label

TYPES: Final = {"put_metric_alarm": "AWS::CloudWatch::Alarm", "put_composite_alarm": "AWS::CloudWatch::CompositeAlarm"}

#: Parameters of one template, and bytes of one in S3 (CloudFormation quotas), less what stands around the resources.
MOST_PARAMETERS: Final = 200
MOST_BYTES: Final = 1_000_000 - 50_000

#: The alarms of one service, each with its calls.
Own = list[tuple[Alarm, list[Call]]]


def cloudformation(alarms: Alarms) -> Rendered:
    """A resource a call; a composite depends on what it names. Alarms of several regions are in one template, which is
    deployed in each: a resource is made only where its metrics are.

    A service is in one template as a whole; several hold what one does not. A load balancer that is not known becomes a
    parameter of its service. Raises InputError for a service with more alarms than one template holds, and for text
    that CloudFormation would resolve instead of reading: `{{resolve:...}}`.
    """
    telling, made = calls_by_alarm(alarms)
    _refuse_references([call for _, several in made for call in several])
    services: dict[str, Own] = {}
    for alarm, calls in made:
        services.setdefault(alarm.service, []).append((alarm, calls))
    sized = ((own, _sizes(own)) for own in services.values())
    together = boxes(sized, (MOST_RESOURCES, MOST_BYTES, MOST_PARAMETERS)) or [[]]
    return telling.of(numbered([_template([one for own in several for one in own], telling) for several in together]))


def _sizes(own: Own) -> tuple[int, int, int]:
    """Resources, bytes and parameters, at most, of a service."""
    resources = sum(len(calls) for _, calls in own)
    if resources > MOST_RESOURCES:
        raise InputError(
            f"the {resources:,} alarms of {own[0][0].service!r} are more than the {MOST_RESOURCES} of a template",
            advice="Take another document for them: terraform, boto3 or cli.",
        )
    text = json.dumps({"Resources": {alarm.name: calls for alarm, calls in own}}, indent=2, ensure_ascii=False)
    return resources, len(text.encode("utf-8", "surrogatepass")), 1


def _template(made: Own, telling: Telling) -> str:
    calls = [call for _, several in made for call in several]
    regions = sorted({call["region"] for call in calls})
    conditions = dict(zip(regions, logical([f"In {region}" for region in regions], "In"), strict=True))
    names = iter(logical([call["parameters"]["AlarmName"] for call in calls], "Alarm"))
    services = sorted({alarm.service for alarm, _ in made})
    holes = dict(zip(services, logical(services), strict=True))
    parameters: dict[str, Any] = {}
    resources: dict[str, Any] = {}
    for alarm, several in made:
        own = _resources(several, [next(names) for _ in several])
        if len(regions) > 1:
            own = {name: {**one, "Condition": conditions[several[0]["region"]]} for name, one in own.items()}
        resources |= with_label(own, holes[alarm.service], parameters)
    unsaid = telling.unsaid_of({*services, ""})
    said = "Alarms written by capacity; for " + " and ".join(regions) + "." if regions else "No alarms."
    template: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": said[:1024],
        **({"Metadata": {"NotSaid": unsaid}} if unsaid else {}),
        **({"Parameters": parameters} if parameters else {}),
        **({"Conditions": _in_region(conditions)} if len(regions) > 1 else {}),
        "Resources": resources,
    }
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def _resources(calls: list[Call], names: list[str]) -> dict[str, Any]:
    """The last call may be a composite, of the others."""
    made: dict[str, Any] = {}
    for call, name in zip(calls, names, strict=True):
        made[name] = {"Type": TYPES[call["operation"]], "Properties": call["parameters"]}
    if len(calls) > 1:
        made[names[-1]]["DependsOn"] = names[:-1]
    return made


def _in_region(conditions: dict[str, str]) -> dict[str, Any]:
    return {name: {"Fn::Equals": [{"Ref": "AWS::Region"}, region]} for region, name in conditions.items()}


def _refuse_references(calls: list[Call]) -> None:
    problems = [
        Problem("CloudFormation would resolve `{{resolve:` in it", where=call["parameters"]["AlarmName"])
        for call in calls
        if "{{resolve:" in json.dumps(call["parameters"], ensure_ascii=False)
    ]
    if problems:
        raise InputError("these alarms cannot be written as CloudFormation:", problems)
