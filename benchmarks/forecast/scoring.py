"""One row a model and window: how far off, and how often above. It shares no code with what it judges.

Columns of a row:

    task set series cutoff model error   what was asked of whom; `error` says why nothing was answered
    wql          2 x pinball loss over LEVELS and intervals / (levels x sum of |actual|)
    relative     wql / that of seasonal naive on the same window; NaN where that is 0
    mase         mean |actual - median| / mean |past - past one season earlier|
    seen inside  intervals measured, and of them those inside the central 90 %
    above95 above99          intervals above the quantile
    seenD above95D above99D  the same for lead day D alone: that day; of daily data the week that ends with it
    peak         1 when the largest actual was above P95 of the horizon's maximum, 0 when not; NaN without paths
    negative     share of P5 and P10 below zero: loads cannot be
    seconds      CPU time
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.forecast import naive
from benchmarks.forecast.tasks import LEVELS, Answer, Window

#: Days ahead at which the tails are judged one by one.
DAYS = (1, 7, 28, 91)

COUNTS = ("seen", "above95", "above99")

COLUMNS = (
    *("task", "set", "series", "cutoff", "model", "error", "seconds", "wql", "relative", "mase", "inside", "peak"),
    *("negative", *COUNTS, *(f"{name}{day}" for day in DAYS for name in COUNTS)),
)

P5, P10, P50, P95, P99 = (LEVELS.index(level) for level in (0.05, 0.1, 0.5, 0.95, 0.99))


def wql(actual: np.ndarray, quantiles: np.ndarray, levels: tuple[float, ...] = LEVELS) -> float:
    """Weighted quantile loss of (levels, n) beside (n,); intervals that were not measured take no part.

    By hand: P50 misses 10 by 2 (loss 1.0), P90 lies 3 above it (0.3): 2 x 1.3 / (2 x 10).

    >>> round(wql(np.array([10.0, np.nan]), np.array([[8.0, 0.0], [13.0, 0.0]]), (0.5, 0.9)), 9)
    0.13
    """
    seen = np.isfinite(actual)
    miss = actual[seen] - quantiles[:, seen]
    share = np.array(levels)[:, None]
    return float(2 * np.maximum(share * miss, (share - 1) * miss).sum() / len(levels) / np.abs(actual[seen]).sum())


def mase(actual: np.ndarray, median: np.ndarray, past: np.ndarray, season: int) -> float:
    """Mean absolute error in units of the past's own seasonal one; NaN where the past repeats itself exactly.

    >>> mase(np.array([5.0, 7.0]), np.array([3.0, 3.0]), np.array([1.0, 2.0, 3.0]), season=1)
    3.0
    """
    scale = np.nanmean(np.abs(past[season:] - past[:-season]))
    return float(np.nanmean(np.abs(actual - median)) / scale) if scale > 0 else float("nan")


def days_ahead(window: Window, day: int) -> np.ndarray:
    """(horizon,) which intervals lead day `day` stands for."""
    task = window.task
    lead = np.arange(task.horizon) // task.day + 1
    return np.asarray((lead > day - 7) & (lead <= day) if task.day == 1 and day > 1 else lead == day)


def scored(window: Window, model: str, answer: Answer, naive_wql: float) -> dict[str, Any]:
    """The row of one answer."""
    actual, said = window.actual, answer.quantiles
    seen = np.isfinite(actual)
    row: dict[str, Any] = {
        "task": window.task.name,
        "set": window.set,
        "series": window.series,
        "cutoff": window.cutoff,
        "model": model,
        "error": answer.error,
        "seconds": answer.seconds,
    }
    if answer.error:
        return row
    loss = wql(actual, said)
    above95, above99 = seen & (actual > said[P95]), seen & (actual > said[P99])
    row |= {
        "wql": loss,
        "relative": loss / naive_wql if naive_wql > 0 else np.nan,
        "mase": mase(actual, said[P50], window.past.to_numpy(dtype=float), window.task.season),
        "seen": seen.sum(),
        "inside": (seen & (actual >= said[P5]) & (actual <= said[P95])).sum(),
        "above95": above95.sum(),
        "above99": above99.sum(),
        "peak": float(actual[seen].max() > answer.peak) if np.isfinite(answer.peak) else np.nan,
        "negative": (said[[P5, P10]] < 0).mean(),
    }
    for day in DAYS:
        part = days_ahead(window, day)
        row |= {f"seen{day}": (seen & part).sum(), f"above95{day}": (above95 & part).sum()}
        row |= {f"above99{day}": (above99 & part).sum()}
    return row


def score(windows: Sequence[Window], answers: Mapping[tuple[int, str], Answer]) -> pd.DataFrame:
    """Rows of every answer, by window number and model; what a failed one could not have is missing."""
    losses = [wql(window.actual, naive.answer(window).quantiles) for window in windows]
    rows = [scored(windows[number], model, said, losses[number]) for (number, model), said in answers.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))
