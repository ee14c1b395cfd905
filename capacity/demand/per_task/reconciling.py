"""A load test and production about the same task: side by side, and as one capacity that is honest about both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

import numpy as np
import pandas as pd

from capacity.config import TaskCapacity
from capacity.display import table_html
from capacity.findings import Finding, Findings

#: What two measurements of the same thing on different days differ by at least, as a standard deviation (log): no
#: interval of one run knows of it (reference loadtest.md 8.2: two runs on different days beat any bootstrap).
REPEAT: Final = 0.03
#: Assumed for a capacity that states no interval: one step of the usual load test lies 10-20 % above the other.
UNSTATED: Final = 0.08
#: 95 % of a normal distribution.
Z: Final = 1.959964
#: Task sizes that differ by less are the same.
SAME_SIZE: Final = 0.02
#: A test beyond this times the rate that fills the processor is no test of this task: costs differ less by mix and day.
BEYOND_FULL: Final = 1.1

SizeRule = Literal["refuse", "vcpu"]


@dataclass(frozen=True, eq=False)
class Reconciled:
    """What is planned with, and the two it came from. `test` and `production` are as they were given."""

    test: TaskCapacity
    production: TaskCapacity
    task_capacity: TaskCapacity
    findings: Findings

    @property
    def frame(self) -> pd.DataFrame:
        """A row each: the load test, production, and what is planned with."""
        names = {"load test": self.test, "production": self.production, "planned with": self.task_capacity}
        return pd.DataFrame([{"evidence": name, **_row(one)} for name, one in names.items()])

    def __str__(self) -> str:
        rows = [
            f"{row['evidence']}: {_words(one)}"
            for row, one in zip(
                self.frame.to_dict("records"), (self.test, self.production, self.task_capacity), strict=True
            )
        ]
        return "\n".join([*rows, *map(str, self.findings)])

    def _repr_html_(self) -> str:
        return table_html(f"One task carries {_words(self.task_capacity)}", self.frame) + self.findings._repr_html_()


def reconcile(
    test: TaskCapacity,
    production: TaskCapacity,
    *,
    today: date | None = None,
    size_rule: SizeRule = "refuse",
    service: str = "",
) -> Reconciled:
    """One capacity from a load test and production, with an interval that covers what both say.

    today      for the age of each; None: the day of the later of them
    size_rule  where the tasks were of different sizes: "refuse" plans with production alone, whose size is the one that
               runs; "vcpu" scales the test by its vCPU (for work that is bound by CPU, and spread over all of it)
    service    named in the findings

    If they agree within their intervals, they are weighted by precision, and the interval holds both. If they
    contradict each other the lower is planned with, and the interval reaches to the higher. A rate of which only "at
    least" is known contradicts nothing above it, as long as the processor of a task can do it. Cost of a request and
    memory are production's where it knows them: it has the real mix.

    >>> test = TaskCapacity(requests_per_second=60, low=57, high=63, method="load test")
    >>> real = TaskCapacity(requests_per_second=45, low=43, high=47, method="production")
    >>> both = reconcile(test, real)
    >>> both.task_capacity.requests_per_second, both.task_capacity.interval, len(both.findings)
    (45.0, (43.0, 60.0), 1)
    """
    findings = [
        *_aged("load test", test, today or _latest(test, production), service),
        *_aged("production", production, today or _latest(test, production), service),
        *_other_slo(test, production, service),
    ]
    scaled, said = _of_one_size(test, production, size_rule, service)
    findings += said
    if scaled is None:
        return Reconciled(test, production, production, Findings.of(findings))
    rate, low, high, at_least, said = _together(scaled, production, service)
    capacity = TaskCapacity(
        requests_per_second=rate,
        low=low,
        high=high,
        at_least=at_least,
        slo_quantile=production.slo_quantile if production.slo_ms is not None else test.slo_quantile,
        slo_ms=production.slo_ms if production.slo_ms is not None else test.slo_ms,
        vcpu_seconds_per_request=_first(production.vcpu_seconds_per_request, test.vcpu_seconds_per_request),
        base_vcpu=_first(production.base_vcpu, test.base_vcpu),
        base_memory_gib=_first(production.base_memory_gib, test.base_memory_gib),
        memory_gib_per_request=_first(production.memory_gib_per_request, test.memory_gib_per_request),
        method="load test and production",
        model="; ".join(f"{name}: {one.model}" for name, one in _both(test, production) if one.model),
        evidence=(
            *(f"{name}: {_words(one)}." for name, one in _both(scaled, production)),
            *test.evidence,
            *production.evidence,
        ),
        measured=_latest(test, production),
        expires_days=min(test.expires_days, production.expires_days),
        task_vcpu=_first(production.task_vcpu, test.task_vcpu),
        task_memory_gib=_first(production.task_memory_gib, test.task_memory_gib),
    )
    return Reconciled(test, production, capacity, Findings.of(findings, said))


def _together(
    test: TaskCapacity, production: TaskCapacity, service: str
) -> tuple[float, float, float, bool, list[Finding]]:
    """(rate, low, high, at least, findings) of two capacities of one task size."""
    a, b = test.requests_per_second, production.requests_per_second
    full = _full(production)
    if b <= full and test.interval[0] > BEYOND_FULL * full:
        return b, production.interval[0], full, production.at_least, [_contradiction(test, production, service)]
    if test.at_least and production.at_least:
        best = max((test, production), key=lambda one: one.requests_per_second)
        return best.requests_per_second, best.interval[0], max(test.interval[1], production.interval[1]), True, []
    for bound, other in ((test, production), (production, test)):
        if bound.at_least and other.requests_per_second >= bound.requests_per_second:
            low, high = other.interval
            return (
                other.requests_per_second,
                max(low, min(bound.interval[0], other.requests_per_second)),
                high,
                False,
                [],
            )
    apart, spread = np.log(a / b), float(np.hypot(_error(test), _error(production)))
    if abs(apart) <= Z * spread:
        weights = np.array([_error(test) ** -2, _error(production) ** -2])
        rate = float(np.exp(weights @ np.log([a, b]) / weights.sum()))
        half = Z / float(np.sqrt(weights.sum()))
        return rate, min(a, b, rate * np.exp(-half)), max(a, b, rate * np.exp(half)), False, []
    lower = test if a < b else production
    low, rate = lower.interval[0], lower.requests_per_second
    return rate, low, max(a, b), False, [_contradiction(test, production, service)]


def _full(production: TaskCapacity) -> float:
    """Requests/s that fill the processor of a task; infinite where cost or size are not known."""
    cost, size = production.vcpu_seconds_per_request, production.task_vcpu
    return (size - (production.base_vcpu or 0.0)) / cost if cost and size else float("inf")


def _error(one: TaskCapacity) -> float:
    """Standard deviation of the log of the rate: from its interval, and what days differ by."""
    low, high = one.interval
    own = np.log(high / low) / (2 * Z) if one.low is not None else UNSTATED
    return float(np.hypot(own, REPEAT))


def _contradiction(test: TaskCapacity, production: TaskCapacity, service: str) -> Finding:
    a, b = test.requests_per_second, production.requests_per_second
    if a > b:
        causes = (
            "a test mix cheaper than the real one, warm caches and small data in the test, dependencies that were "
            "faster or not there, retries, noisy neighbours, or a deploy between the two"
        )
        higher = f"the load test says {a / b - 1:.0%} more than production shows"
        full = _full(production)
        if test.interval[0] > BEYOND_FULL * full:
            higher += f", where {full:.4g} requests/s fill the {production.task_vcpu:g} vCPU of a task"
    else:
        causes = (
            "a test mix dearer than the real one, a generator that was full itself, too few connections, a cold "
            "start in the test, or a deploy between the two"
        )
        higher = f"production shows {b / a - 1:.0%} more than the load test says"
    dated = [f"{name} of {one.measured:%Y-%m-%d}" for name, one in _both(test, production) if one.measured]
    message = f"{higher} ({a:.4g} against {b:.4g} requests/s a task{', ' + ', '.join(dated) if dated else ''}): "
    return Finding(
        service,
        "requests",
        "contradiction",
        "REVIEW",
        message + f"planned with the lower, {min(a, b):.4g}. Usual causes: {causes}.",
        "Compare mix, task size, dependencies and dates; then test again with the mix of production.",
    )


def _of_one_size(
    test: TaskCapacity, production: TaskCapacity, rule: SizeRule, service: str
) -> tuple[TaskCapacity | None, list[Finding]]:
    """The test as of production's task size, or None where it must not be used."""
    pairs = {
        "vCPU": (test.task_vcpu, production.task_vcpu),
        "GiB": (test.task_memory_gib, production.task_memory_gib),
    }
    other = {
        unit: (a, b) for unit, (a, b) in pairs.items() if a is not None and b is not None and abs(a / b - 1) > SAME_SIZE
    }
    if not other:
        return test, []
    sizes = ", ".join(f"{a:g} and {b:g} {unit}" for unit, (a, b) in other.items())
    if rule == "vcpu":
        factor = other["vCPU"][1] / other["vCPU"][0] if "vCPU" in other else 1.0
        low, high = test.interval
        changes = {"requests_per_second": test.requests_per_second * factor}
        if test.low is not None:
            changes |= {"low": low * factor, "high": high * factor}
        message = (
            f"the load test's task and production's differ ({sizes}): the test is scaled by {factor:.3g}, as its vCPU."
        )
        advice = "True only of work bound by CPU that uses all of it: test the size that runs."
        scaled = test.model_copy(update=changes)
        return scaled, [Finding(service, "requests", "task size", "REVIEW", message, advice)]
    message = f"the load test's task and production's differ ({sizes}): planned with production alone."
    advice = "Test the size that runs, or say that work is bound by CPU: size_rule='vcpu'."
    return None, [Finding(service, "requests", "task size", "REVIEW", message, advice)]


def _aged(what: str, one: TaskCapacity, today: date | None, service: str) -> list[Finding]:
    if one.measured is None:
        message = f"nobody said when the {what} was measured."
        return [Finding(service, "requests", "age", "UNKNOWN", message, "State its day.")] if today else []
    if today is None or today - one.measured <= timedelta(days=one.expires_days):
        return []
    days = (today - one.measured).days
    message = f"the {what} is of {one.measured:%Y-%m-%d}, {days} days old; it held for {one.expires_days}."
    return [Finding(service, "requests", "expired", "REVIEW", message, "Measure again: images, mix and data change.")]


def _other_slo(test: TaskCapacity, production: TaskCapacity, service: str) -> list[Finding]:
    if test.slo_ms is None or production.slo_ms is None:
        return []
    if (test.slo_ms, test.slo_quantile) == (production.slo_ms, production.slo_quantile):
        return []
    message = (
        f"they answer different questions: the load test p{100 * test.slo_quantile:g} within {test.slo_ms:g} ms, "
        f"production p{100 * production.slo_quantile:g} within {production.slo_ms:g} ms."
    )
    return [Finding(service, "latency", "other SLO", "REVIEW", message, "Read both at the same SLO.")]


def _both(test: TaskCapacity, production: TaskCapacity) -> tuple[tuple[str, TaskCapacity], tuple[str, TaskCapacity]]:
    return ("load test", test), ("production", production)


def _latest(test: TaskCapacity, production: TaskCapacity) -> date | None:
    return max((one.measured for one in (test, production) if one.measured is not None), default=None)


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _row(one: TaskCapacity) -> dict[str, object]:
    low, high = one.interval
    return {
        "requests_per_second": one.requests_per_second,
        "low": low,
        "high": high,
        "at_least": one.at_least,
        "vcpu_seconds_per_request": one.vcpu_seconds_per_request,
        "task_vcpu": one.task_vcpu,
        "measured": one.measured,
        "method": one.method,
    }


def _words(one: TaskCapacity) -> str:
    low, high = one.interval
    least = "at least " if one.at_least else ""
    return f"{least}{one.requests_per_second:.4g} requests/s ({low:.4g} to {high:.4g})"
