"""The tally itself: one pass over the rows of a batch, compiled. Every row is looked at once and forgotten.

Counts live in open-addressing hash tables (keys, and a row of values a key), so that memory follows the number of
different latencies by label and by second, never the number of rows. A table or the list of seconds that is about to
be full stops the pass: the caller makes room and goes on at the row that was named.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from capacity.loadtest.samples import REQUEST, UNKNOWN

#: Columns of a batch, in this order.
START, ELAPSED, LABEL, OUTCOME, GROUP, HOST, KIND, COUNT, FAILED, USERS, CONNECT = range(11)
COLUMNS: Final = 11

#: What is kept of a label or a group.
N, N_FAILED, SUM, LEAST, MOST, FIRST, LAST, LAST_START, N_REQUESTS = range(9)
KEPT: Final = 9

#: What is kept of a second (a cell).
ARRIVALS, COMPLETIONS, ERRORS, BUSY, ALL_TIME, OK_TIME, CONNECTS, CONNECT_TIME = range(8)
CELL: Final = 8

#: What is kept of the order of the rows of one file.
(ROWS, PREVIOUS_START, PREVIOUS_END, START_FALLS, END_FALLS, LATEST, LONGEST, BACKWARDS, ODD_START, ODD_END, ODD_TIME,
 TOO_LONG, EARLIEST, WORK) = range(14)  # fmt: skip
ORDER: Final = 14

#: Fill of each structure.
LABELS_USED, CELLS_USED, SECONDS_USED, USERS_USED, ERRORS_USED = range(5)

#: Bits of a key that hold the bucket of a latency: enough for 2^53 microseconds in 2^11 buckets an octave.
BUCKET_BITS: Final = 17

#: Bits of a key that hold a second's place, and those that hold an outcome.
PLACE_BITS: Final = 20

#: Added to the number of a cell, so that times before 1970 are no negative keys (-1 is an empty place).
BIAS: Final = 1 << 40

#: Cells that one row may span. At the first width, a day: what claims to have lasted longer is a broken clock.
LONGEST_SPAN: Final = 86_400

#: A row may end this much (microseconds) before rows above it without a clock being suspected; beside the longest
#: latency so far, because the rows of a page or transaction are written when all of it has ended.
SLACK: Final = 5_000_000

SECOND: Final = 1_000_000
TENTH: Final = 100_000


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def bucket_of(value: int, bits: int) -> int:
    """The bucket of a value of at least 0: itself below 2^(bits+1), then 2^bits buckets an octave."""
    if value < (2 << bits):
        return value
    shift = math.frexp(float(value))[1] - bits - 1
    return (shift << bits) + (value >> shift)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def place_of(keys: np.ndarray, key: int) -> int:
    """Where a key is, or the empty place where it goes. `keys` has a power of two of places, some of them empty."""
    mixed = key * -7046029254386353131  # 2^64 / golden ratio: Fibonacci hashing (Knuth, TAOCP vol. 3, 6.4)
    place = (mixed ^ (mixed >> 32)) & (keys.size - 1)
    while keys[place] != key and keys[place] != -1:
        place = (place + 1) & (keys.size - 1)
    return place


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def insert(keys: np.ndarray, values: np.ndarray, new_keys: np.ndarray, new_values: np.ndarray) -> int:
    """Add rows of values to those under their keys; how many keys were new. There has to be room."""
    fresh = 0
    for row in range(new_keys.size):
        place = place_of(keys, new_keys[row])
        if keys[place] == -1:
            keys[place] = new_keys[row]
            fresh += 1
        for column in range(values.shape[1]):
            values[place, column] += new_values[row, column]
    return fresh


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def keep(kept: np.ndarray, who: int, start: int, elapsed: int, count: int, failed: int, requests: int) -> None:
    """One row more of a label or group."""
    kept[who, N] += count
    kept[who, N_FAILED] += failed
    kept[who, SUM] += elapsed * count
    kept[who, LEAST] = min(kept[who, LEAST], elapsed)
    kept[who, MOST] = max(kept[who, MOST], elapsed)
    kept[who, FIRST] = min(kept[who, FIRST], start)
    kept[who, LAST] = max(kept[who, LAST], start + elapsed)
    kept[who, LAST_START] = max(kept[who, LAST_START], start)
    kept[who, N_REQUESTS] += requests


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def count_up(keys: np.ndarray, values: np.ndarray, key: int, amount: int) -> int:
    """Add to the first value of a key; 1 if the key was new."""
    place = place_of(keys, key)
    values[place, 0] += amount
    if keys[place] == -1:
        keys[place] = key
        return 1
    return 0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def second_of(cell: int, keys: np.ndarray, values: np.ndarray, cell_of: np.ndarray, used: np.ndarray) -> int:
    """The place of a cell among those seen; a new one at the end."""
    place = place_of(keys, cell + BIAS)
    if keys[place] == -1:
        keys[place] = cell + BIAS
        values[place, 0] = used[SECONDS_USED]
        cell_of[used[SECONDS_USED]] = cell
        used[SECONDS_USED] += 1
    return values[place, 0]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def tally(
    begin: int,  # the first row to look at
    rows: np.ndarray,  # (COLUMNS, n) a batch
    width: int,  # microseconds of a cell
    label_bits: int,  # precision of the histograms by label, and by cell
    cell_bits: int,
    most_labels: int,  # labels beyond are told as one; then come all requests, and those that failed
    most_outcomes: int,
    most_hosts: int,
    labels: np.ndarray,  # (most_labels + 3, KEPT)
    groups: np.ndarray,  # (most_labels + 1, KEPT), requests only
    hosts: np.ndarray,  # (most_hosts + 1,) requests
    order: np.ndarray,  # (ORDER,) of this file
    used: np.ndarray,  # (5,) fill of what follows
    label_keys: np.ndarray,  # label, bucket -> requests
    label_values: np.ndarray,
    cell_keys: np.ndarray,  # place of a second, bucket -> successful requests
    cell_values: np.ndarray,
    user_keys: np.ndarray,  # host, place of a second -> sum of users, rows
    user_values: np.ndarray,
    error_keys: np.ndarray,  # label, outcome -> failures
    error_values: np.ndarray,
    second_keys: np.ndarray,  # cell -> its place among those seen
    second_values: np.ndarray,
    cell_of: np.ndarray,  # (places,) the reverse
    cells: np.ndarray,  # (places, CELL)
    bins: np.ndarray,  # (places, 10) arrivals by tenth of a second; (0, 10) when cells are wider than a second
) -> int:
    """Count rows from `begin` on; the first row for which there was no room, or n."""
    # The cells in which the last request began and ended: the next one is most often in the same.
    from_cell = from_start = to_cell = to_start = -(1 << 60)
    from_place = to_place = 0
    for i in range(begin, rows.shape[1]):
        start, elapsed, count, failed = rows[START, i], rows[ELAPSED, i], rows[COUNT, i], rows[FAILED, i]
        end = start + elapsed
        first = from_cell if from_start <= start < from_start + width else start // width
        last = to_cell if to_start <= end < to_start + width else end // width
        span = last - first + 1
        if span > LONGEST_SPAN:
            span = 2
        full = used[SECONDS_USED] + span > cell_of.size or 2 * (used[SECONDS_USED] + span) > second_keys.size
        full |= 2 * (used[LABELS_USED] + 3) > label_keys.size or 2 * (used[CELLS_USED] + 1) > cell_keys.size
        full |= 2 * (used[USERS_USED] + 1) > user_keys.size or 2 * (used[ERRORS_USED] + 1) > error_keys.size
        if full:
            return i

        request = rows[KIND, i] == REQUEST
        label = min(rows[LABEL, i], most_labels)
        bucket = bucket_of(elapsed, label_bits)
        order[ROWS] += 1
        keep(labels, label, start, elapsed, count, failed, count if request else 0)
        used[LABELS_USED] += count_up(label_keys, label_values, (label << BUCKET_BITS) | bucket, count)
        if failed > 0:
            error = (label << PLACE_BITS) | min(rows[OUTCOME, i], most_outcomes)
            used[ERRORS_USED] += count_up(error_keys, error_values, error, failed)
        order[LONGEST] = max(order[LONGEST], elapsed)
        order[ODD_TIME] += elapsed % 1000 != 0
        if not request:
            continue

        total = most_labels + 1
        keep(labels, total, start, elapsed, count, failed, count)
        used[LABELS_USED] += count_up(label_keys, label_values, (total << BUCKET_BITS) | bucket, count)
        if failed > 0:
            keep(labels, total + 1, start, elapsed, failed, failed, failed)
            used[LABELS_USED] += count_up(label_keys, label_values, ((total + 1) << BUCKET_BITS) | bucket, failed)
        keep(groups, min(rows[GROUP, i], most_labels), start, elapsed, count, failed, count)
        host = min(rows[HOST, i], most_hosts)
        hosts[host] += count

        if order[ROWS] > 1 and order[LATEST] > 0:
            order[START_FALLS] += start < order[PREVIOUS_START]
            order[END_FALLS] += end < order[PREVIOUS_END]
            order[BACKWARDS] += end < order[LATEST] - order[LONGEST] - SLACK
        order[PREVIOUS_START], order[PREVIOUS_END] = start, end
        order[LATEST] = max(order[LATEST], end)
        order[EARLIEST] = min(order[EARLIEST], start)
        order[WORK] += elapsed * count
        order[ODD_START] += start % SECOND != 0
        order[ODD_END] += end % SECOND != 0

        if first != from_cell:
            from_cell, from_start = first, first * width
            from_place = second_of(first, second_keys, second_values, cell_of, used)
        cells[from_place, ARRIVALS] += count
        if bins.shape[0] > 0:
            bins[from_place, (start - from_start) // TENTH] += count
        if last != to_cell:
            to_cell, to_start = last, last * width
            to_place = second_of(last, second_keys, second_values, cell_of, used)
        if last - first + 1 > LONGEST_SPAN:
            order[TOO_LONG] += 1
        elif last == first:
            cells[from_place, BUSY] += elapsed * count
        else:
            cells[from_place, BUSY] += (from_start + width - start) * count
            for between in range(first + 1, last):
                cells[second_of(between, second_keys, second_values, cell_of, used), BUSY] += width * count
            cells[to_place, BUSY] += (end - to_start) * count
        cells[to_place, COMPLETIONS] += count
        cells[to_place, ERRORS] += failed
        cells[to_place, ALL_TIME] += elapsed * count
        if failed < count:
            cells[to_place, OK_TIME] += elapsed * (count - failed)
            key = (to_place << BUCKET_BITS) | bucket_of(elapsed, cell_bits)
            used[CELLS_USED] += count_up(cell_keys, cell_values, key, count - failed)
        if rows[CONNECT, i] != UNKNOWN:
            cells[to_place, CONNECTS] += count
            cells[to_place, CONNECT_TIME] += rows[CONNECT, i] * count
        if rows[USERS, i] != UNKNOWN and host < most_hosts:
            key = (host << PLACE_BITS) | to_place
            at = place_of(user_keys, key)
            used[USERS_USED] += user_keys[at] == -1
            user_keys[at] = key
            user_values[at, 0] += rows[USERS, i]
            user_values[at, 1] += 1
    return rows.shape[1]
