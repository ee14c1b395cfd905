"""Seasonal naive as libraries offer it: what every loss is divided by, so that it needs no peer installed."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from benchmarks.forecast.tasks import LEVELS, Answer, Window


def seasonal_naive(past: np.ndarray, season: int, horizon: int, levels: tuple[float, ...]) -> np.ndarray:
    """(levels, horizon) the last season again and again; normal errors that grow with the root of the seasons ahead.

    past  (n,) without gaps, longer than a season

    Source: statsforecast 2.1 `SeasonalNaive`; Hyndman & Athanasopoulos, Forecasting 3rd ed., section 5.5. The peers'
    own is asked as well, so that the tables show whether the two are one. By hand: all errors are 2, and P84.13 lies
    one deviation above.

    >>> seasonal_naive(np.array([1.0, 3.0, 5.0]), 1, 4, (0.5, 0.8413447)).round(3).tolist()
    [[5.0, 5.0, 5.0, 5.0], [7.0, 7.828, 8.464, 9.0]]
    """
    repeated = past[-season:][np.arange(horizon) % season]
    deviation = np.sqrt(np.mean((past[season:] - past[:-season]) ** 2))
    ahead = np.sqrt(1 + np.arange(horizon) // season)
    return np.asarray(repeated + norm.ppf(levels)[:, None] * deviation * ahead)


def answer(window: Window) -> Answer:
    """Seasonal naive's answer; it has no paths, and takes no time worth counting."""
    task = window.task
    return Answer(seasonal_naive(window.filled, task.season, task.horizon, LEVELS), float("nan"), 0.0)
