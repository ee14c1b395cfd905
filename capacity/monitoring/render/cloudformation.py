"""Alarms as a CloudFormation template, in JSON (which CloudFormation reads as it reads YAML)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from capacity.errors import InputError, Problem
from capacity.monitoring.alarm import Alarms
from capacity.monitoring.render.cloudwatch import Call, calls_by_alarm
from capacity.monitoring.render.fitting import boxes, numbered
from capacity.monitoring.render.rendered import Rendered, Telling
from capacity.scaling.render.cloudformation import MOST_RESOURCES, logical, with_label

TYPES: Final = {"put_metric_alarm": "AWS::CloudWatch::Alarm", "put_composite_alarm": "AWS::CloudWatch::CompositeAlarm"}

#: Parameters of one template, and bytes of one in S3 (CloudFormation quotas), less what stands around the resources.
MOST_PARAMETERS: Final = 200
MOST_BYTES: Final = 1_000_000 - 50_000


@dataclass
class Own:
    """What a service puts into a template."""

    service: str
    regions: set[str] = field(default_factory=set)
    parameters: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Resources, bytes and parameters. Raises InputError for more resources than a template holds."""
        if len(self.resources) > MOST_RESOURCES:
            raise InputError(
                f"{self.service!r} has {len(self.resources):,} alarms, more than the {MOST_RESOURCES} of a template",
                advice="Take another document for them: terraform, boto3 or cli.",
            )
        text = _text({"Resources": self.resources, "Parameters": self.parameters})
        return len(self.resources), len(text.encode("utf-8", "surrogatepass")), len(self.parameters)


def cloudformation(alarms: Alarms) -> Rendered:
    """A resource a call; a composite depends on what it names. Alarms of several regions are in one template, which is
    deployed in each: a resource is made only where its metrics are.

    A service is in one template as a whole; several hold what one does not. A load balancer that is not known becomes a
    parameter of its service. Raises InputError for a service with more alarms than one template holds, and for text
    that CloudFormation would resolve instead of reading: `{{resolve:...}}`.
    """
    telling, made = calls_by_alarm(alarms)
    calls = [call for _, several in made for call in several]
    _refuse_references(calls)
    regions = sorted({call["region"] for call in calls})
    conditions = dict(zip(regions, logical([f"In {region}" for region in regions], "In"), strict=True))
    names = iter(logical([call["parameters"]["AlarmName"] for call in calls], "Alarm"))
    services = {alarm.service: Own(alarm.service) for alarm, _ in made}
    holes = dict(zip(services, logical(list(services)), strict=True))
    for alarm, several in made:
        own, region = services[alarm.service], several[0]["region"]
        resources = _resources(several, [next(names) for _ in several])
        if len(regions) > 1:
            resources = {name: {**one, "Condition": conditions[region]} for name, one in resources.items()}
        own.regions.add(region)
        own.resources |= with_label(resources, holes[alarm.service], own.parameters)
    sized = ((own, own.sizes) for own in services.values())
    together = boxes(sized, (MOST_RESOURCES, MOST_BYTES, MOST_PARAMETERS)) or [[]]
    return telling.of(numbered([_template(several, conditions, telling) for several in together]))


def _template(services: list[Own], conditions: dict[str, str], telling: Telling) -> str:
    regions = sorted({region for own in services for region in own.regions})
    parameters = {name: one for own in services for name, one in own.parameters.items()}
    unsaid = telling.unsaid_of({"", *(own.service for own in services)})
    said = "Alarms written by capacity; for " + " and ".join(regions) + "." if regions else "No alarms."
    here = {region: conditions[region] for region in regions}
    template: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": said[:1024],
        **({"Metadata": {"NotSaid": unsaid}} if unsaid else {}),
        **({"Parameters": parameters} if parameters else {}),
        **({"Conditions": _in_region(here)} if len(conditions) > 1 else {}),
        "Resources": {name: one for own in services for name, one in own.resources.items()},
    }
    return _text(template)


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


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
