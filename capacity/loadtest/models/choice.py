"""Which law the load points speak for: linear, ceiling, Amdahl or USL, by Akaike's criterion, all of them shown.

The USL has no term for a fixed number of servers: fitted across a hard ceiling it finds contention and coherency that
are not there, and promises a decline that does not come (reference loadtest.md 6.2). So it is never fitted alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd

from capacity.display import table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Findings
from capacity.loadtest.models.ceiling import Ceiling, Linear
from capacity.loadtest.models.fit_usl import bounded, fit_usl
from capacity.loadtest.models.points import REACH, Points, Values, aicc, rates
from capacity.loadtest.models.usl import UniversalScalability

#: Models whose AICc is at most this much above the best have support as well (Burnham and Anderson 2002, 2.6).
SUPPORTED: Final = 2.0


@dataclass(frozen=True)
class Amdahl:
    """X(N) = lam N / (1 + sigma (N-1)): the USL without coherency cost.

    >>> Amdahl(1.0, 0.25).throughput(4)
    2.2857142857142856
    """

    lam: float
    sigma: float
    name: ClassVar[str] = "Amdahl"
    parameters: ClassVar[int] = 2

    def throughput(self, n: float | Values) -> Any:
        """Per second, at concurrency `n`."""
        n = rates(n)
        values = self.lam * n / (1 + self.sigma * (n - 1))
        return float(values) if np.ndim(values) == 0 else values

    @classmethod
    def fit(cls, points: Points) -> Amdahl:
        """Least squares within lam > 0 and 0 <= sigma <= 1."""
        lam, sigma, _ = bounded(points.n, points.x, coherency=False)
        return cls(lam, sigma)

    def __str__(self) -> str:
        return f"Amdahl: lam {self.lam:.4g}, sigma {self.sigma:.3g}"


Curve = Linear | Ceiling | Amdahl | UniversalScalability


@dataclass(frozen=True, eq=False)
class Scaling:
    """The laws compared on the same points. `best` is the one with the lowest AICc.

    table   a row a law, best first: `model`, `law` (in words), `parameters`, `rmse`, `aicc`, `delta` (above the best),
            `weight` (its share of the evidence); a law that the points do not identify has NaN and says so
    points  a row a load point: `concurrency`, `throughput`, `fitted` and `residual` of the best
    """

    best: Curve
    table: pd.DataFrame
    points: pd.DataFrame = field(repr=False)
    curves: dict[str, Curve] = field(repr=False)
    findings: Findings = NO_FINDINGS

    @property
    def largest(self) -> float:
        """Largest concurrency measured."""
        return float(self.points["concurrency"].max())

    @property
    def reach(self) -> float:
        """The concurrency up to which the best law may be believed: twice the largest measured."""
        return REACH * self.largest

    def throughput(self, n: float | Values) -> Any:
        """The best law's throughput at `n`. Raises InputError beyond `reach`: nothing was measured near there."""
        n = rates(n)
        if n.size and float(np.max(n)) > self.reach:
            raise InputError(
                f"N = {float(np.max(n)):g} is more than twice the largest concurrency measured ({self.largest:g}): "
                "measure nearer to it; no law is believed that far."
            )
        return self.best.throughput(n)

    @property
    def knees(self) -> pd.DataFrame:
        """Where the curve bends, by definition: there is no knee without one (reference loadtest.md 6.4).

        A row a definition: `definition`, `concurrency`, `throughput`, `measured` (within what was measured).

        saturation point  N = largest X measured x smallest N/X measured: where the two asymptotic bounds meet
        maximum power     N of the largest X/R (Kleinrock), on the best law within what was measured
        peak              N of the largest X, of a law that has one
        """
        measured_n, measured_x = self.points["concurrency"].to_numpy(), self.points["throughput"].to_numpy()
        saturation = float(measured_x.max() * (measured_n / measured_x).min())
        n = np.linspace(1, self.largest, 4001)
        power = float(n[np.argmax(np.round(self.best.throughput(n) ** 2 / n, 9))])  # X / R = X^2 / N
        rows = [("saturation point", saturation), ("maximum power", power)]
        if isinstance(self.best, UniversalScalability) and np.isfinite(self.best.peak.concurrency):
            rows.append(("peak", self.best.peak.concurrency))
        frame = pd.DataFrame(rows, columns=["definition", "concurrency"])
        frame["throughput"] = self.best.throughput(frame["concurrency"].to_numpy())
        frame["measured"] = frame["concurrency"] <= self.largest
        return frame

    def __str__(self) -> str:
        return f"{self.best} ({self.table['weight'].iloc[0]:.0%} of the evidence among {len(self.curves)} laws)"

    def _repr_html_(self) -> str:
        return table_html(str(self), self.table)

    def plot(self) -> Any:
        """Chart of the points with the curve of every law. Needs the extra `report`."""
        from capacity.loadtest.models.pictures import scatter

        n = np.linspace(1, 1.15 * self.largest, 400)
        curves = {name: (n, self.curves[name].throughput(n)) for name in self.table["model"] if name in self.curves}
        measured = self.points["concurrency"], self.points["throughput"]
        return scatter(*measured, curves, across="concurrency", unit="throughput per second", title=str(self))


def fit_scaling(concurrency: Values, throughput: Values, *, level: float = 0.95) -> Scaling:
    """The laws of throughput by concurrency, fitted to the same points and compared.

    concurrency, throughput  as for `fit_usl`; level is that of the USL's intervals

    Raises InputError for fewer than 6 different concurrencies.

    >>> n = [1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48]  # 4 workers of 20 ms behind JMeter, loadtest.md 11
    >>> x = [49.1, 97.3, 141.4, 194.8, 196.2, 195.1, 199.3, 197.1, 195.7, 199.2, 193.3, 191.2]
    >>> print(fit_scaling(n, x).best)
    ceiling: min(48.24 N, 195.9), reached at N = 4.06
    """
    points = Points.of(concurrency, throughput).enough_for("a choice between scaling laws")
    curves: dict[str, Curve] = {kind.name: kind.fit(points) for kind in (Linear, Ceiling, Amdahl)}
    refused = ""
    findings = Findings.of(points.findings)
    try:
        law = fit_usl(points.n, points.x, level=level)
        curves["USL"] = law
        findings = Findings.of(findings, law.findings)
    except InputError as error:
        refused = str(error)
    table = _compared(points, curves, refused)
    best = curves[str(table["model"].iloc[0])]
    fitted = best.throughput(points.n)
    frame = pd.DataFrame({"concurrency": points.n, "throughput": points.x, "fitted": fitted})
    frame["residual"] = points.x - fitted
    return Scaling(best, table, frame, curves, findings)


def _compared(points: Points, curves: dict[str, Curve], refused: str) -> pd.DataFrame:
    rows = []
    for name, curve in curves.items():
        squares = float(np.sum((points.x - curve.throughput(points.n)) ** 2))
        parameters = 3 if isinstance(curve, UniversalScalability) else curve.parameters
        rmse = float(np.sqrt(squares / len(points.n)))
        rows.append((name, str(curve), parameters, rmse, aicc(squares, len(points.n), parameters)))
    table = pd.DataFrame(rows, columns=["model", "law", "parameters", "rmse", "aicc"])
    table = table.sort_values(["aicc", "parameters"], kind="stable", ignore_index=True)
    table["delta"] = table["aicc"] - table["aicc"].min()
    evidence = np.exp(-table["delta"] / 2)
    table["weight"] = evidence / evidence.sum()
    if refused:
        table.loc[len(table)] = ["USL", refused, 3, np.nan, np.nan, np.nan, np.nan]
    return table
