"""Services that run by themselves, minute by minute, many at once: users, an autoscaler, tasks, a deploy.

Shares no code with the package. Everything that an estimate is held against is put in here: the cost of a request, what
an idle task uses, when a deploy changed the cost and by how much, at which rate a task breaks its SLO.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from capacity.demand.per_task.measuring import NUMBERS, PerTask, stable
from capacity.history import History, read

START = pd.Timestamp("2026-03-02", tz="UTC")  # a Monday
SLO_MS = 200.0


@dataclass(frozen=True, eq=False)
class Served:
    """(minutes, services) each; `cost` (services,) before the deploy, which multiplies it by `factor`."""

    rate: np.ndarray  # requests/s of a task
    vcpu: np.ndarray  # of a task of one vCPU
    tasks: np.ndarray
    p95_ms: np.ndarray
    cost: np.ndarray
    idle: np.ndarray
    deploy: int
    factor: float

    @property
    def deployed(self) -> pd.Timestamp:
        return START + pd.Timedelta(minutes=self.deploy)

    def carries(self, use: float) -> np.ndarray:
        """(services,) requests/s at which a task of the newest program uses so much vCPU."""
        return np.asarray((use - self.idle) / (self.cost * self.factor))


def wandering(rng: np.random.Generator, spread: np.ndarray | float, keeps: float, shape: tuple[int, int]) -> np.ndarray:
    """Noise of that spread whose minutes resemble each other."""
    shocks = rng.standard_normal(shape)
    shocks[1:] *= np.sqrt(1 - keeps**2)
    return np.asarray(spread * lfilter([1.0], [1.0, -keeps], shocks, axis=0))


def served(
    services: int,
    days: float,
    seed: int,
    *,
    deploy_day: float = np.inf,
    factor: float = 1.0,
    full_share: float = 0.0,
    scaling: bool = True,
    drift: float = 0.05,
    mix: float = 0.02,
    noise: tuple[float, float] = (0.03, 0.10),
) -> Served:
    """Users with days and weekends of their own; a request's cost that wanders with minute, hour, day and quarter.

    full_share  of the minutes in which so many more users come that all tasks are full: they answer what they can
    scaling     target tracking at 60 % CPU: out after 3 minutes above, in after 15 below 54 %; False: a fixed number
    drift       of the cost over a quarter, up or down; mix: of its day and its hour (log); noise: of its minutes
    """
    rng = np.random.default_rng(seed)
    n = round(days * 1440)
    minute = np.arange(n)[:, None]
    idle, cost = rng.uniform(0.01, 0.06, services), rng.uniform(0.005, 0.03, services)
    weekend = np.where(minute // 1440 % 7 >= 5, rng.uniform(0.5, 1.0, services), 1.0)
    wave = 1 + rng.uniform(0.3, 0.7, services) * np.cos(2 * np.pi * (minute / 1440 - rng.uniform(0, 1, services)))
    users = rng.uniform(50, 500, services) * wave * weekend * np.exp(wandering(rng, 0.05, 0.95, (n, services)))
    users = rng.poisson(users * 60) / 60
    crowd = np.where(rng.random((n, services)) < full_share, 4.0, 1.0)
    spread = rng.uniform(*noise, services)
    day = np.repeat(rng.standard_normal((n // 1440 + 1, services)), 1440, axis=0)[:n] * mix / 2
    hour = mix * np.cos(2 * np.pi * (minute / 1440 - rng.uniform(0, 1, services)))
    quarter = drift * rng.uniform(-1, 1, services) * minute / (91 * 1440)
    wander = wandering(rng, spread / 2, 0.95, (n, services)) + spread / 2 * rng.standard_normal((n, services))
    costs = cost * np.exp(wander + day + hour + quarter)
    deploy = n if np.isinf(deploy_day) else round(deploy_day * 1440)
    costs[deploy:] *= factor
    tasks = _scaled(users, costs, idle, scaling)
    wanted = users * crowd / tasks
    rate = np.minimum(wanted, (1 - idle) / costs)
    vcpu = idle + costs * rate
    p95 = 80 * (1 + vcpu**4 / np.maximum(1 - vcpu, 0.02)) * np.exp(0.05 * rng.standard_normal((n, services)))
    return Served(rate, vcpu, tasks, p95, cost, idle, deploy, factor)


def _scaled(users: np.ndarray, costs: np.ndarray, idle: np.ndarray, scaling: bool) -> np.ndarray:
    """(minutes, services) running tasks."""
    n, services = users.shape
    running = np.maximum(2.0, np.ceil(np.quantile(users * costs, 0.5, axis=0) / (0.6 - idle)))
    if not scaling:
        return np.tile(running, (n, 1))
    work, tasks = costs * users, np.empty((n, services))
    above, below, starting = np.zeros(services), np.zeros(services), np.zeros((3, services))
    for minute in range(n):
        running = running + starting[minute % 3]
        starting[minute % 3] = 0
        tasks[minute] = running
        used = np.minimum(idle + work[minute] / running, 1.0)
        above, below = (above + 1) * (used > 0.6), (below + 1) * (used < 0.54)
        if above.max() < 3 and below.max() < 15:
            continue
        wanted = np.maximum(np.ceil(running * used / 0.6), 2)
        coming = starting.sum(axis=0)
        starting[(minute + 2) % 3] += np.where(above >= 3, np.maximum(wanted - running - coming, 0), 0)
        fewer = np.minimum(running - wanted, np.maximum(running // 4, 1))
        fewer = np.where((below >= 15) & (coming == 0), np.maximum(fewer, 0), 0)
        running, below = running - fewer, np.where(fewer > 0, 0, below)
    return tasks


def minutes_of(
    life: Served, service: int, until: int | None = None, every: int = 1, kept: np.ndarray | None = None
) -> PerTask:
    """One service as `per_task` would have it, built by hand; `every` minutes averaged, only rows that are `kept`."""
    part = slice(0, (len(life.rate) if until is None else until) // every * every)
    tasks = life.tasks[part, service].reshape(-1, every)
    work = [(values[part, service].reshape(-1, every) * tasks).mean(axis=1) for values in (life.rate, life.vcpu)]
    rate, vcpu = (total / tasks.mean(axis=1) for total in work)
    times = pd.date_range(START, periods=len(rate), freq=f"{every}min", unit="us")
    frame = pd.DataFrame(dict.fromkeys(NUMBERS, np.nan), index=times)
    frame.insert(0, "seconds", 60 * every)
    frame["requests_per_s"], frame["vcpu"], frame["running_tasks"] = rate, vcpu, tasks.mean(axis=1)
    frame["task_vcpu"], frame["task_gib"] = 1.0, 2.0
    frame["latency_p95_ms"] = life.p95_ms[part, service].reshape(-1, every).mean(axis=1)
    frame["stable"] = stable(tasks.mean(axis=1), pd.Timedelta(minutes=every))
    frame["saturated"] = vcpu >= 0.97
    frame["usable"] = frame["stable"] & ~frame["saturated"]
    return PerTask("web", frame if kept is None else frame[kept[: len(frame)]])


def history_of(life: Served, service: int, until: int | None = None, *, lag: int = 0, name: str = "web") -> History:
    """One service as monitoring would hand it over: long rows of one-minute observations.

    lag  minutes that the processor's stamps run behind the requests they served
    """
    part = slice(0, len(life.rate) if until is None else until)
    times = pd.date_range(START, periods=len(life.rate[part]), freq="min")
    metrics = {
        ("requests", "mean"): (life.rate * life.tasks)[part, service],
        ("cpu_utilization", "mean"): np.roll(100 * life.vcpu[part, service], lag),
        ("running_tasks", "mean"): life.tasks[part, service],
        ("latency", "p95"): life.p95_ms[part, service] / 1000,
    }
    tables = [
        pd.DataFrame(
            {"service": name, "metric": metric, "stat": stat, "interval": 60, "timestamp": times, "value": values}
        )
        for (metric, stat), values in metrics.items()
    ]
    return read(pd.concat(tables, ignore_index=True))
