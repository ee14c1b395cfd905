"""Whatever is measured, and on whatever grid: a sensible fan, or a clear refusal."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import CapacityError, HistoryTooShort
from capacity.forecasting import Forecast, forecast
from capacity.forecasting.paths import _without_gaps
from tests.makers import daily_wave, hourly

LEVELS = (0.01, 0.05, 0.5, 0.95, 0.99)
WEEKS = 4
TIMES = hourly(7 * WEEKS)
HOURS = np.arange(len(TIMES))


def wave(seed: int = 0) -> np.ndarray:
    return daily_wave(TIMES) * np.exp(0.05 * np.random.default_rng(seed).standard_normal(len(TIMES)))


def changed(where: slice | np.ndarray, to: float) -> np.ndarray:
    values = wave()
    values[where] = to
    return values


def random(draw: Callable[[np.random.Generator], np.ndarray]) -> np.ndarray:
    return np.asarray(draw(np.random.default_rng(3)), dtype=float)


SIZE = len(TIMES)
PATHOLOGIES: dict[str, np.ndarray] = {
    "constant": np.full(SIZE, 7.0),
    "all zero": np.zeros(SIZE),
    "a spike": np.where(HOURS == 300, 1000.0, 10.0),
    "a spike among zeros": np.where(HOURS == 300, 1000.0, 0.0),
    "a spike at the very end": changed(slice(-1, None), 1e4),
    "a long gap": changed(slice(200, 450), np.nan),
    "a gap at the end": changed(slice(-100, None), np.nan),
    "a gap at the start": changed(slice(0, 300), np.nan),
    "a gap every night": changed(HOURS % 24 < 8, np.nan),
    "every second value missing": changed(HOURS % 2 == 0, np.nan),
    "four values at the end": changed(slice(0, -4), np.nan),
    "infinities": changed(slice(100, 103), np.inf),
    "infinities at the end": changed(slice(-3, None), -np.inf),
    "mostly infinite": changed(HOURS % 3 > 0, np.inf),
    "falling below zero": 100 - 0.2 * HOURS + random(lambda rng: rng.standard_normal(SIZE)),
    "all negative": -wave(),
    "huge": wave() * 1e12,
    "tiny": wave() * 1e-12,
    "doubling every 35 hours": np.exp(HOURS / 50.0),
    "doubling every six days": np.exp(HOURS / 200.0),
    "vanishing": 1e6 * np.exp(-HOURS / 50.0),
    "sparse counts": random(lambda rng: rng.poisson(0.02, SIZE)),
    "counts": random(lambda rng: rng.poisson(0.5, SIZE)),
    "alternating": (HOURS % 2).astype(float),
    "two levels by the day": np.where(HOURS % 48 < 24, 1.0, 100.0),
    "a step in the last hour": wave() * np.where(HOURS < SIZE - 1, 1, 10),
    "a step in the last hours": wave() * np.where(HOURS < SIZE - 3, 1, 5),
    "a step two days ago": wave() * np.where(HOURS < SIZE - 48, 1, 3),
    "started three days ago": np.where(HOURS < SIZE - 72, 0.0, wave()),
    "stopped four days ago": np.where(HOURS < SIZE - 100, wave(), 0.0),
    "a random walk": np.exp(np.cumsum(random(lambda rng: rng.normal(0, 0.1, SIZE)))),
    "heavy tails": random(lambda rng: np.exp(2 * rng.standard_normal(SIZE))),
    "no mean": random(lambda rng: np.abs(rng.standard_cauchy(SIZE))),
}

#: Whose growth or decline carries the median beyond what was seen.
MOVING = {"doubling every 35 hours", "doubling every six days", "vanishing"}

#: Grids: interval, intervals of history, intervals ahead. From two days to ten years, from one step to four quarters.
GRIDS = [
    ("5min", 2 * 288, 1),
    ("5min", 2 * 288, 288),
    ("5min", 14 * 288, 7 * 288),
    ("30min", 10 * 48, 14 * 48),
    ("1h", 48, 1),
    ("1h", 48, 24 * 91),
    ("1h", 28 * 24, 24 * 364),
    ("1D", 14, 91),
    ("1D", 90, 364),
    ("1D", 730, 364),
    ("1D", 3650, 1),
    ("7D", 10, 13),
    ("7D", 520, 52),
]


def quantiles(result: Forecast) -> np.ndarray:
    """(levels, H) in double precision, from the table that users read."""
    return result.frame[["p1", "p5", "p50", "p95", "p99"]].to_numpy(dtype=float).T


def series(values: np.ndarray, freq: str = "1h") -> pd.Series:
    times = pd.date_range("2024-01-01", periods=len(values), freq=freq, tz="UTC")
    return pd.Series(values, index=times, name="svc")


def assert_fan(result: Forecast, values: np.ndarray) -> np.ndarray:
    """What every answer keeps: finite, not negative, ordered, not empty, not absurdly wide."""
    fan = quantiles(result)
    largest = np.max(values, initial=0.0, where=np.isfinite(values))
    assert np.isfinite(result.paths).all()
    assert (result.paths >= 0).all()
    assert (np.diff(fan, axis=0) >= 0).all()
    assert fan[-1].max() <= 10 * largest
    assert largest == 0 or (fan[3] > fan[1]).any()
    return fan


@pytest.mark.parametrize("name", PATHOLOGIES)
def test_a_pathological_service_gets_a_sensible_fan_or_a_clear_refusal(name: str) -> None:
    values = PATHOLOGIES[name]
    try:
        result = forecast(series(values), 72, levels=LEVELS, paths=60)
    except CapacityError as refusal:
        assert (values < 0).any()  # nothing else of these is refused
        assert "negative" in str(refusal)
        return
    fan = assert_fan(result, values)
    seen = values[np.isfinite(values)].clip(0)
    assert name in MOVING or fan[2].max() <= 1.001 * seen.max()
    assert name in MOVING or fan[2].min() >= 0.8 * seen.min()


@pytest.mark.parametrize(
    ("name", "model"),
    [
        *itertools.product(
            ["constant", "all zero", "a gap at the end", "huge", "sparse counts", "a spike"],
            ["profile", "harmonic", "last-year", "seasonal-naive", "ets"],
        ),
        ("constant", "boosting"),  # trees take a second each
        ("a gap at the end", "boosting"),
    ],
)
def test_so_does_it_by_any_model_by_name(name: str, model: str) -> None:
    values = PATHOLOGIES[name][-14 * 24 :]
    try:
        result = forecast(series(values), 12, levels=LEVELS, paths=40, model=model)
    except CapacityError as refusal:
        assert "svc" in str(refusal)
        return
    fan = quantiles(result)
    assert np.isfinite(result.paths).all()
    assert (result.paths >= 0).all()
    assert fan[-1].max() <= 10 * np.nanmax(values)


def test_a_constant_stays_what_it_is_with_a_little_doubt_and_zero_stays_zero() -> None:
    fan = quantiles(forecast(series(PATHOLOGIES["constant"]), 168, levels=LEVELS))
    assert np.allclose(fan[2], 7, rtol=0.01)
    assert (fan[-1] > fan[0]).all()
    assert fan[-1].max() < 7 * 1.25
    assert forecast(series(np.zeros(200)), 24).paths.max() == 0


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 15, 30])
@pytest.mark.parametrize("freq", ["5min", "1h", "1D", "7D"])
def test_a_handful_of_values_is_enough_from_four_on_and_refused_below(count: int, freq: str) -> None:
    values = 100 + np.random.default_rng(count).standard_normal(count)
    if count < 4:
        with pytest.raises(HistoryTooShort, match=r"needed"):
            forecast(series(values, freq), 6)
        return
    fan = assert_fan(forecast(series(values, freq), 6, levels=LEVELS, paths=100), values)
    assert np.abs(fan[2] / 100 - 1).max() < 0.05
    assert fan[-1].max() < 200


@pytest.mark.parametrize(("freq", "count", "steps"), GRIDS)
def test_every_grid_length_and_horizon_is_answered_and_the_long_end_widens_and_levels_off(
    freq: str, count: int, steps: int
) -> None:
    values = grown(freq, count)
    fan = assert_fan(forecast(series(values, freq), steps, levels=LEVELS, paths=60), values)
    assert fan[2].max() < 1.5 * values.max()
    assert fan[2].min() > 0.5 * values.min()
    if steps * pd.Timedelta(freq) >= pd.Timedelta("7D"):
        width = np.log(fan[3] / fan[1])
        first, middle, last = (part.mean() for part in np.array_split(width, 3))
        assert first * 0.9 < last < 3 * first
        assert last - middle < middle + 0.1  # by then it grows no faster than it did


def grown(freq: str, count: int) -> np.ndarray:
    """A service that grows a fifth a year, with its day and its week where the grid shows them."""
    days = np.arange(count) * (pd.Timedelta(freq) / pd.Timedelta("1D"))
    day = 1 + 0.5 * np.cos(2 * np.pi * (days - 0.6)) if pd.Timedelta(freq) < pd.Timedelta("1D") else 1.0
    week = np.where(days % 7 >= 5, 0.7, 1.0) if freq != "7D" else 1.0
    noise = np.exp(0.05 * np.random.default_rng(count).standard_normal(count))
    return np.asarray(100 * day * week * 1.2 ** (days / 365.25) * noise)


def test_twice_measured_and_unsorted_stamps_say_the_same_or_are_refused_in_words() -> None:
    ordered = series(wave()[: 24 * 14])
    shuffled = ordered.sample(frac=1, random_state=1)
    assert np.array_equal(forecast(shuffled, 24, paths=50).paths, forecast(ordered, 24, paths=50).paths)
    try:
        twice = forecast(pd.concat([ordered, ordered.iloc[50:60]]), 24, paths=50)
    except CapacityError as refusal:
        assert "twice" in str(refusal) or "duplicate" in str(refusal)
    else:
        assert np.allclose(twice.quantile(0.5), forecast(ordered, 24, paths=50).quantile(0.5))


parts = st.sampled_from(["gap", "zero", "spike", "infinite", "step", "dip", "tiny"])


@settings(deadline=None, max_examples=15)
@given(
    marks=st.lists(st.tuples(parts, st.integers(0, 335), st.integers(1, 60)), max_size=5),
    seed=st.integers(0, 1000),
    scale=st.sampled_from([1e-12, 1.0, 1e12]),
)
def test_any_mixture_of_mishaps_gets_the_same_finite_ordered_fan_twice(
    marks: list[tuple[str, int, int]], seed: int, scale: float
) -> None:
    values = wave(seed)[: 24 * 14].copy()
    for kind, start, length in marks:
        span = slice(start, start + length)
        if kind == "step":
            values[start:] *= 2
        else:
            factor = {"gap": np.nan, "zero": 0.0, "spike": 50.0, "infinite": np.inf, "dip": 0.6, "tiny": 1e-9}[kind]
            values[span] = values[span] * factor if kind != "infinite" else np.inf
    values *= scale
    try:
        result = forecast(series(values), 30, levels=LEVELS, paths=40, seed=seed)
    except CapacityError:
        assert np.isfinite(values).sum() < 4
        return
    assert_fan(result, values)
    assert np.array_equal(result.paths, forecast(series(values), 30, paths=40, seed=seed).paths)


def test_a_service_that_ended_before_any_test_keeps_a_fan_and_says_that_it_is_assumed() -> None:
    ended = changed(slice(SIZE // 2 - 10, None), np.nan)
    result = forecast(series(ended), 48, levels=LEVELS, paths=200)
    fan = assert_fan(result, ended)
    assert (fan[3] > 1.15 * fan[1]).all()
    assert [finding.status for finding in result.findings if finding.check == "untested"] == ["UNKNOWN"]
    lively = forecast(series(wave()), 48, paths=20)
    assert not [finding for finding in lively.findings if finding.check == "untested"]


def test_leads_that_fall_into_a_gap_are_not_surer_than_those_before() -> None:
    """Two weeks can test the seventh day once, and that day was not measured."""
    wandering = np.cumsum(np.random.default_rng(0).normal(0, 0.2, 14)).repeat(24)
    values = wave()[-14 * 24 :] * np.exp(wandering)
    values[-24:] = np.nan
    fan = assert_fan(forecast(series(values), 7 * 24, levels=LEVELS, paths=200), values)
    width = np.log(fan[3] / fan[1]).reshape(7, 24).mean(axis=1)
    assert width[6] > 0.9 * width[5]


def test_what_little_an_ended_service_has_is_not_cut_off_beside_a_longer_one() -> None:
    ended = changed(np.ones(SIZE, dtype=bool), np.nan)
    ended[20:40] = wave()[20:40]
    both = pd.DataFrame({"ended": ended, "lively": wave()}, index=TIMES)
    paths = forecast(both, 24, paths=40).of("ended").paths
    assert paths.min() >= 0
    assert np.nanmin(ended) < np.median(paths) < np.nanmax(ended)


@pytest.mark.parametrize("silent", [0, 30, 50])
def test_after_a_silence_errors_are_not_those_of_a_past_that_knew_its_future(silent: int) -> None:
    """A gap of weeks is not filled from what came after it. It was: of 90 % that were promised, 8 % came."""
    times, ahead, covered = hourly(97), 168, []
    for seed in range(3):
        noise = np.exp(0.15 * np.random.default_rng(seed).standard_normal(len(times)))
        whole = daily_wave(times) * noise
        known = whole[:-ahead].copy()
        known[-(8 + silent) * 24 : -8 * 24] = np.nan
        fan = quantiles(forecast(series(known), ahead, levels=LEVELS, paths=100))
        covered.append((whole[-ahead:] >= fan[1]) & (whole[-ahead:] <= fan[3]))
    assert np.mean(covered) > 0.6


def test_a_block_that_was_seen_once_in_a_thousand_stands_for_all_the_others() -> None:
    pool = np.full((1, 1000, 2), np.nan)
    pool[0, 3] = 0.4, 0.5
    assert np.array_equal(_without_gaps(pool), np.broadcast_to([0.4, 0.5], pool.shape))
