"""Parquet files as a store writes them: once, under a name that no file had before, and safely on the disk."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, Final

from capacity.history.disk import sync_file, sync_folder

#: How each file is written: 3 to 8 bytes a row of measurements, most of them the value.
_PARQUET: Final = (
    "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 262144, PARQUET_VERSION v2, "
    "USE_TMP_FILE false"
)


def write(connection: Any, query: str, path: Path) -> int:
    """A query's rows into a new file that is on the disk, its name included, when this returns. Its size in bytes."""
    if not path.parent.exists():
        path.parent.mkdir()
        sync_folder(path.parent.parent)
    connection.execute(f"COPY ({query}) TO {literal(path)} ({_PARQUET})")
    sync_file(path)
    sync_folder(path.parent)
    return path.stat().st_size


def scan(*paths: Path) -> str:
    """Where a query reads files from, taken together. A column that only some of them have is NULL in the others."""
    names = ", ".join(literal(path) for path in paths)
    return f"read_parquet([{names}], union_by_name = true, hive_partitioning = false)"


def unique(generation: int) -> str:
    """The start of a name that no file had before: a writer that died may have left one of the same commit."""
    return f"{generation:08d}-{uuid.uuid4().hex[:12]}"


def literal(path: Path) -> str:
    """A path as SQL says it."""
    return "'" + str(path).replace("'", "''") + "'"
