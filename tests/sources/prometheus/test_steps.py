"""Every interval of a span is asked for once, in parts that the limits allow."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from capacity.sources.base import Span
from capacity.sources.coverage import Asked, Coverage
from capacity.sources.prometheus import Prometheus, Query
from capacity.sources.prometheus.steps import Steps, parts, starting_in

EPOCH = pd.Timestamp(0, tz="UTC").as_unit("us")


def at(microseconds: int) -> pd.Timestamp:
    return EPOCH + pd.Timedelta(microseconds, unit="us")


@given(
    start=st.integers(0, 10**12), length=st.integers(0, 10**11), step=st.integers(1, 7200), size=st.integers(1, 11_000)
)
def test_parts_hold_every_start_in_the_span_once_and_in_order(start: int, length: int, step: int, size: int) -> None:
    step = max(step, length // 1_000_000 // 5000)  # not more than we care to list
    whole = starting_in(Span(at(start), at(start + length)), step)
    numbers = [number for part in parts([whole], size) for number in range(part.first, part.last)]
    around = range(start // 1_000_000 // step, (start + length) // 1_000_000 // step + 2)
    assert numbers == [n for n in around if start <= n * step * 1_000_000 < start + length]
    assert all(0 < part.size <= size for part in parts([whole], size))


@given(first=st.integers(0, 10**7), size=st.integers(1, 11_000), step=st.integers(1, 86_400))
def test_one_call_stays_below_the_limit_of_points_and_starts_on_the_grid(first: int, size: int, step: int) -> None:
    start, end = Steps(first, first + size, step).asked
    assert start % step == end % step == 0
    assert (end - start) // step + 1 == size


@given(
    known=st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 50_000)), max_size=5),
    span=st.tuples(st.integers(0, 200_000), st.integers(1, 200_000)),
    now=st.integers(0, 500_000),
    step=st.sampled_from([1, 15, 60, 3600]),
    max_points=st.integers(1, 500),
    max_span=st.floats(1, 10_000),
)
def test_what_is_asked_is_what_has_ended_and_is_not_known(
    known: list[tuple[int, int]],
    span: tuple[int, int],
    now: int,
    step: int,
    max_points: int,
    max_span: float,
) -> None:
    """Seconds throughout; what is covered need not lie on the grid."""
    step = max(step, span[1] // 2000 or 1)
    query = Query("cpu", "x", step=step)
    source = Prometheus(
        "http://prom", (query,), clock=lambda: at(now * 1_000_000), max_points=max_points, max_span=max_span
    )
    name: Asked = source._asked(query)
    coverage = Coverage.of((name, Span(at(a * 10**6), at((a + length) * 10**6))) for a, length in known)
    asked = list(source._todo(query, Span(at(span[0] * 10**6), at(sum(span) * 10**6)), coverage, now))
    numbers = [number for part in asked for number in range(part.first, part.last)]

    def wanted(number: int) -> bool:
        start = number * step
        unknown = not any(a <= start < a + length for a, length in known)
        return span[0] <= start < sum(span) and start + step <= now and unknown

    assert numbers == [n for n in range(span[0] // step, sum(span) // step + 1) if wanted(n)]
    assert all(part.size <= max_points and (part.size - 1) * step < max(max_span, 1) for part in asked)
