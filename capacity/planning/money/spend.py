"""What a plan spends on what a Savings Plan could cover: hour by hour, on every path, and as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.config import Rate, Service
from capacity.demand.demand import Demand
from capacity.errors import PlanError
from capacity.planning.matching import Asked, Match, match
from capacity.planning.money.offers import COVERED
from capacity.planning.needs import fractional_tasks, most_needed
from capacity.planning.prices import billed, price_of, usd_per_hour
from capacity.planning.steps import tracked_share, whole_tasks
from capacity.timegrid import steps_per

if TYPE_CHECKING:
    from capacity.planning.plans import Plan

_HOUR: Final = pd.Timedelta(hours=1)


class Place(NamedTuple):
    """What has one price: vCPU or memory, of one architecture in one region."""

    region: str
    architecture: str
    item: str


class Hourly(NamedTuple):
    """Spend on demand by place, in USD an hour; all arrays have the same intervals."""

    usd: dict[Place, np.ndarray]  # (P, T) each
    starts: pd.DatetimeIndex  # (T,)
    hours: float  # length of each interval


def asked_of(plan: Plan) -> Asked:
    """What the plan was asked. Raises PlanError for a plan that `plan` did not make."""
    if plan.asked is None:
        raise PlanError("this plan does not know what it was asked: make it with capacity.plan(...)")
    return plan.asked


def matches_of(plan: Plan) -> list[Match]:
    """Each planned service with its series in the forecast."""
    ask = asked_of(plan)
    return match(plan.forecast, ask.services, ask.alone)[0]


def rate_of(plan: Plan, service: Service) -> Rate | None:
    """What the service's tasks cost."""
    return asked_of(plan).prices.of(service)


def running(plan: Plan, service: Service) -> np.ndarray:
    """(P, H) whole tasks of each path when they follow its load, as the plan's cost counts them."""
    need = plan.needs[service.name]
    tracked = need / need.dtype.type(tracked_share(service, plan.goal_of(service.name)))
    return np.clip(whole_tasks(tracked), service.min_tasks, service.max_tasks)


def ran(plan: Plan, found: Match, since: pd.Timestamp | None = None) -> pd.Series:
    """Whole tasks that would have followed the load that was measured, NaN where it is not known."""
    past, service = plan.forecast.past.select(found.keys), found.service
    past = past if since is None else past.since(since)
    inside = _inside(past, service)
    known = np.isfinite(inside).all(axis=0)
    tasks = np.full(len(past.times), np.nan)
    if known.any():
        demand = {key.metric: np.maximum(row[None, known], 0) for key, row in zip(found.keys, inside, strict=True)}
        tracked = most_needed(fractional_tasks(service, demand))[0] / tracked_share(service, plan.goal_of(service.name))
        tasks[known] = np.clip(whole_tasks(tracked), service.min_tasks, service.max_tasks)
    return pd.Series(tasks, index=past.times)


def _inside(past: Demand, service: Service) -> np.ndarray:
    """The largest need inside each interval where it was measured, else its mean; of queued work the mean."""
    if service.tier == "batch":
        return past.values
    return np.where(np.isfinite(past.peaks), past.peaks, past.values)


def ahead(plan: Plan) -> Hourly:
    """Spend of the plan's paths over its horizon that a Savings Plan could cover: on demand, not on Spot."""
    usd: dict[Place, np.ndarray] = {}
    for service in plan.services:
        if coverable(service, rate := rate_of(plan, service)):
            _add(usd, service, rate, running(plan, service))
    return _by_hours(usd, plan.forecast.times, plan.forecast.interval)


def behind(plan: Plan, days: int) -> Hourly:
    """The same of the last days of what was measured, had tasks followed it: (1, n), only hours known of all services.

    Fewer hours than `days` have where less was measured; none where nothing was.
    """
    usd: dict[Place, np.ndarray] = {}
    since = plan.forecast.cutoff - pd.Timedelta(days=days)
    for found in matches_of(plan):
        if coverable(found.service, rate := rate_of(plan, found.service)):
            _add(usd, found.service, rate, ran(plan, found, since).to_numpy()[None])
    times = plan.forecast.past.times
    hourly = _by_hours(usd, times[times >= since], plan.forecast.interval)
    known = np.isfinite(sum(hourly.usd.values(), start=np.zeros(len(hourly.starts)))).ravel()
    return Hourly({place: own[:, known] for place, own in hourly.usd.items()}, hourly.starts[known], hourly.hours)


def as_it_runs(plan: Plan, days: int) -> float:
    """What the tasks that ran in the last days cost, over what those cost that follow load as planned; NaN if unknown.

    Below 1 where today's policy runs fewer tasks than the plan would, above 1 where it runs more.
    """
    since = plan.forecast.cutoff - pd.Timedelta(days=days)
    measured, modelled = 0.0, 0.0
    for found in matches_of(plan):
        rate = rate_of(plan, found.service)
        if rate is None or found.name not in plan.forecast.past.tasks:
            continue
        following = ran(plan, found, since)
        tasks = pd.Series(plan.forecast.past.tasks[found.name], index=plan.forecast.past.times).reindex(following.index)
        both = following.notna() & tasks.notna()
        measured += float(tasks[both].sum()) * usd_per_hour(found.service, rate)
        modelled += float(following[both].sum()) * usd_per_hour(found.service, rate)
    return measured / modelled if modelled > 0 else float("nan")


def coverable(service: Service, rate: Rate | None) -> bool:
    """Whether a Savings Plan could cover any of it: it has a price, and does not all run on Spot."""
    return rate is not None and (service.spot_share < 1 or service.on_demand_base > 0)


def _add(usd: dict[Place, np.ndarray], service: Service, rate: Rate | None, tasks: np.ndarray) -> None:
    """Add what a service's tasks cost on demand."""
    on_demand = tasks - service.spot_share * np.maximum(tasks - service.on_demand_base, 0)
    sizes = billed(service)
    for item in COVERED:
        place = Place(service.region, service.architecture, item)
        spent = on_demand * (sizes[item] * price_of(rate, item))
        usd[place] = usd[place] + spent if place in usd else spent


def _by_hours(usd: dict[Place, np.ndarray], times: pd.DatetimeIndex, interval: pd.Timedelta) -> Hourly:
    """Means of whole hours, by which Savings Plans are billed; longer intervals stay as they are."""
    size = steps_per("1h", interval)
    if size == 0:
        return Hourly(usd, times, interval / _HOUR)
    first = int(-(times[0] - times[0].ceil("h")) // interval) if len(times) else 0
    whole = first + (len(times) - first) // size * size
    means = {
        place: own[:, first:whole].reshape(len(own), -1, size).mean(axis=2, dtype=float) for place, own in usd.items()
    }
    return Hourly(means, times[first:whole:size], 1.0)
