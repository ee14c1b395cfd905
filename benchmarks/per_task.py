"""How well production evidence works: `python -m benchmarks.per_task [--services 60] [--days 91]`.

Simulated services (`tests/demand/per_task/serving.py`: users, weekends, an autoscaler, costs that wander, 5 % of the
minutes full) are judged by what was put into them. Prints, for data of 1, 5 and 60 minutes:

- of services whose requests cost 25 % more from a deploy on (a fifth less capacity), with a day of data after it: how
  many are flagged, how far the date is off, errors of the capacity and how often the intervals hold the truth;
- of whole quarters without a change: how many are accused of one, and how many are told an episode that was none.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/ is beside us, also when this file is run by its path

from capacity.config import Service
from capacity.demand.per_task.production import evidence_of
from tests.demand.per_task.serving import Served, minutes_of, served

WEB = Service(name="web", max_tasks=4000)
USE = WEB.cpu_target / WEB.request_target
DEPLOY_DAY = 14.45
DAY = 1440

#: How restless the cost of a request is, in its minutes and from day to day.
KINDS = {"usual": ((0.03, 0.10), 0.02), "restless": ((0.10, 0.10), 0.05)}


def after_a_deploy(life: Served, every: int) -> dict[str, float]:
    """What a day of data after the deploy tells of each service."""
    flagged, wrong, away, error, costs, held = 0, 0, [], [], [], []
    services = life.rate.shape[1]
    for service in range(services):
        found = evidence_of(minutes_of(life, service, life.deploy + DAY, every), None, WEB)
        lasting = [change for change in found.changes if change.lasted is None]
        at = [change for change in lasting if abs(change.at - life.deployed) <= pd.Timedelta(hours=6)]
        flagged, wrong = flagged + bool(at), wrong + len(lasting) - len(at)
        away += [abs(change.at - life.deployed) / pd.Timedelta(minutes=1) for change in at[:1]]
        error.append(found.task_capacity.requests_per_second / life.carries(USE)[service] - 1)
        newest, cost = found.epochs.iloc[-1], life.cost[service] * life.factor
        costs.append(newest["vcpu_seconds_per_request"] / cost - 1)
        held.append(newest["cost_low"] <= cost <= newest["cost_high"])
    return {
        "flagged": flagged / services,
        "wrong": wrong,
        "minutes off, p50": float(np.median(away)) if away else np.nan,
        "p95": float(np.quantile(away, 0.95)) if away else np.nan,
        "capacity error, p50": float(np.median(np.abs(error))),
        "p95 ": float(np.quantile(np.abs(error), 0.95)),
        "cost error, p50": float(np.median(np.abs(costs))),
        "p95  ": float(np.quantile(np.abs(costs), 0.95)),
        "cost in interval": float(np.mean(held)),
    }


def without_a_change(life: Served, every: int) -> dict[str, float]:
    """How many quiet services are accused."""
    accused, episodes = 0, 0
    services = life.rate.shape[1]
    for service in range(services):
        found = evidence_of(minutes_of(life, service, every=every), None, WEB)
        accused += any(change.lasted is None for change in found.changes)
        episodes += any(change.lasted is not None for change in found.changes)
    return {"service-quarters": services, "accused": accused, "told an episode": episodes}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=60, help="simulated services of each kind")
    parser.add_argument("--days", type=int, default=91, help="length of the time without a change")
    asked = parser.parse_args()
    deployed, quiet = [], []
    for kind, (noise, mix) in KINDS.items():
        days = DEPLOY_DAY + 1.1
        life = served(
            asked.services, days, 1, deploy_day=DEPLOY_DAY, factor=1.25, full_share=0.05, noise=noise, mix=mix
        )
        for every in (1, 5, 60):
            deployed.append({"cost": kind, "minutes": every, **after_a_deploy(life, every)})
        life = served(asked.services, asked.days, 2, full_share=0.05, noise=noise, mix=mix)
        for every in (5, 60):
            quiet.append({"cost": kind, "minutes": every, **without_a_change(life, every)})
    print("A deploy that costs a fifth of the capacity, with one day of data after it, 5 % of minutes full:\n")
    print(pd.DataFrame(deployed).round(3).to_string(index=False))
    print(f"\n{asked.days} days without a change:\n")
    print(pd.DataFrame(quiet).to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
