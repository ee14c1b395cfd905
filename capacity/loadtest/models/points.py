"""Measured load points as every model takes them: concurrency and throughput, checked once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from capacity.errors import InputError
from capacity.findings import Finding

#: Different concurrencies below which a curve is not fitted: R's `usl` warns and usl4j refuses below six (reference
#: loadtest.md 6.2); five points of the ray tracer give half the sigma of all eleven.
FEWEST: Final = 6

#: A curve is believed to this multiple of the largest concurrency measured, not beyond (reference loadtest.md 6.2).
REACH: Final = 2.0

#: Fewest requests in flight that count as one: a single user in a closed loop asks for a little less than all of the
#: time (0.96 to 0.99 of it by files of whole milliseconds), and this is the point that tells lam best.
LEAST: Final = 0.9

Values = Iterable[float] | np.ndarray


@dataclass(frozen=True, eq=False)
class Points:
    """`n` (points,) concurrency, at least LEAST, ascending; `x` (points,) throughput per second; what was left out."""

    n: np.ndarray
    x: np.ndarray
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, concurrency: Values, throughput: Values) -> Points:
        """Checked and sorted by concurrency. Points that are not known or below `LEAST` are left out, as findings say.

        Raises InputError for lengths that differ, text, and throughput or concurrency that is not positive.
        """
        n, x = _numbers(concurrency, "concurrency"), _numbers(throughput, "throughput")
        if len(n) != len(x):
            raise InputError(f"{len(n)} values of concurrency and {len(x)} of throughput: a point needs one of each")
        known = np.isfinite(n) & np.isfinite(x)
        wrong = known & ((n <= 0) | (x <= 0))
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"point {at + 1} of {len(n)} has concurrency {n[at]:g} and throughput {x[at]:g}: both must be above 0. "
                "Leave out what was not measured; a load point at which nothing was served says nothing of a rate."
            )
        findings = []
        if not known.all():
            message = f"{int((~known).sum())} of {len(n)} load points are not known and were left out"
            findings.append(Finding("", "", "unknown points", "REVIEW", message, count=int((~known).sum())))
        low = known & (n < LEAST)
        if low.any():
            message = f"{int(low.sum())} of {len(n)} load points have fewer than 1 request in flight and were left out"
            advice = "Below N = 1 the curve lies above the straight line; they show the latency without load."
            findings.append(Finding("", "", "points below one", "REVIEW", message, advice, count=int(low.sum())))
        keep = np.flatnonzero(known & ~low)
        order = keep[np.argsort(n[keep], kind="stable")]
        return cls(n[order], x[order], tuple(findings))

    @property
    def distinct(self) -> int:
        """How many different concurrencies there are."""
        return len(np.unique(self.n))

    def enough_for(self, what: str) -> Points:
        """These points. Raises InputError when there are fewer than FEWEST different concurrencies."""
        if self.distinct < FEWEST:
            raise InputError(
                f"{what} needs {FEWEST} different concurrencies of at least 1, and there are {self.distinct}: "
                f"{', '.join(f'{value:g}' for value in np.unique(self.n)) or 'none'}. "
                "Measure more load points, from one request in flight to past the knee."
            )
        return self


def _numbers(values: Values, name: str) -> np.ndarray:
    try:
        array = np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} has to be numbers, one a load point") from None
    if array.ndim != 1:
        raise InputError(f"{name} has to be one number a load point, and has the shape {array.shape}")
    return array


def rates(values: float | Values) -> np.ndarray:
    """One number or several, as floats: what the methods of a curve are asked for."""
    return np.asarray(values if np.isscalar(values) or isinstance(values, np.ndarray) else list(values), dtype=float)  # type: ignore[arg-type]


def aicc(squares: float, points: int, parameters: int) -> float:
    """Akaike's information criterion, corrected for few points, of a least-squares fit; lower is better.

    n ln(squares / n) + 2k + 2k(k+1)/(n-k-1), k = parameters + 1 for the size of the noise; infinite when n <= k + 1.
    Source: Hurvich and Tsai (1989), Biometrika 76, 297. A constant that depends on n alone is left out.

    >>> round(aicc(12 * 2.4**2, points=12, parameters=2))
    30
    """
    k = parameters + 1
    if points <= k + 1:
        return float("inf")
    return float(points * np.log(max(squares, 1e-300) / points) + 2 * k + 2 * k * (k + 1) / (points - k - 1))
