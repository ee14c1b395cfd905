"""What goes wrong, when and how hard; and what looks like trouble and is none. Times are minutes of the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from benchmarks.alarms.nature import MINUTES_A_DAY, Nature

Kind = Literal["surge", "leak", "bad deploy", "quota", "silence"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

#: How each kind shows itself, drawn with equal chance.
FLAVOURS: Final[dict[Kind, tuple[str, ...]]] = {
    "surge": ("beyond the maximum", "faster than a start"),
    "leak": ("memory",),
    "bad deploy": ("errors", "latency", "processor"),
    "quota": ("others take it",),
    "silence": ("everything", "load balancer", "tasks"),
}

#: Incidents of each kind that a service has in a year.
EACH_A_YEAR: Final = 5

#: What does not hurt at first is made harder by this, up to so many times.
HARDER: Final = 1.2
MOST_TRIES: Final = 8

#: Users are hurt when so many minutes on end were bad.
ON_END: Final = 5

#: Nothing else happens so near an incident, in minutes.
APART: Final = 360


@dataclass(frozen=True)
class Incident:
    """What was done to a service, and what came of it.

    start, end  minutes: from the first cause until it was undone
    hard        how hard, in the flavour's own measure (`drawn`)
    grows       minutes from the start until it is at its full strength
    hurt        the first minute in which users felt it; None where they do not (silence)
    """

    kind: Kind
    flavour: str
    start: int
    end: int
    hard: float
    grows: int
    hurt: int | None = None


@dataclass(frozen=True)
class Quiet:
    """Ordinary life: nobody wants to be woken for it.

    deploys  (minute at which a good release replaced every task, change of its memory, factor of processor time)
    promos   (start, minutes, factor of the load)
    hiccups  (start, minutes, share of requests that fail, factor of latency): over before users are hurt
    others   (start, minutes, share of the account's quota): deployments of others
    gaps     (start, minutes) without any metric
    """

    deploys: tuple[tuple[int, float, float], ...]
    promos: tuple[tuple[int, int, float], ...]
    hiccups: tuple[tuple[int, int, float, float], ...]
    others: tuple[tuple[int, int, float], ...]
    gaps: tuple[tuple[int, int], ...]


def placed(nature: Nature, count: int, each_a_year: float, rng: np.random.Generator) -> list[Incident]:
    """Incidents over `count` minutes: kinds in any order, one in each of equal parts of the time, days apart."""
    many = round(each_a_year * len(KINDS) * count / (365 * MINUTES_A_DAY))
    kinds = [KINDS[number % len(KINDS)] for number in range(many)]
    rng.shuffle(kinds)
    part = count // max(many, 1)
    return [
        drawn(kind, number * part + int(part * rng.uniform(0.1, 0.5)), nature, rng) for number, kind in enumerate(kinds)
    ]


def drawn(kind: Kind, start: int, nature: Nature, rng: np.random.Generator) -> Incident:
    """One incident from its start. `hard` is, for

    surge       load over what all tasks at the maximum carry, or over what it was a minute before
    leak        1 (its speed is `grows`: until the memory is gone)
    bad deploy  share of requests that fail; latency over the promise; processor time of a request over what it was
    quota       1 (others take all of it within `grows`)
    silence     1
    """
    flavour = str(rng.choice(FLAVOURS[kind]))
    hard, grows = 1.0, 1
    if kind == "surge":
        beyond = flavour == "beyond the maximum"
        hard = float(rng.uniform(1.05, 1.6)) if beyond else float(rng.uniform(1.8, 3.0))
        grows = int(rng.integers(5, 41)) if beyond else 1
        lasts = grows + int(rng.integers(30, 181))
    elif kind == "leak":
        grows = int(60 * np.exp(rng.uniform(np.log(6), np.log(72))))
        lasts = grows + int(rng.integers(30, 121))
    elif kind == "bad deploy":
        least, most = {"errors": (0.02, 0.3), "latency": (1.2, 4.0), "processor": (1.8, 3.0)}[flavour]
        hard = float(np.exp(rng.uniform(np.log(least), np.log(most))))
        lasts = int(rng.integers(45, 241))
    elif kind == "quota":
        grows = int(rng.integers(3 * 60, 24 * 60))
        lasts = grows + 60 * 60  # until a rise of the next days meets it; cut short after it hurt
    else:
        lasts = int(rng.integers(60, 12 * 60))
    return Incident(kind, flavour, start, start + lasts, hard, grows)


def quiet(count: int, incidents: list[Incident], rng: np.random.Generator) -> Quiet:
    """Ordinary life between the incidents."""
    free = np.ones(count, dtype=bool)
    for one in incidents:
        free[max(0, one.start - APART) : one.end + APART] = False

    def some(a_week: float, longest: int) -> list[int]:
        begins = rng.integers(0, count - longest, rng.poisson(a_week * count / (7 * MINUTES_A_DAY)))
        return [int(begin) for begin in sorted(begins) if free[begin] and free[begin + longest]]

    return Quiet(
        deploys=tuple((at, 0.03 * rng.standard_normal(), 1 + 0.04 * rng.standard_normal()) for at in some(1.5, 30)),
        promos=tuple((at, int(rng.integers(60, 181)), float(rng.uniform(1.15, 1.35))) for at in some(0.33, 200)),
        hiccups=tuple(_hiccup(at, rng) for at in some(1.0, 10)),
        others=tuple((at, int(rng.integers(5, 31)), float(rng.uniform(0.65, 0.9))) for at in some(0.5, 40)),
        gaps=tuple((at, int(rng.integers(1, 5))) for at in some(0.7, 10)),
    )


def _hiccup(at: int, rng: np.random.Generator) -> tuple[int, int, float, float]:
    """A dependency fails or dawdles for a few minutes."""
    lasts, fails = int(rng.integers(1, ON_END)), rng.random() < 0.5
    share = float(np.exp(rng.uniform(np.log(0.002), np.log(0.02)))) if fails else 0.0
    return at, lasts, share, 1.0 if fails else float(rng.uniform(1.5, 3.0))
