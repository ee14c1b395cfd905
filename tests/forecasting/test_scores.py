"""Scores against loops anyone can follow, and against what they must be by definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.forecasting import scores

numbers = st.lists(st.floats(0, 1e6), min_size=2, max_size=30)


@settings(deadline=None, max_examples=60)
@given(actual=numbers, shift=st.floats(-100, 100))
def test_the_loss_is_twice_the_pinball_of_a_plain_loop(actual: list[float], shift: float) -> None:
    levels = (0.1, 0.5, 0.95)
    truth = np.array(actual) + 1.0
    quantiles = np.stack([truth + shift * (k + 1) for k in range(3)])
    total = 0.0
    for row, level in zip(quantiles, levels, strict=True):
        for happened, said in zip(truth, row, strict=True):
            total += level * (happened - said) if happened >= said else (1 - level) * (said - happened)
    assert scores.wql(truth, quantiles, levels) == pytest.approx(2 * total / 3 / truth.sum())


def test_gaps_are_not_scored_and_nothing_to_score_is_not_a_perfect_score() -> None:
    actual, said = np.array([10.0, np.nan]), np.array([8.0, 1e9])
    assert scores.wql(actual, said[None], (0.5,)) == pytest.approx(0.2)
    nothing = np.array([np.nan, np.nan])
    past = np.arange(4.0)
    for value in (
        scores.wql(nothing, said[None], (0.5,)),
        scores.mase(nothing, said, past, 1),
        scores.coverage(nothing, said, said),
        scores.exceeded(nothing, said),
        scores.bias(nothing, said),
        scores.peak_ratio(nothing, said[None]),
        scores.crps(nothing, said[None]),
    ):
        assert np.isnan(value)


def test_the_mean_absolute_error_of_seasonal_naive_itself_scales_to_one() -> None:
    past = np.array([1.0, 5.0, 2.0, 7.0, 3.0, 9.0])  # repeating two steps misses by 1, 2, 1, 2
    assert scores.mase(np.array([4.0, 11.0]), np.array([2.5, 9.5]), past, season=2) == pytest.approx(1.5 / 1.5)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 9))
def test_the_fair_score_is_the_expected_distance_less_half_that_between_different_paths(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    paths, actual = rng.gamma(2, 1, (count, 3)), rng.gamma(2, 1, 3)
    slow = 0.0
    for column, happened in zip(paths.T, actual, strict=True):
        away = [abs(path - happened) for path in column]
        between = [abs(column[i] - column[j]) for i in range(count) for j in range(count) if i != j]
        slow += sum(away) / count - (sum(between) / len(between) / 2 if between else 0.0)
    assert scores.crps(actual, paths) == pytest.approx(slow / 3)


def test_the_fair_score_does_not_reward_fewer_paths() -> None:
    rng = np.random.default_rng(1)
    actual = rng.standard_normal(200_000)
    few, many = (
        scores.fair_crps(actual[: 400_000 // n], np.sort(rng.standard_normal((400_000 // n, n)))).mean()
        for n in (2, 50)
    )
    assert few == pytest.approx(1 / np.sqrt(np.pi), abs=0.005)  # of a standard normal, by its closed form
    assert many == pytest.approx(1 / np.sqrt(np.pi), abs=0.02)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_quantiles_of_sorted_paths_are_those_of_numpy(seed: int, count: int) -> None:
    paths = np.random.default_rng(seed).gamma(2, 1, (3, 2, count))
    levels = (0.001, 0.05, 0.5, 0.95, 0.999)
    np.testing.assert_allclose(scores.quantiles_of(np.sort(paths), levels), np.quantile(paths, levels, axis=-1))


def test_a_tie_breaks_no_promise_on_either_side_and_neither_does_rounding() -> None:
    quantiles = np.repeat([[0.0], [0.0], [10.0]], 4, axis=1)
    found = scores.ranks(np.array([0.0, 10.000000000000002, 11.0, np.nan]), quantiles)
    assert found.above.tolist() == [0, 2, 3, -1]
    assert found.below.tolist() == [1, 0, 0, -1]
