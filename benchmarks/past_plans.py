"""How right plans of the past have been: `python -m benchmarks.past_plans [--keep]`, a minute.

At three days in the past the sample fleet is planned from what was known then, six weeks ahead, and kept; `review`
holds the three plans against what monitoring saw since. The sample is generated: the figures say whether the chain is
calibrated where nothing unheard-of happens, and no more.
"""

from __future__ import annotations

import argparse
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.kept import Result, Table
from capacity import load_config
from capacity.demand import estimate_demand
from capacity.forecasting import forecast
from capacity.planning import plan
from capacity.reviewing import Review, Snapshot, review
from capacity.samples import load_sample, sample_path

#: Mondays six weeks apart, the last of them six weeks before the sample ends: the plans do not overlap.
CUTOFFS: Final = ("2026-07-13", "2026-08-24", "2026-10-05")
HORIZON: Final = "42d"
#: Levels that a plan is held to.
LEVELS: Final = (0.5, 0.9, 0.95, 0.99)


def reviewed() -> Review:
    """The three plans of the sample, made then, beside what happened."""
    config = load_config(sample_path() / "capacity.toml")
    goal = config.goal.model_copy(update={"horizon": HORIZON})
    settings = config.model_copy(update={"goal": goal})
    history = load_sample()
    demand = estimate_demand(history, settings.service, interval="1h")
    snapshots = []
    for cutoff in CUTOFFS:
        known = demand.until(pd.Timestamp(cutoff, tz="UTC"))
        told: Any = {"services": settings.service, "events": settings.event}
        ahead = forecast(known, HORIZON, model=settings.forecast.model, paths=400, seed=0, **told)
        made = plan(ahead, settings.service, goal=goal, prices=settings.prices, accounts=settings.account)
        snapshots.append(Snapshot.of(made))
    return review(snapshots, history)


def result(found: Review) -> Result:
    """The review as tables of the page."""
    return Result(
        name="past_plans",
        question="Were plans of the past right?",
        command="python -m benchmarks.past_plans --keep",
        about=f"The sample fleet, ten services of known truth, planned on {', '.join(CUTOFFS)} for {HORIZON} each, and "
        "held against what monitoring saw. Bounds hold nineteen times in twenty; thousands of hours of three plans are "
        "far fewer independent observations, and the bounds know it.",
        tables=[
            _shares("How often demand was above a quantile, by the hour", found.coverage),
            _shares("How often the highest hour of a day was above its quantile", found.peaks.query("window == 'day'")),
            _parts(found),
        ],
    )


def _shares(title: str, table: pd.DataFrame) -> Table:
    fleet = table[(table["service"] == "(fleet)") & table["level"].isin(LEVELS)]
    rows = [
        (
            str(row.metric),
            f"{100 * row.level:.3g} %",
            f"{100 * row.promised:.3g} %",
            f"{100 * row.exceeded:.1f} %",
            f"{100 * row.low:.1f} to {100 * row.high:.1f} %",
            str(row.verdict),
        )
        for row in fleet.itertuples()
    ]
    return Table(title, ("of", "quantile", "promised above", "was above", "bounds", "verdict"), rows)


def _parts(found: Review) -> Table:
    rows = [(str(row.service), *(_hours(row, name) for name in SPLIT)) for row in found.frame.itertuples()]
    return Table(f"Task-hours of the plan of {CUTOFFS[-1]}, from planned to actual", ("service", *SPLIT), rows)


#: The columns of the review in the order of the sum, and those that are differences.
SIGNED: Final = ("margin", "demand", "capacity", "policy")
SPLIT: Final = ("planned", "margin", "expected", "demand", "capacity", "policy", "actual")


def _hours(row: Any, name: str) -> str:
    value = getattr(row, name)
    return "not known" if np.isnan(value) else f"{value:{'+' if name in SIGNED else ''},.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/past_plans.json")
    asked = parser.parse_args()
    found = result(reviewed())
    for table in found.tables:
        print(f"\n{table.title}\n{pd.DataFrame(table.rows, columns=list(table.columns)).to_string(index=False)}")
    if asked.keep:
        print(found.keep())


if __name__ == "__main__":
    main()
