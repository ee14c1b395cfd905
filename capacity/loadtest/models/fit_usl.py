"""Fitting the Universal Scalability Law: bounded least squares, and intervals by profile likelihood.

Point estimates are plain least squares of throughput within lam > 0, 0 <= sigma <= 1, kappa >= 0, as R's `usl` gives
them. Intervals ask, for each value of one parameter, how much worse the best curve with that value fits: where curves
bend, a symmetric estimate +/- error does not cover. Three things make them keep their promise with 8 to 20 points:

- how much worse is too much depends on the noise, which may be constant or in proportion to throughput; simulated runs
  of the same design make up for not knowing which (evidence.py);
- the other parameters stay within their bounds meanwhile, which is what is known of them;
- at a parameter's own bound, Feldman and Cousins' tails are used (evidence.py).

`python -m benchmarks.usl` measures the coverage beside that of scipy's curve_fit.
Known to fall short: with noise in proportion to throughput, 8 points and sigma or kappa truly 0, lam is held some 89 %.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.findings import Finding, Findings
from capacity.loadtest.models.evidence import Spread, crossing, tails
from capacity.loadtest.models.points import Points, Values
from capacity.loadtest.models.usl import UniversalScalability

Form = Literal["full", "quadratic"]

#: Sums of squares below this share of the data's own are rounding: the points lie on the curve.
EXACT: Final = 1e-24

#: Kappa beyond which its interval counts as unlimited: already at N = 2 a request would take 200 times its time alone.
MOST_KAPPA: Final = 100.0

#: Columns of the Jacobian (of length 1) with a singular value below this say the same thing twice.
SINGULAR: Final = 1e-7

#: A negative sigma is a finding when the data are this sure of it.
SURE: Final = 0.975


def fit_usl(
    concurrency: Values, throughput: Values, *, level: float = 0.95, form: Form = "full"
) -> UniversalScalability:
    """The law that fits these load points best, with an interval of each parameter.

    concurrency  requests in flight (or tasks, or processors), at least 1; points below are left out
    throughput   per second, measured in steady windows, at each
    level        of the intervals, in (0, 1)
    form         "full": lam, sigma and kappa by least squares of throughput. "quadratic": Gunther's older way, lam the
                 throughput measured at N = 1, sigma and kappa by regression of N/C - 1 on N - 1 and (N - 1)^2. Many
                 published coefficients are of that kind; it weighs the largest N most, and takes lam as exact

    Do not fit past a hard ceiling such as a fixed number of workers: `fit_scaling` tells. Raises InputError for fewer
    than 6 different concurrencies, and when the points leave a parameter open: lam without an upper limit, sigma
    anything from 0 to 1.

    >>> n = [1, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64]  # ray tracer on an SGI Origin 2000, Gunther (2007)
    >>> x = [20, 78, 130, 170, 190, 200, 210, 230, 260, 280, 310]
    >>> law = fit_usl(n, x)
    >>> round(law.lam, 2), round(law.sigma, 4), round(law.kappa, 6)
    (21.85, 0.0578, 0.0)
    >>> law = fit_usl(n, x, form="quadratic")
    >>> round(law.sigma, 4), round(law.kappa, 7)
    (0.05, 4.7e-06)
    """
    if not 0 < level < 1:
        raise InputError(f"level is {level:g}: it must lie between 0 and 1, such as 0.95")
    if form not in ("full", "quadratic"):
        raise InputError(f"form is {form!r}: it is 'full' or 'quadratic'")
    points = Points.of(concurrency, throughput).enough_for("the Universal Scalability Law")
    return _quadratic(points, level) if form == "quadratic" else _full(points, level)


# --- three parameters -------------------------------------------------------------------------------------------------


def _full(points: Points, level: float) -> UniversalScalability:
    problem = _Problem(points.n, points.x)
    lam, sigma, kappa = bounded(points.n, points.x)
    squares = problem.squares(lam, sigma, kappa)
    if squares <= EXACT * float(np.sum(points.x**2)):
        intervals = {"lam": (lam, lam), "sigma": (sigma, sigma), "kappa": (kappa, kappa)}
        return _law(points, (lam, sigma, kappa), intervals, level, None, ())
    free, least = problem.best(problem.columns)
    if not (np.isfinite(least) and free[0] > 0):
        raise _unidentified("lam has no upper limit", points)
    fitted = points.n / (problem.columns @ free)
    jacobian = -(fitted**2 / points.n)[:, None] * problem.columns
    if np.linalg.matrix_rank(jacobian / np.linalg.norm(jacobian, axis=0), tol=SINGULAR) < 3:
        raise _unidentified("several sets of parameters give the same curve", points)
    spread = Spread.of(jacobian, points.x - fitted, fitted)
    profiles = [
        _Profile(problem, which, free, value, squares, spread) for which, value in enumerate((1 / lam, sigma, kappa))
    ]
    half = (1 - level) / 2
    slowest, fastest = profiles[0].end(1 - half, np.inf), profiles[0].end(half, 0.0)
    if fastest <= 0:
        raise _unidentified("lam has no upper limit", points)
    found = {"lam": (1 / slowest, 1 / fastest)}
    negative = []
    for name, profile, most in (("sigma", profiles[1], 1.0), ("kappa", profiles[2], MOST_KAPPA)):
        negative.append(profile.negative())
        lower, upper = tails(negative[-1], level)
        low = 0.0 if lower is None else profile.end(lower, 0.0)
        found[name] = (low, max(profile.end(upper, most), profile.estimate))
    if found["sigma"] == (0.0, 1.0):
        raise _unidentified("sigma may be anything from 0 to 1", points)
    if found["kappa"][1] >= MOST_KAPPA:
        raise _unidentified("kappa has no upper limit", points)
    findings = []
    if negative[0] > SURE:
        message = "throughput rises faster than concurrency: sigma would be negative and was held at 0"
        advice = "Look for warm-up, caches that fill, or points measured before the load was steady."
        findings.append(Finding("", "throughput", "superlinear", "REVIEW", message, advice))
    return _law(points, (lam, sigma, kappa), found, level, spread, findings)


def bounded(n: np.ndarray, x: np.ndarray, *, coherency: bool = True) -> tuple[float, float, float]:
    """lam, sigma, kappa of least squares within the bounds: the best of the free fit and of those on each bound.

    Without `coherency` kappa is 0, which is Amdahl's law.
    """
    problem = _Problem(n, x)
    one, queueing, crosstalk = problem.columns.T
    faces: list[tuple[tuple[np.ndarray, ...], int | float, int | float]] = [  # columns; sigma and kappa: place or value
        ((one, queueing), 1, 0.0),
        ((one + queueing,), 1.0, 0.0),
        ((one,), 0.0, 0.0),
    ]
    if coherency:
        faces += [((one, queueing, crosstalk), 1, 2), ((one, crosstalk), 0.0, 1), ((one + queueing, crosstalk), 1.0, 1)]
    best = (np.inf, (np.nan, np.nan, np.nan))
    rounding = EXACT * float(np.sum(x**2))
    for columns, *places in faces:
        q, squares = problem.best(np.column_stack(columns))
        sigma, kappa = (place if isinstance(place, float) else float(q[place] / q[0]) for place in places)
        if q[0] > 0 and 0 <= sigma <= 1 and kappa >= 0 and squares < best[0] * (1 - 1e-12) - rounding:
            best = (squares, (float(1 / q[0]), sigma, kappa))
    return best[1]


class _Problem:
    """Points to be fitted, and the columns 1, N-1, N(N-1) of the law's denominator."""

    def __init__(self, n: np.ndarray, x: np.ndarray) -> None:
        self.n, self.x = n, x
        self.columns = np.column_stack([np.ones(len(n)), n - 1, n * (n - 1)])

    def squares(self, lam: float, sigma: float, kappa: float) -> float:
        """Sum of squared residuals of a law."""
        return float(np.sum((self.x - lam * self.n / (self.columns @ (1.0, sigma, kappa))) ** 2))

    def best(self, columns: np.ndarray) -> tuple[np.ndarray, float]:
        """(k,) coefficients of the smallest sum of squares, bounds aside, and it: from several starts."""
        from capacity.loadtest.models.descent import descend, nearest

        columns, nothing = np.ascontiguousarray(columns), np.zeros(len(self.n))
        slowest = float(np.min(self.n / self.x / columns[:, 0]))
        linear = np.empty(columns.shape[1])
        nearest(self.n, self.x, nothing, columns, linear)
        starts = [linear, slowest * np.eye(1, columns.shape[1])[0]]
        if columns.shape[1] == 3:
            starts += [slowest * np.array([1, 0.1, 0.01]), slowest * np.array([1, 0.01, 1e-4])]  # loadtest.md 6.2
        squares = [descend(self.n, self.x, nothing, columns, start) for start in starts]
        place = int(np.argmin(squares))
        return starts[place], float(squares[place])


class _Profile:
    """How sure the truth of one parameter lies below a value: 0 is 1 / lam, 1 is sigma, 2 is kappa."""

    def __init__(
        self,
        problem: _Problem,
        which: int,
        free: np.ndarray,  # coefficients with the bounds aside
        estimate: float,  # the parameter within the bounds
        squares: float,  # of the fit within the bounds
        spread: Spread,
    ) -> None:
        self.problem, self.which, self.estimate, self.squares = problem, which, estimate, squares
        one = free[0]
        self.unbounded = float(one if which == 0 else free[which] / one)
        gradient = np.zeros(3)
        gradient[which] = 1 if which == 0 else 1 / one
        if which:
            gradient[0] = -free[which] / one**2
        self.noise = spread.along(gradient)
        jacobian = (problem.n / (problem.columns @ free) ** 2)[:, None] * problem.columns
        scale = np.sqrt(np.sum(jacobian**2, axis=0))
        inverse = np.linalg.pinv((jacobian / scale).T @ (jacobian / scale))
        self.stretch = float((gradient / scale) @ inverse @ (gradient / scale))  # of (value - estimate)^2 per square

    def columns(self, value: float) -> tuple[np.ndarray, np.ndarray, int]:
        """Offset and columns of the law with this value, and how many columns may not be left out."""
        one, queueing, crosstalk = self.problem.columns.T
        if self.which == 0:
            return value * one, np.column_stack([queueing, crosstalk]), 0
        fixed, other = (queueing, crosstalk) if self.which == 1 else (crosstalk, queueing)
        return np.zeros(len(one)), np.column_stack([one + value * fixed, other]), 1

    def distance(self, value: float) -> float:
        """Signed root of what a value costs in squares, in units of the parameter as far as the curve is linear."""
        from capacity.loadtest.models.descent import bounded_least

        cost = bounded_least(self.problem.n, self.problem.x, *self.columns(value)) - self.squares
        return float(np.sign(value - self.estimate) * np.sqrt(max(cost, 0.0) * self.stretch))

    def negative(self) -> float:
        """How sure the data alone are that the parameter is negative, all bounds aside."""
        from capacity.loadtest.models.descent import descend, nearest

        offset, columns, _ = self.columns(0.0)
        start = np.empty(2)
        nearest(self.problem.n, self.problem.x, offset, columns, start)
        zero = descend(self.problem.n, self.problem.x, offset, columns, start)
        _, least = self.problem.best(self.problem.columns)
        distance = float(np.sign(-self.unbounded) * np.sqrt(max(zero - least, 0.0) * self.stretch))
        return float(self.noise.below(distance))

    def end(self, confidence: float, stop: float) -> float:
        """The value that the truth lies below with this confidence; `stop` if it lies beyond."""
        target = float(self.noise.distance(confidence))
        step = abs(target) or 1e-12
        if target < 0:
            return crossing(lambda value: target - self.distance(value), self.estimate, -step, stop)
        return crossing(lambda value: self.distance(value) - target, self.estimate, step, stop)


# --- two parameters ---------------------------------------------------------------------------------------------------


def _quadratic(points: Points, level: float) -> UniversalScalability:
    from scipy.stats import t

    single = points.n == 1
    if not single.any():
        raise InputError(
            "the quadratic form takes lam from the throughput measured at N = 1, and no point is there: "
            "measure it, or use form='full'"
        )
    lam = float(points.x[single].mean())
    n, x = points.n[~single], points.x[~single]
    columns = np.column_stack([n - 1, (n - 1) ** 2])
    deviation = n * lam / x - 1
    (first, second), *_ = np.linalg.lstsq(columns, deviation, rcond=None)
    free = np.array([first - second, second])  # sigma (N-1) + kappa N (N-1) = (sigma + kappa)(N-1) + kappa (N-1)^2
    kappa = max(0.0, float(free[1]))
    sigma = float(free[0])
    if free[1] < 0:
        sigma = float(np.sum((n - 1) * deviation) / np.sum((n - 1) ** 2))
    elif free[0] < 0:
        kappa = max(0.0, float(np.sum(n * (n - 1) * deviation) / np.sum((n * (n - 1)) ** 2)))
    sigma = min(max(sigma, 0.0), 1.0)
    freedom = len(n) - 2
    size = float(np.sum((deviation - columns @ (first, second)) ** 2)) / freedom
    inverse = size * np.linalg.inv(columns.T @ columns)
    deviations = np.sqrt([inverse[0, 0] + inverse[1, 1] - 2 * inverse[0, 1], inverse[1, 1]])
    half = deviations * t.ppf((1 + level) / 2, freedom)
    found = {"lam": (lam, lam)}
    for name, value, centre, width in zip(("sigma", "kappa"), (sigma, kappa), free, half, strict=True):
        found[name] = (min(max(float(centre - width), 0.0), value), max(float(centre + width), value))
    return _law(points, (lam, sigma, kappa), found, level, None, ())


# --- both -------------------------------------------------------------------------------------------------------------


def _law(
    points: Points,
    values: tuple[float, float, float],
    intervals: dict[str, tuple[float, float]],
    level: float,
    spread: Spread | None,
    findings: list[Finding] | tuple[Finding, ...],
) -> UniversalScalability:
    lam, sigma, kappa = values
    fitted = lam * points.n / (1 + sigma * (points.n - 1) + kappa * points.n * (points.n - 1))
    frame = pd.DataFrame({"concurrency": points.n, "throughput": points.x, "fitted": fitted})
    frame["residual"] = points.x - fitted
    return UniversalScalability(
        lam, sigma, kappa, intervals, level, frame, spread, Findings.of(points.findings, findings)
    )


def _unidentified(what: str, points: Points) -> InputError:
    return InputError(
        f"{len(points.n)} points at concurrency {points.n[0]:g} to {points.n[-1]:g} do not identify the Universal "
        f"Scalability Law: {what}. Measure at lower concurrency (from 1 up), over a wider range and in longer steady "
        "windows, so that the curve stands out from the noise."
    )
