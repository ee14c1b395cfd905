"""The rights we ask for exist, only read unless they say so, are enough, and are what the documentation says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from capacity.errors import InputError
from capacity.sources.aws import Door
from capacity.sources.aws.complaints import action_of
from capacity.sources.aws.compute_optimizer import compute_optimizer
from capacity.sources.aws.ecs import discover
from capacity.sources.aws.policies import PARTS, READING, WRITING, allowed, policy, statement_for
from tests.conftest import ROOT
from tests.sources.aws.allowed import assert_within_policy
from tests.sources.aws.fake import FakeAws
from tests.sources.aws.referee import model
from tests.sources.aws.test_ecs import doors, the_shop

DOCUMENT = (ROOT / "docs/iam.md").read_text(encoding="utf-8")

#: boto3's name of the service behind each prefix of an action.
SERVICES = {"elasticloadbalancing": "elbv2", "servicequotas": "service-quotas"}


@pytest.mark.parametrize("action", sorted(allowed()))
def test_every_action_exists_and_only_reads(action: str) -> None:
    from policy_sentry.querying.actions import get_action_data

    prefix, _, name = action.partition(":")
    known = get_action_data(prefix, name)
    assert known, f"AWS has no action {action}"
    assert {each["access_level"] for each in known[prefix]} <= {"Read", "List"}
    if action != "servicequotas:GetServiceQuota":  # it asks those of services other than ECS and Fargate
        assert {depends for each in known[prefix] for depends in each["dependent_actions"]} <= allowed()


@pytest.mark.parametrize("action", sorted(allowed(*WRITING)))
def test_every_action_that_changes_something_exists_and_is_narrowed(action: str) -> None:
    from policy_sentry.querying.actions import get_action_data

    prefix, _, name = action.partition(":")
    known = get_action_data(prefix, name)
    assert known, f"AWS has no action {action}"
    (statement,) = [each for each in policy(*WRITING)["Statement"] if action in each["Action"]]
    resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    assert all(resource.startswith(f"arn:aws:{prefix}:") for resource in resources)
    possible = {key for each in known[prefix] for key in each["condition_keys"]}
    assert {key for keys in statement.get("Condition", {}).values() for key in keys} <= possible


def test_what_changes_something_is_only_given_to_who_names_it() -> None:
    assert not allowed() & (allowed(*WRITING) - {"ecs:DescribeServices"})
    assert allowed() == allowed(*READING)
    both = policy("diff", "apply")["Statement"]
    assert both == policy("diff")["Statement"] + policy("apply")["Statement"]
    assert all(re.fullmatch("[A-Za-z0-9]+", statement["Sid"]) for statement in both)
    assert statement_for("ecs:DescribeClusters", "eu-west-1") is None


@pytest.mark.parametrize("action", sorted(allowed(*PARTS)))
def test_every_action_is_the_one_that_a_complaint_would_name(action: str) -> None:
    prefix, _, name = action.partition(":")
    service = SERVICES.get(prefix, prefix)
    assert name in model(service).operation_names
    from botocore import xform_name

    assert action_of(service, xform_name(name)) == action


def test_discovery_keeps_within_its_policy_and_uses_all_of_it(keys: None) -> None:
    with FakeAws(the_shop().answers) as aws:
        (door,) = doors(aws)
        discover(door=door)
    assert_within_policy(door, "discover")
    assert {action_of(*call) for call in door.counted} == allowed("discover")


def test_what_names_metrics_keeps_within_the_policy_of_fetch(keys: None) -> None:
    with FakeAws(the_shop().answers) as aws:
        (door,) = doors(aws)
        discover(door=door, measured=True)
    assert_within_policy(door, "fetch")
    assert {action_of(*call) for call in door.counted} == allowed("fetch") - {"cloudwatch:GetMetricData"}


def test_advice_keeps_within_its_policy(keys: None) -> None:
    with FakeAws({("compute-optimizer", "GetECSServiceRecommendations"): {"ecsServiceRecommendations": []}}) as aws:
        (door,) = doors(aws)
        compute_optimizer(door)
    assert_within_policy(door, "advice")


def test_a_call_outside_of_the_policy_is_seen(keys: None) -> None:
    with FakeAws({("ecs", "ListTasks"): {"taskArns": []}}) as aws:
        door = Door(endpoint=aws.url)
        door.call("ecs", "list_tasks")
    with pytest.raises(AssertionError, match="ecs:ListTasks"):
        assert_within_policy(door, "fetch")


def test_parts_are_merged_each_action_once() -> None:
    merged = policy("fetch", "discover")["Statement"]
    assert len(merged) == 1 and merged[0]["Sid"] == "CapacityFetchDiscover"
    assert merged[0]["Action"] == sorted(allowed("fetch") | allowed("discover"))
    read = policy(*READING)
    assert policy() == {**read, "Statement": [{**read["Statement"][0], "Sid": "CapacityRead"}]}
    assert re.fullmatch("[A-Za-z0-9]+", merged[0]["Sid"])
    with pytest.raises(InputError, match="no policy for everything"):
        policy("everything")


@pytest.mark.parametrize("part", PARTS)
def test_the_files_are_whole_policies_themselves(part: str) -> None:
    import capacity.sources.aws.policies as package

    file = Path(package.__path__[0]) / f"{part}.json"
    assert json.loads(file.read_text(encoding="utf-8")) == policy(part)


@pytest.mark.parametrize("part", PARTS)
def test_the_documentation_shows_the_files_and_explains_each_action(part: str) -> None:
    section = DOCUMENT.partition(f"## `{part}`")[2].partition("\n## ")[0]
    (shown,) = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    assert json.loads(shown) == policy(part)
    explained = re.findall(r"^\| `([a-z0-9-]+:[A-Za-z]+)` \|", section, re.MULTILINE)
    assert sorted(explained) == sorted(allowed(part))
