"""The history store: a folder that outlives CloudWatch's retention, and that a crash cannot break.

    manifest.json                  what is in the store: swapped whole, so a batch is there or it is not
    month=202608/<file>.parquet    rows of one month (UTC): series, ts, value, source, fetched, commit, first; sorted
    series-<file>.parquet          number -> service, metric, stat, interval
    coverage-<file>.parquet        spans that a source has answered for good
    lock.sqlite                    held by the one writer; readers take no lock

A file is never changed: an append writes what is new beside the old, and then swaps the manifest. Of a key in several
files the newest row counts (`months`); now and then small files become one (`compaction`). What the manifest no longer
names is deleted ten minutes later, by the next append; until then a reader who holds the older manifest, and a copy
that is being made of the folder, find every file they look for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from capacity.display import table_html
from capacity.errors import StoreError
from capacity.history.answered import add_coverage, of_one_owner, read_coverage
from capacity.history.compaction import compacted
from capacity.history.disk import full, one_writer
from capacity.history.history import History
from capacity.history.manifest import (
    COVERAGE_PART,
    LOCK,
    SERIES_PART,
    Entry,
    Manifest,
    load,
    make_room,
    save,
    sweep,
)
from capacity.history.months import add
from capacity.history.selection import selected
from capacity.history.series import numbered, read_series, write_series
from capacity.schema import HISTORY
from capacity.sources.base import Observations, Span
from capacity.sources.coverage import NOTHING, Coverage

#: Times a reader starts over because a writer deleted a file under it. Each time is a new commit, ten minutes apart.
_TRIES = 5
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Appended:
    """What an append did. `rows_outdated`: other values for kept rows, but fetched before those; not taken."""

    rows_added: int
    rows_revised: int
    rows_unchanged: int
    rows_outdated: int = 0


@dataclass(frozen=True)
class StoreInfo:
    """What a store holds."""

    rows: int
    series: int
    services: int
    span: Span | None  # starts of the first and of the last interval
    bytes: int
    sources: tuple[str, ...]
    commits: int
    files: int


def _now() -> pd.Timestamp:
    return pd.Timestamp.now(tz="UTC").as_unit("us")


@dataclass(frozen=True)
class Store:
    """A history store in a folder. Many may read it while one writes; it may be copied at any time.

    path           the folder; the first append creates it
    clock          what time it is, for rows that do not know when they were fetched
    wait           seconds to wait for another writer
    rows_per_file  rows of a full file, and what an append holds in memory at most, beside its own (32 bytes a row)
    """

    path: str | Path
    clock: Callable[[], pd.Timestamp] = _now
    wait: float = 30.0
    rows_per_file: int = 2**22

    def append(self, observations: Observations | History, covered: Coverage = NOTHING) -> Appended:
        """Merge rows in, all of them or, after a crash, none. The same rows twice change nothing.

        A row that is kept with another value is replaced if the new one was fetched at the same time or later. One
        with the same value stays as it is, with its source and fetch time.

        covered  what the source has answered for good with these rows: committed with them, in one step. Raises
                 InputError, and keeps nothing, where another source of its kind has answered for the same series
        """
        folder = Path(self.path)
        make_room(folder)
        with one_writer(folder / LOCK, self.wait):
            manifest = load(folder, or_empty=True)
            try:
                appended, after = self._written(manifest, kept(observations, self.clock()), covered)
            except StoreError:
                sweep(folder, manifest)  # what came before the error: a disk that is full needs the room
                raise
            try:
                if after is not manifest:
                    save(folder, after)
            except OSError as error:
                raise StoreError(f"{folder}: this append could not be committed: {error}{full(folder)}") from error
        return appended

    def history(
        self,
        span: Span | None = None,
        services: Iterable[str] | str | None = None,
        metrics: Iterable[str] | str | None = None,
    ) -> History:
        """What is kept; of a span, of services, of metrics. Only the months and series asked for are read."""

        def answer(connection: Any, folder: Path, manifest: Manifest) -> History:
            frame, findings = selected(connection, folder, manifest, span, services, metrics)
            answered = read_coverage(connection, folder, manifest.parts.get(COVERAGE_PART, ()))
            return History(frame, findings, answered)

        return self._read(load, answer)

    def coverage(self) -> Coverage:
        """What sources have answered for good, and need not be asked again. Nothing, where there is no store yet."""
        return self._read(
            lambda folder: load(folder, or_empty=True),
            lambda connection, folder, manifest: read_coverage(
                connection, folder, manifest.parts.get(COVERAGE_PART, ())
            ),
        )

    def info(self) -> StoreInfo:
        """Counts and sizes, from the manifest and the series table."""
        return self._read(load, _info)

    def _repr_html_(self) -> str:
        try:
            found = self.info()
        except StoreError as error:  # there is none yet, or it is not one: said, not raised, where it is only looked at
            return table_html(f"Store: {error}", pd.DataFrame())
        span = "" if found.span is None else f", {found.span.start:%Y-%m-%d} to {found.span.end:%Y-%m-%d}"
        rows = {**asdict(found), "span": span.removeprefix(", "), "sources": ", ".join(found.sources)}
        frame = pd.DataFrame({"what": list(rows), "is": [str(value) for value in rows.values()]})
        return table_html(f"Store in {self.path}: {found.rows:,} rows of {found.services:,} services{span}", frame)

    def _read(self, opened: Callable[[Path], Manifest], answer: Callable[[Any, Path, Manifest], Answer]) -> Answer:
        """An answer from the files of one commit; of a later one, if a writer deleted some of them meanwhile."""
        import duckdb

        folder = Path(self.path)
        for attempt in range(_TRIES):
            manifest = opened(folder)
            try:
                with duckdb.connect() as connection:
                    return answer(connection, folder, manifest)
            except duckdb.Error as error:
                if attempt == _TRIES - 1 or not manifest.missing(folder):
                    raise StoreError(f"{folder} is damaged: {str(error).splitlines()[0]}") from error
        raise AssertionError("unreachable")

    def _written(self, manifest: Manifest, rows: pd.DataFrame, covered: Coverage) -> tuple[Appended, Manifest]:
        """Write the files that are new, and give the manifest that names them. Until it is saved, nobody sees them."""
        import duckdb

        folder, generation, most = Path(self.path), manifest.generation + 1, self.rows_per_file
        counts = np.zeros(4, dtype=np.int64)
        changed: dict[str, tuple[Entry, ...]] = {}
        try:
            with duckdb.connect() as connection:
                held = manifest.parts.get(COVERAGE_PART, ())
                known = read_coverage(connection, folder, held, of=covered) if len(covered) else NOTHING
                of_one_owner(known, covered)
                numbers, table, grown = numbered(rows, read_series(connection, folder, manifest))
                sources, origin = _origins(rows, manifest.sources)
                for month, fresh in _by_month(rows, numbers, origin):
                    files = manifest.parts.get(month, ())
                    count, entry = add(connection, folder, month, files, fresh, generation)
                    counts += count
                    if entry is not None:
                        changed[month] = compacted(connection, folder, month, (*files, entry), most, generation)
                if changed and grown:
                    changed[SERIES_PART] = (write_series(connection, folder, table, generation),)
                answered = add_coverage(connection, folder, held, known, covered, most, generation)
                if answered != held:
                    changed[COVERAGE_PART] = answered
        except (duckdb.Error, OSError) as error:
            reason = str(error).splitlines()[0] + full(folder)
            raise StoreError(f"{folder}: nothing of this append is kept, and nothing else changed: {reason}") from error
        after = manifest.after(changed, sources, self.clock()) if changed else manifest
        return Appended(*counts.tolist()), after


def kept(observations: Observations | History, now: pd.Timestamp) -> pd.DataFrame:
    """Rows with the columns of `schema.HISTORY`: each with its own origin, or with that of the whole."""
    frame = observations.frame
    if "fetched_at" in frame.columns or isinstance(observations, History):
        return frame
    fetched = observations.fetched_at if observations.fetched_at is not None else now
    source = pd.Categorical.from_codes(
        np.zeros(len(frame), dtype=np.int8), categories=pd.Index([observations.source], dtype="str")
    )
    stamps = pd.DatetimeIndex([fetched]).tz_convert("UTC").as_unit("us").repeat(len(frame))
    return frame.assign(source=source, fetched_at=stamps)[HISTORY.names]


def _by_month(rows: pd.DataFrame, numbers: np.ndarray, origin: np.ndarray) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each month ("202608"), as its files hold them."""
    fresh = pd.DataFrame(
        {
            "series": numbers,
            "ts": _plain(rows["timestamp"]),
            "value": rows["value"].to_numpy(),
            "source": origin,
            "fetched": _plain(rows["fetched_at"]),
        }
    )
    which = rows["timestamp"].array.asi8.view("datetime64[us]").astype("datetime64[M]")
    months = np.unique(which)
    for month in months:
        yield str(month).replace("-", ""), fresh if len(months) == 1 else fresh[which == month]


def _plain(stamps: pd.Series) -> np.ndarray:
    """UTC stamps as DuckDB's TIMESTAMP takes them."""
    return stamps.array.asi8.view("datetime64[us]")


def _origins(rows: pd.DataFrame, known: tuple[str, ...]) -> tuple[tuple[str, ...], np.ndarray]:
    """The list of sources with new ones at its end, and the place of each row's source in it."""
    names = [str(name) for name in rows["source"].cat.categories]
    sources = tuple(dict.fromkeys((*known, *names)))
    places = np.array([sources.index(name) for name in names], dtype=np.int32)
    return sources, places[rows["source"].cat.codes.to_numpy()]


def _info(connection: Any, folder: Path, manifest: Manifest) -> StoreInfo:
    table = read_series(connection, folder, manifest)
    entries = manifest.measurements
    first, last = min((entry.start for entry in entries), default=0), max((entry.end for entry in entries), default=0)
    return StoreInfo(
        rows=sum(entry.rows - entry.revised for entry in entries),
        series=len(table),
        services=table["service"].nunique(),
        span=Span(_utc(first), _utc(last)) if entries else None,
        bytes=sum(entry.bytes for entry in manifest.entries),
        sources=tuple(sorted(manifest.sources)),
        commits=manifest.generation,
        files=len(manifest.entries),
    )


def _utc(us: int) -> pd.Timestamp:
    return pd.Timestamp(us, unit="us", tz="UTC")
