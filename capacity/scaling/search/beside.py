"""What may stand beside tracking and schedule: a step ladder, AWS's predictive scaling. Each has to earn its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final, Literal, NamedTuple, cast, get_args

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.scaling.ahead import short_in
from capacity.scaling.bounds import bounds
from capacity.scaling.policy import PredictiveScaling, ServicePolicy, Step, StepScaling
from capacity.scaling.rehearse import weighed
from capacity.scaling.replay import NOISE, Replay
from capacity.scaling.schedule import lead_minutes
from capacity.scaling.search.judging import Coming, Limits, Past
from capacity.scaling.search.kinds import Kind

Beside = Literal["steps", "predictive"]

#: Thresholds of a ladder that are tried, as multiples of the tracked target, and the datapoints that have to be above.
THRESHOLDS: Final = (1.1, 1.3)
DATAPOINTS: Final = (1, 2)

#: Rungs: from this share of the target above the threshold on, this many percent of the running tasks more.
RUNGS: Final = ((0.0, 20), (0.25, 50), (0.75, 100))

#: What is added has to save this share of the cost, or it is left out: each part is one more to understand.
WORTH_A_PART: Final = 0.005


class Outcome(NamedTuple):
    """How a policy did on history and on paths of the forecast, the mean of both."""

    short: float  # share of the minutes
    past: float  # cost (`weighed`) on history
    coming: float  # and on the forecast

    def better_than(self, other: Outcome) -> float:
        """Share of the other's cost that this one saves; below 0 where it is short more often."""
        if self.short > other.short:
            return -1.0
        return 1 - (self.past / other.past + self.coming / other.coming) / 2


def asked_for(beside: Iterable[str]) -> tuple[Beside, ...]:
    """The parts, each once. Raises InputError for a name that is none.

    >>> asked_for(["steps", "steps"])
    ('steps',)
    """
    names = tuple(dict.fromkeys(beside))
    unknown = [name for name in names if name not in get_args(Beside)]
    if unknown:
        raise InputError(f"{unknown[0]!r} cannot stand beside target tracking", advice="One of: steps, predictive.")
    return cast("tuple[Beside, ...]", names)


def with_parts(
    policy: ServicePolicy, kind: Kind, history: Past, coming: Coming, level: float, parts: tuple[Beside, ...]
) -> tuple[ServicePolicy, list[str]]:
    """The policy with those of the parts that pay for themselves, and what was found of each.

    kind  of the policy: its schedule of the judged weeks is that kind's, made before each
    """
    if not parts:
        return policy, []
    said = []
    now = _outcome(policy, kind, history, coming, level)
    for part in parts:
        options = list(ladders(policy) if part == "steps" else predictions(policy))
        tried = [(_outcome(option, kind, history, coming, level), option) for option in options]
        best, option = max(tried, key=lambda one: one[0].better_than(now), default=(now, policy))
        saves = best.better_than(now)
        if saves < WORTH_A_PART:
            said.append(f"{_NAMES[part]}: {len(options)} tried, none pays for itself.")
            continue
        said.append(_said(option, part, saves, now, best))
        policy, now = option, best
    if policy.predictive is not None:  # AWS's own forecast was never seen: it is watched before it acts
        policy = replace(policy, predictive=replace(policy.predictive, mode="ForecastOnly"))
    return policy, said


_NAMES: Final[dict[Beside, str]] = {"steps": "Step scaling", "predictive": "Predictive scaling"}


def ladders(policy: ServicePolicy) -> Iterator[ServicePolicy]:
    """The policy with each ladder that is tried, above its target; a percentage stays below 100."""
    tracking = policy.tracking
    for factor in THRESHOLDS:
        threshold = round(tracking.target * factor, 1)
        if tracking.metric != "requests" and threshold >= 100:
            continue
        starts = [round(share * tracking.target, 1) for share, _ in RUNGS]
        ends = [*starts[1:], None]
        steps = tuple(Step(low, high, more) for low, high, (_, more) in zip(starts, ends, RUNGS, strict=True))
        for minutes in DATAPOINTS:
            ladder = StepScaling(
                tracking.metric, threshold, steps, minutes=minutes, cooldown=tracking.scale_out_cooldown
            )
            yield replace(policy, steps=ladder)


def predictions(policy: ServicePolicy) -> Iterator[ServicePolicy]:
    """The policy with predictive scaling at its own target, launching ahead by what a task takes to start."""
    ahead = min(60 * lead_minutes(policy.service.startup_seconds), 3600)
    tracking = policy.tracking
    yield replace(
        policy, predictive=PredictiveScaling(tracking.metric, tracking.target, mode="ForecastAndScale", buffer=ahead)
    )


def _outcome(policy: ServicePolicy, kind: Kind, history: Past, coming: Coming, level: float) -> Outcome:
    judged = history.times[history.first :]
    limits = history.limits_of([kind])[0] if kind.pattern else bounds(policy, judged)
    rows = [_replayed(policy, judged, history.load[history.first :], limits, history.kept)]
    future, ahead = coming.judged, bounds(policy, coming.judged.times)
    rows += [_replayed(policy, future.times, load, ahead, coming.kept) for load in future.loads]
    past, coming_mean = rows[0], np.mean(rows[1:], axis=0)
    costs = [float(weighed(hours, missing, short, level)) for hours, missing, short in (past, coming_mean)]
    return Outcome(float(past[2] + coming_mean[2]) / 2, costs[0], costs[1])


def _replayed(
    policy: ServicePolicy, times: pd.DatetimeIndex, load: np.ndarray, limits: Limits, kept: float
) -> np.ndarray:
    """Task-hours, missing ones, and the share of known minutes that are short of keeping the promise."""
    run = Replay.of(policy, times, load, limits=limits)
    missing = np.ceil(run.load / kept - NOISE) - run.running
    short = missing > 0
    hours = run.step / 3600
    return np.array([run.task_hours, missing[short].sum() * hours, short.sum() / max(run.known.sum(), 1)])


def _said(policy: ServicePolicy, part: Beside, saves: float, now: Outcome, best: Outcome) -> str:
    about = f"{_NAMES[part]} saves {100 * saves:.1f} % of the cost, shortage weighed; {short_in(best.short)}"
    about += f" instead of {100 * now.short:.2f} %."
    if part == "predictive":
        return (
            f"{about} That was rehearsed with a stand-in for AWS's forecast, so it is left at ForecastOnly: compare "
            "its forecast with what came, then set ForecastAndScale."
        )
    ladder = policy.steps
    threshold = "" if ladder is None else f"{ladder.threshold:,g} in {ladder.minutes} of {ladder.minutes} minutes"
    return f"{about} Its alarm rings above {threshold}."
