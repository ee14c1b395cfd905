"""From a forecast to the load test that would prove its peak: the rate, the rise and the burst that it foresees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from capacity.config import Service
from capacity.demand.demand import Key
from capacity.errors import PlanError
from capacity.planning.needs import fractional_tasks

if TYPE_CHECKING:
    from capacity.forecasting import Forecast
    from capacity.loadtest.generate import LoadPlan

#: A test's ramp, in s: a slower rise is easier for a service than this one, and a faster one is what a spike is for.
_RAMP_SECONDS: Final = (30, 600)


@dataclass(frozen=True)
class Foreseen:
    """What a forecast says of a service's requests, at one level over its paths.

    peak_per_s      quantile of the largest mean of an interval
    busiest_per_s   quantile of the largest minute inside an interval, at least the peak
    rise_per_s      quantile of the steepest rise between neighbouring intervals, requests/s per second; 0: none rises
    """

    peak_per_s: float
    busiest_per_s: float
    rise_per_s: float

    @property
    def spike(self) -> float:
        """The busiest minute over the mean around it.

        >>> Foreseen(100, 150, 0.01).spike
        1.5
        """
        return max(1.0, self.busiest_per_s / self.peak_per_s)


def foreseen(forecast: Forecast, service: Service, level: float = 0.95) -> Foreseen:
    """Peak, burst and rise of a service's requests over the horizon, each as its quantile over the paths.

    Work of a service of tier `batch` waits, so its bursts do not count. Raises PlanError where the forecast holds no
    requests of the service, or none above zero.
    """
    from capacity.forecasting import within_interval_peaks

    key = Key(service.name, "requests")
    if key not in forecast.keys:
        held = ", ".join(sorted({one.metric for one in forecast.keys if one.service == service.name})) or "nothing"
        raise PlanError(
            f"{service.name}: a load test drives requests, and of it {held} is forecast. Bring its request counts, or "
            "state the peak in requests/s."
        )
    ours = forecast.select([key])
    paths = ours.paths[0].astype(float)  # (P, H)
    inside = paths if service.tier == "batch" else within_interval_peaks(ours)[0].astype(float)
    peak = float(np.quantile(paths.max(axis=1), level))
    if not (math.isfinite(peak) and peak > 0):
        raise PlanError(f"{service.name}: its requests are forecast to be {peak:g} at most: there is no peak to test.")
    busiest = max(peak, float(np.quantile(inside.max(axis=1), level)))
    rise = float(np.quantile(np.diff(paths, axis=1).max(axis=1), level)) if paths.shape[1] > 1 else 0.0
    return Foreseen(peak, busiest, max(0.0, rise) / ours.interval.total_seconds())


def plan_from_forecast(
    forecast: Forecast,
    service: Service,
    *,
    level: float = 0.95,
    tasks: int = 1,
    slo_ms: float | None = None,
    planned: int | None = None,
    **settings: Any,
) -> LoadPlan:
    """The load test that would prove that a service's tasks carry the peak of its forecast.

    level     how sure the peak is to hold: its quantile over the paths
    tasks     tasks behind the target while the test runs
    slo_ms    bound of the latency; where not said, that of the service's `task_capacity`
    planned   tasks that are to carry the whole peak; where not said, what the plan needs for it, if the service says
              what one task serves, else the tasks under test
    settings  as in `capacity.loadtest.generate.plan_for`: `mix`, `hold`, `soak`, `headers` ...; also in place of what
              the forecast says (`spike`, `ramp`, `claimed`)

    The peak is the mean of its busiest interval, the spike that interval's busiest minute, the ramp as steep as the
    steepest rise between intervals (30 s to 10 min). Raises PlanError where no requests are forecast, or no SLO known.
    """
    from capacity.loadtest.generate import plan_for
    from capacity.loadtest.generate.building import CALM

    capacity = service.task_capacity
    if slo_ms is None and capacity is not None:
        slo_ms = capacity.slo_ms
        settings.setdefault("quantile", capacity.slo_quantile)
    if slo_ms is None:
        raise PlanError(f"{service.name}: a load test is judged by an SLO. State slo_ms, or measure its task_capacity.")
    seen = foreseen(forecast, service, level)
    fewest, most = _RAMP_SECONDS
    climb = (1 - CALM) * seen.peak_per_s / seen.rise_per_s if seen.rise_per_s > 0 else most
    ramp = min(max(climb, fewest), most)
    claimed = service.requests_per_second_per_task
    if planned is None and claimed is not None:
        need = fractional_tasks(service, {"requests": np.array([[seen.busiest_per_s]])})["requests"]
        planned = max(tasks, service.min_tasks, math.ceil(float(need[0, 0]) - 1e-9))
    return plan_for(
        seen.peak_per_s,
        slo_ms=slo_ms,
        tasks=tasks,
        planned=planned,
        service=service.name,
        evidence=(_source(forecast, level), _rise(seen, ramp)),
        **{"claimed": claimed, "spike": seen.spike, "ramp": ramp, **settings},
    )


def _source(forecast: Forecast, level: float) -> str:
    first, last = forecast.times[0], forecast.times[-1] + forecast.interval
    return (
        f"The peak is p{level * 100:.6g} of the largest interval of the forecast from {first:%Y-%m-%d} to "
        f"{last:%Y-%m-%d}; the spike is the busiest minute inside it."
    )


def _rise(seen: Foreseen, ramp: float) -> str:
    return (
        f"Requests are forecast to rise by up to {60 * seen.rise_per_s:,.3g}/s a minute; the ramp takes {ramp:.0f} s."
    )
