"""The minimum that AWS predictive scaling holds: from its forecast where that is at hand, else from a stand-in."""

from __future__ import annotations

from math import ceil
from typing import Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.scaling.load import task_size
from capacity.scaling.policy import PredictiveScaling, ServicePolicy

HOUR: Final = pd.Timedelta(hours=1)

#: Source of all four: reference aws.md 3.4. A forecast needs a day of history, uses up to two weeks of it, is made
#: again every six hours and reaches two days ahead.
NEEDS_HOURS: Final = 24
USES_HOURS: Final = 14 * 24
AGAIN_HOURS: Final = 6
AHEAD_HOURS: Final = 48

WEEK_HOURS: Final = 7 * 24
DAY_HOURS: Final = 24

NOISE: Final = 1e-9


def foreseen(policy: ServicePolicy, times: pd.DatetimeIndex, load: np.ndarray, at_target: float) -> np.ndarray:
    """(n,) tasks that predictive scaling holds at least, by a simple stand-in for AWS's forecast; 0 where by none.

    load       (n,) of the replay itself: at every refresh only what lies before it is used
    at_target  load of a task at the predictive policy's target

    The stand-in repeats the mean load of the same hour: of the same hour of the week where that was seen in the last
    14 days, else of the same hour of the last days. AWS's own model is not public: this shows what its clocks do
    (nothing on the first day, six hours until a change of level is learnt, launches ahead by the buffer, never a
    scale-in of its own), and not how well it forecasts. Hand in AWS's own forecast to see that.
    Raises InputError when it forecasts another metric than the one replayed.
    """
    predictive = policy.predictive
    if predictive is None or len(times) == 0:
        return np.zeros(len(times), dtype=np.int64)
    if predictive.metric != policy.tracking.metric:
        raise InputError(
            f"{policy.service.name}: predictive scaling forecasts {predictive.metric}, of which nothing is replayed",
            advice=f"Let it forecast {policy.tracking.metric}, or hand in AWS's forecast of tasks as `predicted`.",
        )
    hours = times.floor("h")
    first = hours[0]
    place = ((hours - first) // HOUR).to_numpy()
    means = pd.Series(load).groupby(place).mean()
    hourly = np.full(int(place[-1]) + 1, np.nan)
    hourly[means.index.to_numpy()] = means.to_numpy()
    predicted = np.array([_predicted(hourly, hour, first.hour, predictive.buffer) for hour in range(len(hourly) + 1)])
    with np.errstate(invalid="ignore"):
        tasks = np.ceil(predicted / at_target - NOISE)
    return held(pd.date_range(first, periods=len(tasks), freq=HOUR), np.nan_to_num(tasks), times, predictive.buffer)


def at_target(policy: ServicePolicy) -> float:
    """Load of a task at the predictive policy's target, in its metric's unit."""
    predictive = policy.predictive
    if predictive is None:
        raise InputError(f"{policy.service.name}: the policy has no predictive part")
    if predictive.metric == "requests":
        return predictive.target / 60
    return task_size(policy.service, predictive.metric) * predictive.target / 100


def _predicted(hourly: np.ndarray, hour: int, first_hour: int, buffer: int) -> float:
    """Mean load foreseen for an hour, by the last refresh before its launches are due; NaN where by none.

    Refreshes are at 0, 6, 12 and 18 o'clock UTC; those that reach this hour are at most two days old.
    """
    due = hour - ceil(buffer / 3600)  # the newest refresh that can still launch ahead of this hour
    made = due - (due + first_hour) % AGAIN_HOURS
    oldest = max(0, made - USES_HOURS)
    if np.isfinite(hourly[oldest : max(0, made)]).sum() < NEEDS_HOURS or hour - made >= AHEAD_HOURS:
        return np.nan
    for season in (WEEK_HOURS, DAY_HOURS):
        same = hourly[[at for at in range(hour - season, oldest - 1, -season) if at < made]]
        if np.isfinite(same).any():
            return float(np.nanmean(same))
    return np.nan


def held(hours: pd.DatetimeIndex, tasks: np.ndarray, times: pd.DatetimeIndex, buffer: int) -> np.ndarray:
    """(n,) tasks in force at each time: of its own hour, and of the next one from `buffer` seconds before it on."""
    at = hours.searchsorted(times, side="right") - 1
    own = np.where((at >= 0) & (times < hours[np.maximum(at, 0)] + HOUR), tasks[np.maximum(at, 0)], 0.0)
    early = times + pd.Timedelta(seconds=buffer)
    soon = hours.searchsorted(early, side="right") - 1
    coming = np.where((soon >= 0) & (early < hours[np.maximum(soon, 0)] + HOUR), tasks[np.maximum(soon, 0)], 0.0)
    return np.maximum(own, coming).astype(np.int64)


def stated(forecast: pd.Series, times: pd.DatetimeIndex, buffer: int) -> np.ndarray:
    """(n,) tasks of an hourly forecast of AWS's (`CapacityForecast` of GetPredictiveScalingForecast) in force.

    Hours that it does not hold or does not know have none. Raises InputError for what is no such series.
    """
    index = forecast.index
    if not isinstance(index, pd.DatetimeIndex) or not index.is_unique:
        raise InputError("a predictive forecast is a Series of tasks by hour, each hour once")
    index = index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")
    values = forecast.to_numpy(dtype=float)
    if (index != index.floor("h")).any() or (values < 0).any() or np.isinf(values).any():
        raise InputError("a predictive forecast holds whole hours, and tasks that are finite and not below zero")
    order = np.argsort(index.asi8, kind="stable")
    tasks = np.ceil(np.nan_to_num(values[order]) - NOISE)
    return held(index[order], tasks, times, buffer) if len(index) else np.zeros(len(times), dtype=np.int64)


def with_minimum(
    predictive: PredictiveScaling, tasks: np.ndarray, minimum: np.ndarray, maximum: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bounds with the predicted tasks as a minimum: the maximum is honoured, or moves (reference aws.md 3.4).

    With `over`, the maximum is the forecast and that many percent more wherever that is above it.

    >>> wide = PredictiveScaling("cpu", 60, "ForecastAndScale", over=10)
    >>> [bound.tolist() for bound in with_minimum(wide, np.array([50, 5]), np.array([2, 2]), np.array([40, 40]))]
    [[50, 5], [55, 40]]
    >>> tight = PredictiveScaling("cpu", 60, "ForecastAndScale")
    >>> [bound.tolist() for bound in with_minimum(tight, np.array([50, 5]), np.array([2, 2]), np.array([40, 40]))]
    [[40, 5], [40, 40]]
    """
    if predictive.over is not None:
        maximum = np.maximum(maximum, tasks * (100 + predictive.over) // 100)
    return np.maximum(minimum, np.minimum(tasks, maximum)), maximum
