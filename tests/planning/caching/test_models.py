"""Hit ratios of caches: against published values, against replay request by request, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import brentq

from capacity.errors import HistoryTooShort, InputError
from capacity.planning.caching import (
    LruCache,
    TtlCache,
    characteristic_time,
    che,
    che_hits,
    fit_zipf,
    hit_ratio,
    static_bound,
    ttl_hit_ratio,
    ttl_hits,
    zipf,
)
from capacity.planning.caching.caches import REFILLED, cold_misses, refill_seconds
from tests.planning.caching import simulated

weights = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(1e-6, 1e6))

#: n, alpha, size -> hit ratio by Che's equation, and that of always holding the most popular (loadtest.md 9.2).
PUBLISHED = [
    (10_000, 0.8, 100, 0.1566, 0.300),
    (10_000, 0.8, 1_000, 0.4367, 0.571),
    (10_000, 1.0, 1_000, 0.6756, 0.765),
    (100_000, 0.9, 5_000, 0.5152, 0.631),
    (1_000, 1.2, 50, 0.6652, 0.763),
]


@pytest.mark.parametrize(("n", "alpha", "size", "lru", "best"), PUBLISHED)
def test_published_hit_ratios_of_lru_caches_are_met(n: int, alpha: float, size: int, lru: float, best: float) -> None:
    assert che(zipf(n, alpha), size) == pytest.approx(lru, abs=5e-5)
    assert static_bound(zipf(n, alpha), size) == pytest.approx(best, abs=5e-4)


@pytest.mark.parametrize(
    ("rate", "ttl", "ratio", "origin"), [(10, 60, 0.276, 7.2), (100, 60, 0.575, 42.5), (100, 600, 0.878, None)]
)
def test_published_hit_ratios_of_ttl_caches_are_met(
    rate: float, ttl: float, ratio: float, origin: float | None
) -> None:
    rates = rate * zipf(10_000, 0.8)
    assert ttl_hit_ratio(rates, ttl) == pytest.approx(ratio, abs=5e-4)
    assert ttl_hit_ratio(rates, ttl) == pytest.approx(ttl_hit_ratio(10 * rates, ttl / 10), rel=1e-12)
    if origin is not None:
        assert TtlCache(ttl).missed(rates).sum() == pytest.approx(origin, abs=0.05)


def test_an_lru_cache_hits_as_its_replay_does() -> None:
    random = np.random.default_rng(1)
    for n, alpha, size in ((2_000, 0.8, 200), (500, 1.2, 25)):
        keys = random.choice(n, size=120_000, p=zipf(n, alpha))
        replayed = simulated.lru_hit_ratio(keys, size, warm=20_000)
        assert che(zipf(n, alpha), size) == pytest.approx(replayed, abs=0.006)


@pytest.mark.parametrize("renew", [False, True])
def test_a_ttl_cache_hits_as_its_replay_does(renew: bool) -> None:
    law = zipf(1_000, 0.8)
    keys, stamps = simulated.poisson_requests(law, 50, 2_000, np.random.default_rng(2))
    replayed, _ = simulated.ttl_hit_ratio(keys, stamps, ttl=30, warm=200, renew=renew)
    assert ttl_hit_ratio(50 * law, 30, renew) == pytest.approx(replayed, abs=0.008)


def test_edges_with_a_shared_tier_hit_as_their_replay_does() -> None:
    random = np.random.default_rng(3)
    law = zipf(500, 0.9)
    keys, stamps = simulated.poisson_requests(law, 50, 2_000, random)
    edges = random.integers(10, size=len(keys))
    alone, together = simulated.ttl_hit_ratio(keys, stamps, ttl=20, warm=200, edges=edges)
    assert hit_ratio(TtlCache(20, edges=10), 50 * law) == pytest.approx(alone, abs=0.01)
    assert hit_ratio(TtlCache(20, edges=10, shield=True), 50 * law) == pytest.approx(together, abs=0.015)
    assert alone < together


def test_a_million_keys_are_solved_to_the_root_that_a_plain_solver_finds() -> None:
    law = zipf(200_000, 0.7)
    plain = brentq(lambda t: (1 - np.exp(-law * t)).sum() - 3_000, 1, 1e9, xtol=1e-9, rtol=1e-14)
    assert characteristic_time(law, 3_000) == pytest.approx(plain, rel=1e-9)
    assert 0 < che(zipf(1_000_000, 0.8), 999_999) < 1


@given(popularity=weights, share=st.floats(0.01, 1.2))
@settings(deadline=None, max_examples=40)
def test_no_lru_cache_beats_the_static_bound_and_larger_ones_hit_more(popularity: np.ndarray, share: float) -> None:
    size = share * len(popularity)
    ratio = che(popularity, size)
    assert -1e-9 <= ratio <= static_bound(popularity, size) + 1e-9
    assert che(popularity, size * 1.1) >= ratio - 1e-9
    law = popularity / popularity.sum()
    assert law @ che_hits(popularity, size) == pytest.approx(ratio, abs=1e-9)
    assert che(popularity[::-1] * 7, size) == pytest.approx(ratio, abs=1e-9)
    if size < len(popularity):
        assert che_hits(popularity, size).sum() == pytest.approx(size, rel=1e-6)  # what it holds is its size


@given(rates=hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(1e-3, 1e3)), ttl=st.floats(0.1, 1e5))
@settings(deadline=None, max_examples=40)
def test_what_reaches_the_origin_of_a_ttl_cache_is_bounded_by_its_keys(rates: np.ndarray, ttl: float) -> None:
    passed = TtlCache(ttl).missed(rates).sum()
    assert passed <= len(rates) / ttl * (1 + 1e-9)
    assert ttl_hit_ratio(2 * rates, ttl) >= ttl_hit_ratio(rates, ttl)  # the ratio rises with load
    assert ttl_hit_ratio(rates, ttl, renew=True) >= ttl_hit_ratio(rates, ttl) - 1e-12
    apart, behind = TtlCache(ttl, edges=8), TtlCache(ttl, edges=8, shield=True)
    assert passed <= apart.missed(rates).sum() * (1 + 1e-9)
    assert behind.missed(rates).sum() <= apart.missed(rates).sum() * (1 + 1e-9)


def test_edges_of_a_cache() -> None:
    assert che([5, 3], 0) == 0
    assert che([5, 3], 2) == che([5, 3, 0], 10) == 1
    assert ttl_hits([1.0, 0.0], 0).tolist() == [0.0, 0.0]
    assert ttl_hits([1.0, 0.0], np.inf).tolist() == [1.0, 0.0]
    assert static_bound([1, 1], 1.5) == 0.75
    assert zipf(5, 0).tolist() == [0.2] * 5


@pytest.mark.parametrize("renew", [False, True])
def test_a_key_nobody_asks_for_hits_nothing_and_harms_nothing(renew: bool) -> None:
    alone, beside = ttl_hit_ratio([2.0], 3, renew), ttl_hit_ratio([2.0, 0.0], 3, renew)
    assert alone == beside


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: che([], 3), "popularity is empty"),
        (lambda: che([0, 0], 3), "popularity is empty"),
        (lambda: che([1, np.nan], 3), "NaN, infinite or negative"),
        (lambda: che([1, -1], 3), "NaN, infinite or negative"),
        (lambda: che([1, 1], -1), "no size of a cache"),
        (lambda: che([1, 1], float("nan")), "no size of a cache"),
        (lambda: static_bound([1, 1], -1), "no size of a cache"),
        (lambda: zipf(0, 1), "n has to be 1 or more"),
        (lambda: zipf(3, -1), "not negative"),
        (lambda: ttl_hit_ratio([1.0], -1), "no time to live"),
        (lambda: ttl_hit_ratio([0.0], 1), "no key is asked for"),
        (lambda: ttl_hits([np.inf], 1), "NaN, infinite or negative"),
        (lambda: TtlCache(0), "no time to live"),
        (lambda: LruCache(0), "more than 0 keys"),
        (lambda: TtlCache(5, edges=0), "one place or more"),
    ],
)
def test_what_is_no_cache_is_refused_in_words(call: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()  # type: ignore[operator]


def test_a_purged_cache_fetches_each_key_once_as_its_replay_does() -> None:
    law, rate = zipf(3_000, 0.8), 40.0
    keys, stamps = simulated.poisson_requests(law, rate, 60, np.random.default_rng(4))
    assert cold_misses(TtlCache(600), rate * law, 60) == pytest.approx(len(set(keys.tolist())) / len(keys), abs=0.02)
    assert len(stamps) == len(keys)
    one = cold_misses(TtlCache(600), rate * law, 60)
    assert cold_misses(TtlCache(600, edges=20), rate * law, 60) > one
    assert cold_misses(TtlCache(600, edges=20, shield=True), rate * law, 60) == one


def test_the_time_to_refill_is_when_the_ratio_is_back() -> None:
    law, cache = zipf(2_000, 0.9), LruCache(300)
    rates = 25 * law
    seconds = refill_seconds(cache, rates)
    hits_then = float(law @ (1 - np.exp(-rates * seconds)))
    assert hits_then == pytest.approx(hit_ratio(cache, rates) - REFILLED, abs=1e-6)
    assert seconds < cache.full_after(rates) == pytest.approx(characteristic_time(law, 300) / 25)
    assert refill_seconds(cache, 10 * rates) == pytest.approx(seconds / 10)
    assert refill_seconds(TtlCache(30), rates) <= 30
    everything = LruCache(5_000)  # holds all keys: back when nearly all requests are for keys it has seen
    assert 0 < refill_seconds(everything, rates) < np.inf


def test_replayed_from_empty_an_lru_cache_is_full_when_it_is_said_to_be() -> None:
    law, size = zipf(2_000, 0.9), 300
    random = np.random.default_rng(5)
    filled = []
    for _ in range(20):
        keys = random.choice(2_000, size=3_000, p=law)
        seen = np.cumsum(np.isin(np.arange(3_000), np.unique(keys, return_index=True)[1]))
        filled.append(int(np.argmax(seen >= size)) + 1)
    assert LruCache(size).full_after(law) == pytest.approx(np.mean(filled), rel=0.03)


def test_the_exponent_of_a_log_is_found_with_an_interval_that_holds_it() -> None:
    random = np.random.default_rng(6)
    held = []
    for n, alpha, requests in ((3_000, 0.8, 150_000), (1_000, 1.2, 60_000), (1_000, 0.6, 100_000)):
        fits = [fit_zipf(random.multinomial(requests, zipf(n, alpha))) for _ in range(20)]
        held += [fit.low <= alpha <= fit.high for fit in fits]
        assert np.mean([fit.alpha for fit in fits]) == pytest.approx(alpha, abs=0.006)
    assert np.mean(held) >= 0.88  # of 60, when 95 % are right: fewer than 53 once in 70


def test_keys_nobody_asked_for_and_the_order_of_counts_do_not_matter_to_the_exponent() -> None:
    counts = np.random.default_rng(7).multinomial(400_000, zipf(5_000, 0.9))
    plain = fit_zipf(counts)
    assert fit_zipf(np.append(counts[::-1], np.zeros(1_000))) == plain


def test_a_popularity_that_is_not_zipfs_has_a_wider_interval() -> None:
    random = np.random.default_rng(8)
    ranks = np.arange(1, 2_001)
    bent = np.where(ranks < 100, ranks**-0.3, 100**0.7 * ranks**-1.0)
    law, off = (fit_zipf(random.multinomial(500_000, shape / shape.sum())) for shape in (zipf(2_000, 0.8), bent))
    assert off.misfit > 10 > 3 > law.misfit >= 1
    assert off.high - off.low > 3 * (law.high - law.low)


def test_a_short_log_is_refused_with_what_would_help() -> None:
    with pytest.raises(HistoryTooShort, match="keys with 100 requests or more, and 20 are needed"):
        fit_zipf(np.full(1_000, 50))
