"""How load follows business drivers: an elasticity each, by regularised regression of logarithms, day by day.

    log demand = what the weekday usually is + sum of elasticity x log driver + a remainder that fades (AR(1))

Feasible generalised least squares (Cochrane & Orcutt 1949, JASA 44(245)): when the remainder wanders, only changes of
a driver say anything, not that both happened to rise. An elasticity is believed to be about 0 to 1 beforehand (ridge),
and one that cannot be told from nothing is left at nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from capacity.forecasting.knowledge.places import Grid
from capacity.forecasting.knowledge.usual import LEAST_NOISE, MAD, mean, median

#: Fewest days (or intervals, where those are longer) with load and drivers known.
FEWEST_DAYS: Final = 28

#: A driver is flat when its logarithm strays less than this: two per cent.
FLAT: Final = 0.02

#: Standard deviation of an elasticity beforehand, and how many of its own it must stand from nothing to be used.
PRIOR, STANDS_OUT = 1.0, 2.0

#: The remainder's memory is estimated, and days that stand out are weighed down, in this many rounds; it is below MOST.
ROUNDS, MOST_MEMORY, WILD = 4, 0.98, 3.0


@dataclass(frozen=True, eq=False)
class Elasticity:
    """How S series follow D drivers: 1 means that ten per cent more of it is ten per cent more load.

    value       (S, D) 0 where nothing was found
    covariance  (S, D, D)
    days        (S,) days with all known
    flat        (D,) True where the driver hardly moved
    """

    value: np.ndarray
    covariance: np.ndarray
    days: np.ndarray
    flat: np.ndarray

    def drawn(self, normal: np.ndarray) -> np.ndarray:
        """(S, P, D) elasticities, one a path, from (D, P) standard normal draws shared by all series."""
        root = np.linalg.cholesky(self.covariance + LEAST_NOISE**2 * np.eye(self.value.shape[1]))
        moved = np.einsum("sde,ep->spd", root, normal)
        return self.value[:, None, :] + np.where(self.value[:, None, :] != 0, moved, 0.0)


def follow(values: np.ndarray, logs: np.ndarray, grid: Grid) -> Elasticity:
    """How (S, n) values followed (D, n) logarithms of drivers, all series at once."""
    with np.errstate(divide="ignore"):
        y = _daily(np.log(np.where(values > 0, values, np.nan)), grid)
    x = _daily(logs, grid)
    known = np.isfinite(y) & np.isfinite(x).all(axis=0)
    days = known.sum(axis=1)
    flat = np.array([np.isfinite(row).sum() < 2 or np.nanstd(row) < FLAT for row in x])
    use = days >= FEWEST_DAYS
    value, covariance = np.zeros((len(y), len(x))), np.zeros((len(y), len(x), len(x)))
    if use.any() and not flat.all():
        moving = np.flatnonzero(~flat)
        found, doubt = _fitted(np.nan_to_num(y[use]), np.nan_to_num(x[moving]), known[use], grid)
        value[np.ix_(use, moving)] = found
        covariance[np.ix_(use, moving, moving)] = doubt
    return Elasticity(value, covariance, days, flat)


def _daily(values: np.ndarray, grid: Grid) -> np.ndarray:
    """Means of whole days, counted back from the end; intervals of a day and longer as they are."""
    if grid.day <= 1:
        return values
    rest = values.shape[1] % grid.day
    return mean(values[:, rest:].reshape(len(values), -1, grid.day))


def _fitted(y: np.ndarray, x: np.ndarray, known: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """(S, D) elasticities and (S, D, D) their covariance: 0 for those that do not stand out, weakest first."""
    length, drivers = y.shape[1], len(x)
    week = 7 if grid.day and length >= FEWEST_DAYS else 1
    weekdays = (np.arange(length)[:, None] - length) % week == np.arange(week)
    design = np.concatenate([x.T, weekdays.astype(float)], axis=1)  # (T, D + week)
    keep = np.ones((len(y), drivers), dtype=bool)
    for _ in range(drivers + 1):
        found, doubt = _generalised(y, design, known, keep)
        strength = np.abs(found) / np.sqrt(np.maximum(np.einsum("sdd->sd", doubt), LEAST_NOISE**2))
        weak = keep & (strength < STANDS_OUT)
        weakest = weak & (strength == np.where(weak, strength, np.inf).min(axis=1, keepdims=True))
        if not weakest.any():
            break
        keep &= ~weakest
    both = keep[:, :, None] & keep[:, None, :]
    return np.where(keep, found, 0.0), np.where(both, doubt, 0.0)


def _generalised(
    y: np.ndarray, design: np.ndarray, known: np.ndarray, keep: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One fit: (S, D) elasticities and (S, D, D) covariances, with drivers that are not kept held at nothing."""
    drivers = keep.shape[1]
    pair = (known[:, 1:] & known[:, :-1]).astype(float)
    now, before = design[1:], design[:-1]
    memory, weight, scale = np.zeros(len(y)), pair, np.ones(len(y))
    prior = np.concatenate(
        [np.where(keep, PRIOR**-2, 1e12), np.full((len(y), design.shape[1] - drivers), 1e-6)], axis=1
    )
    for _ in range(ROUNDS):
        cross = np.einsum("st,tp,tq->spq", weight, now, before)
        matrix = np.einsum("st,tp,tq->spq", weight, now, now) - memory[:, None, None] * (
            cross + np.swapaxes(cross, 1, 2)
        )
        matrix += memory[:, None, None] ** 2 * np.einsum("st,tp,tq->spq", weight, before, before)
        target = weight * (y[:, 1:] - memory[:, None] * y[:, :-1])
        right = target @ now - memory[:, None] * (target @ before)
        matrix += (scale[:, None] ** 2 * prior)[:, :, None] * np.eye(design.shape[1])
        solved = np.linalg.solve(matrix, right[..., None])[..., 0]
        rest = np.where(known, y - solved @ design.T, 0.0)
        surprise = rest[:, 1:] - memory[:, None] * rest[:, :-1]
        seen = np.where(pair > 0, np.abs(surprise), np.nan)
        scale = np.maximum(np.nan_to_num(MAD * median(seen.T)), LEAST_NOISE)
        weight = pair * np.minimum(1.0, WILD * scale[:, None] / np.maximum(np.abs(surprise), LEAST_NOISE))
        carried = (weight * rest[:, 1:] * rest[:, :-1]).sum(axis=1)
        memory = np.clip(carried / np.maximum((weight * rest[:, :-1] ** 2).sum(axis=1), LEAST_NOISE**2), 0, MOST_MEMORY)
    doubt = scale[:, None, None] ** 2 * np.linalg.inv(matrix)
    return solved[:, :drivers], doubt[:, :drivers, :drivers]
