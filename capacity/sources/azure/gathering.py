"""What a pull has been told so far, kept together until it is worth storing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from capacity.findings import Finding, Findings
from capacity.sources.azure.answers import Told, findings
from capacity.sources.azure.asking import Call
from capacity.sources.base import Observations, Span, microseconds
from capacity.sources.coverage import NOTHING, Asked, Coverage
from capacity.sources.pulling import Batch, nothing_found

#: Rows of a batch: a store rewrites a month for each, and a pull that dies loses at most these.
ROWS_A_BATCH: Final = 250_000


@dataclass
class Gathering:
    """Rows, findings and coverage of the calls answered since the last batch.

    source    name of the source
    services  resource id -> name of its service
    settled   end of what will not change any more, on the grid
    known     what was covered before: a series that was never seen and still is not gets a finding
    """

    source: str
    services: Mapping[str, str]
    settled: pd.Timestamp
    known: Coverage = NOTHING
    rows: int = 0
    _told: list[tuple[Call, Told]] = field(default_factory=list)
    _silent: dict[Asked, bool] = field(default_factory=dict)  # of every series asked for: whether nothing came
    _holes: Counter[Asked] = field(default_factory=Counter)

    def add(self, call: Call, series: Iterable[Told]) -> None:
        """Keep what one call was told."""
        for one in series:
            asked, count = self._asked(call, one), int(np.isfinite(one.values).sum())
            self._told.append((call, one))
            self._silent[asked] = self._silent.get(asked, True) and not count and one.broken is None
            self._holes[asked] += one.holes
            self.rows += count

    def batch(self, now: pd.Timestamp) -> Batch:
        """All that is kept, as one batch; nothing is kept after."""
        kept, self._told, self.rows = self._told, [], 0
        complaints = [finding for _, one in kept for finding in findings(one, self.services[one.resource])]
        covered = Coverage.of(
            (self._asked(call, one), Span(call.span.start, min(call.span.end, self.settled)))
            for call, one in kept
            if one.broken is None
        )
        return Batch(Observations.of(self._frame(kept), self.source, Findings.of(complaints), now), covered)

    def remarks(self) -> Iterator[Finding]:
        """What can only be said at the end: series that are empty, sums that are not known."""
        for asked, silent in self._silent.items():
            if silent and self.known.until(asked) is None:
                yield nothing_found(
                    asked.service,
                    asked.metric,
                    f"Azure Monitor has no value of it ({asked.stat}) in the span",
                    "Did the service run, and does its type have this metric? The metrics page of the resource shows.",
                )
        for asked, count in self._holes.items():
            if count:
                yield Finding(
                    asked.service,
                    asked.metric,
                    "gaps",
                    "REVIEW",
                    f"{count} intervals are left as gaps: the value of one replica or revision is missing between two "
                    "others, so their sum is not known",
                    "Nothing to do, if they are few.",
                    count=count,
                )

    def _asked(self, call: Call, one: Told) -> Asked:
        return Asked(self.source, self.services[one.resource], one.metric.metric, one.metric.stat, call.seconds)

    def _frame(self, kept: Sequence[tuple[Call, Told]]) -> pd.DataFrame:
        places = [np.flatnonzero(np.isfinite(one.values)) for _, one in kept]
        counts = [len(place) for place in places]
        stamps = [
            microseconds(call.span.start) + place * (call.seconds * 1_000_000)
            for (call, _), place in zip(kept, places, strict=True)
        ]
        values = [one.values[place] for (_, one), place in zip(kept, places, strict=True)]
        return pd.DataFrame(
            {
                "service": _repeated([self.services[one.resource] for _, one in kept], counts),
                "metric": _repeated([one.metric.metric for _, one in kept], counts),
                "stat": _repeated([one.metric.stat for _, one in kept], counts),
                "interval": np.repeat(np.array([call.seconds for call, _ in kept], dtype="int32"), counts),
                "timestamp": pd.DatetimeIndex(_joined(stamps, "int64").astype("datetime64[us]"), tz="UTC"),
                "value": _joined(values, "float64"),
            }
        )


def _joined(arrays: Sequence[np.ndarray], kind: str) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype=kind), *arrays])


def _repeated(words: Sequence[str], counts: Sequence[int]) -> pd.Categorical:
    codes, distinct = pd.factorize(np.array(words, dtype=object))
    return pd.Categorical.from_codes(np.repeat(codes, counts), categories=pd.Index(distinct, dtype="str"))
