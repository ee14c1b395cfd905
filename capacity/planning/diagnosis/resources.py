"""What binds at the peak and at which multiple of it: resources that more tasks relieve."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from capacity.config import Goal, Service
from capacity.demand.demand import Key
from capacity.planning.known_capacity import in_words
from capacity.planning.limits import EARLY
from capacity.planning.needs import full_tasks
from capacity.planning.peaks import Asks, Peak, counted_tasks
from capacity.planning.plans import Plan
from capacity.planning.words import percent

#: Load at which we stop looking for a limit, in multiples of the forecast peak: nobody plans that far.
FARTHEST = 1000.0


@dataclass(frozen=True)
class Bound:
    """One thing that binds as load grows.

    kind      cpu, requests, memory, max_tasks, connections, deploying, downstream, retries or quota
    name      of the limit, as people call it; empty for the service's own
    demand    what the peak asks of it at the goal's level, in `unit`; NaN where not known
    carries   what it carries: in all, or in the tasks that the peak's load asks for
    binds_at  multiple of the forecast peak up to which it holds; infinite beyond `FARTHEST`, NaN where not known
    evidence  how that is known, in words
    others    the part of `demand` that others than the service take
    aside     what a multiple of the peak does not tell of it, in words
    """

    kind: str
    name: str
    demand: float
    carries: float
    unit: str
    binds_at: float
    evidence: str
    others: float = 0.0
    aside: str = ""

    @property
    def resource(self) -> str:
        """As tables name it: `cpu`, `connections: orders-db`."""
        return f"{self.kind}: {self.name}" if self.name else self.kind

    @property
    def short(self) -> bool:
        """Whether it does not hold the peak. Retries bind in a disturbance: without one they hold it."""
        return self.binds_at < 1 and self.kind != "retries"

    @property
    def relieved(self) -> bool:
        """Whether more tasks relieve it."""
        return self.kind in ("cpu", "requests", "memory")


@dataclass(frozen=True, eq=False)
class Situation:
    """One service at its peak: what is looked at.

    tasks    after every headroom step, at least the minimum, not clipped by the maximum
    through  tasks that hold through the whole horizon, each path at its own busiest moment: the plan's `limits`
    passed   share of the paths that need more than today's maximum at some moment
    """

    service: Service
    goal: Goal
    peak: Peak
    asks: Asks
    tasks: int
    through: int
    passed: float

    @classmethod
    def of(cls, plan: Plan, service: Service) -> Situation:
        """From the peak and the limits of a plan."""
        peak = plan.peaks[service.name]
        asks = peak.asks(service)
        tasks = counted_tasks(asks, service, plan.goal)
        row = plan.limits[(plan.limits["service"] == service.name) & (plan.limits["limit"] == "max_tasks")].iloc[0]
        return cls(service, plan.goal, peak, asks, tasks, max(int(row["needed"]), tasks), float(row["probability"]))

    def tasks_at(self, load: float) -> int:
        """Tasks for this multiple of the forecast peak."""
        return counted_tasks(self.asks, self.service, self.goal, load)

    def holds(self, fits: Callable[[int], bool]) -> float:
        """Largest multiple of the forecast peak whose tasks fit."""
        return largest_load(lambda load: fits(self.tasks_at(load)))


def relieved(about: Situation) -> list[Bound]:
    """CPU, requests and memory, as far as known: at which load each fills the tasks that the peak's load asks for.

    The one that asks for most sets the count, so it binds at 1.00x of the peak; another that asks for a fifth less
    fills the same tasks at 1.25x.
    """
    most = max(about.asks.each.values())
    found = []
    for resource, need in about.asks.each.items():
        binds_at = most / need if need > 0 else math.inf
        demand = _demand(about, resource)
        carries = demand * binds_at if need > 0 else math.nan
        unit = Key("", resource).unit
        found.append(Bound(resource, "", demand, carries, unit, near(binds_at), _evidence(about, resource)))
    return found


def _demand(about: Situation, resource: str) -> float:
    """The peak's demand; of CPU that is not forecast, what the requests cost."""
    if resource in about.peak.demand:
        return about.peak.at_level(resource)
    capacity = about.service.task_capacity
    cost = capacity.vcpu_seconds_per_request if capacity is not None else None
    return about.peak.at_level("requests") * cost if cost is not None else math.nan


def _evidence(about: Situation, resource: str) -> str:
    full, capacity = full_tasks(about.service)[resource], about.service.task_capacity
    if resource not in about.peak.demand and capacity is not None:
        return f"requests forecast, {capacity.vcpu_seconds_per_request:.3g} vCPU-seconds each; {full}"
    known = f" ({in_words(capacity)})" if capacity is not None and resource == "requests" else ""
    return f"forecast; {full}{known}"


def largest_load(fits: Callable[[float], bool], close: float = 1e-6) -> float:
    """Largest multiple of the peak that fits, within this share of it; 0 when nothing fits, infinite past `FARTHEST`.

    Found by halving: what is asked only climbs with load.

    >>> round(largest_load(lambda load: 20 * load <= 31), 4)
    1.55
    """
    if not fits(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while fits(high):
        low, high = high, 2 * high
        if low > FARTHEST:
            return math.inf
    while high - low > close * high:
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def some_time(passed: float) -> str:
    """That paths pass a limit, at moments of their own, in words; empty where too few do to act on.

    The peak is one interval. Bursts come at any time, so that a limit may hold there and be passed elsewhere.

    >>> some_time(0.28), some_time(0.01)
    ('28 % of the futures need more some time', '')
    """
    return f"{percent(passed)} of the futures need more some time" if passed >= EARLY else ""


def near(binds_at: float) -> float:
    """Infinite past `FARTHEST`."""
    return binds_at if binds_at <= FARTHEST else math.inf
