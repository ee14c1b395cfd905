"""Requests out of k6's stream of measurements, of which a request leaves eight (loadtest.md 4.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from capacity.loadtest.readers.base import Reading
from capacity.loadtest.readers.texts import MOST_REASONS, Codes
from capacity.loadtest.samples import UNKNOWN, Samples

#: The measurements that are read: the time from sending to the last byte makes a request, the others tell of it.
DURATION: Final = "http_req_duration"
FAILED: Final = "http_req_failed"
USERS: Final = "vus"
#: Requests of other protocols, which are counted so that their absence is said.
OTHERS: Final = ("grpc_req_duration", "ws_session_duration")

#: Digits of a stamp since 1970 -> its microseconds per unit (K6_CSV_TIME_FORMAT: unix, unix_milli, unix_micro).
_UNITS: Final = {10: 1_000_000, 13: 1_000, 16: 1}
_NANO_DIGITS: Final = 19
_RFC_3339: Final = re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_WHOLE_SECONDS: Final = 10
#: No value is larger: a year in milliseconds, and more users than any generator has.
_LONGEST_MS: Final = 31_536_000_000
_LOWEST_FAILURE: Final = 400  # of HTTP; k6 says 0 where no answer came


class Requests:
    """Columns of requests, being filled; `taken` gives what is complete and starts anew.

    A request has failed if k6 says so: `expected_response`, else the measurement `http_req_failed` that follows; where
    neither is written, an error or a status of 400 and more says it. Its stamp is of its end.
    """

    def __init__(self, reading: Reading) -> None:
        names = reading.names
        self._names = names
        self._labels, self._scenarios = Codes(names.labels), Codes(names.groups)
        self._outcomes = Codes(names.outcomes, MOST_REASONS)
        self._host = names.hosts.code("")
        self._active = UNKNOWN
        self._whole_seconds = False
        self.others = 0
        self._clear()

    def _clear(self) -> None:
        self._stamps: list[str] = []
        self._ms: list[float] = []
        self._columns: list[tuple[int, int, int, int]] = []  # label, outcome, group, users
        self._failed: list[bool] = []
        self._open = False  # whether the last request may still be told to have failed

    def __len__(self) -> int:
        return len(self._ms)

    def add(self, metric: str, stamp: str, value: str | float, tags: Mapping[str, str]) -> bool:
        """A measurement; False where its stamp or value is none."""
        try:
            figure = float(value)
        except (TypeError, ValueError, OverflowError):
            return False
        if not (0 <= figure <= _LONGEST_MS and is_stamp(stamp)):
            return False
        if metric == DURATION:
            outcome = tags.get("error") or tags.get("status") or tags.get("error_code") or ""
            expected = tags.get("expected_response")
            self._stamps.append(stamp)
            self._ms.append(figure)
            self._columns.append(
                (
                    self._labels[(tags.get("name") or tags.get("url") or "").encode()],
                    self._outcomes[outcome.encode()],
                    self._scenarios[(tags.get("scenario") or "").encode()],
                    self._active,
                )
            )
            self._failed.append(_seems_failed(tags) if not expected else expected == "false")
            self._open = not expected
        elif metric == FAILED and self._open:
            self._failed[-1] = figure > 0
            self._open = False
        elif metric == USERS:
            self._active = int(figure)
        elif metric in OTHERS:
            self.others += 1
        return True

    def taken(self) -> Samples:
        """The requests so far, as a batch."""
        elapsed = np.round(np.array(self._ms) * 1_000).astype(np.int64)
        self._whole_seconds |= all(_is_whole_second(stamp) for stamp in self._stamps)
        label, outcome, group, users = np.array(self._columns, dtype=np.int32).T
        batch = Samples.of(
            microseconds(self._stamps) - elapsed,
            elapsed,
            np.array(self._failed, dtype=np.int32),
            label=label,
            outcome=outcome,
            group=group,
            users=users,
            host=np.full(len(elapsed), self._host, dtype=np.int32),
        )
        self._clear()
        return batch

    def note(self, path: Path, reading: Reading) -> None:
        """Say what was remarkable about the file."""
        if self._whole_seconds:
            message = f"stamps of {path.name} are whole seconds: which requests ran side by side is known to a second"
            reading.note("coarse stamps", "REVIEW", message, "Set K6_CSV_TIME_FORMAT=unix_micro in the next run.")
        if self.others:
            message = f"{self.others:,} requests of {path.name} are gRPC or WebSocket and were not read: HTTP alone is"
            reading.note("other protocols", "REVIEW", message, "Rates and tasks lack them.", self.others)


def _seems_failed(tags: Mapping[str, str]) -> bool:
    status = tags.get("status") or ""
    if tags.get("error") or (tags.get("error_code") or "0") != "0":
        return True
    return status.isdigit() and (int(status) == 0 or int(status) >= _LOWEST_FAILURE)


def _is_whole_second(stamp: str) -> bool:
    return len(stamp) == _WHOLE_SECONDS if stamp.isdigit() else "." not in stamp


def microseconds(stamps: list[str]) -> np.ndarray:
    """Stamps as int64 microseconds since 1970 UTC: (n,). Numbers in s, ms, µs or ns by their length, or RFC 3339.

    >>> microseconds(["1633706790", "1633706790123"]).tolist()
    [1633706790000000, 1633706790123000]
    >>> microseconds(["2021-10-08T17:26:30.5+02:00"]).tolist()
    [1633706790500000]
    """
    if all(stamp.isdigit() for stamp in stamps):
        return np.array([_since_1970(stamp) for stamp in stamps], dtype=np.int64)
    moments = pd.to_datetime(pd.Series(stamps), format="ISO8601", utc=True)
    return moments.astype("datetime64[us, UTC]").astype(np.int64).to_numpy()


def _since_1970(stamp: str) -> int:
    if len(stamp) == _NANO_DIGITS:
        return int(stamp) // 1_000
    return int(stamp) * _UNITS[len(stamp)]


def is_stamp(text: str) -> bool:
    """Whether `microseconds` can read it."""
    if text.isdigit():
        return len(text) in _UNITS or len(text) == _NANO_DIGITS
    return _RFC_3339.fullmatch(text) is not None
