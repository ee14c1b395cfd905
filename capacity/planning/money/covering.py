"""What a commitment does to spend: pure arithmetic of Savings Plans, and the amount that costs least.

A commitment of c USD an hour is paid every hour. In exchange, usage is paid at Savings Plans rates, up to c; the rest
is paid on demand. AWS applies it first where it saves most in percent. Cost is convex in c, and the best c is where the
next dollar is used just often enough to pay for itself: with one discount, where P(spend at Savings Plans rates > c) =
Savings Plans price / on-demand price.

Source: Savings Plans user guide, "How Savings Plans apply to your usage" (highest savings percentage first), and the
newsvendor solution (critical fractile).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: Rounding noise of sums of shares, far below a cent.
_NOISE = 1e-12

#: Into so many bins amounts are sorted roughly, before those of one bin are sorted exactly.
_BINS = 4096


class Eligible(NamedTuple):
    """Spend that a Savings Plan could cover, before any plan, of G groups that each have one discount.

    usd     (G, P, T) USD an hour on demand, on P paths, in T intervals
    ratios  (G,) Savings Plans price over on-demand price, each in (0, 1)
    hours   (T,) how many hours each interval stands for
    """

    usd: np.ndarray
    ratios: tuple[float, ...]
    hours: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """(P, T) USD an hour, all of it on demand."""
        return np.asarray(self.usd.sum(axis=0))

    @property
    def deepest_first(self) -> list[int]:
        """Groups in the order in which a plan is applied to them."""
        return sorted(range(len(self.ratios)), key=self.ratios.__getitem__)

    def path(self, number: int) -> Eligible:
        """One path by itself."""
        return self._replace(usd=self.usd[:, number : number + 1])


class Paid(NamedTuple):
    """What became of the spend of each interval, in USD an hour."""

    committed: np.ndarray  # (P, T) paid whether used or not
    covered: np.ndarray  # (G, P, T) what the commitment paid for, at on-demand prices
    used: np.ndarray  # (P, T) of the commitment
    total: np.ndarray  # (P, T) commitment, and what remained on demand


def paid(spend: Eligible, commitment: npt.ArrayLike) -> Paid:
    """Each interval's bill under a commitment of USD an hour: one number, (T,) as it changes over time, or (P, T).

    >>> two = Eligible(np.array([[[10.0, 4.0]]]), (0.8,), np.ones(2))
    >>> bill = paid(two, 4.8)  # covers 6 USD of usage
    >>> bill.total.round(2).tolist(), bill.covered.round(2).tolist(), bill.used.round(2).tolist()
    ([[8.8, 4.8]], [[[6.0, 4.0]]], [[4.8, 3.2]])
    """
    committed = np.broadcast_to(np.asarray(commitment, dtype=float), spend.usd.shape[1:])
    covered = np.zeros_like(spend.usd, dtype=float)
    left = committed.copy()
    for group in spend.deepest_first:
        used = np.minimum(left, spend.usd[group] * spend.ratios[group])
        covered[group] = used / spend.ratios[group]
        left -= used
    return Paid(committed, covered, committed - left, committed + spend.total - covered.sum(axis=0))


def best_commitment(parts: Sequence[tuple[Eligible, float]]) -> float:
    """The commitment, USD an hour, of least mean cost; 0 when none pays.

    parts  ways the spend may go, each with how much it is believed; within one, paths count alike and intervals by
           their hours

    Exact: mean cost is piecewise linear in the commitment, and bends where it meets an hour's spend.

    >>> level = Eligible(np.array([[[10.0, 10.0, 10.0, 2.0]]]), (0.7,), np.ones(4))
    >>> best_commitment([(level, 1)])  # the last dollar is in use 3 hours of 4, and 0.75 > 0.7
    7.0
    >>> best_commitment([(level._replace(ratios=(0.8,)), 1)])  # 0.75 < 0.8: only what is always there
    1.6
    """
    bends, drops = [], []
    for spend, belief in parts:
        order = spend.deepest_first
        ratios = np.array(spend.ratios)[order]
        gains = 1 / ratios  # on-demand dollars that a committed one is worth
        falls = np.append(gains[:-1] - gains[1:], gains[-1])  # once a group is covered, the next is worth less
        filled = np.cumsum(spend.usd[order] * ratios[:, None, None], axis=0)
        weight = belief * spend.hours / (spend.hours.sum() * spend.usd.shape[1])
        bends.append(filled.ravel())
        drops.append(np.broadcast_to(falls[:, None, None] * weight, filled.shape).ravel())
    bend, drop = np.concatenate(bends), np.concatenate(drops)
    enough = sum(belief for _, belief in parts) * (1 + _NOISE)
    top = bend.max(initial=0.0)
    if top <= 0 or drop[bend > 0].sum() <= enough:
        return 0.0
    bins = np.minimum(bend * (_BINS / top), _BINS - 1).astype(np.int64)
    worth = np.bincount(bins, drop, _BINS)[::-1].cumsum()[::-1]  # of the first dollar of each bin
    last = np.flatnonzero(worth > enough)[-1]  # only in this bin the order of the bends matters
    inside = np.flatnonzero((bins == last) & (bend > 0))
    inside = inside[np.argsort(bend[inside], kind="stable")]
    above = worth[last + 1] if last + 1 < _BINS else 0.0
    pays = np.flatnonzero(above + drop[inside][::-1].cumsum()[::-1] > enough)
    return float(bend[inside][pays[-1]]) if len(pays) else 0.0
