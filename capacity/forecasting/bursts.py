"""The burst inside an interval: what the busiest minute of an hour was, over the hour's mean, put on the paths."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from capacity.blocks import blocks
from capacity.demand.demand import Demand
from capacity.findings import Finding
from capacity.forecasting.forecasts import Forecast
from capacity.history.line import how_long

#: Ratios are drawn from the newest days that hold peaks, at most this many.
RECENT_DAYS: Final = 28

#: Alike in load: within this factor of each other.
ALIKE: Final = 2.0

#: Hours of the same time of day and alike in load that are wanted before hours of any time of day are drawn from.
ENOUGH: Final = 5

#: Of hours of any time of day, this share of all on either side of the load is drawn from.
NEIGHBOURS: Final = 0.05

#: Of hours of the same time of day, this share on either side of how the hour stands in its day is drawn from.
IN_ITS_DAY: Final = 0.10

#: Independent arrivals even out with the square root of load (Poisson): bursts shrink no faster than that.
FASTEST_SHRINK: Final = 0.5


def within_interval_peaks(forecast: Forecast) -> np.ndarray:
    """(S, P, H) busiest minute inside each interval of each path, in the metric's unit; never below the path.

    Each interval draws the peak-to-mean ratio of a past one that was alike: of the same time of day, standing alike in
    its day (an hour that holds a burst is above its neighbours, and its busiest minute far above) and at most twice or
    half its load, else merely of similar load. What is above 1 shrinks where load outgrows what was seen, as fast
    as it did in the past. Where no peak was ever measured the ratio is 1: see `burst_known`. All series draw alike on
    the same day of the same path, and the same forecast always gives the same peaks.
    """
    past = forecast.past
    peaks = np.array(forecast.paths)
    rng = np.random.default_rng([forecast.seed, 1])
    days = (forecast.times - forecast.times[0]) // pd.Timedelta(days=1)
    uniform = rng.random((forecast.paths.shape[1], int(days[-1]) + 1))  # (P, days), one for all series
    hours, future_hours = past.times.hour.to_numpy(), forecast.times.hour.to_numpy()
    day = round(pd.Timedelta(days=1) / past.interval)
    if day <= 1:
        hours, future_hours = np.zeros_like(hours), np.zeros_like(future_hours)
    for row in np.flatnonzero(burst_known(past)):
        ratios, loads = known_ratios(past, int(row))
        drawn = _places(forecast.paths[row], past, int(row), (hours, future_hours, day), uniform, days)
        shrink = shrinking(ratios, loads)
        for some in blocks(len(drawn)):
            path, load = peaks[row, some], loads[drawn[some]]
            with np.errstate(divide="ignore"):
                evened = np.where(path > load, (load / np.maximum(path, load)) ** shrink, 1.0) if shrink else 1.0
            peaks[row, some] = path * (1 + (ratios[drawn[some]] - 1) * evened)
    return peaks


def _places(
    paths: np.ndarray,
    past: Demand,
    row: int,
    clock: tuple[np.ndarray, np.ndarray, int],
    uniform: np.ndarray,
    days: np.ndarray,
) -> np.ndarray:
    """(P, H) the past interval whose ratio each interval of each path draws.

    clock  (n,) and (H,) time of day of past and future intervals, and how many of them a day has
    """
    from capacity.forecasting.bursts_kernel import draw

    hours, future_hours, day = clock
    ratios, loads = known_ratios(past, row)
    recent = newest(ratios, past.interval)
    whole, stood = by_load(recent, loads), in_its_day(past.values[row], day)
    alike = [by_load(recent[hours[recent] == hour], stood) for hour in range(24)]
    alike = [places if len(places) >= ENOUGH else places[:0] for places in alike]
    same = np.concatenate(alike)
    drawn = np.empty(paths.shape, dtype=np.int64)
    draw(
        paths,
        uniform,
        np.asarray(days, dtype=np.int64),
        np.asarray(future_hours, dtype=np.int64),
        day,
        whole,
        loads[whole],
        max(ENOUGH, round(NEIGHBOURS * len(whole))),
        np.concatenate([[0], np.cumsum([len(places) for places in alike])]),
        same,
        stood[same],
        np.array([max(2, round(IN_ITS_DAY * len(places))) for places in alike]),
        loads,
        ALIKE,
        drawn,
    )
    return drawn


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
            f"no peak inside intervals of {how_long(past.interval)} was measured: the mean is taken for it.",
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


def newest(ratios: np.ndarray, interval: pd.Timedelta) -> np.ndarray:
    """Places of the newest known ratios: as many as 28 days hold."""
    return np.flatnonzero(np.isfinite(ratios))[-max(1, round(pd.Timedelta(days=RECENT_DAYS) / interval)) :]


def by_load(places: np.ndarray, loads: np.ndarray) -> np.ndarray:
    """The places, from the least loaded to the most."""
    return places[np.argsort(loads[places], kind="stable")]


def in_its_day(loads: np.ndarray, day: int) -> np.ndarray:
    """(..., n) loads over the mean of the day of `day` intervals around each; 1 where there is nothing to compare.

    >>> in_its_day(np.array([1.0, 1.0, 4.0, 1.0, 1.0]), day=3).tolist()
    [1.0, 0.5, 2.0, 0.5, 1.0]
    """
    known = np.isfinite(loads)
    half = day // 2
    sums, counts = (_around(part, half) for part in (np.where(known, loads, 0.0), known.astype(float)))
    mean = sums / np.maximum(counts, 1)
    stands = np.divide(loads, mean, out=np.ones_like(loads, dtype=float), where=known & (mean > 0))
    return np.round(stands, 9)  # equal loads stand equally, whatever the order they were added in


def _around(values: np.ndarray, half: int) -> np.ndarray:
    """(..., n) sums over `half` intervals to either side; fewer at the ends."""
    length = values.shape[-1]
    total = np.concatenate([np.zeros((*values.shape[:-1], 1)), values.cumsum(axis=-1)], axis=-1)
    place = np.arange(length)
    return np.asarray(total[..., np.minimum(place + half + 1, length)] - total[..., np.maximum(place - half, 0)])


def shrinking(ratios: np.ndarray, loads: np.ndarray) -> float:
    """Exponent with which the burst above the mean falls with load, between 0 (not at all) and 1/2 (Poisson).

    >>> loads = np.linspace(1, 100, 50)
    >>> round(shrinking(1 + 2 / np.sqrt(loads), loads), 6)
    0.5
    """
    use = np.isfinite(ratios) & (ratios > 1) & (loads > 0)
    x, y = np.log(loads[use]), np.log(ratios[use] - 1)
    if len(x) < 2 * ENOUGH or np.ptp(x) < 0.1:
        return 0.0
    return float(np.clip(-np.polyfit(x, y, 1)[0], 0, FASTEST_SHRINK))
