"""Replay a policy on demand, minute by minute, with ECS's clocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capacity.config import PriceSettings, Rate, Service
from capacity.demand import Demand
from capacity.display import table_html
from capacity.errors import InputError
from capacity.planning.prices import Prices, usd_per_hour
from capacity.scaling.bounds import bounds
from capacity.scaling.clocks import DOCUMENTED, Clocks
from capacity.scaling.load import Carried, as_demand, carried, key_of, minutes_of
from capacity.scaling.policy import Policy, ServicePolicy
from capacity.scaling.spec import elasticity
from capacity.schema import SIMULATION

if TYPE_CHECKING:
    from capacity.history.history import History

#: Fractional tasks by which need may exceed the running count before it counts as short: rounding noise.
NOISE = 1e-9


@dataclass(frozen=True, eq=False)
class Simulation:
    """How a policy did.

    frame    `schema.SIMULATION`: one row a service and minute
    metrics  one row a service:
             theta_u, theta_o, tau_u, tau_o, upsilon  percent, see `elasticity`; demand is the whole tasks needed
             minutes, unknown_minutes                 replayed, and of these without a known load
             short_minutes, short_share               tasks needed > tasks serving; share of the known minutes (0-1)
             missing_task_hours                       tasks needed less tasks serving, summed where short
             task_hours, usd                          serving or starting; usd is NaN where no price is known
             changes                                  how often the desired count changed
             max_running, mean_running                tasks

    Needed are as many tasks as leave none past its full load: requests_per_second_per_task, or for CPU and memory the
    share that leaves the same room above the target (`needs.full_share`). That is more load than the tracked target.
    Where CPU is full before the stated requests are, a task is full with fewer of them (`ServicePolicy.per_task`).

    Work that arrives while all tasks are full is not carried over to the next minute: `short_minutes` counts when that
    would happen, not how long its backlog would last.
    """

    frame: pd.DataFrame
    metrics: pd.DataFrame
    policy: Policy

    def of(self, service: str) -> pd.DataFrame:
        """The minutes of one service, indexed by time."""
        return self.frame[self.frame["service"] == service].set_index("timestamp")

    def plot(self, service: str | None = None) -> Any:
        """Tasks needed against tasks serving; of the first service, unless named."""
        from capacity.charts import steps

        name = str(self.metrics["service"].iloc[0]) if service is None else service
        rows = coarser(self.of(name))
        series = {column: rows[column].to_numpy() for column in ("demand", "running", "minimum")}
        return steps(pd.DatetimeIndex(rows.index), series, "tasks", f"{name}: tasks needed and running")

    def _repr_html_(self) -> str:
        short = int(self.metrics["short_minutes"].sum())
        sentence = f"Simulation: {len(self.metrics)} services, {len(self.frame):,} minutes, {short:,} of them short"
        return table_html(sentence, self.metrics.round(3))


def simulate(
    policy: Policy | ServicePolicy,
    demand: Demand | History | pd.Series | pd.DataFrame,
    service: Service | None = None,
    *,
    seed: int = 0,
    prices: PriceSettings | Rate | Iterable[Rate] | None = None,
    clocks: Clocks = DOCUMENTED,
) -> Simulation:
    """What each service would have run, minute by minute, had this policy been in force.

    policy   of a fleet (`recommend_policy`), or of one service
    demand   absolute demand in the tracked metric. Coarser than a minute: spread over its minutes, peaks kept.
             A Series (naive stamps: UTC) is that of the only service. Missing values: no datapoint, no action
    service  replaces the policy's own service of that name (or its only one): other start-up time, other size
    seed     of the noise inside coarse intervals
    prices   as for `plan`; the built-in table unless stated

    It starts in balance: as many tasks as the first known minute needs at the target, within bounds. CPU and memory
    read at most 100 %, so a saturated service cannot show how much it needs and grows by 100 / target at a time;
    requests per task count all that arrive, but report nothing in a minute without any. With no task there is no
    datapoint, and only a schedule can scale out. Tasks launch at Fargate's rate for one service alone.
    Source of the rules: reference aws.md 3.2, 3.5 and 4.3; they model AWS, nothing here is promised by it.

    >>> from capacity.scaling.policy import TargetTracking
    >>> web = Service(name="web", requests_per_second_per_task=50, startup_seconds=120)
    >>> step = pd.Series([100.0] * 30 + [400.0] * 30, index=pd.date_range("2026-03-02", periods=60, freq="min"))
    >>> result = simulate(ServicePolicy(web, 1, 20, TargetTracking("requests", target=2400)), step)
    >>> result.of("web")["running"].iloc[[29, 37, 38]].tolist()  # 3 minutes to be sure, 3 to hear, 2 to start
    [3, 3, 10]
    >>> int(result.metrics["short_minutes"].iloc[0])
    8
    """
    fleet = Policy((policy,)) if isinstance(policy, ServicePolicy) else policy
    if not fleet.services:
        raise InputError("the policy holds no service")
    if service is not None:
        fleet = with_service(fleet, service)
    table = Prices.of_argument(prices)
    alone = len(fleet.services) == 1
    frames, rows = [], []
    for one in fleet.services:
        needed = as_demand(demand, one)
        times, load = minutes_of(needed, key_of(needed, one.service.name, one.tracking.metric, alone=alone), seed)
        run = Replay.of(one, times, load, clocks)
        frames.append(run.frame())
        rows.append(run.metrics(usd_per_hour(one.service, table.of(one.service))))
    return Simulation(pd.concat(frames, ignore_index=True), pd.DataFrame(rows), fleet)


def with_service(fleet: Policy, service: Service) -> Policy:
    """The policy with one service replaced; a fleet of one takes any name."""
    if len(fleet.services) == 1:
        return Policy((_of_service(fleet.services[0], service),))
    if service.name not in [one.service.name for one in fleet.services]:
        raise InputError(f"the policy holds no service named {service.name!r}")
    return Policy(tuple(_of_service(p, service) if p.service.name == service.name else p for p in fleet.services))


def _of_service(policy: ServicePolicy, service: Service) -> ServicePolicy:
    """The policy on another service. What was measured of tasks of one size says nothing of another size."""
    sizes = ("task_vcpu", "task_memory_gib", "requests_per_second_per_task")
    alike = all(getattr(policy.service, size) == getattr(service, size) for size in sizes)
    return replace(policy, service=service, per_task=policy.per_task if alike else None)


@dataclass(frozen=True, eq=False)
class Replay:
    """One service's minutes, replayed. All arrays (n,)."""

    policy: ServicePolicy
    times: pd.DatetimeIndex
    load: np.ndarray  # in the metric's unit, NaN where not known
    task: Carried
    minimum: np.ndarray
    desired: np.ndarray
    running: np.ndarray
    launched: np.ndarray
    changes: int

    @classmethod
    def of(
        cls,
        policy: ServicePolicy,
        times: pd.DatetimeIndex,
        load: np.ndarray,
        clocks: Clocks = DOCUMENTED,
        limits: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> Replay:
        """Run the compiled replay. `limits` are the bounds of each minute, when they are known already."""
        from capacity.scaling.kernel import replay

        tracking, service, task = policy.tracking, policy.service, carried(policy)
        minimum, maximum = bounds(policy, times) if limits is None else limits
        work = np.ascontiguousarray(load / task.target)
        desired, running, launched = (np.empty(len(times), dtype=np.int64) for _ in range(3))
        changes = replay(
            work,
            minimum,
            maximum,
            np.inf if tracking.metric == "requests" else task.size / task.target,
            tracking.metric == "requests",
            ceil(tracking.scale_out_cooldown / 60),
            ceil(tracking.scale_in_cooldown / 60),
            not tracking.disable_scale_in,
            ceil(service.startup_seconds / 60),
            clocks.metric_delay,
            clocks.high_minutes,
            clocks.low_minutes,
            clocks.low_share,
            clocks.launch_burst,
            clocks.launch_rate,
            balanced(work, minimum, maximum),
            desired,
            running,
            launched,
        )
        return cls(policy, times, load, task, minimum, desired, running, launched, int(changes))

    @property
    def need(self) -> np.ndarray:
        """(n,) fractional tasks of which none would be too full."""
        return self.load / self.task.full

    @property
    def known(self) -> np.ndarray:
        return ~np.isnan(self.load)

    @property
    def short(self) -> np.ndarray:
        """(n,) True where more tasks were needed than served; False where the load is not known."""
        return self.need > self.running + NOISE

    @property
    def task_hours(self) -> float:
        return float(self.launched.sum()) / 60

    @property
    def missing_task_hours(self) -> float:
        """Whole tasks needed less tasks serving, where that is short."""
        return float(np.ceil(self.need - self.running - NOISE)[self.short].sum()) / 60

    def frame(self) -> pd.DataFrame:
        """`schema.SIMULATION`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            used = np.where(self.running > 0, 100 * self.load / (self.running * self.task.size), np.nan)
        return pd.DataFrame(
            {
                "service": self.policy.service.name,
                "timestamp": self.times,
                "demand": self.need,
                "load": self.load,
                "desired": self.desired,
                "running": self.running,
                "utilization": used,
                "minimum": self.minimum,
            },
            columns=SIMULATION.names,
        )

    def metrics(self, usd_per_task_hour: float) -> dict[str, Any]:
        """One row of `Simulation.metrics`."""
        known, short = int(self.known.sum()), int(self.short.sum())
        if known == 0:
            raise InputError(f"{self.policy.service.name}: no minute of this demand holds a value: nothing to replay")
        spec = elasticity(np.ceil(self.need - NOISE), self.running)
        return {
            "service": self.policy.service.name,
            "theta_u": spec.theta_u,
            "theta_o": spec.theta_o,
            "tau_u": spec.tau_u,
            "tau_o": spec.tau_o,
            "upsilon": spec.upsilon,
            "minutes": len(self.times),
            "unknown_minutes": len(self.times) - known,
            "short_minutes": short,
            "short_share": short / known,
            "missing_task_hours": self.missing_task_hours,
            "task_hours": self.task_hours,
            "usd": self.task_hours * usd_per_task_hour,
            "changes": self.changes,
            "max_running": int(self.running.max()),
            "mean_running": float(self.running.mean()),
        }


def balanced(work: np.ndarray, minimum: np.ndarray, maximum: np.ndarray) -> int:
    """Tasks to start with: what the first known minute needs at the target, within the first minute's bounds."""
    if len(work) == 0:
        return 0
    known = np.flatnonzero(~np.isnan(work))
    wanted = ceil(work[known[0]] - NOISE) if len(known) else 0
    return int(min(max(wanted, minimum[0]), maximum[0]))


def coarser(rows: pd.DataFrame, most: int = 2_000) -> pd.DataFrame:
    """At most about `most` rows for a picture: the largest need and the smallest running count of each bin."""
    size = -(-len(rows) // most)
    if size <= 1:
        return rows
    groups = rows.groupby(np.arange(len(rows)) // size)
    thin = groups.agg({"demand": "max", "running": "min", "minimum": "max"})
    return thin.set_index(rows.index[::size])
