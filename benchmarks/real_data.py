"""The main job on real traces: every set in $CAPACITY_REAL_DATA goes through read, forecast, plan and report.

Prints one line a set: services, steps, seconds, decisions, findings that failed; reports go to build/real/SET/.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from capacity.config import Config, load_config
from capacity.fleet import Chain

ROOT = Path(__file__).parent.parent
CONFIGS = sorted((ROOT / "benchmarks/real").glob("*.toml"))


def real_data() -> Path:
    """Where the real traces are: $CAPACITY_REAL_DATA, by default ../shared/data beside the checkout."""
    return Path(os.environ.get("CAPACITY_REAL_DATA", ROOT.parent / "shared/data"))


def history_of(config: Path) -> Path:
    """The file a configuration is for: the two nab_aws ones share a set, every other is named like its set."""
    name = "nab_aws_sample" if config.stem.startswith("nab_aws") else config.stem
    return real_data() / name / "data.csv.gz"


def chain_of(config: Path, *, paths: int | None = None) -> Chain:
    settings: Config = load_config(config)
    if paths is not None:
        settings = settings.model_copy(update={"forecast": settings.forecast.model_copy(update={"paths": paths})})
    return Chain(settings, source=history_of(config))


def main() -> int:
    if not real_data().is_dir():
        print(f"No real traces at {real_data()}: set CAPACITY_REAL_DATA to the folder that holds them.")
        return 0
    print(f"{'set':<26}{'services':>9}{'steps':>7}{'seconds':>9}{'decisions':>11}{'FAIL findings':>15}")
    for config in CONFIGS:
        begin = time.perf_counter()
        chain = chain_of(config)
        chain.report.save_all(ROOT / "build/real" / config.stem)
        seconds = time.perf_counter() - begin
        failed = sum(finding.status == "FAIL" for finding in chain.plan.findings)
        counts = f"{len(chain.plan.services):>9}{len(chain.forecast.times):>7}{seconds:>9.1f}"
        print(f"{config.stem:<26}{counts}{len(chain.plan.decisions):>11}{failed:>15}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
