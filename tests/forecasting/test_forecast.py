"""What a user of `forecast` may rely on, whatever the service."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import ForecastError, HistoryTooShort, InputError
from capacity.forecasting import Harmonic, Profile, SeasonalNaive, backtest, forecast
from capacity.forecasting.auto import CANDIDATES
from capacity.forecasting.evidence import compare
from capacity.forecasting.prepare import prepare
from capacity.forecasting.windows import windows
from capacity.schema import FORECAST, SCORES
from tests.makers import daily_wave, hourly, make_demand

REAL = Path(os.environ.get("CAPACITY_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def load(days: float = 28, seed: int = 0, noise: float = 0.1) -> pd.Series:
    times = hourly(days)
    values = daily_wave(times) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(times)))
    return pd.Series(values, index=times, name="checkout")


#: One service of any kind: scale, noise, growth a day, share of gaps, sparse counts or not, intervals.
services = st.fixed_dictionaries(
    {
        "scale": st.sampled_from([1e-12, 1e-3, 1.0, 1e6, 1e12]),
        "noise": st.floats(0, 1.5),
        "growth": st.floats(-0.1, 0.1),
        "gaps": st.floats(0, 0.6),
        "sparse": st.booleans(),
        "length": st.integers(48, 900),
        "interval": st.sampled_from(["5min", "30min", "1h", "1D", "7D"]),
        "seed": st.integers(0, 10_000),
    }
)


def any_service(kind: dict[str, object]) -> pd.Series:
    rng = np.random.default_rng(int(str(kind["seed"])))
    length = int(str(kind["length"]))
    times = pd.date_range("2025-03-03", periods=length, freq=str(kind["interval"]), tz="UTC")
    days = np.arange(length) * (times[1] - times[0]) / pd.Timedelta(days=1)
    days = np.minimum(days, 60)
    wave = (1 + 0.5 * np.sin(2 * np.pi * days)) * np.exp(float(str(kind["growth"])) * days)
    values = wave * np.exp(float(str(kind["noise"])) * rng.standard_normal(length))
    values = rng.poisson(0.2, length).astype(float) if kind["sparse"] else values
    values[rng.random(length) < float(str(kind["gaps"]))] = np.nan
    values[:5] = np.nan_to_num(values[:5], nan=1.0)
    return pd.Series(values * float(str(kind["scale"])), index=times, name="svc")


@settings(deadline=None, max_examples=40)
@given(kind=services, steps=st.integers(1, 60))
def test_any_service_gets_finite_ordered_quantiles_that_do_not_explode(kind: dict[str, object], steps: int) -> None:
    series = any_service(kind)
    levels = (0.001, 0.05, 0.5, 0.95, 0.99, 0.999)
    result = forecast(series, steps, levels=levels, paths=60)
    table = result.frame[["p0.1", "p5", "p50", "p95", "p99", "p99.9"]].to_numpy()
    assert table.shape == (steps, 6)
    assert np.isfinite(table).all()
    assert (table >= 0).all()
    assert (np.diff(table, axis=1) >= 0).all()
    assert table[:, 4].max() <= 10 * max(series.max(), result.quantile(0.5).max())


@settings(deadline=None, max_examples=15)
@given(kind=services, factor=st.sampled_from([1e-3, 60.0, 1000.0]))
def test_rescaling_the_load_rescales_the_forecast(kind: dict[str, object], factor: float) -> None:
    series = any_service(kind)
    ours, scaled = (forecast(data, 20, paths=30).paths for data in (series, series * factor))
    close = 1e-5  # paths are in single precision
    assert np.allclose(scaled, factor * ours, rtol=close, atol=close * factor * float(series.max()))


def test_the_same_question_has_the_same_answer_and_quantiles_are_those_of_the_paths() -> None:
    first, again = (forecast(load(), "2d", seed=7) for _ in range(2))
    assert np.array_equal(first.paths, again.paths)
    assert np.allclose(first.quantile(0.9), np.quantile(first.paths[0], 0.9, axis=0))
    assert first.frame.columns[:4].tolist() == [*FORECAST.names[:3], "mean"]
    assert first.times[0] == load().index[-1] + pd.Timedelta(hours=1)


def test_the_choice_of_auto_is_said_and_its_evidence_kept() -> None:
    result = forecast(load(), "7d")
    assert result.models[0].startswith("auto(")
    assert result.scores is not None
    assert result.scores.columns.tolist() == SCORES.names
    assert result.scores["model"].nunique() == len(CANDIDATES)
    assert (result.scores["cutoff"] < result.cutoff).all()


def test_a_second_service_does_not_change_the_forecast_of_the_first() -> None:
    alone, other = load(), load(seed=9).rename("search")
    both = forecast(pd.DataFrame({"checkout": alone, "search": other}), "3d")
    assert np.allclose(both.of("checkout").paths, forecast(alone, "3d").paths, rtol=1e-5)


def test_services_that_miss_together_have_paths_that_move_together() -> None:
    times = hourly(70)
    rng = np.random.default_rng(3)
    shared = np.repeat(0.25 * rng.standard_normal(70), 24)  # good and bad days of the whole shop
    own = [np.repeat(0.25 * rng.standard_normal(70), 24) for _ in range(2)]
    keys = [("web", "requests"), ("api", "requests"), ("batch", "requests")]
    parts = (shared + 0.02 * own[0], shared + 0.02 * own[1], own[0])
    past = make_demand({key: daily_wave(times) * np.exp(part) for key, part in zip(keys, parts, strict=True)}, times)
    ahead = forecast(past, "7d").paths[:, :, 24:].reshape(3, 400, 6, 24).mean(axis=3)  # (S, P, days)
    moves = np.corrcoef(ahead[:, :, 3] / ahead[:, :, 3].mean(axis=1, keepdims=True))
    assert moves[0, 1] > 0.8
    assert abs(moves[0, 2]) < 0.5


def test_uncertainty_grows_with_lead_when_the_level_wanders() -> None:
    times = hourly(120)
    walk = np.cumsum(0.02 * np.random.default_rng(1).standard_normal(len(times)))
    result = forecast(pd.Series(daily_wave(times) * np.exp(walk), index=times, name="w"), "28d")
    width = np.log(result.quantile(0.95) / result.quantile(0.05)).to_numpy()
    assert width[-72:].mean() > 1.5 * width[24:72].mean()


def test_the_ninety_percent_interval_covers_ninety_percent_of_a_known_process() -> None:
    series, times, cut = 80, hourly(70), 63 * 24
    rng = np.random.default_rng(0)
    level, levels = np.zeros(series), np.empty((series, len(times)))
    for t in range(len(times)):  # a level that wanders and reverts within days, different for each service
        level = 0.99 * level + 0.02 * rng.standard_normal(series)
        levels[:, t] = level
    values = daily_wave(times) * np.exp(levels + 0.1 * rng.standard_normal(levels.shape))
    keys = [(f"service {n}", "requests") for n in range(series)]
    past = make_demand({key: row[:cut] for key, row in zip(keys, values, strict=True)}, times[:cut])
    result = forecast(past, "7d", paths=200)
    low, high = (np.asarray(result.quantile(level)).T for level in (0.05, 0.95))
    truth = values[:, cut:]
    assert 0.86 < ((truth >= low) & (truth <= high)).mean() < 0.95
    assert 0.025 < (truth > high).mean() < 0.08
    assert 0.01 < (truth.max(axis=1) > np.asarray(result.peak(0.95))).mean() < 0.12


@pytest.mark.parametrize("factor", [0.5, 1.3, 2.0])
def test_a_lasting_shift_of_level_is_followed_within_days(factor: float) -> None:
    series = load(70, noise=0.05)
    series.iloc[-3 * 24 :] *= factor
    ahead = pd.date_range(series.index[-1] + pd.Timedelta(hours=1), periods=72, freq="h")
    middle = np.asarray(forecast(series, 72).quantile(0.5))
    assert np.abs(middle / (factor * daily_wave(pd.DatetimeIndex(ahead))) - 1).mean() < 0.20


@pytest.mark.parametrize("where", [slice(-100, -76), slice(-20, None)])
def test_an_outage_neither_drags_the_level_nor_passes_unsaid(where: slice) -> None:
    series, whole = load(42, noise=0.05), load(42, noise=0.05)
    series.iloc[where] = 0.0
    after, without = forecast(series, "3d"), forecast(whole, "3d")
    assert np.abs(np.asarray(after.quantile(0.5)) / np.asarray(without.quantile(0.5)) - 1).max() < 0.15
    assert "outage" in {finding.check for finding in after.findings}


def test_a_gap_is_not_a_quiet_hour() -> None:
    series, whole = load(42, noise=0.05), load(42, noise=0.05)
    series.iloc[300:420] = np.nan
    series.iloc[-30:] = np.nan
    after = forecast(series, "3d")
    assert np.abs(np.asarray(after.quantile(0.5)) / np.asarray(forecast(whole, "3d").quantile(0.5)) - 1).max() < 0.15
    assert after.times[0] == series.index[-30] or after.times[0] == series.index[-1] + pd.Timedelta(hours=1)


def test_saturated_hours_are_read_as_at_least_what_was_served() -> None:
    times = hourly(56)
    need = daily_wave(times) * np.exp(0.05 * np.random.default_rng(0).standard_normal(len(times)))
    served, late = need.copy(), np.arange(len(times)) >= 49 * 24
    pinned = late & (need > 80)
    served[pinned] = 80.0
    past = make_demand({("web", "requests"): served}, times)
    censored = past.censored.copy()
    censored[0] = pinned
    knowing, naive = forecast(replace(past, censored=censored), "2d"), forecast(past, "2d")
    top_knowing, top_naive = (float(np.asarray(result.quantile(0.5)).max()) for result in (knowing, naive))
    assert top_naive < 115 < 130 < top_knowing


def test_models_are_not_compared_by_hours_in_which_the_service_was_full() -> None:
    times = hourly(28)
    past = make_demand({("web", "requests"): daily_wave(times)}, times)
    full = np.arange(len(times))[None] % 24 == 14
    prepared = prepare(replace(past, censored=full))
    evidence = compare(windows(prepared, 48), [Profile(), Harmonic()], 48)
    lower = replace(evidence, truth=np.where(evidence.saturated, evidence.truth - 1, evidence.truth))
    assert evidence.saturated.any()
    assert np.array_equal(lower.losses(), evidence.losses())
    pd.testing.assert_frame_equal(lower.scores(past, past.keys), evidence.scores(past, past.keys))


def test_a_year_of_seasons_is_learnt_from_two_years_of_days() -> None:
    times = pd.date_range("2024-01-01", periods=730, freq="D", tz="UTC")
    year = 100 * (1 + 0.5 * np.sin(2 * np.pi * np.arange(730 + 91) / 365.25))
    noise = np.exp(0.03 * np.random.default_rng(0).standard_normal(730))
    middle = np.asarray(forecast(pd.Series(year[:730] * noise, index=times, name="y"), "91d").quantile(0.5))
    naive = np.abs(year[730:] / year[729] - 1).mean()
    assert np.abs(middle / year[730:] - 1).mean() < 0.5 * naive


def test_growth_is_carried_on_and_damped() -> None:
    times = pd.date_range("2026-01-05", periods=180, freq="D", tz="UTC")
    values = 100 * np.exp(0.005 * np.arange(180)) * np.exp(0.02 * np.random.default_rng(0).standard_normal(180))
    middle = np.asarray(forecast(pd.Series(values, index=times, name="g"), "28d").quantile(0.5))
    assert values[-1] * 1.02 < middle[-7:].mean() < values[-1] * np.exp(0.005 * 28) * 1.1


def test_limits_are_passed_with_a_probability_that_never_falls() -> None:
    result = forecast(load(), "7d")
    chance = result.exceedance(float(result.quantile(0.9).max()))
    assert (np.diff(chance) >= 0).all()
    assert chance.iloc[-1] == pytest.approx((result.paths[0].max(axis=1) > result.quantile(0.9).max()).mean())
    assert result.exceedance(0.0).iloc[0] == 1.0
    with pytest.raises(InputError, match="NaN"):
        result.exceedance(float("nan"))


def test_questions_that_make_no_sense_are_refused_in_words() -> None:
    series = load(10)
    with pytest.raises(InputError, match="no model 'oracle'"):
        forecast(series, "1d", model="oracle")
    with pytest.raises(InputError, match="not a probability"):
        forecast(series, "1d", levels=(0.5, 95))
    with pytest.raises(InputError, match="levels is empty"):
        forecast(series, "1d", levels=())
    with pytest.raises(InputError, match="paths=0"):
        forecast(series, "1d", paths=0)
    with pytest.raises(InputError, match="shorter than one interval"):
        forecast(series, 0)
    with pytest.raises(HistoryTooShort):
        forecast(series.iloc[:3], "1d")
    with pytest.raises(InputError, match="half-lives"):
        Profile(half_life=0)
    with pytest.raises(InputError, match="not a model"):
        forecast(series, "1d", model=SeasonalNaive)  # type: ignore[arg-type]


def test_levels_come_in_any_order_and_go_out_ascending() -> None:
    assert forecast(load(10), 5, levels=[0.95, 0.5, 0.95]).levels == (0.5, 0.95)


def test_a_young_service_is_left_out_with_a_finding_and_the_rest_is_forecast() -> None:
    frame = pd.DataFrame({"old": load(20), "new": load(20)})
    frame.iloc[:-2, 1] = np.nan
    result = forecast(frame, "1d")
    assert [key.service for key in result.keys] == ["old"]
    assert ("new", "short", "FAIL") in {(f.service, f.check, f.status) for f in result.findings}


def test_a_model_that_breaks_the_contract_is_told_so() -> None:
    class Wrong:
        name = "wrong"

        def paths(self, past: object, horizon: int, count: int, rng: object) -> np.ndarray:
            return np.full((1, count, horizon), -1.0)

    with pytest.raises(ForecastError, match="negative or not finite for checkout requests"):
        forecast(load(10), 5, model=Wrong())


@pytest.mark.skipif(not REAL.is_dir(), reason="no real data: set CAPACITY_REAL_DATA")
def test_real_bike_rentals_are_forecast_better_than_by_repeating_the_last_week() -> None:
    frame = pd.read_csv(REAL / "bike_hourly" / "data.csv.gz", parse_dates=["timestamp"])
    series = frame.set_index("timestamp")["value"].iloc[: round(0.7 * len(frame))].rename("bike")  # the tuning part
    summary = backtest(series, ["auto"], "7d", windows=4).summary.set_index("model")
    assert summary.loc["auto", "relative_wql"] < 0.95
    assert 0.80 < summary.loc["auto", "coverage"] <= 1.0
