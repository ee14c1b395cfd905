"""Data that should be there and is not: an autoscaler without it stands still, and no other alarm goes off."""

from __future__ import annotations

from typing import Final

from capacity.findings import Finding
from capacity.monitoring.choosing.known import Known, Proposal
from capacity.monitoring.conditions import Absent, AnyOf, Reading

#: Minutes without a datapoint that are no delay of publishing any more: fifteen missing in a row.
MINUTES: Final = 15

#: What a running service always has, the surest first.
ALWAYS: Final = ("cpu_utilization", "memory_utilization", "running_tasks")

#: Requests/s that the plan expects in its quietest hour, from which on requests never fail to come: at one a second a
#: quarter of an hour without any has a chance of exp(-900).
NEVER_NONE: Final = 1.0


def silence(known: Known) -> tuple[list[Proposal], list[Finding]]:
    """A page for a critical service, a ticket else; none for one that may run no task at all."""
    if known.min_tasks == 0:
        message = "It may run no task at all, so that silence says nothing: no alarm tells of lost metrics."
        return [], [known.finding("silence", message, "Give it a minimum of one task, or a probe of its own.")]
    there = [name for name in ALWAYS if known.watch is not None and known.watch.minutes.has(name)]
    lost = Absent(Reading(there[0] if there else ALWAYS[0]), MINUTES)
    load = known.expected("requests")
    busy = load is not None and len(load) > 0 and load.min() >= NEVER_NONE
    condition = AnyOf((lost, Absent(Reading("requests"), MINUTES))) if busy else lost
    what = f"{lost.reading.signal} or no requests" if busy else lost.reading.signal
    because = f"A running service has a {lost.reading.signal} every minute"
    if load is not None and busy:
        because += f", and requests, of which its quietest hour has {load.min():.3g} a second"
    alarm = known.alarm(
        "silence",
        "page" if known.service.tier == "critical" else "ticket",
        condition,
        f"No {what} for {MINUTES} minutes: nothing runs, nothing comes, or nothing is measured.",
        f"{because}. Without it the autoscaler does nothing, and no other alarm of the service can be trusted.",
    )
    return [Proposal(alarm)], []
