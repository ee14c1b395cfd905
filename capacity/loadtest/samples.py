"""One batch of finished requests, as every reader yields it: columns of numbers, and texts said once."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np

#: What a row of a result file is. Only a REQUEST reached the server: a CONTAINER (redirect chain, page with embedded
#: resources) and a TRANSACTION are told of again by the requests inside them (reference: loadtest.md 1.4).
REQUEST: Final = 0
CONTAINER: Final = 1
TRANSACTION: Final = 2

#: In `Samples`, a number that the file does not tell.
UNKNOWN: Final = -1


class Vocabulary:
    """Texts and their codes, in order of first appearance.

    >>> labels = Vocabulary()
    >>> labels.code("GET /cart"), labels.code("GET /"), labels.code("GET /cart"), labels.texts
    (0, 1, 0, ['GET /cart', 'GET /'])
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def code(self, text: str) -> int:
        """The code of a text; a new one for a new text."""
        known = self._codes.get(text)
        if known is None:
            known = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return known


@dataclass(frozen=True, eq=False)
class Names:
    """The texts behind the codes of all batches of one test. They grow while files are read."""

    labels: Vocabulary = field(default_factory=Vocabulary)  # what was asked: sampler or request name
    outcomes: Vocabulary = field(default_factory=Vocabulary)  # response code, or the class of what went wrong
    groups: Vocabulary = field(default_factory=Vocabulary)  # who asked: thread group, scenario; "" where not told
    hosts: Vocabulary = field(default_factory=Vocabulary)  # which generator; "" where not told


@dataclass(frozen=True, eq=False)
class Samples:
    """n rows of a result file, in its order. All arrays are (n,).

    start     int64, microseconds since 1970 UTC: when the request was sent
    elapsed   int64, microseconds until the whole answer was there, at least 0
    label     int32, into `Names.labels`; outcome, group and host alike
    kind      int8: REQUEST, CONTAINER or TRANSACTION
    count     int32, requests the row tells of: 1, or more where a generator batched them; then `elapsed` is their mean
    failed    int32, how many of them failed, 0 to count
    users     int32, users the generator said were active; UNKNOWN where it did not
    latency   int64, microseconds to the first byte; UNKNOWN
    connect   int64, microseconds to connect; UNKNOWN
    received  int64, bytes; UNKNOWN
    """

    start: np.ndarray
    elapsed: np.ndarray
    label: np.ndarray
    outcome: np.ndarray
    group: np.ndarray
    host: np.ndarray
    kind: np.ndarray
    count: np.ndarray
    failed: np.ndarray
    users: np.ndarray
    latency: np.ndarray
    connect: np.ndarray
    received: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    def where(self, rows: np.ndarray) -> Samples:
        """Only these rows: a mask or places."""
        return Samples(*(getattr(self, column.name)[rows] for column in fields(self)))

    @classmethod
    def of(cls, start: np.ndarray, elapsed: np.ndarray, failed: np.ndarray, **columns: np.ndarray) -> Samples:
        """A batch from what is known; of the rest, one request a row, code 0 and UNKNOWN.

        Code 0 has to be a text that stands for "not told": readers say "" first to the vocabularies they leave out.
        """
        n = len(start)
        known: dict[str, np.ndarray] = {
            **{name: np.zeros(n, dtype=np.int32) for name in ("label", "outcome", "group", "host")},
            "kind": np.zeros(n, dtype=np.int8),
            "count": np.ones(n, dtype=np.int32),
            "users": np.full(n, UNKNOWN, dtype=np.int32),
            **{name: np.full(n, UNKNOWN, dtype=np.int64) for name in ("latency", "connect", "received")},
        }
        unknown = set(columns) - set(known)
        if unknown:
            raise TypeError(f"Samples has no column {', '.join(sorted(unknown))}")
        typed = {name: np.asarray(columns.get(name, default), dtype=default.dtype) for name, default in known.items()}
        return cls(
            start=np.asarray(start, dtype=np.int64),
            elapsed=np.asarray(elapsed, dtype=np.int64),
            failed=np.asarray(failed, dtype=np.int32),
            **typed,
        )
