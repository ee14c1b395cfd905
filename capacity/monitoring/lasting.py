"""How long until limits are reached: the plan's dates, beside how much is in use today and how that moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.errors import HistoryError
from capacity.history import History
from capacity.planning.limits.regions import account_name, in_quota
from capacity.schema import SATURATION

if TYPE_CHECKING:
    from capacity.planning import Plan

#: Weeks that a trend is laid through, and how many of them must be known.
WEEKS, LEAST_WEEKS = 8, 4
WEEK: Final = pd.Timedelta(days=7)


def days_until_saturation(plan: Plan, history: History, at: pd.Timestamp | None = None) -> pd.DataFrame:
    """Every limit of a plan that has a chance to be reached, the soonest first: `schema.SATURATION`.

    at  the end of the weeks that tell what is in use; default: the end of the history

    What is in use is known of the task counts of a service and of the account's Fargate vCPU, where the history holds
    running tasks of every service that takes of it; of other limits it is NaN.
    """
    end = history.span.end if at is None else at
    table = plan.limits[plan.limits["probability"] > 0].copy()
    weekly = [_share(row, plan, history, end) for row in table.to_dict("records")]
    shares = np.array(weekly, dtype=float).reshape(-1, WEEKS)
    table["share"] = shares[:, -1]
    table["in_use"] = table["share"] * table["value"]
    table["trend_week"] = [trend(row) for row in shares]
    table["days"] = (table["first"] - plan.forecast.times[0]) / pd.Timedelta(days=1)
    table = table.sort_values(["days", "probability"], ascending=[True, False], kind="stable")
    return table[SATURATION.names].astype(SATURATION.types).reset_index(drop=True)


def trend(shares: np.ndarray) -> float:
    """Change a week of a straight line through the weeks; NaN where fewer than four of them are known.

    >>> trend(np.array([0.4, np.nan, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75]))
    0.05
    """
    known = np.isfinite(shares)
    if known.sum() < LEAST_WEEKS:
        return float("nan")
    return round(float(np.polyfit(np.flatnonzero(known), shares[known], 1)[0]), 9)  # a level line is level


def _share(row: Mapping[str, object], plan: Plan, history: History, end: pd.Timestamp) -> np.ndarray:
    """(WEEKS,) largest hour of each week, over the limit; the last week last."""
    weeks = np.full(WEEKS, np.nan)
    name, limit, value = str(row["service"]), str(row["limit"]), float(row["value"])  # type: ignore[arg-type]
    if limit in ("max_tasks", "ecs_tasks_per_service"):
        used = _hours(history, name, end)
    elif limit == "fargate_vcpu_quota":
        used = _account(plan, history, name, end)
    else:
        return weeks
    if used is not None and value > 0:
        by_week = used.to_numpy().reshape(WEEKS, -1)
        known = np.isfinite(by_week).any(axis=1)
        weeks[known] = np.nanmax(by_week[known], axis=1) / value
    return weeks


def _hours(history: History, service: str, end: pd.Timestamp) -> pd.Series | None:
    """Mean running tasks of each hour of the weeks; NaN where not known; None where never."""
    grid = pd.date_range(end - WEEKS * WEEK, end, freq="h", inclusive="left", unit="us")
    try:
        joined = history.joined(service, "running_tasks")
    except HistoryError:
        return None
    origin = grid[0]
    recent = joined[(joined.index >= origin) & (joined.index < end)]
    return recent.resample("h", origin=origin).mean().reindex(grid)


def _account(plan: Plan, history: History, name: str, end: pd.Timestamp) -> pd.Series | None:
    """vCPU of the tasks on Fargate On-Demand that ran; None where those of one service are not known."""
    account = next((one for one in plan.accounts if account_name(one.region) == name), None)
    total: pd.Series | None = None
    for service in plan.services:
        if account is None or not in_quota(service, account):
            continue
        tasks = _hours(history, service.name, end)
        if tasks is None:
            return None
        used = on_demand(service, tasks) * service.task_vcpu
        total = used if total is None else total + used
    return total


Tasks = TypeVar("Tasks", pd.Series, np.ndarray)


def on_demand(service: Service, tasks: Tasks) -> Tasks:
    """Mean tasks on FARGATE, by the shares of the capacity provider strategy.

    >>> on_demand(Service(name="web", on_demand_base=2, spot_share=0.75), np.array([1.0, 6.0, np.nan])).tolist()
    [1.0, 3.0, nan]
    """
    base = np.minimum(tasks, service.on_demand_base)
    return base + (tasks - base) * (1 - service.spot_share)
