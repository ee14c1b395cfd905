"""What could be changed, and how many tasks the peak then takes: each planned again, one change at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from capacity.config import FARGATE_SIZES, Service
from capacity.planning.diagnosis.resources import Bound, Situation
from capacity.planning.needs import unsizeable
from capacity.planning.words import counted, sensible, share

#: A change of a target worth asking for, and the fullest a target may get: above it queues grow faster than load.
STEP: Final = 0.10
FULLEST: Final = 0.90

#: How much cheaper a request is asked to become: what a profile of the code usually finds.
CHEAPER: Final = 0.10


@dataclass(frozen=True)
class Lever:
    """One change and what it does at the peak.

    change  in words: "2 vCPU and 4 GiB a task instead of 1 and 2"
    tasks   at the peak with every headroom; None where it does not change the count
    saved   fewer tasks than today's settings take there; negative: more; None where it does not change the count
    vcpu    that those tasks reserve
    dearer  whether that is more than today's settings reserve
    """

    resource: str
    change: str
    tasks: int | None = None
    saved: int | None = None
    vcpu: float | None = None
    dearer: bool = False


def levers(about: Situation, bounds: list[Bound]) -> list[Lever]:
    """Every lever of every bound that is known, in the order of the bounds."""
    return [lever for bound in bounds if not math.isnan(bound.binds_at) for lever in _of(about, bound)]


def best(found: Iterable[Lever], bound: Bound) -> Lever | None:
    """The lever to name beside a bound: what saves most tasks, or, where tasks do not help, what lifts it."""
    own = [lever for lever in found if lever.resource == bound.resource]
    return next(iter(saving(own) if bound.relieved else own), None)


def saving(found: Iterable[Lever]) -> list[Lever]:
    """Those that save tasks: first what reserves no more vCPU than today, then by the tasks saved."""
    useful = [lever for lever in found if lever.saved is not None and lever.saved > 0]
    return sorted(useful, key=lambda lever: (lever.dearer, -(lever.saved or 0)))


def _of(about: Situation, bound: Bound) -> Iterator[Lever]:
    if bound.kind == "cpu":
        yield from _sizes(about, bound)
        yield from _target(about, bound, "cpu_target", "CPU")
        yield _cheaper_cpu(about, bound)
    elif bound.kind == "requests":
        yield from _requests(about, bound)
    elif bound.kind == "memory":
        yield from _more_memory(about, bound)
        yield from _target(about, bound, "memory_target", "memory")
    elif bound.kind == "max_tasks":
        if about.through > about.service.max_tasks:  # the count that decisions ask for, too
            yield Lever(bound.resource, f"a maximum of {sensible(about.through):,} tasks")
    elif bound.kind in ("connections", "deploying"):
        yield from _connections(about, bound)
    elif bound.kind == "downstream" and bound.demand > bound.carries:
        yield _fewer_calls(bound)
    elif bound.kind == "retries":
        yield _shedding(about, bound)


def _again(about: Situation, bound: Bound, change: str, service: Service, **times: float) -> Lever:
    """The peak planned again with this service and these factors on its demand."""
    return _counted(about, bound, change, service, about.peak.tasks(service, about.goal, times))


def _counted(about: Situation, bound: Bound, change: str, service: Service, tasks: int) -> Lever:
    vcpu, today = tasks * service.task_vcpu, about.tasks * about.service.task_vcpu
    return Lever(bound.resource, change, tasks, about.tasks - tasks, vcpu, vcpu > today)


def _sizes(about: Situation, bound: Bound) -> Iterator[Lever]:
    """The next larger and the next smaller task. Its requests/s are taken as today's: nobody measured it."""
    for service in other_sizes(about.service):
        if unsizeable(service, set(about.peak.demand)):  # an idle task would be past its target
            continue
        stated = about.service.requests_per_second_per_task
        doubt = "" if stated is None else f" (its {stated:.4g} requests/s not measured anew)"
        yield _again(
            about,
            bound,
            f"{service.task_vcpu:g} vCPU and {service.task_memory_gib:g} GiB a task instead of "
            f"{about.service.task_vcpu:g} and {about.service.task_memory_gib:g}{doubt}",
            service,
        )


def other_sizes(service: Service) -> list[Service]:
    """The service with tasks of the next larger and the next smaller vCPU, with as much memory for each vCPU or more.

    >>> [(one.task_vcpu, one.task_memory_gib) for one in other_sizes(Service(name="web", task_vcpu=1))]
    [(2.0, 4.0), (0.5, 1.0)]
    """
    if service.launch_type == "EC2":
        sizes = [(service.task_vcpu * times, service.task_memory_gib * times) for times in (2.0, 0.5)]
        return [_sized(service, vcpu, memory) for vcpu, memory in sizes]
    units = sorted(FARGATE_SIZES)
    place = units.index(round(service.task_vcpu * 1024))
    found = []
    for size in [*units[place + 1 : place + 2], *units[max(place - 1, 0) : place]]:
        wanted = service.task_memory_gib * size / units[place]
        memory = next((mib / 1024 for mib in FARGATE_SIZES[size] if mib / 1024 >= wanted), None)
        found += [] if memory is None else [_sized(service, size / 1024, memory)]
    return found


def _sized(service: Service, vcpu: float, memory: float) -> Service:
    return service.model_copy(update={"task_vcpu": vcpu, "task_memory_gib": memory})


def _more_memory(about: Situation, bound: Bound) -> Iterator[Lever]:
    """The next size of memory beside the same vCPU."""
    today, sizes = about.service.task_memory_gib, FARGATE_SIZES.get(round(about.service.task_vcpu * 1024), ())
    more = (
        2 * today if about.service.launch_type == "EC2" else next((m / 1024 for m in sizes if m / 1024 > today), None)
    )
    if more is not None:
        change = f"{more:g} GiB a task instead of {today:g}"
        yield _again(about, bound, change, _with(about.service, {"task_memory_gib": more}))


def _target(about: Situation, bound: Bound, field: str, name: str) -> Iterator[Lever]:
    """A fuller task, where there is room to fill it."""
    today: float = getattr(about.service, field)
    then = round(min(today + STEP, FULLEST), 4)
    if then > today:
        change = f"a {name} target of {share(then)} instead of {share(today)}"
        yield _again(about, bound, change, _with(about.service, {field: then}))


def _cheaper_cpu(about: Situation, bound: Bound) -> Lever:
    """Less processor for the same requests."""
    change = f"requests that take {share(CHEAPER)} less processor"
    if "cpu" in about.peak.demand:
        return _again(about, bound, change, about.service, cpu=1 - CHEAPER)
    capacity = about.service.task_capacity
    assert capacity is not None and capacity.vcpu_seconds_per_request is not None  # else CPU had asked for nothing
    cost = capacity.vcpu_seconds_per_request * (1 - CHEAPER)
    cheaper = capacity.model_copy(update={"vcpu_seconds_per_request": cost})
    return _again(about, bound, change, _with(about.service, {"task_capacity": cheaper}))


def _requests(about: Situation, bound: Bound) -> Iterator[Lever]:
    """A task that carries more, one known better, and less room below the SLO."""
    rate = about.service.requests_per_second_per_task
    assert rate is not None  # else requests had asked for nothing
    more = rate * (1 + CHEAPER)
    change = f"a task that carries {more:.4g} requests/s within the SLO instead of {rate:.4g}"
    yield _again(about, bound, change, _with(about.service, {"requests_per_second_per_task": more}))
    if about.peak.shares is not None:
        exact = about.peak.tasks(about.service, about.goal, exact=True)
        yield _counted(about, bound, f"{rate:.4g} requests/s a task known for certain", about.service, exact)
    yield from _target(about, bound, "request_target", "request")


def _connections(about: Situation, bound: Bound) -> Iterator[Lever]:
    """A smaller pool, a larger total, or larger tasks that hold fewer pools."""
    percent = about.service.maximum_percent if bound.kind == "deploying" else 100
    running = max(about.tasks * percent // 100, 1)
    if bound.demand > bound.carries:
        fits = math.floor((bound.carries - bound.others) / running)
        pool = f"a pool of at most {fits} a task, or " if fits >= 1 else "fewer and larger tasks, or "
        yield Lever(bound.resource, f"{pool}{sensible(bound.demand):,} connections in all")
    each = (bound.demand - bound.others) / running
    larger = next(iter(other_sizes(about.service)), None)
    if larger is not None and larger.task_vcpu > about.service.task_vcpu:  # then less of it is idle: it can be sized
        found = _again(about, bound, "", larger)
        if (found.saved or 0) <= 0:
            return
        held = (found.tasks or 0) * percent // 100 * each + bound.others
        change = f"{larger.task_vcpu:g} vCPU a task: {counted(found.tasks or 0)} hold {held:,.4g} connections"
        yield replace(found, change=change)


def _fewer_calls(bound: Bound) -> Lever:
    """What has to be cached, dropped or taken more of."""
    over = min((bound.demand - bound.carries) / (bound.demand - bound.others), 1.0)
    change = f"{bound.demand:,.4g} calls/s taken instead of {bound.carries:,.10g}, or {share(over)} of its calls cached"
    return Lever(bound.resource, change)


def _shedding(about: Situation, bound: Bound) -> Lever:
    """Retries that wait longer each time, and are a bounded share of requests, ask for no tasks of their own."""
    tasks = about.tasks
    change = "retries with a budget and jittered back-off, and shedding above what tasks carry"
    return Lever(bound.resource, change, tasks, round(bound.demand) - tasks, tasks * about.service.task_vcpu)


def _with(service: Service, fields: dict[str, Any]) -> Service:
    return service.model_copy(update=fields)
