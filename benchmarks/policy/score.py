"""One policy against a front: how much less shortage at its task-hours, how many fewer task-hours at its shortage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks.policy.opponents import Point

Shortage = Literal["short_share", "theta_u"]

#: Task-hours that one missing task-hour is worth when a single best target has to be named.
MISSING_COSTS = 20.0

#: Under-provisioned share of minutes that a careful owner accepts, when the cheapest target is to be named.
ACCEPTED = 0.01


@dataclass(frozen=True)
class Score:
    """Ours over theirs; below 1 is better. NaN where neither is short, so that there is nothing to compare.

    at_hours_u, at_hours_theta  our under-provisioned share, and theta_u, over the front's at no more task-hours
    at_short, at_theta          our task-hours over the front's least at no more of the one, and of the other
    reached                     the front has points as cheap as ours and as safe as ours. Where it has none as cheap,
                                its cheapest stands in, where none as safe, its safest: both in the front's favour
    """

    at_hours_u: float
    at_hours_theta: float
    at_short: float
    at_theta: float
    reached: bool

    @property
    def wins(self) -> bool:
        """What issue 6 asks: at most half of both shortages, and at most 90 % of the task-hours."""
        halves = all(np.isnan(ratio) or ratio <= 0.5 for ratio in (self.at_hours_u, self.at_hours_theta))
        return halves and self.at_short <= 0.9


def score(ours: Point, front: Sequence[Point]) -> Score:
    """Compare a point with the lower envelope of a front, with straight lines between its points.

    >>> front = [Point(0.8, 60, 100.0, 0.02, 1.0, 5.0), Point(0.6, 60, 200.0, 0.0, 0.0, 0.0)]
    >>> score(Point(0.9, 60, 150.0, 0.005, 0.1, 1.0), front)
    Score(at_hours_u=0.5, at_hours_theta=0.2, at_short=0.857..., at_theta=0.789..., reached=True)
    """
    hours = [point.task_hours for point in front]
    safest = min(point.short_share for point in front)
    return Score(
        at_hours_u=_ratio(ours.short_share, at_hours(front, "short_share", ours.task_hours)),
        at_hours_theta=_ratio(ours.theta_u, at_hours(front, "theta_u", ours.task_hours)),
        at_short=ours.task_hours / at_shortage(front, "short_share", ours.short_share),
        at_theta=ours.task_hours / at_shortage(front, "theta_u", ours.theta_u),
        reached=min(hours) <= ours.task_hours and safest <= ours.short_share,
    )


def at_hours(front: Sequence[Point], shortage: Shortage, task_hours: float) -> float:
    """The least shortage that the front has at these task-hours."""
    hours, least = envelope(front, shortage)
    return float(np.interp(task_hours, hours, least))


def at_shortage(front: Sequence[Point], shortage: Shortage, value: float) -> float:
    """The fewest task-hours that the front has at this shortage."""
    hours, least = envelope(front, shortage)
    return float(np.interp(-value, -least, hours))


def envelope(front: Sequence[Point], shortage: Shortage) -> tuple[np.ndarray, np.ndarray]:
    """Task-hours, ascending, and the shortage there: only points with none both cheaper and as safe."""
    ordered = sorted(front, key=lambda point: (point.task_hours, getattr(point, shortage)))
    kept: list[Point] = []
    for point in ordered:
        if not kept or getattr(point, shortage) < getattr(kept[-1], shortage):
            kept.append(point)
    return np.array([point.task_hours for point in kept]), np.array([getattr(point, shortage) for point in kept])


def best_weighed(front: Sequence[Point]) -> Point:
    """The one target of which task-hours and missing ones together cost least."""
    return min(front, key=lambda point: point.task_hours + MISSING_COSTS * point.missing_task_hours)


def best_accepted(front: Sequence[Point]) -> Point:
    """The cheapest target that is short in few enough minutes, else the safest."""
    safe = [point for point in front if point.short_share <= ACCEPTED]
    return min(safe, key=lambda point: point.task_hours) if safe else min(front, key=lambda point: point.short_share)


def _ratio(ours: float, theirs: float) -> float:
    return ours / theirs if theirs > 0 else float("nan") if ours == 0 else float("inf")
