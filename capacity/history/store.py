"""The history store: a folder that outlives CloudWatch's retention, and that a crash cannot break.

    manifest.json                  what is in the store: swapped whole, so a batch is there or it is not
    month=202608/<file>.parquet    rows of one month (UTC): series, ts, value, source, fetched; sorted
    series-<file>.parquet          number -> service, metric, stat, interval
    lock.sqlite                    held by the one writer; readers take no lock

A month is never changed in place: an append writes the new month beside the old one and then swaps the manifest. What
the manifest no longer names is deleted ten minutes later, by the next append; until then a reader who holds the older
manifest, and a copy that is being made of the folder, find every file they look for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from capacity.errors import HistoryError, StoreError
from capacity.findings import Finding, Findings
from capacity.history import months
from capacity.history.disk import one_writer
from capacity.history.history import History, known_metric, named_once, unknown_service
from capacity.history.manifest import LOCK, SERIES_PART, Entry, Manifest, load, make_room, save
from capacity.schema import HISTORY
from capacity.sources.base import SERIES, TEXT, Observations, Span, microseconds, series_codes

#: Times a reader starts over because a writer deleted a file under it. Each time is a new commit, ten minutes apart.
_TRIES = 5


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


def _now() -> pd.Timestamp:
    return pd.Timestamp.now(tz="UTC").as_unit("us")


@dataclass(frozen=True)
class Store:
    """A history store in a folder. Many may read it while one writes; it may be copied at any time.

    path   the folder; the first append creates it
    clock  what time it is, for rows that do not know when they were fetched
    wait   seconds to wait for another writer
    """

    path: str | Path
    clock: Callable[[], pd.Timestamp] = _now
    wait: float = 30.0

    def append(self, observations: Observations | History) -> Appended:
        """Merge rows in, all of them or, after a crash, none. The same rows twice change nothing.

        A row that is kept with another value is replaced if the new one was fetched at the same time or later. One
        with the same value stays as it is, with its source and fetch time.
        """
        folder = Path(self.path)
        make_room(folder)
        with one_writer(folder / LOCK, self.wait):
            manifest = load(folder, writing=True)
            rows = kept(observations, self.clock())
            return _append(folder, manifest, rows, self.clock())

    def history(
        self,
        span: Span | None = None,
        services: Iterable[str] | str | None = None,
        metrics: Iterable[str] | str | None = None,
    ) -> History:
        """What is kept; of a span, of services, of metrics. Only the months and series asked for are read."""
        import duckdb

        folder = Path(self.path)
        for attempt in range(_TRIES):
            manifest = load(folder)
            try:
                return _history(folder, manifest, span, services, metrics)
            except duckdb.Error as error:
                if attempt == _TRIES - 1 or not manifest.missing(folder):
                    raise StoreError(f"{folder} is damaged: {str(error).splitlines()[0]}") from error
        raise AssertionError("unreachable")

    def info(self) -> StoreInfo:
        """Counts and sizes, from the manifest and the series table."""
        import duckdb

        folder = Path(self.path)
        manifest = load(folder)
        with duckdb.connect() as connection:
            table = months.read_series(connection, _series_path(folder, manifest))
        parts = manifest.months.values()
        span = Span(_utc(min(part.start for part in parts)), _utc(max(part.end for part in parts))) if parts else None
        return StoreInfo(
            rows=sum(part.rows for part in parts),
            series=len(table),
            services=table["service"].nunique(),
            span=span,
            bytes=sum(entry.bytes for entry in manifest.parts.values()),
            sources=tuple(sorted(manifest.sources)),
            commits=manifest.generation,
        )


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


def _utc(us: int) -> pd.Timestamp:
    return pd.Timestamp(us, unit="us", tz="UTC")


def _month(us: np.ndarray) -> np.ndarray:
    """202608 for each stamp."""
    months = us.view("datetime64[us]").astype("datetime64[M]").astype("int64")
    return (1970 + months // 12) * 100 + months % 12 + 1


def _append(folder: Path, manifest: Manifest, rows: pd.DataFrame, now: pd.Timestamp) -> Appended:
    """Write the months that change, then commit. Nothing is visible before the manifest is swapped."""
    import duckdb

    generation = manifest.generation + 1
    counts = np.zeros(4, dtype=np.int64)
    changed: dict[str, Entry] = {}
    with duckdb.connect() as connection:
        table = months.read_series(connection, _series_path(folder, manifest))
        numbers, grown = _numbered(rows, table)
        sources, origin = _origins(rows, manifest.sources)
        fresh = pd.DataFrame(
            {
                "series": numbers,
                "ts": _plain(rows["timestamp"]),
                "value": rows["value"].to_numpy(),
                "source": origin,
                "fetched": _plain(rows["fetched_at"]),
            }
        )
        which = _month(rows["timestamp"].array.asi8)
        for month in np.unique(which).tolist():
            part = fresh[which == month]
            old = manifest.parts.get(str(month))
            count, entry = months.merge(connection, folder, str(month), old, part, generation)
            counts += count
            if entry is not None:
                changed[str(month)] = entry
        if changed and len(grown) > len(table):
            changed[SERIES_PART] = months.write_series(connection, folder, grown, generation)
    if changed:
        save(folder, manifest.after(changed, sources, now))
    return Appended(*counts.tolist())


def _series_path(folder: Path, manifest: Manifest) -> Path | None:
    return folder / manifest.parts[SERIES_PART].name if SERIES_PART in manifest.parts else None


def _plain(stamps: pd.Series) -> np.ndarray:
    """UTC stamps as DuckDB's TIMESTAMP takes them."""
    return stamps.array.asi8.view("datetime64[us]")


def _numbered(rows: pd.DataFrame, table: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """The series number of each row (sorted by key), and the series table with new series at its end."""
    starts = np.flatnonzero(np.diff(series_codes(rows), prepend=-1))
    heads = rows.iloc[starts][list(SERIES)].astype({name: "str" for name in SERIES if name in TEXT})
    known = {key: number for number, key in enumerate(table.itertuples(index=False, name=None))}
    mine = [known.setdefault(key, len(known)) for key in heads.itertuples(index=False, name=None)]
    lengths = np.diff(np.append(starts, len(rows)))
    return np.repeat(np.array(mine, dtype=np.int32), lengths), pd.DataFrame(list(known), columns=list(SERIES))


def _origins(rows: pd.DataFrame, known: tuple[str, ...]) -> tuple[tuple[str, ...], np.ndarray]:
    """The list of sources with new ones at its end, and the place of each row's source in it."""
    names = [str(name) for name in rows["source"].cat.categories]
    sources = tuple(dict.fromkeys((*known, *names)))
    places = np.array([sources.index(name) for name in names], dtype=np.int32)
    return sources, places[rows["source"].cat.codes.to_numpy()]


def _history(
    folder: Path,
    manifest: Manifest,
    span: Span | None,
    services: Iterable[str] | str | None,
    metrics: Iterable[str] | str | None,
) -> History:
    import duckdb

    with duckdb.connect() as connection:
        table = months.read_series(connection, _series_path(folder, manifest))
        chosen = table[_wanted(table, services, metrics)].sort_values(list(SERIES))
        numbers = chosen.index.to_numpy(dtype=np.int32)
        connection.register("chosen", pd.DataFrame({"series": numbers, "place": np.arange(len(chosen))}))
        bounds = ["true"]
        parts = list(manifest.months.values())
        if 0 < len(chosen) < len(table):  # lets DuckDB pass over row groups, which are sorted by series
            bounds.append(f"series BETWEEN {numbers.min()} AND {numbers.max()}")
        if span is not None:
            first, last = map(microseconds, span)
            parts = [part for part in parts if part.end >= first and part.start < last]
            bounds.append(f"ts >= make_timestamp({first}) AND ts < make_timestamp({last})")
        rows = months.rows_of([folder / part.name for part in parts])
        answer = connection.execute(
            f"SELECT place, ts, value, source, fetched FROM (SELECT * FROM ({rows}) WHERE {' AND '.join(bounds)}) "
            "JOIN chosen USING (series) ORDER BY place, ts"
        ).fetchnumpy()
    return History(_frame(answer, chosen, manifest.sources), Findings.of(_told(manifest)))


def _wanted(
    table: pd.DataFrame, services: Iterable[str] | str | None, metrics: Iterable[str] | str | None
) -> np.ndarray:
    """Which series were asked for. A service there is not is refused; a metric may well be absent."""
    wanted = np.ones(len(table), dtype=bool)
    if services is not None:
        names, known = named_once(services), sorted(set(table["service"]))
        for name in names:
            if name not in known:
                raise HistoryError(unknown_service(name, known))
        wanted &= table["service"].isin(names).to_numpy()
    if metrics is not None:
        wanted &= table["metric"].isin([known_metric(name) for name in named_once(metrics)]).to_numpy()
    return wanted


def _told(manifest: Manifest) -> list[Finding]:
    return [Finding("", "", "store", "REVIEW", manifest.note)] if manifest.note else []


def _frame(rows: dict[str, np.ndarray], chosen: pd.DataFrame, sources: tuple[str, ...]) -> pd.DataFrame:
    """The table `schema.HISTORY` from numbers; rows are in the order of the key."""
    place = rows["place"]
    columns: dict[str, Any] = {}
    for name in SERIES:
        if name in TEXT:
            columns[name] = _used(chosen[name].to_numpy(dtype=object), place)
        else:
            columns[name] = chosen[name].to_numpy(dtype=np.int32)[place]
    columns["timestamp"] = _stamps(rows["ts"])
    columns["value"] = rows["value"].astype("float64")
    columns["source"] = _used(np.array(sources, dtype=object), rows["source"])
    columns["fetched_at"] = _stamps(rows["fetched"])
    return pd.DataFrame(columns)[HISTORY.names]


def _used(words: np.ndarray, places: np.ndarray) -> pd.Categorical:
    """words[places] as categories that are sorted and all in use."""
    present = np.zeros(len(words), dtype=bool)
    present[places] = True
    used = sorted(set(words[present].tolist()))
    number = {word: position for position, word in enumerate(used)}
    codes = np.array([number.get(word, -1) for word in words.tolist()], dtype=np.int64)
    return pd.Categorical.from_codes(codes[places], categories=pd.Index(used, dtype="str"))


def _stamps(us: np.ndarray) -> pd.Series:
    return pd.Series(us.astype("datetime64[us]")).dt.tz_localize("UTC")
