"""What sources have answered for good, in the store beside the rows: `Coverage` as files.

A file holds what one commit added: source, service, metric, stat, interval, start, end. What is covered is the union of
all; a few of them are joined into one, as the files of a month are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.history.compaction import due
from capacity.history.manifest import Entry
from capacity.history.parquet import scan, unique, write
from capacity.sources.base import Span
from capacity.sources.coverage import NOTHING, Asked, Coverage, kind_of

_ASKED: Final = ("source", "service", "metric", "stat", "interval")
_SERIES: Final = _ASKED[1:]


def read_coverage(connection: Any, folder: Path, entries: Sequence[Entry], of: Coverage | None = None) -> Coverage:
    """What files cover; with `of`, only of the series named there, by whichever source."""
    if not entries:
        return NOTHING
    wanted = ""
    if of is not None:
        connection.register("wanted", pd.DataFrame(list(of.spans), columns=list(_ASKED)))
        wanted = f"SEMI JOIN wanted USING ({', '.join(_SERIES)})"
    files = scan(*(folder / entry.name for entry in entries))
    query = f'SELECT {", ".join(_ASKED)}, epoch_us("start") AS "from", epoch_us("end") AS "until" FROM {files} {wanted}'
    found = connection.execute(query).fetchnumpy()
    asked = map(Asked, *(found[name].tolist() for name in _ASKED))
    return Coverage.of(zip(asked, map(Span, _stamps(found["from"]), _stamps(found["until"])), strict=True))


def of_one_owner(known: Coverage, covered: Coverage) -> None:
    """Raises InputError when a series has two sources of one kind: these are two services of one name."""
    owners: dict[tuple[str, ...], str] = {}
    for asked in (*known.spans, *covered.spans):
        key = (kind_of(asked.source), *map(str, asked[1:]))
        owner = owners.setdefault(key, asked.source)
        if owner != asked.source and asked in covered.spans:
            raise InputError(
                f"{asked.service} {asked.metric} comes from {owner} already, and now from {asked.source}: "
                "these are two services with one name",
                advice="Keep them apart: name them cluster/service (--prefix), or give each its own store. If it is "
                "one that has moved, go on in a new store: Store('new').append(capacity.read('old')).",
            )


def add_coverage(
    connection: Any,
    folder: Path,
    held: Sequence[Entry],
    known: Coverage,
    covered: Coverage,
    most: int,
    generation: int,
) -> tuple[Entry, ...]:
    """The files, with a new one for what they do not cover yet; as they are, when they cover it all.

    known  what the files cover of these series
    """
    fresh = Coverage.of((asked, gap) for asked, span in covered for gap in known.missing(asked, span))
    if not len(fresh):
        return tuple(held)
    entries = (*held, _written(connection, folder, fresh, (generation, generation), generation))
    run = due(entries, most)
    if not run:
        return entries
    commits = run[0].oldest, run[-1].newest
    joined = _written(connection, folder, read_coverage(connection, folder, run), commits, generation)
    return (*entries[: len(entries) - len(run)], joined)


def _written(connection: Any, folder: Path, covered: Coverage, commits: tuple[int, int], generation: int) -> Entry:
    asked, spans = zip(*covered, strict=True)
    table = pd.DataFrame(asked, columns=list(_ASKED)).astype({"interval": "int32"})
    for name, stamps in zip(("start", "end"), zip(*spans, strict=True), strict=True):
        table[name] = pd.to_datetime(list(stamps), utc=True).as_unit("us").tz_localize(None)
    connection.register("covered", table)
    name = f"coverage-{unique(generation)}.parquet"
    size = write(connection, "SELECT * FROM covered ORDER BY ALL", folder / name)
    return Entry(name, size, len(table), 0, 0, 0, 0, *commits, 0, generation)


def _stamps(us: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(us.astype("datetime64[us]"), tz="UTC")
