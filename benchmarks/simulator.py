"""How fast a policy is replayed: `python -m benchmarks.simulator [--minutes 40320] [--services 50]`.

Prints nanoseconds per simulated service-minute of the compiled replay and of a plain Python loop over the same rules
(`tests/scaling/slow.py`, one number a task), on the same load, in the same run, and checks that both give the same
tasks. Two load shapes: a day's wave with noise, and one with bursts that keep alarms and launches busy.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/ is beside us, also when this file is run by its path

from capacity.config import Service
from capacity.scaling import ServicePolicy, TargetTracking
from capacity.scaling.clocks import DOCUMENTED
from capacity.scaling.simulation import Replay, balanced
from tests.scaling.slow import SlowService, slow_replay

#: The plain loop is timed on one day: it looks back over all it has seen, so that longer runs would flatter the kernel.
PLAIN_MINUTES = 1440
ROUNDS = 7

WEB = Service(name="web", requests_per_second_per_task=50, startup_seconds=120, min_tasks=2, max_tasks=500)
POLICY = ServicePolicy(WEB, 2, 500, TargetTracking("requests", 2550, scale_out_cooldown=240, scale_in_cooldown=300))


def load_of(shape: str, minutes: int, seed: int) -> np.ndarray:
    """(minutes,) requests/s."""
    rng = np.random.default_rng(seed)
    wave = (
        2000 * (1 + 0.6 * np.sin(2 * np.pi * np.arange(minutes) / 1440)) * np.exp(0.05 * rng.standard_normal(minutes))
    )
    if shape == "wave":
        return np.asarray(wave)
    return np.asarray(wave * np.repeat(np.where(rng.random(minutes // 10 + 1) < 0.05, 3.0, 1.0), 10)[:minutes])


def compiled(times: pd.DatetimeIndex, loads: list[np.ndarray], limits: tuple[np.ndarray, np.ndarray]) -> float:
    """Median nanoseconds per service-minute, of the kernel with the arrays it fills."""
    Replay.of(POLICY, times, loads[0], limits=limits)  # compiled, or read from the cache
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        for load in loads:
            Replay.of(POLICY, times, load, limits=limits)
        took.append((time.perf_counter_ns() - start) / (len(loads) * len(times)))
    return statistics.median(took)


def plain(load: np.ndarray, limits: tuple[np.ndarray, np.ndarray]) -> tuple[float, list[tuple[int, int, int]]]:
    """Nanoseconds per service-minute of the plain loop, and what it ran."""
    service = SlowService(
        target=POLICY.tracking.target,
        per_task=100 / 60,  # a metric of requests per task and minute
        saturates=False,
        silent_when_idle=True,
        out_cooldown=4,
        in_cooldown=5,
        startup=2,
        delay=DOCUMENTED.metric_delay,
    )
    first = balanced(load * 60 / POLICY.tracking.target, *limits)
    start = time.perf_counter_ns()
    rows = slow_replay(service, load, *limits, first)
    return (time.perf_counter_ns() - start) / len(load), rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=28 * 1440)
    parser.add_argument("--services", type=int, default=50)
    asked = parser.parse_args()
    times = pd.date_range("2026-03-02", periods=asked.minutes, freq="min", tz="UTC", unit="us")
    limits = np.full(asked.minutes, WEB.min_tasks), np.full(asked.minutes, WEB.max_tasks)
    print(f"{asked.services} services x {asked.minutes:,} minutes, median of {ROUNDS} rounds; ns per service-minute")
    for shape in ("wave", "bursts"):
        loads = [load_of(shape, asked.minutes, seed) for seed in range(asked.services)]
        quick = compiled(times, loads, limits)
        few = slice(0, min(PLAIN_MINUTES, asked.minutes))
        slow, rows = plain(loads[0][few], (limits[0][few], limits[1][few]))
        run = Replay.of(POLICY, times, loads[0], limits=limits)
        same = np.array_equal(np.array(rows).T, np.stack([run.desired[few], run.running[few], run.launched[few]]))
        figures = f"compiled {quick:6.1f}   plain loop {slow:8.0f}   ratio {slow / quick:6.0f}"
        print(f"{shape:8} {figures}   same tasks: {same}")
        if not same:
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
