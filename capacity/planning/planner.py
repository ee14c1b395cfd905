"""The planner: demand paths -> tasks, limits, cost and decisions, read from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.blocks import blocks
from capacity.config import Account, Budget, Config, Goal, PriceSettings, Rate, Service
from capacity.errors import PlanError
from capacity.findings import Finding, Findings
from capacity.forecasting.fleets import each_done, shared_by, workers_for
from capacity.forecasting.forecasts import Forecast
from capacity.planning.cost import cost_rows, following_hours, spot_hours, usd_of
from capacity.planning.decisions import decide, fix_data, most_urgent_first
from capacity.planning.evidence import Evidence
from capacity.planning.known_capacity import capacity_findings
from capacity.planning.limits import limits_frame, service_limits
from capacity.planning.limits.asking import asking
from capacity.planning.limits.together import Together
from capacity.planning.limits.weighed import Weighed
from capacity.planning.matching import Asked, Match, Peaks, asked, match
from capacity.planning.memory import is_unknown, memory_findings, memory_per_task, of_full_task, unknown_memory
from capacity.planning.needs import asks_for_most, fractional_tasks, most_needed
from capacity.planning.peaks import Peak
from capacity.planning.per_task import carried_shares
from capacity.planning.plans import Decision, Plan
from capacity.planning.prices import price_findings
from capacity.planning.settings import settings_findings
from capacity.planning.sizing.shortage import goal_for, shortage_findings
from capacity.planning.steps import climb, last_raised, ready_before, tracked_share, within_bounds
from capacity.schema import PLAN

_SECOND: Final = pd.Timedelta(seconds=1)
_HOUR: Final = pd.Timedelta(hours=1)


def plan(
    forecast: Forecast,
    service: Service | Iterable[Service] | Config,
    *,
    goal: Goal | None = None,
    prices: PriceSettings | Rate | Iterable[Rate] | None = None,
    accounts: Account | Iterable[Account] = (),
    peaks: Peaks | None = None,
    budgets: Budget | Iterable[Budget] = (),
) -> Plan:
    """Tasks for every service and interval, when limits are reached, what it costs, and what to decide.

    forecast  paths of requests/s, vCPU or GiB; the counts hold for the largest need inside each interval
    service   one Service, several, or a Config, which then also brings goal, prices and accounts where not given;
              one Service with a forecast of one service's series needs no matching name
    goal      how sure, and what to survive; Goal() when not given
    prices    PriceSettings, or one or several Rate that replace the built-in, dated price of their region
    accounts  quotas and subnets, one Account or several, one a region
    peaks     how needs inside an interval follow from its mean; `forecasting.within_interval_peaks` when not given;
              not asked for services of tier "batch", whose work waits
    budgets   what may be spent in a calendar month: those that the paths may pass are decisions

    Findings of the forecast come along; data that failed is planned, and said to have failed. What cannot be planned
    is listed as a finding. Raises ConfigError for services that cannot be told apart, GoalUnreachable or PlanError
    when nothing is left to plan. Counts, dates and money are computed path by path: same input, same plan.

    >>> from capacity.forecasting import forecast
    >>> steady = pd.Series(100.0, index=pd.date_range("2026-01-05", periods=336, freq="h"))
    >>> web = Service(name="web", requests_per_second_per_task=50, request_target=0.8, zones=3)
    >>> plan(forecast(steady, 24), web).frame[["for_load", "for_zone_loss", "tasks"]].iloc[0].tolist()
    [3, 5, 5]
    """
    return planned(forecast, asked(service, goal, prices, accounts, peaks, budgets))


def planned(forecast: Forecast, ask: Asked) -> Plan:
    """The plan of what was asked: what `plan` answers, and what a scenario asks again with something changed."""
    matches, unplanned = match(forecast, ask.services, ask.alone)
    known = _known(forecast, matches)
    together = Together(ask, [found.service for found in matches], forecast.times)
    peaks = peaks_of(ask)

    def part(found: Match) -> tuple[Planned, np.ndarray, np.ndarray | None]:
        rate = ask.prices.of(found.service)
        evidence = weigh(forecast, found, goal_for(ask.goal, found.service, rate), rate, known, peaks, ask.drawn)
        return plan_service(evidence), evidence.counts, evidence.requests

    parts = []
    with shared_by(workers_for(None, len(matches))):
        for one, counts, requests in each_done(part, matches):
            parts.append(one)
            together.add(one.service, counts, requests)
    shared = together.result()
    weighed = [*(limit for one in parts for limit in one.limits), *shared.weighed]
    memory = unknown_memory([one.service.name for one in parts if one.memory_unknown])
    findings = Findings.of(known, unplanned, shared.findings, memory, *(one.findings for one in parts))
    asked_for = (asking(limit, forecast.times) for limit in shared.weighed)
    decisions = [decision for decision in asked_for if decision is not None]
    decisions += [decision for one in parts for decision in one.decisions]
    decisions += fix_data(findings, {service.name: service.owner for service in ask.services})
    made = Plan(
        frame=_concat([one.frame for one in parts], [one.service.name for one in parts], forecast.times),
        limits=limits_frame([limit.row for limit in weighed]),
        cost=pd.concat([one.cost for one in parts], ignore_index=True),
        decisions=most_urgent_first(decisions, {one.name: one.tier for one in ask.services}, forecast.times[0]),
        services=tuple(one.service for one in parts),
        goal=ask.goal,
        rates=tuple(dict.fromkeys(one.rate for one in parts if one.rate is not None)),
        accounts=ask.accounts,
        forecast=forecast,
        needs={one.service.name: one.need for one in parts},
        peaks={one.service.name: one.peak for one in parts},
        findings=findings,
        path_usd={one.service.name: one.path_usd for one in parts},
        asked=ask,
        passed={limit.key: limit.passed for limit in weighed},
    )
    return _with_budgets(made) if ask.budgets else made


def _with_budgets(made: Plan) -> Plan:
    """The plan with what its budgets ask to be decided."""
    from capacity.planning.money.budgets import budgets

    found = budgets(made)
    tiers: dict[str, str] = {service.name: service.tier for service in made.services}
    decisions = most_urgent_first([*made.decisions, *found.decisions], tiers, made.forecast.times[0])
    return replace(made, decisions=decisions, findings=Findings.of(made.findings, found.findings))


def weigh(
    forecast: Forecast,
    found: Match,
    goal: Goal,
    rate: Rate | None,
    known: Findings,
    peaks: Peaks,
    drawn: Peaks | None = None,
) -> Evidence:
    """Everything the decisions about one service rest on, computed path by path."""
    service, about = found.service, forecast.select(found.keys)
    inside = about.paths if service.tier == "batch" else _checked(peaks(about), about)  # queued work waits minutes
    demand = dict(zip((key.metric for key in found.keys), inside, strict=True))
    order = demand if drawn is None else dict(zip(demand, drawn(about), strict=True))
    shares = carried_shares(service, order["requests"]) if "requests" in demand else None
    needs = fractional_tasks(service, demand, shares)  # resource -> (P, H)
    need = most_needed(needs)
    ready = ready_before(need, service.startup_seconds, about.interval / _SECOND)
    counts = _counts(need, ready, service, goal)
    quantiles = {resource: _at(paths, goal.level) for resource, paths in needs.items()}
    need_at = _at(need, goal.level) if len(needs) > 1 else next(iter(quantiles.values()))
    steps = climb(need_at, _at(ready, goal.level), service, goal)
    seconds = {"startup_seconds": service.startup_seconds, "interval_seconds": about.interval / _SECOND}
    return Evidence(
        service=service,
        goal=goal,
        rate=rate,
        times=about.times,
        interval_hours=about.interval / _HOUR,
        need=need,
        tracked=need / need.dtype.type(tracked_share(service, goal)),
        counts=counts,
        requests=demand.get("requests"),
        need_at=need_at,
        steps=steps,
        load_bound_by=asks_for_most(quantiles),
        weighed={one.ceiling.limit: one for one in service_limits(service, counts, about.times, goal.level)},
        capped=_capped(about, list(needs)),
        peak=Peak.of(demand, shares, steps, need_at, about.times, level=goal.level, **seconds),
        measured_memory=None if service.memory_scales_with_load else memory_per_task(service, about.past, found.name),
        full_memory=of_full_task(service),
        failed=any(finding.status == "FAIL" and finding.service in ("", service.name) for finding in known),
    )


@dataclass(frozen=True, eq=False)
class Planned:
    """One service's part of the plan."""

    service: Service
    rate: Rate | None
    frame: dict[str, np.ndarray]  # columns of schema.PLAN, (H,) each, without service and timestamp
    limits: list[Weighed]
    cost: pd.DataFrame
    need: np.ndarray  # (P, H) float32
    peak: Peak
    path_usd: np.ndarray  # (P,)
    decisions: list[Decision]
    findings: list[Finding]
    memory_unknown: bool


def plan_service(about: Evidence) -> Planned:
    """Counts, money, decisions and findings of one service."""
    service, steps = about.service, about.steps
    tasks, short = within_bounds(steps.zone_loss, service.min_tasks, service.max_tasks)
    hours = following_hours(about.tracked, service.min_tasks, service.max_tasks, about.interval_hours)  # (P,)
    on_spot = spot_hours(about.tracked, service, about.interval_hours) if service.spot_share else np.zeros_like(hours)
    spot_of_plan = np.maximum(tasks - service.on_demand_base, 0).sum() * service.spot_share * about.interval_hours
    findings = settings_findings(service, about.goal, tasks)
    findings += capacity_findings(service, about.times[0], "cpu" in about.peak.demand)
    findings += price_findings(service, about.rate, about.times[0])
    findings += shortage_findings(about.goal, service, about.rate, len(about.need))
    findings += memory_findings(service, about.measured_memory, about.full_memory)
    return Planned(
        service=service,
        rate=about.rate,
        frame={
            "need": about.need_at,
            "for_load": steps.load,
            "for_startup": steps.startup,
            "for_deployment": steps.deployment,
            "for_zone_loss": steps.zone_loss,
            "tasks": tasks,
            "short": short,
            "load_bound_by": about.load_bound_by,
            "bound_by": last_raised(steps, service.min_tasks, service.max_tasks),
        },
        limits=list(about.weighed.values()),
        cost=cost_rows(
            service, about.rate, hours, float(tasks.sum() * about.interval_hours), on_spot, float(spot_of_plan)
        ),
        need=about.need.astype(np.float32, copy=False),
        peak=about.peak,
        path_usd=usd_of(service, about.rate, hours, on_spot),
        decisions=decide(about),
        findings=findings,
        memory_unknown=is_unknown(service, about.memory),
    )


def path_counts(need: np.ndarray, service: Service, goal: Goal, interval: pd.Timedelta) -> np.ndarray:
    """(P, H) whole tasks after every headroom step, for each path by itself, not clipped to the service's bounds."""
    return _counts(need, ready_before(need, service.startup_seconds, interval / _SECOND), service, goal)


def _counts(need: np.ndarray, ready: np.ndarray, service: Service, goal: Goal) -> np.ndarray:
    counts = np.empty(need.shape, dtype=np.int64)
    for some in blocks(len(need)):
        counts[some] = climb(need[some], ready[some], service, goal).zone_loss
    return counts


def _at(paths: np.ndarray, level: float) -> np.ndarray:
    """Quantile over the paths of (P, H): to the byte what `np.quantile` gives of all, which sorts more slowly."""
    place = (len(paths) - 1) * level
    below = int(place)
    neighbours = np.sort(paths, axis=0)[below : below + 2]
    return np.asarray(np.quantile(neighbours, place - below, axis=0), dtype=float)


def peaks_of(ask: Asked) -> Peaks:
    """How needs inside an interval follow from its mean, as asked; `within_interval_peaks` when nothing was said."""
    from capacity.forecasting import within_interval_peaks

    return within_interval_peaks if ask.peaks is None else ask.peaks


def _checked(peaks: np.ndarray, forecast: Forecast) -> np.ndarray:
    if np.shape(peaks) != forecast.paths.shape:
        raise PlanError(f"peaks have shape {np.shape(peaks)}, the forecast's paths {forecast.paths.shape}")
    return np.asarray(peaks)


def _known(forecast: Forecast, matches: list[Match]) -> Findings:
    """The findings of the forecast and of what it was made from, under the names of the services they plan."""
    names = {found.name: found.service.name for found in matches}
    everything = (*forecast.past.findings, *forecast.findings)
    return Findings.of(replace(f, service=names.get(f.service, f.service)) for f in everything)


def _capped(forecast: Forecast, metrics: list[str]) -> float:
    """Share of the last week's known intervals in which the demand that is planned was censored."""
    week = forecast.past.select([key for key in forecast.keys if key.metric in metrics])
    week = week.since(forecast.cutoff - pd.Timedelta(days=7))
    known = np.isfinite(week.values).any(axis=0)
    return float((week.censored.any(axis=0) & known).sum() / max(known.sum(), 1))


def _concat(frames: list[dict[str, np.ndarray]], services: list[str], times: pd.DatetimeIndex) -> pd.DataFrame:
    """`schema.PLAN`, one block a service."""
    columns: dict[str, Any] = {
        "service": np.repeat(np.array(services, dtype=object), len(times)),
        "timestamp": times[np.tile(np.arange(len(times)), len(frames))].as_unit("us"),
        **{name: np.concatenate([frame[name] for frame in frames]) for name in frames[0]},
    }
    return pd.DataFrame(columns, columns=PLAN.names)
