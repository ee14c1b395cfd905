"""Gatling's `simulation.log` as bytes: releases from 3.13.0 on (loadtest.md 3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct, error
from typing import ClassVar, Final

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile
from capacity.loadtest.readers.gatling.rows import Remarks, Rows, label_of
from capacity.loadtest.readers.lines import blocks
from capacity.loadtest.readers.texts import MOST_REASONS, Codes
from capacity.loadtest.samples import UNKNOWN, Samples

#: Headers of records.
_RUN, _REQUEST, _USER, _GROUP, _ERROR = range(5)
#: No name, message or list is longer: a length beyond it is a damaged place.
_LONGEST: Final = 1 << 24
_VERSION: Final = re.compile(r"\d+\.\d+[\w.+-]*", re.ASCII)

_INT = Struct(">i")
_LONG = Struct(">q")
_TIMES = Struct(">ii?")  # start, end, fine
_GROUP_TIMES = Struct(">iii?")  # start, end, sum of the response times inside, fine
_USER_EVENT = Struct(">i?i")  # scenario, came, when


class _Damaged(Exception):
    """What stands there cannot be a record."""


class GatlingBinaryLog:
    """Requests and groups of a log, as a stream; labels, groups and outcomes as `GatlingTextLog` has them.

    The log does not tell whose request it was: with one scenario, it is that one's. What follows a damaged place
    cannot be found again, so it is left out, and said.
    """

    name: ClassVar[str] = "Gatling binary log"

    def recognises(self, file: ResultFile) -> bool:
        head = _Bytes(file.head)
        try:
            return head.byte() == _RUN and _VERSION.fullmatch(head.text()) is not None and head.text() != ""
        except (error, IndexError, _Damaged):
            return False

    def samples(self, file: ResultFile, reading: Reading) -> Iterator[Samples]:
        log: _Log | None = None
        rest, read = b"", 0  # bytes that are not read yet, and how many are
        remarks = Remarks()
        for block in blocks(file, reading):
            data = _Bytes(rest + block)
            rows = Rows()
            try:
                if log is None:
                    log = _Log(_header(data), reading, remarks)
                log.records(data, rows)
            except (error, IndexError):
                pass  # the next block brings the rest of the record
            except _Damaged as damage:
                if len(rows) and log is not None:
                    yield rows.samples(reading.names)
                _damaged(file, reading, read + data.whole, str(damage), nothing_read=log is None)
                remarks.note(file.path, reading)
                return
            if len(rows):
                yield rows.samples(reading.names)
            rest = data.bytes[data.whole :]
            read += data.whole
        if log is None:
            raise InputError(f"{file.path}: a Gatling log that ends inside its header. Copy it again from the run.")
        if rest:
            message = f"{file.path.name} ends inside a record: its last {len(rest):,} bytes were left out"
            reading.note("truncated", "REVIEW", message, "The test or the copy was stopped; the rest counts.", 1)
        remarks.note(file.path, reading)


def _damaged(file: ResultFile, reading: Reading, place: int, why: str, *, nothing_read: bool) -> None:
    if nothing_read:
        raise InputError(f"{file.path} byte {place}: {why}: not the header of a Gatling log. Copy it again.")
    message = f"{file.path.name} is damaged at byte {place:,} ({why}): what follows was left out"
    reading.note("damaged", "FAIL", message, "Copy the log again: counts and rates lack the end of the test.", 1)


class _Bytes:
    """Bytes with a place to read from. Reading beyond the end raises struct.error or IndexError."""

    def __init__(self, data: bytes) -> None:
        self.bytes = data
        self.place = 0
        self.whole = 0  # behind the last whole record

    def byte(self) -> int:
        value = self.bytes[self.place]
        self.place += 1
        return value

    def number(self) -> int:
        value: int = _INT.unpack_from(self.bytes, self.place)[0]
        self.place += 4
        return value

    def length(self) -> int:
        value = self.number()
        if not 0 <= value <= _LONGEST:
            raise _Damaged(f"a length of {value}")
        return value

    def skip(self, length: int) -> bytes:
        """The next bytes, all of them."""
        end = self.place + length
        if end > len(self.bytes):
            raise IndexError(end)
        value = self.bytes[self.place : end]
        self.place = end
        return value

    def text(self) -> str:
        """Latin-1, or UTF-16 in the order of bytes of the machine that wrote it: little-endian on x86 and ARM."""
        length = self.length()
        if length == 0:
            return ""
        text, coder = self.skip(length), self.byte()
        if coder > 1:
            raise _Damaged(f"a coding {coder}")
        return text.decode("utf-16-le" if coder else "latin-1", errors="replace")


@dataclass(frozen=True)
class _Header:
    start: int  # epoch milliseconds: all times count from it
    scenarios: tuple[str, ...]


def _header(data: _Bytes) -> _Header:
    if data.byte() != _RUN:
        raise _Damaged("no RUN record")
    data.text()  # version
    data.text()  # class
    start: int = _LONG.unpack_from(data.bytes, data.place)[0]
    data.place += 8
    data.text()  # description
    scenarios = tuple(data.text() for _ in range(data.length()))
    for _ in range(data.length()):
        data.skip(data.length())  # an assertion
    data.whole = data.place
    return _Header(start, scenarios)


@dataclass(eq=False)
class _Log:
    """What has to be remembered from one record to the next."""

    header: _Header
    reading: Reading
    remarks: Remarks
    active: int = UNKNOWN  # users in the system
    texts: dict[int, str] = field(default_factory=dict)  # said once, meant many times
    labels: dict[tuple[int, ...], int] = field(default_factory=dict)  # (group, ..., name) -> label

    def __post_init__(self) -> None:
        names = self.reading.names
        self._fine = names.outcomes.code("")
        alone = self.header.scenarios[0] if len(self.header.scenarios) == 1 else ""
        self._scenario = names.groups.code(alone)
        self._codes = Codes(names.outcomes, MOST_REASONS)

    def records(self, data: _Bytes, rows: Rows) -> None:
        """Records up to the end of the bytes; `data.whole` stands behind the last whole one, also when it raises."""
        size = len(data.bytes)
        while data.place < size:
            kind = data.byte()
            if kind == _REQUEST:
                path = (*self._groups(data), self._cached(data))
                start, end, fine = _TIMES.unpack_from(data.bytes, data.place)
                data.place += _TIMES.size
                message = self._cached(data)
                self._add(rows, path, start, end, end - start, fine, message, is_group=False)
            elif kind == _USER:
                _, came, _ = _USER_EVENT.unpack_from(data.bytes, data.place)
                data.place += _USER_EVENT.size
                self.active = max(self.active, 0) + 1 if came else max(self.active - 1, 0)
            elif kind == _GROUP:
                path = self._groups(data)
                start, end, cumulated, fine = _GROUP_TIMES.unpack_from(data.bytes, data.place)
                data.place += _GROUP_TIMES.size
                self._add(rows, path, start, end, cumulated, fine, None, is_group=True)
            elif kind == _ERROR:
                message = self._cached(data)
                data.number()  # when
                self.remarks.error(self.texts[message])
            else:
                raise _Damaged(f"no record has the header {kind}")
            data.whole = data.place

    def _groups(self, data: _Bytes) -> tuple[int, ...]:
        count = data.length()
        return tuple([self._cached(data) for _ in range(count)]) if count else ()

    def _cached(self, data: _Bytes) -> int:
        """The number of a text: a new one comes with its text, a known one is the number negated."""
        number = data.number()
        if number > 0:
            self.texts[number] = data.text()
            return number
        if -number not in self.texts:
            raise _Damaged(f"text {number} was never said")
        return -number

    def _add(
        self,
        rows: Rows,
        path: tuple[int, ...],
        start: int,
        end: int,
        elapsed: int,
        fine: bool,
        message: int | None,
        *,
        is_group: bool,
    ) -> None:
        if end < start or elapsed < 0:
            self.remarks.unmatched += 1
            return
        label = self.labels.get(path)
        if label is None:
            whole = label_of(self.texts[number].strip() for number in path)
            label = self.labels[path] = self.reading.names.labels.code(whole)
        outcome = self._fine if fine else self._reason(message)
        rows.add(self.header.start + start, elapsed, label, outcome, self._scenario, not fine, is_group, self.active)

    def _reason(self, message: int | None) -> int:
        text = "" if message is None else self.texts[message]
        return self._codes[(text.strip() or "KO").encode()]
