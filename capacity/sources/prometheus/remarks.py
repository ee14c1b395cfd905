"""What there is to say once all of a query was answered, beside what was remarkable in the answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from capacity.findings import Finding
from capacity.sources.base import Span
from capacity.sources.prometheus.access import Access, Signed
from capacity.sources.prometheus.query import Query
from capacity.sources.pulling import nothing_found

#: Seconds by which two clocks may differ without a word.
SKEW: Final = 60.0


def remarks(query: Query, values: int, span: Span) -> Iterator[Finding]:
    """What there is to say about a query once all of it was answered."""
    if not values:
        yield nothing_found(
            query.service,
            query.metric,
            f"the query for {query} has no value from {span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M} UTC",
            "Try it in the server's own page. Usual reasons: another name of the metric or label, a rate over less "
            "than two scrapes (scrape_interval of [prometheus] says how often), or the server keeps less than that.",
        )
    elif query.smoothed:
        yield Finding(
            query.service,
            query.metric,
            "smoothing",
            "PASS",
            f"each value is a rate over the {query.window} s up to the end of its {query.step} s: a rate needs four "
            f"scrapes of {query.scrape} s",
            f"For values that tell of their own interval alone take a step of {query.window} s or more.",
        )


def skewed(now: float, date: float) -> Iterator[Finding]:
    """Whether our clock is ahead: we would take for a gap what has not happened yet. `date`: the server's time."""
    if now - date > SKEW:
        yield Finding(
            "",
            "",
            "clock",
            "REVIEW",
            f"this machine's clock is {now - date:,.0f} s ahead of the server's: what the server calls the future is "
            "asked for again by the next fetch",
            "Switch time synchronisation on, here or there (`timedatectl` shows it).",
        )


def billed(access: Access) -> Iterator[Finding]:
    """What the dollars of a pull leave out."""
    if isinstance(access, Signed):
        yield Finding(
            "",
            "",
            "billing",
            "PASS",
            "Amazon Managed Prometheus bills the samples that queries process; its answers do not price them, so "
            "they are in no figure of ours",
            "Its page of workspaces, and the bill, tell QuerySamplesProcessed.",
        )
