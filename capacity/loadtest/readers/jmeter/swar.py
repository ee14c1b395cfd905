"""Eight bytes at a time: ends of cells, numbers and hashes of texts ("SIMD within a register").

Every array handed in has to go on for SLACK bytes behind the last place asked for; they are loaded, and do not matter.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped, unused-ignore]  # it has no stubs
from numba import njit, types
from numba.extending import intrinsic

#: Bytes behind the last one that may be loaded.
SLACK: Final = 8

BAD_NUMBER: Final = -(2**63)
_TENTH: Final = (2**63 - 1) // 10

_LOW: Final = np.uint64(0x0101010101010101)
_HIGH: Final = np.uint64(0x8080808080808080)
_ZEROS: Final = np.uint64(0x3030303030303030)  # "00000000"
_ABOVE_NINE: Final = np.uint64(0x4646464646464646)  # adds up to the high bit from ":" on
_PAIRS: Final = np.uint64(0x000000FF000000FF)
_HUNDREDS: Final = np.uint64(0x000F424000000064)  # 10**6 and 100
_UNITS: Final = np.uint64(0x0000271000000001)  # 10**4 and 1

_ONE: Final = np.uint64(1)
_EIGHT: Final = np.uint64(8)
_TEN: Final = np.uint64(10)
_SIXTEEN: Final = np.uint64(16)
_HALF: Final = np.uint64(32)

#: Odd, its bits without a pattern: 2**64 divided by the golden ratio.
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def byte_at(_context: Any, data: Any, place: Any) -> Any:
    """A byte as int64, without the check for places counted from the end."""

    def load(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.zext(builder.load(builder.gep(array.data, [arguments[1]])), ir.IntType(64))

    return types.int64(data, place), load


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def eight_at(_context: Any, data: Any, place: Any) -> Any:
    """Eight bytes as uint64, wherever they begin; the first is the lowest on the machines we run on."""

    def load(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.bitcast(builder.gep(array.data, [arguments[1]]), ir.IntType(64).as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(data, place), load


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def zeros_below(_context: Any, word: Any) -> Any:
    """Zero bits below the lowest one that is set, of a word that is not 0, as int64."""

    def count(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(word), count


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def first_of(data: np.ndarray, place: int, one: np.uint64, other: np.uint64) -> int:
    """The first place from here on that holds one of two bytes, each given eight times over (`repeated`).

    A byte is zero when taking 1 from it borrows: Alan Mycroft's test, exact for the lowest such byte.
    """
    while True:
        word = eight_at(data, place)
        first, second = word ^ one, word ^ other
        hits = (((first - _LOW) & ~first) | ((second - _LOW) & ~second)) & _HIGH
        if hits != 0:
            return place + (zeros_below(hits) >> 3)
        place += 8


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def repeated(byte: int) -> np.uint64:
    """A byte eight times over."""
    return np.uint64(byte) * _LOW


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def small_number(word: np.uint64, size: int) -> int:
    """The number in the first `size` bytes of a word, 1 to 8 digits; -1 for anything else.

    Pairs, fours and eights of digits are joined by multiplying: D. Lemire, fast_float, parse_eight_digits_unrolled.
    """
    gap = np.uint64(8 - size) * _EIGHT
    # In two steps: a shift by all 64 bits has no meaning.
    word = (word << gap) | ((_ZEROS >> (np.uint64(size - 1) * _EIGHT)) >> _EIGHT)
    digits = word - _ZEROS
    if (((word + _ABOVE_NINE) | digits) & _HIGH) != 0:
        return -1
    digits = digits * _TEN + (digits >> _EIGHT)
    joined = ((digits & _PAIRS) * _HUNDREDS + ((digits >> _SIXTEEN) & _PAIRS) * _UNITS) >> _HALF
    return np.int64(joined)  # type: ignore[return-value]


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def scaled(value: int, places: int) -> int:
    """A number from 0 on, times 10**places; BAD_NUMBER beyond int64."""
    for _ in range(places):
        if value > _TENTH:
            return BAD_NUMBER
        value *= 10
    return value


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def number(data: np.ndarray, start: int, stop: int, places: int) -> int:
    """A decimal number times 10**places, cut to a whole one; BAD_NUMBER for anything else."""
    size = stop - start
    value = -1
    if 0 < size <= 8:
        value = small_number(eight_at(data, start), size)
    elif 8 < size <= 15:
        above = small_number(eight_at(data, start), size - 8)
        value = small_number(eight_at(data, stop - 8), 8)
        value = above * 100_000_000 + value if above >= 0 and value >= 0 else -1
    if value < 0:
        return any_number(data, start, stop, places)
    return scaled(value, places)


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def any_number(data: np.ndarray, start: int, stop: int, places: int) -> int:
    """`number`, digit by digit: with a sign, a fraction, blanks around it."""
    while start < stop and byte_at(data, start) == 32:
        start += 1
    while start < stop and byte_at(data, stop - 1) == 32:
        stop -= 1
    negative = start < stop and byte_at(data, start) == 45
    if negative:
        start += 1
    value = 0
    place = start
    while place < stop:
        digit = byte_at(data, place) - 48
        if digit < 0 or digit > 9:
            break
        value = value * 10 + digit
        place += 1
    if place == start or place - start > 16:
        return BAD_NUMBER
    if place < stop:
        if byte_at(data, place) != 46:
            return BAD_NUMBER
        place += 1
        while place < stop:
            digit = byte_at(data, place) - 48
            if digit < 0 or digit > 9:
                return BAD_NUMBER
            if places > 0:
                value = value * 10 + digit
                places -= 1
            place += 1
    value = scaled(value, places)
    return -value if negative and value != BAD_NUMBER else value


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def last_word(data: np.ndarray, place: int, size: int) -> np.uint64:
    """The first `size` bytes from a place, 1 to 8, as a word whose other bytes are zero."""
    return (eight_at(data, place) << (np.uint64(8 - size) * _EIGHT)) >> (np.uint64(8 - size) * _EIGHT)


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def mixed(seed: np.uint64, data: np.ndarray, start: int, stop: int) -> np.uint64:
    """A hash of bytes, going on from another one."""
    while stop - start >= 8:
        seed = (seed ^ eight_at(data, start)) * _SPREAD
        seed ^= seed >> _HALF
        start += 8
    if stop > start:
        seed = (seed ^ last_word(data, start, stop - start)) * _SPREAD
        seed ^= seed >> _HALF
    return seed


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def same(data: np.ndarray, start: int, other: np.ndarray, begin: int, size: int) -> bool:
    """Whether so many bytes of two arrays are alike."""
    while size >= 8:
        if eight_at(data, start) != eight_at(other, begin):
            return False
        start, begin, size = start + 8, begin + 8, size - 8
    return size == 0 or last_word(data, start, size) == last_word(other, begin, size)
