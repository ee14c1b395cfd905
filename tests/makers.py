"""Small, honest inputs for tests: built by hand, no project code beyond the nouns themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capacity.demand.demand import Demand, Key
from capacity.forecasting.forecasts import Forecast


def hourly(days: float, start: str = "2026-08-03") -> pd.DatetimeIndex:
    """Hourly UTC stamps; the default start is a Monday."""
    return pd.date_range(start, periods=round(days * 24), freq="h", tz="UTC", unit="us")


def daily_wave(times: pd.DatetimeIndex, mean: float = 100.0, swing: float = 0.5) -> np.ndarray:
    """A sine with its top at 14:00 UTC."""
    hour = (times - times.normalize()) / pd.Timedelta(hours=1)
    return np.asarray(mean * (1 + swing * np.cos(2 * np.pi * (hour - 14) / 24)))


def make_demand(
    series: dict[tuple[str, str], np.ndarray], times: pd.DatetimeIndex, burst: float | None = None
) -> Demand:
    """Demand from arrays; `burst` sets every peak to that multiple of the mean."""
    values = np.array(list(series.values()), dtype=float)
    return Demand(
        keys=tuple(Key(*key) for key in series),
        times=times,
        interval=times[1] - times[0],
        values=values,
        peaks=values * burst if burst is not None else np.full_like(values, np.nan),
        censored=np.zeros(values.shape, dtype=bool),
        derived=("measured",) * len(series),
    )


def make_forecast(
    demand: Demand, steps: int = 24 * 14, paths: int = 100, spread: float = 0.1, growth: float = 0.0, seed: int = 0
) -> Forecast:
    """Paths that repeat the last week, times lognormal noise shared by all series, growing by `growth` in all."""
    rng = np.random.default_rng(seed)
    season = round(pd.Timedelta(days=7) / demand.interval)
    last = demand.values[:, -min(season, demand.values.shape[1]) :]
    base = (
        np.resize(last.T, (steps, last.shape[0])).T
        if last.shape[1] == steps
        else np.take(last, np.arange(steps) % last.shape[1], axis=1)
    )
    trend = 1 + growth * np.arange(1, steps + 1) / steps
    noise = np.exp(spread * rng.standard_normal((paths, 1)) + 0.3 * spread * rng.standard_normal((paths, steps)))
    times = pd.date_range(demand.end, periods=steps, freq=demand.interval, unit="us")
    return Forecast(
        past=demand,
        times=times,
        paths=base[:, None, :] * trend * noise[None],
        models=("hand-made",) * len(demand.keys),
        seed=seed,
    )
