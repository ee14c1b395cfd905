"""The history store while a large pull comes in: rows/s of each batch, memory, bytes a row, files; and reading it back.

Batches of one-minute rows, four metrics a service, come in one of two orders: all days of a few services at a time, as
a first pull brings them, or all services for a few minutes at a time, as later ones do. The last append brings the
newest hour again, a tenth of it revised. Beside it, in the same run and in a process of its own: one DuckDB file with a
primary key and INSERT OR REPLACE, which keeps neither origin nor earlier commits. Times are of `append` alone.

    python -m benchmarks.store                                      20 batches of 500,000 rows
    python -m benchmarks.store --batches 173 --peer no              86 million: 1,000 services, 15 days
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import harmonic_mean
from typing import Protocol

import numpy as np
import pandas as pd

from benchmarks.pipeline import Peak
from capacity.history import Store
from capacity.sources import Observations

METRICS = ("cpu_utilization", "memory_utilization", "requests", "running_tasks")
START = pd.Timestamp("2026-08-20", tz="UTC")  # fifteen days from here are of two months
MINUTES = 15 * 24 * 60


@dataclass(frozen=True)
class Pull:
    """What comes in: about so many rows a batch, of the services that fill so many batches with 15 days."""

    batches: int
    rows: int
    order: str

    @property
    def services(self) -> int:
        return max(1, self.batches * self.rows // (MINUTES * len(METRICS)))

    def __iter__(self) -> Iterator[Observations]:
        everyone, minutes = np.arange(self.services), np.arange(MINUTES)
        if self.order == "services":
            for some in np.array_split(everyone, min(self.batches, self.services)):
                yield measured(some, minutes, fetched=MINUTES)
        else:
            for some in np.array_split(minutes, self.batches):
                yield measured(everyone, some, fetched=int(some[-1]))

    def again(self) -> Observations:
        """The newest hour of every service, with another value in a tenth of its minutes."""
        return measured(np.arange(self.services), np.arange(MINUTES - 60, MINUTES), fetched=MINUTES + 60, revised=0.1)


def measured(services: np.ndarray, minutes: np.ndarray, fetched: int, revised: float = 0.0) -> Observations:
    """One-minute rows that look like CloudWatch's: averages with all their digits, counts without any."""
    shape = (len(services), 1), (1, len(minutes))
    service, minute = services.reshape(shape[0]), minutes.reshape(shape[1])
    noise = (service * 7919 + minute * 104_729) % 9973 / 9973  # the same for the same row, whoever asks
    noise = np.where(np.random.default_rng(1).random(noise.shape) < revised, noise + 0.01, noise)
    wave = 1 + 0.5 * np.sin(2 * np.pi * (minute / 1440 + service / 97))
    values = np.stack(
        [30 * wave + 5 * noise, 40 + 3 * wave * noise, np.round(6000 * wave + 500 * noise), np.ceil(4 * wave)], axis=1
    )
    count = len(services) * len(METRICS)
    names = [f"service-{number:04d}" for number in services]
    frame = pd.DataFrame(
        {
            "service": pd.Categorical.from_codes(
                np.repeat(np.arange(len(names)), len(METRICS) * len(minutes)), categories=pd.Index(names, dtype="str")
            ),
            "metric": pd.Categorical.from_codes(
                np.tile(np.repeat(np.arange(len(METRICS)), len(minutes)), len(names)),
                categories=pd.Index(METRICS, dtype="str"),
            ),
            "stat": pd.Categorical.from_codes(
                np.zeros(count * len(minutes), dtype=np.int8), categories=pd.Index(["mean"], dtype="str")
            ),
            "interval": np.full(count * len(minutes), 60, dtype=np.int32),
            "timestamp": pd.DatetimeIndex(np.tile(stamps(minutes), count), tz="UTC"),
            "value": values.reshape(-1),
        }
    )
    return Observations(frame, "cloudwatch:eu-west-1", fetched_at=START + pd.Timedelta(minutes=fetched))


def stamps(minutes: np.ndarray) -> np.ndarray:
    return np.datetime64(START.tz_localize(None), "us") + minutes * np.timedelta64(60_000_000, "us")


class Contender(Protocol):
    def append(self, observations: Observations) -> object: ...

    def service(self, name: str) -> int: ...

    def files(self) -> list[Path]: ...


class Ours:
    """The history store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, Store(folder)

    def append(self, observations: Observations) -> object:
        return self.store.append(observations)

    def service(self, name: str) -> int:
        return len(self.store.history(services=name))

    def files(self) -> list[Path]:
        from capacity.history.manifest import load

        return [self.folder / entry.name for entry in load(self.folder).entries]


class Peer:
    """One DuckDB file: the table with a primary key, rows inserted or replaced, a transaction a batch."""

    def __init__(self, folder: Path) -> None:
        import duckdb

        folder.mkdir()
        self.path = folder / "peer.duckdb"
        self.connection = duckdb.connect(self.path)
        self.connection.execute(
            "CREATE TABLE rows (service VARCHAR, metric VARCHAR, stat VARCHAR, interval INTEGER, ts BIGINT, "
            "value DOUBLE, PRIMARY KEY (service, metric, stat, interval, ts))"
        )

    def append(self, observations: Observations) -> object:
        frame = observations.frame
        self.connection.register("fresh", frame.assign(ts=frame["timestamp"].array.asi8).drop(columns="timestamp"))
        return self.connection.execute(
            "INSERT OR REPLACE INTO rows SELECT service, metric, stat, interval, ts, value FROM fresh"
        )

    def service(self, name: str) -> int:
        return len(self.connection.execute("SELECT * FROM rows WHERE service = ? ORDER BY ALL", [name]).df())

    def files(self) -> list[Path]:
        self.connection.execute("CHECKPOINT")
        return [self.path]


@dataclass(frozen=True)
class Result:
    """Rows/s of every batch and of the newest hour again; what it took."""

    speeds: list[float]
    again: float
    before_mib: float  # resident before the first append
    peak_mib: float
    bytes_per_row: float
    files: int
    one_service: float  # seconds to read one service


def run(contender: type[Ours] | type[Peer], pull: Pull) -> Result:
    """All batches of a pull into one contender, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        target: Contender = contender(Path(folder) / "store")
        speeds, total, peak = [], 0, Peak()
        for batch in pull:
            peak.begin("append")
            begin = time.perf_counter()
            target.append(batch)
            speeds.append(len(batch) / (time.perf_counter() - begin))
            peak.begin("between")
            total += len(batch)
        again, begin = pull.again(), time.perf_counter()
        target.append(again)
        again_speed = len(again) / (time.perf_counter() - begin)
        peaks = peak.end()
        begin = time.perf_counter()
        assert target.service("service-0000") == MINUTES * len(METRICS)
        one_service = time.perf_counter() - begin
        files = target.files()
        size = sum(path.stat().st_size for path in files) / total
    return Result(speeds, again_speed, peaks["start"], peaks["append"], size, len(files), one_service)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--rows", type=int, default=500_000, help="of a batch")
    parser.add_argument("--order", choices=["services", "time", "both"], default="both")
    parser.add_argument("--peer", choices=["yes", "no"], default="yes")
    options = parser.parse_args()
    processes = multiprocessing.get_context("spawn")
    lines = ["first third", "middle third", "last third", "slowest batch", "newest hour again"]
    for order in ["services", "time"] if options.order == "both" else [options.order]:
        pull = Pull(options.batches, options.rows, order)
        contenders: list[type[Ours] | type[Peer]] = [Ours, Peer] if options.peer == "yes" else [Ours]
        results = []
        for contender in contenders:
            with processes.Pool(1) as pool:  # memory of one does not count for the other
                results.append(pool.apply(partial(run, contender, pull)))
        print(
            f"\n{pull.batches} batches by {order}: {pull.services} services, {len(METRICS)} metrics, {MINUTES} minutes"
        )
        print(f"{'':<28}{'store':>12}" + (f"{'duckdb':>12}{'ratio':>8}" if len(results) > 1 else ""))
        third = max(1, options.batches // 3)
        for name in lines:
            row([speed(result, name, third) / 1e3 for result in results], f"k rows/s, {name}")
        row([result.peak_mib - result.before_mib for result in results], "MiB at peak, beyond start")
        row([result.bytes_per_row for result in results], "bytes a row")
        row([float(result.files) for result in results], "files")
        row([1e3 * result.one_service for result in results], "ms to read a service")


def speed(result: Result, which: str, third: int) -> float:
    """Rows/s over the first, the middle or the last third of batches: all their rows in all their time."""
    if which == "newest hour again":
        return result.again
    if which == "slowest batch":
        return min(result.speeds)
    middle = len(result.speeds) // 2
    some = {"first third": slice(None, third), "middle third": slice(middle - third // 2, middle + third // 2 + 1)}
    return harmonic_mean(result.speeds[some.get(which, slice(-third, None))])


def row(values: list[float], name: str) -> None:
    ratio = f"{values[0] / values[1]:>8.2f}" if len(values) > 1 else ""
    print(f"{name:<28}" + "".join(f"{value:>12,.1f}" for value in values) + ratio)


if __name__ == "__main__":
    main()
