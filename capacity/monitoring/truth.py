"""Was an alarm right? What it tells of, found on the minutes of history without asking the alarm.

It was right when the trouble that it tells of is there while it lasts, or comes within its stated lead and an hour:

burn_fast, burn_slow   2 % (5 %) of what the budget is at usual traffic went within its longest window
pinned-short, saturation, anomaly
                       an SLO lost 2 % of its budget in six hours; or, where none tells of latency, tasks were past what
                       one carries for five minutes: a nightly job that gives way to requests hurts nobody
pinned                 tasks were fuller than planned
leak                   memory reached its limit within the time that was foretold
forecast_breach        demand stayed beyond the plan for twice as long as was waited for
silence, quota         always: what it tells of is what it reads
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from capacity.monitoring.alarm import Alarm
from capacity.monitoring.breaches import Watch, windowed
from capacity.monitoring.choosing.leak import LIMIT
from capacity.monitoring.conditions import All, AnyOf, BurnRate, Condition, OutsideProfile, Reading, Threshold, Trend
from capacity.planning.needs import full_share, full_tasks

DAY: Final = 1440  # minutes

#: Minutes beyond its stated lead in which trouble still proves an alarm right.
GRACE: Final = 60

#: Share of an error budget whose loss within an alarm's longest window is worth waking someone, or a ticket.
WORTH_A_PAGE: Final = 0.02
WORTH_A_TICKET: Final = 0.05
#: ... and the window of the first, for alarms that read no SLO: the longest of a page (The Site Reliability Workbook).
SIX_HOURS: Final = 360

#: Minutes that tasks are too full, on average, before it is trouble.
TROUBLED: Final = 5


class Firing(NamedTuple):
    """One time that an alarm went off: places of minutes, `end` excluded."""

    start: int
    end: int
    true: bool
    lead: float  # minutes from start to trouble, at most 0 where it was there; NaN for a false one


def firing(start: int, end: int, trouble: np.ndarray | None, alarm: Alarm, condition: Condition) -> Firing:
    """Whether an alarm that went off from `start` to `end` was right, and how early.

    trouble  (n,) what `trouble_of` found
    """
    if isinstance(condition, OutsideProfile):
        waited = condition.reading.minutes * condition.of
        return Firing(start, end, end - start >= waited, float("nan"))
    if trouble is None:
        return Firing(start, end, True, 0.0)
    found = np.flatnonzero(trouble[start : end + _within(alarm, condition)])
    if not len(found):
        return Firing(start, end, False, float("nan"))
    first = int(found[0])
    if first == 0:  # it was there: since when?
        before = np.flatnonzero(~trouble[:start])
        first = (int(before[-1]) + 1 if len(before) else 0) - start
    return Firing(start, end, True, float(first))


def _within(alarm: Alarm, condition: Condition) -> int:
    """Minutes after an alarm in which its trouble may come."""
    if alarm.kind == "leak":
        return max((part.ahead_minutes for part in _parts(condition) if isinstance(part, Trend)), default=0)
    return int(alarm.lead_minutes or 0) + GRACE


def _parts(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, All | AnyOf):
        for part in condition.parts:
            yield from _parts(part)
    else:
        yield condition


def trouble_of(alarm: Alarm, condition: Condition, watch: Watch) -> np.ndarray | None:
    """(n,) the minutes of trouble that prove an alarm right; None where what it reads is the trouble."""
    match alarm.kind:
        case "silence" | "quota" | "forecast_breach":
            return None
        case "burn_fast" | "burn_slow":
            rates = [part for part in _parts(condition) if isinstance(part, BurnRate)]
            longest = max(rates, key=lambda rate: rate.long_minutes)
            worth = WORTH_A_PAGE if alarm.kind == "burn_fast" else WORTH_A_TICKET
            return _spent(watch, longest, worth, longest.long_minutes)
        case "leak":
            return watch.reading(Reading("memory_utilization", minutes=TROUBLED)) >= LIMIT
    if isinstance(condition, Threshold) and condition.reading.signal == "running_tasks":
        return watch.reading(Reading("slack_tasks", minutes=TROUBLED)) < 0
    told_by_slo = any(slo.kind == "latency" for slo in watch.minutes.service.slo)
    return np.logical_or.reduce([*([] if told_by_slo else [overfull(watch)]), *_hurt(watch)])


def overfull(watch: Watch) -> np.ndarray:
    """(n,) whether tasks were past what one carries, on average over five minutes."""
    service, found = watch.minutes.service, np.zeros(watch.size, dtype=bool)
    signals = {"cpu": "cpu_utilization", "memory": "memory_utilization", "requests": "requests_per_task"}
    for resource, task in full_tasks(service).items():
        full = full_share(service, resource) * (task.size if resource == "requests" else 100)
        found |= watch.reading(Reading(signals[resource], minutes=TROUBLED)) >= full
    return found


def _hurt(watch: Watch) -> list[np.ndarray]:
    """For each SLO (n,) whether it lost more of its budget in six hours than a page is worth."""
    hurt = []
    for slo in watch.minutes.service.slo:
        reading = Reading("latency", slo.percentile) if slo.kind == "latency" else None
        windows = (SIX_HOURS, SIX_HOURS)
        rate = BurnRate(slo.name, slo.kind, slo.objective, 1.0, *windows, reading=reading, slowest=slo.latency_seconds)
        hurt.append(_spent(watch, rate, WORTH_A_PAGE, SIX_HOURS))
    return hurt


def _spent(watch: Watch, rate: BurnRate, share: float, minutes: int) -> np.ndarray:
    """(n,) whether this share of the budget, at usual traffic, went within so many minutes."""
    window = next((slo.window_days for slo in watch.minutes.service.slo if slo.name == rate.slo), 30) * DAY
    bad, everything = watch.bad_and_all(rate)
    usual = np.nanmean(everything) if np.isfinite(everything).any() else 0.0
    whole = round(1 - rate.objective, 12) * usual * window
    lost = windowed(bad, minutes)[0]
    return (lost > 0) & (lost >= share * whole)
