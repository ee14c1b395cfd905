"""Losses over those of seasonal naive, in the same windows: below 1 is better than repeating the last season."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.demand.demand import Key
from capacity.forecasting.backtesting.calibration import DOUBT
from capacity.forecasting.backtesting.grouping import Grouping
from capacity.forecasting.backtesting.rehearsal import Window
from capacity.forecasting.scores import pinball
from capacity.forecasting.seasonal_naive import SeasonalNaive

REFERENCE: Final = SeasonalNaive()

#: A ratio below this is drawn and averaged as this: a perfect forecast has no logarithm.
LEAST: Final = 1e-6


#: WQL below which seasonal naive is exact: a load that never changes is missed by rounding alone, and so many times
#: nothing is not worse than nothing.
EXACT: Final = 1e-4


class Versus(NamedTuple):
    """Loss over seasonal naive's, and between what it may be, each bound wrong with chance DOUBT. NaN: unknown."""

    ratio: np.ndarray
    low: np.ndarray
    high: np.ndarray


def relative(frame: pd.DataFrame, loss: str = "wql") -> pd.DataFrame:
    """One row a series, one column a model: mean loss over cutoffs, over that of seasonal naive at the same cutoffs.

    NaN where seasonal naive was exact (EXACT, for wql) or could not be scored.
    """
    wide = frame.pivot_table(index=["service", "metric", "cutoff"], columns="model", values=loss, dropna=False)
    naive = wide[REFERENCE.name]
    means = {}
    for model in wide.columns:
        both = wide[model].notna() & naive.notna()
        levels = ["service", "metric"]
        ours, theirs = wide[model][both].groupby(level=levels).mean(), naive[both].groupby(level=levels).mean()
        means[model] = (ours / theirs.where(theirs > (EXACT if loss == "wql" else 0))).clip(lower=LEAST)
    return pd.DataFrame(means)


def losses(
    windows: Sequence[Window], keys: Sequence[Key], zones: Sequence[str], levels: Sequence[float], grouping: Grouping
) -> np.ndarray:
    """(W, S, G) pinball loss summed over levels and intervals, by window, series and group; NaN: nothing was seen."""
    parts = []
    place = {key: row for row, key in enumerate(keys)}
    for window in windows:
        held = [row for row, key in enumerate(window.keys) if key in place]
        rows = np.array([place[window.keys[row]] for row in held])
        actual = window.actual[held]
        loss = sum(pinball(actual, window.at(level)[held], level) for level in levels)
        groups = grouping(window.times, [zones[row] for row in rows])
        seen = np.isfinite(actual)
        cell = (np.broadcast_to(rows[:, None], groups.shape), groups)
        sums = np.zeros((2, len(keys), int(groups.max()) + 1))
        np.add.at(sums[0], cell, np.where(seen, loss, 0.0))
        np.add.at(sums[1], cell, seen)
        parts.append(np.where(sums[1] > 0, sums[0], np.nan))
    most = max(part.shape[1] for part in parts)
    return np.stack([np.pad(part, ((0, 0), (0, most - part.shape[1])), constant_values=np.nan) for part in parts])


def versus(ours: np.ndarray, naive: np.ndarray, axis: int = 0) -> Versus:
    """Losses over naive's, along an axis of windows (or of series): the ratio of sums, and what it may be.

    The bounds are Student's, of the logarithms of the ratios one by one: windows do not overlap, so their errors are
    nearly independent. Fewer than two leave them unknown. By hand: ratios of 1/2 and 1/2 are sure, 1/4 and 1 are not.

    >>> [float(part) for part in versus(np.array([1.0, 2.0]), np.array([2.0, 4.0]))]
    [0.5, 0.5, 0.5]
    >>> bool(versus(np.array([1.0, 4.0]), np.array([4.0, 4.0])).high > 1)
    True
    """
    from scipy.special import stdtrit

    both = np.isfinite(ours) & np.isfinite(naive) & (naive > 0)
    count = both.sum(axis=axis)
    logs = np.where(both, np.log(np.maximum(np.divide(ours, naive, out=np.ones_like(ours), where=both), LEAST)), 0.0)
    mean = logs.sum(axis=axis) / np.maximum(count, 1)
    squares = np.where(both, (logs - np.expand_dims(mean, axis)) ** 2, 0.0).sum(axis=axis)
    freedom = np.maximum(count - 1, 1)
    margin = stdtrit(freedom, 1 - DOUBT) * np.sqrt(squares / freedom / np.maximum(count, 1))
    margin = np.where(count > 1, margin, np.nan)
    theirs = np.where(both, naive, 0.0).sum(axis=axis)
    ratio = np.where(both, ours, 0.0).sum(axis=axis) / np.where(theirs > 0, theirs, np.nan)
    ratio = np.maximum(ratio, LEAST)
    return Versus(ratio, ratio * np.exp(-margin), ratio * np.exp(margin))
