"""What may happen to a cache, as the share of requests that then reaches the origin, path by path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from capacity.errors import InputError
from capacity.findings import Finding
from capacity.planning.caching.caches import cold_misses, refill_seconds
from capacity.planning.caching.knowing import Caching

AS_IS: Final = "as is"
OUTAGE: Final = "cache outage"
#: Every scenario, in the order of the table.
SCENARIOS: Final = (
    AS_IS,
    "hit ratio -1 point",
    "hit ratio -5 points",
    "hit ratio -10 points",
    "purge at the peak",
    OUTAGE,
    "cache node lost",
    "TTL halved",
    "TTL doubled",
    "Origin Shield off",
    "endpoint made cacheable",
    "random query string",
)
_POINTS: Final = {"hit ratio -1 point": 0.01, "hit ratio -5 points": 0.05, "hit ratio -10 points": 0.10}
#: Seconds over which what follows a purge is counted: demand is planned by its busiest minute.
MINUTE: Final = 60.0


@dataclass(frozen=True, eq=False)
class Outcome:
    """One scenario on every path.

    passes     (P,) share of the requests to the cache that reach the origin
    hits       (P,) hit ratio among those that may be cached
    cacheable  share that may be cached
    lasting    False for what is over once the cache is full again or runs again
    refill_seconds  until then; NaN where it cannot be said
    """

    name: str
    passes: np.ndarray
    hits: np.ndarray
    cacheable: float
    lasting: bool = True
    refill_seconds: float = np.nan
    note: str = ""


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked: the cache, its (P,) hit ratios of today, and what only the user can say.

    rate             cacheable requests/s at the cache at the peak; NaN where not known
    newly_cacheable  share of all requests that an endpoint made cacheable would add
    random_query     share of the cacheable requests whose address is never the same twice
    """

    caching: Caching
    hits: np.ndarray
    rate: float = np.nan
    newly_cacheable: float | None = None
    random_query: float | None = None

    def outcome(self, name: str, hits: np.ndarray, cacheable: float | None = None, **about: object) -> Outcome:
        """From hit ratios and a cacheable share to what passes."""
        share = self.caching.cacheable if cacheable is None else cacheable
        return Outcome(name, 1 - hits * share, hits, share, **about)  # type: ignore[arg-type]


def outcomes(question: Question, asked: Iterable[str] | None = None) -> tuple[list[Outcome], list[Finding]]:
    """Each scenario that can be answered, and why the others cannot. None: all there are.

    "as is" comes first and an outage is always among them: what is compared with, and what has to be known.

    >>> found, missing = outcomes(Question(Caching(hit_ratio=0.9), np.array([0.9])), ["TTL halved"])
    >>> [(one.name, one.passes.round(3).tolist()) for one in found], [one.message for one in missing]
    ([('as is', [0.1]), ('cache outage', [1.0])], ['TTL halved: cannot be computed without key statistics.'])
    """
    names = SCENARIOS if asked is None else tuple(dict.fromkeys((AS_IS, *asked, OUTAGE)))
    if unknown := [name for name in names if name not in SCENARIOS]:
        raise InputError(f"no scenario is called {', '.join(map(repr, unknown))}", advice=_known())
    found, missing = [], []
    for name in names:
        answer = _answer(name, question)
        if isinstance(answer, Outcome):
            found.append(answer)
        else:
            missing.append(Finding("", "cache_hit_ratio", "scenario", "UNKNOWN", f"{name}: {answer[0]}", answer[1]))
    return found, missing


def told_apart(message: str) -> tuple[str, str]:
    """Name and reason of a scenario that could not be answered."""
    name, _, reason = message.partition(": ")
    return name, reason


def _known() -> str:
    return f"There are: {', '.join(SCENARIOS)}."


def _answer(name: str, question: Question) -> Outcome | tuple[str, str]:
    """The outcome, or why there is none and what would bring it."""
    if name in _POINTS:
        return question.outcome(name, np.maximum(question.hits - _POINTS[name], 0.0))
    match name:
        case "as is":
            return question.outcome(name, question.hits)
        case "cache outage":
            note = "every request reaches the origin"
            return question.outcome(name, np.zeros_like(question.hits), lasting=False, note=note)
        case "purge at the peak":
            return _purged(name, question)
        case "cache node lost":
            return _node_lost(name, question)
        case "endpoint made cacheable":
            return _newly_cacheable(name, question)
        case "random query string":
            return _random_query(name, question)
    return _changed(name, question)


def _rates(question: Question) -> np.ndarray | None:
    """(n,) requests/s of each key at the peak, where keys and pace are known."""
    popularity = question.caching.popularity
    if popularity is None or question.caching.cache is None or not question.rate > 0:
        return None
    return popularity.probabilities * question.rate


def _purged(name: str, question: Question) -> Outcome:
    rates, cache = _rates(question), question.caching.cache
    if rates is None or cache is None:
        note = "while it refills, for which key statistics are missing, every request reaches the origin"
        return question.outcome(name, np.zeros_like(question.hits), lasting=False, note=note)
    hits = np.minimum(question.hits, 1 - cold_misses(cache, rates, MINUTE))
    seconds = refill_seconds(cache, rates)
    note = "mean of the first minute: keys that are asked for the first time"
    return question.outcome(name, hits, lasting=False, refill_seconds=seconds, note=note)


def _node_lost(name: str, question: Question) -> Outcome | tuple[str, str]:
    nodes = question.caching.nodes
    if nodes is None:
        return "how many nodes share the keys is not known.", "State nodes."
    rates, cache = _rates(question), question.caching.cache
    seconds = np.nan if rates is None or cache is None else refill_seconds(cache, rates)
    note = f"1 of {nodes} nodes: its keys are asked for again (consistent hashing)"
    return question.outcome(name, question.hits * (1 - 1 / nodes), lasting=False, refill_seconds=seconds, note=note)


def _newly_cacheable(name: str, question: Question) -> Outcome | tuple[str, str]:
    more = question.newly_cacheable
    if more is None:
        return "its share of all requests is not known.", "State newly_cacheable."
    share = question.caching.cacheable + _checked(more, "newly_cacheable")
    if share > 1 + 1e-9:
        raise InputError(
            f"newly_cacheable {more:g} and what is cacheable today, {question.caching.cacheable:g}, are more than 1"
        )
    return question.outcome(name, question.hits, min(share, 1.0), note="taken to be hit as the rest is")


def _random_query(name: str, question: Question) -> Outcome | tuple[str, str]:
    share = question.random_query
    if share is None:
        return "which share of requests carries one is not known.", "State random_query."
    cacheable = question.caching.cacheable * (1 - _checked(share, "random_query"))
    note = f"{100 * share:.3g} % of the cacheable requests miss, every one"
    return question.outcome(name, question.hits, cacheable, note=note)


def _changed(name: str, question: Question) -> Outcome | tuple[str, str]:
    """A change of the cache itself: today's misses, times what the model says becomes of them."""
    cache = question.caching.cache
    if question.caching.popularity is None or cache is None:
        advice = "Read a log of keys, and state the TTL of the cache or its size."
        return "cannot be computed without key statistics.", advice
    variant = cache.variants.get(name)
    if variant is None:
        return f"does not apply: the cache is a {cache}.", ""
    rates = _rates(question)
    if rates is None:
        return "requests/s at the cache are not known.", "State rate, or forecast requests."
    ratio = float(variant.missed(rates).sum() / cache.missed(rates).sum())
    hits = 1 - np.minimum((1 - question.hits) * ratio, 1.0)
    return question.outcome(name, hits, note=f"{variant}: {ratio:.3g} times the misses")


def _checked(share: float, name: str) -> float:
    if not 0 < share <= 1:
        raise InputError(f"{name} {share:g} is a share of requests, above 0 and up to 1")
    return share
