"""The truth about a generated fleet: what was put in, and what came out before anyone measured it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.samples.model import CUTOFF, START, TRUTH_END, ServiceModel
from capacity.samples.observing import Lived
from capacity.samples.process import arrivals, cpu_seconds, expected, minutes_of
from capacity.samples.running import requests_per_task_at_slo

#: An hour in which more than this share of the work was turned away, or left for the next hour, was saturated.
SATURATED: Final = 0.01


def true_demand(model: ServiceModel, start: pd.Timestamp, periods: int) -> pd.DataFrame:
    """Hourly demand as it really was, or will be up to 92 days after the cutoff; indexed by hour.

    start    first hour, UTC
    periods  hours
    columns  expected  requests/s (jobs/s of a worker), averaged over all that chance could do
             actual    requests/s that users wanted: what a service of unlimited size would have measured
             peak      requests/s in the busiest minute of the hour
             vcpu      what `actual` costs in processors, without the idle share of the tasks
    """
    times = minutes_of(model)
    start = start.tz_localize("UTC") if start.tz is None else start.tz_convert("UTC")
    first = int((start - times[0]) / pd.Timedelta(minutes=1))
    last = first + 60 * periods
    if start != start.floor("h") or first < 0 or last > len(times) or periods < 1:
        raise InputError(
            f"{model.name}: the truth is known in whole hours from {times[0]} to {TRUTH_END}, "
            f"not for {periods} hours from {start}"
        )
    part = slice(first, last)
    load = arrivals(model, times)[part]
    table = {
        "expected": expected(model, times[part]),
        "actual": load,
        "vcpu": load * cpu_seconds(model, times[part]),
    }
    frame = pd.DataFrame({name: values.reshape(-1, 60).mean(axis=1) for name, values in table.items()})
    frame.insert(2, "peak", load.reshape(-1, 60).max(axis=1))
    return frame.set_index(times[part][::60])


def facts(model: ServiceModel, life: Lived) -> dict[str, Any]:
    """One service's entry in truth.json: what was put in, and what can be read off before measurement."""
    cost_now = float(cpu_seconds(model, life.times[-1:])[0])
    hourly = life.load.reshape(-1, 60)
    lost = lost_share(life)
    after = true_demand(model, CUTOFF, 91 * 24)
    put_in = asdict(replace(model, name=model.name))
    return plain(
        put_in
        | {
            "metric": "jobs/s" if model.worker else "requests/s",
            "cpu_seconds_per_request_at_cutoff": cost_now,
            "requests_per_second_per_task_at_slo": round(requests_per_task_at_slo(model, cost_now), 3),
            "expected_burst_factor": model.bursts.expected if model.bursts else 1.0,
            "wanted_mean_by_month": _by_month(life.times[::60], hourly.mean(axis=1)),
            "wanted_vcpu_by_month": _by_month(life.times[::60], (life.load * life.cost).reshape(-1, 60).mean(axis=1)),
            "wanted_highest_minute": float(life.load.max()),
            "saturated_hours": int((lost > SATURATED).sum()),
            "saturated": ranges(life.times[::60], lost > SATURATED),
            "next_91_days": {
                "mean": float(after["actual"].mean()),
                "expected_mean": float(after["expected"].mean()),
                "highest_hour": float(after["actual"].max()),
                "highest_minute": float(after["peak"].max()),
                "expected_highest_hour": float(after["expected"].max()),
            },
        }
    )


def lost_share(life: Lived) -> np.ndarray:
    """(hours,) share of each hour's work that was not done within the hour: turned away, or left in the queue."""
    wanted = life.load.reshape(-1, 60).sum(axis=1)
    served = ((life.outcome.vcpu - life.outcome.idle) / life.cost).reshape(-1, 60).sum(axis=1)
    return np.clip(np.divide(wanted - served, wanted, out=np.zeros_like(wanted), where=wanted > 0), 0, 1)


def ranges(hours: pd.DatetimeIndex, mask: np.ndarray) -> list[list[str]]:
    """[start, end) of each run of True, as ISO stamps.

    >>> hours = pd.date_range("2026-01-01", periods=4, freq="h", tz="UTC")
    >>> ranges(hours, np.array([False, True, True, False]))
    [['2026-01-01T01:00:00+00:00', '2026-01-01T03:00:00+00:00']]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    hour = pd.Timedelta(hours=1)
    return [
        [hours[a].isoformat(), (hours[b - 1] + hour).isoformat()] for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def window() -> dict[str, str]:
    """The dates of the fleet, for truth.json."""
    return {"start": START.isoformat(), "cutoff": CUTOFF.isoformat(), "truth_end": TRUTH_END.isoformat()}


def plain(value: Any) -> Any:
    """As JSON can hold it: stamps as ISO text, tuples as lists, floats to nine figures."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return float(f"{value:.9g}") if isinstance(value, float) else value


def _by_month(hours: pd.DatetimeIndex, values: np.ndarray) -> dict[str, float]:
    return {
        str(month): float(mean) for month, mean in pd.Series(values).groupby(hours.strftime("%Y-%m")).mean().items()
    }
