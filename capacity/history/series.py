"""The table of series: a number for each service, metric, stat and interval. Numbers are given once, and only grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from capacity.history.manifest import SERIES_PART, Entry, Manifest
from capacity.history.parquet import scan, unique, write
from capacity.sources.base import SERIES, TEXT, series_codes


def read_series(connection: Any, folder: Path, manifest: Manifest) -> pd.DataFrame:
    """Service, metric, stat and interval of every series; its number is its place."""
    paths = [folder / entry.name for entry in manifest.parts.get(SERIES_PART, ())]
    if not paths:
        return pd.DataFrame({name: [] for name in SERIES})
    query = f"SELECT {', '.join(SERIES)} FROM {scan(*paths)} ORDER BY series"
    return pd.DataFrame(connection.execute(query).fetchall(), columns=list(SERIES))


def write_series(connection: Any, folder: Path, table: pd.DataFrame, generation: int) -> Entry:
    """The table of series in a new file."""
    name = f"series-{unique(generation)}.parquet"
    connection.register("series_table", table.rename_axis("series").reset_index().astype({"series": "int32"}))
    size = write(connection, "SELECT * FROM series_table ORDER BY series", folder / name)
    return Entry(name, size, len(table), 0, 0, 0, len(table) - 1, generation, generation, 0, generation)


def numbered(rows: pd.DataFrame, table: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame, bool]:
    """The series number of each row (sorted by key), the table with new series at its end, and if there are any."""
    starts = np.flatnonzero(np.diff(series_codes(rows), prepend=-1))
    heads = rows.iloc[starts][list(SERIES)].astype({name: "str" for name in SERIES if name in TEXT})
    known = {key: number for number, key in enumerate(table.itertuples(index=False, name=None))}
    mine = [known.setdefault(key, len(known)) for key in heads.itertuples(index=False, name=None)]
    lengths = np.diff(np.append(starts, len(rows)))
    numbers = np.repeat(np.array(mine, dtype=np.int32), lengths)
    return numbers, pd.DataFrame(list(known), columns=list(SERIES)), len(known) > len(table)
