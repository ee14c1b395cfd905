"""What runs is found completely, in few calls, and one missing right costs one field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from capacity.errors import SourceDenied, SourceError
from capacity.sources.aws import Door
from capacity.sources.aws.ecs import Discovery, EcsService, TargetGroup, discover
from tests.sources.aws.account import Account, arn
from tests.sources.aws.fake import Answers, Complaint, FakeAws

IRELAND, OHIO = "eu-west-1", "us-east-2"


@pytest.fixture(autouse=True)
def _keys(keys: None) -> None:
    """Every test here signs with made-up keys."""


def doors(aws: FakeAws, *regions: str) -> list[Door]:
    return [Door(region, endpoint=aws.url, sleep=lambda seconds: None) for region in regions or (IRELAND,)]


@contextmanager
def looking_at(account: Account, instead: dict[tuple[str, str], Answers] | None = None) -> Iterator[FakeAws]:
    with FakeAws({**account.answers, **(instead or {})}) as aws:
        yield aws


def discovered(account: Account, instead: dict[tuple[str, str], Answers] | None = None, **options: Any) -> Discovery:
    with looking_at(account, instead) as aws:
        return discover(**options, door=doors(aws))


def the_shop() -> Account:
    """One service with everything that AWS can say of one."""
    account = Account(
        quotas={(IRELAND, "L-3032A538"): 4000, (IRELAND, "L-36FBB829"): 100, (IRELAND, "L-92E49DE3"): 5000}
    )
    account.cluster(IRELAND, "shop", insights="enhanced", tasks=3)
    account.subnets += [
        (IRELAND, {"SubnetId": f"subnet-{n}", "AvailabilityZone": zone})
        for n, zone in enumerate(("eu-west-1a", "eu-west-1b", "eu-west-1b"))
    ]
    revision = arn("ecs", IRELAND, "service-revision/shop/web/1")
    web = account.service(
        *(IRELAND, "shop", "web"),
        taskDefinition=account.definition(
            *(IRELAND, "web", "1024", "3072"),
            runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
            ephemeralStorage={"sizeInGiB": 50},
        ),
        loadBalancers=[{"targetGroupArn": account.group(IRELAND, "web", "shop"), "containerName": "web"}],
        launchType=None,
        capacityProviderStrategy=[
            {"capacityProvider": "FARGATE", "base": 2, "weight": 1},
            {"capacityProvider": "FARGATE_SPOT", "weight": 3},
        ],
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-0", "subnet-1", "subnet-2"]}},
        currentServiceRevisions=[{"arn": revision}],
    )
    monitoring = {"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": 20}]}
    account.revisions.append(
        (IRELAND, {"serviceRevisionArn": revision, "serviceArn": web["serviceArn"], "monitoring": monitoring})
    )
    for seconds in (40, 47, 300):
        account.task(IRELAND, "shop", "web", seconds)
    account.target(IRELAND, "shop", "web", 2, 40)
    account.policy(IRELAND, "shop", "web", "cpu60", TargetValue=60.0)
    action = {"ScalableTargetAction": {"MinCapacity": 10}, "Timezone": "Europe/Paris"}
    account.action(IRELAND, "shop", "web", "morning", "cron(0 8 ? * MON-FRI *)", **action)
    return account


@cache
def complete_shop() -> EcsService:
    (web,) = discovered(the_shop()).services
    return web


def test_everything_that_aws_says_of_a_service_is_known() -> None:
    found = discovered(the_shop())
    (web,) = found.services
    assert web == EcsService(
        name="web",
        cluster="shop",
        region=IRELAND,
        arn=arn("ecs", IRELAND, "service/shop/web"),
        capacity_providers=(("FARGATE", 2, 1), ("FARGATE_SPOT", 0, 3)),
        architecture="arm64",
        task_definition=arn("ecs", IRELAND, "task-definition/web:1"),
        task_vcpu=1.0,
        task_memory_gib=3.0,
        storage_gib=50,
        desired=4,
        running=4,
        target_groups=(TargetGroup("targetgroup/web/0000000000000000", "app/shop/50dc6c495c0c9188"),),
        container_insights=True,
        resolution_seconds=20,
        zones=2,
        minimum_healthy_percent=50,
        maximum_percent=150,
        strategy="ROLLING",
        min_tasks=2,
        max_tasks=40,
        startup_seconds=47.0,
        policies=web.policies,
        scheduled=web.scheduled,
    )
    assert [policy["PolicyName"] for policy in web.policies] == ["cpu60"]
    assert [action["ScheduledActionName"] for action in web.scheduled] == ["morning"]
    assert [(code, value) for _, code, value in found.quotas] == [
        ("L-3032A538", 4000),
        ("L-36FBB829", 100),
        ("L-92E49DE3", 5000),
    ]
    assert web.fargate and web.account == "123456789012"
    assert len(found.findings) == 0


def test_a_pull_of_metrics_asks_only_for_what_names_them() -> None:
    with looking_at(the_shop()) as aws:
        (web,) = discover(door=doors(aws), measured=True).services
    assert web.resolution_seconds == 20 and web.target_groups and web.container_insights
    assert {each.operation for each in aws.asked} == {
        *("ListClusters", "DescribeClusters", "ListServices", "DescribeServices", "DescribeServiceRevisions"),
        *("DescribeTargetGroups", "DescribeLoadBalancers"),
    }


def test_a_thousand_services_take_as_few_calls_as_the_limits_allow() -> None:
    account = Account()
    account.cluster(IRELAND, "big", tasks=250)
    definitions = [account.definition(IRELAND, f"family-{n}") for n in range(7)]
    for number in range(1000):
        name = f"service-{number:04}"
        balancers = [{"targetGroupArn": account.group(IRELAND, name, f"lb-{number % 30}")}]
        account.service(IRELAND, "big", name, taskDefinition=definitions[number % 7], loadBalancers=balancers)
        account.target(IRELAND, "big", name, 1, 9)
        account.policy(IRELAND, "big", name, "cpu", TargetValue=50.0)
    for number in range(250):
        account.task(IRELAND, "big", f"service-{number:04}", 30)
    with looking_at(account) as aws:
        found = discover(door=doors(aws))
    assert len(found.services) == 1000 and all(each.max_tasks == 9 for each in found.services)
    assert all(len(each.policies) == 1 and len(each.target_groups) == 1 for each in found.services)
    calls = Counter(each.operation for each in aws.asked)
    assert calls == {
        "ListClusters": 1,
        "DescribeClusters": 1,
        "ListServices": 10,  # pages of 100
        "DescribeServices": 100,  # 10 a call
        "DescribeTaskDefinition": 7,  # each once
        "DescribeTargetGroups": 50,  # 20 a call
        "DescribeLoadBalancers": 2,
        "DescribeScalableTargets": 20,  # 50 a call
        "DescribeScalingPolicies": 100,  # 10 a page
        "DescribeScheduledActions": 1,
        "ListTasks": 3,
        "DescribeTasks": 3,
        "GetServiceQuota": 2,
        "GetAWSDefaultServiceQuota": 1,
    }


def test_few_services_of_a_cluster_full_of_tasks_are_asked_for_by_name() -> None:
    account = Account()
    account.cluster(IRELAND, "big", tasks=100_000)
    for name in ("web", "api"):
        account.service(IRELAND, "big", name)
        account.task(IRELAND, "big", name, 20 if name == "web" else 90)
    with looking_at(account) as aws:
        found = discover(door=doors(aws))
    assert [each.startup_seconds for each in found.services] == [90, 20]
    assert aws.calls("ListTasks") == 2 and aws.calls("DescribeTasks") == 1


@pytest.mark.parametrize(
    ("service", "operation", "field", "value", "action"),
    [
        ("ecs", "DescribeTaskDefinition", "task_vcpu", None, "ecs:DescribeTaskDefinition"),
        ("ecs", "DescribeServiceRevisions", "resolution_seconds", 60, "ecs:DescribeServiceRevisions"),
        ("ecs", "ListTasks", "startup_seconds", None, "ecs:ListTasks"),
        ("ecs", "DescribeTasks", "startup_seconds", None, "ecs:DescribeTasks"),
        ("ec2", "DescribeSubnets", "zones", None, "ec2:DescribeSubnets"),
        ("elbv2", "DescribeTargetGroups", "target_groups", (), "elasticloadbalancing:DescribeTargetGroups"),
        ("elbv2", "DescribeLoadBalancers", "target_groups", (), "elasticloadbalancing:DescribeLoadBalancers"),
        *[
            ("application-autoscaling", operation, field, value, f"application-autoscaling:{operation}")
            for operation, field, value in (
                ("DescribeScalableTargets", "max_tasks", None),
                ("DescribeScalingPolicies", "policies", ()),
                ("DescribeScheduledActions", "scheduled", ()),
            )
        ],
    ],
)
def test_one_denied_look_up_is_one_finding_and_the_rest_is_kept(
    service: str, operation: str, field: str, value: object, action: str
) -> None:
    code = {"ec2": "UnauthorizedOperation", "elbv2": "AccessDenied"}.get(service, "AccessDeniedException")
    found = discovered(the_shop(), {(service, operation): Complaint(code, "no", 403)})
    (web,), complete = found.services, complete_shop()
    assert getattr(web, field) == value
    assert getattr(complete, field) != value
    different = {name for name in EcsService.__dataclass_fields__ if getattr(web, name) != getattr(complete, name)}
    assert different <= {field, "task_memory_gib", "architecture", "storage_gib", "min_tasks"}
    (finding,) = found.findings
    assert finding.status == "UNKNOWN" and f"Let the role or user have {action}" in finding.message and finding.advice


@pytest.mark.parametrize("status", [400, 403, 500])
def test_quotas_that_are_not_there_are_findings_and_no_number(status: int) -> None:
    refusal = Complaint("NoSuchResourceException" if status == 400 else "AccessDeniedException", "no", status)
    found = discovered(the_shop(), {("service-quotas", "GetServiceQuota"): refusal})
    assert [(code, value) for _, code, value in found.quotas] == [("L-92E49DE3", 5000)]
    assert [finding.message.split(" not read")[0] for finding in found.findings] == [
        "Quota L-3032A538 (Fargate On-Demand vCPUs) in eu-west-1",
        "Quota L-36FBB829 (Fargate Spot vCPUs) in eu-west-1",
    ]


def test_keys_that_expire_on_the_way_are_no_missing_right() -> None:
    expired = Complaint("ExpiredTokenException", "The security token included in the request is expired")
    with pytest.raises(SourceDenied, match="have expired"):
        discovered(the_shop(), {("application-autoscaling", "DescribeScalingPolicies"): expired})


def test_a_policy_of_a_service_whose_name_begins_alike_is_not_taken() -> None:
    account = the_shop()
    account.service(IRELAND, "shop", "web-2")
    account.policy(IRELAND, "shop", "web-2", "other", TargetValue=30.0)
    every = account.policies
    found = discovered(
        account,
        {("application-autoscaling", "DescribeScalingPolicies"): {"ScalingPolicies": [each for _, each in every]}},
    )
    assert [[policy["PolicyName"] for policy in each.policies] for each in found.services] == [["cpu60"], ["other"]]


def test_a_page_that_names_itself_as_the_next_ends_the_reading() -> None:
    account = the_shop()
    loop = {"ScalableTargets": [each for _, each in account.targets], "NextToken": "again"}
    with looking_at(account, {("application-autoscaling", "DescribeScalableTargets"): loop}) as aws:
        (web,) = discover(door=doors(aws)).services
    assert web.max_tasks == 40 and aws.calls("DescribeScalableTargets") == 2


def test_daemons_and_services_being_deleted_are_left_out_aloud() -> None:
    account = the_shop()
    account.service(IRELAND, "shop", "agent", schedulingStrategy="DAEMON")
    account.service(IRELAND, "shop", "old", status="DRAINING")
    found = discovered(account)
    assert [each.name for each in found.services] == ["web"]
    assert [(finding.service, finding.check) for finding in found.findings] == [
        ("agent", "daemon"),
        ("old", "inactive"),
    ]


def test_a_service_that_vanishes_between_two_calls_is_a_finding() -> None:
    account = the_shop()
    listed = [arn("ecs", IRELAND, f"service/shop/{name}") for name in ("web", "gone")]
    found = discovered(account, {("ecs", "ListServices"): {"serviceArns": listed}})
    assert [each.name for each in found.services] == ["web"]
    (finding,) = found.findings
    assert finding.service == "gone" and "MISSING" in finding.message


def test_target_groups_of_every_kind() -> None:
    account = the_shop()
    blue, green = account.group(IRELAND, "blue", "shop"), account.group(IRELAND, "green", "shop")
    unused, tcp = account.group(IRELAND, "unused"), account.group(IRELAND, "tcp", "fast", kind="network")
    balancers = [
        {"targetGroupArn": blue, "advancedConfiguration": {"alternateTargetGroupArn": green}},
        {"targetGroupArn": tcp},
    ]
    account.service(IRELAND, "shop", "colours", loadBalancers=balancers)
    account.service(
        *(IRELAND, "shop", "sets"),
        launchType=None,
        deploymentController={"type": "EXTERNAL"},
        taskSets=[
            {"status": "ACTIVE", "loadBalancers": [{"targetGroupArn": unused}]},
            {
                "status": "PRIMARY",
                "launchType": "FARGATE",
                "taskDefinition": account.definition(IRELAND, "sets", "2048", "4096"),
                "loadBalancers": [{"targetGroupArn": green}],
            },
        ],
    )
    found = discovered(account)
    colours, sets, _ = found.services
    assert [group.group.split("/")[1] for group in colours.target_groups] == ["blue", "green"]
    assert [(group.group.split("/")[1], group.balancer[:8]) for group in sets.target_groups] == [
        ("unused", ""),
        ("green", "app/shop"),
    ]
    assert (sets.strategy, sets.launch_type, sets.task_vcpu) == ("EXTERNAL", "FARGATE", 2.0)
    assert [(finding.service, finding.check) for finding in found.findings] == [
        ("colours", "no-request-count"),
        ("colours", "shared-target-group"),
        ("sets", "shared-target-group"),
    ]


def test_a_target_group_that_was_deleted_costs_only_itself() -> None:
    account = the_shop()
    gone = arn("elasticloadbalancing", IRELAND, "targetgroup/gone/0000000000000099")
    account.service(IRELAND, "shop", "api", loadBalancers=[{"targetGroupArn": gone}])
    found = discovered(account)
    assert [len(each.target_groups) for each in found.services] == [0, 1]
    (finding,) = found.findings
    assert finding.check == "target-group-gone" and "gone/0000000000000099" in finding.message


def test_a_task_definition_that_was_deleted_costs_only_itself() -> None:
    account = the_shop()
    gone = arn("ecs", IRELAND, "task-definition/gone:3")
    account.service(IRELAND, "shop", "api", taskDefinition=gone)
    found = discovered(account)
    assert [each.task_vcpu for each in found.services] == [None, 1.0]
    (finding,) = found.findings
    assert finding.check == "task-definition-gone" and "gone:3" in finding.advice


@pytest.mark.parametrize(
    ("definition", "size"),
    [
        (
            {"cpu": None, "memory": None, "containerDefinitions": [{"cpu": 256, "memory": 512}, {"memory": 1024}]},
            (0.25, 1.5),
        ),
        (
            {"cpu": None, "memory": None, "containerDefinitions": [{"memoryReservation": 256, "memory": 2048}]},
            (None, 0.25),
        ),
        ({"cpu": "256", "memory": "512", "containerDefinitions": [{"cpu": 4096}]}, (0.25, 0.5)),
    ],
)
def test_a_task_without_a_size_reserves_what_its_containers_do(
    definition: dict[str, Any], size: tuple[Any, Any]
) -> None:
    account = Account()
    account.cluster(IRELAND, "shop")
    sized = {"cpu": None, "memory": None, **definition}
    family = account.definition(IRELAND, "web", **sized, compatibilities=["EC2"])
    account.service(IRELAND, "shop", "web", launchType="EC2", taskDefinition=family)
    (web,) = discovered(account).services
    assert (web.task_vcpu, web.task_memory_gib) == size
    assert web.architecture is None and web.zones is None and not web.fargate


def test_windows_suspended_scaling_and_unknown_subnets_are_said() -> None:
    account = Account()
    account.cluster(IRELAND, "shop")
    account.subnets.append((IRELAND, {"SubnetId": "subnet-1", "AvailabilityZone": "eu-west-1a"}))
    windows = {"cpuArchitecture": "X86_64", "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}
    account.service(
        *(IRELAND, "shop", "web"),
        taskDefinition=account.definition(IRELAND, "web", runtimePlatform=windows),
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-gone"]}},
    )
    account.target(IRELAND, "shop", "web", 1, 2, SuspendedState={"DynamicScalingInSuspended": True})
    found = discovered(account)
    assert found.services[0].zones is None
    assert [finding.check for finding in found.findings.about("web")] == ["not-linux", "scaling-suspended"]


def two_regions() -> Account:
    account = the_shop()
    for region, cluster, name in ((IRELAND, "lab", "web"), (OHIO, "shop", "web"), (OHIO, "shop", "api")):
        if cluster not in [each["clusterName"] for place, each in account.clusters if place == region]:
            account.cluster(region, cluster)
        account.service(region, cluster, name)
    return account


def test_services_of_one_name_are_told_apart_by_where_they_run() -> None:
    with looking_at(two_regions()) as aws:
        found = discover(door=doors(aws, IRELAND, OHIO))
    assert list(found.named()) == [
        *("eu-west-1/lab/web", "eu-west-1/shop/web"),
        *("us-east-2/shop/api", "us-east-2/shop/web"),
    ]
    ireland = replace(found, services=tuple(each for each in found.services if each.region == IRELAND))
    assert list(ireland.named()) == ["lab/web", "shop/web"]
    assert list(replace(found, services=found.services[:1]).named()) == ["web"]
    twin = replace(found.services[0], arn=found.services[0].arn.replace("123456789012", "999999999999"))
    assert list(replace(found, services=(found.services[0], twin)).named()) == [
        "123456789012/eu-west-1/lab/web",
        "999999999999/eu-west-1/lab/web",
    ]
    assert found.frame["service"].tolist() == list(found.named())
    assert [(quota[0], quota[2]) for quota in found.quotas] == [(IRELAND, 4000), (IRELAND, 100), (IRELAND, 5000)]


def test_the_same_door_twice_finds_each_service_once() -> None:
    with looking_at(two_regions()) as aws:
        found = discover(door=doors(aws, IRELAND, IRELAND))
    assert [each.arn[-8:] for each in found.services] == ["/lab/web", "shop/web"]


def test_a_cluster_or_a_service_can_be_chosen_by_name_and_by_arn() -> None:
    with looking_at(two_regions()) as aws:
        looking = doors(aws, IRELAND, OHIO)
        assert [s.cluster for s in discover([arn("ecs", IRELAND, "cluster/lab")], door=looking).services] == ["lab"]
        assert [s.region for s in discover(services=["api"], door=looking).services] == [OHIO]
        assert [s.cluster for s in discover(services=["lab/web"], door=looking).services] == ["lab"]
        assert len(discover(["shop"], ["web"], door=looking).services) == 2


def test_an_unknown_name_is_an_error_that_knows_the_right_one() -> None:
    with looking_at(two_regions()) as aws:
        with pytest.raises(SourceError) as wrong:
            discover(["shpo"], door=doors(aws, IRELAND, OHIO))
        with pytest.raises(SourceError) as missing:
            discover(["shop"], ["wbe"], door=doors(aws, OHIO))
    assert str(wrong.value) == (
        "no cluster 'shpo' in eu-west-1, us-east-2. Did you mean 'shop'? There are: lab, shop. "
        "Name it as `aws ecs list-clusters` does, or another region with --region."
    )
    assert str(missing.value) == (
        "no service 'wbe' in us-east-2. Did you mean 'web'? There are: api, web. "
        "Name it as `aws ecs list-services` does, or another region with --region."
    )


def test_an_empty_region_is_said_and_not_an_error() -> None:
    found = discovered(Account())
    assert not found.services and "no service to plan was found in eu-west-1" in str(found.findings)
    assert found.frame.empty


def test_what_was_found_is_json_and_a_table() -> None:
    found = discovered(two_regions())
    said = json.loads(json.dumps(found.to_dict()))
    web = next(each for each in said["services"] if each["as"] == "shop/web")
    assert web["policies"][0]["CreationTime"] == "2026-08-03T08:00:00+00:00" and web["max_tasks"] == 40
    assert said["quotas"][0] == {"region": IRELAND, "code": "L-3032A538", "value": 4000}
    table = found.frame.set_index("service")
    assert table.loc["shop/web", "runs_on"] == "FARGATE + FARGATE_SPOT" and table.loc["shop/web", "zones"] == 2
    assert table["max_tasks"].isna().tolist() == [True, False]
    assert "2 services" in found._repr_html_()
