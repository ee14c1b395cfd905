"""What one task carries is not known exactly: each path plans with a capacity of its own, the same all the time.

The capacity is uncertain, not noisy: if a task carries 47 requests/s instead of 52, it does so all quarter. So each
path is one future of demand *and* one truth about the task, and every quantile of counts, dates and dollars holds both.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Final
from zlib import crc32

import numpy as np

from capacity.config import Service

#: Standard deviations from the median of a normal distribution to either end of its 95 % interval.
_END: Final = NormalDist().inv_cdf(0.975)


def carried_shares(service: Service, requests: np.ndarray) -> np.ndarray | None:
    """(P, 1) what a task carries on each path, as a share of its stated rate; None where that rate is exact.

    requests  (P, H) demand of each path

    The shares are the (i + 0.5)/P quantiles of `two_piece`, whatever the demand. Which path gets which is drawn from
    the service's name (`balanced`) along the paths in order of their peaks, so that high and low capacities meet high
    and low peaks alike, services are independent of each other, and the order of the paths does not matter.

    >>> from capacity.config import TaskCapacity
    >>> web = Service(name="web", task_capacity=TaskCapacity(requests_per_second=52, low=47, high=55))
    >>> paths = np.arange(1.0, 1001.0)[:, None]
    >>> (52 * np.quantile(carried_shares(web, paths), (0.025, 0.5, 0.975))).round(1).tolist()
    [47.0, 52.0, 55.0]
    >>> carried_shares(Service(name="web", requests_per_second_per_task=52), paths) is None
    True
    """
    capacity = service.task_capacity
    if capacity is None or capacity.interval[0] == capacity.interval[1]:
        return None
    low, high = (end / capacity.requests_per_second for end in capacity.interval)
    count = len(requests)
    peaks = requests.max(axis=1)
    order = sorted(range(count), key=lambda path: (peaks[path], requests[path].tobytes()))
    places = balanced(count, np.random.default_rng(crc32(service.name.encode())))
    shares = np.empty((count, 1), dtype=requests.dtype)
    shares[order, 0] = two_piece(low, high, count)[places]
    return shares


def two_piece(low: float, high: float, count: int) -> np.ndarray:
    """(count,) ascending: the (i + 0.5)/count quantiles of a lognormal of median 1 with a spread for each side.

    Its 2.5 % and 97.5 % points are `low` <= 1 and `high` >= 1. An interval is seldom symmetric, and a rate never is 0.

    >>> two_piece(0.5, 1.1, 3).round(3).tolist()
    [0.71, 1.0, 1.048]
    """
    normal = NormalDist()
    deviations = np.array([normal.inv_cdf((place + 0.5) / count) for place in range(count)]) / _END
    return np.exp(np.where(deviations < 0, -np.log(low), np.log(high)) * deviations)


def balanced(count: int, rng: np.random.Generator) -> np.ndarray:
    """A random order of 0 .. count - 1 in which neighbours differ: of each pair one is in the lower half, and so on.

    Of every 2, 4, 8 ... neighbours from the start on, each half, quarter, eighth ... of the numbers holds one. Two
    quantities paired so are as independent as few points can be, where a plain shuffle leaves both high by chance.
    Source: A. B. Owen, Randomly permuted (t,m,s)-nets, 1995: scrambling in base 2.

    >>> (balanced(8, np.random.default_rng(0)).reshape(4, 2) // 4).sum(axis=1).tolist()  # one of 0-3 and one of 4-7
    [1, 1, 1, 1]
    """
    if count < 2:
        return np.zeros(count, dtype=np.int64)
    pairs = np.arange(0, count - 1, 2)
    coin = rng.integers(0, 2, len(pairs))
    low, high = pairs + coin, pairs + 1 - coin
    if count % 2:
        low = np.append(low, count - 1)
    places = np.empty(count, dtype=np.int64)
    places[low] = balanced(len(low), rng)
    places[high] = len(low) + balanced(len(high), rng)
    return places
