"""Schemas of what we write for other systems: only the fields that we write, with the limits their references state.

Written by hand from Kubernetes' API reference (HorizontalPodAutoscaler v2), KEDA 2.17's ScaledObject specification and
Azure's reference of Microsoft.Insights/autoscaleSettings 2022-10-01: no network, and no 100 MB of schemas, in a test.
"""

from __future__ import annotations

from typing import Any

import jsonschema  # type: ignore[import-untyped, unused-ignore]

Schema = dict[str, Any]


def exactly(required: Schema, **optional: Any) -> Schema:
    """An object of these fields and no others."""
    fields = {**required, **optional}
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


def whole(least: int, most: int = 2**31 - 1) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def one_of(*values: str) -> Schema:
    return {"enum": list(values)}


TEXT: Schema = {"type": "string", "minLength": 1}
NAME: Schema = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA = exactly({"name": NAME, "annotations": TEXTS})


def rules(kind: str) -> Schema:
    policy = exactly({"type": one_of(kind), "value": whole(1), "periodSeconds": whole(1, 1800)})
    policies = {"type": "array", "items": policy, "minItems": 1}
    select = one_of("Max", "Min", "Disabled")
    return exactly({"stabilizationWindowSeconds": whole(0, 3600), "selectPolicy": select, "policies": policies})


BEHAVIOR = exactly({"scaleUp": rules("Pods"), "scaleDown": rules("Percent")})
QUANTITY: Schema = {"type": "string", "pattern": r"^[0-9]+m$"}
RESOURCE = exactly(
    {
        "name": one_of("cpu", "memory"),
        "target": exactly({"type": one_of("Utilization"), "averageUtilization": whole(1)}),
    }
)
PODS = exactly(
    {
        "metric": exactly({"name": TEXT}),
        "target": exactly({"type": one_of("AverageValue"), "averageValue": QUANTITY}),
    }
)
HPA = exactly(
    {
        "apiVersion": one_of("autoscaling/v2"),
        "kind": one_of("HorizontalPodAutoscaler"),
        "metadata": METADATA,
        "spec": exactly(
            {
                "scaleTargetRef": exactly({"apiVersion": TEXT, "kind": TEXT, "name": NAME}),
                "minReplicas": whole(1),
                "maxReplicas": whole(1),
                "metrics": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "oneOf": [
                            exactly({"type": one_of("Resource"), "resource": RESOURCE}),
                            exactly({"type": one_of("Pods"), "pods": PODS}),
                        ]
                    },
                },
                "behavior": BEHAVIOR,
            }
        ),
    }
)

CRON = exactly(dict.fromkeys(("timezone", "start", "end"), TEXT) | {"desiredReplicas": QUANTITY})
CRON["properties"]["desiredReplicas"] = {"type": "string", "pattern": "^[1-9][0-9]*$"}
PERCENT = exactly({"value": {"type": "string", "pattern": "^[1-9][0-9]*$"}})
PROMETHEUS = exactly(dict.fromkeys(("serverAddress", "query", "threshold", "ignoreNullValues"), TEXT))
SCALED_OBJECT = exactly(
    {
        "apiVersion": one_of("keda.sh/v1alpha1"),
        "kind": one_of("ScaledObject"),
        "metadata": METADATA,
        "spec": exactly(
            {
                "scaleTargetRef": exactly({"name": NAME}),
                "pollingInterval": whole(1),
                "cooldownPeriod": whole(0),
                "minReplicaCount": whole(0),
                "maxReplicaCount": whole(1),
                "advanced": exactly({"horizontalPodAutoscalerConfig": exactly({"behavior": BEHAVIOR})}),
                "triggers": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "oneOf": [
                            exactly({"type": one_of("cron"), "metadata": CRON}),
                            exactly(
                                {
                                    "type": one_of("cpu", "memory"),
                                    "metricType": one_of("Utilization"),
                                    "metadata": PERCENT,
                                }
                            ),
                            exactly(
                                {
                                    "type": one_of("prometheus"),
                                    "metricType": one_of("AverageValue"),
                                    "metadata": PROMETHEUS,
                                }
                            ),
                        ]
                    },
                },
            },
            fallback=exactly(
                {
                    "failureThreshold": whole(1),
                    "replicas": whole(0),
                    "behavior": one_of(
                        "static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"
                    ),
                }
            ),
        ),
    }
)

COUNT: Schema = {"type": "string", "pattern": "^[0-9]+$"}
RULE = exactly(
    {
        "metricTrigger": exactly(
            {
                "metricName": one_of("CpuPercentage", "MemoryPercentage", "Requests"),
                "metricResourceUri": {"type": "string", "pattern": r"^\[parameters\('[A-Za-z0-9]+(Plan|Site)'\)\]$"},
                "timeGrain": one_of("PT1M"),
                "statistic": one_of("Average", "Min", "Max", "Sum", "Count"),
                "timeWindow": one_of("PT5M", "PT15M"),
                "timeAggregation": one_of("Average"),
                "operator": one_of("GreaterThan", "LessThan"),
                "threshold": {"type": "number"},
                "dividePerInstance": {"type": "boolean"},
            }
        ),
        "scaleAction": exactly(
            {
                "direction": one_of("Increase", "Decrease"),
                "type": one_of("ChangeCount", "PercentChangeCount"),
                "value": {"type": "string", "pattern": "^[1-9][0-9]*$"},
                "cooldown": {"type": "string", "pattern": "^PT[1-9][0-9]*[MS]$"},
            }
        ),
    }
)
DAY = one_of("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
PROFILE = exactly(
    {
        "name": {"type": "string", "minLength": 1, "not": {"pattern": r"^\[[^\[].*\]$"}},
        "capacity": exactly({"minimum": COUNT, "maximum": COUNT, "default": COUNT}),
        "rules": {"type": "array", "items": RULE, "maxItems": 10},
    },
    recurrence=exactly(
        {
            "frequency": one_of("Week"),
            "schedule": exactly(
                {
                    "timeZone": TEXT,
                    "days": {"type": "array", "items": DAY, "minItems": 1, "uniqueItems": True},
                    "hours": {"type": "array", "items": whole(0, 23), "minItems": 1, "maxItems": 1},
                    "minutes": {"type": "array", "items": whole(0, 59), "minItems": 1, "maxItems": 1},
                }
            ),
        }
    ),
)
AUTOSCALE = exactly(
    {
        "$schema": TEXT,
        "contentVersion": TEXT,
        "metadata": exactly({"description": TEXT}),
        "parameters": {"type": "object", "maxProperties": 256},
        "resources": {
            "type": "array",
            "items": exactly(
                {
                    "type": one_of("Microsoft.Insights/autoscaleSettings"),
                    "apiVersion": one_of("2022-10-01"),
                    "name": {"type": "string", "pattern": "^[A-Za-z0-9]+$"},
                    "comments": TEXT,
                    "location": TEXT,
                    "properties": exactly(
                        {
                            "name": TEXT,
                            "enabled": one_of(True),  # type: ignore[arg-type]
                            "targetResourceUri": TEXT,
                            "profiles": {"type": "array", "items": PROFILE, "minItems": 1, "maxItems": 20},
                            "notifications": {"type": "array", "maxItems": 0},
                        }
                    ),
                }
            ),
        },
    }
)


def refused(document: Any, schema: Schema) -> list[str]:
    """What a schema has against a document."""
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]
