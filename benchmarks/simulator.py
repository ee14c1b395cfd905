"""How fast and how faithfully a policy is replayed: `python -m benchmarks.simulator [--minutes 40320] [--services 50]`.

Speed, in nanoseconds of the processor per simulated service-minute: of the compiled replay with the arrays it fills,
of the batch that a policy search uses, of the detailed replay with all its features on, and of a plain Python loop over
the same rules (`tests/scaling/slow.py`, one number a task), on the same loads, in the same run; that loop and the
compiled replay have to give the same tasks. Two load shapes: a day's wave with noise, and one with bursts that keep
alarms and launches busy. Then 1,000 candidate policies over 90 days of minutes, on all cores.

Faith: the reaction times that AWS published for a step in load, and SPEC's worked example. Exits with 1 when tasks
differ, a reaction is more than 10 % off, or the example is.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/ is beside us, also when this file is run by its path

from capacity.config import Service
from capacity.scaling import (
    Candidates,
    Deployment,
    ServicePolicy,
    Spot,
    Step,
    StepScaling,
    TargetTracking,
    elasticity,
    replay_many,
    simulate,
)
from capacity.scaling.clocks import DOCUMENTED
from capacity.scaling.disruptions import Circumstances
from capacity.scaling.replay import Replay, balanced
from tests.scaling.slow import SlowService, slow_replay

#: The plain loop is timed on one day: it looks back over all it has seen, so that longer runs would flatter the kernel.
PLAIN_MINUTES = 1440
ROUNDS = 7

#: What is to be reached, on a core that is not shared.
MOST_NANOSECONDS = 30
MOST_SECONDS = 15
CANDIDATES = 1000
DAYS = 90

#: AWS, 18 June 2026, "Amazon ECS introduces new high-resolution metrics for faster service auto scaling": seconds until
#: a scale-out is triggered, and until new tasks are provisioned, by the metric's resolution. Its start-up is the rest.
PUBLISHED = {60: (363, 386), 20: (86, 109)}
PUBLISHED_STARTUP = 23

WEB = Service(name="web", requests_per_second_per_task=50, startup_seconds=120, min_tasks=2, max_tasks=500)
POLICY = ServicePolicy(WEB, 2, 500, TargetTracking("requests", 2550, scale_out_cooldown=360, scale_in_cooldown=300))

Limits = tuple[np.ndarray, np.ndarray]


def load_of(shape: str, minutes: int, seed: int) -> np.ndarray:
    """(minutes,) requests/s."""
    rng = np.random.default_rng(seed)
    wave = (
        2000 * (1 + 0.6 * np.sin(2 * np.pi * np.arange(minutes) / 1440)) * np.exp(0.05 * rng.standard_normal(minutes))
    )
    if shape == "wave":
        return np.asarray(wave)
    return np.asarray(wave * np.repeat(np.where(rng.random(minutes // 10 + 1) < 0.05, 3.0, 1.0), 10)[:minutes])


def nanoseconds(run: Callable[[], object], steps: int) -> float:
    """Median time of the processor a step of what is run, after it was compiled or read from the cache."""
    run()
    took = []
    for _ in range(ROUNDS):
        start = time.process_time_ns()
        run()
        took.append((time.process_time_ns() - start) / steps)
    return statistics.median(took)


def compiled(times: pd.DatetimeIndex, loads: list[np.ndarray], limits: Limits) -> float:
    """Of the replay with the arrays it fills."""
    return nanoseconds(
        lambda: [Replay.of(POLICY, times, load, limits=limits) for load in loads], len(loads) * len(times)
    )


def batched(loads: list[np.ndarray], limits: Limits) -> float:
    """Of the batch, on one core."""
    rows = np.stack(loads)
    each = Candidates(target=42.5, full=50.0, out_cooldown=6, load=np.arange(len(rows)))
    return nanoseconds(lambda: replay_many(rows, each, limits, workers=1), rows.size)


def detailed(times: pd.DatetimeIndex, load: np.ndarray, limits: Limits) -> float:
    """Of the detailed replay, all of it on."""
    ladder = StepScaling("requests", 2900, (Step(0, 600, 20), Step(600, None, 50)))
    every_day = tuple(Deployment(when, hold_minutes=10) for when in times[::1440])
    met = Circumstances("carry", every_day, Spot(per_hour=0.05, share=0.7))
    policy = replace(POLICY, steps=ladder)
    return nanoseconds(lambda: Replay.of(policy, times, load, limits=limits, met=met), len(times))


def fine(times: pd.DatetimeIndex, load: np.ndarray, limits: Limits) -> float:
    """Of a replay with 20-second metrics, a minute in twelve steps."""
    policy = replace(POLICY, tracking=TargetTracking("cpu", 60, scale_out_cooldown=180, resolution=20))
    return nanoseconds(lambda: Replay.of(policy, times, load / 40, limits=limits), len(times))


def plain(load: np.ndarray, limits: Limits) -> tuple[float, list[tuple[int, int, int]]]:
    """Nanoseconds per service-minute of the plain loop, and what it ran."""
    service = SlowService(
        target=POLICY.tracking.target,
        per_task=100 / 60,  # a metric of requests per task and minute
        saturates=False,
        silent_when_idle=True,
        out_cooldown=6,
        in_cooldown=5,
        startup=2,
        delay=DOCUMENTED.metric_delay,
    )
    first = balanced(load * 60 / POLICY.tracking.target, *limits)
    start = time.process_time_ns()
    rows = slow_replay(service, load, *limits, first)
    return (time.process_time_ns() - start) / len(load), rows


def speed(shape: str, minutes: int, services: int) -> bool:
    """Print a line; True when the plain loop ran the same tasks."""
    times = pd.date_range("2026-03-02", periods=minutes, freq="min", tz="UTC", unit="us")
    limits = np.full(minutes, WEB.min_tasks), np.full(minutes, WEB.max_tasks)
    loads = [load_of(shape, minutes, seed) for seed in range(services)]
    quick = compiled(times, loads, limits)
    few = slice(0, min(PLAIN_MINUTES, minutes))
    slow, rows = plain(loads[0][few], (limits[0][few], limits[1][few]))
    run = Replay.of(POLICY, times, loads[0], limits=limits)
    same = np.array_equal(np.array(rows).T, np.stack([run.desired[few], run.running[few], run.launched[few]]))
    rich, twelve = detailed(times, loads[0], limits), fine(times, loads[0], limits)
    print(
        f"{shape:8} compiled {quick:5.1f}   batch {batched(loads, limits):5.1f}   all features {rich:5.1f}   "
        f"20-second metrics {twelve:6.1f}   plain loop {slow:7.0f} ({slow / quick:,.0f} x)   same tasks: {same}"
    )
    return same


def search() -> None:
    """Print how long a policy search's candidates take on all cores."""
    minutes, rng = DAYS * 1440, np.random.default_rng(0)
    rows = np.stack([load_of(shape, minutes, seed) for shape in ("wave", "bursts") for seed in range(2)])
    least = np.stack([np.full(minutes, 2), np.full(minutes, 20)])
    many = Candidates(
        target=rng.uniform(20, 50, CANDIDATES),
        full=50.0,
        out_cooldown=rng.integers(0, 8, CANDIDATES),
        load=rng.integers(0, len(rows), CANDIDATES),
        bounds=rng.integers(0, len(least), CANDIDATES),
    )
    limits = least, np.full(least.shape, 500)
    replay_many(rows[:, :100], many, (least[:, :100], limits[1][:, :100]))
    start, worked = time.perf_counter(), time.process_time()
    replay_many(rows, many, limits)
    took, worked = time.perf_counter() - start, time.process_time() - worked
    print(
        f"{CANDIDATES:,} candidates x {DAYS} days of minutes on {os.cpu_count()} cores: {took:.1f} s, "
        f"{worked:.1f} s of processors, {1e9 * worked / CANDIDATES / minutes:.1f} ns each (to reach: {MOST_SECONDS} s)"
    )


def reaction(resolution: int) -> tuple[float, float]:
    """Seconds from a step in load to the request for more tasks, and to the first of them serving."""
    service = Service(name="web", task_vcpu=1, startup_seconds=PUBLISHED_STARTUP, max_tasks=40)
    tracked = TargetTracking("cpu", 60, scale_out_cooldown=360, resolution=20 if resolution == 20 else 60)
    index = pd.date_range("2026-06-18", periods=120, freq="min", tz="UTC")
    rows = simulate(ServicePolicy(service, 3, 40, tracked), pd.Series([1.5] * 60 + [2.9] * 60, index=index)).of("web")
    moments = [rows.index[int(np.argmax(rows[name].to_numpy() > 3))] for name in ("desired", "running")]
    asked, served = ((moment - index[60]).total_seconds() for moment in moments)
    return asked, served


def faith() -> bool:
    """Print reaction times and SPEC's example; True when both come out."""
    fine_enough = True
    for resolution, published in PUBLISHED.items():
        ours = reaction(resolution)
        off = [mine / theirs - 1 for mine, theirs in zip(ours, published, strict=True)]
        fine_enough &= max(map(abs, off)) <= 0.10
        told = ", ".join(
            f"{what} {mine:.0f} s (AWS {theirs} s, {share:+.1%})"
            for what, mine, theirs, share in zip(("asked", "served"), ours, published, off, strict=True)
        )
        print(f"step in load, {resolution}-second metrics: {told}")
    spec = elasticity([10, 10, 12, 12], [8, 10, 15, 12])
    found = spec.theta_u, spec.theta_o, spec.tau_u, spec.tau_o
    print("SPEC's example: theta_u {:.2f}, theta_o {:.2f}, tau_u {:.0f}, tau_o {:.0f}".format(*found))
    return fine_enough and found == (5.0, 6.25, 25.0, 25.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=28 * 1440)
    parser.add_argument("--services", type=int, default=50)
    asked = parser.parse_args()
    print(
        f"{asked.services} services x {asked.minutes:,} minutes, median of {ROUNDS} rounds; ns per service-minute and "
        f"core (to reach: {MOST_NANOSECONDS})"
    )
    same = [speed(shape, asked.minutes, asked.services) for shape in ("wave", "bursts")]
    search()
    return 0 if faith() and all(same) else 1


if __name__ == "__main__":
    raise SystemExit(main())
