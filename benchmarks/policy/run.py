"""One trace from its first plan to its last minute: planned weekly by the public road, judged without a break."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import capacity
from benchmarks.policy import opponents
from benchmarks.policy.calls import Settings, settings
from benchmarks.policy.generated import PER_DAY
from benchmarks.policy.judge import Rules, Verdict, in_force, judge
from benchmarks.policy.opponents import Point
from benchmarks.policy.score import Score, score
from benchmarks.policy.traces import PER_TASK, Trace
from benchmarks.policy.upsampling import Minutes, minutes_of

#: What a plan may see, and for how long it stands.
MOST_HISTORY = 60 * PER_DAY
HORIZON = 7 * PER_DAY

Recommend = Callable[[pd.Series], Sequence[dict[str, Any]]]

Fronts = tuple[list[Point], list[Point]]


def ours(series: pd.Series) -> Sequence[dict[str, Any]]:
    """The public road of issue 6, word by word."""
    service = capacity.Service(
        name="x", requests_per_second_per_task=PER_TASK, startup_seconds=120, min_tasks=2, max_tasks=2000
    )
    plan = capacity.plan(capacity.forecast(series, horizon=HORIZON), service)
    calls: Sequence[dict[str, Any]] = capacity.recommend_policy(plan).render("boto3")
    return calls


@dataclass(frozen=True)
class Outcome:
    """How a trace went for us and for the others, on the same minutes."""

    trace: Trace
    verdict: Verdict
    point: Point
    front: list[Point]  # plain target tracking, every target
    crude: list[Point]  # the crude schedule, every target
    clairvoyant_hours: float
    documents: list[tuple[pd.Timestamp, Settings]]
    load: np.ndarray  # (n,) requests/s of the judged minutes
    times: pd.DatetimeIndex
    plan_seconds: float  # the slowest plan

    @property
    def against_tracking(self) -> Score:
        return score(self.point, self.front)

    @property
    def against_crude(self) -> Score:
        return score(self.point, self.crude)


def run(trace: Trace, recommend: Recommend = ours, *, minutes: Minutes = "step", rules: Rules | None = None) -> Outcome:
    """Plan at the trace's first cutoff and every seven days after it, and judge every minute from there on.

    recommend  history -> boto3 calls; sees at most 60 days, and nothing after its cutoff
    minutes    how a minute's load is made of a five-minute mean
    """
    rules = Rules() if rules is None else rules
    documents, slowest = [], 0.0
    for cutoff in range(trace.first, len(trace.series), HORIZON):
        past = trace.series.iloc[max(0, cutoff - MOST_HISTORY) : cutoff]
        begin = time.perf_counter()
        documents.append((trace.series.index[cutoff], settings(recommend(past))))
        slowest = max(slowest, time.perf_counter() - begin)
    whole = minutes_of(trace.series.to_numpy(), minutes, trace.seed)
    load = whole[5 * trace.first :]
    times = pd.date_range(documents[0][0], periods=len(load), freq="min")
    verdict = judge(load, in_force(times, documents), rules)
    tracked, crude = fronts(trace, minutes, rules, whole)
    return Outcome(
        trace=trace,
        verdict=verdict,
        point=Point.of(float("nan"), 0, verdict),
        front=tracked,
        crude=crude,
        clairvoyant_hours=opponents.clairvoyant_hours(load, rules),
        documents=documents,
        load=load,
        times=times,
        plan_seconds=slowest,
    )


_FRONTS: dict[tuple[str, Minutes, Rules], Fronts] = {}


def fronts(trace: Trace, minutes: Minutes, rules: Rules, whole: np.ndarray) -> Fronts:
    """The opponents of a trace, judged once a process: they do not change with our policy."""
    key = (trace.name, minutes, rules)
    if key not in _FRONTS:
        history, load = whole[: 5 * trace.first], whole[5 * trace.first :]
        _FRONTS[key] = opponents.tracking(load, rules), opponents.crude(history, load, rules)
    return _FRONTS[key]
