"""The verb: demand in, `Forecast` out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.demand import demand_from
from capacity.demand.demand import Demand
from capacity.errors import ForecastError, HistoryTooShort, InputError
from capacity.findings import Finding, Findings
from capacity.forecasting.base import FEWEST, Fan, Forecaster, model_named
from capacity.forecasting.bursts import burst_findings
from capacity.forecasting.clock import fan_on_local_clocks
from capacity.forecasting.fleets import affordable, shared_by, workers_for
from capacity.forecasting.forecasts import DEFAULT_LEVELS, Forecast, checked_level
from capacity.forecasting.knowledge import Event, Holidays, Knowing, Knowledge, Scenario
from capacity.forecasting.prepare import measured
from capacity.history.line import how_long
from capacity.timegrid import horizon_steps


def forecast(
    data: Any,
    horizon: int | str | timedelta,
    *,
    model: str | Forecaster = "auto",
    levels: Iterable[float] = DEFAULT_LEVELS,
    paths: int = 400,
    seed: int = 0,
    services: Sequence[Service] = (),
    metric: str = "requests",
    events: Sequence[Event] | pd.DataFrame = (),
    holidays: Holidays = None,
    drivers: pd.DataFrame | None = None,
    scenario: Scenario | None = None,
    workers: int | None = None,
) -> Forecast:
    """Where demand goes: sample paths of every series, and the quantiles read from them.

    data      History, Demand, a pandas Series with a DatetimeIndex, or a long DataFrame
    horizon   a count of intervals or a duration such as "91d"
    model     a name (`capacity.forecasting.model_names()`) or a model with settings of your own
    levels    quantile levels in (0, 1), in any order; shown ascending, each once
    paths     how many futures; the P99 needs a few hundred. Of a fleet whose paths would take more than 2 GiB fewer are
              drawn, at least 200, and a finding says so
    seed      same data, same seed, same version: same paths
    services  what is known of the services: task sizes for demand from percentages, and the clock people live by
    metric    of a bare Series
    events    what is known beforehand: launches, sales, migrations; a table with Prophet's columns will do
    holidays  a country or a part of it ("DE", "DE-BY"), one a service ({"checkout": "FR"}), or a table as Prophet's;
              `Service.holidays` is heeded too
    drivers   what the business plans: times as its index, a column a driver (customers, orders ...), over history and
              horizon; how load follows each is learnt
    scenario  what to assume of drivers instead after the history: {"orders": 1.2} is a fifth more, a Series its values
    workers   how many cores; None: all from 200 series on, else one. The forecast is the same for any number

    A series with fewer than four measured intervals is left out with a FAIL finding when others remain, and refused
    (HistoryTooShort) when it is alone. Raises InputError for arguments that cannot be understood.

    >>> hours = pd.date_range("2026-03-02", periods=24 * 21, freq="h", tz="UTC")
    >>> load = pd.Series(np.where(hours.hour < 8, 10.0, 50.0), index=hours, name="checkout")
    >>> forecast(load, "2d").quantile(0.5).round(0).iloc[[0, 12]].tolist()
    [10.0, 50.0]
    """
    chosen = sorted({checked_level(level) for level in _listed(levels)})
    maker = model_named(model)
    known = Knowledge.of(events, holidays, services, drivers, scenario)
    maker = Knowing(maker, known) if known else maker
    past, findings = enough(demand_from(data, services=services, metric=metric))
    steps = horizon_steps(horizon, past.interval)
    count, fewer = affordable(len(past.keys), _count(paths), steps)
    with shared_by(workers_for(workers, len(past.keys))):
        fan = fan_on_local_clocks(maker, past, steps, count, np.random.default_rng(seed))
    fan = checked(fan, past, steps, count, maker)
    return Forecast(
        past=past,
        times=pd.date_range(past.end, periods=steps, freq=past.interval, unit="us"),
        paths=fan.paths,
        models=fan.models,
        levels=tuple(chosen),
        scores=fan.scores,
        findings=Findings.of(
            past.findings, findings, fewer, of_nobody(holidays, past), stale(past), fan.findings, burst_findings(past)
        ),
        seed=seed,
    )


def enough(past: Demand) -> tuple[Demand, list[Finding]]:
    """The series with enough measured intervals to say anything, and a FAIL finding for each that was left out."""
    if not past.keys:
        raise InputError("there is no series to forecast")
    have = measured(past)
    short = [(key, int(count)) for key, count in zip(past.keys, have, strict=True) if count < FEWEST]
    if len(short) == len(past.keys):
        (key, count), *_ = short
        what = f"{key.service} {key.metric}" + (f" (and {len(short) - 1} more series)" if len(short) > 1 else "")
        advice = "Bring more history: no spread can be learnt from so few."
        raise HistoryTooShort(
            what, have=count, need=FEWEST, unit=f"intervals of {how_long(past.interval)}", advice=advice
        )
    findings = [
        Finding(
            *key,
            "short",
            "FAIL",
            f"left out of the forecast: {count} measured intervals, and {FEWEST} are needed.",
            "Bring more history.",
            count=count,
        )
        for key, count in short
    ]
    left_out = {key for key, _ in short}
    return (past.select([key for key in past.keys if key not in left_out]) if short else past), findings


def checked(fan: Fan, past: Demand, steps: int, count: int, model: Forecaster) -> Fan:
    """The fan, if it keeps the contract: a model of a third party is told what it did, not trusted."""
    expected = (len(past.keys), count, steps)
    if fan.paths.shape != expected:
        raise ForecastError(f"{model!r} gave paths of shape {fan.paths.shape}, asked for {expected}")
    fine = (fan.paths.min(axis=(1, 2)) >= 0) & (fan.paths.max(axis=(1, 2)) < np.inf)  # NaN is neither
    if not fine.all():
        names = ", ".join(f"{key.service} {key.metric}" for key, good in zip(past.keys, fine, strict=True) if not good)
        raise ForecastError(f"{model!r} gave values that are negative or not finite for {names}")
    return fan


def of_nobody(holidays: Holidays, past: Demand) -> list[Finding]:
    """A finding for each service that holidays were given for and that is not here: a name misspelt costs them."""
    named = holidays if isinstance(holidays, Mapping) else {}
    here = {key.service for key in past.keys}
    return [
        Finding(
            str(name),
            "",
            "event",
            "REVIEW",
            f"holidays {code!r} are given for it, and there is no series of it.",
            "Names must be equal to the letter.",
        )
        for name, code in named.items()
        if name not in here
    ]


def stale(past: Demand) -> list[Finding]:
    """A finding for each series whose last day (or last three intervals) holds nothing: the forecast starts blind."""
    blind = max(3, round(pd.Timedelta(days=1) / past.interval))
    findings = []
    for key, row in zip(past.keys, past.values, strict=True):
        missing = int(np.argmax(np.isfinite(row[::-1])))
        if missing >= blind:
            last = past.times[-1 - missing]
            late = past.interval * missing
            message = f"nothing was measured after {last:%Y-%m-%d %H:%M} UTC; the forecast starts {late} later."
            findings.append(
                Finding(*key, "stale", "REVIEW", message, "Fetch the newest data.", last, past.end, count=missing)
            )
    return findings


def _listed(levels: Iterable[float] | float) -> list[float]:
    found = [float(levels)] if isinstance(levels, (int, float)) else [float(level) for level in levels]
    if not found:
        raise InputError("levels is empty", advice="Give at least one, such as levels=[0.5, 0.95].")
    return found


def _count(paths: int) -> int:
    if isinstance(paths, bool) or not isinstance(paths, (int, np.integer)) or paths < 1:
        raise InputError(f"paths={paths!r}: a whole number of at least 1")
    return int(paths)
