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
@given(st.integers(0, 10_000))
def test_the_ranked_probability_score_is_the_expected_distance_less_half_the_spread(seed: int) -> None:
    rng = np.random.default_rng(seed)
    paths, actual = rng.gamma(2, 1, (7, 3)), rng.gamma(2, 1, 3)
    slow = np.mean(
        [
            np.mean([abs(p - a) for p in column]) - np.mean([[abs(p - q) for p in column] for q in column]) / 2
            for column, a in zip(paths.T, actual, strict=True)
        ]
    )
    assert scores.crps(actual, paths) == pytest.approx(slow)
