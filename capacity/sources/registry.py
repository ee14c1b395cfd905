"""Sources by name: ours and those that other packages bring."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from capacity.errors import InputError
from capacity.sources.base import Source
from capacity.sources.files import Files

#: Entry-point group in which a third party names its sources.
GROUP = "capacity.sources"


def source_names() -> list[str]:
    """Every source there is, sorted."""
    return sorted({"files", *(point.name for point in entry_points(group=GROUP))})


def open_source(name: str, location: str, **settings: Any) -> Source:
    """The source of that name at a location (a path, an address, a cluster), with its settings.

    Raises InputError, naming those there are, for an unknown name or a setting the source does not take.

    >>> open_source("files", "usage.csv", metric="requests").name
    'files'
    """
    kinds: dict[str, Any] = {"files": Files}
    if name not in kinds:
        kinds |= {point.name: point.load() for point in entry_points(group=GROUP) if point.name == name}
    if name not in kinds:
        raise InputError(f"there is no source {name!r}", advice=f"Sources: {', '.join(source_names())}.")
    try:
        source: Source = kinds[name](location, **settings)
    except TypeError as error:
        raise InputError(f"source {name!r} cannot be opened: {error}") from error
    return source
