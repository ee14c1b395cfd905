"""When to ask: each part of a span at the finest period CloudWatch still keeps for its age, and never finer.

A request that is too fine for the age of its start returns nothing, and no error (GetMetricData, `Period`). So a span
is parted where one period ends and the next begins, an hour inside each boundary: age is measured when the server
handles the call, and a pull takes its time.
"""

from __future__ import annotations

from math import lcm
from typing import Final, NamedTuple

import pandas as pd

from capacity.errors import InputError
from capacity.sources.base import Span, microseconds

HOUR, DAY = 3600, 86400
#: Distance kept from each boundary, in seconds.
MARGIN: Final = HOUR


class Tier(NamedTuple):
    """Values of `period` seconds are kept for `kept` seconds."""

    period: int
    kept: int


#: Retention of CloudWatch metrics (CloudWatch user guide, "Metrics retention").
TIERS: Final = (Tier(60, 15 * DAY), Tier(300, 63 * DAY), Tier(3600, 455 * DAY))


class Window(NamedTuple):
    """Whole intervals from `start` up to `end`; all three in seconds, the stamps since 1970, UTC."""

    start: int
    end: int
    period: int

    @property
    def points(self) -> int:
        """Intervals in it.

        >>> Window(0, 3600, 300).points
        12
        """
        return (self.end - self.start) // self.period

    @property
    def span(self) -> Span:
        return Span(stamp(self.start), stamp(self.end))


def windows(span: Span, now: pd.Timestamp, period: int | None = None) -> list[Window]:
    """The windows of a span, finest and newest first. They touch, and none is empty.

    period  seconds, a multiple of 60, for all of the span; None: the finest that is kept, so that a long span gives
            rows of several intervals

    Intervals that are not whole inside the span, or not over yet, are left out.

    >>> end = pd.Timestamp("2026-08-03T00:00Z")
    >>> [(w.period, w.points) for w in windows(Span(end - pd.Timedelta("20D"), end), end)]
    [(60, 21540), (300, 1452)]
    """
    found = []
    until = min(_seconds(span.end), _seconds(now))
    for tier in tiers(period):
        oldest = kept_from(tier, now)
        start = max(_up(-(-microseconds(span.start) // 1_000_000), tier.period), oldest)
        end = until // tier.period * tier.period
        if start < end:
            found.append(Window(start, end, tier.period))
        until = min(until, oldest)
    return found


def refused(span: Span, now: pd.Timestamp, period: int | None = None) -> Span | None:
    """The part of a span that CloudWatch no longer keeps at any period (or at that one); None if it keeps all.

    Who asks for exactly what is kept loses the margin, which is not worth a word.
    """
    oldest = stamp(min(kept_from(tier, now) for tier in tiers(period)))
    gone = oldest - pd.Timedelta(seconds=2 * MARGIN)
    return Span(span.start, min(oldest, span.end)) if span.start < gone else None


def tiers(period: int | None) -> tuple[Tier, ...]:
    """The tiers to ask, finest first: all, or the one a fixed period belongs to.

    >>> tiers(900)[0].kept // DAY
    63
    """
    if period is None:
        return TIERS
    if period <= 0 or period % 60:
        raise InputError(f"period {period} is not a multiple of 60 seconds", advice="CloudWatch keeps no other ones.")
    return (Tier(period, max(tier.kept for tier in TIERS if tier.period <= period)),)


def kept_from(tier: Tier, now: pd.Timestamp) -> int:
    """The oldest start at which values of a tier can be asked for safely, on the hour; seconds since 1970."""
    return _up(_seconds(now) - tier.kept + MARGIN, lcm(HOUR, tier.period))


def too_late(window: Window, now: pd.Timestamp) -> bool:
    """Whether a window has grown too old for its period since it was planned: asked now, it would be empty."""
    return window.start < _seconds(now) - tiers(window.period)[0].kept + MARGIN // 12


def stamp(seconds: int) -> pd.Timestamp:
    """
    >>> stamp(0)
    Timestamp('1970-01-01 00:00:00+0000', tz='UTC')
    """
    return pd.Timestamp(seconds, unit="s", tz="UTC").as_unit("us")


def _seconds(moment: pd.Timestamp) -> int:
    return microseconds(moment) // 1_000_000


def _up(seconds: int, step: int) -> int:
    """Rounded up to a multiple of `step`."""
    return -(-seconds // step) * step
