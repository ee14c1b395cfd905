"""The two kinds of cache, of limited size and of limited time to live; in one place or many, before a shared tier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from capacity.errors import InputError
from capacity.planning.caching.lru import characteristic_time
from capacity.planning.caching.ttl import distinct, ttl_hits

#: A cache counts as full again when its hit ratio is this near to what it was: one point.
REFILLED: Final = 0.01


@dataclass(frozen=True)
class LruCache:
    """Holds `size` keys and drops what was not asked for longest: ElastiCache with eviction, an edge short of room.

    size    keys that each place holds
    edges   separate places, each of which sees an equal share of the requests to every key
    shield  keys that a shared tier between them and the origin holds (Origin Shield); None: there is none

    Source: Che 2002 for one place; the tier behind sees the misses as if they were independent (ibid., section V).
    """

    size: float
    edges: int = 1
    shield: float | None = None

    def __post_init__(self) -> None:
        if not self.size > 0 or (self.shield is not None and not self.shield > 0):
            raise InputError(f"{self}: a cache holds more than 0 keys")
        _checked_edges(self.edges)

    def missed(self, rates: np.ndarray) -> np.ndarray:
        """(n,) requests/s of each key that reach the origin, from (n,) requests/s that reach the cache.

        >>> LruCache(size=1).missed(np.array([1.0, 1.0])).round(2).tolist()
        [0.5, 0.5]
        """
        missed = _evicted(rates, self.size)
        return missed if self.shield is None else _evicted(missed, self.shield)

    def full_after(self, rates: np.ndarray) -> float:
        """Seconds until an empty cache is full: until `size` distinct keys were asked for, at every place."""
        apart, size = (self.edges, self.size) if self.shield is None else (1, self.shield)
        return characteristic_time(rates, size) * apart / float(rates.sum())

    @property
    def variants(self) -> dict[str, LruCache]:
        """Changes that can be computed: scenario -> cache."""
        return {} if self.shield is None else {"Origin Shield off": replace(self, shield=None)}

    def __str__(self) -> str:
        behind = f" behind a shared tier of {self.shield:,.0f}" if self.shield is not None else ""
        return f"LRU of {self.size:,.0f} keys{_places(self.edges)}{behind}"


@dataclass(frozen=True)
class TtlCache:
    """Keeps every key for `ttl` seconds, with room for all: a CDN.

    renew   True: every hit starts the clock again
    edges   separate edge locations, each of which sees an equal share of the requests to every key
    shield  True: they ask a shared tier before the origin (regional caches, Origin Shield), with the same time to live
    """

    ttl: float
    renew: bool = False
    edges: int = 1
    shield: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.ttl < np.inf:
            raise InputError(f"ttl {self.ttl} is no time to live: say seconds, more than 0")
        _checked_edges(self.edges)

    def missed(self, rates: np.ndarray) -> np.ndarray:
        """(n,) requests/s of each key that reach the origin, from (n,) requests/s that reach the cache.

        >>> alone, apart = (TtlCache(60, edges=k).missed(np.array([1.0])).round(3).tolist() for k in (1, 10))
        >>> alone, apart
        ([0.016], [0.143])
        """
        missed = rates * (1 - ttl_hits(rates / self.edges, self.ttl, self.renew))
        return missed * (1 - ttl_hits(missed, self.ttl, self.renew)) if self.shield else missed

    def full_after(self, rates: np.ndarray) -> float:
        """Seconds until an empty cache is as full as it gets: one lifetime."""
        return self.ttl

    @property
    def variants(self) -> dict[str, TtlCache]:
        """Changes that can be computed: scenario -> cache."""
        found = {"TTL halved": replace(self, ttl=self.ttl / 2), "TTL doubled": replace(self, ttl=self.ttl * 2)}
        return {**found, "Origin Shield off": replace(self, shield=False)} if self.shield else found

    def __str__(self) -> str:
        behind = " behind a shared tier" if self.shield else ""
        return f"TTL of {self.ttl:g} s{', renewed by hits' if self.renew else ''}{_places(self.edges)}{behind}"


Cache = LruCache | TtlCache


def hit_ratio(cache: Cache, rates: np.ndarray) -> float:
    """Share of requests that do not reach the origin.

    >>> from capacity.planning.caching.popularity import zipf
    >>> round(hit_ratio(TtlCache(60), 100 * zipf(10_000, 0.8)), 3)
    0.575
    """
    return 1.0 - float(cache.missed(rates).sum() / rates.sum())


def cold_misses(cache: Cache, rates: np.ndarray, seconds: float) -> float:
    """Share of requests that reach the origin in the first seconds after a purge: what is asked for the first time.

    Behind a shared tier, a key is fetched once, else once for every place. Requests for one key that arrive together
    count as one, as CloudFront collapses them.
    """
    apart = _apart(cache)
    within = min(seconds, cache.full_after(rates))
    return min(1.0, apart * distinct(rates / apart, within) / float(rates.sum() * within))


def refill_seconds(cache: Cache, rates: np.ndarray) -> float:
    """Seconds after a purge until the hit ratio is within `REFILLED` of what it was, or the cache is full.

    A key is a hit once it was asked for, so the ratio t seconds after is sum of rate x (1 - exp(-rate t)).
    """
    apart, full = _apart(cache), cache.full_after(rates)
    wanted = hit_ratio(cache, rates) - REFILLED
    total = float(rates.sum())

    def held(seconds: float) -> float:
        return 1.0 - float(rates @ np.exp(-rates / apart * seconds)) / total

    low, high = 0.0, full
    if not np.isfinite(high):  # everything fits: full when the rarest key was asked for
        high = 1.0
        while held(high) < wanted:
            high *= 2
    if held(high) < wanted:
        return high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if held(middle) >= wanted else (middle, high)
    return high


def _apart(cache: Cache) -> int:
    return 1 if cache.shield else cache.edges


def _evicted(rates: np.ndarray, size: float) -> np.ndarray:
    """What passes an LRU tier; keys nobody asks for stay."""
    total = rates.sum()
    if total <= 0:
        return rates
    time = characteristic_time(rates, size)
    return np.zeros_like(rates) if np.isinf(time) else np.asarray(rates * np.exp(-(rates / total) * time))


def _checked_edges(edges: int) -> None:
    if edges < 1:
        raise InputError(f"edges {edges}: there is one place or more")


def _places(edges: int) -> str:
    return f" in each of {edges:,} places" if edges > 1 else ""
