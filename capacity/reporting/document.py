"""Nouns -> one plain document: the single source of every format.

The document is data of dicts, lists, strings, numbers, True, False and None; what is not known is None, and a reason
stands beside it. HTML, PDF and XLSX show it, JSON is it: a number can be looked up in any of them and is the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity._version import __version__
from capacity.findings import Finding, Findings
from capacity.planning.plans import Plan
from capacity.reporting import sections, series, words
from capacity.reporting.chapter import chapter
from capacity.reporting.sections.base import Nouns
from capacity.reporting.sections.fleet import accounts
from capacity.reporting.sections.method import DIGITS

#: Raised when a field is renamed, removed or changes meaning; a new field does not raise it.
SCHEMA_VERSION: Final = 1

#: A fleet of more services than this is large: so many of them are drawn in full, the others small.
LARGE: Final = 100
FULL: Final = 24


def document(
    given: Nouns,
    *,
    title: str = "Capacity report",
    generated_at: str = "",
    shown: Sequence[str] = (),
    footer: str = "",
) -> dict[str, Any]:
    """Everything a report says: what its sections share, each service, then the parts of the sections.

    `generated_at` is the only part that is not a function of the other arguments.
    """
    plan, policy, history = given.plan, given.policy, given.history
    known = Findings.of(*_finding_groups(given))
    scores = plan.forecast.scores if given.scores is None else given.scores
    full = drawn(plan)
    chapters = [
        chapter(
            plan,
            service,
            number,
            policy=policy,
            history=history,
            findings=known,
            scores=scores,
            drawn=service.name in full,
        )
        for number, service in enumerate(plan.services, start=1)
    ]
    planned = {service.name for service in plan.services}  # what is known of others has no chapter to stand in
    nouns = replace(given, findings=known, scores=scores)
    base = {
        "schema_version": SCHEMA_VERSION,
        "capacity_version": __version__,
        "title": title,
        "generated_at": generated_at,
        "footer": footer,
        "sections": sections.chosen(shown),
        "left_out": dict(given.left_out),
        "kept": given.kept,
        "period": _period(plan),
        "alerts": [finding_row(finding) for finding in known if finding.status == "FAIL"],
        "accounts": accounts(plan),
        "services": chapters,
        "fleet_findings": [finding_row(finding) for finding in known if finding.service not in planned],
        "finding_counts": {status: sum(f.status == status for f in known) for status in ("FAIL", "UNKNOWN", "REVIEW")},
    }
    return rounded(sections.parts(nouns, base))


def drawn(plan: Plan) -> set[str]:
    """Services whose pictures are drawn in full: all of a fleet that can be leafed through.

    Of more than `LARGE`, those that decisions are about, most urgent first, then those that cost most, `FULL` in all:
    a picture takes a tenth of a second and ten kilobytes, and nobody looks at ten thousand.
    """
    names = [service.name for service in plan.services]
    if len(names) <= LARGE:
        return set(names)
    usd = {name: float(np.mean(plan.path_usd[name])) if name in plan.path_usd else np.nan for name in names}
    costly = sorted(names, key=lambda name: (not math.isfinite(usd[name]), -usd[name]))
    urgent = [decision.service for decision in plan.decisions if decision.service in usd]
    return set(list(dict.fromkeys([*urgent, *costly]))[:FULL])


def _finding_groups(given: Nouns) -> list[Findings]:
    """Of what was planned from. What money, scenarios and alarms take for granted stands in their own sections."""
    plan, history = given.plan, given.history
    groups = [plan.findings, plan.forecast.findings, plan.forecast.past.findings, given.findings]
    return groups + ([history.findings] if history is not None else [])


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


def finding_row(finding: Finding) -> dict[str, Any]:
    return {
        "service": finding.service,
        "metric": finding.metric,
        "check": finding.check,
        "status": finding.status,
        "message": finding.message,
        "advice": finding.advice,
        "start": words.stamped(finding.start),
        "end": words.stamped(finding.end),
        "count": finding.count,
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
    if isinstance(value, series.Plain):
        return list(value)
    if isinstance(value, (list, tuple)):
        return [rounded(part) for part in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if value is None or value is pd.NaT:
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else str(value)
