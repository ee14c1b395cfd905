"""A span is parted by age: whole intervals, no hole, no overlap, never finer than is kept."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.sources.base import Span
from capacity.sources.cloudwatch.periods import DAY, TIERS, refused, too_late, windows

START = pd.Timestamp("2026-08-03T12:34:56.789Z").as_unit("us")


@given(
    age=st.integers(0, 500 * DAY),
    length=st.integers(1, 500 * DAY),
    period=st.sampled_from([None, 60, 300, 900, 3600, DAY]),
)
def test_the_windows_of_a_span(age: int, length: int, period: int | None) -> None:
    span = Span(START - pd.Timedelta(seconds=age), START - pd.Timedelta(seconds=age - length))
    found = windows(span, START, period)
    for window in found:
        assert window.points >= 1 and window.start % window.period == window.end % window.period == 0
        assert span.start <= window.span.start and window.span.end <= min(span.end, START)
        kept = max(tier.kept for tier in TIERS if tier.period <= window.period)
        assert window.start >= START.timestamp() - kept + 3600
        assert not too_late(window, START) and too_late(window, START + pd.Timedelta(days=500))
    for newer, older in pairwise(found):
        assert older.end == newer.start and older.period > newer.period
    if found and period is None:
        finest = max(START - pd.Timedelta(days=15) + pd.Timedelta("2h"), span.start + pd.Timedelta("1min"))
        end = min(span.end, START)
        assert found[-1].span.start <= max(finest, end) or found[-1].period > 60
        if end - finest > pd.Timedelta("2min"):
            assert found[0].period == 60 and end - found[0].span.end < pd.Timedelta("1min")


def test_what_is_too_old_at_any_period_or_at_a_fixed_one_is_said() -> None:
    span = Span(START - pd.Timedelta(days=500), START)
    gone = refused(span, START)
    assert gone is not None and windows(span, START)[-1].span.start == gone.end
    assert refused(Span(START - pd.Timedelta(days=400), START), START) is None
    assert refused(Span(START - pd.Timedelta(days=20), START), START, 60) is not None
    assert refused(Span(START - pd.Timedelta(days=455), START), START) is None  # the margin is not worth a word


def test_a_period_cloudwatch_does_not_keep_is_refused() -> None:
    for period in (0, 1, 90, -60):
        with pytest.raises(InputError, match="multiple of 60"):
            windows(Span(START, START), START, period)
