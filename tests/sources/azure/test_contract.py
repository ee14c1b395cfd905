"""Azure Monitor keeps what every source promises: the contract suite, with an Azure that holds its rows."""

from __future__ import annotations

import inspect
from pathlib import Path

import pandas as pd
import pytest

from capacity.config.azure import AzureMetric
from tests.contracts import test_sources as contract
from tests.sources.azure.server import Azure

#: Theirs -> ours, and how much of theirs in an hour is one of ours.
METRICS = {"cpu": ("UsageNanoCores", "average", 1e9), "requests": ("Requests", "total", 3600.0)}
PROMISES = [name for name in dir(contract) if name.startswith("test_")]


@pytest.mark.parametrize("promise", PROMISES)
def test_it_keeps_the_promise(promise: str, azure: Azure, tmp_path: Path) -> None:
    for (service, metric, hour), value in contract.EXPECTED.items():
        name, _, size = METRICS[metric]
        azure.keep(service, name, {hour: value * size})
    azure.now = contract.HOURS[-1] + pd.Timedelta(days=7)
    metrics = tuple(
        AzureMetric(name=name, metric=metric, aggregation=aggregation)
        for metric, (name, aggregation, _) in METRICS.items()
    )
    given = {"source": azure.monitor("web", "api", metrics=metrics, interval=3600), "tmp_path": tmp_path}
    check = getattr(contract, promise)
    check(**{name: given[name] for name in inspect.signature(check).parameters})
