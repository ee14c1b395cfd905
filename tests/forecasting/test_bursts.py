"""The busiest minute inside an hour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capacity.forecasting import Forecast, burst_known, forecast, within_interval_peaks
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


def slow_draw(ahead: Forecast, row: int) -> np.ndarray:
    """A second opinion: every interval of every path by itself, with sorted lists and counting."""
    past, times = ahead.past, ahead.times
    ratios = np.maximum(past.peaks[row] / past.values[row], 1)
    loads, day = past.values[row], 24
    known = [n for n in range(len(loads)) if np.isfinite(ratios[n])][-28 * 24 :]

    def standing(values: np.ndarray, at: int) -> float:
        around = values[max(at - day // 2, 0) : at + day // 2 + 1]
        return round(float(values[at]) / (float(np.sum(around, dtype=float)) / len(around)), 9)

    def neighbour(places: list[int], by: dict[int, float], value: float, near: int, lot: float) -> int:
        ordered = sorted(places, key=lambda place: by[place])
        first = max(sum(by[place] < value for place in ordered) - near, 0)
        last = min(sum(by[place] <= value for place in ordered) + near, len(ordered))
        return ordered[first + int(lot * (last - first))]

    stood = {place: standing(loads, place) for place in known}
    load = {place: float(loads[place]) for place in known}
    lots = np.random.default_rng([ahead.seed, 1]).random((ahead.paths.shape[1], -(-len(times) // day)))
    found = np.empty(ahead.paths.shape[1:])
    for path, values in enumerate(ahead.paths[row].astype(float)):
        for at, value in enumerate(values):
            lot = lots[path, at // day]
            alike = [place for place in known if past.times[place].hour == times[at].hour]
            near = neighbour(alike, stood, standing(values, at), max(2, round(0.1 * len(alike))), lot)
            if not (load[near] <= 2 * value and value <= 2 * load[near]):
                near = neighbour(known, load, value, max(5, round(0.05 * len(known))), lot)
            found[path, at] = ratios[near]
    return found


def test_each_interval_draws_from_the_past_ones_that_were_alike() -> None:
    rng = np.random.default_rng(11)
    times = hourly(15)
    load = daily_wave(times, 100, 0.6) * np.exp(rng.normal(0, 0.2, len(times)))
    past = make_demand({("web", "requests"): load}, times)
    ratios = np.where(np.arange(len(times)) % 3 == 0, 1 + rng.uniform(0.2, 0.4, len(times)) * (load / 100) ** 0.2, 1.0)
    past = replace(past, peaks=(load * ratios)[None])  # larger where load is: they do not shrink, and are seen as drawn
    ahead = make_forecast(past, steps=26, paths=2, spread=0.5)
    drawn = within_interval_peaks(ahead)[0] / ahead.paths[0]
    assert np.allclose(drawn, slow_draw(ahead, 0), rtol=1e-6)
    assert len(np.unique(drawn.round(6))) > 5
