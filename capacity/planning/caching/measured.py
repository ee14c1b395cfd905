"""The hit ratio from telemetry: requests before the cache against requests behind it, minute by minute."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from capacity.errors import HistoryError, HistoryTooShort, InputError
from capacity.findings import Finding, Findings
from capacity.history import History
from capacity.planning.caching.knowing import Caching, Protects, ends, in_percent
from capacity.planning.caching.passing import BLOCKS, T95, Passing, jackknife_error, passing

#: Intervals that both sides need in common: a day of minutes, or the working days of two weeks of hours.
FEWEST: Final = 200
#: Minutes by which the two sides may be told apart: each stamps a request when it has answered it.
_LAGS: Final = 2
#: Share of the service's requests that do not follow the CDN's, from which they are worth a word.
_DIRECT: Final = 0.02


def hit_ratio_from(
    history: History,
    service: str,
    *,
    protects: Protects = "service",
    cacheable: float | None = None,
    nodes: int | None = None,
) -> Caching:
    """How well the cache of a service works, from its history.

    protects   "service": a CDN, from `cdn_requests` and `requests` (and `cache_hit_ratio`, where there is one);
               "database": a data cache, from `cache_hits` and `cache_misses`, and lookups per request from `requests`
    cacheable  share of the CDN's requests that may be cached, if known; else it follows from the two
    nodes      of a data cache

    A CDN's own CacheHitRate is a share of the *cacheable* requests (POST, PUT and errors are not among them), so that
    the origin gets more than Requests x (1 - CacheHitRate). What goes through is therefore read from both sides of the
    cache on the same minutes, by robust regression at its busy hours; what CacheHitRate adds is how much of the rest
    could have been cached. Without the CDN's requests only CacheHitRate is left, and a finding says what that leaves
    open.

    Raises HistoryError where nothing of this is known or it contradicts `cacheable`, HistoryTooShort with fewer than
    `FEWEST` intervals in common.
    """
    if protects not in ("service", "database"):
        raise InputError(f"protects {protects!r}: a cache protects a 'service' or a 'database'")
    there = history.metrics(service)
    if protects == "database":
        return _of_lookups(history, service, there, nodes)
    if {"cdn_requests", "requests"} <= set(there):
        return _of_both_sides(history, service, "cache_hit_ratio" in there, cacheable)
    if "cache_hit_ratio" in there:
        return _of_ratio_alone(history, service, cacheable)
    raise HistoryError(
        f"{service} has neither cdn_requests beside requests nor cache_hit_ratio; there is: {', '.join(there)}. Name "
        "its CloudFront distribution in [[cloudwatch.distribution]] and fetch again, or state the hit ratio."
    )


def _of_both_sides(history: History, service: str, with_ratio: bool, cacheable: float | None) -> Caching:
    table, seconds = _paired(history, service, ("cdn_requests", "requests"))
    before, behind = table["cdn_requests"].to_numpy(), _aligned(table["cdn_requests"], table["requests"], seconds)
    if not before.any():
        raise HistoryError(f"{service}: nobody asked its CDN in {len(table):,} intervals, so there is no hit ratio.")
    found = passing(before, behind)
    if found.share >= 1 or found.share <= 0:
        raise HistoryError(
            f"{service}: for each request at its CDN, {found.share:.3g} reach its load balancer, so the one is not in "
            "front of the other. Is it the right distribution, and does it serve this service alone?"
        )
    answered = tuple(1 - share for share in (found.high, found.share, found.low))
    evidence = [
        f"{found.intervals:,} intervals of {seconds} s with requests at the CDN and at the load balancer: "
        f"{in_percent(answered[1])} ({in_percent(answered[0])} to {in_percent(answered[2])}) never reach the service."
    ]
    findings = _direct(service, found, float(np.nanmean(behind)))
    share = cacheable
    if share is not None and share <= answered[0]:
        raise HistoryError(
            f"{service}: {in_percent(answered[1])} of the requests at its CDN never reach the service, and only "
            f"{in_percent(share)} of them are said to be cacheable. Leave cacheable out, or state more of it."
        )
    if with_ratio and cacheable is None:
        ratio = _mean_ratio(history, service)
        share = min(answered[1] / ratio, 1.0) if ratio > 0 else None
        if share is not None:
            evidence.append(f"Its CacheHitRate is {in_percent(ratio)}, so {100 * share:.0f} % may be cached.")
            findings += _too_low(service, ratio, answered)
    if share is None:
        findings.append(_not_told_apart(service))
        share = 1.0
    low, point, high = (part / share for part in answered)
    return Caching(
        *ends(point, low, high),
        cacheable=share,
        method="measured",
        evidence=tuple(evidence),
        findings=Findings.of(findings),
    )


def _of_ratio_alone(history: History, service: str, cacheable: float | None) -> Caching:
    series = history.joined(service, "cache_hit_ratio").dropna() / 100
    _enough(service, "cache_hit_ratio", len(series))
    low, point, high = _block_mean(series.to_numpy(), np.ones(len(series)))
    finding = Finding(
        *(service, "cache_hit_ratio", "base", "REVIEW"),
        "Only the cache's own hit ratio is known, of the requests that may be cached: POST, PUT and errors are not "
        f"among them, so that the service gets more than {in_percent(1 - point)} of all requests.",
        "Fetch cdn_requests too, or state which share of requests may be cached (cacheable).",
    )
    return Caching(
        *ends(point, low, high),
        cacheable=1.0 if cacheable is None else cacheable,
        method="measured",
        evidence=(f"{len(series):,} intervals of cache_hit_ratio, each weighing the same: requests are not known.",),
        findings=Findings.of([finding] if cacheable is None else []),
    )


def _of_lookups(history: History, service: str, there: list[str], nodes: int | None) -> Caching:
    if not {"cache_hits", "cache_misses"} <= set(there):
        raise HistoryError(
            f"{service} has no cache_hits and cache_misses; there is: {', '.join(there)}. Name its ElastiCache nodes "
            "in [[cloudwatch.cache]] and fetch again, or state the hit ratio."
        )
    table, seconds = _paired(history, service, ("cache_hits", "cache_misses"))
    hits, misses = (table[name].to_numpy() for name in ("cache_hits", "cache_misses"))
    lookups = hits + misses
    if not lookups.any():
        raise HistoryError(f"{service}: nobody asked its cache in {len(table):,} intervals, so there is no hit ratio.")
    asked = lookups > 0  # idle intervals tell nothing, and parts of the time that are all idle have no ratio
    low, point, high = _block_mean(hits[asked] / lookups[asked], lookups[asked])
    evidence = [f"{len(table):,} intervals of {seconds} s with {lookups.mean():,.4g} lookups/s on average."]
    each, findings = 1.0, []
    beside = _paired(history, service, ("cache_hits", "cache_misses", "requests"))[0] if "requests" in there else None
    total = None if beside is None else beside.sum()
    if total is not None and total["requests"] > 0 and total["cache_hits"] + total["cache_misses"] > 0:
        each = float((total["cache_hits"] + total["cache_misses"]) / total["requests"])
        evidence.append(f"{each:.3g} lookups a request that reaches the service.")
    else:
        findings.append(
            Finding(
                *(service, "requests", "lookups", "REVIEW"),
                "Requests to the service are not known, so a request is taken to ask the cache once.",
                "Fetch the load balancer's requests, too.",
            )
        )
    return Caching(
        *ends(point, low, high),
        protects="database",
        lookups_per_request=each,
        nodes=nodes,
        method="measured",
        evidence=tuple(evidence),
        findings=Findings.of(findings),
    )


def _block_mean(values: np.ndarray, weights: np.ndarray) -> tuple[float, float, float]:
    """Weighted mean with its 95 % interval: jackknife over whole parts of the time."""
    starts = np.linspace(0, len(values), BLOCKS + 1).astype(int)[:-1]
    top, bottom = np.add.reduceat(values * weights, starts), np.add.reduceat(weights, starts)
    mean = float(top.sum() / bottom.sum())
    spread = T95 * jackknife_error((top.sum() - top) / (bottom.sum() - bottom), mean)
    return mean - spread, mean, mean + spread


def _mean_ratio(history: History, service: str) -> float:
    """CacheHitRate weighted by requests, where both are known; 0 to 1."""
    table, _ = _paired(history, service, ("cache_hit_ratio", "cdn_requests"))
    weights = table["cdn_requests"].to_numpy()
    return float(table["cache_hit_ratio"].to_numpy() @ weights / weights.sum() / 100)


def _paired(history: History, service: str, metrics: tuple[str, ...]) -> tuple[pd.DataFrame, int]:
    """Means of these metrics on the same intervals, gaps left out: at the interval that knows most of them together."""
    common = set.intersection(*({*history.intervals(service, metric)} for metric in metrics))
    best, length = pd.DataFrame(), pd.Timedelta(0)
    for interval in sorted(common):
        columns = {metric: history.series(service, metric, interval=interval) for metric in metrics}
        table = pd.DataFrame(columns).dropna()
        if len(table) > len(best):
            best, length = table, interval
    _enough(service, " and ".join(metrics), len(best))
    return best, round(length.total_seconds())


def _enough(service: str, what: str, have: int) -> None:
    if have < FEWEST:
        advice = "Fetch both for the same days."
        raise HistoryTooShort(f"{service} {what}", have=have, need=FEWEST, unit="common intervals", advice=advice)


def _aligned(before: pd.Series, behind: pd.Series, seconds: int) -> np.ndarray:
    """Requests behind the cache, shifted to the minute at which they agree best with those before it."""
    if seconds > 60:
        return behind.to_numpy()
    moved = {lag: behind.shift(lag, freq=f"{seconds}s").reindex(before.index) for lag in range(-_LAGS, _LAGS + 1)}
    changes = before.diff()
    likeness = {lag: changes.corr(values.diff()) for lag, values in moved.items()}
    known = {lag: value for lag, value in likeness.items() if np.isfinite(value)}
    best = max(known, key=lambda lag: (known[lag], -abs(lag)), default=0)
    return moved[best].to_numpy()


def _direct(service: str, found: Passing, behind: float) -> list[Finding]:
    if found.level < _DIRECT * behind:
        return []
    return [
        Finding(
            *(service, "requests", "direct", "REVIEW"),
            f"About {found.level:,.3g} requests/s of the service, {100 * found.level / behind:.0f} %, do not follow "
            "those at the CDN: they pass it by, or it answers a larger share the busier it is, as it does by TTL.",
            "If they pass it by, an outage of the CDN brings a little less than the what-if says.",
        )
    ]


def _too_low(service: str, ratio: float, answered: tuple[float, ...]) -> list[Finding]:
    if ratio >= answered[0]:
        return []
    return [
        Finding(
            *(service, "cache_hit_ratio", "base", "REVIEW"),
            f"Its CacheHitRate of {in_percent(ratio)} is below the {in_percent(answered[1])} of requests that never "
            "reach the service, which cannot be of a cache alone.",
            "Are requests answered elsewhere (redirects or functions at the edge, another origin, a firewall)?",
        )
    ]


def _not_told_apart(service: str) -> Finding:
    return Finding(
        *(service, "cache_hit_ratio", "base", "REVIEW"),
        "How many of the requests may be cached is not known: the hit ratio is that of all of them.",
        "Switch on CloudFront's additional metrics (CacheHitRate), or state which share may be cached (cacheable).",
    )
