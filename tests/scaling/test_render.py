"""Every rendering says the same, passes AWS's own rules, and holds any name without reading it."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from capacity.config import Service
from capacity.errors import InputError
from capacity.scaling import Policy, ServicePolicy, TargetTracking, check_policy
from capacity.scaling.render import KINDS
from capacity.scaling.render.cloudformation import logical_names
from capacity.scaling.render.configurations import PLACEHOLDER
from capacity.scaling.render.terraform import quoted, resource_names
from tests.scaling.any_policy import NASTY, names
from tests.scaling.aws_model import problems
from tests.scaling.hcl import strings
from tests.scaling.policies import LABEL, fleet, scheduled, tracking, web


def named(name: str, metric: str = "cpu") -> ServicePolicy:
    service = web(name=name)
    if metric == "cpu":
        return replace(scheduled(service), tracking=TargetTracking("cpu", 60))
    return scheduled(service)


def values(text: Any) -> list[Any]:
    """Every leaf of nested lists and dicts."""
    if isinstance(text, dict):
        return [leaf for value in text.values() for leaf in values(value)]
    if isinstance(text, list):
        return [leaf for value in text for leaf in values(value)]
    return [text]


@pytest.mark.parametrize("policy", [tracking(), scheduled(), named("web"), tracking(web(alb_resource_label=""))])
def test_boto3_calls_pass_botocores_model_and_the_constraints_it_skips(policy: ServicePolicy) -> None:
    calls = fleet(policy).render("boto3")
    assert [call["operation"] for call in calls[:2]] == ["register_scalable_target", "put_scaling_policy"]
    assert len(calls) == 2 + len(policy.schedule)
    assert [problem for call in calls for problem in problems(call)] == []
    assert json.loads(json.dumps(calls)) == calls


def test_the_referee_sees_what_botocore_lets_pass() -> None:
    calls = fleet(scheduled()).render("boto3")
    calls[1]["parameters"]["PolicyType"] = "Predictive"
    calls[2]["parameters"]["ScheduledActionName"] = "a" * 300
    calls[3]["parameters"]["ScalableTargetAction"]["MinCapacity"] = "2"
    assert [bool(problems(call)) for call in calls] == [False, True, True, True, False]


def test_requests_per_task_are_tracked_at_the_target_group_of_the_load_balancer() -> None:
    call = fleet(tracking()).render("boto3")[1]
    configuration = call["parameters"]["TargetTrackingScalingPolicyConfiguration"]
    metric = configuration["PredefinedMetricSpecification"]
    assert metric == {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": LABEL}
    assert configuration["TargetValue"] == 2400
    assert call["parameters"]["ResourceId"] == "service/prod/web"


def test_a_missing_resource_label_is_a_named_hole_in_every_format() -> None:
    policy = fleet(tracking(web(alb_resource_label="")))
    assert PLACEHOLDER in json.dumps(policy.render("boto3"))
    assert PLACEHOLDER in "\n".join(policy.render("cli"))
    template = json.loads(policy.render("cloudformation"))
    assert list(template["Parameters"]) == ["WebAlbResourceLabel"]
    assert "var.web_alb_resource_label" in policy.render("terraform")
    assert any(finding.check == "label" for finding in check_policy(policy))


def test_cloudformation_holds_bounds_schedule_and_target_of_every_service() -> None:
    template = json.loads(fleet(scheduled(), named("api")).render("cloudformation"))
    resources = template["Resources"]
    assert list(resources) == ["WebTarget", "WebPolicy", "ApiTarget", "ApiPolicy"]
    target, policy = resources["WebTarget"], resources["WebPolicy"]
    assert target["Type"] == "AWS::ApplicationAutoScaling::ScalableTarget"
    assert target["Properties"]["ScheduledActions"][0] == {
        "ScheduledActionName": "capacity-web-up",
        "Schedule": "cron(55 7 ? * MON-FRI *)",
        "Timezone": "Europe/Paris",
        "EndTime": "2027-02-22T00:00:00Z",
        "ScalableTargetAction": {"MinCapacity": 12, "MaxCapacity": 40},
    }
    assert policy["Properties"]["ScalingTargetId"] == {"Ref": "WebTarget"}
    assert policy["Properties"]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 2400
    assert "Parameters" not in template


@settings(max_examples=40)
@given(names)
def test_no_name_breaks_or_enters_a_document(name: str) -> None:
    name = name.strip()
    policy = fleet(named(name), tracking(web(name=f"{name}-2"))) if name != f"{name}-2" else fleet(named(name))
    calls = policy.render("boto3")
    assert calls[0]["parameters"]["ResourceId"] == f"service/prod/{name}"
    assert [problem for call in calls for problem in problems(call) if "ResourceId" not in problem] == []
    if "{{resolve:" not in name:
        template = json.loads(policy.render("cloudformation"))
        assert f"service/prod/{name}" in values(template)
        assert all(re.fullmatch("[A-Za-z0-9]+", logical) for logical in template["Resources"])
    assert f"service/prod/{name}" in strings(policy.render("terraform"))
    rows = policy.render("table").splitlines()
    assert len(rows) == 1 + 1 + 3 + 1
    assert all(row.isprintable() for row in rows)


@pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform is not installed")
def test_terraform_reads_every_string_back_and_likes_the_format(tmp_path: Any) -> None:
    asked = f"base64encode(jsonencode([{', '.join(quoted(name) for name in NASTY)}]))"
    command = ["terraform", "console"]
    run = subprocess.run(command, input=asked, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert json.loads(base64.b64decode(run.stdout.strip().strip('"'))) == NASTY
    text = fleet(scheduled(), tracking(web(name="a", alb_resource_label="")), *map(named, NASTY)).render("terraform")
    formatted = subprocess.run(
        ["terraform", "fmt", "-no-color", "-"], input=text, capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert formatted.stdout == text


def test_a_dynamic_reference_in_a_name_is_refused_by_cloudformation() -> None:
    with pytest.raises(InputError, match="resolve"):
        fleet(named("{{resolve:secretsmanager:x}}")).render("cloudformation")


def test_names_that_look_alike_stay_apart() -> None:
    policy = fleet(named("web-api"), named("web_api"), named("7"), named("!"))
    assert len(set(logical_names(policy))) == 4
    assert len(set(resource_names(policy))) == 4


def test_an_unknown_kind_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(InputError, match="azure, boto3, cli, cloudformation, hpa, keda, table, terraform"):
        fleet(tracking()).render("pulumi")
    with pytest.raises(InputError, match="no service named 'x'"):
        fleet(tracking()).render("table", "x")


def test_one_service_can_be_rendered_alone() -> None:
    policy = fleet(tracking(), named("api"))
    assert "api" not in policy.render("terraform", service="web")


def test_more_services_than_a_template_holds_are_refused_with_a_way_out() -> None:
    many = fleet(*(tracking(web(name=f"s{number}")) for number in range(251)))
    with pytest.raises(InputError, match="one at a time"):
        many.render("cloudformation")
    assert "s250" in many.render("cloudformation", service="s250")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_aws_would_refuse_is_not_rendered(kind: str) -> None:
    with pytest.raises(InputError, match="minimum 9 is above maximum 3"):
        fleet(tracking(min_tasks=9, max_tasks=3)).render(kind)


def test_one_service_in_two_policies_is_refused() -> None:
    with pytest.raises(InputError, match="came twice"):
        fleet(tracking(), tracking())
    other = Service(name="web", cluster="other")
    assert Policy((tracking(),))["web"].service != other


def test_a_policy_shows_itself_without_executing_names() -> None:
    policy = fleet(named("<script>"), tracking())
    assert "<script>" not in policy._repr_html_()
    assert len(policy) == 2
    assert [one.service.name for one in policy] == ["<script>", "web"]
    assert policy.frame["metric"].tolist() == ["cpu", "requests"]
