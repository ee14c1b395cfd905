"""`manifest.json`: which files are the store. Swapping it is the commit."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from capacity.errors import StoreError
from capacity.history.disk import replace_whole
from capacity.history.migrations import VERSION, migrated
from capacity.sources.files import MANIFEST, STORE_FORMAT

LOCK = "lock.sqlite"
#: The parts of a store that are no months: the table of series, and what sources have answered for good.
SERIES_PART, COVERAGE_PART = "series", "coverage"
#: How long a file that was replaced stays, for readers and copies that began before. A read takes seconds.
GRACE = pd.Timedelta(minutes=10)
#: One commit a minute has its time remembered, so that a thousand commits in a row do not grow the manifest.
_NOTED = pd.Timedelta(minutes=1)
#: What a store's folder may hold before its first commit.
_OWN = (LOCK, f"{LOCK}-journal", f"{MANIFEST}.tmp")


class Extent(NamedTuple):
    """A stretch of time and of series numbers, all four ends included.

    >>> Extent(0, 9, 0, 5).meets(Extent(9, 12, 5, 5)), Extent(0, 9, 0, 5).meets(Extent(9, 12, 6, 7))
    (True, False)
    """

    start: int  # first stamp, microseconds since 1970
    end: int  # last stamp
    low: int  # first series, by number
    high: int  # last series

    def meets(self, other: Extent) -> bool:
        """Whether rows of both may have one key."""
        in_time = self.start <= other.end and other.start <= self.end
        return in_time and self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class Entry:
    """One file: what is in it, so that whoever does not need it does not open it. It is never changed.

    Rows carry the commit that wrote them. Those of a file come from the commits `oldest` to `newest`, and `revised` of
    them replace a row that an older file of the same month still holds.
    """

    name: str
    bytes: int
    rows: int
    start: int
    end: int
    low: int
    high: int
    oldest: int
    newest: int
    revised: int
    since: int  # the commit that brought the file

    def is_there(self, folder: Path) -> bool:
        """Whether the file is there, whole: a copy may have caught it half written."""
        try:
            return (folder / self.name).stat().st_size == self.bytes
        except OSError:
            return False

    @property
    def extent(self) -> Extent:
        """Where its rows lie."""
        return Extent(self.start, self.end, self.low, self.high)


@dataclass(frozen=True)
class Retired:
    """A file that a later commit replaced: which part of the store it was of, the commit that did, and when."""

    entry: Entry
    part: str
    until: int
    at: str


@dataclass(frozen=True)
class Manifest:
    """The store as of one commit. Sources are numbered by their place; the list only grows.

    parts       SERIES_PART, COVERAGE_PART and one a month ("202608"): the files of each, oldest rows first
    commits     when recent commits were made, one a minute
    remembered  commits from this one on can be read back
    """

    generation: int = 0
    parts: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    retired: tuple[Retired, ...] = ()
    commits: tuple[tuple[int, str], ...] = ()
    remembered: int = 1
    note: str = ""  # what loading it brought to light; not stored

    @property
    def entries(self) -> list[Entry]:
        """Every file."""
        return [entry for entries in self.parts.values() for entry in entries]

    @property
    def measurements(self) -> list[Entry]:
        """The files of all months."""
        return [e for part, entries in self.parts.items() if part not in (SERIES_PART, COVERAGE_PART) for e in entries]

    def after(self, changed: Mapping[str, tuple[Entry, ...]], sources: tuple[str, ...], now: pd.Timestamp) -> Manifest:
        """The next commit: changed parts as they are from now on. What they held is remembered for as long as `GRACE`.

        Earlier commits can be read back while they are younger than that: an older one that a store went back to would
        be the loss of everything since.
        """
        generation, at = self.generation + 1, now.isoformat()
        replaced = [
            Retired(entry, part, generation, at)
            for part, entries in changed.items()
            for entry in self.parts.get(part, ())
            if entry not in entries
        ]
        retired = [old for old in self.retired if _recent(old.at, now)]
        forgotten = [old.until for old in self.retired if not _recent(old.at, now)]
        commits = [commit for commit in self.commits if _recent(commit[1], now)]
        if not commits or now - pd.Timestamp(commits[-1][1]) >= _NOTED:
            commits.append((generation, at))
        return Manifest(
            generation,
            dict(sorted({**self.parts, **changed}.items())),
            sources,
            (*retired, *replaced),
            tuple(commits),
            max([self.remembered, commits[0][0] - 1, *forgotten]),
        )

    def as_of(self, generation: int) -> Manifest:
        """What an earlier commit held; `generation` is `remembered` or later."""
        parts: dict[str, list[Entry]] = {}
        for part, entries in self.parts.items():
            parts.setdefault(part, []).extend(entry for entry in entries if entry.since <= generation)
        for old in self.retired:
            if old.entry.since <= generation < old.until:
                parts.setdefault(old.part, []).append(old.entry)
        held = {part: tuple(sorted(entries, key=_order)) for part, entries in sorted(parts.items()) if entries}
        live = {entry for entries in held.values() for entry in entries}
        return replace(self, parts=held, retired=tuple(old for old in self.retired if old.entry not in live))

    def missing(self, folder: Path) -> list[str]:
        """Names of files that are not there, or not whole."""
        return [entry.name for entry in self.entries if not entry.is_there(folder)]

    def to_json(self) -> bytes:
        """As stored: a line for each file, so that two of them can be compared by eye."""
        content = {
            "format": STORE_FORMAT,
            "version": VERSION,
            "generation": self.generation,
            "remembered": self.remembered,
            "commits": [list(commit) for commit in self.commits],
            "sources": list(self.sources),
            "parts": {part: [vars(entry) for entry in entries] for part, entries in self.parts.items()},
            "retired": [{**vars(old), "entry": vars(old.entry)} for old in self.retired],
        }
        lines = [f"{json.dumps(name)}: {_lines(value)}" for name, value in content.items()]
        return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _recent(at: str, now: pd.Timestamp) -> bool:
    """Whether a commit may still be wanted. One of the future is none: the clock has been set back since."""
    return abs(now - pd.Timestamp(at)) <= GRACE


def _lines(value: object) -> str:
    """JSON with a line for each value of a list or object, two levels deep; ten times as fast as indenting it all."""
    if isinstance(value, dict) and value:
        return "{\n" + ",\n".join(f" {json.dumps(name)}: {_lines(inner)}" for name, inner in value.items()) + "\n}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"  {json.dumps(inner)}" for inner in value) + "\n]"
    return json.dumps(value)


def _order(entry: Entry) -> tuple[int, int]:
    """Oldest rows first; files that were written as one, by series."""
    return entry.newest, entry.low


def load(folder: Path, or_empty: bool = False) -> Manifest:
    """The store as of its last commit. Raises StoreError for what is no store, damaged, or of a newer version.

    A copy made while a commit went on may hold the manifest of that commit without its files. It then opens as of the
    commit before, and says so.

    or_empty  a folder without a manifest is an empty store: what a writer finds the first time
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        if or_empty:
            _not_others(folder)
            return Manifest()
        raise StoreError(f"{folder} is no history store: it has no {MANIFEST}. An append creates one.") from None
    except (ValueError, OSError) as error:
        raise StoreError(f"{path} is damaged: {error}. Restore it from a copy of the folder.") from error
    if not isinstance(content, dict) or content.get("format") != STORE_FORMAT:
        raise StoreError(f"{path} belongs to something else: its format is not {STORE_FORMAT!r}")
    version = content.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise StoreError(
            f"{folder} was written by a newer version of capacity (store version {version}, this one knows {VERSION}): "
            "upgrade this one, or read the store with that version"
        )
    try:
        manifest = _parsed(migrated(content, folder))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path} is damaged: {error!r}. Restore it from a copy of the folder.") from error
    return _complete(folder, manifest)


def _parsed(content: Mapping[str, Any]) -> Manifest:
    return Manifest(
        generation=int(content["generation"]),
        parts={part: tuple(Entry(**entry) for entry in entries) for part, entries in content["parts"].items()},
        sources=tuple(content["sources"]),
        retired=tuple(Retired(**{**old, "entry": Entry(**old["entry"])}) for old in content["retired"]),
        commits=tuple((int(generation), str(at)) for generation, at in content["commits"]),
        remembered=int(content["remembered"]),
    )


def _complete(folder: Path, manifest: Manifest) -> Manifest:
    """The manifest, if its files are there; else the newest commit before it whose files are."""
    missing = manifest.missing(folder)
    if not missing:
        return manifest
    for generation in range(manifest.generation - 1, manifest.remembered - 1, -1):
        earlier = manifest.as_of(generation)
        if not earlier.missing(folder):
            note = (
                f"{folder} opens as of commit {generation} of {manifest.generation}: {len(missing)} files of later "
                "commits are not there. It was copied while it was being written; copy it again to have them"
            )
            return replace(earlier, note=note)
    shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    raise StoreError(f"{folder} is damaged: not there, or not whole: {shown}. Restore the folder from a copy.")


def make_room(folder: Path) -> None:
    """The folder of a store, made if need be. A new store does not settle among other people's files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be a history store: {error}") from error
    if not (folder / MANIFEST).exists():
        _not_others(folder)


def _not_others(folder: Path) -> None:
    """Raises StoreError where a first append would settle among other people's files. So it is known before a pull."""
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file, and a history store is a folder: choose another name")
    for path in folder.iterdir() if folder.exists() else ():
        if path.name not in _OWN and not path.name.startswith(("month=", "series-", "coverage-")):
            raise StoreError(f"{folder} holds {path.name!r} and is no history store: choose an empty folder")


def save(folder: Path, manifest: Manifest) -> None:
    """Commit: from here on the store is what this manifest says. Then delete what nobody can need any more."""
    replace_whole(folder / MANIFEST, manifest.to_json())
    sweep(folder, manifest)


def sweep(folder: Path, manifest: Manifest) -> None:
    """Delete the files that this manifest, which has to be the last that was saved, does not need."""
    needed = {entry.name for entry in (*manifest.entries, *(old.entry for old in manifest.retired))}
    for path in _written(folder):
        if path.relative_to(folder).as_posix() not in needed:
            with contextlib.suppress(OSError):  # someone else may be reading it on Windows; the next commit tries again
                path.unlink()


def _written(folder: Path) -> Iterator[Path]:
    """Every data file of a store, named by its manifest or not."""
    yield from folder.glob("series-*.parquet")
    yield from folder.glob("coverage-*.parquet")
    yield from folder.glob("month=*/*.parquet")
