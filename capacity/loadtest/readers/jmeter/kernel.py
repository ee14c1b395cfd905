"""Rows of a JMeter CSV out of raw bytes: cells found, numbers read and texts told apart in one compiled pass.

Python is asked only for texts never seen before: the kernel keeps the bytes of every text once (`texts.Texts`) and
writes its place there. A row is read when its end is there, so a buffer may be cut anywhere, within quotes too.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from capacity.loadtest.readers.jmeter.stamps import LATEST
from capacity.loadtest.readers.jmeter.swar import BAD_NUMBER, SLACK, byte_at, first_of, mixed, number, repeated, same
from capacity.loadtest.readers.jmeter.words import EMBEDDED_MARK, TRANSACTION_MARK

# Roles of cells: where a cell of a row is kept until the row is whole. NOTHING is written over and never looked at.
NOTHING: Final = 0
STAMP: Final = 1
ELAPSED: Final = 2
LABEL: Final = 3
CODE: Final = 4
MESSAGE: Final = 5
THREAD: Final = 6
SUCCESS: Final = 7
FAILURE: Final = 8
BYTES: Final = 9
USERS: Final = 10
LATENCY: Final = 11
CONNECT: Final = 12
COUNT: Final = 13
ERRORS: Final = 14
HOST: Final = 15
ROLES: Final = 16

NUMBERS: Final = np.array([STAMP, ELAPSED, BYTES, USERS, LATENCY, CONNECT, COUNT, ERRORS])
TEXT_ROLES: Final = np.array([LABEL, CODE, THREAD, HOST])

# Columns of `out`, int64 each; texts are places in the table of texts, -1 where there is none.
OUT_START: Final = 0  # microseconds
OUT_ELAPSED: Final = 1  # microseconds
OUT_LABEL: Final = 2
OUT_OUTCOME: Final = 3
OUT_GROUP: Final = 4
OUT_HOST: Final = 5
OUT_KIND: Final = 6
OUT_COUNT: Final = 7
OUT_FAILED: Final = 8
OUT_USERS: Final = 9
OUT_LATENCY: Final = 10
OUT_CONNECT: Final = 11
OUT_RECEIVED: Final = 12
OUT_THREAD: Final = 13  # a hash of the thread's whole name
OUT_COLUMNS: Final = 14

# `state`, int64, kept from call to call.
LINE: Final = 0  # lines before `at`
ROWS: Final = 1  # rows read
BAD: Final = 2  # rows that cannot be read
LAST_IS_BAD: Final = 3  # 1 when the row before `at` was such a one
REPEATED: Final = 4  # header lines beyond the first
NO_SUCH_DATE: Final = 5  # date stamps with a month or day the calendar does not have
NEGATIVE: Final = 6  # elapsed times below zero, read as zero
BATCHED: Final = 7  # rows that tell of several requests
WRITING: Final = 8  # which half of the table of threads is written
THREADS: Final = 9  # threads in it
TEXTS: Final = 10  # texts in the table of texts
POOL: Final = 11  # bytes in it
STATE: Final = 12

# `settings`, int64.
SET_DELIMITER: Final = 0
SET_WIDTH: Final = 1  # cells of a row
SET_STAMP: Final = 2  # a STAMP_...
SET_ENDS: Final = 3  # 1: stamps are the ends of samples
SET_TOLERANCE: Final = 4  # microseconds by which a sub-result may stick out of its container
SETTINGS: Final = 5

# `work`, by role: where its cell starts and stops, DOUBLED where its quotes are, its value (a number, or the place of a
# text), and the decimal places that are kept of it (or the style of dates).
WORK: Final = 5

STAMP_NUMBER: Final = 0  # plus the decimal places that make microseconds of it: 3 for milliseconds
STAMP_YEAR_FIRST: Final = 10  # 2026/11/23 09:54:13.902
STAMP_MONTH_FIRST: Final = 11  # 11/23/26 09:54:13

# What is wrong with a row.
WRONG_CELLS: Final = 1
WRONG_STAMP: Final = 2
WRONG_ELAPSED: Final = 3
WRONG_SUCCESS: Final = 4
WRONG_QUOTES: Final = 5

#: Rows a sub-result may stand behind its container: JMeter writes both in one go, but other threads write as well.
WITHIN: Final = 4096

#: Slots of the table of threads: four a thread, so that a look-up seldom needs a second one.
SLOTS: Final = 4 * WITHIN

# What a text is, in `extra`: the role in the low four bits, then whether its quotes are doubled, then of an outcome:
DOUBLED: Final = 16
FAILED: Final = 32
SAID_WHY: Final = 64  # has a failureMessage
WHOLE: Final = 128  # of a transaction: a sum of others
EMBEDDED: Final = 256  # an embedded resource could not be loaded

_QUOTE: Final = 34
_NEWLINE: Final = 10
_RETURN: Final = 13
_DASH: Final = 45
_BLANK: Final = 32

MARK: Final = np.frombuffer(TRANSACTION_MARK.encode(), dtype=np.uint8)
LOST: Final = np.frombuffer(EMBEDDED_MARK.encode(), dtype=np.uint8)


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
def place_of(
    data: np.ndarray,
    start: int,
    stop: int,
    extra: int,
    key: int,  # the hash of role and bytes
    slots: np.ndarray,
    keys: np.ndarray,
    ends: np.ndarray,
    extras: np.ndarray,
    bases: np.ndarray,
    pool: np.ndarray,
    state: np.ndarray,
) -> int:
    """Where a text stands in the table of texts, after writing it there if it is new; -1 when there is no room."""
    mask = slots.size - 1
    length = stop - start
    slot = (key ^ (key >> 32)) & mask
    while True:
        found = slots[slot]
        if found < 0:
            break
        if keys[found] == key and extras[found] == extra:
            begin = ends[found - 1] if found > 0 else 0
            if ends[found] - begin == length and same(data, start, pool, begin, length):
                return found
        slot = (slot + 1) & mask
    new = state[TEXTS]
    used = state[POOL]
    if new >= keys.size or used + length + SLACK > pool.size:
        return -1
    for place in range(length):
        pool[used + place] = data[start + place]
    slots[slot], keys[new], ends[new], extras[new] = new, key, used + length, extra
    place = stop - 1
    while place > start and data[place] >= 48 and data[place] <= 57:
        place -= 1
    bases[new] = place - start if place < stop - 1 and place > start and data[place] == _DASH else -1
    state[TEXTS], state[POOL] = new + 1, used + length
    return new


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def settle(slots: np.ndarray, keys: np.ndarray, count: int) -> None:
    """Fill the empty slots of a grown table of texts."""
    mask = slots.size - 1
    for entry in range(count):
        slot = (keys[entry] ^ (keys[entry] >> 32)) & mask
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = entry


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def row_before(thread: int, row: int, threads: np.ndarray, last: np.ndarray, state: np.ndarray) -> int:
    """The row this thread wrote last, among the last WITHIN at least; -1 for none. From now on it is this one.

    Two tables, (2, SLOTS): when the one that is written has WITHIN threads, the older one is emptied and written.
    So it does not grow with the threads of a file, which may be new for every arrival.
    """
    mask = SLOTS - 1
    writing = state[WRITING]
    slot = (thread ^ (thread >> 32)) & mask
    while last[writing, slot] >= 0:
        if threads[writing, slot] == thread:
            before = last[writing, slot]
            last[writing, slot] = row
            return before
        slot = (slot + 1) & mask
    if state[THREADS] >= WITHIN:
        writing = 1 - writing
        last[writing, :] = -1
        state[WRITING], state[THREADS] = writing, 0
        slot = (thread ^ (thread >> 32)) & mask
    threads[writing, slot], last[writing, slot] = thread, row
    state[THREADS] += 1
    other = 1 - writing
    slot = (thread ^ (thread >> 32)) & mask
    while last[other, slot] >= 0:
        if threads[other, slot] == thread:
            return last[other, slot]
        slot = (slot + 1) & mask
    return -1


@njit(cache=True, nogil=True, _nrt=False)  # type: ignore[untyped-decorator, unused-ignore]
def parse(
    data: np.ndarray,  # (>= end + 1 + SLACK,) bytes; the one at `end` is written over
    at: int,  # where the first row begins
    end: int,
    roles: np.ndarray,  # (width,) the role of each cell
    header: np.ndarray,  # the bytes of the header line, empty where there is none
    settings: np.ndarray,
    slots: np.ndarray,  # the table of texts
    keys: np.ndarray,
    ends: np.ndarray,
    extras: np.ndarray,
    bases: np.ndarray,
    pool: np.ndarray,
    threads: np.ndarray,  # (2, SLOTS) the table of threads
    last: np.ndarray,
    out: np.ndarray,  # (room, OUT_COLUMNS)
    held: int,  # rows already in it
    work: np.ndarray,  # (WORK, ROLES), -1 at first: where the cells of a row are, and what they say
    wrong: np.ndarray,  # (k, 3) line, what is wrong and the count of cells, of the first k bad rows
    state: np.ndarray,
) -> tuple[int, int, bool]:
    """Rows of `out` that are filled, the place of the first row not read, and whether the texts need more room.

    Stops where the bytes or the room of `out` end. Row r of the file, counted from 0, is row
    held + r - state[ROWS] of it, as that was on entry.
    """
    delimiter, width = settings[SET_DELIMITER], settings[SET_WIDTH]
    stamps_are_ends, tolerance = settings[SET_ENDS], settings[SET_TOLERANCE]
    starts, stops, doubled, values, places = work[0], work[1], work[2], work[3], work[4]
    doubled[:] = 0
    places[:] = 0
    places[STAMP] = settings[SET_STAMP]
    places[ELAPSED] = places[LATENCY] = places[CONNECT] = 3  # milliseconds are written, microseconds kept
    a_delimiter, a_newline, a_quote = repeated(delimiter), repeated(_NEWLINE), repeated(_QUOTE)
    data[end] = _NEWLINE  # a search for the end of a cell ends here at the latest
    room = out.shape[0]
    filled = held
    while at < end and filled < room:
        place, cell, lines, wrongness, whole = at, 0, 0, 0, False
        while True:
            quotes = 0
            if byte_at(data, place) == _QUOTE:
                place += 1
                start = place
                while True:
                    place = first_of(data, place, a_quote, a_newline)
                    if place >= end:
                        break
                    if byte_at(data, place) == _NEWLINE:
                        lines += 1
                    elif byte_at(data, place + 1) != _QUOTE or place + 1 >= end:
                        break
                    else:
                        quotes = DOUBLED
                        place += 1
                    place += 1
                if place >= end:
                    break
                stop = place
                place += 1
                if byte_at(data, place) == _RETURN and place + 1 < end and byte_at(data, place + 1) == _NEWLINE:
                    place += 1
                if byte_at(data, place) != delimiter and byte_at(data, place) != _NEWLINE:
                    wrongness = WRONG_QUOTES
                    place = first_of(data, place, a_delimiter, a_newline)
            else:
                start = place
                place = first_of(data, place, a_delimiter, a_newline)
                stop = place
            if place >= end:
                break
            role = roles[cell] if cell < width else NOTHING
            starts[role], stops[role], doubled[role] = start, stop, quotes
            cell += 1
            if byte_at(data, place) == _NEWLINE:
                if stop == place and stop > start and byte_at(data, stop - 1) == _RETURN:
                    stop -= 1
                    stops[role] = stop
                whole = True
                break
            place += 1
        if not whole:
            break
        after = place + 1
        lines += 1
        if cell == 1 and stop == start:  # an empty line
            state[LINE] += lines
            at = after
            continue

        failed = False
        no_such_dates = state[NO_SUCH_DATE]
        if cell != width:
            wrongness = WRONG_CELLS if wrongness == 0 else wrongness
        if wrongness == 0:
            for role in NUMBERS:
                if starts[role] >= 0:
                    scale = places[role]
                    if scale < STAMP_YEAR_FIRST:
                        values[role] = number(data, starts[role], stops[role], scale)
                    else:
                        values[role] = date(data, starts[role], stops[role], scale, state)
            if values[STAMP] < 0 or values[STAMP] >= LATEST:  # BAD_NUMBER is below zero
                wrongness = WRONG_STAMP
            elif values[ELAPSED] == BAD_NUMBER:
                wrongness = WRONG_ELAPSED
            elif starts[SUCCESS] >= 0:
                letter, size = byte_at(data, starts[SUCCESS]) | 32, stops[SUCCESS] - starts[SUCCESS]
                failed = letter == 102 and size == 5  # false
                if not failed and not (letter == 116 and size == 4):  # true
                    wrongness = WRONG_SUCCESS
            elif starts[CODE] >= 0:  # 4xx and 5xx, and JMeter's "Non HTTP response code: ..."
                letter, size = byte_at(data, starts[CODE]), stops[CODE] - starts[CODE]
                failed = (size == 3 and (letter == 52 or letter == 53)) or (size > 3 and letter == 78)
        if wrongness != 0:
            size = place - at
            if size > 0 and byte_at(data, place - 1) == _RETURN:
                size -= 1
            if header.size > 0 and size == header.size and begins(data, at, place, header):
                state[REPEATED] += 1
            else:
                if state[BAD] < wrong.shape[0]:
                    wrong[state[BAD], 0] = state[LINE] + 1
                    wrong[state[BAD], 1], wrong[state[BAD], 2] = wrongness, cell
                state[BAD] += 1
                state[LAST_IS_BAD] = 1
            state[NO_SUCH_DATE] = no_such_dates
            state[LINE] += lines
            at = after
            continue

        transaction = starts[MESSAGE] >= 0 and begins(data, starts[MESSAGE], stops[MESSAGE], MARK)
        flags = WHOLE if transaction else 0
        if failed:
            flags |= FAILED
            if starts[FAILURE] >= 0 and stops[FAILURE] > starts[FAILURE]:
                flags |= SAID_WHY
            if starts[MESSAGE] >= 0 and begins(data, starts[MESSAGE], stops[MESSAGE], LOST):
                flags |= EMBEDDED
        thread = np.int64(0)
        for role in TEXT_ROLES:
            values[role] = -1
            if starts[role] >= 0 or role == CODE:
                extra = role | doubled[role] | (flags if role == CODE else 0)
                start, stop = max(starts[role], 0), max(stops[role], 0)
                cut = before_number(data, start, stop) if role == THREAD else stop
                hashed = mixed(np.uint64(extra), data, start, cut)
                key = np.int64(hashed)
                if role == THREAD:
                    thread = np.int64(mixed(hashed, data, cut, stop))
                elif role == HOST:
                    thread ^= key
                values[role] = place_of(data, start, cut, extra, key, slots, keys, ends, extras, bases, pool, state)
                if values[role] < 0:
                    state[NO_SUCH_DATE] = no_such_dates  # this row comes again
                    return filled, at, True
        label = values[LABEL]

        stamp, elapsed, latency = values[STAMP], values[ELAPSED], values[LATENCY]
        count, failures = max(1, values[COUNT]), 1 if failed else 0
        if elapsed < 0:
            state[NEGATIVE] += 1
            elapsed = 0
        connect, received = max(-1, values[CONNECT]), max(-1, values[BYTES])
        if count > 1:  # a batch, StatisticalSampleResult: its figures are sums, its stamp is the end of the last one
            state[BATCHED] += 1
            failures = min(count, max(0, values[ERRORS])) if starts[ERRORS] >= 0 else count * failures
            elapsed //= count
            latency = latency // count if latency > 0 else latency
            connect = connect // count if connect > 0 else connect
            received = received // count if received > 0 else received
        if latency <= 0 and (latency < 0 or elapsed > 0):  # JMeter's 0 for "not known"
            latency = -1
        if stamps_are_ends == 1 or count > 1:
            stamp -= elapsed

        row = state[ROWS]
        out[filled, OUT_START] = stamp
        out[filled, OUT_ELAPSED] = elapsed
        out[filled, OUT_LABEL] = label
        out[filled, OUT_OUTCOME] = values[CODE]
        out[filled, OUT_GROUP] = values[THREAD]
        out[filled, OUT_HOST] = values[HOST]
        out[filled, OUT_KIND] = 2 if transaction else 0
        out[filled, OUT_COUNT] = count
        out[filled, OUT_FAILED] = failures
        out[filled, OUT_USERS] = max(-1, values[USERS])
        out[filled, OUT_LATENCY] = latency
        out[filled, OUT_CONNECT] = connect
        out[filled, OUT_RECEIVED] = received
        out[filled, OUT_THREAD] = thread

        before = row_before(thread, row, threads, last, state)
        if label >= 0 and bases[label] > 0 and before >= 0 and row - before <= WITHIN:
            parent = filled - (row - before)
            named = out[parent, OUT_LABEL]
            begin = ends[named - 1] if named > 0 else 0
            mine = ends[label - 1] if label > 0 else 0
            inside = (
                out[parent, OUT_KIND] == 0
                and ends[named] - begin == bases[label]
                and stamp >= out[parent, OUT_START] - tolerance
                and stamp + elapsed <= out[parent, OUT_START] + out[parent, OUT_ELAPSED] + tolerance
            )
            if inside and same(pool, begin, pool, mine, bases[label]):
                out[parent, OUT_KIND] = 1
        state[ROWS] = row + 1
        state[LAST_IS_BAD] = 0
        state[LINE] += lines
        filled += 1
        at = after
    return filled, at, False
