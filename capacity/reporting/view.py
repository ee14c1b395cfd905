"""The document in words: every sentence, table and figure a page shows, as strings. Pages only set type.

runs     a sentence as pieces, [{"text", "code"}]: the service's name stands out and is never parsed
figure   {"label", "value", "note"}
table    {"label", "columns": [{"label", "under", "number"}], "rows": [{"cells", "strong", "total"}]}
cell     {"text", "small", "status", "code", "anchor"}
"""

from __future__ import annotations

import re
from typing import Any, Final

from capacity.reporting import words
from capacity.reporting.chapter_view import chapter_view
from capacity.reporting.tables import cell, column, findings_table, row, runs, table
from capacity.reporting.wording import AT_RISK, COST_PICTURE, grouped_decisions

#: Failed checks named at the top; the rest are in the services' own parts.
SHOWN_ALERTS = 8


def view(document: dict[str, Any]) -> dict[str, Any]:
    """All of it, in the order of the page, numbers bound to their units."""
    said: dict[str, Any] = bound(_view(document))
    return said


#: Keys whose text is a name, to be shown as it is.
NAMES = {"name", "service", "anchor", "picture", "spark", "title", "label"}

_UNIT = re.compile(r"(?<=[0-9]) ?(?=%(?![0-9A-Za-z]))|(?<=[0-9]) (?=USD\b|vCPU\b|GiB\b|tasks?\b)")


def bound(value: Any) -> Any:
    """No line ends between a number and its unit: between them is a space that does not break.

    >>> bound(["95 % sure, 0.1% short", {"name": "5 % off", "text": "5 % off"}])
    ['95\\xa0% sure, 0.1\\xa0% short', {'name': '5 % off', 'text': '5\\xa0% off'}]
    """
    if isinstance(value, str):
        return _UNIT.sub("\u00a0", value)
    if isinstance(value, list):
        return [bound(part) for part in value]
    if isinstance(value, dict):
        kept = NAMES | ({"text"} if value.get("code") or value.get("anchor") else set())
        return {key: part if key in kept else bound(part) for key, part in value.items()}
    return value


def _view(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": document["title"],
        "subtitle": subtitle(document),
        "version": document["capacity_version"],
        "nothing": "" if document["decisions"] else nothing(document),
        "decisions": decisions(document),
        "alerts": alerts(document),
        "fleet": fleet(document),
        "cost": cost(document),
        "services": [chapter_view(part) for part in document["services"]],
        "method": method(document),
    }


def subtitle(document: dict[str, Any]) -> str:
    period = document["period"]
    written = f" Written {words.date(document['generated_at'])}." if document["generated_at"] else ""
    return (
        f"{words.count(len(document['services']), 'service')}, planned from {words.date(period['horizon_start'])} "
        f"to {words.last_day(period['horizon_end'])}, from history since {words.date(period['history_start'])}."
        f"{written}"
    )


def nothing(document: dict[str, Any]) -> str:
    return (
        f"Every service keeps within its limits to {words.last_day(document['period']['horizon_end'])}, as surely as "
        f"the goal asks ({words.level(document['method']['goal']['level'])})."
    )


def decisions(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Groups that are not empty: with a date, without one, to watch."""
    failed = {alert["service"] for alert in document["alerts"]}
    titles = ("", "No date is set for these", "To watch")
    groups = zip(titles, grouped_decisions(document["decisions"]), strict=True)
    start = document["period"]["horizon_start"]
    return [
        {
            "title": title,
            "lesser": bool(title),
            "items": [
                _decision(together[0], failed, start) if len(together) < MANY else _gathered(together, failed)
                for together in _together(group)
            ],
        }
        for title, group in groups
        if group
    ]


#: How many undated decisions of one kind are said in one: a page of "raise min" would hide what has a date.
MANY: Final = 3

#: What many services are told at once, by kind of decision.
GATHERED: Final = {
    "raise_min": "Raise the minimum of {} services: even their quietest intervals need more, headroom included.",
    "lower_min": "Lower the minimum of {} services: most of the time nothing needs it.",
    "lower_max": "Lower the maximum of {} services: no future comes near it.",
}


def _together(group: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The group in its order, with many undated decisions of one kind gathered where the first of them stood."""
    kinds = [one["kind"] for one in group if one["before"] is None]
    many = {kind for kind in GATHERED if kinds.count(kind) >= MANY}
    gathered: dict[Any, list[dict[str, Any]]] = {}
    for number, one in enumerate(group):
        whole = one["kind"] in many and one["before"] is None
        gathered.setdefault(one["kind"] if whole else number, []).append(one)
    return list(gathered.values())


def _gathered(together: list[dict[str, Any]], failed: set[str]) -> dict[str, Any]:
    """Many decisions of one kind as one: which services, from what to what, and what it costs in all."""
    why: list[dict[str, Any]] = []
    for one in together:
        doubt = " (its data failed a check)" if one["service"] in failed else ""
        change = f" {words.grouped(one['current'])} → {words.grouped(one['proposed'])}{doubt}, "
        why += [{"text": one["service"], "code": True}, {"text": change, "code": False}]
    why[-1]["text"] = why[-1]["text"].removesuffix(", ") + "."
    priced = [one["usd_per_month"] for one in together if one["usd_per_month"] is not None]
    spend, unpriced = sum(priced), len(together) - len(priced)
    owners = sorted({one["owner"] for one in together if one["owner"]})
    facts = [["Owner", ", ".join(owners) or "not named"]]
    if priced and (abs(spend) >= 0.5 or unpriced):
        doubt = f", not known for {unpriced}" if unpriced else ""
        facts.append(["Spend", f"{words.usd_change(spend)} a month{doubt}"])
    what = GATHERED[together[0]["kind"]].format(len(together))
    return {"what": runs(what, ""), "why": why, "failed": False, "facts": facts}


def _decision(one: dict[str, Any], failed: set[str], start: str) -> dict[str, Any]:
    facts = [["Act by", "now" if one["before"] <= start else words.day(one["before"])]] if one["before"] else []
    facts.append(["Owner", one["owner"] or "not named"])
    change = one["usd_per_month"]
    if change is not None and abs(change) >= 0.5:
        facts.append(["Spend", f"{words.usd_change(change)} a month"])
    return {
        "what": runs(words.ended(one["sentence"]), one["service"]),
        "why": runs(words.ended(one["because"]), one["service"]),
        "failed": one["service"] in failed and one["kind"] != "fix_data",
        "facts": facts,
    }


def alerts(document: dict[str, Any]) -> dict[str, Any] | None:
    """Failed checks, named where the decisions stand; None when there are none."""
    anchors = {part["name"]: part["anchor"] for part in document["services"]}
    items = [
        {
            "service": alert["service"],
            "anchor": anchors.get(alert["service"], "fleet"),
            "text": words.ended(f"{alert['metric']}: {alert['message']}" if alert["metric"] else alert["message"]),
        }
        for alert in document["alerts"]
    ]
    more = len(items) - SHOWN_ALERTS
    return (
        {
            "title": "Some of this rests on data that failed its checks.",
            "items": items[:SHOWN_ALERTS],
            "more": f"and {more} more, in the services' own parts" if more > 0 else "",
        }
        if items
        else None
    )


def fleet(document: dict[str, Any]) -> dict[str, Any]:
    rows = document["fleet"]
    found = [one for one in document["fleet_findings"] if one["status"] != "PASS"]
    return {
        "figures": _fleet_figures(document),
        "table": table(
            "Fleet overview",
            [
                column("Service"),
                column("Demand", "past and forecast"),
                column("Peak tasks", "next week → horizon", number=True),
                column("Maximum", "would hold", number=True),
                column("Passed", "5 % of futures"),
                column("USD per month", "90 % interval", number=True),
                column("Data"),
            ],
            [_fleet_row(one) for one in rows],
        ),
        "quotas": [_quota(account) for account in document["accounts"]] or ["No service runs on Fargate."],
        "findings": findings_table("Findings about the fleet", found, fleet=True) if found else None,
    }


def _fleet_figures(document: dict[str, Any]) -> list[dict[str, str]]:
    month, counts, goal = document["cost"]["month"], document["finding_counts"], document["method"]["goal"]
    risky = [one for one in document["fleet"] if (one["limit_probability"] or 0) >= AT_RISK]
    unpriced = len(document["cost"]["unpriced"])
    spread = f"90 % between {words.amount(month['p5'])} and {words.amount(month['p95'])}"
    without = f"{words.count(unpriced, 'service')} without a price" if unpriced else ""
    money = "; ".join(filter(None, (spread, without))) if month["mean"] is not None else "no service has a price"
    found = [(counts["FAIL"], "failed"), (counts["UNKNOWN"], "unknown"), (counts["REVIEW"], "to review")]
    worst = [f"{number} {word}" for number, word in found if number]
    zone = ", and after the loss of a zone" if goal["survive_zone_loss"] else ""
    return [
        {"label": "Cost per month", "value": words.usd(month["mean"]), "note": money},
        {
            "label": "May reach their maximum",
            "value": f"{len(risky)} of {len(document['fleet'])}",
            "note": f"services, with a probability of {words.share(AT_RISK)} or more",
        },
        {"label": "Planned to hold", "value": words.level(goal["level"]), "note": f"in each interval{zone}"},
        {
            "label": "Data checks",
            "value": worst[0] if worst else "passed",
            "note": words.listed(worst[1:]) or ("nothing else asks for attention" if worst else ""),
        },
    ]


def _fleet_row(one: dict[str, Any]) -> dict[str, Any]:
    month, first = one["usd_per_month"], one["limit_first"]
    return row(
        cell(one["service"], anchor=one["anchor"]),
        cell("", spark=one["anchor"]),
        cell(f"{words.grouped(one['tasks_next_week'])} → {words.grouped(one['tasks_highest'])}"),
        cell(words.grouped(one["max_tasks"]), words.grouped(one["limit_needed"])),
        cell(words.percent(one["limit_probability"]), f"from {words.day(first)}" if first else ""),
        cell(
            words.amount(month["mean"]),
            f"{words.amount(month['p5'])} – {words.amount(month['p95'])}" if month["mean"] is not None else "",
        ),
        cell(status=one["status"]),
    )


def _quota(account: dict[str, Any]) -> str:
    if account["quota"] is None:
        fit = "its service fits" if len(account["services"]) == 1 else f"its {len(account['services'])} services fit"
        return (
            f"{account['region']}: the Fargate vCPU quota is not stated, so whether {fit} into it is unknown. "
            "State fargate_vcpu_quota in [[account]]."
        )
    start = f", from {words.date(account['first'])} on" if account["first"] else ""
    ask = f"; ask for it by {words.date(account['act_by'])}" if account["act_by"] else ""
    return (
        f"{account['region']}: the Fargate quota of {words.number(account['quota'], 6)} vCPU is passed with a "
        f"probability of {words.percent(account['probability'])}{start}. {words.number(account['needed'])} vCPU would "
        f"hold to the end of the horizon{ask}."
    )


def cost(document: dict[str, Any]) -> dict[str, Any]:
    part = document["cost"]
    month = part["month"]
    return {
        "text": "Unknown: no service has a price." if month["mean"] is None else _month_words(part),
        "picture": COST_PICTURE,
        "caption": "Bar: mean. Line: 90 % interval. Prices and their date are under Method and sources.",
        "notes": [f"{one['service']}: cost unknown. {one['reason']}" for one in part["unpriced"]],
    }


def _month_words(part: dict[str, Any]) -> str:
    month, several = part["month"], part["priced_services"] > 1
    added = (
        " Futures are added path by path before the interval is read, so it is narrower than the sum of the services' "
        "intervals."
    )
    return (
        f"If tasks follow demand between their minimum and maximum, {words.count(part['priced_services'], 'service')} "
        f"{'cost' if several else 'costs'} {words.usd(month['mean'])} per month ({part['hours_per_month']} hours), "
        f"with 90 % probability between {words.amount(month['p5'])} and {words.usd(month['p95'])}. Running exactly the "
        f"planned counts, headroom included, costs {words.usd(month['planned'])}.{added if several else ''}"
    )


def method(document: dict[str, Any]) -> dict[str, Any]:
    said, period, goal = document["method"], document["period"], document["method"]["goal"]
    deployment = ", during a rolling deployment" if goal["survive_deployment"] else ""
    zone = " and after the loss of one zone" if goal["survive_zone_loss"] else ""
    censored = (
        f" In {words.share(said['censored_share'])} of the history a service was saturated; its true demand is known "
        "only from below."
        if said["censored_share"] > 0
        else ""
    )
    return {
        "paragraphs": [
            f"Demand, never utilisation, is forecast as {words.grouped(said['paths'])} sample paths. Tasks, dates and "
            "dollars are computed on each path and read as shares of paths, so a probability means the same everywhere "
            f"in this report. A count holds for the load of its interval at {words.level(goal['level'])}{deployment}"
            f"{zone}; a quarter has many intervals, and some will exceed theirs.",
            "Not in these numbers: demand without precedent in the history that no event names (launches, migrations, "
            f"campaigns), outages of AWS itself, changes of price, and spend other than Fargate tasks.{censored}",
        ],
        "prices": _prices(document["cost"]["rates"]),
        "facts": [
            [
                "History",
                f"{words.count(said['series'], 'series', 'series')}, {words.grouped(said['intervals'])} intervals of "
                f"{words.interval(period['interval_seconds'])}, {words.date(period['history_start'])} to "
                f"{words.moment(period['cutoff'])}",
            ],
            ["Horizon", f"{words.number(period['horizon_days'])} days, to {words.moment(period['horizon_end'])}"],
            [
                "Models",
                words.listed(sorted({name for made_by in said["models"] for name in words.model_names(made_by)}))
                + ("" if said["backtested"] else "; not backtested here"),
            ],
            ["Random seed", str(said["seed"])],
            ["Inputs, SHA-256", said["fingerprint"]],
            ["Versions", ", ".join(f"{name} {found}" for name, found in _versions(document))],
        ],
        "note": "Times are UTC. A gap in a line is a gap in the data. A month has "
        f"{document['cost']['hours_per_month']} hours. The same numbers are in report.xlsx and report.json.",
    }


def _versions(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [("capacity", document["capacity_version"]), *document["method"]["packages"].items()]


def _prices(rates: list[dict[str, Any]]) -> dict[str, Any] | None:
    columns = [
        column("Prices, USD"),
        column("vCPU-hour", number=True),
        column("GB-hour", number=True),
        column("Storage GB-hour", number=True),
        column("Source"),
        column("Date"),
    ]
    rows = [
        row(
            cell(f"{rate['region']}, {rate['architecture']}"),
            *(cell(words.number(rate[name], 5)) for name in ("vcpu", "memory_gb", "storage_gb")),
            cell(rate["source"]),
            cell(words.day(rate["date"] or None) or "not stated"),
        )
        for rate in rates
    ]
    return table("Prices", columns, rows) if rows else None
