"""Reading a JMeter result file of ten million rows: rows/s and peak memory, beside pandas and Taurus's own reader.

The file looks like what JMeter 5.6 writes: 17 columns, 30 labels, 200 threads, one row in five a transaction, one in a
hundred a failure. It is written once into the folder for temporary files. Everyone reads it in a process of their own
and makes a table by label of it (count, errors, mean, four percentiles); pandas counts transactions as requests, and
Taurus, which is slow, is given the first rows only. Memory is the largest resident set of the process.

    python -m benchmarks.loadtest                                   ours and pandas, 10 million rows
    python -m benchmarks.loadtest --peers                           and Taurus, installed beside on first use
    python -m benchmarks.loadtest --rows 1000000 --taurus-rows 50000 --peers
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.forecast.peers import folder

HEADER = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,"
    "grpThreads,allThreads,URL,Latency,IdleTime,Connect\n"
)
PAGES = ("cart", "items", "items/detail", "search", "checkout", "login", "logout", "profile", "orders", "orders/detail")
LABELS = [f"{method} /{page}" for method in ("GET", "POST", "PUT") for page in PAGES]
START = 1_795_427_364_220  # ms
THREADS = 200
RATE = 2_000  # rows/s of the run in the file
AT_ONCE = 200_000  # rows written

PACKAGES = Path(__file__).with_name("loadtest_peers.txt")

#: Run by the peer's own Python: all samples through its reader, cumulative percentiles as it reports them.
TAURUS = """
import json, logging, resource, sys, time
from bzt.modules.aggregator import DataPoint, KPISet
from bzt.modules.jmeter import JTLReader
logging.disable(logging.CRITICAL)
begin, cpu = time.perf_counter(), time.process_time()
reader, last = JTLReader(sys.argv[1], logging.getLogger("")), None
while True:
    before = reader.read_records
    for last in reader.datapoints():
        pass
    if reader.read_records == before:
        break
for last in reader.datapoints(True):
    pass
seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
whole = last[DataPoint.CUMULATIVE][""]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([int(whole[KPISet.SAMPLE_COUNT]), seconds, cpu, peak]))
"""


class Result(NamedTuple):
    """What one reader took."""

    rows: int
    seconds: float
    cpu_seconds: float  # of all its threads
    peak_mib: float

    @property
    def speed(self) -> float:
        """Rows/s."""
        return self.rows / self.seconds


def write(path: Path, rows: int) -> None:
    """A result file of so many rows, the same for the same count."""
    rng = np.random.default_rng(5)
    with path.open("w") as file:
        file.write(HEADER)
        for first in range(0, rows, AT_ONCE):
            count = min(AT_ONCE, rows - first)
            ends = START + (first + np.sort(rng.integers(0, count, count))) * 1000 // RATE
            took = rng.lognormal(3.5, 0.6, count).astype(int)
            columns = (ends - took, took, rng.integers(0, len(LABELS), count), rng.integers(1, THREADS + 1, count))
            draws = rng.random(count)
            numbers = (column.tolist() for column in columns)
            file.writelines(row(*cells) for cells in zip(*numbers, draws.tolist(), strict=True))


def row(start: int, took: int, label: int, thread: int, draw: float) -> str:
    """A line of the file: a transaction, a failure or a plain request."""
    users = f"{THREADS},{THREADS}"
    if draw < 0.2:
        message = '"Number of samples in transaction : 4, number of failing samples : 0"'
        name = f"flow {label % 5}"
        return f"{start},{took},{name},200,{message},shop 1-{thread},,true,,4120,476,{users},null,{took - 1},60,0\n"
    code = "503,Service Unavailable" if draw < 0.21 else "200,OK"
    success = "false" if draw < 0.21 else "true"
    name = LABELS[label]
    url = f"http://127.0.0.1:8080/{PAGES[label % len(PAGES)]}"
    return f"{start},{took},{name},{code},shop 1-{thread},text,{success},,{900 + took},119,{users},{url},{took},0,0\n"


def ours(path: Path) -> int:
    from capacity.loadtest.reading import read

    return int(read(path).summary["samples"].iloc[:-1].sum())


def pandas(path: Path) -> int:
    import pandas as pd

    frame = pd.read_csv(path, usecols=["timeStamp", "elapsed", "label", "success"])
    groups = frame.groupby("label")
    table = groups["elapsed"].quantile(np.array([0.5, 0.9, 0.95, 0.99])).unstack()  # noqa: PD010 - a Series has no pivot_table
    table["mean"], table["samples"] = groups["elapsed"].mean(), groups.size()
    table["errors"] = (~frame["success"]).groupby(frame["label"]).sum()
    return int(table["samples"].sum())


READERS: dict[str, Callable[[Path], int]] = {"ours": ours, "pandas": pandas}


def alone(reader: str, path: Path) -> Result:
    """A reader in a process of its own, after one over a small file: compiling and importing are not reading."""
    with tempfile.TemporaryDirectory() as scratch:
        small = Path(scratch, "small.jtl")
        write(small, 1_000)
        return asked([sys.executable, "-m", "benchmarks.loadtest", "--reader", reader, str(small), str(path)])


def asked(command: list[str]) -> Result:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{done.stderr}")
    return Result(*json.loads(done.stdout.splitlines()[-1]))


def measured(reader: str, small: Path, path: Path) -> Result:
    """In this process."""
    READERS[reader](small)
    begin, cpu = time.perf_counter(), time.process_time()
    rows = READERS[reader](path)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    return Result(rows, seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def taurus_python() -> Path:
    """The Python of Taurus's environment, which is made where it is not there."""
    made = sha256(PACKAGES.read_bytes() + sys.version.encode()).hexdigest()[:12]
    environment = folder() / f"loadtest-{made}"
    ready, python = environment / ".ready", environment / "bin" / "python"
    if not ready.exists():
        print(f"Setting up Taurus in {environment} (once, a minute or two)...", file=sys.stderr)
        for step in (
            [sys.executable, "-m", "venv", "--clear", str(environment)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(PACKAGES)],
        ):
            done = subprocess.run(step, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{' '.join(step[1:4])} failed:\n{done.stderr}")
        ready.touch()
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--peers", action="store_true", help="Taurus too")
    parser.add_argument("--taurus-rows", type=int, default=200_000, help="the first rows of the file, for Taurus")
    parser.add_argument("--reader", nargs=3, metavar=("READER", "SMALL", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.reader:
        name, small, file = options.reader
        print(json.dumps(measured(name, Path(small), Path(file))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "results.jtl")
        write(path, options.rows)
        size = path.stat().st_size / 2**20
        results = {name: alone(name, path) for name in READERS}
        if options.peers:
            first = Path(scratch, "first.jtl")
            write(first, min(options.rows, options.taurus_rows))
            results["Taurus"] = asked([str(taurus_python()), "-c", TAURUS, str(first)])
    print(f"{options.rows:,} rows, {size:,.0f} MiB")
    print(f"{'':<8}{'rows':>12}{'seconds':>9}{'of CPU':>8}{'rows/s':>12}{'peak MiB':>10}{'ours is faster by':>19}")
    for name, result in results.items():
        ratio = results["ours"].speed / result.speed
        took = f"{result.seconds:>9.1f}{result.cpu_seconds:>8.1f}{result.speed:>12,.0f}{result.peak_mib:>10,.0f}"
        print(f"{name:<8}{result.rows:>12,}{took}{ratio:>19.1f}")


if __name__ == "__main__":
    main()
