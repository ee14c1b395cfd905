"""How good the forecasts are on real load: `python -m benchmarks.forecast [--tune] [--models auto,prophet]`.

Reads the sets of CAPACITY_REAL_DATA (default ../shared/data) and prints, for hourly load 168 steps ahead, daily load 91
steps ahead and 5-minute load a day ahead: WQL relative to seasonal naive (geometric mean over series), how often the
central 90 % interval covered, how often the 95 % quantile was exceeded, how often the 95 % quantile of the horizon's
maximum was, and the median seconds per series; in all and by set.

The split of the data: settings were chosen on what `--tune` shows, which is azure_vm_2017_5min, rte_load_hourly,
website_daily, nab_aws_sample and ms_purchases, and of the other sets what lies in the first 70 % of their time. Without
`--tune`, only the last 30 % of the other sets are scored.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from capacity.errors import CapacityError
from capacity.forecasting.backtests import backtest, relative_wql

TUNING = ("azure_vm_2017_5min", "rte_load_hourly", "website_daily", "nab_aws_sample", "ms_purchases")
REPORTING = ("bike_hourly", "ms_service_rps_5min", "nyc_taxi", "pedestrians_covid_daily", "wiki_daily_prophet")
DAILY = ("bike_hourly", "nyc_taxi", "rte_load_hourly", "website_daily", "pedestrians_covid_daily", "wiki_daily_prophet")

#: Task: the grid, steps ahead, the sets, and how many origins a series has.
TASKS = {
    "hourly/168": ("1h", 168, ("azure_vm_2017_5min", "bike_hourly", "ms_purchases", "nyc_taxi", "rte_load_hourly"), 6),
    "daily/91": ("1d", 91, DAILY, 6),
    "5min/288": ("5min", 288, ("azure_vm_2017_5min", "ms_service_rps_5min", "nab_aws_sample"), 3),
}


def series_of(folder: Path, grid: str) -> Iterator[pd.Series]:
    """Each series of a set on the task's grid: means of finer values, and a gap where less than half was measured."""
    frame = pd.read_csv(folder / "data.csv.gz", parse_dates=["timestamp"])
    for name, part in frame.groupby("series_id"):
        values = part.set_index("timestamp")["value"].sort_index()
        parts = values.resample(pd.Timedelta(grid) if grid != "1d" else "D")
        counts = parts.count()
        yield parts.mean().where(counts * 2 >= max(1, counts.max())).rename(f"{folder.name}/{name}")


def cutoffs(length: int, steps: int, origins: int, name: str, tune: bool) -> list[int]:
    """Where origins lie: in the last 30 % to report; to tune, in the last half of all, or of the first 70 %."""
    first, end = (0.7 * length, length) if not tune else (0.35 * length, 0.7 * length)
    if tune and name in TUNING:
        first, end = 0.5 * length, length
    last = int(end) - steps
    start = min(int(first), last)
    if start < length * 0.15 or start < 2:
        return []
    return sorted({round(place) for place in np.linspace(start, last, origins)})


def scored(task: str, models: list[str], root: Path, tune: bool) -> pd.DataFrame:
    """`schema.SCORES` of every series and origin of a task, with its set."""
    grid, steps, names, origins = TASKS[task]
    frames = []
    for name in names:
        if not tune and name in TUNING:
            continue
        for series in series_of(root / name, grid):
            for cutoff in cutoffs(len(series), steps, origins, name, tune):
                try:
                    found = backtest(series.iloc[: cutoff + steps], models, steps, windows=1)
                except CapacityError as error:
                    print(f"  {series.name} at {cutoff}: {error}", file=sys.stderr)
                    continue
                frames.append(found.frame.assign(set=name))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a model: all sets, then each."""
    relative = relative_wql(frame)
    rows = []
    for model, part in frame.groupby("model"):
        weights = part["steps"]
        row = {
            "model": model,
            "rel WQL": np.exp(np.log(relative[model].dropna()).mean()),
            "covers": 100 * np.average(part["coverage"], weights=weights),
            "P95 exc": 100 * np.average(part["exceeded"], weights=weights),
            "peak exc": 100 * (part["peak_ratio"] > 1).mean(),
            "median s": part["seconds"].median(),
        }
        for name in frame["set"].unique():
            inside = relative.index.get_level_values("service").str.startswith(name + "/")
            row[name.split("_")[0] + "_" + name.split("_")[1][:3]] = np.exp(
                np.log(relative[model][inside].dropna()).mean()
            )
        rows.append(row)
    return pd.DataFrame(rows).sort_values("rel WQL", ignore_index=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tune", action="store_true", help="score the tuning part instead of the reporting part")
    parser.add_argument("--models", default="auto,harmonic,profile,ets,sarimax,boosting,prophet")
    parser.add_argument("--tasks", default=",".join(TASKS))
    asked = parser.parse_args()
    root = Path(os.environ.get("CAPACITY_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not root.is_dir():
        print(f"no real data at {root}: set CAPACITY_REAL_DATA to the folder that holds the sets", file=sys.stderr)
        return 1
    for task in asked.tasks.split(","):
        started = time.perf_counter()
        frame = scored(task, asked.models.split(","), root, asked.tune)
        if len(frame):
            series, tests = frame["service"].nunique(), frame.groupby(["service", "cutoff"]).ngroups
            part = "tuning" if asked.tune else "reporting"
            print(f"\n{task}, {part} part: {series} series, {tests} tests, {time.perf_counter() - started:.0f} s")
            print(table(frame).round(3).to_string(index=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
