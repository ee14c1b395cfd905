"""Calls that someone saved and reviewed are read as strictly as AWS would, and nothing else is made of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from capacity.errors import InputError
from capacity.scaling import Policy
from capacity.scaling.live.items import Item
from capacity.scaling.live.wanted import wanted_of
from tests.scaling.live.fleet import NAMES, REGION, fleet, scheduled
from tests.scaling.policies import tracking, web


def calls() -> list[dict[str, Any]]:
    saved: list[dict[str, Any]] = json.loads(json.dumps(Policy((scheduled(),)).render("boto3")))
    return saved


def test_the_saved_calls_of_a_policy_are_the_policy() -> None:
    policy = fleet()
    saved = json.loads(json.dumps(policy.render("boto3")))
    ours, theirs = wanted_of(policy, "eu-west-1"), wanted_of(saved, REGION)
    assert theirs.items == ours.items and theirs.prefixes == ours.prefixes
    assert ours.places == [(REGION, f"service/prod/{name}") for name in NAMES]


def test_calls_of_several_regions_go_where_their_services_are() -> None:
    saved = [*calls(), *Policy((tracking(web(name="api")),)).render("boto3")]
    wanted = wanted_of(saved, "eu-west-1", {"service/prod/web": "us-east-2"})
    assert wanted.places == [("us-east-2", "service/prod/web"), ("eu-west-1", "service/prod/api")]
    assert Item("us-east-2", "service/prod/web", "alarm", "capacity-prod/web-cpu-steps") in wanted.items


def test_an_alarm_is_of_the_service_whose_policy_it_acts_on_also_in_two_clusters() -> None:
    both = Policy((scheduled(), scheduled("blue/web")))  # `blue/web` in cluster prod is another name in ECS
    del both
    one, two = (
        calls(),
        json.loads(
            json.dumps(calls()).replace("service/prod/", "service/blue/").replace("capacity-prod/", "capacity-blue/")
        ),
    )
    wanted = wanted_of([*one, *two], REGION)
    for cluster in ("prod", "blue"):
        assert list(wanted.of((REGION, f"service/{cluster}/web"), "alarm")) == [f"capacity-{cluster}/web-cpu-steps"]


def test_some_services_of_a_file_can_be_chosen() -> None:
    wanted = wanted_of(fleet(), REGION)
    assert wanted.only(["web-2"]).places == wanted.only(["prod/web-2"]).places == [(REGION, "service/prod/web-2")]
    with pytest.raises(InputError, match=r"no call is of a service 'we'[\s\S]*prod/web, prod/web-2"):
        wanted.only(["we"])


def changed(position: int, **parameters: Any) -> list[dict[str, Any]]:
    saved = calls()
    saved[position]["parameters"] |= parameters
    return saved


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        ([*calls(), "rm -rf /"], "call 8: 'rm -rf /' is no"),
        (
            [{"client": "ecs", "operation": "delete_service", "parameters": {}}],
            "ecs delete_service is no call of a policy",
        ),
        (
            [{"client": "application-autoscaling", "operation": "deregister_scalable_target", "parameters": {}}],
            "is no call of a policy",
        ),
        (changed(0, MinCapacity=41), "MinCapacity 41 is above MaxCapacity 40"),
        (changed(0, MinCapacity="2"), "MinCapacity"),
        (changed(0, ResourceId="table/orders"), "is not service/CLUSTER/SERVICE"),
        (changed(0, ServiceNamespace="dynamodb"), "only the count of ECS services"),
        (changed(1, PolicyType="Predictive"), "'Predictive' is none of"),
        (changed(1, PolicyName="x" * 300), "300 characters, at most 256"),
        (changed(1, Surprise=1), "Surprise"),
        (changed(4, Schedule="cron(0 6 * * * *)"), "exactly one of"),
        (changed(4, Schedule="rate(5 minutes)"), "neither cron"),
        (changed(4, Timezone="Mars/Olympus"), "not an IANA zone"),
        (changed(4, ScheduledActionName="a:b"), "does not match"),
        (changed(3, AlarmActions=["arn:aws:sns:us-east-1:1:ops"]), "acts on no policy of these calls"),
        ([*calls(), calls()[4]], "action capacity-web-daily-0600 came before"),
        ([*calls(), calls()[3]], "alarm capacity-prod/web-cpu-steps came before"),
        (calls()[1:], "no register_scalable_target states"),
        (Policy((tracking(web(alb_resource_label="")),)).render("boto3"), "PUT-ALB-RESOURCE-LABEL-HERE"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_call_and_the_reason(saved: list[Any], words: str) -> None:
    with pytest.raises(InputError, match="these calls cannot be made") as refused:
        wanted_of(saved, REGION)
    assert words in str(refused.value)


def test_everything_wrong_is_told_at_once() -> None:
    saved = changed(0, MinCapacity=41)
    saved[4]["parameters"]["Timezone"] = "Mars/Olympus"
    with pytest.raises(InputError) as refused:
        wanted_of(saved, REGION)
    assert [problem.where for problem in refused.value.problems][:2] == ["call 1", "call 5"]
