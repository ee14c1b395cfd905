"""Time stamps of a clock on a wall, as microseconds of UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading

_MICROSECONDS: Final = 1_000_000

#: Clocks are set at quarters of an hour: all offsets in the tz database since 1972 change at one.
_QUARTER: Final = 15 * 60 * _MICROSECONDS


@dataclass
class Clock:
    """Turns local stamps of one file into UTC, and remembers what has to be said about it.

    timezone  IANA name of the zone whose clock wrote the stamps; None: nobody said, UTC is taken
    """

    timezone: str | None
    twice: int = 0  # stamps of an hour that the clock went through twice
    never: int = 0  # stamps of an hour that it left out
    changed: bool = False  # the clock was set while the test ran
    _offsets: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        try:
            pd.Timestamp(0, tz=self.timezone or "UTC")
        except Exception:  # pandas asks zoneinfo, pytz and the system, each with errors of its own
            raise InputError(f"{self.timezone!r} is no time zone: use a name like 'Europe/Berlin' or 'UTC'") from None

    def utc(self, local: np.ndarray) -> np.ndarray:
        """Microseconds of UTC for microseconds of the clock. An hour gone through twice is taken as its first pass."""
        if self.timezone is None or not len(local):
            return local
        quarters, which = np.unique(local // _QUARTER, return_inverse=True)
        wall = pd.DatetimeIndex((quarters * _QUARTER).view("datetime64[us]"))
        first, second = (
            wall.tz_localize(self.timezone, ambiguous=is_dst, nonexistent="shift_forward")
            for is_dst in (np.ones(len(wall), dtype=bool), np.zeros(len(wall), dtype=bool))
        )
        utc = first.as_unit("us").asi8
        shifted = first.tz_localize(None).as_unit("us").asi8 - quarters * _QUARTER
        counts = np.bincount(which, minlength=len(quarters))
        self.twice += int(counts[first != second].sum())
        self.never += int(counts[shifted != 0].sum())
        offsets = quarters * _QUARTER + shifted - utc
        self._offsets.update(offsets.tolist())
        self.changed = len(self._offsets) > 1
        return local - offsets[which]

    def note(self, reading: Reading, name: str) -> None:
        """What the stamps of file `name` rest on."""
        if self.timezone is None:
            reading.note(
                "timezone",
                "REVIEW",
                f"{name}: the stamps are dates without a time zone; they were read as UTC",
                "Say whose clock wrote them: timezone='Europe/Berlin'",
            )
        else:
            reading.note("timezone", "PASS", f"{name}: the stamps are dates on the clock of {self.timezone}")
        if self.changed or self.twice or self.never:
            reading.note(
                "clock change",
                "FAIL" if self.twice or self.never else "REVIEW",
                f"{name}: the clock of {self.timezone} was set while the test ran"
                + (
                    f"; {self.twice} rows are of an hour it went through twice, read as the first pass"
                    * (self.twice > 0)
                )
                + (f"; {self.never} rows are of an hour it left out" * (self.never > 0)),
                "Rates around the change are not usable; save with timestamp_format=ms",
                count=self.twice + self.never,
            )
