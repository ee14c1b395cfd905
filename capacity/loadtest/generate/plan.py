"""`LoadPlan`: the test that would prove a peak, as stages of a rate, a mix and the SLO they are judged by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from capacity.config.base import Positive, Probability, Settings
from capacity.errors import InputError
from capacity.loadtest.generate.requests import Header, Request, checked_mix
from capacity.loadtest.generate.threads import PER_GENERATOR, Threads, threads_for

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["ramp", "hold", "spike", "soak"]

#: How results name a stage: the kind, then its number, then the rate that was asked for.
_NAMES: Final = {"ramp": "ramp", "hold": "step", "spike": "spike", "soak": "soak"}

#: JMeter holds rates, so a ramp is stairs: about one every 15 s, at most ten (their names end in a to j).
_STAIR_SECONDS: Final = 15
_MOST_STAIRS: Final = 10

#: What requests of stages that nothing is promised for are called apart by, so that criteria and tables by label
#: judge only what is promised.
BEYOND: Final = ", beyond the promise"

#: Shorter stages than this are no proof (reference loadtest.md 2.4: at least 3 minutes after settling).
PROOF_SECONDS: Final = 180


class Slo(Settings):
    """What is promised: a quantile of latency within a bound, and a share of errors.

    >>> str(Slo(ms=250))
    'p95 at most 250 ms and at most 1 % errors'
    """

    ms: Positive = Field(description="Bound of the latency, in milliseconds.")
    quantile: Probability = Field(0.95, description="Which quantile of latency it bounds.")
    error_share: float = Field(0.01, ge=0, lt=1, description="Share of requests that may fail.")

    def __str__(self) -> str:
        return f"p{self.quantile * 100:.6g} at most {self.ms:g} ms and at most {self.error_share * 100:.6g} % errors"


@dataclass(frozen=True)
class Level:
    """A stretch of constant rate: a stage, or one stair of a ramp. `start` and `seconds` in s since the test began."""

    name: str  # `step05 170rps`: results are read back by it
    rate: float  # requests/s, of all generators together
    start: int
    seconds: int
    judged: bool


@dataclass(frozen=True)
class Stage:
    """One stage of a plan.

    kind     hold: a load point; ramp: from `rate_from` to `rate`; spike: all at once; soak: long at one rate
    rate     requests/s, with four digits, so that names and files say the same
    seconds  how long, settling included
    judged   whether the SLO is promised here; False: looked at for the capacity, and expected to break at some rate
    """

    number: int
    kind: Kind
    rate: float
    seconds: int
    judged: bool = True
    rate_from: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate) and self.rate > 0 and self.seconds >= 1):
            raise InputError(f"stage {self.number}: {self.rate:g} requests/s for {self.seconds} s drives nothing")
        if (self.kind == "ramp") != (self.rate_from is not None):
            raise InputError(f"stage {self.number}: a ramp, and nothing else, says from which rate it comes")

    @property
    def name(self) -> str:
        """As results name it.

        >>> Stage(5, "hold", 170, 240).name
        'step05 170rps'
        """
        return f"{_NAMES[self.kind]}{self.number:02d} {self.rate:.10g}rps"

    def levels(self, start: int) -> tuple[Level, ...]:
        """The stage as stretches of constant rate, the first from `start`. A ramp's stairs hold its rate in their
        middle, so that they send as many requests as the straight line.

        >>> [(level.name, level.seconds) for level in Stage(2, "ramp", 100, 45, rate_from=40).levels(0)]
        [('ramp02a 50rps', 15), ('ramp02b 70rps', 15), ('ramp02c 90rps', 15)]
        """
        if self.rate_from is None:
            return (Level(self.name, self.rate, start, self.seconds, self.judged),)
        count = max(1, min(_MOST_STAIRS, self.seconds // _STAIR_SECONDS))
        edges = [start + self.seconds * n // count for n in range(count + 1)]
        rates = [rounded(self.rate_from + (self.rate - self.rate_from) * (n + 0.5) / count) for n in range(count)]
        return tuple(
            Level(
                f"ramp{self.number:02d}{chr(97 + n)} {rate:.10g}rps",
                rate,
                edges[n],
                edges[n + 1] - edges[n],
                self.judged,
            )
            for n, rate in enumerate(rates)
        )


@dataclass(frozen=True)
class LoadPlan:
    """What to drive, for how long, and when it has passed. Made by `plan_for` or `plan_from_forecast`.

    peak_per_s  requests/s of the whole service that the plan is to be proven for, as a mean of its busiest interval
    spike       what its busiest moment is of that, at least 1
    tasks       tasks behind the target while the test runs
    planned     tasks that are to carry the whole peak
    claimed     requests/s that one task is said to carry within the SLO
    """

    stages: tuple[Stage, ...]
    mix: tuple[Request, ...]
    slo: Slo
    peak_per_s: float
    tasks: int
    planned: int
    claimed: float
    spike: float = 1.0
    headers: tuple[Header, ...] = ()
    service: str = ""
    evidence: tuple[str, ...] = ()  # sentences: where peak, rise and spike come from

    def __post_init__(self) -> None:
        object.__setattr__(self, "mix", checked_mix(self.mix))
        if not self.stages:
            raise InputError("a plan without stages drives nothing")
        if not self.service.isprintable():
            raise InputError("the name of the service holds line breaks or control characters")

    @property
    def share_per_s(self) -> float:
        """Requests/s of the peak that the tasks under test are to carry."""
        return self.peak_per_s * self.tasks / self.planned

    @property
    def levels(self) -> tuple[Level, ...]:
        """All stretches of constant rate, in order."""
        starts = [sum(stage.seconds for stage in self.stages[:n]) for n in range(len(self.stages))]
        return tuple(
            level for stage, start in zip(self.stages, starts, strict=True) for level in stage.levels(int(start))
        )

    @property
    def seconds(self) -> int:
        """How long the test takes."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def requests(self) -> int:
        """About how many requests it sends."""
        return round(sum(level.rate * level.seconds for level in self.levels))

    @property
    def generators(self) -> int:
        """How many JMeter generators share the load, so that none needs more than about 1,000 threads."""
        most = max(stage.rate for stage in self.stages)
        return max(1, math.ceil(threads_for(most, self.slo.ms).count / PER_GENERATOR))

    def threads(self, rate: float) -> Threads:
        """What one JMeter generator needs for its part of a rate."""
        return threads_for(rate / self.generators, self.slo.ms)

    @property
    def arithmetic(self) -> tuple[str, ...]:
        """How the figures follow from each other, in sentences of one line each."""
        from capacity.loadtest.generate.words import arithmetic

        return tuple("".join(one if one.isprintable() else " " for one in line) for line in arithmetic(self))

    @property
    def frame(self) -> pd.DataFrame:
        """A row a stage: name, kind, start and seconds (s), rate_per_s, judged."""
        import pandas as pd

        starts = [sum(stage.seconds for stage in self.stages[:n]) for n in range(len(self.stages))]
        return pd.DataFrame(
            {
                "name": [stage.name for stage in self.stages],
                "kind": [stage.kind for stage in self.stages],
                "start": starts,
                "seconds": [stage.seconds for stage in self.stages],
                "rate_per_s": [float(stage.rate) for stage in self.stages],
                "judged": [stage.judged for stage in self.stages],
            }
        )

    def jmx(self) -> str:
        """A plan for Apache JMeter, 2.13 to 5.6, without plugins. Runs only when told a host."""
        from capacity.loadtest.generate.jmx import jmx

        return jmx(self)

    def taurus(self, script: str = "loadtest.jmx") -> str:
        """A Taurus configuration (YAML) that runs `script`, here or on BlazeMeter, and passes or fails by the SLO."""
        from capacity.loadtest.generate.taurus import taurus

        return taurus(self, script)

    def gatling(self) -> str:
        """A Gatling simulation in Java (Gatling 3.7 and newer): open arrivals, with assertions from the SLO."""
        from capacity.loadtest.generate.gatling import gatling

        return gatling(self)

    def write(self, folder: str | Path) -> tuple[Path, ...]:
        """Write all of them and a README of how to run them; a new folder is there whole or not at all.

        Raises InputError where the folder cannot be written.
        """
        from capacity.loadtest.generate.writing import write

        return write(self, Path(folder))

    def plot(self) -> Any:
        """Chart of the rate that is driven over time; what goes beyond the claim is in another colour."""
        from capacity.loadtest.pictures import driven

        return driven(self)

    def __str__(self) -> str:
        return "\n".join(self.arithmetic)

    def _repr_html_(self) -> str:
        from capacity.display import table_html

        return table_html(" ".join(self.arithmetic), self.frame)


def rounded(rate: float) -> float:
    """A rate with four significant digits: what names of stages say is what is driven.

    >>> rounded(16.66666), rounded(123456.0)
    (16.67, 123500.0)
    """
    return float(f"{rate:.4g}")


def labels(plan: LoadPlan, judged: bool) -> Sequence[str]:
    """What results call the requests: in stages that are judged, and apart in those that are not."""
    return [request.label if judged else request.label + BEYOND for request in plan.mix]
