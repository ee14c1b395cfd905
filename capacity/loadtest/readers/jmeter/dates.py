"""Dates as JMeter's stamps have them, read by the kernel."""

from __future__ import annotations

import numpy as np
from numba import njit

from capacity.loadtest.readers.jmeter.columns import NO_SUCH_DATE, STAMP_YEAR_FIRST
from capacity.loadtest.readers.jmeter.swar import BAD_NUMBER


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def digits(data: np.ndarray, start: int, stop: int, most: int) -> tuple[int, int]:
    """The whole number that begins here, of at most so many digits, and the place behind it; -1 where there is none."""
    value, place = 0, start
    while place < stop and place - start < most:
        digit = data[place] - np.int64(48)
        if digit < 0 or digit > 9:
            break
        value = value * 10 + digit
        place += 1
    return (value, place) if place > start else (-1, start)


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def days_before(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the Gregorian calendar; a month over 12 is one of the next year.

    Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
    """
    year += (month - 1) // 12
    month = (month - 1) % 12 + 1
    if month <= 2:
        year -= 1
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def date(data: np.ndarray, start: int, stop: int, style: int, state: np.ndarray) -> int:
    """Microseconds since 1970 of a date stamp, on the clock it was written by, or in UTC where it says its offset."""
    first, place = digits(data, start, stop, 4)
    if first < 0 or place >= stop or (data[place] != 47 and data[place] != 45):
        return BAD_NUMBER
    apart = data[place]
    second, place = digits(data, place + 1, stop, 2)
    if second < 0 or place >= stop or data[place] != apart:
        return BAD_NUMBER
    third, place = digits(data, place + 1, stop, 4)
    if third < 0 or place >= stop or (data[place] != 32 and data[place] != 84):
        return BAD_NUMBER
    if style == STAMP_YEAR_FIRST:
        year, month, day = first, second, third
    else:
        month, day, year = first, second, third
        if year < 100:
            year += 2000 if year < 70 else 1900
    hour, place = digits(data, place + 1, stop, 2)
    if hour < 0 or hour > 24 or place >= stop or data[place] != 58:
        return BAD_NUMBER
    minute, place = digits(data, place + 1, stop, 2)
    if minute < 0 or minute > 59 or place >= stop or data[place] != 58:
        return BAD_NUMBER
    seconds, place = digits(data, place + 1, stop, 2)
    if seconds < 0 or seconds > 60:
        return BAD_NUMBER
    micros = 0
    if place < stop and (data[place] == 46 or data[place] == 44):
        place += 1
        scale = 100_000
        begin = place
        while place < stop and data[place] >= 48 and data[place] <= 57:
            micros += (data[place] - np.int64(48)) * scale
            scale //= 10
            place += 1
        if place == begin:
            return BAD_NUMBER
    offset = 0
    if place < stop and data[place] == 90:
        place += 1
    elif place < stop and (data[place] == 43 or data[place] == 45):
        sign = 1 if data[place] == 43 else -1
        hours, place = digits(data, place + 1, stop, 2)
        if place < stop and data[place] == 58:
            place += 1
        minutes, place = digits(data, place, stop, 2)
        if hours < 0:
            return BAD_NUMBER
        offset = sign * (hours * 60 + max(minutes, 0))
    if place != stop or month == 0 or day == 0:
        return BAD_NUMBER
    if month > 12 or day > 31 or days_before(year, month, day) >= days_before(year, month + 1, 1):
        state[NO_SUCH_DATE] += 1
    whole = ((days_before(year, month, day) * 24 + hour) * 60 + minute - offset) * 60 + seconds
    return whole * 1_000_000 + micros
