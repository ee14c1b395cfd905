"""Bounds, names and the tracked metric: the rules of one service that look at nothing else."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Final, get_args

import numpy as np

from capacity.findings import Finding
from capacity.scaling.checks.findings import finding
from capacity.scaling.policy import ServicePolicy, TrackedMetric

#: Longest name (reference aws.md 3.2, 3.5), tasks of one service (4.3).
LONGEST_NAME: Final = 256
MOST_TASKS: Final = 5_000

#: What ECS allows in the name of a service or cluster.
ECS_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")

#: app/NAME/ID/targetgroup/NAME/ID (aws.md 1.8).
LABEL: Final = re.compile(r"app/[^/\s]+/[^/\s]+/targetgroup/[^/\s]+/[^/\s]+")


def order(one: ServicePolicy) -> Iterator[Finding]:
    for what, least, most in _bounds(one):
        if least > most:
            yield finding(one, "bounds", "FAIL", f"{what}minimum {least:,} is above maximum {most:,}.")


def bounds(one: ServicePolicy) -> Iterator[Finding]:
    for what, least, most in _bounds(one):
        if least < 0 or most > MOST_TASKS:
            yield finding(one, "bounds", "FAIL", f"{what}bounds {least:,} to {most:,} leave 0 to {MOST_TASKS:,}.")
        if least == 0:
            why = "With no task there is no datapoint, so that only a schedule can scale out again."
            yield finding(one, "bounds", "REVIEW", f"{what}minimum is 0. {why}")


def _bounds(one: ServicePolicy) -> list[tuple[str, int, int]]:
    own = [(f"{action.name!r}: ", action.min_tasks, action.max_tasks) for action in one.schedule]
    return [("", one.min_tasks, one.max_tasks), *own]


def target(one: ServicePolicy) -> Iterator[Finding]:
    tracking = one.tracking
    if tracking.metric not in get_args(TrackedMetric):
        advice = f"One of: {', '.join(get_args(TrackedMetric))}."
        yield finding(one, "target", "FAIL", f"{tracking.metric!r} cannot be tracked.", advice)
    if not np.isfinite(tracking.target) or tracking.target <= 0:
        yield finding(one, "target", "FAIL", f"target {tracking.target} is not a positive number.")
    if min(tracking.scale_out_cooldown, tracking.scale_in_cooldown) < 0:
        yield finding(one, "cooldown", "FAIL", "a cooldown is negative.")


def tracking(one: ServicePolicy) -> Iterator[Finding]:
    tracking = one.tracking
    if tracking.metric != "requests" and 100 < tracking.target < np.inf:
        yield finding(one, "target", "FAIL", f"target {tracking.target:g} % of {tracking.metric} is above 100 %.")
    if tracking.disable_scale_in:
        advice = "Let the policy scale in, or lower the maximum by hand."
        yield finding(one, "target", "REVIEW", "tasks are added and never taken away again.", advice)
    yield from _resolution(one)
    yield from _label(one)


def _resolution(one: ServicePolicy) -> Iterator[Finding]:
    """Metrics of 20 seconds exist for CPU and memory, and only of services that publish them (aws.md 1.5, 3.2)."""
    if one.tracking.resolution != 20:
        return
    if one.tracking.metric == "requests":
        message = "requests per task are counted by the minute: there is no metric of 20 seconds."
        yield finding(one, "resolution", "FAIL", message, "Track it with resolution=60, or CPU with 20.")
        return
    setting = '{"metricConfigurations":[{"metricNames":["CPUUtilization","MemoryUtilization"],"resolutionSeconds":20}]}'
    words = ["aws", "ecs", "update-service", "--cluster", one.service.cluster, "--service", own_name(one)]
    advice = f"First: {shlex.join([*words, '--monitoring', setting])}"
    yield finding(one, "resolution", "REVIEW", "the service has to publish metrics every 20 seconds.", advice)


def _label(one: ServicePolicy) -> Iterator[Finding]:
    parts = [one.tracking, one.steps, one.predictive]
    label = one.service.alb_resource_label
    if not any(part is not None and part.metric == "requests" for part in parts):
        return
    if not label:
        advice = "State alb_resource_label: app/NAME/ID/targetgroup/NAME/ID."
        yield finding(one, "label", "REVIEW", "requests per task are tracked, but not at which target group.", advice)
    elif not LABEL.fullmatch(label):
        yield finding(one, "label", "FAIL", f"{label!r} is not app/NAME/ID/targetgroup/NAME/ID.")


def names(one: ServicePolicy) -> Iterator[Finding]:
    for what, name in (("service", own_name(one)), ("cluster", one.service.cluster)):
        if not ECS_NAME.fullmatch(name):
            yield finding(one, "name", "REVIEW", f"{name!r} cannot be the name of an ECS {what}.")
    for action in one.schedule:
        wrong = set(action.name) & set(":/|") or any(not char.isprintable() for char in action.name)
        if wrong or not 0 < len(action.name) <= LONGEST_NAME or action.name != action.name.strip():
            yield finding(one, "name", "FAIL", f"{action.name!r} cannot be the name of a scheduled action.")
    for name, count in Counter(action.name for action in one.schedule).items():
        if count > 1:
            yield finding(one, "name", "FAIL", f"{count} scheduled actions are called {name!r}: only one would stay.")


def own_name(one: ServicePolicy) -> str:
    """The service's name in ECS: without region and cluster, by which it may be told apart here."""
    return one.service.resource_id.removeprefix(f"service/{one.service.cluster}/")
