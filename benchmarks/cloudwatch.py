"""A pull of a whole fleet from a stub that enforces CloudWatch's limits, throttles, fails and answers in part.

The stub (`tests/sources/cloudwatch/fake.py`, in a process of its own) holds 15 days of one-minute data, four series a
service, as ready-made fragments of JSON, so that it costs little. Three runs:

1. without a quota and without a store: how fast we can read;
2. the same requests by bare HTTP, bodies thrown away: how fast the stub can answer;
3. at AWS's quota (50 calls and 396,000 points a second, enforced by the stub) into a store: what a user waits for.

Nothing may be lost or doubled: every series is counted and summed as it comes, and compared with the truth; the store
is compared row by row for some services.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from benchmarks.pipeline import Peak
from capacity.history import Store
from capacity.sources.aws import Door
from capacity.sources.aws.ecs import Discovery, EcsService
from capacity.sources.base import Span
from capacity.sources.cloudwatch import CloudWatch, Quota
from capacity.sources.cloudwatch.asking import request
from capacity.sources.cloudwatch.pull import THREADS
from capacity.sources.coverage import NOTHING
from capacity.sources.pulling import Batch
from tests.sources.cloudwatch.fake import FakeCloudWatch, Faults, Fragments, Key

NOW = 1_785_000_000
DAY, PATTERN = 86400, 1440
QUOTA = (50.0, 396_000.0)
STATS = {"Average": ("cpu_utilization", "mean"), "Maximum": ("cpu_utilization", "max")}
STATS |= {"Minimum": ("cpu_utilization", "min"), "SampleCount": ("running_tasks", "mean")}
VALUES = np.random.default_rng(1).uniform(1, 99, PATTERN).round(5)
TARGET = "GraniteServiceVersion20100801.GetMetricData"


def first_of(service: str, stat: str) -> int:
    """Where in the pattern a series is at the start of time."""
    return (int(service[1:]) * 37 + list(STATS).index(stat) * 11) % PATTERN


def truth_of(service: str, stat: str, start: int, end: int) -> np.ndarray:
    """Values of a series, minute by minute."""
    return VALUES[(np.arange(start, end, 60) // 60 + first_of(service, stat)) % PATTERN]


class Prepared:
    """The truth of the stub: slices of fragments that are made once."""

    def __init__(self) -> None:
        self.origin = NOW // DAY * DAY - 16 * DAY
        minutes = 18 * PATTERN
        self.stamps = [b"%d" % (self.origin + 60 * number) for number in range(minutes)]
        self.values = [json.dumps(value).encode() for value in VALUES.tolist()] * 20

    def __call__(self, key: Key, stat: str, start: int, end: int, period: int) -> Fragments:
        if period != 60:
            return [], []
        service = dict(key[2])["ServiceName"]
        at, length = (start - self.origin) // 60, (end - start) // 60
        offset = (start // 60 + first_of(service, stat)) % PATTERN
        return self.stamps[at : at + length], self.values[offset : offset + length]


def fleet(services: int) -> Discovery:
    arn = "arn:aws:ecs:us-east-1:123456789012:service/shop/"
    names = [f"s{number:04}" for number in range(services)]
    return Discovery(tuple(EcsService(name, "shop", "us-east-1", arn + name) for name in names))


def source(address: str, services: int, quota: Quota) -> CloudWatch:
    now = pd.Timestamp(NOW, unit="s", tz="UTC").as_unit("us")
    return CloudWatch(
        "shop",
        door=Door(region="us-east-1", endpoint=address),
        only=("cpu_utilization", "running_tasks"),
        found=fleet(services),
        quota=quota,
        clock=lambda: now,
    )


def span() -> Span:
    """As much of 15 days as CloudWatch still keeps by the minute."""
    end = pd.Timestamp(NOW, unit="s", tz="UTC").as_unit("us")
    return Span((end - pd.Timedelta(days=15) + pd.Timedelta("2h")).ceil("h"), end)


class Ledger:
    """Counts and sums of every series, as they come."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str, str], int] = {}
        self.sums: dict[tuple[str, str, str], float] = {}
        self.rows = 0

    def add(self, batch: Batch) -> None:
        frame = batch.observations.frame
        for key, values in frame.groupby(["service", "metric", "stat"], observed=True)["value"]:
            self.counts[key] = self.counts.get(key, 0) + len(values)
            self.sums[key] = self.sums.get(key, 0.0) + float(values.sum())
        self.rows += len(frame)

    def check(self, services: int) -> None:
        start, end = (int(edge.timestamp()) for edge in span())
        for service in fleet(services).services:
            for stat, (metric, ours) in STATS.items():
                truth = truth_of(service.name, stat, start, end // 60 * 60)
                key = (service.name, metric, ours)
                assert self.counts[key] == len(truth), (key, self.counts[key], len(truth))
                assert np.isclose(self.sums[key], truth.sum(), rtol=1e-9), key
        assert self.rows == sum(self.counts.values())


def check_store(store: Store, services: int) -> None:
    """Some services, row by row."""
    start, end = (int(edge.timestamp()) for edge in span())
    for number in np.random.default_rng(2).choice(services, min(5, services), replace=False):
        name = f"s{number:04}"
        frame = store.history(services=name).frame
        for stat, (metric, ours) in STATS.items():
            rows = frame[(frame["metric"] == metric) & (frame["stat"] == ours)]
            np.testing.assert_array_equal(rows["value"], truth_of(name, stat, start, end // 60 * 60))


def timed(batches: Iterator[Batch], ledger: Ledger, store: Store | None = None) -> tuple[float, float, float]:
    """Seconds of the pull, of our processor in it, and of the store (beside them)."""
    wall = cpu = kept = 0.0
    while True:
        before, used = time.perf_counter(), time.process_time()
        batch = next(batches, None)
        wall, cpu = wall + time.perf_counter() - before, cpu + time.process_time() - used
        if batch is None:
            return wall, cpu, kept
        ledger.add(batch)
        before = time.perf_counter()
        if store is not None:
            store.append(batch.observations, batch.covered)
        kept += time.perf_counter() - before


def bare(address: str, services: int) -> tuple[float, int]:
    """Seconds and bytes of the same requests by bare HTTP, as many at a time."""
    asked = source(address, services, Quota())
    bodies = []
    for call in asked._agenda(span(), NOTHING, asked.clock()).calls:
        parameters = request(call)
        parameters |= {edge: int(parameters[edge].timestamp()) for edge in ("StartTime", "EndTime")}
        bodies.append(json.dumps(parameters).encode())
    place = urlsplit(address).netloc

    def read(mine: list[bytes]) -> int:
        connection, size = http.client.HTTPConnection(place), 0
        for body in mine:
            connection.request("POST", "/", body, {"X-Amz-Target": TARGET})
            size += len(connection.getresponse().read())
        connection.close()
        return size

    before = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        size = sum(pool.map(read, [bodies[number::THREADS] for number in range(THREADS)]))
    return time.perf_counter() - before, size


def serve(limited: bool) -> None:
    """The stub, until its input ends."""
    faults = Faults(throttle=0.05, partial=0.002, internal=0.002) if limited else Faults()
    with FakeCloudWatch(Prepared(), now=NOW, faults=faults, per_second=QUOTA if limited else None) as fake:
        print(fake.address, flush=True)
        sys.stdin.read()
        print(json.dumps(fake.counts | {"calls": len(fake.calls), "refused": len(fake.refusals)}), flush=True)


class Stub:
    """The stub in a process of its own."""

    def __init__(self, limited: bool) -> None:
        command = [sys.executable, "-m", "benchmarks.cloudwatch", "--serve", "limited" if limited else "free"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def stop(self) -> dict[str, int]:
        said, _ = self.process.communicate("")
        counts: dict[str, int] = json.loads(said)
        return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument("--full", action="store_true", help="1,000 services: 86 million rows")
    parser.add_argument("--serve", choices=["limited", "free"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve == "limited")
        return
    os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}  # of no account
    services = 1000 if options.full else options.services
    free(services)
    at_quota(services)


def at_quota(services: int) -> None:
    stub, ledger, peak = Stub(limited=True), Ledger(), Peak()
    asked = source(stub.address, services, Quota(*QUOTA))
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        wall, cpu, kept = timed(asked.pull(span()), ledger, store)
        ledger.check(services)
        check_store(store, services)
        assert store.info().rows == ledger.rows
    counts = stub.stop()
    assert counts["refused"] == 0
    print(f"at AWS's quota, {services:,} services, {len(ledger.counts):,} series, into a store")
    total = wall + kept
    print(f"  {ledger.rows:,} rows in {total:.1f} s: {ledger.rows / total:,.0f} rows/s (the quota is {QUOTA[1]:,.0f})")
    print(f"  {wall:.1f} s of reading, {cpu / wall:.0%} of it our processor, the rest waiting; {kept:.1f} s of storing")
    print(f"  {asked.spent}; {counts['throttled']} throttled, and partial answers asked again")
    print(f"  peak memory {max(peak.peaks.values()):,.0f} MiB; nothing lost, nothing doubled")


def free(services: int) -> None:
    stub, ledger = Stub(limited=False), Ledger()
    asked = source(stub.address, services, Quota(1e9, 1e12, 1e12))
    wall, cpu, _ = timed(asked.pull(span()), ledger)
    ledger.check(services)
    seconds, size = bare(stub.address, services)
    stub.stop()
    print("without a quota, without a store")
    print(
        f"  {ledger.rows / wall:,.0f} rows/s; our processor {cpu:.1f} s of {wall:.1f} s ({ledger.rows / cpu:,.0f} a s)"
    )
    print(f"  the stub by bare HTTP: {ledger.rows / seconds:,.0f} rows/s ({size / seconds / 1e6:,.0f} MB/s)")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
