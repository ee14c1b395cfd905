"""How many servers or tasks: the square-root rule as the quick form, and tasks that each have a queue of their own.

Tasks behind a load balancer are not one M/M/c: a request handed to a busy task waits there while another idles. The
square-root rule and every pooling formula therefore hold inside a task (its workers or cores) and for consumers of one
shared queue, and promise too much across tasks (reference loadtest.md 7.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from capacity.errors import GoalUnreachable, InputError
from capacity.loadtest.models.queueing import Queue, fewest
from capacity.loadtest.models.service_time import ServiceTime

#: By how much the busiest task's load may lie above the mean: the upper end of what round robin shows (reference
#: loadtest.md 7.3: 5 to 10 %; balancing by outstanding requests less).
IMBALANCE: Final = 0.10


def waiting_at(beta: float | np.ndarray) -> Any:
    """Share of requests that wait with a + beta sqrt(a) servers for a erlangs, in the limit of large a.

    1 / (1 + beta Phi(beta) / phi(beta)). Source: Halfin and Whitt (1981), Operations Research 29, 567.

    >>> [round(waiting_at(beta), 4) for beta in (0.5, 1.0, 2.0)]
    [0.5045, 0.2234, 0.0269]
    """
    from scipy.special import ndtr

    beta = np.asarray(beta, dtype=float)
    density = np.exp(-(beta**2) / 2) / np.sqrt(2 * np.pi)
    values = density / (density + beta * ndtr(beta))
    return float(values) if np.ndim(values) == 0 else values


def beta_for(waiting: float) -> float:
    """The beta at which this share of requests waits: the inverse of `waiting_at`.

    >>> round(beta_for(0.01), 3)
    2.375
    """
    from scipy.optimize import brentq

    if not 0 < waiting < 1:
        raise InputError(f"waiting is {waiting:g}: a share of requests between 0 and 1, such as 0.05")
    high = 1.0
    while waiting_at(high) > waiting:
        high *= 2
    return float(brentq(lambda beta: waiting_at(beta) - waiting, 0.0, high, xtol=1e-12))


def square_root_staffing(offered: float, *, waiting: float) -> int:
    """Servers that share one queue so that at most about this share of requests waits: a + beta sqrt(a), rounded up.

    offered  load in erlangs. The headroom shrinks, in percent, as the pool grows: only for a shared queue.

    Within one server of Erlang C from a few erlangs up. Source: Halfin and Whitt (1981).

    >>> square_root_staffing(90.0, waiting=0.05)
    107
    """
    if not (np.isfinite(offered) and offered > 0):
        raise InputError(f"the offered load is {offered:g} erlangs: it has to be above 0")
    return int(np.ceil(offered + beta_for(waiting) * np.sqrt(offered)))


@dataclass(frozen=True)
class SeparateTasks:
    """Tasks behind a balancer that meet a target, beside how many would if they could share one queue.

    busiest   requests/s of the busiest task: the mean with the imbalance on top
    seconds   its response time at the quantile asked for
    shared    tasks that would be enough with one queue for all: what pooling formulas say
    """

    tasks: int
    busiest: float
    seconds: float
    shared: int


def separate_tasks(
    arrivals: float,
    service: ServiceTime,
    *,
    workers: int,
    seconds: float,
    quantile: float = 0.99,
    imbalance: float = IMBALANCE,
    arrival_cv: float = 1.0,
) -> SeparateTasks:
    """Fewest tasks, each with its own queue, of which the busiest answers this quantile of requests within `seconds`.

    arrivals   per second, over all tasks          workers    requests one task serves at once
    imbalance  how much more than the mean the busiest task gets, as a share

    Arrivals dealt out at random stay Poisson, so each task is an M/G/workers queue of its own. Raises GoalUnreachable
    when service alone takes longer than asked.

    >>> from capacity.loadtest.models.service_time import Lognormal
    >>> needed = separate_tasks(1000, Lognormal(0.020, 0.5), workers=4, seconds=0.080, quantile=0.95)
    >>> needed.tasks, needed.shared
    (7, 6)
    """
    if imbalance < 0:
        raise InputError(f"imbalance is {imbalance:g}: the busiest task gets more than the mean, not less")
    if workers < 1:
        raise InputError(f"a task with {workers} workers serves nothing")
    if not service.quantile(quantile) < seconds:
        raise GoalUnreachable(
            f"{100 * quantile:g} % of requests within {1000 * seconds:g} ms cannot be reached by more tasks: service "
            f"alone takes {1000 * service.quantile(quantile):.4g} ms at that quantile. Make the request faster."
        )

    def busiest(tasks: int) -> Queue:
        share = arrivals * (1 + (imbalance if tasks > 1 else 0.0)) / tasks
        return Queue(workers, share, service, arrival_cv)

    def one_queue(tasks: int) -> Queue:
        return Queue(workers * tasks, arrivals, service, arrival_cv)

    start = int(arrivals * service.mean / workers) + 1
    shared = fewest(lambda tasks: one_queue(tasks).response_quantile(quantile) <= seconds, start)
    tasks = fewest(lambda tasks: busiest(tasks).response_quantile(quantile) <= seconds, start)
    queue = busiest(tasks)
    return SeparateTasks(tasks, queue.arrivals, queue.response_quantile(quantile), shared)
