"""Policies for services whose names are beginnings of each other, and an ECS cluster that runs them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from capacity.scaling import Policy, ScheduledAction, ServicePolicy, Step, StepScaling, TargetTracking
from capacity.scaling.render.calls import arn_placeholder
from capacity.sources.aws import Door
from tests.scaling.policies import tracking, web

REGION = "us-east-1"
NAMES = ("web", "web-2")
END = pd.Timestamp("2030-02-22", tz="UTC")


def scheduled(name: str = "web", low: int = 2, high: int = 12, most: int = 40) -> ServicePolicy:
    """`high` tasks from 6:00 to 18:00 UTC, `low` otherwise, until 2030; steps at 90 % CPU beside the tracking."""
    up = ScheduledAction(f"capacity-{name}-daily-0600", "cron(0 6 ? * * *)", high, most, end=END)
    down = ScheduledAction(f"capacity-{name}-daily-1800", "cron(0 18 ? * * *)", low, most, end=END)
    back = ScheduledAction(f"capacity-{name}-expiry", "at(2030-02-22T00:10:00)", low, most)
    steps = StepScaling("cpu", 90.0, (Step(0, 5, 20), Step(5, None, 50)))
    return tracking(web(name=name), min_tasks=low, max_tasks=most, schedule=(up, down, back), steps=steps)


def fleet(**changes: Any) -> Policy:
    return Policy(tuple(replace(scheduled(name), **changes) for name in NAMES))


#: A policy, and another that raises its maximum and its days' minimum and tracks another metric.
ONE = Policy((scheduled(),))
OTHER = Policy((replace(scheduled(high=16, most=50), tracking=TargetTracking("cpu", 55)),))


def noon(day: str = "2026-06-03") -> pd.Timestamp:
    """In the middle of the high hours."""
    return pd.Timestamp(f"{day}T12:00", tz="UTC")


def door(url: str) -> Door:
    """Asks without waiting."""
    return Door(REGION, endpoint=url, sleep=lambda seconds: None)


def with_services(url: str, *names: str, cluster: str = "prod", **said: Any) -> Door:
    """A cluster in moto that runs these services, 4 tasks each."""
    maker = door(url)
    ecs = maker.client("ecs")
    ecs.create_cluster(clusterName=cluster)
    ecs.register_task_definition(family="app", containerDefinitions=[{"name": "app", "image": "app", "memory": 64}])
    for name in names:
        ecs.create_service(cluster=cluster, serviceName=name, taskDefinition="app", desiredCount=4, **said)
    return maker


def by_hand(door: Door, calls: list[dict[str, Any]]) -> None:
    """Make the calls of `render("boto3")` as a person would, who puts the ARN that an answer tells where it belongs."""
    arns: dict[str, str] = {}
    for call in calls:
        parameters = dict(call["parameters"])
        if "AlarmActions" in parameters:
            parameters["AlarmActions"] = [arns[action] for action in parameters["AlarmActions"]]
        answer = getattr(door.client(call["client"]), call["operation"])(**parameters)
        if "PolicyARN" in answer:
            arns[arn_placeholder(parameters["PolicyName"])] = answer["PolicyARN"]
