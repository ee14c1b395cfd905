"""The contract of a source that is pulled: in batches, only what is not yet known, at a cost known beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import pandas as pd

from capacity.findings import Finding, Findings
from capacity.sources.base import Observations, Span
from capacity.sources.coverage import NOTHING, Coverage


@dataclass(frozen=True, eq=False)
class Batch:
    """One step of a pull: rows, and what is covered once they are stored. Stored whole, or not at all."""

    observations: Observations
    covered: Coverage = NOTHING


@dataclass(frozen=True)
class Outlay:
    """Calls to the outside world and what they cost: estimated before a pull, counted after it.

    calls  operation -> how many: {"GetMetricData": 3}
    least  the fewest calls of that kind that the limits of the other side allow; empty where there is no such figure
    usd    at list price, an upper bound

    >>> str(Outlay({"GetMetricData": 3}, {"GetMetricData": 3}, usd=0.00012))
    '3 GetMetricData calls (3 is the least the limits allow), at most $0.0002'
    """

    calls: Mapping[str, int] = field(default_factory=dict)
    least: Mapping[str, int] = field(default_factory=dict)
    usd: float = 0.0

    @property
    def total(self) -> int:
        """All calls together."""
        return sum(self.calls.values())

    def __str__(self) -> str:
        parts = [
            f"{count:,} {name} call{'' if count == 1 else 's'}"
            + (f" ({self.least[name]:,} is the least the limits allow)" if name in self.least else "")
            for name, count in sorted(self.calls.items())
        ]
        return f"{', '.join(parts) or 'no calls'}, {_dollars(self.usd)}"


@runtime_checkable
class Pulled(Protocol):
    """A source that is pulled. Built from its settings, like every Source; `pull` and `outlay` touch the outside world.

    `pull` yields batches in any order, each small enough to hold (about a million rows). It asks for what `known` does
    not cover, and reads again what had not settled. A source never stores and never fills: `history.fetch` does the
    first, nobody the second. Whoever stops iterating, or dies, loses the batches not yet stored and nothing else.
    """

    @property
    def name(self) -> str: ...

    @property
    def spent(self) -> Outlay:
        """What this object's pulls have cost so far; it grows while one is running."""
        ...

    def outlay(self, span: Span, known: Coverage = NOTHING) -> Outlay:
        """What a pull would cost. May look things up where that is free."""
        ...

    def pull(self, span: Span, known: Coverage = NOTHING) -> Iterator[Batch]: ...

    def read(self, span: Span | None = None) -> Observations: ...


def pulled(source: Pulled, span: Span) -> Observations:
    """All batches of a pull as one: what `read` of a pulled source gives."""
    batches = [batch.observations for batch in source.pull(span)]
    findings = Findings.of(*(part.findings for part in batches))
    if not batches:
        return Observations.of(_NO_ROWS, source.name, findings)
    frame = pd.concat([part.frame.astype(_PLAIN) for part in batches], ignore_index=True)
    return Observations.of(frame, source.name, findings, batches[-1].fetched_at)


def last_days(days: float, now: pd.Timestamp | None = None) -> Span:
    """The span of the last days, up to now.

    >>> last_days(2, pd.Timestamp("2026-08-03T12:00Z")).start
    Timestamp('2026-08-01 12:00:00+0000', tz='UTC')
    """
    end = now if now is not None else pd.Timestamp.now(tz="UTC")
    return Span((end - pd.Timedelta(days=days)).as_unit("us"), end.as_unit("us"))


def nothing_found(service: str, metric: str, message: str, advice: str) -> Finding:
    """A series that was asked for and has no value in the whole span."""
    return Finding(service, metric, "empty", "UNKNOWN", message, advice)


_PLAIN = {"service": "str", "metric": "str", "stat": "str"}
_NO_ROWS = pd.DataFrame(
    {
        "service": pd.Series(dtype="str"),
        "metric": pd.Series(dtype="str"),
        "stat": pd.Series(dtype="str"),
        "interval": pd.Series(dtype="int32"),
        "timestamp": pd.Series(dtype="datetime64[us, UTC]"),
        "value": pd.Series(dtype="float64"),
    }
)


def _dollars(usd: float) -> str:
    """Rounded up, so that it stays a bound."""
    from math import ceil

    if usd == 0:
        return "free of charge"
    digits = 2 if usd >= 1 else 4
    return f"at most ${ceil(usd * 10**digits) / 10**digits:,.{digits}f}"
