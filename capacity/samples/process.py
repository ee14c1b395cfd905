"""How requests arrive: what is expected at each minute, and what chance made of it."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from capacity.samples.model import START, TRUTH_END, Bursts, ServiceModel, Surge

YEAR: Final = pd.Timedelta(days=365.25)
RISE: Final = pd.Timedelta(minutes=15)  # of a surge


def minutes_of(model: ServiceModel) -> pd.DatetimeIndex:
    """Every minute from the service's launch to the end of the truth, UTC."""
    return pd.date_range(max(START, model.launched), TRUTH_END, freq="min", inclusive="left", unit="us")


def expected(model: ServiceModel, times: pd.DatetimeIndex) -> np.ndarray:
    """(n,) arrivals per second at each minute, averaged over all that chance can do."""
    rate = model.base * np.power(1 + model.growth, _since(times, START) / (YEAR / pd.Timedelta(minutes=1)))
    rate *= calendar(model, times)
    for step in model.steps:
        if step.on == "arrivals":
            rate[times >= step.at] *= step.factor
    for surge in model.surges:
        rate *= _surge(surge, times)
    for outage in model.outages:
        rate[(times >= outage.start) & (times < outage.end)] *= outage.level
    if model.ramp_days:
        rate *= np.clip(0.15 + 0.85 * _since(times, model.launched) / (model.ramp_days * 1440), 0, 1)
    return rate * model.bursts.expected if model.bursts else rate


def arrivals(model: ServiceModel, times: pd.DatetimeIndex) -> np.ndarray:
    """(n,) arrivals per second as they happened: `expected` with noise and bursts, counted by a Poisson process.

    `times` are all minutes of the service (`minutes_of`): what happens at a minute depends on those before.
    """
    rng = np.random.default_rng(model.seed)
    rate = expected(model, times)
    for spread, every, persistence in ((model.noise.day, 1440, 0.6), (model.noise.hour, 60, 0.7)):
        knots = lasting(spread, persistence, len(times) // every + 2, rng)
        rate *= np.interp(np.arange(len(times)) / every, np.arange(len(knots)), knots)
    rate *= lasting(model.noise.minute, 0.6, len(times), rng)
    if model.bursts:
        rate *= (1 + burst_heights(model.bursts, len(times), rng)) / model.bursts.expected
    # Rounded first, so that another processor's last digit cannot turn the dice.
    return rng.poisson(np.round(rate * 60, 4)) / 60


def cpu_seconds(model: ServiceModel, times: pd.DatetimeIndex) -> np.ndarray:
    """(n,) seconds of vCPU one request costs at each minute."""
    cost = np.full(len(times), model.cpu_seconds_per_request)
    for step in model.steps:
        if step.on == "cpu":
            cost[times >= step.at] *= step.factor
    return cost


def calendar(model: ServiceModel, times: pd.DatetimeIndex) -> np.ndarray:
    """(n,) factor of hour, weekday, season and first of the month, in the local clock of the service's users."""
    local = times.tz_convert(model.timezone)
    hour = local.hour.to_numpy() + local.minute.to_numpy() / 60
    day = local.day_of_week.to_numpy() + hour / 24
    shape = np.asarray(model.hours) / np.mean(model.hours)
    week = np.asarray(model.week) / np.mean(model.week)
    factor = np.interp(hour, np.arange(25), np.append(shape, shape[0]))
    factor *= np.interp(day, np.arange(-1, 8) + 0.5, np.concatenate([week[-1:], week, week[:1]]))  # at noon
    turn = 2 * np.pi * (local.day_of_year.to_numpy() - model.season_top) / 365.25
    factor *= 1 + model.season * np.cos(turn)
    factor[local.day.to_numpy() == 1] *= model.month_start
    return factor


def lasting(spread: float, persistence: float, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count,) positive noise of mean 1 whose logarithm is AR(1) with this spread."""
    from scipy.signal import lfilter

    shocks = rng.standard_normal(count)
    shocks[1:] *= np.sqrt(1 - persistence**2)
    log = lfilter([1.0], [1.0, -persistence], shocks)
    return np.exp(spread * log - spread**2 / 2)


def burst_heights(bursts: Bursts, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count,) what bursts add at each minute, as a multiple of the usual."""
    number = rng.poisson(bursts.per_day * count / 1440)
    starts = np.sort(rng.integers(0, count, number))
    ends = starts + rng.integers(bursts.minutes[0], bursts.minutes[1] + 1, number)
    heights = rng.uniform(*bursts.height, number) - 1
    edges = np.zeros(count + bursts.minutes[1] + 2)
    np.add.at(edges, starts, heights)
    np.add.at(edges, ends, -heights)
    return np.maximum(np.round(np.cumsum(edges)[:count], 9), 0.0)


def _surge(surge: Surge, times: pd.DatetimeIndex) -> np.ndarray:
    age = _since(times, surge.at)  # minutes
    rise = np.clip(age / (RISE / pd.Timedelta(minutes=1)), 0, 1)
    return 1 + (surge.factor - 1) * rise * np.power(2.0, -np.maximum(age, 0) / (surge.hours * 60))


def _since(times: pd.DatetimeIndex, start: pd.Timestamp) -> np.ndarray:
    """(n,) minutes since `start`."""
    return np.asarray((times - start) / pd.Timedelta(minutes=1), dtype=float)
