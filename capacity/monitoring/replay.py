"""Alarms on history: how often each would have gone off, whether it was right, and how early.

An alarm goes off when it enters ALARM, once for all that follow within half an hour. Whether it was right then is for
`truth` to say. Only time whose data can set the alarm off is counted: an hourly mean says nothing about minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.errors import HistoryError
from capacity.history import History
from capacity.monitoring.alarm import Alarm, Alarms, Replayed
from capacity.monitoring.breaches import Watch
from capacity.monitoring.conditions import (
    Absent,
    All,
    AnyOf,
    BurnRate,
    Condition,
    Reading,
    Trend,
)
from capacity.monitoring.minutes import Minutes
from capacity.monitoring.truth import Firing, firing, trouble_of
from capacity.schema import FIRINGS
from capacity.sources.base import Span

DAY: Final = 1440  # minutes

#: How far back alarms are replayed: a quarter holds a month's rate of false pages three times.
SPAN: Final = pd.Timedelta(days=92)

#: Minutes in OK after which an alarm that goes off again is a new one.
REARMED: Final = 30


class Tried(NamedTuple):
    """An alarm on the history of its service."""

    replayed: Replayed
    firings: list[Firing]


def replay(alarms: Alarms, history: History) -> Alarms:
    """The same alarms with how they would have done on a history: `replayed` of each, and `firings`.

    Nothing is re-tuned or refused: `capacity.alarms` does that, on the history that it is given. An account's alarms
    read all of its services, and are kept as they are.
    """
    watches: dict[str, Watch | None] = {}
    services = {service.name: service for service in alarms.services}
    done, rows, span = [], [], newest(history)
    for alarm in alarms.alarms:
        service = services.get(alarm.service)
        if service is None:  # of an account
            done.append(alarm)
            continue
        if service.name not in watches:
            watches[service.name] = watched(history, service, span)
        watch = watches[service.name]
        tried = None if watch is None else on_history(alarm, watch, cutoff=alarms.about.get("cutoff"))
        done.append(replace(alarm, replayed=None if tried is None else tried.replayed))
        if watch is not None and tried is not None:
            rows += told(alarm, watch, tried.firings)
    return replace(alarms, alarms=tuple(done), firings=firings_frame(rows))


def watched(history: History, service: Service, span: Span) -> Watch | None:
    """A service's minutes in that span; None where the history does not know it."""
    if service.name not in history.services:
        return None
    try:
        return Watch(Minutes.of_history(history, service, span=span))
    except HistoryError:
        return None  # nothing of it is a signal


def newest(history: History) -> Span:
    """The newest quarter of a history: what alarms are replayed on."""
    start, end = history.span
    return Span(max(start, end - SPAN), end)


def on_history(
    alarm: Alarm, watch: Watch, condition: Condition | None = None, *, cutoff: pd.Timestamp | None = None
) -> Tried | None:
    """How the alarm would have done with a condition (its own, by default); None where the data cannot tell.

    cutoff  end of what the plan was made from: a plan expects nothing of the time before, and cannot be left there
    """
    condition = alarm.condition if condition is None else condition
    judged, known = judgeable(condition, watch)
    if alarm.kind == "forecast_breach" and cutoff is not None:
        judged &= watch.minutes.times >= cutoff
    days = float(np.count_nonzero(judged & known) / DAY)
    if not days:
        return None
    went = list(runs(watch.breaches(condition) & judged))
    if not went:
        return Tried(Replayed(days, 0, 0, 0), [])
    trouble = trouble_of(alarm, condition, watch)
    firings = [firing(start, end, trouble, alarm, condition) for start, end in went]
    right = [one for one in firings if one.true]
    leads = [one.lead for one in right if np.isfinite(one.lead)]
    last = watch.minutes.times[firings[-1].start]
    lead = float(np.median(leads)) if leads else float("nan")
    return Tried(Replayed(days, len(firings), len(right), len(firings) - len(right), lead, last), firings)


def judgeable(condition: Condition, watch: Watch) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the minutes in which data can set the condition off, and (n,) those of which there is data.

    From the first value that is fine enough to the last; longer intervals between are left out, gaps are not.
    """
    use, known = np.ones(watch.size, dtype=bool), np.ones(watch.size, dtype=bool)
    for reading, longest in dict(needed(condition)).items():
        seconds = _seconds(watch.minutes, reading)
        fine = (seconds > 0) & (seconds <= 60 * longest)
        places = np.flatnonzero(fine)
        inside = np.zeros(watch.size, dtype=bool)
        if len(places):
            inside[places[0] : places[-1] + 1] = True
        use &= inside & (fine | (seconds == 0))
        known &= fine
    return use, known


def fine_enough(watch: Watch, reading: Reading) -> np.ndarray | None:
    """(n,) a signal minute by minute, NaN where it was measured over longer than the reading's period; None: never."""
    seconds = _seconds(watch.minutes, reading)
    fine = (seconds > 0) & (seconds <= 60 * reading.minutes)
    return np.where(fine, watch.raw(reading), np.nan) if fine.any() else None


def needed(condition: Condition) -> Iterator[tuple[Reading, int]]:
    """What a condition reads, and the longest interval in minutes that can be read for it."""
    match condition:
        case All(parts) | AnyOf(parts):
            finest: dict[Reading, int] = {}
            for part in parts:
                for reading, longest in needed(part):
                    finest[reading] = min(longest, finest.get(reading, longest))
            yield from finest.items()
        case BurnRate(reading=reading, short_minutes=short):
            # an error budget is a matter of shares: a window may be read from its halves
            for one in (Reading("errors"), Reading("requests")) if reading is None else (reading,):
                yield one, max(1, short // 2)
        case Trend(reading, _, over):
            yield reading, max(reading.minutes, over // 24)
        case Absent(reading, minutes):
            yield reading, max(1, minutes // 2)
        case _:
            yield condition.reading, condition.reading.minutes


def _seconds(minutes: Minutes, reading: Reading) -> np.ndarray:
    """(n,) seconds of the interval behind each value, 0 without one; of a computed one an hour, if not a minute."""
    stat = reading.stat if (reading.signal, reading.stat) in minutes.seconds else "mean"
    if (reading.signal, stat) in minutes.seconds:
        return minutes.seconds[reading.signal, stat]
    known = np.isfinite(minutes[reading.signal, stat])
    by_minute = minutes.measured_by_minute(reading.signal, stat)
    return np.where(known, np.where(by_minute, 60, 3600), 0)


def runs(alarm: np.ndarray) -> Iterator[tuple[int, int]]:
    """(start, end) of each time it goes off, those less than `REARMED` apart as one.

    >>> list(runs(np.array([0, 1, 1, 0, 0, 1], dtype=bool)))
    [(1, 6)]
    """
    edges = np.flatnonzero(np.diff(alarm, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return
    apart = np.flatnonzero(starts[1:] - ends[:-1] > REARMED)
    firsts, lasts = np.concatenate([[0], apart + 1]), np.concatenate([apart, [len(starts) - 1]])
    yield from zip(starts[firsts].tolist(), ends[lasts].tolist(), strict=True)


def told(alarm: Alarm, watch: Watch, firings: list[Firing]) -> list[tuple[object, ...]]:
    """Rows of `schema.FIRINGS`."""
    times = watch.minutes.times
    minute = pd.Timedelta(minutes=1)
    return [
        (
            alarm.name,
            alarm.service,
            alarm.kind,
            alarm.severity,
            times[f.start],
            times[f.end - 1] + minute,
            f.true,
            f.lead,
        )
        for f in firings
    ]


def firings_frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """A table of `schema.FIRINGS`."""
    frame = pd.DataFrame(rows, columns=FIRINGS.names)
    for name in ("start", "end"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame.astype(FIRINGS.types)
