"""One real server for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest

from tests.sources.prometheus import exporters, month
from tests.sources.prometheus.server import Server, backfill


@pytest.fixture(scope="session")
def month_of_data(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server that is not running, with what `month.py` and `exporters.py` make in its data folder."""
    return Server(backfill(tmp_path_factory.mktemp("prometheus"), chain(month.lines(), exporters.lines())))


@pytest.fixture(scope="session")
def server(month_of_data: Server) -> Iterator[Server]:
    """The same, running."""
    month_of_data.start()
    yield month_of_data
    month_of_data.stop()
