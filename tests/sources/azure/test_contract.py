"""Azure Monitor keeps what every source promises: the contract suite, with an Azure that holds its rows."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from capacity.config.azure import AzureMetric
from tests.contracts.pulled import PROMISES, kept
from tests.contracts.test_sources import EXPECTED, HOURS
from tests.sources.azure.server import Azure

#: Theirs -> ours, and how much of theirs in an hour is one of ours.
METRICS = {"cpu": ("UsageNanoCores", "average", 1e9), "requests": ("Requests", "total", 3600.0)}


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[1])
def test_it_keeps_the_promise(promise: tuple[ModuleType, str], azure: Azure, tmp_path: Path) -> None:
    for (service, metric, hour), value in EXPECTED.items():
        name, _, size = METRICS[metric]
        azure.keep(service, name, {hour: value * size})
    azure.now = HOURS[-1] + pd.Timedelta(days=7)
    metrics = tuple(
        AzureMetric(name=name, metric=metric, aggregation=aggregation)
        for metric, (name, aggregation, _) in METRICS.items()
    )
    kept(promise, azure.monitor("web", "api", metrics=metrics, interval=3600), tmp_path)
