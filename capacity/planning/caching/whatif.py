"""What the origin behind a cache has to carry when the cache does worse: requests, vCPU, tasks, dates and money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from capacity.config import Goal, PriceSettings, Rate, Service
from capacity.demand.demand import Key
from capacity.errors import InputError
from capacity.findings import Finding, Findings
from capacity.forecasting.forecasts import Forecast
from capacity.planning.caching.answer import CacheWhatIf
from capacity.planning.caching.caches import hit_ratio
from capacity.planning.caching.knowing import FAR, Caching, in_percent
from capacity.planning.caching.scenarios import Outcome, Question, outcomes
from capacity.planning.cost import following_hours
from capacity.planning.limits import Passage, passage
from capacity.planning.matching import Peaks
from capacity.planning.planner import path_counts, plan
from capacity.planning.plans import Plan
from capacity.planning.prices import HOURS_PER_MONTH, usd_per_hour
from capacity.planning.steps import climb, ready_before, tracked_share
from capacity.schema import CACHE_WHAT_IF

#: Quantiles over the futures that `low` and `high` of loads and tasks are: a central 90 %.
_BAND: Final = (0.05, 0.95)
#: Quantiles of the hit ratio's own interval.
_HITS: Final = (0.025, 0.5, 0.975)
#: Hit ratios of the curve, one a point.
_CURVE: Final = np.arange(100) / 100


def what_if(
    plan_or_forecast: Plan | Forecast,
    service: Service | str,
    caching: Caching,
    *,
    scenarios: Iterable[str] | None = None,
    newly_cacheable: float | None = None,
    random_query: float | None = None,
    miss_cost: float = 1.0,
    limit: float | None = None,
    goal: Goal | None = None,
    prices: PriceSettings | Rate | Iterable[Rate] | None = None,
    peaks: Peaks | None = None,
    seed: int = 0,
) -> CacheWhatIf:
    """Origin load and tasks when a cache does worse, better, or not at all.

    plan_or_forecast  of a forecast, a plan is made first, with `goal`, `prices` and `peaks` as `plan` takes them
    service           which; a name where a plan is given
    caching           the cache today
    scenarios         names out of `SCENARIOS`; None: all that can be answered
    newly_cacheable   share of all requests of an endpoint that would be made cacheable
    random_query      share of the cacheable requests that a campaign gives an address of its own, each
    miss_cost         work of a request that the cache answers today, over that of the mean request that reaches the
                      service: 0.2 for files, 3 for pages that are expensive to make
    limit             what the database carries, in queries/s, for a cache that protects one

    Demand was measured behind the cache, so today's requests to the cache are demand / (1 - h q), and a scenario's load
    is demand x (1 - h' q') / (1 - h q): the hit ratio is drawn from its interval on every path, high and low alike for
    high and low peaks, and counts, dates and money follow path by path, through the planner's own steps. The answer is
    for the busiest moment of the horizon.
    Raises InputError for a cache of a database without a forecast of requests.
    """
    whole = _planned(plan_or_forecast, service, goal, prices, peaks)
    chosen = whole.service_named(service if isinstance(service, str) else service.name)
    if not 0 <= miss_cost < np.inf:
        raise InputError(f"miss_cost {miss_cost:g} has to be finite and not negative")
    load = _load(whole, chosen, caching, peaks)
    hits = np.empty(len(load.need))
    hits[np.lexsort((load.need.sum(axis=1), load.need.max(axis=1)))] = caching.draws(len(load.need), seed)
    rate = _peak_rate(load, caching, hits)
    found, missing = outcomes(Question(caching, hits, rate, newly_cacheable, random_query), scenarios)
    today = found[0].passes
    most = limit if caching.protects == "database" else chosen.max_tasks
    rows = [_row(outcome, today, load, whole, chosen, caching, most, miss_cost) for outcome in found]
    frame = pd.DataFrame(rows, columns=CACHE_WHAT_IF.names)
    frame["standby_usd_per_month"] -= frame["usd_per_month"].iloc[0]
    findings = [replace(finding, service=chosen.name) for finding in (*missing, *caching.findings)]
    if caching.low is None:
        findings.append(_exact(chosen.name))
    findings += _unlike(chosen.name, caching, rate)
    return CacheWhatIf(
        frame=frame.assign(reached=pd.to_datetime(frame["reached"], utc=True).astype("datetime64[us, UTC]")),
        curve=_curve(load, whole, chosen, caching, hits, miss_cost),
        service=chosen,
        caching=caching,
        goal=whole.goal_of(chosen.name),
        limit=np.nan if most is None else float(most),
        peak=load.peak,
        findings=Findings.of(findings),
    )


@dataclass(frozen=True, eq=False)
class _Load:
    """Demand of the service today, path by path.

    need      (P, H) fractional tasks            ready  (P, H) of them, started early enough
    requests  (P, H) requests/s that reach the service; None without a forecast of them
    cpu       (P, H) vCPU; None likewise
    """

    need: np.ndarray
    ready: np.ndarray
    requests: np.ndarray | None
    cpu: np.ndarray | None
    peak: pd.Timestamp


def _planned(
    given: Plan | Forecast,
    service: Service | str,
    goal: Goal | None,
    prices: PriceSettings | Rate | Iterable[Rate] | None,
    peaks: Peaks | None,
) -> Plan:
    if isinstance(given, Plan):
        return given
    if isinstance(service, str):
        raise InputError(f"a forecast does not know the service {service!r}", advice="Pass a Service, or a plan.")
    return plan(given, service, goal=goal, prices=prices, peaks=peaks)


def _load(whole: Plan, service: Service, caching: Caching, peaks: Peaks | None) -> _Load:
    from capacity.forecasting import within_interval_peaks

    forecast, need = whole.forecast, whole.needs[service.name]
    known = {key.service for key in forecast.keys}
    name = service.name if service.name in known or len(known) > 1 else next(iter(known))
    keys = [key for key in (Key(name, "requests"), Key(name, "cpu")) if key in forecast.keys]
    if caching.protects == "database" and Key(name, "requests") not in keys:
        raise InputError(
            f"{service.name}: queries of its database follow from requests, which are not forecast",
            advice="Forecast requests, with the history of its load balancer.",
        )
    about = forecast.select(keys)
    inside = about.paths if service.tier == "batch" else (peaks or within_interval_peaks)(about)
    series = {key.metric: paths for key, paths in zip(keys, inside, strict=True)}
    at_level = np.quantile(need, whole.goal_of(service.name).level, axis=0)
    return _Load(
        need=need,
        ready=ready_before(need, service.startup_seconds, forecast.interval / pd.Timedelta(seconds=1)),
        requests=series.get("requests"),
        cpu=series.get("cpu"),
        peak=forecast.times[int(np.argmax(at_level))],
    )


def _peak_rate(load: _Load, caching: Caching, hits: np.ndarray) -> float:
    """Cacheable requests/s at the cache at the peak: of half of the futures. NaN where nobody knows."""
    if load.requests is None:
        return np.nan if caching.rate is None else caching.rate
    requests = load.requests.max(axis=1)
    if caching.protects == "service":
        requests = requests / (1 - hits * caching.cacheable)
    return float(np.median(requests)) * caching.lookups_per_request * caching.cacheable


def _row(
    outcome: Outcome,
    today: np.ndarray,
    load: _Load,
    whole: Plan,
    service: Service,
    caching: Caching,
    limit: float | None,
    miss_cost: float,
) -> dict[str, object]:
    """One row of `schema.CACHE_WHAT_IF`."""
    times = outcome.passes / today  # (P,)
    level = whole.goal_of(service.name).level
    database = caching.protects == "database"
    row: dict[str, object] = {
        "service": service.name,
        "scenario": outcome.name,
        **dict(zip(("hit_low", "hit_ratio", "hit_high"), np.quantile(outcome.hits, _HITS), strict=True)),
        "cacheable": outcome.cacheable,
        "times": float(np.median(times)),
        "refill_seconds": outcome.refill_seconds,
        "note": outcome.note,
    }
    origin = _origin(load, caching, today, outcome.passes)
    if origin is not None:
        row |= _spread("origin", origin.max(axis=1), level, "origin_per_s")
    if database:
        found = None if limit is None or origin is None else passage(origin, limit, level)
        return row | _reached(found, whole.forecast.times)
    work = _work(times, miss_cost)
    if load.cpu is not None:
        row["vcpu"] = float(np.quantile(load.cpu.max(axis=1) * work, level))
    need = load.need * work.astype(load.need.dtype)[:, None]
    counts = np.maximum(
        path_counts(need, service, whole.goal_of(service.name), whole.forecast.interval), service.min_tasks
    )
    tasks = _spread("tasks", counts.max(axis=1), level, "tasks", whole=True)
    row |= tasks
    row |= _reached(passage(counts, service.max_tasks, level), whole.forecast.times)
    hourly = _usd_per_hour(whole, service)
    row["standby_usd_per_month"] = tasks["tasks"] * hourly * HOURS_PER_MONTH
    if outcome.lasting:
        row["usd_per_month"] = _monthly_hours(need, whole, service) * hourly
    return row


def _origin(load: _Load, caching: Caching, today: np.ndarray, passes: np.ndarray) -> np.ndarray | None:
    """(P, H) requests/s at the service, or queries/s at the database."""
    if load.requests is None:
        return None
    each = passes * caching.lookups_per_request if caching.protects == "database" else passes / today
    return np.asarray(load.requests * each[:, None])


def _work(times: np.ndarray, miss_cost: float) -> np.ndarray:
    """(P,) times today's work, when requests that come on top (or stay away) weigh `miss_cost` of the mean one."""
    return np.maximum(1 + (times - 1) * miss_cost, 0.0)


def _spread(name: str, peaks: np.ndarray, level: float, at: str, whole: bool = False) -> dict[str, float]:
    low, high, wanted = np.quantile(peaks, (*_BAND, level))
    found = {f"{name}_low": float(low), f"{name}_high": float(high), at: float(wanted)}
    return {key: float(np.ceil(value)) for key, value in found.items()} if whole else found


def _reached(found: Passage | None, times: pd.DatetimeIndex) -> dict[str, object]:
    if found is None:
        return {"reached": pd.NaT}
    return {"exceeded": found.probability, "reached": pd.NaT if found.first is None else times[found.first]}


def _usd_per_hour(whole: Plan, service: Service) -> float:
    """Of one running task; NaN without a price."""
    for rate in whole.rates:
        if service.launch_type == "FARGATE" and (rate.region, rate.architecture) == (
            service.region,
            service.architecture,
        ):
            return usd_per_hour(service, rate)
    return np.nan


def _monthly_hours(need: np.ndarray, whole: Plan, service: Service) -> float:
    """Task-hours of 730 h, tasks following the load within the service's bounds: mean over the paths."""
    hours = whole.forecast.interval / pd.Timedelta(hours=1)
    tracked = need / need.dtype.type(tracked_share(service, whole.goal_of(service.name)))
    spent = following_hours(tracked, service.min_tasks, service.max_tasks, hours)
    return float(spent.mean()) * HOURS_PER_MONTH / (need.shape[1] * hours)


def _curve(
    load: _Load, whole: Plan, service: Service, caching: Caching, hits: np.ndarray, miss_cost: float
) -> pd.DataFrame:
    """The busiest moment by hit ratio. A path's largest count is that of its largest need: every step only climbs."""
    today = 1 - hits * caching.cacheable
    need, ready = load.need.max(axis=1), load.ready.max(axis=1)
    rows = []
    for ratio in np.unique(np.append(_CURVE, caching.hit_ratio)):
        passes = np.full_like(today, 1 - ratio * caching.cacheable)
        row = {"hit_ratio": float(ratio)}
        origin = _origin(load, caching, today, passes)
        if origin is not None:
            row |= _spread("origin", origin.max(axis=1), whole.goal_of(service.name).level, "origin_per_s")
        if caching.protects == "service":
            work = _work(passes / today, miss_cost).astype(need.dtype)
            counts = np.maximum(climb(need * work, ready * work, service, whole.goal).zone_loss, service.min_tasks)
            row |= _spread("tasks", counts, whole.goal_of(service.name).level, "tasks", whole=True)
        rows.append(row)
    columns = ["hit_ratio", "origin_low", "origin_per_s", "origin_high", "tasks_low", "tasks", "tasks_high"]
    return pd.DataFrame(rows).reindex(columns=columns)


def _unlike(service: str, caching: Caching, rate: float) -> list[Finding]:
    """Whether the model of the cache, at the load of the peak, agrees with its hit ratio."""
    if caching.popularity is None or caching.cache is None or not rate > 0:
        return []
    modelled = hit_ratio(caching.cache, caching.popularity.probabilities * rate)
    low, high = caching.interval
    if low - FAR <= modelled <= high + FAR:
        return []
    return [
        Finding(
            *(service, "cache_hit_ratio", "model", "REVIEW"),
            f"At the {rate:,.4g} cacheable requests/s of the peak the model's hit ratio is {in_percent(modelled)}, not "
            f"{in_percent(caching.hit_ratio)}: what a change of it or a purge would do is less sure than it looks.",
            "Are its TTL or size, the count of edges and the keys those of this cache?",
        )
    ]


def _exact(service: str) -> Finding:
    return Finding(
        *(service, "cache_hit_ratio", "interval", "REVIEW"),
        "The hit ratio was stated without an interval, and is taken as exact.",
        "State how sure it is (low, high), or measure it: the nearer it is to 1, the more a point matters.",
    )
