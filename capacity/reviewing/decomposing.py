"""From planned to actual, one replaced assumption at a time: margin, demand, capacity model, policy, price.

    planned     what the plan said to run, as sure as its goal
    expected    its median: planned without the margin                       planned  -> expected  is  margin
    wanted      the planner's steps on what users really asked for           expected -> wanted    is  demand
    carried     the same with what a task really carried                     wanted   -> carried   is  capacity
    ran         tasks that ran                                               carried  -> ran       is  policy
    paid        what was paid for those                                      at the plan's price -> paid  is  price

Each step replaces one stage of the chain and keeps those after it as planned, so the parts add up to the whole
exactly (docs/decisions/0018). Tasks are valued at the plan's price, the price at the tasks that ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.config import Goal, Service
from capacity.planning.cost import quantities
from capacity.planning.needs import fractional_tasks, in_full_tasks, most_needed
from capacity.planning.steps import climb, ready_before
from capacity.reviewing.actuals import Actual
from capacity.reviewing.asked import Carried, asked
from capacity.reviewing.promised import Prices, Promised

#: The states from the plan to what happened, and the part of the error between each and the one before.
STATES: Final = ("planned", "expected", "wanted", "carried", "ran")
PARTS: Final = ("margin", "demand", "capacity", "policy", "price")


@dataclass(frozen=True, eq=False)
class Split:
    """The error of one service's plan. n intervals have passed; those that are not compared are NaN.

    tasks     state -> (n,) tasks; "carried" is all NaN where the capacity of a task cannot be told from its demand
    full      (n,) full tasks that the load filled: fewer, and tasks were more than full
    need      (n,) tasks for it with every headroom, not clipped to the plan's bounds
    prices    of the plan; spent: USD per task-hour that were paid, NaN where not known
    """

    service: Service
    times: pd.DatetimeIndex
    hours: float  # in an interval
    compared: np.ndarray  # (n,)
    censored: np.ndarray  # (n,)
    tasks: Mapping[str, np.ndarray]
    full: np.ndarray
    need: np.ndarray
    carries: Carried | None
    prices: Prices
    usd_per_task_hour_paid: float

    def task_hours(self, state: str) -> float:
        """Task-hours of a state over what is compared; NaN where it is not known."""
        return float(self.tasks[state][self.compared].sum()) * self.hours if self.compared.any() else float("nan")

    def usd(self, state: str) -> float:
        """The same at the plan's price: its items, its share of Spot."""
        return usd_of(self.service, self.tasks[state][self.compared], self.hours, self.prices)

    @property
    def lacking(self) -> np.ndarray:
        """(n,) tasks that were missing for tasks that are no more than full."""
        return np.maximum(self.full - self.tasks["ran"], 0)

    @property
    def usd_paid(self) -> float:
        """What was paid for the tasks that ran; NaN where not known."""
        return self.usd_per_task_hour_paid * self.task_hours("ran")

    @property
    def usd_per_task_hour(self) -> float:
        """The plan's price of what it said to run; NaN without one."""
        hours = self.task_hours("planned")
        return self.usd("planned") / hours if hours > 0 else float("nan")

    @property
    def row(self) -> dict[str, object]:
        """A row of `schema.REVIEW`."""
        hours = {state: self.task_hours(state) for state in STATES}
        usd = {state: self.usd(state) for state in STATES}
        money = differences(usd)
        return {
            "service": self.service.name,
            "hours": float(self.compared.sum()) * self.hours,
            "share": float(self.compared.mean()),
            "planned": hours["planned"],
            "expected": hours["expected"],
            **differences(hours),
            "actual": hours["ran"],
            "error": hours["ran"] - hours["expected"],
            "short": float(self.lacking[self.compared].sum()) * self.hours if self.compared.any() else float("nan"),
            "usd_planned": usd["planned"],
            "usd_expected": usd["expected"],
            **{f"usd_{part}": value for part, value in money.items()},
            "usd_price": self.usd_paid - usd["ran"],
            "usd_actual": self.usd_paid,
            "usd_error": self.usd_paid - usd["expected"],
        }


def differences(states: Mapping[str, float]) -> dict[str, float]:
    """Each state less the one before it, by the name of the part. Where "carried" is unknown so is "capacity", and
    "policy" goes on from "wanted", so that those that are known still add up.

    >>> differences({"planned": 10, "expected": 8, "wanted": 9, "carried": 12, "ran": 11})
    {'margin': -2, 'demand': 1, 'capacity': 3, 'policy': -1}
    >>> differences({"planned": 10, "expected": 8, "wanted": 9, "carried": float("nan"), "ran": 11})
    {'margin': -2, 'demand': 1, 'capacity': nan, 'policy': 2}
    """
    carried = states["wanted"] if np.isnan(states["carried"]) else states["carried"]
    return {
        "margin": states["expected"] - states["planned"],
        "demand": states["wanted"] - states["expected"],
        "capacity": states["carried"] - states["wanted"],
        "policy": states["ran"] - carried,
    }


def usd_of(service: Service, tasks: np.ndarray, hours: float, prices: Prices) -> float:
    """What tasks of some intervals cost at the plan's prices; NaN of no interval, and where one is not known."""
    if not prices or not len(tasks):
        return float("nan")
    on_spot = np.maximum(tasks - service.on_demand_base, 0).sum() * service.spot_share * hours
    items = quantities(service, tasks.sum() * hours, on_spot)
    return float(sum(float(quantity) * prices.get(item, np.nan) for item, quantity in items.items()))


def split(service: Service, goal: Goal, promised: Promised, actual: Actual) -> Split:
    """The error of one service's plan, over the intervals of which demand and tasks are known."""
    size = len(actual.times)
    said = asked(service, promised, actual)
    ran = actual.ran[service.name]
    compared = np.isfinite(ran) & said.known
    levelled = {
        "planned": promised.tasks(service.name)[:size],
        "expected": np.clip(promised.expected(service.name)[:size], service.min_tasks, service.max_tasks),
    }
    wanted, full = counts(service, goal, said.as_planned, actual.interval, compared)
    carried, need = np.full(size, np.nan), wanted
    if said.measured is not None:
        carried, full = counts(service, goal, said.measured, actual.interval, compared, said.dearer)
        need = carried
    tasks = {
        **levelled,
        "wanted": np.clip(wanted, service.min_tasks, service.max_tasks),
        "carried": np.clip(carried, service.min_tasks, service.max_tasks),
        "ran": ran,
    }
    spent = actual.spent.get(service.name)
    return Split(
        service=service,
        times=actual.times,
        hours=actual.hours,
        compared=compared,
        censored=actual.censored(service.name) & compared,
        tasks={state: np.where(compared, values, np.nan) for state, values in tasks.items()},
        full=np.where(compared, full, np.nan),
        need=np.where(compared, need, np.nan),
        carries=said.carries,
        prices=promised.prices(service.name),
        usd_per_task_hour_paid=float("nan") if spent is None else spent.usd_per_task_hour,
    )


def counts(
    service: Service,
    goal: Goal,
    demand: Mapping[str, np.ndarray],
    interval: pd.Timedelta,
    compared: np.ndarray,
    dearer: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) whole tasks after every headroom step, and (n,) full tasks for the load alone: the planner's own steps.

    dearer  requests take so many times what was stated of a task
    After a gap nothing is known, so that no rise towards it is met early.
    """
    if not compared.any():
        return np.full(len(compared), np.nan), np.full(len(compared), np.nan)
    held = {metric: np.where(compared & np.isfinite(values), values, 0.0)[None] for metric, values in demand.items()}
    shares = np.array([[1 / dearer]])
    need = most_needed(fractional_tasks(service, held, shares))[0]
    ready = ready_before(need, service.startup_seconds, interval / pd.Timedelta(seconds=1))
    whole = climb(need, ready, service, goal).zone_loss.astype(float)
    return np.where(compared, whole, np.nan), np.where(compared, need * in_full_tasks(service), np.nan)
