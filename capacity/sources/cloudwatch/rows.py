"""From answers to rows: one table of many series, built from arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from capacity.findings import NO_FINDINGS, Findings
from capacity.schema import HISTORY
from capacity.sources.base import Observations
from capacity.sources.cloudwatch.answers import NONE, Points, merged
from capacity.sources.cloudwatch.catalogue import Query, Wanted
from capacity.sources.cloudwatch.periods import Window


class Chunk(NamedTuple):
    """One series over one window, in our unit."""

    wanted: Wanted
    window: Window
    points: Points
    at: pd.Timestamp  # when it was asked


def series_of(wanted: Wanted, window: Window, parts: Mapping[Query, Sequence[Points]]) -> Points:
    """A series of ours from the answers to its queries.

    Several target groups add up. A group without a point counts as no request only where another one has a point: the
    load balancer reports nothing when there were none. Where none has a point, there is none.
    """
    answers = [merged(list(parts.get(query, ()))) for query in wanted.queries]
    if wanted.weights:
        points = _weighted(answers, [merged(list(parts.get(query, ()))) for query in wanted.weights])
    elif len(answers) == 1:
        points = answers[0]
    else:
        points = _summed(answers)
    return Points(points.stamps, points.values * wanted.scale(window.period))


def usable(points: Points, window: Window) -> Points:
    """Points that may be kept: finite, and at the start of an interval of the window.

    >>> usable(Points(np.array([0, 61, 120]), np.array([1.0, 2.0, 3.0])), Window(0, 120, 60)).stamps
    array([0])
    """
    stamps, values = points
    keep = np.isfinite(values) & (stamps >= window.start) & (stamps < window.end) & (stamps % window.period == 0)
    return points if keep.all() else Points(stamps[keep], values[keep])


def observations(chunks: Sequence[Chunk], name: str, findings: Findings = NO_FINDINGS) -> Observations:
    """The rows of chunks, each with its own source and time of asking.

    Chunks of one series and period do not overlap, and each is in order: once the chunks are, so are all rows.
    """
    chunks = [chunk for chunk in chunks if len(chunk.points.stamps)]  # a word without a row would be an unused category
    chunks.sort(key=lambda c: (*c.wanted.key, c.window.period, c.window.start))
    lengths = np.array([len(chunk.points.stamps) for chunk in chunks], dtype=np.int64)
    points = [chunk.points for chunk in chunks] or [NONE]
    at = pd.DatetimeIndex([chunk.at for chunk in chunks], tz="UTC").as_unit("us")
    stamps = np.concatenate([part.stamps for part in points]) * 1_000_000
    columns = {
        **{text: _words([getattr(c.wanted, text) for c in chunks], lengths) for text in ("service", "metric", "stat")},
        "interval": np.repeat(np.array([c.window.period for c in chunks], dtype=np.int32), lengths),
        "timestamp": pd.DatetimeIndex(stamps.view("datetime64[us]"), tz="UTC"),
        "value": np.concatenate([part.values for part in points]),
        "source": _words([chunk.wanted.source for chunk in chunks], lengths),
        "fetched_at": at.repeat(lengths),
    }
    return Observations(pd.DataFrame(columns, columns=HISTORY.names, copy=False), name, findings)


def _summed(parts: Sequence[Points]) -> Points:
    """The sum at every stamp at which any part has a value."""
    stamps, places = np.unique(np.concatenate([part.stamps for part in parts]), return_inverse=True)
    values = np.concatenate([part.values for part in parts])
    return Points(stamps, np.bincount(places, values, len(stamps)).astype(np.float64))


def _weighted(means: Sequence[Points], weights: Sequence[Points]) -> Points:
    """The mean of means, weighted; a part counts where it has both a mean and a positive weight."""
    totals, shares = [], []
    for mean, weight in zip(means, weights, strict=True):
        stamps, here, there = np.intersect1d(mean.stamps, weight.stamps, assume_unique=True, return_indices=True)
        counts = weight.values[there]
        some = counts > 0
        totals.append(Points(stamps[some], (mean.values[here] * counts)[some]))
        shares.append(Points(stamps[some], counts[some]))
    total, share = _summed(totals), _summed(shares)
    return Points(total.stamps, total.values / share.values)


def _words(words: Sequence[str], lengths: np.ndarray) -> pd.Categorical:
    """Each word as often as its chunk has rows."""
    known = sorted(set(words))
    number = {word: place for place, word in enumerate(known)}
    codes = np.repeat(np.array([number[word] for word in words], dtype=np.int32), lengths)
    return pd.Categorical.from_codes(codes, categories=pd.Index(known, dtype="str"))
