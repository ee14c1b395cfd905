"""How fast sizes are compared and tasks packed, and how right memory is parted: `python -m benchmarks.sizing`.

Speed: one service of 91 days of hours on 400 paths, its 148 sizes compared, beside the plan of the same service; then a
million first-fit-decreasing packings of ten services, beside the same packings task by task in a Python loop, which
have to take the same instances. The smallest of some rounds, of the processor's time.

Right: of the sample fleet it is known what memory every task takes and what follows its load (`truth.json`). Both are
read off the last four weeks, and printed beside the truth; what is off is in percent of all memory. Exits with 1 when
packings differ or a part is more than 5 % off.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/ is beside us, also when this file is run by its path

from capacity.config import Service, load_config
from capacity.demand import estimate_demand
from capacity.planning import Plan, plan
from capacity.planning.sizing.memory import parted_of
from capacity.planning.sizing.packing import packed
from capacity.samples import load_sample, sample_path, truth
from tests.makers import daily_wave, hourly, make_demand, make_forecast
from tests.planning.sizing.slow import one_by_one

MOST_OFF = 0.05
LOOPED = 2000


def seconds(work: Callable[[], object], rounds: int) -> float:
    """The smallest processor time of some rounds, after one that warms up."""
    work()
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def one_service() -> Plan:
    """A quarter of hours on 400 paths, requests and CPU."""
    times = hourly(28)
    waves = {("web", "requests"): daily_wave(times, 900), ("web", "cpu"): daily_wave(times, 12, 0.3)}
    ahead = make_forecast(make_demand(waves, times, burst=1.3), steps=91 * 24, paths=400, growth=0.3)
    return plan(ahead, Service(name="web", requests_per_second_per_task=40, max_tasks=500))


def packings(count: int) -> tuple[np.ndarray, np.ndarray]:
    """So many counts of ten services, and their sizes in eighths of an instance's vCPU and GiB."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 30, (count, 10)), rng.integers(1, 9, (10, 2))


def parts() -> pd.DataFrame:
    """What every task of the sample fleet takes of memory, as read off and as it is."""
    services = load_config(sample_path() / "capacity.toml").service
    demand = estimate_demand(load_sample("shop"), services, interval="1h")
    known = truth("shop")["services"]
    rows = []
    for service in services:
        found, real = parted_of(service, demand, service.name), known[service.name]
        if found is None:
            rows.append({"service": service.name})
            continue
        whole = found.of(1.0)
        off = max(
            abs(found.fixed - real["idle_memory_gib"]),
            abs(found.per_load - real["memory_gib_per_busy_vcpu"]) * found.load,
        )
        fixed = {"fixed": found.fixed, "true_fixed": real["idle_memory_gib"]}
        load = {"per_vcpu": found.per_load, "true_per_vcpu": real["memory_gib_per_busy_vcpu"]}
        rows.append({"service": service.name, **fixed, **load, "off": off / whole})
    return pd.DataFrame(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--packings", type=int, default=1_000_000)
    asked = parser.parse_args()

    made = one_service()
    ask, ahead = made.services[0], made.forecast
    planned, compared = (
        seconds(work, asked.rounds) for work in (lambda: plan(ahead, ask), lambda: made.sizes(arm_speed=0.9))
    )
    print(f"148 sizes of one service compared in {compared:.2f} s; its plan takes {planned:.2f} s.")

    counts, sizes = packings(asked.packings)
    room = np.array([8.0, 8.0])
    compiled = seconds(lambda: packed(counts, sizes.astype(float), room), asked.rounds) / asked.packings
    few = [[int(count) for count in row] for row in counts[:LOOPED]]
    pairs = [(int(a), int(b)) for a, b in sizes]
    start = time.process_time()
    slow = [len(one_by_one(row, pairs, (8, 8))) for row in few]
    loop = (time.process_time() - start) / len(few)
    same = packed(counts[:LOOPED], sizes.astype(float), room).tolist() == slow
    print(
        f"One packing of {counts.sum(axis=1).mean():.0f} tasks of 10 services: {compiled * 1e6:.2f} µs; task by task "
        f"in Python {loop * 1e6:,.0f} µs, {loop / compiled:,.0f} times as long; the same instances: {same}."
    )

    table = parts()
    print(table.to_string(index=False, float_format=lambda number: f"{number:.3f}"))
    right = bool((table["off"].dropna() <= MOST_OFF).all())
    print(f"Parted: {table['off'].notna().sum()} of {len(table)}; at most {table['off'].max():.1%} off.")
    return 0 if same and right else 1


if __name__ == "__main__":
    sys.exit(main())
