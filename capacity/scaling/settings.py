"""A policy in the compiled replay's words: durations in steps, targets as ratios, no names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from capacity.errors import InputError
from capacity.scaling.clocks import Clocks, Steps
from capacity.scaling.disruptions import Spot
from capacity.scaling.load import Carried, task_size
from capacity.scaling.policy import ServicePolicy

if TYPE_CHECKING:
    from capacity.scaling.detailed_kernel import Ladder, Tasks, Tracking


def ceiling_of(policy: ServicePolicy, task: Carried) -> float:
    """Largest metric / target that can be read: a percentage ends at 100, requests have no end."""
    return np.inf if policy.tracking.metric == "requests" else task.size / task.target


def tracking_of(policy: ServicePolicy, task: Carried, clocks: Clocks, steps: Steps) -> Tracking:
    """Target tracking. Raises InputError for 20-second metrics of requests, which there are none of."""
    from capacity.scaling.detailed_kernel import Tracking

    tracking = policy.tracking
    if tracking.resolution == 20 and tracking.metric == "requests":
        raise InputError(
            f"{policy.service.name}: requests per target come every minute; only CPU and memory every 20 s",
            advice="Set resolution=60, or track cpu.",
        )
    return Tracking(
        ceiling=ceiling_of(policy, task),
        silent=tracking.metric == "requests",
        out_cooldown=steps.of(tracking.scale_out_cooldown),
        in_cooldown=steps.of(tracking.scale_in_cooldown),
        may_scale_in=not tracking.disable_scale_in,
        period=steps.period,
        delay=steps.delay,
        high=steps.high,
        low=steps.low,
        low_share=clocks.low_share,
    )


def ladder_of(policy: ServicePolicy, clocks: Clocks, steps: Steps) -> Ladder:
    """The step policy; its alarm's datapoints are minutes, whatever is tracked. Alarm 0 where there is none."""
    from capacity.scaling.detailed_kernel import Ladder

    ladder, a_minute = policy.steps, 60 // steps.seconds
    rungs = () if ladder is None else ladder.steps
    return Ladder(
        alarm=0 if ladder is None else ladder.minutes,
        period=a_minute,
        delay=clocks.metric_delay * a_minute,
        cooldown=0 if ladder is None else steps.of(ladder.cooldown),
        ceiling=np.inf if ladder is None or ladder.metric == "requests" else 100.0,
        silent=ladder is not None and ladder.metric == "requests",
        threshold=0.0 if ladder is None else float(ladder.threshold),
        lower=np.array([rung.lower for rung in rungs], dtype=float),
        upper=np.array([np.inf if rung.upper is None else rung.upper for rung in rungs], dtype=float),
        adjustment=np.array([rung.adjustment for rung in rungs], dtype=np.int64),
        percent=ladder is not None and ladder.by == "percent",
        least=1 if ladder is None else ladder.least,
    )


def tasks_of(policy: ServicePolicy, task: Carried, steps: Steps, spot: Spot | None, carry: bool) -> Tasks:
    """How tasks come and go."""
    from capacity.scaling.detailed_kernel import Tasks

    service = policy.service
    share = 0.0 if spot is None else service.spot_share if spot.share is None else spot.share
    base = 0 if spot is None else service.on_demand_base if spot.base is None else spot.base
    return Tasks(
        startup=steps.of(service.startup_seconds),
        burst=steps.burst,
        rate=steps.rate,
        minimum_healthy=service.minimum_healthy_percent,
        maximum=service.maximum_percent,
        spot_share=share,
        spot_base=base,
        chance=0.0 if spot is None else spot.chance(steps.seconds),
        together=0.0 if spot is None else spot.together,
        warning=0 if spot is None else steps.of(spot.warning),
        room=task.size / task.target,
        carry=carry,
    )


def watched(policy: ServicePolicy, load: np.ndarray, other: np.ndarray | None) -> np.ndarray:
    """(n,) the step policy's metric, times the tasks that run; the load itself where there is no step policy.

    other  (n,) load in the step policy's metric, where that is not the tracked one
    """
    ladder = policy.steps
    if ladder is None:
        return load
    if ladder.metric == policy.tracking.metric:
        other = load
    if other is None:
        raise InputError(
            f"{policy.service.name}: its step policy watches {ladder.metric}, which is not replayed",
            advice=f"Bring demand that holds {ladder.metric} beside {policy.tracking.metric}.",
        )
    if ladder.metric == "requests":
        return other * 60
    size = policy.per_task if ladder.metric == policy.tracking.metric else None
    return 100 * other / (task_size(policy.service, ladder.metric) if size is None else size)
