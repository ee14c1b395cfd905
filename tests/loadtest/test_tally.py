"""What a tally says of any rows is what counting them one by one says, however they were cut into batches."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.loadtest.cells import Cells
from capacity.loadtest.histograms import PRECISION
from capacity.loadtest.samples import CONTAINER, REQUEST, TRANSACTION, Samples
from capacity.loadtest.tallied import Tallied
from capacity.loadtest.tally import MOST_LABELS, Tally

SECOND = 1_000_000
ORIGIN = 1_795_428_000 * SECOND


def drawn(seed: int, n: int, seconds: float = 20.0) -> Samples:
    """Rows of every kind, of two generators, some told in batches, in no order of time."""
    rng = np.random.default_rng(seed)
    count = rng.choice([1, 1, 1, 4], n)
    return Samples.of(
        ORIGIN + rng.integers(0, int(seconds * SECOND), n),
        rng.choice([rng.integers(0, 3_000_000, n), rng.integers(0, 900, n) * 1000, np.zeros(n, dtype=int)]),
        rng.integers(0, count + 1),
        label=rng.integers(0, 5, n),
        outcome=rng.integers(0, 3, n),
        group=rng.integers(0, 2, n),
        host=rng.integers(0, 2, n),
        kind=rng.choice([REQUEST, REQUEST, REQUEST, CONTAINER, TRANSACTION], n),
        count=count,
        users=rng.integers(1, 9, n),
    )


def tallied(*batches: Samples) -> Tallied:
    tally = Tally()
    tally.file("run")
    for batch in batches:
        tally.add(batch)
    return tally.result()


@given(st.integers(0, 10**6), st.integers(1, 80), st.lists(st.integers(1, 79), max_size=4))
@settings(max_examples=20)
def test_counts_are_those_of_a_slow_loop_however_rows_come_in_batches(seed: int, n: int, cuts: list[int]) -> None:
    rows = drawn(seed, n)
    edges = sorted({0, n, *(cut for cut in cuts if cut < n)})
    result = tallied(*(rows.where(np.arange(low, high)) for low, high in pairwise(edges)))

    for label in np.unique(rows.label):
        mine = rows.where(rows.label == label)
        kept = result.labels[int(label)]
        each = np.repeat(mine.elapsed, mine.count)
        assert (kept.samples, kept.failed) == (mine.count.sum(), mine.failed.sum())
        assert kept.requests == mine.count[mine.kind == REQUEST].sum()
        assert (kept.total, kept.least, kept.most) == (each.sum(), each.min(), each.max())
        assert (kept.first, kept.last) == (mine.start.min(), (mine.start + mine.elapsed).max())
        truth = np.quantile(each, 0.9, method="weibull")
        assert kept.histogram.quantile(0.9) == pytest.approx(truth, rel=2.0 ** -(PRECISION + 1), abs=0.5)

    sent = rows.where(rows.kind == REQUEST)
    assert (result.requests.samples, result.failures.samples) == (sent.count.sum(), sent.failed.sum())
    errors: Counter[tuple[int, int]] = Counter()
    for label, outcome, failed in zip(rows.label, rows.outcome, rows.failed, strict=True):
        errors[int(label), int(outcome)] += int(failed)
    assert result.errors == {pair: failed for pair, failed in errors.items() if failed}


@given(st.integers(0, 10**6), st.integers(1, 60))
@settings(max_examples=20)
def test_every_second_is_that_of_a_slow_loop(seed: int, n: int) -> None:
    rows = drawn(seed, n)
    cells = tallied(rows).cells
    sent = rows.where(rows.kind == REQUEST)
    end = sent.start + sent.elapsed
    assert (np.diff(cells.number) == 1).all()
    assert cells.completions.sum() == sent.count.sum()
    for row, low in enumerate(cells.start):
        high = low + SECOND
        here = (sent.start >= low) & (sent.start < high)
        done = (end >= low) & (end < high)
        overlap = np.clip(np.minimum(end, high) - np.maximum(sent.start, low), 0, None)
        assert cells.arrivals[row] == sent.count[here].sum()
        assert (cells.completions[row], cells.errors[row]) == (sent.count[done].sum(), sent.failed[done].sum())
        assert cells.busy[row] == (overlap * sent.count).sum()
        good = np.repeat(sent.elapsed[done], (sent.count - sent.failed)[done])
        truth = np.quantile(good, 0.95, method="weibull") / 1000 if len(good) else np.nan
        found = cells.quantiles(0.95)[row]
        assert found == pytest.approx(truth, rel=2.0 ** -(PRECISION + 1), abs=0.0005, nan_ok=True)
        assert cells.bins is not None
        assert cells.bins[row].sum() == cells.arrivals[row]


def test_users_are_summed_over_generators_and_held_while_a_slow_answer_is_awaited() -> None:
    seconds = np.array([0, 0, 1, 1, 3, 5])  # the second generator says nothing in seconds 2 and 4
    rows = Samples.of(
        ORIGIN + seconds * SECOND,
        np.full(6, 1000),
        np.zeros(6),
        host=np.array([0, 1, 0, 1, 1, 0]),
        users=np.array([10, 20, 10, 22, 24, 12]),
    )
    assert tallied(rows).cells.users.tolist() == [30, 32, 32, 34, 10, 12]  # the second is gone after second 3


def test_rows_without_users_leave_them_unknown() -> None:
    assert np.isnan(tallied(Samples.of(np.array([ORIGIN]), np.array([5]), np.array([0]))).cells.users).all()


def test_a_test_of_days_is_told_in_wider_cells_and_loses_no_request() -> None:
    seconds = np.arange(0, 200_000)
    rows = Samples.of(ORIGIN + seconds * SECOND, np.full(len(seconds), 1_500_000), np.zeros(len(seconds)))
    rows = rows.where(np.arange(len(rows)))
    cells = tallied(rows.where(seconds < 90_000), rows.where(seconds >= 90_000)).cells
    assert cells.seconds == 2.0
    assert cells.arrivals.tolist()[:3] == [2, 2, 2]
    assert cells.arrivals.sum() == cells.completions.sum() == 200_000
    assert cells.busy.sum() == 200_000 * 1_500_000
    assert cells.bins is None
    assert np.unique(cells.medians[1:]).tolist() == [1500.0]


def test_too_many_different_latencies_cost_precision_and_no_count() -> None:
    rng = np.random.default_rng(7)
    rows = Samples.of(ORIGIN + np.arange(30_000), rng.integers(10**4, 10**7, 30_000), np.zeros(30_000))
    tally = Tally(most_places=1 << 13)
    tally.add(rows)
    result = tally.result()
    bits = result.requests.histogram.bits
    assert bits < PRECISION
    assert len(result.requests.histogram) == result.cells.counts.sum() == 30_000
    for level in (0.5, 0.95, 0.99):
        truth = np.quantile(rows.elapsed, level, method="weibull")
        assert result.requests.histogram.quantile(level) == pytest.approx(truth, rel=2.0 ** -(bits + 1))


def test_labels_beyond_the_limit_are_one_and_none_of_their_rows_is_lost() -> None:
    n = MOST_LABELS + 500
    rows = Samples.of(ORIGIN + np.arange(n), np.full(n, 7000), np.ones(n), label=np.arange(n))
    result = tallied(rows)
    assert len(result.labels) == MOST_LABELS + 1
    assert result.labels[MOST_LABELS].samples == 500
    assert sum(result.errors.values()) == n == result.requests.samples


def test_stamps_of_whole_seconds_say_nothing_about_tenths() -> None:
    rows = Samples.of(ORIGIN + np.arange(50) * SECOND, np.full(50, 20_000), np.zeros(50))
    assert tallied(rows).cells.bins is None


def test_runs_years_apart_keep_their_seconds() -> None:
    year = 365 * 86_400
    seconds = np.array([0, 1, 2, year, year + 1])
    cells = tallied(Samples.of(ORIGIN + seconds * SECOND + 1, np.full(5, 1000), np.zeros(5))).cells
    assert cells.seconds == 1.0
    assert cells.runs() == [(0, 3), (3, 5)]


def test_a_request_that_lasts_longer_than_a_day_does_not_fill_a_timeline() -> None:
    rows = Samples.of(np.array([ORIGIN, ORIGIN]), np.array([10**15, 1000]), np.zeros(2))
    result = tallied(rows)
    assert result.orders[0].too_long == 1
    assert len(result.cells) == 2
    assert result.requests.samples == result.cells.completions.sum() == 2


def test_times_before_1970_are_times() -> None:
    cells: Cells = tallied(Samples.of(np.array([-2_500_000]), np.array([1_000_000]), np.array([0]))).cells
    assert cells.number.tolist() == [-3, -2]
    assert cells.busy.tolist() == [500_000, 500_000]
