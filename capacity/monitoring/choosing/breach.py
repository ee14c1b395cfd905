"""Demand that leaves what the plan expects: a ticket that asks to plan again.

Of each hour of the week the plan expects, in each week of its horizon, at most its P95. An hour is beyond the plan
where it is above all of these but the highest: one holiday or launch in the horizon then does not set the bar for its
hour, and growth that the plan foresees is no surprise.

The past cannot be held against a plan of the future. Its own paths can: how often do they leave it, if the plan is
right? Where that would be more often than once a month, twice as many hours are waited for, and so on.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from capacity.demand import Key
from capacity.findings import Finding
from capacity.monitoring.choosing.known import LEVEL, Known, Proposal
from capacity.monitoring.conditions import OutsideProfile, Reading
from capacity.monitoring.profile import WEEK

#: What is forecast and sizes tasks, in the words of a sentence.
WATCHED: Final = {"requests": "Requests are", "cpu": "Processor time in use is"}

#: Tickets in 30 days, of a plan that is right, that are borne before longer is waited for ...
BORNE: Final = 1.0
#: ... so many times as long as was asked for, and at most a week: CloudWatch looks no further back (aws.md 7.1).
LONGER: Final = (1, 2, 4, 8)
LONGEST: Final = 7 * 1440  # minutes

#: Times in 30 days below which a number says more than is known.
RARE: Final = 0.01

#: With at least so many weeks the highest is left out.
SEVERAL: Final = 3


def forecast_breach(known: Known) -> tuple[list[Proposal], list[Finding]]:
    """One for requests and one for CPU, where they are forecast."""
    interval = known.plan.forecast.interval
    if interval > pd.Timedelta(days=1):
        message = f"Its demand is planned in intervals of {interval}: no hour can be held against it."
        return [], [known.finding("forecast_breach", message, "Plan from hours or days for an alarm on the forecast.")]
    made = [proposal for metric in WATCHED if (proposal := _of(known, metric)) is not None]
    hours = round(len(known.plan.forecast.times) * interval / pd.Timedelta(hours=1))
    if not made or hours >= WEEK:
        return made, []
    message = (
        f"Its plan reaches {hours} of the week's {WEEK} hours: at the others nothing is expected of its demand, and no "
        "alarm tells that it left the plan."
    )
    return made, [known.finding("forecast_breach", message, "Plan at least a week ahead: --horizon 7d.")]


def _of(known: Known, metric: str) -> Proposal | None:
    load = known.expected(metric)
    if load is None:
        return None
    forecast = known.plan.forecast
    profile = highest_but_one(load, forecast.times, forecast.interval)
    paths = forecast.paths[forecast.keys.index(Key(known.service.name, metric))]
    # an hour without a profile is NaN, and never left
    lengths = stretches(paths > np.asarray(profile)[hour_of_week(forecast.times)])
    period = max(60, round(forecast.interval.total_seconds() / 60))  # minutes
    asked = max(1, round(known.settings.breach_hours * 60 / period))
    steps = period * 60 / forecast.interval.total_seconds()  # of the forecast in a period
    days = len(forecast.times) * forecast.interval / pd.Timedelta(days=1)
    for times in LONGER:
        of = max(1, min(asked * times, LONGEST // period))
        rate = np.count_nonzero(lengths >= round(of * steps)) / len(paths) / days * 30
        if rate <= BORNE:
            break
    waited = f"{of * period // 60} hours"
    alarm = known.alarm(
        "forecast_breach",
        "ticket",
        OutsideProfile(Reading(metric, minutes=period), profile, LEVEL, ">", of, of),
        f"{WATCHED[metric]} beyond the plan for {waited}: the plan no longer holds, plan again.",
        f"Above the P{LEVEL * 100:g} that the plan made on {forecast.cutoff:%Y-%m-%d} has for the hour of the week (at "
        f"most {np.nanmax(profile):.4g} {Key('', metric).unit}), {waited} in a row. If the plan is right, that is so "
        f"{_rate(rate)}.",
        more=metric,
    )
    return Proposal(alarm)


def _rate(rate: float) -> str:
    """Times in 30 days, as a sentence ends with them.

    >>> _rate(0.0), _rate(0.473), _rate(1.0)
    ('hardly ever', '0.47 times in 30 days', 'once in 30 days')
    """
    if rate < RARE:
        return "hardly ever"
    return "once in 30 days" if f"{rate:.2g}" == "1" else f"{rate:.2g} times in 30 days"


def stretches(beyond: np.ndarray) -> np.ndarray:
    """How long each stretch of neighbouring True is, of all rows.

    >>> stretches(np.array([[1, 1, 1, 0, 1, 1], [1, 0, 1, 0, 0, 0]], dtype=bool)).tolist()
    [3, 2, 1, 1]
    """
    apart = np.zeros((len(beyond), beyond.shape[1] + 2), dtype=np.int8)
    apart[:, 1:-1] = beyond
    edges = np.flatnonzero(np.diff(apart.ravel()))
    return np.asarray(edges[1::2] - edges[::2])


def hour_of_week(times: pd.DatetimeIndex) -> np.ndarray:
    """(n,) hours since Monday 00:00 UTC; 1 January 1970 was a Thursday."""
    return np.asarray((times.as_unit("s").asi8 // 3600 + 72) % WEEK)


def highest_but_one(values: np.ndarray, times: pd.DatetimeIndex, interval: pd.Timedelta) -> tuple[float, ...]:
    """Of each hour of the week (Monday 00:00 UTC first) the second highest week; the highest of one or two. 168 values.

    values  (H,); of intervals below an hour the hour's mean counts, longer ones stand for each of their hours
    NaN for an hour that the horizon does not reach: nothing is expected of it, and nothing leaves it.

    >>> times = pd.date_range("2026-08-03", periods=4 * 168, freq="h", tz="UTC")
    >>> profile = highest_but_one(np.repeat([1.0, 2.0, 9.0, 3.0], 168), times, pd.Timedelta("1h"))
    >>> len(profile), profile[0]
    (168, 3.0)
    """
    starts = times.as_unit("s").asi8
    hour = pd.Timedelta("1h")
    if interval < hour:
        by_hour = pd.Series(np.asarray(values, dtype=float)).groupby(starts // 3600).mean()
        hours, values = by_hour.index.to_numpy(), by_hour.to_numpy()
    else:
        each = round(interval / hour)
        hours = (np.repeat(starts // 3600, each) + np.tile(np.arange(each), len(starts))).astype(np.int64)
        values = np.repeat(np.asarray(values, dtype=float), each)
    place = hours - hours[0] + int(hour_of_week(times[:1])[0])
    weeks = int(place[-1]) // WEEK + 1
    table = np.full(weeks * WEEK, -np.inf)
    table[place] = values
    ordered = np.sort(table.reshape(weeks, WEEK), axis=0)
    several = np.isfinite(ordered).sum(axis=0) >= SEVERAL
    chosen = np.where(several, ordered[-2] if weeks > 1 else ordered[-1], ordered[-1])
    return tuple(float(value) if np.isfinite(value) else float("nan") for value in chosen)
