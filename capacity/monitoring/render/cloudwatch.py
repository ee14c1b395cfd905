"""Alarms as calls to CloudWatch: PutMetricAlarm for each part of a condition, PutCompositeAlarm where it has several.

The window of an alarm slides (CloudWatch User Guide, "Alarm evaluation window"): a period of an hour ends with the
minute in which it is evaluated, so that a sum over one period is what a burn rate asks for. Only the alarm that has the
name of ours tells anyone. Rules of the API: reference aws.md 7.1; of metric math: CloudWatch User Guide, "Using math
expressions with CloudWatch metrics".
"""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256
from typing import Any, Final

from capacity.config import Service
from capacity.findings import Finding
from capacity.monitoring.alarm import Alarm, Alarms
from capacity.monitoring.conditions import (
    Absent,
    All,
    Anomaly,
    AnyOf,
    BurnRate,
    Condition,
    OutsideProfile,
    Threshold,
    Trend,
)
from capacity.monitoring.render import cloudwatch_parts as parts
from capacity.monitoring.render.burning import windows
from capacity.monitoring.render.cloudwatch_metrics import Parameters
from capacity.monitoring.render.rendered import CannotSay, Rendered, Telling, service_of
from capacity.monitoring.render.wording import LONGEST_DESCRIPTION, cut, description, sentence
from capacity.scaling.render.configurations import PLACEHOLDER

Call = dict[str, Any]

#: The number of a part, or what joins several: AND, OR.
Rule = int | tuple[str, list["Rule"]]

#: Of an alarm's name; of a composite's rule, and of the alarms that it names (aws.md 7.1).
LONGEST_NAME: Final = 255
LONGEST_RULE: Final = 10_240
MOST_CHILDREN: Final = 100

#: Letters of a name that a rule quotes: no quotation mark and no backslash, which would need an escape.
_UNQUOTABLE: Final = re.compile(r"[^A-Za-z0-9 ._/:()-]")


def boto3_calls(alarms: Alarms) -> Rendered:
    """`{"client", "operation", "region", "parameters"}`, in the order to make them: a composite after what it names."""
    telling, made = calls_by_alarm(alarms)
    return telling.of({"alarms.json": [call for _, calls in made for call in calls]})


def calls_by_alarm(alarms: Alarms) -> tuple[Telling, list[tuple[Alarm, list[Call]]]]:
    """The calls of each alarm that can be said, and what there is to tell. A hole is told of once a service."""
    telling = Telling("CloudWatch")
    made = telling.each(alarms, lambda alarm, remarks: calls_of(alarm, alarms, remarks))
    holes = Counter(alarm.service for alarm, calls in made if any(PLACEHOLDER in str(call) for call in calls))
    for service, count in holes.items():
        message = f"its load balancer is not known, of which {count} of its alarms read metrics"
        advice = f"State alb_resource_label, or fill in what stands in its place: {PLACEHOLDER}, or a parameter."
        telling.found.append(Finding(service, "", "label", "REVIEW", message, advice))
    return telling, made


def calls_of(alarm: Alarm, alarms: Alarms, remarks: list[str]) -> list[Call]:
    """Those of one alarm; the last has its name. Raises CannotSay."""
    if len(alarm.name) > LONGEST_NAME:
        raise CannotSay(f"its name has {len(alarm.name)} characters, and {LONGEST_NAME} are allowed")
    service = service_of(alarm, alarms)
    region = alarm.region or service.region
    children: list[tuple[str, Parameters]] = []
    rule = _watch(alarm.condition, service, remarks, children)
    told: Parameters = {"AlarmDescription": description(alarm, alarms, tuple(dict.fromkeys(remarks)))}
    if topics := alarms.settings.page if alarm.severity == "page" else alarms.settings.ticket:
        told["AlarmActions"] = list(topics)
    managed = {"Key": "managed-by", "Value": "capacity"}
    tags = {"Tags": [managed, {"Key": "severity", "Value": alarm.severity}]}
    if isinstance(rule, int):
        return [_call("put_metric_alarm", region, AlarmName=alarm.name, **told, **children[rule][1], **tags)]
    names = [child_name(alarm.name, number) for number in range(1, len(children) + 1)]
    text = _rule(rule, names)
    if len(names) > MOST_CHILDREN or len(text) > LONGEST_RULE:
        raise CannotSay(f"it has {len(names)} parts, more than the rule of one composite alarm holds")
    made = [
        _call(
            "put_metric_alarm",
            region,
            AlarmName=name,
            AlarmDescription=part_of(alarm, number, what),
            **parameters,
            Tags=[managed],
        )
        for number, (name, (what, parameters)) in enumerate(zip(names, children, strict=True), start=1)
    ]
    return [*made, _call("put_composite_alarm", region, AlarmName=alarm.name, **told, AlarmRule=text, **tags)]


def part_of(alarm: Alarm, number: int, what: str) -> str:
    """Description of a part."""
    return cut(f"Tells no one by itself: part {number} of {alarm.name}, {what}.", "", LONGEST_DESCRIPTION)


def _call(operation: str, region: str, **parameters: Any) -> Call:
    return {"client": "cloudwatch", "operation": operation, "region": region, "parameters": parameters}


def _watch(condition: Condition, service: Service, remarks: list[str], children: list[tuple[str, Parameters]]) -> Rule:
    """Puts the metric alarms of a condition among the children, each with what it watches; answers what joins them."""
    match condition:
        case All() | AnyOf():
            rules = [_watch(part, service, remarks, children) for part in condition.parts]
            return rules[0] if len(rules) == 1 else ("AND" if isinstance(condition, All) else "OR", rules)
        case BurnRate():
            first = len(children)
            for window in windows(condition):
                what = f"{sentence(condition)}; the {window.name} window"
                children.append((what, parts.burning(condition, window, service, remarks)))
            return "AND", [first, first + 1]
        case Threshold():
            made = parts.threshold(condition, service, remarks)
        case OutsideProfile():
            made = parts.outside(condition, service, remarks)
        case Absent():
            made = parts.absent(condition, service, remarks)
        case Trend():
            made = parts.trend(condition, service, remarks)
        case Anomaly():
            made = parts.anomaly(condition, service, remarks)
    children.append((sentence(condition), made))
    return len(children) - 1


def _rule(rule: Rule, names: list[str]) -> str:
    """
    >>> _rule(("AND", [0, ("OR", [1, 2])]), ["a", "b", "c"])
    'ALARM("a") AND (ALARM("b") OR ALARM("c"))'
    """
    if isinstance(rule, int):
        return f'ALARM("{names[rule]}")'
    joins, rules = rule
    return f" {joins} ".join(_rule(one, names) if isinstance(one, int) else f"({_rule(one, names)})" for one in rules)


def child_name(name: str, number: int) -> str:
    """The name of a part: of letters that a rule can quote, told apart by a digest where that changes it.

    >>> child_name("capacity-web-burn_fast", 1), child_name('say "hi"', 2)
    ('capacity-web-burn_fast-1', 'say _hi_-f65be999-2')
    """
    end = f"-{number}"
    plain = _UNQUOTABLE.sub("_", name)
    if plain != name or len(plain) + len(end) > LONGEST_NAME:
        digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        plain = f"{plain[: LONGEST_NAME - len(end) - 9]}-{digest}"
    return plain + end
