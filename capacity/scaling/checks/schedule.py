"""Scheduled actions: what AWS refuses, what never reverts, what fires when clocks change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.findings import Finding
from capacity.scaling.bounds import events
from capacity.scaling.checks.findings import finding
from capacity.scaling.cron import Cron, parse
from capacity.scaling.policy import ScheduledAction, ServicePolicy
from capacity.scaling.schedule import clock_changes

#: Scheduled actions of one scalable target (reference aws.md 3.6).
MOST_ACTIONS: Final = 200

#: Two actions of one target nearer than this may meet while the first still works (aws.md 3.5: "some minutes apart").
APART: Final = pd.Timedelta(minutes=5)

#: How long a schedule is taken to be in force where only its end is stated. Recommended ones are planned again sooner,
#: and avoid the hours in which clocks change in their own life (`scaling.schedule`).
FOUR_WEEKS: Final = pd.Timedelta(days=28)

#: A year of any clock.
_YEAR: Final = (pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2027-01-01", tz="UTC"))


def schedules(one: ServicePolicy) -> Iterator[Finding]:
    for action in one.schedule:
        broken = _broken(action)
        if broken:
            yield finding(one, "schedule", "FAIL", broken)
        elif action.start is not None and action.end is not None and action.start >= action.end:
            yield finding(one, "schedule", "FAIL", f"{action.name!r} ends before it starts.")


def _broken(action: ScheduledAction) -> str:
    """What is wrong with schedule or time zone; empty when nothing is."""
    try:
        parse(action.schedule)
        ZoneInfo(action.timezone)
    except InputError as error:
        return str(error).splitlines()[0]
    except (KeyError, ValueError, OSError):
        return f"time zone {action.timezone!r} is not an IANA zone."
    if any(date is not None and date.tzinfo is None for date in (action.start, action.end)):
        return f"{action.name!r} starts or ends at a moment without a time zone: write pd.Timestamp(..., tz='UTC')."
    return ""


def count(one: ServicePolicy) -> Iterator[Finding]:
    if len(one.schedule) > MOST_ACTIONS:
        message = f"{len(one.schedule)} scheduled actions, AWS allows {MOST_ACTIONS} for one service."
        yield finding(one, "schedule", "FAIL", message)


def pairs(one: ServicePolicy) -> Iterator[Finding]:
    """Nothing reverts: what ends must be put back, and a lone up stays up."""
    recurring = [action for action in one.schedule if action.schedule.startswith("cron(")]
    if len({action.min_tasks for action in recurring}) == 1:
        yield finding(one, "schedule", "REVIEW", "the schedule sets one minimum and never another: it does not revert.")
    ends = [action.end for action in recurring if action.end is not None and not _broken(action)]
    once = [
        pd.Timestamp(a.schedule[3:-1], tz=a.timezone) for a in one.schedule if not _broken(a) and a.schedule[:2] == "at"
    ]
    if ends and not any(moment >= max(ends) for moment in once):
        yield finding(one, "schedule", "REVIEW", "the schedule ends, and no later action puts the bounds back.")


def distance(one: ServicePolicy) -> Iterator[Finding]:
    """Actions too near each other, in a usual fortnight."""
    weekly = tuple(
        replace(a, start=None, end=None) for a in one.schedule if a.schedule[:4] == "cron" and not _broken(a)
    )
    monday = pd.Timestamp("2026-06-01", tz="UTC")
    moments, which = events(weekly, monday, monday + pd.Timedelta(days=14))
    close = np.flatnonzero(np.diff(moments.asi8) < APART.value // 1000)
    for pair in sorted({(weekly[which[n]].name, weekly[which[n + 1]].name) for n in close}):
        yield finding(one, "schedule", "REVIEW", f"{pair[0]!r} and {pair[1]!r} fire within five minutes.")


def clocks(one: ServicePolicy) -> Iterator[Finding]:
    """Weekly actions at a time of day that clocks skip or repeat in their life: when they fire AWS does not say."""
    for action in one.schedule:
        if _broken(action):
            continue
        cron = parse(action.schedule)
        if not isinstance(cron, Cron):
            continue
        start, end = _life(action)
        changing = _changing(action.timezone, start, end)
        times = [hour * 60 + minute for hour in cron.hours for minute in cron.minutes]
        if any(low <= time < high for time in times for low, high in changing):
            message = f"{action.name!r} fires in an hour that clocks in {action.timezone} skip or repeat."
            yield finding(one, "schedule", "REVIEW", message, "Move it before 1:00 or after 3:00.")


def _life(action: ScheduledAction) -> tuple[pd.Timestamp, pd.Timestamp]:
    if action.end is None:
        return (action.start, action.start + (_YEAR[1] - _YEAR[0])) if action.start is not None else _YEAR
    return action.start if action.start is not None else action.end - FOUR_WEEKS, action.end


@cache
def _changing(timezone: str, start: pd.Timestamp, end: pd.Timestamp) -> tuple[tuple[int, int], ...]:
    return tuple(clock_changes(timezone, start, end)) if start < end else ()
