"""Credentials that open nothing, and servers on this machine."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from capacity.sources.aws import Door
from tests.sources.cloudwatch.fake import FakeCloudWatch


@pytest.fixture(scope="module")
def moto_address() -> Iterator[str]:
    """A moto server over real HTTP, empty: what servers of this process were told before, it would know."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{address}/moto-api/reset", method="POST")).close()
    yield address
    server.stop()


@pytest.fixture(autouse=True)
def _dummy_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture
def fake() -> Iterator[FakeCloudWatch]:
    with FakeCloudWatch() as server:
        yield server


@pytest.fixture
def door(fake: FakeCloudWatch) -> Door:
    """The way to the fake; waits take no time."""
    return Door(endpoint=fake.address, sleep=lambda seconds: None)
