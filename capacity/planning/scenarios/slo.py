"""Another SLO for a known task: what it then serves, by the law of a shared processor."""

from __future__ import annotations

from capacity.config import Service, TaskCapacity
from capacity.errors import InputError


def under_slo(service: Service, slo_ms: float) -> TaskCapacity:
    """What one task carries within another bound of the same quantile of latency.

    Every quantile of the response time of a shared processor is in proportion to 1 / (1 - utilisation), and
    utilisation is requests/s x vCPU-seconds a request / vCPU. So 1 - utilisation at the new bound is today's times
    today's bound over the new one. Time spent elsewhere (a database) does not shrink with load: where there is much
    of it a stricter bound costs more than this says, and a looser one sets less free.
    Source: M/G/1 processor sharing; for exponential times in the system T(p) = S ln(1/(1-p)) / (1 - utilisation).

    Raises InputError where today's SLO or the cost of a request is not known, and where no load keeps the bound.

    >>> known = TaskCapacity(requests_per_second=40, slo_ms=500, vcpu_seconds_per_request=0.015)  # 60 % of 1 vCPU
    >>> under_slo(Service(name="web", task_capacity=known), 1000).requests_per_second.__round__(3)  # to 80 %
    53.333
    """
    known = service.task_capacity
    if known is None or known.slo_ms is None or known.vcpu_seconds_per_request is None:
        raise InputError(
            f"what a task of {service.name!r} serves within {slo_ms:g} ms is not known: its task_capacity does not say "
            "slo_ms and vcpu_seconds_per_request",
            advice="Measure it: capacity loadtest capacity --slo-ms; or state requests_per_task_times.",
        )
    vcpu = known.task_vcpu or service.task_vcpu
    each = known.vcpu_seconds_per_request
    idle = 1 - ((known.base_vcpu or 0.0) + known.requests_per_second * each) / vcpu
    idle_then = idle * known.slo_ms / slo_ms
    rate = ((1 - idle_then) * vcpu - (known.base_vcpu or 0.0)) / each
    if idle <= 0 or rate <= 0:
        raise InputError(
            f"a task of {service.name!r} serves {known.requests_per_second:g} requests/s within {known.slo_ms:g} ms "
            f"with {100 * (1 - idle):.0f} % of its processor in use: by that no load keeps {slo_ms:g} ms"
            if idle > 0
            else f"{known.requests_per_second:g} requests/s take more than the {vcpu:g} vCPU of a task of "
            f"{service.name!r}: its task_capacity contradicts itself",
            advice="Measure it: capacity loadtest capacity --slo-ms; or state requests_per_task_times.",
        )
    return carrying(known, rate / known.requests_per_second).model_copy(update={"slo_ms": slo_ms})


def carrying(known: TaskCapacity, times: float) -> TaskCapacity:
    """The same task, serving a multiple of its rate, with the interval in proportion.

    >>> carrying(TaskCapacity(requests_per_second=50, low=40, high=60), 2).interval
    (80.0, 120.0)
    """
    ends = {end: value * times for end in ("low", "high") if (value := getattr(known, end)) is not None}
    return known.model_copy(update={"requests_per_second": known.requests_per_second * times, **ends})
