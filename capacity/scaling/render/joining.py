"""A weekly schedule in at most so many lines: those that cost least to leave out go, and what is held never falls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from capacity.scaling.cron import Cron, parse
from capacity.scaling.policy import ScheduledAction
from capacity.scaling.render.week import DAY, WEEK


class Bounds(NamedTuple):
    """What a change sets, and which action does it."""

    least: int  # tasks
    most: int
    name: str


class Line(NamedTuple):
    """One time of day and what it sets, on these days. Minutes since midnight; Sunday is 0."""

    minute: int
    days: tuple[int, ...]
    bounds: Bounds


#: Minute of the local week, since Sunday 00:00 -> what is in force from then on.
Changes = Mapping[int, Bounds]


def changes(actions: tuple[ScheduledAction, ...]) -> Changes:
    """Every change of a week, in order. Of two actions in one minute the later listed wins, as in `bounds.bounds`."""
    made: dict[int, Bounds] = {}
    for action in actions:
        cron = parse(action.schedule)
        assert isinstance(cron, Cron)  # by `week.weekly`
        times = [hour * 60 + minute for hour in cron.hours for minute in cron.minutes]
        sets = Bounds(action.min_tasks, action.max_tasks, action.name)
        made |= {(day - 1) * DAY + time: sets for day in cron.weekdays for time in times}
    return dict(sorted(made.items()))


def lines(of: Changes) -> list[Line]:
    """Changes alike but for their day, together."""
    days: dict[tuple[int, Bounds], list[int]] = {}
    for moment, sets in of.items():
        days.setdefault((moment % DAY, sets), []).append(moment // DAY)
    return [Line(minute, tuple(each), sets) for (minute, sets), each in days.items()]


def joined(of: Changes, most: int) -> Changes:
    """At most this many lines: a line that goes leaves what was in force before it, raised to what it held.

    So no minimum and no maximum is ever lower than it was. What it costs are the tasks that raised minimums keep: the
    line whose going keeps the fewest task-minutes goes first.

    >>> up = ScheduledAction("up", "cron(0 8 ? * * *)", 12, 40)
    >>> more = ScheduledAction("more", "cron(0 9 ? * * *)", 13, 40)
    >>> down = ScheduledAction("down", "cron(0 18 ? * * *)", 2, 40)
    >>> [(line.minute // 60, line.bounds.least) for line in lines(joined(changes((up, more, down)), most=2))]
    [(8, 13), (18, 2)]
    """
    held = dict(of)
    while len(found := lines(held)) > most:
        held = min((_without(held, line) for line in found), key=_task_minutes)
    return held


def _without(of: Changes, line: Line) -> dict[int, Bounds]:
    held = dict(of)
    for day in line.days:
        moments = list(held)
        before = moments[moments.index(day * DAY + line.minute) - 1]
        gone = held.pop(day * DAY + line.minute)
        if held:
            kept = held[before]
            held[before] = Bounds(max(kept.least, gone.least), max(kept.most, gone.most), kept.name)
    return held


def _task_minutes(of: Changes) -> int:
    """Tasks that the minimums of a week hold, times minutes."""
    moments = list(of)
    lengths = [
        (after - moment) % WEEK or WEEK for moment, after in zip(moments, moments[1:] + moments[:1], strict=True)
    ]
    return sum(of[moment].least * length for moment, length in zip(moments, lengths, strict=True))
