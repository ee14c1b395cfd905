"""The files of a store: rows of one month, and the table of series. Written once, read often, never changed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.history.disk import sync_file, sync_folder
from capacity.history.manifest import Entry
from capacity.sources.base import SERIES, microseconds

#: How each file is written: 5 bytes a row of measurements, by the ecosystem notes.
_PARQUET: Final = (
    "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 262144, PARQUET_VERSION v2, "
    "USE_TMP_FILE false"
)
#: No rows of a month file, with their types. In version 1, files had no origin: it reads as source 0, in 1970.
_NONE: Final = (
    "SELECT 0::INTEGER AS series, epoch_ms(0) AS ts, 0.0::DOUBLE AS value, 0::INTEGER AS source, "
    "epoch_ms(0) AS fetched WHERE false"
)
#: What becomes of a new row. Rows of the first two fates are written.
ADDED, REVISED, UNCHANGED, OUTDATED = range(4)


def rows_of(paths: Sequence[Path]) -> str:
    """A query for all rows of several month files."""
    if not paths:
        return _NONE
    names = ", ".join(_literal(path) for path in paths)
    return (
        "SELECT series, ts, value, coalesce(source, 0) AS source, coalesce(fetched, epoch_ms(0)) AS fetched "
        f"FROM ({_NONE} UNION ALL BY NAME "
        f"SELECT * FROM read_parquet([{names}], union_by_name = true, hive_partitioning = false))"
    )


def merge(
    connection: Any, folder: Path, month: str, old: Entry | None, fresh: pd.DataFrame, generation: int
) -> tuple[np.ndarray, Entry | None]:
    """Old rows of a month and new ones, in a new file; the count of each fate, and None if nothing changed.

    fresh  series, ts, value, source, fetched: each (series, ts) once
    """
    connection.register("fresh", fresh)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW old AS {rows_of([folder / old.name] if old else [])}")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE compared AS
        SELECT fresh.*, CASE
            WHEN old.ts IS NULL THEN {ADDED}
            WHEN old.value = fresh.value THEN {UNCHANGED}
            WHEN fresh.fetched >= old.fetched THEN {REVISED}
            ELSE {OUTDATED} END AS fate
        FROM fresh LEFT JOIN old ON old.series = fresh.series AND old.ts = fresh.ts
        """
    )
    found = dict(connection.execute("SELECT fate, count(*) FROM compared GROUP BY fate").fetchall())
    counts = np.array([found.get(fate, 0) for fate in range(4)], dtype=np.int64)
    if counts[ADDED] + counts[REVISED] == 0:
        return counts, None
    name = f"month={month}/{_unique(generation)}.parquet"
    if not (folder / name).parent.exists():
        (folder / name).parent.mkdir()
        sync_folder(folder)
    merged = f"""
        SELECT series, ts, value, source, fetched FROM compared WHERE fate <= {REVISED}
        UNION ALL
        SELECT series, ts, value, source, fetched FROM old
        ANTI JOIN (SELECT series, ts FROM compared WHERE fate <= {REVISED}) USING (series, ts)
        ORDER BY series, ts
    """
    write(connection, merged, folder / name)
    start, end = (microseconds(stamp) for stamp in (fresh["ts"].min(), fresh["ts"].max()))
    if old is not None:
        start, end = min(start, old.start), max(end, old.end)
    rows = int(counts[ADDED]) + (old.rows if old is not None else 0)
    return counts, Entry(name, (folder / name).stat().st_size, rows, start, end, generation)


def read_series(connection: Any, path: Path | None) -> pd.DataFrame:
    """Service, metric, stat and interval of every series; its number is its place."""
    if path is None:
        return pd.DataFrame({name: [] for name in SERIES})
    query = f"SELECT {', '.join(SERIES)} FROM read_parquet({_literal(path)}) ORDER BY series"
    return pd.DataFrame(connection.execute(query).fetchall(), columns=list(SERIES))


def write_series(connection: Any, folder: Path, table: pd.DataFrame, generation: int) -> Entry:
    """The table of series in a new file."""
    name = f"series-{_unique(generation)}.parquet"
    connection.register("series_table", table.rename_axis("series").reset_index().astype({"series": "int32"}))
    write(connection, "SELECT * FROM series_table ORDER BY series", folder / name)
    return Entry(name, (folder / name).stat().st_size, len(table), 0, 0, generation)


def write(connection: Any, query: str, path: Path) -> None:
    """A query's rows into a new Parquet file that is on the disk, its name included, when this returns."""
    connection.execute(f"COPY ({query}) TO {_literal(path)} ({_PARQUET})")
    sync_file(path)
    sync_folder(path.parent)


def _unique(generation: int) -> str:
    """A name that no file had before: a writer that died may have left one of the same commit."""
    return f"{generation:08d}-{uuid.uuid4().hex[:12]}"


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
