"""Tables as Parquet in memory, the same bytes for the same table. A gap is NaN or NaT, going in and coming out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.history.parquet import literal

#: Parquet version 2 encodes decimals and stamps in half the room. One thread, so that rows are grouped the same way.
_PARQUET: Final = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 262144, PARQUET_VERSION v2"

#: Cells that a table may have: 15 columns of three metrics of 5,000 services, a quarter of hours, ten times over.
MOST_CELLS: Final = 5_000_000_000

#: Letters of a text in a table: names and words.
MOST_LETTERS: Final = 10_000

_NAT: Final = np.iinfo(np.int64).min


def parquet(frame: pd.DataFrame) -> bytes:
    """A table as the bytes of a Parquet file. Columns are numbers, truth values, text, or stamps in UTC."""
    import duckdb

    columns = {name: _column(frame[name]) for name in frame}
    stamps = [name for name in frame if isinstance(frame[name].dtype, pd.DatetimeTZDtype)]
    utc = ", ".join(f'make_timestamptz(nullif("{name}", {_NAT})) AS "{name}"' for name in stamps)
    query = f"SELECT * {f'REPLACE ({utc})' if utc else ''} FROM rows"
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "table.parquet"
        connection.execute("SET threads = 1")
        connection.register("rows", pd.DataFrame(columns))
        connection.execute(f"COPY ({query}) TO {literal(path)} ({_PARQUET})")
        return path.read_bytes()


def _column(values: pd.Series) -> Any:
    """As DuckDB takes it quickest: stamps as whole numbers, text as codes of the different ones."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.dt.as_unit("us").array.asi8
    if isinstance(values.dtype, pd.CategoricalDtype) or not isinstance(values.dtype, np.dtype):
        return values.astype("category")
    return values.astype("category") if values.dtype == object else values.to_numpy()


def table(content: bytes, only: Sequence[str] = ()) -> pd.DataFrame:
    """The table again, or some of its columns. Raises InputError for one that would fill the memory."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "table.parquet"
        path.write_bytes(content)
        source = f"read_parquet({literal(path)})"
        kinds = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        kinds = {name: kind for name, kind in kinds.items() if not only or name in only}
        _of_a_size(connection, source, kinds)
        parts = [f'epoch_us("{n}") AS "{n}"' if kind == _STAMP else f'"{n}"' for n, kind in kinds.items()]
        found = connection.execute(f"SELECT {', '.join(parts)} FROM {source}").fetchnumpy()
    return pd.DataFrame({name: _read(found[name], kind) for name, kind in kinds.items()})


_STAMP: Final = "TIMESTAMP WITH TIME ZONE"
_TYPES: Final = {"FLOAT": "float32", "DOUBLE": "float64", "BIGINT": "int64", "BOOLEAN": "bool", "VARCHAR": "str"}


def _of_a_size(connection: Any, source: str, kinds: dict[str, str]) -> None:
    odd = {name: kind for name, kind in kinds.items() if kind not in _TYPES and kind != _STAMP}
    if odd or any('"' in name for name in kinds):
        raise InputError(f"columns that no plan has: {odd or list(kinds)}")
    letters = [f'max(length("{name}"))' for name, kind in kinds.items() if kind == "VARCHAR"]
    rows, *longest = connection.execute(f"SELECT {', '.join(['count(*)', *letters])} FROM {source}").fetchall()[0]
    if rows * len(kinds) > MOST_CELLS or any((length or 0) > MOST_LETTERS for length in longest):
        raise InputError(f"a table of {rows:,} rows: more than any plan has")


def _read(values: Any, kind: str) -> Any:
    if kind == _STAMP:
        ticks = np.ma.filled(values, _NAT) if np.ma.isMaskedArray(values) else values
        return pd.DatetimeIndex(ticks.view("M8[us]")).tz_localize("UTC")
    if np.ma.isMaskedArray(values):
        values = values.filled(np.nan) if kind in ("FLOAT", "DOUBLE") else values.data
    return pd.Series(values, dtype=_TYPES[kind])
