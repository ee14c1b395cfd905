"""A queue simulated request by request: the second opinion on every formula. Kiefer and Wolfowitz's recursion."""

from __future__ import annotations

import heapq

import numpy as np


def responses(gaps: np.ndarray, service: np.ndarray, servers: int) -> np.ndarray:
    """(n,) seconds each request takes: first come, first served, by the first of `servers` to be free.

    The first twentieth, in which the queue fills, is left out.
    """
    free = [0.0] * servers
    now = 0.0
    taken = np.empty(len(gaps))
    for place, (gap, work) in enumerate(zip(gaps.tolist(), service.tolist(), strict=True)):
        now += gap
        end = max(now, free[0]) + work
        heapq.heapreplace(free, end)
        taken[place] = end - now
    return taken[len(gaps) // 20 :]


def lognormal(rng: np.random.Generator, mean: float, cv: float, n: int) -> np.ndarray:
    """Service times: by numpy, from the moments."""
    spread = np.sqrt(np.log(1 + cv**2))
    return rng.lognormal(np.log(mean) - spread**2 / 2, spread, n)
