"""The burst inside an interval: what the busiest minute of an hour was, over the hour's mean, put on the paths."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from capacity.demand.demand import Demand
from capacity.findings import Finding
from capacity.forecasting.forecasts import Forecast

#: The newest days from which ratios are drawn, if they hold enough; else the newest that do.
RECENT_DAYS: Final = 28

#: Ratios wanted for each hour of the day before older ones are left out.
ENOUGH: Final = 10

#: Independent arrivals even out with the square root of load (Poisson): bursts shrink no faster than that.
FASTEST_SHRINK: Final = 0.5


def within_interval_peaks(forecast: Forecast) -> np.ndarray:
    """(S, P, H) busiest minute inside each interval of each path, in the metric's unit; never below the path.

    Each path's day draws a past day, and takes that day's peak-to-mean ratios hour by hour; what is above 1 shrinks as
    load grows, as fast as it did in the past. Where no peak was ever measured the ratio is 1: see `burst_known`. The
    same forecast always gives the same peaks.
    """
    past = forecast.past
    peaks = np.array(forecast.paths)
    rng = np.random.default_rng([forecast.seed, 1])
    days = (forecast.times - forecast.times[0]) // pd.Timedelta(days=1)
    uniform = rng.random((forecast.paths.shape[1], int(days[-1]) + 1))  # (P, days), one for all series
    hours, future_hours = past.times.hour.to_numpy(), forecast.times.hour.to_numpy()
    if past.interval >= pd.Timedelta(days=1):
        hours, future_hours = np.zeros_like(hours), np.zeros_like(future_hours)
    for row in np.flatnonzero(burst_known(past)):
        ratios, loads = known_ratios(past, int(row))
        shrink = shrinking(ratios, loads)
        for hour in np.unique(future_hours):
            columns = np.flatnonzero(future_hours == hour)
            drawn_from = newest(ratios, hours == hour, past.interval)
            drawn = drawn_from[(uniform[:, days[columns]] * len(drawn_from)).astype(int)]  # (P, columns)
            path = peaks[row][:, columns]
            with np.errstate(divide="ignore"):
                evened = np.where(path > loads[drawn], (loads[drawn] / np.maximum(path, loads[drawn])) ** shrink, 1.0)
            peaks[row][:, columns] = path * (1 + (ratios[drawn] - 1) * evened)
    return peaks


def burst_known(past: Demand) -> np.ndarray:
    """(S,) True where at least one interval's busiest minute was measured, beside a mean above zero."""
    return np.asarray((np.isfinite(past.peaks) & (past.values > 0)).any(axis=1))


def burst_findings(past: Demand) -> list[Finding]:
    """For each series coarser than a minute without a measured peak: what is inside its intervals is not known."""
    if past.interval <= pd.Timedelta(minutes=1):
        return []
    return [
        Finding(
            *key,
            "burst",
            "UNKNOWN",
            f"no peak inside the {past.interval} intervals was measured: the busiest minute is taken for the mean.",
            "Fetch the Maximum statistic, or minutes, beside the mean.",
        )
        for key, known in zip(past.keys, burst_known(past), strict=True)
        if not known
    ]


def known_ratios(past: Demand, row: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) peak over mean, at least 1, NaN where not known; and (n,) the mean it belongs to."""
    values, peaks = past.values[row], past.peaks[row]
    with np.errstate(invalid="ignore", divide="ignore"):
        known = np.isfinite(peaks) & (values > 0)
        return np.where(known, np.maximum(peaks / np.where(known, values, 1.0), 1.0), np.nan), np.nan_to_num(values)


def newest(ratios: np.ndarray, same_hour: np.ndarray, interval: pd.Timedelta) -> np.ndarray:
    """Places of the ratios to draw from: of this hour in the last 28 days; older, then other hours, if too few."""
    known = np.isfinite(ratios)
    fitting = np.flatnonzero(known & same_hour)
    if len(fitting) == 0:
        return np.flatnonzero(known)[-ENOUGH * 24 :]
    recent = fitting[fitting >= len(ratios) - round(pd.Timedelta(days=RECENT_DAYS) / interval)]
    return recent if len(recent) >= ENOUGH else fitting[-ENOUGH:]


def shrinking(ratios: np.ndarray, loads: np.ndarray) -> float:
    """Exponent with which the burst above the mean falls with load, between 0 (not at all) and 1/2 (Poisson).

    >>> loads = np.linspace(1, 100, 50)
    >>> round(shrinking(1 + 2 / np.sqrt(loads), loads), 6)
    0.5
    """
    use = np.isfinite(ratios) & (ratios > 1) & (loads > 0)
    x, y = np.log(loads[use]), np.log(ratios[use] - 1)
    if len(x) < ENOUGH or np.ptp(x) < 0.1:
        return 0.0
    return float(np.clip(-np.polyfit(x, y, 1)[0], 0, FASTEST_SHRINK))
