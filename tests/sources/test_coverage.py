"""What is covered is never asked for again, and what is not covered always is."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from capacity.sources.base import Span
from capacity.sources.coverage import Asked, Coverage

EPOCH = pd.Timestamp("2026-08-03", tz="UTC").as_unit("us")
WEB = Asked("cloudwatch:eu-west-1/shop", "web", "cpu_utilization", "mean", 60)
API = WEB._replace(service="api")


def hours(start: int, end: int) -> Span:
    return Span(EPOCH + pd.Timedelta(hours=start), EPOCH + pd.Timedelta(hours=end))


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: hours(*pair)), max_size=8)


def hours_in(parts: list[Span]) -> set[int]:
    return {hour for span in parts for hour in range(40) if span.start <= EPOCH + pd.Timedelta(hours=hour) < span.end}


@given(spans, spans, st.integers(0, 30), st.integers(0, 30))
def test_missing_is_the_span_less_what_is_covered(one: list[Span], two: list[Span], start: int, end: int) -> None:
    known = Coverage.of((WEB, span) for span in one) | Coverage.of((WEB, span) for span in two)
    asked = hours(start, end)
    assert hours_in(known.missing(WEB, asked)) == hours_in([asked]) - hours_in(one) - hours_in(two)


@given(spans)
def test_spans_are_kept_in_order_and_apart(parts: list[Span]) -> None:
    kept = Coverage.of((WEB, span) for span in parts).spans.get(WEB, ())
    assert all(one.end < two.start for one, two in pairwise(kept))
    assert hours_in(list(kept)) == hours_in(parts)


@given(spans, spans)
def test_together_is_the_same_from_either_side(one: list[Span], two: list[Span]) -> None:
    mine, theirs = Coverage.of((WEB, span) for span in one), Coverage.of((API, span) for span in two)
    assert dict((mine | theirs).spans) == dict((theirs | mine).spans)


def test_one_series_says_nothing_of_another() -> None:
    known = Coverage.of([(WEB, hours(0, 5))])
    assert known.missing(API, hours(0, 5)) == [hours(0, 5)]
    assert (known.until(WEB), known.until(API)) == (hours(0, 5).end, None)
