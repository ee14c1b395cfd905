"""Rows of a Gatling log on their way to `Samples`, and the words for what was remarkable about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from capacity.loadtest.readers.base import Reading
from capacity.loadtest.samples import REQUEST, TRANSACTION, Names, Samples


def label_of(path: Iterable[str]) -> str:
    """How a request inside groups is called, as Gatling's report does: a request in two groups is two labels.

    >>> label_of(["checkout", "payment", "POST /pay"]), label_of(["GET /"])
    ('checkout / payment / POST /pay', 'GET /')
    """
    return " / ".join(path)


@dataclass(eq=False)
class Rows:
    """Columns of requests and groups, being filled. Times in milliseconds since 1970 UTC."""

    start: list[int] = field(default_factory=list)
    elapsed: list[int] = field(default_factory=list)
    label: list[int] = field(default_factory=list)
    outcome: list[int] = field(default_factory=list)
    group: list[int] = field(default_factory=list)
    failed: list[bool] = field(default_factory=list)
    is_group: list[bool] = field(default_factory=list)
    users: list[int] = field(default_factory=list)

    def samples(self, names: Names) -> Samples:
        """What was filled in, as a batch."""
        n = len(self.start)
        return Samples.of(
            np.array(self.start, dtype=np.int64) * 1_000,
            np.array(self.elapsed, dtype=np.int64) * 1_000,
            np.array(self.failed, dtype=np.int32),
            label=np.array(self.label, dtype=np.int32),
            outcome=np.array(self.outcome, dtype=np.int32),
            group=np.array(self.group, dtype=np.int32),
            host=np.full(n, names.hosts.code(""), dtype=np.int32),
            kind=np.where(self.is_group, TRANSACTION, REQUEST).astype(np.int8),
            users=np.array(self.users, dtype=np.int32),
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
