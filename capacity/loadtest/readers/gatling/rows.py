"""Rows of a Gatling log on their way to `Samples`, and the words for what was remarkable about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from capacity.loadtest.readers.base import Reading
from capacity.loadtest.samples import REQUEST, TRANSACTION, Names, Samples

#: Epoch milliseconds of the year 2286: a later moment is a damaged one.
LATEST_MS: Final = 9_999_999_999_999


def label_of(path: Iterable[str]) -> str:
    """How a request inside groups is called, as Gatling's report does: a request in two groups is two labels.

    >>> label_of(["checkout", "payment", "POST /pay"]), label_of(["GET /"])
    ('checkout / payment / POST /pay', 'GET /')
    """
    return " / ".join(path)


class Rows:
    """Requests and groups, being filled: one flat list, because that is what a loop over millions can afford."""

    _COLUMNS = 8

    def __init__(self) -> None:
        self._cells: list[int] = []

    def __len__(self) -> int:
        return len(self._cells) // self._COLUMNS

    def add(
        self, start: int, elapsed: int, label: int, outcome: int, group: int, failed: int, is_group: int, users: int
    ) -> None:
        """A row. `start` in milliseconds since 1970 UTC, `elapsed` in milliseconds."""
        self._cells.extend((start, elapsed, label, outcome, group, failed, is_group, users))

    def samples(self, names: Names) -> Samples:
        """What was filled in, as a batch."""
        cells = np.array(self._cells, dtype=np.int64).reshape(-1, self._COLUMNS)
        start, elapsed, label, outcome, group, failed, is_group, users = cells.T
        return Samples.of(
            start * 1_000,
            elapsed * 1_000,
            failed,
            label=label,
            outcome=outcome,
            group=group,
            host=np.full(len(cells), names.hosts.code(""), dtype=np.int32),
            kind=np.where(is_group, TRANSACTION, REQUEST),
            users=users,
        )


@dataclass(eq=False)
class Remarks:
    """What a log tells beside its requests."""

    unmatched: int = 0  # requests that end before they start: server messages that belong to none
    errors: int = 0  # of the simulation itself
    first_error: str = ""

    def error(self, message: str) -> None:
        self.errors += 1
        self.first_error = self.first_error or message

    def note(self, path: Path, reading: Reading) -> None:
        """Say it."""
        if self.unmatched:
            message = f"{self.unmatched:,} records of {path.name} end before they start: unmatched server messages"
            advice = "They are no requests and were left out."
            reading.note("unmatched messages", "REVIEW", message, advice, self.unmatched)
        if self.errors:
            message = f"Gatling wrote {self.errors:,} errors of the simulation itself, the first: {self.first_error}"
            advice = "Users may have sent less than the simulation says: correct it before you trust the rates."
            reading.note("generator errors", "REVIEW", message, advice, self.errors)
