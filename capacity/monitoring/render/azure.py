"""Alarms as an ARM template for Azure Monitor: metric alerts, and Prometheus rules for what these cannot say.

A metric alert holds one window against one value, and knows no M of N, no formula and no hour; only a learnt band
counts violations. What needs more is a rule group of Azure Managed Prometheus, in the words of `prometheus`. Log search
alerts (scheduledQueryRules) read logs, which nothing here is in. Sources: ARM reference of
Microsoft.Insights/metricAlerts 2018-03-01 and Microsoft.AlertsManagement/prometheusRuleGroups 2023-03-01; Azure
Monitor, "Supported metrics for Microsoft.App/containerapps".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from capacity.config.azure import CONTAINER_APPS, AzureMetric, AzureSettings
from capacity.findings import Finding
from capacity.monitoring.alarm import Alarm, Alarms
from capacity.monitoring.conditions import Anomaly, Condition, Reading, Threshold
from capacity.monitoring.render.fitting import boxes, numbered
from capacity.monitoring.render.prometheus import INTERVAL, Rule, rules_of
from capacity.monitoring.render.rendered import Rendered
from capacity.monitoring.render.wording import description
from capacity.monitoring.signals import signal
from capacity.scaling.render.azure import MOST_PARAMETERS, arm_text
from capacity.scaling.render.cloudformation import logical

Part = dict[str, Any]

#: Minutes of a window that a metric alert takes (reference of metricAlerts, windowSize), as ISO 8601.
WINDOWS: Final = {
    1: "PT1M",
    5: "PT5M",
    15: "PT15M",
    30: "PT30M",
    60: "PT1H",
    360: "PT6H",
    720: "PT12H",
    1440: "P1D",
}
#: A page is an error, a ticket is informational (Azure Monitor, "Alert severity").
SEVERITIES: Final = {"page": 1, "ticket": 3}
OPERATORS: Final = {">": "GreaterThan", ">=": "GreaterThanOrEqual", "<": "LessThan", "<=": "LessThanOrEqual"}
SIDES: Final = {"above": "GreaterThan", "below": "LessThan", "both": "GreaterOrLessThan"}
#: Deviations up to which a learnt band is read at this sensitivity: Azure states no width (a choice of ours).
SENSITIVITIES: Final = ((1.5, "High"), (2.5, "Medium"), (float("inf"), "Low"))
#: Of Azure's unit in ours: what a threshold is divided by.
SCALES: Final = {"UsageNanoCores": 1e-9, "WorkingSetBytes": 2.0**-30, "ResponseTime": 1e-3}

#: Rules of one Prometheus rule group (Azure Monitor service limits).
MOST_RULES: Final = 20
#: Of one template: resources, and bytes (Azure Resource Manager limits: 4 MB), less what stands around the resources.
MOST_RESOURCES: Final = 800
MOST_BYTES: Final = 4_000_000 - 200_000
WORKSPACE: Final[Part] = {
    "prometheusWorkspace": {
        "type": "string",
        "metadata": {
            "description": "Resource id of the Azure Monitor workspace (Microsoft.Monitor/accounts) of Prometheus."
        },
    }
}
#: Of a resource's name: what Azure leaves no name of an alert, and how long one may be.
_FORBIDDEN: Final = re.compile(r"[#<>%&:\\?/{}*\x00-\x1f]")
LONGEST_NAME: Final = 260


def azure(alarms: Alarms) -> Rendered:
    """ARM templates, JSON, as many as it takes. Resources that are watched, and the workspace of Prometheus, are
    parameters."""
    metric = [alarm for alarm in alarms if _metric_criterion(alarm.condition, alarms.azure) is not None]
    said = {alarm.name for alarm in metric}
    others = replace(alarms, alarms=tuple(alarm for alarm in alarms if alarm.name not in said))
    rules, telling = rules_of(others, "Azure Monitor")
    services = list(dict.fromkeys(alarm.service for alarm in metric))
    names = dict(zip(services, logical(services), strict=True))
    watched = {service: _watched(service, name, alarms.azure) for service, name in names.items()}
    alerts = {rule["alert"]: (alarm, rule) for alarm, rule in rules.alerts}
    groups = rules.groups() if rules.alerts else []
    made: list[tuple[Part, Part]] = [
        *((watched[alarm.service], _metric_alert(alarm, alarms, names[alarm.service])) for alarm in metric),
        *((WORKSPACE, _rule_group(*part, alerts, alarms)) for group in groups for part in _parts(group)),
    ]
    taken: set[str] = set()
    for _, resource in made:
        resource["name"] = arm_text(_resource_name(resource["name"], taken))
    together = boxes(_sized(made), (MOST_RESOURCES, MOST_BYTES, MOST_PARAMETERS - 2)) or [[]]
    for alarm, _ in rules.alerts:
        message = f"`{alarm.name}` is a rule of Azure Managed Prometheus: {_why_not(alarm.condition, alarms.azure)}"
        telling.found.append(Finding(alarm.service, alarm.kind, "not a metric alert", "PASS", message))
    return telling.of(numbered([_template(several, telling.unsaid) for several in together]))


def _sized(made: list[tuple[Part, Part]]) -> Iterator[tuple[tuple[Part, Part], tuple[int, int, int]]]:
    """Each resource with its sizes: one resource, its bytes, and a parameter where the one before had another."""
    before: Part | None = None
    for parameter, resource in made:
        text = json.dumps({"resources": [resource]}, indent=2, ensure_ascii=False)
        yield (parameter, resource), (1, len(text.encode("utf-8", "surrogatepass")), int(parameter is not before))
        before = parameter


def _template(made: list[tuple[Part, Part]], unsaid: list[str]) -> str:
    parameters: Part = {"location": {"type": "string", "defaultValue": "[resourceGroup().location]"}}
    for parameter, _ in made:
        parameters |= parameter
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "metadata": {"description": "\n".join(["Alarms written by capacity.", *unsaid])},
        "parameters": parameters,
        "resources": [resource for _, resource in made],
    }
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def _watched(service: str, name: str, settings: AzureSettings | None) -> Part:
    """The parameter that is the resource of a service."""
    about = {"description": f"Resource id of the container app (Microsoft.App/containerApps) that is {service}."}
    return {_parameter(name): {"type": "string", **_known(service, settings), "metadata": about}}


def _known(service: str, settings: AzureSettings | None) -> Part:
    """The resource of a service, where the settings name it."""
    for resource in settings.resources if settings is not None else ():
        if settings is not None and settings.names.get(resource, resource.rsplit("/", 1)[-1]) == service:
            return {"defaultValue": arm_text(resource)}
    return {}


def _metric_criterion(condition: Condition, settings: AzureSettings | None) -> Part | None:
    """What a metric alert waits for; None where it cannot say it."""
    if not isinstance(condition, Threshold | Anomaly) or condition.reading.minutes not in WINDOWS:
        return None
    metric = _metric(condition.reading, settings)
    if metric is None:
        return None
    one: Part = {
        "name": "criterion",
        "metricName": metric.name,
        "metricNamespace": settings.namespace if settings is not None else CONTAINER_APPS,
        "timeAggregation": metric.aggregation.capitalize(),
        "dimensions": [],
    }
    if metric.filter:
        dimension, _, value = metric.filter.partition(" eq ")
        one["dimensions"] = [{"name": dimension, "operator": "Include", "values": [value.strip("'")]}]
    if isinstance(condition, Anomaly):
        if condition.of > 6:  # dynamic thresholds: one to six periods (reference, failingPeriods)
            return None
        sensitivity = next(name for width, name in SENSITIVITIES if condition.deviations <= width)
        periods = {"numberOfEvaluationPeriods": condition.of, "minFailingPeriodsToAlert": condition.at_least}
        return {
            **one,
            "criterionType": "DynamicThresholdCriterion",
            "operator": SIDES[condition.side],
            "alertSensitivity": sensitivity,
            "failingPeriods": periods,
        }
    if condition.of > 1 or condition.missing == "breaching":
        return None
    scale = SCALES.get(metric.name, 1.0)
    seconds = condition.reading.minutes * 60 if metric.aggregation in ("total", "count") else 1
    return {
        **one,
        "criterionType": "StaticThresholdCriterion",
        "operator": OPERATORS[condition.comparison],
        "threshold": float(f"{condition.value / scale * seconds:.12g}"),
    }


def _metric(reading: Reading, settings: AzureSettings | None) -> AzureMetric | None:
    """A metric of Container Apps that is the reading as it is: what adds up over replicas is none."""
    own = settings.metric if settings is not None else ()
    known = [one for one in (*own, *signal(reading.signal).azure) if one.metric == reading.signal]
    return next((one for one in known if one.stat == reading.stat and not one.each), None)


def _why_not(condition: Condition, settings: AzureSettings | None) -> str:
    if isinstance(condition, Threshold | Anomaly):
        if _metric(condition.reading, settings) is None:
            return f"no metric of Container Apps is {condition.reading.signal} as it is"
        if condition.reading.minutes not in WINDOWS:
            return f"a metric alert has no window of {condition.reading.minutes} minutes"
        if isinstance(condition, Threshold) and condition.missing == "breaching":
            return "a metric alert does not fire without data"
        return "a metric alert knows no M of N periods"
    return "a metric alert holds one window against one value"


def _metric_alert(alarm: Alarm, alarms: Alarms, name: str) -> Part:
    minutes = alarm.condition.reading.minutes if isinstance(alarm.condition, Threshold | Anomaly) else 5
    window = max(minutes, 5) if isinstance(alarm.condition, Anomaly) else minutes
    return {
        "type": "Microsoft.Insights/metricAlerts",
        "apiVersion": "2018-03-01",
        "name": alarm.name,
        "location": "global",
        "tags": {"managed-by": "capacity"},
        "properties": {
            "description": arm_text(description(alarm, alarms)),
            "severity": SEVERITIES[alarm.severity],
            "enabled": True,
            "scopes": [f"[parameters('{_parameter(name)}')]"],
            "evaluationFrequency": "PT1M" if window < 60 else "PT5M",
            "windowSize": WINDOWS[window],
            "criteria": {
                "odata.type": "Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria"
                if isinstance(alarm.condition, Anomaly)
                else "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                "allOf": [_metric_criterion(alarm.condition, alarms.azure)],
            },
            "autoMitigate": True,
            "actions": [{"actionGroupId": group} for group in _told(alarm, alarms)],
        },
    }


def _rule_group(name: str, rules: list[Rule], alerts: dict[str, tuple[Alarm, Rule]], alarms: Alarms) -> Part:
    return {
        "type": "Microsoft.AlertsManagement/prometheusRuleGroups",
        "apiVersion": "2023-03-01",
        "name": name,
        "location": "[parameters('location')]",
        "tags": {"managed-by": "capacity"},
        "properties": {
            "enabled": True,
            "interval": f"PT{INTERVAL.upper()}",
            "scopes": ["[parameters('prometheusWorkspace')]"],
            "rules": [_rule(rule, alerts, alarms) for rule in rules],
        },
    }


def _parts(group: Part) -> list[tuple[str, list[Rule]]]:
    """The rules of a group, as many as Azure holds at a time."""
    rules, name = group["rules"], group["name"]
    return [
        (f"{name}-{place // MOST_RULES + 1}" if place else name, rules[place : place + MOST_RULES])
        for place in range(0, len(rules), MOST_RULES)
    ]


def _rule(rule: Rule, alerts: dict[str, tuple[Alarm, Rule]], alarms: Alarms) -> Part:
    if "record" in rule:
        labels = {name: arm_text(value) for name, value in rule.get("labels", {}).items()}
        return {"record": rule["record"], "expression": arm_text(rule["expr"]), "labels": labels, "enabled": True}
    alarm, _ = alerts[rule["alert"]]
    return {
        "alert": arm_text(alarm.name),
        "expression": arm_text(rule["expr"]),
        "for": "PT0M",
        "labels": {name: arm_text(value) for name, value in rule["labels"].items()},
        "annotations": {name: arm_text(value) for name, value in rule["annotations"].items()},
        "severity": SEVERITIES[alarm.severity],
        "enabled": True,
        "resolveConfiguration": {"autoResolved": True, "timeToResolve": "PT10M"},
        "actions": [{"actionGroupId": group} for group in _told(alarm, alarms)],
    }


def _told(alarm: Alarm, alarms: Alarms) -> tuple[str, ...]:
    return alarms.settings.azure_page if alarm.severity == "page" else alarms.settings.azure_ticket


def _parameter(name: str) -> str:
    return f"{name[0].lower()}{name[1:]}App"


def _resource_name(name: str, taken: set[str]) -> str:
    """A name that Azure takes for a resource and that none has yet, in whatever case: it is put among those taken.

    >>> taken: set[str] = set()
    >>> [_resource_name(name, taken) for name in ("capacity-web-a/b?", "capacity-Web-a_b_", "?")]
    ['capacity-web-a_b_', 'capacity-Web-a_b_-2', '_']
    """
    plain = _FORBIDDEN.sub("_", name)[: LONGEST_NAME - 6].rstrip(" .") or "alarm"
    number, own = 1, plain
    while own.lower() in taken:
        number += 1
        own = f"{plain}-{number}"
    taken.add(own.lower())
    return own
