"""A policy for Kubernetes: HorizontalPodAutoscalers (autoscaling/v2), or KEDA ScaledObjects, which know schedules.

Both scale by the same rule as target tracking: running x metric / target, rounded up. Sources: Kubernetes API
reference, HorizontalPodAutoscaler v2; KEDA 2.17, ScaledObject specification, cron, cpu, memory and prometheus scalers
(https://keda.sh/docs/2.17). An object scales the Deployment of its own name, which is the service's in the letters
that Kubernetes allows.
"""

from __future__ import annotations

from typing import Any, Final

from capacity.scaling.policy import Policy, ServicePolicy
from capacity.scaling.render.quoting import yaml
from capacity.scaling.render.unsaid import unsaid_parts, unsaid_schedule
from capacity.scaling.render.week import Span, spans, unix_cron, weekly, windows
from capacity.scaling.schedule import slug_of

#: Longest name: KEDA writes it into a label, which holds 63 characters; a number that tells two apart needs some.
LONGEST: Final = 50

#: Seconds for which the metric has to stay low before tasks are taken away: the low alarm of target tracking wants 15
#: of 15 minutes (reference aws.md 3.2), and the policy was rehearsed with it.
STAYS_LOW: Final = 15 * 60

#: Longest stabilisation window and longest period of a scaling policy, seconds (Kubernetes, HPAScalingRules).
LONGEST_WINDOW: Final = 3600
LONGEST_PERIOD: Final = 1800

#: Requests of one pod and second, as an adapter for custom metrics or Prometheus would call them.
POD_METRIC: Final = "http_requests_per_second"
PROMETHEUS: Final = "http://PUT-PROMETHEUS-HERE:9090"

Object = dict[str, Any]


def hpa(policy: Policy) -> str:
    """One HorizontalPodAutoscaler a service, YAML. It knows no schedule: its minimum is the one outside the schedule.

    >>> from capacity import Service
    >>> from capacity.scaling.policy import TargetTracking
    >>> text = hpa(Policy((ServicePolicy(Service(name="web"), 2, 40, TargetTracking("cpu", 60)),)))
    >>> print("\\n".join(text.splitlines()[6:14]))
    spec:
      scaleTargetRef:
        apiVersion: "apps/v1"
        kind: "Deployment"
        name: "web"
      minReplicas: 2
      maxReplicas: 40
      metrics:
    """
    names = object_names(policy)
    made = [(_hpa(one, name), one) for one, name in zip(policy.services, names, strict=True)]
    return _documents(
        [(document, _unsaid(one, document["spec"]["minReplicas"], windows=False)) for document, one in made]
    )


def keda(policy: Policy) -> str:
    """One ScaledObject a service, YAML: cron triggers hold the schedule's minimums, another one tracks the metric.

    Raises InputError for a service whose weekly actions live in several time zones.
    """
    names = object_names(policy)
    made = [(_keda(one, name), one) for one, name in zip(policy.services, names, strict=True)]
    return _documents(
        [(document, _unsaid(one, document["spec"]["minReplicaCount"], windows=True)) for document, one in made]
    )


def object_names(policy: Policy) -> list[str]:
    """Names that Kubernetes allows (RFC 1123), each once.

    >>> from capacity import Service
    >>> from capacity.scaling.policy import TargetTracking
    >>> made = (ServicePolicy(Service(name=name), 1, 2, TargetTracking("cpu", 60)) for name in ("Web_API", "web-api"))
    >>> object_names(Policy(tuple(made)))
    ['web-api', 'web-api-2']
    """
    taken: list[str] = []
    for one in policy.services:
        plain = slug_of(one.service.name).lower()[:LONGEST].strip("-")
        number, name = 1, plain
        while name in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.append(name)
    return taken


def _documents(made: list[tuple[Object, list[str]]]) -> str:
    """What is not said stands as a comment for those who read, and as an annotation for those who find it applied."""
    texts = []
    for document, unsaid in made:
        if unsaid:
            document["metadata"]["annotations"]["capacity/not-said"] = "\n".join(unsaid)
        texts.append("".join(f"# {line}\n" for line in unsaid) + yaml(document) + "\n")
    return "---\n".join(texts)


def _object(one: ServicePolicy, name: str, api: str, kind: str, spec: Object) -> Object:
    service = one.service.resource_id.removeprefix("service/")
    metadata: Object = {"name": name, "annotations": {"capacity/service": service}}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}


def _hpa(one: ServicePolicy, name: str) -> Object:
    spec: Object = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": max(one.min_tasks, 1),
        "maxReplicas": max(one.max_tasks, 1),
        "metrics": [_metric(one)],
        "behavior": _behavior(one),
    }
    return _object(one, name, "autoscaling/v2", "HorizontalPodAutoscaler", spec)


def _metric(one: ServicePolicy) -> Object:
    metric = one.tracking.metric
    if metric == "requests":
        milli = max(int(one.tracking.target * 1000 / 60), 1)
        target = {"type": "AverageValue", "averageValue": f"{milli}m"}
        return {"type": "Pods", "pods": {"metric": {"name": POD_METRIC}, "target": target}}
    share: Object = {"type": "Utilization", "averageUtilization": whole_percent(one)}
    return {"type": "Resource", "resource": {"name": metric, "target": share}}


def whole_percent(one: ServicePolicy) -> int:
    """Kubernetes counts utilisation in whole percent: rounded down, which keeps more room, not less."""
    return max(int(one.tracking.target), 1)


def _behavior(one: ServicePolicy) -> Object:
    """Cooldowns as periods, in which as many pods may come or go as are asked for: target tracking has no other brake.

    Kubernetes asks again every 15 seconds and reacts at once, where CloudWatch's alarm takes three minutes; what was
    rehearsed is slower than what will be.
    """
    out, back = (
        min(max(s, 1), LONGEST_PERIOD) for s in (one.tracking.scale_out_cooldown, one.tracking.scale_in_cooldown)
    )
    low = min(max(STAYS_LOW, one.tracking.scale_in_cooldown), LONGEST_WINDOW)
    return {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [{"type": "Pods", "value": max(one.max_tasks, 1), "periodSeconds": out}],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": low,
            "selectPolicy": "Disabled" if one.tracking.disable_scale_in else "Max",
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": back}],
        },
    }


def _keda(one: ServicePolicy, name: str) -> Object:
    least, crons = scheduled_triggers(one)
    tracked = _tracked(one, name)
    spec: Object = {
        "scaleTargetRef": {"name": name},
        "pollingInterval": 30,
        "cooldownPeriod": one.tracking.scale_in_cooldown,
        "minReplicaCount": least if crons or tracked["type"] == "prometheus" else max(least, 1),
        "maxReplicaCount": _most(one),
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(one)}},
        "triggers": [*crons, tracked],
    }
    if tracked["type"] == "prometheus":  # only an average has a fallback; the larger of this and what runs
        safe = max([least, *(int(cron["metadata"]["desiredReplicas"]) for cron in crons)])
        spec["fallback"] = {"failureThreshold": 3, "replicas": safe, "behavior": "currentReplicasIfHigher"}
    return _object(one, name, "keda.sh/v1alpha1", "ScaledObject", spec)


def _most(one: ServicePolicy) -> int:
    """KEDA knows one maximum: the highest that is ever in force."""
    return max([one.max_tasks, *(action.max_tasks for action in weekly(one)), 1])


def scheduled_triggers(one: ServicePolicy) -> tuple[int, list[Object]]:
    """The minimum of all times, and a cron trigger for each stretch of the week that holds more.

    KEDA takes the most that any trigger asks for, and holds a window from `start` until before the next `end`.
    """
    actions = weekly(one)
    found = windows(actions)
    if not actions:
        return one.min_tasks, []
    if len(found) == 1:
        return found[0].least, []
    least = min(one.min_tasks, *(window.least for window in found))
    return least, [_cron(span, actions[0].timezone) for span in spans(found) if span.least > least]


def _cron(span: Span, timezone: str) -> Object:
    until = tuple(sorted((day + span.later) % 7 for day in span.days))
    metadata = {
        "timezone": timezone,
        "start": unix_cron(span.start, span.days),
        "end": unix_cron(span.end, until),
        "desiredReplicas": str(span.least),
    }
    return {"type": "cron", "metadata": metadata}


def _tracked(one: ServicePolicy, name: str) -> Object:
    metric = one.tracking.metric
    if metric != "requests":
        return {"type": metric, "metricType": "Utilization", "metadata": {"value": str(whole_percent(one))}}
    metadata = {
        "serverAddress": PROMETHEUS,
        "query": f'sum(rate(http_requests_total{{deployment="{name}"}}[2m]))',
        "threshold": f"{one.tracking.target / 60:.12g}",
        "ignoreNullValues": "false",  # a target that Prometheus lost is an error, not a load of none
    }
    return {"type": "prometheus", "metricType": "AverageValue", "metadata": metadata}


def _unsaid(one: ServicePolicy, least: int, *, windows: bool) -> list[str]:
    """`least`: the minimum of all times that the document states. `windows`: it holds the weekly schedule."""
    tracking, lines = one.tracking, []
    if tracking.metric == "requests":
        lines.append(f"To fill in: where requests are counted ({POD_METRIC}, or {PROMETHEUS} and its query).")
    elif tracking.target != whole_percent(one):
        lines.append(f"Rounded: {tracking.metric} at {tracking.target:g} % is {whole_percent(one)} %.")
    if least != one.min_tasks:
        why = "the least of the schedule" if windows and weekly(one) else "none is not allowed here"
        lines.append(f"Moved: the minimum outside the schedule, {one.min_tasks:,}, is {least:,}: {why}.")
    if max(tracking.scale_out_cooldown, tracking.scale_in_cooldown) > LONGEST_PERIOD:
        cooldowns = f"{tracking.scale_out_cooldown} s out and {tracking.scale_in_cooldown} s in"
        lines.append(f"Shortened: cooldowns of {cooldowns}; Kubernetes holds {LONGEST_PERIOD} s.")
    return [*lines, *unsaid_parts(one, steps=False), *unsaid_schedule(one, windows=windows, maximum=False)]
