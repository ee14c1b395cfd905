"""k6's `--out csv`: a row a measurement."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import ClassVar, Final

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile
from capacity.loadtest.readers.k6.requests import DURATION, FAILED, OTHERS, USERS, Requests
from capacity.loadtest.readers.lines import Damage, whole_lines
from capacity.loadtest.samples import Samples

_STARTS: Final = tuple(f"{metric},".encode() for metric in (DURATION, FAILED, USERS, *OTHERS))
#: Lines that one quoted cell may go over: an error text is short.
_LONGEST_CELL: Final = 50


class K6Csv:
    """Requests of k6's CSV: label is the tag `name`, group is the scenario, outcome is the error or the status."""

    name: ClassVar[str] = "k6 CSV"

    def recognises(self, file: ResultFile) -> bool:
        return file.text.startswith("metric_name,timestamp,metric_value")

    def samples(self, file: ResultFile, reading: Reading) -> Iterator[Samples]:
        requests, damage = Requests(reading), Damage()
        header: list[str] = []
        count = 0
        for lines in _records(whole_lines(file, reading)):
            for line in lines:
                count += 1
                if not header:
                    header = line.decode("utf-8-sig", errors="replace").split(",")
                elif line.startswith(_STARTS) and not _add(requests, header, line):
                    damage.add(count)
            if len(requests):
                yield requests.taken()
        if count == 1:
            raise InputError(f"{file.path} holds a header and no measurements. Bring the file of a run that sent some.")
        damage.note(file.path, reading, count)
        requests.note(file.path, reading)


def _records(blocks: Iterator[list[bytes]]) -> Iterator[list[bytes]]:
    """Lines of a block, those that a quoted cell goes over joined; a cell may go over the end of a block."""
    rest: list[bytes] = []
    for block in blocks:
        whole = []
        for line in block:
            if rest:
                rest.append(line)
                if line.count(b'"') % 2 or len(rest) > _LONGEST_CELL:
                    whole.append(b"\n".join(rest))
                    rest = []
            elif line.count(b'"') % 2:
                rest = [line]
            else:
                whole.append(line)
        yield whole
    if rest:
        yield [b"\n".join(rest)]


def _add(requests: Requests, header: list[str], line: bytes) -> bool:
    """Hand a row over; False where it is not whole."""
    text = line.decode("utf-8", errors="replace")
    try:
        cells = next(csv.reader(text.splitlines(keepends=True))) if '"' in text else text.split(",")
    except csv.Error:
        return False
    if len(cells) < len(header):
        return False
    tags = dict(zip(header, cells, strict=False))
    return requests.add(tags["metric_name"], tags["timestamp"], tags["metric_value"], tags)
