"""CloudWatch for the contract suite: hours of two services, as two metrics of the user's own."""

from __future__ import annotations

import atexit
from collections.abc import Mapping

import boto3
import pandas as pd

from capacity.sources.aws import Door
from capacity.sources.cloudwatch import CloudWatch, CustomMetric
from tests.sources.cloudwatch.fake import FakeCloudWatch
from tests.sources.cloudwatch.fleet import ecs_service, source


def holding(expected: Mapping[tuple[str, str, pd.Timestamp], float]) -> CloudWatch:
    """A source for exactly these values (service, metric, hour), behind a server that lives as long as the tests."""
    hours = [hour for _, _, hour in expected]
    fake = FakeCloudWatch(now=(max(hours) + pd.Timedelta("2h")).timestamp())
    fake.__enter__()
    atexit.register(fake.__exit__)
    for (service, metric, hour), value in expected.items():
        fake.minutes.put("Contract", metric, {"Service": service}, int(hour.timestamp()), [value])
    door = Door(region="us-east-1", endpoint=fake.address)
    vars(door)["_base_session"] = boto3.session.Session("testing", "testing")  # of no account
    metrics = sorted({metric for _, metric, _ in expected})
    return source(
        fake,
        door,
        [ecs_service(name) for name in sorted({service for service, _, _ in expected})],
        metrics=[
            CustomMetric(namespace="Contract", name=metric, metric=metric, dimensions={"Service": "{service}"})
            for metric in metrics
        ],
        only=metrics,
        period=3600,
    )
