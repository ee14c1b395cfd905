"""A source that asks a Fake, and what its answers are checked against."""

from __future__ import annotations

from typing import Any

import pandas as pd

from capacity.sources.base import Observations, Span
from capacity.sources.prometheus import Prometheus, Query
from capacity.sources.pulling import Batch
from tests.sources.prometheus.fake import Fake

START = pd.Timestamp("2026-08-03", tz="UTC")
HOUR = Span(START, START + pd.Timedelta("1h"))
NOW = START + pd.Timedelta("24h")
REQUESTS = Query("requests", "sum by (service) (rate(http_requests_total[1m]))")


def asking(fake: Fake, *queries: Query, **settings: Any) -> Prometheus:
    """At noon of the next day, never really waiting."""
    settings = {"clock": lambda: NOW, "sleep": lambda seconds: None} | settings
    return Prometheus(fake.url, queries or (REQUESTS,), **settings)


def only(source: Prometheus, span: Span = HOUR) -> Batch:
    """The one batch of a pull."""
    (batch,) = source.pull(span)
    return batch


def values(observations: Observations) -> dict[str, int]:
    """Service -> how many values."""
    return observations.frame["service"].astype("str").value_counts().to_dict()


def remarks(observations: Observations) -> list[tuple[str, str, int]]:
    """Check, status and count of each finding."""
    return [(finding.check, finding.status, finding.count) for finding in observations.findings]
