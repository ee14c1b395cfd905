"""One service's part of the document in words."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from capacity.reporting import words
from capacity.reporting.carrying import bottlenecks_view, capacity_view
from capacity.reporting.series import array
from capacity.reporting.tables import cell, column, findings_table, row, runs, table
from capacity.reporting.wording import (
    ITEM_NAMES,
    LIMIT_NAMES,
    METRIC_NAMES,
    STEP_NAMES,
    rehearsal_columns,
    shown_candidates,
)


def chapter_view(part: dict[str, Any]) -> dict[str, Any]:
    """All sentences and tables of one service. Pictures are named here and drawn elsewhere."""
    anchor = part["anchor"]
    failures = [one for one in part["findings"] if one["status"] == "FAIL"]
    return {
        "name": part["name"],
        "anchor": anchor,
        "status": part["status"],
        "drawn": part.get("drawn", True),
        "settings": settings(part["settings"]),
        "alert": alert(part["name"], failures),
        "figures": figures(part),
        "demand": {
            "text": demand_words(part["demand"][0]) if part["demand"] else "Nothing was forecast.",
            "picture": f"{anchor}-demand",
            "caption": _overview_caption(part),
            "detail": {"picture": f"{anchor}-detail", "caption": _detail_caption(part)},
            "paired": len(part["demand"]) % 2 == 0,
            "others": [
                {"picture": f"{anchor}-demand-{number}", "caption": other_words(one)}
                for number, one in enumerate(part["demand"][1:], start=2)
            ],
        },
        "tasks": tasks(part),
        "task_capacity": capacity_view(part["task_capacity"], part["name"]),
        "bottlenecks": bottlenecks_view(part["bottlenecks"], part["name"]),
        "limits": [{"text": limit_words(limit), "picture": f"{anchor}-{limit['limit']}"} for limit in part["limits"]],
        "cost": cost(part),
        "policy": policy(part),
        "accuracy": accuracy(part["accuracy"], part["name"]),
        "findings": quality(part),
    }


def quality(part: dict[str, Any]) -> dict[str, Any]:
    """What is wrong or not known about its data; what was merely noted is counted."""
    noted = sum(one["status"] == "PASS" for one in part["findings"])
    shown = findings_table(f"Data quality, {part['name']}", part["findings"])
    note = f"{words.count(noted, 'further note')} in report.json." if noted else ""
    return {
        "table": shown if shown["rows"] else None,
        "note": note if shown["rows"] else " ".join(filter(None, ("Nothing in its data asks for attention.", note))),
    }


def settings(own: dict[str, Any]) -> str:
    owner = f", owner {own['owner']}" if own["owner"] else ""
    return (
        f"{words.number(own['task_vcpu'])} vCPU and {words.number(own['task_memory_gib'])} GiB per task, "
        f"{own['launch_type']} {own['architecture']}, {own['region']}, cluster {own['cluster']}, "
        f"{words.count(own['zones'], 'zone')}, serves {words.number(own['startup_seconds'])} s after its start, "
        f"{own['tier']}{owner}"
    )


def alert(name: str, failures: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What stands above everything else when checks of the data failed."""
    if not failures:
        return None
    return {
        "title": f"This plan rests on data that failed {words.count(len(failures), 'check')}: its numbers are only an "
        "indication.",
        "items": [
            runs(f"{words.sentence(one['message'])} {words.sentence(one['advice'])}".strip(), name) for one in failures
        ],
    }


def figures(part: dict[str, Any]) -> list[dict[str, str]]:
    tasks, own, month = part["tasks"], part["settings"], part["cost"]["month"]
    today = f"next week → horizon; {words.grouped(own['min_tasks'])} to {words.grouped(own['max_tasks'])} allowed today"
    peak = f"{words.grouped(tasks['next_week'])} → {words.grouped(tasks['highest'])}"
    spread = f"90 % between {words.amount(month['p5'])} and {words.amount(month['p95'])}"
    cost = spread if month["mean"] is not None else part["cost"]["reason"]
    used = [one for one in part["accuracy"] if one["used"]]
    return [
        {"label": "Peak tasks", "value": peak, "note": today},
        *(_reached(limit) for limit in part["limits"] if limit["limit"] == "max_tasks"),
        {"label": "Cost per month", "value": words.usd(month["mean"]), "note": cost},
        {
            "label": "Forecast so far",
            "value": words.share(used[0]["coverage"]),
            "note": f"of actuals inside the 90 % interval, {words.count(used[0]['windows'], 'backtest window')}",
        }
        if used
        else {"label": "Forecast so far", "value": "untested", "note": "no backtest was made"},
    ]


def _reached(limit: dict[str, Any]) -> dict[str, str]:
    if limit["first"] is None:
        note = "chance within the horizon"
    else:
        half = f", half by {words.day(limit['median'])}" if limit["median"] else ""
        note = f"5 % by {words.day(limit['first'])}{half}; {words.grouped(limit['needed'])} would hold"
    return {"label": "Maximum reached", "value": words.percent(limit["probability"]), "note": note}


def demand_words(demand: dict[str, Any]) -> str:
    peak, unit, last = demand["peak_horizon"], demand["unit"], demand["peak_last_4_weeks"]
    before = f"Its highest value in the last four weeks was {words.quantity(last, unit)}; " if last is not None else ""
    within = "within the horizon" if before else "Within the horizon"
    parts = [
        f"{_capital(demand['metric'])} {_verb(demand['metric'], 'decide')} how many tasks it takes.",
        f"{before}{within} it is expected to reach {words.quantity(peak['p50'], unit)}, with 90 % probability between "
        f"{words.number(peak['p5'])} and {words.number(peak['p95'])}.",
    ]
    if demand["censored_share"] > 0:
        parts.append(
            f"In {words.share(demand['censored_share'])} of the history it was saturated, so true demand was at least "
            "what is drawn."
        )
    if demand["known_share"] < 1:
        parts.append(f"{words.share(1 - demand['known_share'])} of the intervals are missing, and left open.")
    if demand["derived"] not in ("", "measured"):
        parts.append(f"Computed as {demand['derived'].replace(' x ', ' × ').replace('_', ' ')}.")
    return " ".join([*parts, f"Forecast by {words.model(demand['model'])}."])


def other_words(demand: dict[str, Any]) -> str:
    """What a metric that does not decide has to say."""
    name = _capital(demand["metric"])
    metric = demand["metric"]
    role = f"{_verb(metric, 'ask')} for fewer tasks" if demand["sizes_tasks"] else f"{_not(metric)} decide the count"
    return f"{name}, same key as above: {role}."


#: An outer band this many times higher over its median than usual shows as a needle.
NEEDLE: Final = 1.4


def _overview_caption(part: dict[str, Any]) -> str:
    """What narrow peaks of the outer bands are, where there are some; else nothing."""
    for demand in part["demand"][:1]:
        future = demand["overview"]["future"]
        middle, outer = array(future, "p50"), array(future, "p99")
        if len(middle) and np.median(middle) > 0:
            over = outer / np.maximum(middle, 1e-9)
            if over.max() > NEEDLE * np.median(over):
                return "A narrow peak of the outer bands is a surge that a few of the futures hold then."
    return ""


def _verb(metric: str, verb: str) -> str:
    """Requests decide, CPU decides."""
    return verb if metric == "requests" else f"{verb}s"


def _not(metric: str) -> str:
    return "do not" if metric == "requests" else "does not"


def _capital(metric: str) -> str:
    name = METRIC_NAMES.get(metric, metric)
    return f"{name[:1].upper()}{name[1:]}"


def _detail_caption(part: dict[str, Any]) -> str:
    first = part["demand"][0]["metric"] if part["demand"] else ""
    if not first or part["demand"][0]["detail"] is None:
        return ""
    both = words.detail_span(part["demand"][0]["detail"]["future"])
    return words.sentence(f"{both} of {METRIC_NAMES.get(first, first)}")


def tasks(part: dict[str, Any]) -> dict[str, Any]:
    own, why = part["tasks"], part["why"]
    unit, close = words.intervals(own["interval_seconds"]), own["close"]
    short = (
        f" In {words.grouped(own['short_intervals'])} of {words.grouped(own['intervals'])} {unit} today's maximum "
        f"leaves tasks missing, {words.grouped(own['most_short'])} at worst."
        if own["short_intervals"]
        else ""
    )
    if part["limits"] and part["limits"][0]["needed"] > own["highest"]:
        short += (
            f" Each count holds for its own {words.each(own['interval_seconds'])}; to hold through all of them "
            f"takes {words.grouped(part['limits'][0]['needed'])}."
        )
    most = max([1, *(step["tasks"] for step in why["steps"])])
    return {
        "text": f"{words.count(own['highest'], 'task')} at most, first on "
        f"{words.moment(own['highest_at'], own['interval_seconds'])}: "
        f"{why['sentence']}.{short}",
        "picture": f"{part['anchor']}-tasks",
        "caption": "Highest count of each day. Planned: what the goal asks for, not cut off at today's maximum.",
        "ladder": [_step(step, number, most) for number, step in enumerate(why["steps"])],
        "close": f"{part['anchor']}-close",
        "close_caption": f"The next {words.days_named(len(close['tasks']) * close['step_seconds'])}, each "
        f"{words.each(close['step_seconds'])}."
        if close
        else "",
    }


def _step(step: dict[str, Any], number: int, most: int) -> dict[str, Any]:
    """One rung: its count, what it added, and both as shares of the longest bar."""
    added = step["added"]
    sign = "+" if added > 0 else "−"
    return {
        "name": STEP_NAMES.get(step["step"], step["step"]),
        "tasks": words.grouped(step["tasks"]),
        "added": f"{sign}{abs(added):,}" if added and number else "",
        "why": step["why"],
        "kept": round(100 * (step["tasks"] - max(added, 0)) / most, 1),
        "new": round(100 * max(added, 0) / most, 1),
    }


def limit_words(limit: dict[str, Any]) -> str:
    name = LIMIT_NAMES.get(limit["limit"], limit["limit"])
    value = words.quantity(limit["value"], limit["unit"])
    if not limit["probability"]:
        return f"{name[0].upper()}{name[1:]}, {value}: none of the futures passes it."
    dates = ""
    if limit["first"]:
        half = f", half by {words.date(limit['median'])}" if limit["median"] else "; fewer than half ever are"
        dates = f": 5 % of the futures are past it by {words.date(limit['first'])}{half}"
    ask = f" Ask by {words.date(limit['act_by'])}." if limit["act_by"] else ""
    return (
        f"More than {value} ({name}) will be needed with a probability of {words.percent(limit['probability'])}"
        f"{dates}. "
        f"{words.quantity(limit['needed'], limit['unit'])} would hold to the end of the horizon.{ask}"
    )


def cost(part: dict[str, Any]) -> dict[str, Any]:
    own = part["cost"]
    month = own["month"]
    if month["mean"] is None:
        return {"text": f"Unknown. {own['reason']}", "table": None, "note": ""}
    columns = [
        column("Per month"),
        column("Quantity", number=True),
        column("Rate", "USD", number=True),
        column("USD", number=True),
    ]
    rows = [
        row(
            cell(ITEM_NAMES.get(item["item"], item["item"])),
            cell(words.number(item["quantity_per_month"], 4), item["unit"]),
            cell(words.number(item["rate"], 4)),
            cell(words.amount(item["usd_per_month"])),
        )
        for item in own["items"]
    ]
    total = row(cell("Following demand"), cell(), cell(), cell(words.amount(month["mean"])), total=True)
    return {
        "text": "",
        "table": table(f"Cost per month, {part['name']}", columns, [*rows, total]),
        "note": f"With 90 % probability between {words.amount(month['p5'])} and {words.usd(month['p95'])}. Exactly the "
        f"planned counts, headroom included: {words.usd(month['planned'])}.",
    }


def policy(part: dict[str, Any]) -> dict[str, Any]:
    own = part["policy"]
    if own is None:
        return {"text": "No policy was recommended or rehearsed for this report.", "known": False}
    tracking, today = own["tracking"], own["today"]
    before = f" Today's target: {words.number(today['target'], 4)}." if today["target"] is not None else ""
    off = "; the policy itself does not scale in" if tracking["disable_scale_in"] else ""
    seconds = part["tasks"]["interval_seconds"]
    coarse = (
        f" The history has one value {words.per(seconds)}, so its replay cannot show what happens within one."
        if seconds > 3600
        else ""
    )
    return {
        "known": True,
        "text": f"Between {words.grouped(own['min_tasks'])} and {words.grouped(own['max_tasks'])} tasks (today "
        f"{words.grouped(today['min_tasks'])} and {words.grouped(today['max_tasks'])}), tracking "
        f"{words.number(tracking['target'], 4)} {tracking['unit']}; {tracking['scale_out_cooldown']} s between "
        f"scale-outs, {tracking['scale_in_cooldown']} s between scale-ins{off}.{before}{coarse}",
        "reasons": [runs(reason, part["name"]) for reason in own["reasons"]],
        "rehearsal": rehearsal(own["rehearsal"], part["name"]) if own["rehearsal"] else None,
        "picture": f"{part['anchor']}-week",
        "caption": "The last week, as the recommended policy would have run it: of each quarter-hour the largest need "
        "and the fewest tasks serving.",
        "schedule": schedule(own["schedule"], part["name"]) if own["schedule"] else None,
    }


def rehearsal(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    shown, candidates = rehearsal_columns(rows), shown_candidates(rows)
    columns = [column("Replayed on history"), *(column(one.label, one.unit, number=True) for one in shown)]
    lines = [
        row(
            cell(one["candidate"]),
            *(cell(of.say(one.get(of.key))) for of in shown),
            strong=bool(one.get("chosen")) or one["candidate"] == "recommended",
        )
        for one in candidates
    ]
    left = len(rows) - len(candidates)
    note = f"{words.count(left, 'more candidate')} in report.json." if left else ""
    return {**table(f"Rehearsal, {name}", columns, lines), "note": note}


def schedule(actions: list[dict[str, Any]], name: str) -> dict[str, Any]:
    columns = [
        column("Scheduled bounds"),
        column("When", wide=0),
        column("Time zone", wide=0),
        column("Minimum", number=True),
        column("Maximum", number=True),
    ]
    rows = [
        row(
            cell(action["name"]),
            cell(action["schedule"], f"until {words.date(action['end'])}" if action["end"] else "", code=True),
            cell(action["timezone"]),
            cell(words.grouped(action["min_tasks"])),
            cell(words.grouped(action["max_tasks"])),
        )
        for action in actions
    ]
    return table(f"Schedule, {name}", columns, rows)


def accuracy(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    if not rows:
        note = "No backtest was made, or there is too little history for one: how right this forecast is, is unknown."
        return {"table": None, "note": note}
    columns = [
        column("Metric"),
        column("Model"),
        column("Quantile loss", "share of demand", number=True),
        column("Against", "seasonal naive", number=True),
        column("Inside 90\u00a0%", "0.90 is right", number=True),
        column("Above P95", "0.05 is right", number=True),
        column("Peak / P95 peak", "above 1: too low", number=True),
        column("Bias", "forecast − actual", number=True),
    ]
    lines = [
        row(
            cell(one["metric"]),
            cell(f"{one['model']}, used here" if one["used"] else one["model"]),
            cell(words.share_1(one.get("wql"))),
            cell("–" if one["against_naive"] is None else words.better(one["against_naive"])),
            cell(words.decimals(one.get("coverage"))),
            cell(words.decimals(one.get("exceeded"))),
            cell(words.decimals(one.get("peak_ratio"))),
            cell(words.signed_share(one.get("bias"))),
            strong=one["used"],
        )
        for one in rows
    ]
    windows = rows[0]["windows"]
    steps = round(rows[0]["steps"] / max(windows, 1))
    note = (
        f"Means over {words.count(windows, 'window')} of {words.count(steps, 'interval')}, none of which the models "
        "were shown. Quantile loss is the mean error over all levels of the forecast: smaller is better."
    )
    return {"table": table(f"Backtest, {name}", columns, lines), "note": note}
