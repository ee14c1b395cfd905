"""Caught or not, how early, and who was woken for nothing. The rules were written before any alarm was judged;
"that tells of it", and that a ticket which opens again within a day is the same, came while alarms were tuned.

An incident is caught when an alarm goes off after its start and in time:

    surge, bad deploy   a page, up to 15 minutes after users were hurt, or before 5 % of a month's error budget is
                        gone, whichever is later: what a page after the Workbook's chapter 5 may cost. A ticket is read
                        the next morning, and does not count
    leak, quota         the same, or a ticket that tells of it (`TELLS_OF`) an hour or more before users were hurt
    silence             a page, or a ticket that tells of it, within 30 minutes

An alarm that was on before the start, and stayed on, catches nothing. That a minute is over and its value published
takes two minutes, for everyone. An alarm that states a lead keeps its promise
where users were hurt no sooner than that after it went off; one that states none tells of trouble that is there.

A page is false when no incident was going on (from its start until an hour after its end) and users were not hurt
within half an hour of it. A ticket that opens again within a day is the same ticket. Only the judged weeks count.

`by_chance` is what the same alarms would have caught had they gone off as often at other times: their record moved by
weeks, so that time of day and day of the week stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from benchmarks.alarms.incidents import KINDS, ON_END, Incident, Kind
from benchmarks.alarms.nature import MINUTES_A_DAY
from benchmarks.alarms.world import World

DELAY: Final = 2  # minutes from the start of a minute until its value is known and read: its length, and publication
GRACE: Final = 15  # minutes after users were hurt
BUDGET_SHARE: Final = 0.05  # of a month's error budget
TICKET_LEAD: Final = 60  # minutes
SILENCE: Final = 30  # minutes
AFTERWARDS: Final = 60  # minutes after its end that still belong to an incident
NEAR: Final = 30  # minutes between a page and users being hurt

#: What the services promised: share of requests, and share of minutes with p95 latency as promised.
AVAILABILITY: Final = 0.999
FAST_MINUTES: Final = 0.99
MONTH: Final = 30 * MINUTES_A_DAY

#: Kinds of alarm whose tickets send someone to the right place. Whoever is paged looks at everything.
TELLS_OF: Final[dict[Kind, tuple[str, ...]]] = {
    "surge": (),
    "bad deploy": (),
    "leak": ("leak",),
    "quota": ("quota",),
    "silence": ("silence",),
}

#: Weeks by which a record is moved to learn what chance would have caught.
MOVED: Final = (3, 7, 11, 17, 23, 31)


@dataclass(frozen=True, eq=False)
class Firing:
    """One alarm's record over a world.

    went_off  minutes at which someone was told
    lead      minutes it states between its going off and users being hurt; None where it tells of trouble that is there
    """

    name: str
    kind: str
    severity: Literal["page", "ticket"]
    went_off: np.ndarray
    lead: float | None = None


def told(on: np.ndarray) -> np.ndarray:
    """Minutes at which someone is told by an alarm that is `on` (n,) after each minute: as it turns on, and DELAY.

    >>> told(np.array([True, False, False, True, True])).tolist()
    [2, 5]
    """
    return np.flatnonzero(np.diff(on.astype(np.int8), prepend=0) == 1) + DELAY


@dataclass(frozen=True)
class Caught:
    """One incident and the first alarm that caught it; `by` is empty where none did.

    lead    minutes from the alarm until users were hurt; for a silence, minus the minutes until the alarm
    kept    whether the alarms that caught it keep the lead they state: one at least
    pages   how many went off while it lasted
    """

    service: str
    incident: Incident
    by: str = ""
    lead: float = float("nan")
    kept: bool = False
    pages: int = 0


@dataclass(frozen=True)
class Judged:
    """A set of alarms on one world.

    outside   pages while nothing was wrong that we did: those that are false, and those while users were hurt anyway
    promises  (alarm's kind, minutes stated, minutes found) for every alarm with a stated lead that went off in time
    chance    share of the incidents that it would have caught by going off as often at other times
    """

    service: str
    caught: tuple[Caught, ...]
    months: float
    false_pages: int
    outside: int
    tickets_outside: int
    promises: tuple[tuple[str, float, float], ...]
    chance: dict[Kind, float]


def judge(world: World, firings: Iterable[Firing]) -> Judged:
    """The record of some alarms against the truth."""
    kept = tuple(firings)
    incidents = [one for one in world.incidents if one.start >= world.judged]
    spent = _budget_spent(world)
    deadlines = {one: _deadline(one, spent) for one in incidents}
    caught = tuple(_caught(world.nature.name, one, deadlines[one], kept) for one in incidents)
    pages, tickets = _outside(world, kept, "page"), _outside(world, kept, "ticket")
    hurt = _near(_lasting(world.hurting), NEAR)
    return Judged(
        service=world.nature.name,
        caught=caught,
        months=(len(world.times) - world.judged) / MONTH,
        false_pages=int((~hurt[pages]).sum()),
        outside=len(pages),
        tickets_outside=len(tickets),
        promises=tuple(_promises(incidents, deadlines, kept)),
        chance=_by_chance(world, incidents, deadlines, kept),
    )


def _budget_spent(world: World) -> np.ndarray:
    """(n + 1,) months' budgets spent before each minute: of the two promises, the one that is spent faster then."""
    usual = float(world.met.load[world.judged :].mean())
    requests = world.failed * world.met.load / usual / (1 - AVAILABILITY) / MONTH
    slow = (world.p95 > world.nature.slowest_seconds) / (1 - FAST_MINUTES) / MONTH
    return np.concatenate([[0.0], np.cumsum(np.maximum(requests, slow))])


def _deadline(one: Incident, spent: np.ndarray) -> int:
    """Last minute in which telling of it is in time."""
    if one.hurt is None:
        return one.start + SILENCE
    gone = int(np.searchsorted(spent, spent[one.start] + BUDGET_SHARE)) - 1
    return max(one.hurt + GRACE, min(gone, one.end))


def _in_time(one: Incident, deadline: int, firing: Firing) -> np.ndarray:
    """Minutes at which this alarm caught it."""
    went, last = firing.went_off, deadline
    if firing.severity == "ticket":
        if firing.kind not in TELLS_OF[one.kind]:
            return np.empty(0, dtype=int)
        last = deadline if one.hurt is None else one.hurt - TICKET_LEAD
    return np.asarray(went[(went >= one.start) & (went <= last)])


def _caught(service: str, one: Incident, deadline: int, firings: tuple[Firing, ...]) -> Caught:
    found = [(int(minutes[0]), firing) for firing in firings if len(minutes := _in_time(one, deadline, firing))]
    pages = sum(_within(one, firing) for firing in firings if firing.severity == "page")
    if not found:
        return Caught(service, one, pages=pages)
    first, by = min(found, key=lambda each: each[0])
    trouble = one.start if one.hurt is None else one.hurt
    kept = any(alarm.lead is None or one.hurt is None or trouble - at >= alarm.lead for at, alarm in found)
    return Caught(service, one, by.kind, float(trouble - first), kept, pages)


def _within(one: Incident, firing: Firing) -> int:
    went = firing.went_off
    return int(((went >= one.start) & (went <= one.end)).sum())


def _promises(
    incidents: list[Incident], deadlines: dict[Incident, int], firings: tuple[Firing, ...]
) -> Iterable[tuple[str, float, float]]:
    for one in incidents:
        for firing in firings:
            if firing.lead is not None and one.hurt is not None:
                minutes = _in_time(one, deadlines[one], firing)
                if len(minutes):
                    yield firing.kind, firing.lead, float(one.hurt - minutes[0])


def _outside(world: World, firings: tuple[Firing, ...], severity: str) -> np.ndarray:
    """Minutes at which alarms went off while no incident was going on."""
    free = np.ones(len(world.times), dtype=bool)
    free[: world.judged] = False
    for one in world.incidents:
        free[one.start : one.end + AFTERWARDS + 1] = False
    names: dict[str, list[np.ndarray]] = {}
    for firing in firings:
        if firing.severity == severity:
            names.setdefault(firing.name, []).append(firing.went_off)
    found = [np.empty(0, dtype=int)]
    for went in names.values():
        every = np.sort(np.concatenate(went))
        if severity == "ticket":
            every = every[np.diff(every, prepend=-MINUTES_A_DAY) >= MINUTES_A_DAY]
        found.append(every[every < len(free)])
    all_of_them = np.concatenate(found)
    return np.asarray(all_of_them[free[all_of_them]])


def _lasting(hurting: np.ndarray) -> np.ndarray:
    """(n,) minutes in which users are hurt, of those that come ON_END and more on end."""
    changes = np.flatnonzero(np.diff(hurting.astype(np.int8), prepend=0, append=0))
    kept = np.zeros(len(hurting), dtype=bool)
    for begin, end in changes.reshape(-1, 2):
        kept[begin:end] = end - begin >= ON_END
    return kept


def _near(marked: np.ndarray, minutes: int) -> np.ndarray:
    """(n,) within so many minutes of a marked one."""
    total = np.concatenate([[0], np.cumsum(marked)])
    places = np.arange(len(marked))
    return np.asarray(total[np.minimum(places + minutes + 1, len(marked))] > total[np.maximum(places - minutes, 0)])


def _by_chance(
    world: World, incidents: list[Incident], deadlines: dict[Incident, int], firings: tuple[Firing, ...]
) -> dict[Kind, float]:
    hits: dict[Kind, list[bool]] = {kind: [] for kind in KINDS}
    judged = len(world.times) - world.judged
    for weeks in MOVED:
        moved = [
            replace(one, went_off=world.judged + (one.went_off - world.judged + weeks * 7 * MINUTES_A_DAY) % judged)
            for one in firings
        ]
        for one in incidents:
            hits[one.kind].append(any(len(_in_time(one, deadlines[one], firing)) for firing in moved))
    return {kind: float(np.mean(found)) if found else float("nan") for kind, found in hits.items()}
