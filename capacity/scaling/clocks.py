"""The clocks of ECS service auto scaling: how long each part takes to notice and to act.

Source: reference aws.md 3.2 (target tracking as its alarms and documentation show it) and 4.3 (launch rate). They are a
model: AWS does not promise them. AWS's own benchmark of June 2026 took 363 s from the step in load to the trigger, with
one-minute metrics; these clocks take 240 to 300 s. `Clocks(metric_delay=3)` takes 360 s: use it to plan for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Clocks:
    """Delays and thresholds, in whole minutes unless named otherwise.

    >>> Clocks().reaction  # minutes from a step in load to the request for more tasks
    4
    """

    metric_delay: int = 1  # a minute's metric can be read this long after the minute has ended
    high_minutes: int = 3  # AlarmHigh: 3 of 3 x 60 s above the target
    low_minutes: int = 15  # AlarmLow: 15 of 15 x 60 s below `low_share` of the target
    low_share: float = 0.9  # seen in accounts, not documented
    launch_burst: int = 100  # Fargate: 100 tasks at once ...
    launch_rate: int = 1200  # ... then 20 a second

    @property
    def reaction(self) -> int:
        """Minutes from a step in load, at the start of a minute, until more tasks are asked for."""
        return self.high_minutes + self.metric_delay


#: The clocks as documented.
DOCUMENTED: Final = Clocks()
