"""Request rates with the shapes on which schedules fail: each from its seed alone, at five minutes.

A day has one hill and a smaller one, six times its valley at most; what happens to it is the shape's own story. All
numbers of a story are drawn from its seed, so that another seed is another story of the same kind.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.policy.upsampling import CALM, ROUGH, USUAL, Noise, counted

PER_DAY = 288
DAYS = 70

Story = Callable[[np.random.Generator], pd.Series]


def grid(start: str, days: int = DAYS) -> pd.DatetimeIndex:
    return pd.date_range(start, periods=days * PER_DAY, freq="5min", tz="UTC", unit="us")


def of_the_day(times: pd.DatetimeIndex, rng: np.random.Generator, weekend: float | None = None) -> np.ndarray:
    """(n,) factors about 1: the time of day by the clock of `times`, and weekends."""
    hours = (times.hour + times.minute / 60).to_numpy()
    peak, depth = rng.uniform(11, 20), rng.uniform(0.4, 0.7)
    second = rng.uniform(0.05, 0.2) * np.cos(4 * np.pi * (hours - peak + rng.uniform(-2, 2)) / 24)
    day = 1 + depth * np.cos(2 * np.pi * (hours - peak) / 24) + second
    share = rng.uniform(0.55, 0.9) if weekend is None else weekend
    return np.asarray(np.maximum(day, 0.05) * np.where(times.day_of_week >= 5, share, 1.0))


def noisy(times: pd.DatetimeIndex, rates: np.ndarray, noise: Noise, rng: np.random.Generator) -> pd.Series:
    return pd.Series(counted(rates * noise.factors(len(rates), rng), 300, rng), index=times)


def level(rng: np.random.Generator) -> float:
    """Requests/s of 30 to 150 tasks."""
    return float(np.exp(rng.uniform(np.log(1500), np.log(7500))))


def collapse(rng: np.random.Generator) -> pd.Series:
    """A tournament: weeks of growth, matches at fixed hours as bursts, and a tenth of the traffic after the final."""
    times = grid("2026-05-04")
    day = np.arange(len(times)) / PER_DAY
    begin, final = rng.uniform(16, 24), round(rng.uniform(46, 56))
    growth = np.exp(np.log(rng.uniform(4, 9)) * np.clip((day - begin) / (final - begin), 0, 1))
    after = np.where(day > final, np.maximum(np.exp(-(day - final) / 0.7), rng.uniform(0.08, 0.15)), 1.0)
    rates = 0.4 * level(rng) * of_the_day(times, rng) * growth * after
    for hour in sorted(rng.choice([13, 15, 17, 19, 21], 2, replace=False)):
        kick_off = np.flatnonzero((times.hour == hour) & (times.minute == 30) & (day > begin) & (day < final))
        for at in kick_off[rng.random(len(kick_off)) < 0.8]:
            rates[at : at + 24] *= rng.uniform(1.4, 2.6)  # two hours
    return noisy(times, rates, USUAL, rng)


def growth(rng: np.random.Generator) -> pd.Series:
    """One per cent more each day."""
    times = grid("2026-03-02")
    rates = level(rng) / 1.4 * of_the_day(times, rng) * 1.01 ** (np.arange(len(times)) / PER_DAY)
    return noisy(times, rates, USUAL, rng)


def launch(rng: np.random.Generator) -> pd.Series:
    """From one morning on, half as much again to two and a half times as much."""
    times = grid("2026-03-02")
    at = round((rng.uniform(36, 44) // 1) * PER_DAY + rng.uniform(8, 12) * 12)
    after = np.where(np.arange(len(times)) >= at, rng.uniform(1.5, 2.5), 1.0)
    return noisy(times, level(rng) / 1.4 * of_the_day(times, rng) * after, USUAL, rng)


def holiday(rng: np.random.Generator) -> pd.Series:
    """A week at half the traffic, and one day before it at twice."""
    times = grid("2026-02-02")
    day = np.arange(len(times)) // PER_DAY
    begin = round(rng.uniform(40, 52))
    special = np.where((day >= begin) & (day < begin + 7), rng.uniform(0.35, 0.65), 1.0)
    special[day == begin - 2] = rng.uniform(1.5, 2.2)
    return noisy(times, level(rng) * of_the_day(times, rng) * special, USUAL, rng)


def bursts(rng: np.random.Generator) -> pd.Series:
    """Surges nobody announced: one to three a day, two to four times the load, gone within the hour."""
    times = grid("2026-03-02")
    rates = level(rng) * of_the_day(times, rng)
    for at in np.flatnonzero(rng.random(len(times)) < rng.uniform(1, 3) / PER_DAY):
        lasts = round(rng.uniform(2, 12))
        rates[at : at + lasts] *= rng.uniform(1.8, 4.0)
    return noisy(times, rates, ROUGH, rng)


def small(rng: np.random.Generator) -> pd.Series:
    """Two to four tasks, and noise as large as the day."""
    times = grid("2026-03-02")
    rates = rng.uniform(100, 160) * (0.6 + 0.4 * of_the_day(times, rng))
    return noisy(times, rates, Noise(0.2, 0.5), rng)


def office(rng: np.random.Generator) -> pd.Series:
    """Working days and hardly any weekend."""
    times = grid("2026-03-02")
    rates = level(rng) * 1.3 * of_the_day(times, rng, weekend=rng.uniform(0.12, 0.3))
    return noisy(times, rates, CALM, rng)


def clock_change(rng: np.random.Generator) -> pd.Series:
    """People live by the local clock, which moves by an hour in the judged weeks."""
    zone, start = [("Europe/Berlin", "2026-02-16"), ("America/New_York", "2026-09-21")][int(rng.integers(2))]
    times = grid(start)
    rates = level(rng) * of_the_day(times.tz_convert(zone), rng)
    return noisy(times, rates, CALM, rng)


def push(rng: np.random.Generator) -> pd.Series:
    """A message to all users at the same minute of every working day: twice the load at once, gone in 40 minutes."""
    times = grid("2026-03-02")
    rates = level(rng) * of_the_day(times, rng)
    at = (
        (times.hour == int(rng.integers(7, 21))) & (times.minute == 5 * int(rng.integers(12))) & (times.day_of_week < 5)
    )
    lasting = np.exp(-np.arange(12) / 4)
    lift = np.convolve(at.astype(float), lasting)[: len(times)]
    return noisy(times, rates * (1 + rng.uniform(0.6, 1.4) * lift), USUAL, rng)


STORIES: dict[str, Story] = {
    story.__name__.replace("_", "-"): story
    for story in (collapse, growth, launch, holiday, bursts, small, office, clock_change, push)
}
