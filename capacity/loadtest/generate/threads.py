"""How many JMeter threads, with which pauses, make a steady and almost Poisson stream of a rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

#: One generator with about this many threads is still quick enough to keep its clock (reference loadtest.md 2.3).
PER_GENERATOR: Final = 1000

#: Shortest cycle of a thread, and how many times the SLO's latency it is at least: threads that are late twice
#: over still come round in time (reference loadtest.md 2.3).
_CYCLE_SECONDS: Final = 0.4
_CYCLE_PER_SLO: Final = 4

#: Share of the cycle that the random pause spans (reference loadtest.md 2.3).
_JITTER: Final = 0.8

#: With fewer threads one slow answer holds up the whole stream.
_FEWEST: Final = 4


@dataclass(frozen=True)
class Threads:
    """A thread group that drives a rate: `count` threads, each once a cycle, with a random pause in it.

    Each thread has a clock of its own (mode 0 of JMeter's Constant Throughput Timer), and they start evenly over one
    cycle, so that the rate is there from the first second. The modes that threads share miss it by up to 40 %; mode 2,
    which divides the rate by the threads that are there already, drives twice the rate while they start.
    """

    count: int
    cycle_seconds: float

    @property
    def jitter_ms(self) -> int:
        """Range of the uniform pause that keeps threads from firing together."""
        return round(1000 * _JITTER * self.cycle_seconds)

    @property
    def ramp_seconds(self) -> int:
        """Over how long threads start: a cycle in whole seconds, because JMeter reads 0.4 as 0: all at once."""
        return max(1, round(self.cycle_seconds))

    @property
    def last_round_seconds(self) -> int:
        """How long threads go on after the end, on average: half a cycle, since 2.13 lets each finish its round."""
        return int(self.cycle_seconds / 2)


def threads_for(rate: float, slo_ms: float) -> Threads:
    """N = ceil(X · C) threads with a cycle of C = max(0.4 s, 4 × the SLO's latency), made longer to N / X.

    Never fewer than four. Source: reference loadtest.md 2.3, measured on JMeter 2.13 and 5.6.3.

    >>> threads_for(170, slo_ms=100), threads_for(170, slo_ms=500).count
    (Threads(count=68, cycle_seconds=0.4), 340)
    >>> threads_for(2, slo_ms=100)
    Threads(count=4, cycle_seconds=2.0)
    """
    count = max(_FEWEST, math.ceil(round(rate * cycle_seconds(slo_ms), 9)))
    return Threads(count, count / rate)


def cycle_seconds(slo_ms: float) -> float:
    """How often a thread comes round, in s.

    >>> cycle_seconds(50), cycle_seconds(250)
    (0.4, 1.0)
    """
    return max(_CYCLE_SECONDS, _CYCLE_PER_SLO * slo_ms / 1000)
