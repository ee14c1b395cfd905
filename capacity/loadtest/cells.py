"""A test second by second: what arrived, finished, failed, was in flight, and how long it took."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

from capacity.loadtest import kernel
from capacity.loadtest.histograms import Histogram, representatives

#: Seconds without anything in flight that part two runs: below it, users think or a rate is low.
PAUSE: Final = 60

SECOND: Final = kernel.SECOND

TIMELINE: Final = (
    *("timestamp", "seconds", "arrivals", "completions", "errors", "in_flight", "users"),
    *("mean_ms", "p50_ms", "p95_ms"),
)


@dataclass(frozen=True, eq=False)
class Cells:
    """n cells in order of time, without holes inside a run. Arrays are (n,); times in microseconds.

    number      int64: the cell lasts from `number * width` on, since 1970 UTC
    arrivals    requests that started          completions  those that ended, of which `errors` failed
    busy        time that requests spent in it, summed: over the width, the requests in flight
    all_time    elapsed of all that ended      ok_time      of the successful ones
    connects    requests whose time to connect is known, and its sum
    users       users active, summed over generators; NaN where not told
    bins        (n, 10) arrivals by tenth of a second, or None where stamps or cells are too coarse
    offsets     (n + 1,) where the latencies of each cell lie in `buckets` and `counts`: successes by time of their end
    """

    width: int
    number: np.ndarray
    arrivals: np.ndarray
    completions: np.ndarray
    errors: np.ndarray
    busy: np.ndarray
    all_time: np.ndarray
    ok_time: np.ndarray
    connects: np.ndarray
    connect_time: np.ndarray
    users: np.ndarray
    bins: np.ndarray | None
    offsets: np.ndarray
    buckets: np.ndarray
    counts: np.ndarray
    bits: int
    whole: bool
    first: int  # earliest start of a request
    last: int  # latest end

    @classmethod
    def of(
        cls,
        *,
        numbers: np.ndarray,
        counts: np.ndarray,
        bins: np.ndarray | None,
        latencies: tuple[np.ndarray, np.ndarray],
        users: tuple[np.ndarray, np.ndarray],
        width: int,
        bits: int,
        whole: bool,
        first: int,
        last: int,
    ) -> Cells:
        """From the tables of a tally, whose places are in order of first appearance."""
        order = np.argsort(numbers)
        number, row_of = _dense(numbers[order], max(1, PAUSE * SECOND // width))
        place = np.empty(len(order), dtype=np.int64)  # of the tally -> row here
        place[order] = row_of
        columns = np.zeros((len(number), kernel.CELL), dtype=np.int64)
        columns[place] = counts
        tenths = None
        if bins is not None:
            tenths = np.zeros((len(number), 10), dtype=np.int64)
            tenths[place] = bins
        keys, amounts = latencies
        where = place[keys >> kernel.BUCKET_BITS]
        by_time = np.argsort(where, kind="stable")  # keys came in order, so buckets of a cell stay in order
        return cls(
            width=width,
            number=number,
            **dict(zip(_COUNTED, columns.T, strict=True)),
            users=_users(*users, place, number),
            bins=tenths,
            offsets=np.searchsorted(where[by_time], np.arange(len(number) + 1)),
            buckets=(keys & ((1 << kernel.BUCKET_BITS) - 1))[by_time],
            counts=amounts[by_time, 0],
            bits=bits,
            whole=whole,
            first=first,
            last=last,
        )

    def __len__(self) -> int:
        return len(self.number)

    @property
    def seconds(self) -> float:
        """How long a cell lasts."""
        return self.width / SECOND

    @property
    def start(self) -> np.ndarray:
        """(n,) start of each cell, microseconds."""
        return self.number * self.width

    def runs(self) -> list[tuple[int, int]]:
        """First cell, and the one after the last, of each stretch of time without a pause."""
        cuts = np.flatnonzero(np.diff(self.number) > 1) + 1
        edges = [0, *cuts.tolist(), len(self)]
        return [(low, high) for low, high in pairwise(edges) if high > low]

    def length(self, begin: int, end: int) -> float:
        """Seconds of these cells, without what lies before the first request of all or after the last."""
        if end <= begin:
            return 0.0
        low, high = max(self.first, self.start[begin]), min(self.last, self.start[end - 1] + self.width)
        return max(0.0, (high - low) / SECOND)

    def histogram(self, begin: int, end: int) -> Histogram:
        """Latencies of the successes that ended in these cells."""
        part = slice(self.offsets[begin], self.offsets[end])
        buckets, places = np.unique(self.buckets[part], return_inverse=True)
        counts = np.zeros(len(buckets), dtype=np.int64)
        np.add.at(counts, places, self.counts[part])
        if not len(buckets):
            return Histogram(buckets, counts, 0, 0, self.bits, self.whole)
        values = representatives(buckets, self.bits, self.whole)
        return Histogram(buckets, counts, int(values[0]), int(np.ceil(values[-1])), self.bits, self.whole)

    def quantiles(self, level: float) -> np.ndarray:
        """(n,) the latency quantile of the successes of each cell, milliseconds; NaN where there are none."""
        cumulated = np.concatenate([[0], np.cumsum(self.counts)])
        before, total = cumulated[self.offsets[:-1]], np.diff(cumulated[self.offsets])
        found = np.full(len(self), np.nan)
        some = total > 0
        before, total = before[some], total[some]
        rank = np.clip(level * (total + 1), 1, total)
        below = np.floor(rank)
        low = self.latencies[np.searchsorted(cumulated[1:], before + below)]
        high = self.latencies[np.searchsorted(cumulated[1:], before + np.minimum(below + 1, total))]
        found[some] = low + (rank - below) * (high - low)
        return found

    @cached_property
    def latencies(self) -> np.ndarray:
        """Milliseconds that stand for `buckets`."""
        return representatives(self.buckets, self.bits, self.whole) / 1000

    @cached_property
    def medians(self) -> np.ndarray:
        """(n,) median latency of the successes of each cell, milliseconds."""
        return self.quantiles(0.5)

    @property
    def frame(self) -> pd.DataFrame:
        """A row a cell, with the columns of TIMELINE: counts in it, requests in flight and users on average."""
        successes = self.completions - self.errors
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(successes > 0, self.ok_time / successes / 1000, np.nan)
        return pd.DataFrame(
            {
                "timestamp": pd.to_datetime(self.start, unit="us", utc=True).as_unit("us"),
                "seconds": np.full(len(self), self.seconds),
                "arrivals": self.arrivals,
                "completions": self.completions,
                "errors": self.errors,
                "in_flight": self.busy / self.width,
                "users": self.users,
                "mean_ms": mean,
                "p50_ms": self.medians,
                "p95_ms": self.quantiles(0.95),
            },
            columns=[*TIMELINE],
        )


#: Fields of Cells that a tally counts, in the order of its columns.
_COUNTED: Final = (
    *("arrivals", "completions", "errors", "busy", "all_time", "ok_time"),
    *("connects", "connect_time"),
)


def _dense(numbers: np.ndarray, pause: int) -> tuple[np.ndarray, np.ndarray]:
    """Ascending numbers with holes of at most `pause` filled, and where the given ones lie among them.

    >>> _dense(np.array([5, 7, 100]), pause=10)
    (array([  5,   6,   7, 100]), array([0, 2, 3]))
    """
    if not len(numbers):
        return numbers, numbers
    steps = np.diff(numbers, prepend=numbers[0] - 1)
    steps = np.where(steps > pause, 1, steps)
    rows = np.cumsum(steps) - 1
    filled = np.zeros(rows[-1] + 1, dtype=np.int64)
    filled[rows] = numbers
    known = np.zeros(len(filled), dtype=bool)
    known[rows] = True
    following = np.searchsorted(rows, np.flatnonzero(~known))  # a hole takes its number from the next one known
    filled[~known] = numbers[following] - (rows[following] - np.flatnonzero(~known))
    return filled, rows


def _users(keys: np.ndarray, values: np.ndarray, place: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Users of each cell: the mean of a generator's rows in it, held until its next one; summed over generators.

    Held no longer than a pause, and never beyond the generator's last row.
    """
    total = np.full(len(number), np.nan)
    hosts, where = keys >> kernel.PLACE_BITS, place[keys & ((1 << kernel.PLACE_BITS) - 1)]
    for host in np.unique(hosts):
        mine = hosts == host
        rows, means = where[mine], values[mine, 0] / values[mine, 1]
        order = np.argsort(rows)
        rows, means = rows[order], means[order]
        held = np.searchsorted(rows, np.arange(rows[0], rows[-1] + 1), side="right") - 1
        span = np.arange(rows[0], rows[-1] + 1)
        fresh = number[span] - number[rows[held]] <= PAUSE
        total[span[fresh]] = np.where(np.isnan(total[span[fresh]]), 0, total[span[fresh]]) + means[held[fresh]]
    return total
