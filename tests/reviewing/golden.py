"""Plans in the formats that were ever written: `python -m tests.reviewing.golden` writes one in today's.

It refuses to write over a file that is there: what a version wrote is what later ones have to open.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from capacity.config import Config, Event, ForecastSettings, Goal, Service
from capacity.forecasting import forecast
from capacity.planning import plan
from capacity.reviewing import Snapshot
from capacity.reviewing.formats import newest
from capacity.scaling import recommend_policy
from tests.makers import daily_wave, hourly, make_demand

FOLDER: Final = Path(__file__).parents[1] / "golden"


def golden() -> Snapshot:
    """One service, three weeks of hours with a gap, a sale to come, seven days planned and a policy rehearsed."""
    times = hourly(21)
    load = daily_wave(times, 300) * np.exp(0.05 * np.random.default_rng(3).standard_normal(len(times)))
    load[40:44] = np.nan
    demand = make_demand({("checkout", "requests"): load}, times, burst=1.3)
    service = Service(name="checkout", requests_per_second_per_task=50, zones=3, max_tasks=12, owner="Shop team")
    config = Config(
        goal=Goal(horizon="7d"),
        forecast=ForecastSettings(model="profile", paths=60, seed=3),
        event=(Event(name="sale", start="2026-08-27", uplift=1.5),),
        service=(service,),
    )
    drawn = forecast(demand, "7d", model="profile", paths=60, seed=3, services=[service], events=config.event)
    planned = plan(drawn, config)
    policy = recommend_policy(planned, demand=demand, seed=3)
    return Snapshot.of(planned, config, demand=demand, policy=policy, created_at="2026-08-24T09:00Z")


def main() -> None:
    path = FOLDER / f"format-{newest()}.plan"
    if path.exists():
        raise SystemExit(f"{path} is there already")
    print(golden().save(path))


if __name__ == "__main__":
    main()
