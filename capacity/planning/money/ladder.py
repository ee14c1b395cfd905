"""Buying in steps: part of a commitment now, and the rest as it turns out to be needed.

A commitment can be added to on any day, and never be given back. Where it is uncertain whether load grows or falls, the
steps wait for that to be seen, at the price of some months without their saving.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from capacity.planning.money.covering import paid
from capacity.planning.money.options import Market
from capacity.planning.prices import HOURS_PER_MONTH

#: Name of each way to buy -> how much of the aim is held after each quarter's purchase.
WAYS: Final = {
    "all at once": (1.0,),
    "two halves": (0.5, 1.0),
    "four quarters": (0.25, 0.5, 0.75, 1.0),
}

_QUARTER: Final = pd.Timedelta(hours=8760 / 4)


def ladder(market: Market, starts: pd.DatetimeIndex, aim: float) -> pd.DataFrame:
    """What each way to buy saves over the term: columns way, first, saving, saving_p5, saving_p95, loses.

    aim     USD an hour that would be bought at once
    first   of it, what is bought now

    At the end of each quarter the aim follows the level of the quarter that was seen, path by path; what is above what
    is held is bought, and nothing is given back. Counted is the first term; money in USD a month.
    """
    quarters = np.minimum(((starts - starts[0]) // _QUARTER).to_numpy(), 3)
    hours, total = market.spend.hours, market.spend.total
    levels = np.stack([_mean(total[:, quarters == q], hours[quarters == q]) for q in range(4)], axis=1)  # (P, 4)
    expected = levels[:, 0].mean()
    rows = []
    for way, shares in WAYS.items():
        held = np.empty_like(levels)
        held[:, 0] = aim * shares[0]
        for quarter in range(1, 4):
            share = shares[min(quarter, len(shares) - 1)] if len(shares) > 1 else 0.0
            wanted = aim * share * levels[:, quarter - 1] / max(expected, np.finfo(float).tiny)
            held[:, quarter] = np.maximum(held[:, quarter - 1], wanted)
        saved = market.mean(total - paid(market.spend, held[:, quarters]).total) * HOURS_PER_MONTH
        low, high = np.quantile(saved, (0.05, 0.95))
        rows.append((way, aim * shares[0], saved.mean(), low, high, (saved < -1e-9).mean()))
    return pd.DataFrame(rows, columns=["way", "first", "saving", "saving_p5", "saving_p95", "loses"])


def _mean(hourly: np.ndarray, hours: np.ndarray) -> np.ndarray:
    return np.asarray(hourly @ hours / hours.sum())
