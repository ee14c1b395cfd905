"""What is known of one service since a plan, and what a rule about its recommendations may say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from capacity.config import Service
from capacity.planning.plans import Decision
from capacity.reviewing.actuals import Actual
from capacity.reviewing.decomposing import Split

Status = Literal["applied", "changed", "ignored", "not needed", "not due", "cannot be told"]

#: Share of the intervals that has to show it before a minimum counts as what tasks are kept at.
OFTEN: Final = 0.05

#: Numbers that differ by less are one: sizes of tasks from measured reservations, a count that was rounded.
SAME: Final = 0.02


class Told(NamedTuple):
    """What is known of one recommendation."""

    status: Status
    evidence: str
    usd: float = float("nan")
    short: float = float("nan")


@dataclass(frozen=True, eq=False)
class Scene:
    """What is known of one service since the plan: its split, what ran, and its settings today where they are given."""

    split: Split | None
    actual: Actual
    today: Service | None
    bounds: tuple[int, int] | None  # of the live policy, or of today's settings

    @property
    def most(self) -> float:
        """Most tasks that were asked for or ran; NaN where not known."""
        return _extreme(np.fmax, self.actual.extreme(self._name, "max")) if self.split is not None else math.nan

    @property
    def _name(self) -> str:
        assert self.split is not None
        return self.split.service.name

    @property
    def fewest(self) -> float:
        """Fewest tasks that were kept for more than a few intervals; NaN where not known."""
        if self.split is None:
            return math.nan
        kept = self.actual.extreme(self._name, "min")
        kept = kept[np.isfinite(kept)]
        return float(np.quantile(kept, OFTEN, method="lower")) if len(kept) else math.nan

    def held_up(self, floor: float) -> bool:
        """Whether tasks are seen to be kept at a floor: that many ran, again and again, whatever less was needed."""
        if self.split is None:
            return False
        kept = (np.abs(self.split.tasks["ran"] - floor) < 0.5) & (self.split.need < floor)
        often = kept.sum() >= OFTEN * max(1, int(self.split.compared.sum()))
        return bool(often and np.ptp(self.split.need[kept]) >= 2)

    def price(self) -> float:
        """USD per task-hour: paid where that is known, else the plan's; NaN without either."""
        if self.split is None:
            return math.nan
        paid = self.split.usd_per_task_hour_paid
        return paid if np.isfinite(paid) else self.split.usd_per_task_hour

    def hours_above(self, values: np.ndarray, bound: float) -> float:
        """Task-hours of what is above a bound, over what is compared."""
        assert self.split is not None
        return float(np.nansum(np.maximum(values - bound, 0))) * self.split.hours


def _extreme(joining: np.ufunc, values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(joining.reduce(known)) if len(known) else math.nan


def stands(decision: Decision, now: float) -> Status:
    """How a setting of today stands to what was proposed."""
    assert decision.current is not None and decision.proposed is not None
    up = decision.proposed > decision.current
    slack = SAME * abs(decision.proposed)
    if (now >= decision.proposed - slack) if up else (now <= decision.proposed + slack):
        return "applied"
    return "ignored" if abs(now - decision.current) <= SAME * abs(decision.current) else "changed"
