"""Batches of samples in, counts out: what a test of any length comes to, in memory that its rows do not grow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from capacity.loadtest import kernel
from capacity.loadtest.cells import Cells
from capacity.loadtest.histograms import EMPTY, LARGEST, PRECISION, Histogram, coarser
from capacity.loadtest.samples import TRANSACTION, Samples
from capacity.loadtest.tables import Table
from capacity.loadtest.tallied import Kept, Order, Tallied

#: Labels, outcomes and generators told apart; the rest is told as one. A table of ten thousand rows is read by nobody,
#: and names that carry an id have no end.
MOST_LABELS: Final = 10_000
MOST_OUTCOMES: Final = 10_000
MOST_HOSTS: Final = 1_000

#: Places of the largest histogram tables (16 bytes each): one that would outgrow it loses a bit of precision instead.
MOST_PLACES: Final = 1 << 23

#: Cells before they double their width: 36 hours of seconds.
MOST_CELLS: Final = 1 << 17

#: Rows of the end of a file that JMeter's own report takes percentiles from (`jmeter.reportgenerator.statistic_window`,
#: reference loadtest.md 1.6).
WINDOW: Final = 20_000

#: The coarsest histogram: 2^5 buckets an octave, values to 1.6 %. More would need four million different latencies.
LEAST_BITS: Final = 5


@dataclass(eq=False)
class Tally:
    """Counts batches. `file` says that another file begins; `result` may be asked for at any time."""

    width: int = kernel.SECOND
    label_bits: int = PRECISION
    cell_bits: int = PRECISION
    most_places: int = MOST_PLACES
    orders: list[Order] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._labels, self._groups = _nothing(MOST_LABELS + 3), _nothing(MOST_LABELS + 1)
        self._hosts = np.zeros(MOST_HOSTS + 1, dtype=np.int64)
        self._used = np.zeros(5, dtype=np.int64)
        self._by_label, self._by_cell = Table.empty(1 << 13), Table.empty(1 << 13)
        self._users, self._errors = Table.empty(1 << 11, 2), Table.empty(1 << 11)
        self._seconds = Table.empty(1 << 11)
        self._cell_of = np.zeros(1 << 10, dtype=np.int64)
        self._cells = np.zeros((1 << 10, kernel.CELL), dtype=np.int64)
        self._bins = np.zeros((1 << 10, 10), dtype=np.int64)
        self._odd_times = 0
        self._begin("", False)

    def _begin(self, name: str, jmeter: bool) -> None:
        self._name, self._jmeter = name, jmeter
        self._order = np.zeros(kernel.ORDER, dtype=np.int64)
        self._order[kernel.EARLIEST] = LARGEST
        self._window: list[np.ndarray] = []
        self._countable = 0
        self._hosts_before = self._hosts.copy()

    def file(self, name: str, jmeter: bool = False) -> None:
        """From here on, rows are of the file `name`; `jmeter` says that JMeter would report on it."""
        self._end()
        self._begin(name, jmeter)

    def _end(self) -> None:
        if not self._order[kernel.ROWS]:
            return
        order = self._order
        self._odd_times += int(order[kernel.ODD_TIME])
        self.orders.append(
            Order(
                file=self._name,
                rows=int(order[kernel.ROWS]),
                earliest=int(order[kernel.EARLIEST]),
                latest=int(order[kernel.LATEST]),
                start_falls=int(order[kernel.START_FALLS]),
                end_falls=int(order[kernel.END_FALLS]),
                backwards=int(order[kernel.BACKWARDS]),
                odd_starts=int(order[kernel.ODD_START]),
                odd_ends=int(order[kernel.ODD_END]),
                too_long=int(order[kernel.TOO_LONG]),
                work=int(order[kernel.WORK]),
                hosts=int(np.count_nonzero(self._hosts - self._hosts_before)),
                jmeter=self._jmeter,
                window=np.concatenate(self._window)[-WINDOW:] if self._window else np.zeros(0, dtype=np.int64),
                countable=self._countable,
            )
        )

    def add(self, samples: Samples) -> None:
        """Count a batch. It is not kept."""
        if not len(samples):
            return
        rows = np.empty((kernel.COLUMNS, len(samples)), dtype=np.int64)
        for column, name in enumerate(_COLUMNS):
            rows[column] = getattr(samples, name)
        if self._jmeter:
            self._remember(samples)
        done = 0
        while True:
            done = kernel.tally(
                done,
                rows,
                self.width,
                self.label_bits,
                self.cell_bits,
                MOST_LABELS,
                MOST_OUTCOMES,
                MOST_HOSTS,
                self._labels,
                self._groups,
                self._hosts,
                self._order,
                self._used,
                self._by_label.keys,
                self._by_label.values,
                self._by_cell.keys,
                self._by_cell.values,
                self._users.keys,
                self._users.values,
                self._errors.keys,
                self._errors.values,
                self._seconds.keys,
                self._seconds.values,
                self._cell_of,
                self._cells,
                self._bins,
            )
            if done == len(samples):
                return
            self._make_room(rows[:, done])

    def _remember(self, samples: Samples) -> None:
        """Keep the last rows as JMeter's report would see them."""
        seen = samples.elapsed[samples.kind != TRANSACTION]
        self._countable += len(seen)
        self._window.append(np.array(seen[-WINDOW:]))
        if sum(map(len, self._window)) > 4 * WINDOW:
            self._window = [np.concatenate(self._window)[-WINDOW:]]

    def _make_room(self, row: np.ndarray) -> None:
        """Grow what is full for this row; what may not grow becomes coarser."""
        start, end = int(row[kernel.START]), int(row[kernel.START] + row[kernel.ELAPSED])
        span = end // self.width - start // self.width + 1
        span = 2 if span > kernel.LONGEST_SPAN else span
        needed = int(self._used[kernel.SECONDS_USED]) + span
        if needed > len(self._cell_of) or 2 * needed > len(self._seconds.keys):
            if len(self._cell_of) >= MOST_CELLS:
                self._widen()
            else:
                self._more_cells()
        if 2 * (self._used[kernel.LABELS_USED] + 3) > len(self._by_label.keys):
            if len(self._by_label.keys) >= self.most_places and self.label_bits > LEAST_BITS:
                keys, values = self._by_label.rows()
                self.label_bits -= 1
                keys = _coarser_keys(keys, self.label_bits + 1, self.label_bits)
                self._by_label = self._filled(kernel.LABELS_USED, keys, values, self.most_places)
            else:
                self._by_label = self._grown(kernel.LABELS_USED, self._by_label)
        if 2 * (self._used[kernel.CELLS_USED] + 1) > len(self._by_cell.keys):
            if len(self._by_cell.keys) >= self.most_places and self.cell_bits > LEAST_BITS:
                keys, values = self._by_cell.rows()
                self.cell_bits -= 1
                keys = _coarser_keys(keys, self.cell_bits + 1, self.cell_bits)
                self._by_cell = self._filled(kernel.CELLS_USED, keys, values, self.most_places)
            else:
                self._by_cell = self._grown(kernel.CELLS_USED, self._by_cell)
        if 2 * (self._used[kernel.USERS_USED] + 1) > len(self._users.keys):
            self._users = self._grown(kernel.USERS_USED, self._users)
        if 2 * (self._used[kernel.ERRORS_USED] + 1) > len(self._errors.keys):
            self._errors = self._grown(kernel.ERRORS_USED, self._errors)

    def _filled(self, which: int, keys: np.ndarray, values: np.ndarray, places: int) -> Table:
        table, self._used[which] = Table.of(keys, values, places)
        return table

    def _grown(self, which: int, table: Table) -> Table:
        return self._filled(which, *table.rows(), places=2 * len(table.keys))

    def _more_cells(self) -> None:
        more = 2 * len(self._cell_of)
        self._cell_of = np.resize(self._cell_of, more)
        self._cells, self._bins = (np.concatenate([old, np.zeros_like(old)]) for old in (self._cells, self._bins))
        self._seconds, _ = Table.of(*self._seconds.rows(), places=2 * more)

    def _widen(self) -> None:
        """Cells twice as wide: neighbours become one. Tenths of seconds are not kept of a test that long."""
        used = int(self._used[kernel.SECONDS_USED])
        numbers, place_of = np.unique(self._cell_of[:used] >> 1, return_inverse=True)
        cells = np.zeros_like(self._cells)
        np.add.at(cells, place_of, self._cells[:used])
        self._cells, self._bins = cells, np.zeros((0, 10), dtype=np.int64)
        self._cell_of[: len(numbers)] = numbers
        self._used[kernel.SECONDS_USED] = len(numbers)
        places = np.arange(len(numbers), dtype=np.int64)
        self._seconds, _ = Table.of(numbers + kernel.BIAS, places[:, None], len(self._seconds.keys))
        keys, values = self._by_cell.rows()
        low = kernel.BUCKET_BITS
        keys = (place_of[keys >> low] << low) | (keys & ((1 << low) - 1))
        self._by_cell = self._filled(kernel.CELLS_USED, keys, values, len(self._by_cell.keys))
        keys, values = self._users.rows()
        low = kernel.PLACE_BITS
        keys = (keys >> low << low) | place_of[keys & ((1 << low) - 1)]
        self._users = self._filled(kernel.USERS_USED, keys, values, len(self._users.keys))
        self.width *= 2

    def result(self) -> Tallied:
        """Everything counted so far."""
        self._end()
        self._begin("", False)
        whole = not self._odd_times
        keys, values = self._by_label.rows()
        who, buckets = keys >> kernel.BUCKET_BITS, keys & ((1 << kernel.BUCKET_BITS) - 1)
        bounds = np.searchsorted(who, np.arange(MOST_LABELS + 4))
        kept = {}
        for code in np.flatnonzero(self._labels[:, kernel.N]):
            part = slice(bounds[code], bounds[code + 1])
            least, most = (int(self._labels[code, column]) for column in (kernel.LEAST, kernel.MOST))
            histogram = Histogram(buckets[part], values[part, 0], least, most, self.label_bits, whole)
            kept[int(code)] = _kept(self._labels[code], histogram)
        requests, failures = (kept.pop(MOST_LABELS + n, _kept(_nothing(1)[0])) for n in (1, 2))
        keys, values = self._errors.rows()
        low = kernel.PLACE_BITS
        codes = zip((keys >> low).tolist(), (keys & ((1 << low) - 1)).tolist(), strict=True)
        return Tallied(
            labels=kept,
            requests=requests,
            failures=failures,
            groups={int(code): _kept(self._groups[code]) for code in np.flatnonzero(self._groups[:, kernel.N])},
            hosts={int(code): int(self._hosts[code]) for code in np.flatnonzero(self._hosts)},
            errors=dict(zip(codes, values[:, 0].tolist(), strict=True)),
            orders=tuple(self.orders),
            cells=self._timed(requests, whole),
        )

    def _timed(self, requests: Kept, whole: bool) -> Cells:
        used = int(self._used[kernel.SECONDS_USED])
        return Cells.of(
            numbers=self._cell_of[:used],
            counts=self._cells[:used],
            bins=self._bins[:used] if len(self._bins) and self._fine() else None,
            latencies=self._by_cell.rows(),
            users=self._users.rows(),
            width=self.width,
            bits=self.cell_bits,
            whole=whole,
            first=requests.first,
            last=requests.last,
        )

    def _fine(self) -> bool:
        """Whether stamps are finer than seconds: else tenths of seconds say nothing."""
        return all(order.odd_starts and order.odd_ends for order in self.orders)


_COLUMNS: Final = (
    *("start", "elapsed", "label", "outcome", "group", "host", "kind"),
    *("count", "failed", "users", "connect"),
)


def _nothing(rows: int) -> np.ndarray:
    """What is kept of so many labels or groups before anything was counted."""
    kept = np.zeros((rows, kernel.KEPT), dtype=np.int64)
    kept[:, [kernel.LEAST, kernel.FIRST]] = LARGEST
    kept[:, [kernel.LAST, kernel.LAST_START]] = -LARGEST
    return kept


def _kept(row: np.ndarray, histogram: Histogram = EMPTY) -> Kept:
    n, failed, total, least, most, first, last, last_start, requests = (int(value) for value in row)
    return Kept(n, failed, requests, total, least, most, first, last, last_start, histogram)


def _coarser_keys(keys: np.ndarray, bits: int, fewer: int) -> np.ndarray:
    low = kernel.BUCKET_BITS
    return (keys >> low << low) | coarser(keys & ((1 << low) - 1), bits, fewer)
