"""A result file as whole lines, in blocks: what can be read of it, however long it is and wherever it breaks off."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Final, cast

from capacity.errors import InputError
from capacity.findings import Status
from capacity.loadtest.readers.base import Reading, ResultFile

#: Bytes read at a time: some ten thousand rows, so that the work on a block outweighs the work around it.
BLOCK: Final = 1 << 20
#: No tool writes a line this long: such a file is not text.
LONGEST_LINE: Final = 1 << 26


def blocks(file: ResultFile, reading: Reading) -> Iterator[bytes]:
    """The bytes, some at a time. A gzip file that breaks off gives what can be unpacked, and a finding."""
    with cast(BufferedIOBase, file.open()) as stream:
        block = bytearray()
        while True:
            try:
                piece = stream.read1(BLOCK)  # not `read`, which drops what it unpacked before the damage
            except (EOFError, zlib.error, OSError) as error:
                message = f"{file.path.name} is damaged ({error}): what comes before that place was read"
                reading.note("truncated", "REVIEW", message, "Copy the file again if the original is whole.")
                piece = b""
            block += piece
            if block and (len(block) >= BLOCK or not piece):
                yield bytes(block)
                block.clear()
            if not piece:
                return


def whole_lines(file: ResultFile, reading: Reading) -> Iterator[list[bytes]]:
    """Lists of lines, without their ends (LF or CRLF) and without empty ones. A last line needs no end.

    Raises InputError for a line that no tool would write.
    """
    rest = b""
    for block in blocks(file, reading):
        head, end, tail = block.rpartition(b"\n")
        if not end:
            rest += block
            if len(rest) > LONGEST_LINE:
                raise InputError(f"{file.path} holds {len(rest):,} bytes without a line end: it is not a text of lines")
            continue
        text = rest + head
        rest = tail
        lines = text.replace(b"\r", b"").split(b"\n")
        yield [line for line in lines if line]
    if rest.strip():
        yield [rest.rstrip(b"\r")]


def status_of_loss(lost: int, of: int) -> Status:
    """How bad it is that so many rows could not be read: more than one in a thousand moves what is measured.

    >>> status_of_loss(1, 1_000), status_of_loss(2, 1_000)
    ('REVIEW', 'FAIL')
    """
    return "FAIL" if lost * 1_000 > of else "REVIEW"


@dataclass
class Damage:
    """Lines that could not be understood, counted from 1."""

    count: int = 0
    first: int = 0
    last: int = 0

    def add(self, line: int) -> None:
        self.count += 1
        self.first = self.first or line
        self.last = line

    def note(self, path: Path, reading: Reading, lines: int) -> None:
        """Say it: a last line cut short is what a stopped test leaves; others are damage. `lines`: of the file."""
        cut = self.count > 0 and self.last == lines
        if cut:
            message = f"the last line of {path.name} is cut short and was left out"
            reading.note("truncated", "REVIEW", message, "The test or the copy was stopped; the rest counts.", 1)
        inside = self.count - cut
        if inside:
            message = f"{inside:,} lines of {path.name} are not understood and were left out, the first is {self.first}"
            status = status_of_loss(inside, lines)
            reading.note("damaged", status, message, "Look at that line: counts and rates lack these rows.", inside)
