"""A history laid out on minutes: the finest interval of each series, and zeros of errors told only as they come."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from capacity.history import History
from capacity.history.history import SeriesKey
from capacity.monitoring.signals import SIGNALS
from capacity.sources.base import Span, microseconds
from capacity.sources.coverage import Asked

MINUTE: Final = 60  # seconds
US: Final = 1_000_000  # microseconds of a second

#: How values of intervals below a minute become one of the minute, where that is not their mean.
_INSIDE: Final = {"max": "max", "min": "min"}

#: Errors that are told in at least this share of the minutes with requests are told everywhere: others are gaps.
TOLD_EVERYWHERE: Final = 0.9


def measured(history: History, service: str, wanted: Collection[str]) -> dict[tuple[str, str], list[pd.Series]]:
    """(signal, statistic) -> its series, the finest interval first."""
    if service not in history.services:
        return {}
    names = [name for name in history.metrics(service) if name in SIGNALS and name in wanted]
    kinds = ((name, stat) for name in names for stat in SIGNALS[name].stats)
    sizes = {kind: history.intervals(service, *kind) for kind in kinds}
    return {kind: [history.series(service, *kind, size) for size in found] for kind, found in sizes.items() if found}


def grid(parts: Mapping[tuple[str, str], list[pd.Series]], span: Span | None) -> tuple[int, int]:
    """Start of the first minute, in microseconds since 1970, and how many minutes."""
    if span is None:
        each = [series for found in parts.values() for series in found]
        start, end = min(one.index[0] for one in each), max(one.index[-1] + one.index.freq for one in each)
    else:
        start, end = span
    first, last = microseconds(start.floor("min")), microseconds(end.ceil("min"))
    return first, max(0, (last - first) // (MINUTE * US))


def laid(found: list[pd.Series], stat: str, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(count,) values and intervals in seconds: the finer over the coarser, gaps of the finer included."""
    values, seconds = np.full(count, np.nan), np.zeros(count, dtype=np.int32)
    for series in reversed(found):
        size = int(pd.Timedelta(series.index.freq).total_seconds())
        by_minute = series if size >= MINUTE else series.resample("min").agg(_INSIDE.get(stat, "mean"))
        step = max(size, MINUTE) * US
        first = int(by_minute.index.as_unit("us").asi8[0])
        low = min(max(0, -((start - first) // (MINUTE * US))), count)
        high = min(max(low, -((start - first - len(by_minute) * step) // (MINUTE * US))), count)
        places = (start + np.arange(low, high) * (MINUTE * US) - first) // step
        values[low:high] = by_minute.to_numpy()[places]
        seconds[low:high] = np.where(np.isfinite(values[low:high]), size, 0)
    return values, seconds


def errors_told(
    values: dict[tuple[str, str], np.ndarray], seconds: dict[tuple[str, str], np.ndarray], answered: np.ndarray | None
) -> tuple[str, ...]:
    """Put in the zeros of errors that are told only where there are some; says so.

    answered  (n,) minutes for which a source was asked that tells of errors only where there are some; None: no such

    A load balancer of AWS counts errors "when there is a nonzero value". So does what reports to a history that has
    requests without errors in many minutes, and no minute with zero errors. Elsewhere a gap is a gap.
    """
    requests = values.get(("requests", "mean"))
    if requests is None:
        return ()
    asked = np.isfinite(requests)
    errors = values.get(("errors", "mean"), np.full(len(requests), np.nan))
    told = np.isfinite(errors)
    partly = told.any() and told[asked].mean() < TOLD_EVERYWHERE and not (errors == 0).any()
    if answered is None and not partly:
        return ()
    silent = asked & ~told & (True if answered is None else answered)
    if not silent.any():
        return ()
    values["errors", "mean"] = np.where(silent, 0.0, errors)
    seconds["errors", "mean"] = np.where(silent, seconds["requests", "mean"], seconds.get(("errors", "mean"), 0))
    reason = "no minute has zero errors" if answered is None else "CloudWatch tells of errors only where there are some"
    return (f"{int(silent.sum()):,} minutes with requests and without a count of errors had none: {reason}",)


def answered(history: History, service: str, times: pd.DatetimeIndex) -> np.ndarray | None:
    """(n,) minutes for which CloudWatch was asked for errors, as the store knows it; of a history without a store, all.

    None where its requests are from elsewhere: CloudWatch counts errors only where there are some (aws.md 1.7).
    """
    if service not in history.services or "requests" not in history.metrics(service):
        return None
    sizes = [int(size.total_seconds()) for size in history.intervals(service, "requests")]
    rows = [history.keys[SeriesKey(service, "requests", "mean", seconds)] for seconds in sizes]
    sources = {str(history.frame["source"].iloc[one.start]) for one in rows}
    if not sources or not all(source.startswith("cloudwatch:") for source in sources):
        return None
    if not len(history.answered):
        return np.ones(len(times), dtype=bool)
    covered = np.zeros(len(times), dtype=bool)
    for source, seconds in product(sources, sizes):
        for span in history.answered.spans.get(Asked(source, service, "errors", "mean", seconds), ()):
            covered[slice(*times.searchsorted(list(span)))] = True
    return covered
