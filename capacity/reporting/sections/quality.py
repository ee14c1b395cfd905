"""How good the data was: what was found by check and service, how much of each history is known, how far it reaches."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.planning.words import first_few
from capacity.reporting import words
from capacity.reporting.sections.base import Block, Document, Nouns, Section
from capacity.reporting.sections.blocks import heading, table, text
from capacity.reporting.sections.plainly import cut
from capacity.reporting.sheets import Field, Sheet
from capacity.reporting.tables import cell, column, row
from capacity.reporting.tables import table as grid
from capacity.reporting.wording import METRIC_NAMES, STATUS_WORDS

#: Rows of each table that the page shows.
SHOWN: Final = 20

#: Order in which statuses matter.
_WORST: Final = ("FAIL", "UNKNOWN", "REVIEW", "PASS")


def part(nouns: Nouns, document: Document) -> dict[str, Any]:
    """Findings counted by check, and how much of each series is known."""
    past = nouns.plan.forecast.past
    known = np.isfinite(past.values)
    longest = _longest_gaps(known) * (past.interval / pd.Timedelta(hours=1))
    first = np.where(known.any(axis=1), known.argmax(axis=1), -1)
    statuses: dict[str, Counter[str]] = defaultdict(Counter)
    named: dict[str, list[str]] = defaultdict(list)
    for finding in nouns.findings:
        statuses[finding.check][finding.status] += 1
        if finding.status != "PASS":
            named[finding.check].append(finding.service or "the fleet")
    order = sorted(statuses, key=lambda check: tuple(-statuses[check][status] for status in _WORST[:3]))
    return {
        "checks": [
            {"check": check, "counts": dict(statuses[check]), "services": sorted(set(named[check]))} for check in order
        ],
        "series": [
            {
                "service": key.service,
                "metric": key.metric,
                "from": words.stamped(past.times[start]) if start >= 0 else None,
                "known_share": float(share),
                "since_known_share": float(known[place, start:].mean()) if start >= 0 else None,
                "longest_gap_hours": float(gap),
                "censored_share": float(full),
            }
            for place, (key, start, share, gap, full) in enumerate(
                zip(past.keys, first, known.mean(axis=1), longest, past.censored.mean(axis=1), strict=True)
            )
        ],
    }


def _longest_gaps(known: np.ndarray) -> np.ndarray:
    """(S,) longest run of unknown intervals of each series between two known ones, in intervals.

    >>> _longest_gaps(np.array([[False, True, False, False, True, False], [True, True, True, True, True, True]]))
    array([2, 0])
    """
    count = known.shape[1]
    place = np.broadcast_to(np.arange(count), known.shape)
    last = np.maximum.accumulate(np.where(known, place, -1), axis=1)  # the last known interval up to each
    before = np.concatenate([np.full((len(known), 1), -1), last[:, :-1]], axis=1)
    gaps = np.where(known & (before >= 0), place - before - 1, 0)
    return np.asarray(gaps.max(axis=1, initial=0))


def view(document: Document) -> list[Block]:
    """Findings by check, then the series of which least is known."""
    said = document.get("quality")
    if said is None:
        return []
    counts = document["finding_counts"]
    told = [one for one in said["checks"] if any(one["counts"].get(status) for status in _WORST[:3])]
    verdict = words.listed(
        [
            f"{counts[status]:,} {word}"
            for status, word in (("FAIL", "failed"), ("UNKNOWN", "unknown"), ("REVIEW", "to review"))
            if counts[status]
        ]
    )
    summed = f"Checks of the data: {verdict}." if verdict else "Every check of the data passed."
    return [
        text(f"{summed} Each finding stands with its service, and all of them in report.xlsx, sheet Findings."),
        *([table(grid("Findings by check", _CHECKS, [_check(one) for one in told[:SHOWN]]))] if told else []),
        *_series(said["series"]),
    ]


_CHECKS: Final = [
    column("Check"),
    *(column(STATUS_WORDS[status], "findings", number=True) for status in _WORST[:3]),
    column("About", wide=2),
]


def _check(one: dict[str, Any]) -> dict[str, Any]:
    counts = [one["counts"].get(status, 0) for status in _WORST[:3]]
    return row(
        cell(one["check"], sort=one["check"]),
        *(cell(f"{count:,}" if count else "–", sort=count) for count in counts),
        cell(first_few(one["services"])),
    )


def _series(series: list[dict[str, Any]]) -> list[Block]:
    """How far each history reaches and what of it is known: those of which least is known first."""
    ordered = sorted(
        series, key=lambda one: (one["since_known_share"] or 0.0, -one["longest_gap_hours"], one["service"])
    )
    shown, more = cut(ordered, SHOWN, "series", "Coverage")
    columns = [
        column("Series"),
        column("Known from", wide=0),
        column("Known", "share since then", number=True),
        column("Longest gap", "hours", number=True),
        column("Saturated", "share of intervals", number=True),
    ]
    rows = [
        row(
            cell(one["service"], METRIC_NAMES.get(one["metric"], one["metric"]), sort=one["service"].lower()),
            cell(words.day(one["from"]) or "never", sort=one["from"]),
            cell(_nearly(one["since_known_share"]), sort=one["since_known_share"]),
            cell(words.number(one["longest_gap_hours"]), sort=one["longest_gap_hours"]),
            cell(words.share(one["censored_share"]), sort=one["censored_share"]),
        )
        for one in shown
    ]
    whole = sum((one["since_known_share"] or 0.0) == 1 for one in series)
    return [
        heading("How much of the history is known"),
        text(
            f"{words.count(whole, 'series', 'series')} of {len(series):,} {'has' if whole == 1 else 'have'} no gap "
            "since their first value. Those of which least is known stand first; gaps stay gaps, and are never read as "
            "zero."
        ),
        table(grid("Coverage of the history", columns, rows)),
        *more,
    ]


def _nearly(share: float | None) -> str:
    """A share of which 100 % means that nothing is missing.

    >>> _nearly(0.9999), _nearly(1.0), _nearly(0.5), _nearly(None)
    ('>99.9 %', '100 %', '50.0 %', 'none')
    """
    if share is None:
        return "none"
    return "100 %" if share == 1 else ">99.9 %" if share > 0.999 else f"{100 * share:.1f} %"


COVERAGE: Final = (
    Field("Service", "text", 28, lambda row: row["service"]),
    Field("Metric", "text", 14, lambda row: row["metric"]),
    Field("Known from, UTC", "moment", 18, lambda row: row["from"]),
    Field("Known, share since then", "share", 14, lambda row: row["since_known_share"]),
    Field("Known, share of all intervals", "share", 14, lambda row: row["known_share"]),
    Field("Longest gap, hours", "number", 12, lambda row: row["longest_gap_hours"]),
    Field("Saturated, share of all intervals", "share", 14, lambda row: row["censored_share"]),
)


FINDINGS: Final = (
    Field("Service", "text", 28, lambda row: row["service"] or "(fleet)"),
    Field("Metric", "text", 14, lambda row: row["metric"]),
    Field("Check", "text", 14, lambda row: row["check"]),
    Field("Status", "text", 10, lambda row: STATUS_WORDS[row["status"]]),
    Field("Found", "text", 70, lambda row: row["message"]),
    Field("What to do", "text", 60, lambda row: row["advice"]),
    Field("From, UTC", "moment", 18, lambda row: row["start"]),
    Field("To, UTC", "moment", 18, lambda row: row["end"]),
    Field("Intervals", "count", 10, lambda row: row["count"]),
)


def sheets(document: Document) -> list[Sheet]:
    """All findings, also those that passed: of the fleet, then of each service. And a row a series."""
    said = document.get("quality")
    found = [*document["fleet_findings"], *(one for part in document["services"] for one in part["findings"])]
    return [
        Sheet("Findings", FINDINGS, found),
        *([Sheet("Coverage", COVERAGE, said["series"])] if said is not None else []),
    ]


SECTION: Final = Section("quality", "The data", view, part, sheets=sheets)
