"""What the tests of bills share: made-up keys, and where botocore must not look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sources.bills.truth import the_server

#: Of the form of real ones, so that a leak would be seen.
KEY, SECRET = "AKIACOSTCOSTCOSTCOST", "CoStSeCrEtCoStSeCrEtCoStSeCrEtCoStSeCrEt"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch, _no_credentials: None) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")


@pytest.fixture(scope="session", autouse=True)
def _one_server() -> Iterator[None]:
    yield
    if the_server.cache_info().currsize:
        the_server().__exit__(None, None, None)
