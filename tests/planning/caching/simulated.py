"""Caches replayed request by request, with dictionaries: the slow obvious way, and nothing of the project in it."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np


def lru_hit_ratio(keys: np.ndarray, size: int, warm: int) -> float:
    """Share of hits of an LRU cache over the requests after the first `warm`."""
    held: OrderedDict[int, None] = OrderedDict()
    hits = 0
    for number, key in enumerate(keys.tolist()):
        if key in held:
            held.move_to_end(key)
            hits += number >= warm
        else:
            held[key] = None
            if len(held) > size:
                held.popitem(last=False)
    return hits / (len(keys) - warm)


def ttl_hit_ratio(
    keys: np.ndarray,
    stamps: np.ndarray,
    ttl: float,
    warm: float,
    *,
    renew: bool = False,
    edges: np.ndarray | None = None,
) -> tuple[float, float]:
    """Share of requests after `warm` seconds that a place answers, and that anyone before the origin does.

    edges  which place each request comes to; with them, what a place misses is asked of one shared tier
    """
    places: dict[tuple[int, int], float] = {}  # key at a place -> when its copy expires
    shared: dict[int, float] = {}
    hits = saved = asked = 0
    where = np.zeros(len(keys), dtype=int) if edges is None else edges
    for key, stamp, edge in zip(keys.tolist(), stamps.tolist(), where.tolist(), strict=True):
        counted = stamp >= warm
        asked += counted
        if places.get((edge, key), -1.0) > stamp:
            hits += counted
            saved += counted
            if renew:
                places[edge, key] = stamp + ttl
            continue
        places[edge, key] = stamp + ttl
        if shared.get(key, -1.0) > stamp:
            saved += counted
        else:
            shared[key] = stamp + ttl
    return hits / asked, (saved if edges is not None else hits) / asked


def poisson_requests(
    probabilities: np.ndarray, rate: float, seconds: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Keys and stamps of independent requests."""
    count = random.poisson(rate * seconds)
    return random.choice(len(probabilities), size=count, p=probabilities), np.sort(random.uniform(0, seconds, count))
