"""A cache of limited size that drops what was not asked for longest: Che's approximation."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from capacity.errors import DidNotConverge, InputError
from capacity.planning.caching.popularity import shares

#: Keys worked on at a time: their exponentials stay in the processor's cache, and no array of all keys is copied.
_BLOCK = 65_536


def che(popularity: npt.ArrayLike, size: float) -> float:
    """Hit ratio of an LRU cache that holds `size` keys, for independent requests; 1 when all of them fit.

    popularity  (n,) counts, rates or probabilities of the keys, in any order; up to 10 million take seconds

    What is asked for in bursts, or goes out of fashion, is hit more and less often than that.
    Source: Che, Tung, Wang 2002; why it is accurate: Fricker, Robert, Roberts 2012 (arXiv 1202.3974).

    >>> from capacity.planning.caching.popularity import zipf
    >>> round(che(zipf(10_000, 0.8), 1_000), 3)
    0.437
    """
    probabilities = shares(popularity)
    if size >= len(probabilities):
        _checked(size)
        return 1.0
    time = characteristic_time(probabilities, size)
    return 1.0 - _left(probabilities, time)[1]


def che_hits(popularity: npt.ArrayLike, size: float) -> np.ndarray:
    """(n,) hit ratio of every key in an LRU cache that holds `size` of them, in the order given; see `che`.

    >>> che_hits([8, 1, 1], size=2).round(3).tolist()
    [0.996, 0.502, 0.502]
    """
    weights = np.asarray(popularity, dtype=float).ravel()
    probabilities = shares(weights)
    if size >= len(probabilities):
        _checked(size)
        return np.where(weights > 0, 1.0, 0.0)
    return -np.expm1(-(weights / weights.sum()) * characteristic_time(probabilities, size))


def characteristic_time(popularity: npt.ArrayLike, size: float) -> float:
    """Requests until a key that nobody asks for any more is dropped: the t at which sum(1 - exp(-p t)) = size.

    So many requests also fill an empty cache. Infinite when all keys fit, 0 for a cache of size 0. Two straight lines
    never pass the root: the tangent of the sum, which is concave, and that of the logarithm of what is left, which is
    convex. Each step goes as far as the better of them, so it only ever approaches, and quadratically.

    >>> round(characteristic_time(np.ones(100), size=50), 9), round(100 * math.log(2), 9)
    (69.314718056, 69.314718056)
    """
    _checked(size)
    probabilities = shares(popularity)
    count = len(probabilities)
    if size == 0:
        return 0.0
    if size >= count:
        return np.inf
    time, missing = float(size), count - size
    for _ in range(200):
        left, weighted = _left(probabilities, time)  # sums of exp(-p t) and of p exp(-p t)
        if left <= missing:
            return time
        step = max(left - missing, left * math.log(left / missing)) / weighted
        time += step
        if step <= 1e-12 * time:
            return time
    raise DidNotConverge(f"Che's equation was not solved for {count:,} keys and a size of {size:g}")


def _left(probabilities: np.ndarray, time: float) -> tuple[float, float]:
    """Sums over all keys of exp(-p t) and of p exp(-p t): keys not held, and the share of requests to them."""
    left = weighted = 0.0
    for start in range(0, len(probabilities), _BLOCK):
        part = probabilities[start : start + _BLOCK]
        absent = np.exp(part * -time)
        left += float(absent.sum())
        weighted += float(part @ absent)
    return left, weighted


def _checked(size: float) -> None:
    if not size >= 0:
        raise InputError(f"size {size} is no size of a cache: say how many keys it holds, 0 or more")
