"""The fake is no kinder than AWS: what AWS refuses, it refuses, in each protocol."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from capacity.errors import SourceError
from capacity.sources.aws import Door
from tests.sources.aws.fake import FakeAws
from tests.sources.aws.referee import request_problems
from tests.sources.aws.wire import FORMS, JSON


@pytest.fixture(autouse=True)
def _keys(keys: None) -> None:
    """Every test here signs with made-up keys."""


@pytest.mark.parametrize("service", JSON)
def test_botocore_speaks_json_to_the_services_that_the_fake_answers_in_json(service: str) -> None:
    assert Door("eu-west-1").client(service).meta.service_model.resolved_protocol == "json"


@pytest.mark.parametrize("service", FORMS)
def test_and_forms_to_the_others(service: str) -> None:
    assert Door("eu-west-1").client(service).meta.service_model.resolved_protocol in ("query", "ec2")


@pytest.mark.parametrize(
    ("service", "operation", "params", "wrong"),
    [
        ("application-autoscaling", "DescribeScalableTargets", {"ServiceNamespace": "esc"}, "'esc' is none of ecs"),
        (
            "application-autoscaling",
            "DescribeScalableTargets",
            {"ServiceNamespace": "ecs", "ResourceIds": ["service/a/b"] * 51},
            "51 items, at most 50",
        ),
        ("compute-optimizer", "GetECSServiceRecommendations", {"maxResults": 1001}, "1001, at most 1000"),
        ("service-quotas", "GetServiceQuota", {"ServiceCode": "ecs", "QuotaCode": "L 1"}, "does not match"),
        ("ecs", "DescribeServices", {"cluster": "a"}, 'Missing required parameter in input: "services"'),
        ("ecs", "ListTasks", {"clusterName": "a"}, "Unknown parameter"),
    ],
)
def test_the_referee_sees_what_botocore_lets_pass(service: str, operation: str, params: Any, wrong: str) -> None:
    (problem,) = request_problems(service, operation, params)
    assert wrong in problem


def test_a_wrong_request_is_refused_and_fails_the_test_that_made_it() -> None:
    def test() -> None:
        with FakeAws({("ecs", "ListTasks"): {"taskArns": []}}) as aws:
            door = Door(endpoint=aws.url)
            with pytest.raises(SourceError, match="'RUNNING!' is none of RUNNING"):
                door.call("ecs", "list_tasks", desiredStatus="RUNNING!")

    with pytest.raises(AssertionError, match="RUNNING!"):
        test()


def test_an_answer_that_aws_would_not_give_fails_the_test_that_gave_it() -> None:
    def test() -> None:
        with FakeAws({("ecs", "ListTasks"): {"tasks": []}}) as aws:
            Door(endpoint=aws.url, sleep=lambda seconds: None).call("ecs", "list_tasks")

    with pytest.raises(SourceError, match="Unknown parameter"):
        test()


def test_what_it_is_told_arrives_unchanged_in_each_protocol() -> None:
    moment = datetime(2026, 8, 3, 12, 30, tzinfo=UTC)
    group = {"TargetGroupArn": "a<b>&", "LoadBalancerArns": ["x", "y"], "Matcher": {"HttpCode": "200"}, "Port": 80}
    answers: dict[tuple[str, str], Any] = {
        ("ecs", "DescribeTasks"): {"tasks": [{"group": "service:web", "createdAt": moment}]},
        ("elbv2", "DescribeTargetGroups"): {"TargetGroups": [group], "NextMarker": "m"},
        ("ec2", "DescribeSubnets"): {"Subnets": [{"SubnetId": "s-1", "AvailabilityZone": "eu-west-1a"}]},
    }
    filters = [{"Name": "subnet-id", "Values": ["s-1", "s-2"]}]
    with FakeAws(answers) as aws:
        door = Door("eu-west-1", endpoint=aws.url)
        tasks = door.call("ecs", "describe_tasks", tasks=["t"])["tasks"]
        groups = door.call("elbv2", "describe_target_groups", TargetGroupArns=["a<b>&"], PageSize=7)
        subnets = door.call("ec2", "describe_subnets", Filters=filters)["Subnets"]
    assert tasks == [{"group": "service:web", "createdAt": moment}]
    assert groups["TargetGroups"] == [group] and groups["NextMarker"] == "m"
    assert subnets == [{"SubnetId": "s-1", "AvailabilityZone": "eu-west-1a"}]
    assert [each.params for each in aws.asked[1:]] == [
        {"TargetGroupArns": ["a<b>&"], "PageSize": 7},
        {"Filters": filters},
    ]
    assert {each.region for each in aws.asked} == {"eu-west-1"}
