"""One real server for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sources.prometheus import month
from tests.sources.prometheus.server import Server, backfill


@pytest.fixture(scope="session")
def month_of_data(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server that is not running, with the month of `month.py` in its data folder."""
    return Server(backfill(tmp_path_factory.mktemp("prometheus"), month.lines()))


@pytest.fixture(scope="session")
def server(month_of_data: Server) -> Iterator[Server]:
    """The same, running."""
    month_of_data.start()
    yield month_of_data
    month_of_data.stop()
