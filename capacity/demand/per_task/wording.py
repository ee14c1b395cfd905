"""Production evidence in words: the sentences of a TaskCapacity, and what is remarkable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from capacity.demand.per_task.carrying import FARTHEST
from capacity.demand.per_task.changes import Change
from capacity.demand.per_task.epochs import RECENT, Epoch
from capacity.findings import Finding

#: A cost that moved by more than this from the start of an epoch to its end, without a jump, is a drift worth a look.
DRIFT: Final = 0.10
#: Costs of a request that differ by more than this from interval to interval (log, robust) are not made by requests:
#: of simulated services whose cost is noisy by 10 % a minute it is 0.10 to 0.15.
SCATTER: Final = 0.35
#: Share of saturated intervals from which they are worth a look.
FULL: Final = 0.01


def model_of(part: Epoch) -> str:
    """The line and, where it decided, the latency, in words."""
    if part.cost is None:
        return ""
    words = f"vCPU of a task = {part.cost.base:.3g} + {part.cost.slope:.4g} x requests/s of it, {part.cost.how}"
    return f"{words}; {part.carried.how}" if part.carried is not None else words


def evidence(part: Epoch, changes: Sequence[Change], slo_ms: float | None, use: float) -> tuple[str, ...]:
    """What was measured, when, with what result."""
    assert part.cost is not None and part.carried is not None
    low, high = part.cost.interval
    since = max(part.start, part.end - RECENT)
    sentences = [
        f"{part.rows:,} usable intervals of production, {since:%Y-%m-%d %H:%M} to {part.end:%Y-%m-%d %H:%M} UTC: a "
        f"request costs {part.cost.slope:.4g} vCPU-seconds ({low:.4g} to {high:.4g}), an idle task uses "
        f"{part.cost.base:.3g} vCPU."
    ]
    if part.curve is not None:
        top = part.curve.frame.iloc[-1]
        sentences.append(
            f"Latency at {top['requests_per_s']:.4g} requests/s a task, the busiest twentieth, was "
            f"{top['isotonic_ms']:.4g} ms; the SLO is {slo_ms:g} ms: {part.carried.how}."
        )
    elif part.carried.how.startswith("extrapolated"):
        sentences.append(f"No latency against an SLO: {part.carried.how} to {use:.0%} of {part.task_vcpu:g} vCPU.")
    lasting = [change for change in changes if change.lasted is None]
    if lasting:
        sentences.append(_change_words(lasting[-1]) + ".")
    return tuple(sentences)


def findings_of(
    name: str,
    found: Sequence[Epoch],
    newest: Epoch,
    changes: Sequence[Change],
    slo_ms: float | None,
    latency_known: bool,
    use: float,
) -> Iterator[Finding]:
    """What is remarkable about the evidence, worst not first."""
    for change in changes:
        advice = "A capacity measured before is of another program: plan with the newest, and test again."
        if change.lasted is not None:
            advice = "It went back: look what ran then. It starts no new epoch."
        yield Finding(
            name, "cpu", "cost change", "REVIEW", _change_words(change), advice, start=change.at, end=change.at, count=1
        )
    if found[-1] is not newest:
        last = found[-1]
        message = (
            f"since {last.start:%Y-%m-%d %H:%M} ({last.began}) there are only {last.rows} usable intervals: too few. "
            f"What one task carries is of before, {newest.start:%Y-%m-%d} to {newest.end:%Y-%m-%d}."
        )
        yield Finding(name, "", "too short", "REVIEW", message, "Measure again in a day or two.", start=last.start)
    yield from _of_capacity(name, newest, slo_ms, latency_known, use)
    yield from _of_cost(name, newest)


def _of_capacity(name: str, part: Epoch, slo_ms: float | None, latency_known: bool, use: float) -> Iterator[Finding]:
    best = part.carried
    if best is None:
        return
    if slo_ms is not None and part.curve is None:
        why = "too few intervals of it" if latency_known else "the history has no such quantile"
        message = f"latency against {slo_ms:g} ms is not known ({why}): CPU alone decides."
        yield Finding(
            name, "latency", "no latency", "UNKNOWN", message, "Fetch latency quantiles of the load balancer."
        )
    if best.how.startswith("extrapolated"):
        message = (
            f"{best.rate:.4g} requests/s a task are an extrapolation by CPU to {use:.0%} of {part.task_vcpu:g} vCPU, "
            f"never above {FARTHEST:g} times what was seen: production did not show where the SLO breaks."
        )
        yield Finding(name, "requests", "extrapolated", "REVIEW", message, "Confirm it with a load test.")
    elif best.at_least:
        message = f"the SLO held at every rate seen: one task carries {best.rate:.4g} requests/s or more."
        yield Finding(name, "requests", "at least", "REVIEW", message, "A load test says how much more.")
    elif best.rate <= best.low or best.how.startswith("latency was above"):
        message = f"latency was above {slo_ms:g} ms at every rate seen: load is not what makes it slow."
        yield Finding(
            name, "latency", "slow always", "FAIL", message, "Look for a slow dependency, or state the SLO anew."
        )
    if part.full_share > FULL:
        message = (
            f"in {part.full_share:.1%} of the intervals the tasks were full; they are left out of what a request costs."
        )
        yield Finding(name, "cpu", "saturated", "REVIEW", message, "Raise max_tasks: users waited then.")


def _of_cost(name: str, part: Epoch) -> Iterator[Finding]:
    cost, memory = part.cost, part.memory
    if cost is not None and cost.bends_up:
        message = (
            f"a request costs {cost.bend:.0%} more vCPU at high load than at low load: contention. What lies beyond is "
            "taken from the high half."
        )
        yield Finding(name, "cpu", "contention", "REVIEW", message, "Look for locks, garbage collection, retries.")
    if cost is not None and cost.slope_error > 0.15 * max(cost.slope, 1e-12):
        message = "the rate per task hardly moves beside its noise: what a request costs is only roughly known."
        yield Finding(
            name, "cpu", "unclear cost", "REVIEW", message, "A load test, or a day with another task count, tells."
        )
    if part.scatter > SCATTER:
        message = (
            f"the CPU of a request differs by {part.scatter:.0%} from interval to interval: something else than "
            "requests uses the processor, or the metrics are not of the same tasks."
        )
        yield Finding(
            name, "cpu", "scatter", "FAIL", message, "Do not plan on it: check what runs beside the requests."
        )
    if np.isfinite(part.drift) and abs(part.drift - 1) > DRIFT:
        message = f"from the start of the epoch to its end the cost of a request drifted by {part.drift - 1:+.0%}."
        yield Finding(
            name, "cpu", "drift", "REVIEW", message, "Growing data, a cache that fills, another mix: find out."
        )
    if memory is not None and memory.slope <= 0:
        message = "memory does not grow with load: it is what the process keeps, whatever it serves."
        yield Finding(name, "memory", "flat memory", "PASS", message)


def _change_words(change: Change) -> str:
    percent = f"{abs(change.ratio - 1):.0%} {'more' if change.ratio > 1 else 'less'}"
    interval = f"{change.low - 1:+.0%} to {change.high - 1:+.0%}"
    what = f"a request costs {percent} vCPU ({interval})"
    within = change.within.total_seconds()
    exactly = f"{within / 3600:.2g} h" if within >= 3600 else f"{within / 60:.0f} min"
    if change.lasted is not None:
        hours = change.lasted.total_seconds() / 3600
        return f"{what.replace('costs', 'cost')} for {hours:.0f} h from {change.at:%Y-%m-%d %H:%M} UTC"
    deploy = ", a known deploy" if change.deploy else f", within {exactly}"
    return f"{what} since {change.at:%Y-%m-%d %H:%M} UTC{deploy}"
