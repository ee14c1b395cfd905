"""Nouns -> one plain document: the single source of every format.

The document is data of dicts, lists, strings, numbers, True, False and None; what is not known is None, and a reason
stands beside it. HTML, PDF and XLSX show it, JSON is it: a number can be looked up in any of them and is the same.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity._version import __version__
from capacity.findings import Finding, Findings
from capacity.history.history import History
from capacity.planning.fingerprint import fingerprint, packages
from capacity.planning.plans import Decision, Plan
from capacity.planning.prices import HOURS_PER_MONTH
from capacity.reporting import words
from capacity.reporting.chapter import chapter
from capacity.scaling.policy import Policy

#: Raised when a field is renamed, removed or changes meaning; a new field does not raise it.
SCHEMA_VERSION: Final = 1

#: Significant digits of every number in the document; arrays to draw have `series.DIGITS`.
DIGITS: Final = 9


def document(
    plan: Plan,
    *,
    policy: Policy | None = None,
    history: History | None = None,
    findings: Findings | None = None,
    scores: pd.DataFrame | None = None,
    title: str = "Capacity report",
    generated_at: str = "",
) -> dict[str, Any]:
    """Everything a report says, in the order it says it: decisions, fleet, cost, then each service, then method.

    `generated_at` is the only part that is not a function of the other arguments.
    """
    known = Findings.of(*_finding_groups(plan, history, findings))
    scores = plan.forecast.scores if scores is None else scores
    chapters = [
        chapter(plan, service, number, policy=policy, history=history, findings=known, scores=scores)
        for number, service in enumerate(plan.services, start=1)
    ]
    decisions = [_decision(number, decision) for number, decision in enumerate(plan.decisions, start=1)]
    planned = {service.name for service in plan.services}  # what is known of others has no chapter to stand in
    return rounded(
        {
            "schema_version": SCHEMA_VERSION,
            "capacity_version": __version__,
            "title": title,
            "generated_at": generated_at,
            "period": _period(plan),
            "alerts": [finding_row(finding) for finding in known if finding.status == "FAIL"],
            "decisions": decisions,
            "fleet": [_fleet_row(part, decisions) for part in chapters],
            "accounts": _accounts(plan),
            "cost": _cost(plan, chapters),
            "services": chapters,
            "fleet_findings": [finding_row(finding) for finding in known if finding.service not in planned],
            "finding_counts": {
                status: sum(f.status == status for f in known) for status in ("FAIL", "UNKNOWN", "REVIEW")
            },
            "method": _method(plan, policy, scores),
        }
    )


def _finding_groups(plan: Plan, history: History | None, findings: Findings | None) -> list[Findings]:
    groups = [plan.findings, plan.forecast.findings, plan.forecast.past.findings]
    return groups + [part for part in (history.findings if history is not None else None, findings) if part is not None]


def _period(plan: Plan) -> dict[str, Any]:
    forecast = plan.forecast
    end = forecast.times[-1] + forecast.interval
    return {
        "history_start": forecast.past.times[0].isoformat(),
        "cutoff": forecast.cutoff.isoformat(),
        "horizon_start": forecast.times[0].isoformat(),
        "horizon_end": end.isoformat(),
        "horizon_days": (end - forecast.times[0]) / pd.Timedelta(days=1),
        "interval_seconds": forecast.interval.total_seconds(),
        "paths": forecast.paths.shape[1],
    }


def _decision(number: int, decision: Decision) -> dict[str, Any]:
    return {
        "number": number,
        "kind": decision.kind,
        "service": decision.service,
        "sentence": decision.sentence,
        "because": decision.because,
        "probability": decision.probability,
        "before": _iso(decision.before),
        "current": decision.current,
        "proposed": decision.proposed,
        "unit": decision.unit,
        "owner": decision.owner,
        "usd_per_month": decision.usd_per_month,
    }


def finding_row(finding: Finding) -> dict[str, Any]:
    return {
        "service": finding.service,
        "metric": finding.metric,
        "check": finding.check,
        "status": finding.status,
        "message": finding.message,
        "advice": finding.advice,
        "start": _iso(finding.start),
        "end": _iso(finding.end),
        "count": finding.count,
    }


def _fleet_row(part: dict[str, Any], decisions: list[dict[str, Any]]) -> dict[str, Any]:
    """One service on one line of the overview."""
    own = next((limit for limit in part["limits"] if limit["limit"] == "max_tasks"), None)
    return {
        "service": part["name"],
        "anchor": part["anchor"],
        "tasks_next_week": part["tasks"]["next_week"],
        "tasks_highest": part["tasks"]["highest"],
        "min_tasks": part["settings"]["min_tasks"],
        "max_tasks": part["settings"]["max_tasks"],
        "limit_needed": own["needed"] if own else None,
        "limit_probability": own["probability"] if own else None,
        "limit_first": own["first"] if own else None,
        "limit_median": own["median"] if own else None,
        "usd_per_month": part["cost"]["month"],
        "cost_reason": part["cost"]["reason"],
        "status": part["status"],
        "decisions": [decision["number"] for decision in decisions if decision["service"] == part["name"]],
    }


def _accounts(plan: Plan) -> list[dict[str, Any]]:
    """Quotas that services share. A region in use without a stated quota is listed too: not known is not endless."""
    regions = sorted({service.region for service in plan.services if service.launch_type == "FARGATE"})
    stated = {account.region: account for account in plan.accounts}
    rows = []
    for region in regions:
        account = stated.get(region)
        known = account.fargate_vcpu_quota if account is not None else None
        found = plan.limits[
            (plan.limits["service"] == f"(account {region})") & (plan.limits["limit"] == "fargate_vcpu_quota")
        ]
        row = found.iloc[0] if len(found) else None
        services = [service.name for service in plan.services if service.region == region]
        rows.append(
            {
                "region": region,
                "quota": known,
                "services": services,
                "needed": _number(row["needed"]) if row is not None else None,
                "probability": _number(row["probability"]) if row is not None else None,
                "first": _iso(row["first"]) if row is not None else None,
                "median": _iso(row["median"]) if row is not None else None,
                "act_by": _iso(row["act_by"]) if row is not None else None,
            }
        )
    return rows


def _cost(plan: Plan, chapters: list[dict[str, Any]]) -> dict[str, Any]:
    """Spend of the fleet for a month, added path by path, and of each service."""
    month = plan.total_cost.loc["month"]
    unpriced = [part["name"] for part in chapters if part["cost"]["month"]["mean"] is None]
    priced = len(chapters) - len(unpriced)
    return {
        "month": {
            "mean": _number(month["usd"]),
            "p5": _number(month["p5"]),
            "p95": _number(month["p95"]),
            "planned": _number(month["planned"]),
        },
        "hours_per_month": HOURS_PER_MONTH,
        "priced_services": priced,
        "unpriced": [
            {"service": part["name"], "reason": part["cost"]["reason"]} for part in chapters if part["cost"]["reason"]
        ],
        "services": [{"service": part["name"], **part["cost"]["month"]} for part in chapters],
        "rates": [
            {
                "region": rate.region,
                "architecture": rate.architecture,
                "vcpu": rate.vcpu,
                "memory_gb": rate.memory_gb,
                "storage_gb": rate.storage_gb,
                "source": rate.source,
                "date": rate.date,
            }
            for rate in plan.rates
        ],
    }


def _method(plan: Plan, policy: Policy | None, scores: pd.DataFrame | None) -> dict[str, Any]:
    forecast = plan.forecast
    return {
        "goal": {
            "level": plan.goal.level,
            "survive_zone_loss": plan.goal.survive_zone_loss,
            "survive_deployment": plan.goal.survive_deployment,
            "horizon": plan.goal.horizon,
        },
        "seed": forecast.seed,
        "paths": forecast.paths.shape[1],
        "models": sorted(set(forecast.models)),
        "backtested": scores is not None and len(scores) > 0,
        "rehearsed": policy is not None,
        "series": len(forecast.keys),
        "intervals": len(forecast.past.times),
        "censored_share": float(forecast.past.censored.mean()) if forecast.past.censored.size else 0.0,
        "fingerprint": fingerprint(plan),
        "digits": DIGITS,
        "packages": packages(),
    }


def rounded(value: Any) -> Any:
    """Plain data: floats of DIGITS significant digits, None for NaN and infinity, numpy's numbers as Python's.

    >>> rounded({"a": [0.1 + 0.2, float("nan"), np.int64(3), True]})
    {'a': [0.3, None, 3, True]}
    """
    if isinstance(value, (float, np.floating)):  # first, because nearly all of a document is numbers
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): rounded(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(part) for part in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if value is None or value is pd.NaT:
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else str(value)


def _number(value: Any) -> float | None:
    return None if words.missing(value) else float(value)


def _iso(time: Any) -> str | None:
    return None if time is None or pd.isna(time) else str(time.isoformat())
