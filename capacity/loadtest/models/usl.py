"""The Universal Scalability Law: X(N) = lam N / (1 + sigma (N-1) + kappa N (N-1)), and what follows from it.

lam is throughput at N = 1, sigma the share of work that queues for something (contention), kappa the cost of keeping
each aware of every other (coherency). N is requests in flight, or tasks, or processors. Source: Gunther, "Guerrilla
Capacity Planning" (2007). All formulas: reference loadtest.md 6.1, each checked against X = N / R by the tests;
published code drops kappa from two of the inverses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.display import table_html
from capacity.findings import NO_FINDINGS, Findings
from capacity.loadtest.models.evidence import Spread
from capacity.loadtest.models.points import REACH, Values, aicc, rates

#: Kappa below which there is no peak to speak of: it would lie beyond a million million requests in flight.
NO_PEAK: Final = 1e-24

#: Points of a drawn curve: one every few pixels.
DRAWN: Final = 200


class Peak(NamedTuple):
    """Where throughput is largest. `measured`: whether that concurrency lies within what was measured."""

    concurrency: float
    throughput: float
    measured: bool


@dataclass(frozen=True, eq=False)
class UniversalScalability:
    """A fitted law with its evidence. Throughput in requests/s makes latency seconds.

    intervals  "lam", "sigma", "kappa" -> (low, high) at `level`
    points     a row a load point: `concurrency`, `throughput`, `fitted`, `residual` (measured - fitted)
    """

    lam: float
    sigma: float
    kappa: float
    intervals: dict[str, tuple[float, float]]
    level: float
    points: pd.DataFrame = field(repr=False)
    spread: Spread | None = field(repr=False, default=None)
    findings: Findings = NO_FINDINGS

    # --- the curve ----------------------------------------------------------------------------------------------------

    def throughput(self, n: float | Values) -> Any:
        """X at concurrency `n` (at least 1), as many as were asked for.

        >>> law = UniversalScalability(1.0, 0.02, 0.02, {}, 0.95, pd.DataFrame())
        >>> [round(float(x), 4) for x in law.throughput([1, 4, 8])]
        [1.0, 3.0769, 3.5398]
        """
        n = rates(n)
        return _plain(self.lam * n / (1 + self.sigma * (n - 1) + self.kappa * n * (n - 1)))

    def latency(self, n: float | Values) -> Any:
        """Mean seconds of a request at concurrency `n`: N / X, by Little's law."""
        n = rates(n)
        return _plain((1 + self.sigma * (n - 1) + self.kappa * n * (n - 1)) / self.lam)

    def efficiency(self, n: float | Values) -> Any:
        """Throughput as a share of what would be in proportion to `n`."""
        n = rates(n)
        return _plain(1 / (1 + self.sigma * (n - 1) + self.kappa * n * (n - 1)))

    def concurrency_at(self, throughput: float | Values) -> Any:
        """The concurrency that gives this throughput, on the side before the peak. NaN where none does.

        The smaller root of x kappa N^2 + (x (sigma - kappa) - lam) N + x (1 - sigma) = 0.
        """
        x = rates(throughput)
        x = np.where(np.isfinite(x), x, np.nan)
        middle = self.lam - x * (self.sigma - self.kappa)
        last = x * (1 - self.sigma)
        with np.errstate(invalid="ignore", divide="ignore"):
            root = np.sqrt(middle**2 - 4 * x * self.kappa * last)  # NaN above the peak
            n = np.where(last == 0, _flat(x, self.lam), 2 * last / (middle + root))  # no cancellation as kappa -> 0
        return _plain(np.where((middle > 0) & (x > 0), n, np.nan))

    def concurrency_at_latency(self, latency: float | Values) -> Any:
        """The concurrency at which the mean response takes this many seconds; NaN where it is never so short."""
        r = rates(latency)
        bend = self.sigma - self.kappa
        short = 1 - self.sigma - self.lam * r  # negative for all r that are reached above N = 0
        with np.errstate(invalid="ignore", divide="ignore"):
            root = np.sqrt(bend**2 - 4 * self.kappa * short)
            n = -2 * short / (bend + root)  # (-bend + root) / 2 kappa, without its cancellation
        return _plain(np.where((short < 0) & np.isfinite(n), n, np.nan))

    def throughput_at(self, latency: float | Values) -> Any:
        """Throughput at which the mean response takes this many seconds; NaN where none does. No percentile."""
        return _plain(self.concurrency_at_latency(latency) / rates(latency))

    # --- landmarks ----------------------------------------------------------------------------------------------------

    @property
    def peak(self) -> Peak:
        """Concurrency and throughput of the maximum; without coherency cost both are the far limit."""
        if self.kappa < NO_PEAK:
            return Peak(float("inf"), self.ceiling, False)
        n = max(1.0, float(np.sqrt((1 - self.sigma) / self.kappa)))
        return Peak(n, self.throughput(n), n <= self.largest)

    @property
    def ceiling(self) -> float:
        """lam / sigma: what throughput tends to without coherency cost; infinite without contention."""
        return self.lam / self.sigma if self.sigma > 0 else float("inf")

    @property
    def largest(self) -> float:
        """Largest concurrency measured."""
        return float(self.points["concurrency"].max()) if len(self.points) else float("nan")

    @property
    def reach(self) -> float:
        """The concurrency up to which the curve may be believed: twice the largest measured."""
        return REACH * self.largest

    def split(self, n: float | Values) -> pd.DataFrame:
        """Time of a request at `n` over its time alone: `ideal`, `contention`, `coherency` (R's `overhead`)."""
        n = np.atleast_1d(rates(n))
        shares = {"ideal": 1 / n, "contention": self.sigma * (n - 1) / n, "coherency": self.kappa * (n - 1) / 2}
        return pd.DataFrame(shares, index=pd.Index(n, name="concurrency"))

    # --- how well it fits ---------------------------------------------------------------------------------------------

    @property
    def lam_interval(self) -> tuple[float, float]:
        return self.intervals["lam"]

    @property
    def sigma_interval(self) -> tuple[float, float]:
        return self.intervals["sigma"]

    @property
    def kappa_interval(self) -> tuple[float, float]:
        return self.intervals["kappa"]

    @property
    def residuals(self) -> np.ndarray:
        """(points,) measured less fitted, in order of concurrency."""
        return np.asarray(self.points["residual"], dtype=float)

    @property
    def rmse(self) -> float:
        """Root of the mean squared residual, in the unit of throughput."""
        return float(np.sqrt(np.mean(self.residuals**2)))

    @property
    def residual_error(self) -> float:
        """Residual standard error: as `rmse`, by points less three parameters (what R prints)."""
        return float(np.sqrt(np.sum(self.residuals**2) / (len(self.residuals) - 3)))

    @property
    def aicc(self) -> float:
        """Akaike's criterion for few points, to be compared with other models of the same points."""
        return aicc(float(np.sum(self.residuals**2)), len(self.residuals), 3)

    def band(self, n: float | Values) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of the curve's interval at `n` (the curve's, not of single measurements).

        First order in the parameters. NaN for a law that was not fitted in its three parameters.
        """
        n = np.atleast_1d(rates(n))
        middle = np.atleast_1d(self.throughput(n))
        if self.spread is None:
            return np.full(n.shape, np.nan), np.full(n.shape, np.nan)
        gradient = -(middle**2 / n)[:, None] * np.column_stack([np.ones(len(n)), n - 1, n * (n - 1)])
        half = self.spread.along(gradient).distance((1 + self.level) / 2)
        return np.maximum(middle - half, 0.0), middle + half

    # --- shown --------------------------------------------------------------------------------------------------------

    @property
    def frame(self) -> pd.DataFrame:
        """A row a parameter: `parameter`, `value`, `low`, `high`."""
        values = {"lam": self.lam, "sigma": self.sigma, "kappa": self.kappa}
        rows = [(name, value, *self.intervals.get(name, (np.nan, np.nan))) for name, value in values.items()]
        return pd.DataFrame(rows, columns=["parameter", "value", "low", "high"])

    def __str__(self) -> str:
        peak = self.peak
        if not np.isfinite(peak.concurrency):
            limit = f"throughput tends to {peak.throughput:.4g}" if np.isfinite(peak.throughput) else "no limit seen"
        else:
            limit = f"peak {peak.throughput:.4g} at N = {peak.concurrency:.3g}"
            limit += "" if peak.measured else ", which was not measured"
        return f"USL: lam {self.lam:.4g}, sigma {self.sigma:.3g}, kappa {self.kappa:.3g}; {limit}"

    def _repr_html_(self) -> str:
        return table_html(f"{self}; intervals at {100 * self.level:g} %", self.frame)

    def plot(self) -> Any:
        """Chart of points, curve and its band. Needs the extra `report`."""
        from capacity.loadtest.models.pictures import scatter

        n = np.linspace(1, 1.15 * self.largest, DRAWN)
        return scatter(
            self.points["concurrency"],
            self.points["throughput"],
            {"fitted": (n, self.throughput(n))},
            across="concurrency",
            unit="throughput per second",
            title=str(self),
            band=(n, *self.band(n)),
        )

    def plot_residuals(self) -> Any:
        """Chart of what the curve leaves: a bow says that another law is at work. Needs the extra `report`."""
        from capacity.loadtest.models.pictures import scatter

        zero = (np.array([1.0, 1.15 * self.largest]), np.zeros(2))
        return scatter(
            self.points["concurrency"],
            self.points["residual"],
            {"fitted": zero},
            across="concurrency",
            unit="throughput per second, measured less fitted",
            title="Residuals",
        )


def _plain(values: np.ndarray) -> Any:
    """A number for one, an array for several."""
    return float(values) if np.ndim(values) == 0 else values


def _flat(x: np.ndarray, lam: float) -> np.ndarray:
    """With sigma = 1 throughput does not rise from N = 1 on: reached there, or never."""
    return np.where(x <= lam, 1.0, np.nan)
