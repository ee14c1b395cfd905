"""Scheduled actions -> the bounds in force in every minute."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd

from capacity.scaling.cron import At, firings, parse
from capacity.scaling.policy import ScheduledAction, ServicePolicy

#: How far back to look for the action that set the bounds before the first minute: nothing reverts, so it may be old.
#: First the week that holds every weekly action, then a year and a bit.
LOOK_BACK = (pd.Timedelta(days=8), pd.Timedelta(days=400))

#: A day of the week in which a schedule without dates is looked at: any does.
ANY_DAY: Final = pd.Timestamp("2026-06-01", tz="UTC")
WEEK: Final = pd.Timedelta(days=7)


def bounds(policy: ServicePolicy, times: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """(n,) minimum and (n,) maximum in force at the start of each minute.

    Each action holds from the minute it fires until the next one fires, also past its own `end`: nothing reverts.
    Before any action has fired, the policy's own bounds hold. Of two actions in one minute the later listed wins.
    """
    minimum = np.full(len(times), policy.min_tasks, dtype=np.int64)
    maximum = np.full(len(times), policy.max_tasks, dtype=np.int64)
    if not policy.schedule or len(times) == 0:
        return minimum, maximum
    for back in LOOK_BACK:
        moments, which = events(policy.schedule, times[0] - back, times[-1] + pd.Timedelta(minutes=1))
        if len(moments) and moments[0] <= times[0]:
            break
    if len(moments) == 0:
        return minimum, maximum
    latest = moments.searchsorted(times, side="right") - 1  # (n,) -1: none yet
    action = which[np.maximum(latest, 0)]
    fired = latest >= 0
    minimum[fired] = np.array([one.min_tasks for one in policy.schedule])[action[fired]]
    maximum[fired] = np.array([one.max_tasks for one in policy.schedule])[action[fired]]
    return minimum, maximum


def weeks(schedule: Iterable[ScheduledAction], timezone: str = "UTC") -> tuple[pd.DatetimeIndex, ...]:
    """Weeks that show what a schedule holds, each from Monday on in steps of five minutes, in this zone.

    A schedule with dates does nothing outside them: the weeks after each beginning, before each end, and of each single
    day. What has none is in every week, and in any where nothing has.

    >>> up = ScheduledAction("up", "cron(0 8 ? * * *)", 9, 40, start=pd.Timestamp("2026-12-02", tz="UTC"))
    >>> [str(times[0].date()) for times in weeks([up])], len(weeks([]))
    (['2026-11-30', '2026-12-07'], 1)
    """
    days: set[pd.Timestamp] = set()
    for action in schedule:
        once = parse(action.schedule)
        if isinstance(once, At):
            days.add(once.moment.tz_localize("UTC"))
            continue
        days |= {action.start, action.start + WEEK} if action.start is not None else set()
        days |= {action.end - WEEK} if action.end is not None else set()
        days |= {ANY_DAY} if action.start is None and action.end is None else set()
    mondays = {day.tz_convert(timezone).tz_localize(None).to_period("W-SUN").start_time for day in days or {ANY_DAY}}
    firsts = (monday.tz_localize(timezone, nonexistent="shift_forward", ambiguous=True) for monday in sorted(mondays))
    return tuple(pd.date_range(first.tz_convert("UTC"), periods=7 * 288, freq="5min", unit="us") for first in firsts)


def events(
    schedule: tuple[ScheduledAction, ...], start: pd.Timestamp, end: pd.Timestamp
) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """(e,) moments in [start, end) at which an action fires, ascending, and (e,) which one."""
    moments, which = [], []
    for number, action in enumerate(schedule):
        first = start if action.start is None else max(start, action.start)
        last = end if action.end is None else min(end, action.end)
        if first < last:
            when = firings(action.schedule, action.timezone, first, last)
            moments.append(when.asi8)
            which.append(np.full(len(when), number))
    stamps = np.concatenate(moments) if moments else np.zeros(0, dtype=np.int64)
    actions = np.concatenate(which) if which else np.zeros(0, dtype=np.int64)
    order = np.lexsort((actions, stamps))
    return pd.DatetimeIndex(stamps[order].view("datetime64[us]"), tz="UTC"), actions[order]
