"""How a plan stored by an earlier version becomes one of today: a numbered list of small functions.

Each takes the parts of format n, name -> bytes, and gives those of format n + 1. The file itself is never rewritten.
A format is new when a part is renamed, removed or changes its meaning; a part or column more is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from capacity._version import __version__
from capacity.errors import InputError

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
