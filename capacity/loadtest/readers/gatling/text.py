"""Gatling's `simulation.log` as text: releases 1.x to 3.12."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile
from capacity.loadtest.readers.gatling.layouts import STATUSES, THIRD, WORDS, Layout, as_in_1_5, is_whole, layout_of
from capacity.loadtest.readers.gatling.rows import LATEST_MS, Remarks, Rows, label_of
from capacity.loadtest.readers.lines import Damage, whole_lines
from capacity.loadtest.readers.texts import MOST_REASONS, Codes, readable
from capacity.loadtest.samples import UNKNOWN, Samples

#: A file that was cut at its beginning lacks the RUN record: one record among the first few lines tells it, too.
_LOOKED_AT: Final = 20
_EVENTS: Final = (b"START", b"END")
_OK: Final = b"OK"
_KO: Final = b"KO"
_TIMED: Final = frozenset((b"REQUEST", b"GROUP", b"ACTION"))
_USERS: Final = frozenset((b"USER", b"SCENARIO"))
#: Of a moment in epoch milliseconds since 1973; a number that was cut short, or of a user, has fewer.
_EPOCH_MS_DIGITS: Final = 12


class GatlingTextLog:
    """Requests and groups of a log.

    A request inside groups is labelled `group / subgroup / name`. Groups are rows of kind TRANSACTION labelled by
    their path, and their time is the sum of the response times inside, as in Gatling's report; 1.x, which logs no
    such sum, gives no rows for groups. The outcome is the message of what failed, "" for what did not. Scenarios
    become groups of users where a generation tells whose request it was: up to 3.3.
    """

    name: ClassVar[str] = "Gatling log"

    def recognises(self, file: ResultFile) -> bool:
        lines = [line.rstrip(b"\r") for line in file.head.split(b"\n") if not line.startswith(b"ASSERTION\t")]
        return any(_is_record(line.split(b"\t")) for line in lines[:_LOOKED_AT])

    def samples(self, file: ResultFile, reading: Reading) -> Iterator[Samples]:
        log = _Log(reading)
        for lines in whole_lines(file, reading):
            rows = log.rows(lines)
            if len(rows):
                yield rows.samples(reading.names)
        if log.timed == 0 and log.damage.count > 0:
            raise InputError(
                f"{file.path} line {log.damage.first}: not a record of any Gatling release that writes text",
                advice="Bring simulation.log as Gatling wrote it, tabs included.",
            )
        log.damage.note(file.path, reading, log.lines)
        log.remarks.note(file.path, reading)


class _Log:
    """A log, read line by line: what has to be remembered from one block to the next."""

    def __init__(self, reading: Reading) -> None:
        names = reading.names
        self.lines = 0
        self.timed = 0  # requests and groups
        self.damage = Damage()
        self.remarks = Remarks()
        self._labels = names.labels
        self._paths: dict[tuple[bytes, bytes], int] = {}  # (groups, name) -> label
        self._reasons = Codes(names.outcomes, MOST_REASONS)
        self._scenarios = Codes(names.groups)
        self._fine = names.outcomes.code("")
        self._untold = names.groups.code("")
        self._active = UNKNOWN  # users in the system
        self._scenario_of: dict[bytes, int] = {}  # of every active user
        self._usual: dict[bytes, Layout] = {}  # of the last record of its word

    def rows(self, lines: list[bytes]) -> Rows:
        """The requests and groups among these lines."""
        rows = Rows()
        for number, line in enumerate(lines, self.lines + 1):
            cells = line.split(b"\t")
            word, at = cells[0], 0
            if word not in WORDS and len(cells) > THIRD:
                word, at = cells[THIRD], THIRD
            if word == b"ACTION":
                cells = as_in_1_5(cells)
                word = cells[0]
            if word in _TIMED:
                understood = self._timed(rows, word, at, cells)
            elif word in _USERS:
                understood = self._user(cells, at)
            elif word == b"ERROR":
                self.remarks.error(readable(cells[1] if len(cells) > 1 else b""))
                understood = True
            else:
                understood = word in WORDS
            if not understood:
                self.damage.add(number)
        self.lines += len(lines)
        return rows

    def _timed(self, rows: Rows, word: bytes, at: int, cells: list[bytes]) -> bool:
        """A request or a group; False when it is neither."""
        layout = self._usual.get(word)
        if layout is None or layout.at != at or len(cells) <= layout.status or cells[layout.status] not in STATUSES:
            layout = layout_of(word, at, cells)
            if layout is None:
                return word == b"GROUP" and self._other_group(cells)
            self._usual[word] = layout
        try:
            start, end = int(cells[layout.start]), int(cells[layout.end])
            elapsed = end - start if layout.cumulated is None else int(cells[layout.cumulated])
        except ValueError:
            return False
        if start < 0 or end > LATEST_MS or elapsed > LATEST_MS:
            return False
        self.timed += 1
        if end < start or elapsed < 0:
            self.remarks.unmatched += 1
            return True
        fine = cells[layout.status] == _OK
        rows.add(
            start,
            elapsed,
            self._label(layout, cells),
            self._fine if fine else self._reason(cells[layout.status + 1 :]),
            self._group(layout, cells),
            not fine,
            layout.cumulated is not None,
            self._active,
        )
        return True

    def _label(self, layout: Layout, cells: list[bytes]) -> int:
        groups = b"" if layout.groups is None else cells[layout.groups]
        name = b"" if layout.name is None else cells[layout.name]
        known = self._paths.get((groups, name))
        if known is None:
            path = [readable(group) for group in groups.split(b",")] if groups.strip() else []
            whole = path if layout.name is None else [*path, readable(name)]
            known = self._paths[groups, name] = self._labels.code(label_of(whole))
        return known

    def _reason(self, message: list[bytes]) -> int:
        text = message[0] if message else b""
        return self._reasons[text if text.strip() else _KO]

    def _group(self, layout: Layout, cells: list[bytes]) -> int:
        if layout.scenario is not None:
            return self._scenarios[cells[layout.scenario]]
        if layout.user is not None:
            return self._scenario_of.get(cells[layout.user], self._untold)
        return self._untold

    def _other_group(self, cells: list[bytes]) -> bool:
        """A GROUP record without times: an error (2.2 and 2.3 write it so, by mistake), or an event of 1.x."""
        usual = self._usual.get(b"REQUEST")
        of_that_release = usual is None or usual.scenario is not None
        if len(cells) == 3 and of_that_release and is_whole(cells[2]) and len(cells[2]) >= _EPOCH_MS_DIGITS:
            self.remarks.error(readable(cells[1]))
            return True
        return len(cells) == 6 and cells[4] in _EVENTS

    def _user(self, cells: list[bytes], at: int) -> bool:
        """A user comes or goes. The event stands in the fourth column up to 3.3, in the third from 3.4 on; in files
        that went through other tools, at the end of the second."""
        if len(cells) > 4 and cells[3] in _EVENTS:
            came = cells[3] == b"START"
            scenario, user = (cells[0], cells[1]) if at else (cells[1], cells[2])
            if came:
                self._scenario_of[user] = self._scenarios[scenario]
            else:
                self._scenario_of.pop(user, None)
        elif len(cells) > 3 and cells[2] in _EVENTS:
            came = cells[2] == b"START"
        elif len(cells) > 2 and cells[1].endswith(_EVENTS):
            came = cells[1].endswith(b"START")
        else:
            return False
        if came:
            self._active = self._active + 1 if self._active > 0 else 1
        else:
            self._active = self._active - 1 if self._active > 0 else 0
        return True


def _is_record(cells: list[bytes]) -> bool:
    """Whether the line is a record whose word and numbers stand where a generation has them."""
    if len(cells) < 4:
        return False
    word, at = (cells[0], 0) if cells[0] in WORDS else (cells[THIRD], THIRD)
    if word in _TIMED:
        return layout_of(word, at, cells) is not None
    if word in _USERS:
        return any(cell.endswith(_EVENTS) for cell in cells[1:4]) and is_whole(cells[-1])
    if word == b"RUN":  # in 2.0 and 2.1 it is in the third column, as a JTL's label is, whose first cell is a number
        return not is_whole(cells[0]) and any(is_whole(cell) for cell in cells[1:])
    return False
