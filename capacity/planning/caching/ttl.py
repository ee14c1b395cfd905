"""A cache whose copies expire: by a clock that starts when they are fetched, or that every hit starts again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from capacity.errors import InputError


def ttl_hit_ratio(rates: npt.ArrayLike, ttl: float, renew: bool = False) -> float:
    """Hit ratio of a cache that keeps every key for `ttl` seconds and has room for all of them.

    rates  (n,) requests/s of each key: to this cache, so each of k edge locations sees 1/k of them
    ttl    seconds; a CDN counts them from the fetch
    renew  True: every hit starts the clock again, as caches do that expire what is idle

    The ratio rises with load, so what reaches the origin is not in proportion to traffic: it is never more than one
    request a key and `ttl`. Source: renewal theory for Poisson requests (reference loadtest.md 9.2).

    >>> from capacity.planning.caching.popularity import zipf
    >>> round(ttl_hit_ratio(100 * zipf(10_000, 0.8), ttl=60), 3)
    0.575
    """
    each = np.asarray(rates, dtype=float).ravel()
    hits = ttl_hits(each, ttl, renew)
    total = each.sum()
    if total <= 0:
        raise InputError("no key is asked for, so there is no hit ratio")
    return float(each @ hits / total)


def ttl_hits(rates: npt.ArrayLike, ttl: float, renew: bool = False) -> np.ndarray:
    """(n,) hit ratio of every key, as `ttl_hit_ratio` does.

    >>> ttl_hits([1.0, 0.1], ttl=10).round(3).tolist()
    [0.909, 0.5]
    """
    each = np.asarray(rates, dtype=float).ravel()
    if not np.isfinite(each).all() or (each < 0).any():
        raise InputError("rates hold NaN, infinite or negative values: pass requests/s of each key")
    if not ttl >= 0:
        raise InputError(f"ttl {ttl} is no time to live: say seconds, 0 or more")
    asked = np.multiply(each, ttl, out=np.zeros_like(each), where=each > 0)  # requests in one lifetime
    if renew:
        return np.asarray(-np.expm1(-asked))
    return np.divide(asked, 1 + asked, out=np.ones_like(asked), where=np.isfinite(asked))


def distinct(rates: npt.ArrayLike, seconds: float) -> float:
    """Keys that are asked for at least once within so many seconds, expected: what an empty cache has to fetch.

    >>> round(distinct([1.0, 1.0], seconds=1), 3)
    1.264
    """
    return float(-np.expm1(-np.asarray(rates, dtype=float) * seconds).sum())
