"""Histograms count exactly, and say quantiles as numpy and JMeter do, within the share they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.loadtest.histograms import EMPTY, LARGEST, PRECISION, Histogram, buckets_of, edges, merged
from capacity.loadtest.kernel import bucket_of

LEVELS = (0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999)
latencies = st.lists(st.integers(0, 10**9), min_size=1, max_size=60)
milliseconds = st.lists(st.integers(0, 2_097), min_size=1, max_size=60)


@settings(max_examples=25)
@given(latencies)
def test_quantiles_are_within_half_a_bucket_of_numpys_weibull(values: list[int]) -> None:
    truth = np.quantile(values, LEVELS, method="weibull")
    assert Histogram.of(values).quantiles(LEVELS) == pytest.approx(truth, rel=2.0 ** -(PRECISION + 1), abs=0.5)


@settings(max_examples=25)
@given(milliseconds)
def test_of_whole_milliseconds_up_to_two_seconds_quantiles_are_exact(values: list[int]) -> None:
    truth = np.quantile(np.array(values) * 1000, LEVELS, method="weibull")
    assert Histogram.of(np.array(values) * 1000).quantiles(LEVELS) == pytest.approx(truth, rel=1e-12)


@settings(max_examples=25)
@given(latencies, latencies, latencies)
def test_merging_is_counting_together_in_any_order(one: list[int], two: list[int], three: list[int]) -> None:
    a, b, c = map(Histogram.of, (one, two, three))
    together = Histogram.of([*one, *two, *three])
    for parts in ((a + b) + c, a + (b + c), merged((c, a, b)), EMPTY + b + a + c):
        assert parts.buckets.tolist() == together.buckets.tolist()
        assert parts.counts.tolist() == together.counts.tolist()
        assert (parts.least, parts.most, parts.whole) == (together.least, together.most, together.whole)


@settings(max_examples=25)
@given(latencies, st.integers(1, PRECISION - 1))
def test_a_coarser_histogram_is_what_counting_coarsely_gives(values: list[int], bits: int) -> None:
    coarse, direct = Histogram.of(values).coarsened(bits), Histogram.of(values, bits=bits)
    assert coarse.buckets.tolist() == direct.buckets.tolist()
    assert coarse.counts.tolist() == direct.counts.tolist()
    assert coarse.quantiles(LEVELS) == pytest.approx(
        np.quantile(values, LEVELS, method="weibull"), rel=2.0 ** -(bits + 1), abs=0.5
    )


@settings(max_examples=25)
@given(st.dictionaries(st.integers(0, 10**7), st.integers(0, 9), min_size=1))
def test_a_row_of_several_requests_counts_as_several(counted: dict[int, int]) -> None:
    values, counts = np.array([*counted]), np.array([*counted.values()])
    weighted, repeated = Histogram.of(values, counts), Histogram.of(np.repeat(values, counts))
    assert len(weighted) == counts.sum() == len(repeated)
    assert weighted.quantiles(LEVELS) == pytest.approx(repeated.quantiles(LEVELS), nan_ok=True)


@settings(max_examples=25)
@given(st.integers(0, LARGEST), st.integers(1, PRECISION))
def test_a_value_lies_in_its_bucket_and_the_compiled_count_agrees(value: int, bits: int) -> None:
    bucket = buckets_of(np.array([value]), bits)
    (low,), (size,) = edges(bucket, bits)
    assert low <= value < low + size
    assert size == 1 or size <= low / 2**bits
    assert bucket_of(value, bits) == bucket[0]


@settings(max_examples=25)
@given(latencies)
def test_quantiles_never_cross_and_stay_between_the_extremes(values: list[int]) -> None:
    found = Histogram.of(values).quantiles([*np.linspace(0.001, 0.999, 40)])
    assert (np.diff(found) >= 0).all()
    assert min(values) <= found[0]
    assert found[-1] <= max(values)


def test_nothing_has_no_quantile_and_a_negative_latency_is_refused() -> None:
    assert np.isnan(EMPTY.quantile(0.5))
    assert np.isnan(Histogram.of([5], counts=np.array([0])).quantile(0.5))
    assert np.isnan(merged(()).quantile(0.5))
    with pytest.raises(InputError, match="0 to 2\\^53 microseconds, got -1"):
        Histogram.of([-1, 5])
