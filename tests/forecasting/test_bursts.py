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
