"""A schedule as windows of a local week, for systems that know windows instead of changes.

AWS's scheduled actions say: from now on, these bounds. KEDA says: between these two times, at least so many. What is in
force in each minute of a week is the same; here it is worked out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from capacity.errors import InputError
from capacity.scaling.cron import Cron, parse
from capacity.scaling.policy import ScheduledAction, ServicePolicy

DAY: Final = 24 * 60  # minutes
WEEK: Final = 7 * DAY

#: A schedule of every month and year.
_ALL: Final = parse("cron(* * ? * * *)")


@dataclass(frozen=True)
class Window:
    """A stretch of the local week in which one minimum is in force. Minutes since Sunday 00:00; it may wrap."""

    start: int
    end: int
    least: int  # tasks


@dataclass(frozen=True)
class Span:
    """Windows alike but for their day: from one time of day to another, some days later, on each of these days."""

    start: int  # minutes since midnight
    end: int
    later: int  # days from the start's to the end's, 0 to 7
    days: tuple[int, ...]  # of the start, Sunday 0
    least: int  # tasks


def weekly(one: ServicePolicy) -> tuple[ScheduledAction, ...]:
    """The actions that fire alike in every week, in the order of the schedule.

    Raises InputError where they live in several time zones: their windows would move against each other.
    """
    found = tuple(action for action in one.schedule if _every_week(action))
    zones = sorted({action.timezone for action in found})
    if len(zones) > 1:
        raise InputError(
            f"{one.service.name!r} has weekly actions in several zones ({', '.join(zones)}): no one week holds them",
            advice="Write its weekly actions in one time zone.",
        )
    return found


def _every_week(action: ScheduledAction) -> bool:
    cron = parse(action.schedule)
    if not isinstance(cron, Cron) or not isinstance(_ALL, Cron):
        return False
    return (cron.days, cron.months, cron.years) == (_ALL.days, _ALL.months, _ALL.years)


def windows(actions: tuple[ScheduledAction, ...]) -> tuple[Window, ...]:
    """Every stretch of a week with one minimum, ascending by start: together they are the whole week.

    Each action holds until the next fires, the last of a week until the first of the next; of two in one minute the
    later listed wins, as in `bounds.bounds`. Empty without actions; one window of a week where the minimum never moves.

    >>> up = ScheduledAction("up", "cron(55 7 ? * MON-FRI *)", 12, 40)
    >>> down = ScheduledAction("down", "cron(0 18 ? * MON-FRI *)", 2, 40)
    >>> [(window.start // DAY, window.start % DAY, window.least) for window in windows((up, down))][:3]
    [(1, 475, 12), (1, 1080, 2), (2, 475, 12)]
    """
    levels: dict[int, int] = {}
    for action in actions:
        cron = parse(action.schedule)
        assert isinstance(cron, Cron)  # by `weekly`
        for day in cron.weekdays:
            for hour in cron.hours:
                levels |= {(day - 1) * DAY + hour * 60 + minute: action.min_tasks for minute in cron.minutes}
    moments = sorted(levels)
    changes = [moment for n, moment in enumerate(moments) if levels[moments[n - 1]] != levels[moment]]
    if not changes:
        return (Window(0, WEEK, levels[moments[0]]),) if moments else ()
    return tuple(Window(start, end, levels[start]) for start, end in pairwise([*changes, changes[0]]))


def spans(found: tuple[Window, ...]) -> tuple[Span, ...]:
    """Windows that differ in their day alone, together.

    >>> up = ScheduledAction("up", "cron(55 7 ? * MON-FRI *)", 12, 40)
    >>> down = ScheduledAction("down", "cron(0 18 ? * MON-FRI *)", 2, 40)
    >>> for span in spans(windows((up, down))):
    ...     print(span)
    Span(start=475, end=1080, later=0, days=(1, 2, 3, 4, 5), least=12)
    Span(start=1080, end=475, later=1, days=(1, 2, 3, 4), least=2)
    Span(start=1080, end=475, later=3, days=(5,), least=2)
    """
    days: dict[tuple[int, int, int, int], list[int]] = {}
    for window in found:
        length = (window.end - window.start) % WEEK
        later = (window.start % DAY + length) // DAY
        key = (window.start % DAY, window.end % DAY, later, window.least)
        days.setdefault(key, []).append(window.start // DAY)
    return tuple(Span(start, end, later, tuple(of), least) for (start, end, later, least), of in sorted(days.items()))


def unix_cron(minute_of_day: int, days: tuple[int, ...]) -> str:
    """Five fields: minute, hour, day of month, month, day of week with Sunday 0.

    >>> unix_cron(475, (1, 2, 3, 4, 5)), unix_cron(0, tuple(range(7))), unix_cron(60, (0, 6))
    ('55 7 * * 1-5', '0 0 * * *', '0 1 * * 0,6')
    """
    known = {tuple(range(7)): "*", (1, 2, 3, 4, 5): "1-5"}
    return f"{minute_of_day % 60} {minute_of_day // 60} * * {known.get(days) or ','.join(map(str, days))}"
