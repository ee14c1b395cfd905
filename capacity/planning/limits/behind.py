"""Limits behind the services: connections of a database, calls a second that something downstream takes.

Stated as `[[service.limit]]`. Of one kind and name in several services they are one thing that those share: what each
path takes of it is added up over them. Connections are counted while the largest deployment runs, old and new tasks
side by side, each with its pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from capacity.config import Limit, Service
from capacity.findings import Finding
from capacity.planning.limits.sharing import Place, SharedUse, Taken, Tasks, Used, deploying_words
from capacity.planning.limits.weighed import Ceiling
from capacity.planning.words import first_few, listed

#: Kinds of limit that are reached at a date; retries are a disturbance: `plan.bottlenecks()`.
KINDS = {"connections": "connections", "downstream": "calls/s"}


def place_of(limit: Limit) -> Place:
    return Place(limit.kind, limit.name)


def of_behind(use: Tasks) -> Iterator[Taken | Place]:
    """What a service takes of each limit it states; the bare place where nobody knows how much.

    >>> pool = Limit(name="orders-db", kind="connections", total=700, per_task=20)
    >>> web = Service(name="web", limit=(pool,), maximum_percent=150)
    >>> taken, = of_behind(Tasks(web, np.array([[10, 21]])))
    >>> taken.running.tolist(), taken.surge.tolist()
    ([[200.0, 420.0]], [[100.0, 200.0]])
    """
    for limit in use.service.limit:
        if limit.kind == "connections" and limit.per_task is not None:
            held = limit.per_task
            yield Taken(place_of(limit), use.running * held, (use.deploying - use.running) * held)
        elif limit.kind == "downstream" and use.requests is not None:
            yield Taken(place_of(limit), np.asarray(use.requests, dtype=float) * limit.per_request)
        elif limit.kind in KINDS:
            yield place_of(limit)


Stated = Mapping[Place, Sequence[tuple[Service, Limit]]]


def stated_by(services: Iterable[Service]) -> Stated:
    """Each limit behind the services, with those that state it and what they say of it."""
    stated: dict[Place, list[tuple[Service, Limit]]] = {}
    for service in services:
        for limit in service.limit:
            if limit.kind in KINDS:
                stated.setdefault(place_of(limit), []).append((service, limit))
    return stated


def ceilings(stated: Stated, uses: Mapping[Place, SharedUse]) -> Iterator[Used]:
    """The limits behind the services of which anything is known. Where totals differ the smallest holds."""
    for place, use in uses.items():
        if place.kind not in KINDS or not use.services:
            continue
        others = max(limit.others for _, limit in stated[place])
        missing = [service.name for service, _ in stated[place] if service.name not in use.services]
        counted = [deploying_words(use.services)] if place.kind == "connections" else []
        counted += [f"Others take {others:,.10g} of it."] if others else []
        counted += [f"What {first_few(missing)} takes of it is not known and not counted."] if missing else []
        yield Used(_ceiling(place, stated[place]), use.peak + others, " ".join(counted))


def _ceiling(place: Place, stated: Sequence[tuple[Service, Limit]]) -> Ceiling:
    """Of one service under its name, of several as what they share."""
    whose = [service for service, _ in stated]
    alone = whose[0] if len(whose) == 1 else None
    return Ceiling(
        name=alone.name if alone else f"(shared {place.of})",
        limit=f"{place.kind}: {place.of}",
        value=min(limit.total or 0.0 for _, limit in stated),
        unit=KINDS[place.kind],
        change_days=max(service.change_days for service in whose),
        what=f"the {KINDS[place.kind]} of `{place.of}`",
        how="" if alone else f"Shared by {first_few([service.name for service in whose])}.",
        owner=alone.owner if alone else "",
        timezone=alone.timezone if alone else "UTC",
        whole=place.kind == "connections",
    )


def findings(stated: Stated, uses: Mapping[Place, SharedUse]) -> list[Finding]:
    """What is not known of limits behind the services, and where their totals contradict each other."""
    found = []
    for place, use in uses.items():
        if place.kind not in KINDS:
            continue
        missing = "per_task of the limit" if place.kind == "connections" else "its requests, forecast"
        found += [
            Finding(
                name,
                "",
                "limit",
                "UNKNOWN",
                f"What it takes of `{place.of}` ({KINDS[place.kind]}) is not known, so not when that is reached.",
                f"State {missing}." if place.kind == "connections" else f"Bring {missing}.",
            )
            for name in use.unknown
        ]
        totals = {limit.total for _, limit in stated[place]}
        if len(totals) > 1:
            said = listed([f"{total:,.10g}" for total in sorted(total or 0.0 for total in totals)])
            names = [service.name for service, _ in stated[place]]
            found.append(
                Finding(
                    names[0],
                    "",
                    "limit",
                    "REVIEW",
                    f"`{place.of}` is said to take {said} {KINDS[place.kind]}; the smallest is planned with.",
                    f"State one total in {first_few(names)}.",
                )
            )
    return found
