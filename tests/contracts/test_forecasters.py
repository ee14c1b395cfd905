"""What every forecaster promises, ours and those of other packages."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from capacity import forecasting
from capacity.demand.demand import Demand
from capacity.errors import CapacityError, HistoryTooShort
from capacity.forecasting import (
    Forecaster,
    forecast,
    model_named,
    model_names,
)
from tests.makers import daily_wave, hourly, make_demand

MODELS = model_names()
HORIZON, COUNT = 30, 40

pytestmark = pytest.mark.xdist_group("forecasters")  # `usual` is drawn once for all of them

#: Prophet's optimiser starts from its own scaling of the values, which rounds differently.
EXACT_UNDER_SCALING = [name for name in MODELS if name != "prophet"]


def fleet(days: float = 21, times: pd.DatetimeIndex | None = None) -> Demand:
    """Two services, one with a gap, with noise."""
    times = hourly(days) if times is None else times
    noise = np.exp(0.1 * np.random.default_rng(5).standard_normal((2, len(times))))
    values = {("web", "requests"): daily_wave(times) * noise[0], ("web", "cpu"): daily_wave(times, 4, 0.2) * noise[1]}
    values[("web", "cpu")][len(times) // 2 : len(times) // 2 + 5] = np.nan
    return make_demand(values, times)


def drawn(name: str, past: Demand, horizon: int = HORIZON, count: int = COUNT, seed: int = 3) -> np.ndarray:
    return model_named(name).paths(past, horizon, count, np.random.default_rng(seed))


@cache
def usual(name: str) -> np.ndarray:
    """Paths of the fleet as it is, for promises about what a forecast is; those about how it is made draw anew."""
    paths = drawn(name, fleet())
    paths.flags.writeable = False
    return paths


@pytest.mark.parametrize("name", MODELS)
def test_paths_are_one_value_a_series_path_and_interval_finite_and_not_negative(name: str) -> None:
    paths = usual(name)
    assert paths.shape == (2, COUNT, HORIZON)
    assert np.isfinite(paths).all()
    assert (paths >= 0).all()


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_paths_and_another_seed_gives_others(name: str) -> None:
    assert np.array_equal(usual(name), drawn(name, fleet()))
    assert not np.array_equal(usual(name), drawn(name, fleet(), seed=4))


@pytest.mark.parametrize("name", MODELS)
def test_settings_can_be_pasted_back(name: str) -> None:
    model = model_named(name)
    known = {name: kind for name, kind in vars(forecasting).items() if isinstance(kind, type)}
    assert eval(repr(model), known) == model
    assert model.name == name
    assert isinstance(model, Forecaster)


@pytest.mark.parametrize("name", MODELS)
def test_what_it_is_shown_stays_as_it_was(name: str) -> None:
    past = fleet()
    before = (past.values.copy(), past.times.copy(), past.censored.copy())
    state = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    drawn(name, past)
    assert np.array_equal(before[0], past.values, equal_nan=True)
    assert before[1].equals(past.times)
    assert np.array_equal(before[2], past.censored)
    assert np.array_equal(state, np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002


@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_logged_printed_or_warned(
    name: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        drawn(name, fleet())
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


@pytest.mark.parametrize("name", MODELS)
def test_the_middle_is_near_a_process_that_repeats(name: str) -> None:
    ahead = pd.date_range(fleet().end, periods=HORIZON, freq="h", unit="us")
    middle = np.median(usual(name)[0], axis=0)
    assert np.abs(middle - daily_wave(ahead)).mean() < 0.15 * daily_wave(ahead).mean()


@pytest.mark.parametrize("name", EXACT_UNDER_SCALING)
def test_a_thousand_times_the_load_is_a_thousand_times_the_forecast(name: str) -> None:
    past = fleet()
    more = make_demand({key: 1000 * row for key, row in zip(past.keys, past.values, strict=True)}, past.times)
    tolerance = 1e-6 if name not in ("ets", "sarimax", "boosting") else 1e-2  # optimisers and trees stop elsewhere
    assert np.allclose(drawn(name, more), 1000 * usual(name), rtol=tolerance)


@pytest.mark.parametrize("name", MODELS)
def test_too_little_history_is_refused_by_the_name_of_the_series(name: str) -> None:
    with pytest.raises(HistoryTooShort, match="web requests has 3 intervals"):
        drawn(name, fleet(times=hourly(1)).until(hourly(1)[3]))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", ["constant", "zero", "sparse", "few", "steps", "daily"])
def test_odd_series_get_a_sensible_fan_or_a_clear_refusal(name: str, kind: str) -> None:
    times = {"few": hourly(30 / 24), "daily": pd.date_range("2026-01-05", periods=60, freq="D", tz="UTC", unit="us")}
    stamps = times.get(kind, hourly(10))
    rng = np.random.default_rng(2)
    values = {
        "constant": np.full(len(stamps), 7.0),
        "zero": np.zeros(len(stamps)),
        "sparse": rng.poisson(0.1, len(stamps)).astype(float),
        "few": daily_wave(stamps),
        "steps": np.where(np.arange(len(stamps)) < len(stamps) // 2, 5.0, 50.0)
        * np.exp(0.05 * rng.standard_normal(len(stamps))),
        "daily": 100 + 20 * np.sin(2 * np.pi * np.arange(len(stamps)) / 7) + rng.normal(0, 3, len(stamps)),
    }[kind]
    past = make_demand({("svc", "requests"): values}, stamps)
    try:
        paths = drawn(name, past)
    except CapacityError as refusal:
        assert name in str(refusal) or "svc" in str(refusal)
        return
    assert np.isfinite(paths).all()
    assert (paths >= 0).all()
    assert np.quantile(paths, 0.99, axis=1).max() <= 10 * max(values.max(), 1e-12)
    if kind == "zero":
        assert (paths == 0).all()
    if kind == "constant":
        assert np.allclose(np.median(paths, axis=1), 7.0, rtol=0.05)


def pathological(kind: str, count: int) -> np.ndarray:
    """Series that a monitoring system can really hand over, at their worst."""
    rng = np.random.default_rng(1)
    step = np.arange(count)
    wave = 100 * (1 + 0.5 * np.sin(2 * np.pi * step / 24)) * np.exp(0.1 * rng.standard_normal(count))
    return {
        "one spike": np.where(step == count // 2, 1e4, 1.0),
        "one spike in silence": np.where(step == count // 2, 1e4, 0.0),
        "a spike at the end": np.where(step == count - 1, 1e4, 1.0),
        "blocks of gaps": np.where((step // max(1, count // 7)) % 2 == 1, np.nan, wave),
        "enormous": 1e12 * wave,
        "minute": 1e-12 * wave,
        "exponential": np.exp(np.linspace(0, 12, count)),
        "sparse counts": rng.poisson(0.05, count).astype(float),
        "down to zero": np.linspace(100, 0, count),
        "on and off": np.where(step % 2 == 0, 0.0, 100.0),
        "hardly measured": np.where(rng.random(count) < 0.05, wave, np.nan),
        "heavy tails": np.exp(3 * rng.standard_normal(count)),
        "dead at the end": np.where(step > 0.7 * count, 0.0, wave),
        "born late": np.where(step < 0.8 * count, 0.0, wave),
        "constant": np.full(count, 7.0),
        "zero": np.zeros(count),
    }[kind]


KINDS = [
    "one spike",
    "one spike in silence",
    "a spike at the end",
    "blocks of gaps",
    "enormous",
    "minute",
    "exponential",
    "sparse counts",
    "down to zero",
    "on and off",
    "hardly measured",
    "heavy tails",
    "dead at the end",
    "born late",
    "constant",
    "zero",
]
GRIDS = [("h", 1), ("h", 3), ("h", 4), ("h", 30), ("h", 48), ("h", 2000), ("D", 4), ("D", 30), ("D", 3650)]
GRIDS += [("5min", 576), ("W", 4), ("W", 104), ("15min", 192)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("grid", "count"), GRIDS)
def test_any_series_gets_finite_ordered_quantiles_or_a_clear_refusal(kind: str, grid: str, count: int) -> None:
    values = pathological(kind, count)
    series = pd.Series(values, index=pd.date_range("2016-01-04", periods=count, freq=grid, tz="UTC"), name="web")
    try:
        found = forecast(series, horizon=30, levels=[0.5, 0.9, 0.99], paths=100)
    except CapacityError as refusal:
        assert count < 5 or np.isfinite(values).sum() < 10, f"refused {count} values: {refusal}"
        assert "web" in str(refusal)
        return
    middle, high, highest = (found.quantile(level).to_numpy() for level in (0.5, 0.9, 0.99))
    top = np.nanmax(values)
    assert np.isfinite(highest).all()
    assert (middle >= 0).all()
    assert (middle <= high).all()
    assert (high <= highest).all()
    assert highest.max() <= 10 * top
    if kind == "constant":
        assert np.allclose(middle, 7.0, rtol=0.05)
    if kind == "zero":
        assert (highest == 0).all()
    if kind in ("enormous", "minute") and count >= 30:
        assert 0.5 * np.mean(values) < np.median(middle) < 2 * np.mean(values)
    if kind == "exponential" and count > 1000:
        assert highest.max() > 0.9 * top  # it goes on, and is not taken for an outlier
