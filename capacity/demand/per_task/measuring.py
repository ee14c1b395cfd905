"""What each task did, interval by interval: rate, processor and memory of one task, and which intervals can be learnt
from. What every estimate of production evidence starts from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.demand.censoring import saturated
from capacity.demand.levels import INPUTS, Level, levels_of
from capacity.demand.per_task.alignment import shifted, shifts_of
from capacity.display import table_html
from capacity.errors import HistoryError, InputError
from capacity.findings import NO_FINDINGS, Finding, Findings
from capacity.history.history import History
from capacity.timegrid import duration

#: Columns of `PerTask.frame`, in order; `LATENCIES` among them where the history has them.
LATENCIES: Final = ("latency_mean_ms", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms")
#: What is read beside latency, means and maxima of it.
READ: Final = frozenset({*INPUTS, "errors"})
NUMBERS: Final = ("requests_per_s", "vcpu", "gib", "running_tasks", "task_vcpu", "task_gib", "error_share", *LATENCIES)

#: Tasks are as many as before if they differ by no more than this share: of a hundred tasks one comes and goes always.
SAME_TASKS: Final = 0.02
#: The same for intervals of a quarter of an hour and more, whose means hold the change: a third more or fewer.
SAME_TASKS_COARSE: Final = 0.5
COARSE_SECONDS: Final = 900
#: How long new tasks warm up, and how long others carry their share, around a change of the count
#: (reference loadtest.md 8.3: drop the minutes around scaling; 8.5: new targets warm up).
SETTLING: Final = (pd.Timedelta("2min"), pd.Timedelta("1min"))  # after a change, before one

#: More failures than this and the mix of work is not the usual: fast failures are cheap, retries are dear.
MOST_ERRORS: Final = 0.05

#: A longer interval whose busiest minute was full (%), and that was busy throughout (%), holds more of such minutes.
FULL_MINUTE: Final = 99.9
BUSY: Final = 80.0

#: Utilisation (%) beyond which there is no hard limit: rounding gives 101, a burst on EC2 gives more (8.5).
HARD_LIMIT: Final = 105.0


@dataclass(frozen=True, eq=False)
class PerTask:
    """What one task of a service did. A row an interval that is known; intervals without a row are gaps.

    frame  indexed by `timestamp` (UTC, start), with columns `seconds` (length of the interval), `requests_per_s`,
           `vcpu`, `gib` (of one task, NaN where not known), `running_tasks`, `task_vcpu`, `task_gib` (reserved by
           one), `error_share`, `latency_mean_ms`, `latency_p50_ms`, `latency_p95_ms`, `latency_p99_ms`, and the flags
           `stable` (as many tasks around it), `saturated` (it could not do more: censored) and `usable` (rate and
           vCPU known, stable, not saturated, few errors)
    """

    service: str
    frame: pd.DataFrame
    findings: Findings = NO_FINDINGS

    @property
    def usable(self) -> pd.DataFrame:
        """Only the rows that the cost of a request can be learnt from."""
        return self.frame[self.frame["usable"]]

    def plot(self) -> Any:
        """A chart of requests/s per task over time, gaps as gaps."""
        from capacity import charts

        line = self.frame["requests_per_s"]
        return charts.lines(line.index, {self.service: line.to_numpy()}, "requests/s", "What one task served")

    def __str__(self) -> str:
        share = self.frame["usable"].mean() if len(self.frame) else 0.0
        return f"{self.service}, per task: {len(self.frame):,} intervals, {share:.0%} of them usable"

    def _repr_html_(self) -> str:
        return table_html(str(self), self.frame.reset_index())


def per_task(
    history: History, service: Service, *, interval: str | timedelta | None = None, needing: str = "vcpu"
) -> PerTask:
    """What one task of `service` did, interval by interval.

    interval  None: at each time the finest that rate, tasks and processor are known at together (CloudWatch keeps
              minutes for two weeks and hours for fifteen months: both are used); else this one, finer values averaged
              onto it
    needing   the column that has to be known beside the rate: `latency_p95_ms` for what latency tells

    Rates are `requests` over running tasks; vCPU `cpu` over tasks, else utilisation of what a task reserves; GiB
    likewise. Task counts come from `running_tasks`, else from what is reserved over the size of a task, else from
    `assumed_running_tasks`. Metrics whose stamps run behind each other by minutes are moved together, with a finding.
    A gap is never a zero: an interval that lacks rate or tasks has no row.
    Raises HistoryError, saying what is missing, when there is no rate, no count of tasks or no processor time.
    """
    rows, there = _rows(history, service.name)
    findings: list[Finding] = []
    found: list[pd.DataFrame] = []
    for size in _sizes(rows, interval):
        level, latencies = _level(rows, size)
        frame, said = _measured(level, latencies, service)
        frame = frame[frame[["requests_per_s", needing]].notna().all(axis=1)]
        if len(frame):
            findings += said
            found.append(frame if not found else frame[_outside(frame, found)])
    if not found:
        raise HistoryError(_nothing(service, there, needing))
    frame = pd.concat(found).sort_index(kind="stable")
    frame.index.name = "timestamp"
    return PerTask(service.name, frame, Findings.of(findings))


def _rows(history: History, name: str) -> tuple[pd.DataFrame, set[str]]:
    """The service's means and maxima, its latency quantiles as metrics of their own; and the metrics there are."""
    rows = history.select(services=name).frame
    metrics, stats = (rows[column].cat.categories.astype(str) for column in ("metric", "stat"))
    metric, stat = (rows[column].cat.codes.to_numpy().astype(np.intp) for column in ("metric", "stat"))
    pairs = pd.MultiIndex.from_product([metrics, stats]).to_list()
    names = [f"latency_{kind}" if name == "latency" else name for name, kind in pairs]
    kinds = ["mean" if name == "latency" else kind for name, kind in pairs]
    wanted = [kind != "max" if name == "latency" else name in READ and kind in ("mean", "max") for name, kind in pairs]
    pair = metric * len(stats) + stat
    keep = np.flatnonzero(np.array(wanted, dtype=bool)[pair])
    columns = {column: rows[column].array[keep] for column in ("interval", "timestamp", "value")}
    columns |= {"metric": pd.Categorical(names)[pair[keep]], "stat": pd.Categorical(kinds)[pair[keep]]}
    return pd.DataFrame(columns), set(metrics[np.unique(metric)])


def _sizes(rows: pd.DataFrame, interval: str | timedelta | None) -> list[pd.Timedelta]:
    """The intervals to look at, finest first."""
    sizes = [pd.Timedelta(seconds=int(seconds)) for seconds in np.unique(rows["interval"])]
    if interval is None:
        return sizes
    asked = duration(interval)
    if not any(size <= asked and asked % size == pd.Timedelta(0) for size in sizes):
        have = ", ".join(str(size) for size in sizes)
        raise InputError(f"no interval of the history ({have}) divides {asked}", advice="Ask for a longer one.")
    return [asked]


def _level(rows: pd.DataFrame, size: pd.Timedelta) -> tuple[Level, dict[str, np.ndarray]]:
    """Every metric on the grid of one interval (finer ones averaged onto it), and latencies in milliseconds.

    Quantiles are never averaged: of latency only values of this very interval are taken.
    """
    own = rows["interval"] == size.total_seconds()
    latency = [name for name in rows["metric"].cat.categories if name.startswith("latency_")]
    rows = rows[own | ~rows["metric"].isin(latency)]
    rows = rows[rows["interval"] <= size.total_seconds()]
    start = rows["timestamp"].min().floor(size)
    grid = pd.date_range(start, rows["timestamp"].max().ceil(size) + size, freq=size, unit="us")
    whole: dict[str, Any] = {}
    for level in reversed(levels_of(rows, grid, size)):
        for metric, measured in level.coarser(size, grid).metrics.items():
            known = whole.get(metric)
            if known is None:
                whole[metric] = measured
            else:
                known.mean[:] = np.where(np.isnan(known.mean), measured.mean, known.mean)
                known.peak[:] = np.where(np.isnan(known.peak), measured.peak, known.peak)
    latencies = {f"{name}_ms": whole[name].mean * 1000 for name in whole if name.startswith("latency_")}
    return Level(grid, size, whole), latencies


def _measured(level: Level, latencies: dict[str, np.ndarray], service: Service) -> tuple[pd.DataFrame, list[Finding]]:
    """The rows of one interval at which rate, tasks and processor are known together."""
    tasks, shown = _tasks(level, service)
    sizes = {
        "cpu": _size(level, "cpu", tasks, service.task_vcpu),
        "memory": _size(level, "memory", tasks, service.task_memory_gib),
    }
    with np.errstate(invalid="ignore", divide="ignore"):
        running = np.where(tasks > 0, tasks, np.nan)
        columns = {
            "requests_per_s": level["requests"].mean / running,
            "vcpu": _used(level, "cpu", running, sizes["cpu"]),
            "gib": _used(level, "memory", running, sizes["memory"]),
            "running_tasks": running,
            "task_vcpu": sizes["cpu"],
            "task_gib": sizes["memory"],
            "error_share": level["errors"].mean / np.where(level["requests"].mean > 0, level["requests"].mean, np.nan),
            **{name: latencies.get(name, np.full(len(level.times), np.nan)) for name in LATENCIES},
        }
    late = shifts_of(columns["requests_per_s"] * running, columns["vcpu"] * running, level.interval)
    if late:
        columns |= {name: shifted(columns[name], -late) for name in ("vcpu", "gib")}
    full, soft = _full(level, service)
    full = full | shifted(full, -late) if late else full
    frame = pd.DataFrame({"seconds": int(level.interval.total_seconds()), **columns}, index=level.times)
    frame["stable"] = stable(tasks, level.interval)
    frame["saturated"] = full
    known = frame[["requests_per_s", "vcpu"]].notna().all(axis=1)
    frame["usable"] = known & frame["stable"] & ~frame["saturated"] & ~(frame["error_share"] > MOST_ERRORS)
    return frame, [*_said(service.name, level, late, shown), *soft]


def stable(tasks: np.ndarray, interval: pd.Timedelta) -> np.ndarray:
    """(n,) True where as many tasks ran around the interval; at the edge of what is known, what is known decides.

    >>> stable(np.array([4.0, 4, 4, 5, 5, 5, 5]), pd.Timedelta("1min")).astype(int).tolist()
    [1, 1, 0, 0, 0, 1, 1]
    """
    coarse = interval.total_seconds() >= COARSE_SECONDS
    after, before = (1, 1) if coarse else (max(1, int(np.ceil(part / interval))) for part in SETTLING)
    least = SAME_TASKS_COARSE if coarse else SAME_TASKS
    same = np.isfinite(tasks)
    for step in [*range(-after, 0), *range(1, before + 1)]:
        beside = np.full(len(tasks), np.nan)
        if abs(step) < len(tasks):
            beside[max(0, -step) : len(tasks) - max(0, step)] = tasks[max(0, step) : len(tasks) + min(0, step)]
        with np.errstate(invalid="ignore"):
            same &= ~(np.abs(beside - tasks) > least * np.maximum(tasks, 1e-9))
    return same


def _tasks(level: Level, service: Service) -> tuple[np.ndarray, str]:
    """(n,) running tasks, NaN where not known, and what they were taken from where nobody counted them."""
    counted = level["running_tasks"].mean
    if np.isfinite(counted).any():
        return counted, ""
    for resource, size in (("cpu", service.task_vcpu), ("memory", service.task_memory_gib)):
        reserved = level[f"{resource}_reserved"].mean
        if np.isfinite(reserved).any():
            return reserved / size, f"{resource}_reserved over {size:g} a task"
    if service.assumed_running_tasks is not None:
        return np.full(len(counted), service.assumed_running_tasks), f"{service.assumed_running_tasks:g} assumed tasks"
    return counted, ""


def _size(level: Level, resource: str, tasks: np.ndarray, stated: float) -> np.ndarray:
    """(n,) what one task reserved: reserved over running tasks, held where one of them is missing, else as stated."""
    with np.errstate(invalid="ignore", divide="ignore"):
        shown = np.where(tasks > 0, level[f"{resource}_reserved"].mean / tasks, np.nan)
    series = pd.Series(shown)
    if series.notna().any():
        return np.asarray(series.rolling(7, center=True, min_periods=1).median().ffill().bfill())
    return np.full(len(tasks), stated)


def _used(level: Level, resource: str, running: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(n,) vCPU or GiB that one task used: by utilisation, which needs no count of tasks, else measured over tasks."""
    shares = level[f"{resource}_utilization"].mean / 100 * size
    return np.where(np.isnan(shares), level[resource].mean / running, shares)


def _full(level: Level, service: Service) -> tuple[np.ndarray, list[Finding]]:
    """(n,) True where the service was saturated, its own busiest task for minutes of the interval included."""
    used = level["cpu_utilization"]
    top = np.nanquantile(used.mean, 0.999) if np.isfinite(used.mean).any() else 0.0
    if top > HARD_LIMIT:
        message = f"utilisation of up to {top:.0f} %: processor time has no hard limit here, so none is taken as full."
        advice = "State a limit (Fargate has one), or plan by load tests."
        return np.zeros(len(used.mean), dtype=bool), [
            Finding(service.name, "cpu", "no limit", "REVIEW", message, advice)
        ]
    with np.errstate(invalid="ignore"):
        busy = (used.peak >= FULL_MINUTE) & (used.mean >= BUSY)
        return saturated(level, service) | busy, []


def _outside(frame: pd.DataFrame, found: list[pd.DataFrame]) -> np.ndarray:
    """(n,) rows of a coarser interval in which no finer row starts."""
    finer = np.sort(np.concatenate([part.index.asi8 for part in found]))
    starts = frame.index.asi8
    ends = starts + frame["seconds"].to_numpy() * 1_000_000
    return np.asarray(finer.searchsorted(starts) == finer.searchsorted(ends))


def _said(name: str, level: Level, late: int, shown: str) -> list[Finding]:
    findings = []
    if late:
        minutes, side = abs(late) * level.interval.total_seconds() / 60, "after" if late > 0 else "before"
        message = f"processor time is stamped {minutes:g} min {side} the requests it served; moved together."
        findings.append(Finding(name, "cpu", "alignment", "REVIEW", message))
    if shown:
        message = f"nobody counted tasks; taken from {shown}."
        findings.append(Finding(name, "running_tasks", "tasks", "REVIEW", message, "Fetch running_tasks as well."))
    return findings


def _nothing(service: Service, metrics: set[str], needing: str) -> str:
    lacks = []
    if "requests" not in metrics:
        lacks.append("requests (for a worker: jobs/s it took from its queue)")
    if not metrics & {"running_tasks", "cpu_reserved", "memory_reserved"} and service.assumed_running_tasks is None:
        lacks.append("running_tasks (or assumed_running_tasks of [[service]])")
    if needing == "vcpu" and not metrics & {"cpu", "cpu_utilization"}:
        lacks.append("cpu_utilization or cpu")
    what = "it lacks " + ", and ".join(lacks) if lacks else "they never have a value at the same time"
    return (
        f"what one task of {service.name} carries cannot be read from its history: {what}. "
        f"There are: {', '.join(sorted(metrics))}. Bring what is missing, or plan it by CPU and memory alone."
    )
