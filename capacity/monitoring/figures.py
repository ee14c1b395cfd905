"""The key figures: which signals, and how the minutes of a week become one number each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from capacity.monitoring.minutes import Minutes
from capacity.monitoring.signals import Kind, signal
from capacity.timegrid import averaged

#: Share of the minutes of a week that must be known for a figure of it.
LEAST_KNOWN: Final = 0.5


class Figure(NamedTuple):
    """One key figure: a signal, and how a week of it becomes a number."""

    name: str
    signal: str
    of: Callable[[Minutes], float]
    meaning: str
    stat: str = "mean"

    @property
    def unit(self) -> str:
        return signal(self.signal).unit

    @property
    def kind(self) -> Kind:
        return signal(self.signal).kind


def mean(name: str) -> Callable[[Minutes], float]:
    """Of all minutes that are known; NaN where none is."""

    def told(minutes: Minutes) -> float:
        known = minutes[name][np.isfinite(minutes[name])]
        return float(known.mean()) if len(known) else float("nan")

    return told


def weighted(name: str, by: str, stat: str = "mean") -> Callable[[Minutes], float]:
    """Each minute counts as often as it has requests, or tasks: a quiet night does not hide a slow noon."""

    def told(minutes: Minutes) -> float:
        values, weights = minutes[name, stat], minutes[by]
        both = np.isfinite(values) & np.isfinite(weights)
        total = float(weights[both].sum())
        return float((values[both] * weights[both]).sum() / total) if total > 0 else float("nan")

    return told


def ratio(above: str, below: str, times: float = 1.0) -> Callable[[Minutes], float]:
    """The sum of one over the sum of another, of the minutes in which both are known."""

    def told(minutes: Minutes) -> float:
        first, second = minutes[above], minutes[below]
        both = np.isfinite(first) & np.isfinite(second)
        total = float(second[both].sum())
        return float(first[both].sum()) / total * times if total > 0 else float("nan")

    return told


def busiest_hour(name: str) -> Callable[[Minutes], float]:
    """The largest mean of an hour: the same of minutes and of hours, so that old and new history compare."""

    def told(minutes: Minutes) -> float:
        hours = averaged(minutes[name][: len(minutes) // 60 * 60].reshape(-1, 60))
        return float(np.nanmax(hours)) if np.isfinite(hours).any() else float("nan")

    return told


#: In the order in which they are shown.
FIGURES: Final = (
    Figure(
        "latency p95",
        "latency",
        weighted("latency", "requests", "p95"),
        "95th percentile of each minute (or hour), each counted as often as it has requests.",
        "p95",
    ),
    Figure("requests", "requests", mean("requests"), "Mean rate."),
    Figure("requests, busiest hour", "requests", busiest_hour("requests"), "Largest mean of an hour."),
    Figure("error ratio", "error_ratio", ratio("errors", "requests"), "Errors over requests."),
    Figure(
        "CPU utilisation",
        "cpu_utilization",
        weighted("cpu_utilization", "running_tasks"),
        "Processor time in use, of all that ran.",
    ),
    Figure("CPU, busiest hour", "cpu_utilization", busiest_hour("cpu_utilization"), "Largest mean of an hour."),
    Figure(
        "memory utilisation",
        "memory_utilization",
        weighted("memory_utilization", "running_tasks"),
        "Memory in use, of all that ran.",
    ),
    Figure("running tasks", "running_tasks", mean("running_tasks"), "Mean count."),
    Figure("tasks of maximum, busiest hour", "tasks_of_max", busiest_hour("tasks_of_max"), "Running over max_tasks."),
    Figure("slack", "slack_tasks", mean("slack_tasks"), "Mean of the running tasks that the load would not fill."),
    Figure("cost", "cost", mean("cost"), "Mean spend on its tasks."),
    Figure(
        "cost per million requests",
        "cost_per_million_requests",
        ratio("cost", "requests", 1e6 / 3600),
        "Spend over requests.",
    ),
)
