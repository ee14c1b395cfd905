"""How long starts take at Fargate's launch rate, and when the promise is broken because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from capacity.config import Account, Service
from capacity.planning.limits.own import rises
from capacity.planning.limits.published import LAUNCHES_PER_MINUTE
from capacity.planning.limits.regions import fullest_zone
from capacity.planning.limits.sharing import SharedUse, Tasks
from capacity.planning.steps import climb, ready_before

if TYPE_CHECKING:
    from capacity.planning.plans import Plan

#: Columns of `launches`, with their types.
COLUMNS: Final = {
    "region": "object",
    "situation": "object",
    "tasks": "int64",
    "at": "datetime64[us, UTC]",
    "launch_seconds": "float64",
    "ready_seconds": "float64",
    "short_services": "int64",
    "first_short": "datetime64[us, UTC]",
}


def launch_seconds(tasks: float, burst: float = 100, rate: float = 20) -> float:
    """Seconds until the last of so many tasks is launched: `burst` at once, then `rate` a second.

    Source: Amazon ECS, Fargate throttling quotas (reference aws.md 4.3).

    >>> launch_seconds(80), launch_seconds(1300)
    (0.0, 60.0)
    """
    return max(tasks - burst, 0) / rate


def service_seconds(service: Service, tasks: float) -> float:
    """The same of one service by itself, of which Fargate starts 500 tasks a minute.

    >>> service_seconds(Service(name="web"), 1000)
    60.0
    """
    return max(tasks - LAUNCHES_PER_MINUTE, 0) * 60 / LAUNCHES_PER_MINUTE


def launches(plan: Plan) -> pd.DataFrame:
    """What Fargate's launch rate makes of three situations, region by region, for services on Fargate.

    situation       "largest rise": all services rise at the start of one interval, as schedules do;
                    "zone loss": the fullest zone of each service is lost and its tasks start elsewhere;
                    "region evacuation": all of the region's tasks start in another region, in which none run
    tasks           to start, at the goal's level over the paths, at the worst moment of the horizon
    at              the interval that asks for most of them
    launch_seconds  until the last of them is launched, by the account's launch rate or by the rate of one service
    ready_seconds   until the last of them serves: launch, then the longest start-up of a service
    short_services  services whose planned tasks do not hold the load, at the goal's level, because launching takes so
                    long: in a rise, or while a lost zone refills and load goes on rising. All, of a region that is left
    first_short     the first interval in which that happens to one of them; NaT when it never does

    >>> from capacity.forecasting import forecast
    >>> from capacity.planning import plan
    >>> steady = pd.Series(20_000.0, index=pd.date_range("2026-01-05", periods=336, freq="h"))
    >>> ten = [Service(name=f"web{n}", requests_per_second_per_task=50, zones=2, max_tasks=900) for n in range(2)]
    >>> fleet = forecast(pd.DataFrame({web.name: steady for web in ten}), 24)
    >>> launches(plan(fleet, ten))[["situation", "tasks", "launch_seconds"]].round(0).values.tolist()
    [['largest rise', 0, 0.0], ['zone loss', 808, 35.0], ['region evacuation', 1616, 76.0]]
    """
    accounts = {account.region: account for account in plan.accounts}
    regions = dict.fromkeys(service.region for service in plan.services if service.launch_type == "FARGATE")
    rows = [row for region in regions for row in _of_region(plan, region, accounts.get(region, Account(region=region)))]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _of_region(plan: Plan, region: str, account: Account) -> list[dict[str, Any]]:
    services = [one for one in plan.services if one.launch_type == "FARGATE" and one.region == region]
    situations = {"largest rise": SharedUse(), "zone loss": SharedUse(), "region evacuation": SharedUse()}
    alone = dict.fromkeys(situations, 0.0)  # of the one service that takes longest by itself
    for service in services:
        running = Tasks(service, plan.counts(service.name)).running
        starts = (rises(running), fullest_zone(service, running), running)
        for situation, tasks in zip(situations, starts, strict=True):
            situations[situation].add(service.name, tasks)
            most = float(np.quantile(tasks.max(axis=1), plan.goal.level))
            alone[situation] = max(alone[situation], service_seconds(service, most))
    startup = max(service.startup_seconds for service in services)
    rows = []
    for situation, use in situations.items():
        count = int(np.ceil(np.quantile(use.running.max(axis=1), plan.goal.level)))
        together = launch_seconds(count, account.fargate_launch_burst, account.fargate_launch_rate)
        seconds = max(together, alone[situation])
        everywhere = situation == "region evacuation"
        short = {service.name: 0 for service in services} if everywhere else _short(plan, services, seconds)
        rows.append(
            {
                "region": region,
                "situation": situation,
                "tasks": count,
                "at": plan.forecast.times[int(np.argmax(np.quantile(use.running, plan.goal.level, axis=0)))],
                "launch_seconds": seconds,
                "ready_seconds": seconds + startup,
                "short_services": len(short),
                "first_short": plan.forecast.times[min(short.values())] if short else pd.NaT,
            }
        )
    return rows


def _short(plan: Plan, services: list[Service], seconds: float) -> dict[str, int]:
    """Services whose planned tasks are too few if tasks start this much later, and the first interval of each."""
    found = {}
    for service in services if seconds > 0 else ():
        need, goal = plan.needs[service.name], plan.goal_of(service.name)
        ready = ready_before(need, service.startup_seconds + seconds, plan.forecast.interval.total_seconds())
        need_at, ready_at = (np.quantile(paths, goal.level, axis=0) for paths in (need, ready))
        late = climb(need_at, ready_at, service, goal).zone_loss
        planned = plan.of(service.name)
        held = np.maximum(planned["for_zone_loss"].to_numpy(), planned["tasks"].to_numpy())
        short = np.flatnonzero(late > held)
        if len(short):
            found[service.name] = int(short[0])
    return found
