"""The first capacity.toml loads as it is, says what AWS said field by field, and marks what AWS did not say."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Config, Service, config_of, load_config
from capacity.findings import Finding, Findings
from capacity.sources.aws.ecs import Discovery, EcsService, TargetGroup
from capacity.sources.aws.starter import starter_from

WEB = EcsService("web", "shop", "eu-west-1", "arn:aws:ecs:eu-west-1:123456789012:service/shop/web")


def tracking(name: str, metric: str, value: float, **more: Any) -> dict[str, Any]:
    specification = {"PredefinedMetricType": metric, **more}
    configuration = {"TargetValue": value, "PredefinedMetricSpecification": specification}
    return {
        "PolicyName": name,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": configuration,
    }


LABEL = "app/shop/50dc6c495c0c9188/targetgroup/web/6d0ecf831eec9f09"
FULL = replace(
    WEB,
    launch_type="FARGATE",
    architecture="arm64",
    task_definition="arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
    task_vcpu=2.0,
    task_memory_gib=5.0,
    storage_gib=50,
    desired=4,
    running=4,
    target_groups=(
        TargetGroup("targetgroup/green/0000000000000001", "app/shop/50dc6c495c0c9188"),
        TargetGroup("targetgroup/web/6d0ecf831eec9f09", "app/shop/50dc6c495c0c9188"),
    ),
    zones=2,
    minimum_healthy_percent=50,
    maximum_percent=150,
    strategy="BLUE_GREEN",
    min_tasks=3,
    max_tasks=77,
    startup_seconds=47.4,
    policies=(
        tracking("cpu", "ECSServiceAverageCPUUtilization", 55.0),
        tracking("memory", "ECSServiceAverageMemoryUtilization", 70.0),
        tracking("requests", "ALBRequestCountPerTarget", 3000.0, ResourceLabel=LABEL),
        {"PolicyName": "steps", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {}},
    ),
    scheduled=(
        {
            "ScheduledActionName": "morning",
            "Schedule": "cron(0 8 ? * MON-FRI *)",
            "Timezone": "Europe/Paris",
            "ScalableTargetAction": {"MinCapacity": 10, "MaxCapacity": 90},
        },
    ),
)


def text_of(*services: EcsService, **more: Any) -> str:
    return starter_from(Discovery(tuple(services), **more), "history")


def loaded(*services: EcsService, **more: Any) -> Config:
    return config_of(tomllib.loads(text_of(*services, **more)))


def test_every_field_that_aws_said_is_in_the_file() -> None:
    (service,) = loaded(FULL).service
    assert service == Service(
        name="web",
        cluster="shop",
        region="eu-west-1",
        launch_type="FARGATE",
        architecture="arm64",
        task_vcpu=2.0,
        task_memory_gib=5.0,
        ephemeral_storage_gib=50,
        zones=2,
        min_tasks=3,
        max_tasks=77,
        startup_seconds=47,
        cpu_target=0.55,
        memory_target=0.70,
        target_value=55.0,
        minimum_healthy_percent=50,
        maximum_percent=150,
        alb_resource_label=LABEL,
        timezone="Europe/Paris",
    )


def test_it_says_where_each_value_was_read() -> None:
    lines = " ".join(text_of(FULL).split())
    for said in (
        "task_vcpu = 2.0 # task definition web:7",
        "zones = 2 # zones of its subnets",
        "min_tasks = 3 # scalable target, today",
        "startup_seconds = 47 # median of running tasks",
        "cpu_target = 0.55 # policy cpu: target tracking ECSServiceAverageCPUUtilization 55",
        "# policy requests: target tracking ALBRequestCountPerTarget 3000",
        "# policy steps: step scaling",
        "minimum_healthy_percent = 50 # deployment configuration, BLUE_GREEN",
        "# FILL IN: requests_per_second_per_task: what one task serves within the SLO; "
        "today's policy aims at 3000 a minute, 50 a second",
        "# also behind app/shop/50dc6c495c0c9188/targetgroup/green/0000000000000001",
        "# scheduled action morning: cron(0 8 ? * MON-FRI *) Europe/Paris: min 10, max 90",
    ):
        assert said in lines


def test_what_aws_did_not_say_is_left_out_and_marked() -> None:
    text = text_of(WEB)
    (service,) = loaded(WEB).service
    assert service == Service(name="web", cluster="shop", region="eu-west-1", launch_type="EC2")
    for key in (
        *("fargate_vcpu_quota", "architecture", "task_vcpu", "task_memory_gib", "zones", "min_tasks and max_tasks"),
        *("startup_seconds", "minimum_healthy_percent and maximum_percent"),
    ):
        assert f"# FILL IN: {key}:" in text


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"task_vcpu": 3.0}, "launch_type", "EC2"),  # no size of Fargate's
        ({"launch_type": "EC2"}, "launch_type", "EC2"),
        ({"launch_type": "EXTERNAL"}, "launch_type", "EC2"),
        ({"launch_type": "", "capacity_providers": (("FARGATE_SPOT", 0, 1),)}, "launch_type", "FARGATE"),
        ({"launch_type": "", "capacity_providers": (("my-instances", 0, 1),)}, "launch_type", "EC2"),
        ({"min_tasks": 0, "max_tasks": 0}, "max_tasks", 10),
        ({"max_tasks": 6000}, "min_tasks", 1),  # not one bound without the other
        ({"min_tasks": 20, "max_tasks": 10}, "max_tasks", 10),
        ({"min_tasks": 0}, "min_tasks", 0),
        ({"minimum_healthy_percent": 100, "maximum_percent": 100}, "maximum_percent", 200),
        ({"maximum_percent": 500}, "minimum_healthy_percent", 100),
        ({"startup_seconds": 4000.0}, "startup_seconds", 120),
        ({"startup_seconds": 0.2}, "startup_seconds", 0),
        ({"zones": 7}, "zones", 3),
        ({"storage_gib": None}, "ephemeral_storage_gib", 20),
        ({"architecture": "mips"}, "architecture", "x86_64"),
        ({"policies": ()}, "target_value", None),
        ({"policies": (tracking("x", "ECSServiceAverageCPUUtilization", 150.0),)}, "cpu_target", 0.6),
        ({"policies": (tracking("x", "ALBRequestCountPerTarget", 900.0),)}, "target_value", None),
    ],
)
def test_what_capacity_cannot_hold_is_a_comment_and_the_file_loads(
    change: dict[str, Any], field: str, value: object
) -> None:
    (service,) = loaded(replace(FULL, **change)).service
    assert getattr(service, field) == value


def test_without_a_label_in_a_policy_the_first_group_of_a_balancer_is_taken() -> None:
    (service,) = loaded(replace(FULL, policies=())).service
    assert service.alb_resource_label.endswith("targetgroup/green/0000000000000001")


def test_scheduled_actions_of_several_zones_or_of_none_known_choose_no_zone() -> None:
    (action,) = FULL.scheduled
    for zones in (["Europe/Paris", "UTC"], ["Mars/Olympus"], ["../../etc/passwd"]):
        scheduled = tuple({**action, "Timezone": zone} for zone in zones)
        assert loaded(replace(FULL, scheduled=scheduled)).service[0].timezone == "UTC"


def test_longer_names_come_with_how_to_fetch_under_them() -> None:
    lab, ohio = replace(FULL, cluster="lab"), replace(FULL, region="us-east-2")
    assert "--prefix" not in text_of(FULL) and "fetch with --prefix" in text_of(FULL, lab)
    assert [service.name for service in loaded(FULL, lab).service] == ["shop/web", "lab/web"]
    assert "a history and a file each" in text_of(FULL, ohio)


def test_regions_have_quotas_of_their_own() -> None:
    there = replace(FULL, region="us-east-2", name="api")
    quotas = (("eu-west-1", "L-3032A538", 4000.0), ("us-east-2", "L-3032A538", 64.0), ("us-east-2", "L-36FBB829", 1.0))
    config = loaded(FULL, there, quotas=quotas)
    assert [(account.region, account.fargate_vcpu_quota) for account in config.account] == [
        ("eu-west-1", 4000),
        ("us-east-2", 64),
    ]
    assert [account.fargate_spot_vcpu_quota for account in config.account] == [None, 1]


def test_two_accounts_with_quotas_of_one_region_are_for_a_person_to_decide() -> None:
    quotas = (("eu-west-1", "L-3032A538", 4000.0), ("eu-west-1", "L-3032A538", 64.0))
    assert loaded(FULL, quotas=quotas).account[0].fargate_vcpu_quota is None
    assert "64, 4000 in several accounts" in text_of(FULL, quotas=quotas)


def test_what_could_not_be_read_is_at_the_top() -> None:
    finding = Finding("", "", "not-readable", "UNKNOWN", "Quota not read.\n[[service]]", "Fill it in.")
    text = text_of(FULL, findings=Findings.of([finding]))
    assert text.splitlines()[1] == "# UNKNOWN fleet: Quota not read.?[[service]]. Fill it in."
    assert len(loaded(FULL, findings=Findings.of([finding])).service) == 1


HOSTILE = [
    'a "b" ]]',
    "x\n[[service]]\nname = 'y'",
    "naïve-ünïcode-日本語",
    "back\\slash",
    "# no comment",
    "'''",
    "\x7f",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_a_name(name: str, tmp_path: Path) -> None:
    service = replace(
        *(FULL,),
        name=name,
        cluster=f"c {name}",
        policies=(tracking(name, "ECSServiceAverageCPUUtilization", 60.0),),
        scheduled=({"ScheduledActionName": name, "Schedule": name, "Timezone": name},),
        strategy=name,
    )
    path = tmp_path / "capacity.toml"
    path.write_text(text_of(service), encoding="utf-8")
    (read,) = load_config(path).service
    assert (read.name, read.cluster, read.cpu_target) == (name, f"c {name}", 0.6)


def test_a_name_that_is_too_long_when_told_apart_is_left_out_aloud() -> None:
    long = replace(FULL, cluster="c" * 200, name="n" * 100)
    assert [service.name for service in loaded(long, replace(long, cluster="d"), FULL).service] == [
        "d/" + "n" * 100,
        "shop/web",
    ]
    assert "# LEFT OUT: ccc" in text_of(long, replace(long, cluster="d"))


@settings(max_examples=60)
@given(
    name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(str.strip),
    vcpu=st.sampled_from([None, 0.25, 0.3, 1.0, 16.0]),
    gib=st.sampled_from([None, 0.5, 2.0, 7.7, 120.0]),
    least=st.sampled_from([None, 0, 5, 9999]),
    most=st.sampled_from([None, 0, 4, 5000]),
    launch=st.sampled_from(["", "FARGATE", "EC2", "EXTERNAL", "MANAGED_INSTANCES"]),
)
def test_whatever_aws_says_the_file_loads(
    name: str, vcpu: float | None, gib: float | None, least: int | None, most: int | None, launch: str
) -> None:
    sizes: dict[str, Any] = {"task_vcpu": vcpu, "task_memory_gib": gib, "min_tasks": least, "max_tasks": most}
    (service,) = loaded(replace(FULL, name=name, launch_type=launch, **sizes)).service
    assert service.name == name and service.task_vcpu == (vcpu or 1.0)
