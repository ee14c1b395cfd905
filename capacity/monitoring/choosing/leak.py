"""Memory that climbs and does not come back: a page where it is full within hours, a ticket where within days.

A line through the last hours would foresee the end of memory every morning. So memory also has to be above what it
hardly ever passed lately (a daily pattern is not), and a release that needs more memory than the last is a step, not a
climb: for the page, the line through half an hour has to lead to the limit for a whole hour, which no step does.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from capacity.monitoring.choosing.known import Calmer, Known, Proposal
from capacity.monitoring.conditions import All, Reading, Threshold, Trend
from capacity.planning.words import counted

#: Percent of memory on average over the tasks at which the fullest of them is killed: tasks are not all alike.
LIMIT: Final = 95.0

#: Minutes of history that tell what memory usually is: four weeks hold every kind of day.
DAY: Final = 1440
USUAL: Final = 28 * DAY
#: With less than a day of them nothing is usual yet: the plan says what is allowed.
LEAST_USUAL: Final = DAY - 15
#: Of those minutes so many count: one leak in four weeks does not make leaks usual.
HARDLY: Final = 0.98
#: Memory is unusual a fifth of the way from the highest that it was to the limit.
ROOM: Final = 0.2

#: The page: full within six hours by the line of two hours and, for an hour, by that of half an hour. It promises one.
HOURS: Final = Trend(Reading("memory_utilization"), LIMIT, over_minutes=120, ahead_minutes=360)
STEADY: Final = Trend(Reading("memory_utilization"), LIMIT, over_minutes=30, ahead_minutes=360, at_least=60, of=60)
HOURS_LEAD: Final = 60

#: The ticket: full within three days by the line of two days, over which a daily pattern is level, and not yet halfway
#: there: what is halfway before six hours' mean is unusual climbs a tenth of the way an hour, and is the page's affair.
#: So there are five hours left, of which it promises four.
DAYS: Final = Trend(Reading("memory_utilization", minutes=5), LIMIT, over_minutes=2880, ahead_minutes=4320)
DAYS_LEAD: Final = 240


def leak(known: Known) -> list[Proposal]:
    """`leak` and `leak-slow`; nothing for a service whose memory cannot be known."""
    usual, days = _usual(known)
    start = known.service.memory_target * 100 if usual is None else usual
    above = round(min(LIMIT - 1, start + ROOM * max(0.0, LIMIT - start)), 1)
    halfway = round((start + LIMIT) / 2, 1)
    seen = (
        f"no history tells what it usually is, the plan allows {start:.0f} %"
        if usual is None
        else f"in the last {_spoken(days)} it was hardly ever above {usual:.0f} %"
    )
    batch = known.service.tier == "batch"
    hours = All((HOURS, STEADY, _unusual(above, 15)))
    calmer = (
        Calmer(
            All((HOURS, STEADY, _unusual(round((above + LIMIT) / 2, 1), 15))), "until memory is nearer to the limit"
        ),
    )
    page = known.alarm(
        "leak",
        "ticket" if batch else "page",
        hours,
        "Memory climbs steadily: within six hours tasks are killed for want of it.",
        f"Memory is above {above:g} % ({seen}), and its line leads to {LIMIT:g} %, where the fullest task is killed. "
        "It has done so for an hour, which no release's step does.",
        lead=HOURS_LEAD,
    )
    ticket = known.alarm(
        "leak",
        "ticket",
        All((DAYS, _unusual(above, 360), Threshold(Reading("memory_utilization", minutes=15), "<", halfway))),
        "Memory climbs from day to day: within three days tasks are killed for want of it.",
        f"Memory is above {above:g} % for six hours ({seen}), and the line of two days leads to {LIMIT:g} %. Above "
        f"{halfway:g} %, halfway there, the page takes over.",
        more="slow",
        lead=DAYS_LEAD,
    )
    return [Proposal(page, calmer), Proposal(ticket)]


def _unusual(above: float, minutes: int) -> Threshold:
    return Threshold(Reading("memory_utilization", minutes=minutes), ">", above)


def _usual(known: Known) -> tuple[float | None, int]:
    """What the mean of fifteen minutes hardly passed in the newest four weeks, in percent (None: less than a day of
    them is known), and days of which that is known.
    """
    if known.watch is None:
        return None, 0
    values = known.watch.reading(Reading("memory_utilization", minutes=15))[-USUAL:]
    found = int(np.count_nonzero(np.isfinite(values)))
    if found < LEAST_USUAL:
        return None, 0
    return float(np.nanquantile(values, HARDLY)), max(1, found // DAY)


def _spoken(days: int) -> str:
    """So many days, as people say them.

    >>> _spoken(28), _spoken(2)
    ('four weeks', '2 days')
    """
    return "four weeks" if days >= USUAL // DAY - 1 else counted(days, "day")
