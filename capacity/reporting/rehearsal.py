"""The recommended scaling of one service as plain data: settings, schedule, its rehearsal, and a week of it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.errors import CapacityError
from capacity.planning.plans import Plan
from capacity.reporting import series
from capacity.scaling.policy import Policy, ServicePolicy, TargetTracking

#: What a tracked metric's target is counted in.
TARGET_UNITS: Final = {"cpu": "% CPU", "memory": "% memory", "requests": "requests/min per task"}

#: Days of the last history drawn as the recommended policy would have run them, and the width of one drawn step.
SHOWN_DAYS: Final = 7
STEP: Final = pd.Timedelta(minutes=15)


def policy_part(plan: Plan, service: Service, policy: Policy | None, drawn: bool = True) -> dict[str, Any] | None:
    """None when no policy was recommended for the service."""
    if policy is None or service.name not in [one.service.name for one in policy.services]:
        return None
    own = policy[service.name]
    return {
        "min_tasks": own.min_tasks,
        "max_tasks": own.max_tasks,
        "today": {"min_tasks": service.min_tasks, "max_tasks": service.max_tasks, "target": service.target_value},
        "tracking": tracking_part(own.tracking),
        "schedule": [
            {
                "name": action.name,
                "schedule": action.schedule,
                "timezone": action.timezone,
                "min_tasks": action.min_tasks,
                "max_tasks": action.max_tasks,
                "start": action.start.isoformat() if action.start is not None else None,
                "end": action.end.isoformat() if action.end is not None else None,
            }
            for action in own.schedule
        ],
        "reasons": list(own.reasons),
        "rehearsal": rehearsal_rows(own),
        "week": week(plan, own) if drawn else None,
    }


def tracking_part(tracking: TargetTracking) -> dict[str, Any]:
    return {
        "metric": tracking.metric,
        "target": tracking.target,
        "unit": TARGET_UNITS[tracking.metric],
        "scale_out_cooldown": tracking.scale_out_cooldown,
        "scale_in_cooldown": tracking.scale_in_cooldown,
        "disable_scale_in": tracking.disable_scale_in,
    }


def rehearsal_rows(own: ServicePolicy) -> list[dict[str, Any]]:
    """One row a candidate, as rehearsed: `candidate` names it, the rest are its figures."""
    if own.rehearsal is None:
        return []
    table = own.rehearsal
    label = next((name for name in ("candidate", "policy", "name") if name in table.columns), None)
    names = table[label] if label else table.index
    figures = table.drop(columns=[name for name in (label, "service") if name in table.columns])
    rows = figures.to_dict("records")
    return [
        {"candidate": str(name), **{str(k): v for k, v in row.items()}} for name, row in zip(names, rows, strict=True)
    ]


def week(plan: Plan, own: ServicePolicy) -> dict[str, Any] | None:
    """The last week under the recommended policy: tasks needed, serving, and the minimum in force, by quarter-hour.

    Of each quarter-hour the largest need and the fewest serving, so that a shortage cannot hide in the drawing.
    None when that week cannot be replayed: it is all gaps, or the tracked metric is not in the history.
    """
    from capacity.scaling import simulate

    past = plan.forecast.past
    past = past.since(past.end - pd.Timedelta(days=SHOWN_DAYS))
    try:
        frame = simulate(own, past, seed=plan.forecast.seed).frame
    except CapacityError:
        return None
    times = pd.DatetimeIndex(frame["timestamp"])
    places = series.starts(times, STEP)
    with np.errstate(invalid="ignore"):
        columns = {
            "needed": np.fmax.reduceat(frame["demand"].to_numpy(dtype=float), places),
            "running": np.minimum.reduceat(frame["running"].to_numpy(dtype=float), places),
            "minimum": np.maximum.reduceat(frame["minimum"].to_numpy(dtype=float), places),
        }
    return series.gridded(series.begun(times[places], STEP, pd.Timedelta(minutes=1)), STEP, columns)
