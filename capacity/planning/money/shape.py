"""The weeks of a term by the hours that the last weeks had.

A forecast is better at how much a week will need than at how far its quiet hours lie below its busy ones: each hour's
own doubt blurs them, and the low end, which decides a commitment, comes out too low. Here each path keeps the mean of
each of its weeks, and takes the hours within from what was measured.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from capacity.planning.money.spend import Hourly
from capacity.planning.money.term import Term

#: Days at the end of the past whose hours stand for those to come.
SHAPE_DAYS: Final = 28

_WEEK: Final = 7 * 24


def in_recent_shape(term: Term, past: Hourly) -> Term | None:
    """The term with each week's mean on each path as it was, its hours in proportion to those of the past's weeks.

    Paths and weeks take the past's whole weeks in turn. No hour is below the least that any path holds: tasks have a
    minimum. None where the past has no whole week, or one without spend.

    >>> import pandas as pd
    >>> from capacity.planning.money.spend import Place
    >>> place, hours = Place("r", "x86_64", "vcpu"), np.ones(336)
    >>> term = Term({place: np.repeat([[10.0, 20.0]], 168, axis=1)}, pd.date_range("2026", periods=336, freq="h"),
    ...             hours, 0.0)
    >>> lately = Hourly({place: np.tile([1.0, 3.0], 84)[None]}, pd.date_range("2025", periods=168, freq="h"), 1.0)
    >>> in_recent_shape(term, lately).usd[place][0, [0, 1, 168, 169]].tolist()  # not below 10
    [10.0, 15.0, 10.0, 30.0]
    """
    steps = max(1, round(_WEEK / past.hours))
    count = len(past.starts) // steps
    last = {place: past.usd[place][0, len(past.starts) - count * steps :] for place in term.usd}
    if count == 0 or any(own.mean() <= 0 for own in last.values()):
        return None
    begins = _weeks(term)
    hours = np.add.reduceat(term.hours, begins)
    usd = {}
    for place, own in term.usd.items():
        levels = np.add.reduceat(own * term.hours, begins, axis=1) / hours  # (P, W)
        shapes = (last[place] / last[place].mean()).reshape(count, steps)
        turns = np.add.outer(np.arange(len(own)), np.arange(len(begins))) % count
        usd[place] = np.maximum(levels[:, :, None] * shapes[turns], own.min()).reshape(len(own), -1)
    return Term(usd, term.starts[begins].repeat(steps), np.repeat(hours / steps, steps), term.beyond)


def _weeks(term: Term) -> np.ndarray:
    """Where each week of the term begins; what is left at the end belongs to the last. A drawn month is one."""
    hours = (term.starts - term.starts[0]).to_numpy() / np.timedelta64(1, "h")
    number = np.minimum(hours // _WEEK, max(1, term.hours.sum() // _WEEK) - 1)
    return np.flatnonzero(np.diff(number, prepend=-1))
