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

#: Share of the cycle that the random pause spans, and longest ramp in s (reference loadtest.md 2.3).
_JITTER: Final = 0.8
_RAMP_SECONDS: Final = 5

#: With fewer threads one slow answer holds up the whole stream.
_FEWEST: Final = 4


@dataclass(frozen=True)
class Threads:
    """A thread group that drives a rate: `count` threads, each once a cycle, with a random pause in it."""

    count: int
    cycle_seconds: float

    @property
    def jitter_ms(self) -> int:
        """Range of the uniform pause that keeps threads from firing together."""
        return round(1000 * _JITTER * self.cycle_seconds)

    @property
    def ramp_seconds(self) -> int:
        """Over how long threads start: whole seconds, because JMeter reads 0.4 as 0, and 0 starts all at once."""
        return max(1, min(_RAMP_SECONDS, round(self.cycle_seconds)))


def threads_for(rate: float, slo_ms: float) -> Threads:
    """N = ceil(X · C) threads with a cycle of C = max(0.4 s, 4 × the SLO's latency), and at least four of them.

    Source: measured on JMeter 2.13 and 5.6.3, six rates within 1.5 % (reference loadtest.md 2.3).

    >>> threads_for(170, slo_ms=100), threads_for(170, slo_ms=500).count
    (Threads(count=68, cycle_seconds=0.4), 340)
    >>> threads_for(2, slo_ms=100)
    Threads(count=4, cycle_seconds=2.0)
    """
    cycle = cycle_seconds(slo_ms)
    count = math.ceil(round(rate * cycle, 9))
    return Threads(count, cycle) if count >= _FEWEST else Threads(_FEWEST, _FEWEST / rate)


def cycle_seconds(slo_ms: float) -> float:
    """How often a thread comes round, in s.

    >>> cycle_seconds(50), cycle_seconds(250)
    (0.4, 1.0)
    """
    return max(_CYCLE_SECONDS, _CYCLE_PER_SLO * slo_ms / 1000)
