"""A limit that several services of the plan state is one thing they share: what the others take of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capacity.config import Limit, Service
from capacity.demand.demand import Key
from capacity.history.history import History
from capacity.planning.diagnosis.measured import measured
from capacity.planning.plans import Plan
from capacity.planning.words import listed


@dataclass(frozen=True)
class Others:
    """What others take of a limit at a service's peak.

    fixed    stated with the limit: it does not grow with this plan's load
    growing  of the plan's other services at that moment, at the goal's level each; they grow alike
    names    those services
    unknown  services that share it, of which nobody knows how much they take
    """

    fixed: float = 0.0
    growing: float = 0.0
    names: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def at(self, load: float) -> float:
        """What they take when all load is this multiple of the peak's."""
        return self.fixed + self.growing * load

    @property
    def words(self) -> str:
        """As a sum goes on: " + 100 of others + 240 of search"."""
        fixed = f" + {self.fixed:,.10g} of others" if self.fixed else ""
        return fixed + (f" + {self.growing:,.4g} of {listed(self.names)}" if self.growing else "")

    @property
    def doubt(self) -> str:
        """What is missing from the sum."""
        return f"; what {listed(self.unknown)} takes of it is not known" if self.unknown else ""


def others(
    plan: Plan,
    service: Service,
    limit: Limit,
    stated: Mapping[str, tuple[Limit, ...]],
    moment: pd.Timestamp,
    history: History | None,
) -> Others:
    """What others take of a service's limit at its peak: limits of one kind and name are one.

    Each of them is counted at the goal's level at that moment, so that together they are rather too much than too
    little: their highest moments need not be one.
    """
    growing, names, unknown = 0.0, [], []
    for place, other in enumerate(plan.services):
        for its in stated[other.name] if other.name != service.name else ():
            if (its.kind, its.name) != (limit.kind, limit.name):
                continue
            taken = _taken(plan, place, other, its, moment, history)
            if taken is None:
                unknown.append(other.name)
            else:
                growing += taken
                names.append(other.name)
    return Others(limit.others, growing, tuple(names), tuple(unknown))


def _taken(
    plan: Plan, place: int, other: Service, limit: Limit, moment: pd.Timestamp, history: History | None
) -> float | None:
    """Connections that its tasks hold then, or calls that its requests cause; None where not known."""
    at = int(plan.forecast.times.get_loc(moment))
    if limit.kind == "connections":
        each = measured(history, other.name).connections_per_task if limit.per_task is None else limit.per_task
        counts = plan.frame["for_zone_loss"].to_numpy().reshape(len(plan.services), -1)  # a block a service
        return None if each is None else max(int(counts[place, at]), other.min_tasks) * each
    key = Key(other.name, "requests")
    if key not in plan.forecast.keys:
        return None
    paths = plan.forecast.paths[plan.forecast.keys.index(key)]
    return float(np.quantile(paths[:, at], plan.goal.level)) * limit.per_request
