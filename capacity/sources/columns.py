"""Which of a file's columns is which of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from capacity.schema import HISTORY
from capacity.sources.problems import Problems

#: Put before a service's name with a slash, so that services of one name in two clusters stay two.
PREFIX: Final = "service_prefix"
#: Columns understood in a file: those of the history, and three more.
OURS: Final = (*HISTORY.names, "unit", "cluster", PREFIX)
#: Names that other tools give these columns, each with one meaning only. Compared without case and outer spaces.
ALIASES: Final[dict[str, str]] = {
    "series_id": "service",
    "unique_id": "service",
    "series": "service",
    "service_name": "service",
    "metric_name": "metric",
    "statistic": "stat",
    "interval_seconds": "interval",
    "period": "interval",
    "ds": "timestamp",
    "time": "timestamp",
    "date": "timestamp",
    "datetime": "timestamp",
    "y": "value",
    "cluster_name": "cluster",
}


def mapped(
    header: Sequence[str], columns: Mapping[str, str], where: str, problems: Problems
) -> tuple[dict[str, int], list[str]]:
    """Position of each of our columns in a header, and the names of columns that are none of ours.

    What the caller says wins, then our own names, then aliases; two columns for one of ours are a problem.

    >>> mapped(["ds", "unique_id", "y", "region"], {}, "usage.csv", Problems())
    ({'timestamp': 0, 'service': 1, 'value': 2}, ['region'])
    """
    said = {theirs.strip().casefold(): ours for theirs, ours in columns.items()}
    names = [name.strip() for name in header]
    found: dict[str, int] = {}
    for meaning in (said, {name: name for name in OURS}, ALIASES):
        tier: dict[str, list[int]] = {}
        for position, name in enumerate(names):
            ours = meaning.get(name.casefold())
            if ours is not None and position not in found.values():
                tier.setdefault(ours, []).append(position)
        for ours, positions in tier.items():
            if ours in found:
                continue
            found[ours] = positions[0]
            if len(positions) > 1:
                rivals = " and ".join(repr(names[position]) for position in positions)
                problems.add(
                    f"columns {rivals} could both be {ours}",
                    where,
                    f"Say which one: columns={{{names[positions[0]]!r}: {ours!r}}}.",
                )
    used = set(found.values())
    return found, [name for position, name in enumerate(names) if position not in used and name]


def check_said(columns: Mapping[str, str], problems: Problems) -> None:
    """Complain about columns that the caller maps to something that is not ours."""
    for theirs, ours in columns.items():
        if ours not in OURS:
            problems.add(f"columns maps {theirs!r} to {ours!r}", "", f"A column can be one of: {', '.join(OURS)}.")
