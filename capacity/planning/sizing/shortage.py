"""How sure is cheapest, when an idle task and a missing one both cost money: the newsvendor's answer."""

from __future__ import annotations

import math
from typing import Final

from capacity.config import Goal, Rate, Service
from capacity.findings import Finding
from capacity.planning.prices import usd_per_hour
from capacity.planning.words import level_words

#: Surer than this is not told apart: it is one hour in a year.
SUREST: Final = 0.9999


def critical_ratio(shortage_usd: float, idle_usd: float) -> float:
    """How sure it is cheapest to be that the tasks suffice, in (0, `SUREST`].

    shortage_usd  what an hour with one task too few costs, beyond what the task would have cost
    idle_usd      what an hour of one task too many costs

    Fewest tasks n with P(need <= n) at or above it cost least: E[idle_usd x (n - need)+ + shortage_usd x (need - n)+].
    Source: the newsvendor problem, c_u / (c_u + c_o) (Arrow, Harris, Marschak, Optimal Inventory Policy, 1951).

    >>> critical_ratio(shortage_usd=0.95, idle_usd=0.05)
    0.95
    >>> critical_ratio(shortage_usd=1.0, idle_usd=0.0)  # idle tasks are free: as sure as can be
    0.9999
    """
    return min(shortage_usd / (shortage_usd + idle_usd), SUREST)


def goal_for(goal: Goal, service: Service, rate: Rate | None) -> Goal:
    """The goal as this service is planned by it: as sure as is cheapest, where a shortage and a task have a price.

    >>> web = Service(name="web", task_vcpu=1, task_memory_gib=2)
    >>> rate = Rate(region="us-east-1", vcpu=0.04, memory_gb=0.005)
    >>> goal_for(Goal(shortage_usd_per_task_hour=1), web, rate).level
    0.9524
    """
    hourly = usd_per_hour(service, rate)
    if goal.shortage_usd_per_task_hour is None or math.isnan(hourly):
        return goal
    ratio = critical_ratio(goal.shortage_usd_per_task_hour, hourly)
    level = max(round(ratio, 4), 1 - SUREST)  # finer than any forecast knows, and never 0
    return goal.model_copy(update={"level": round(level, 4)})


def how_sure(goal: Goal, service: Service, rate: Rate | None) -> str:
    """How sure the service is planned to be, and where that comes from; `goal` is the one that `goal_for` made.

    >>> how_sure(Goal(level=0.9), Service(name="web"), None)
    '90 % sure'
    """
    hourly = usd_per_hour(service, rate)
    if goal.shortage_usd_per_task_hour is None or math.isnan(hourly):
        return f"{level_words(goal.level)} sure"
    return (
        f"{level_words(goal.level)} sure, which is cheapest when an hour of a missing task costs "
        f"{goal.shortage_usd_per_task_hour:.3g} USD and one of an idle task {hourly:.3g}"
    )


def shortage_findings(goal: Goal, service: Service, rate: Rate | None, paths: int) -> list[Finding]:
    """What stands between the stated cost of a shortage and the level that follows."""
    if goal.shortage_usd_per_task_hour is None:
        return []
    if math.isnan(usd_per_hour(service, rate)):
        message = (
            "Its tasks have no known price, so what a shortage costs is not weighed: it is planned "
            f"{level_words(goal.level)} sure."
        )
        return [Finding(service.name, "cost", "shortage", "UNKNOWN", message, "State its price: [[prices.rate]].")]
    level = goal_for(goal, service, rate).level
    if (1 - level) * paths >= 1:
        return []
    message = (
        f"To be {level_words(level)} sure is cheapest, and {paths:,} paths tell no more than that none of "
        "them falls short."
    )
    advice = f"Forecast with {math.ceil(2 / (1 - level)):,} paths or more."
    return [Finding(service.name, "cost", "shortage", "REVIEW", message, advice)]
