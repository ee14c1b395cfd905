"""One program's worth of production: what a request cost and what a task carried from one deploy to the next."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

from capacity.demand.per_task.blocks import stretches, weighted_median
from capacity.demand.per_task.carrying import Carried, carried, ceiling
from capacity.demand.per_task.costing import Line, line, through_base
from capacity.demand.per_task.latency import Curve, curve

#: What a request costs is read from this much of the end of an epoch: in a year a cost drifts, and the plan is about
#: the program of today. Two fortnights, so that each weekday counts four times.
RECENT: Final = pd.Timedelta(days=28)

#: Share of the processor's use that must be work for an interval's cost per request to be told: of idle ones it is not.
LEAST_WORK: Final = 0.3

#: Standard error of the use of an idle task, over the usual use, where nothing tells of it: a few percent is usual.
UNKNOWN_IDLE: Final = 0.05

#: The history is cut into so long pieces, the newest of them at most, to read the use of an idle task from.
PIECE: Final = pd.Timedelta(days=7)
PIECES: Final = 13


@dataclass(frozen=True, eq=False)
class Epoch:
    """From `start` to `end` the cost of a request stayed. `began`: what began it. `None` where nothing can be told.

    cost     line of vCPU of one task on its requests/s
    memory   line of GiB of one task on `memory_unit`: "request in flight", or "request/s" where latency is not known
    curve    latency against the rate; carried  what one task carries
    scatter  how much the cost of a request differs from interval to interval (robust standard deviation of its log)
    drift    cost of a request at the end over that at the start, where the epoch lasted twice RECENT; else NaN
    """

    start: pd.Timestamp
    end: pd.Timestamp
    began: str
    rows: int
    task_vcpu: float
    task_memory_gib: float
    cost: Line | None
    memory: Line | None
    memory_unit: str
    curve: Curve | None
    carried: Carried | None
    full_share: float
    scatter: float
    drift: float = float("nan")


def epoch(
    rows: pd.DataFrame,
    latencies: pd.DataFrame | None,
    began: str,
    idle: Idle,
    *,
    column: str,
    slo_ms: float | None,
    use: float,
    seed: int,
) -> Epoch:
    """What one epoch tells.

    rows       `PerTask.frame` of the epoch          latencies  the same where latency is known, or None
    idle       what an idle task uses, from the whole history
    column     which latency: `latency_p95_ms`       slo_ms     its bound; None: nobody said
    use        share of a task's vCPU up to which it may go where latency does not decide
    """
    start, end = rows.index[0], rows.index[-1] + pd.Timedelta(seconds=int(rows["seconds"].iloc[-1]))
    recent = rows.iloc[rows.index.searchsorted(end - RECENT) :]
    usable = recent[recent["usable"]]
    cost = cost_of(recent, idle)
    unit, memory = _memory(recent)
    found = None
    if latencies is not None and slo_ms is not None:
        seen = latencies[(latencies.index >= max(start, end - RECENT)) & latencies["stable"]]
        seen = seen[(seen["requests_per_s"] > 0) & seen[column].notna()]
        rate, latency = seen["requests_per_s"].to_numpy(), seen[column].to_numpy()
        found = curve(rate, latency, seconds_of(seen), slo_ms, seed=seed)
    size = float(np.nanmedian(recent["task_vcpu"]))
    rates = usable["requests_per_s"].to_numpy()
    at_limit = recent["saturated"] & (recent["vcpu"] > 0.95 * recent["task_vcpu"])
    full = ceiling(recent.loc[at_limit, "requests_per_s"].to_numpy(), cost, size)
    return Epoch(
        start=start,
        end=end,
        began=began,
        rows=len(usable),
        task_vcpu=size,
        task_memory_gib=float(np.nanmedian(recent["task_gib"])),
        cost=cost,
        memory=memory,
        memory_unit=unit,
        curve=found,
        carried=carried(rates, cost, found, full, level=use * size),
        full_share=float(recent["saturated"].mean()),
        scatter=_scatter(recent, cost),
        drift=_drift(rows, cost),
    )


def cost_of(rows: pd.DataFrame, idle: Idle) -> Line | None:
    """The line of vCPU on rate: the epoch's own, or, where that is young and imprecise, through the known idle use."""
    own = line_of(rows, "requests_per_s", "vcpu", bends=True)
    if own is not None and own.precise:
        return own
    use = rows[rows["usable"]]
    x, y, seconds = (use[name].to_numpy(dtype=float) for name in ("requests_per_s", "vcpu", "seconds"))
    known = through_base(x, y, seconds_of(use), seconds, idle.vcpu, idle.error)
    if own is None or known is None:
        return known or own
    return known if known.slope_error * max(own.slope, 0.0) < own.slope_error * known.slope else own


def line_of(rows: pd.DataFrame, x: str, y: str, *, bends: bool = False) -> Line | None:
    """The line of one column on another over the usable rows in which both are known."""
    keep = (rows["usable"] & rows[x].notna() & rows[y].notna()).to_numpy()
    start, seconds = seconds_of(rows), rows["seconds"].to_numpy(dtype=float)
    if not keep.any():
        return None
    runs = stretches(start, seconds, rows["running_tasks"].to_numpy())
    return line(rows[x].to_numpy()[keep], rows[y].to_numpy()[keep], start[keep], seconds[keep], runs[keep], bends=bends)


@dataclass(frozen=True)
class Idle:
    """vCPU that an idle task uses, its standard error, and how many weeks told it: zero with a doubt where none did."""

    vcpu: float
    error: float
    weeks: int


def idle_of(rows: pd.DataFrame) -> Idle:
    """What an idle task uses: median over the weeks, so that a change of cost within one of them does not matter.

    rows  `PerTask.frame`
    """
    usable = rows["vcpu"][rows["usable"]]
    ends = [rows.index[-1] - number * PIECE for number in range(PIECES + 1)] if len(rows) else []
    edges = [int(place) for place in rows.index.searchsorted(ends, side="right")]
    bases: list[float] = []
    errors: list[float] = []
    for last, first in pairwise(edges):
        piece = rows.iloc[first:last]
        found = line_of(piece, "requests_per_s", "vcpu") if len(piece) else None
        if found is not None and found.slope > 0 and found.interval[1] < 1.5 * found.slope:
            bases.append(found.base)
            errors.append(float(np.hypot(found.level_error, found.centre * found.slope_error)))
    if not bases:
        return Idle(0.0, UNKNOWN_IDLE * float(usable.median()) if len(usable) else 0.0, 0)
    lowest = float(np.quantile(usable, 0.05)) if len(usable) else 0.0
    vcpu = float(np.median(bases))
    spread = 1.4826 * float(np.median(np.abs(np.array(bases) - vcpu)))
    return Idle(float(np.clip(vcpu, 0.0, lowest)), max(float(np.median(errors)), spread), len(bases))


def cost_per_request(rows: pd.DataFrame, base: float) -> np.ndarray:
    """(n,) vCPU-seconds of each interval's requests, the idle share taken off; NaN where it is not known.

    >>> rows = pd.DataFrame({"requests_per_s": [10.0, 0.0], "vcpu": [0.22, 0.02], "usable": [True, True]})
    >>> cost_per_request(rows, 0.02).round(3).tolist()
    [0.02, nan]
    """
    work = rows["vcpu"].to_numpy() - base
    rate = rows["requests_per_s"].to_numpy()
    tells = rows["usable"].to_numpy() & (rate > 0) & (work >= LEAST_WORK * rows["vcpu"].to_numpy())
    return np.where(tells, work / np.where(rate > 0, rate, np.nan), np.nan)


def resized(rows: pd.DataFrame, tolerance: float = 0.05) -> list[pd.Timestamp]:
    """When tasks became of another size for good, by more than the tolerance: a program in another box."""
    size = rows["task_vcpu"].dropna()
    if not len(size) or np.ptp(size.to_numpy()) <= tolerance * float(size.iloc[0]):
        return []
    days = size.resample("1D").median().dropna()
    moved = np.flatnonzero(np.abs(np.diff(np.log(days.to_numpy()))) > tolerance)
    moments = []
    for place in moved:
        old, new = float(days.iloc[max(0, place - 1)]), float(days.iloc[min(place + 2, len(days) - 1)])
        if abs(np.log(new / old)) > tolerance:
            near = size[days.index[place] : days.index[place + 1] + pd.Timedelta(days=1)]
            moments += list(near.index[np.abs(near - new) < np.abs(near - old)][:1])
    return sorted(set(moments))[:PIECES]


def seconds_of(rows: pd.DataFrame) -> np.ndarray:
    """(n,) seconds since 1970 of each row's start."""
    return np.asarray(pd.DatetimeIndex(rows.index).as_unit("us").asi8 / 1e6)


def _memory(rows: pd.DataFrame) -> tuple[str, Line | None]:
    """GiB of a task on its requests in flight (Little's law: rate x mean latency), or on its rate."""
    latency = rows["latency_mean_ms"].fillna(rows["latency_p50_ms"])
    known = rows["usable"] & rows["gib"].notna()
    if known.any() and (latency[known].notna().mean() > 0.5):
        rows = rows.assign(in_flight=rows["requests_per_s"] * latency / 1000)
        return "request in flight", line_of(rows, "in_flight", "gib")
    return "request/s", line_of(rows, "requests_per_s", "gib")


def _scatter(rows: pd.DataFrame, cost: Line | None) -> float:
    each = np.log(cost_per_request(rows, cost.base)) if cost is not None else np.array([])
    each = each[np.isfinite(each)]
    return 1.4826 * float(np.median(np.abs(each - np.median(each)))) if len(each) else float("nan")


def _drift(rows: pd.DataFrame, cost: Line | None) -> float:
    first, last = rows.index[0], rows.index[-1]
    if cost is None or last - first < 2 * RECENT:
        return float("nan")
    each = cost_per_request(rows, cost.base)
    ends = []
    for part in (rows.index < first + RECENT, rows.index >= last - RECENT):
        keep = part & np.isfinite(each)
        if not keep.any():
            return float("nan")
        ends.append(weighted_median(each[keep], rows["seconds"].to_numpy(dtype=float)[keep]))
    return ends[1] / ends[0]
