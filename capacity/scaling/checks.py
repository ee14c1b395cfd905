"""What AWS would refuse in a policy, and what would surprise: our own cross-field rules.

botocore checks types and required members only; not cron text, time zones, enums, patterns, or how fields fit together
(reference aws.md 3.1-3.6 and 8.7). Each rule is a function from a ServicePolicy to findings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from capacity.errors import InputError, Problem
from capacity.findings import Finding, Findings, Status
from capacity.scaling.bounds import events
from capacity.scaling.cron import parse
from capacity.scaling.policy import Policy, ScheduledAction, ServicePolicy

#: Scheduled actions of one scalable target (aws.md 3.6), names (3.2, 3.5), tasks of one service (4.3).
MOST_ACTIONS: Final = 200
LONGEST_NAME: Final = 256
MOST_TASKS: Final = 5_000

#: Two actions of one target nearer than this may meet while the first still works (aws.md 3.5: "some minutes apart").
APART: Final = pd.Timedelta(minutes=5)

#: What ECS allows in the name of a service or cluster.
ECS_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")

#: app/NAME/ID/targetgroup/NAME/ID (aws.md 1.8).
LABEL: Final = re.compile(r"app/[^/\s]+/[^/\s]+/targetgroup/[^/\s]+/[^/\s]+")


def check_policy(policy: Policy | ServicePolicy) -> Findings:
    """Everything remarkable about a policy. FAIL: AWS would refuse it; REVIEW: it would do what nobody meant.

    >>> from capacity import Service
    >>> from capacity.scaling.policy import TargetTracking
    >>> print(*check_policy(ServicePolicy(Service(name="web"), 5, 2, TargetTracking("cpu", 60))))
    FAIL web: minimum 5 is above maximum 2.
    """
    parts = (policy,) if isinstance(policy, ServicePolicy) else policy.services
    rules = (_bounds, _tracking, _names, _schedules, _count, _pairs, _distance)
    findings = [finding for one in parts for rule in rules for finding in rule(one)]
    twice = [name for name, count in Counter(one.service.resource_id for one in parts).items() if count > 1]
    findings += [Finding(name, "", "policy", "FAIL", "two policies scale this one service.") for name in twice]
    return Findings.of(findings)


def refuse_broken(policy: Policy) -> None:
    """Raises InputError, listing all that AWS would refuse."""
    failed = [finding for finding in check_policy(policy) if finding.status == "FAIL"]
    if failed:
        problems = [Problem(finding.message, where=finding.service) for finding in failed]
        raise InputError("this policy cannot be rendered:", problems)


def _finding(one: ServicePolicy, check: str, status: Status, message: str, advice: str = "") -> Finding:
    return Finding(one.service.name, "", check, status, message, advice)


def _bounds(one: ServicePolicy) -> Iterator[Finding]:
    for what, least, most in [("", one.min_tasks, one.max_tasks), *_own(one)]:
        if least > most:
            yield _finding(one, "bounds", "FAIL", f"{what}minimum {least:,} is above maximum {most:,}.")
        if least < 0 or most > MOST_TASKS:
            yield _finding(one, "bounds", "FAIL", f"{what}bounds {least:,} to {most:,} leave 0 to {MOST_TASKS:,}.")
        if least == 0:
            why = "With no task there is no datapoint, so that only a schedule can scale out again."
            yield _finding(one, "bounds", "REVIEW", f"{what}minimum is 0. {why}")


def _own(one: ServicePolicy) -> list[tuple[str, int, int]]:
    return [(f"{action.name!r}: ", action.min_tasks, action.max_tasks) for action in one.schedule]


def _tracking(one: ServicePolicy) -> Iterator[Finding]:
    tracking, service = one.tracking, one.service
    if not np.isfinite(tracking.target) or tracking.target <= 0:
        yield _finding(one, "target", "FAIL", f"target {tracking.target} is not a positive number.")
    elif tracking.metric != "requests" and tracking.target > 100:
        yield _finding(one, "target", "FAIL", f"target {tracking.target:g} % of {tracking.metric} is above 100 %.")
    if min(tracking.scale_out_cooldown, tracking.scale_in_cooldown) < 0:
        yield _finding(one, "cooldown", "FAIL", "a cooldown is negative.")
    if tracking.metric == "requests" and not service.alb_resource_label:
        advice = "State alb_resource_label: app/NAME/ID/targetgroup/NAME/ID."
        yield _finding(one, "label", "REVIEW", "requests per task are tracked, but not at which target group.", advice)
    elif tracking.metric == "requests" and not LABEL.fullmatch(service.alb_resource_label):
        yield _finding(one, "label", "FAIL", f"{service.alb_resource_label!r} is not app/NAME/ID/targetgroup/NAME/ID.")


def _names(one: ServicePolicy) -> Iterator[Finding]:
    for what, name in (("service", one.service.name), ("cluster", one.service.cluster)):
        if not ECS_NAME.fullmatch(name):
            yield _finding(one, "name", "REVIEW", f"{name!r} cannot be the name of an ECS {what}.")
    for action in one.schedule:
        wrong = set(action.name) & set(":/|") or any(not char.isprintable() for char in action.name)
        if wrong or not 0 < len(action.name) <= LONGEST_NAME or action.name != action.name.strip():
            yield _finding(one, "name", "FAIL", f"{action.name!r} cannot be the name of a scheduled action.")
    for name, count in Counter(action.name for action in one.schedule).items():
        if count > 1:
            yield _finding(one, "name", "FAIL", f"{count} scheduled actions are called {name!r}: only one would stay.")


def _schedules(one: ServicePolicy) -> Iterator[Finding]:
    for action in one.schedule:
        broken = _broken(action)
        if broken:
            yield _finding(one, "schedule", "FAIL", broken)
        if action.start is not None and action.end is not None and action.start >= action.end:
            yield _finding(one, "schedule", "FAIL", f"{action.name!r} ends before it starts.")


def _broken(action: ScheduledAction) -> str:
    """What is wrong with schedule or time zone; empty when nothing is."""
    try:
        parse(action.schedule)
        ZoneInfo(action.timezone)
    except InputError as error:
        return str(error).splitlines()[0]
    except (KeyError, ValueError, OSError):
        return f"time zone {action.timezone!r} is not an IANA zone."
    return ""


def _count(one: ServicePolicy) -> Iterator[Finding]:
    if len(one.schedule) > MOST_ACTIONS:
        message = f"{len(one.schedule)} scheduled actions, AWS allows {MOST_ACTIONS} for one service."
        yield _finding(one, "schedule", "FAIL", message)


def _pairs(one: ServicePolicy) -> Iterator[Finding]:
    """Nothing reverts: what ends must be put back, and a lone up stays up."""
    recurring = [action for action in one.schedule if action.schedule.startswith("cron(")]
    if len({action.min_tasks for action in recurring}) == 1:
        yield _finding(
            one, "schedule", "REVIEW", "the schedule sets one minimum and never another: it does not revert."
        )
    ends = [action.end for action in recurring if action.end is not None]
    once = [
        pd.Timestamp(a.schedule[3:-1], tz=a.timezone) for a in one.schedule if not _broken(a) and a.schedule[:2] == "at"
    ]
    if ends and not any(moment >= max(ends) for moment in once):
        yield _finding(one, "schedule", "REVIEW", "the schedule ends, and no later action puts the bounds back.")


def _distance(one: ServicePolicy) -> Iterator[Finding]:
    """Actions too near each other, in a usual fortnight."""
    weekly = tuple(
        replace(a, start=None, end=None) for a in one.schedule if a.schedule[:4] == "cron" and not _broken(a)
    )
    monday = pd.Timestamp("2026-06-01", tz="UTC")
    moments, which = events(weekly, monday, monday + pd.Timedelta(days=14))
    close = np.flatnonzero(np.diff(moments.asi8) < APART.value // 1000)
    for pair in sorted({(weekly[which[n]].name, weekly[which[n + 1]].name) for n in close}):
        yield _finding(one, "schedule", "REVIEW", f"{pair[0]!r} and {pair[1]!r} fire within five minutes.")
