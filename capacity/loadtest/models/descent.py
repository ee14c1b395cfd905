"""Least squares of throughput on concurrency, compiled: X = N / (offset + Z q), q the unknown.

With q = (1, sigma, kappa) / lam and columns 1, N-1, N(N-1) that is the Universal Scalability Law, nearly linear in q:
descent from the linearised solution takes a handful of steps. Fixing a parameter leaves fewer columns, or an offset.
"""

from __future__ import annotations

import numpy as np
from numba import njit

#: Steps of the descent, and doublings of its caution within one; both are far above what converging fits take (< 20).
STEPS = 200
TRIES = 30

#: A step that lowers the sum of squares by less than this share is the last.
CONVERGED = 1e-14


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def solved(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """x of matrix x = right for a positive definite matrix, as normal equations have; not finite where it is singular.

    Elimination without exchanges, which such a matrix does not need. Both arguments are used up.
    """
    size = right.size
    for i in range(size):
        for row in range(i + 1, size):
            factor = matrix[row, i] / matrix[i, i]
            for column in range(i, size):
                matrix[row, column] -= factor * matrix[i, column]
            right[row] -= factor * right[i]
    for i in range(size - 1, -1, -1):
        for column in range(i + 1, size):
            right[i] -= matrix[i, column] * right[column]
        right[i] /= matrix[i, i]
    return right


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def nearest(n: np.ndarray, x: np.ndarray, offset: np.ndarray, z: np.ndarray, start: np.ndarray) -> None:
    """Fill `start` with the linearised solution: N/X on the columns, weighted as residuals of X would be."""
    points, k = z.shape
    normal = np.zeros((k, k))
    right = np.zeros(k)
    scale = np.zeros(k)
    for a in range(k):
        for i in range(points):
            scale[a] = max(scale[a], abs(z[i, a]))
    for i in range(points):
        weight = (x[i] * x[i] / n[i]) ** 2
        for a in range(k):
            right[a] += weight * z[i, a] / scale[a] * (n[i] / x[i] - offset[i])
            for b in range(k):
                normal[a, b] += weight * z[i, a] / scale[a] * z[i, b] / scale[b]
    found = solved(normal, right)
    for a in range(k):
        start[a] = found[a] / scale[a]


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def bounded_least(n: np.ndarray, x: np.ndarray, offset: np.ndarray, z: np.ndarray, keep: int) -> float:
    """The smallest sum of squares with no coefficient below 0: inside, or with some of those from `keep` on left out.

    z (points, 2). The first `keep` coefficients are never left out. Infinite when there is no such curve.
    """
    q = np.empty(2)
    nearest(n, x, offset, z, q)
    inside = descend(n, x, offset, z, q)
    if inside < np.inf and q[0] >= 0.0 and q[1] >= 0.0:
        return inside
    least = np.inf
    one = np.empty(1)
    for leave in range(keep, 2):
        rest = np.ascontiguousarray(z[:, 1 - leave : 2 - leave])
        nearest(n, x, offset, rest, one)
        squares = descend(n, x, offset, rest, one)
        if one[0] >= 0.0:
            least = min(least, squares)
    if keep == 0:
        squares = 0.0
        for i in range(n.size):
            squares += (x[i] - n[i] / offset[i]) ** 2
        least = min(least, squares)
    return least


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def descend(n: np.ndarray, x: np.ndarray, offset: np.ndarray, z: np.ndarray, start: np.ndarray) -> float:
    """The smallest sum of squares found from `start`, which becomes its q. Infinite where `start` is no curve.

    n, x, offset (points,), z (points, k), start (k,). Levenberg-Marquardt, scaled by the curvature of each unknown;
    a curve has a positive denominator at every point.
    """
    points, k = z.shape
    below = np.empty(points)  # the denominator
    left = np.empty(points)  # residuals
    tried = np.empty(points)
    squares = 0.0
    for i in range(points):
        below[i] = offset[i]
        for a in range(k):
            below[i] += z[i, a] * start[a]
        if not below[i] > 0.0:
            return np.inf
        left[i] = x[i] - n[i] / below[i]
        squares += left[i] ** 2
    caution = 1e-3
    normal = np.empty((k, k))
    gradient = np.empty(k)
    for _ in range(STEPS):
        normal[:, :] = 0.0
        gradient[:] = 0.0
        for i in range(points):
            slope = -n[i] / below[i] ** 2
            for a in range(k):
                gradient[a] += slope * z[i, a] * left[i]
                for b in range(k):
                    normal[a, b] += slope * slope * z[i, a] * z[i, b]
        better = np.inf
        for _ in range(TRIES):
            damped = normal.copy()
            for a in range(k):
                damped[a, a] *= 1.0 + caution
            step = solved(damped, gradient.copy())
            better = 0.0
            for i in range(points):
                tried[i] = below[i]
                for a in range(k):
                    tried[i] += z[i, a] * step[a]
                if not tried[i] > 0.0:
                    better = np.inf
                    break
                better += (x[i] - n[i] / tried[i]) ** 2
            if better < squares:
                break
            caution *= 10.0
        if not better < squares:
            break
        for a in range(k):
            start[a] += step[a]
        gain = squares - better
        squares = 0.0
        for i in range(points):
            below[i] = tried[i]
            left[i] = x[i] - n[i] / below[i]
            squares += left[i] ** 2
        caution *= 0.1
        if gain <= CONVERGED * squares:
            break
    return squares
