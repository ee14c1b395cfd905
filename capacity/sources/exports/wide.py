"""Tables with a column a series, as rows with a row a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capacity.findings import Finding
from capacity.sources.cells import missing, numbers
from capacity.sources.exports.heads import SAY, Head, Series, heads
from capacity.sources.exports.suffixes import measured
from capacity.sources.problems import Problems
from capacity.sources.stamps import stamps_of
from capacity.sources.tables import RawTable

if TYPE_CHECKING:
    from capacity.sources.translate import Reading


def melted(
    table: RawTable,
    series: Sequence[tuple[Series, pd.Series]],
    stamps: pd.Series,
    carried: dict[str, pd.Series],
    reading: Reading,
    problems: Problems,
    findings: list[Finding],
) -> RawTable | None:
    """One row a value, headed by our column names; None when nothing of it is to be read.

    series   each with its column of values
    carried  our columns that hold for a whole row: service, cluster ...
    """
    found = heads([one for one, _ in series], reading, frozenset(carried), table.name, problems, findings)
    us = _sound(stamps)
    parts = [
        _column(table, one, head, column, us, problems, findings)
        for (one, column), head in zip(series, found, strict=True)
        if head is not None
    ]
    return stacked(table, parts, stamps, carried, findings) if parts else None


@dataclass(frozen=True, eq=False)
class Part:
    """The values of one series: which rows of the table they are of, numbers (NaN: a gap), and the unit of each."""

    head: Head
    rows: np.ndarray
    values: np.ndarray
    units: np.ndarray
    formatted: int = 0


def stacked(
    table: RawTable,
    parts: Sequence[Part],
    stamps: pd.Series,
    carried: dict[str, pd.Series],
    findings: list[Finding],
) -> RawTable:
    """The parts one below the other."""
    rows = np.concatenate([part.rows for part in parts])
    counts = [len(part.rows) for part in parts]
    formatted = sum(part.formatted for part in parts)
    if formatted:
        findings.append(rounded(table.name, formatted))
    columns: dict[str, pd.Series] = {
        "timestamp": stamps.iloc[rows].reset_index(drop=True),
        "value": pd.Series(np.concatenate([part.values for part in parts])),
        "unit": pd.Series(np.concatenate([part.units for part in parts])),
        "interval": _repeated([str(part.head.seconds or "") for part in parts], counts),
        "stat": _repeated([part.head.how.stat for part in parts], counts),
        "service": _repeated([part.head.service for part in parts], counts),
        "metric": _repeated([part.head.metric for part in parts], counts),
        "cluster": _repeated([part.head.cluster for part in parts], counts),
        "service_prefix": _repeated([part.head.prefix for part in parts], counts),
    }
    for name, column in carried.items():
        columns[name] = column.iloc[rows].reset_index(drop=True)
    kept = {
        name: column for name, column in columns.items() if name not in ("cluster", "service_prefix") or any(column)
    }
    return replace(table, header=list(kept), columns=list(kept.values()), rows=table.rows[rows], decimal_comma=False)


def rounded(name: str, count: int) -> Finding:
    """Values were formatted for reading."""
    return Finding(
        "",
        "",
        "formatted",
        "REVIEW",
        f"{name}: {count:,} values are formatted for reading (12.3%, 1.5 GiB), so that their last digits are lost",
        'Export with "Formatted data" switched off to have every digit.',
        count=count,
    )


def _repeated(words: Sequence[str], counts: Sequence[int]) -> pd.Series:
    return pd.Series(np.repeat(np.array(words, dtype=object), counts), dtype=object)


def _column(
    table: RawTable,
    one: Series,
    head: Head,
    column: pd.Series,
    us: np.ndarray | None,
    problems: Problems,
    findings: list[Finding],
) -> Part:
    """The values of one column. Empty cells are gaps, but for those between the stamps of a coarser series."""
    named, complaints = replace(table, name=f"{table.name} column {one.label}"), Problems()
    values, units, formatted = read_values(named, column, head.unit, complaints)
    if len(complaints) and np.isnan(values).all():
        example = next(cell for cell in column if not missing(cell))
        problems.add(f"holds no number, but words such as {str(example)[:80]!r}", named.name, SAY)
    elif len(complaints):
        read_values(named, column, head.unit, problems)
    rows = np.arange(len(values))
    filled = np.flatnonzero(~np.isnan(values))
    seconds = head.seconds
    if us is not None and len(filled):
        kept = _of_coarser_grid(us, filled)
        if kept is not None:
            rows = kept
        if not seconds and head.how.counts:
            seconds = seconds_seen(us[filled], head, one, table.name, problems, findings)
    divided = per_interval(values, head, seconds)
    return Part(replace(head, seconds=seconds), rows, divided[rows], units[rows], formatted)


def read_values(
    table: RawTable, column: pd.Series, unit: str, problems: Problems
) -> tuple[np.ndarray, np.ndarray, int]:
    """Numbers (NaN: missing, or a problem), the unit of each, and how many were formatted for reading."""
    found = measured(column, table.decimal_comma)
    if found is None or found.bare.sum() >= found.formatted:
        values, _ = numbers(column, table, problems)
        return values, np.full(len(values), unit, dtype=object), 0
    bare = np.flatnonzero(found.bare)
    problems.rows(
        table.name,
        table.rows[bare],
        lambda i: f"value {column.iloc[bare[i]]!r} has no unit, where other values have one",
        "Write every value of a column with its unit, or none.",
    )
    values, _ = numbers(found.values, table, problems)
    return values, np.where(found.units == "", unit, found.units), found.formatted


def per_interval(values: np.ndarray, head: Head, seconds: int) -> np.ndarray:
    """Sums as rates, and samples as tasks; anything else as it is. Without seconds nothing is known: NaN."""
    if head.how.per_second:
        return values / (seconds or np.nan)
    return values * 60 / (seconds or np.nan) if head.how.per_minute else values


def _sound(stamps: pd.Series) -> np.ndarray | None:
    """Stamps in microseconds, to see distances from; None when one is not understood (a problem, said later)."""
    found = stamps_of(stamps)
    return None if found.bad.any() else found.us


def _of_coarser_grid(us: np.ndarray, filled: np.ndarray) -> np.ndarray | None:
    """The rows of a series whose interval is a multiple of the table's: those of its own grid. None: all rows.

    Tables join series of several intervals by time, so that five-minute values stand in every fifth row. Empty cells
    between them are no gaps. At least three values, most of them as far apart as all distances allow, show the grid.
    """
    steps, own = np.diff(np.sort(us)), np.diff(np.sort(us[filled]))
    steps, own = steps[steps > 0], own[own > 0]
    if len(own) < 2:
        return None
    grid = int(np.gcd.reduce(own))
    common = _most_common(own)
    if common != grid or grid <= _most_common(steps):
        return None
    return np.flatnonzero((us - us[filled[0]]) % grid == 0)


def seconds_seen(
    us: np.ndarray, head: Head, one: Series, where: str, problems: Problems, findings: list[Finding]
) -> int:
    """The period of sums that do not say it: the most common distance of their stamps, and that is said."""
    steps = np.diff(np.unique(us))
    seconds = _most_common(steps) // 1_000_000 if len(steps) else 0
    if seconds == 0:
        advice = "Say interval_seconds=... (--interval-seconds ...), or bring more rows."
        problems.add(f"{one.label} does not say its period, and one stamp does not show it", where, advice)
        return 0
    message = f"{where}: {one.label} does not say its period: read as {seconds:,} s, as most of its stamps are apart"
    advice = "Its values are divided by it. If it is another one, say interval_seconds=... (--interval-seconds ...)."
    findings.append(Finding(head.service, head.metric, "interval", "REVIEW", message, advice))
    return seconds


def _most_common(steps: np.ndarray) -> int:
    sizes, counts = np.unique(steps, return_counts=True)
    return int(sizes[np.argmax(counts)])
