"""How long a request is served, without waiting: a distribution known by its moments below a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from capacity.errors import InputError


class ServiceTime(Protocol):
    """What a queue asks of its service times, in seconds."""

    @property
    def mean(self) -> float:
        """Mean in seconds."""
        ...

    @property
    def cv(self) -> float:
        """Standard deviation over mean."""
        ...

    def below(self, power: int, x: np.ndarray) -> np.ndarray:
        """Mean of S^power where S <= x, else of 0: for power 0 the share of requests served within x seconds."""
        ...

    def quantile(self, level: float) -> float:
        """Seconds within which this share is served."""
        ...


@dataclass(frozen=True)
class Lognormal:
    """The usual shape of service times: many quick, few slow.

    >>> service = Lognormal(mean=0.020, cv=0.5)
    >>> round(service.quantile(0.95), 4)
    0.0389
    """

    mean: float
    cv: float = 1.0

    def __post_init__(self) -> None:
        _positive(self.mean, self.cv)

    @property
    def _spread(self) -> float:
        return float(np.sqrt(np.log1p(self.cv**2)))

    @property
    def _middle(self) -> float:
        return float(np.log(self.mean) - self._spread**2 / 2)

    def below(self, power: int, x: np.ndarray) -> np.ndarray:
        from scipy.special import ndtr

        with np.errstate(divide="ignore"):
            z = (np.log(x) - self._middle) / self._spread - power * self._spread
        return np.asarray(np.exp(power * self._middle + (power * self._spread) ** 2 / 2) * ndtr(z))

    def quantile(self, level: float) -> float:
        from scipy.special import ndtri

        return float(np.exp(self._middle + self._spread * ndtri(level)))


@dataclass(frozen=True)
class Gamma:
    """A lighter tail than the lognormal of the same mean and CV; exponential for a CV of 1, Erlang below.

    >>> Gamma(mean=0.1).quantile(1 - 1 / 2.718281828459045)
    0.1
    """

    mean: float
    cv: float = 1.0

    def __post_init__(self) -> None:
        _positive(self.mean, self.cv)

    def below(self, power: int, x: np.ndarray) -> np.ndarray:
        from scipy.special import gammainc, poch

        shape = 1 / self.cv**2
        scale = self.mean / shape
        return np.asarray(scale**power * poch(shape, power) * gammainc(shape + power, np.asarray(x) / scale))

    def quantile(self, level: float) -> float:
        from scipy.special import gammaincinv

        shape = 1 / self.cv**2
        return float(round(self.mean / shape * gammaincinv(shape, level), 15))


@dataclass(frozen=True, eq=False)
class Measured:
    """The latencies of a load point at which nothing waited, in seconds: no shape is assumed.

    >>> service = Measured.of([0.01, 0.03])
    >>> service.mean, service.cv
    (0.02, 0.5)
    """

    seconds: np.ndarray  # (n,) ascending

    @classmethod
    def of(cls, seconds: Iterable[float] | np.ndarray) -> Measured:
        """From latencies in any order. Raises InputError for none, and for one that is not above 0."""
        values = np.sort(np.asarray(seconds if isinstance(seconds, np.ndarray) else list(seconds), dtype=float))
        if not len(values) or not (values > 0).all() or not np.isfinite(values).all():
            raise InputError("service times have to be finite seconds above 0, at least one")
        return cls(values)

    @property
    def mean(self) -> float:
        return float(self.seconds.mean())

    @property
    def cv(self) -> float:
        return float(self.seconds.std() / self.seconds.mean())

    def below(self, power: int, x: np.ndarray) -> np.ndarray:
        sums = np.append(0.0, np.cumsum(self.seconds**power)) / len(self.seconds)
        return np.asarray(sums[np.searchsorted(self.seconds, x, side="right")])

    def quantile(self, level: float) -> float:
        return float(np.quantile(self.seconds, level))


def _positive(mean: float, cv: float) -> None:
    if not (np.isfinite(mean) and mean > 0):
        raise InputError(f"the mean service time is {mean:g} s: it has to be above 0")
    if not (np.isfinite(cv) and cv > 0):
        raise InputError(f"the CV of service times is {cv:g}: it has to be above 0; 0.05 is almost constant")
