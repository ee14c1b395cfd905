"""The files of a month: an append adds one with the rows that are new, and the newest of several versions counts.

Besides series, ts, value, source and fetched, a row has the `commit` that wrote it and the `first` that wrote one for
its key. So a file knows which of its rows replace one in an older file: those whose `first` is before its own oldest
commit. Each key has exactly one row that replaces none, which is how the rows of a store are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.history.manifest import Entry, Extent
from capacity.history.parquet import scan, unique, write
from capacity.sources.base import microseconds

#: No rows of a month file, with their types. Version 1 had no origin, which reads as source 0, in 1970; version 2 had
#: no commits, which read as 0: before all others.
_NONE: Final = (
    "SELECT 0::INTEGER AS series, epoch_ms(0) AS ts, 0.0::DOUBLE AS value, 0::INTEGER AS source, "
    'epoch_ms(0) AS fetched, 0::INTEGER AS "commit", 0::INTEGER AS "first" WHERE false'
)
_ROWS: Final = (
    "series, ts, value, coalesce(source, 0) AS source, coalesce(fetched, epoch_ms(0)) AS fetched, "
    'coalesce("commit", 0) AS "commit", coalesce("first", 0) AS "first"'
)
#: What becomes of a new row. Rows of the first two fates are written.
ADDED, REVISED, UNCHANGED, OUTDATED = range(4)


def add(
    connection: Any, folder: Path, month: str, held: Sequence[Entry], fresh: pd.DataFrame, generation: int
) -> tuple[np.ndarray, Entry | None]:
    """What is new in `fresh`, in a file of its own; the count of each fate, and None if nothing is new.

    held   the month's files; those that may hold a key of `fresh` are looked into, the others are not opened
    fresh  series, ts, value, source, fetched: each (series, ts) once
    """
    connection.register("fresh", fresh)
    extent = _extent(fresh)
    near = [entry for entry in held if entry.extent.meets(extent)]
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE kept AS
        SELECT series, ts, old.value, old.fetched, old."first"
        FROM ({latest(folder, near, within(extent))}) AS old JOIN fresh USING (series, ts)
        """
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE compared AS
        SELECT fresh.*, coalesce(kept."first", {generation}) AS "first", CASE
            WHEN kept.value IS NULL THEN {ADDED}
            WHEN kept.value = fresh.value THEN {UNCHANGED}
            WHEN fresh.fetched >= kept.fetched THEN {REVISED}
            ELSE {OUTDATED} END AS fate
        FROM fresh LEFT JOIN kept USING (series, ts)
        """
    )
    found = dict(connection.execute("SELECT fate, count(*) FROM compared GROUP BY fate").fetchall())
    counts = np.array([found.get(fate, 0) for fate in range(4)], dtype=np.int64)
    if counts[ADDED] + counts[REVISED] == 0:
        return counts, None
    query = f'SELECT * EXCLUDE (fate, "first"), {generation} AS "commit", "first" FROM compared WHERE fate <= {REVISED}'
    return counts, written(connection, folder, month, query, (generation, generation), generation)


def written(connection: Any, folder: Path, month: str, query: str, commits: tuple[int, int], generation: int) -> Entry:
    """A query's rows, which come from these commits, in a new file of a month."""
    name = f"month={month}/{unique(generation)}.parquet"
    size = write(connection, f"SELECT * FROM ({query}) ORDER BY series, ts", folder / name)
    oldest, newest = commits
    count = f"""
        SELECT count(*), epoch_us(min(ts)), epoch_us(max(ts)), min(series), max(series),
               count(*) FILTER ("first" < {oldest})
        FROM {scan(folder / name)}
    """
    [(rows, start, end, low, high, revised)] = connection.execute(count).fetchall()
    return Entry(name, size, rows, start, end, low, high, oldest, newest, revised, generation)


def latest(folder: Path, entries: Sequence[Entry], condition: str = "true") -> str:
    """A query for the rows of files that meet a condition on series and ts, of each key only the newest version.

    entries  of each month, those between its oldest and its newest that may hold such a row
    """
    revising = [entry for entry in entries if entry.revised]
    shadowed = [
        e for e in entries if any(other.newest > e.newest and other.extent.meets(e.extent) for other in revising)
    ]
    alone = _rows(folder, (entry for entry in entries if entry not in shadowed), condition)
    if not shadowed:
        return alone
    newer = " UNION ALL ".join(
        f'SELECT series, ts, "commit" FROM ({_rows(folder, [entry], condition)}) WHERE "first" < {entry.oldest}'
        for entry in revising
    )
    return f"""
        {alone} UNION ALL
        SELECT held.* FROM ({_rows(folder, shadowed, condition)}) AS held
        LEFT JOIN (SELECT series, ts, max("commit") AS latest FROM ({newer}) GROUP BY series, ts) AS newer
        USING (series, ts) WHERE newer.latest IS NULL OR held."commit" >= newer.latest
    """


def within(extent: Extent) -> str:
    """The condition that a row lies there."""
    return (
        f"series BETWEEN {extent.low} AND {extent.high} "
        f"AND ts BETWEEN make_timestamp({extent.start}) AND make_timestamp({extent.end})"
    )


def _rows(folder: Path, entries: Iterable[Entry], condition: str) -> str:
    """A query for all rows of files that meet a condition, every version of them."""
    paths = [folder / entry.name for entry in entries]
    if not paths:
        return _NONE
    return f"SELECT {_ROWS} FROM ({_NONE} UNION ALL BY NAME SELECT * FROM {scan(*paths)}) WHERE {condition}"


def _extent(rows: pd.DataFrame) -> Extent:
    start, end = (microseconds(stamp) for stamp in (rows["ts"].min(), rows["ts"].max()))
    return Extent(start, end, int(rows["series"].min()), int(rows["series"].max()))
