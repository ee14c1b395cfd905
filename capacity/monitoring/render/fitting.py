"""What one template does not hold is several, each as full as its monitor allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def boxes(items: Iterable[tuple[Item, Sequence[int]]], most: Sequence[int]) -> list[list[Item]]:
    """Items in their order, box by box, so that of no size a box holds more than `most`; one that is too large by
    itself has a box of its own.

    >>> boxes([("a", (3, 1)), ("b", (1, 1)), ("c", (1, 1)), ("d", (9, 9))], most=(5, 2))
    [['a', 'b'], ['c'], ['d']]
    """
    made: list[list[Item]] = []
    left: list[int] = []
    for item, sizes in items:
        if not made or any(size > room for size, room in zip(sizes, left, strict=True)):
            made.append([])
            left = list(most)
        made[-1].append(item)
        left = [room - size for size, room in zip(sizes, left, strict=True)]
    return made


def numbered(texts: Sequence[str], stem: str = "alarms", ending: str = ".json") -> dict[str, str]:
    """File name -> text; numbers only where there are several.

    >>> list(numbered(["{}"])), list(numbered(["{}"] * 10))[::9]
    (['alarms.json'], ['alarms-01.json', 'alarms-10.json'])
    """
    if len(texts) == 1:
        return {f"{stem}{ending}": texts[0]}
    digits = len(str(len(texts)))
    return {f"{stem}-{number:0{digits}}{ending}": text for number, text in enumerate(texts, start=1)}
