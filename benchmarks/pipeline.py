"""Time and peak memory of every stage of the main job, over the sample fleet or `--config` of your own.

Each stage's time excludes the stages before it. Memory is the process's resident set, sampled while the stage runs,
so a stage also carries what earlier stages keep. `import pandas` is timed beside, in its own process, as the yardstick
for this machine.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from capacity.config import load_config
from capacity.fleet import Chain

ROOT = Path(__file__).parent.parent


def resident_mib() -> float:
    """Resident memory of this process in MiB, now; where there is no /proc, the largest so far."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Peak:
    """Largest resident memory between two stages, sampled every 20 ms."""

    def __init__(self) -> None:
        self.stage, self.peaks = "start", {"start": resident_mib()}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def begin(self, stage: str) -> None:
        self.stage = stage

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.peaks[self.stage] = max(self.peaks.get(self.stage, 0.0), resident_mib())

    def end(self) -> dict[str, float]:
        self._stop.set()
        self._thread.join()
        return self.peaks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=ROOT / "data/samples/capacity.toml")
    config = load_config(parser.parse_args().config)

    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import pandas"], check=True)
    yardstick = time.perf_counter() - begin

    peak = Peak()
    chain = Chain(config, started=peak.begin)
    begin = time.perf_counter()
    report = chain.report
    peak.begin("files")
    with tempfile.TemporaryDirectory() as folder:
        files_begin = time.perf_counter()
        paths = report.save_all(folder)
        chain.seconds["files"] = time.perf_counter() - files_begin
        sizes = {path.name: path.stat().st_size / 2**20 for path in paths}
    total = time.perf_counter() - begin
    peaks = peak.end()

    print(f"{'stage':<12}{'seconds':>9}{'x import pandas':>17}{'peak MiB':>10}")
    for stage, seconds in chain.seconds.items():
        print(f"{stage:<12}{seconds:>9.2f}{seconds / yardstick:>17.1f}{peaks.get(stage, float('nan')):>10.0f}")
    print(f"{'total':<12}{total:>9.2f}{total / yardstick:>17.1f}{max(peaks.values()):>10.0f}")
    print(", ".join(f"{name} {size:.1f} MiB" for name, size in sizes.items()))


if __name__ == "__main__":
    main()
