"""First-fit decreasing as the textbook says it, slow and obvious."""

from __future__ import annotations


def one_by_one(counts: list[int], sizes: list[tuple[int, int]], room: tuple[int, int]) -> list[list[int]]:
    """First-fit decreasing as the textbook says it: each task in turn, into the first instance where it fits."""
    order = sorted(
        range(len(counts)), key=lambda kind: -max(size / has for size, has in zip(sizes[kind], room, strict=True))
    )
    bins: list[list[int]] = []
    for kind in order:
        for _ in range(counts[kind]):
            free = (free for free in bins if all(free[d] >= sizes[kind][d] for d in (0, 1)))
            found = next(free, None)
            if found is None:
                found = list(room)
                bins.append(found)
            for d in (0, 1):
                found[d] -= sizes[kind][d]
    return bins
