"""What the bill and the running tasks said of each whole month, from a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from capacity.config import Service

if TYPE_CHECKING:
    from capacity.history.history import History

#: Share of a month that has to be known; what is missing is taken to be like the rest.
KNOWN: Final = 0.9

#: Items of a bill -> its metrics in a history (`schema.METRICS`): all purchase options, then parts of them.
QUANTITIES: Final = {"vcpu": "billed_vcpu", "memory": "billed_memory", "storage": "billed_storage"}
SPOT: Final = {"vcpu": "billed_vcpu_spot", "memory": "billed_memory_spot"}
COMMITTED: Final = {"vcpu": "billed_vcpu_covered", "memory": "billed_memory_covered"}

#: What the tasks that ran had reserved.
RESERVED: Final = {"vcpu": "cpu_reserved", "memory": "memory_reserved"}


def monthly(history: History, name: str, metric: str) -> pd.Series:
    """Sum over each whole month (UTC) of a metric's mean times hours, indexed by the month's start.

    Months of which less than nine tenths are known are left out; of the others what is missing is like the rest.
    """
    if name not in history.services or metric not in history.metrics(name):
        return pd.Series(dtype=float)
    if not history.intervals(name, metric):
        return pd.Series(dtype=float)
    series = history.joined(name, metric)
    hours = pd.Timedelta(series.index.freq) / pd.Timedelta(hours=1)
    starts = series.index.tz_localize(None).to_period("M").to_timestamp().tz_localize("UTC")
    groups = series.groupby(starts)
    lengths = pd.Series([_hours(start) for start in groups.groups], index=list(groups.groups), dtype=float)
    share = groups.count() * hours / lengths
    whole: pd.Series = (groups.mean() * lengths)[share >= KNOWN]
    return whole


def _hours(start: pd.Timestamp) -> float:
    return float((start + pd.offsets.MonthBegin(1) - start) / pd.Timedelta(hours=1))


def ran_hours(history: History, name: str, service: Service) -> dict[str, pd.Series]:
    """vCPU-hours and GB-hours of each month that the running tasks had reserved, by item; empty where not known."""
    sizes = {"vcpu": service.task_vcpu, "memory": service.task_memory_gib}
    tasks = monthly(history, name, "running_tasks")
    found = {}
    for item, metric in RESERVED.items():
        reserved = monthly(history, name, metric)
        found[item] = reserved if len(reserved) else tasks * sizes[item]
    return found


def at(series: pd.Series, month: pd.Timestamp) -> float:
    """The month's value; NaN where it is not known."""
    return float(series.get(month, np.nan))
