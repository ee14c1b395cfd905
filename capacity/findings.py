"""What is remarkable about the data, in words, with what to do: nothing is silently dropped, filled or trusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from typing import Any, Literal

import pandas as pd

from capacity.display import table_html
from capacity.schema import FINDINGS

Status = Literal["PASS", "REVIEW", "FAIL", "UNKNOWN"]

#: Worst first: how a list of findings is sorted and summed up.
SEVERITY: dict[str, int] = {"FAIL": 0, "UNKNOWN": 1, "REVIEW": 2, "PASS": 3}


@dataclass(frozen=True)
class Finding:
    """One remarkable thing. FAIL: do not plan on this; REVIEW: a person should look; UNKNOWN: no evidence."""

    service: str
    metric: str
    check: str
    status: Status
    message: str
    advice: str = ""
    start: pd.Timestamp | None = None
    end: pd.Timestamp | None = None
    count: int = 0

    def __str__(self) -> str:
        place = " ".join(part for part in (self.service, self.metric) if part) or "fleet"
        sentence = self.message if self.message.endswith((".", "?", "!")) else f"{self.message}."
        return f"{self.status} {place}: {sentence} {self.advice}".rstrip()


@dataclass(frozen=True)
class Findings:
    """An ordered collection of Finding: worst first, then by service, metric and check.

    >>> Findings.of([Finding("web", "cpu", "gaps", "REVIEW", "3 gaps")]).status
    'REVIEW'
    >>> Findings().status
    'PASS'
    """

    items: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, *groups: Iterable[Finding]) -> Findings:
        """All findings of the groups, each once, worst first."""
        unique = dict.fromkeys(finding for group in groups for finding in group)
        order = sorted(unique, key=lambda f: (SEVERITY[f.status], f.service, f.metric, f.check, str(f.start)))
        return cls(tuple(order))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def status(self) -> Status:
        """The worst status in the collection; PASS when there is nothing."""
        return min((f.status for f in self.items), key=SEVERITY.__getitem__, default="PASS")

    def about(self, service: str, metric: str | None = None) -> Findings:
        """Those of one service (and metric), with those of the whole fleet left out."""
        return Findings(tuple(f for f in self.items if f.service == service and (metric is None or f.metric == metric)))

    @property
    def frame(self) -> pd.DataFrame:
        """As a table with the columns of `schema.FINDINGS`."""
        rows = [dict(zip(Finding.__dataclass_fields__, astuple(f), strict=True)) for f in self.items]
        frame = pd.DataFrame(rows, columns=FINDINGS.names)
        for column in ("start", "end"):
            frame[column] = pd.to_datetime(frame[column], utc=True).astype("datetime64[us, UTC]")
        return frame.astype({"count": "int64"})

    def plot(self) -> Any:
        """A bar a check and status, the worst first: how many findings. Raises InputError where there are none."""
        from collections import Counter

        from capacity import charts
        from capacity.errors import InputError

        if not self.items:
            raise InputError("nothing to draw: there are no findings")
        counts = Counter((one.status, one.check) for one in self.items)
        ordered = sorted(counts.items(), key=lambda pair: (SEVERITY[pair[0][0]], -pair[1], pair[0]))
        labels = [f"{status} {check}" for (status, check), _ in ordered]
        return charts.bars(labels, [float(count) for _, count in ordered], "findings", "Findings by check")

    def __str__(self) -> str:
        return "\n".join(map(str, self.items)) or "no findings"

    def _repr_html_(self) -> str:
        return table_html(f"{len(self)} findings, worst {self.status}", self.frame)


#: The default of every noun that carries findings.
NO_FINDINGS = Findings()
