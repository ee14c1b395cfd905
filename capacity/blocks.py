"""Many paths, some at a time: what is computed on the way then stays in a core's cache instead of in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

#: Paths of one block. A quarter of hours in double precision is 17 kB a path: 16 of them and a copy fit in 1 MB.
PATHS: Final = 16


def blocks(count: int, size: int = PATHS) -> Iterator[slice]:
    """Slices of `size` paths that together hold all of them.

    >>> list(blocks(5, size=2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    return (slice(start, start + size) for start in range(0, count, size))
