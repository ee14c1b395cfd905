"""What the tests of AWS sources share: made-up keys, and moto over real HTTP."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator

import pytest

#: Of the form of real ones, so that a leak of their form would be seen.
KEY, SECRET, TOKEN = "AKIAFAKEFAKEFAKEFAKE", "fAkE/SecretSecretSecretSecretSecret+SeCrEt", "FakeToken" * 12


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up credentials with a session token, where botocore looks first; no files of this machine."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


@pytest.fixture(scope="session")
def _moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def moto(_moto: str, keys: None) -> str:
    """The address of an empty moto server: what servers of this process were told before, it would know."""
    urllib.request.urlopen(urllib.request.Request(f"{_moto}/moto-api/reset", method="POST")).close()
    return _moto
