"""Saturation: where a service could not do more, its measured demand is only the least that was wanted."""

from __future__ import annotations

from typing import Final

import numpy as np

from capacity.config import Service
from capacity.demand.levels import Level

#: Mean utilisation (%) from which a service that cannot add tasks loses work in some of its minutes. On the sample
#: fleet: 0.96 of the hours in which work was lost, 0.91 of those marked did lose some, 99.7 % of lost work is marked.
BUSY_AT_BOUND: Final = 90.0

#: Mean utilisation (%) that no service sustains without losing or delaying work, whatever its number of tasks.
BUSY_ANYWHERE: Final = 97.0

#: A service whose maximum is not stated is at its bound at this quantile of its own task counts, or above ...
OWN_BOUND: Final = 0.995
#: ... if it has been there, and busy, for at least so many intervals: once is a coincidence.
OWN_INTERVALS: Final = 3


def saturated(level: Level, service: Service | None) -> np.ndarray:
    """(n,) True where the service was saturated, judged by utilisation of CPU or memory and by its tasks.

    Without any utilisation nothing is marked: a flat top of requests alone is no proof.
    """
    busy = np.fmax(level["cpu_utilization"].mean, level["memory_utilization"].mean)
    tasks = np.fmax(level["running_tasks"].peak, level["running_tasks"].mean)
    with np.errstate(invalid="ignore"):
        full = busy >= BUSY_ANYWHERE
        stated = tasks >= service.max_tasks if service is not None else np.zeros(len(tasks), dtype=bool)
        marked = full | (stated & (busy >= BUSY_AT_BOUND))
        if np.isfinite(tasks).any():
            own = (tasks >= np.nanquantile(tasks, OWN_BOUND)) & (busy >= BUSY_AT_BOUND)
            marked |= own if own.sum() >= OWN_INTERVALS else False
    return np.asarray(marked)
