"""Plans of small made services, and worlds that follow: exactly as planned, or with one thing changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pandas as pd

import capacity
from capacity.config import Config, Goal, Service
from capacity.history import History
from capacity.planning import Prices, plan, usd_per_hour
from capacity.planning.needs import fractional_tasks, most_needed
from capacity.planning.steps import climb, ready_before
from capacity.reviewing import Review, Snapshot, review
from tests.makers import daily_wave, hourly, make_demand, make_forecast

#: vCPU-seconds of a request: at its 50 requests/s a task uses 0.6 of its vCPU, so that its processor bounds it.
COST: Final = 0.012

WEB: Final = Service(
    name="web",
    owner="team",
    requests_per_second_per_task=50,
    min_tasks=2,
    max_tasks=400,
    startup_seconds=120,
    zones=3,
)
GOAL: Final = Goal(level=0.95)
WEEKS: Final = 2  # of the horizon of four that have passed
HOURLY_USD: Final = usd_per_hour(WEB, Prices().of(WEB))


@cache
def snapshot(service: Service = WEB, weeks: int = 4) -> Snapshot:
    """A plan of some weeks for a daily wave of 1,000 requests/s, whose median future is that wave."""
    times = hourly(28)
    load = daily_wave(times, 1000.0)
    demand = make_demand({(service.name, "requests"): load, (service.name, "cpu"): load * COST}, times)
    made = plan(make_forecast(demand, steps=24 * 7 * weeks, paths=200), service, goal=GOAL)
    return Snapshot.of(made, created_at="2026-08-31T06:00:00Z")


def of_demand(service: Service, requests: np.ndarray, cpu: np.ndarray, dearer: float = 1.0) -> np.ndarray:
    """Tasks that the planner's steps ask for: what an autoscaler that keeps to the plan runs."""
    needs = fractional_tasks(service, {"requests": requests[None], "cpu": cpu[None]}, np.array([[1 / dearer]]))
    need = most_needed(needs)[0]
    counted = climb(need, ready_before(need, service.startup_seconds, 3600.0), service, GOAL).zone_loss
    return np.clip(counted, service.min_tasks, service.max_tasks).astype(float)


@dataclass(frozen=True)
class World:
    """What happened after the plan: factors on demand, on the cost of a request, on tasks that ran, on their price."""

    demand: float = 1.0
    cost: float = 1.0
    tasks: float = 1.0
    price: float = 1.0
    days: int = 7 * WEEKS

    def columns(self, promised: Snapshot, service: Service = WEB) -> dict[str, np.ndarray]:
        """metric -> (n,) by hour."""
        rows = self.days * 24
        said = promised.quantiles.set_index("metric")
        requests = said.loc["requests", "p50"].to_numpy(dtype=float)[:rows] * self.demand
        each = (said.loc["cpu", "mean"].to_numpy(dtype=float) / said.loc["requests", "mean"].to_numpy(dtype=float))[
            :rows
        ]
        cpu = requests * each * self.cost
        if self.demand == self.cost == 1.0:
            ran = np.clip(promised.counts["p50"].to_numpy(dtype=float)[:rows], service.min_tasks, service.max_tasks)
        else:
            ran = of_demand(service, requests, cpu, self.cost)
        ran = ran * self.tasks
        return {"requests": requests, "cpu": cpu, "running_tasks": ran, "cost": ran * HOURLY_USD * self.price}

    def history(self, promised: Snapshot, service: Service = WEB) -> History:
        """The same as monitoring saw it."""
        return history_of({service.name: self.columns(promised, service)}, promised.cutoff)


@cache
def reviewed(world: World) -> Review:
    """The review of `snapshot` in a world, once for all tests."""
    return review(snapshot(), world.history(snapshot()))


def history_of(services: dict[str, dict[str, np.ndarray]], start: pd.Timestamp) -> History:
    """Hourly means of services from a start on; NaN is a gap."""
    rows = [
        pd.DataFrame(
            {
                "service": name,
                "metric": metric,
                "timestamp": pd.date_range(start, periods=len(values), freq="h", unit="us"),
                "value": values,
            }
        )
        for name, metrics in services.items()
        for metric, values in metrics.items()
    ]
    return capacity.read(pd.concat(rows, ignore_index=True).dropna())


def today(service: Service = WEB, **changes: object) -> Config:
    """Settings of today: those of the plan, with some fields changed."""
    return Config(service=(service.model_copy(update=changes),), goal=GOAL)
