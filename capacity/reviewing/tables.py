"""Tables as Parquet in memory, the same bytes for the same table. A gap is NaN or NaT, going in and coming out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.history.parquet import literal

#: Parquet version 2 encodes decimals and stamps in half the room. One thread, so that rows are grouped the same way.
_PARQUET: Final = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 262144, PARQUET_VERSION v2"

#: Cells that a table may have: twice the demand of three metrics of 5,000 services, fourteen months of hours.
MOST_CELLS: Final = 2_000_000_000

#: Letters of a text in a table: names and words.
MOST_LETTERS: Final = 10_000

_NAT: Final = np.iinfo(np.int64).min

#: DuckDB's types of columns, as pandas calls them.
_TYPES: Final = {"FLOAT": "float32", "DOUBLE": "float64", "BIGINT": "int64", "BOOLEAN": "bool", "VARCHAR": "str"}
_STAMP: Final = "TIMESTAMP WITH TIME ZONE"


def parquet(frames: Mapping[str, pd.DataFrame]) -> dict[str, bytes]:
    """Tables as the bytes of Parquet files. Columns are numbers, truth values, text, or stamps in UTC."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as connection:
        path = Path(folder) / "table.parquet"
        return {name: _written(connection, frame, path) for name, frame in frames.items()}


def _written(connection: Any, frame: pd.DataFrame, path: Path) -> bytes:
    stamps = [name for name in frame if isinstance(frame[name].dtype, pd.DatetimeTZDtype)]
    utc = ", ".join(f'make_timestamptz(nullif("{name}", {_NAT})) AS "{name}"' for name in stamps)
    query = f"SELECT * {f'REPLACE ({utc})' if utc else ''} FROM rows"
    connection.register("rows", pd.DataFrame({name: _column(frame[name]) for name in frame}))
    connection.execute(f"COPY ({query}) TO {literal(path)} ({_PARQUET})")
    connection.unregister("rows")
    return path.read_bytes()


def _column(values: pd.Series) -> Any:
    """As DuckDB takes it quickest: stamps as whole numbers, text as codes of the different ones."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.dt.as_unit("us").array.asi8
    if isinstance(values.dtype, pd.CategoricalDtype) or not isinstance(values.dtype, np.dtype):
        return values.astype("category")
    return values.astype("category") if values.dtype == object else values.to_numpy()


def tables(contents: Mapping[str, bytes], only: Mapping[str, Sequence[str]]) -> dict[str, pd.DataFrame]:
    """The tables again, of some only those columns. Raises InputError for one that would fill the memory.

    >>> frame = pd.DataFrame({"service": ["web", "web"], "tasks": [3.0, float("nan")]})
    >>> tables(parquet({"plan": frame}), only={})["plan"]["tasks"].tolist()
    [3.0, nan]
    """
    import duckdb

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "table.parquet"
        found = {}
        for name, content in contents.items():
            path.write_bytes(content)
            found[name] = _opened(connection, f"read_parquet({literal(path)})", only.get(name, ()))
        return found


def _opened(connection: Any, source: str, only: Sequence[str]) -> pd.DataFrame:
    kinds = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    if absent := [name for name in only if name not in kinds]:
        raise InputError(f"a table without {', '.join(absent)}")
    kinds = {name: kind for name, kind in kinds.items() if not only or name in only}
    _of_a_size(connection, source, kinds)
    columns = [f'epoch_us("{name}") AS "{name}"' if kind == _STAMP else f'"{name}"' for name, kind in kinds.items()]
    found = connection.execute(f"SELECT {', '.join(columns)} FROM {source}").fetchnumpy()
    return pd.DataFrame({name: _read(found[name], kind) for name, kind in kinds.items()})


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
