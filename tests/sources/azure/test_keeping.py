"""What Azure Monitor tells is what the store holds, fetch after fetch."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from capacity.config.azure import AzureMetric
from capacity.errors import InputError
from capacity.history import Store
from capacity.history.fetching import fetch
from capacity.sources import Span
from capacity.sources.azure import AzureMonitor
from capacity.sources.azure.metrics import OF_CONTAINER_APPS
from tests.sources.azure.server import SUBSCRIPTION, Azure, minutes, resource

REQUESTS = AzureMetric(name="Requests", metric="requests", aggregation="total")
TIMES = minutes("2026-11-20T06:00", 180)
KEYS = ["service", "metric", "stat"]


def test_fetches_an_hour_apart_hold_what_one_pull_would(azure: Azure, tmp_path: Path) -> None:
    for number, service in enumerate(("web", "api")):
        azure.keep(service, "Requests", {stamp: 60.0 * n + number for n, stamp in enumerate(TIMES) if n % 50})
        azure.keep(service, "UsageNanoCores", dict.fromkeys(TIMES, 1e9), podName=f"{service}-1")
    metrics = (REQUESTS, *OF_CONTAINER_APPS[:1])
    for hour in range(1, 4):
        azure.now = TIMES[0] + pd.Timedelta(hours=hour)
        fetch(azure.monitor("web", "api", metrics=metrics), tmp_path / "store", Span(TIMES[0], azure.now))
    starts = [asked["query"]["starttime"][11:16] for asked in azure.asked]
    assert starts == ["06:00", "06:00", "06:45", "06:45", "07:45", "07:45"]  # only what had not settled
    whole = azure.monitor("web", "api", metrics=metrics).read(Span(TIMES[0], azure.now)).frame
    held = Store(tmp_path / "store").history().frame[list(whole.columns)]
    plain = dict.fromkeys(KEYS, "str")
    pd.testing.assert_frame_equal(held.astype(plain), whole.astype(plain))


def test_a_service_of_the_same_name_in_another_subscription_is_not_taken_for_known(
    azure: Azure, tmp_path: Path
) -> None:
    azure.keep("web", "Requests", dict.fromkeys(TIMES, 60.0))
    other = SUBSCRIPTION.replace("1", "9")
    there = resource("web").replace(SUBSCRIPTION, other)
    azure.samples[there.lower(), "requests"] = {(): {int(stamp.timestamp()) // 60: 1.0 for stamp in TIMES}}
    span = Span(TIMES[0], TIMES[-1])
    first = azure.monitor("web", metrics=(REQUESTS,))
    fetch(first, tmp_path / "store", span)
    second = AzureMonitor(
        other,
        "westeurope",
        (there,),
        metrics=(REQUESTS,),
        credential=first.credential,
        endpoint=azure.url,
        clock=first.clock,
    )
    with pytest.raises(InputError, match="two services with one name"):
        fetch(second, tmp_path / "store", span)
