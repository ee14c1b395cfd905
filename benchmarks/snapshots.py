"""How long a plan takes to keep and to open, and how large it is: `python -m benchmarks.snapshots --services 1000`.

The fleet of `benchmarks.planning`: paths of requests/s and CPU, 91 days of hours, 200 paths, 60 days of past. Beside it
stands what `plan` took, the smallest part of a run that also reads, forecasts and rehearses: of the sample fleet 46 s,
and its plan takes 1.2 s to keep.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import zipfile
from pathlib import Path

from benchmarks.planning import accounts, fleet
from capacity.planning import plan
from capacity.reviewing import Snapshot, open_snapshot


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--paths", type=int, default=200)
    parser.add_argument("--days", type=int, default=91)
    parser.add_argument("--metrics", type=int, choices=(1, 2), default=1)
    asked = parser.parse_args()
    ahead, services = fleet(asked.services, asked.paths, asked.days, asked.metrics)
    plan(ahead.of(services[0].name), services[0])  # compiled once, outside the clock
    start = time.perf_counter()
    made = plan(ahead, services, accounts=accounts())
    planned = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        kept = Snapshot.of(made, created_at="2026-11-23")
        taken = time.perf_counter() - start
        path = kept.save(Path(folder) / "fleet.plan")
        saved = time.perf_counter() - start - taken
        start = time.perf_counter()
        open_snapshot(path)
        opened = time.perf_counter() - start
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            largest = sorted(archive.infolist(), key=lambda entry: -entry.compress_size)[:4]
    print(f"{asked.services:,} services x {asked.days} days of hours x {asked.paths} paths x {asked.metrics} metrics")
    print(f"planned in {planned:7.1f} s")
    each, parts = (taken + saved) / asked.services * 1e3, f"{taken:.1f} s for quantiles, {saved:.1f} s to write"
    print(f"kept in    {taken + saved:7.1f} s, {each:.0f} ms a service ({parts})")
    print(f"opened in  {opened:7.1f} s")
    print(f"size       {size / 1e6:7.1f} MB, {size / asked.services / 1e3:.0f} kB a service: ", end="")
    print(", ".join(f"{entry.filename} {entry.compress_size / 1e6:.1f}" for entry in largest))


if __name__ == "__main__":
    main()
