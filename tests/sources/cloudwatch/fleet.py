"""Fleets, as discovery would find them, and their truth in the fake."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from capacity.sources.aws import Door
from capacity.sources.aws.ecs import Discovery, EcsService, TargetGroup
from capacity.sources.cloudwatch import CloudWatch
from capacity.sources.coverage import NOTHING, Coverage
from capacity.sources.pulling import Batch
from tests.sources.cloudwatch.fake import FakeCloudWatch

ECS, BALANCER = "AWS/ECS", "AWS/ApplicationELB"


def ecs_service(name: str, cluster: str = "shop", groups: int = 0, **more: object) -> EcsService:
    targets = tuple(TargetGroup(f"targetgroup/{name}/{n}", f"app/{name}/{n}") for n in range(groups))
    arn = f"arn:aws:ecs:us-east-1:123456789012:service/{cluster}/{name}"
    return EcsService(name, cluster, "us-east-1", arn, target_groups=targets, **more)  # type: ignore[arg-type]


def place(service: EcsService) -> dict[str, str]:
    """Dimensions of its AWS/ECS metrics."""
    return {"ServiceName": service.name, "ClusterName": service.cluster}


def behind(service: EcsService, number: int = 0) -> dict[str, str]:
    """Dimensions of the metrics of one of its target groups."""
    group = service.target_groups[number]
    return {"TargetGroup": group.group, "LoadBalancer": group.balancer}


def source(fake: FakeCloudWatch, door: Door, services: Sequence[EcsService], **settings: object) -> CloudWatch:
    """The source for services that are known, on the fake's clock."""
    clusters = tuple(sorted({service.cluster for service in services}))
    found = Discovery(tuple(services))
    return CloudWatch(clusters, door=door, found=found, clock=lambda: now(fake), **settings)  # type: ignore[arg-type]


def now(fake: FakeCloudWatch) -> pd.Timestamp:
    return pd.Timestamp(fake.now, unit="s", tz="UTC").as_unit("us")


def fill(fake: FakeCloudWatch, service: EcsService, minutes: Sequence[int], seed: int = 0) -> None:
    """Samples of every metric of a service in each of these minutes: two to four tasks, some requests."""
    random = np.random.default_rng(seed)
    for minute in minutes:
        tasks = int(random.integers(2, 5))
        for name in ("CPUUtilization", "MemoryUtilization"):
            fake.minutes.put(ECS, name, place(service), minute, random.uniform(5, 95, tasks).round(3).tolist())
        for number in range(len(service.target_groups)):
            requests = int(random.integers(1, 9))
            where = behind(service, number)
            fake.minutes.put(BALANCER, "RequestCount", where, minute, [1.0] * requests)
            times = random.uniform(0.01, 2, requests).round(4).tolist()
            fake.minutes.put(BALANCER, "TargetResponseTime", where, minute, times)


def table(batches: Sequence[Batch]) -> pd.DataFrame:
    """The rows of batches, in any order; fails on a key that occurs twice."""
    text = {"service": "str", "metric": "str", "stat": "str", "source": "str"}
    frames = [batch.observations.frame.astype(text) for batch in batches]
    rows = pd.concat(frames, ignore_index=True)
    key = ["service", "metric", "stat", "interval", "timestamp"]
    assert not rows.duplicated(key).any()
    return rows.sort_values(key, ignore_index=True)


def covered(batches: Sequence[Batch]) -> Coverage:
    every = NOTHING
    for batch in batches:
        every |= batch.covered
    return every


def series(rows: pd.DataFrame, service: str, metric: str, stat: str = "mean", interval: int = 60) -> pd.Series:
    """Values of one series by second since 1970."""
    chosen = (rows["service"] == service) & (rows["metric"] == metric) & (rows["stat"] == stat)
    part = rows[chosen & (rows["interval"] == interval)]
    return pd.Series(part["value"].to_numpy(), index=part["timestamp"].array.asi8 // 1_000_000)
