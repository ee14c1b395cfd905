"""How right the same method was last time, and what a decision rests on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from capacity.planning.limits import EARLY
from capacity.planning.matching import match
from capacity.planning.needs import full_tasks
from capacity.planning.steps import climb
from capacity.planning.words import percent, spoken_date

if TYPE_CHECKING:
    from capacity.forecasting import Backtest
    from capacity.planning.plans import Decision, Plan


def last_time(plan: Plan, service: str, scores: Backtest) -> list[str]:
    """What a backtest says of the series that size a service: one sentence a series, of the model that was used.

    Where the model that made the forecast was not scored, of the best that was, by name.
    """
    assert plan.asked is not None  # else there is no moment to explain
    (found,), _ = match(plan.forecast, (plan.service_named(service),), plan.asked.alone)
    verdicts, used = scores.verdicts, dict(zip(plan.forecast.keys, plan.forecast.models, strict=True))
    lines = []
    for key in (key for key in found.keys if key.metric in full_tasks(found.service)):
        rows = verdicts[(verdicts["service"] == key.service) & (verdicts["metric"] == key.metric)]
        if rows.empty:
            continue
        same = rows[[used[key].startswith(model.removesuffix(", told")) for model in rows["model"]]]
        row = (same if len(same) else rows.sort_values("against_naive", kind="stable")).iloc[0]
        lines.append(f"Last time, {key.metric} by {row['model']}: {row['verdict']}")
    return lines or [f"How right the method was last time is not known: {service} was not scored."]


def explain_decision(plan: Plan, decision: Decision) -> str:
    """What a decision rests on: the evidence, when its limit is passed, and how much less load would spare it."""
    lines = [decision.sentence, *([decision.because] if decision.because else [])]
    row = _limit_of(plan, decision)
    if row is not None:
        past = [
            f"{name} of the futures by {spoken_date(row[column])}"
            for column, name in (("first", percent(EARLY)), ("median", "50 %"))
            if row[column] is not pd.NaT
        ]
        told = f", {' and '.join(past)}" if past else ""
        needed = f"{row['needed']:,.0f}" if row["needed"] >= 100 else f"{row['needed']:,.3g}"
        lines.append(
            f"{row['limit']} is {row['value']:,.10g} {row['unit']}: {percent(row['probability'])} of the futures pass "
            f"it within the horizon{told}; {needed} hold."
        )
    if decision.kind in ("raise_max", "watch") and decision.service in plan.needs:
        lines.append(_spared(plan, decision.service))
    if decision.before is not None and decision.before <= plan.forecast.times[0]:
        lines.append("Act now: the first futures pass it no later than a change takes.")
    elif decision.before is not None:
        lines.append(f"The last day to act is {spoken_date(decision.before)}: the date less what a change takes.")
    lines.append(
        f"Forecast from data up to {plan.forecast.cutoff:%Y-%m-%d %H:%M} UTC{_models(plan, decision.service)}."
    )
    lines += [f"In doubt: {f.message}" for f in plan.findings.about(decision.service) if f.status == "FAIL"]
    return "\n".join(lines)


def _models(plan: Plan, name: str) -> str:
    """By which model each series of a service was forecast; of an account or another name nothing."""
    if plan.asked is None or name not in plan.needs:
        return ""
    (found,), _ = match(plan.forecast, (plan.service_named(name),), plan.asked.alone)
    used = dict(zip(plan.forecast.keys, plan.forecast.models, strict=True))
    return f": {', '.join(f'{key.metric} by {used[key]}' for key in found.keys)}"


def _limit_of(plan: Plan, decision: Decision) -> pd.Series | None:
    """The row of the limit a decision is about: of its service, with its value."""
    rows = plan.limits[(plan.limits["service"] == decision.service) & (plan.limits["value"] == decision.current)]
    return None if rows.empty else rows.iloc[0]


def _spared(plan: Plan, name: str) -> str:
    """How much less load would leave the maximum passed in fewer than 5 % of the futures."""
    service, goal = plan.service_named(name), plan.goal_of(name)
    peaks = plan.needs[name].max(axis=1)

    def passed(load: float) -> float:
        counts = climb(peaks * peaks.dtype.type(load), peaks * peaks.dtype.type(load), service, goal).zone_loss
        return float((counts > service.max_tasks).mean())

    if passed(1.0) < EARLY:
        return "Fewer than 5 % of the futures pass it as forecast."
    low, high = 0.0, 1.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if passed(middle) < EARLY else (low, middle)
    less = math.ceil(1000 * (1 - low)) / 10  # rounded up: what is told has to be enough
    return f"With {less:g} % less load than forecast, fewer than {percent(EARLY)} of the futures pass it."
