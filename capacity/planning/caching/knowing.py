"""`Caching`: what share of requests a cache answers, how sure that is, and how it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np

from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Finding, Findings
from capacity.planning.caching.caches import Cache, TtlCache
from capacity.planning.caching.popularity import Z95, Popularity
from capacity.planning.per_task import balanced

#: Distance between the log's hit ratio and the model's from which a finding says so: five points.
FAR: Final = 0.05

Protects = Literal["service", "database"]
Method = Literal["stated", "measured", "computed"]


@dataclass(frozen=True, eq=False)
class Caching:
    """A cache in front of a service, or between a service and its database, and how well it works today.

    hit_ratio   share of the cacheable requests that it answers, 0 to below 1
    low, high   95 % interval of it; without them it is taken as exact
    cacheable   share of all requests that it may answer at all (GET, not POST). CloudFront's CacheHitRate is of these
    protects    "service": requests that miss reach the service. "database": the service asks the cache, and what misses
                is asked of the database, so that tasks stay and queries change
    lookups_per_request  of a data cache: how often a request to the service asks it
    nodes       how many nodes share the keys between them, where that is known: what is lost with one of them
    popularity, cache    how often each key is asked for and how the cache works, where known: without both, what a
                change of TTL or tiers would do cannot be computed
    rate        cacheable requests/s that reach the cache; else they follow from a forecast of requests

    Raises InputError for ratios that cannot be.

    >>> Caching(hit_ratio=0.95, low=0.93, high=0.96, cacheable=0.9).sensitivity.__round__(1)
    -6.2
    """

    hit_ratio: float
    low: float | None = None
    high: float | None = None
    cacheable: float = 1.0
    protects: Protects = "service"
    lookups_per_request: float = 1.0
    nodes: int | None = None
    popularity: Popularity | None = None
    cache: Cache | None = None
    rate: float | None = None
    method: Method = "stated"
    evidence: tuple[str, ...] = ()
    findings: Findings = NO_FINDINGS

    def __post_init__(self) -> None:
        low, high = self.interval
        wrong = []
        if (self.low is None) != (self.high is None):
            wrong.append("low and high are the two ends of one interval: state both or none")
        if not 0 <= low <= self.hit_ratio <= high < 1:
            wrong.append(
                f"hit ratio {self.hit_ratio:g} ({low:g} to {high:g}): ends in order, from 0 to below 1; 95 % is 0.95"
            )
        if not 0 < self.cacheable <= 1:
            wrong.append(f"cacheable {self.cacheable:g} is a share of requests, above 0 and up to 1")
        if not 0 < self.lookups_per_request < np.inf:
            wrong.append(f"lookups_per_request {self.lookups_per_request:g} has to be above 0")
        if self.nodes is not None and self.nodes < 1:
            wrong.append(f"nodes {self.nodes}: there is one or more")
        if self.rate is not None and not 0 < self.rate < np.inf:
            wrong.append(f"rate {self.rate:g} has to be above 0 requests/s")
        if self.protects not in ("service", "database"):
            wrong.append(f"protects {self.protects!r}: a cache protects a 'service' or a 'database'")
        if wrong:
            raise InputError("this caching cannot be: " + "; ".join(wrong))

    @classmethod
    def of_keys(
        cls,
        popularity: Popularity,
        cache: Cache | None = None,
        *,
        rate: float | None = None,
        cacheable: float | None = None,
        nodes: int | None = None,
        protects: Protects = "service",
        lookups_per_request: float = 1.0,
    ) -> Self:
        """Computed from how often each key is asked for, for independent requests.

        cache      how it works; None: only a log that tells hits from misses answers
        rate       cacheable requests/s that reach the cache; that of the log when not said
        cacheable  share of all requests; that of the log when not said, else 1

        Of a log's keys asked for once, no one knows whether they return. The interval goes from "none of them" to "as
        often again". Where the log itself tells hits from misses, that is the hit ratio, the model only says how it
        would change, and a finding tells when the two are far apart. Raises InputError for a time to live without any
        rate, and where neither log nor cache tell a hit ratio.
        """
        known = rate if rate is not None else popularity.rate if np.isfinite(popularity.rate) else None
        evidence, findings = [], [*popularity.findings]
        told, modelled = popularity.hits, None
        if cache is not None:
            modelled = _modelled(popularity, cache, known)
            low, high = in_percent(modelled[0]), in_percent(modelled[1])
            evidence.append(
                f"{cache}, for {len(popularity.counts):,} keys of {popularity.source}: {low} to {high} of requests are "
                "hits, were they independent (Che's approximation, or the TTL formula)."
            )
        if told is not None:
            point, low_end, high_end = told
            evidence.append(
                f"The log says {in_percent(point)} ({in_percent(low_end)} to {in_percent(high_end)}), of "
                f"{popularity.requests:,} requests."
            )
            if modelled is not None and not modelled[0] - FAR <= point <= modelled[1] + FAR:
                findings.append(_far(modelled, point))
        elif modelled is not None:
            low_end, high_end = modelled
            point = (low_end + high_end) / 2
            if not popularity.sampled:
                findings.append(_no_interval())
        else:
            raise InputError(
                "the log does not tell hits from misses, and how the cache works is not known",
                advice="Say TtlCache(ttl) or LruCache(size) (--ttl, --size), or state the hit ratio (--hit-ratio).",
            )
        share = popularity.cacheable if cacheable is None and np.isfinite(popularity.cacheable) else cacheable
        return cls(
            *ends(point, low_end, high_end),
            cacheable=1.0 if share is None else share,
            protects=protects,
            lookups_per_request=lookups_per_request,
            nodes=nodes,
            popularity=popularity,
            cache=cache,
            rate=known,
            method="computed" if told is None else "measured",
            evidence=tuple(evidence),
            findings=Findings.of(findings),
        )

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the hit ratio; both ends are the ratio itself where none is known."""
        low = self.hit_ratio if self.low is None else self.low
        return low, self.hit_ratio if self.high is None else self.high

    @property
    def answered(self) -> float:
        """Share of all requests that the cache answers: hit ratio x cacheable."""
        return self.hit_ratio * self.cacheable

    @property
    def sensitivity(self) -> float:
        """Relative change of what reaches the origin for a change of the hit ratio by one: -q / (1 - h q).

        -20 means that one point less (0.01) brings about 20 % more. Source: reference loadtest.md 9.1.
        """
        return -self.cacheable / (1 - self.answered)

    def draws(self, count: int, seed: int = 0) -> np.ndarray:
        """(count,) hit ratios, one a path: half of them to each side of `hit_ratio`, 95 % inside the interval.

        What varies is the logarithm of the miss ratio, in proportion to which the origin is loaded: normal, with a
        spread of its own on each side. The draws are the quantiles of that in a balanced order of chance, so that few
        paths hold the interval as well as many.
        """
        from scipy.special import ndtri

        order = balanced(count, np.random.default_rng([seed, count]))
        normal = ndtri((order + 0.5) / count)
        miss = np.log1p(-np.array([self.hit_ratio, *self.interval]))
        below, above = (miss[1] - miss[0]) / Z95, (miss[0] - miss[2]) / Z95  # spread of more misses, and of fewer
        drawn = miss[0] - np.where(normal < 0, below, above) * normal
        return np.asarray(np.clip(-np.expm1(drawn), 0.0, None))


def in_percent(ratio: float) -> str:
    """A hit ratio in words: a tenth of a point matters when it is near to 1.

    >>> in_percent(0.995)
    '99.5 %'
    """
    return f"{100 * ratio:.1f} %"


def ends(point: float, low: float, high: float) -> tuple[float, float, float]:
    """A measured ratio and its interval as the first arguments of `Caching`: in order, from 0 to below 1.

    A cache that holds every key still fetches each of them once: its ratio is never quite 1.

    >>> ends(1.0, -0.1, 1.2)
    (0.999999, 0.0, 0.999999)
    """
    middle, below, above = (min(max(ratio, 0.0), 1 - 1e-6) for ratio in (point, low, high))
    return middle, min(below, middle), max(above, middle)


def _modelled(popularity: Popularity, cache: Cache, rate: float | None) -> tuple[float, float]:
    """Hit ratio if no key asked for once returns, and if all do as often again."""
    if rate is None and isinstance(cache, TtlCache):
        raise InputError(
            "a time to live works on rates, and how often keys are asked for in a second is not known",
            advice="Say rate (--rate), the cacheable requests/s at the cache, or read a log with stamps.",
        )
    rates = popularity.probabilities * (1.0 if rate is None else rate)  # an LRU cache hits by order, at any pace
    missed = cache.missed(rates)
    lost = np.where(popularity.counts == 1, rates, missed) if popularity.sampled else missed
    low, high = (max(1 - float(part.sum() / rates.sum()), 0.0) for part in (lost, missed))
    return min(low, high), high


def _far(model: tuple[float, float], told: float) -> Finding:
    middle = in_percent(sum(model) / 2)
    return Finding(
        *("", "cache_hit_ratio", "model", "REVIEW"),
        f"The log says that {in_percent(told)} of requests are hits, and the model {middle}: what a change "
        "of the cache would do is less sure than it looks.",
        "Are size, TTL and the count of edges right? Requests that come in bursts are hit more often than the model "
        "says, and answers with a short life of their own less.",
    )


def _no_interval() -> Finding:
    return Finding(
        *("", "cache_hit_ratio", "interval", "REVIEW"),
        "The hit ratio follows from a law that was stated, so how sure it is cannot be said.",
        "Read it from a log or from metrics, or state its interval.",
    )
