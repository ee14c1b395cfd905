"""Which alarms a service needs, one kind a file: from what was promised and planned, never from a rule of thumb.

known       what a choice is made from, and what it looks like: an alarm, and what to try where it is too easily set off
burning     an error budget that burns too fast
saturation  tasks that are nearly full: at the maximum, or in spite of scaling
leak        memory that climbs and does not come back
breach      demand that leaves the plan's P95
silence     data that should be there and is not
anomaly     traffic that falls away
quota       an account's quota that comes near

What wakes someone is little: a promise that breaks, all tasks nearly full, memory that ends within hours, and for a
critical service silence. The rest are tickets.
"""

from __future__ import annotations

from capacity.findings import Finding
from capacity.monitoring.choosing.anomaly import anomaly
from capacity.monitoring.choosing.breach import forecast_breach
from capacity.monitoring.choosing.burning import burning
from capacity.monitoring.choosing.known import Calmer, Known, Proposal
from capacity.monitoring.choosing.leak import leak
from capacity.monitoring.choosing.quota import quota
from capacity.monitoring.choosing.saturation import saturation
from capacity.monitoring.choosing.silence import silence

__all__ = ["Calmer", "Known", "Proposal", "of_service", "quota"]


def of_service(known: Known) -> tuple[list[Proposal], list[Finding]]:
    """The alarms of one service, pages first, and what is missing for others."""
    proposals, findings = burning(known)
    for kind in (saturation, forecast_breach, silence):
        more, found = kind(known)
        proposals += more
        findings += found
    proposals += [*leak(known), *anomaly(known)]
    return sorted(proposals, key=lambda one: one.alarm.severity != "page"), findings
