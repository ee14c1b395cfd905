"""Eight bytes at a time say what one at a time would."""

from __future__ import annotations

import re
from decimal import Decimal

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capacity.loadtest.readers.jmeter import swar


def loaded(data: bytes) -> np.ndarray:
    """Bytes as the kernel has them: more behind them, which must not matter."""
    return np.frombuffer(bytearray(data + b"7" * swar.SLACK), dtype=np.uint8)


@given(
    text=st.from_regex(r" ?-?[0-9]{0,18}(\.[0-9]{0,5})? ?", fullmatch=True) | st.text("0123456789.-: /a", max_size=18)
)
@example("12345678")
@example("123456789")
@example("1795427364220")
@example("99999999:")
@settings(max_examples=100, deadline=None)
def test_a_number_is_what_decimal_says_or_none(text: str) -> None:
    data = text.encode()
    found = swar.number(loaded(data), 0, len(data), 3)
    whole = re.fullmatch(r" *(-?[0-9]+)(\.[0-9]*)? *", text)
    if whole and len(whole[1].lstrip("-")) <= 15:
        value = int(Decimal(text.strip().rstrip(".")) * 1000)  # towards zero
        assert found == value
    elif not whole:
        assert found == swar.BAD_NUMBER


@given(data=st.binary(max_size=40), one=st.integers(0, 255), other=st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_the_first_of_two_bytes_is_found(data: bytes, one: int, other: int) -> None:
    places = [place for byte in (one, other) if (place := (data + bytes([one])).find(byte)) >= 0]
    found = swar.first_of(loaded(data + bytes([one])), 0, *(np.uint64(swar.repeated(byte)) for byte in (one, other)))
    assert found == min(places)


@given(data=st.binary(max_size=30), other=st.binary(max_size=30))
@settings(max_examples=30, deadline=None)
def test_texts_are_alike_when_their_bytes_are(data: bytes, other: bytes) -> None:
    size = min(len(data), len(other))
    assert swar.same(loaded(data), 0, loaded(other), 0, size) == (data[:size] == other[:size])
    assert swar.same(loaded(data), 0, loaded(data), 0, len(data))
    whole = swar.mixed(np.uint64(1), loaded(data), 0, len(data))
    assert whole == swar.mixed(np.uint64(1), loaded(b"##" + data), 2, len(data) + 2)
