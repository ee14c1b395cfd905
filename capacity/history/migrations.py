"""How a store of an earlier version becomes one of today: a numbered list of small functions.

Each takes the manifest of version n and gives that of version n + 1. It may look into the store's files, and may not
change them: what it gives is used in memory by readers, and committed, whole, by the next append.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from capacity.errors import StoreError

Content = dict[str, Any]


def _1_rows_know_their_origin(content: Content, folder: Path) -> Content:
    """Version 1 kept series, ts and value only: its rows came from `unknown`, before anything that is fetched now.

    It listed one file a month by name, so rows and stamps are counted here.
    """
    import duckdb

    parts = {"series": _entry(folder, content["series"], 0, 0, 0)}
    with duckdb.connect() as connection:
        for month, name in content["months"].items():
            query = (
                "SELECT count(*), epoch_us(min(ts)), epoch_us(max(ts)) FROM read_parquet(?, hive_partitioning = false)"
            )
            parts[month] = _entry(folder, name, *connection.execute(query, [str(folder / name)]).fetchall()[0])
    return {"generation": 1, "remembered": 1, "parts": parts, "sources": ["unknown"], "retired": []}


def _entry(folder: Path, name: str, rows: int, start: int, end: int) -> Content:
    return {
        "name": name,
        "bytes": (folder / name).stat().st_size,
        "rows": rows,
        "start": start,
        "end": end,
        "since": 1,
    }


def _2_a_month_is_several_files(content: Content, folder: Path) -> Content:
    """Version 2 kept one file a month, rewritten by every append, and nothing of what sources had answered.

    Its rows count as written before any commit, and its files as of any series: they do not say which.
    """
    parts = {part: [_any_series(entry)] for part, entry in content["parts"].items()}
    retired = [{**old, "entry": _any_series(old["entry"])} for old in content["retired"]]
    return {**content, "parts": parts, "retired": retired, "commits": []}


def _any_series(entry: Content) -> Content:
    return {**entry, "low": 0, "high": 2**31 - 1, "oldest": 0, "newest": 0, "revised": 0}


#: Migration n leads from version n to n + 1.
MIGRATIONS: Mapping[int, Callable[[Content, Path], Content]] = {
    1: _1_rows_know_their_origin,
    2: _2_a_month_is_several_files,
}
VERSION = max(MIGRATIONS) + 1


def migrated(content: Content, folder: Path) -> Content:
    """The manifest as this version of capacity writes it."""
    while content["version"] < VERSION:
        version = content["version"]
        if version not in MIGRATIONS:
            raise StoreError(f"{folder} has store version {version}, which never was")
        content = {**MIGRATIONS[version](content, folder), "version": version + 1}
    return content
