"""The one file that a stored plan is: a zip archive of JSON and Parquet, the same parts always the same bytes.

`about.json` lists every other part with its SHA-256, so that a file is either whole or refused. Nothing is ever
unpacked into a folder, and no part is read that the list does not name.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from capacity.errors import InputError, Problem

ABOUT: Final = "about.json"

#: Bytes that all parts may take together, and that one of text may: 5,000 services fill a tenth of it.
MOST_BYTES: Final = 8 * 2**30
MOST_TEXT: Final = 2**30

#: The oldest date that zip can say: a file is not of the day that it was written on.
_THEN: Final = (1980, 1, 1, 0, 0, 0)

_NAME: Final = re.compile(r"[a-z_]{1,40}\.(json|parquet)")
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


def packed(about: Mapping[str, Any], parts: Mapping[str, bytes]) -> bytes:
    """The archive of these parts. Text is deflated; Parquet is compressed already."""
    listed = {name: {"sha256": hashlib.sha256(part).hexdigest(), "bytes": len(part)} for name, part in parts.items()}
    text = json.dumps({**about, "parts": listed}, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=2)
    whole = {ABOUT: f"{text}\n".encode(), **{name: parts[name] for name in sorted(parts)}}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, part in whole.items():
            entry = zipfile.ZipInfo(name, _THEN)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # as Unix says it, whatever wrote it
            kind = zipfile.ZIP_DEFLATED if name.endswith(".json") else zipfile.ZIP_STORED
            archive.writestr(entry, part, kind, compresslevel=6)
    return buffer.getvalue()


def unpacked(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What `about.json` says, and the parts it lists, checked. Raises InputError for what is no whole plan."""
    try:
        with zipfile.ZipFile(path) as archive:
            _acceptable(path, archive)
            about = _about(path, archive.read(ABOUT))
            parts = {name: archive.read(name) for name in about["parts"] if name in archive.namelist()}
            strangers = set(archive.namelist()) - {ABOUT, *about["parts"]}
    except InputError:
        raise
    except FileNotFoundError:
        advice = "Plans are written by: capacity plan --save PATH, and capacity report."
        raise InputError(f"{path} does not exist", advice=advice) from None
    except IsADirectoryError:
        raise InputError(
            f"{path} is a folder", advice="Name one plan in it, or open all: open_snapshots(path)."
        ) from None
    except _BROKEN as error:
        raise damaged(path, [Problem(f"no archive: {error}" if str(error) else "no archive")]) from error
    problems = [Problem("is listed and not there", where=name) for name in about["parts"] if name not in parts]
    problems += [Problem("is there and not listed", where=name) for name in sorted(strangers)]
    for name, part in parts.items():
        if hashlib.sha256(part).hexdigest() != about["parts"][name]["sha256"]:
            problems.append(Problem("is not what was written", where=name))
    if problems:
        raise damaged(path, problems)
    return about, parts


def _acceptable(path: Path, archive: zipfile.ZipFile) -> None:
    """Names, sizes and kinds of the entries, before any is read. Raises InputError."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    problems = [Problem(f"{name!r} is no part of a plan") for name in names[:20] if not _NAME.fullmatch(name)]
    problems += [Problem("stands in it twice", where=name) for name in sorted({n for n in names if names.count(n) > 1})]
    text = max((entry.file_size for entry in entries if entry.filename.endswith(".json")), default=0)
    if sum(entry.file_size for entry in entries) > MOST_BYTES or text > MOST_TEXT:
        problems.append(Problem("would unpack to more than any plan has"))
    if ABOUT not in names:
        problems.append(Problem("is not there", where=ABOUT))
    if problems:
        raise damaged(path, problems)


def _about(path: Path, content: bytes) -> dict[str, Any]:
    """What the file says of itself, if it is what every format says."""
    try:
        about = json.loads(content)
        listed = {name: part["sha256"] for name, part in about["parts"].items()}
        shaped = type(about["format"]) is int and all(isinstance(said, str) for said in listed.values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(path, [Problem(f"cannot be understood: {error!r}", where=ABOUT)]) from error
    if not shaped:
        raise damaged(path, [Problem("cannot be understood", where=ABOUT)])
    return dict(about)


def damaged(path: Path, problems: list[Problem]) -> InputError:
    """The error for a file that is not a whole plan."""
    advice = "Take it from a backup, or from whoever sent it; what is left of it is not used."
    return InputError(f"{path} is not a whole plan:", problems, advice)
