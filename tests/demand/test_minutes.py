"""Minutes put back into coarse demand: what was measured stays true, and the rest looks like a service."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.demand import to_minutes
from capacity.demand.minutes import persistent_noise
from capacity.demand.minutes_kernel import CLOSE, reach
from capacity.errors import InputError
from tests.makers import daily_wave, hourly

HOUR = pd.Timedelta(hours=1)

means = st.one_of(st.just(0.0), st.just(np.nan), st.floats(1e-6, 1e6))
ratios = st.one_of(st.just(np.nan), st.floats(1.0, 60.0))
intervals = st.lists(st.tuples(means, ratios), min_size=1, max_size=30)


def spread(pairs: list[tuple[float, float]], length: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n,) means, (n,) peaks, (n, length) minutes."""
    mean = np.array([pair[0] for pair in pairs])
    peak = mean * np.minimum([pair[1] for pair in pairs], length)
    times = pd.date_range("2026-03-02", periods=len(pairs), freq=f"{length}min", tz="UTC")
    _, minutes = to_minutes(times, pd.Timedelta(minutes=length), mean, peak, seed=seed)
    return mean, peak, minutes.reshape(-1, length)


@settings(deadline=None, max_examples=60)
@given(pairs=intervals, length=st.sampled_from([2, 5, 15, 60]), seed=st.integers(0, 9))
def test_every_interval_keeps_its_mean_and_its_peak(pairs: list[tuple[float, float]], length: int, seed: int) -> None:
    mean, peak, minutes = spread(pairs, length, seed)
    known = np.isfinite(mean)
    assert np.isnan(minutes[~known]).all()
    assert (minutes[known] >= 0).all()
    np.testing.assert_allclose(minutes[known].mean(axis=1), mean[known], rtol=1e-9)
    told = known & np.isfinite(peak)
    np.testing.assert_allclose(minutes[told].max(axis=1), peak[told], rtol=1e-9)


@settings(deadline=None, max_examples=20)
@given(pairs=intervals, seed=st.integers(0, 9))
def test_the_same_seed_gives_the_same_minutes(pairs: list[tuple[float, float]], seed: int) -> None:
    np.testing.assert_array_equal(spread(pairs, 60, seed)[2], spread(pairs, 60, seed)[2])


def test_another_seed_gives_other_minutes() -> None:
    pairs = [(10.0, 3.0), (20.0, 2.0)]
    assert (spread(pairs, 60, seed=1)[2] != spread(pairs, 60, seed=2)[2]).any()


def test_a_ramp_goes_on_inside_the_hour_when_nothing_is_known_of_its_minutes() -> None:
    """Without peaks the curve is smooth: no step between the hours, and rising where the hours rise."""
    _, minutes = to_minutes(hourly(0.25), HOUR, np.array([10.0, 20, 30, 40, 50, 60]))
    inner = minutes[30:-30]
    assert (np.diff(inner) > 0).all()
    assert np.abs(np.diff(inner)).max() < 0.5  # 10 an hour is 0.17 a minute


def test_a_quiet_hour_beside_a_busy_one_does_not_fall_below_zero() -> None:
    _, minutes = to_minutes(hourly(3 / 24), HOUR, np.array([1000.0, 0.001, 1000.0]))
    assert (minutes >= 0).all()
    assert minutes[60:120].mean() == pytest.approx(0.001)


def test_an_hour_of_unknown_peak_borrows_the_burst_of_an_hour_of_like_demand() -> None:
    """Small hours burst threefold, large ones hardly: each unknown hour follows its own kind."""
    times = hourly(20)
    values = np.where(np.arange(len(times)) % 2 == 0, 10.0, 1000.0)
    peaks = np.where(values == 10.0, 30.0, 1100.0)
    peaks[::3] = np.nan
    tops = to_minutes(times, HOUR, values, peaks)[1].reshape(-1, 60).max(axis=1)
    np.testing.assert_allclose(tops[values == 10.0], 30.0)
    np.testing.assert_allclose(tops[values == 1000.0], 1100.0)


def test_bursts_last_for_minutes() -> None:
    """Neighbouring minutes resemble each other, as in real load: white noise would have no correlation."""
    times = hourly(10)
    values = np.full(len(times), 100.0)
    minutes = to_minutes(times, HOUR, values, values * 1.5)[1]
    centred = minutes - minutes.mean()
    assert (centred[1:] * centred[:-1]).mean() / centred.var() > 0.5


def test_the_noise_is_standard_normal_and_persists_as_asked() -> None:
    noise = persistent_noise(200_000, np.random.default_rng(0), persistence=0.8)
    assert noise.std() == pytest.approx(1.0, abs=0.02)
    assert np.corrcoef(noise[1:], noise[:-1])[0, 1] == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(("peak", "highest"), [(30.0, 60.0), (60.0, 60.0), (9_999.0, 3600.0)])
def test_an_impossible_peak_is_read_as_the_nearest_possible(peak: float, highest: float) -> None:
    """Of 60 requests/s on average the busiest minute has at least 60, and at most all of the hour's: 3,600."""
    _, minutes = to_minutes(hourly(1 / 24), HOUR, np.array([60.0]), np.array([peak]))
    assert minutes.max() == pytest.approx(highest)
    assert minutes.mean() == pytest.approx(60.0)


def test_minutes_are_passed_on_and_seconds_averaged() -> None:
    minutes = pd.date_range("2026-03-02", periods=3, freq="min", tz="UTC")
    times, values = to_minutes(minutes, pd.Timedelta(minutes=1), np.array([1.0, np.nan, 3.0]))
    assert list(times) == list(minutes)
    np.testing.assert_array_equal(values, [1.0, np.nan, 3.0])
    tens = pd.date_range("2026-03-02", periods=12, freq="10s", tz="UTC")
    times, values = to_minutes(tens, pd.Timedelta(seconds=10), np.arange(12.0))
    assert list(times) == list(minutes[:2])
    np.testing.assert_array_equal(values, [2.5, 8.5])


def test_several_series_are_spread_each_on_its_own() -> None:
    times = hourly(2)
    values = np.stack([daily_wave(times), daily_wave(times, mean=7.0)])
    _, both = to_minutes(times, HOUR, values, values * 1.3)
    assert both.shape == (2, 48 * 60)
    np.testing.assert_allclose(both.reshape(2, -1, 60).mean(axis=2), values)


def halved(shape: np.ndarray, noise: np.ndarray, ratio: float) -> np.ndarray:
    """(length,) of one interval, slowly: the strength of the noise by halving, the rest pressed away."""

    def swelled(strength: float) -> np.ndarray:
        minutes = shape * np.exp(strength * noise)
        return np.asarray(minutes / minutes.mean())

    weak, strong = 0.0, 1.0
    while swelled(strength=strong).max() < ratio:
        weak, strong = strong, 2 * strong
    for _ in range(50):
        middle = (weak + strong) / 2
        weak, strong = (weak, middle) if swelled(middle).max() >= ratio else (middle, strong)
    minutes = shape if shape.max() >= ratio else swelled(strong)
    return np.asarray(1 + (ratio - 1) / (minutes.max() - 1) * (minutes - 1))


@pytest.mark.parametrize("ratio", [1.0, 1.02, 1.1, 1.5, 3.0, 12.0, 40.0])
def test_the_noise_is_as_strong_as_halving_finds_it(ratio: float) -> None:
    shape = np.tile(np.linspace(0.9, 1.1, 60), (5, 1))
    noise = persistent_noise(300, np.random.default_rng(3)).reshape(5, 60)
    slowly = [halved(*pair, ratio) for pair in zip(shape, noise, strict=True)]
    np.testing.assert_allclose(reach(shape, noise, np.full(5, ratio)), slowly, atol=10 * CLOSE * ratio)


def test_fourteen_months_take_less_than_a_few_seconds() -> None:
    """A rehearsal of a year may not wait for its input. The bound is loose for a busy machine: usual is 0.03 s."""
    import time

    times = hourly(425)
    values = daily_wave(times)
    began = time.perf_counter()
    to_minutes(times, HOUR, values, values * 1.4)
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("interval", "values"),
    [("90s", [1.0, 2.0]), ("1h", [1.0]), ("1h", [1.0, -2.0]), ("1h", [1.0, np.inf])],
    ids=["not whole minutes", "too few values", "negative", "infinite"],
)
def test_what_cannot_be_spread_is_refused(interval: str, values: list[float]) -> None:
    times = pd.date_range("2026-03-02", periods=2, freq=interval, tz="UTC")
    with pytest.raises(InputError):
        to_minutes(times, pd.Timedelta(interval), np.array(values))


def test_no_intervals_have_no_minutes() -> None:
    times, values = to_minutes(hourly(1)[:0], HOUR, np.array([]))
    assert len(times) == len(values) == 0
