"""Prometheus keeps what every source promises: the contract suite, with a real server that holds its rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from capacity.sources.prometheus import Prometheus, Query
from tests.contracts.pulled import PROMISES, kept
from tests.contracts.test_sources import EXPECTED, HOURS
from tests.sources.prometheus.server import Server, backfill

pytestmark = pytest.mark.xdist_group("prometheus")


@pytest.fixture(scope="module")
def holding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One sample at the end of each hour that the suite expects."""
    lines = (
        f'{metric}{{service="{service}"}} {value!r} {hour.timestamp() + 3600:.0f}'
        for (service, metric, hour), value in EXPECTED.items()
    )
    server = Server(backfill(tmp_path_factory.mktemp("contract"), lines)).start()
    yield server
    server.stop()


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[1])
def test_it_keeps_the_promise(promise: tuple[ModuleType, str], holding: Server, tmp_path: Path) -> None:
    queries = tuple(Query(metric, metric, step=3600) for metric in ("cpu", "requests"))
    now = HOURS[-1] + pd.Timedelta(days=7)
    kept(promise, Prometheus(holding.url, queries, clock=lambda: now), tmp_path)
