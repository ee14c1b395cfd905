"""The plan again, with something different: the same futures, the planner's own steps, one table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import Config, Scenario
from capacity.errors import InputError
from capacity.findings import Finding, Findings
from capacity.planning.matching import Asked
from capacity.planning.planner import peaks_of, planned
from capacity.planning.plans import Plan
from capacity.planning.prices import HOURS_PER_MONTH
from capacity.planning.scenarios.answer import ALL, WhatIf
from capacity.planning.scenarios.cases import AS_IS, Case, Given, cases, check
from capacity.planning.scenarios.changes import assumptions, settings
from capacity.planning.scenarios.loads import BasePeaks, apply, loads
from capacity.schema import WHAT_IF

#: Quantiles over the futures that `low` and `high` are: a central 90 %.
_BAND: Final = (0.05, 0.95)


def what_if(plan: Plan, scenarios: Scenario | Iterable[Given] | Config, among: Iterable[Scenario] = ()) -> WhatIf:
    """The plan as it is and in each scenario, side by side.

    scenarios  one Scenario, several, or a Config, of which it is all `[[scenario]]`; a tuple happens together
    among      scenarios that `combines` may name, beside those asked for

    Every scenario is planned from the paths of the plan's own forecast, with the same draws of what is inside an
    interval and of what a task carries: path p of two scenarios is one future, and differences are computed path by
    path. Load that a scenario multiplies keeps the ratio of its busiest minute to its mean. A scenario that changes
    nothing gives the same plan, byte for byte; the order of scenarios, and of those in a tuple, does not matter.
    Raises InputError, naming everything wrong, for services that are not planned and settings that cannot be.

    >>> from capacity.config import Service
    >>> from capacity.forecasting import forecast
    >>> from capacity.planning import plan
    >>> steady = pd.Series(850.0, index=pd.date_range("2026-01-05", periods=336, freq="h"))
    >>> web = Service(name="web", requests_per_second_per_task=50, zones=3, max_tasks=40)
    >>> found = what_if(plan(forecast(steady, 24), web), [Scenario(name="a fifth more", growth="20%")])
    >>> found.frame[["scenario", "tasks", "more_tasks"]].to_numpy().tolist()
    [['as is', 27.0, 0.0], ['a fifth more', 32.0, 5.0]]
    """
    ask = plan.asked
    if ask is None:
        raise InputError("this plan does not hold what was asked", advice="Make it with capacity.plan(...).")
    wanted = cases(scenarios, among)
    base = BasePeaks(plan.forecast, peaks_of(ask))
    plans, findings = {AS_IS: plan}, []
    for case in wanted[1:]:
        check(case, [service.name for service in plan.services])
        plans[case.name], assumed = again(plan, ask, case, base)
        findings += assumed
    base.forget()
    rows = [row for case in wanted for row in _rows(case.name, plans[case.name], plan)]
    frame = pd.DataFrame(rows, columns=WHAT_IF.names)
    for column in ("tasks", "task_hours"):
        frame[f"more_{column}"] = frame[column] - frame["service"].map(
            frame[frame["scenario"] == AS_IS].set_index("service")[column]
        )
    frame["reached"] = pd.to_datetime(frame["reached"], utc=True).astype("datetime64[us, UTC]")
    return WhatIf(frame=frame, plans=plans, cases=tuple(wanted), findings=Findings.of(findings))


def again(plan: Plan, ask: Asked, case: Case, base: BasePeaks) -> tuple[Plan, list[Finding]]:
    """The plan of one case, and what it takes for granted."""
    then = settings(case, ask, plan.forecast)
    forecast, peaks = apply(loads(case, ask, plan.forecast), base)
    drawn = base.drawn if ask.drawn is None else ask.drawn
    return planned(forecast, then._replace(peaks=peaks, drawn=drawn)), assumptions(case, ask, then)


def _rows(scenario: str, plan: Plan, today: Plan) -> list[dict[str, Any]]:
    """Rows of `schema.WHAT_IF` of one scenario: one a service, and one of all where there are several."""
    limits, rows = plan.limits, []
    months = len(plan.forecast.times) * plan.forecast.interval / pd.Timedelta(hours=HOURS_PER_MONTH)
    hours = plan.forecast.interval / pd.Timedelta(hours=1)
    several = len(plan.services) > 1
    running = np.zeros((1, 1), dtype=np.int64)
    for service in plan.services:
        name = service.name
        counts = np.maximum(plan.counts(name), service.min_tasks)
        if several:
            running = running + counts
        own = plan.of(name)
        spent, before = plan.path_usd[name], today.path_usd.get(name, np.full(1, np.nan))
        rows.append(
            {"scenario": scenario, "service": name}
            | _tasks(counts.max(axis=1), plan.goal_of(name).level)
            | {"short": float(own["short"].max()), "task_hours": float(own["tasks"].sum() * hours)}
            | _spend(spent / months, before / months)
            | _limit(limits[limits["service"] == name] if several else limits)
        )
    if several:
        spent, before = _all_usd(plan, today)
        whole = plan.frame.groupby("timestamp")[["short", "tasks"]].sum()
        rows.append(
            {"scenario": scenario, "service": ALL}
            | _tasks(running.max(axis=1), plan.goal.level)
            | {"short": float(whole["short"].max()), "task_hours": float(whole["tasks"].sum() * hours)}
            | _spend(spent / months, before / months)
            | _limit(limits, named=True)
        )
    return rows


def _tasks(peaks: np.ndarray, level: float) -> dict[str, float]:
    """What would hold to the end of the horizon, from (P,) largest counts."""
    low, high, wanted = (float(np.ceil(value)) for value in np.quantile(peaks, (*_BAND, level)))
    return {"tasks_low": low, "tasks": wanted, "tasks_high": high}


def _spend(usd: np.ndarray, before: np.ndarray) -> dict[str, float]:
    """From (P,) USD a month of each path, in the scenario and as it is; NaN in, NaN out."""
    p5, p50, p95 = np.quantile(usd, (0.05, 0.5, 0.95))
    more = usd - before
    found = {
        "usd_per_month": usd.mean(),
        "usd_p5": p5,
        "usd_p50": p50,
        "usd_p95": p95,
        "more_usd_per_month": more.mean(),
    }
    found |= dict(zip(("more_usd_p5", "more_usd_p95"), np.quantile(more, _BAND), strict=True))
    return {name: float(value) for name, value in found.items()}


def _all_usd(plan: Plan, today: Plan) -> tuple[np.ndarray, np.ndarray]:
    """(P,) USD of all services that are priced both in the scenario and as it is; NaN where none is."""
    both = [
        name
        for name, usd in plan.path_usd.items()
        if np.isfinite(usd).all() and np.isfinite(today.path_usd.get(name, np.full(1, np.nan))).all()
    ]
    if not both:
        return np.full(1, np.nan), np.full(1, np.nan)
    spent, before = (np.sum([one.path_usd[name] for name in both], axis=0) for one in (plan, today))
    return spent, before


def _limit(limits: pd.DataFrame, *, named: bool = False) -> dict[str, Any]:
    """The limit that is reached first; of none that is, the likeliest. `named`: with whose it is."""
    known = limits[limits["probability"] > 0]
    if known.empty:
        return {"limit": "", "probability": 0.0, "reached": pd.NaT}
    first = known.sort_values(["first", "probability"], ascending=[True, False], kind="stable").iloc[0]
    name = f"{first['service']}: {first['limit']}" if named else str(first["limit"])
    return {"limit": name, "probability": float(first["probability"]), "reached": first["first"]}
