"""`from_production`: what one task carries, learnt from telemetry alone, deploy by deploy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import Service, TaskCapacity
from capacity.demand.absolute import size_findings
from capacity.demand.per_task.changes import Change, changes_of
from capacity.demand.per_task.epochs import Epoch, cost_per_request, epoch, idle_of, resized, seconds_of
from capacity.demand.per_task.measuring import LATENCIES, PerTask, per_task
from capacity.demand.per_task.wording import evidence, findings_of, model_of
from capacity.display import table_html
from capacity.errors import HistoryError, HistoryTooShort, InputError
from capacity.findings import Findings
from capacity.history.history import History

#: Full use that nobody plans for, where a service asks for more: beyond it a queue grows without end.
MOST_USE: Final = 0.95

#: Figures of a rate or a cost that mean something.
FIGURES: Final = 5


@dataclass(frozen=True, eq=False)
class ProductionEvidence:
    """What telemetry tells of one service's tasks.

    minutes   the table it was read from              changes   of the cost of a request, in order of time
    found     the epochs between them, oldest first   task_capacity  of the newest epoch that tells one
    base      vCPU of an idle task, by which costs are compared
    """

    service: str
    minutes: PerTask
    changes: tuple[Change, ...]
    found: tuple[Epoch, ...]
    task_capacity: TaskCapacity
    findings: Findings
    base: float

    @cached_property
    def epochs(self) -> pd.DataFrame:
        """A row an epoch, oldest first.

        start, end (UTC), began (what began it), n (usable intervals it was read from), vcpu_seconds_per_request with
        cost_low and cost_high, base_vcpu, base_memory_gib, memory_gib_per_unit with memory_low and memory_high, and
        memory_unit ("request in flight" or "request/s"), requests_per_second (of one task, within the SLO) with low and
        high, at_least, how, task_vcpu, task_memory_gib. Intervals are 95 %; NaN where nothing can be told.
        """
        return pd.DataFrame([_row(part) for part in self.found])

    def plot(self) -> Any:
        """A chart of the cost of a request over time (hourly medians), and of each epoch's level."""
        from capacity import charts

        frame = self.minutes.frame
        cost = pd.Series(1000 * cost_per_request(frame, self.base), index=frame.index)
        size = "6h" if frame.index[-1] - frame.index[0] > pd.Timedelta(days=60) else "1h"
        level = pd.Series(np.nan, index=frame.index)
        for part in self.found:
            inside = (frame.index >= part.start) & (frame.index < part.end)
            level[inside] = cost[inside].median()
        grid = cost.resample(size).median()
        lines = {"measured": grid.to_numpy(), "by epoch": level.resample(size).median().to_numpy()}
        return charts.lines(
            pd.DatetimeIndex(grid.index), lines, unit="vCPU-milliseconds", title=f"{self.service}: CPU of one request"
        )

    def __str__(self) -> str:
        return "\n".join([_sentence(self.service, self.task_capacity), *map(str, self.findings)])

    def _repr_html_(self) -> str:
        return table_html(_sentence(self.service, self.task_capacity), self.epochs) + self.findings._repr_html_()


def from_production(
    history: History,
    service: Service,
    *,
    slo_ms: float | None = None,
    quantile: float = 0.95,
    deploys: Sequence[pd.Timestamp | str] = (),
    utilization: float | None = None,
    seed: int = 0,
) -> ProductionEvidence:
    """What one task of a service carries, from its telemetry: by deploy, with intervals.

    slo_ms       bound of latency in milliseconds; None takes that of `service.task_capacity`, else CPU alone decides
    quantile     which latency it bounds: 0.5, 0.95 or 0.99, as the history has them
    deploys      moments of deploys, if known (without a zone: UTC); a change of cost at one needs less evidence, and
                 changes nobody told of are found all the same
    utilization  share of a task's vCPU it may use where latency does not decide; None: so much that `cpu_target` is
                 reached at `request_target` of the rate, and both goals of the service say the same
    seed         of the bootstrap

    The cost of a request is a robust slope of vCPU per task on requests/s per task (`costing`), saturated intervals
    left out as censored; a change of it for good starts a new epoch (`changes`), and so does another task size.
    Capacity is where measured latency crosses the SLO, else an extrapolation by CPU, marked as such (`carrying`).
    Source: service demand law (reference loadtest.md 8.3). Raises HistoryError, saying what is missing, when the
    history lacks rate, tasks or CPU; HistoryTooShort when no epoch is long enough to tell anything.
    """
    column = f"latency_p{100 * quantile:g}_ms"
    if column not in LATENCIES:
        raise InputError(f"quantile={quantile:g} is not one that histories hold", advice="Use 0.5, 0.95 or 0.99.")
    if slo_ms is not None and not slo_ms > 0:
        raise InputError(f"slo_ms={slo_ms:g} is not a bound of latency", advice="State it in milliseconds.")
    if slo_ms is None and service.task_capacity is not None and service.task_capacity.slo_quantile == quantile:
        slo_ms = service.task_capacity.slo_ms
    minutes = per_task(history, service)
    latencies: pd.DataFrame | None = None
    if slo_ms is not None:
        try:
            latencies = per_task(history, service, needing=column).frame
        except HistoryError:
            latencies = None
    return evidence_of(
        minutes,
        latencies,
        service,
        slo_ms=slo_ms,
        quantile=quantile,
        deploys=deploys,
        utilization=utilization,
        seed=seed,
    )


def evidence_of(
    minutes: PerTask,
    latencies: pd.DataFrame | None,
    service: Service,
    *,
    slo_ms: float | None = None,
    quantile: float = 0.95,
    deploys: Sequence[pd.Timestamp | str] = (),
    utilization: float | None = None,
    seed: int = 0,
) -> ProductionEvidence:
    """The same from tables: `minutes` of one task, and `latencies`, the rows of such a table that have them."""
    frame = minutes.frame
    use = utilization if utilization is not None else min(MOST_USE, service.cpu_target / service.request_target)
    if not 0 < use <= 1:
        raise InputError(f"utilization={use:g} is not a share of a task's vCPU", advice="State more than 0, at most 1.")
    idle = idle_of(frame)
    changes = changes_of(
        seconds_of(frame),
        frame["seconds"].to_numpy(dtype=float),
        cost_per_request(frame, idle.vcpu),
        [_utc(d) for d in deploys],
    )
    began = {frame.index[0]: "start of the history"}
    began |= dict.fromkeys(resized(frame), "another task size")
    began |= {c.at: "deploy" if c.deploy else "change of the cost of a request" for c in changes if c.lasted is None}
    moments = [*sorted(began), frame.index[-1] + pd.Timedelta(days=1)]
    found = []
    for start, end in pairwise(moments):
        rows = frame.iloc[slice(*frame.index.searchsorted([start, end]))]
        if len(rows):
            near = None if latencies is None else latencies[(latencies.index >= start) & (latencies.index < end)]
            found.append(
                epoch(
                    rows,
                    near,
                    began[start],
                    idle,
                    column=f"latency_p{100 * quantile:g}_ms",
                    slo_ms=slo_ms,
                    use=use,
                    seed=seed,
                )
            )
    telling = [part for part in found if part.carried is not None and part.cost is not None]
    if not telling:
        raise HistoryTooShort(
            f"what one task of {service.name} carries: its history",
            have=int((frame["usable"] & (frame["requests_per_s"] > 0)).sum()),
            need=24,
            unit="usable intervals with requests",
            advice="Bring finer data (minutes), or more days of it.",
        )
    newest = telling[-1]
    shown = {"cpu": newest.task_vcpu, "memory": newest.task_memory_gib}
    findings = Findings.of(
        minutes.findings,
        findings_of(service.name, found, newest, changes, slo_ms, latencies is not None, use),
        size_findings(service.name, {name: size for name, size in shown.items() if np.isfinite(size)}, service),
    )
    capacity = _task_capacity(newest, changes, slo_ms, quantile, use)
    return ProductionEvidence(service.name, minutes, tuple(changes), tuple(found), capacity, findings, idle.vcpu)


def _task_capacity(
    newest: Epoch, changes: Sequence[Change], slo_ms: float | None, quantile: float, use: float
) -> TaskCapacity:
    assert newest.carried is not None and newest.cost is not None
    best, memory = newest.carried, newest.memory
    in_flight = memory is not None and newest.memory_unit == "request in flight"
    return TaskCapacity(
        requests_per_second=_figures(best.rate),
        low=min(_figures(best.low), _figures(best.rate)),
        high=max(_figures(best.high), _figures(best.rate)),
        at_least=best.at_least,
        slo_quantile=quantile,
        slo_ms=slo_ms if newest.curve is not None else None,
        vcpu_seconds_per_request=_figures(newest.cost.slope) if newest.cost.slope > 0 else None,
        base_vcpu=_figures(newest.cost.base),
        base_memory_gib=None if memory is None else _figures(max(memory.base, 0.0)),
        memory_gib_per_request=_figures(memory.slope) if in_flight and memory is not None else None,
        method="production",
        model=model_of(newest),
        evidence=evidence(newest, changes, slo_ms, use),
        measured=newest.end.date(),
        task_vcpu=_figures(newest.task_vcpu),
        task_memory_gib=_figures(newest.task_memory_gib) if np.isfinite(newest.task_memory_gib) else None,
    )


def _row(part: Epoch) -> dict[str, Any]:
    nan = float("nan")
    cost, memory, best = part.cost, part.memory, part.carried
    return {
        "start": part.start,
        "end": part.end,
        "began": part.began,
        "n": part.rows,
        "vcpu_seconds_per_request": cost.slope if cost else nan,
        "cost_low": cost.interval[0] if cost else nan,
        "cost_high": cost.interval[1] if cost else nan,
        "base_vcpu": cost.base if cost else nan,
        "base_memory_gib": memory.base if memory else nan,
        "memory_gib_per_unit": memory.slope if memory else nan,
        "memory_low": memory.interval[0] if memory else nan,
        "memory_high": memory.interval[1] if memory else nan,
        "memory_unit": part.memory_unit,
        "requests_per_second": best.rate if best else nan,
        "low": best.low if best else nan,
        "high": best.high if best else nan,
        "at_least": bool(best and best.at_least),
        "how": best.how if best else "too little to tell",
        "task_vcpu": part.task_vcpu,
        "task_memory_gib": part.task_memory_gib,
    }


def _sentence(name: str, known: TaskCapacity) -> str:
    low, high = known.interval
    least = "at least " if known.at_least else ""
    return f"One task of {name} carries {least}{known.requests_per_second:.4g} requests/s ({low:.4g} to {high:.4g})"


def _figures(value: float) -> float:
    return float(f"{value:.{FIGURES}g}")


def _utc(stamp: pd.Timestamp | str) -> pd.Timestamp:
    try:
        moment = pd.Timestamp(stamp)
    except ValueError:
        raise InputError(
            f"{stamp!r} is not a moment of a deploy", advice="Write 2026-08-18 14:00 or a Timestamp."
        ) from None
    if moment is pd.NaT:
        raise InputError("a deploy has no moment", advice="Leave it out, or write 2026-08-18 14:00.")
    return moment.tz_localize("UTC") if moment.tz is None else moment.tz_convert("UTC")
