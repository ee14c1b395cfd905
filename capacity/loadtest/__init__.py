"""Load tests: results of JMeter, Gatling, Taurus, BlazeMeter, Locust and k6 -> what one task carries, and back.

    samples      one batch of requests, as every reader yields it
    readers      one a format, recognised by content
    recognising  which files are results, and whose
    reading      `read`: files -> tally -> `LoadTest`
    tally, tallied, histograms, cells      every batch counted: by label, and by second and group
    segments, stages, steps                load points found in them
    checks, row_checks, summaries, tables  what to trust, and what is told of labels
    result       `LoadTest`: `.summary` by label, `.steps` (load points), `.errors`, `.timeline`, `.findings`
    usable       which load points say something of an SLO
    carrying     `task_capacity`: steps and an SLO -> `TaskCapacity`, which the planner takes
    models       throughput by concurrency (`fit_usl`, `fit_scaling`), queues, memory
    generate     a peak -> the JMeter, Taurus and Gatling test that would prove the plan

Names are imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from capacity.config import TaskCapacity
    from capacity.loadtest.carrying import task_capacity
    from capacity.loadtest.generate import LoadPlan, plan_for
    from capacity.loadtest.models.choice import Scaling, fit_scaling
    from capacity.loadtest.models.fit_usl import fit_usl
    from capacity.loadtest.models.usl import UniversalScalability
    from capacity.loadtest.reading import read
    from capacity.loadtest.result import LoadTest

#: Public name -> the module it lives in.
_HOMES = {
    "LoadPlan": "loadtest.generate",
    "LoadTest": "loadtest.result",
    "Scaling": "loadtest.models.choice",
    "TaskCapacity": "config",
    "UniversalScalability": "loadtest.models.usl",
    "fit_scaling": "loadtest.models.choice",
    "fit_usl": "loadtest.models.fit_usl",
    "plan_for": "loadtest.generate",
    "read": "loadtest.reading",
    "task_capacity": "loadtest.carrying",
}

__all__ = [
    "LoadPlan",
    "LoadTest",
    "Scaling",
    "TaskCapacity",
    "UniversalScalability",
    "fit_scaling",
    "fit_usl",
    "plan_for",
    "read",
    "task_capacity",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'capacity.loadtest' has no attribute {name!r}")
    value = getattr(import_module(f"capacity.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
