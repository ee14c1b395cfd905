"""Series with known truth: healthy ones, and one fault planted at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from capacity.history import History, read
from tests.makers import daily_wave, hourly

#: Metric -> its size in a healthy service that serves 100 requests/s.
SIZES = {
    "requests": 100.0,
    "cpu": 4.0,
    "memory": 6.0,
    "cpu_utilization": 50.0,
    "memory_utilization": 40.0,
    "running_tasks": 8.0,
    "cpu_reserved": 8.0,
    "latency": 0.2,
}


def healthy(
    times: pd.DatetimeIndex, seed: int = 0, growth: float = 0.4, noise: float = 0.05, weekend: float = 0.7
) -> np.ndarray:
    """Daily wave, quiet weekends, steady growth a year, lognormal noise; mean about 100."""
    rng = np.random.default_rng(seed)
    days = np.asarray((times - times[0]) / pd.Timedelta(days=1))
    quiet = np.where(times.day_of_week >= 5, weekend, 1.0)
    level = np.exp(np.log1p(growth) * days / 365)
    return np.asarray(daily_wave(times) * quiet * level * np.exp(noise * rng.standard_normal(len(times))))


def year(days: float = 365.0, start: str = "2025-08-04") -> pd.DatetimeIndex:
    return hourly(days, start)


def history(
    values: np.ndarray, times: pd.DatetimeIndex, metric: str = "requests", service: str = "web", **more: Any
) -> History:
    """One service; NaN becomes a gap. `more` are further metrics of it on the same hours."""
    metrics: Mapping[str, np.ndarray] = {metric: values, **more}
    parts = [
        pd.DataFrame({"service": service, "metric": name, "timestamp": times, "value": column})
        for name, column in metrics.items()
    ]
    return read(pd.concat(parts, ignore_index=True), interval_seconds=int((times[1] - times[0]).total_seconds()))


def joined(*histories: History) -> History:
    """Several services as one fleet."""
    return read(pd.concat([one.to_frame() for one in histories], ignore_index=True))
