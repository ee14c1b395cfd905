"""How likely each limit has been passed by each day: the share of paths that have, so it never falls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.planning.words import first_few

if TYPE_CHECKING:
    from capacity.planning.plans import Plan

#: A picture holds this many lines; of more limits those that are likeliest to be passed.
DRAWN: Final = 8

#: Columns of `limits_over_time`, with their types.
COLUMNS: Final = {"service": "object", "limit": "object", "date": "datetime64[us, UTC]", "probability": "float64"}


def limits_over_time(plan: Plan, limit: str | None = None, service: str | None = None) -> pd.DataFrame:
    """Cumulative chance of each limit of the plan: one row a limit and day, columns service, limit, date, probability.

    limit        only those: as `plan.limits` names them ("max_tasks", "connections: orders-db"), all of a kind
                 ("connections"), or those of one thing ("orders-db"); None: every limit
    service      only those of one service, account or what else `plan.limits` names
    date         start of a day, UTC; probability: share of paths that have passed the limit by the end of that day

    Raises InputError for a limit or a service that the plan has no row of, naming those it has.

    >>> from capacity.config import Service
    >>> from capacity.forecasting import forecast
    >>> from capacity.planning import plan
    >>> steady = pd.Series(100.0, index=pd.date_range("2026-01-05", periods=336, freq="h"))
    >>> web = Service(name="web", requests_per_second_per_task=50, zones=3, max_tasks=2)
    >>> limits_over_time(plan(forecast(steady, 24), web), "max_tasks")[["limit", "probability"]].values.tolist()
    [['max_tasks', 1.0]]
    """
    rows = _chosen(plan, limit, service)
    days, day_of = np.unique(plan.forecast.times.normalize(), return_inverse=True)
    dates = pd.DatetimeIndex(days).tz_convert("UTC") if pd.DatetimeIndex(days).tz else pd.DatetimeIndex(days, tz="UTC")
    parts = [
        pd.DataFrame(
            {"service": name, "limit": of, "date": dates, "probability": by_day(plan.passed[name, of], day_of)}
        )
        for name, of in rows
    ]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    return frame.astype(COLUMNS)


def by_day(passed: np.ndarray, day_of: np.ndarray) -> np.ndarray:
    """(D,) share of paths that have passed by the end of each day.

    passed  (P,) the interval in which each path passes, H if never; day_of  (H,) the day of each interval, from 0 on

    >>> by_day(np.array([0, 2, 2, 4]), np.array([0, 0, 1, 1])).tolist()
    [0.25, 0.75]
    """
    days = day_of[passed[passed < len(day_of)]]
    return np.asarray(np.bincount(days, minlength=int(day_of[-1]) + 1).cumsum() / len(passed))


def plot_limits(plan: Plan, limit: str | None = None, service: str | None = None) -> Any:
    """An Altair chart of `limits_over_time`: one line a limit; of many, those that are likeliest to be passed."""
    from capacity import charts

    frame = limits_over_time(plan, limit, service)
    lines = {
        f"{name} {of}".strip(): group["probability"].to_numpy()
        for (name, of), group in frame.groupby(["service", "limit"], sort=False)
    }
    drawn = sorted(lines, key=lambda label: (-lines[label][-1], -lines[label].sum(), label))[:DRAWN]
    days = pd.DatetimeIndex(frame["date"].drop_duplicates())
    title = "Chance that a limit has been passed"
    aside = f", the {DRAWN} likeliest of {len(lines)}" if len(lines) > DRAWN else ""
    return charts.probability(days, {label: lines[label] for label in drawn}, f"{title}{aside}")


def _chosen(plan: Plan, limit: str | None, service: str | None) -> list[tuple[str, str]]:
    """The plan's rows of this limit, or kind of limit, and service."""
    rows = list(plan.passed)
    for asked, place, noun in ((service, 0, "limit of"), (limit, 1, "limit")):
        there = [row[place] for row in rows]
        rows = [row for row in rows if asked is None or asked in (row[place], *row[place].split(": "))]
        if asked is not None and not rows:
            known = first_few(sorted(set(there)), most=10)
            raise InputError(f"the plan has no {noun} {asked!r}", advice=f"There are: {known}.")
    return rows
