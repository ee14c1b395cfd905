"""Histories with a bill, written out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from capacity.history import History
from capacity.sources import Observations


def history_of(series: Mapping[tuple[str, str], tuple[pd.DatetimeIndex, Sequence[float]]], seconds: int) -> History:
    """(service, metric) -> stamps and values of one interval."""
    frames = [
        pd.DataFrame(
            {
                "service": service,
                "metric": metric,
                "stat": "mean",
                "interval": seconds,
                "timestamp": pd.to_datetime(stamps, utc=True),
                "value": [float(value) for value in values],
            }
        )
        for (service, metric), (stamps, values) in series.items()
    ]
    rows = pd.concat(frames, ignore_index=True).assign(source="test", fetched_at=pd.Timestamp("2026-11-23T00:00Z"))
    return History(Observations.of(rows, "test").frame)
