"""What monitoring would have seen of a generated service: hourly and one-minute observations, rounded, with gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.samples.model import CUTOFF, LIST_PRICE, MINUTES_FROM, ServiceModel, utc
from capacity.samples.process import arrivals, cpu_seconds, lasting, minutes_of
from capacity.samples.running import Run, latency_p95, run

#: The busiest of several tasks is this much above their mean: what `max` of a utilisation shows.
HOTTEST: Final = 1.08

#: Figures kept of a value: more than monitoring knows, and few enough for a small file.
FIGURES: Final = 4

#: When nothing was fetched: whose rows are missing (empty: all services), from, until.
GAPS: Final = (
    ((), utc("2026-02-11 02:00"), utc("2026-02-11 08:00")),
    (("partner-api", "search"), utc("2026-07-04 13:00"), utc("2026-07-04 16:00")),
    ((), utc("2026-11-09 03:12"), utc("2026-11-09 03:58")),
)


@dataclass(frozen=True, eq=False)
class Lived:
    """A service's minutes until the cutoff, as they were: what was wanted, and what came of it."""

    times: pd.DatetimeIndex  # (n,)
    load: np.ndarray  # (n,) requests/s that users wanted
    cost: np.ndarray  # (n,) seconds of vCPU per request
    outcome: Run


def lived(model: ServiceModel) -> Lived:
    """The service, minute by minute, until the cutoff."""
    times = minutes_of(model)
    load, cost = arrivals(model, times), cpu_seconds(model, times)
    cost = cost * lasting(0.02, 0.95, len(times), np.random.default_rng([model.seed, 1]))  # requests differ
    seen = int(times.searchsorted(CUTOFF))
    return Lived(times[:seen], load[:seen], cost[:seen], run(model, load[:seen], cost[:seen]))


def observed(model: ServiceModel, life: Lived) -> pd.DataFrame:
    """Long table (`schema.OBSERVATIONS`): hours over the whole window, minutes over its last two weeks."""
    tables = [*_hours(model, life), *_minutes(model, life)]
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "service", model.name)
    table["value"] = rounded(table["value"].to_numpy())
    for services, start, end in GAPS:
        if not services or model.name in services:
            table = table[~((table["timestamp"] >= start) & (table["timestamp"] < end))]
    return table.sort_values(["metric", "stat", "interval", "timestamp"], ignore_index=True, kind="stable")


def rounded(values: np.ndarray) -> np.ndarray:
    """To four significant figures.

    >>> rounded(np.array([123.4567, 0.0012345678, 0.0])).tolist()
    [123.5, 0.001235, 0.0]
    """
    with np.errstate(divide="ignore"):
        magnitude = np.floor(np.log10(np.abs(values)))
    digits = np.where(np.isfinite(magnitude), FIGURES - 1 - magnitude, 0).astype(int)
    result = np.empty_like(values)
    for number in np.unique(digits):  # np.round gives the nearest double of the decimal, scaling would not
        part = digits == number
        result[part] = np.round(values[part], int(number))
    return result


def usd_per_hour(model: ServiceModel, tasks: np.ndarray) -> np.ndarray:
    """Fargate list price of the tasks.

    >>> round(float(usd_per_hour(ServiceModel("web", "", 0, 1.0, (1,) * 24, (1,) * 7), np.array(1.0))), 5)
    0.04937
    """
    vcpu, memory = LIST_PRICE[model.architecture]
    return tasks * (model.task_vcpu * vcpu + model.task_memory_gib * memory)


def memory_gib(model: ServiceModel, outcome: Run) -> np.ndarray:
    """(n,) GiB in use: what idle tasks hold and what the work at hand needs, never more than there is."""
    used = outcome.tasks * model.idle_memory_gib + outcome.vcpu * model.memory_gib_per_busy_vcpu
    return np.minimum(used, outcome.tasks * model.task_memory_gib)


def _hours(model: ServiceModel, life: Lived) -> list[pd.DataFrame]:
    run_, tasks = life.outcome, life.outcome.tasks
    hours = life.times[::60]
    task_mean = _mean(tasks)
    hottest = np.minimum(run_.utilization * np.where(tasks > 1, HOTTEST, 1.0), 100.0)
    memory = 100 * memory_gib(model, run_) / (tasks * model.task_memory_gib)
    columns = {
        # As CloudWatch averages: over the samples of all tasks, so that mean x reserved is the vCPU in use.
        ("cpu_utilization", "mean"): _mean(run_.utilization * tasks) / task_mean,
        ("cpu_utilization", "max"): _max(hottest),
        ("memory_utilization", "mean"): _mean(memory * tasks) / task_mean,
        ("running_tasks", "mean"): task_mean,
        ("running_tasks", "max"): _max(tasks),
        ("cpu_reserved", "mean"): task_mean * model.task_vcpu,
        ("memory_reserved", "mean"): task_mean * model.task_memory_gib,
        ("cost", "mean"): usd_per_hour(model, task_mean),
    }
    if not model.worker:
        counted = np.maximum(_mean(run_.counted), 1e-12)
        columns |= {
            ("requests", "mean"): _mean(run_.counted),
            ("requests", "max"): _max(run_.counted),
            ("errors", "mean"): _mean(run_.errors),
            ("latency", "p95"): _mean(latency_p95(model, run_, life.cost) * run_.counted) / counted,
        }
    return [_rows(hours, 3600, metric, stat, values) for (metric, stat), values in columns.items()]


def _minutes(model: ServiceModel, life: Lived) -> list[pd.DataFrame]:
    part = slice(int(life.times.searchsorted(MINUTES_FROM)), None)
    run_ = life.outcome
    memory = 100 * memory_gib(model, run_) / (run_.tasks * model.task_memory_gib)
    columns = {"cpu_utilization": run_.utilization, "memory_utilization": memory, "running_tasks": run_.tasks}
    if not model.worker:
        columns["requests"] = run_.counted
    return [_rows(life.times[part], 60, metric, "mean", values[part]) for metric, values in columns.items()]


def _rows(times: pd.DatetimeIndex, seconds: int, metric: str, stat: str, values: np.ndarray) -> pd.DataFrame:
    interval = np.full(len(times), seconds, dtype=np.int32)
    return pd.DataFrame({"metric": metric, "stat": stat, "interval": interval, "timestamp": times, "value": values})


def _mean(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.reshape(-1, 60).mean(axis=1))


def _max(values: np.ndarray) -> np.ndarray:
    return np.asarray(values.reshape(-1, 60).max(axis=1))
