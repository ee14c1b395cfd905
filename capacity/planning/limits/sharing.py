"""What services take of a limit that they share, path by path."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from capacity.config import Service
from capacity.planning.limits.weighed import Ceiling


class Place(NamedTuple):
    """Which shared limit: its kind, and whose it is: a region, a load balancer, a cluster, what stands behind."""

    kind: str
    of: str


@dataclass(frozen=True, eq=False)
class Tasks:
    """The tasks of one service on its paths, as every shared limit has to hold them.

    Never fewer than the service's minimum, and not clipped by its maximum: the plan asks for maxima to be raised, and
    what is shared has to hold what it asks for.
    """

    service: Service
    counts: np.ndarray  # (P, H) what each path needs after every headroom step
    requests: np.ndarray | None = None  # (P, H) requests/s inside each interval, where forecast

    @cached_property
    def running(self) -> np.ndarray:
        return np.maximum(self.counts, self.service.min_tasks)

    @cached_property
    def deploying(self) -> np.ndarray:
        """While a rolling deployment is at its height: floor(n x maximum_percent / 100) (reference aws.md 4.2)."""
        return self.running * self.service.maximum_percent // 100


class Taken(NamedTuple):
    """What one service takes of a shared limit, (P, H), and how much more while it deploys; None: no more."""

    place: Place
    running: np.ndarray
    surge: np.ndarray | None = None


@dataclass(eq=False)
class SharedUse:
    """What services take together: the running sum, and on top the largest surge of one deployment.

    Deployments of different services are taken not to be at full height in the same interval.

    >>> use = SharedUse()
    >>> use.add("web", np.array([[3, 5]]), np.array([[3, 5]]))
    >>> use.add("api", np.array([[8, 2]]), np.array([[4, 0]]))
    >>> use.peak.tolist()  # 3 + 8 running and 4 more for api, then 5 + 2 running and 5 more for web
    [[15, 12]]
    """

    services: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # services that take of it, nobody knows how much
    _running: np.ndarray | None = None
    _surge: np.ndarray | None = None

    def add(self, service: str, running: np.ndarray, surge: np.ndarray | None = None) -> None:
        """Add what one service takes on all paths."""
        self.services.append(service)
        self.add_some(slice(0, len(running)), len(running), running, surge)

    def add_some(self, some: slice, count: int, running: np.ndarray, surge: np.ndarray | None = None) -> None:
        """Add what one service takes on some of `count` paths."""
        if self._running is None:
            self._running = np.zeros((count, running.shape[1]), dtype=running.dtype)
        self._running[some] += running
        if surge is not None:
            if self._surge is None:
                self._surge = np.zeros((count, surge.shape[1]), dtype=surge.dtype)
            np.maximum(self._surge[some], surge, out=self._surge[some])

    def forget(self) -> None:
        """Drop the sums: who takes of the limit is still known."""
        self._running = self._surge = None

    @property
    def running(self) -> np.ndarray:
        """(P, H) what all take while none deploys."""
        return np.zeros((1, 1)) if self._running is None else self._running

    @property
    def peak(self) -> np.ndarray:
        """(P, H) what all take while the largest of the deployments runs."""
        return self.running if self._surge is None else self.running + self._surge


class Used(NamedTuple):
    """A limit, (P, H) what is used of it, and what that counts, in words."""

    ceiling: Ceiling
    paths: np.ndarray
    counted: str


def deploying_words(services: list[str]) -> str:
    """What a sum counts, in a sentence.

    >>> deploying_words(["web"])
    'Counted: 1 service, the one with the largest surge deploying.'
    """
    several = "" if len(services) == 1 else "s"
    return f"Counted: {len(services)} service{several}, the one with the largest surge deploying."
