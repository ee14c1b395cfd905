"""`Plan`: what to run, when limits are reached, what it costs, and why each count is what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from capacity.config import Account, Budget, Config, Goal, Instance, Limit, Rate, Scenario, Service
from capacity.display import SHOWN_ROWS, table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Findings
from capacity.forecasting.forecasts import DRAWN, Forecast, highest
from capacity.planning.peaks import Peak
from capacity.timegrid import steps_per

if TYPE_CHECKING:
    from capacity.forecasting import Backtest
    from capacity.history.history import History
    from capacity.planning.diagnosis import Bottlenecks
    from capacity.planning.matching import Asked
    from capacity.planning.money import Budgets, Commitment, Reconciliation, UnitCosts
    from capacity.planning.scenarios import WhatIf
    from capacity.planning.sizing import Instances, Interruptions, Mix, Sizes

DecisionKind = Literal[
    "raise_max",
    "lower_max",
    "raise_min",
    "lower_min",
    "raise_quota",
    "resize",
    "measure",
    "fix_data",
    "watch",
    "commit",
    "budget",
]


@dataclass(frozen=True)
class Decision:
    """One thing a person should do, with the evidence in one breath.

    sentence     "Raise `checkout` max from 40 to 64 before 14 January 2027, 92 % sure."
    because      the reason, with numbers and units
    probability  of the event that makes it necessary, within the horizon
    before       last day to act: when 5 % of paths are past the limit, less the time a change takes
    usd_per_month  what it changes in spend, if anything
    """

    kind: DecisionKind
    service: str
    sentence: str
    because: str
    probability: float
    before: pd.Timestamp | None = None
    current: float | None = None
    proposed: float | None = None
    unit: str = "tasks"
    owner: str = ""
    usd_per_month: float | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """Tasks for every service and interval, from the paths of a forecast.

    frame      `schema.PLAN`: one row a service and interval, with every step that led to the count
    limits     `schema.LIMITS`
    cost       `schema.COST`
    decisions  most urgent first
    needs      service -> (P, H) fractional tasks each path needs for its load at the service's targets, before
               rounding, the headroom steps and bounds; `counts` takes them through the steps
    peaks      service -> its interval of most tasks, kept to be planned again with something changed
    path_usd   service -> (P,) USD over the horizon when tasks follow each path; NaN without a price
    passed     (service, limit) of each row of `limits` -> (P,) the interval in which each path passes it, H if never
    asked      what `plan` was asked, kept to be asked again with something changed
    """

    frame: pd.DataFrame
    limits: pd.DataFrame
    cost: pd.DataFrame
    decisions: tuple[Decision, ...]
    services: tuple[Service, ...]
    goal: Goal
    rates: tuple[Rate, ...]  # the price of each region and architecture in use, with its date and source
    accounts: tuple[Account, ...]
    forecast: Forecast
    needs: dict[str, np.ndarray] = field(repr=False, default_factory=dict)
    findings: Findings = NO_FINDINGS
    peaks: dict[str, Peak] = field(repr=False, default_factory=dict)
    path_usd: dict[str, np.ndarray] = field(repr=False, default_factory=dict)
    passed: dict[tuple[str, str], np.ndarray] = field(repr=False, default_factory=dict)
    asked: Asked | None = field(repr=False, default=None)

    def service_named(self, name: str) -> Service:
        """The service of that name. Raises InputError, naming some that are planned, those of like names first."""
        for service in self.services:
            if service.name == name:
                return service
        from capacity.planning.words import first_few

        planned = sorted(service.name for service in self.services)
        planned = list(dict.fromkeys([*get_close_matches(str(name), planned), *planned]))
        raise InputError(f"no service {name!r} is planned", advice=f"Planned are: {first_few(planned, most=10)}.")

    def of(self, service: str) -> pd.DataFrame:
        """The rows of one service, indexed by time."""
        self.service_named(service)
        return self.frame.iloc[self._places[service]].set_index("timestamp")

    @cached_property
    def _places(self) -> Mapping[str, np.ndarray]:
        """Which rows are whose, found once: a fleet asks for each of a thousand."""
        places: Mapping[str, np.ndarray] = self.frame.groupby("service", sort=False).indices
        return places

    def goal_of(self, service: str) -> Goal:
        """The goal as this service is planned by it: where a shortage has a price, as sure as is cheapest."""
        from capacity.planning.sizing.shortage import goal_for

        rate = self.asked.prices.of(self.service_named(service)) if self.asked is not None else None
        return goal_for(self.goal, self.service_named(service), rate)

    def sizes(
        self, service: str | Iterable[str] | None = None, *, arm_speed: float | None = None, least: int | None = None
    ) -> Sizes:
        """Every size of task at equal promise, what each costs and what rules it out: `planning.sizes`."""
        from capacity.planning.sizing import sizes

        return sizes(self, service, arm_speed=arm_speed, least=least)

    def mix(
        self,
        service: str | Iterable[str] | None = None,
        *,
        shares: Iterable[float] | None = None,
        bases: Iterable[int] | None = None,
        interruptions: Interruptions | None = None,
    ) -> Mix:
        """How much may run on FARGATE_SPOT, and what that saves: `planning.mix`."""
        from capacity.planning.sizing import mix

        return mix(self, service, shares=shares, bases=bases, interruptions=interruptions)

    def instances(
        self, instance: Instance | Iterable[Instance], services: str | Iterable[str] | None = None
    ) -> Instances:
        """How many EC2 instances of which type hold the tasks of some services: `planning.instances`."""
        from capacity.planning.sizing import instances

        return instances(self, instance, services)

    def counts(self, service: str) -> np.ndarray:
        """(P, H) whole tasks each path needs after every headroom step, not clipped to the service's bounds."""
        from capacity.planning.planner import path_counts

        chosen = self.service_named(service)
        return path_counts(self.needs[service], chosen, self.goal, self.forecast.interval)

    @cached_property
    def reasons(self) -> pd.DataFrame:
        """Every step of each service's largest count: service, timestamp, step, tasks, why."""
        from capacity.planning.explain import reasons

        return reasons(self)

    def explain(self, service: str, at: object = None, *, scores: Backtest | None = None, sizes: bool = False) -> str:
        """Why that many tasks, in words: at a moment, or at the service's interval of most tasks.

        The steps, the next-best count and its risk, what would change it; with `scores` how right the method was last
        time, with `sizes` which other size of task would do.
        """
        from capacity.planning.explain import explain

        return explain(self, service, at, scores=scores, sizes=sizes)

    def why(self, service: str, at: object = None) -> pd.DataFrame:
        """The explanation as a table: a row a step, option and turning point (`planning.why.table`)."""
        from capacity.planning.explain import why

        return why(self, service, at)

    def sensitivity(self, service: str, at: object = None) -> pd.DataFrame:
        """How much each input moves the count of an interval and the month's cost: `planning.why.sensitivity`."""
        from capacity.planning.explain import sensitivity_of

        return sensitivity_of(self, service, at)

    def explain_decision(self, decision: Decision) -> str:
        """What a decision rests on, when its limit is passed, and how much less load would spare it."""
        from capacity.planning.why import explain_decision

        return explain_decision(self, decision)

    def bottlenecks(
        self,
        limits: Mapping[str, Iterable[Limit]] | Iterable[Limit] | None = None,
        history: History | None = None,
    ) -> Bottlenecks:
        """What binds first at the forecast peak, what next, and what would move it: `planning.bottlenecks`."""
        from capacity.planning.diagnosis import bottlenecks

        return bottlenecks(self, limits=limits, history=history)

    def what_if(
        self, scenarios: Scenario | Iterable[Scenario | Iterable[Scenario]] | Config, among: Iterable[Scenario] = ()
    ) -> WhatIf:
        """Scenarios beside the plan as it is, from the same futures: `planning.what_if`."""
        from capacity.planning.scenarios import what_if

        return what_if(self, scenarios, among)

    def limits_over_time(self, limit: str | None = None, service: str | None = None) -> pd.DataFrame:
        """How likely each limit is passed by the end of each day: `planning.limits_over_time`."""
        from capacity.planning.limits.over_time import limits_over_time

        return limits_over_time(self, limit, service)

    def plot_limits(self, limit: str | None = None, service: str | None = None) -> Any:
        """Chart of `limits_over_time`: one line a limit, those that are passed first."""
        from capacity.planning.limits.over_time import plot_limits

        return plot_limits(self, limit, service)

    def launches(self) -> pd.DataFrame:
        """How long starts take: the largest rise, a lost zone, a whole region: `planning.launches`."""
        from capacity.planning.limits.launches import launches

        return launches(self)

    @cached_property
    def total_cost(self) -> pd.DataFrame:
        """Spend of the fleet: rows `horizon` and `month` (730 h); usd, p5, p50, p95, planned in USD.

        Services are added path by path before quantiles are read. `services` counts those in the sum, `unpriced`
        those without a price, which are not in it.
        """
        from capacity.planning.cost import total

        planned = self.cost.groupby("service", sort=False)["planned"].sum(min_count=1).to_dict()
        hours = len(self.forecast.times) * self.forecast.interval / pd.Timedelta(hours=1)
        return total(self.path_usd, planned, hours)

    def commitment(
        self,
        *,
        term_years: int = 1,
        payment: str = "no upfront",
        over: str | None = None,
        growth: float = 0.0,
        doubt: float | None = None,
    ) -> Commitment:
        """The Savings Plan of least expected cost for what is planned: `planning.money.commitment`."""
        from capacity.planning.money import commitment

        return commitment(self, term_years=term_years, payment=payment, over=over, growth=growth, doubt=doubt)

    def unit_costs(self, history: History | None = None) -> UnitCosts:
        """What a million requests cost, and what each headroom costs: `planning.money.unit_costs`."""
        from capacity.planning.money import unit_costs

        return unit_costs(self, history)

    def budgets(self, stated: Iterable[Budget] | None = None) -> Budgets:
        """How likely each budget is passed, month by month, and when: `planning.money.budgets`."""
        from capacity.planning.money import budgets

        return budgets(self, stated)

    def reconcile(self, history: History, *, months: int = 3, tolerance: float = 0.05) -> Reconciliation:
        """What was billed in the last whole months beside the price table: `planning.money.reconcile`."""
        from capacity.planning.money import reconcile

        return reconcile(self, history, months=months, tolerance=tolerance)

    def plot(self, service: str | None = None) -> Any:
        """Chart of one service's tasks, for load and to run, under its maximum; the first service when none is named.

        Long horizons of hours or finer are drawn as the highest of each day.
        """
        from capacity import charts

        chosen = self.services[0] if service is None else self.service_named(service)
        rows = self.of(chosen.name)
        size = max(1, steps_per("1d", self.forecast.interval)) if len(rows) > DRAWN else 1
        whole = len(rows) // size * size
        lines = {
            label: highest(rows[column].to_numpy(dtype=float)[:whole], size)
            for label, column in (("for load", "for_load"), ("to run", "tasks"))
        }
        unit = "tasks, highest of each day" if size > 1 else "tasks"
        title = f"{chosen.name}: tasks planned"
        return charts.steps(rows.index[:whole:size], lines, unit, title, limit=chosen.max_tasks)

    def __str__(self) -> str:
        shown = [f"- {one.sentence}" for one in self.decisions[:SHOWN_ROWS]]
        more = len(self.decisions) - len(shown)
        return "\n".join([self._sentence, *shown, *([f"and {more:,} more in .decisions"] if more else [])])

    @property
    def _sentence(self) -> str:
        failed = sum(finding.status == "FAIL" for finding in self.findings)
        doubt = f", made from data with {failed} failed checks: see .findings" if failed else ""
        return f"Plan: {len(self.services)} services, {len(self.decisions)} decisions{doubt}"

    def _repr_html_(self) -> str:
        return table_html(self._sentence, self.frame)
