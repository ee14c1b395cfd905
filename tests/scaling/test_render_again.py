"""Each document for AWS reads back as what was meant: bounds, target, steps, forecast and schedule of any policy."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from typing import Any

import pandas as pd
from hypothesis import given, settings

from capacity.scaling import PredictiveScaling, ScheduledAction, ServicePolicy, Step, StepScaling, TargetTracking
from capacity.scaling.checks import check_policy
from capacity.scaling.render.calls import arn_placeholder
from capacity.scaling.render.configurations import PLACEHOLDER
from tests.scaling import hcl
from tests.scaling.any_policy import service_policies
from tests.scaling.aws_model import problems
from tests.scaling.policies import fleet, scheduled, tracking, web

Said = dict[str, Any]

#: How each predefined metric is called in AWS's words, back to ours.
METRICS = {
    "ECSServiceAverageCPUUtilization": ("cpu", 60),
    "ECSServiceAverageMemoryUtilization": ("memory", 60),
    "ECSServiceAverageCPUUtilizationHighResolution": ("cpu", 20),
    "ECSServiceAverageMemoryUtilizationHighResolution": ("memory", 20),
    "ALBRequestCountPerTarget": ("requests", 60),
    "ECSServiceCPUUtilization": ("cpu", 60),
    "ECSServiceMemoryUtilization": ("memory", 60),
    "ALBRequestCount": ("requests", 60),
    "CPUUtilization": ("cpu", 60),
    "MemoryUtilization": ("memory", 60),
    "RequestCountPerTarget": ("requests", 60),
}


def of_policy(policy: dict[str, Any]) -> Any:
    """A `put_scaling_policy` as our own noun; of a ladder, all but what its alarm says."""
    if policy["PolicyType"] == "TargetTrackingScaling":
        said = policy["TargetTrackingScalingPolicyConfiguration"]
        metric, resolution = METRICS[said["PredefinedMetricSpecification"]["PredefinedMetricType"]]
        cooldowns = (said["ScaleOutCooldown"], said["ScaleInCooldown"])
        return TargetTracking(metric, said["TargetValue"], *cooldowns, said["DisableScaleIn"], resolution)  # type: ignore[arg-type]
    if policy["PolicyType"] == "PredictiveScaling":
        said = policy["PredictiveScalingPolicyConfiguration"]
        (one,) = said["MetricSpecifications"]
        metric, _ = METRICS[one["PredefinedMetricPairSpecification"]["PredefinedMetricType"]]
        over = said.get("MaxCapacityBuffer")
        assert (said["MaxCapacityBreachBehavior"] == "IncreaseMaxCapacity") == (over is not None)
        return PredictiveScaling(metric, one["TargetValue"], said["Mode"], said["SchedulingBufferTime"], over)  # type: ignore[arg-type]
    said = policy["StepScalingPolicyConfiguration"]
    rungs = tuple(
        Step(one["MetricIntervalLowerBound"], one.get("MetricIntervalUpperBound"), one["ScalingAdjustment"])
        for one in said["StepAdjustments"]
    )
    by = {"ChangeInCapacity": "tasks", "PercentChangeInCapacity": "percent"}[said["AdjustmentType"]]
    return StepScaling("cpu", 0, rungs, by=by, cooldown=said["Cooldown"], least=said.get("MinAdjustmentMagnitude", 0))  # type: ignore[arg-type]


def with_alarm(steps: StepScaling, alarm: dict[str, Any]) -> StepScaling:
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert (alarm["Period"], alarm["DatapointsToAlarm"]) == (60, alarm["EvaluationPeriods"])
    metric, _ = METRICS[alarm["MetricName"]]
    return replace(steps, metric=metric, threshold=alarm["Threshold"], minutes=alarm["EvaluationPeriods"])  # type: ignore[arg-type]


def of_action(said: dict[str, Any]) -> ScheduledAction:
    dates = [pd.Timestamp(said[name]) if name in said else None for name in ("StartTime", "EndTime")]
    bounds_of = (said["ScalableTargetAction"]["MinCapacity"], said["ScalableTargetAction"]["MaxCapacity"])
    return ScheduledAction(said["ScheduledActionName"], said["Schedule"], *bounds_of, said["Timezone"], *dates)


def gathered(target: dict[str, Any], policies: list[dict[str, Any]], alarms: list[Any], actions: list[Any]) -> Said:
    found = {type(one).__name__: one for one in map(of_policy, policies)}
    if alarms:
        found["StepScaling"] = with_alarm(found["StepScaling"], *alarms)
    return {
        "resource": target["ResourceId"],
        "bounds": (target["MinCapacity"], target["MaxCapacity"]),
        "schedule": tuple(map(of_action, actions)),
        **found,
    }


def meant(one: ServicePolicy) -> Said:
    steps = one.steps
    if steps is not None and steps.by == "tasks":
        steps = replace(steps, least=0)  # says nothing beside a count of tasks
    parts = {"TargetTracking": one.tracking, "StepScaling": steps, "PredictiveScaling": one.predictive}
    return {
        "resource": one.service.resource_id,
        "bounds": (one.min_tasks, one.max_tasks),
        "schedule": one.schedule,
        **{name: part for name, part in parts.items() if part is not None},
    }


def of_calls(calls: list[dict[str, Any]]) -> Said:
    def having(operation: str) -> list[dict[str, Any]]:
        return [call["parameters"] for call in calls if call["operation"] == operation]

    (target,) = having("register_scalable_target")
    alarms = having("put_metric_alarm")
    policies, actions = having("put_scaling_policy"), having("put_scheduled_action")
    return gathered(target, policies, alarms, actions)


def of_commands(commands: list[str]) -> Said:
    calls = []
    for command in commands:
        program, client, operation, *options = shlex.split(command)
        assert program == "aws"
        parameters: dict[str, Any] = {}
        for option in options:
            name, _, text = option.partition("=")
            key = "".join(part.capitalize() for part in name.removeprefix("--").split("-"))
            structure = key in _NUMBERS or key.endswith("Configuration") or key in _LISTS
            parameters[key] = json.loads(text) if structure else text
        calls.append({"client": client, "operation": operation.replace("-", "_"), "parameters": parameters})
    return of_calls(calls)


_NUMBERS = ("MinCapacity", "MaxCapacity", "Threshold", "Period", "EvaluationPeriods", "DatapointsToAlarm")
_LISTS = ("Dimensions", "AlarmActions", "ScalableTargetAction")


def of_template(text: str) -> Said:
    resources = json.loads(text)["Resources"].values()
    kinds = {kind: [one["Properties"] for one in resources if one["Type"] == kind] for kind in CFN}
    (target,), policies, alarms = kinds.values()
    assert all(policy["ScalingTargetId"] == {"Ref": next(iter(json.loads(text)["Resources"]))} for policy in policies)
    return gathered(target, policies, alarms, target.get("ScheduledActions", []))


CFN = (
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudWatch::Alarm",
)


def api(block: dict[str, Any]) -> dict[str, Any]:
    """A block of the provider in the API's words."""
    lists = {"step_adjustment": "StepAdjustments", "metric_specification": "MetricSpecifications"}
    found: dict[str, Any] = {}
    for name, value in block.items():
        key = lists.get(name, "".join(part.capitalize() for part in name.split("_")))
        if name in lists:
            found[key] = [api(one) for one in value]
        else:
            found[key] = api(value[0]) if isinstance(value, list) and name != "labels" else value
    return found


def of_terraform(text: str) -> Said:
    blocks: dict[str, list[dict[str, Any]]] = {}
    for block in hcl.read(text)["resource"]:
        blocks.setdefault(block["labels"][0], []).append(api(block))
    (target,) = blocks["aws_appautoscaling_target"]
    policies = [one | {"PolicyName": one["Name"]} for one in blocks["aws_appautoscaling_policy"]]
    actions = blocks.get("aws_appautoscaling_scheduled_action", [])
    actions = [one | {"ScheduledActionName": one["Name"]} for one in actions]
    return gathered(target, policies, blocks.get("aws_cloudwatch_metric_alarm", []), actions)


@settings(max_examples=20)
@given(service_policies())
def test_every_language_of_aws_says_the_whole_policy(one: ServicePolicy) -> None:
    assert [finding for finding in check_policy(one) if finding.status == "FAIL"] == []
    policy, expected = fleet(one), meant(one)
    calls = policy.render("boto3")
    plain = re.fullmatch(r"[ -~]+", one.service.resource_id)  # else AWS has no such service, and says so
    assert [problem for call in calls for problem in problems(call) if plain or "ResourceId" not in problem] == []
    assert of_calls(calls) == expected
    assert of_commands(policy.render("cli")) == expected
    if "{{resolve:" not in one.service.name:
        assert of_template(policy.render("cloudformation")) == expected
    assert of_terraform(policy.render("terraform")) == expected
    table = policy.render("table")
    assert all(line.isprintable() for line in table.splitlines())
    rungs = len(one.steps.steps) if one.steps is not None else 0
    assert len(table.splitlines()) == 2 + rungs + (one.predictive is not None) + len(one.schedule)


def test_an_alarm_calls_the_very_policy_that_was_put_before_it() -> None:
    steps = StepScaling("cpu", 80, (Step(0, None, 20),))
    policy = fleet(replace(scheduled(), steps=steps))
    calls = policy.render("boto3")
    put = next(n for n, call in enumerate(calls) if call["parameters"].get("PolicyType") == "StepScaling")
    assert calls[put + 1]["operation"] == "put_metric_alarm"
    name = calls[put]["parameters"]["PolicyName"]
    assert calls[put + 1]["parameters"]["AlarmActions"] == [arn_placeholder(name)]
    assert arn_placeholder(name) in policy.render("cli")[put + 1]
    alarm = json.loads(policy.render("cloudformation"))["Resources"]["WebStepsAlarm"]
    assert alarm["Properties"]["AlarmActions"] == [{"Ref": "WebSteps"}]
    assert "alarm_actions       = [aws_appautoscaling_policy.web_steps.arn]" in policy.render("terraform")


def test_an_unknown_label_is_one_hole_for_all_parts() -> None:
    steps, foreseen = StepScaling("requests", 3000, (Step(0, None, 20),)), PredictiveScaling("requests", 2400)
    one = tracking(web(alb_resource_label=""), steps=steps, predictive=foreseen)
    template = json.loads(fleet(one).render("cloudformation"))
    assert list(template["Parameters"]) == ["WebAlbResourceLabel"]
    assert PLACEHOLDER not in json.dumps(template)
    text = fleet(one).render("terraform")
    assert PLACEHOLDER not in text
    assert text.count('variable "web_alb_resource_label"') == 1


def test_cloudformations_own_linter_has_nothing_to_say_but_of_what_was_made_wrong() -> None:
    from cfnlint.api import lint_all  # type: ignore[import-untyped, unused-ignore]

    steps, foreseen = (
        StepScaling("requests", 3000, (Step(0, 500, 20), Step(500, None, 60))),
        PredictiveScaling("cpu", 60),
    )
    many = fleet(
        replace(scheduled(), steps=steps, predictive=PredictiveScaling("requests", 2400, over=10)),
        tracking(web(name="unlabelled", alb_resource_label=""), steps=replace(steps, by="tasks")),
        tracking(web(name="fine"), tracking=TargetTracking("cpu", 60, resolution=20), predictive=foreseen),
    )
    template = many.render("cloudformation")
    resources = json.loads(template)["Resources"]
    wrong = json.dumps(resources["FinePredictive"]).replace("ECSServiceCPUUtilization", "ECSServiceCpu")
    both = json.dumps({**json.loads(template), "Resources": {**resources, "Wrong": json.loads(wrong)}})
    said = [match for match in lint_all(both) if not match.rule.id.startswith("I")]  # I: for information
    assert [(match.rule.id[0], match.path[:2]) for match in said] == [("E", ["Resources", "Wrong"])]
