"""History to demand: every service's absolute need on one regular grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.demand.absolute import SIZES, demand_of, shown_sizes, size_findings, sizing
from capacity.demand.censoring import saturated
from capacity.demand.cleaning import cleaned, credible_peaks
from capacity.demand.demand import Demand, Key, zones_of
from capacity.demand.gridding import Gridded, common_grid
from capacity.demand.levels import INPUTS, Level, Measured, filled, levels_of
from capacity.errors import HistoryError, InputError
from capacity.findings import Finding, Findings
from capacity.history.history import History
from capacity.history.quiet import with_quiet
from capacity.schema import METRICS
from capacity.timegrid import duration, reaching


class Estimated(NamedTuple):
    """One series of the result."""

    key: Key
    how: str
    demand: Measured
    censored: np.ndarray


def estimate_demand(
    history: History,
    services: Sequence[Service] = (),
    *,
    interval: str | timedelta | None = None,
    at_least: str | timedelta | None = None,
) -> Demand:
    """Absolute demand of every service in the history: requests/s, vCPU, GiB, and metrics of the caller's own.

    services  task sizes and bounds, by name; a service without one is estimated from the history alone
    interval  of the grid; default: the interval that, with finer ones that divide it, knows most. Finer data are
              averaged onto it (a mean of fewer than half of the minutes is a gap), coarser data are never split

    at_least  instead of `interval`: a grid that would be finer is averaged onto this one

    vCPU come, best first, from `cpu`; from utilisation x reserved; x running tasks x size of a task; x the stated
    `assumed_running_tasks`; GiB likewise; `derived` says which. Peaks are the largest minute, from `max` rows or from
    finer data, and unknown elsewhere. Intervals in which the service was saturated are marked `censored`: it needed
    at least what was measured. Values that cannot be demand become gaps with a FAIL finding (`cleaning`); a
    percentage that nothing turns into vCPU or GiB is an UNKNOWN finding that says what to state.
    Raises HistoryError when nothing can be estimated at all.
    """
    rows, quiet = with_quiet(_relevant(history.frame), history.answered)
    size = _interval(rows, interval)
    if at_least is not None and size < duration(at_least) and duration(at_least) % size == pd.Timedelta(0):
        size = duration(at_least)
    target = _target(rows, size)
    known = {service.name: service for service in services}
    results, findings = [], list(quiet)
    tasks: dict[str, np.ndarray] = {}
    for name, part in rows.groupby("service", sort=True, observed=True):
        levels = levels_of(part, target, size)
        found, said, ran = _service(str(name), levels, target, size, known.get(str(name)), shown_sizes(part))
        results += found
        tasks |= ran
        findings += said + _moved(str(name), part, target, size) + _too_coarse(str(name), part, levels, size)
    return assessed(_demand(results, target, size, findings, services, tasks), history.findings)


def assessed(demand: Demand, quality: Findings) -> Demand:
    """The demand with what is known of its history (`check_quality`), each fact once: where both speak of one, what
    demand says stays, because it also says what was done about it.
    """
    told = {(finding.service, finding.metric, finding.check, finding.status) for finding in demand.findings}
    new = [f for f in quality if (f.service, f.metric, f.check, f.status) not in told]
    return replace(demand, findings=Findings.of(demand.findings, new))


def estimate_gridded(gridded: dict[Key, Gridded], services: Sequence[Service] = ()) -> Demand:
    """The same from series of one interval, as `demand_from` has them: percentages with what makes them absolute."""
    target, size, means, clock, findings = common_grid(gridded)
    by_service: dict[str, dict[str, Measured]] = {}
    for key, mean in means.items():
        peak = mean if size <= pd.Timedelta(minutes=1) else np.full_like(mean, np.nan)
        by_service.setdefault(key.service, {})[key.metric] = Measured(mean, peak)
    known = {service.name: service for service in services}
    results: list[Estimated] = []
    tasks: dict[str, np.ndarray] = {}
    for name, metrics in by_service.items():
        found, said, ran = _service(name, [Level(target, size, metrics)], target, size, known.get(name), {})
        results += found
        findings += said
        tasks |= ran
    return _demand(results, target, size, findings, services, tasks, clock)


def _service(
    name: str,
    levels: list[Level],
    target: pd.DatetimeIndex,
    size: pd.Timedelta,
    service: Service | None,
    shown: dict[str, float],
) -> tuple[list[Estimated], list[Finding], dict[str, np.ndarray]]:
    """All demand series of one service, and how many of its tasks ran, where that is known."""
    if not levels:
        return [], [], {}
    whole = _together(levels, target, size)
    censored = saturated(whole, service)
    results, findings = [], size_findings(name, shown, service)
    for metric in _demands(whole):
        if metric in SIZES:
            sizes = sizing(metric, shown, service)
            how, demand = demand_of(metric, levels, whole, sizes)
            findings += [] if how else [_not_absolute(name, metric)]
        else:
            how, demand = "measured", whole[metric]
        if how:
            mean, said = cleaned(demand.mean, Key(name, metric), target, size)
            peak = credible_peaks(demand.peak, mean, size)
            results.append(Estimated(Key(name, metric), how, Measured(mean, peak), censored & np.isfinite(mean)))
            findings += said + _saturation(results[-1], target, size)
    running = whole["running_tasks"]
    return results, findings, {name: running.mean} if results and running.known else {}


def _together(levels: list[Level], target: pd.DatetimeIndex, size: pd.Timedelta) -> Level:
    """Every metric on the target grid: its own values, gaps filled from finer levels."""
    found: dict[str, list[Measured]] = {}
    for level in reversed(levels):
        coarse = level if level.interval == size else level.coarser(size, target)
        for metric, measured in coarse.metrics.items():
            found.setdefault(metric, []).append(measured)
    return Level(target, size, {metric: filled(*parts) for metric, parts in found.items()})


def _demands(level: Level) -> Iterator[str]:
    """Which demand metrics there may be: requests, cpu, memory, then the caller's own."""
    for metric in ("requests", "cpu", "memory"):
        if metric in level.metrics or f"{metric}_utilization" in level.metrics:
            yield metric
    yield from sorted(metric for metric in level.metrics if metric not in METRICS)


def _demand(
    results: list[Estimated],
    target: pd.DatetimeIndex,
    size: pd.Timedelta,
    findings: list[Finding],
    services: Sequence[Service],
    tasks: dict[str, np.ndarray],
    clock: object = "UTC",
) -> Demand:
    known = [np.isfinite(result.demand.mean) for result in results]
    if not known or not np.any(known):
        reasons = "\n".join(f"  - {finding}" for finding in Findings.of(findings))
        raise HistoryError(
            "no demand can be estimated from this history.\n"
            + (reasons or "It holds neither requests, nor cpu or memory, nor a utilisation of them.")
        )
    present = np.flatnonzero(np.any(known, axis=0))
    part = slice(int(present[0]), int(present[-1]) + 1)  # an unfinished last interval is not a gap
    return Demand(
        keys=tuple(result.key for result in results),
        times=target[part],
        interval=size,
        values=np.array([result.demand.mean[part] for result in results]),
        peaks=np.array([result.demand.peak[part] for result in results]),
        censored=np.array([result.censored[part] for result in results]),
        derived=tuple(result.how for result in results),
        findings=Findings.of(findings),
        clock=clock,
        zones=zones_of([result.key for result in results], services, clock),
        tasks={name: ran[part] for name, ran in tasks.items()},
    )


def _relevant(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that demand can come from: means and maxima of our inputs and of metrics of the caller's own."""
    metrics = [metric for metric in frame["metric"].unique() if metric in INPUTS or metric not in METRICS]
    rows = frame[frame["metric"].isin(metrics) & frame["stat"].isin(["mean", "max"])]
    if len(rows) == 0:
        raise HistoryError(
            "the history holds nothing that demand can be estimated from.\n"
            f"It takes means of one of: {', '.join(INPUTS)}. "
            f"There are: {', '.join(map(str, frame['metric'].unique())) or 'no rows'}."
        )
    return rows


def _interval(rows: pd.DataFrame, asked: str | timedelta | None) -> pd.Timedelta:
    """The grid's interval: the one asked for, else the one that, with finer ones that divide it, knows most."""
    stamps = rows.groupby("interval", sort=True, observed=True)["timestamp"]
    starts = {int(seconds): pd.unique(part.array.asi8) for seconds, part in stamps}
    if asked is None:
        return pd.Timedelta(seconds=reaching(starts))
    sizes = [pd.Timedelta(seconds=seconds) for seconds in starts]
    size = duration(asked)
    if not any(size >= other and size % other == pd.Timedelta(0) for other in sizes):
        have = ", ".join(str(other) for other in sizes)
        raise InputError(
            f"the history has intervals of {have}: none of them divides {size}", advice="Ask for a longer one."
        )
    return size


def _target(rows: pd.DataFrame, size: pd.Timedelta) -> pd.DatetimeIndex:
    """The grid all series share: from the first row to the last, at the phase most rows of that interval have."""
    step = int(size / pd.Timedelta(microseconds=1))
    stamps = pd.DatetimeIndex(rows["timestamp"]).as_unit("us").asi8
    own = rows["interval"].to_numpy() == size.total_seconds()
    phases, counts = np.unique(stamps[own] % step, return_counts=True)
    phase = int(phases[np.argmax(counts)]) if own.any() else 0
    slots = (stamps - phase + np.where(own, step // 2, 0)) // step  # own stamps go to the nearest, as in levels_of
    start = pd.Timestamp(int(slots.min()) * step + phase, unit="us", tz="UTC")
    return pd.date_range(start, periods=int(slots.max() - slots.min()) + 1, freq=size, unit="us")


def _moved(name: str, rows: pd.DataFrame, target: pd.DatetimeIndex, size: pd.Timedelta) -> list[Finding]:
    stamps = pd.DatetimeIndex(rows["timestamp"][rows["interval"] == size.total_seconds()])
    off = np.asarray((stamps - target[0]) % size)
    distance = np.minimum(off, size.to_numpy() - off)
    if len(distance) == 0 or not distance.any():
        return []
    count = int((distance > np.timedelta64(0)).sum())
    message = (
        f"{count:,} stamps were moved by up to {pd.Timedelta(distance.max())} onto the grid that all series share."
    )
    return [Finding(name, "", "grid", "REVIEW", message, count=count)]


def _too_coarse(name: str, rows: pd.DataFrame, levels: list[Level], size: pd.Timedelta) -> list[Finding]:
    used = {level.interval.total_seconds() for level in levels}
    left = sorted({int(seconds) for seconds in rows["interval"].unique()} - {int(seconds) for seconds in used})
    if not left or used:
        return []
    there = ", ".join(str(pd.Timedelta(seconds=seconds)) for seconds in left)
    message = f"there are only intervals of {there}, which cannot make up intervals of {size}."
    advice = f"Estimate with interval='{left[0]}s', or bring finer data."
    return [Finding(name, "", "interval", "UNKNOWN", message, advice)]


def _not_absolute(name: str, resource: str) -> Finding:
    unit, field = SIZES[resource]
    message = f"{resource}_utilization is a percentage, and nothing tells of how many {unit}."
    advice = (
        f"Bring {resource}_reserved, or running_tasks and the size of a task, or state {field} and "
        f"assumed_running_tasks in [[service]] name = {name!r}."
    )
    return Finding(name, resource, "percent", "UNKNOWN", message, advice)


def _saturation(result: Estimated, target: pd.DatetimeIndex, size: pd.Timedelta) -> list[Finding]:
    places = np.flatnonzero(result.censored)
    if len(places) == 0 or result.key.metric == "memory":
        return []
    message = f"in {len(places):,} of {len(target):,} intervals the service was saturated: it needed more than it had."
    advice = "Raise max_tasks; until then read measured demand as the least that was wanted."
    span = {"start": target[places[0]], "end": target[places[-1]] + size, "count": len(places)}
    return [Finding(result.key.service, result.key.metric, "censored", "REVIEW", message, advice, **span)]
