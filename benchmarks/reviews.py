"""How long a fleet's plan takes to review, and how much memory: `python -m benchmarks.reviews --services 1000`.

The fleet of `benchmarks.planning`, kept as a plan, and what happened to it: 91 days of hours of requests/s, CPU, what
was reserved, tasks that ran and what they cost. `review` is called as anyone calls it, on an opened plan and a history
in memory.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import capacity
from benchmarks.planning import accounts, fleet
from capacity.history import History
from capacity.planning import plan
from capacity.reviewing import Snapshot, open_snapshot

METRICS = ("requests", "cpu", "cpu_reserved", "running_tasks", "cost")


def happened(kept: Snapshot, seed: int = 1) -> History:
    """What came: the median a tenth higher, an autoscaler that is a little late, a bill."""
    rng, parts = np.random.default_rng(seed), []
    said = {str(name): part for name, part in kept.quantiles.groupby("service", observed=True)}
    for name, rows in said.items():
        times = pd.DatetimeIndex(rows.loc[rows["metric"] == "requests", "timestamp"])
        requests = rows.loc[rows["metric"] == "requests", "p50"].to_numpy(dtype=float)
        requests = requests * 1.1 * np.exp(0.1 * rng.standard_normal(len(requests)))
        tasks = np.maximum(2, np.ceil(np.roll(requests, 1) / 35))
        values = (requests, requests * 0.013, tasks * 1.0, tasks, tasks * 0.05)
        for metric, value in zip(METRICS, values, strict=True):
            parts.append(pd.DataFrame({"service": name, "metric": metric, "timestamp": times, "value": value}))
    return capacity.read(pd.concat(parts, ignore_index=True))


def memory(field: str) -> float:
    """GB of this process: `VmRSS` that it has, `VmHWM` that it has had at most since `forgotten`."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    said = dict(line.split(":", 1) for line in lines)
    return int(said[field].split()[0]) * 1024 / 1e9


def forgotten() -> None:
    """From here on the most memory is counted anew: proc(5), clear_refs."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--paths", type=int, default=200)
    parser.add_argument("--days", type=int, default=91)
    parser.add_argument("--metrics", type=int, choices=(1, 2), default=1)
    parser.add_argument("--in", dest="folder", type=Path, help="keep plan and history here, and take them from here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = (asked.folder or Path(folder)) / f"fleet-{asked.services}.plan"
        if not path.exists():
            ahead, services = fleet(asked.services, asked.paths, asked.days, asked.metrics)
            Snapshot.of(plan(ahead, services, accounts=accounts()), created_at="2026-11-23").save(path)
            del ahead
        kept = open_snapshot(path)
        actuals = happened(kept)
        forgotten()
        before, start, processor = memory("VmRSS"), time.perf_counter(), time.process_time()
        found = capacity.review(kept, actuals)
        wall, used, most = time.perf_counter() - start, time.process_time() - processor, memory("VmHWM")
        start = time.perf_counter()
        said = [str(found), found.digest(), len(found.to_dict()["facts"])]
        told = time.perf_counter() - start
    print(f"{asked.services:,} services x {asked.days} days of hours, {len(actuals):,} rows of actuals")
    print(f"reviewed in {wall:6.1f} s, {used:.1f} s of processor; said in {told:.1f} s, {said[-1]:,} facts")
    print(f"memory      {most:6.2f} GB at most, {before:.2f} GB of it plan and actuals")


if __name__ == "__main__":
    main()
