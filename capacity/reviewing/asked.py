"""What users asked for: with what the plan thought a request takes, and with what it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from capacity.config import Service
from capacity.demand.demand import Key
from capacity.planning.needs import full_tasks
from capacity.reviewing.actuals import Actual
from capacity.reviewing.promised import Promised

#: A task that uses at least this share of its processor at its stated requests/s is held back by the processor: it
#: carries fewer when a request costs more. Queues form from about half use on (M/M/1: waiting equals service at 1/2).
PROCESSOR_BOUND: Final = 0.5


class Carried(NamedTuple):
    """vCPU-seconds that a request took, all compared intervals together: as planned, and as measured."""

    planned: float
    actual: float

    @property
    def ratio(self) -> float:
        """Above 1: a request took more than the plan thought, so a task carried less."""
        return self.actual / self.planned


@dataclass(frozen=True, eq=False)
class Asked:
    """Demand of one service over the n intervals that have passed.

    as_planned  metric -> (n,) busiest minute, with what the plan thought a request takes of vCPU and GiB
    measured    the same as it was measured; None where nothing tells what a request took
    dearer      so many fewer requests/s than stated fit into a task, because its processor bounds them
    """

    known: np.ndarray  # (n,)
    as_planned: dict[str, np.ndarray]
    measured: dict[str, np.ndarray] | None = None
    carries: Carried | None = None
    dearer: float = 1.0


def asked(service: Service, promised: Promised, actual: Actual) -> Asked:
    """What users asked a service for. Users ask for requests; without those, vCPU or GiB are all that is known."""
    name = service.name
    sizing = [metric for metric in full_tasks(service) if Key(name, metric) in promised.rows]
    means = {metric: actual.values(name, metric) for metric in ("requests", *sizing)}
    known_means = {metric: mean for metric, mean in means.items() if mean is not None}
    busiest = {metric: _busiest(service, promised, actual, metric) for metric in known_means}
    if "requests" not in known_means or Key(name, "requests") not in promised.rows:
        own = {metric: busiest[metric] for metric in sizing if metric in busiest}
        known = [np.isfinite(values) for values in own.values()] or [np.zeros(len(actual.times), dtype=bool)]
        return Asked(np.all(known, axis=0), own)
    requests, taken = known_means["requests"], [metric for metric in sizing if metric != "requests"]
    modelled = {metric: requests * per_request(promised, name, metric)[: len(requests)] for metric in taken}
    as_planned = {"requests": busiest["requests"]}
    for metric, mean in modelled.items():  # as bursty as it was measured, where it was
        if metric in known_means:
            with np.errstate(invalid="ignore", divide="ignore"):
                burst = busiest[metric] / known_means[metric]
            as_planned[metric] = mean * np.where(np.isfinite(burst), burst, 1.0)
        else:
            as_planned[metric] = mean * np.nan_to_num(promised.usual(Key(name, metric)), nan=1.0)
    if not taken or not set(taken) <= set(known_means):
        return Asked(np.isfinite(requests), as_planned)
    known_all = np.all([np.isfinite(known_means[metric]) for metric in ("requests", *taken)], axis=0)
    measured = {metric: busiest[metric] for metric in ("requests", *taken)}
    clear = known_all & ~actual.censored(name)
    carries = _carried(requests[clear], modelled["cpu"][clear], known_means["cpu"][clear]) if "cpu" in taken else None
    return Asked(known_all, as_planned, measured, carries, _dearer(service, carries))


def _busiest(service: Service, promised: Promised, actual: Actual, metric: str) -> np.ndarray:
    """(n,) what sizes an interval: its busiest minute; of queued work, which waits minutes, its mean."""
    busiest = actual.busiest(service.name, metric, promised.usual(Key(service.name, metric)))
    mean = actual.values(service.name, metric)
    assert busiest is not None and mean is not None
    return mean if service.tier == "batch" else busiest


def _carried(requests: np.ndarray, modelled: np.ndarray, measured: np.ndarray) -> Carried | None:
    total = float(requests.sum())
    if not total > 0 or not modelled.sum() > 0:
        return None
    return Carried(float(modelled.sum()) / total, float(measured.sum()) / total)


def per_request(promised: Promised, service: str, metric: str) -> np.ndarray:
    """(H,) what the plan thought a request takes of a resource in each interval, the idle share of tasks included."""
    requests, used = promised.mean(Key(service, "requests")), promised.mean(Key(service, metric))
    assert requests is not None and used is not None
    whole = used.sum() / requests.sum() if requests.sum() > 0 else np.nan
    return np.where(requests > 0, used / np.where(requests > 0, requests, 1.0), whole)


def _dearer(service: Service, carries: Carried | None) -> float:
    """By what factor fewer requests fit into a task, because each takes more of the processor that bounds it.

    A stated rate that leaves the processor half idle is bound by something else, and stays.
    """
    rate = service.requests_per_second_per_task
    if carries is None or rate is None or rate * carries.planned < PROCESSOR_BOUND * service.task_vcpu:
        return 1.0
    return carries.ratio
