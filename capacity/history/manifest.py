"""`manifest.json`: which files are the store. Swapping it is the commit."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from capacity.errors import StoreError
from capacity.history.disk import replace_whole
from capacity.history.migrations import VERSION, migrated
from capacity.sources.files import MANIFEST, STORE_FORMAT

LOCK = "lock.sqlite"
#: The part of a store that is no month: the table of series.
SERIES_PART = "series"
#: How long a file that was replaced stays, for readers and copies that began before. A read takes seconds.
GRACE = pd.Timedelta(minutes=10)
#: What a store's folder may hold before its first commit.
_OWN = (LOCK, f"{LOCK}-journal", f"{MANIFEST}.tmp")


@dataclass(frozen=True)
class Entry:
    """One file: its size, rows, first and last stamp (microseconds since 1970), and the commit that brought it."""

    name: str
    bytes: int
    rows: int
    start: int
    end: int
    since: int

    def is_there(self, folder: Path) -> bool:
        """Whether the file is there, whole: a copy may have caught it half written."""
        try:
            return (folder / self.name).stat().st_size == self.bytes
        except OSError:
            return False


@dataclass(frozen=True)
class Retired:
    """A file that a later commit replaced: which part of the store it was, the commit that did, and when."""

    entry: Entry
    part: str
    until: int
    at: str


@dataclass(frozen=True)
class Manifest:
    """The store as of one commit. Sources are numbered by their place; the list only grows."""

    generation: int = 0
    parts: Mapping[str, Entry] = field(default_factory=dict)  # SERIES_PART, and one a month: "202608"
    sources: tuple[str, ...] = ()
    retired: tuple[Retired, ...] = ()
    remembered: int = 1  # commits from this one on can be read back from `retired`
    note: str = ""  # what loading it brought to light; not stored

    @property
    def months(self) -> dict[str, Entry]:
        """The month files."""
        return {part: entry for part, entry in self.parts.items() if part != SERIES_PART}

    def after(self, changed: Mapping[str, Entry], sources: tuple[str, ...], now: pd.Timestamp) -> Manifest:
        """The next commit: changed parts replace theirs, and those are remembered for as long as `GRACE`."""
        generation, at = self.generation + 1, now.isoformat()
        replaced = [Retired(self.parts[part], part, generation, at) for part in changed if part in self.parts]
        recent = [old for old in self.retired if now - pd.Timestamp(old.at) <= GRACE]
        forgotten = [old.until for old in self.retired if old not in recent]
        return Manifest(
            generation,
            dict(sorted({**self.parts, **changed}.items())),
            sources,
            (*recent, *replaced),
            max([self.remembered, *forgotten]),
        )

    def as_of(self, generation: int) -> Manifest:
        """What an earlier commit held; `generation` is `remembered` or later."""
        parts = {part: entry for part, entry in self.parts.items() if entry.since <= generation}
        parts |= {old.part: old.entry for old in self.retired if old.entry.since <= generation < old.until}
        return replace(self, parts=dict(sorted(parts.items())))

    def missing(self, folder: Path) -> list[str]:
        """Names of files that are not there, or not whole."""
        return [entry.name for entry in self.parts.values() if not entry.is_there(folder)]

    def to_json(self) -> bytes:
        """As stored: sorted and indented, so that two of them can be compared by eye."""
        content = {
            "format": STORE_FORMAT,
            "version": VERSION,
            "generation": self.generation,
            "remembered": self.remembered,
            "sources": list(self.sources),
            "parts": {part: asdict(entry) for part, entry in self.parts.items()},
            "retired": [asdict(old) for old in self.retired],
        }
        return (json.dumps(content, indent=1) + "\n").encode()


def load(folder: Path, writing: bool = False) -> Manifest:
    """The store as of its last commit. Raises StoreError for what is no store, damaged, or of a newer version.

    A copy made while a commit went on may hold the manifest of that commit without its files. It then opens as of the
    commit before, and says so. For a writer, a folder without a manifest is an empty store.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if writing:
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
        parts={part: Entry(**entry) for part, entry in content["parts"].items()},
        sources=tuple(content["sources"]),
        retired=tuple(Retired(**{**old, "entry": Entry(**old["entry"])}) for old in content["retired"]),
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
    if (folder / MANIFEST).exists():
        return
    for path in folder.iterdir():
        if path.name not in _OWN and not path.name.startswith(("month=", "series-")):
            raise StoreError(f"{folder} holds {path.name!r} and is no history store: choose an empty folder")


def save(folder: Path, manifest: Manifest) -> None:
    """Commit: from here on the store is what this manifest says. Then delete what nobody can need any more."""
    replace_whole(folder / MANIFEST, manifest.to_json())
    needed = {entry.name for entry in (*manifest.parts.values(), *(old.entry for old in manifest.retired))}
    for path in _written(folder):
        if path.relative_to(folder).as_posix() not in needed:
            with contextlib.suppress(OSError):  # someone else may be reading it on Windows; the next commit tries again
                path.unlink()


def _written(folder: Path) -> Iterator[Path]:
    """Every data file of a store, named by its manifest or not."""
    yield from folder.glob("series-*.parquet")
    yield from folder.glob("month=*/*.parquet")
