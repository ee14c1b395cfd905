"""Which resource fills a task first when requests are tracked: the target has to keep that one in bounds too."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.demand import Demand, Key
from capacity.planning.needs import full_share, full_tasks
from capacity.planning.words import share
from capacity.scaling.load import task_size

#: What comes with a request is read off the newest weeks, in the busiest share of their intervals: in quiet ones the
#: idle share of running tasks rules, and it is the busy ones that a target has to hold.
NEWEST: Final = pd.Timedelta(days=28)
BUSIEST: Final = 0.25


class Filled(NamedTuple):
    """How many requests/s fill a task, and of which resource it is full then."""

    by: str  # requests, cpu or memory
    requests: float  # per second and task, at which that resource is full (`needs.full_share`)
    each: dict[str, float]  # resource -> its unit per request/s, where it was measured

    def sentence(self, service: Service, tracked: float) -> str:
        """Why fewer requests than stated are tracked, at `tracked` requests/s a task; empty when requests bind.

        >>> web = Service(name="web", requests_per_second_per_task=50)
        >>> print(Filled("cpu", 35.3, {"cpu": 0.02}).sentence(web, tracked=30).split(", ")[1])
        so that cpu fills a task before 50 requests/s do: at the target's 30 requests/s a task is at 60 % of its cpu.
        """
        if self.by == "requests":
            return ""
        full, took = full_tasks(service)[self.by], self.each[self.by]
        unit = Key("", self.by).unit
        return (
            f"A request/s takes {took:.3g} {unit} in busy hours, so that {self.by} fills a task before "
            f"{service.requests_per_second_per_task:g} requests/s do: at the target's {tracked:.3g} requests/s a task "
            f"is at {share(tracked * took / full.size)} of its {self.by}."
        )


def filled_by(service: Service, each: dict[str, float]) -> Filled:
    """The resource that is full first as requests rise.

    >>> web = Service(name="web", requests_per_second_per_task=50, task_vcpu=1, cpu_target=0.6, request_target=0.8)
    >>> round(filled_by(web, {"cpu": 0.02}).requests, 6), filled_by(web, {"cpu": 0.01}).by
    (37.5, 'requests')
    """
    found = Filled("requests", task_size(service, "requests"), each)
    for resource, full in full_tasks(service).items():
        if each.get(resource, 0) > 0:
            requests = full.size * full_share(service, resource) / each[resource]
            if requests < found.requests:
                found = Filled(resource, requests, each)
    return found


def each_request(demand: Demand, service: str) -> dict[str, float]:
    """vCPU and GiB that came with each request/s of a service, over the busiest intervals of the newest weeks.

    Only what was measured beside requests, in intervals that were not saturated; empty when nothing was.
    """
    newest = demand.since(demand.end - NEWEST)
    load = Key(service, "requests")
    found: dict[str, float] = {}
    if load not in newest.keys:
        return found
    row = newest.keys.index(load)
    requests = newest.values[row]
    for resource in ("cpu", "memory"):
        if Key(service, resource) not in newest.keys:
            continue
        other = newest.keys.index(Key(service, resource))
        use = np.isfinite(requests) & np.isfinite(newest.values[other]) & (requests > 0)
        use &= ~(newest.censored[row] | newest.censored[other])
        if use.any():
            busy = use & (requests >= np.quantile(requests[use], 1 - BUSIEST))
            found[resource] = float(newest.values[other][busy].sum() / requests[busy].sum())
    return found


def stated_for_each_request(service: Service) -> dict[str, float]:
    """vCPU that come with each request/s of a full task, its idle share included, by its `TaskCapacity`; or nothing.

    >>> from capacity.config import TaskCapacity
    >>> known = TaskCapacity(requests_per_second=50, vcpu_seconds_per_request=0.02, base_vcpu=0.1)
    >>> web = Service(name="web", task_capacity=known, cpu_target=0.6, request_target=1.0)
    >>> stated_for_each_request(web)  # 0.6 vCPU less 0.1 hold 25 requests/s
    {'cpu': 0.024}
    """
    capacity = service.task_capacity
    if capacity is None or capacity.vcpu_seconds_per_request is None:
        return {}
    full = service.task_vcpu * full_share(service, "cpu")
    requests = (full - (capacity.base_vcpu or 0)) / capacity.vcpu_seconds_per_request
    return {"cpu": full / requests} if requests > 0 else {}
