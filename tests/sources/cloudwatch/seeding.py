"""An account in moto: clusters, services behind load balancers, and what CloudWatch measured of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import boto3
import pandas as pd


def client(name: str, address: str, region: str = "us-east-1") -> Any:
    return boto3.client(
        name,
        endpoint_url=address,
        region_name=region,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def service(address: str, cluster: str, name: str, groups: int = 0, insights: bool = False) -> list[dict[str, str]]:
    """A service with so many target groups behind one balancer; gives the dimensions of each group's metrics."""
    ecs, elb, ec2 = (client(each, address) for each in ("ecs", "elbv2", "ec2"))
    setting = [{"name": "containerInsights", "value": "enabled" if insights else "disabled"}]
    ecs.create_cluster(clusterName=cluster, settings=setting)
    container = {"name": name, "image": "image", "memory": 512, "cpu": 256}
    ecs.register_task_definition(family=name, cpu="256", memory="512", containerDefinitions=[container])
    arns, dimensions = [], []
    for number in range(groups):
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
        label = f"{name}-{number}"
        balancer = elb.create_load_balancer(Name=label, Subnets=subnets)["LoadBalancers"][0]
        vpc = balancer["VpcId"]
        group = elb.create_target_group(Name=label, Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]
        forward = {"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}
        arn = balancer["LoadBalancerArn"]
        elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=[forward])
        arns.append(group["TargetGroupArn"])
        tail = group["TargetGroupArn"].rsplit(":", 1)[1]
        dimensions.append({"LoadBalancer": arn.split(":loadbalancer/")[1], "TargetGroup": tail})
    ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=name,
        desiredCount=2,
        launchType="FARGATE",
        loadBalancers=[{"targetGroupArn": arn, "containerName": name, "containerPort": 80} for arn in arns],
    )
    return dimensions


def seed(
    address: str,
    namespace: str,
    name: str,
    dimensions: dict[str, str],
    stamps: Iterable[pd.Timestamp],
    statistics: Callable[[int], tuple[float, float, float, float]],
    region: str = "us-east-1",
) -> None:
    """One datum a stamp; `statistics` gives its sample count, sum, least and largest, by number."""
    cloudwatch = client("cloudwatch", address, region)
    named = [{"Name": key, "Value": value} for key, value in sorted(dimensions.items())]
    data = []
    for number, stamp in enumerate(stamps):
        count, total, low, high = statistics(number)
        values = {"SampleCount": count, "Sum": total, "Minimum": low, "Maximum": high}
        when = stamp.to_pydatetime()
        data.append({"MetricName": name, "Dimensions": named, "Timestamp": when, "StatisticValues": values})
    for at in range(0, len(data), 500):
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[at : at + 500])
