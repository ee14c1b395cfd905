"""Is a commitment sized on paths better than one that looks back? `python -m benchmarks.commitments [--tuning]`.

Rolling windows over real traces ($CAPACITY_REAL_DATA): at each cutoff a Savings Plan (1 year, no upfront, 20 % off) is
sized for the days that follow, by the public road: forecast, plan, `plan.commitment(over=...)`. It is judged on the
days that followed: whole tasks follow the trace, and every hour costs the commitment and what it does not cover. Beside
it, from the same days: the amount that hindsight would have chosen, AWS's rule (the amount that would have saved most
over the last 7, 30 and 60 days), and none. Each trace is also run growing by half a year on year, and falling to half.

Judge, hindsight and look-back are written here from the definition, and use none of the project's own arithmetic.
Reported is the part of the traces that nothing was tuned on (the last 30 % of each); `--tuning` shows the other part.
Series of days tell nothing of quiet hours: on them all rules are judged by days.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd

import capacity
from benchmarks.real_data import real_data
from capacity.config import Goal, Service

#: Savings Plans price over on-demand price: 1 year, no upfront, x86.
RATIO = 0.8

#: Set -> whether it was tuned on as a whole; of the others the first 70 % were.
SETS = {
    "rte_load_hourly": True,
    "website_daily": True,
    "bike_hourly": False,
    "nyc_taxi": False,
    "wiki_daily_prophet": False,
    "pedestrians_covid_daily": False,
}
TUNED = 0.7
#: Growth a year of each variant.
VARIANTS = {"as it was": 1.0, "growing": 1.5, "declining": 0.5}
LOOK_BACKS = (7, 30, 60)
#: Days known at least, and at most, at a cutoff.
LEAST, MOST = 60, 730
#: The busiest twentieth of the last 60 days needs so many tasks.
TASKS = 200


def traces(names: list[str]) -> Iterator[tuple[str, str, pd.Series]]:
    for name in names:
        frame = pd.read_csv(real_data() / name / "data.csv.gz", parse_dates=["timestamp"])
        for series, rows in frame.groupby("series_id"):
            values = rows.set_index("timestamp")["value"]
            yield name, str(series), values.asfreq(values.index[1] - values.index[0])


def windows(trace: pd.Series, days: int, tuning: bool, whole: bool) -> Iterator[tuple[pd.Series, pd.Series]]:
    """(past, future) pairs, one every `days`; in the part that was tuned on, or after it."""
    per_day = round(pd.Timedelta(days=1) / trace.index.freq)
    split = len(trace) if whole else round(TUNED * len(trace))
    first, last = (LEAST * per_day, split) if tuning else (max(split, LEAST * per_day), len(trace))
    for cut in range(first, last - days * per_day + 1, days * per_day):
        yield trace.iloc[max(0, cut - MOST * per_day) : cut], trace.iloc[cut : cut + days * per_day]


def spent(tasks: np.ndarray, covered: float) -> float:
    """Mean cost an interval, in tasks on demand: `covered` tasks at the plan's price, the rest on demand."""
    return float(RATIO * covered + np.maximum(tasks - covered, 0).mean())


def hindsight(tasks: np.ndarray) -> float:
    """Tasks to cover at least cost: one by one, while the next is in use more often than its price."""
    counts = np.arange(int(tasks.max()) + 1)
    used = (tasks[:, None] > counts[None]).mean(axis=0)
    return float((used > RATIO).sum())


def judged(past: pd.Series, future: pd.Series, days: int) -> dict[str, float]:
    """Cost of each rule over that of hindsight."""
    per_day = round(pd.Timedelta(days=1) / past.index.freq)
    carries = float(np.nanquantile(past.iloc[-LEAST * per_day :], 0.95)) / TASKS
    service = Service(
        name="trace", requests_per_second_per_task=carries, request_target=1.0, startup_seconds=0, max_tasks=5000
    )
    bare = Goal(survive_zone_loss=False, survive_deployment=False)
    plan = capacity.plan(capacity.forecast(past, f"{days}d", paths=200, model="auto"), service, goal=bare)
    found = plan.commitment(over=f"{days}d")
    task = float(plan.rates[0].vcpu * service.task_vcpu + plan.rates[0].memory_gb * service.task_memory_gib)

    def tasks(load: pd.Series) -> np.ndarray:
        known = load.dropna().to_numpy()
        return np.maximum(np.ceil(known / carries - 1e-6), service.min_tasks)

    after = tasks(future)
    best = spent(after, hindsight(after))
    rules = {"paths": found.usd_per_hour / RATIO / task, "none": 0.0}
    rules |= {f"back {back}": hindsight(tasks(past.iloc[-back * per_day :])) for back in LOOK_BACKS}
    return {name: spent(after, covered) / best - 1 for name, covered in rules.items()} | {"best": best}


def table(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    groups = rows.groupby(by, sort=False)
    shown = groups[["paths", *(f"back {back}" for back in LOOK_BACKS), "none"]].mean() * 100
    shown = shown.add_suffix(" %").round(2)
    shown["median %"] = (groups["paths"].median() * 100).round(2)
    for back in LOOK_BACKS:
        below = rows["paths"] < rows[f"back {back}"] - 1e-9
        shown[f"below {back}"] = below.groupby([rows[name] for name in by], sort=False).mean().round(2)
    shown.insert(0, "windows", groups.size())
    return shown


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--tuning", action="store_true", help="show the part that was tuned on instead")
    parser.add_argument("--days", type=int, nargs="*", default=[30, 91, 365], help="how far to commit")
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    asked = parser.parse_args()
    if not real_data().is_dir():
        print(f"No real traces at {real_data()}: set CAPACITY_REAL_DATA to the folder that holds them.")
        return 0
    warnings.simplefilter("ignore")
    begin, rows = time.perf_counter(), []
    for name, series, trace in traces([one for one in asked.sets if asked.tuning or not SETS[one]]):
        for variant, growth in VARIANTS.items():
            years = (trace.index - trace.index[0]) / pd.Timedelta(days=365.25)
            for days in asked.days:
                for past, future in windows(trace * growth**years, days, asked.tuning, SETS[name]):
                    found = judged(past, future, days)
                    rows.append({"set": name, "series": series, "variant": variant, "days": days, **found})
    frame = pd.DataFrame(rows)
    print(
        "Mean cost above hindsight, and the share of windows in which paths cost less than looking back 7, 30, 60 days"
    )
    with pd.option_context("display.width", 200, "display.max_columns", 30):
        print(table(frame, ["days", "set"]).to_string(), "\n")
        print(table(frame, ["days", "variant"]).to_string(), "\n")
        print(table(frame, ["days"]).to_string())
    print(
        f"\n{len(frame)} windows in {time.perf_counter() - begin:.0f} s; {'tuning' if asked.tuning else 'report'} part"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
