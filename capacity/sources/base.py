"""The contract of a source: fetch, translate, stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import pandas as pd

from capacity.findings import NO_FINDINGS, Findings


class Span(NamedTuple):
    """From `start` up to, not including, `end`; both UTC."""

    start: pd.Timestamp
    end: pd.Timestamp


@dataclass(frozen=True, eq=False)
class Observations:
    """What a source said: the table `schema.OBSERVATIONS`, sorted by its key, each key once, gaps left as gaps."""

    frame: pd.DataFrame
    source: str
    findings: Findings = NO_FINDINGS


@runtime_checkable
class Source(Protocol):
    """Where measurements come from. A source reports; it never fills, smooths or guesses.

    A source is built from its settings (path, region, services, queries ...), which are its fields; `read` is the
    only method that touches the outside world. Third parties name theirs in the entry-point group `capacity.sources`.
    """

    name: str

    def read(self, span: Span | None = None) -> Observations: ...
