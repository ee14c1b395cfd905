"""The M/G/c and G/G/c queues: response times for service of any shape, and how many servers a target needs.

Poisson arrivals, c servers that share one queue, first come first served. What a request waits is put together as in
Tijms, van Hoorn and Federgruen (1981, Adv. Appl. Prob. 13, 186): it waits with Erlang's probability; then for the
first of c busy servers, each with its residual service (the smallest of c); then for those before it, who leave like
from one server c times as fast. That is exact for one server (Pollaczek-Khinchine) and for exponential service, and
keeps the long tail that lognormal service gives to waits, which scaled exponential formulas lose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from capacity.errors import GoalUnreachable, InputError
from capacity.loadtest.models.erlang import erlang_c
from capacity.loadtest.models.service_time import ServiceTime

#: Places of the lattice on which distributions are added up: quantiles are right within about a thousandth.
LATTICE: Final = 2**14

#: The lattice ends where less than this share of service times lies beyond.
FAR: Final = 1e-6

#: ... and after as many mean waits of those who wait: e^-18 of an exponential tail is below FAR.
WAITS: Final = 18.0

#: Most servers looked at: more than ECS runs tasks in a service (5,000), times cores.
MOST: Final = 100_000


@dataclass(frozen=True)
class Queue:
    """c servers, one queue; `arrivals` per second, their gaps with coefficient of variation `arrival_cv` (1: Poisson).

    With other arrivals than Poisson, waits are stretched by (ca^2 + cs^2) / (1 + cs^2), as in the formula of Allen and
    Cunneen (Allen 1990, "Probability, Statistics and Queueing Theory").

    >>> from capacity.loadtest.models.service_time import Lognormal
    >>> queue = Queue(servers=4, arrivals=150.0, service=Lognormal(mean=0.0204, cv=0.5))
    >>> round(1000 * queue.mean_response, 1), round(1000 * queue.response_quantile(0.95), 1)
    (28.2, 58.8)
    """

    servers: int
    arrivals: float
    service: ServiceTime
    arrival_cv: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.arrivals) and self.arrivals >= 0):
            raise InputError(f"arrivals are {self.arrivals:g} per second: they have to be finite and at least 0")
        if not (np.isfinite(self.arrival_cv) and self.arrival_cv >= 0):
            raise InputError(f"arrival_cv is {self.arrival_cv:g}: 1 is Poisson, 0 a metronome, more are bursts")
        erlang_c(self.servers, self.offered)

    @property
    def offered(self) -> float:
        """Load in erlangs."""
        return self.arrivals * self.service.mean

    @property
    def utilisation(self) -> float:
        """Share of the servers that is busy; from 1 on the queue grows without end and its times are infinite."""
        return self.offered / self.servers

    @property
    def waiting(self) -> float:
        """Share of requests that wait: Erlang C, which depends little on the shape of service."""
        return float(erlang_c(self.servers, self.offered))

    @property
    def stretch(self) -> float:
        """By how much other arrivals than Poisson lengthen the waits."""
        return (self.arrival_cv**2 + self.service.cv**2) / (1 + self.service.cv**2)

    @property
    def mean_wait(self) -> float:
        """Mean seconds in the queue, over all requests."""
        if self.utilisation >= 1:
            return float("inf")
        return self.waiting * self._wait_of_those_who_wait

    @property
    def mean_response(self) -> float:
        """Mean seconds in queue and service."""
        return self.mean_wait + self.service.mean

    def response_quantile(self, level: float) -> float:
        """Seconds within which this share of requests is answered; infinite for an overloaded queue."""
        return float("inf") if self.utilisation >= 1 else self._at(self._response, level)

    def wait_quantile(self, level: float) -> float:
        """Seconds that this share of requests waits at most."""
        if self.waiting <= 1 - level:
            return 0.0
        return float("inf") if self.utilisation >= 1 else self._at(self._wait, level)

    def response_beyond(self, seconds: float) -> float:
        """Share of requests that take longer than this, queue and service together."""
        if self.utilisation >= 1:
            return 1.0
        return float(np.interp(seconds, self._times, 1 - self._response))

    # --- distributions on the lattice -----------------------------------------------------------------------------

    @cached_property
    def _first(self) -> tuple[np.ndarray, np.ndarray]:
        """Times, and mean of the smallest of c residual services cut off there: the integral of its tail so far."""
        last = 3 * self.service.quantile(1 - FAR / 1000)  # residual services have a longer tail than services
        t = np.concatenate([[0.0], np.geomspace(1e-4 * self.service.mean / self.servers, last, 4000)])
        tail = np.clip(_residual_beyond(self.service, t), 0.0, 1.0) ** self.servers
        return t, np.concatenate([[0.0], np.cumsum(np.diff(t) * (tail[1:] + tail[:-1]) / 2)])

    @cached_property
    def _wait_of_those_who_wait(self) -> float:
        residual = self.service.mean * (1 + self.service.cv**2) / 2
        behind = self.utilisation / (1 - self.utilisation) * residual / self.servers
        return float((self._first[1][-1] + behind) * self.stretch)

    @cached_property
    def _times(self) -> np.ndarray:
        end = self.service.quantile(1 - FAR) + WAITS * self._wait_of_those_who_wait
        return np.linspace(0.0, end, LATTICE)

    @cached_property
    def _spectra(self) -> tuple[np.ndarray, np.ndarray]:
        """Spectra of service and of waiting, on a lattice twice as long so that sums do not come round."""
        t, servers, size = self._times, self.servers, 2 * LATTICE
        step, stretch = float(t[1]), max(self.stretch, 1e-9)
        service = np.fft.rfft(_lattice(_cut_off(self.service, t), step), size)
        times, cut = self._first
        first = np.fft.rfft(_lattice(np.interp(t / stretch, times, cut) * stretch, step), size)
        residual = _residual_cut_off(self.service, t / stretch * servers) / servers * stretch
        before = np.fft.rfft(_lattice(residual, step), size)
        load = self.utilisation
        return service, (1 - self.waiting) + self.waiting * first * (1 - load) / (1 - load * before)

    @cached_property
    def _response(self) -> np.ndarray:
        service, wait = self._spectra
        return _shares(service * wait)

    @cached_property
    def _wait(self) -> np.ndarray:
        return _shares(self._spectra[1])

    def _at(self, shares: np.ndarray, level: float) -> float:
        if not 0 < level < 1:
            raise InputError(f"the level {level:g} of a quantile has to lie between 0 and 1")
        return float(np.interp(level, shares, self._times))


def _cut_off(service: ServiceTime, x: np.ndarray) -> np.ndarray:
    """Mean of min(S, x)."""
    return service.below(1, x) + x * (1 - service.below(0, x))


def _residual_beyond(service: ServiceTime, x: np.ndarray) -> np.ndarray:
    """Share of residual services (of a server found busy) longer than x."""
    return np.asarray(1 - _cut_off(service, x) / service.mean)


def _residual_cut_off(service: ServiceTime, x: np.ndarray) -> np.ndarray:
    """Mean of min(residual service, x): E[S^2/2; S <= x] + E[S x - x^2/2; S > x], over the mean of S."""
    above = service.mean - service.below(1, x), 1 - service.below(0, x)
    with np.errstate(invalid="ignore"):
        beyond = np.where(above[1] > 0, x * above[0] - x**2 / 2 * above[1], 0.0)
    return np.asarray((service.below(2, x) / 2 + np.maximum(beyond, 0.0)) / service.mean)


def _lattice(cut_off: np.ndarray, step: float) -> np.ndarray:
    """Probabilities on the lattice from means of min(X, t): they keep the mean exactly, however coarse the lattice."""
    tail = np.diff(cut_off) / step  # mean tail of each cell
    return np.clip(np.concatenate([[1 - tail[0]], tail[:-1] - tail[1:], tail[-1:]]), 0.0, 1.0)


def _shares(spectrum: np.ndarray) -> np.ndarray:
    """Share of requests up to each place of the lattice."""
    chances = np.maximum(np.fft.irfft(spectrum, 2 * LATTICE)[:LATTICE], 0.0)
    return np.minimum(np.cumsum(chances) - chances / 2, 1.0)  # half of a place's chance lies beyond it


def servers_for(
    arrivals: float, service: ServiceTime, *, seconds: float, quantile: float = 0.99, arrival_cv: float = 1.0
) -> int:
    """Fewest servers, sharing one queue, that answer this quantile of requests within `seconds`.

    arrivals    per second               arrival_cv  of their gaps; 1 is Poisson
    quantile    of response times, in (0, 1): 0.99 for a p99 target

    Servers of one queue: workers or cores inside a task, consumers of a queue, threads. For tasks behind a balancer see
    `staffing.separate_tasks`. Raises GoalUnreachable when service alone takes longer than asked.

    >>> from capacity.loadtest.models.service_time import Lognormal
    >>> servers_for(1000, Lognormal(mean=0.050, cv=1.0), seconds=0.25, quantile=0.99)
    55
    """
    if not 0 < quantile < 1:
        raise InputError(f"the quantile {quantile:g} has to lie between 0 and 1")
    alone = service.quantile(quantile)
    if not alone < seconds:
        raise GoalUnreachable(
            f"{100 * quantile:g} % of requests within {1000 * seconds:g} ms cannot be reached by more servers: service "
            f"alone, without any queue, takes {1000 * alone:.4g} ms at that quantile. Make the request faster, or ask "
            "for less."
        )

    def enough(servers: int) -> bool:
        return Queue(servers, arrivals, service, arrival_cv).response_quantile(quantile) <= seconds

    return fewest(enough, int(arrivals * service.mean) + 1)


def fewest(enough: Callable[[int], bool], start: int) -> int:
    """The smallest count from `start` on that is enough, where more is never worse: doubled, then halved."""
    if enough(start):
        return start
    step = 1
    while not enough(start + step):
        step *= 2
        if step > MOST:
            raise GoalUnreachable(f"not even {start + step} servers are enough: nothing is gained by adding more")
    low, high = start + step // 2, start + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
