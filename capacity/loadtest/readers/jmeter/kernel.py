"""Rows of a JMeter CSV out of raw bytes: cells found, numbers read and texts told apart in one compiled pass.

Python is asked only for texts never seen before: the kernel keeps the bytes of every text once (`texts.Texts`) and
writes its place there. A row is read when its end is there, so a buffer may be cut anywhere, within quotes too.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from capacity.loadtest.readers.jmeter.cells import before_number, begins, next_row
from capacity.loadtest.readers.jmeter.columns import (
    BAD,
    BATCHED,
    BYTES,
    CODE,
    CONNECT,
    COUNT,
    ELAPSED,
    EMBEDDED,
    ERRORS,
    FAILED,
    FAILURE,
    HOST,
    LABEL,
    LAST_IS_BAD,
    LATENCY,
    LINE,
    MESSAGE,
    NEGATIVE,
    NO_SUCH_DATE,
    NUMBERS,
    OUT_CONNECT,
    OUT_COUNT,
    OUT_ELAPSED,
    OUT_FAILED,
    OUT_GROUP,
    OUT_HOST,
    OUT_KIND,
    OUT_LABEL,
    OUT_LATENCY,
    OUT_OUTCOME,
    OUT_RECEIVED,
    OUT_START,
    OUT_THREAD,
    OUT_USERS,
    REPEATED,
    ROWS,
    SAID_WHY,
    SET_DELIMITER,
    SET_ENDS,
    SET_STAMP,
    SET_TOLERANCE,
    SET_WIDTH,
    STAMP,
    STAMP_YEAR_FIRST,
    SUCCESS,
    TEXT_ROLES,
    THREAD,
    USERS,
    WHOLE,
    WITHIN,
    WRONG_CELLS,
    WRONG_ELAPSED,
    WRONG_STAMP,
    WRONG_SUCCESS,
)
from capacity.loadtest.readers.jmeter.dates import date
from capacity.loadtest.readers.jmeter.stamps import LATEST
from capacity.loadtest.readers.jmeter.swar import BAD_NUMBER, byte_at, first_of, mixed, number, repeated, same
from capacity.loadtest.readers.jmeter.tables import place_of, row_before
from capacity.loadtest.readers.jmeter.words import EMBEDDED_MARK, TRANSACTION_MARK

#: Counts are kept as int32.
LARGEST: Final = 2**31 - 1

_NEWLINE: Final = 10
_RETURN: Final = 13


MARK: Final = np.frombuffer(TRANSACTION_MARK.encode(), dtype=np.uint8)
LOST: Final = np.frombuffer(EMBEDDED_MARK.encode(), dtype=np.uint8)


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
    data[end] = _NEWLINE  # where a search for the end of a cell ends at the latest
    a_newline = repeated(_NEWLINE)
    room = out.shape[0]
    filled = held
    while at < end and filled < room:
        place, cell, lines, wrongness = next_row(data, at, end, delimiter, roles, starts, stops, doubled)
        if place < 0:
            break
        after = place + 1
        if cell == 0:  # an empty line
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
            elif values[ELAPSED] == BAD_NUMBER or values[ELAPSED] >= LATEST:
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
            if wrongness == WRONG_CELLS and lines > 1:  # a stray quote that took in rows below: they are looked at
                after, lines = first_of(data, at, a_newline, a_newline) + 1, 1
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
        count, failures = min(max(1, values[COUNT]), LARGEST), 1 if failed else 0
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
        out[filled, OUT_USERS] = min(max(-1, values[USERS]), LARGEST)
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
