"""How sure a fitted parameter is: what the noise may be like, and intervals that respect what cannot be negative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

#: Throughput's noise is either the same at every load (0) or in proportion to throughput (1). A run has too few points
#: to tell, so both count, by their restricted likelihood. Finer grids spread the likelihood over powers between the
#: two, and cover less where the truth is one of them (`python -m benchmarks.usl` prints the coverage).
POWERS: Final = (0.0, 1.0)

#: A deviation this small beside that of the other noise is the rounding of a difference.
ROUNDING: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Spread:
    """What the noise leaves open about p fitted coefficients.

    weights      (2,) how well each of POWERS explains the residuals; they sum to 1
    covariances  (2, p, p) of the coefficients under each
    freedom      points less coefficients
    """

    weights: np.ndarray
    covariances: np.ndarray
    freedom: int

    @classmethod
    def of(cls, jacobian: np.ndarray, residuals: np.ndarray, fitted: np.ndarray) -> Spread:
        """From a least-squares fit: jacobian (n, p), residuals and fitted values (n,).

        The coefficients are those of plain least squares; what changes with the noise is how far they scatter:
        (J'J)^-1 J' O J (J'J)^-1, O the noise's variances, whose size comes from the residuals of the fit by those
        variances. Source: restricted likelihood of a variance function, Davidian and Carroll (1987).
        """
        from scipy.special import betaincinv, stdtrit

        n, p = jacobian.shape
        scale = np.sqrt(np.einsum("ij,ij->j", jacobian, jacobian))
        scaled = jacobian / scale
        inverse = np.linalg.pinv(scaled.T @ scaled)
        likelihoods, covariances = [], []
        # What plain least squares scatter beyond the efficient estimate lies in the residuals themselves: measured by
        # them, that part is bounded (a component of a random direction) where Student's t has long tails. Half of the
        # difference is kept, for the noise is not known: of 8 points whose noise is proportional, all of it covers
        # 90 % at 95, none of it 99 % with 10 points.
        freedom = n - p
        bounded = freedom * betaincinv(0.5, (freedom - 1) / 2, 0.95)
        shared = (1 + bounded / stdtrit(freedom, 0.975) ** 2) / 2
        logs = np.log(np.maximum(fitted, 1e-3 * fitted.max()))
        for power in POWERS:
            variances = np.exp(2 * power * (logs - logs.mean()))
            weighted = scaled.T / variances
            normal = weighted @ scaled
            left = residuals - scaled @ np.linalg.lstsq(normal, weighted @ residuals, rcond=None)[0]
            size = max(float(np.sum(left**2 / variances)) / (n - p), np.finfo(float).tiny)
            likelihoods.append(-0.5 * ((n - p) * np.log(size) + np.linalg.slogdet(normal)[1]))
            efficient = size * np.linalg.pinv(normal)
            plain = size * (inverse @ ((scaled.T * variances) @ scaled) @ inverse)
            covariance = efficient + shared * (plain - efficient)
            covariances.append(covariance / np.outer(scale, scale))
        weights = np.exp(np.array(likelihoods) - max(likelihoods))
        return cls(weights / weights.sum(), np.array(covariances), n - p)

    def deviations(self, gradient: np.ndarray) -> np.ndarray:
        """(2, ...) standard deviation, under each noise, of what has this gradient (..., p) in the coefficients."""
        variance = np.einsum("...i,kij,...j->k...", gradient, self.covariances, gradient)
        least = ROUNDING**2 * np.abs(variance).max(axis=0) + np.finfo(float).tiny
        return np.asarray(np.sqrt(np.maximum(variance, least)))

    def below(self, distance: np.ndarray | float, gradient: np.ndarray) -> np.ndarray:
        """How sure the truth lies below estimate + distance, as a probability: Student's t, mixed over the noises."""
        from scipy.special import stdtr

        return np.asarray(np.tensordot(self.weights, stdtr(self.freedom, distance / self.deviations(gradient)), axes=1))

    def distance(self, level: float, gradient: np.ndarray) -> np.ndarray:
        """The distance with `below(distance) == level`: searched for between those of the two noises."""
        from scipy.special import stdtr, stdtrit

        deviations = self.deviations(gradient)
        ends = stdtrit(self.freedom, level) * deviations
        low, high = ends.min(axis=0), ends.max(axis=0)
        shares = np.linspace(0, 1, 17).reshape(17, 1, *[1] * low.ndim)
        for _ in range(10):  # each round leaves a sixteenth: 2^-40 in all
            tried = low + (high - low) * shares  # (17, 1, ...)
            sure = np.einsum("k,jk...->j...", self.weights, stdtr(self.freedom, tried / deviations))
            place = np.clip((sure < level).sum(axis=0), 1, 16)
            low, high = low + (high - low) * (place - 1) / 16, low + (high - low) * place / 16
        return np.asarray((low + high) / 2)


def tails(below_bound: float, level: float) -> tuple[float | None, float]:
    """At which confidences an interval of a parameter that cannot be negative ends: lower (None: at the bound), upper.

    below_bound  how sure the data alone are that it is negative

    Cutting a usual interval at zero can leave nothing, and covers too often at zero itself; choosing between one end
    and two by looking covers too seldom. That of Feldman and Cousins (1998, Phys. Rev. D 57, 3873) does neither.

    >>> [round(end, 4) for end in tails(1e-9, 0.95)]
    [0.025, 0.975]
    >>> tails(0.06, 0.95)[0] is None, tails(0.04, 0.95)[0] is None
    (True, False)
    """
    from scipy.special import ndtr, ndtri

    estimate = -float(ndtri(min(max(below_bound, 1e-12), 1 - 1e-12)))  # in standard deviations above the bound
    truths, lowest, highest = _accepted(level)
    upper = float(np.interp(estimate, lowest, truths)) if estimate < lowest[-1] else estimate - ndtri((1 - level) / 2)
    lower: float | None = None
    if estimate > highest[-1]:
        lower = float(estimate + ndtri((1 - level) / 2))
    elif estimate > highest[0]:
        lower = float(np.interp(estimate, highest, truths))
    return None if lower is None else float(ndtr(lower - estimate)), float(ndtr(upper - estimate))


@cache
def _accepted(level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truths 0 to 5 standard deviations above the bound, and the least and greatest estimate each is accepted with.

    An estimate x is ranked by its likelihood ratio to the best truth allowed, max(x, 0).
    """
    from scipy.special import ndtr, ndtri

    truths = np.linspace(0.0, 5.0, 501)

    def ends(reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        safe = np.maximum(truths, 1e-9)
        inside = truths - reach
        return np.where(inside >= 0, inside, (truths**2 - reach**2) / (2 * safe)), truths + reach

    low, high = np.full(501, float(ndtri(level))), np.full(501, float(ndtri((1 + level) / 2)))
    for _ in range(60):
        middle = (low + high) / 2
        least, most = ends(middle)
        short = ndtr(most - truths) - ndtr(least - truths) < level
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    least, most = ends(high)
    return truths, np.maximum.accumulate(least), np.maximum.accumulate(most)


def crossing(of: Callable[[float], float], start: float, step: float, stop: float) -> float:
    """Where a function first reaches 0 going from `start`, in growing steps, towards `stop`; `stop` if it does not.

    `of` is negative at the start and rises on the way; a negative `step` goes down.
    """
    from scipy.optimize import brentq

    near = start
    while True:
        far = near + step
        if (far - stop) * np.sign(step) >= 0:
            far = stop
        if not np.isfinite(far) or far == near:
            return stop
        if of(far) >= 0:
            return float(brentq(of, near, far, xtol=1e-5 * abs(far - near) + 1e-300, rtol=1e-9))
        if far == stop:
            return stop
        near, step = far, 2 * step
