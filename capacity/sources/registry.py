"""Sources by name: ours and those that other packages bring."""

from __future__ import annotations

from importlib.metadata import entry_points
from inspect import signature
from typing import Any

from capacity.errors import CapacityError, InputError
from capacity.sources.base import Source
from capacity.sources.files import Files

#: Entry-point group in which a third party names its sources.
GROUP = "capacity.sources"


def source_names() -> list[str]:
    """Every source there is, sorted."""
    return sorted({"files", *(point.name for point in entry_points(group=GROUP))})


def open_source(name: str, location: str, /, **settings: Any) -> Source:
    """The source of that name at a location (a path, an address, a cluster), with its settings.

    Raises InputError, naming those there are, for an unknown name or a setting the source does not take, and for a
    plug-in that cannot be loaded.

    >>> open_source("files", "usage.csv", metric="requests").name
    'files'
    """
    kind = Files if name == "files" else _plug_in(name)
    takes = _takes(kind)
    try:
        source = kind(location, **settings)
    except CapacityError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"source {name!r} cannot be opened: {error}", advice=takes) from error
    if not isinstance(source, Source):
        raise InputError(f"source {name!r} is a {type(source).__name__}, which has not both `name` and `read(span)`")
    return source


def _plug_in(name: str) -> Any:
    """What another package names so: a class, or a function that makes a source."""
    for point in entry_points(group=GROUP, name=name):
        try:
            return point.load()
        except (ImportError, AttributeError) as error:
            package = f" of {point.dist.name} {point.dist.version}" if point.dist is not None else ""
            raise InputError(
                f"source {name!r}{package} cannot be loaded: {error}",
                advice="Install what that package needs, or another version of it.",
            ) from error
    raise InputError(f"there is no source {name!r}", advice=f"Sources: {', '.join(source_names())}.")


def _takes(kind: Any) -> str:
    """The settings a source takes beside its location, in words; nothing where that cannot be seen."""
    try:
        _, *names = signature(kind).parameters
    except (TypeError, ValueError):
        return ""
    return f"Its settings: {', '.join(names)}." if names else "It has no settings."
