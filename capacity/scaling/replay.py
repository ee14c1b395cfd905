"""One service's steps, replayed: what `simulate` does for each, and what rehearsals read."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.scaling.bounds import bounds
from capacity.scaling.clocks import DOCUMENTED, Clocks
from capacity.scaling.disruptions import Circumstances, beginnings
from capacity.scaling.foreseen import at_target, foreseen, with_minimum
from capacity.scaling.load import Carried, carried
from capacity.scaling.policy import ServicePolicy
from capacity.scaling.settings import ceiling_of, ladder_of, tasks_of, tracking_of, watched
from capacity.scaling.spec import elasticity
from capacity.schema import SIMULATION

#: Fractional tasks by which need may exceed the running count before it counts as short: rounding noise.
NOISE = 1e-9


@dataclass(frozen=True, eq=False)
class Replay:
    """One service's steps, replayed: minutes, or with 20-second metrics `Clocks.fine_step`. All arrays (n,)."""

    policy: ServicePolicy
    times: pd.DatetimeIndex
    load: np.ndarray  # in the metric's unit, NaN where not known
    task: Carried
    minimum: np.ndarray
    maximum: np.ndarray
    desired: np.ndarray
    running: np.ndarray
    launched: np.ndarray
    changes: int
    step: int = 60  # seconds
    waiting: np.ndarray | None = None  # load x steps that waits at the end of each step; None: late work is shed
    interrupted: int = 0  # tasks that Spot took back
    deploying: int = 0  # steps in which a deployment kept scale-in off
    spot_steps: int = 0  # steps of tasks on Spot

    @classmethod
    def of(
        cls,
        policy: ServicePolicy,
        times: pd.DatetimeIndex,
        load: np.ndarray,
        clocks: Clocks = DOCUMENTED,
        limits: tuple[np.ndarray, np.ndarray] | None = None,
        *,
        met: Circumstances | None = None,
        other: np.ndarray | None = None,
        predicted: np.ndarray | None = None,
    ) -> Replay:
        """Run the compiled replay.

        times, load  (n,) minutes, or a part of a minute where the policy tracks 20-second metrics
        limits       bounds of each minute, when they are known already
        met          deployments, Spot, late work; none unless stated
        other        (n,) load in the step policy's metric, where it is not the tracked one
        predicted    (n,) tasks foreseen by predictive scaling; by a stand-in unless stated (`foreseen`)
        """
        task = carried(policy)
        minimum, maximum = bounds(policy, times) if limits is None else limits
        if policy.predictive is not None and policy.predictive.mode == "ForecastAndScale":
            if predicted is None:
                predicted = foreseen(policy, times, load, at_target(policy))
            minimum, maximum = with_minimum(policy.predictive, predicted, minimum, maximum)
        circumstances = Circumstances() if met is None else met
        steps = clocks.steps(policy.tracking.resolution)
        if steps.seconds == 60 and policy.steps is None and circumstances.plain:
            return _plain(policy, times, load, task, minimum, maximum, clocks)
        finer = _repeats(times, steps.seconds)
        if finer > 1:
            times = pd.date_range(
                times[0], periods=finer * len(times), freq=pd.Timedelta(seconds=steps.seconds), unit=times.unit
            )
            load, minimum, maximum = (np.repeat(values, finer) for values in (load, minimum, maximum))
            other = None if other is None else np.repeat(other, finer)
        return _detailed(policy, times, load, other, task, (minimum, maximum), clocks, circumstances)

    @property
    def need(self) -> np.ndarray:
        """(n,) fractional tasks of which none would be too full."""
        return self.load / self.task.full

    @property
    def known(self) -> np.ndarray:
        return ~np.isnan(self.load)

    @property
    def short(self) -> np.ndarray:
        """(n,) True where more tasks were needed than served; False where the load is not known."""
        return self.need > self.running + NOISE

    @property
    def late(self) -> np.ndarray:
        """(n,) load x steps that no task was free for: shed in the step, or waiting at its end; 0 where not known.

        A task is full at 100 % (`Carried.size`), which may be more load than it keeps its promise at (`Carried.full`).
        """
        if self.waiting is not None:
            return self.waiting
        over = np.nan_to_num(self.load) - self.running * self.task.size
        return np.where(over > NOISE * self.task.size, over, 0.0)

    @property
    def task_hours(self) -> float:
        return float(self.launched.sum()) * self.step / 3600

    @property
    def missing_task_hours(self) -> float:
        """Whole tasks needed less tasks serving, where that is short."""
        return float(np.ceil(self.need - self.running - NOISE)[self.short].sum()) * self.step / 3600

    @property
    def max_late_seconds(self) -> float:
        """How long the last to come had to wait when most was waiting; infinite when no task served, 0 when shed."""
        if self.waiting is None:
            return 0.0
        behind = self.waiting > 0
        with np.errstate(divide="ignore"):
            longest = self.waiting[behind] * self.step / (self.running[behind] * self.task.size)
        return float(longest.max()) if behind.any() else 0.0

    @property
    def shed_share(self) -> float:
        """Share of the known work that was shed, 0-1."""
        work = float(np.nansum(self.load))
        return float(self.late.sum()) / work if self.waiting is None and work > 0 else 0.0

    def frame(self) -> pd.DataFrame:
        """`schema.SIMULATION`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            used = np.where(self.running > 0, 100 * self.load / (self.running * self.task.size), np.nan)
        return pd.DataFrame(
            {
                "service": self.policy.service.name,
                "timestamp": self.times,
                "demand": self.need,
                "load": self.load,
                "desired": self.desired,
                "running": self.running,
                "utilization": used,
                "minimum": self.minimum,
                "late": self.late,
            },
            columns=SIMULATION.names,
        )

    def metrics(self, usd_per_task_hour: float, usd_per_spot_task_hour: float = np.nan) -> dict[str, Any]:
        """One row of `Simulation.metrics`."""
        known, short = int(self.known.sum()), int(self.short.sum())
        if known == 0:
            raise InputError(f"{self.policy.service.name}: no minute of this demand holds a value: nothing to replay")
        spec = elasticity(np.ceil(self.need - NOISE), self.running)
        on_spot = self.spot_steps * self.step / 3600
        usd = (self.task_hours - on_spot) * usd_per_task_hour
        return {
            "service": self.policy.service.name,
            "theta_u": spec.theta_u,
            "theta_o": spec.theta_o,
            "tau_u": spec.tau_u,
            "tau_o": spec.tau_o,
            "upsilon": spec.upsilon,
            "minutes": self._minutes(len(self.times)),
            "unknown_minutes": self._minutes(len(self.times) - known),
            "short_minutes": self._minutes(short),
            "short_share": short / known,
            "missing_task_hours": self.missing_task_hours,
            "task_hours": self.task_hours,
            "usd": usd if on_spot == 0 else usd + on_spot * usd_per_spot_task_hour,
            "changes": self.changes,
            "max_running": int(self.running.max()),
            "mean_running": float(self.running.mean()),
            "late_minutes": self._minutes(int((self.late > 0).sum())),
            "max_late_seconds": self.max_late_seconds,
            "shed_share": self.shed_share,
            "deploying_minutes": self._minutes(self.deploying),
            "spot_task_hours": on_spot,
            "interrupted": self.interrupted,
        }

    def _minutes(self, steps: int) -> int | float:
        """Steps as minutes: whole ones where a step is a minute."""
        return steps if self.step == 60 else steps * self.step / 60


def balanced(work: np.ndarray, minimum: np.ndarray, maximum: np.ndarray) -> int:
    """Tasks to start with: what the first known minute needs at the target, within the first minute's bounds."""
    if len(work) == 0:
        return 0
    known = np.flatnonzero(~np.isnan(work))
    wanted = ceil(work[known[0]] - NOISE) if len(known) else 0
    return int(min(max(wanted, minimum[0]), maximum[0]))


def _plain(
    policy: ServicePolicy,
    times: pd.DatetimeIndex,
    load: np.ndarray,
    task: Carried,
    minimum: np.ndarray,
    maximum: np.ndarray,
    clocks: Clocks,
) -> Replay:
    """The fast path: one-minute metrics, target tracking and bounds, nothing else."""
    from capacity.scaling.kernel import replay

    tracking = policy.tracking
    work = np.ascontiguousarray(load / task.target)
    desired, running, launched = (np.empty(len(times), dtype=np.int64) for _ in range(3))
    changes = replay(
        work,
        minimum,
        maximum,
        ceiling_of(policy, task),
        tracking.metric == "requests",
        ceil(tracking.scale_out_cooldown / 60),
        ceil(tracking.scale_in_cooldown / 60),
        not tracking.disable_scale_in,
        ceil(policy.service.startup_seconds / 60),
        clocks.metric_delay,
        clocks.high_minutes,
        clocks.low_minutes,
        clocks.low_share,
        clocks.launch_burst,
        clocks.launch_rate,
        balanced(work, minimum, maximum),
        desired,
        running,
        launched,
    )
    return Replay(policy, times, load, task, minimum, maximum, desired, running, launched, int(changes))


def _detailed(
    policy: ServicePolicy,
    times: pd.DatetimeIndex,
    load: np.ndarray,
    other: np.ndarray | None,
    task: Carried,
    limits: tuple[np.ndarray, np.ndarray],
    clocks: Clocks,
    met: Circumstances,
) -> Replay:
    """All the rest."""
    from capacity.scaling.detailed_kernel import replay_detailed

    steps = clocks.steps(policy.tracking.resolution)
    work = np.ascontiguousarray(load / task.target)
    waits = met.late == "carry" and policy.tracking.metric != "memory"
    desired, running, launched = (np.empty(len(times), dtype=np.int64) for _ in range(3))
    late = np.empty(len(times))
    luck = np.random.default_rng(met.seed).random(len(times)) if met.spot is not None else np.zeros(len(times))
    changes, interrupted, deploying, spot_steps = replay_detailed(
        work,
        watched(policy, load, other),
        *limits,
        beginnings(met.deployments, times, steps.seconds),
        luck,
        tracking_of(policy, task, clocks, steps),
        ladder_of(policy, clocks, steps),
        tasks_of(policy, task, steps, met.spot, waits),
        balanced(work, *limits),
        desired,
        running,
        launched,
        late,
    )
    waiting = late * task.target if waits else None
    return Replay(
        *(policy, times, load, task, *limits, desired, running, launched, int(changes)),
        step=steps.seconds,
        waiting=waiting,
        interrupted=int(interrupted),
        deploying=int(deploying),
        spot_steps=int(spot_steps),
    )


def _repeats(times: pd.DatetimeIndex, step: int) -> int:
    """How many steps each of these intervals holds. Raises InputError when that is not a whole number."""
    seconds = 60.0 if len(times) < 2 else (times[1] - times[0]).total_seconds()
    if seconds % step:
        raise InputError(f"intervals of {seconds:g} s cannot be replayed in steps of {step} s")
    return int(seconds // step)
