"""Throughput in proportion to concurrency until all servers are busy: X(N) = min(lam N, C)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from capacity.loadtest.models.points import Points, Values, rates


@dataclass(frozen=True)
class Linear:
    """X(N) = lam N: no limit was reached in what was measured.

    >>> Linear(49.0).throughput(3)
    147.0
    """

    lam: float
    name: ClassVar[str] = "linear"
    parameters: ClassVar[int] = 1

    def throughput(self, n: float | Values) -> Any:
        """Per second, at concurrency `n`."""
        return _plain(self.lam * rates(n))

    @classmethod
    def fit(cls, points: Points) -> Linear:
        """Least squares through the origin."""
        return cls(float(points.n @ points.x / (points.n @ points.n)))

    def __str__(self) -> str:
        return f"linear: {self.lam:.4g} N"


@dataclass(frozen=True)
class Ceiling:
    """X(N) = min(lam N, limit): a fixed number of servers, such as workers or cores, and nothing else in the way.

    >>> Ceiling(49.0, 196.0).throughput([2, 4, 40])
    array([ 98., 196., 196.])
    >>> Ceiling(49.0, 196.0).knee
    4.0
    """

    lam: float
    limit: float
    name: ClassVar[str] = "ceiling"
    parameters: ClassVar[int] = 2

    def throughput(self, n: float | Values) -> Any:
        """Per second, at concurrency `n`."""
        return _plain(np.minimum(self.lam * rates(n), self.limit))

    @property
    def knee(self) -> float:
        """The concurrency at which the limit is reached: how many servers there are."""
        return self.limit / self.lam

    @classmethod
    def fit(cls, points: Points) -> Ceiling:
        """Least squares over every place the knee may have: between two points, or on one of them."""
        n, x = points.n, points.x
        candidates = []
        for cut in np.unique(n)[:-1]:
            rising = n <= cut
            lam = float(n[rising] @ x[rising] / (n[rising] @ n[rising]))
            candidates.append(cls(lam, float(x[~rising].mean())))
        for knee in np.unique(n):
            shape = np.minimum(n, knee)
            lam = float(shape @ x / (shape @ shape))
            candidates.append(cls(lam, lam * float(knee)))
        return min(candidates, key=lambda curve: float(np.sum((x - curve.throughput(n)) ** 2)))

    def __str__(self) -> str:
        return f"ceiling: min({self.lam:.4g} N, {self.limit:.4g}), reached at N = {self.knee:.3g}"


def _plain(values: np.ndarray) -> Any:
    return float(values) if np.ndim(values) == 0 else values
