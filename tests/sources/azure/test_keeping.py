"""What Azure Monitor tells is what the store holds, pull after pull."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from capacity.config.azure import AzureMetric
from capacity.history import Store
from capacity.sources import Span
from capacity.sources.azure.metrics import OF_CONTAINER_APPS
from capacity.sources.coverage import NOTHING, Coverage
from tests.sources.azure.server import Azure, minutes


def test_pulls_an_hour_apart_hold_what_one_pull_would(azure: Azure, tmp_path: Path) -> None:
    requests = AzureMetric(name="Requests", metric="requests", aggregation="total")
    metrics = (requests, *OF_CONTAINER_APPS[:1])
    times = minutes("2026-11-20T06:00", 180)
    for number, service in enumerate(("web", "api")):
        azure.keep(service, "Requests", {stamp: 60.0 * n + number for n, stamp in enumerate(times) if n % 50})
        azure.keep(service, "UsageNanoCores", dict.fromkeys(times, 1e9), podName=f"{service}-1")
    store, known = Store(tmp_path / "store"), NOTHING
    for hour in range(1, 4):
        now = times[0] + pd.Timedelta(hours=hour)
        monitor = azure.monitor("web", "api", metrics=metrics, clock=lambda now=now: now)
        for batch in monitor.pull(Span(times[0], now), known):
            store.append(batch.observations)
            known = known | batch.covered
    whole = azure.monitor("web", "api", metrics=metrics).read(Span(times[0], times[-1] + pd.Timedelta(minutes=1)))
    held = store.history().frame
    columns = ["service", "metric", "stat", "interval", "timestamp", "value"]
    pd.testing.assert_frame_equal(
        held[columns].astype(dict.fromkeys(columns[:3], "str")),
        whole.frame[columns].astype(dict.fromkeys(columns[:3], "str")),
    )
    assert set(held["source"]) == {"azure-monitor:westeurope"}
    assert isinstance(known, Coverage)
