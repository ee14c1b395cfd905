"""An account -> `Live`: what stands for the services that are asked for, and for no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from capacity.errors import SourceError
from capacity.findings import Finding, Findings
from capacity.scaling.live.items import Call, Item, Parameters, acts_on, policy_of_arn, told
from capacity.scaling.live.live import SUSPENDED, Live, LiveService
from capacity.scaling.live.wanted import Wanted, wanted_of
from capacity.scaling.policy import Policy
from capacity.scaling.render.calls import arn_placeholder
from capacity.sources.aws import Door
from capacity.sources.aws.around import FEW, scaling_of, targets_of
from capacity.sources.aws.complaints import code_of
from capacity.sources.aws.survey import Survey, parts

#: DescribeAlarms takes 100 names (botocore's model), DescribeServices 10 (its documentation).
ALARMS_A_CALL: Final = 100
SERVICES_A_CALL: Final = 10


def read_live(
    what: Policy | Sequence[Call] | Wanted, *, door: Door | None = None, regions: Mapping[str, str] | None = None
) -> Live:
    """What stands in the account for every service of a policy, or of the calls that were made of one.

    door     whose credentials are used; its region is that of calls, which do not say theirs
    regions  resource id -> region, where one list of calls goes to several

    Only reads: `capacity iam diff` prints the rights it takes. What the services' own names match, whole, is kept:
    `web` is not `web-2`. Whether ECS has the service, how many tasks it wants and whose tags it bears may be missing,
    with a finding; scalable targets, policies, actions and alarms may not: a difference to half of them is none.
    """
    door = door or Door()
    wanted = what if isinstance(what, Wanted) else wanted_of(what, door.where, regions)
    alarms = [item for item in wanted.items if item.kind == "alarm"]
    return read_places(wanted.places, alarms, door)


def read_places(places: Sequence[tuple[str, str]], alarms: Iterable[Item], door: Door) -> Live:
    """The same for services by name, (region, resource id), and for alarms by name."""
    caller = door.call("sts", "get_caller_identity")
    named = list(alarms)
    services: dict[tuple[str, str], LiveService] = {}
    findings: list[Finding] = []
    others: set[tuple[str, str]] = set()
    for region in dict.fromkeys(place[0] for place in places):
        survey = Survey(door_to(door, region))
        here = [place[1] for place in places if place[0] == region]
        wanted = {item.name: item.resource_id for item in named if item.region == region}
        found, foreign = _region(survey, here, wanted)
        services |= {(region, one.resource_id): one for one in found}
        others |= {(region, name) for name in foreign}
        findings += survey.findings
    now = pd.Timestamp.now("UTC").floor("s")
    return Live(caller["Account"], caller["Arn"], services, now, Findings.of(findings), frozenset(others), door)


def door_to(door: Door, region: str) -> Door:
    """The same credentials in a region; the same door, with its clients, where it is there already."""
    return door if door.where == region else replace(door, region=region)


def _region(survey: Survey, ids: Sequence[str], wanted: Mapping[str, str]) -> tuple[list[LiveService], list[str]]:
    """Services of one region; and wanted alarm names that others bear."""
    targets = targets_of(survey, ids)
    policies = scaling_of(survey, "describe_scaling_policies", "ScalingPolicies", ids)
    actions = scaling_of(survey, "describe_scheduled_actions", "ScheduledActions", ids)
    counted = _ecs(survey, ids)
    tagged = _tags(survey, targets)
    listed = _alarms(survey, ids, policies, wanted)
    services = [
        replace(
            _service(survey.region, name, targets.get(name), policies[name], actions[name]),
            **counted.get(name, {}),
        )
        for name in ids
    ]
    services = [replace(one, tags={**one.tags, **tagged.get(one.resource_id, {})}) for one in services]
    known = set(ids)
    owned = {name: owner for name, parameters in listed.items() if (owner := _owner(parameters)) in known}
    foreign = [name for name, resource_id in wanted.items() if name in listed and owned.get(name) != resource_id]
    return [_with_alarms(one, listed, owned) for one in services], foreign


def _service(
    region: str,
    name: str,
    target: Mapping[str, Any] | None,
    policies: Sequence[Mapping[str, Any]],
    actions: Sequence[Mapping[str, Any]],
) -> LiveService:
    bounds = None if target is None else (int(target["MinCapacity"]), int(target["MaxCapacity"]))
    state = (target or {}).get("SuspendedState") or {}
    return LiveService(
        region,
        name,
        bounds=bounds,
        suspended=tuple(each for each in SUSPENDED if state.get(each)),
        policies={each["PolicyName"]: told(each, "PutScalingPolicy") for each in policies},
        arns={each["PolicyName"]: each["PolicyARN"] for each in policies},
        acting={each["PolicyName"]: _alarm_names(each) for each in policies},
        actions={each["ScheduledActionName"]: told(each, "PutScheduledAction") for each in actions},
        created={
            each["ScheduledActionName"]: pd.Timestamp(each["CreationTime"]).tz_convert("UTC").as_unit("us")
            for each in actions
        },
    )


def _alarm_names(policy: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(alarm["AlarmName"] for alarm in policy.get("Alarms") or ())


def _alarms(
    survey: Survey, ids: Sequence[str], policies: Mapping[str, Sequence[Mapping[str, Any]]], wanted: Iterable[str]
) -> dict[str, Parameters]:
    """Name -> parameters of alarms whose names begin like ours, are wanted, or act on step policies here.

    Those that AWS makes for target tracking itself are AWS's own, and not looked at.
    """
    begins = [f"capacity-{name.removeprefix('service/')}-" for name in ids]
    questions: list[dict[str, Any]] = [
        {"AlarmNamePrefix": each} for each in (begins if len(ids) <= FEW else ["capacity-"])
    ]
    acting = [
        name
        for listed in policies.values()
        for policy in listed
        if policy["PolicyType"] == "StepScaling"
        for name in _alarm_names(policy)
    ]
    others = [name for name in [*wanted, *acting] if not name.startswith(tuple(begins))]
    questions += [{"AlarmNames": names} for names in parts(others, ALARMS_A_CALL)]
    found: dict[str, Parameters] = {}
    for question in questions:
        types = ["MetricAlarm", "CompositeAlarm"]
        for page in survey.door.pages("cloudwatch", "describe_alarms", "NextToken", AlarmTypes=types, **question):
            for alarm in page.get("MetricAlarms", []):
                found[alarm["AlarmName"]] = told(alarm, "PutMetricAlarm", "cloudwatch")
            found |= {alarm["AlarmName"]: {} for alarm in page.get("CompositeAlarms", [])}
    return found


def _owner(alarm: Parameters) -> str:
    """Resource id of the one service whose policies an alarm acts on; empty when there is none, or more than one."""
    owners = {found[0] for action in acts_on(alarm) if (found := policy_of_arn(action))}
    (owner,) = owners if len(owners) == 1 else ("",)
    return owner


def _with_alarms(one: LiveService, listed: Mapping[str, Parameters], owned: Mapping[str, str]) -> LiveService:
    """The service with its alarms, which name its policies by `arn_placeholder`, so that another ARN is no difference.

    An ARN that is not the policy's own of today stays: the alarm then acts on a policy that was deleted.
    """
    symbols = {arn: arn_placeholder(name) for name, arn in one.arns.items()}
    mine = {name: listed[name] for name, owner in owned.items() if owner == one.resource_id}
    return replace(one, alarms={name: _symbolic(each, symbols) for name, each in mine.items()})


def _symbolic(alarm: Parameters, symbols: Mapping[str, str]) -> Parameters:
    return {
        key: [symbols.get(action, action) for action in value] if key.endswith("Actions") else value
        for key, value in alarm.items()
    }


def _ecs(survey: Survey, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Resource id -> whether ECS has the service, the tasks it wants, its tags; missing where ECS may not be asked."""
    clusters: dict[str, list[str]] = defaultdict(list)
    for name in ids:
        _, cluster, service = name.split("/")
        clusters[cluster].append(service)
    asked = [(cluster, part) for cluster, names in clusters.items() for part in parts(names, SERVICES_A_CALL)]

    def ask(question: tuple[str, list[str]]) -> dict[str, dict[str, Any]]:
        cluster, names = question
        try:
            answer = survey.door.call("ecs", "describe_services", cluster=cluster, services=names, include=["TAGS"])
        except SourceError as error:
            if code_of(error.__cause__)[0] != "ClusterNotFoundException":
                raise
            return {f"service/{cluster}/{name}": {"exists": False} for name in names}
        found: dict[str, dict[str, Any]] = {f"service/{cluster}/{name}": {"exists": False} for name in names}
        for each in answer["services"]:
            if each.get("status", "ACTIVE") == "ACTIVE":
                tags = {tag["key"]: tag.get("value", "") for tag in each.get("tags") or ()}
                known = {"exists": True, "desired": int(each["desiredCount"]), "tags": tags}
                found[f"service/{cluster}/{each['serviceName']}"] = known
        return found

    instead = "How many tasks a lower maximum stops is then not known: look it up before applying."
    return survey.optional(
        "Tasks that services want (ecs:DescribeServices)",
        instead,
        lambda: {name: each for found in survey.together(ask, asked) for name, each in found.items()},
    )


def _tags(survey: Survey, targets: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Resource id -> tags of its scalable target; missing where they may not be read."""
    known = [(name, target["ScalableTargetARN"]) for name, target in targets.items() if target.get("ScalableTargetARN")]

    def ask(question: tuple[str, str]) -> tuple[str, dict[str, str]]:
        name, arn = question
        answer = survey.door.call("application-autoscaling", "list_tags_for_resource", ResourceARN=arn)
        return name, answer.get("Tags", {})

    instead = "Whether CloudFormation or Terraform manages the scalable targets, and would undo a change, is not known."
    return survey.optional("Tags of scalable targets", instead, lambda: dict(survey.together(ask, known)))
