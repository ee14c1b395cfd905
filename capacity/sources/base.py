"""The contract of a source: fetch, translate, stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from capacity.display import table_html
from capacity.errors import InputError, Problem
from capacity.findings import NO_FINDINGS, Findings
from capacity.schema import HISTORY, METRICS, OBSERVATIONS, STATS

#: Columns that tell one series from another; with the stamp they are the key of a row.
SERIES = OBSERVATIONS.key[:-1]
#: Text columns, kept as categories: a million rows name few services.
TEXT = ("service", "metric", "stat", "source")
#: Services in a picture.
DRAWN = 8


class Span(NamedTuple):
    """From `start` up to, not including, `end`; both UTC."""

    start: pd.Timestamp
    end: pd.Timestamp


@dataclass(frozen=True, eq=False)
class Observations:
    """What a source said: the table `schema.OBSERVATIONS`, sorted by its key, each key once, gaps left as gaps.

    Build it with `Observations.of`, which brings a loose table into this form. A source that knows the origin of each
    row (a folder of files, an export of our own history) also fills the columns `source` and `fetched_at` of
    `schema.HISTORY`; for any other, every row came from `source` at `fetched_at` (None: when it is stored).
    """

    frame: pd.DataFrame
    source: str
    findings: Findings = NO_FINDINGS
    fetched_at: pd.Timestamp | None = None

    def __post_init__(self) -> None:
        problems = [Problem(message) for message in faults(self.frame)]
        if problems:
            raise InputError(f"{self.source}: these are no observations:", problems)

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        source: str,
        findings: Findings = NO_FINDINGS,
        fetched_at: pd.Timestamp | None = None,
    ) -> Observations:
        """Observations from rows in any order, with plain text columns.

        >>> rows = pd.DataFrame({"service": ["web"], "metric": "cpu", "stat": "mean", "interval": 3600,
        ...     "timestamp": pd.to_datetime(["2026-08-03T00:00Z"]), "value": 1.5})
        >>> Observations.of(rows, "example").frame["timestamp"].dtype
        datetime64[us, UTC]
        """
        return cls(tidy(frame), source, findings, fetched_at)

    def __len__(self) -> int:
        return len(self.frame)

    def plot(self, metric: str | None = None) -> Any:
        """Chart of the means of one metric (the first there is) over time, a line a service, of at most eight."""
        from capacity import charts

        rows = self.frame[self.frame["stat"] == "mean"]
        chosen = metric or next((name for name in METRICS if (rows["metric"] == name).any()), "")
        rows = rows[rows["metric"] == chosen]
        if rows.empty:
            raise InputError(f"nothing to draw: no means of {chosen or 'any metric'} were observed")
        seconds = int(rows["interval"].max())  # of several intervals the longest reaches furthest back
        rows = rows[rows["interval"] == seconds]
        table = rows.pivot_table("value", "timestamp", "service", observed=True).asfreq(pd.Timedelta(seconds=seconds))
        lines = {str(name): table[name].to_numpy() for name in table.columns[:DRAWN]}
        return charts.lines(pd.DatetimeIndex(table.index), lines, METRICS[chosen].unit, chosen)

    def __str__(self) -> str:
        return f"Observations: {len(self):,} rows from {self.source}"

    def _repr_html_(self) -> str:
        return table_html(str(self), self.frame)


@runtime_checkable
class Source(Protocol):
    """Where measurements come from. A source reports; it never fills, smooths or guesses.

    A source is built from its settings (path, region, services, queries ...), which are its fields; `read` is the
    only method that touches the outside world. Third parties name theirs in the entry-point group `capacity.sources`.
    """

    @property
    def name(self) -> str:
        """Said in `source` of every row, and in errors."""

    def read(self, span: Span | None = None) -> Observations: ...


def microseconds(stamp: pd.Timestamp) -> int:
    """Since 1970, UTC. (`Timestamp.value` counts nanoseconds, whatever the unit of the stamp.)

    >>> microseconds(pd.Timestamp("1970-01-01T00:00:01Z"))
    1000000
    """
    return int(pd.DatetimeIndex([stamp]).as_unit("us").asi8[0])


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with the columns, types and order of `schema.OBSERVATIONS` (or HISTORY, if they name their origin).

    Text becomes categories, sorted and all in use; rows are sorted by key. Nothing is dropped or checked here.
    """
    origin = "source" in frame.columns
    names = HISTORY.names if origin else OBSERVATIONS.names
    columns: dict[str, object] = {}
    for name in names:
        column = frame[name]
        if name in TEXT:
            columns[name] = categories(column)
        elif name in ("timestamp", "fetched_at"):
            columns[name] = pd.to_datetime(column, utc=True).astype("datetime64[us, UTC]").array
        else:
            columns[name] = column.to_numpy(dtype="int32" if name == "interval" else "float64")
    tidied = pd.DataFrame(columns, columns=names)
    order = key_order(tidied)
    return tidied if order is None else tidied.take(order).reset_index(drop=True)


def categories(column: pd.Series) -> pd.Categorical:
    """Text as categories that are sorted and all in use, so that order of codes is order of words.

    >>> categories(pd.Series(["b", "a", "b"])).codes.tolist()
    [1, 0, 1]
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        found, words = column.cat.codes.to_numpy(), column.cat.categories.astype(object)
        used = np.flatnonzero(np.bincount(found[found >= 0], minlength=len(words)))
        ordered = sorted(words[used])
        rank = np.full(len(words) + 1, -1)  # code -1, a missing word, stays missing
        rank[words.get_indexer(pd.Index(ordered, dtype=object))] = np.arange(len(ordered))
        codes = rank[found]
    else:
        codes, distinct = pd.factorize(column.astype(object), sort=True)
        ordered = list(distinct)
    return pd.Categorical.from_codes(codes, categories=pd.Index(ordered, dtype="str"))


def series_codes(frame: pd.DataFrame, columns: Sequence[str] = SERIES) -> np.ndarray:
    """One number a row, equal for rows of the same series, ordered as the series are."""
    codes = np.zeros(len(frame), dtype=np.int64)
    for name in columns:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            part, count = column.cat.codes.to_numpy(), len(column.cat.categories)
        else:
            part, distinct = pd.factorize(column.to_numpy(), sort=True)
            count = len(distinct)
        codes = codes * max(count, 1) + part
    return codes


def key_order(frame: pd.DataFrame) -> np.ndarray | None:
    """Row positions in the order of the key, earlier rows first among equals; None when they are in order already."""
    series, stamps = series_codes(frame), frame["timestamp"].array.asi8
    step, later = np.diff(series), np.diff(stamps)
    if bool(np.all((step > 0) | ((step == 0) & (later >= 0)))):
        return None
    return np.lexsort((stamps, series))


def faults(frame: pd.DataFrame) -> list[str]:
    """What keeps a table from being observations (or history), in words; empty when nothing does."""
    if list(frame.columns) not in (OBSERVATIONS.names, HISTORY.names):
        return [f"columns are {list(frame.columns)}, not {OBSERVATIONS.names}"]
    wrong = [
        f"{column.name} has type {frame[column.name].dtype}, not {column.type}"
        for column in HISTORY.columns[: len(frame.columns)]
        if not _typed(frame[column.name], column.type)
    ]
    if wrong:
        return wrong
    series, stamps = series_codes(frame), frame["timestamp"].array.asi8
    step, later = np.diff(series), np.diff(stamps)
    checks = {
        "rows are not sorted by key": bool(np.any((step < 0) | ((step == 0) & (later < 0)))),
        "a key occurs twice": bool(np.any((step == 0) & (later == 0))),
        "a value is not finite": not bool(np.isfinite(frame["value"].to_numpy()).all()),
        "a stamp is missing": bool(frame["timestamp"].isna().any()),
        "an interval is not positive": bool((frame["interval"] <= 0).any()),
    }
    unknown = [
        f"unknown {name} {word!r}"
        for name, known in (("metric", METRICS), ("stat", STATS))
        for word in frame[name].cat.categories
        if word not in known
    ]
    return [message for message, failed in checks.items() if failed] + unknown


def _typed(column: pd.Series, kind: str) -> bool:
    """Whether a column has the type of the data dictionary; text has to be categories."""
    return isinstance(column.dtype, pd.CategoricalDtype) if kind == "str" else str(column.dtype) == kind
