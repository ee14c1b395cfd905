"""Is a commitment sized on paths better than one that looks back? `python -m benchmarks.commitments [--tuning]`.

Rolling windows over real traces ($CAPACITY_REAL_DATA): at each cutoff a Savings Plan (no upfront; one year at 20 % off,
three at 45 %) is sized for the days that follow, by the public road: forecast, plan, `plan.commitment(over=...)`. It is
judged on the days that followed: whole tasks follow the trace, and every hour costs the commitment and what it does
not cover. Beside it, from the same days: the amount that hindsight would have chosen, AWS's rule (the amount that would
have saved most over the last 7, 30 and 60 days), and none. `known` is no rule: it takes the hours of the last four
weeks and the mean load of the window itself, and so shows how often a forecast that knows the level would be below
looking back. Each trace is also run growing by half a year on year, and falling to half.

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

#: Term -> Savings Plans price over on-demand price: no upfront, x86.
RATIOS = {"1 y": 0.8, "3 y": 0.55}
#: Costs that differ by less than this share are the same.
SAME = 0.001

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


def spent(tasks: np.ndarray, covered: float, ratio: float) -> float:
    """Mean cost an interval, in tasks on demand: `covered` tasks at the plan's price, the rest on demand."""
    return float(ratio * covered + np.maximum(tasks - covered, 0).mean())


def hindsight(tasks: np.ndarray, ratio: float) -> float:
    """Tasks to cover at least cost: one by one, while the next is in use more often than its price."""
    counts = np.arange(int(tasks.max()) + 1)
    used = (tasks[:, None] > counts[None]).mean(axis=0)
    return float((used > ratio).sum())


def judged(past: pd.Series, future: pd.Series, days: int) -> Iterator[dict[str, str | float]]:
    """Cost of each rule over that of hindsight, for each term."""
    per_day = round(pd.Timedelta(days=1) / past.index.freq)
    carries = float(np.nanquantile(past.iloc[-LEAST * per_day :], 0.95)) / TASKS
    service = Service(
        name="trace", requests_per_second_per_task=carries, request_target=1.0, startup_seconds=0, max_tasks=5000
    )
    bare = Goal(survive_zone_loss=False, survive_deployment=False)
    plan = capacity.plan(capacity.forecast(past, f"{days}d", paths=200, model="auto"), service, goal=bare)
    task = float(plan.rates[0].vcpu * service.task_vcpu + plan.rates[0].memory_gb * service.task_memory_gib)

    def tasks(load: pd.Series) -> np.ndarray:
        known = load.dropna().to_numpy()
        return np.maximum(np.ceil(known / carries - 1e-6), service.min_tasks)

    after, lately = tasks(future), past.iloc[-28 * per_day :]
    for term, ratio in RATIOS.items():
        found = plan.commitment(over=f"{days}d", term_years=int(term[0]))
        rules = {"paths": found.usd_per_hour / ratio / task, "none": 0.0}
        rules |= {f"back {back}": hindsight(tasks(past.iloc[-back * per_day :]), ratio) for back in LOOK_BACKS}
        rules["known"] = hindsight(tasks(lately * float(future.mean() / lately.mean())), ratio)
        best = spent(after, hindsight(after, ratio), ratio)
        yield {"term": term, **{name: spent(after, covered, ratio) / best - 1 for name, covered in rules.items()}}


def table(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Mean cost of each rule above hindsight in %; share of windows, in %, in which paths and `known` are below."""
    keys = [rows[name] for name in by]
    groups = rows.groupby(by, sort=False)
    shown = (groups[["paths", *(f"back {back}" for back in LOOK_BACKS), "none", "known"]].mean() * 100).round(2)
    shown["median"] = (groups["paths"].median() * 100).round(2)
    for back in LOOK_BACKS:
        less = rows[f"back {back}"] - rows["paths"]
        for name, true in {
            f"<{back}": less > 1e-9,
            f"<={back}": less > -SAME,
            f"known<{back}": rows["known"] < rows[f"back {back}"] - 1e-9,
        }.items():
            shown[name] = (true.groupby(keys, sort=False).mean() * 100).round().astype(int)
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
                    where = {"set": name, "series": series, "variant": variant, "days": days}
                    rows += [{**where, **found} for found in judged(past, future, days)]
    frame = pd.DataFrame(rows)
    print(
        "Mean cost above hindsight in %, the median of paths, and the share of windows (in %) in which paths cost less "
        f"than looking back 7, 30, 60 days (<), or at most {SAME:.1%} more (<=), and in which `known` does"
    )
    with pd.option_context("display.width", 250, "display.max_columns", 30):
        for by in ("set", "variant", None):
            print(table(frame, ["term", "days", *([] if by is None else [by])]).to_string(), "\n")
    count = len(frame) // len(RATIOS)
    print(f"{count} windows in {time.perf_counter() - begin:.0f} s; {'tuning' if asked.tuning else 'report'} part")
    return 0


if __name__ == "__main__":
    sys.exit(main())
