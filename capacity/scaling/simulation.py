"""Replay a policy on demand, minute by minute, with ECS's clocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capacity.config import PriceSettings, Rate, Service
from capacity.demand import Demand
from capacity.display import table_html
from capacity.errors import InputError
from capacity.planning.prices import Prices, usd_per_hour
from capacity.scaling.checks import refuse_senseless
from capacity.scaling.clocks import DOCUMENTED, Clocks
from capacity.scaling.disruptions import Circumstances, Deployment, Late, Spot, deployments_of
from capacity.scaling.foreseen import stated
from capacity.scaling.load import as_demand, key_of, steps_of
from capacity.scaling.policy import Policy, ServicePolicy
from capacity.scaling.replay import Replay

if TYPE_CHECKING:
    from capacity.history.history import History


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
             late_minutes                             in which work was shed, or after which some was waiting
             max_late_seconds                         longest wait of the last to come; 0 where late work is shed
             shed_share                               of the known work (0-1); 0 where late work is carried
             deploying_minutes                        in which a deployment kept scale-in off
             spot_task_hours, interrupted             of the task-hours those on Spot; tasks that were taken back

    Needed are as many tasks as leave none past its full load: requests_per_second_per_task, or for CPU and memory the
    share that leaves the same room above the target (`needs.full_share`). That is more load than the tracked target.
    Where CPU is full before the stated requests are, a task is full with fewer of them (`ServicePolicy.per_task`).

    Short is against the full load of the promise, late against all that a task can do: at 100 % of CPU, or of the
    stated requests. `short` counts what arrives; work that waits from before is late, not short.

    With 20-second metrics a row of `frame` is `Clocks.fine_step` seconds, and minutes are fractions.
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

    def __str__(self) -> str:
        short = int(self.metrics["short_minutes"].sum())
        return f"Simulation: {len(self.metrics)} services, {len(self.frame):,} minutes, {short:,} of them short"

    def _repr_html_(self) -> str:
        return table_html(str(self), self.metrics.round(3))


def simulate(
    policy: Policy | ServicePolicy,
    demand: Demand | History | pd.Series | pd.DataFrame,
    service: Service | None = None,
    *,
    seed: int = 0,
    prices: PriceSettings | Rate | Iterable[Rate] | None = None,
    clocks: Clocks = DOCUMENTED,
    late: Late = "shed",
    deployments: Iterable[Deployment | pd.Timestamp | str] = (),
    spot: Spot | Mapping[str, Spot] | None = None,
    predicted: pd.Series | Mapping[str, pd.Series] | None = None,
) -> Simulation:
    """What each service would have run, minute by minute, had this policy been in force.

    policy       of a fleet (`recommend_policy`), or of one service
    demand       absolute demand in the tracked metric, and in that of the step policy where it is another one. Coarser
                 than a minute: spread over its minutes, peaks kept. A Series (naive stamps: UTC) is that of the only
                 service. Missing values: no datapoint, no action
    service      replaces the policy's own service of that name (or its only one): other start-up time, other size
    seed         of the noise inside coarse intervals, and of which Spot tasks are taken back
    prices       as for `plan`; the built-in table unless stated
    clocks       how long metrics and alarms take
    late         what becomes of work that arrives while all tasks are full: "shed", or "carry" over to the next step.
                 CPU stays at 100 % while such work is done; requests per target count what arrives. Memory queues
                 nothing: what does not fit is shed either way
    deployments  moments at which every service is deployed, or `Deployment`s
    spot         how Spot tasks are taken back, of all services or by name; None: they never are
    predicted    AWS's own hourly forecast of tasks (`CapacityForecast`), by service when there are several; policies
                 with a predictive part that acts, and no forecast here, use a simple stand-in (`scaling.foreseen`)

    It starts in balance: as many tasks as the first known minute needs at the target, within bounds. CPU and memory
    read at most 100 %, so a saturated service cannot show how much it needs and grows by 100 / target at a time;
    requests per task count all that arrive, but report nothing in a minute without any. With no task there is no
    datapoint, and only a schedule can scale out. Tasks launch at Fargate's rate for one service alone.
    Policies with `TargetTracking.resolution` 20 are replayed in steps of five seconds.
    Raises InputError for a policy that cannot be meant: a minimum above its maximum, a target that is no number.
    Source of the rules: reference aws.md 3.2-3.5 and 4.2-4.4; they model AWS, nothing here is promised by it.

    >>> from capacity.scaling.policy import TargetTracking
    >>> web = Service(name="web", requests_per_second_per_task=50, startup_seconds=120)
    >>> step = pd.Series([100.0] * 30 + [400.0] * 30, index=pd.date_range("2026-03-02", periods=60, freq="min"))
    >>> policy = ServicePolicy(web, 1, 20, TargetTracking("requests", target=2400, scale_out_cooldown=360))
    >>> result = simulate(policy, step)
    >>> result.of("web")["running"].iloc[[29, 37, 38]].tolist()  # 3 minutes to be sure, 3 to hear, 2 to start
    [3, 3, 10]
    >>> int(result.metrics["short_minutes"].iloc[0])
    8
    >>> queue = simulate(policy, step, late="carry").metrics.iloc[0]  # 8 minutes x 250 requests/s too many
    >>> round(queue["max_late_seconds"]), int(queue["late_minutes"])  # tasks do 150 requests/s until others serve
    (800, 27)
    """
    fleet = Policy((policy,)) if isinstance(policy, ServicePolicy) else policy
    if not fleet.services:
        raise InputError("the policy holds no service")
    if service is not None:
        fleet = with_service(fleet, service)
    refuse_senseless(fleet)
    names = [one.service.name for one in fleet.services]
    table, alone = Prices.of_argument(prices), len(names) == 1
    happening = deployments_of(deployments, names)
    spots, forecasts = by_service(spot, names, "spot"), by_service(predicted, names, "predicted")
    if isinstance(predicted, pd.Series) and not alone:
        raise InputError("one forecast for several services", advice="Give a mapping from a service's name to its own.")
    frames, rows = [], []
    for one in fleet.services:
        name = one.service.name
        needed = as_demand(demand, one)
        times, load = steps_of(needed, key_of(needed, name, one.tracking.metric, alone=alone), seed, one, clocks)
        other = None
        if one.steps is not None and one.steps.metric != one.tracking.metric:
            _, other = steps_of(needed, key_of(needed, name, one.steps.metric, alone=alone), seed, one, clocks)
        foretold = forecasts.get(name)
        if foretold is not None and one.predictive is None:
            raise InputError(f"{name}: a forecast is given, but its policy has no predictive part")
        run = Replay.of(
            one,
            times,
            load,
            clocks,
            met=Circumstances(late, happening, spots.get(name, on_spot(one.service)), seed).of(name),
            other=other,
            predicted=stated(foretold, times, one.predictive.buffer)
            if foretold is not None and one.predictive
            else None,
        )
        frames.append(run.frame())
        rate = table.of(one.service)
        rows.append(run.metrics(usd_per_hour(one.service, rate), spot_usd_per_hour(one.service, rate)))
    return Simulation(pd.concat(frames, ignore_index=True), pd.DataFrame(rows), fleet)


def on_spot(service: Service) -> Spot | None:
    """Spot as the service states it, nothing ever taken back: what it costs, and not what it risks."""
    return Spot(per_hour=0.0) if service.spot_share > 0 else None


def by_service(given: Any, names: list[str], argument: str) -> dict[str, Any]:
    """One for all services, or those of a mapping. Raises InputError for names that the policy does not hold."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return dict.fromkeys(names, given)
    strange = sorted(set(given) - set(names))
    if strange:
        raise InputError(
            f"{argument} names {', '.join(map(repr, strange))}, which the policy does not hold",
            advice=f"There are: {', '.join(names)}.",
        )
    return dict(given)


def spot_usd_per_hour(service: Service, rate: Rate | None) -> float:
    """Price of one running task on Spot; NaN without a Spot rate."""
    if rate is None or rate.spot_vcpu is None or rate.spot_memory_gb is None:
        return float("nan")
    at_spot = rate.model_copy(update={"vcpu": rate.spot_vcpu, "memory_gb": rate.spot_memory_gb})
    return usd_per_hour(service, at_spot)


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


def coarser(rows: pd.DataFrame, most: int = 2_000) -> pd.DataFrame:
    """At most about `most` rows for a picture: the largest need and the smallest running count of each bin."""
    size = -(-len(rows) // most)
    if size <= 1:
        return rows
    groups = rows.groupby(np.arange(len(rows)) // size)
    thin = groups.agg({"demand": "max", "running": "min", "minimum": "max"})
    return thin.set_index(rows.index[::size])
