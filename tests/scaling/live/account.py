"""A made-up account that can be changed, as AWS documents it, where moto is not like AWS (reference aws.md 8.4).

Registering moves the count of tasks into the bounds; what has no target is not found; an update keeps ARN and creation
time; one metric is tracked once; what is over is refused; pages are as small as AWS's; taking a target away takes all
that stands on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore import xform_name

from tests.sources.aws.account import NUMBER, Account, Row, arn
from tests.sources.aws.fake import Answer, Answers, Asked, Complaint

WHO = f"arn:aws:sts::{NUMBER}:assumed-role/planner/me"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
OPERATIONS = {
    "RegisterScalableTarget",
    "DeregisterScalableTarget",
    "PutScalingPolicy",
    "DeleteScalingPolicy",
    "PutScheduledAction",
    "DeleteScheduledAction",
}


@dataclass
class Changing(Account):
    """An account, with its alarms, tags and how it changes. `before` and `after` see every change and may fail it."""

    alarms: list[Row] = field(default_factory=list)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    number: str = NUMBER
    now: datetime = LONG_AGO
    before: Callable[[str], Answer | None] = lambda operation: None
    after: Callable[[str], Answer | None] = lambda operation: None
    made: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def running(self, *names: str, desired: int = 4, region: str = "us-east-1", cluster: str = "prod") -> None:
        for name in names:
            self.service(region, cluster, name, desiredCount=desired)

    def desired(self, name: str) -> int:
        (found,) = [each["desiredCount"] for _, each in self.services if each["serviceName"] == name]
        return int(found)

    def standing(self) -> dict[str, list[Any]]:
        """Everything that scales, without when it was made and by which ARN."""
        merely = ("ARN", "Time", "Alarms")
        tables = {"targets": self.targets, "policies": self.policies, "actions": self.actions}
        found: dict[str, list[Any]] = {
            name: sorted(json.dumps(_without(each, merely), sort_keys=True) for _, each in table)
            for name, table in tables.items()
        }
        return found | {"alarms": sorted((each["AlarmName"], each["Threshold"]) for _, each in self.alarms)}

    @property
    def answers(self) -> dict[tuple[str, str], Answers]:
        changing: dict[tuple[str, str], Answers] = {
            ("application-autoscaling", operation): self._changed for operation in OPERATIONS
        }
        return {
            **super().answers,
            **changing,
            ("cloudwatch", "PutMetricAlarm"): self._changed,
            ("cloudwatch", "DeleteAlarms"): self._changed,
            ("cloudwatch", "DescribeAlarms"): self._alarms,
            ("application-autoscaling", "ListTagsForResource"): lambda asked: {
                "Tags": self.tags.get(asked.params["ResourceARN"], {})
            },
            ("sts", "GetCallerIdentity"): lambda asked: {"Account": self.number, "Arn": WHO, "UserId": "me"},
        }

    def _changed(self, asked: Asked) -> Answer:
        failed = self.before(asked.operation)
        if failed is not None:
            return failed
        answer = getattr(self, f"_{xform_name(asked.operation)}")(asked)
        if not isinstance(answer, Complaint):
            self.made.append((asked.operation, asked.params))
        failed = self.after(asked.operation)
        return answer if failed is None else failed

    def _register_scalable_target(self, asked: Asked) -> Answer:
        params = asked.params
        _, cluster, name = params["ResourceId"].split("/")
        service = next((each for _, each in self.services if each["serviceName"] == name), None)
        if service is None:
            return Complaint("ValidationException", f"ECS service doesn't exist: {params['ResourceId']}")
        target = self._one(self.targets, params)
        if target is None:
            if not {"MinCapacity", "MaxCapacity"} <= params.keys():
                return Complaint("ValidationException", "MinCapacity and MaxCapacity are required")
            self.target(asked.region, cluster, name, params["MinCapacity"], params["MaxCapacity"])
            target = self.targets[-1][1]
            target["ScalableTargetARN"] = arn("application-autoscaling", asked.region, f"scalable-target/{name}")
        proposed: dict[str, Any] = {
            **target,
            **{key: params[key] for key in ("MinCapacity", "MaxCapacity", "SuspendedState") if key in params},
        }
        if proposed["MinCapacity"] > proposed["MaxCapacity"]:
            return Complaint("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        target |= proposed
        service["desiredCount"] = min(max(service["desiredCount"], target["MinCapacity"]), target["MaxCapacity"])
        return {"ScalableTargetARN": target["ScalableTargetARN"]}

    def _deregister_scalable_target(self, asked: Asked) -> Answer:
        if self._one(self.targets, asked.params) is None:
            return _absent()
        for table in (self.targets, self.policies, self.actions):
            table[:] = [row for row in table if row[1]["ResourceId"] != asked.params["ResourceId"]]
        return {}

    def _put_scaling_policy(self, asked: Asked) -> Answer:
        params = asked.params
        if self._one(self.targets, params) is None:
            return _absent()
        tracked = _tracked(params)
        others = [each for _, each in self.policies if each["ResourceId"] == params["ResourceId"]]
        others = [each for each in others if each["PolicyName"] != params["PolicyName"]]
        if tracked and any(_tracked(each) == tracked for each in others):
            message = "Only one TargetTrackingScaling policy for a given metric specification is allowed."
            return Complaint("ValidationException", message)
        policy = self._one(self.policies, params, "PolicyName")
        if policy is None:
            named = f"resource/ecs/{params['ResourceId']}:policyName/{params['PolicyName']}"
            own = f"scalingPolicy:{len(self.made):08x}:{named}"
            policy = {"PolicyARN": arn("autoscaling", asked.region, own), "CreationTime": self.now}
            self.policies.append((asked.region, policy))
        elif policy["PolicyType"] != params["PolicyType"]:
            return Complaint("ValidationException", "the type of a policy cannot be changed")
        policy |= params
        return {"PolicyARN": policy["PolicyARN"], "Alarms": []}

    def _delete_scaling_policy(self, asked: Asked) -> Answer:
        return self._gone(self.policies, asked, "PolicyName")

    def _put_scheduled_action(self, asked: Asked) -> Answer:
        params = asked.params
        if self._one(self.targets, params) is None:
            return _absent()
        action = self._one(self.actions, params, "ScheduledActionName")
        if action is None:
            own = arn("autoscaling", asked.region, f"scheduledAction:{len(self.made)}")
            action = {"ScheduledActionARN": own, "CreationTime": self.now}
            self.actions.append((asked.region, action))
        kept = {key: action[key] for key in ("ScheduledActionARN", "CreationTime")}
        action.clear()
        action |= {**kept, "Timezone": "UTC", **params}
        return {}

    def _delete_scheduled_action(self, asked: Asked) -> Answer:
        return self._gone(self.actions, asked, "ScheduledActionName")

    def _put_metric_alarm(self, asked: Asked) -> Answer:
        known = {each["PolicyARN"] for _, each in self.policies}
        if not set(asked.params.get("AlarmActions", [])) <= known:
            return Complaint("ValidationError", "Invalid arn syntax or no such policy")
        self.alarms[:] = [row for row in self.alarms if row[1]["AlarmName"] != asked.params["AlarmName"]]
        self.alarms.append((asked.region, {"ActionsEnabled": True, "OKActions": [], **asked.params}))
        return {}

    def _delete_alarms(self, asked: Asked) -> Answer:
        self.alarms[:] = [row for row in self.alarms if row[1]["AlarmName"] not in asked.params["AlarmNames"]]
        return {}

    def _alarms(self, asked: Asked) -> Answer:
        prefix, names = asked.params.get("AlarmNamePrefix"), asked.params.get("AlarmNames")
        found = [
            each
            for region, each in self.alarms
            if region == asked.region
            and (prefix is None or each["AlarmName"].startswith(prefix))
            and (names is None or each["AlarmName"] in names)
        ]
        start = int(asked.params.get("NextToken", 0))
        more = {"NextToken": str(start + 50)} if start + 50 < len(found) else {}
        return {"MetricAlarms": found[start : start + 50], "CompositeAlarms": [], **more}

    def _one(self, table: list[Row], params: dict[str, Any], name: str = "ResourceId") -> dict[str, Any] | None:
        keys = ("ResourceId", name)
        return next((each for _, each in table if all(each[key] == params[key] for key in keys)), None)

    def _gone(self, table: list[Row], asked: Asked, name: str) -> Answer:
        found = self._one(table, asked.params, name)
        if found is None:
            return _absent()
        table[:] = [row for row in table if row[1] is not found]
        return {}


def _without(each: dict[str, Any], endings: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in each.items() if not key.endswith(endings) or key in ("StartTime", "EndTime")}


def _absent() -> Complaint:
    return Complaint("ObjectNotFoundException", "No such thing found for service namespace: ecs")


def _tracked(policy: dict[str, Any]) -> Any:
    configuration = policy.get("TargetTrackingScalingPolicyConfiguration", {})
    return configuration.get("PredefinedMetricSpecification") or configuration.get("CustomizedMetricSpecification")
