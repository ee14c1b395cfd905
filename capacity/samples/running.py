"""How a service carries what arrives, under today's autoscaler: an own, small model, minute by minute.

Deliberately written without `capacity.scaling`, whose simulator is checked against it. It follows what is known of
ECS target tracking: scale out after 3 minutes above the target, in after 15 below 0.9 of it, to
ceil(running x metric / target), with cooldowns, and new tasks that serve only after their start-up time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from capacity.samples.model import ServiceModel

SCALE_OUT_COOLDOWN: Final = 1  # minutes
SCALE_IN_COOLDOWN: Final = 5  # minutes
IN_BELOW: Final = 0.9  # of the target
LARGEST_STEP_IN: Final = 4  # at most a quarter of the tasks at a time: scale-in is more careful than the formula

#: Of requests beyond what the tasks can serve, this share gets an answer of 5xx and is counted; the rest gives up
#: before it is counted anywhere, which is why measured requests fall short of what was wanted.
ANSWERED_WITH_ERROR: Final = 0.5

TIMEOUT_SECONDS: Final = 10.0
REQUESTS_AT_ONCE_PER_VCPU: Final = 4


@dataclass(frozen=True, eq=False)
class Run:
    """(n,) each, one value a minute."""

    tasks: np.ndarray  # RUNNING
    counted: np.ndarray  # requests/s the load balancer saw
    errors: np.ndarray  # requests/s answered with 5xx
    vcpu: np.ndarray  # in use
    idle: np.ndarray  # vCPU of it that the tasks use by being there
    utilization: np.ndarray  # %
    lost: np.ndarray  # share of the load that was turned away or had to wait for the next minute


def run(model: ServiceModel, load: np.ndarray, cpu_seconds: np.ndarray) -> Run:
    """The service under `load` (n,) requests/s, each costing `cpu_seconds` (n,)."""
    tasks, served, left = _compiled()(
        load,
        cpu_seconds,
        model.task_vcpu,
        model.idle_vcpu,
        model.target,
        model.min_tasks,
        model.max_tasks,
        int(np.ceil(model.startup_seconds / 60)),
        model.worker,
    )
    errors = np.zeros_like(left) if model.worker else left * ANSWERED_WITH_ERROR
    idle = tasks * model.idle_vcpu
    vcpu = idle + served * cpu_seconds
    offered = served + left
    return Run(
        tasks=tasks,
        counted=served + errors,
        errors=errors,
        vcpu=vcpu,
        idle=idle,
        utilization=100 * vcpu / (tasks * model.task_vcpu),
        lost=np.divide(left, offered, out=np.zeros_like(left), where=offered > 0),
    )


@cache
def _compiled() -> Any:
    from numba import njit

    return njit(minute_by_minute)


def minute_by_minute(
    load: Any,
    cpu_seconds: Any,
    task_vcpu: float,
    idle_vcpu: float,
    target: float,
    fewest: int,
    most: int,
    startup: int,
    waits: bool,
) -> Any:
    """(tasks, served, left) per minute. `waits`: what is left waits for the next minute, instead of being lost."""
    count = len(load)
    tasks, served, left = np.zeros(count), np.zeros(count), np.zeros(count)
    ready = np.zeros(count + startup + 1)  # tasks that begin to serve at this minute
    wanted = load[0] * cpu_seconds[0] * 100 / (target * task_vcpu)
    running = min(max(int(np.ceil(wanted)), fewest), most)
    starting, above, below, since_out, since_in, backlog = 0, 0, 0, 10**6, 10**6, 0.0
    for minute in range(count):
        arrived = int(min(ready[minute], starting))
        running, starting = running + arrived, starting - arrived
        offered = load[minute] + backlog
        carried = min(offered, running * (task_vcpu - idle_vcpu) / cpu_seconds[minute])
        tasks[minute], served[minute], left[minute] = running, carried, offered - carried
        backlog = offered - carried if waits else 0.0

        used = 100 * (running * idle_vcpu + carried * cpu_seconds[minute]) / (running * task_vcpu)
        above = above + 1 if used > target else 0
        below = below + 1 if used < 0.9 * target else 0
        since_out, since_in = since_out + 1, since_in + 1
        formula = int(np.ceil(running * used / target - 1e-9))
        if above >= 3:
            more = min(formula, most) - running - starting
            if more > 0:
                ready[minute + 1 + startup] += more
                starting += more
                since_out = 0
        elif below >= 15 and since_in > SCALE_IN_COOLDOWN and since_out > SCALE_OUT_COOLDOWN and starting == 0:
            fewer = min(running - max(formula, fewest), max(1, running // LARGEST_STEP_IN))
            if fewer > 0:
                running -= fewer
                since_in = 0
    return tasks, served, left


def latency_p95(model: ServiceModel, outcome: Run, cpu_seconds: np.ndarray) -> np.ndarray:
    """(n,) seconds: unloaded latency plus the wait in the queue of one task, near the time-out when work is lost.

    The load balancer deals requests to tasks, each with its own queue. The 95 % point of an exponential wait is ln(20)
    times its mean.
    """
    calm = p95_at(model, outcome.utilization / 100, cpu_seconds)
    return np.where(outcome.lost > 0.001, np.minimum(4 * calm + TIMEOUT_SECONDS * outcome.lost, TIMEOUT_SECONDS), calm)


def p95_at(model: ServiceModel, busy: np.ndarray, cpu_seconds: np.ndarray | float) -> np.ndarray:
    """(n,) seconds of latency that 95 % of requests stay below, when each task is `busy` (0 to 1).

    Source of the wait: Sakasegawa's approximation of M/M/c, Wq = service x rho^(sqrt(2 (c + 1)) - 1) / (c (1 - rho)).
    """
    slots = max(1.0, model.task_vcpu * REQUESTS_AT_ONCE_PER_VCPU)
    service = cpu_seconds * REQUESTS_AT_ONCE_PER_VCPU  # a request holds one of four slots of a vCPU
    rho = np.clip(busy, 0, 0.995)
    wait = service * rho ** (np.sqrt(2 * (slots + 1)) - 1) / (slots * (1 - rho))
    return np.minimum(model.unloaded_p95_seconds + np.log(20) * wait, TIMEOUT_SECONDS)


def requests_per_task_at_slo(model: ServiceModel, cpu_seconds: float) -> float:
    """Requests/s of one task at which p95 latency meets the SLO: read from a fine grid of utilisation."""
    busy = np.linspace(0.01, 0.995, 20_000)
    highest = busy[p95_at(model, busy, cpu_seconds) <= model.slo_p95_seconds].max()
    return float((highest * model.task_vcpu - model.idle_vcpu) / cpu_seconds)
