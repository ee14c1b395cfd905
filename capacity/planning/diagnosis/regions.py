"""A region's Fargate quota as load grows: the fleet's peak planned again with all services growing alike."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from capacity.config import Account
from capacity.planning.diagnosis.resources import Bound, largest_load, some_time
from capacity.planning.limits.regions import account_name, in_quota, on_demand_vcpu
from capacity.planning.limits.sharing import SharedUse, Tasks
from capacity.planning.planner import path_counts
from capacity.planning.plans import Plan

#: How closely the multiple is found: a quota is asked for in round numbers.
CLOSE = 1e-3


def quota(plan: Plan, account: Account) -> tuple[Bound, pd.Timestamp] | None:
    """The quota of one account, and the interval in which its services reserve most; None where nothing is known."""
    services = [service for service in plan.services if in_quota(service, account)]
    limit = account.fargate_vcpu_quota
    if limit is None or not services:
        return None
    planned = SharedUse()
    counts = plan.frame["for_zone_loss"].to_numpy().reshape(len(plan.services), -1)  # a block a service, in their order
    for service, row in zip(plan.services, counts, strict=True):
        if in_quota(service, account):
            planned.add(service.name, *on_demand_vcpu(Tasks(service, row[None, :])))
    at = int(np.argmax(planned.peak[0]))
    interval = plan.forecast.interval
    windows = {}
    for service in services:
        ahead = math.ceil(service.startup_seconds / interval.total_seconds()) + 1
        windows[service.name] = plan.needs[service.name][:, at : at + ahead]

    def reserved(load: float) -> float:
        use = SharedUse()
        for service in services:
            need = windows[service.name] * np.float32(load)
            counts = path_counts(need, service, plan.goal, interval)[:, :1]
            use.add(service.name, *on_demand_vcpu(Tasks(service, counts)))
        return float(np.quantile(use.peak, plan.goal.level))

    now = reserved(1.0)
    words = f"{now:,.4g} vCPU while the largest deployment runs, of {limit:,.10g}; all services growing alike"
    rows = plan.limits.set_index(["service", "limit"])
    aside = some_time(float(rows.loc[(account_name(account.region), "fargate_vcpu_quota"), "probability"]))
    words += f"; {aside}" if aside else ""
    holds = largest_load(lambda load: reserved(load) <= limit, CLOSE)
    bound = Bound("fargate_vcpu_quota", "", now, limit, "vCPU", holds, words)
    return bound, plan.forecast.times[at]
