"""`Bottlenecks`: what binds first at the forecast peak, what next as load grows, and what would move it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import pandas as pd

from capacity.config import Limit, Service
from capacity.display import table_html
from capacity.errors import InputError
from capacity.history.history import History
from capacity.planning.diagnosis.ceilings import ceilings
from capacity.planning.diagnosis.levers import Lever, best, levers
from capacity.planning.diagnosis.measured import measured
from capacity.planning.diagnosis.regions import quota
from capacity.planning.diagnosis.resources import Bound, Situation, relieved
from capacity.planning.diagnosis.sentences import sentence
from capacity.planning.diagnosis.shared import others
from capacity.planning.limits.regions import account_name
from capacity.planning.plans import Plan

#: Columns of `Bottlenecks.frame`, in order, with their types.
COLUMNS: Final = {
    "service": "object",
    "resource": "object",
    "demand": "float64",
    "carries": "float64",
    "unit": "object",
    "at_peak": "float64",
    "binds_at": "float64",
    "headroom": "float64",
    "evidence": "object",
    "lever": "object",
    "tasks_saved": "float64",
}

#: Columns of `Bottlenecks.levers`.
LEVER_COLUMNS: Final = ("service", "resource", "change", "tasks", "tasks_saved", "vcpu")


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """One service (or account) at its peak: its bounds in the order in which they bind, and the levers."""

    name: str
    moment: pd.Timestamp
    bounds: tuple[Bound, ...]
    levers: tuple[Lever, ...]
    words: str


@dataclass(frozen=True, eq=False)
class Bottlenecks:
    """What binds first, service by service, in the order of a growing load.

    parts  one a service, in the plan's order, then one an account with a quota
    """

    parts: tuple[Diagnosis, ...]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a service and resource: the one that binds first as load grows on top, retries and the unknown last.

        demand       what the service's forecast peak asks of it at the goal's level, in `unit`
        carries      what it carries: in all; of cpu, requests and memory, the tasks that the peak's load asks for
        at_peak      demand as a share of what it carries
        binds_at     multiple of the forecast peak up to which it holds: 1.0 for the resource that sets the count,
                     below 1 for what does not hold the peak; infinite beyond 1,000, NaN where not known
        headroom     binds_at - 1
        evidence     how that is known; lever: what would move it
        tasks_saved  by that lever, at the peak with every headroom; NaN where it does not change the count
        """
        rows = [_row(part, bound) for part in self.parts for bound in part.bounds]
        return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)

    @cached_property
    def levers(self) -> pd.DataFrame:
        """Every change that was planned again: service, resource, change, tasks, tasks_saved, vcpu reserved then."""
        rows = [
            (part.name, lever.resource, lever.change, lever.tasks, lever.saved, lever.vcpu)
            for part in self.parts
            for lever in part.levers
        ]
        frame = pd.DataFrame(rows, columns=list(LEVER_COLUMNS))
        return frame.astype(dict.fromkeys(("tasks", "tasks_saved", "vcpu"), "float64"))

    def of(self, service: str) -> pd.DataFrame:
        """The rows of one service, or account, as `frame` has them. Raises InputError, naming those there are."""
        self._part(service)
        return self.frame[self.frame["service"] == service].reset_index(drop=True)

    def sentence(self, service: str) -> str:
        """Its diagnosis in words: the peak, the order in which things bind, what would move the first."""
        return self._part(service).words

    def _part(self, service: str) -> Diagnosis:
        for part in self.parts:
            if part.name == service:
                return part
        known = ", ".join(sorted(part.name for part in self.parts))
        raise InputError(f"no service {service!r} is diagnosed", advice=f"There are: {known}.")

    def __str__(self) -> str:
        return "\n".join(f"{part.name}: {part.words}" for part in self.parts)

    def plot(self, service: str | None = None) -> Any:
        """A bar a resource of one service, the first unless named: the multiple of its peak up to which it holds."""
        from capacity import charts

        rows = self.of(service or self.parts[0].name)
        holds = rows["binds_at"].where(rows["binds_at"] < math.inf).to_numpy()
        title = f"{rows['service'].iloc[0]}: what binds as load grows"
        unknown = "not known, or far away"
        return charts.bars(list(rows["resource"]), holds, "times the forecast peak", title, unknown=unknown)

    def _repr_html_(self) -> str:
        missing = sum(any(bound.short for bound in part.bounds) for part in self.parts)
        several = "" if len(self.parts) == 1 else "s"
        hold = (
            f"{missing} of {len(self.parts)} do not hold the forecast peak" if missing else "all hold the forecast peak"
        )
        return table_html(f"Bottlenecks: {len(self.parts)} service{several} and quotas, {hold}", self.frame)


def bottlenecks(
    plan: Plan,
    *,
    limits: Mapping[str, Iterable[Limit]] | Iterable[Limit] | None = None,
    history: History | None = None,
) -> Bottlenecks:
    """Which resource binds first at each service's forecast peak, and at which multiple of it each other one does.

    plan     the peak is its interval of most tasks, demand is read at the goal's level from the paths of the forecast
    limits   what more tasks do not lift: for each service by name, or for the one service of the plan; the services'
             own `[[service.limit]]` when not given. Of one kind and name in several services, they are one they share
    history  tells how many connections a task holds and which share of requests fails, where nobody states it

    Load grows by scaling all demand of the peak; the counts are the planner's own, step by step. A lever is the same
    peak planned again with one thing changed. What is not stated or measured is a row without a figure, never a zero.
    Raises InputError for limits of a service that is not planned.

    >>> from capacity.config import Service
    >>> from capacity.forecasting import forecast
    >>> from capacity.planning import plan
    >>> steady = pd.Series(850.0, index=pd.date_range("2026-01-05", periods=336, freq="h"))
    >>> web = Service(name="web", requests_per_second_per_task=50, zones=3, max_tasks=40)
    >>> pool = Limit(name="orders-db", kind="connections", total=700, per_task=20)
    >>> found = bottlenecks(plan(forecast(steady, 24), web), limits=[pool])
    >>> found.frame["resource"].tolist()
    ['deploying: orders-db', 'requests', 'connections: orders-db', 'max_tasks']
    >>> found.of("web").set_index("resource")["evidence"]["connections: orders-db"]
    '27 tasks × 20 = 540 of 700'
    """
    stated = _stated(plan, limits)
    parts = [_diagnose(plan, service, stated, history) for service in plan.services]
    for account in plan.accounts:
        found = quota(plan, account)
        if found is not None:
            bound, moment = found
            words = sentence(moment, plan.goal.level, "UTC", [bound], (), None)
            parts.append(Diagnosis(account_name(account.region), moment, (bound,), (), words))
    return Bottlenecks(tuple(parts))


def diagnose(plan: Plan, service: Service, history: History | None = None) -> Diagnosis:
    """One service of the plan, with the limits that its services state."""
    return _diagnose(plan, service, _stated(plan, None), history)


def _diagnose(
    plan: Plan, service: Service, stated: Mapping[str, tuple[Limit, ...]], history: History | None
) -> Diagnosis:
    about = Situation.of(plan, service)
    moment = about.peak.moment
    limits = [(limit, others(plan, service, limit, stated, moment, history)) for limit in stated[service.name]]
    bounds = in_order([*relieved(about), *ceilings(about, limits, measured(history, service.name))])
    changes = levers(about, bounds)
    level = plan.goal_of(service.name).level
    words = sentence(moment, level, service.timezone, bounds, changes, about.tasks, about.through)
    return Diagnosis(service.name, moment, tuple(bounds), tuple(changes), words)


def in_order(bounds: list[Bound]) -> list[Bound]:
    """By the load at which they bind as it grows; then what binds in a disturbance; what is not known comes last."""

    def place(bound: Bound) -> tuple[bool, bool, float]:
        unknown = math.isnan(bound.binds_at)
        return unknown, bound.kind == "retries", math.inf if unknown else bound.binds_at

    return sorted(bounds, key=place)


def _row(part: Diagnosis, bound: Bound) -> dict[str, Any]:
    lever = best(part.levers, bound)
    return {
        "service": part.name,
        "resource": bound.resource,
        "demand": bound.demand,
        "carries": bound.carries,
        "unit": bound.unit,
        "at_peak": bound.demand / bound.carries if bound.carries > 0 else math.nan,
        "binds_at": bound.binds_at,
        "headroom": bound.binds_at - 1,
        "evidence": bound.evidence,
        "lever": lever.change if lever is not None else "",
        "tasks_saved": math.nan if lever is None or lever.saved is None else lever.saved,
    }


def _stated(plan: Plan, limits: Mapping[str, Iterable[Limit]] | Iterable[Limit] | None) -> dict[str, tuple[Limit, ...]]:
    """The limits of every service of the plan."""
    own = {service.name: service.limit for service in plan.services}
    if limits is None:
        return own
    if isinstance(limits, Mapping):
        given = {name: tuple(some) for name, some in limits.items()}
    elif len(own) == 1:
        given = {next(iter(own)): tuple(limits)}
    else:
        raise InputError(
            f"limits without a service, in a plan of {len(own)}", advice="Pass a mapping: {service name: [Limit(...)]}."
        )
    for name, some in given.items():
        plan.service_named(name)
        wrong = [limit for limit in some if not isinstance(limit, Limit)]
        if wrong:
            raise InputError(f"{name}: {wrong[0]!r} is not a Limit", advice="Write Limit(name=..., kind=...).")
    return {**own, **given}
