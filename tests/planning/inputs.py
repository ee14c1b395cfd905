"""Forecasts written out by hand: explicit paths, a short measured past, nothing computed by the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from capacity.config import Account, Config, Goal, PriceSettings, Rate, Service
from capacity.findings import Finding, Findings
from capacity.forecasting.forecasts import Forecast
from capacity.planning import Plan, plan
from tests.makers import make_demand

CUTOFF = pd.Timestamp("2026-11-23T00:00Z")  # a Monday


def forecast_of(
    paths: Mapping[tuple[str, str], object],
    *,
    interval: str = "1h",
    past: float = 1.0,
    findings: tuple[Finding, ...] = (),
) -> Forecast:
    """A forecast of these (P, H) paths after two days in which every series stood at `past`."""
    step = pd.Timedelta(interval)
    length = max(2, round(pd.Timedelta(days=2) / step))
    times = pd.date_range(end=CUTOFF - step, periods=length, freq=step, unit="us")
    demand = make_demand({key: np.full(length, past) for key in paths}, times)
    stack: np.ndarray = np.array([np.atleast_2d(np.asarray(path, dtype=float)) for path in paths.values()])
    return Forecast(
        past=demand,
        times=pd.date_range(CUTOFF, periods=stack.shape[-1], freq=step, unit="us"),
        paths=stack,
        models=("hand-made",) * len(paths),
        findings=Findings.of(findings),
    )


def cpu_forecast(path: object, name: str = "web", *, interval: str = "1h") -> Forecast:
    """One service's vCPU paths."""
    return forecast_of({(name, "cpu"): path}, interval=interval)


def as_they_are(forecast: Forecast) -> np.ndarray:
    """Peaks for tests whose paths already are the largest need inside each interval."""
    return forecast.paths


def planned(
    forecast: Forecast,
    service: Service | list[Service] | Config,
    *,
    goal: Goal | None = None,
    prices: PriceSettings | Rate | list[Rate] | None = None,
    accounts: tuple[Account, ...] = (),
) -> Plan:
    """The plan of paths that are peaks already."""
    return plan(forecast, service, goal=goal, prices=prices, accounts=accounts, peaks=as_they_are)


def censored(forecast: Forecast, share: float) -> Forecast:
    """The same forecast, made from a past whose last `share` of intervals ran at capacity."""
    past = forecast.past
    late = np.arange(len(past.times)) >= round((1 - share) * len(past.times))
    marks = np.tile(late, (len(past.keys), 1))
    return replace(forecast, past=replace(past, censored=marks))


def plain(name: str = "web", **settings: object) -> Service:
    """A service of which one task carries exactly one vCPU; nothing is added for start-up."""
    fields: dict[str, object] = {"cpu_target": 1.0, "startup_seconds": 0, "max_tasks": 5000, "min_tasks": 0}
    return Service(name=name, **{**fields, **settings})


#: Survive nothing: counts are what load alone asks for.
BARE = Goal(survive_zone_loss=False, survive_deployment=False)
