"""Servers that are busy, away, guarded or not servers at all: what is waited for, and what is said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from traceback import format_exception

import pytest

from capacity.errors import InputError, SourceDenied, SourceError, SourceThrottled
from capacity.sources.prometheus import Basic, Bearer
from tests.sources.prometheus.asking import HOUR, asking, values
from tests.sources.prometheus.fake import Asked, Reply, error, matrix, series, serving


def in_turn(*replies: Reply | None) -> Iterator[Reply | None]:
    """These, then good answers."""
    yield from replies
    while True:
        yield None


def healthy(asked: Asked) -> Reply:
    return matrix(series(asked, service="web"))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(status: int) -> None:
    turns = in_turn(error(status, "unavailable", "starting up"), Reply(b"<h1>Bad Gateway</h1>", status))
    waits: list[float] = []
    with serving(lambda asked: next(turns) or healthy(asked)) as fake:
        source = asking(fake, sleep=waits.append)
        assert values(source.read(HOUR)) == {"web": 60}
    assert len(waits) == 2
    assert source.spent.calls == {"query_range": 3}


def test_it_is_asked_again_when_it_said_it_would_be_ready() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    turns = in_turn(error(429, "", "slow down", Retry_After="7"), error(503, "", "soon", Retry_After=at))
    waits: list[float] = []
    with serving(lambda asked: next(turns) or healthy(asked)) as fake:
        asking(fake, sleep=waits.append).read(HOUR)
    assert waits[0] == 7.0
    assert 60 < waits[1] <= 90


def test_an_hour_is_not_waited_for() -> None:
    waits: list[float] = []
    with (
        serving(lambda asked: error(429, "", "quota used up", Retry_After="3600")) as fake,
        pytest.raises(SourceThrottled, match=r"come back in 3,600 seconds.*quota used up"),
    ):
        asking(fake, sleep=waits.append).read(HOUR)
    assert waits == []


@pytest.mark.parametrize(("status", "attempts"), [(503, 5), (429, 12), (400, 1), (501, 1)])
def test_patience_ends(status: int, attempts: int) -> None:
    with serving(lambda asked: error(status, "x", "no")) as fake, pytest.raises((SourceError, InputError)) as caught:
        asking(fake).read(HOUR)
    assert len(fake.asked) == attempts
    assert "The server said: no" in str(caught.value)


def test_a_query_that_takes_too_long_is_asked_in_smaller_parts() -> None:
    def slow(asked: Asked) -> Reply:
        late = error(503, "timeout", "query timed out in expression evaluation")
        return late if len(asked.stamps) > 20 else healthy(asked)

    with serving(slow) as fake:
        assert values(asking(fake).read(HOUR)) == {"web": 60}
    assert [len(asked.stamps) for asked in fake.asked] == [60, 60, 30, 30, 15, 15, 15, 15]


def test_no_answer_in_time_ends_in_words() -> None:
    def silent(asked: Asked) -> Reply:
        time.sleep(0.3)
        return healthy(asked)

    with serving(silent) as fake, pytest.raises(SourceError, match="no answer in time") as caught:
        asking(fake, timeout=0.1).read(HOUR)
    assert len(fake.asked) == 2 * 5  # twice at each size, five sizes
    assert "`timeout` of [prometheus]" in str(caught.value)


def test_a_sign_in_page_is_known_for_what_it_is() -> None:
    page = Reply(b"<html><title>Sign in</title></html>", headers={"Content-Type": "text/html; charset=utf-8"})
    with serving(lambda asked: page) as fake, pytest.raises(SourceDenied, match="a web page came") as caught:
        asking(fake).read(HOUR)
    assert "bearer_token_env" in str(caught.value)


def test_nobody_is_followed_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t0psecret")
    with serving(healthy) as elsewhere:
        moved = Reply(b"", 302, {"Location": f"{elsewhere.url}/login?session=abc"})
        with serving(lambda asked: moved) as fake, pytest.raises(SourceDenied) as caught:
            asking(fake, access=Bearer("TOKEN")).read(HOUR)
    assert elsewhere.asked == []
    assert "sent to http://127.0.0.1/login (HTTP 302)" in str(caught.value)
    assert "session" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_door_that_stays_shut_says_what_to_check_and_no_secret(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t0psecret")
    shut = Reply(b"denied: Bearer t0psecret", status, {"Content-Type": "text/plain"})
    with serving(lambda asked: shut) as fake, pytest.raises(SourceDenied) as caught:
        asking(fake, access=Bearer("TOKEN")).read(HOUR)
    assert "X-Scope-OrgID" in str(caught.value)
    assert "aps:QueryMetrics" in str(caught.value)
    assert "t0psecret" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 429, 200])
def test_a_server_that_repeats_what_let_us_in_is_not_quoted_with_it(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "t0psecret")
    monkeypatch.setenv("TENANT", "h1dden")
    told = error(status, "bad_data", "no 't0psecret' here for h1dden", Retry_After="999")
    with serving(lambda asked: told) as fake, pytest.raises((SourceError, InputError)) as caught:
        asking(fake, access=Bearer("TOKEN"), headers={"X-Tenant": "env:TENANT"}).read(HOUR)
    assert "no '***' here for ***" in str(caught.value)
    assert not any(secret in "".join(format_exception(caught.value)) for secret in ("t0psecret", "h1dden"))


def test_an_address_without_the_api_is_told() -> None:
    with serving(lambda asked: Reply(b"404 page not found", 404)) as fake, pytest.raises(SourceError) as caught:
        asking(fake).read(HOUR)
    assert "no query API at this address" in str(caught.value)


def test_what_lets_us_in_is_looked_up_for_each_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")

    def renewed(asked: Asked) -> Reply:
        token.write_text("second\n")
        return healthy(asked)

    with serving(renewed) as fake:
        source = asking(fake, access=Bearer(file=token), headers={"X-Scope-OrgID": "env:TENANT"}, max_points=30)
        monkeypatch.setenv("TENANT", "shop")
        source.read(HOUR)
    assert [asked.headers["Authorization"] for asked in fake.asked] == ["Bearer first", "Bearer second"]
    assert {asked.headers["X-Scope-OrgID"] for asked in fake.asked} == {"shop"}


def test_a_password_may_hold_any_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "pässword:1")
    with serving(healthy) as fake:
        asking(fake, access=Basic("reader", "PASSWORD")).read(HOUR)
    assert fake.asked[0].headers["Authorization"] == "Basic cmVhZGVyOnDDpHNzd29yZDox"  # RFC 7617, as base64(1) says


def test_a_secret_that_is_not_there_or_cannot_be_sent_is_told_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKEN", "s3cret\nX-Other: 1")
    with serving(healthy) as fake:
        for access, message in (
            (Bearer("NOT_SET"), "environment variable NOT_SET, which is not set"),
            (Bearer("BROKEN"), "BROKEN .* holds characters that no header may have"),
            (Bearer(file=tmp_path / "none"), "none .* cannot be read"),
        ):
            with pytest.raises(SourceDenied, match=message) as caught:
                asking(fake, access=access).read(HOUR)
            assert "s3cret" not in str(caught.value)
    assert fake.asked == []
