"""Discovery against moto over real HTTP: three clusters in two regions, with what surrounds them, as capacity.toml.

moto drops capacity providers, deployment percentages and subnets' existence from ECS (reference aws.md 8.5): those are
tested on the fake. Here it is a server that others wrote.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from capacity.config import load_config
from capacity.sources.aws import Door
from capacity.sources.aws.ecs import Discovery, discover
from capacity.sources.aws.starter import starter_from
from tests.sources.aws.allowed import assert_within_policy

pytestmark = pytest.mark.xdist_group("moto")

FLEET = {
    ("eu-west-1", "shop"): ("web", "web-2", "cart"),
    ("eu-west-1", "lab"): ("web",),
    ("us-east-2", "shop"): ("web", "search"),
}


def filled(region: str, moto: str) -> None:
    """A region of the fleet, as people would set it up."""
    maker = Door(region, endpoint=moto)
    ec2, elb, ecs, scaling = (maker.client(name) for name in ("ec2", "elbv2", "ecs", "application-autoscaling"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = [f"{region}{letter}" for letter in "ab"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for n, zone in enumerate(zones)
    ]
    closed = ec2.create_security_group(GroupName="closed", Description="for moto, which needs one", VpcId=vpc)[
        "GroupId"
    ]
    balancer = elb.create_load_balancer(Name="front", Subnets=subnets, Type="application")["LoadBalancers"][0]
    for cluster in (cluster for place, cluster in FLEET if place == region):
        ecs.create_cluster(clusterName=cluster, settings=[{"name": "containerInsights", "value": "enabled"}])
        for number, name in enumerate(FLEET[region, cluster]):
            group = elb.create_target_group(Name=f"{cluster}-{name}", Protocol="HTTP", Port=80, VpcId=vpc)
            group_arn = group["TargetGroups"][0]["TargetGroupArn"]
            elb.create_listener(
                LoadBalancerArn=balancer["LoadBalancerArn"],
                Protocol="HTTP",
                Port=8000 + 100 * len(cluster) + number,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": group_arn}],
            )
            ecs.register_task_definition(
                family=f"{cluster}-{name}",
                cpu="512",
                memory="1024",
                networkMode="awsvpc",
                requiresCompatibilities=["FARGATE"],
                containerDefinitions=[{"name": "app", "image": "app"}],
            )
            ecs.create_service(
                cluster=cluster,
                serviceName=name,
                taskDefinition=f"{cluster}-{name}",
                launchType="FARGATE",
                desiredCount=number + 2,
                loadBalancers=[{"targetGroupArn": group_arn, "containerName": "app", "containerPort": 80}],
                networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [closed]}},
            )
            place: dict[str, Any] = {
                "ServiceNamespace": "ecs",
                "ResourceId": f"service/{cluster}/{name}",
                "ScalableDimension": "ecs:service:DesiredCount",
            }
            scaling.register_scalable_target(**place, MinCapacity=number + 1, MaxCapacity=10 * (number + 1))
            scaling.put_scaling_policy(
                **place,
                PolicyName=f"cpu of {name}",
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration={
                    "TargetValue": 50.0 + number,
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
                },
            )
            scaling.put_scheduled_action(
                **place,
                ScheduledActionName="morning",
                Schedule="cron(0 8 ? * MON-FRI *)",
                Timezone="Europe/Paris",
                ScalableTargetAction={"MinCapacity": 5},
            )


@pytest.fixture
def found(moto: str) -> Discovery:
    regions = ("eu-west-1", "us-east-2")
    for region in regions:
        filled(region, moto)
    doors = [Door(region, endpoint=moto, sleep=lambda seconds: None) for region in regions]
    discovery = discover(door=doors)
    for door in doors:
        assert_within_policy(door, "discover")
    return discovery


def test_a_fleet_of_three_clusters_in_two_regions_becomes_its_capacity_toml(found: Discovery, tmp_path: Path) -> None:
    ireland = ["lab/web", "shop/cart", "shop/web", "shop/web-2"]
    names = [f"eu-west-1/{name}" for name in ireland] + ["us-east-2/shop/search", "us-east-2/shop/web"]
    assert list(found.named()) == names
    path = tmp_path / "capacity.toml"
    path.write_text(starter_from(found, "history"), encoding="utf-8")
    config = load_config(path)
    assert [service.name for service in config.service] == names
    assert [account.region for account in config.account] == ["eu-west-1", "us-east-2"]
    for name, seen in found.named().items():
        service = config.service_named(name)
        number = FLEET[seen.region, seen.cluster].index(seen.name)
        assert (service.cluster, service.region) == (seen.cluster, seen.region)
        assert (service.task_vcpu, service.task_memory_gib, service.launch_type) == (0.5, 1.0, "FARGATE")
        assert (service.min_tasks, service.max_tasks) == (number + 1, 10 * (number + 1))
        assert service.cpu_target == pytest.approx((50 + number) / 100) and service.target_value == 50 + number
        assert (service.zones, service.timezone) == (2, "Europe/Paris")
        label = service.alb_resource_label.split("/")
        assert label[:2] == ["app", "front"] and label[3:5] == ["targetgroup", f"{seen.cluster}-{seen.name}"]
        assert seen.container_insights and len(seen.policies) == 1 and len(seen.scheduled) == 1
    assert {finding.check for finding in found.findings} == {"not-readable"}  # moto has no quotas of Fargate and ECS
    marks = ("fargate_vcpu_quota", "startup_seconds", "minimum_healthy_percent", "requests_per_second_per_task")
    assert all(f"# FILL IN: {mark}" in path.read_text(encoding="utf-8") for mark in marks)  # nor does it say these
