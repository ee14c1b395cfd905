"""What the history has measured of things that are not forecast: connections of a task, requests that failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.history.history import History

#: How far back is looked, as for memory: a month holds every kind of day, and mostly today's release.
LOOK_BACK: Final = pd.Timedelta(days=28)

#: Of connections per task, the quantile that counts: pools fill under load, and one odd minute is not a pool.
BUSY: Final = 0.95


@dataclass(frozen=True)
class Measured:
    """None: not measured."""

    connections_per_task: float | None = None
    error_share: float | None = None


def measured(history: History | None, service: str) -> Measured:
    """Connections a running task held (its 95 % quantile) and the share of requests that failed, over 28 days."""
    if history is None or service not in history.services:
        return Measured()
    there = set(history.metrics(service))
    each = share = None
    if {"connections", "running_tasks"} <= there:
        held, tasks = _lately(history, service, "connections", "running_tasks")
        some = tasks > 0
        each = float(np.quantile(held[some] / tasks[some], BUSY)) if some.any() else None
    if {"errors", "requests"} <= there:
        failed, asked = _lately(history, service, "errors", "requests")
        share = float(failed.sum() / asked.sum()) if asked.sum() > 0 else None
    return Measured(each, share)


def _lately(history: History, service: str, first: str, second: str) -> tuple[np.ndarray, np.ndarray]:
    """Both metrics where both are known on the same intervals."""
    both = pd.concat([history.joined(service, metric) for metric in (first, second)], axis=1, join="inner").dropna()
    both = both[both.index >= both.index.max() - LOOK_BACK] if len(both) else both
    return both.iloc[:, 0].to_numpy(), both.iloc[:, 1].to_numpy()
