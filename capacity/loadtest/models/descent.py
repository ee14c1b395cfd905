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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def solved(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """x of matrix x = right, for the few unknowns there are here; NaN where it is singular. Both are used up."""
    size = right.size
    for i in range(size):
        pivot = i
        for row in range(i + 1, size):
            if abs(matrix[row, i]) > abs(matrix[pivot, i]):
                pivot = row
        if matrix[pivot, i] == 0.0:
            right[:] = np.nan
            return right
        for column in range(size):
            matrix[i, column], matrix[pivot, column] = matrix[pivot, column], matrix[i, column]
        right[i], right[pivot] = right[pivot], right[i]
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


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
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
