"""What a pull from Prometheus costs us: rows a second and peak memory, from a stand-in that answers at once.

    python -m benchmarks.prometheus [SERVICES] [DAYS]

Prints one line; memory stays flat however many days are asked for, because one answer of at most 16 MiB is held at a
time. The stand-in runs in a process of its own, so the seconds of ours are ours alone.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from multiprocessing.connection import Connection

import pandas as pd

from capacity.sources.base import Span
from capacity.sources.prometheus import Prometheus, Query
from tests.sources.prometheus.fake import Asked, Reply, serving

START = pd.Timestamp("2026-06-01", tz="UTC")


def answer(asked: Asked, services: int) -> Reply:
    """Every service with a value of sixteen digits at every stamp."""
    values = ",".join(f'[{stamp},"{stamp / 7e9!r}"]' for stamp in asked.stamps)
    series = ",".join(f'{{"metric":{{"service":"s{n}"}},"values":[{values}]}}' for n in range(services))
    return Reply(f'{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}'.encode())


def stand_in(said: Connection, services: int) -> None:
    """Serves until its process is ended."""
    with serving(lambda asked: answer(asked, services)) as fake:
        said.send(fake.url)
        said.poll(None)


def peak() -> float:
    """MiB this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(services: int = 500, days: int = 4) -> None:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=stand_in, args=(there, services), daemon=True)
    server.start()
    source = Prometheus(here.recv(), (Query("cpu", "x"),), clock=lambda: START + pd.Timedelta(days=days + 1))
    for _ in source.pull(Span(START, START + pd.Timedelta("1min"))):
        before = peak()  # everything is imported by now
    began, worked, rows = time.perf_counter(), time.process_time(), 0
    for batch in source.pull(Span(START, START + pd.Timedelta(days=days))):
        rows += len(batch.observations)
    seconds, ours = time.perf_counter() - began, time.process_time() - worked
    server.terminate()
    print(
        f"{services} services, {days} days at 60 s: {rows:,} rows; {rows / seconds:,.0f} rows/s, {rows / ours:,.0f} "
        f"rows/s of our own processor time; {peak() - before:,.0f} MiB more than at rest; {source.spent}"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
