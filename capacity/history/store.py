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

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from capacity.errors import HistoryError, StoreError
from capacity.findings import Finding, Findings
from capacity.history.disk import one_writer, sync_file, sync_folder
from capacity.history.history import History, known_metric, named_once, unknown_service
from capacity.history.manifest import LOCK, SERIES_PART, Entry, Manifest, load, make_room, save
from capacity.schema import HISTORY
from capacity.sources.base import SERIES, TEXT, Observations, Span, microseconds, series_codes

#: How each file is written; sizes measured in the ecosystem notes: 5 bytes a row.
_PARQUET = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 262144, PARQUET_VERSION v2"
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
        folder = Path(self.path)
        manifest = load(folder)
        table = _series_table(folder, manifest)
        months = manifest.months.values()
        span = Span(_utc(min(m.start for m in months)), _utc(max(m.end for m in months))) if months else None
        return StoreInfo(
            rows=sum(month.rows for month in months),
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
    numbers, table, grown = _numbered(folder, manifest, rows)
    sources = list(manifest.sources)
    known = {name: position for position, name in enumerate(sources)}
    names = rows["source"].cat.categories
    for name in names:
        if name not in known:
            known[str(name)] = len(sources)
            sources.append(str(name))
    origin = np.array([known[str(name)] for name in names], dtype=np.int32)
    us = rows["timestamp"].array.asi8
    fresh = pd.DataFrame(
        {
            "series": numbers,
            "ts": us,
            "value": rows["value"].to_numpy(),
            "source": origin[rows["source"].cat.codes.to_numpy()],
            "fetched": rows["fetched_at"].array.asi8,
        }
    )
    months = _month(us)
    generation = manifest.generation + 1
    counts = np.zeros(4, dtype=np.int64)
    changed: dict[str, Entry] = {}
    for month in np.unique(months).tolist():
        part = fresh[months == month]
        count, entry = _merged(folder, str(month), manifest.months.get(str(month)), part, generation)
        counts += count
        if entry is not None:
            changed[str(month)] = entry
    if changed:
        if grown:
            changed[SERIES_PART] = _write_series(folder, table, generation)
        save(folder, manifest.after(changed, tuple(sources), now))
    return Appended(*counts.tolist())


def _numbered(folder: Path, manifest: Manifest, rows: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame, bool]:
    """The series number of each row, the series table with new series at its end, and whether there are any."""
    codes = series_codes(rows)
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    heads = rows.iloc[starts][list(SERIES)].astype({name: "str" for name in SERIES if name in TEXT})
    table = _series_table(folder, manifest)
    known = {key: number for number, key in enumerate(table.itertuples(index=False, name=None))}
    before = len(known)
    mine = [known.setdefault(key, len(known)) for key in heads.itertuples(index=False, name=None)]
    if len(known) > before:
        table = pd.DataFrame(list(known), columns=list(SERIES))
    lengths = np.diff(np.append(starts, len(rows)))
    return np.repeat(np.array(mine, dtype=np.int32), lengths), table, len(known) > before


def _merged(
    folder: Path, month: str, old: Entry | None, fresh: pd.DataFrame, generation: int
) -> tuple[np.ndarray, Entry | None]:
    """Old rows of a month and new ones, in a new file: counts added, revised, unchanged, outdated; None if equal."""
    import duckdb

    with duckdb.connect() as connection:
        connection.register("fresh", fresh)
        connection.execute(f"CREATE TEMP VIEW old AS {_rows_of([folder / old.name] if old else [])}")
        connection.execute(
            """
            CREATE TEMP TABLE compared AS
            SELECT fresh.*, CASE
                WHEN old.ts IS NULL THEN 0
                WHEN old.value = fresh.value THEN 2
                WHEN fresh.fetched >= old.fetched THEN 1
                ELSE 3 END AS fate
            FROM fresh LEFT JOIN old ON old.series = fresh.series AND old.ts = fresh.ts
            """
        )
        found = dict(connection.execute("SELECT fate, count(*) FROM compared GROUP BY fate").fetchall())
        counts = np.array([found.get(fate, 0) for fate in range(4)], dtype=np.int64)
        if counts[0] + counts[1] == 0:
            return counts, None
        name = f"month={month}/{generation:08d}-{uuid.uuid4().hex[:12]}.parquet"
        (folder / name).parent.mkdir(exist_ok=True)
        merged = """
            SELECT series, ts, value, source, fetched FROM compared WHERE fate < 2
            UNION ALL
            SELECT old.series, old.ts, old.value, old.source, old.fetched FROM old
            ANTI JOIN (SELECT series, ts FROM compared WHERE fate < 2) AS new
                ON old.series = new.series AND old.ts = new.ts
            ORDER BY series, ts
        """
        _copy(connection, merged, folder / name)
        start, end, rows = connection.execute(
            f"SELECT min(ts), max(ts), count(*) FROM ({_rows_of([folder / name])})"
        ).fetchall()[0]
    return counts, Entry(name, (folder / name).stat().st_size, int(rows), int(start), int(end), generation)


def _copy(connection: Any, query: str, path: Path) -> None:
    """A query's rows into a new Parquet file that is on the disk, its name included, when this returns."""
    connection.execute(f"COPY ({query}) TO {_literal(path)} ({_PARQUET}, USE_TMP_FILE false)")
    sync_file(path)
    sync_folder(path.parent)


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _rows_of(paths: list[Path]) -> str:
    """A query for the rows of several month files. Columns that a file of version 1 lacks read as origin 0, 1970."""
    names = ", ".join(_literal(path) for path in paths)
    empty = (
        "SELECT 0::INTEGER series, 0::BIGINT ts, 0.0::DOUBLE AS value, 0::INTEGER source, 0::BIGINT fetched WHERE false"
    )
    if not paths:
        return empty
    return (
        "SELECT series, ts, value, coalesce(source, 0) AS source, coalesce(fetched, 0) AS fetched FROM "
        f"({empty} UNION ALL BY NAME "
        f"SELECT * FROM read_parquet([{names}], union_by_name = true, hive_partitioning = false))"
    )


def _series_table(folder: Path, manifest: Manifest) -> pd.DataFrame:
    """Service, metric, stat, interval of every series, by number."""
    import duckdb

    if SERIES_PART not in manifest.parts:
        return pd.DataFrame({name: [] for name in SERIES})
    with duckdb.connect() as connection:
        path = folder / manifest.parts[SERIES_PART].name
        query = f"SELECT {', '.join(SERIES)} FROM read_parquet({_literal(path)}) ORDER BY series"
        return pd.DataFrame(connection.execute(query).fetchall(), columns=list(SERIES))


def _write_series(folder: Path, table: pd.DataFrame, generation: int) -> Entry:
    import duckdb

    name = f"series-{generation:08d}-{uuid.uuid4().hex[:12]}.parquet"
    with duckdb.connect() as connection:
        connection.register("series_table", table.rename_axis("series").reset_index().astype({"series": "int32"}))
        _copy(connection, "SELECT * FROM series_table ORDER BY series", folder / name)
    return Entry(name, (folder / name).stat().st_size, len(table), 0, 0, generation)


def _history(
    folder: Path,
    manifest: Manifest,
    span: Span | None,
    services: Iterable[str] | str | None,
    metrics: Iterable[str] | str | None,
) -> History:
    import duckdb

    table = _series_table(folder, manifest)
    wanted = np.ones(len(table), dtype=bool)
    if services is not None:
        names = named_once(services)
        known = sorted(set(table["service"]))
        for name in names:
            if name not in known:
                raise HistoryError(unknown_service(name, known))
        wanted &= table["service"].isin(names).to_numpy()
    if metrics is not None:
        wanted &= table["metric"].isin([known_metric(name) for name in named_once(metrics)]).to_numpy()
    first, last = map(microseconds, span) if span is not None else (None, None)
    paths = [
        folder / entry.name
        for entry in manifest.months.values()
        if (first is None or entry.end >= first) and (last is None or entry.start < last)
    ]
    chosen = table[wanted].sort_values(list(SERIES))
    ranks = pd.DataFrame({"series": chosen.index.to_numpy(dtype=np.int32), "place": np.arange(len(chosen))})
    with duckdb.connect() as connection:
        connection.register("ranks", ranks)
        bounds = [f"ts >= {first}" if first is not None else "", f"ts < {last}" if last is not None else ""]
        if not wanted.all() and len(ranks):
            bounds.append(f"series BETWEEN {ranks['series'].min()} AND {ranks['series'].max()}")
        where = " AND ".join(filter(None, bounds)) or "true"
        query = (
            "SELECT place, ts, value, source, fetched "
            f"FROM (SELECT * FROM ({_rows_of(paths)}) WHERE {where}) JOIN ranks USING (series) ORDER BY place, ts"
        )
        rows = connection.execute(query).fetchnumpy()
    return History(_frame(rows, chosen, manifest.sources), Findings.of(_told(manifest)))


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
    return pd.Series(us.astype("int64").view("datetime64[us]")).dt.tz_localize("UTC")
