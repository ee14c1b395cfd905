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
POWERS: Final = np.array([0.0, 1.0])

#: A deviation this small beside that of the other noise is the rounding of a difference.
ROUNDING: Final = 1e-9

#: Runs that are simulated under each noise: chance leaves half a point of coverage open.
RUNS: Final = 2000

#: Points beyond which no runs are simulated: so many tell the two noises apart.
MANY: Final = 200

#: The share of intervals that is set right by these runs; other levels follow by Student's t.
REHEARSED: Final = 0.95

#: How far a deviation may be shortened or stretched by them: of 6 points nothing tells the noises apart.
MOST_STRETCH: Final = 2.0


@dataclass(frozen=True, eq=False)
class Spread:
    """What the noise leaves open about p coefficients that were fitted by plain least squares.

    As far as the curve is linear in them they scatter by (J'J)^-1 J' O J (J'J)^-1, O the noise's variances. What O is
    like is one of two noises, weighed by how well each explains the residuals. Those weights are unsure, more so the
    fewer the points, and a mix of two intervals that would each be right covers too often where its noise is the
    milder one for a parameter, too seldom where it is the harder. So the mix is rehearsed: simulated runs of this very
    design under each noise say by how much its deviations have to change. That is calibration by bootstrap: Beran
    (1987, Biometrika 74, 457); the weights are those of Davidian and Carroll (1987).

    weights      (2,) how well each of POWERS explains the residuals; they sum to 1
    sizes        (2,) of the noise's variance under each
    units        (2, p, p) covariances of the coefficients under each noise of size 1
    freedom      points less coefficients
    runs         simulated runs of size 1, None for MANY points: (2, RUNS, p) errors of the coefficients by the noise
                 simulated, then (2, 2, RUNS) weights and sizes by the noise simulated and the noise assumed
    """

    weights: np.ndarray
    sizes: np.ndarray
    units: np.ndarray
    freedom: int
    runs: tuple[np.ndarray, np.ndarray, np.ndarray] | None

    @classmethod
    def of(cls, jacobian: np.ndarray, residuals: np.ndarray, fitted: np.ndarray) -> Spread:
        """From a least-squares fit: jacobian (n, p), residuals and fitted values (n,)."""
        n, p = jacobian.shape
        scale = np.sqrt(np.einsum("ij,ij->j", jacobian, jacobian))
        scaled = jacobian / scale
        solve = np.linalg.pinv(scaled) / scale[:, None]  # (p, n), residuals to coefficients
        logs = np.log(np.maximum(fitted, 1e-3 * fitted.max()))
        deviations = np.exp(POWERS[:, None] * (logs - logs.mean()))  # (2, n)
        units = np.array([(solve * one) @ (solve * one).T for one in deviations])
        weights, sizes = explained(scaled, deviations, residuals[None, :])
        runs = None
        if n <= MANY:
            simulated = _noise(n) * deviations[:, None, :]
            judged = [explained(scaled, deviations, rows) for rows in simulated]
            runs = simulated @ solve.T, np.array([one[0] for one in judged]), np.array([one[1] for one in judged])
        return cls(weights[:, 0], sizes[:, 0], units, n - p, runs)

    def along(self, gradient: np.ndarray) -> Along:
        """What it leaves open about a quantity, or several, with this gradient (..., p) in the coefficients."""
        variances = np.einsum("...i,kij,...j->k...", gradient, self.units, gradient)
        least = ROUNDING**2 * np.abs(variances).max(axis=0) + np.finfo(float).tiny
        units = np.sqrt(np.maximum(variances, least))  # (2, ...)
        sizes = self.sizes.reshape(2, *[1] * (units.ndim - 1))
        return Along(self.weights, np.sqrt(sizes) * units * self._stretch(gradient, units), self.freedom)

    def _stretch(self, gradient: np.ndarray, units: np.ndarray) -> np.ndarray:
        """(2, ...) by how much deviations change so that REHEARSED of the simulated runs are held, of either noise."""
        from scipy.special import stdtrit

        stretch = np.ones_like(units)
        if self.runs is None:
            return stretch
        errors, weights, sizes = self.runs
        wrong = np.abs(np.tensordot(errors, gradient, axes=(2, -1)))  # (2, RUNS, ...)
        over = (np.newaxis,) * (units.ndim - 1)
        weights, sizes = weights[..., *over], sizes[..., *over]
        for _ in range(2):  # a third changes little
            tail = np.zeros_like(wrong)
            for assumed in range(2):
                deviation = np.sqrt(sizes[:, assumed]) * units[assumed] * stretch[assumed]
                tail += weights[:, assumed] * np.interp(wrong / deviation, *_beyond(self.freedom))
            reached = np.quantile(tail, 1 - REHEARSED, axis=1)  # by the noise simulated
            stretch = stretch * stdtrit(self.freedom, reached) / stdtrit(self.freedom, (1 - REHEARSED) / 2)
            stretch = np.clip(stretch, 1 / MOST_STRETCH, MOST_STRETCH)
        return stretch


@dataclass(frozen=True, eq=False)
class Along:
    """How far the truth of a quantity may lie from its estimate: Student's t, mixed over the two noises.

    weights (2,) of the noises; deviations (2, ...) of the quantity under each; freedom of Student's t
    """

    weights: np.ndarray
    deviations: np.ndarray
    freedom: int

    def below(self, distance: np.ndarray | float) -> np.ndarray:
        """How sure the truth lies below estimate + distance, as a probability."""
        from scipy.special import stdtr

        return np.asarray(np.tensordot(self.weights, stdtr(self.freedom, distance / self.deviations), axes=1))

    def distance(self, level: float) -> np.ndarray:
        """The distance with `below(distance) == level`: searched for between those of the two noises."""
        from scipy.special import stdtr, stdtrit

        ends = stdtrit(self.freedom, level) * self.deviations
        low, high = ends.min(axis=0), ends.max(axis=0)
        shares = np.linspace(0, 1, 17).reshape(17, 1, *[1] * low.ndim)
        for _ in range(7):  # each round leaves a sixteenth: 2^-28 in all
            tried = low + (high - low) * shares  # (17, 1, ...)
            sure = np.einsum("k,jk...->j...", self.weights, stdtr(self.freedom, tried / self.deviations))
            place = np.clip((sure < level).sum(axis=0), 1, 16)
            low, high = low + (high - low) * (place - 1) / 16, low + (high - low) * place / 16
        return np.asarray((low + high) / 2)


def explained(jacobian: np.ndarray, deviations: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How well each noise (2, n) explains each row (rows, n) of residuals: weights and sizes, both (2, rows)."""
    n, p = jacobian.shape
    likelihoods, sizes = [], []
    for one in deviations:
        across, upper = np.linalg.qr(jacobian / one[:, None])
        even = rows / one
        left = even - (even @ across) @ across.T
        sizes.append(np.maximum(np.einsum("ri,ri->r", left, left) / (n - p), np.finfo(float).tiny))
        likelihoods.append(-0.5 * (n - p) * np.log(sizes[-1]) - np.log(np.abs(np.diag(upper))).sum())
    weights = np.exp(np.array(likelihoods) - np.max(likelihoods, axis=0))
    return weights / weights.sum(axis=0), np.array(sizes)


@cache
def _beyond(freedom: int) -> tuple[np.ndarray, np.ndarray]:
    """Deviations, and how likely Student's t lies beyond each: a table, for it is asked thousands of times a fit."""
    from scipy.special import stdtr

    deviations = np.linspace(0, 40, 4001)
    return deviations, stdtr(freedom, -deviations)


@cache
def _noise(n: int) -> np.ndarray:
    """(RUNS, n) errors of size 1, the same each time."""
    return np.random.default_rng(n).normal(size=(RUNS, n))


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
