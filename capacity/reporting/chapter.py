"""One service's part of the document: what it needs, until when, what it costs, how it scales, how sure we are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.demand.demand import Key
from capacity.findings import Findings
from capacity.history.history import History
from capacity.planning.explain import ladder, steps_in_words
from capacity.planning.needs import full_tasks
from capacity.planning.plans import Plan
from capacity.planning.prices import HOURS_PER_MONTH
from capacity.reporting import series
from capacity.reporting.accuracy import accuracy
from capacity.reporting.carrying import bottlenecks, task_capacity
from capacity.reporting.rehearsal import policy_part
from capacity.scaling.policy import Policy
from capacity.schema import METRICS

#: Days of measured tasks drawn before the plan begins, and days of the plan shown hour by hour.
PAST_DAYS = 91
CLOSE_DAYS = 14


def chapter(
    plan: Plan,
    service: Service,
    number: int,
    *,
    policy: Policy | None,
    history: History | None,
    findings: Findings,
    scores: pd.DataFrame | None,
    drawn: bool = True,
) -> dict[str, Any]:
    """All the report says about one service, as plain data. `number` makes its anchor, so that no name has to.

    One that is not `drawn` has no detailed series: nothing would show them.
    """
    from capacity.reporting.document import finding_row

    rows, counts = plan.of(service.name), plan.counts(service.name)
    about = findings.about(service.name)
    return {
        "name": service.name,
        "anchor": f"service-{number}",
        "drawn": drawn,
        "status": about.status,
        "settings": _settings(service),
        "demand": _demand(plan, service, str(rows["load_bound_by"].mode().iloc[0]), drawn),
        "tasks": _tasks(plan, service, rows, counts, history, drawn),
        "why": _why(plan, service, rows),
        "task_capacity": task_capacity(plan, service),
        "bottlenecks": bottlenecks(plan, service, history),
        "limits": _limits(plan, service, counts),
        "cost": _cost(plan, service, findings),
        "policy": policy_part(plan, service, policy, drawn),
        "findings": [finding_row(finding) for finding in about],
        "accuracy": accuracy(plan, service.name, scores),
    }


def _settings(service: Service) -> dict[str, Any]:
    names = ("cluster", "region", "launch_type", "architecture", "task_vcpu", "task_memory_gib", "zones", "min_tasks")
    more = ("max_tasks", "startup_seconds", "cpu_target", "memory_target", "request_target", "tier", "owner")
    fixed = ("requests_per_second_per_task", "timezone", "change_days", "target_value")
    return {name: getattr(service, name) for name in (*names, *more, *fixed)}


def _demand(plan: Plan, service: Service, binding: str, drawn: bool) -> list[dict[str, Any]]:
    """Each forecast metric, the one that decides the counts first."""
    forecast, full = plan.forecast, full_tasks(service)
    keys = [key for key in forecast.keys if key.service == service.name] or _only(plan)
    known = list(METRICS)
    keys = sorted(keys, key=lambda key: (key.metric != binding, known.index(key.metric) if key.metric in known else 99))
    parts = []
    for key in keys:
        row = forecast.keys.index(key)
        peaks = np.quantile(forecast.paths[row].max(axis=1), (0.05, 0.5, 0.95))
        recent = series.recent_past(forecast.past, key, 28)
        carried = full[key.metric].carries * service.max_tasks if key.metric in full else None
        censored = float(forecast.past.censored[row].mean())
        parts.append(
            {
                "metric": key.metric,
                "unit": key.unit,
                "meaning": METRICS[key.metric].meaning if key.metric in METRICS else "",
                "binding": key.metric == binding,
                "sizes_tasks": key.metric in full,
                "model": forecast.models[row],
                "derived": forecast.past.derived[row] if forecast.past.derived else "",
                "censored_share": censored,
                "known_share": float(np.isfinite(forecast.past.values[row]).mean()),
                "peak_last_4_weeks": float(recent.max()) if len(recent) else None,
                "peak_horizon": dict(zip(("p5", "p50", "p95"), peaks, strict=True)),
                "carried_by_max": carried,
                "overview": series.overview(forecast, key),
                "detail": series.detail(forecast, key) if drawn else None,
            }
        )
    return parts


def _only(plan: Plan) -> list[Key]:
    """A plan of one service may have been made from series that bear another name."""
    return list(plan.forecast.keys) if len(plan.services) == 1 else []


def _tasks(
    plan: Plan, service: Service, rows: pd.DataFrame, counts: np.ndarray, history: History | None, drawn: bool
) -> dict[str, Any]:
    """Counts by day and, for the first two weeks, by interval; what the load asked for and what the bounds allowed."""
    times, interval = pd.DatetimeIndex(rows.index), plan.forecast.interval
    asked = (rows["tasks"] + rows["short"]).to_numpy()
    daily = series.daily_highest(times, interval, {"tasks": rows["tasks"].to_numpy(), "asked": asked})
    for name, level in (("p5", 0.05), ("p50", 0.5), ("p95", 0.95)):
        highest = np.maximum.reduceat(counts, series.starts(times, pd.Timedelta("1D")), axis=1)
        daily[name] = series.plain(np.quantile(highest, level, axis=0))
    near = rows.iloc[: int(times.searchsorted(times[0] + pd.Timedelta(days=CLOSE_DAYS)))]
    size = max(1, round(pd.Timedelta("1h") / interval))
    places = np.arange(0, len(near), size)
    columns = ("for_load", "for_startup", "for_deployment", "for_zone_loss", "tasks")
    held = {name: np.maximum.reduceat(near[name].to_numpy(), places) for name in columns}
    week = asked[: max(1, int(pd.Timedelta(days=7) / interval))]
    return {
        "next_week": int(week.max()),
        "highest": int(asked.max()),
        "lowest": int(rows["tasks"].min()),
        "highest_at": times[int(asked.argmax())].isoformat(),
        "short_intervals": int((rows["short"] > 0).sum()),
        "intervals": len(rows),
        "most_short": int(rows["short"].max()),
        "bound_by": {str(step): int(count) for step, count in rows["bound_by"].value_counts().sort_index().items()},
        "daily": daily,
        "interval_seconds": interval.total_seconds(),
        "close": series.gridded(pd.DatetimeIndex(near.index[places]), max(interval, pd.Timedelta("1h")), held)
        if drawn
        else None,
        "running": _running(service, history, plan),
    }


def _running(service: Service, history: History | None, plan: Plan) -> dict[str, Any] | None:
    """Most tasks that ran on each of the last days, as measured; None when the history does not hold it."""
    if history is None or service.name not in history.services or "running_tasks" not in history.metrics(service.name):
        return None
    start = plan.forecast.cutoff - pd.Timedelta(days=PAST_DAYS)
    sizes = history.intervals(service.name, "running_tasks")
    if not sizes:
        return None
    day = max(pd.Timedelta("1D"), sizes[0])
    parts = [history.series(service.name, "running_tasks", interval=size)[start:] for size in sizes if size <= day]
    highest = pd.concat([part.groupby(part.index.floor("1D")).max() for part in parts]).groupby(level=0).max()
    if highest.isna().all():
        return None
    days = pd.date_range(highest.index[0], highest.index[-1], freq=day, unit="us")
    return series.gridded(days, day, {"tasks": highest.reindex(days).to_numpy()})


def _why(plan: Plan, service: Service, rows: pd.DataFrame) -> dict[str, Any]:
    """The ladder of the interval that asks for most: each step, and what it added."""
    at = (rows["tasks"] + rows["short"]).idxmax()
    row = rows.loc[at]
    steps, before = [], 0
    for name, tasks, reason in steps_in_words(plan, service, row):
        steps.append({"step": name, "tasks": tasks, "added": tasks - before, "why": reason})
        before = tasks
    return {
        "at": at.isoformat(),
        "sentence": ladder(row, service),
        "load_bound_by": str(row["load_bound_by"]),
        "bound_by": str(row["bound_by"]),
        "steps": steps,
        "short": int(row["short"]),
    }


def _limits(plan: Plan, service: Service, counts: np.ndarray) -> list[dict[str, Any]]:
    """Each limit with its dates, and the curve of its probability by day."""
    found = plan.limits[plan.limits["service"] == service.name]
    times, interval = plan.forecast.times, plan.forecast.interval
    parts = []
    for row in found.to_dict("records"):
        held = {name: None if pd.isna(row[name]) else row[name].isoformat() for name in ("first", "median", "act_by")}
        curve = series.passed_by(times, interval, counts, row["value"]) if row["unit"] == "tasks" else None
        plain = {name: row[name] for name in ("limit", "value", "unit", "probability", "needed")}
        parts.append({**plain, **held, "curve": curve})
    return parts


def _cost(plan: Plan, service: Service, findings: Findings) -> dict[str, Any]:
    """A month of it, itemised, with its interval; without a price, None and the reason."""
    rows = plan.cost[plan.cost["service"] == service.name]
    hours = len(plan.forecast.times) * plan.forecast.interval / pd.Timedelta(hours=1)
    month = HOURS_PER_MONTH / hours
    usd = plan.path_usd.get(service.name, np.array([np.nan])) * month
    known = bool(np.isfinite(usd).all()) and len(rows) > 0
    items = [
        {
            "item": row["item"],
            "quantity_per_month": row["quantity"] * month,
            "unit": row["unit"],
            "rate": row["rate"],
            "usd_per_month": row["usd"] * month,
            "p5": row["p5"] * month,
            "p95": row["p95"] * month,
            "planned_per_month": row["planned"] * month,
        }
        for row in rows.to_dict("records")
    ]
    return {
        "month": {
            "mean": float(usd.mean()) if known else None,
            "p5": float(np.quantile(usd, 0.05)) if known else None,
            "p95": float(np.quantile(usd, 0.95)) if known else None,
            "planned": float(rows["planned"].sum()) * month if known else None,
        },
        "items": items,
        "reason": "" if known else _no_price(service, findings),
    }


def _no_price(service: Service, findings: Findings) -> str:
    said = [finding.message for finding in findings.about(service.name) if finding.check == "price"]
    return said[0] if said else f"No price is known for {service.architecture} in {service.region}."
