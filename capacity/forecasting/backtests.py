"""The verb: what each model would have said at past cutoffs, against what happened. Always beside seasonal naive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.demand import demand_from
from capacity.demand.demand import Demand
from capacity.errors import HistoryHasGaps, InputError
from capacity.findings import Finding, Findings
from capacity.forecasting.backtesting.comparing import REFERENCE
from capacity.forecasting.backtesting.rehearsal import (
    PATHS,
    Declined,
    Task,
    Window,
    cut,
    rehearse,
    rehearsed,
    usual_distance,
)
from capacity.forecasting.backtesting.result import Backtest
from capacity.forecasting.base import FEWEST, Forecaster, model_named
from capacity.forecasting.forecasts import checked_level
from capacity.schema import BACKTEST
from capacity.timegrid import horizon_steps

__all__ = ["SCORED_LEVELS", "Backtest", "backtest"]

#: Levels whose quantile loss is scored: both tails, the middle, and where plans are made.
SCORED_LEVELS: Final = (0.05, 0.1, 0.5, 0.9, 0.95, 0.99)


def backtest(
    data: Any,
    models: Iterable[str | Forecaster] | str | Forecaster = ("auto", "seasonal-naive"),
    horizon: int | str | timedelta = "7d",
    windows: int = 4,
    *,
    gap: int | str = 0,
    every: int | str | timedelta | None = None,
    levels: Iterable[float] = SCORED_LEVELS,
    level: float = 0.95,
    paths: int = PATHS,
    seed: int = 0,
    services: Sequence[Service] = (),
    metric: str = "requests",
    workers: int = 1,
) -> Backtest:
    """How right each model would have been, at cutoffs a horizon or more apart, the last one a horizon before the end.

    data, services, metric  as for `forecast`
    models   names or models; seasonal naive is added when it is not among them. One that is told of events and
             holidays is `knowledge.Knowing(model, Knowledge.of(events, holidays))`.
    windows  how many cutoffs; those before which there is too little history are left out with a finding
    gap      time between the last measurement and the first interval that can still be acted on: fetching, approval,
             start-up. Models forecast across it; it is not scored.
    every    between cutoffs. None: a horizon, and a day more where that is whole weeks, so that cutoffs do not all fall
             on one weekday. Not less than a horizon: windows that overlap tell the same thing twice.
    levels   scored by wql; 0.05, 0.5 and 0.95 are added, as coverage and peaks need them
    level    that plans are made at: scored by pinball
    paths    how many futures are drawn; P99.9 of 400 is their largest but one or so, and needs some thousands
    workers  processes that share the windows; results are the same with any number of them

    A model sees only `past.until(cutoff)`. One that declines is left out of that window with a finding; when nothing
    can be scored at all, its error is raised. Only quantiles are kept: a window of 1,000 series and four weeks of hours
    takes 30 MB, for each model.

    >>> hours = pd.date_range("2026-03-02", periods=24 * 70, freq="h", tz="UTC")
    >>> load = pd.Series(np.where(hours.hour < 8, 10.0, 50.0) + hours.day % 2, index=hours, name="checkout")
    >>> tested = backtest(load, "profile", "7d", windows=3)
    >>> tested.models, tested.frame.shape[0]
    (['profile', 'seasonal-naive'], 6)
    """
    scored = tuple(sorted({checked_level(one) for one in levels} | {0.05, 0.5, 0.95}))
    asked = [models] if isinstance(models, (str, Forecaster)) else list(models)
    makers = [model_named(model) for model in asked]
    if not makers:
        raise InputError("there is no model to test")
    for name, number in (("workers", workers), ("paths", paths)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
            raise InputError(f"{name}={number!r}: a whole number of at least 1")
    if REFERENCE not in makers:
        makers.append(REFERENCE)
    names = _names(makers)
    demand = demand_from(data, services=services, metric=metric)
    steps = horizon_steps(horizon, demand.interval)
    apart = 0 if gap == 0 else horizon_steps(gap, demand.interval)
    distance = usual_distance(steps, demand.interval) if every is None else horizon_steps(every, demand.interval)
    if distance < steps:
        raise InputError(f"every={every!r} is less than the horizon: windows would overlap", advice="Leave it out.")
    findings: list[Finding] = []

    def tasks() -> Iterator[Task]:
        for past, future in cut(demand, steps, apart, distance, windows, findings):
            for maker, name in zip(makers, names, strict=True):
                yield Task(maker, name, past, future, apart, scored, checked_level(level), int(paths), seed)

    found: list[Window] = []
    frames: list[pd.DataFrame] = []
    for result in rehearsed(tasks(), int(workers)):
        if isinstance(result, Declined):
            message = f"{result.model} declined at {result.cutoff:%Y-%m-%d %H:%M} UTC: {result.reason}"
            findings.append(Finding("", "", "backtest", "REVIEW", message, "Bring more history, or drop the model."))
            continue
        found.append(result[0])
        frames.append(result[1])
    if not frames:
        for task in tasks():
            rehearse(task)  # raises what it declined for
        raise HistoryHasGaps(
            f"Nothing could be scored: before or after each of {windows} cutoffs fewer than {FEWEST} intervals are "
            "measured. Look for stamps far from the others, or shorten the horizon."
        )
    findings += _saturated(demand, found) + _unscored(demand, found)
    frame = pd.concat(frames, ignore_index=True).sort_values(list(BACKTEST.key), ignore_index=True)
    return Backtest(
        frame=frame,
        horizon=steps,
        gap=apart,
        interval=demand.interval,
        levels=scored,
        demand=demand,
        windows=tuple(found),
        level=level,
        paths=int(paths),
        seed=seed,
        findings=Findings.of(demand.findings, findings),
    )


def _saturated(demand: Demand, windows: Sequence[Window]) -> list[Finding]:
    """A finding for each series that was scored while its service was saturated."""
    scored = np.zeros(len(demand.times), dtype=bool)
    for window in windows:
        start = int(demand.times.searchsorted(window.times[0]))
        scored[start : start + len(window.times)] = True
    counts = (demand.censored & np.isfinite(demand.values) & scored).sum(axis=1)
    message = "{} of the scored intervals saw the service saturated: real demand was at least what was scored, so that"
    message += " quantiles were exceeded more often than is counted."
    advice = "Read the upper quantiles as worse than they look."
    return [
        Finding(*key, "backtest", "REVIEW", message.format(f"{count:,}"), advice, count=int(count))
        for key, count in zip(demand.keys, counts, strict=True)
        if count
    ]


def _unscored(demand: Demand, windows: Sequence[Window]) -> list[Finding]:
    """A finding for each series that no window could score: without it, a service would be missing in silence."""
    scored = {key for window in windows for key in window.keys}
    message = "not scored: at no cutoff was enough measured before it and anything after it."
    advice = "Bring newer or longer history, or test it alone."
    return [Finding(*key, "backtest", "UNKNOWN", message, advice) for key in demand.keys if key not in scored]


def _names(makers: Sequence[Forecaster]) -> list[str]:
    """Names of models; plain seasonal naive has its own, and a second model of one name is told by its settings."""
    if len({repr(maker) for maker in makers}) < len(makers):
        raise InputError("the same model is asked for twice")
    taken = [REFERENCE.name]
    for maker in makers:
        taken.append(maker.name if maker.name not in taken else repr(maker))
    return [REFERENCE.name if maker == REFERENCE else name for maker, name in zip(makers, taken[1:], strict=True)]
