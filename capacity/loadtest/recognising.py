"""Which files are results, and which reader takes each: by content, in folders as by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from capacity.errors import InputError, Problem
from capacity.loadtest.readers import READERS
from capacity.loadtest.readers.base import ResultFile, ResultReader, SampleReader

StrPath = str | os.PathLike[str]

#: Characters of an unrecognised file that an error quotes.
QUOTED: Final = 100

#: Files of report pages that hold no results, and so are not even opened when a folder is read.
_PAGES: Final = frozenset(
    {".css", ".png", ".gif", ".svg", ".ico", ".woff", ".woff2", ".ttf", ".eot", ".otf", ".map", ".jmx"}
)


@dataclass(frozen=True)
class Recognised:
    """A file and who can read it. `found`: it was found in a folder, and nobody named it."""

    file: ResultFile
    reader: ResultReader
    found: bool = False

    def __str__(self) -> str:
        return f"{self.file.path.name} ({self.reader.name})"

    @property
    def raw(self) -> bool:
        """Whether it tells of every request."""
        return isinstance(self.reader, SampleReader)


def paths_of(path: StrPath | Sequence[StrPath]) -> list[Path]:
    try:
        paths = [Path(path)] if isinstance(path, (str, os.PathLike)) else [Path(one) for one in path]
    except TypeError:
        raise InputError(
            f"a result is read from a path, got {path!r}", advice="Name a result file, several, or a folder."
        ) from None
    if not paths:
        raise InputError("no files were named", advice="Name a result file, several, or a folder.")
    return paths


def known_zone(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise InputError(
            f"there is no time zone {timezone!r}", advice='Use an IANA name such as "Europe/Berlin" or "UTC".'
        ) from None


def recognised(paths: Sequence[Path], timezone: str | None) -> tuple[list[Recognised], list[str]]:
    """Every file with its reader. Named files have to be readable; of a folder, those that are."""
    found: list[Recognised] = []
    aside: list[str] = []
    problems: list[Problem] = []
    for path in paths:
        if path.is_dir():
            inside, closed = _results_in(path, timezone)
            if not inside:
                problems.append(Problem("no file in this folder is of a known format", where=str(path)))
            found += inside
            aside += closed
            continue
        file = ResultFile(path, timezone)
        if not path.exists():
            problems.append(Problem("there is no such file or folder", where=str(path)))
        elif not file.head.strip():
            problems.append(Problem("the file is empty", where=str(path)))
        elif (reader := _reader_of(file)) is None:
            problems.append(Problem(f"begins with {_seen(file)}, which is no known format", where=str(path)))
        else:
            found.append(Recognised(file, reader))
    if problems:
        known = ", ".join(dict.fromkeys(reader.name for reader in READERS))
        raise InputError("these load-test results cannot be read", problems, f"Formats that can be read: {known}.")
    unique = {one.file.path.resolve(): one for one in found}
    return list(unique.values()), aside


def _results_in(folder: Path, timezone: str | None) -> tuple[list[Recognised], list[str]]:
    """The files of a folder that some format claims, and those that cannot be opened."""
    found: list[Recognised] = []
    closed: list[str] = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or path.suffix.lower() in _PAGES or not path.is_file() or not path.stat().st_size:
            continue
        file = ResultFile(path, timezone)
        try:
            reader = _reader_of(file)
        except InputError:
            closed.append(f"{path.name} (cannot be opened)")
            continue
        if reader is not None:
            found.append(Recognised(file, reader, found=True))
    return found, closed


def _reader_of(file: ResultFile) -> ResultReader | None:
    return next((reader for reader in READERS if reader.recognises(file)), None)


def _seen(file: ResultFile) -> str:
    """How a file begins, in a form that can be printed."""
    if file.head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "the mark of UTF-16, as Windows PowerShell's `>` writes (save it as UTF-8)"
    text = file.head[: 4 * QUOTED].decode("utf-8", errors="replace")
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    if text.count("\ufffd") > len(text) // 10 or "\x00" in text:
        return f"the bytes {file.head[:16].hex(' ')}"
    shown = " ".join(printable.split())
    return repr(shown if len(shown) <= QUOTED else shown[: QUOTED - 1] + "…")
