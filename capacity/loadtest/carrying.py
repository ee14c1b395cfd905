"""What one task carries: the largest rate at which the SLO held, interpolated between measured load points.

In order of preference (reference loadtest.md 7.4): (a) the measured quantile of latency at each open, steady load
point, made monotone, read off at the SLO; (b) a scaling law for the mean with the measured ratio of quantile to mean;
(c) a queue whose service times come from the lowest load. The last two only look between the highest rate that met the
SLO and the rate at which the service was saturated: nothing is promised beyond what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from capacity.config.task_capacity import TaskCapacity
from capacity.errors import InputError
from capacity.loadtest.models.between import by_law, by_queue
from capacity.loadtest.models.monotone import crossed, isotonic
from capacity.loadtest.usable import first_failure, reasons, refusal, unusable

#: Confidence of the interval: what `TaskCapacity` states.
LEVEL: Final = 0.95

#: Columns of `steps` that hold a quantile of latency.
QUANTILES: Final = {0.5: "p50_ms", 0.95: "p95_ms", 0.99: "p99_ms"}


class Measured(Protocol):
    """What is asked of a load test."""

    @property
    def steps(self) -> pd.DataFrame:
        """A row a load point, as `LoadTest.steps`."""
        ...

    def resampled(self, step: int, quantile: float, draws: int = ..., seed: int = ...) -> np.ndarray:
        """(draws,) that latency quantile of a step, ms, as it could have come out."""
        ...


@dataclass(frozen=True)
class _Answer:
    """A rate of the whole test (not yet a task's), its interval, and how it was found."""

    rate: float
    low: float
    high: float
    at_least: bool
    model: str
    sentence: str


def task_capacity(
    test: Measured,
    *,
    slo_ms: float,
    quantile: float = 0.95,
    error_budget: float = 0.01,
    tasks: int = 1,
    balanced: bool = False,
    workers: int | None = None,
    task_vcpu: float | None = None,
    task_memory_gib: float | None = None,
    draws: int = 400,
    seed: int = 0,
) -> TaskCapacity:
    """The largest rate of one task at which `quantile` of latency stays within `slo_ms` and errors within their budget.

    test          a LoadTest, or what has its `steps` and `resampled`
    slo_ms        bound of the latency of successful requests, milliseconds
    quantile      of latency that the SLO bounds, in (0, 1)
    error_budget  share of requests that may fail at a load point
    tasks         how many shared the load; rates are divided by them
    balanced      whether their shares were checked to be equal; a sentence of the evidence warns when they were not
    workers       requests one task serves at once, if known: helps where the SLO was not reached before saturation
    task_vcpu, task_memory_gib   size of the task, kept with the figure
    draws, seed   of the block bootstrap; the same seed gives the same interval

    Only open, steady, unsaturated load points count for latency: a closed loop hides the tail, and bursts of users in
    step make it. The interval holds the sampling error of the latencies (blocks of at least 5 s) and the distance of
    the load points on both sides of the SLO. `at_least` is true when no load point broke the SLO or was saturated.

    Raises InputError when no load point can say it, and when even the lowest one broke the SLO ("below X").
    """
    _checked(slo_ms, quantile, error_budget, tasks)
    steps = test.steps.sort_values("throughput_per_s", kind="stable")
    latency = _latencies(test, steps, quantile, draws, seed)
    why = [unusable(row, value, quantile) for row, value in zip(_rows(steps), latency, strict=True)]
    usable = np.array([not reason for reason in why], dtype=bool)
    if not usable.any():
        raise refusal(steps, why, tasks)
    points, latency = steps[usable], latency[usable]
    rates = points["throughput_per_s"].to_numpy(dtype=float)
    fine = points["error_share"].fillna(0.0).to_numpy(dtype=float) <= error_budget
    ceiling = first_failure(steps, points, fine, error_budget)
    within = rates < ceiling
    if not within.any():
        raise InputError(
            f"capacity is below {ceiling / tasks:.4g} requests/s per task: errors or saturation began at the lowest "
            "load point. Measure at lower rates."
        )
    answer = _answer(
        test, points[within], latency[within], steps, ceiling, slo_ms, quantile, tasks, workers, draws, seed
    )
    left_out = reasons(steps, why)
    evidence = [answer.sentence, _points_in_words(points[within], latency[within], quantile, tasks)]
    if left_out:
        evidence.append(f"Not used for latency: {left_out}.")
    if (points["loop"] == "unknown").any():
        evidence.append("Whether arrivals waited for answers is not known; if they did, the tail is understated.")
    if tasks > 1 and not balanced:
        evidence.append(
            f"The rates of {tasks} tasks were divided by {tasks}; whether each got its share was not checked, and the "
            "busiest decides."
        )
    return TaskCapacity(
        requests_per_second=_rounded(answer.rate / tasks),
        low=_rounded(answer.low / tasks),
        high=_rounded(answer.high / tasks),
        at_least=answer.at_least,
        slo_quantile=quantile,
        slo_ms=slo_ms,
        method="load test",
        model=answer.model,
        evidence=tuple(evidence),
        measured=_day(points),
        task_vcpu=task_vcpu,
        task_memory_gib=task_memory_gib,
    )


# --- what may be used -------------------------------------------------------------------------------------------------


def _checked(slo_ms: float, quantile: float, error_budget: float, tasks: int) -> None:
    if not (np.isfinite(slo_ms) and slo_ms > 0):
        raise InputError(f"slo_ms is {slo_ms:g}: it has to be milliseconds above 0")
    if not 0 < quantile < 1:
        raise InputError(f"quantile is {quantile:g}: it has to lie between 0 and 1, such as 0.95")
    if not 0 <= error_budget < 1:
        raise InputError(f"error_budget is {error_budget:g}: a share of requests from 0 to below 1, such as 0.01")
    if tasks < 1 or tasks != int(tasks):
        raise InputError(f"tasks is {tasks:g}: the load was shared by a whole number of them, at least 1")


def _latencies(test: Measured, steps: pd.DataFrame, quantile: float, draws: int, seed: int) -> np.ndarray:
    """(steps,) the quantile of each load point, ms: its column, or the middle of what resampling gives."""
    if quantile in QUANTILES:
        return steps[QUANTILES[quantile]].to_numpy(dtype=float)
    known = steps["samples"].to_numpy(dtype=float) > 0
    numbers = steps["step"].to_numpy()
    return np.array(
        [
            float(np.median(test.resampled(int(step), quantile, draws, seed))) if has else np.nan
            for step, has in zip(numbers, known, strict=True)
        ]
    )


def _answer(
    test: Measured,
    points: pd.DataFrame,
    latency: np.ndarray,
    steps: pd.DataFrame,
    ceiling: float,
    slo_ms: float,
    quantile: float,
    tasks: int,
    workers: int | None,
    draws: int,
    seed: int,
) -> _Answer:
    rates = points["throughput_per_s"].to_numpy(dtype=float)
    weights = points["samples"].to_numpy(dtype=float)
    named = f"p{100 * quantile:g}"
    at = crossed(rates, isotonic(latency, weights), slo_ms)
    if at.met is None:
        raise InputError(
            f"capacity is below {rates[0] / tasks:.4g} requests/s per task: even there {named} was "
            f"{isotonic(latency, weights)[0]:.4g} ms, and the SLO is {slo_ms:g} ms. Measure at lower rates; if it "
            "stays, look at what a request does without load: more tasks will not help."
        )
    drawn = _draws(test, points, quantile, slo_ms, weights, draws, seed)
    if at.failed is not None:
        low, high = drawn
        model = f"{named} by rate, monotone, interpolated at {slo_ms:g} ms"
        sentence = (
            f"{named} met {slo_ms:g} ms at {at.met / tasks:.4g}/s per task and broke it at {at.failed / tasks:.4g}/s."
        )
        return _Answer(at.rate, min(low, at.rate), max(high, at.rate), False, model, sentence)
    top = at.met
    low = min(drawn[0], top)
    if not np.isfinite(ceiling):
        sentence = (
            f"{named} met {slo_ms:g} ms at every load point, up to {top / tasks:.4g}/s per task: it may carry more."
        )
        return _Answer(top, low, top, True, f"{named} by rate, met everywhere", sentence)
    bracket = (
        f"{named} met {slo_ms:g} ms up to {top / tasks:.4g}/s per task; at {ceiling / tasks:.4g}/s it was saturated"
    )
    bracket += " or errors passed their budget."
    for way in (by_law, by_queue):
        found = way(points, latency, steps, slo_ms, quantile, workers, tasks)
        if found is not None and found[0] < ceiling:  # else the measured saturation contradicts the model
            return _Answer(max(found[0], top), low, ceiling, False, found[1], bracket)
    return _Answer(
        top, low, ceiling, False, f"the highest rate at which {named} met the SLO before saturation", bracket
    )


def _draws(
    test: Measured, points: pd.DataFrame, quantile: float, slo_ms: float, weights: np.ndarray, draws: int, seed: int
) -> tuple[float, float]:
    """Ends of the interval: the crossing of resampled latencies, anywhere between the load points on both sides of it.

    Between two load points a monotone curve may run anywhere: step spacing is an error that no resampling lowers.
    """
    rates = points["throughput_per_s"].to_numpy(dtype=float)
    numbers = points["step"].to_numpy()
    columns = [test.resampled(int(step), quantile, draws, seed + place) for place, step in enumerate(numbers)]
    generator = np.random.default_rng(seed)
    found = np.empty(draws)
    for place, row in enumerate(np.column_stack(columns)):
        at = crossed(rates, isotonic(row, weights), slo_ms)
        lower = at.met if at.met is not None else 0.0
        upper = at.failed if at.failed is not None else lower
        found[place] = lower + (upper - lower) * generator.random()
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(max(low, rates[0] / 100)), float(high)


def _rows(steps: pd.DataFrame) -> list[Any]:
    return list(steps.itertuples(index=False))


def _points_in_words(points: pd.DataFrame, latency: np.ndarray, quantile: float, tasks: int) -> str:
    shown = [
        f"{rate / tasks:.4g}/s {value:.4g} ms" for rate, value in zip(points["throughput_per_s"], latency, strict=True)
    ]
    return f"Load points per task, with their p{100 * quantile:g}: {', '.join(shown)}."


def _rounded(rate: float) -> float:
    """Five significant digits: more than any load test knows, and the same on every machine."""
    return float(f"{rate:.5g}")


def _day(points: pd.DataFrame) -> Any:
    last = points["end"].max()
    return None if pd.isna(last) else last.date()
