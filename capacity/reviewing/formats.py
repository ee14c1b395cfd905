"""How a plan stored by an earlier version becomes one of today: a numbered list of small functions.

Each takes the parts of format n, name -> bytes, and gives those of format n + 1. The file itself is never rewritten.
A format is new when a part is renamed, removed or changes its meaning; a part or column more is none. So it is when a
key of capacity.toml is renamed or dropped: `settings.json` has every key as it was in force, `stated.json` those that
were written, and a migration moves it in both with `restated`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from capacity._version import __version__
from capacity.errors import InputError
from capacity.reviewing.plain import written

Parts = dict[str, bytes]
Migrations = Mapping[int, Callable[[Parts], Parts]]

#: Migration n leads from format n to n + 1.
MIGRATIONS: Final[Migrations] = {}


def newest(migrations: Migrations = MIGRATIONS) -> int:
    """The format that is written.

    >>> newest({1: dict, 2: dict})
    3
    """
    return max(migrations, default=0) + 1


def restated(parts: Parts, change: Callable[[dict[str, Any]], None]) -> Parts:
    """The parts, the settings of which `change` has been put right, as they were in force and as they were written.

    >>> parts = {"settings.json": b'{"goal": {"sure": 0.9}}', "stated.json": b'{"goal": {}}'}
    >>> def renamed(said):
    ...     said["goal"] |= {"level": said["goal"].pop("sure")} if "sure" in said["goal"] else {}
    >>> restated(parts, renamed)
    {'settings.json': b'{"goal":{"level":0.9}}\\n', 'stated.json': b'{"goal":{}}\\n'}
    """
    found = dict(parts)
    for name in ("settings.json", "stated.json"):
        said = json.loads(parts[name])
        change(said)
        found[name] = written(said)
    return found


def migrated(path: Path, about: Mapping[str, Any], parts: Parts, migrations: Migrations = MIGRATIONS) -> Parts:
    """The parts as this version of capacity writes them. Raises InputError for a format that is not known here."""
    number, writer = about["format"], about.get("capacity_version", "a later version")
    if number > newest(migrations):
        raise InputError(
            f"{path} was written by capacity {writer}, in format {number}; capacity {__version__} reads formats up to "
            f"{newest(migrations)}",
            advice="Open it with that version or a later one: pip install --upgrade ecs-capacity",
        )
    if number < 1:
        raise InputError(f"{path} says that it has format {number}, which never was")
    for step in range(number, newest(migrations)):
        parts = migrations[step](parts)
    return parts
