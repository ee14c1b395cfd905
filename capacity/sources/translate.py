"""A table in someone's words into rows in ours: services, metrics, UTC stamps, values in the metric's own unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from capacity.errors import UnitMismatch
from capacity.findings import Finding
from capacity.schema import METRICS, STATS
from capacity.sources.cells import constant, interval_seconds, known_metric, known_stat, missing, numbers, scale, words
from capacity.sources.columns import PREFIX, check_said, mapped
from capacity.sources.exports import unfolded
from capacity.sources.problems import Problems
from capacity.sources.stamps import localized, stamps_of
from capacity.sources.tables import RawTable
from capacity.units import UNITS

#: Not in a service's name: line breaks and other control characters, which terminals obey, and marks that turn the
#: direction of what follows, so that a name reads as another.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
#: ECS allows as many characters in a service's name.
_LONGEST_NAME = 255


@dataclass(frozen=True)
class Reading:
    """What the caller says about tables that do not say it themselves. Where a table has the column, it wins."""

    columns: Mapping[str, str] = field(default_factory=dict)  # their column -> ours, or the series it is
    metric: str = ""
    unit: str = ""
    timezone: str = ""
    interval_seconds: int | None = None
    service: str = ""

    def check(self, problems: Problems) -> None:
        """Note what cannot be meant."""
        check_said(self.columns, problems)
        if self.metric and known_metric(self.metric) is None:
            problems.add(f"unknown metric {self.metric!r}", "metric", f"Metrics: {', '.join(METRICS)}.")
        if self.unit:
            try:
                scale(known_metric(self.metric) or "requests", self.unit)
            except UnitMismatch as error:
                if self.metric or "unknown unit" in str(error):
                    problems.add(str(error), "unit", f"Units: {', '.join(UNITS)}.")
        if self.interval_seconds is not None and self.interval_seconds <= 0:
            problems.add(f"{self.interval_seconds} is not a positive count of seconds", "interval_seconds")
        if self.timezone:
            try:
                ZoneInfo(self.timezone)
            except (KeyError, ValueError, OSError):
                problems.add(f"{self.timezone!r} is not an IANA zone such as 'Europe/Paris' or 'UTC'", "timezone")


def translated(table: RawTable, reading: Reading, problems: Problems, findings: list[Finding]) -> pd.DataFrame | None:
    """Rows with service, metric, stat, cluster, source, interval (0: not said), us, value (NaN: missing), file, row ...

    None when a column is missing. Rows that hold a problem are left out: the caller raises before anyone uses the rest.
    """
    form = unfolded(table, reading, problems, findings)
    if form is None:
        return None
    table, reading = form
    places, foreign = mapped(table.header, reading.columns, table.name, problems)
    if not _complete(places, reading, table, problems):
        return None
    if foreign:
        findings.append(Finding("", "", "columns", "PASS", f"{table.name}: columns not read: {', '.join(foreign)}"))
    cells = {ours: table.columns[position] for ours, position in places.items()}
    services, good = _services(cells, reading, table, problems)
    metrics, known = _translated(cells, "metric", reading.metric, known_metric, table, problems, ", ".join(METRICS))
    stats, understood = _translated(cells, "stat", "", known_stat, table, problems, ", ".join(STATS))
    seconds, counted = _intervals(cells, reading, table, problems)
    values, finite = numbers(cells["value"], table, problems)
    good = good & known & understood & counted & finite
    values, convertible = _converted(values, metrics, cells, reading, table, good, problems)
    rows = pd.DataFrame(
        {
            "service": services,
            "metric": metrics,
            "stat": stats,
            "cluster": pd.Categorical.from_codes(*words(cells["cluster"])) if "cluster" in cells else _all("", table),
            "interval": seconds,
            "value": values,
            "file": _all(table.name, table),
            "row": table.rows,
        }
    )
    rows["us"], stamped = _stamps(cells["timestamp"], rows, reading, table, problems, findings)
    rows = _origin(rows, cells, table, problems)
    return rows[good & convertible & stamped]


def _complete(places: Mapping[str, int], reading: Reading, table: RawTable, problems: Problems) -> bool:
    """Whether each column that is needed is there, or its value said."""
    said = {"service": reading.service, "metric": reading.metric}
    missing = [name for name in ("service", "metric", "timestamp", "value") if not (name in places or said.get(name))]
    for name in missing:
        option = f", or say {name}=... if it is one for all rows (--{name} ...)" if name in said else ""
        problems.add(
            f"no column for {name}; there are: {', '.join(map(repr, table.header))}",
            table.name,
            f"Name the column: columns={{'THEIRS': '{name}'}} (--column THEIRS={name}){option}.",
        )
    return not missing


def _all(word: str, table: RawTable) -> pd.Categorical:
    codes, distinct = constant(word, len(table))
    return pd.Categorical.from_codes(codes, distinct)


def _words(cells: Mapping[str, pd.Series], name: str, default: str, table: RawTable) -> tuple[np.ndarray, list[str]]:
    """Codes and distinct words of a column; where it is absent or empty, the default."""
    if name not in cells:
        return constant(default, len(table))
    codes, distinct = words(cells[name])
    return codes, [word or default for word in distinct]


def _where(codes: np.ndarray, distinct: list[str], wrong: Callable[[str], bool]) -> np.ndarray:
    """Rows whose word is wrong."""
    return np.array([wrong(word) for word in distinct], dtype=bool)[codes]


def _services(
    cells: Mapping[str, pd.Series], reading: Reading, table: RawTable, problems: Problems
) -> tuple[pd.Categorical, np.ndarray]:
    codes, distinct = _words(cells, "service", reading.service, table)
    empty = _where(codes, distinct, lambda word: not word)
    problems.words(table.name, table.rows[empty], codes[empty], lambda _: "service has no name")
    broken = _where(codes, distinct, lambda word: _misnamed(word) != "")
    problems.words(table.name, table.rows[broken], codes[broken], lambda code: _misnamed(distinct[code]))
    if PREFIX in cells:
        prefixes, names = words(cells[PREFIX])
        codes, pairs = pd.factorize(prefixes * len(distinct) + codes)
        both = [(names[pair // len(distinct)], distinct[pair % len(distinct)]) for pair in pairs.tolist()]
        distinct = [f"{prefix}/{name}" if prefix else name for prefix, name in both]
    return _categorical(codes, distinct), ~(empty | broken)


def _misnamed(word: str) -> str:
    """What is wrong with a service's name, in words; nothing, for a good one."""
    if _CONTROL.search(word):
        return f"service {word[:80]!a} has a line break or another control character in its name"
    if len(word) > _LONGEST_NAME:
        return f"service {word[:40] + '...'!r} has a name of {len(word)} characters; ECS allows {_LONGEST_NAME}"
    return ""


def _translated(
    cells: Mapping[str, pd.Series],
    name: str,
    default: str,
    known: Callable[[str], str | None],
    table: RawTable,
    problems: Problems,
    choice: str,
) -> tuple[pd.Categorical, np.ndarray]:
    """A column of words that have to be ours; unknown ones are problems."""
    codes, distinct = _words(cells, name, default, table)
    ours = [known(word) for word in distinct]
    wrong = np.array([word is None for word in ours], dtype=bool)[codes]
    problems.words(
        table.name,
        table.rows[wrong],
        codes[wrong],
        lambda code: f"unknown {name} {distinct[code]!r}" if distinct[code] else f"{name} is missing",
        f"Known {name}s: {choice}.",
    )
    return _categorical(codes, [word or "" for word in ours]), ~wrong


def _categorical(codes: np.ndarray, distinct: list[str]) -> pd.Categorical:
    """Words may have become equal by translation; categories may not be."""
    again, merged = pd.factorize(np.array(distinct, dtype=object))
    return pd.Categorical.from_codes(again[codes], list(merged))


def _intervals(
    cells: Mapping[str, pd.Series], reading: Reading, table: RawTable, problems: Problems
) -> tuple[np.ndarray, np.ndarray]:
    """Seconds, 0 where nothing is said."""
    codes, distinct = _words(cells, "interval", str(reading.interval_seconds or ""), table)
    seconds = [interval_seconds(word) for word in distinct]
    wrong = np.array([count is None for count in seconds], dtype=bool)[codes]
    problems.words(
        table.name,
        table.rows[wrong],
        codes[wrong],
        lambda code: f"interval {distinct[code]!r} is no whole, positive count of seconds",
    )
    return np.array([count or 0 for count in seconds], dtype=np.int64)[codes], ~wrong


def _converted(
    values: np.ndarray,
    metrics: pd.Categorical,
    cells: Mapping[str, pd.Series],
    reading: Reading,
    table: RawTable,
    good: np.ndarray,
    problems: Problems,
) -> tuple[np.ndarray, np.ndarray]:
    """Values in the metric's own unit; a unit that measures something else is a problem."""
    codes, units = _words(cells, "unit", reading.unit, table)
    pairs = metrics.codes.astype(np.int64) * len(units) + codes
    convertible = np.ones(len(values), dtype=bool)
    for pair in np.unique(pairs[good]).tolist():
        metric, unit = str(metrics.categories[pair // len(units)]), units[pair % len(units)]
        rows = np.flatnonzero((pairs == pair) & good)
        try:
            size = scale(metric, unit)
        except UnitMismatch as error:
            message = str(error)
            problems.words(table.name, table.rows[rows], codes[rows], lambda _, message=message: message, _units())  # type: ignore[misc]
            convertible[rows] = False
        else:
            if size != 1.0:
                values[rows] *= size
    return values, convertible


def _units() -> str:
    return f"Known units: {', '.join(UNITS)}."


def _stamps(
    column: pd.Series,
    rows: pd.DataFrame,
    reading: Reading,
    table: RawTable,
    problems: Problems,
    findings: list[Finding],
) -> tuple[np.ndarray, np.ndarray]:
    """UTC microseconds, and where they are known."""
    stamps = stamps_of(column)
    bad = np.flatnonzero(stamps.bad)
    problems.rows(
        table.name,
        table.rows[bad],
        lambda i: _misunderstood(column.iloc[bad[i]]),
        "Write stamps as 2026-08-03T14:00:00Z, with any offset, or as seconds since 1970.",
    )
    naive = np.flatnonzero(stamps.naive)
    us = stamps.us.copy()
    if len(naive) and not reading.timezone:
        problems.add(
            f"{len(naive):,} stamps have no offset, such as {str(column.iloc[naive[0]])!r}: of which clock are they?",
            f"{table.name} row {table.rows[naive[0]]}",
            'If they are UTC, say timezone="UTC" (--timezone UTC); if of a local clock, its zone: "Europe/Paris".',
        )
    elif len(naive):
        series = rows["service"].cat.codes.astype("int64")
        for name in ("metric", "stat"):
            series = series * len(rows[name].cat.categories) + rows[name].cat.codes
        local = localized(us[naive], series.to_numpy()[naive], reading.timezone)
        us[naive] = local.us
        for mask, what in ((local.absent, "never happened"), (local.twice, "happened twice")):
            at = naive[mask]
            problems.rows(
                table.name,
                table.rows[at],
                lambda i, at=at, what=what: f"{str(column.iloc[at[i]])!r} {what} in {reading.timezone}",  # type: ignore[misc]
                'Write the offset of each stamp, or say timezone="UTC" if that clock never changes.',
            )
        if local.ordered.any():
            findings.append(_told_by_order(rows.iloc[naive[local.ordered]], reading.timezone, table.name))
    return us, ~stamps.bad


def _misunderstood(stamp: object) -> str:
    return "timestamp is missing" if missing(stamp) else f"timestamp {stamp!r} is not understood"


def _told_by_order(rows: pd.DataFrame, zone: str, name: str) -> Finding:
    return Finding(
        "",
        "",
        "clock",
        "REVIEW",
        f"{name}: {len(rows):,} rows from row {rows['row'].iloc[0]} on lie in an hour that happened twice in {zone}; "
        "the order of the rows tells first from second",
        "Export with offsets, and nothing has to be told from order.",
        count=len(rows),
    )


def _origin(rows: pd.DataFrame, cells: Mapping[str, pd.Series], table: RawTable, problems: Problems) -> pd.DataFrame:
    """Source and fetch time: the row's own, as in exports of our history, or the file's."""
    codes, sources = _words(cells, "source", f"files:{table.name}", table)
    rows["source"] = _categorical(codes, sources)
    rows["fetched"], rows["dated"] = np.int64(table.fetched_us), False
    if "fetched_at" in cells:
        stamps = stamps_of(cells["fetched_at"])
        if (stamps.bad | stamps.naive).any():
            at = np.flatnonzero(stamps.bad | stamps.naive)
            problems.rows(table.name, table.rows[at], lambda _: "fetched_at is not a UTC stamp")
        rows["fetched"], rows["dated"] = stamps.us, True
    return rows


def check_clusters(rows: pd.DataFrame, problems: Problems) -> None:
    """Two clusters with a service of one name: which is which would be lost."""
    pairs = rows[["service", "cluster"]].drop_duplicates()
    for service, clusters in pairs.groupby("service", observed=True)["cluster"]:
        names = sorted(str(cluster) for cluster in clusters if cluster)
        if len(names) > 1:
            problems.add(
                f"service {str(service)!r} is in clusters {', '.join(map(repr, names))}: two services with one name",
                "",
                "Give them two names, 'cluster/service': columns={'cluster': 'service_prefix'} "
                "(--column cluster=service_prefix).",
            )
