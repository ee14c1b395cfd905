"""Intervals, counted from 1970, and the parts they are asked for in.

The value at T tells of the time before it: rate(x[60s]) at 12:01 is the rate from 12:00 to 12:01. We stamp intervals
by their start. So interval number n, which starts at n x step, is asked for at T = (n + 1) x step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pandas as pd

from capacity.sources.base import Span, microseconds

SECOND = 1_000_000  # microseconds


class Steps(NamedTuple):
    """Intervals `first` up to, not including, `last`, each `step` seconds long.

    >>> steps = Steps(0, 4, 60)
    >>> len(range(*steps[:2])), steps.asked
    (4, (60, 240))
    """

    first: int
    last: int
    step: int

    @property
    def size(self) -> int:
        return self.last - self.first

    @property
    def asked(self) -> tuple[int, int]:
        """`start` and `end` of the call, seconds since 1970: both are answered."""
        return (self.first + 1) * self.step, self.last * self.step

    @property
    def span(self) -> Span:
        """From the start of the first interval to the end of the last."""
        return Span(stamp(self.first * self.step), stamp(self.last * self.step))

    def until(self, seconds: float) -> Steps:
        """Those of them that had ended by then."""
        return Steps(self.first, max(self.first, min(self.last, int(seconds // self.step))), self.step)


def starting_in(span: Span, step: int) -> Steps:
    """The intervals that start in a span: what a source may report of it.

    >>> day = pd.Timestamp("1970-01-02", tz="UTC")
    >>> starting_in(Span(day + pd.Timedelta("1s"), day + pd.Timedelta("61s")), 60)
    Steps(first=1441, last=1442, step=60)
    """
    first, last = (-(-microseconds(edge) // (step * SECOND)) for edge in span)
    return Steps(first, max(first, last), step)


def parts(groups: Iterable[Steps], size: int) -> Iterator[Steps]:
    """The same intervals, each once and in order, at most `size` at a time.

    >>> [(part.first, part.last) for part in parts([Steps(0, 5, 60), Steps(7, 8, 60)], 2)]
    [(0, 2), (2, 4), (4, 5), (7, 8)]
    """
    for group in groups:
        for first in range(group.first, group.last, size):
            yield Steps(first, min(first + size, group.last), group.step)


def stamp(seconds: int) -> pd.Timestamp:
    """A time from seconds since 1970."""
    return pd.Timestamp(seconds, unit="s", tz="UTC").as_unit("us")
