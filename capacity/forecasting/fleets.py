"""Many series at once: how many futures fit into memory, and how the work is shared between cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

import numpy as np

from capacity.errors import InputError
from capacity.findings import Finding

#: What a path's value is kept as: seven digits, more than any load is known to, at half the memory. Sums over services
#: are taken in double precision.
KEPT: Final = np.float32

#: All paths together take at most this many bytes, if 200 of each series do. 3,000 services, four weeks of hours: 266
#: paths, and with data and working memory it stays within 4 GiB.
MOST_BYTES: Final = 2 * 2**30

#: Fewer paths than these say too little of a P95: two dozen of 400 lie above it, ten of 200.
FEWEST_PATHS: Final = 200

#: From this many series on, all cores are used unless told otherwise: below, one is as quick and leaves the rest free.
MANY: Final = 200

Part = TypeVar("Part")
Found = TypeVar("Found")

_workers: ContextVar[int] = ContextVar("workers", default=1)


def affordable(series: int, count: int, horizon: int) -> tuple[int, list[Finding]]:
    """How many paths of each series fit into MOST_BYTES, an even number, and a finding where that is fewer than asked.

    >>> affordable(3_000, 400, 672)[0], affordable(10, 400, 672)
    (266, (400, []))
    """
    each = series * horizon * np.dtype(KEPT).itemsize
    drawn = min(count, max(FEWEST_PATHS, MOST_BYTES // each // 2 * 2))
    if drawn == count:
        return count, []
    message = (
        f"{drawn} paths of each series were drawn, not {count}: {series:,} series of {horizon:,} intervals would have "
        f"taken {count * each / 2**30:.1f} GiB, and take {drawn * each / 2**30:.1f} GiB. Far tails are coarser."
    )
    advice = "Forecast groups of services, a shorter horizon or longer intervals for more paths."
    return drawn, [Finding("", "", "paths", "REVIEW", message, advice, count=drawn)]


def workers_for(workers: int | None, series: int) -> int:
    """How many threads: as many as said; else all cores from MANY series on, and one below.

    >>> workers_for(3, series=1), workers_for(None, series=1)
    (3, 1)
    """
    if workers is None:
        return _cores() if series >= MANY else 1
    if isinstance(workers, bool) or not isinstance(workers, (int, np.integer)) or workers < 1:
        raise InputError(f"workers={workers!r}: a whole number of at least 1, or None to leave it to us")
    return int(workers)


def _cores() -> int:
    """Cores that this process may use: in a container fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def shared_by(workers: int) -> Iterator[None]:
    """Within, `each_done` works with so many threads."""
    token = _workers.set(workers)
    try:
        yield
    finally:
        _workers.reset(token)


def each_done(work: Callable[[Part], Found], parts: Iterable[Part]) -> Iterator[Found]:
    """What `work` gives for each part, in the order of the parts, whoever does it.

    Threads, not processes: the work is NumPy's, which lets others run, and results need not be copied.
    """
    parts, workers = list(parts), _workers.get()
    if workers == 1 or len(parts) < 2:
        yield from map(work, parts)
        return
    with ThreadPoolExecutor(min(workers, len(parts)), thread_name_prefix="forecast") as pool:
        yield from pool.map(work, parts)
