"""How long a fleet takes to plan, and how much memory: `python -m benchmarks.planning --services 1000`.

Generated paths of requests/s and, with `--metrics 2`, of CPU: 91 days of hours, 200 paths, in single precision as
`capacity.forecast` draws them; the past holds the busiest minute of each hour, so that bursts are put on every path.
`plan` is called as anyone calls it, with everything a review asks of it: start-up, deployments, the loss of a zone,
limits and their dates (quotas, launch rate, subnets, load balancers, databases), money, decisions, by default.

Beside it stands the least that any planner by quantiles has to do: one `numpy.quantile` over each service's paths. Peak
memory is the process's, the forecast itself in it. The promise: 1,000 services in 60 s on 2 cores.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from dataclasses import replace

import numpy as np
import pandas as pd

from capacity.config import Account, Limit, Service, Subnet
from capacity.demand import demand_from
from capacity.forecasting import Forecast
from capacity.planning import plan

CUTOFF = pd.Timestamp("2026-11-23T00:00Z")
HOUR = pd.Timedelta("1h")
PAST_DAYS = 60


def fleet(services: int, paths: int, days: int, metrics: int, seed: int = 0) -> tuple[Forecast, list[Service]]:
    """A forecast of so many services with daily waves, growth and noise, and services to plan with it."""
    rng = np.random.default_rng(seed)
    past_times = pd.date_range(end=CUTOFF - HOUR, periods=PAST_DAYS * 24, freq="h")
    times = pd.date_range(CUTOFF, periods=days * 24, freq="h", unit="us")
    names = [f"service-{number:04d}" for number in range(services)]
    kinds = {"requests": 1.0, "cpu": 0.012}
    used = dict(list(kinds.items())[:metrics])
    drawn = np.empty((services * metrics, paths, len(times)), dtype=np.float32)
    noise = np.exp(0.15 * rng.standard_normal((2 * paths, len(times)), dtype=np.float32))
    measured = []
    for row, name in enumerate(names):
        phase, level, swing = rng.uniform(0, 24), rng.lognormal(5, 1), rng.uniform(0.3, 0.8)
        before, after = (
            level * (1 + swing * np.sin(2 * np.pi * (moments.hour.to_numpy() - phase) / 24))
            for moments in (past_times, times)
        )
        grown = np.exp(rng.normal(0.05, 0.25, (paths, 1)) * np.linspace(0, 1, len(times)))
        first = int(rng.integers(paths))
        loads = (after * grown).astype(np.float32) * noise[first : first + paths]
        seen = before * np.exp(0.15 * rng.standard_normal(len(past_times)))
        for place, (metric, cost) in enumerate(used.items()):
            drawn[row * metrics + place] = loads * np.float32(cost)
            measured.append(
                pd.DataFrame({"service": name, "metric": metric, "timestamp": past_times, "value": seen * cost})
            )
    past = demand_from(pd.concat(measured, ignore_index=True))
    past = replace(past, peaks=past.values * rng.uniform(1.1, 1.8, past.values.shape))
    ahead = Forecast(past=past, times=times, paths=drawn, models=("generated",) * len(drawn))
    return ahead, [_service(name, number) for number, name in enumerate(names)]


def _service(name: str, number: int) -> Service:
    database = Limit(name=f"db-{number // 20}", kind="connections", total=4000, per_task=10)
    return Service(
        name=name,
        region=("eu-west-1", "us-east-1")[number % 2],
        requests_per_second_per_task=50,
        task_vcpu=1,
        task_memory_gib=2,
        min_tasks=2,
        max_tasks=20 + number % 80,
        alb_resource_label=f"app/lb-{number // 10}/50dc6c49/targetgroup/{name}/{number}",
        limit=(database,) if number % 4 == 0 else (),
    )


def accounts() -> list[Account]:
    """Quotas and subnets of both regions."""
    return [
        Account(
            region=region,
            fargate_vcpu_quota=8000,
            subnet=tuple(
                Subnet(name=f"subnet-{zone}", zone=f"{region}{zone}", cidr="10.0.0.0/20", others=50) for zone in "abc"
            ),
        )
        for region in ("eu-west-1", "us-east-1")
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--paths", type=int, default=200)
    parser.add_argument("--days", type=int, default=91)
    parser.add_argument("--metrics", type=int, choices=(1, 2), default=1)
    asked = parser.parse_args()
    ahead, services = fleet(asked.services, asked.paths, asked.days, asked.metrics)
    before = _peak_gib()
    plan(ahead.of(services[0].name), services[0])  # compiled once, outside the clock
    start, spent = time.perf_counter(), time.process_time()
    made = plan(ahead, services, accounts=accounts())
    took, spent = time.perf_counter() - start, time.process_time() - spent
    least = time.process_time()
    for number in range(len(services)):
        np.quantile(ahead.paths[number * asked.metrics], made.goal.level, axis=0)
    least = time.process_time() - least
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    print(f"{asked.services:,} services x {asked.days} days of hours x {asked.paths} paths x {asked.metrics} metrics")
    print(f"planned in                  {took:7.1f} s on {cores} cores, {took / asked.services * 1e3:.0f} ms a service")
    print(f"of processor time           {spent:7.1f} s")
    print(
        f"numpy.quantile of each once {least:7.1f} s of processor time: a plan takes {spent / least:.1f} times as much"
    )
    print(f"peak memory                 {_peak_gib():7.2f} GiB (of it {before:.2f} before planning)")
    print(f"limits {len(made.limits):,}, decisions {len(made.decisions):,}, findings {len(made.findings):,}")


def _peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
