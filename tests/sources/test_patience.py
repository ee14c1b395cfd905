"""Asking again: as often as it may help, after waits that are drawn anew, and never with a secret in the message."""

from __future__ import annotations

import pytest

from capacity.sources.patience import FIRST, LONGEST, patiently, redacted


class Busy(Exception):
    pass


def refuse(times: int, then: str = "answer") -> tuple[list[int], object]:
    """A question that is refused so many times; and the list in which it counts how often it was asked."""
    asked: list[int] = []

    def ask() -> str:
        asked.append(1)
        if len(asked) <= times:
            raise Busy
        return then

    return asked, ask


def test_it_asks_until_there_is_an_answer() -> None:
    asked, ask = refuse(4)
    waits: list[float] = []
    assert patiently(ask, lambda error, attempt: attempt < 6, sleep=waits.append) == "answer"  # type: ignore[arg-type]
    assert (len(asked), len(waits)) == (5, 4)


def test_the_last_error_comes_as_it_was_when_patience_ends() -> None:
    asked, ask = refuse(99)
    with pytest.raises(Busy):
        patiently(ask, lambda error, attempt: attempt < 6, sleep=lambda wait: None)  # type: ignore[arg-type]
    assert len(asked) == 6


def test_an_error_that_does_not_pass_is_not_asked_again() -> None:
    asked, ask = refuse(99)
    with pytest.raises(Busy):
        patiently(ask, lambda error, attempt: False, sleep=lambda wait: None)  # type: ignore[arg-type]
    assert len(asked) == 1


def test_waits_grow_within_bounds_and_differ_from_run_to_run() -> None:
    def waits() -> list[float]:
        found: list[float] = []
        _, ask = refuse(10)
        patiently(ask, lambda error, attempt: attempt < 12, sleep=found.append)  # type: ignore[arg-type]
        return found

    one, two = waits(), waits()
    assert all(0 <= wait <= min(LONGEST, FIRST * 2 ** (place + 1)) for place, wait in enumerate(one))
    assert one != two


def test_it_waits_as_long_as_it_was_asked_to() -> None:
    waits: list[float] = []
    _, ask = refuse(2)
    patiently(ask, lambda error, attempt: True, after=lambda error: 7.0, sleep=waits.append)  # type: ignore[arg-type]
    assert waits == [7.0, 7.0]


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cretvalue",
        "authorization: Basic s3cretvalue",
        "http://user:s3cretvalue@host/path",
        "https://host/?X-Amz-Signature=s3cretvalue&x=1",
        "password=s3cretvalue",
        "the key AKIAS3CRETVALUE12345 is gone",
        "refused eyJhbGciOiJSUzI1NiJ9.eyJzM2NyZXR2YWx1ZSI6MX0.s3cretvalue_-x for this app",
        "session " + "s3cretvalue" * 5,
    ],
)
def test_a_secret_is_not_repeated(text: str) -> None:
    assert "s3cretvalue" not in redacted(text).lower()
    assert "***" in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:ecs:eu-west-1:123456789012:service/shop/checkout-with-a-very-long-name-indeed",
        "User: arn:aws:sts::123456789012:assumed-role/reader/me is not authorized to perform: cloudwatch:GetMetricData",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert redacted(text) == text
