"""The kernel and what it keeps between two pieces of one file; its rows as `Samples`, its doubts as findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from capacity.errors import InputError, Problem
from capacity.loadtest.readers.base import Reading, ResultFile
from capacity.loadtest.readers.jmeter import columns, kernel, tables
from capacity.loadtest.readers.jmeter.clock import Clock
from capacity.loadtest.readers.jmeter.layout import CODE, MESSAGE, SUCCESS, Layout
from capacity.loadtest.readers.jmeter.notes import (
    damaged_places,
    note_all_failed,
    note_batches,
    note_damaged,
    note_end_stamps,
    note_negative,
    note_no_requests,
)
from capacity.loadtest.readers.jmeter.stamps import Stamps, stamps_are_ends
from capacity.loadtest.readers.jmeter.texts import Texts
from capacity.loadtest.samples import Samples

_ROLES: Final = {
    "timestamp": columns.STAMP,
    "elapsed": columns.ELAPSED,
    "label": columns.LABEL,
    "responsecode": columns.CODE,
    "responsemessage": columns.MESSAGE,
    "threadname": columns.THREAD,
    "success": columns.SUCCESS,
    "failuremessage": columns.FAILURE,
    "bytes": columns.BYTES,
    "allthreads": columns.USERS,
    "latency": columns.LATENCY,
    "connect": columns.CONNECT,
    "samplecount": columns.COUNT,
    "errorcount": columns.ERRORS,
    "hostname": columns.HOST,
}

#: Rows handed over at a time, at most; beside them stand those whose sub-results may still come.
_BATCH: Final = 65_536

#: Bad rows whose places are kept.
_PLACES: Final = 20

_BOM: Final = b"\xef\xbb\xbf"


class Parser:
    """Reads the pieces of one file in turn: `begin` once, then `parse` and `take`, `finish` and `note` at the end."""

    def __init__(self, file: ResultFile, layout: Layout, stamps: Stamps, reading: Reading) -> None:
        self._file, self._layout, self._stamps, self._reading = file, layout, stamps, reading
        self._clock = Clock(file.timezone) if stamps.local else None
        self._roles = np.array([_ROLES.get(name, columns.NOTHING) for name in layout.columns], dtype=np.int64)
        self._header = np.zeros(0, dtype=np.uint8)
        self._out = np.empty((columns.WITHIN + _BATCH, columns.OUT_COLUMNS), dtype=np.int64)
        self._nothing = {
            name: getattr(reading.names, name).code("")
            for name, told in (("labels", "label"), ("groups", "threadname"), ("hosts", "hostname"))
            if told not in layout
        }
        self._line = 0
        self._probed = layout.stamps_are_ends
        self._requests = self._failed = 0
        self._tail: tuple[int, int] | None = None  # bad rows and rows before quotes that nobody closes
        self._restart(ends=layout.stamps_are_ends)

    def _restart(self, ends: bool) -> None:
        self._ends = ends
        self._texts = Texts(self._reading.names)
        self._state = np.zeros(columns.STATE, dtype=np.int64)
        self._state[columns.LINE] = self._line
        self._wrong = np.zeros((_PLACES, 3), dtype=np.int64)
        self._threads = np.zeros((2, columns.SLOTS), dtype=np.int64)
        self._last = np.full((2, columns.SLOTS), -1, dtype=np.int64)
        self._work = np.full((columns.WORK, columns.ROLES), -1, dtype=np.int64)
        self._settings = np.zeros(columns.SETTINGS, dtype=np.int64)
        self._settings[columns.SET_DELIMITER] = ord(self._layout.delimiter)
        self._settings[columns.SET_WIDTH] = len(self._layout.columns)
        self._settings[columns.SET_STAMP] = self._stamps.style
        self._settings[columns.SET_ENDS] = ends
        self._settings[columns.SET_TOLERANCE] = 1_000_000 if self._stamps.coarse else 1_000
        self._filled = 0

    @property
    def full(self) -> bool:
        """Whether rows have to be taken before more can be parsed."""
        return self._filled == len(self._out)

    @property
    def settled(self) -> bool:
        """Whether there are rows to take."""
        return self._filled > columns.WITHIN

    def begin(self, buffer: bytearray, end: int) -> int:
        """Where the first row begins; -1 while the header line is not whole."""
        place = len(_BOM) if buffer.startswith(_BOM) else 0
        while place < end and buffer[place] in b" \t\r\n":
            place += 1
        if not self._layout.header:
            self._line = self._state[columns.LINE] = buffer.count(b"\n", 0, place)
            return place
        newline = buffer.find(b"\n", place, end)
        if newline < 0:
            return -1
        header = bytes(buffer[place:newline]).removesuffix(b"\r")
        self._header = np.frombuffer(header, dtype=np.uint8).copy()  # writeable, as an empty one is
        self._line = self._state[columns.LINE] = buffer.count(b"\n", 0, newline + 1)
        return newline + 1

    def parse(self, buffer: bytearray, at: int, end: int) -> Iterator[int]:
        """Parse up to `end`; the place of the first row not parsed, every time that `full` has to be looked at."""
        data, first = np.frombuffer(buffer, dtype=np.uint8), at
        while True:
            self._filled, at, no_room = kernel.parse(
                *(data, at, end, self._roles, self._header, self._settings),
                *(*self._texts.arrays, self._threads, self._last),
                *(self._out, self._filled, self._work, self._wrong, self._state),
            )
            if no_room:
                self._texts.grow(longest=end - at)
                tables.settle(self._texts.slots, self._texts.keys, int(self._state[columns.TEXTS]))
                continue
            if not self._probed:
                self._probed = True
                if self._look_like_ends():
                    self._restart(ends=True)
                    at = first
                    continue
            more = self.full
            yield at
            if not more:
                return

    def _look_like_ends(self) -> bool:
        if "threadname" not in self._layout:
            return False
        rows = self._out[: self._filled].T
        rows = rows[:, rows[columns.OUT_KIND] == 0]
        if "label" in self._layout:  # sub-results overlap with what they are part of, however stamps are read
            rows = rows[:, ~self._texts.parts(int(self._state[columns.TEXTS]))[rows[columns.OUT_LABEL]]]
        return stamps_are_ends(rows[columns.OUT_START], rows[columns.OUT_ELAPSED], rows[columns.OUT_THREAD])

    def take(self, everything: bool = False) -> Samples:
        """The rows whose kind is settled: all but the last WITHIN, or everything."""
        count = self._filled if everything else max(0, self._filled - columns.WITHIN)
        batch = self._samples(self._out[:count].T)
        self._out[: self._filled - count] = self._out[count : self._filled].copy()
        self._filled -= count
        return batch

    def _samples(self, rows: np.ndarray) -> Samples:
        texts = self._texts
        texts.told(int(self._state[columns.TEXTS]))

        def codes(column: int, vocabulary: str) -> np.ndarray:
            if vocabulary in self._nothing:
                return np.full(rows.shape[1], self._nothing[vocabulary], dtype=np.int32)
            return texts.codes[rows[column]]

        group = rows[columns.OUT_GROUP]
        host = codes(columns.OUT_HOST, "hosts")
        if "hosts" in self._nothing and "groups" not in self._nothing:
            host = np.where(texts.hosts[group] >= 0, texts.hosts[group], host)
        start = rows[columns.OUT_START]
        requests = rows[columns.OUT_KIND] == 0
        self._requests += int(rows[columns.OUT_COUNT][requests].sum())
        self._failed += int(rows[columns.OUT_FAILED][requests].sum())
        return Samples(
            start=self._clock.utc(start) if self._clock else start.copy(),
            elapsed=rows[columns.OUT_ELAPSED].copy(),
            label=codes(columns.OUT_LABEL, "labels"),
            outcome=codes(columns.OUT_OUTCOME, "outcomes"),
            group=codes(columns.OUT_GROUP, "groups"),
            host=host.astype(np.int32, copy=False),
            kind=rows[columns.OUT_KIND].astype(np.int8),
            count=rows[columns.OUT_COUNT].astype(np.int32),
            failed=rows[columns.OUT_FAILED].astype(np.int32),
            users=rows[columns.OUT_USERS].astype(np.int32),
            latency=rows[columns.OUT_LATENCY].copy(),
            connect=rows[columns.OUT_CONNECT].copy(),
            received=rows[columns.OUT_RECEIVED].copy(),
        )

    def unclosed(self, buffer: bytearray, at: int, end: int) -> int:
        """Give up the first line of a row that has no end; where the next line begins."""
        state = self._state
        if self._tail is None or self._tail[1] != state[columns.ROWS]:
            self._tail = int(state[columns.BAD]), int(state[columns.ROWS])
        newline = buffer.find(b"\n", at, end)
        if newline < 0:
            raise self.endless()
        if state[columns.BAD] < _PLACES:
            self._wrong[state[columns.BAD]] = state[columns.LINE] + 1, columns.WRONG_END, 0
        state[columns.BAD] += 1
        state[columns.LINE] += 1
        state[columns.LAST_IS_BAD] = 1
        return newline + 1

    def finish(self) -> Iterator[Samples]:
        """The rest of the rows, once the file has ended. Raises InputError when most of its rows cannot be read."""
        state = self._state
        if self._tail and self._tail[1] == state[columns.ROWS]:  # lines of one cell, in which the file ends
            state[columns.BAD] = self._tail[0] + 1
        bad = int(state[columns.BAD])
        if bad and (not state[columns.ROWS] or bad - state[columns.LAST_IS_BAD] > state[columns.ROWS]):
            raise self._damaged(bad)
        if self._filled:
            yield self.take(everything=True)

    def endless(self) -> InputError:
        """The error for a row that goes on and on."""
        return InputError(
            f"{self._file.path} line {int(self._state[columns.LINE]) + 1}: a row begins that has no end",
            advice="A quote is opened and never closed. Repair the line, or cut the file before it.",
        )

    def _places(self, bad: int) -> list[Problem]:
        return damaged_places(self._wrong[:bad], len(self._layout.columns), bool(self._layout.header))

    def _damaged(self, bad: int) -> InputError:
        rows = int(self._state[columns.ROWS])
        return InputError(
            f"{self._file.path} cannot be read: {bad:,} rows are damaged, and {rows:,} are whole.",
            self._places(bad),
            "Repair these lines, or copy the file again from the run.",
        )

    def note(self, damage: str) -> None:
        """What was remarkable about the file. `damage`: why its bytes ended early."""
        state, name, note = self._state, self._file.path.name, self._reading.note
        if damage:
            note(
                "truncated",
                "REVIEW",
                f"{name}: the archive is damaged or cut short ({damage}); rows before it are read",
            )
        cut = int(state[columns.LAST_IS_BAD])
        inside = int(state[columns.BAD]) - cut
        note_damaged(self._reading, name, inside, int(state[columns.ROWS]), self._places(inside))
        if cut:
            note(
                "truncated",
                "REVIEW",
                f"{name}: the last row has no end and was left out; the test or its recording was cut short",
                "Rates of the last seconds may be too low",
                count=1,
            )
        if state[columns.REPEATED]:
            note(
                "several runs",
                "REVIEW",
                f"{name}: header lines between rows ({int(state[columns.REPEATED])}): runs were appended",
                "JMeter appends to an existing file: remove it before a run, and read runs one by one",
                count=int(state[columns.REPEATED]),
            )
        if self._clock:
            self._clock.note(self._reading, name)
        self._note_stamps()
        self._note_rows()

    def _note_stamps(self) -> None:
        state, name, note = self._state, self._file.path.name, self._reading.note
        if self._ends and not self._layout.stamps_are_ends:
            note_end_stamps(self._reading, name)
        if self._stamps.unit in ("seconds", "microseconds"):
            note("stamp unit", "REVIEW", f"{name}: timeStamp was read as {self._stamps.unit} since 1970, by its digits")
        if state[columns.NO_SUCH_DATE]:
            note(
                "no such date",
                "FAIL",
                f"{name}: {int(state[columns.NO_SUCH_DATE])} stamps have a day or month that no calendar has; they "
                "were carried over as Java does (month 20 is August of the next year)",
                "Distances in time hold within a month only; save with timestamp_format=ms",
                count=int(state[columns.NO_SUCH_DATE]),
            )

    def _note_rows(self) -> None:
        state, name, note = self._state, self._file.path.name, self._reading.note
        note_negative(self._reading, name, int(state[columns.NEGATIVE]))
        note_batches(self._reading, name, int(state[columns.BATCHED]))
        if SUCCESS not in self._layout:
            by = "by the response code: 4xx, 5xx and Non HTTP" if CODE in self._layout else "not at all"
            note("no success column", "REVIEW", f"{name}: it has no column success; failures were told {by}")
        if MESSAGE not in self._layout:
            note(
                "no message column",
                "REVIEW",
                f"{name}: it has no column responseMessage, so transactions cannot be told from requests",
                "If the plan has transaction controllers, their samples are counted twice",
            )
        note_no_requests(self._reading, name, int(state[columns.ROWS]), self._requests)
        note_all_failed(self._reading, name, self._requests, self._failed)
        if self._texts.odd:
            message = f"{name}: {self._texts.odd} texts are not UTF-8 and were read as Windows-1252"
            note("encoding", "REVIEW", message, count=self._texts.odd)
