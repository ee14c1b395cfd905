"""What was asked for, out of a store's files, as the table of a History."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from capacity.errors import HistoryError
from capacity.findings import Finding, Findings
from capacity.history.history import known_metric, named_once, unknown_service
from capacity.history.manifest import Entry, Manifest
from capacity.history.months import latest
from capacity.history.series import read_series
from capacity.schema import HISTORY
from capacity.sources.base import SERIES, TEXT, Span, microseconds


def selected(
    connection: Any,
    folder: Path,
    manifest: Manifest,
    span: Span | None,
    services: Iterable[str] | str | None,
    metrics: Iterable[str] | str | None,
) -> tuple[pd.DataFrame, Findings]:
    """The rows of a span, of services, of metrics. Files and row groups that cannot hold any are not read."""
    table = read_series(connection, folder, manifest)
    chosen = table[_wanted(table, services, metrics)].sort_values(list(SERIES))
    numbers = chosen.index.to_numpy(dtype=np.int32)
    connection.register("chosen", pd.DataFrame({"series": numbers, "place": np.arange(len(chosen), dtype=np.int32)}))
    entries, conditions = _holding(manifest.measurements, np.sort(numbers)), ["true"]
    if 0 < len(chosen) < len(table):  # lets DuckDB pass over row groups, which are sorted by series
        conditions.append(f"series BETWEEN {numbers.min()} AND {numbers.max()}")
    if span is not None:
        first, last = map(microseconds, span)
        entries = [entry for entry in entries if entry.end >= first and entry.start < last]
        conditions.append(f"ts >= make_timestamp({first}) AND ts < make_timestamp({last})")
    rows = latest(folder, entries, " AND ".join(conditions))
    answer = connection.execute(
        f"SELECT place, ts, value, source, fetched FROM ({rows}) JOIN chosen USING (series) ORDER BY place, ts"
    ).fetchnumpy()
    return _frame(answer, chosen, manifest.sources), Findings.of(_told(manifest))


def _holding(entries: Iterable[Entry], numbers: np.ndarray) -> list[Entry]:
    """Files that may hold rows of some of these series; numbers ascend."""
    return [
        entry
        for entry in entries
        if np.searchsorted(numbers, entry.low) < np.searchsorted(numbers, entry.high, side="right")
    ]


def _wanted(
    table: pd.DataFrame, services: Iterable[str] | str | None, metrics: Iterable[str] | str | None
) -> np.ndarray:
    """Which series were asked for. A service there is not is refused; a metric may well be absent."""
    wanted = np.ones(len(table), dtype=bool)
    if services is not None:
        names, known = named_once(services), sorted(set(table["service"]))
        for name in names:
            if name not in known:
                raise HistoryError(unknown_service(name, known))
        wanted &= table["service"].isin(names).to_numpy()
    if metrics is not None:
        wanted &= table["metric"].isin([known_metric(name) for name in named_once(metrics)]).to_numpy()
    return wanted


def _told(manifest: Manifest) -> list[Finding]:
    return [Finding("", "", "store", "REVIEW", manifest.note)] if manifest.note else []


def _frame(rows: dict[str, np.ndarray], chosen: pd.DataFrame, sources: tuple[str, ...]) -> pd.DataFrame:
    """The table `schema.HISTORY` from numbers; rows are in the order of the key."""
    place = rows["place"]
    columns: dict[str, Any] = {}
    for name in SERIES:
        if name in TEXT:
            columns[name] = _used(chosen[name].to_numpy(dtype=object), place)
        else:
            columns[name] = chosen[name].to_numpy(dtype=np.int32)[place]
    columns["timestamp"] = _stamps(rows["ts"])
    columns["value"] = rows["value"]
    columns["source"] = _used(np.array(sources, dtype=object), rows["source"])
    columns["fetched_at"] = _stamps(rows["fetched"])
    return pd.DataFrame(columns, columns=HISTORY.names, copy=False)


def _used(words: np.ndarray, places: np.ndarray) -> pd.Categorical:
    """words[places] as categories that are sorted and all in use."""
    present = np.zeros(len(words), dtype=bool)
    present[places] = True
    used = sorted(set(words[present].tolist()))
    number = {word: position for position, word in enumerate(used)}
    narrow = np.min_scalar_type(-len(used) - 1)  # as wide as the categories need: there are many rows
    codes = np.array([number.get(word, -1) for word in words.tolist()], dtype=narrow)
    return pd.Categorical.from_codes(codes[places], categories=pd.Index(used, dtype="str"))


def _stamps(us: np.ndarray) -> pd.Series:
    return pd.Series(us.astype("datetime64[us]", copy=False), copy=False).dt.tz_localize("UTC")
