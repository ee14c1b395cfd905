"""Coarse demand as one-minute demand, so that an autoscaler can be rehearsed on it.

An hourly mean hides what a scaling policy has to survive: the ramp inside the hour and its busiest minute. Both are
put back here, without changing what was measured: every interval keeps its mean and, where it is known, its peak.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from capacity.errors import InputError

MINUTE: Final = pd.Timedelta(minutes=1)

#: Correlation of neighbouring minutes of the noise: bursts of real services last for minutes, not for one.
PERSISTENCE: Final = 0.8

#: An interval whose peak is not known borrows the peak-to-mean ratio of one of this many intervals of like demand.
NEIGHBOURS: Final = 20


def to_minutes(
    times: pd.DatetimeIndex, interval: pd.Timedelta, values: np.ndarray, peaks: np.ndarray | None = None, seed: int = 0
) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """One-minute demand with the same mean, and the same peak where it is known, in every interval.

    times     (n,) start of each interval, regular
    values    (n,) or (S, n) mean of each interval, not negative; NaN is a gap, and all its minutes are NaN
    peaks     same shape, largest one-minute value inside the interval; NaN (or None) where not known
    returns   (n * k,) minute starts and (n * k,) or (S, n * k) values, k minutes an interval

    Between intervals the curve is continuous (piecewise linear, its mean exact); on top lies noise that lasts for
    minutes, just strong enough to reach the peak. Where a peak is not known its ratio to the mean is borrowed from
    intervals of like demand; where none is known at all the curve stays smooth, and a rehearsal on it is too kind.
    A peak below the mean is read as the mean, one above k times the mean (impossible) as k times the mean.
    Intervals of a minute are passed on, shorter ones averaged. Daily data gets no daily shape: nothing tells of one.

    >>> times = pd.date_range("2026-03-02", periods=3, freq="h", tz="UTC")
    >>> means, peaks = np.array([60.0, np.nan, 90.0]), np.array([75.0, np.nan, 120.0])
    >>> when, load = to_minutes(times, pd.Timedelta("1h"), means, peaks)
    >>> len(when), float(load[:60].mean().round(9)), float(load[:60].max()), int(np.isnan(load).sum())
    (180, 60.0, 75.0, 60)
    """
    rows = np.atleast_2d(np.asarray(values, dtype=float))
    tops = np.full(rows.shape, np.nan) if peaks is None else np.atleast_2d(np.asarray(peaks, dtype=float))
    if rows.shape != tops.shape or rows.shape[1] != len(times):
        raise InputError(f"values {rows.shape}, peaks {tops.shape} and {len(times)} times do not fit together")
    if (rows < 0).any() or np.isinf(rows).any():
        raise InputError("demand below zero or infinite cannot be spread over minutes")
    if interval < MINUTE:
        minutes, spread = _averaged(times, interval, rows)
    else:
        length = _whole_minutes(interval)
        minutes = pd.date_range(times[0], periods=len(times) * length, freq=MINUTE, unit="us") if len(times) else times
        spread = np.array(
            [
                _spread(*pair, length, np.random.default_rng([seed, i]))
                for i, pair in enumerate(zip(rows, tops, strict=True))
            ]
        )
    return minutes, (spread if np.ndim(values) == 2 else spread[0])


def _spread(means: np.ndarray, peaks: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """(n * length,) minutes of one series."""
    if length == 1:
        return means.copy()
    known = means > 0  # gaps and zeros have one shape only
    minutes = np.repeat(means[:, None], length, axis=1)
    noise = persistent_noise(len(means) * length, rng).reshape(-1, length)
    ratios = np.clip(_ratios(means, peaks, rng), 1.0, length)
    if known.any():
        shape = _smooth(means, length)[known] / means[known, None]  # mean 1
        minutes[known] *= _reaching(shape, noise[known], ratios[known])
    return minutes.ravel()


def _smooth(means: np.ndarray, length: int) -> np.ndarray:
    """(n, length) continuous curve through the intervals, each keeping its mean, never negative.

    Each interval is two straight pieces, edge to middle to edge. An edge is the average of its two neighbours, but
    at most twice the smaller, so that the middle, 2 x mean - (left + right) / 2, cannot fall below zero.
    """
    beside = np.concatenate([means[:1], means, means[-1:]])
    left, right = beside[:-1], beside[1:]
    edges = np.minimum((left + right) / 2, 2 * np.minimum(left, right))  # (n + 1,)
    start = np.where(np.isnan(edges[:-1]), means, edges[:-1])[:, None]
    end = np.where(np.isnan(edges[1:]), means, edges[1:])[:, None]
    middle = 2 * means[:, None] - (start + end) / 2
    place = (np.arange(length) + 0.5) / length * 2  # 0 at the left edge, 1 in the middle, 2 at the right edge
    curve = np.where(place < 1, start + (middle - start) * place, middle + (end - middle) * (place - 1))
    total = curve.mean(axis=1, keepdims=True)
    return np.where(total > 0, curve * means[:, None] / np.where(total > 0, total, 1), means[:, None])


def _reaching(shape: np.ndarray, noise: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    """(m, length) of mean 1 whose maximum is the ratio; a ratio of NaN keeps the shape as it is.

    shape x exp(strength x noise), scaled to mean 1, has a maximum that goes continuously from the shape's own to
    `length` as the strength grows: the kernel finds noise that reaches the ratio and hardly more. What it overshoots,
    and all of the shape when the ratio is below the shape's own maximum, is pressed towards the mean.
    """
    from capacity.demand.minutes_kernel import reach

    return np.asarray(reach(shape, noise, ratios))


def _ratios(means: np.ndarray, peaks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) peak-to-mean ratio of each interval: its own, else that of an interval of like demand, else NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.where(means > 0, peaks / means, np.nan)
    known = np.flatnonzero(np.isfinite(ratios))
    unknown = np.flatnonzero(np.isnan(ratios) & (means > 0))
    if len(known) == 0 or len(unknown) == 0:
        return ratios
    by_size = known[np.argsort(means[known], kind="stable")]
    near = (
        np.searchsorted(means[by_size], means[unknown]) + np.searchsorted(means[by_size], means[unknown], "right")
    ) // 2
    near += rng.integers(-(NEIGHBOURS // 2), NEIGHBOURS // 2 + 1, len(unknown))
    ratios[unknown] = ratios[by_size[np.clip(near, 0, len(by_size) - 1)]]
    return ratios


def persistent_noise(count: int, rng: np.random.Generator, persistence: float = PERSISTENCE) -> np.ndarray:
    """(count,) standard normal noise in which each minute resembles the one before (AR(1))."""
    from capacity.demand.minutes_kernel import remember

    noise = rng.standard_normal(count)
    noise[1:] *= np.sqrt(1 - persistence**2)
    remember(noise, persistence)
    return noise


def _whole_minutes(interval: pd.Timedelta) -> int:
    if interval % MINUTE != pd.Timedelta(0):
        raise InputError(f"an interval of {interval} is not a whole number of minutes")
    return int(interval / MINUTE)


def _averaged(times: pd.DatetimeIndex, interval: pd.Timedelta, rows: np.ndarray) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Shorter intervals, averaged over the minutes they start in; a minute without a value is NaN."""
    table = pd.DataFrame(rows.T, index=times).resample(MINUTE).mean()
    return pd.DatetimeIndex(table.index).as_unit("us"), table.to_numpy().T.copy()
