"""The busiest minute inside an hour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capacity.forecasting import burst_known, forecast, within_interval_peaks
from tests.makers import daily_wave, hourly, make_demand, make_forecast


def test_a_known_ratio_is_put_on_every_path_and_never_below_it() -> None:
    times = hourly(28)
    ahead = make_forecast(make_demand({("web", "requests"): daily_wave(times)}, times, burst=1.5), steps=48, paths=30)
    peaks = within_interval_peaks(ahead)
    assert peaks.shape == ahead.paths.shape
    assert (peaks >= ahead.paths).all()
    assert np.median(peaks / ahead.paths) == 1.5
    assert np.array_equal(peaks, within_interval_peaks(ahead))


def test_hours_keep_their_own_ratio() -> None:
    times = hourly(28)
    past = make_demand({("web", "requests"): np.full(len(times), 100.0)}, times)
    ratio = np.where(times.hour == 9, 3.0, 1.2)
    past = replace(past, peaks=past.values * ratio)
    ahead = make_forecast(past, steps=48, paths=30, spread=0.0)
    drawn = within_interval_peaks(ahead)[0] / ahead.paths[0]
    assert np.allclose(drawn[:, ahead.times.hour == 9], 3.0)
    assert np.allclose(drawn[:, ahead.times.hour != 9], 1.2)


def test_bursts_shrink_as_load_grows() -> None:
    times = hourly(28)
    load = daily_wave(times, 100, 0.8)
    past = make_demand({("web", "requests"): load}, times)
    past = replace(past, peaks=(load * (1 + 5 / np.sqrt(load)))[None])
    ahead = make_forecast(past, steps=24, paths=20)
    busier = replace(ahead, paths=np.array(ahead.paths) * 9)
    burst, busier_burst = (within_interval_peaks(f) / f.paths - 1 for f in (ahead, busier))
    assert busier_burst.mean() < 0.5 * burst.mean()


def test_an_unknown_burst_is_said_and_not_invented() -> None:
    times = hourly(28)
    past = make_demand({("web", "requests"): daily_wave(times)}, times)
    ahead = forecast(past, "1d")
    assert not burst_known(past).any()
    assert np.array_equal(within_interval_peaks(ahead), ahead.paths)
    assert ("burst", "UNKNOWN") in {(f.check, f.status) for f in ahead.findings}


def test_an_hour_that_holds_a_burst_keeps_its_own_busiest_minute() -> None:
    """Rare bursts lift the mean of their hour by 60 % and its busiest minute five-fold: the two belong together."""
    times = hourly(28)
    burst = np.random.default_rng(3).random(len(times)) < 0.2
    load = np.where(burst, 160.0, 100.0)
    past = make_demand({("web", "requests"): load}, times)
    past = replace(past, peaks=(load * np.where(burst, 3.0, 1.1))[None])
    ahead = make_forecast(past, steps=24 * 14, paths=40, spread=0.0)
    again = np.random.default_rng(4).random(ahead.paths.shape) < 0.2
    ahead = replace(ahead, paths=np.where(again, 160.0, 100.0))
    peaks = within_interval_peaks(ahead)
    assert (peaks[again] > 400).mean() > 0.8  # 480, not 176
    assert (peaks[~again] < 200).mean() > 0.9  # 110, not 300
    true = np.where(again, 480.0, 110.0)
    assert np.quantile(peaks, 0.9) == np.quantile(true, 0.9)
