"""A history as one file that reads back exactly."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from capacity.errors import InputError


def save(frame: pd.DataFrame, path: Path) -> None:
    """Write `schema.HISTORY` rows as Parquet, CSV or gzipped CSV, by the file's ending. Stamps are UTC."""
    import duckdb

    kinds = {
        ".parquet": "FORMAT parquet, COMPRESSION zstd",
        ".pq": "FORMAT parquet, COMPRESSION zstd",
        ".csv": "FORMAT csv, HEADER",
        ".csv.gz": "FORMAT csv, HEADER, COMPRESSION gzip",
    }
    kind = next((kinds[ending] for ending in sorted(kinds, key=len, reverse=True) if path.name.endswith(ending)), None)
    if kind is None:
        raise InputError(f"{path} ends in none of {', '.join(kinds)}")
    stamps = ("timestamp", "fetched_at")
    rows = frame.assign(**{name: frame[name].array.asi8 for name in stamps})
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("rows", rows)
        utc = ", ".join(f"make_timestamptz({name}) AS {name}" for name in stamps)
        target = str(path).replace("'", "''")
        connection.execute(f"COPY (SELECT * REPLACE ({utc}) FROM rows) TO '{target}' ({kind})")
