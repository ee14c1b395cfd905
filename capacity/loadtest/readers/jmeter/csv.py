"""JMeter's CSV, and what Taurus, Apiritif and Taurus's Locust write in its likeness (`kpi.jtl`)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from capacity.errors import InputError, Problem
from capacity.loadtest.readers.base import Reading, ResultFile
from capacity.loadtest.readers.jmeter.layout import STAMP, Layout, layout_of
from capacity.loadtest.readers.jmeter.stamps import Stamps, stamps_like
from capacity.loadtest.readers.jmeter.stream import Pieces
from capacity.loadtest.samples import Samples

if TYPE_CHECKING:
    from capacity.loadtest.readers.jmeter.parser import Parser

_MIB: Final = 2**20

#: Bytes kept free at the end of a buffer: an end of line, the kernel's own, and what it loads beyond.
_ROOM: Final = 16

#: No row is longer: one that is has a quote that nobody closed, and only its first line is given up.
_LONGEST: Final = 32 * _MIB


@dataclass(frozen=True)
class JMeterCsv:
    """Every row of a JMeter CSV, whatever its columns, their order, their case, its delimiter and its stamps.

    A row whose responseMessage says so is a TRANSACTION; one whose thread next writes `<its label>-<number>` within
    its time is a CONTAINER (a redirect, a page with its resources); all others are requests (loadtest.md 1.4). Not
    every sub-result can be told: with `subresults.disable_renaming=true`, and in files converted from versions that
    named them by URL, they bear no number and are counted as requests beside their container.

    Rows that cannot be read are left out and become a finding, with the first places; so does one at the end, of a test
    cut short. `samples` raises InputError, at the end, when they are more than the whole ones. Memory: a few chunks,
    and every different text once.

    chunk  bytes read at a time. Rows do not depend on it; whether stamps are ends is judged by the first one
    """

    name: ClassVar[str] = "JMeter CSV"
    chunk: int = 8 * _MIB

    def recognises(self, file: ResultFile) -> bool:
        return layout_of(file.text) is not None

    def samples(self, file: ResultFile, reading: Reading) -> Iterator[Samples]:
        from capacity.loadtest.readers.jmeter.parser import Parser

        layout = layout_of(file.text)
        if layout is None or layout.problem:
            why = layout.problem if layout else "its first line is neither JMeter's header nor one of its rows"
            raise InputError(f"{file.path} cannot be read as {self.name}: {why}.")
        stamps = _stamps(file, layout)
        if stamps is None:
            reading.note("empty", "REVIEW", f"{file.path.name} holds no samples: its header is all there is")
            return
        parser = Parser(file, layout, stamps, reading)
        with Pieces(file) as pieces:
            yield from self._chunks(pieces, parser)
            parser.note(pieces.damage)

    def _chunks(self, pieces: Pieces, parser: Parser) -> Iterator[Samples]:
        buffer = bytearray(self.chunk + _ROOM)
        held, begun = 0, False
        while True:
            count = pieces.fill(memoryview(buffer)[held:-_ROOM])
            end, final = held + count, held + count < len(buffer) - _ROOM
            at = 0
            if not begun:
                at = parser.begin(buffer, end)
                if at < 0 and not final:
                    at, held = 0, end
                    buffer = _larger(buffer, parser)
                    continue
                begun, at = True, max(at, 0)
            if final and end and buffer[end - 1] != 0x0A:
                buffer[end] = 0x0A
                end += 1
            while True:
                for place in parser.parse(buffer, at, end):
                    at = place
                    if parser.full:
                        yield parser.take()
                if at == end or not (final or end - at > _LONGEST):
                    break
                at = parser.unclosed(buffer, at, end)
            if final:
                yield from parser.finish()
                return
            if parser.settled:
                yield parser.take()
            held = end - at
            buffer[:held] = buffer[at:end]
            if held > len(buffer) // 2:
                buffer = _larger(buffer, parser)


def _larger(buffer: bytearray, parser: Parser) -> bytearray:
    if len(buffer) > 2 * _LONGEST:
        raise parser.endless()
    return buffer + bytearray(len(buffer))


def _stamps(file: ResultFile, layout: Layout) -> Stamps | None:
    """How the file writes stamps, from its first rows; None when it has no rows. Raises InputError for unknown ones."""
    place, first = layout.columns.index(STAMP), ""
    rows = file.text[len(layout.header) :].lstrip()
    reader = csv.reader(io.StringIO(rows, newline=""), delimiter=layout.delimiter)
    try:
        for _, cells in zip(range(20), reader, strict=False):
            cell = cells[place] if place < len(cells) else ""
            found = stamps_like(cell)
            if found is not None:
                return found
            first = first or cell
    except csv.Error as error:
        first = first or str(error)
    if not rows.strip():
        return None
    raise InputError(
        f"{file.path} has time stamps that cannot be read.",
        [Problem(f"{first[:80]!r} is neither a number nor a date", where="first row, column timeStamp")],
        "Known are milliseconds since 1970, yyyy/MM/dd HH:mm:ss.SSS, yyyy-MM-dd HH:mm:ss.SSS (both also without "
        "milliseconds) and MM/dd/yy HH:mm:ss. Save with -Jjmeter.save.saveservice.timestamp_format=ms",
    )
