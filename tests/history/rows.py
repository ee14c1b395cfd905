"""Observations in one line, for the store's tests."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from capacity.history import History
from capacity.sources import Observations, Span
from capacity.sources.coverage import Asked, Coverage

#: service, hour since 1 August 2026
Place = tuple[str, int]
START = pd.Timestamp("2026-08-01", tz="UTC")


def observations(values: Mapping[Place, float], source: str = "test", fetched: float = 0.0) -> Observations:
    """Hourly requests: (service, hour) -> value, fetched so many hours after the start."""
    frame = pd.DataFrame(
        {
            "service": [service for service, _ in values],
            "metric": "requests",
            "stat": "mean",
            "interval": 3600,
            "timestamp": [START + pd.Timedelta(hours=hour) for _, hour in values],
            "value": list(values.values()),
        }
    )
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], utc=True)
    return Observations.of(frame, source, fetched_at=START + pd.Timedelta(hours=fetched))


def covered(*spans: tuple[str, int, int], source: str = "test") -> Coverage:
    """What a source has answered for good: (service, from this hour, up to that one)."""
    return Coverage.of(
        (
            Asked(source, service, "requests", "mean", 3600),
            Span(START + pd.Timedelta(hours=first), START + pd.Timedelta(hours=end)),
        )
        for service, first, end in spans
    )


def contents(history: History) -> dict[Place, float]:
    """The same, of a history."""
    frame = history.frame
    hours = ((frame["timestamp"] - START) // pd.Timedelta(hours=1)).tolist()
    return dict(zip(zip(frame["service"].tolist(), hours, strict=True), frame["value"].tolist(), strict=True))


def origins(history: History) -> dict[Place, tuple[str, float]]:
    """(service, hour) -> source, and hours from the start to the fetch."""
    frame = history.frame
    hours = ((frame["timestamp"] - START) // pd.Timedelta(hours=1)).tolist()
    fetched = ((frame["fetched_at"] - START) / pd.Timedelta(hours=1)).tolist()
    places = zip(frame["service"].tolist(), hours, strict=True)
    return dict(zip(places, zip(frame["source"].tolist(), fetched, strict=True), strict=True))
