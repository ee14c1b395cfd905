"""How well supply followed demand: the elasticity metrics of SPEC's research group on cloud.

Source: Herbst et al., "Ready for Rain? A View from SPEC Research on the Future of Cloud Metrics", SPEC-RG-2016-01.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.display import table_html
from capacity.errors import InputError, Problem


@dataclass(frozen=True)
class Elasticity:
    """All in percent. Zero is perfect for each; they say nothing about cost in money.

    theta_u  under-provisioning accuracy: missing share of demand, averaged over time
    theta_o  over-provisioning accuracy: surplus as a share of demand, averaged over time
    tau_u    time in which supply was below demand
    tau_o    time in which supply was above demand
    upsilon  time in which supply and demand did not move the same way (instability)
    """

    theta_u: float
    theta_o: float
    tau_u: float
    tau_o: float
    upsilon: float
    intervals: int  # with both values known
    unknown: int  # with either missing: in no metric
    idle: int  # with no demand: in tau and upsilon, not in theta, which divides by demand

    def to_dict(self) -> dict[str, float]:
        """Name -> value."""
        return asdict(self)

    @property
    def series(self) -> pd.Series:
        """The same, as a pandas Series."""
        return pd.Series(asdict(self), name="elasticity")

    def plot(self) -> Any:
        """A bar a metric, in percent: zero is perfect for each."""
        from capacity import charts

        labels = {
            "share missing": self.theta_u,
            "share to spare": self.theta_o,
            "time with too few": self.tau_u,
            "time with too many": self.tau_o,
            "time out of step": self.upsilon,
        }
        return charts.bars(list(labels), list(labels.values()), "%", "How supply followed demand")

    def _repr_html_(self) -> str:
        return table_html(
            f"Elasticity over {self.intervals:,} intervals, %", self.series.drop("intervals").to_frame().T
        )


def elasticity(demand: npt.ArrayLike, supply: npt.ArrayLike) -> Elasticity:
    """SPEC's elasticity metrics of a supply that should follow a demand, both in one unit on one regular grid.

    demand, supply  (n,) tasks needed and tasks there. Series must carry the same index. NaN: not known, left out.

    Surplus where nothing is needed has no finite share of demand: such intervals count in tau_o, and `idle` says how
    many they are. Raises InputError for negative or infinite values, unlike shapes, or no interval to judge.

    >>> metrics = elasticity([10, 10, 12, 12], [8, 10, 15, 12])
    >>> metrics.theta_u, metrics.theta_o, metrics.tau_u, metrics.tau_o
    (5.0, 6.25, 25.0, 25.0)
    """
    need, have = _checked(demand, supply)
    known = ~(np.isnan(need) | np.isnan(have))
    used = known & (need > 0)
    if not known.any():
        raise InputError("elasticity needs at least one interval with both demand and supply")
    missing, surplus = np.maximum(need - have, 0)[used], np.maximum(have - need, 0)[used]
    moved = np.sign(np.diff(need)) != np.sign(np.diff(have))
    both = known[1:] & known[:-1]
    return Elasticity(
        theta_u=_percent(missing / need[used]),
        theta_o=_percent(surplus / need[used]),
        tau_u=_percent(need[known] > have[known]),
        tau_o=_percent(need[known] < have[known]),
        upsilon=_percent(moved[both]),
        intervals=int(known.sum()),
        unknown=int((~known).sum()),
        idle=int((known & (need == 0)).sum()),
    )


def _percent(share: np.ndarray) -> float:
    """Mean in percent; nothing to average means nothing went wrong."""
    return float(100 * share.mean()) if share.size else 0.0


def _checked(demand: npt.ArrayLike, supply: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(demand, pd.Series) and isinstance(supply, pd.Series) and not demand.index.equals(supply.index):
        raise InputError("demand and supply carry different stamps", advice="Bring both onto one grid first.")
    need, have = np.asarray(demand, dtype=float), np.asarray(supply, dtype=float)
    problems = []
    if need.ndim != 1 or need.shape != have.shape:
        problems.append(Problem(f"demand {need.shape} and supply {have.shape} must be one row of equal length"))
    for name, values in (("demand", need), ("supply", have)):
        if np.isinf(values).any() or (values < 0).any():
            problems.append(Problem("holds negative or infinite values", where=name))
    if problems:
        raise InputError("elasticity cannot be computed:", problems)
    return need, have
