"""Load that is known exactly, for tests of what people know."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capacity.forecasting import Forecast, SeasonalNaive

#: Quick, and exact on load that repeats itself.
NAIVE = SeasonalNaive()


def office(times: pd.DatetimeIndex, zone: str = "UTC") -> np.ndarray:
    """Noiseless: a day's wave on that clock, weekends at 60 %."""
    local = times.tz_convert(zone)
    hour = local.hour.to_numpy() + local.minute.to_numpy() / 60
    return 100 * (1 + 0.5 * np.cos(2 * np.pi * (hour - 14) / 24)) * np.where(local.day_of_week >= 5, 0.6, 1.0)


def load(start: str = "2026-01-05", days: float = 84, freq: str = "h", zone: str = "UTC") -> pd.Series:
    times = pd.date_range(
        start, periods=round(days * (pd.Timedelta("1D") / pd.Timedelta(1, freq[-1]))), freq=freq, tz="UTC"
    )
    return pd.Series(office(times, zone), index=times, name="web")


def lifted(series: pd.Series, factor: float, *spans: tuple[str, str], zone: str = "UTC") -> pd.Series:
    """The load with a factor on spans of that clock, end exclusive."""
    changed, wall = series.copy(), pd.DatetimeIndex(series.index).tz_convert(zone).tz_localize(None)
    for start, end in spans:
        changed[(wall >= start) & (wall < end)] *= factor
    return changed


def ratio(found: Forecast, zone: str = "UTC") -> pd.Series:
    """Median over what would be without anything special."""
    middle = found.quantile(0.5)
    assert isinstance(middle, pd.Series)
    return middle / office(pd.DatetimeIndex(middle.index), zone)


def told(found: Forecast) -> dict[str, str]:
    """Status -> message of what is told of events, drivers and overrides."""
    return {one.status: str(one) for one in found.findings if one.check in ("event", "driver", "override")}


def orders(end: str, noise: float = 0.03, seed: int = 0) -> pd.DataFrame:
    days = pd.date_range("2026-01-05", end, freq="D")
    wander = np.cumsum(noise * np.random.default_rng(seed).standard_normal(len(days)))
    return pd.DataFrame({"orders": 1000 * np.exp(wander)}, index=days)
