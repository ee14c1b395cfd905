"""The M/M/c queue in closed form: Erlang B and C, waits and response times. All times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from capacity.errors import InputError


def erlang_b(servers: int, offered: float | np.ndarray) -> Any:
    """Share of requests that find all servers busy and are turned away.

    offered  load in erlangs (requests/s times seconds each), a number or an array

    Recursion B(k) = a B(k-1) / (k + a B(k-1)) from B(0) = 1, stable for thousands of servers. Source: Erlang (1917).

    >>> round(erlang_b(5, 3.0), 6), round(erlang_b(100, 90.0), 6)
    (0.110054, 0.026957)
    """
    a = _offered(servers, offered)
    blocked = np.ones_like(a)
    for k in range(1, servers + 1):
        blocked = a * blocked / (k + a * blocked)
    return float(blocked) if np.ndim(blocked) == 0 else blocked


def erlang_c(servers: int, offered: float | np.ndarray) -> Any:
    """Share of requests that have to wait: 1 where the load is that of all servers or more.

    B / (1 - (a/c)(1 - B)), B from `erlang_b`. Source: Erlang (1917); values: reference loadtest.md 7.1.

    >>> round(erlang_c(4, 3.6), 6), round(erlang_c(1000, 950.0), 6)
    (0.787753, 0.068253)
    """
    a = _offered(servers, offered)
    blocked = np.asarray(erlang_b(servers, a))
    with np.errstate(divide="ignore", invalid="ignore"):
        waiting = blocked / (1 - a / servers * (1 - blocked))
    waiting = np.where(a >= servers, 1.0, waiting)
    return float(waiting) if np.ndim(waiting) == 0 else waiting


def _offered(servers: int, offered: float | np.ndarray) -> np.ndarray:
    a = np.asarray(offered, dtype=float)
    if servers < 1 or servers != int(servers):
        raise InputError(f"{servers} servers: a queue needs a whole number of them, at least 1")
    if not (np.isfinite(a) & (a >= 0)).all():
        raise InputError("the offered load has to be finite erlangs, at least 0: requests/s times seconds each")
    return a


@dataclass(frozen=True)
class ExponentialQueue:
    """M/M/c: Poisson arrivals, exponential service, c servers that share one queue.

    >>> queue = ExponentialQueue(servers=4, arrivals=150.0, service_seconds=0.0204)
    >>> [round(1000 * queue.response_quantile(q), 2) for q in (0.5, 0.95, 0.99)]
    [24.58, 87.3, 126.92]
    """

    servers: int
    arrivals: float  # per second
    service_seconds: float  # mean

    def __post_init__(self) -> None:
        _offered(self.servers, self.arrivals * self.service_seconds)
        if not self.service_seconds > 0:
            raise InputError(f"service takes {self.service_seconds:g} s: it has to be above 0")

    @property
    def offered(self) -> float:
        """Load in erlangs."""
        return self.arrivals * self.service_seconds

    @property
    def utilisation(self) -> float:
        """Share of the servers that is busy; from 1 on the queue grows without end and its waits are infinite."""
        return self.offered / self.servers

    @property
    def waiting(self) -> float:
        """Share of requests that wait."""
        return float(erlang_c(self.servers, self.offered))

    @property
    def mean_wait(self) -> float:
        """Mean seconds in the queue, over all requests."""
        if self.utilisation >= 1:
            return float("inf")
        return self.waiting * self.service_seconds / (self.servers - self.offered)

    @property
    def mean_response(self) -> float:
        """Mean seconds in queue and service."""
        return self.mean_wait + self.service_seconds

    def wait_beyond(self, seconds: float | np.ndarray) -> Any:
        """Share of requests that wait longer than this."""
        drain = max(self.servers - self.offered, 0.0) / self.service_seconds
        values = self.waiting * np.exp(-drain * np.asarray(seconds, dtype=float))
        return float(values) if np.ndim(values) == 0 else values

    def response_beyond(self, seconds: float | np.ndarray) -> Any:
        """Share of requests that take longer than this, queue and service together."""
        if self.utilisation >= 1:
            return np.ones_like(np.asarray(seconds, dtype=float))[()]
        u = np.asarray(seconds, dtype=float) / self.service_seconds
        gap = self.servers - 1 - self.offered
        wait = u if abs(gap) < 1e-9 else -np.expm1(-gap * u) / gap  # its limit where gap is 0
        values = np.exp(-u) * (1 + self.waiting * wait)
        return float(values) if np.ndim(values) == 0 else values

    def response_quantile(self, level: float) -> float:
        """Seconds within which this share of requests is answered; infinite for an overloaded queue."""
        return _quantile(self.response_beyond, level, self.mean_response)

    def wait_quantile(self, level: float) -> float:
        """Seconds that this share of requests waits at most."""
        if self.utilisation >= 1:
            return float("inf")
        if self.waiting <= 1 - level:
            return 0.0
        return float(np.log(self.waiting / (1 - level)) * self.service_seconds / (self.servers - self.offered))


def _quantile(beyond: Any, level: float, scale: float) -> float:
    from scipy.optimize import brentq

    if not 0 < level < 1:
        raise InputError(f"the level {level:g} of a quantile has to lie between 0 and 1")
    if not np.isfinite(scale):
        return float("inf")
    far = scale
    while beyond(far) > 1 - level:
        far *= 2
    return float(brentq(lambda t: beyond(t) - (1 - level), 0.0, far, xtol=1e-12 * far, rtol=1e-12))
