"""One ECS service under its scaling settings, minute by minute: an independent reading of aws.md 3.2, 3.5 and 4.3.

Nothing of `capacity` is imported here. What the documents leave open is a field of `Rules`, so that a claim can be
made under every reading of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from benchmarks.policy.calls import Settings
from benchmarks.policy.replay import replay

#: A quotient this far above a whole number is rounding noise.
NOISE = 1e-9

#: Which count is multiplied by metric / target when the high alarm acts: the one the metric was measured with; the
#: one that runs now; or the first within the scale-out cooldown (what was just added is not added again), else the
#: second. AWS says only "based on the running count".
BASES = ("measured", "current", "cooldown")


@dataclass(frozen=True)
class Rules:
    """ECS's clocks, and what a task carries."""

    requests_per_second_per_task: float = 50.0
    startup_seconds: float = 120.0
    metric_delay: int = 1  # minutes from the end of a minute until its datapoint can be read
    high_datapoints: int = 3
    low_datapoints: int = 15
    low_share: float = 0.9
    base: Literal["measured", "current", "cooldown"] = "measured"
    cautious: bool = False  # scale in by the largest of the alarm's datapoints, not by its newest
    launch_burst: int = 100  # tasks at once, then this many a second
    launch_rate: int = 20


@dataclass(frozen=True)
class Verdict:
    """How it went. Shares are of all judged minutes; thetas in percent, as SPEC defines them on whole tasks needed."""

    task_hours: float  # serving or starting: what is paid for
    short_share: float  # minutes in which more tasks were needed than served
    theta_u: float
    theta_o: float
    missing_task_hours: float
    scheduled_a_day: float
    most_scheduled_a_day: int
    running: np.ndarray  # (n,) tasks that served
    need: np.ndarray  # (n,) whole tasks needed


@dataclass(frozen=True)
class InForce:
    """The settings of each minute, (n,) each, and on which days scheduled actions fired."""

    target: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    out_cooldown: np.ndarray  # minutes
    in_cooldown: np.ndarray
    scales_in: np.ndarray
    fired: Counter[str]

    @classmethod
    def tracking(
        cls, target: float, out_cooldown: int, in_cooldown: int, minimum: np.ndarray, maximum: np.ndarray
    ) -> InForce:
        """Plain target tracking under given bounds; cooldowns in seconds."""
        whole = np.ones(len(minimum), dtype=np.int64)
        return cls(
            whole * float(target),
            minimum.astype(np.int64),
            maximum.astype(np.int64),
            whole * -(-out_cooldown // 60),
            whole * -(-in_cooldown // 60),
            whole > 0,
            Counter(),
        )


def in_force(times: pd.DatetimeIndex, eras: Sequence[tuple[pd.Timestamp, Settings]]) -> InForce:
    """What holds in each minute when each settings replace the ones before from their moment on.

    times  (n,) minutes, UTC, regular
    eras   (moment, settings), in order, the first not after the first minute

    Registering sets the bounds at once; a firing sets those it names; nothing ever reverts by itself. Raises
    ValueError when a firing would leave a minimum above the maximum, which AWS refuses.
    """
    held = InForce.tracking(np.inf, 0, 0, np.zeros(len(times)), np.zeros(len(times)))
    ends = [moment for moment, _ in eras[1:]] + [times[-1] + pd.Timedelta("1min")]
    for (moment, one), end in zip(eras, ends, strict=True):
        first, last = times.searchsorted(moment), times.searchsorted(end)
        here = slice(first, last)
        held.target[here] = one.target
        held.out_cooldown[here] = -(-one.out_cooldown // 60)
        held.in_cooldown[here] = -(-one.in_cooldown // 60)
        held.scales_in[here] = one.scales_in
        held.minimum[here], held.maximum[here] = one.minimum, one.maximum
        for at, action in one.changes(moment.to_pydatetime(), end.to_pydatetime()):
            since = slice(times.searchsorted(pd.Timestamp(at)), last)
            if action.minimum is not None:
                held.minimum[since] = action.minimum
            if action.maximum is not None:
                held.maximum[since] = action.maximum
            if held.minimum[since][:1] > held.maximum[since][:1]:
                raise ValueError(f"{action.name} at {at:%Y-%m-%d %H:%M} leaves a minimum above the maximum")
            held.fired[f"{at:%Y-%m-%d}"] += 1
    return held


def judge(load: np.ndarray, held: InForce, rules: Rules) -> Verdict:
    """Replay the minutes' load (n,), requests/s without gaps, under the settings in force.

    It starts in balance: as many tasks as the first minute needs, within the first bounds.
    """
    need = np.ceil(load / rules.requests_per_second_per_task - NOISE).astype(np.int64)
    running, billed = np.empty(len(load), dtype=np.int64), np.empty(len(load), dtype=np.int64)
    replay(
        load,
        held.target,
        held.minimum,
        held.maximum,
        held.out_cooldown,
        held.in_cooldown,
        held.scales_in,
        -(-int(rules.startup_seconds) // 60),
        rules.metric_delay,
        rules.high_datapoints,
        rules.low_datapoints,
        rules.low_share,
        BASES.index(rules.base),
        rules.cautious,
        rules.launch_burst,
        60 * rules.launch_rate,
        min(max(need[0], held.minimum[0]), held.maximum[0]),
        running,
        billed,
    )
    missing, surplus = np.maximum(need - running, 0), np.maximum(running - need, 0)
    used = need > 0
    days = max(1.0, len(load) / 1440)
    return Verdict(
        task_hours=float(billed.sum()) / 60,
        short_share=float((missing > 0).mean()),
        theta_u=100 * float((missing[used] / need[used]).mean()) if used.any() else 0.0,
        theta_o=100 * float((surplus[used] / need[used]).mean()) if used.any() else 0.0,
        missing_task_hours=float(missing.sum()) / 60,
        scheduled_a_day=sum(held.fired.values()) / days,
        most_scheduled_a_day=max(held.fired.values(), default=0),
        running=running,
        need=need,
    )
