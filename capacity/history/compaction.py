"""Few files: small ones become one, so that a thousand appends leave a dozen files and rewrite each row a few times.

Files of a month are in the order of their commits. Once eight of about one size are at its end, they are merged into
one, eight of those later into a larger one, and files of full size stay as they are (size-tiered compaction, as in
Cassandra). Only neighbours are merged: so whatever a file replaces is in an older one. A month whose replaced rows
outnumber the others is merged whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any, Final

from capacity.history.manifest import Entry, Extent
from capacity.history.months import latest, within, written
from capacity.history.parquet import scan

#: So many files of one size become one.
TOGETHER: Final = 8
#: Sizes below a full one, each an eighth of the next; what is smaller still counts as the smallest.
_SIZES: Final = 3


def compacted(
    connection: Any, folder: Path, month: str, entries: Sequence[Entry], most: int, generation: int
) -> tuple[Entry, ...]:
    """The files of a month, with those that are due merged. `most` rows are held at a time, and are a full file."""
    run = due(entries, most)
    merged = [
        written(connection, folder, month, latest(folder, run, within(part)), _commits(run), generation)
        for part in _parts(connection, folder, run, most)
    ]
    return (*entries[: len(entries) - len(run)], *merged)


def due(entries: Sequence[Entry], most: int) -> Sequence[Entry]:
    """The files at the end that are to be merged now; none, most of the time.

    Files that were written as one (of disjoint series) are counted as one: they are merged together or not at all.
    """
    if len(entries) > 1 and 2 * sum(entry.revised for entry in entries) > sum(entry.rows for entry in entries):
        return entries
    written_as_one = [list(group) for _, group in groupby(entries, key=lambda entry: entry.newest)]
    sizes = [_size(sum(entry.rows for entry in group), most) for group in written_as_one]
    count = 0
    for size in range(_SIZES):
        tail = next((n for n, other in enumerate(reversed(sizes)) if other > size), len(sizes))
        if sizes[len(sizes) - tail :].count(size) >= TOGETHER:
            count = sum(len(group) for group in written_as_one[len(sizes) - tail :])
    return entries[len(entries) - count :]


def _size(rows: int, most: int) -> int:
    """0, 1, 2: a step is a factor of eight; 3: at least half full.

    >>> [_size(rows, 2**22) for rows in (1, 32_767, 32_768, 262_144, 2**21, 2**23)]
    [0, 0, 1, 2, 3, 3]
    """
    size, enough = _SIZES, most / 2
    while size and rows < enough:
        size, enough = size - 1, enough / TOGETHER
    return size


def _commits(run: Sequence[Entry]) -> tuple[int, int]:
    return min(entry.oldest for entry in run), max(entry.newest for entry in run)


def _parts(connection: Any, folder: Path, run: Sequence[Entry], most: int) -> list[Extent]:
    """What goes into each merged file: stretches of series of about equal size, none much above `most` rows."""
    if not run:
        return []
    start, end = min(entry.start for entry in run), max(entry.end for entry in run)
    total = sum(entry.rows for entry in run)
    if total <= most:
        return [Extent(start, end, min(entry.low for entry in run), max(entry.high for entry in run))]
    query = f"SELECT series, count(*) FROM {scan(*(folder / entry.name for entry in run))} GROUP BY ALL ORDER BY ALL"
    counts = connection.execute(query).fetchall()
    share = -(-total // -(-total // most))  # rows of each, when there are as few files as can be
    before = accumulate((rows for _, rows in counts), initial=0)
    placed = groupby(zip(counts, before, strict=False), key=lambda pair: pair[1] // share)
    stretches = [[series for (series, _), _ in group] for _, group in placed]
    return [Extent(start, end, numbers[0], numbers[-1]) for numbers in stretches]
