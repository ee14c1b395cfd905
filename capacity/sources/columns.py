"""Which of a file's columns is which of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from capacity.schema import HISTORY, METRICS, STATS
from capacity.sources.cells import known_metric, known_stat
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
    "__name__": "metric",
    "servicename": "service",
    "clustername": "cluster",
    "dimension_servicename": "service",
    "dimension_clustername": "cluster",
}
#: Said of a column: it is not to be read.
LEFT_OUT: Final = "-"


class Said(NamedTuple):
    """What the caller says a column of values is: "web:cpu_utilization:max:%". Parts may be left empty or away."""

    service: str = ""
    metric: str = ""
    stat: str = ""
    unit: str = ""


def series_said(ours: str) -> Said | None:
    """The series that a column is said to be; None when it is said to be one of our columns, or to be left out.

    >>> series_said("web:requests"), series_said("service")
    (Said(service='web', metric='requests', stat='', unit=''), None)
    """
    parts = [part.strip() for part in ours.split(":")]
    return Said(*parts) if 2 <= len(parts) <= 4 else None


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
    others = {name for name, ours in said.items() if ours not in OURS}  # series, and what is left out
    found: dict[str, int] = {}
    for meaning in (said, {name: name for name in OURS}, ALIASES):
        tier: dict[str, list[int]] = {}
        for position, name in enumerate(names):
            ours = None if name.casefold() in others else meaning.get(name.casefold())
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
        series = series_said(ours)
        if series is not None:
            _check_series(theirs, series, problems)
        elif ours not in (*OURS, LEFT_OUT):
            problems.add(
                f"columns maps {theirs!r} to {ours!r}",
                "",
                f"A column can be one of: {', '.join(OURS)}; a series, as 'service:metric:stat:unit'; "
                f"or {LEFT_OUT!r}, not to be read.",
            )


def _check_series(theirs: str, series: Said, problems: Problems) -> None:
    """Complain about a series of which a word is not known. (A unit is checked where it is converted.)"""
    if series.metric and known_metric(series.metric) is None:
        problems.add(
            f"columns maps {theirs!r} to unknown metric {series.metric!r}", "", f"Metrics: {', '.join(METRICS)}."
        )
    if series.stat and known_stat(series.stat) is None and series.stat.casefold() not in ("sum", "samplecount"):
        problems.add(
            f"columns maps {theirs!r} to unknown stat {series.stat!r}",
            "",
            f"Stats: {', '.join(STATS)}, sum, samplecount.",
        )
