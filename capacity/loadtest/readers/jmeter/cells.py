"""Where the cells of a row stand among the bytes of a CSV."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from capacity.loadtest.readers.jmeter.columns import DOUBLED, NOTHING, WRONG_QUOTES
from capacity.loadtest.readers.jmeter.swar import byte_at, first_of, repeated

_QUOTE: Final = 34
_NEWLINE: Final = 10
_RETURN: Final = 13
_DASH: Final = 45
_BLANK: Final = 32


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def begins(data: np.ndarray, start: int, stop: int, words: np.ndarray) -> bool:
    """Whether a cell begins with these words."""
    if stop - start < words.size:
        return False
    for place in range(words.size):  # noqa: SIM110 - compiled
        if data[start + place] != words[place]:
            return False
    return True


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def before_number(data: np.ndarray, start: int, stop: int) -> int:
    """Where a thread's name ends and its " 1-23" begins; the end of the name where there is none."""
    cut = stop - 1
    while cut > start and byte_at(data, cut) >= 48 and byte_at(data, cut) <= 57:
        cut -= 1
    if cut <= start or cut == stop - 1 or byte_at(data, cut) != _DASH:
        return stop
    dash = cut
    cut -= 1
    while cut > start and byte_at(data, cut) >= 48 and byte_at(data, cut) <= 57:
        cut -= 1
    return cut if cut < dash - 1 and byte_at(data, cut) == _BLANK else stop


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def next_row(
    data: np.ndarray,
    at: int,
    end: int,
    delimiter: int,
    roles: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    doubled: np.ndarray,
) -> tuple[int, int, int, int]:
    """Where the line end of the row stands, its cells (0 for an empty line), its lines, and WRONG_QUOTES or 0.

    The place is -1 when the row has no end yet. `data[end]` has to be a line end. By role: where cells start and stop.
    A row of WRONG_QUOTES ends with its first line: no quote tells where it ends, and the lines below may be whole.
    """
    a_delimiter, a_newline, a_quote = repeated(delimiter), repeated(_NEWLINE), repeated(_QUOTE)
    width = roles.size
    place, cell, lines = at, 0, 1
    while True:
        quotes = 0
        if byte_at(data, place) == _QUOTE:
            place += 1
            start = place
            while True:
                place = first_of(data, place, a_quote, a_newline)
                if place >= end:
                    return -1, cell, lines, 0
                if byte_at(data, place) == _NEWLINE:
                    lines += 1
                elif byte_at(data, place + 1) != _QUOTE or place + 1 >= end:
                    break
                else:
                    quotes = DOUBLED
                    place += 1
                place += 1
            stop = place
            place += 1
            if byte_at(data, place) == _RETURN and place + 1 < end and byte_at(data, place + 1) == _NEWLINE:
                place += 1
            if byte_at(data, place) != delimiter and byte_at(data, place) != _NEWLINE:
                if place + 1 >= end:  # a carriage return whose line feed is not there yet
                    return -1, cell, lines, 0
                place = first_of(data, at, a_newline, a_newline)
                return place if place < end else -1, cell + 1, 1, WRONG_QUOTES
        else:
            start = place
            place = first_of(data, place, a_delimiter, a_newline)
            stop = place
            if stop > start and byte_at(data, place) == _NEWLINE and byte_at(data, stop - 1) == _RETURN:
                stop -= 1
        if place >= end:
            return -1, cell, lines, 0
        role = roles[cell] if cell < width else NOTHING
        starts[role], stops[role], doubled[role] = start, stop, quotes
        if byte_at(data, place) == _NEWLINE:
            return place, 0 if cell == 0 and stop == start else cell + 1, lines, 0
        cell += 1
        place += 1
