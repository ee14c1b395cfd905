"""Data that should be there and is not: an autoscaler without it stands still, and no other alarm goes off."""

from __future__ import annotations

from typing import Final

from capacity.findings import Finding
from capacity.monitoring.choosing.known import Known, Proposal
from capacity.monitoring.conditions import Absent, Reading

#: Minutes without a datapoint that are no delay of publishing any more: fifteen missing in a row.
MINUTES: Final = 15

#: What a running service always has, the surest first. Requests come and go.
ALWAYS: Final = ("cpu_utilization", "memory_utilization", "running_tasks")


def silence(known: Known) -> tuple[list[Proposal], list[Finding]]:
    """A page for a critical service, a ticket else; none for one that may run no task at all."""
    if known.service.min_tasks == 0 and (known.scaling is None or known.scaling.min_tasks == 0):
        message = "It may run no task at all, so that silence says nothing: no alarm tells of lost metrics."
        return [], [known.finding("silence", message, "Give it a minimum of one task, or a probe of its own.")]
    there = [name for name in ALWAYS if known.watch is not None and known.watch.minutes.has(name)]
    signal = there[0] if there else ALWAYS[0]
    alarm = known.alarm(
        "silence",
        "page" if known.service.tier == "critical" else "ticket",
        Absent(Reading(signal), MINUTES),
        f"No {signal} for {MINUTES} minutes: nothing runs, or nothing is measured.",
        f"A running service has a {signal} every minute. Without it the autoscaler does nothing, and no other alarm of "
        "this service can be trusted to go off.",
    )
    return [Proposal(alarm)], []
