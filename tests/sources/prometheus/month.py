"""Thirty days at 15 seconds, made by formula: what the real server is filled with, and what has to come back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

STEP = 15
START = pd.Timestamp("2025-06-01", tz="UTC")  # past, whatever clock the command line sees
DAYS = 30
END = START + pd.Timedelta(days=DAYS)
NOW = END + pd.Timedelta("6h")
FIRST = int(START.timestamp())
#: Stamps of the samples, seconds: one at the end of each 15 seconds.
STAMPS = FIRST + STEP * np.arange(1, DAYS * 86_400 // STEP + 1)
#: Nothing was scraped for three hours of the tenth day.
GAP = (FIRST + 10 * 86_400 + 3600, FIRST + 10 * 86_400 + 4 * 3600)
SCRAPED = (STAMPS <= GAP[0]) | (STAMPS > GAP[1])
SERVICES = ("checkout", "search")
#: The counter of each service grows by these requests a scrape, an hour of the day at a time.
HOUR = (STAMPS - 1) // 3600 % 24


def gauge(service: str) -> np.ndarray:
    """vCPU in use at each stamp: not round, so that a digit that is lost shows."""
    return SERVICES.index(service) + 1 + np.sin(STAMPS / 7919) / 3


def increments(service: str) -> np.ndarray:
    """Requests of each 15 seconds."""
    return (HOUR + 1) * (SERVICES.index(service) + 1) * 15


def lines() -> Iterator[str]:
    """OpenMetrics text of all of it, family by family."""
    yield "# TYPE vcpu_in_use gauge"
    for service in SERVICES:
        yield from _samples(f'vcpu_in_use{{service="{service}"}}', gauge(service))
    yield "# TYPE http_requests counter"
    for service in SERVICES:
        yield from _samples(f'http_requests_total{{service="{service}",code="200"}}', np.cumsum(increments(service)))


def _samples(name: str, values: np.ndarray) -> Iterator[str]:
    for stamp, value, scraped in zip(STAMPS.tolist(), values.tolist(), SCRAPED.tolist(), strict=True):
        if scraped:
            yield f"{name} {value!r} {stamp}"
