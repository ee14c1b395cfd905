"""One commitment over a term: what it saves, how much of it is used, how much it covers, and what it may regret."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from capacity.planning.money.covering import Eligible, best_commitment, paid
from capacity.planning.money.offers import Offer
from capacity.planning.prices import HOURS_PER_MONTH

#: Quantiles over the paths that are told beside each mean.
LEVELS: Final = {"p5": 0.05, "p95": 0.95}


@dataclass(frozen=True, eq=False)
class Market:
    """What one kind of Savings Plan meets: spend over the term that nothing covers yet."""

    offer: Offer
    spend: Eligible
    rest: float = 0.0  # USD an hour of what this plan has no known price for, and so leaves on demand

    @cached_property
    def best(self) -> float:
        """The commitment of least mean cost, if the paths are believed and nothing else."""
        return best_commitment([(self.spend, 1.0)])

    @cached_property
    def foreseen(self) -> np.ndarray:
        """(P,) USD an hour of each path, had the best commitment for it been known."""
        found = []
        for number in range(self.spend.usd.shape[1]):
            path = self.spend.path(number)
            found.append(self.mean(paid(path, best_commitment([(path, 1.0)])).total)[0])
        return np.array(found)

    def mean(self, hourly: np.ndarray) -> np.ndarray:
        """(P,) mean over the hours of the term."""
        return np.asarray(hourly @ self.spend.hours / self.spend.hours.sum())


def outcome(market: Market, usd_per_hour: float) -> dict[str, Any]:
    """A row of `Commitment.frame`: means over the paths, their quantiles, all money in USD a month."""
    bill = paid(market.spend, usd_per_hour)
    spent, total = market.mean(bill.total), market.mean(market.spend.total)
    saved = (total - spent) * HOURS_PER_MONTH
    committed = max(usd_per_hour, np.finfo(float).tiny)
    used = market.mean(bill.used) / committed if usd_per_hour > 0 else np.full(len(spent), np.nan)
    covered = market.mean(bill.covered.sum(axis=0)) / np.where(total > 0, total, np.nan)
    return {
        "term_years": market.offer.term_years,
        "payment": market.offer.payment,
        "usd_per_hour": usd_per_hour,
        "usd_per_month": float((spent.mean() + market.rest) * HOURS_PER_MONTH),
        **_spread("saving", saved),
        "loses": float((saved < -1e-9).mean()),
        **_spread("utilization", used),
        **_spread("coverage", covered),
        "regret": float((spent - market.foreseen).mean() * HOURS_PER_MONTH),
    }


def _spread(name: str, values: np.ndarray) -> dict[str, float]:
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return {name: np.nan, **{f"{name}_{level}": np.nan for level in LEVELS}}
    quantiles = {f"{name}_{level}": float(np.quantile(known, share)) for level, share in LEVELS.items()}
    return {name: float(known.mean()), **quantiles}
