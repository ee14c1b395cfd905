"""What monitoring saw of a world: one value a minute, NaN where there was none, named as `schema.METRICS` has them."""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.alarms.world import World

#: The busiest of several tasks is this much above their mean.
HOTTEST: Final = 1.08

#: What the load balancer tells, and what the cluster does; a silence may take either. The account's usage stays.
BALANCER: Final = ("requests", "errors", "latency")
TASKS: Final = ("cpu_utilization", "memory_utilization", "running_tasks", "desired_tasks")
ACCOUNT: Final = ("fargate_vcpu",)

Signals = dict[tuple[str, str], np.ndarray]


def observed(world: World) -> Signals:
    """(metric, stat) -> (n,): requests and errors a second, latency in seconds, utilisation in per cent, tasks, vCPU.

    Counts are whole: what a minute held is Poisson about what was wanted. The account's usage covers every service.
    """
    rng = np.random.default_rng([world.nature.seed, 2])
    met, ran = world.met, world.ran
    requests = rng.poisson(met.load * 60)
    errors = np.minimum(rng.poisson(met.load * 60 * world.failed), requests)
    used = np.minimum(met.others_vcpu + ran.running * world.nature.task_vcpu, met.quota_vcpu)
    seen: Signals = {
        ("requests", "mean"): requests / 60,
        ("errors", "mean"): errors / 60,
        ("latency", "p50"): world.p95 / 2.5,
        ("latency", "p95"): world.p95,
        ("latency", "p99"): world.p95 * 1.5,
        ("cpu_utilization", "mean"): 100 * ran.busy,
        ("cpu_utilization", "max"): np.minimum(100 * ran.busy * HOTTEST, 100),
        ("memory_utilization", "mean"): 100 * world.memory,
        ("memory_utilization", "max"): 100 * world.memory_most,
        ("running_tasks", "mean"): ran.running,
        ("desired_tasks", "mean"): ran.desired,
        ("fargate_vcpu", "mean"): used,
    }
    silent = {"everything": (*BALANCER, *TASKS), "load balancer": BALANCER, "tasks": TASKS}
    for one in world.incidents:
        if one.kind == "silence":
            _nothing(seen, silent[one.flavour], one.start, one.end)
    for at, lasts in world.quiet.gaps:
        _nothing(seen, (*BALANCER, *TASKS, *ACCOUNT), at, at + lasts)
    return seen


def _nothing(seen: Signals, metrics: tuple[str, ...], start: int, end: int) -> None:
    for (metric, stat), values in seen.items():
        if metric in metrics:
            silenced = values.astype(float)
            silenced[start:end] = np.nan
            seen[metric, stat] = silenced
