"""Safe actions: what may be done at night, with the exact commands, and how each is undone, as exactly."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from capacity.monitoring.alarm import Kind
from capacity.monitoring.facts import amount
from capacity.monitoring.runbook_pages.commands import Aws, Command, Shell
from capacity.monitoring.runbook_pages.subject import Subject
from capacity.planning.words import counted, sensible, spoken_date

#: Code of the quota that all tasks on Fargate On-Demand share (aws.md 4.3).
QUOTA: Final = {"ServiceCode": "fargate", "QuotaCode": "L-3032A538"}


@dataclass(frozen=True)
class Action:
    """One change.

    when   which finding of the checks calls for it
    costs  what it may cost or break: nothing is free
    undo   in words; undone_by: the commands
    """

    title: str
    when: str
    commands: tuple[Command, ...]
    costs: str
    undo: str
    undone_by: tuple[Command, ...] = ()


def _bounds(about: Subject, **bounds: int) -> Aws:
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": about.service.resource_id,
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    return Aws("application-autoscaling", "register_scalable_target", about.region, {**target, **bounds})


def raise_max(about: Subject) -> Action:
    today, more = about.service.max_tasks, about.more_tasks
    planned = about.facts is not None and about.facts.proposed_max > today
    why = "as the plan asks" if planned else "a quarter more: the plan asks for none"
    vcpu = (more - today) * about.service.task_vcpu
    quota = about.account.fargate_vcpu_quota if about.account is not None else None
    room = "; look at the quota first" if quota is None else f", of a quota of {quota:,.0f} that all services share"
    if quota is not None and more * about.service.task_vcpu > quota:
        room += f", and all {more} are more than it holds: beyond it no task starts, so ask for more of it, too"
    return Action(
        f"Raise the maximum from {today} to {counted(more)} ({why})",
        "The autoscaler stands at its maximum and tasks are full.",
        (_bounds(about, MaxCapacity=more),),
        f"Up to {more - today} more tasks: {amount(vcpu)} vCPU{room}. What stands behind it sees more connections. "
        f"Alarms go on watching {about.watched_max}: if it stays, write it into capacity.toml and make them anew.",
        f"First wait until no more than {today} run: a maximum below that stops tasks at once. A scheduled action that "
        "has bounds of its own sets them again at its next time.",
        (_bounds(about, MaxCapacity=today),),
    )


def raise_min(about: Subject) -> Action | None:
    today, held = about.service.min_tasks, about.held_tasks
    if held <= today:  # it may not run more: the maximum is what holds it
        return None
    return Action(
        f"Hold at least {counted(held)} (today {today})",
        "Tasks are full, or fail, and the autoscaler is late or lost its metric.",
        (_bounds(about, MinCapacity=held),),
        f"ECS starts what is missing up to {held} at once. They run until this is undone.",
        "The autoscaler goes down from there by itself. A scheduled action that has bounds of its own sets them again.",
        (_bounds(about, MinCapacity=today),),
    )


def hold(about: Subject) -> Action:
    def suspended(value: bool) -> Aws:
        made = _bounds(about)
        state = {"DynamicScalingInSuspended": value}
        return Aws(made.client, made.operation, made.region, {**made.parameters, "SuspendedState": state})

    return Action(
        "Take no tasks away while you look",
        "The number of tasks swings, or falls while requests fail.",
        (suspended(True),),
        "Tasks stay where they are; scaling out still works.",
        "Do not forget it: until then the service never gets smaller.",
        (suspended(False),),
    )


def roll_back(about: Subject) -> Action:
    named = {"cluster": about.service.cluster, "services": [about.ecs_name]}
    service = {"cluster": about.service.cluster, "service": about.ecs_name}
    current = Aws("ecs", "describe_services", about.region, named, query="services[0].taskDefinition", keep="CURRENT")
    listed = Aws(
        "ecs",
        "list_task_definitions",
        about.region,
        {"sort": "DESC", "maxResults": 5},
        {"family-prefix": '$(basename "${CURRENT%:*}")'},
        query="taskDefinitionArns",
    )
    return Action(
        "Roll back to the task definition before",
        "A deployment began shortly before, and what it deployed fails.",
        (
            current,
            Shell('echo "running now: $CURRENT"'),
            listed,
            Shell("PREVIOUS=PUT-THE-ARN-BEFORE-HERE"),
            Aws("ecs", "update_service", about.region, service, {"task-definition": "$PREVIOUS"}),
        ),
        f"A rolling deployment: about {about.service.startup_seconds:,.0f} s until its first task serves. A "
        "migration of a database is not rolled back: ask whoever deployed.",
        "Deploy again what ran before, in the same shell.",
        (Aws("ecs", "update_service", about.region, service, {"task-definition": "$CURRENT"}),),
    )


def restart(about: Subject) -> Action:
    service = {"cluster": about.service.cluster, "service": about.ecs_name, "forceNewDeployment": True}
    return Action(
        "Replace every task by a fresh one",
        "Memory climbs, or tasks hang, and the deployment is not new.",
        (Aws("ecs", "update_service", about.region, service, query="service.deployments[].[status,rolloutState]"),),
        f"New tasks start before old ones stop ({about.service.minimum_healthy_percent} to "
        f"{about.service.maximum_percent} %). A leak comes back: it buys hours.",
        "Nothing to undo: the same task definition runs.",
    )


def ask_for_quota(about: Subject) -> Action:
    today = about.account.fargate_vcpu_quota if about.account is not None else None
    needed = _needed_quota(about)
    value = f"{needed:g}" if needed is not None else "PUT-THE-NEW-QUOTA-HERE"
    said = f" from {today:,.0f}" if today is not None else ""
    asked = Aws("service-quotas", "request_service_quota_increase", about.region, QUOTA, {"desired-value": value})
    days = about.account.quota_change_days if about.account is not None else 14
    return Action(
        f"Ask AWS to raise the quota{said} to {value} vCPU in {about.region}",
        "What is in use comes near the quota, and it is use that is meant.",
        (asked,),
        f"It takes about {days} days and costs nothing; what it lets run does.",
        "Nothing to undo: a higher quota changes nothing by itself. An open request is withdrawn in its case.",
    )


def _needed_quota(about: Subject) -> float | None:
    """What the plan asks for; else a quarter more than today."""
    today = about.account.fargate_vcpu_quota if about.account is not None else None
    asked = [one.proposed for one in about.decisions if one.kind == "raise_quota" and one.proposed is not None]
    if asked:
        return max(asked)
    return float(sensible(today * 1.25)) if today is not None else None


def plan_again(about: Subject) -> Action:
    name = shlex.quote(f"--service={about.service.name}")
    when = f" It was planned on {spoken_date(about.facts.cutoff)}." if about.facts is not None else ""
    return Action(
        "Plan again, and let the autoscaler follow",
        f"Demand stays beyond the plan, and no test or attack makes it.{when}",
        (
            Shell(f"capacity plan {name}"),
            Shell(f"capacity diff {name}"),
            Shell(f"capacity apply {name} --yes"),
        ),
        "Bring the history up to date first, as you do each week. `diff` ends with code 3 where something would "
        "change; `apply` changes bounds, target and schedule.",
        "The first command lists the runs; put the one that `apply` named in for RUN.",
        (Shell("capacity rollback"), Shell("capacity rollback RUN --yes")),
    )


_Maker = Callable[[Subject], Action | None]

#: Kind of alarm -> what may be done, the mildest first.
ACTIONS: Final[dict[Kind, tuple[_Maker, ...]]] = {
    "burn_fast": (roll_back, hold, raise_min, restart),
    "burn_slow": (roll_back, raise_min, plan_again),
    "saturation": (raise_min, raise_max, plan_again),
    "leak": (restart, roll_back),
    "pinned": (raise_max, ask_for_quota, plan_again),
    "forecast_breach": (plan_again, raise_max),
    "silence": (raise_min, restart, roll_back),
    "quota": (ask_for_quota,),
    "anomaly": (roll_back, plan_again),
}


def actions_of(about: Subject) -> list[Action]:
    """Those of the alarm's kind that change something."""
    made = (make(about) for make in ACTIONS[about.alarm.kind])
    return [action for action in made if action is not None]
