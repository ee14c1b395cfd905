"""The clocks of ECS service auto scaling: how long each part takes to notice and to act.

What is known, and how sure it is (reference aws.md 3.2, 4.3, 4.4):

alarms      3 of 3 and 15 of 15 datapoints, 0.9 x target: seen in real accounts, not documented
reaction    AWS published one benchmark, with the announcement of 20-second metrics (18 June 2026): 363 s until the
            scale-out is triggered and 386 s until new tasks are provisioned with one-minute metrics, 86 s and 109 s
            with 20-second ones. We read the first of each pair as the time from the step in load to the request for
            more tasks, and the 23 s between the two as that test's start-up. It is one test, on CPU, of unknown
            phase; neither its load nor its spread was published
delays      what is left of those figures after the alarm's three datapoints: 180 s and 25 s. So they hold all that lies
            between the end of a datapoint and the request: publishing, the alarm's evaluation, the policy's run.
            aws.md 3.2 had assumed one minute, and other metrics (a load balancer's) may well be read sooner:
            `Clocks(metric_delay=1)` rehearses that. A policy that is only good at one exact delay is not good
AlarmLow    of 20-second metrics: assumed to watch the same quarter of an hour, 45 of 45 datapoints. Not verified
start-up    `Service.startup_seconds` is the whole of it: image, container, application and the load balancer's health
            checks, until the task takes load. No clock here adds to it
launches    Fargate's documented rate for an account, here taken by one service alone
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final, NamedTuple

from capacity.errors import InputError, Problem

#: Seconds of a datapoint of a high-resolution metric (aws.md 3.2).
FINE: Final = 20


class Steps(NamedTuple):
    """The clocks counted in steps of a replay."""

    seconds: int  # a step's length
    period: int  # steps a datapoint
    delay: int  # steps until a datapoint can be read, from its end on
    high: int  # datapoints of AlarmHigh
    low: int  # datapoints of AlarmLow
    burst: int  # launches at once ...
    rate: int  # ... and a step

    def of(self, seconds: float) -> int:
        """A duration in whole steps, rounded up."""
        return ceil(seconds / self.seconds)


@dataclass(frozen=True)
class Clocks:
    """Delays and thresholds, in whole minutes unless named otherwise.

    >>> Clocks().reaction  # minutes from a step in load to the request for more tasks
    6
    >>> Clocks().fine_reaction  # seconds, with 20-second metrics
    85
    """

    metric_delay: int = 3  # a minute's metric can be read this long after the minute has ended
    high_minutes: int = 3  # AlarmHigh: 3 of 3 datapoints above the target, of 60 s or of 20 s
    low_minutes: int = 15  # AlarmLow: 15 of 15 x 60 s below `low_share` of the target
    low_share: float = 0.9  # seen in accounts, not documented
    launch_burst: int = 100  # Fargate: 100 tasks at once ...
    launch_rate: int = 1200  # ... then 20 a second
    fine_step: int = 5  # seconds between the steps of a replay with 20-second metrics; divides 20
    fine_delay: int = 25  # seconds until a 20-second metric can be read, whole steps

    def __post_init__(self) -> None:
        problems = [
            Problem(f"is {getattr(self, name)!r}: whole, from {least} on", where=name)
            for name, least in (("metric_delay", 0), ("high_minutes", 1), ("low_minutes", 1), ("launch_burst", 1))
            if getattr(self, name) != int(getattr(self, name)) or getattr(self, name) < least
        ]
        if not 0 < self.low_share <= 1:
            problems.append(Problem(f"is {self.low_share:g}: a share of the target, above 0 and up to 1", "low_share"))
        if self.launch_rate < 1:
            problems.append(Problem(f"is {self.launch_rate}: at least one task a minute", where="launch_rate"))
        if self.fine_step < 1 or FINE % self.fine_step:
            problems.append(Problem(f"is {self.fine_step}: seconds that divide 20", where="fine_step"))
        elif self.fine_delay < 0 or self.fine_delay % self.fine_step:
            problems.append(Problem(f"is {self.fine_delay}: whole steps of {self.fine_step} s", where="fine_delay"))
        if problems:
            raise InputError("these clocks do not run:", problems)

    @property
    def reaction(self) -> int:
        """Minutes from a step in load, at the start of a minute, until more tasks are asked for."""
        return self.high_minutes + self.metric_delay

    @property
    def fine_reaction(self) -> int:
        """The same with 20-second metrics, in seconds, from the start of a datapoint."""
        return self.high_minutes * FINE + self.fine_delay

    def steps(self, resolution: int = 60) -> Steps:
        """The clocks in steps: of a minute, or of `fine_step` seconds where datapoints come every 20 s."""
        if resolution == 60:
            delay, low = self.metric_delay, self.low_minutes
            return Steps(60, 1, delay, self.high_minutes, low, self.launch_burst, self.launch_rate)
        step = self.fine_step
        rate = max(1, self.launch_rate * step // 60)
        low = self.low_minutes * 60 // FINE
        return Steps(step, FINE // step, self.fine_delay // step, self.high_minutes, low, self.launch_burst, rate)


#: The clocks that reproduce what AWS published.
DOCUMENTED: Final = Clocks()
