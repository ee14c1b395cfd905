"""The kernel's memory of a file: every text once, and the last row of each thread."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from capacity.loadtest.readers.jmeter.columns import POOL, SLOTS, TEXTS, THREADS, WITHIN, WRITING
from capacity.loadtest.readers.jmeter.swar import SLACK, same

_DASH: Final = 45


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
