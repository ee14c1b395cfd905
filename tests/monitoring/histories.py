"""Small histories for the tests of this room: any signals of a service, at any intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from capacity.findings import NO_FINDINGS
from capacity.history import History
from capacity.sources.base import tidy
from capacity.sources.coverage import NOTHING, Coverage

MONDAY = pd.Timestamp("2026-03-02", tz="UTC")


def history_of(
    series: Mapping[tuple[str, str, int], Sequence[float] | np.ndarray],
    service: str = "web",
    start: pd.Timestamp = MONDAY,
    source: str = "files:usage.csv",
    answered: Coverage = NOTHING,
) -> History:
    """series: (metric, statistic, interval in seconds) -> values from `start` on; NaN is a row there is not."""
    tables = []
    for (metric, stat, seconds), values in series.items():
        stamps = pd.date_range(start, periods=len(values), freq=f"{seconds}s", unit="us")
        table = pd.DataFrame({"timestamp": stamps, "value": np.asarray(values, dtype=float)})
        tables.append(table.assign(service=service, metric=metric, stat=stat, interval=seconds).dropna())
    rows = pd.concat(tables).assign(source=source, fetched_at=start)
    return History(tidy(rows), NO_FINDINGS, answered)


def together(*histories: History) -> History:
    """One history of several services."""
    return History(tidy(pd.concat([one.to_frame() for one in histories])))
