"""One series as the quality checks see it, and the words they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capacity.findings import Finding, Status
from capacity.schema import METRICS


@dataclass(frozen=True, eq=False)
class Line:
    """A series on its regular grid: n values in the metric's unit, NaN at gaps; the first and last are values."""

    service: str
    metric: str
    times: pd.DatetimeIndex
    values: np.ndarray
    interval: pd.Timedelta

    @property
    def finite(self) -> np.ndarray:
        """Where there is a value."""
        return np.isfinite(self.values)

    @property
    def end(self) -> pd.Timestamp:
        return self.times[-1] + self.interval

    @property
    def length(self) -> pd.Timedelta:
        return self.end - self.times[0]

    def steps(self, text: str) -> int:
        """Intervals in a duration, at least 1."""
        return max(1, round(pd.Timedelta(text) / self.interval))

    def when(self, position: int) -> str:
        """A stamp in words; the day is enough when intervals are days."""
        return when(self.times[position], self.interval)

    def amount(self, value: float) -> str:
        """A value with its unit.

        >>> times = pd.date_range("2026-08-03", periods=1, freq="h", tz="UTC")
        >>> Line("web", "cpu", times, np.array([1.0]), pd.Timedelta("1h")).amount(1234.5678)
        '1,235 vCPU'
        """
        return f"{value:,.4g} {METRICS[self.metric].unit}"

    def finding(
        self,
        check: str,
        status: Status,
        message: str,
        advice: str = "",
        *,
        first: int | None = None,
        last: int | None = None,
        count: int = 0,
    ) -> Finding:
        """A finding about intervals `first` to `last`, both included; about the whole series without them."""
        start = None if first is None else self.times[first]
        end = None if last is None else self.times[last] + self.interval
        return Finding(self.service, self.metric, check, status, message, advice, start, end, int(count))


def when(stamp: pd.Timestamp, interval: pd.Timedelta | None = None) -> str:
    """A stamp in words, UTC; its day, when intervals are days."""
    return (
        f"{stamp:%Y-%m-%d}"
        if interval is not None and interval >= pd.Timedelta(days=1)
        else f"{stamp:%Y-%m-%d %H:%M} UTC"
    )


def how_long(length: pd.Timedelta) -> str:
    """A duration in words.

    >>> how_long(pd.Timedelta("36h")), how_long(pd.Timedelta("14D")), how_long(pd.Timedelta("5min"))
    ('36 hours', '14 days', '5 minutes')
    """
    for unit, size in (
        ("day", pd.Timedelta(days=1)),
        ("hour", pd.Timedelta(hours=1)),
        ("minute", pd.Timedelta("1min")),
    ):
        count = length / size
        if count >= 3 or (count >= 1 and count == int(count)):
            shown = f"{count:,.0f}" if count >= 100 else f"{count:.3g}"
            return f"{shown} {unit}" + ("" if count == 1 else "s")
    return f"{length.total_seconds():g} seconds"


def counted(count: int, one: str, several: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "value"), counted(1200, "value"), counted(0, "series", "series")
    ('1 value', '1,200 values', '0 series')
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First position and length of every run of True.

    >>> starts, lengths = runs(np.array([False, True, True, False, True]))
    >>> starts.tolist(), lengths.tolist()
    ([1, 4], [2, 1])
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return edges[::2], edges[1::2] - edges[::2]
