"""A made-up AWS account in the fake: clusters, services and what surrounds them, with AWS's pages and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sources.aws.fake import Answer, Answers, Asked, Complaint

#: A region, and one thing in it as AWS describes it.
Row = tuple[str, dict[str, Any]]

NUMBER = "123456789012"
SOME_DAY = datetime(2026, 8, 3, 8, tzinfo=UTC)


def arn(service: str, region: str, rest: str) -> str:
    return f"arn:aws:{service}:{region}:{NUMBER}:{rest}"


@dataclass
class Account:
    """What the account holds; `answers` is what AWS says of it. Every table is (region, item)."""

    clusters: list[Row] = field(default_factory=list)
    services: list[Row] = field(default_factory=list)
    definitions: list[Row] = field(default_factory=list)
    revisions: list[Row] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    groups: list[Row] = field(default_factory=list)
    balancers: list[Row] = field(default_factory=list)
    subnets: list[Row] = field(default_factory=list)
    targets: list[Row] = field(default_factory=list)
    policies: list[Row] = field(default_factory=list)
    actions: list[Row] = field(default_factory=list)
    quotas: dict[tuple[str, str], float] = field(default_factory=dict)

    def cluster(self, region: str, name: str, insights: str = "disabled", tasks: int = 0) -> None:
        self.clusters.append(
            (
                region,
                {
                    "clusterName": name,
                    "clusterArn": arn("ecs", region, f"cluster/{name}"),
                    "status": "ACTIVE",
                    "settings": [{"name": "containerInsights", "value": insights}],
                    "runningTasksCount": tasks,
                },
            )
        )

    def service(self, region: str, cluster: str, name: str, **said: Any) -> dict[str, Any]:
        """A service as DescribeServices says it: one on Fargate, unless told otherwise."""
        service = {
            "serviceName": name,
            "serviceArn": arn("ecs", region, f"service/{cluster}/{name}"),
            "clusterArn": arn("ecs", region, f"cluster/{cluster}"),
            "status": "ACTIVE",
            "schedulingStrategy": "REPLICA",
            "launchType": "FARGATE",
            "desiredCount": 4,
            "runningCount": 4,
            "deploymentConfiguration": {"minimumHealthyPercent": 50, "maximumPercent": 150, "strategy": "ROLLING"},
            **said,
        }
        self.services.append((region, {key: value for key, value in service.items() if value is not None}))
        return service

    def definition(
        self, region: str, family: str, cpu: str | None = "512", memory: str | None = "1024", **said: Any
    ) -> str:
        name = arn("ecs", region, f"task-definition/{family}:1")
        definition = {"taskDefinitionArn": name, "family": family, "cpu": cpu, "memory": memory, **said}
        definition.setdefault("compatibilities", ["EC2", "FARGATE"])
        self.definitions.append((region, {key: value for key, value in definition.items() if value is not None}))
        return name

    def group(self, region: str, name: str, balancer: str = "", kind: str = "application") -> str:
        """A target group behind a load balancer of that name, if one is named."""
        group = arn("elasticloadbalancing", region, f"targetgroup/{name}/{len(self.groups):016x}")
        short = {"application": "app", "network": "net"}[kind]
        above = arn("elasticloadbalancing", region, f"loadbalancer/{short}/{balancer}/50dc6c495c0c9188")
        self.groups.append((region, {"TargetGroupArn": group, "LoadBalancerArns": [above] if balancer else []}))
        if balancer and above not in [each["LoadBalancerArn"] for _, each in self.balancers]:
            self.balancers.append((region, {"LoadBalancerArn": above, "Type": kind}))
        return group

    def task(self, region: str, cluster: str, service: str, seconds: float) -> None:
        self.tasks.append(
            (
                region,
                {
                    "taskArn": arn("ecs", region, f"task/{cluster}/{len(self.tasks):032x}"),
                    "clusterArn": arn("ecs", region, f"cluster/{cluster}"),
                    "group": f"service:{service}",
                    "createdAt": SOME_DAY,
                    "startedAt": SOME_DAY + timedelta(seconds=seconds),
                },
            )
        )

    def target(self, region: str, cluster: str, service: str, least: int, most: int, **said: Any) -> None:
        self.targets.append(
            (
                region,
                {
                    **_coordinates(cluster, service),
                    "MinCapacity": least,
                    "MaxCapacity": most,
                    "RoleARN": arn("iam", "", "role/scaling"),
                    "CreationTime": SOME_DAY,
                    **said,
                },
            )
        )

    def policy(self, region: str, cluster: str, service: str, name: str, kind: str = "", **configuration: Any) -> None:
        """Target tracking of a predefined metric: TargetValue=60, metric="..."; or, with a kind, as it is told."""
        metric = configuration.pop("metric", "ECSServiceAverageCPUUtilization")
        label = configuration.pop("label", None)
        if not kind:
            predefined = {"PredefinedMetricType": metric, **({"ResourceLabel": label} if label else {})}
            configuration = {
                "TargetTrackingScalingPolicyConfiguration": {
                    "PredefinedMetricSpecification": predefined,
                    **configuration,
                }
            }
        self.policies.append(
            (
                region,
                {
                    **_coordinates(cluster, service),
                    "PolicyARN": arn("autoscaling", region, f"scalingPolicy:{len(self.policies)}"),
                    "PolicyName": name,
                    "PolicyType": kind or "TargetTrackingScaling",
                    "CreationTime": SOME_DAY,
                    **configuration,
                },
            )
        )

    def action(self, region: str, cluster: str, service: str, name: str, schedule: str, **said: Any) -> None:
        self.actions.append(
            (
                region,
                {
                    **_coordinates(cluster, service),
                    "ScheduledActionName": name,
                    "ScheduledActionARN": arn("autoscaling", region, f"scheduledAction:{len(self.actions)}"),
                    "Schedule": schedule,
                    "CreationTime": SOME_DAY,
                    **said,
                },
            )
        )

    @property
    def answers(self) -> dict[tuple[str, str], Answers]:
        ecs: dict[str, Callable[[Asked], Answer]] = {
            "ListClusters": lambda asked: _page(asked, "clusterArns", self._arns(asked, self.clusters, "clusterArn")),
            "DescribeClusters": lambda asked: _described(
                asked, "clusters", 100, self.clusters, ("clusterName", "clusterArn"), failures=True
            ),
            "ListServices": lambda asked: _page(
                asked, "serviceArns", self._arns(asked, self._in_cluster(asked, self.services), "serviceArn")
            ),
            "DescribeServices": lambda asked: _described(
                asked,
                "services",
                10,
                self._in_cluster(asked, self.services),
                ("serviceName", "serviceArn"),
                failures=True,
            ),
            "DescribeTaskDefinition": self._definition,
            "DescribeServiceRevisions": lambda asked: _described(
                asked, "serviceRevisions", 20, self.revisions, ("serviceRevisionArn",), wanted="serviceRevisionArns"
            ),
            "ListTasks": lambda asked: _page(asked, "taskArns", self._tasks(asked)),
            "DescribeTasks": lambda asked: _described(asked, "tasks", 100, self.tasks, ("taskArn",)),
        }
        scaling = {
            "DescribeScalableTargets": ("ScalableTargets", self.targets, 50),
            "DescribeScalingPolicies": ("ScalingPolicies", self.policies, 10),
            "DescribeScheduledActions": ("ScheduledActions", self.actions, 50),
        }
        return {
            **{("ecs", operation): answer for operation, answer in ecs.items()},
            **{("application-autoscaling", name): _scaling(*table) for name, table in scaling.items()},
            ("elbv2", "DescribeTargetGroups"): lambda asked: _balanced(
                asked, "TargetGroups", "TargetGroupArns", self.groups, "TargetGroupArn"
            ),
            ("elbv2", "DescribeLoadBalancers"): lambda asked: _balanced(
                asked, "LoadBalancers", "LoadBalancerArns", self.balancers, "LoadBalancerArn"
            ),
            ("ec2", "DescribeSubnets"): lambda asked: {
                "Subnets": [
                    each for _, each in self.subnets if each["SubnetId"] in asked.params["Filters"][0]["Values"]
                ]
            },
            ("service-quotas", "GetServiceQuota"): self._quota,
            ("service-quotas", "GetAWSDefaultServiceQuota"): self._quota,
        }

    def _arns(self, asked: Asked, table: Iterable[Row], key: str) -> list[str]:
        return [each[key] for region, each in table if region == asked.region]

    def _in_cluster(self, asked: Asked, table: Iterable[Row]) -> list[Row]:
        return [(region, each) for region, each in table if each["clusterArn"].endswith(f"/{asked.params['cluster']}")]

    def _tasks(self, asked: Asked) -> list[str]:
        group = f"service:{asked.params.get('serviceName', '')}"
        there = self._in_cluster(asked, self.tasks)
        kept = [(region, each) for region, each in there if each["group"].startswith(group)]
        return self._arns(asked, kept, "taskArn")

    def _definition(self, asked: Asked) -> Answer:
        name = asked.params["taskDefinition"]
        found = [each for _, each in self.definitions if each["taskDefinitionArn"] == name]
        return {"taskDefinition": found[0]} if found else Complaint("ClientException", "Unable to describe it.")

    def _quota(self, asked: Asked) -> Answer:
        code = asked.params["QuotaCode"]
        value = self.quotas.get((asked.region, code))
        if value is None:
            return Complaint("NoSuchResourceException", "The specified quota does not exist.")
        return {"Quota": {"QuotaCode": code, "Value": value}}


def _coordinates(cluster: str, service: str) -> dict[str, str]:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{cluster}/{service}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }


def _page(asked: Asked, name: str, items: list[Any], size: int = 100, token: str = "nextToken") -> Answer:
    """One page; the token is the position of the next."""
    most = {**asked.params, **{key[:1].lower() + key[1:]: value for key, value in asked.params.items()}}
    count = min(size, most.get("maxResults", 10 if size == 100 else size))
    start = int(most.get("nextToken", 0))
    rest = {token: str(start + count)} if start + count < len(items) else {}
    return {name: items[start : start + count], **rest}


def _described(
    asked: Asked,
    name: str,
    most: int,
    table: list[Row],
    keys: tuple[str, ...],
    *,
    wanted: str = "",
    failures: bool = False,
) -> Answer:
    names = asked.params[wanted or name]
    if len(names) > most:
        return Complaint("InvalidParameterException", f"{name} cannot have more than {most} elements")
    found = [e for region, e in table if region == asked.region and any(e.get(key) in names for key in keys)]
    missing = [each for each in names if not any(each in (e.get(key) for key in keys) for e in found)]
    said = {"failures": [{"arn": each, "reason": "MISSING"} for each in missing]} if failures else {}
    return {name: found, **said}


def _scaling(name: str, table: list[Row], size: int) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        ids = asked.params.get("ResourceIds") or [asked.params.get("ResourceId")]
        there = [each for region, each in table if region == asked.region]
        return _page(asked, name, [e for e in there if ids == [None] or e["ResourceId"] in ids], size, "NextToken")

    return answer


def _balanced(asked: Asked, name: str, wanted: str, table: list[Row], key: str) -> Answer:
    names = asked.params[wanted]
    if len(names) > 20:
        return Complaint("ValidationError", f"{wanted}: at most 20")
    found = [each for region, each in table if region == asked.region and each[key] in names]
    return {name: found} if len(found) == len(names) else Complaint("TargetGroupNotFound", "One or more not found")
