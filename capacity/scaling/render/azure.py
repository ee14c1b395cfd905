"""A policy as Azure Monitor autoscale settings: an ARM template for an App Service plan, one setting a service.

Each line of the weekly schedule is a recurring profile: it sets both bounds and holds until the next starts, as on AWS.
Azure knows no target tracking: the target becomes a ladder of rules (`LADDER`). Sources: Azure Monitor, "Understand
autoscale settings", "Autoscale with multiple profiles"; reference of Microsoft.Insights/autoscaleSettings 2022-10-01.
"""

from __future__ import annotations

import json
from typing import Any, Final

from capacity.errors import InputError
from capacity.scaling.policy import Policy, ServicePolicy, TrackedMetric
from capacity.scaling.render.cloudformation import logical_names
from capacity.scaling.render.joining import Line, changes, joined, lines
from capacity.scaling.render.unsaid import unsaid_parts, unsaid_schedule
from capacity.scaling.render.week import weekly
from capacity.scaling.render.windows_zones import windows_zone

#: Profiles of one setting, rules of one profile (reference of autoscaleSettings).
MOST_PROFILES: Final = 20
MOST_RULES: Final = 10

#: Parameters of one template (Azure Resource Manager, template limits).
MOST_PARAMETERS: Final = 256

#: Share of the target above which so many percent more are added: what is needed up to the next rung. The first rule
#: adds one instance at least, whatever Azure rounds a percentage to; the highest of all that fire wins.
LADDER: Final = ((1.0, 25), (1.25, 50), (1.5, 100), (2.0, 200))

#: Below this share of the target one scale-in rule takes instances away: as target tracking's low alarm does
#: (reference aws.md 3.2), which wants 15 minutes. All scale-in rules would have to agree, so there is one.
LOW: Final = 0.9
LOW_WINDOW: Final = "PT15M"
SHORTEST_WINDOW: Final = "PT5M"  # of a metric trigger: "between 12 hours and 5 minutes"

#: Metrics of Microsoft.Web/serverfarms; requests are those of Microsoft.Web/sites, a sum of all instances.
METRICS: Final = {"cpu": "CpuPercentage", "memory": "MemoryPercentage", "requests": "Requests"}

_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

Part = dict[str, Any]


def azure(policy: Policy) -> str:
    """ARM template, JSON. What is scaled, and for requests the site that counts them, are parameters.

    Raises InputError for more services than one template holds, for weekly actions in several time zones, and for a
    time zone that Azure has no name for.
    """
    parameters: Part = {"location": {"type": "string", "defaultValue": "[resourceGroup().location]"}}
    resources = []
    for one, name in zip(policy.services, logical_names(policy), strict=True):
        of = f"{name[0].lower()}{name[1:]}"
        parameters |= _parameters(one, of)
        resources.append(_setting(one, name, of))
    if len(parameters) > MOST_PARAMETERS:
        raise InputError(
            f"{len(policy.services)} services need {len(parameters)} parameters, a template holds {MOST_PARAMETERS}",
            advice='Render them one at a time: policy.render("azure", service="...").',
        )
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "metadata": {"description": "Autoscale settings of App Service plans, written by capacity."},
        "parameters": parameters,
        "resources": resources,
    }
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def _parameters(one: ServicePolicy, of: str) -> Part:
    plan = f"Resource id of the App Service plan (Microsoft.Web/serverfarms) that runs {one.service.name}."
    site = f"Resource id of the site (Microsoft.Web/sites) whose requests are those of {one.service.name}."
    made = {f"{of}Plan": {"type": "string", "metadata": {"description": plan}}}
    if _counts_requests(one):
        made[f"{of}Site"] = {"type": "string", "metadata": {"description": site}}
    return made


def _counts_requests(one: ServicePolicy) -> bool:
    return "requests" in {one.tracking.metric, one.steps.metric if one.steps is not None else ""}


def _setting(one: ServicePolicy, name: str, of: str) -> Part:
    return {
        "type": "Microsoft.Insights/autoscaleSettings",
        "apiVersion": "2022-10-01",
        "name": name,
        "comments": "\n".join([f"{one.service.resource_id}.", *_unsaid(one)]),
        "location": "[parameters('location')]",
        "properties": {
            "name": name,
            "enabled": True,
            "targetResourceUri": f"[parameters('{of}Plan')]",
            "profiles": _profiles(one, of),
            "notifications": [],
        },
    }


def _unsaid(one: ServicePolicy) -> list[str]:
    """Comments are no expressions, whatever they hold."""
    target = f"{one.tracking.metric} at {one.tracking.target:g}"
    said = [f"Approximated: target tracking of {target}, by a ladder of rules."]
    known = len(lines(changes(weekly(one))))
    if known > MOST_PROFILES - 1:
        lines_of = f"{known} lines of the schedule, joined into the {MOST_PROFILES - 1} that Azure holds"
        said.append(f"Approximated: {lines_of}. No minimum is lower for it, some are higher.")
    if len(_rules(one, "")) > MOST_RULES:
        said.append(f"Not said: rungs of step scaling after the {MOST_RULES} rules that a profile holds.")
    return [*said, *unsaid_parts(one, steps=True), *unsaid_schedule(one, windows=True, maximum=True)]


def _profiles(one: ServicePolicy, of: str) -> list[Part]:
    """The default profile holds the bounds outside the schedule; a recurring one each line of a week."""
    rules = _rules(one, of)[:MOST_RULES]
    made = [_profile("Auto created default scale condition", one.min_tasks, one.max_tasks, rules)]
    actions = weekly(one)
    found = lines(joined(changes(actions), MOST_PROFILES - 1))
    names = [line.bounds.name for line in found]
    for number, line in enumerate(found):
        alone = names.count(names[number]) == 1
        name = names[number] if alone else f"{names[number]} {names[:number].count(names[number]) + 1}"
        profile = _profile(arm_text(name), line.bounds.least, line.bounds.most, rules)
        made.append({**profile, "recurrence": _recurrence(line, windows_zone(actions[0].timezone))})
    return made


def _profile(name: str, least: int, most: int, rules: list[Part]) -> Part:
    capacity = {"minimum": str(least), "maximum": str(most), "default": str(least)}
    return {"name": name, "capacity": capacity, "rules": rules}


def _recurrence(line: Line, zone: str) -> Part:
    schedule = {
        "timeZone": zone,
        "days": [_DAYS[day] for day in line.days],
        "hours": [line.minute // 60],
        "minutes": [line.minute % 60],
    }
    return {"frequency": "Week", "schedule": schedule}


def _rules(one: ServicePolicy, of: str) -> list[Part]:
    """Out by the ladder and by the rungs of step scaling, in by one rule; perhaps more than a profile holds."""
    tracking, metric = one.tracking, one.tracking.metric
    out, back = _duration(tracking.scale_out_cooldown), _duration(tracking.scale_in_cooldown)
    rules = [_rule(metric, of, tracking.target, "ChangeCount", 1, out)]
    for share, percent in LADDER:
        if metric == "requests" or share * tracking.target < 100:
            rules.append(_rule(metric, of, share * tracking.target, "PercentChangeCount", percent, out))
    if not tracking.disable_scale_in:
        few = max(one.min_tasks // 10, 1)  # a tenth of the fewest: never more than the target allows at once
        rules.append(_rule(metric, of, LOW * tracking.target, "ChangeCount", few, back, low=True))
    if one.steps is not None:
        kind = "PercentChangeCount" if one.steps.by == "percent" else "ChangeCount"
        for step in one.steps.steps:
            threshold, cooldown = one.steps.threshold + step.lower, _duration(one.steps.cooldown)
            rules.append(_rule(one.steps.metric, of, threshold, kind, step.adjustment, cooldown))
    return rules


def _rule(
    metric: TrackedMetric, of: str, threshold: float, kind: str, value: int, cooldown: str, *, low: bool = False
) -> Part:
    """`low`: below the threshold, take away; else above it, add. Requests are summed, then shared among instances."""
    requests = metric == "requests"
    trigger = {
        "metricName": METRICS[metric],
        "metricResourceUri": f"[parameters('{of}{'Site' if requests else 'Plan'}')]",
        "timeGrain": "PT1M",
        "statistic": "Sum" if requests else "Average",
        "timeWindow": LOW_WINDOW if low else SHORTEST_WINDOW,
        "timeAggregation": "Average",
        "operator": "LessThan" if low else "GreaterThan",
        "threshold": round(threshold, 6),
        "dividePerInstance": requests,
    }
    direction = "Decrease" if low else "Increase"
    action = {"direction": direction, "type": kind, "value": str(value), "cooldown": cooldown}
    return {"metricTrigger": trigger, "scaleAction": action}


def _duration(seconds: int) -> str:
    """ISO 8601, between the minute and the week that Azure allows.

    >>> _duration(300), _duration(90), _duration(0)
    ('PT5M', 'PT90S', 'PT1M')
    """
    held = min(max(seconds, 60), 7 * 24 * 3600)
    return f"PT{held // 60}M" if held % 60 == 0 else f"PT{held}S"


def arm_text(name: str) -> str:
    """A text that ARM reads as itself: in brackets it would be an expression.

    >>> arm_text("[parameters('x')]"), arm_text("web")
    ("[[parameters('x')]", 'web')
    """
    return f"[{name}" if name.startswith("[") and name.endswith("]") else name
