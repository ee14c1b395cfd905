"""How quick: 26 weeks of hourly load, four weeks ahead; one series at a time beside peers, then a fleet in one call.

The fleet is forecast in a process of its own, `python -m benchmarks.forecast.speed COUNT`, which prints its wall time,
CPU time and largest resident memory as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.forecast import ours, peers
from benchmarks.forecast.tasks import LEVELS, TASKS, Window

#: What is promised (issue 4): CPU milliseconds a series, and for the fleet minutes and GiB on two cores.
PROMISED_MS, PROMISED_MINUTES, PROMISED_GIB = 150, 5, 4

#: Peers that are timed in the same run, and how many series everybody is timed on.
TIMED, ONE_BY_ONE = ("FLAIR", "Prophet"), 20


def fleet(count: int, *, seed: int = 0) -> pd.DataFrame:
    """Hourly load of `count` services over 26 weeks, one column each, as service load is: day, weekend, growth, noise.

    Daily swing 2-6x, weekends 0.5-0.9 of weekdays, growth 20-60 % a year (reference/data.md); one in four shifts level.
    """
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2025-09-01", periods=TASKS["26 weeks/672"].shortest, freq="h", tz="UTC", unit="us")
    clock = np.arange(len(hours))
    values = np.empty((len(hours), count))
    for column in range(count):
        swing = np.log(rng.uniform(2, 6)) / 2
        day = swing * np.sin(2 * np.pi * (clock - rng.uniform(6, 12)) / 24)
        weekend = np.log(rng.uniform(0.5, 0.9)) * (hours.day_of_week >= 5)
        growth = np.log(rng.uniform(1.2, 1.6)) * clock / (365.25 * 24)
        shift = np.log(rng.uniform(0.5, 2)) * (clock > rng.integers(len(clock))) * (rng.random() < 0.25)
        noise = rng.uniform(0.03, 0.15) * rng.standard_normal(len(clock))
        values[:, column] = np.exp(rng.uniform(0, 8) + day + weekend + growth + shift + noise)
    return pd.DataFrame(values, index=hours, columns=[f"service-{column:04d}" for column in range(count)])


def one_by_one(models: Sequence[str], *, count: int, ask: bool) -> dict[str, list[float]]:
    """CPU seconds a series, by model: ours, and the peers' when they may be asked; everybody on one thread."""
    task, table = TASKS["26 weeks/672"], fleet(count)
    nothing = np.full(task.horizon, np.nan)
    windows = [Window(task, "made", name, table[name], nothing) for name in table]
    answers = ours.answers(windows, models)
    if ask:
        answers |= peers.answers(windows, TIMED, ask=True, fresh=True)
    found: dict[str, list[float]] = {}
    for (_, model), said in answers.items():
        if said.error:
            raise RuntimeError(f"{model} failed on generated load: {said.error}")
        found.setdefault(model, []).append(said.seconds)
    return found


def at_once(count: int) -> dict[str, Any]:
    """Wall seconds, CPU seconds and GiB of one `capacity.forecast` call over `count` services, in a fresh process."""
    free = {name: value for name, value in os.environ.items() if name not in peers.ONE_THREAD}
    command = [sys.executable, "-m", "benchmarks.forecast.speed", str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=free)
    if done.returncode:
        return {"error": f"exit code {done.returncode}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(models: Sequence[str], *, count: int, ask: bool) -> None:
    """Print both measurements."""
    measured = one_by_one(models, count=ONE_BY_ONE, ask=ask)
    print("\n26 weeks hourly, 4 weeks ahead, one series at a time, one thread: CPU ms a series")
    print(f"{'model':<20}{'median':>9}{'largest':>9}{'series':>8}")
    for model, seconds in measured.items():
        print(f"{model:<20}{1000 * np.median(seconds):>9.0f}{1000 * max(seconds):>9.0f}{len(seconds):>8}")
    print(f"promised: {PROMISED_MS} at most, and less than Prophet's")
    found = at_once(count)
    if "error" in found:
        print(f"\n{count:,} such series in one call: FAILED, {found['error']}")
        return
    print(
        f"\n{count:,} such series in one call: {found['wall'] / 60:.1f} min wall, {found['cpu'] / 60:.1f} min CPU, "
        f"largest memory {found['gib']:.1f} GiB; promised for 3,000: {PROMISED_MINUTES} min and {PROMISED_GIB} GiB"
    )


def _gib() -> float:
    """Largest resident memory so far, GiB: of this process, and of the largest that it started and that ended."""
    kib = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return kib / 2**20 if sys.platform != "darwin" else kib / 2**30  # macOS counts bytes


def main(count: int) -> None:
    import capacity

    table = fleet(count)
    wall, cpu = time.perf_counter(), ours.cpu_seconds()
    found = capacity.forecast(table, horizon=TASKS["26 weeks/672"].horizon, levels=LEVELS)
    found.quantile(0.95)
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": ours.cpu_seconds() - cpu, "gib": _gib()}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
