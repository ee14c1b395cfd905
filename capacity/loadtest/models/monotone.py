"""Latency never falls as load grows: the monotone curve nearest to noisy load points, and where it crosses a bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def isotonic(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The nondecreasing values nearest to these, by weighted squares: neighbours out of order become their mean.

    Pool adjacent violators. Source: Barlow et al., "Statistical Inference under Order Restrictions" (1972).

    >>> isotonic(np.array([40.0, 44.0, 42.0, 60.0]), np.ones(4)).tolist()
    [40.0, 43.0, 43.0, 60.0]
    """
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values, weights, strict=True):
        mean, total, length = float(value), float(weight), 1
        while blocks and blocks[-1][0] > mean:
            before, heft, count = blocks.pop()
            mean = (before * heft + mean * total) / (heft + total)
            total, length = heft + total, length + count
        blocks.append((mean, total, length))
    return np.repeat([mean for mean, _, _ in blocks], [length for _, _, length in blocks])


@dataclass(frozen=True)
class Crossing:
    """Where a bound is reached. `met`: the last load that kept it, None if none did; `failed`: the first that did not.

    `rate` lies between the two in proportion to the values there; it is `met` where nothing failed.
    """

    met: float | None
    failed: float | None
    rate: float


def crossed(rates: np.ndarray, values: np.ndarray, bound: float) -> Crossing:
    """Where nondecreasing `values` at ascending `rates` pass `bound`.

    >>> crossed(np.array([149.2, 169.9]), np.array([55.0, 63.0]), 60.0)
    Crossing(met=149.2, failed=169.9, rate=162.1375)
    """
    kept = int(np.searchsorted(values, bound, side="right"))
    if kept == 0:
        return Crossing(None, float(rates[0]), float("nan"))
    met = float(rates[kept - 1])
    if kept == len(rates):
        return Crossing(met, None, met)
    share = (bound - values[kept - 1]) / (values[kept] - values[kept - 1])
    return Crossing(met, float(rates[kept]), float(round(met + share * (rates[kept] - met), 9)))
