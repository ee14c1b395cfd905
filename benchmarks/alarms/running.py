"""How tasks carry the load, minute by minute: an autoscaler with real clocks, and a quota that can stop it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

#: Target tracking as AWS documents it: out after 3 minutes above the target, in after 15 below nine tenths of it.
OUT_AFTER: Final = 3
IN_AFTER: Final = 15


@dataclass(frozen=True, eq=False)
class Conditions:
    """What the tasks of a service meet: (n,) each, one value a minute."""

    load: np.ndarray  # requests/s
    cpu_seconds: np.ndarray  # vCPU-seconds a request
    batch: np.ndarray  # vCPU of work of low priority, which gives way to requests
    failing: np.ndarray  # share of requests that fail whatever the load
    slower: np.ndarray  # factor of latency whatever the load
    down: np.ndarray  # share of tasks that are dead and being replaced
    fewest: np.ndarray  # tasks
    most: np.ndarray  # tasks
    others_vcpu: np.ndarray  # of the account, by others
    quota_vcpu: np.ndarray  # of the account


@dataclass(frozen=True, eq=False)
class Run:
    """(n,) each."""

    desired: np.ndarray
    running: np.ndarray
    busy: np.ndarray  # share of the running tasks' vCPU in use, batch work included
    pressing: np.ndarray  # the same without batch work, which gives way: what requests wait for
    lost: np.ndarray  # share of requests that nobody could carry


def run(met: Conditions, task_vcpu: float, idle: float, target: float, startup: int) -> Run:
    """The service under these conditions."""
    return Run(
        *_compiled()(
            met.load,
            met.cpu_seconds,
            met.batch,
            met.down,
            met.fewest,
            met.most,
            met.others_vcpu,
            met.quota_vcpu,
            task_vcpu,
            idle,
            target,
            startup,
        )
    )


@cache
def _compiled() -> Any:
    from numba import njit

    return njit(cache=True)(minute_by_minute)


def minute_by_minute(
    load: Any,
    cpu_seconds: Any,
    batch: Any,
    down: Any,
    fewest: Any,
    most: Any,
    others: Any,
    quota: Any,
    task_vcpu: float,
    idle: float,
    target: float,
    startup: int,
) -> Any:
    """(desired, running, busy, pressing, lost)."""
    count = len(load)
    desired, running = np.zeros(count), np.zeros(count)
    busy, pressing, lost = np.zeros(count), np.zeros(count), np.zeros(count)
    ready = np.zeros(count + startup + 2)
    tasks = min(max(np.ceil(load[0] * cpu_seconds[0] / (target * task_vcpu)), fewest[0]), most[0])
    wanted, starting, above, below = tasks, 0.0, 0, 0
    for minute in range(count):
        tasks += ready[minute]
        starting -= ready[minute]
        serving = max(tasks * (1 - down[minute]), 0.5)
        work = load[minute] * cpu_seconds[minute]
        room = serving * task_vcpu * (1 - idle)
        carried = min(work, room)
        pressing[minute] = idle + carried / (serving * task_vcpu)
        busy[minute] = min(pressing[minute] + batch[minute] / (serving * task_vcpu), 1.0)
        lost[minute] = (work - carried) / work if work > 0 else 0.0
        # the scaler: what it sees is the utilisation of the running tasks
        wanted = min(max(wanted, fewest[minute]), most[minute])
        above = above + 1 if busy[minute] > target else 0
        below = below + 1 if busy[minute] < 0.9 * target else 0
        asked = min(max(np.ceil(tasks * busy[minute] / target - 1e-9), fewest[minute]), most[minute])
        if above >= OUT_AFTER and asked > wanted:
            wanted = asked
        elif below >= IN_AFTER and asked < wanted and starting == 0:
            wanted = max(asked, wanted - max(1.0, np.floor(wanted / 5)))
            below = IN_AFTER - 5
        if wanted > tasks + starting:
            allowed = np.floor((quota[minute] - others[minute]) / task_vcpu) - tasks - starting
            more = min(wanted - tasks - starting, max(allowed, 0.0))
            ready[minute + 1 + startup] += more
            starting += more
        elif wanted < tasks:
            tasks = wanted
        desired[minute], running[minute] = wanted, tasks
    return desired, running, busy, pressing, lost
