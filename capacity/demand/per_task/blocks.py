"""Intervals in groups: stretches in which the number of tasks stayed, and blocks of time that errors are independent
between; and the statistics that weights and few blocks ask for."""

from __future__ import annotations

from typing import Final

import numpy as np

#: Longest stretch of a constant task count that is looked at as one: the count's end depends on what went before it.
STRETCH: Final = 30 * 60  # seconds
#: Blocks of time that errors are taken as independent between: a day, or a twelfth of the time where that is short.
BLOCK: Final = 86_400  # seconds
BLOCKS: Final = 12


def stretches(start: np.ndarray, seconds: np.ndarray, tasks: np.ndarray) -> np.ndarray:
    """(n,) number of the stretch of constant task count that each row is in, each at most STRETCH long.

    >>> stretches(60.0 * np.arange(6), np.full(6, 60.0), np.array([4.0, 4, 4, 5, 5, 4])).tolist()
    [0, 0, 0, 1, 1, 2]
    """
    gap = np.diff(start) > 1.5 * seconds[:-1] + 240  # rows left out around a change of the count do not end anything
    moved = np.abs(np.diff(tasks)) > 0.005 * np.maximum(tasks[:-1], 1)
    run = np.concatenate([[0], np.cumsum(gap | moved)])
    first = np.concatenate([[True], np.diff(run) > 0])
    began = start[np.flatnonzero(first)][run]
    piece = ((start - began) // STRETCH).astype(np.int64)
    new = np.concatenate([[0], np.cumsum((np.diff(run) > 0) | (np.diff(piece) != 0))])
    return np.asarray(new)


def blocks_of(start: np.ndarray) -> np.ndarray:
    """(n,) number of the block of time each row is in, from zero."""
    length = min(float(BLOCK), max(1800.0, (start[-1] - start[0] + 1) / BLOCKS))
    raw = (start - start[0]) // length
    return np.cumsum(np.diff(raw, prepend=raw[0]) != 0)  # sorted as the rows are: a new number at each new block


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """The value with half of the weight at or below it.

    >>> weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0]))
    2.0
    """
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order[int(np.searchsorted(total, total[-1] / 2))]])


def student(blocks: int) -> float:
    """Half width of a 95 % interval in standard errors that come from so many blocks; infinite below three.

    >>> round(student(12), 2), round(student(10_000), 2)
    (2.23, 1.96)
    """
    from scipy.special import stdtrit

    return float(stdtrit(blocks - 2, 0.975)) if blocks > 2 else float("inf")
