"""What our policy has to beat, on the same minutes: target tracking with every target, and the crude schedule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.policy.judge import InForce, Rules, Verdict, judge

#: Targets as shares of what a task carries. Chosen in hindsight, which nobody running a service has.
SHARES = np.round(np.arange(0.40, 1.2001, 0.02), 2)

#: Scale-out and scale-in cooldown, s: prompt ones, and ECS's defaults.
COOLDOWNS = ((60, 300), (300, 300))

#: Bounds of the acceptance's service.
LEAST, MOST = 2, 2000

WEEK_MINUTES = 7 * 1440


@dataclass(frozen=True)
class Point:
    """One way to scale, judged."""

    share: float
    out_cooldown: int
    task_hours: float
    short_share: float
    theta_u: float
    missing_task_hours: float

    @classmethod
    def of(cls, share: float, out_cooldown: int, verdict: Verdict) -> Point:
        return cls(
            share,
            out_cooldown,
            verdict.task_hours,
            verdict.short_share,
            verdict.theta_u,
            verdict.missing_task_hours,
        )


def tracking(load: np.ndarray, rules: Rules, minimum: np.ndarray | None = None) -> list[Point]:
    """Target tracking with every target and cooldown, above a minimum (n,) if one is given."""
    least = np.full(len(load), LEAST) if minimum is None else minimum
    return list(_points(load, rules, least, COOLDOWNS))


def crude(history: np.ndarray, load: np.ndarray, rules: Rules) -> list[Point]:
    """The schedule anybody would write, under target tracking with every target.

    history  (m,) requests/s of the minutes before those of `load`

    Its minimum in each hour is the most tasks that this hour of the week needed in the last three weeks, as far as
    they are known. It changes up to 24 times a day and looks back from each hour, not from the last plan.
    """
    need = np.ceil(np.concatenate([history, load]) / rules.requests_per_second_per_task - 1e-9)
    return list(_points(load, rules, hourly_minimum(need, len(history))[len(history) :], COOLDOWNS[:1]))


def hourly_minimum(need: np.ndarray, first: int) -> np.ndarray:
    """(n,) largest need of the same hour in the three weeks before; before `first`, and where none is known, LEAST.

    need  (n,) tasks needed in each minute; hours are counted back from `first`
    """
    minimum = np.full(len(need), LEAST)
    for begin in range(first, len(need), 60):
        same = [begin - weeks * WEEK_MINUTES for weeks in (1, 2, 3) if begin - weeks * WEEK_MINUTES >= 0]
        most = max((need[at : at + 60].max() for at in same), default=LEAST)
        minimum[begin : begin + 60] = min(max(most, LEAST), MOST)
    return minimum


def _points(
    load: np.ndarray, rules: Rules, minimum: np.ndarray, cooldowns: Iterable[tuple[int, int]]
) -> Iterator[Point]:
    most = np.full(len(load), MOST)
    for out, back in cooldowns:
        for share in SHARES:
            target = share * 60 * rules.requests_per_second_per_task
            yield Point.of(float(share), out, judge(load, InForce.tracking(target, out, back, minimum, most), rules))


def clairvoyant_hours(load: np.ndarray, rules: Rules) -> float:
    """Task-hours of one who runs what each minute needs, and never fewer than the least."""
    return float(np.maximum(np.ceil(load / rules.requests_per_second_per_task - 1e-9), LEAST).sum()) / 60
