"""From a plan to its snapshot: what is kept, how finely, and what could not be."""

from __future__ import annotations

import platform
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity._version import __version__
from capacity.config import Config, ForecastSettings, PriceSettings
from capacity.demand import Demand
from capacity.demand.demand import Key
from capacity.errors import ConfigError, InputError, Problem
from capacity.findings import Finding, Findings
from capacity.forecasting import Knowledge
from capacity.forecasting.fleets import affordable, each_done, shared_by, workers_for
from capacity.forecasting.forecasts import Forecast, level_name, quantiles
from capacity.forecasting.knowledge.knowing import TOLD
from capacity.planning.fingerprint import fingerprint, packages
from capacity.planning.plans import Plan
from capacity.planning.steps import climb, ready_before
from capacity.reviewing.formats import newest
from capacity.reviewing.plain import KEPT, policies
from capacity.reviewing.snapshot import Moment, Snapshot
from capacity.scaling.policy import Policy
from capacity.scaling.search.beside import Beside
from capacity.schema import COST, LIMITS, PLAN
from capacity.timegrid import horizon_steps, steps_per

#: Levels kept of everything: enough for coverage, for where in the distribution actuals fell, and for scores.
LEVELS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)

#: Bits after the leading one that are kept of a quantile: within 8 parts in a million, far below what any load is known
#: to, and a third of the file.
BITS: Final = 16

#: The check of a finding that says what of a plan could not be kept: with one, it cannot be run again.
NOT_KEPT: Final = "not kept"


def taken(
    plan: Plan,
    config: Config | None,
    *,
    demand: Demand | None,
    policy: Policy | None,
    beside: tuple[Beside, ...],
    created_at: Moment | None,
) -> Snapshot:
    """See `Snapshot.of`."""
    forecast, known = plan.forecast, _demand(plan.forecast, demand)
    kept = _stated(plan) if config is None else _agreed(plan, config)
    return Snapshot(
        about=_about(plan, beside, created_at),
        config=kept,
        demand=known,
        plan=plan.frame.astype(PLAN.types),
        limits=plan.limits.astype(LIMITS.types),
        cost=plan.cost.astype(COST.types),
        decisions=plan.decisions,
        quantiles=forecast_quantiles(forecast),
        peaks=peak_quantiles(forecast),
        counts=count_quantiles(plan),
        policies=policies(policy, {one.name: one for one in kept.service}),
        findings=Findings.of(plan.findings, _not_kept(plan, config)),
        rates=plan.rates,
        overrides=forecast.overrides,
    )


def _about(plan: Plan, beside: tuple[Beside, ...], created_at: Moment | None) -> dict[str, Any]:
    forecast = plan.forecast
    moment = pd.Timestamp(datetime.now(UTC)) if created_at is None else pd.Timestamp(created_at)
    moment = moment.tz_localize("UTC") if moment.tz is None else moment.tz_convert("UTC")
    return {
        "format": newest(),
        "capacity_version": __version__,
        "packages": {"python": platform.python_version(), "machine": platform.machine(), **packages()},
        "created_at": moment.floor("s").isoformat(),
        "fingerprint": fingerprint(plan),
        "seed": forecast.seed,
        "paths": forecast.paths.shape[1],
        "models": sorted(set(forecast.models)),
        "cutoff": forecast.cutoff.isoformat(),
        "horizon_end": (forecast.times[-1] + forecast.interval).isoformat(),
        "interval_seconds": forecast.interval.total_seconds(),
        "alone": plan.asked is not None and plan.asked.alone,
        "beside": list(beside),
    }


def _demand(forecast: Forecast, demand: Demand | None) -> Demand:
    """What `forecast` was handed. Series that it left out are gone from its past: their findings still say so."""
    if demand is None:
        short = [finding for finding in forecast.findings if finding.check == "short"]
        return replace(forecast.past, findings=Findings.of(forecast.past.findings, short))
    strangers = set(forecast.keys) - set(demand.keys)
    if strangers or not demand.times.equals(forecast.past.times):
        raise InputError("this demand is not what the plan was forecast from", advice="Leave demand= out.")
    return demand


def _stated(plan: Plan) -> Config:
    """The settings as far as a plan itself says them: for reviews, not to run it again."""
    asked = plan.asked
    return Config(
        goal=plan.goal,
        prices=PriceSettings(rate=plan.rates) if asked is None else asked.prices.settings,
        account=plan.accounts,
        forecast=ForecastSettings(seed=plan.forecast.seed),
        budget=() if asked is None else asked.budgets,
        service=plan.services if asked is None else asked.services,
    )


def _agreed(plan: Plan, config: Config) -> Config:
    """What a plan follows from: what it says itself, and events and how to forecast from the settings.

    Raises ConfigError where the settings are not those of this plan.
    """
    said, forecast, settings = _stated(plan), plan.forecast, config.forecast
    tables = ("goal", "prices", "account", "budget", "service")
    problems = [Problem("is not what the plan was made with", name) for name in tables if _other(name, said, config)]
    steps = len(forecast.times)
    if settings.seed != forecast.seed:
        problems.append(Problem(f"is {settings.seed}, and the forecast's is {forecast.seed}", "forecast seed"))
    if affordable(len(forecast.keys), settings.paths, steps)[0] != forecast.paths.shape[1]:
        problems.append(Problem(f"is {settings.paths}, and {forecast.paths.shape[1]} were drawn", "forecast paths"))
    if horizon_steps(config.goal.horizon, forecast.interval) != steps:
        problems.append(Problem(f"is {config.goal.horizon}, and {steps} intervals are forecast", "goal horizon"))
    if bool(Knowledge.of(config.event, settings.holidays or None, said.service)) != _told(forecast):
        problems.append(Problem("are not what the forecast was told", "event or holidays"))
    if problems:
        raise ConfigError("these settings are not those of this plan:", problems, "Leave them out, or plan with them.")
    kept = {name: getattr(said if name in tables else config, name) for name in KEPT}
    return Config.model_construct(_fields_set=config.model_fields_set & set(KEPT), **kept)


def _other(name: str, said: Config, config: Config) -> bool:
    """Whether settings have a table otherwise than the plan. They may know more services, and in another order."""
    ours, theirs = getattr(said, name), getattr(config, name)
    if not isinstance(ours, tuple):
        return bool(ours != theirs)
    known = {getattr(one, "name", "") or one.region: one for one in theirs}
    return [known.get(getattr(one, "name", "") or one.region) for one in ours] != list(ours)


def _told(forecast: Forecast) -> bool:
    return any(TOLD in label for label in forecast.models)


def _not_kept(plan: Plan, config: Config | None) -> list[Finding]:
    """What the plan was made with and a file cannot hold."""
    asked, found = plan.asked, []
    if config is None:
        found.append("how its forecast was asked for, which only settings say: Snapshot.of(plan, config)")
    if any(finding.check == "driver" for finding in plan.forecast.findings):
        found.append("the drivers that its forecast follows, which were given in Python")
    if asked is None or asked.peaks is not None:
        found.append("how needs inside an interval follow from its mean, which was given in Python")
    if asked is not None and asked.drawn is not None:
        found.append("the scenario that it is the plan of, which changed its forecast")
    advice = "It can be opened and reviewed."
    return [
        Finding("", "", NOT_KEPT, "UNKNOWN", f"This plan cannot be run again: not kept is {what}.", advice)
        for what in found
    ]


def forecast_quantiles(forecast: Forecast) -> pd.DataFrame:
    """`schema.FORECAST` at the kept levels, `BITS` fine: a row a series and interval."""
    steps = len(forecast.times)
    found = each(len(forecast.keys), lambda row: _with_mean(forecast.paths[row]))
    return _frame(forecast.keys, forecast.times, steps, ("mean", *map(level_name, LEVELS)), found)


def peak_quantiles(forecast: Forecast) -> pd.DataFrame:
    """`schema.PEAKS`: quantiles of the largest interval of each whole day from the cutoff on, and of the horizon."""
    size = 1 if forecast.interval == pd.Timedelta(days=1) else steps_per("1d", forecast.interval)
    days = len(forecast.times) // size if size else 0

    def of(row: int) -> np.ndarray:
        hours = np.ascontiguousarray(forecast.paths[row].T)  # all paths of an hour are neighbours: ten times as fast
        daily = hours[: days * size].reshape(days, max(size, 1), -1).max(axis=1)
        return quantiles(np.concatenate([daily, hours.max(axis=0, keepdims=True)]).T[None], LEVELS)[:, 0]

    starts = forecast.times[: days * size : max(size, 1)].append(forecast.times[:1])
    frame = _frame(forecast.keys, starts, days + 1, tuple(map(level_name, LEVELS)), each(len(forecast.keys), of))
    windows = np.tile(np.array(["day"] * days + ["horizon"], dtype=object), len(forecast.keys))
    frame.insert(2, "window", pd.Series(windows, dtype="str"))
    return frame


def count_quantiles(plan: Plan) -> pd.DataFrame:
    """`schema.COUNTS`: quantiles over the paths of the tasks each needs, after every headroom step, before bounds."""
    services, interval, times = plan.services, plan.forecast.interval, plan.forecast.times

    def of(row: int) -> np.ndarray:
        service = services[row]
        ready = ready_before(plan.needs[service.name], service.startup_seconds, interval / pd.Timedelta(seconds=1))
        # every step rounds up and keeps the order of paths; of need and ready, only ready is seen after the first
        return quantiles(ready[None], LEVELS, lambda some: climb(some, some, service, plan.goal).zone_loss)[:, 0]

    keys = [Key(service.name, "") for service in services]
    frame = _frame(keys, times, len(times), tuple(map(level_name, LEVELS)), each(len(services), of))
    return frame.drop(columns="metric")


def each(count: int, work: Any) -> np.ndarray:
    """(columns, rows, intervals) of what `work` gives for each row, rounded; on all cores where there are many."""
    with shared_by(workers_for(None, count)):
        return np.stack([coarse(part) for part in each_done(work, range(count))], axis=1)


def _with_mean(paths: np.ndarray) -> np.ndarray:
    """(1 + Q, H) mean and quantiles of (P, H) paths."""
    return np.concatenate([paths.mean(axis=0, dtype=float)[None], quantiles(paths[None], LEVELS)[:, 0]])


def coarse(values: np.ndarray) -> np.ndarray:
    """In single precision, with `BITS` bits after the leading one: to the nearest, in order as before.

    >>> coarse(np.array([0.0, 100.0, 1 / 3])).tolist()
    [0.0, 100.0, 0.3333320617675781]
    """
    dropped = 23 - BITS  # of the 23 that single precision has
    bits = values.astype(np.float32).view(np.uint32)
    return np.asarray((bits + np.uint32(1 << (dropped - 1)) & np.uint32(2**32 - 2**dropped)).view(np.float32))


def _frame(keys: Any, times: pd.DatetimeIndex, steps: int, columns: tuple[str, ...], found: np.ndarray) -> pd.DataFrame:
    """A long table: a row a key and time, a column a level."""
    ticks = np.tile(times.as_unit("us").asi8, len(keys)).view("M8[us]")
    return pd.DataFrame(
        {
            "service": pd.Series(np.repeat(np.array([key.service for key in keys], dtype=object), steps), dtype="str"),
            "metric": pd.Series(np.repeat(np.array([key.metric for key in keys], dtype=object), steps), dtype="str"),
            "timestamp": pd.DatetimeIndex(ticks).tz_localize("UTC"),
            **{name: values.ravel() for name, values in zip(columns, found, strict=True)},
        }
    )
