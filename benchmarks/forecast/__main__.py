"""How good the forecasts are on real load, beside the best that others offer.

    python -m benchmarks.forecast                     ours, on the reporting part
    python -m benchmarks.forecast --tune              on the tuning part: the only one to choose settings by
    python -m benchmarks.forecast --peers             sets the peers up (once) and asks them too
    python -m benchmarks.forecast --speed             CPU time a series, then 3,000 series in one call
    python -m benchmarks.forecast --m4 FOLDER         M4 Hourly, from the competition's files

Reads the sets of CAPACITY_REAL_DATA (default ../shared/data). The split of the data, by series and by time: tuning is
azure_vm_2017_5min, rte_load_hourly, website_daily, nab_aws_sample and ms_purchases in full, and the first 70 % (by
time) of bike_hourly, ms_service_rps_5min, nyc_taxi, pedestrians_covid_daily and wiki_daily_prophet; reporting is the
last 30 % of these. tasks.py says where the origins lie.

Ours are asked as a user would, `capacity.forecast(series, horizon=H, levels=...)`, anew in every run. Peers have
library defaults and are asked once: their answers are kept on disk and shown in every later run. Losses are relative
to statsforecast's SeasonalNaive with its own intervals (168 hours, 7 days, 288 five minutes), as geometric means over
tests; the interval of 95 % is drawn over series. A test that a model failed is counted, never dropped.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pandas as pd

from benchmarks.forecast import m4, naive, ours, peers, speed
from benchmarks.forecast.peers_worker import PEERS
from benchmarks.forecast.scoring import score
from benchmarks.forecast.tables import accuracy, beside, by_set, printed, tails
from benchmarks.forecast.tasks import TASKS, Answer, Window, windows
from benchmarks.real_data import real_data
from capacity.errors import CapacityError


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.forecast", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tune", action="store_true", help="score the tuning part instead of the reporting part")
    parser.add_argument("--models", default="auto,seasonal-naive", help="ours, by name ('' for none)")
    parser.add_argument("--peers", action="store_true", help="install the peers where they are not, and ask them")
    parser.add_argument("--only", help=f"only these peers, by name ('' for none): {', '.join(PEERS)}")
    parser.add_argument("--tasks", default=",".join(TASKS), help="%(default)s")
    parser.add_argument("--origins", type=int, default=2, help="cutoffs a series, at most")
    parser.add_argument("--rows", type=Path, help="also write one row a test and model to this CSV file")
    parser.add_argument("--speed", action="store_true", help="measure time and memory on generated load instead")
    parser.add_argument("--series", type=int, default=3000, help="with --speed: how many in the one call")
    parser.add_argument("--m4", type=Path, metavar="FOLDER", help="score M4 Hourly instead")
    asked = parser.parse_args()
    asked.tasks, asked.models = _listed(asked.tasks), _listed(asked.models)
    asked.only = list(PEERS) if asked.only is None else _listed(asked.only)
    if unknown := {*asked.tasks} - {*TASKS} or {*asked.only} - {*PEERS}:
        parser.error(f"there is no {', '.join(sorted(unknown))}; tasks and peers are listed by --help")
    return asked


def _listed(names: str) -> list[str]:
    return [name for name in names.split(",") if name]


def answers_of(tests: list[Window], asked: argparse.Namespace, *, ask: bool) -> dict[tuple[int, str], Answer]:
    """Ours anew, and of the peers those that answered every test; the others are named."""
    grid = tests[0].task.grid
    wanted = [name for name in peers.peers_for(grid) if name in asked.only]
    theirs = peers.answers(tests, wanted, ask=ask)
    known = {name: sum(name == peer for _, peer in theirs) for name in wanted}
    missing = [f"{name} ({len(tests) - count} of {len(tests)})" for name, count in known.items() if count < len(tests)]
    if missing:
        print(f"not shown, for tests without an answer: {', '.join(missing)}; --peers asks them")
    found = ours.answers(tests, asked.models)
    shown = {key: said for key, said in theirs.items() if known[key[1]] == len(tests)}
    return {(number, f"capacity {model}"): said for (number, model), said in found.items()} | shown


def show(rows: pd.DataFrame, title: str) -> None:
    """The tables of one task, or of all together."""
    best = accuracy(rows)
    order = list(best["model"])
    tests = rows.groupby(["task", "series", "cutoff"]).ngroups
    print(f"\n{title}: {tests} tests of {rows['series'].nunique()} series\n\n{printed(best)}")
    print("\nshares in %, pooled over intervals; P95>d7: above P95 on the 7th day ahead")
    print(printed(tails(rows, order), 1))
    print(f"\nrelative WQL by set\n{printed(by_set(rows, order))}")
    mine = [name for name in order if name.startswith("capacity ")]
    others = [name for name in order if not name.startswith("capacity ")]
    if mine and others:
        print("\n" + beside(rows, mine[0], others[0]))
    answered = rows[rows["error"] == ""]
    if perfect := answered[answered["relative"].isna()].groupby(["task", "series", "cutoff"]).ngroups:
        print(f"{perfect} tests have no relative loss: seasonal naive had none there")
    failures = rows[rows["error"] != ""]
    for (model, error), part in failures.groupby(["model", "error"]):
        print(f"FAILED: {model} on {len(part)} tests ({part['series'].iloc[0]}, ...): {error.splitlines()[0]}")


def measure(asked: argparse.Namespace, *, ask: bool) -> int:
    root, part = real_data(), "tuning" if asked.tune else "reporting"
    if not root.is_dir():
        print(f"No real traces at {root}: set CAPACITY_REAL_DATA to the folder that holds them.")
        return 0
    frames = []
    for name in asked.tasks:
        tests = list(windows(TASKS[name], root, tune=asked.tune, origins=asked.origins))
        if not tests:
            print(f"\n{name}, {part} part: no series is long enough")
            continue
        rows = score(tests, answers_of(tests, asked, ask=ask))
        if len(rows):
            show(rows, f"{name}, {part} part")
            frames.append(rows)
    if len(frames) > 1:
        rows = pd.concat(frames, ignore_index=True)
        everywhere = rows.groupby("model")["task"].nunique() == len(frames)
        show(rows[rows["model"].map(everywhere)], f"all tasks, {part} part, models asked of all")
    if asked.rows and frames:
        pd.concat(frames, ignore_index=True).to_csv(asked.rows, index=False)
    return 0


def measure_m4(asked: argparse.Namespace, *, ask: bool) -> int:
    try:
        tests = m4.windows(asked.m4)
    except CapacityError as error:
        print(error, file=sys.stderr)
        return 1
    found = {(number, "seasonal naive (24)"): naive.answer(test) for number, test in enumerate(tests)}
    found |= answers_of(tests, asked, ask=ask)
    print(f"\nM4 Hourly: {len(tests)} series, {m4.M4.horizon} ahead")
    print(m4.table(tests, found).round(4).to_string(index=False))
    print(f"MASE of seasonal naive must be {m4.NAIVE_MASE} on the official 414 series")
    return 0


def main() -> int:
    if any(os.environ.get(name) != "1" for name in peers.ONE_THREAD):  # read by libraries when they are loaded
        command = [sys.executable, "-m", "benchmarks.forecast", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | peers.ONE_THREAD)
    asked = arguments()
    ask = asked.peers
    if ask and (why := peers.install()):
        print(f"The peers could not be installed, and are not asked: {why}")
        ask = False
    if asked.speed:
        speed.report(asked.models, count=asked.series, ask=ask)
        return 0
    return measure_m4(asked, ask=ask) if asked.m4 else measure(asked, ask=ask)


if __name__ == "__main__":
    raise SystemExit(main())
