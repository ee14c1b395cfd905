"""The hit ratio from telemetry, of services whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from capacity.errors import HistoryError, HistoryTooShort, InputError
from capacity.history import History
from capacity.planning.caching import Caching, hit_ratio_from
from capacity.planning.caching.passing import passing
from capacity.sources.base import tidy

START = pd.Timestamp("2026-11-02T00:00Z")


def history(seconds: int = 60, **series: np.ndarray) -> History:
    """One service, `web`, with these means; NaN is a gap."""
    frames = []
    for metric, values in series.items():
        stamps = pd.date_range(START, periods=len(values), freq=f"{seconds}s", unit="us")
        rows = pd.DataFrame({"timestamp": stamps, "value": values}).assign(
            service="web", metric=metric, stat="mean", interval=seconds, source="test", fetched_at=START
        )
        frames.append(rows.dropna())
    return History(tidy(pd.concat(frames, ignore_index=True)))


def edge_of(minutes: int, random: np.random.Generator, mean: float = 400.0) -> np.ndarray:
    """Requests/s at the CDN: a daily wave, with noise that lasts for hours."""
    hours = np.arange(minutes) / 60
    slow = np.repeat(random.normal(0, 0.1, minutes // 60 + 1), 60)[:minutes]
    return np.asarray(mean * np.exp(0.4 * np.cos(2 * np.pi * (hours - 14) / 24) + slow))


def origin_of(edge: np.ndarray, share: np.ndarray | float, random: np.random.Generator) -> np.ndarray:
    """Requests/s behind it, counted by the minute."""
    return np.asarray(random.poisson(edge * share * 60) / 60)


def drifting(minutes: int, mean: float, random: np.random.Generator) -> np.ndarray:
    """A share that goes through, which wanders for hours at a time."""
    return np.asarray(mean * np.exp(np.repeat(random.normal(0, 0.05, minutes // 180 + 1), 180)[:minutes]))


def test_what_never_reaches_the_service_is_found_within_its_interval() -> None:
    random = np.random.default_rng(0)
    held = []
    for _ in range(20):
        edge = edge_of(4_320, random)
        found = passing(edge, origin_of(edge, drifting(4_320, 0.2, random), random))
        held.append(found.low <= 0.2 * np.exp(0.05**2 / 2) <= found.high)
        assert found.share == pytest.approx(0.2, rel=0.06)
    assert np.mean(held) >= 0.8  # of 20, when 92 % are right: fewer than 16 once in 200


def test_cacheable_share_and_hit_ratio_are_told_apart_by_cache_hit_rate() -> None:
    random = np.random.default_rng(1)
    edge = edge_of(2_880, random)
    ratio, share = 0.9, 0.7
    mine = history(
        cdn_requests=edge,
        requests=origin_of(edge, 1 - ratio * share, random),
        cache_hit_ratio=100 * ratio + random.normal(0, 0.2, len(edge)),
    )
    found = hit_ratio_from(mine, "web")
    assert found.hit_ratio == pytest.approx(ratio, abs=0.005)
    assert found.cacheable == pytest.approx(share, abs=0.005)
    assert found.interval[0] <= found.hit_ratio <= found.interval[1]
    assert found.method == "measured" and not len(found.findings)
    naive = Caching(ratio)  # the trap: CacheHitRate read as a share of all requests
    assert 1 - found.answered > 3 * (1 - naive.answered)


def test_without_cache_hit_rate_the_ratio_is_of_all_requests_and_says_so() -> None:
    random = np.random.default_rng(2)
    edge = edge_of(1_440, random)
    mine = history(cdn_requests=edge, requests=origin_of(edge, 0.37, random))
    found = hit_ratio_from(mine, "web")
    assert found.cacheable == 1.0
    assert found.hit_ratio == pytest.approx(0.63, abs=0.005)
    assert [finding.check for finding in found.findings] == ["base"]
    told = hit_ratio_from(mine, "web", cacheable=0.7)
    assert told.cacheable == 0.7
    assert told.hit_ratio == pytest.approx(0.9, abs=0.01)
    assert not len(told.findings)


def test_a_purge_an_outage_and_gaps_do_not_bend_it() -> None:
    random = np.random.default_rng(3)
    edge = edge_of(2_880, random)
    origin = origin_of(edge, 0.2, random)
    origin[700:760] = edge[700:760]  # the cache was empty
    origin[2000:2020] = 0.01  # the load balancer was down
    edge[100:400] = np.nan
    origin[1500:1600] = np.nan
    found = hit_ratio_from(history(cdn_requests=edge, requests=origin), "web")
    assert found.hit_ratio == pytest.approx(0.8, abs=0.004)


@pytest.mark.parametrize("late", [-2, 0, 1])
def test_the_two_sides_are_brought_onto_the_same_minute(late: int) -> None:
    random = np.random.default_rng(4)
    edge = 400 * np.exp(random.normal(0, 0.5, 1_000))  # jumps from minute to minute
    origin = np.roll(origin_of(edge, 0.25, random), late)
    found = hit_ratio_from(history(cdn_requests=edge, requests=origin), "web")
    assert found.hit_ratio == pytest.approx(0.75, abs=0.01)


def test_traffic_that_passes_the_cache_by_is_a_finding_and_the_share_is_that_of_busy_hours() -> None:
    random = np.random.default_rng(5)
    edge = edge_of(2_880, random)
    origin = random.poisson((50 + 0.1 * edge) * 60) / 60
    found = hit_ratio_from(history(cdn_requests=edge, requests=origin), "web")
    (direct,) = [finding for finding in found.findings if finding.check == "direct"]
    assert "do not follow those at the CDN" in direct.message
    busy = np.quantile(edge, 0.95)
    assert 1 - found.hit_ratio == pytest.approx((50 + 0.1 * busy) / busy, rel=0.02)


def test_a_ttl_cache_is_read_at_its_busy_hours() -> None:
    random = np.random.default_rng(6)
    edge = edge_of(2_880, random)
    origin = origin_of(edge, 1 / (1 + edge / 100), random)  # the busier, the better
    found = passing(edge, origin)
    assert found.share == pytest.approx(1 / (1 + np.quantile(edge, 0.95) / 100), rel=0.03)
    assert found.level > 0


def test_hours_will_do_where_there_are_no_minutes() -> None:
    random = np.random.default_rng(7)
    edge = edge_of(24 * 30 * 60, random).reshape(-1, 60).mean(axis=1)
    found = hit_ratio_from(history(3600, cdn_requests=edge, requests=edge * 0.3), "web")
    assert found.hit_ratio == pytest.approx(0.7, abs=1e-6)
    assert "720 intervals of 3600 s" in found.evidence[0]


def test_the_caches_own_ratio_alone_is_a_fallback_with_its_caveat() -> None:
    random = np.random.default_rng(8)
    mine = history(cache_hit_ratio=random.normal(92, 1, 600), requests=np.full(600, 5.0))
    found = hit_ratio_from(mine, "web")
    assert found.hit_ratio == pytest.approx(0.92, abs=0.002)
    (base,) = found.findings
    assert "POST, PUT and errors are not among them" in base.message
    assert not len(hit_ratio_from(mine, "web", cacheable=0.8).findings)


def test_a_data_cache_is_measured_by_its_lookups() -> None:
    random = np.random.default_rng(9)
    requests = edge_of(1_440, random, 50)
    lookups = 4 * requests
    mine = history(cache_hits=0.85 * lookups, cache_misses=0.15 * lookups, requests=requests)
    found = hit_ratio_from(mine, "web", protects="database", nodes=3)
    assert found.hit_ratio == pytest.approx(0.85)
    assert found.lookups_per_request == pytest.approx(4)
    assert (found.protects, found.nodes, found.cacheable) == ("database", 3, 1.0)
    alone = hit_ratio_from(history(cache_hits=lookups, cache_misses=lookups / 9), "web", protects="database")
    assert alone.hit_ratio == pytest.approx(0.9)
    assert [finding.check for finding in alone.findings] == ["lookups"]


def test_an_idle_cache_is_no_division_by_zero() -> None:
    lookups = np.tile([0.0, 10.0], 300)
    mine = history(cache_hits=lookups, cache_misses=np.zeros(600))
    assert hit_ratio_from(mine, "web", protects="database").hit_ratio == pytest.approx(1, abs=1e-5)
    with pytest.raises(HistoryError, match="nobody asked its cache in 600 intervals"):
        hit_ratio_from(history(cache_hits=np.zeros(600), cache_misses=np.zeros(600)), "web", protects="database")


@pytest.mark.parametrize("level", [0.0, 250.0])
def test_sides_that_never_change_are_compared_by_their_level(level: float) -> None:
    edge = np.full(400, 100.0)
    mine = history(cdn_requests=edge, requests=np.full(400, 25.0))
    assert hit_ratio_from(mine, "web").hit_ratio == pytest.approx(0.75)
    swapped = history(cdn_requests=edge, requests=np.full(400, 100 + level))
    with pytest.raises(HistoryError, match="the one is not in front of the other"):
        hit_ratio_from(swapped, "web")


def test_a_cache_that_was_asked_only_lately_has_its_interval() -> None:
    lookups = np.concatenate([np.zeros(960), np.full(40, 100.0)])
    ratio = np.where(np.arange(1_000) % 2, 0.8, 0.9)
    mine = history(cache_hits=ratio * lookups, cache_misses=(1 - ratio) * lookups, requests=np.zeros(1_000))
    found = hit_ratio_from(mine, "web", protects="database")
    assert found.hit_ratio == pytest.approx(0.85)
    assert 0.8 < found.interval[0] <= found.interval[1] < 0.9
    assert [finding.check for finding in found.findings] == ["lookups"]  # requests that are all 0 tell nothing


def test_what_cannot_be_of_a_cdn_is_refused_in_words() -> None:
    edge = edge_of(400, np.random.default_rng(3))
    mine = history(cdn_requests=edge, requests=0.2 * edge)
    with pytest.raises(HistoryError, match=r"80\.0 % of the requests .* only 50\.0 % of them are said to be cacheable"):
        hit_ratio_from(mine, "web", cacheable=0.5)
    with pytest.raises(InputError, match="protects 'databse'"):
        hit_ratio_from(mine, "web", protects="databse")  # type: ignore[arg-type]
    with pytest.raises(HistoryError, match="nobody asked its CDN in 400 intervals"):
        hit_ratio_from(history(cdn_requests=np.zeros(400), requests=edge), "web")


def test_what_is_missing_is_named_with_what_brings_it() -> None:
    with pytest.raises(HistoryError, match=r"\[\[cloudwatch.distribution\]\]"):
        hit_ratio_from(history(requests=np.ones(300)), "web")
    with pytest.raises(HistoryError, match=r"\[\[cloudwatch.cache\]\]"):
        hit_ratio_from(history(requests=np.ones(300)), "web", protects="database")
    with pytest.raises(HistoryTooShort, match="200 are needed"):
        hit_ratio_from(history(cdn_requests=np.ones(50), requests=np.ones(300)), "web")
    with pytest.raises(HistoryError, match="no service 'wbe'"):
        hit_ratio_from(history(requests=np.ones(300)), "wbe")
