"""Noise for the minutes of an interval, just strong enough to reach its peak, compiled: a few Newton steps each."""

from __future__ import annotations

import numpy as np
from numba import njit

#: A peak may be overshot by this much of itself; pressing towards the mean takes that away exactly.
CLOSE = 1e-6

#: Doublings until an interval is sure to be concentrated in one minute, and steps between what is short and what is
#: enough. Newton's take about four; where none helps, halving is as sure as ever.
DOUBLINGS = 12
STEPS = 60


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _top(log_shape: np.ndarray, noise: np.ndarray, strength: float, out: np.ndarray) -> tuple[float, float]:
    """Logarithm of the peak-to-mean ratio of shape x exp(strength x noise), and its slope; `out` has the minutes."""
    highest, at = -np.inf, 0
    for k in range(log_shape.size):
        out[k] = log_shape[k] + strength * noise[k]
        if out[k] > highest:
            highest, at = out[k], k
    total = pulled = 0.0
    for k in range(log_shape.size):
        out[k] = np.exp(out[k] - highest)
        total += out[k]
        pulled += out[k] * noise[k]
    mean = total / log_shape.size
    for k in range(log_shape.size):
        out[k] /= mean
    return -np.log(mean), noise[at] - pulled / total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _swell(log_shape: np.ndarray, noise: np.ndarray, wanted: float, out: np.ndarray) -> None:
    """The shape with noise of a strength that reaches the wanted ratio and hardly more, found between two others."""
    goal = np.log(wanted)
    weak, strong = 0.0, 1.0
    reached, slope = _top(log_shape, noise, strong, out)
    for _ in range(DOUBLINGS):
        if reached >= goal:
            break
        weak, strong = strong, 2 * strong
        reached, slope = _top(log_shape, noise, strong, out)
    tried, enough = strong, True
    for _ in range(STEPS):
        if enough and reached - goal <= CLOSE:
            return
        step = tried + (goal + CLOSE / 2 - reached) / slope if slope > 0 else weak
        tried = step if weak < step < strong else (weak + strong) / 2
        reached, slope = _top(log_shape, noise, tried, out)
        enough = reached >= goal
        if enough:
            strong = tried
        else:
            weak = tried
    _top(log_shape, noise, strong, out)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def reach(shape: np.ndarray, noise: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    """(m, length) of mean 1 whose maximum is the ratio; a ratio of NaN keeps the shape as it is."""
    out = np.empty_like(shape)
    log_shape = np.empty(shape.shape[1])
    for i in range(shape.shape[0]):
        row, ratio = out[i], ratios[i]
        row[:] = shape[i]
        if np.isnan(ratio):
            continue
        if row.max() < ratio:
            for k in range(row.size):
                log_shape[k] = np.log(max(shape[i, k], 1e-12))
            _swell(log_shape, noise[i], ratio, row)
        top = row.max()
        if top > 1:
            press = min((ratio - 1) / (top - 1), 1.0)
            for k in range(row.size):
                row[k] = 1 + press * (row[k] - 1)
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def remember(shocks: np.ndarray, persistence: float) -> None:
    """Each value plus that share of the one before, in place: an AR(1) process from its shocks."""
    for k in range(1, shocks.size):
        shocks[k] += persistence * shocks[k - 1]
