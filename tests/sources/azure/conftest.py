"""An Azure of one's own for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sources.azure.server import Azure, serve


@pytest.fixture
def azure() -> Iterator[Azure]:
    azure, server = serve()
    yield azure
    server.shutdown()
    server.server_close()
