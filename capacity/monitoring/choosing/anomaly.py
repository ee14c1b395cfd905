"""Traffic that falls away: trouble before the service, which no load alarm sees. Only ever a ticket.

More traffic than expected is told of by the plan (`breach`). A band that a monitor learns itself is vague about what it
calls odd, and AWS bills it as three alarms; so there is one of it, downwards.
"""

from __future__ import annotations

from typing import Final

from capacity.monitoring.choosing.known import Known, Proposal
from capacity.monitoring.conditions import Anomaly, Reading

#: Of the band: AWS's console offers two, which one of twenty ordinary datapoints leaves on a side or the other. Traffic
#: departs from last week's by a twentieth or a tenth, so that six are a third or more of it.
DEVIATIONS: Final = 6.0
#: Two of two quarters of an hour.
PERIOD: Final = 15
TIMES: Final = 2


def anomaly(known: Known) -> list[Proposal]:
    """One where some requests are expected, and do not wait in a queue."""
    load = known.expected("requests")
    if load is None or not load.max() > 0 or known.service.tier == "batch":
        return []
    alarm = known.alarm(
        "anomaly",
        "ticket",
        Anomaly(Reading("requests", minutes=PERIOD), DEVIATIONS, "below", TIMES, TIMES),
        "Far fewer requests come than usual: trouble in front of the service, or clients that gave up.",
        f"Below a band of {DEVIATIONS:g} deviations that the monitor learns from two weeks, for {TIMES} of {TIMES} "
        f"periods of {PERIOD} minutes. What it calls odd is the monitor's affair: never a page.",
    )
    return [Proposal(alarm)]
