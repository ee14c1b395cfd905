"""`History`: observations, kept. What every later room starts from."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from capacity.display import table_html
from capacity.errors import HistoryError, HistoryHasGaps, InputError, Problem
from capacity.findings import NO_FINDINGS, Findings
from capacity.schema import METRICS
from capacity.sources.base import Span, faults, series_codes, tidy
from capacity.sources.coverage import NOTHING, Coverage
from capacity.timegrid import duration, reaching

#: More intervals than this on one grid is a mistake of the interval, not a long history: ten years of 15 seconds.
MOST_STEPS = 25_000_000
#: Services drawn by `plot` when none are named.
DRAWN = 8


class SeriesKey(NamedTuple):
    """What tells one series from another."""

    service: str
    metric: str
    stat: str
    seconds: int  # the interval


@dataclass(frozen=True, eq=False)
class History:
    """Observations, deduplicated, each row with source and fetch time: the table `schema.HISTORY`, sorted by its key.

    `service`, `metric`, `stat` and `source` are categorical columns. Intervals without a row are gaps.
    """

    frame: pd.DataFrame
    findings: Findings = NO_FINDINGS  # what reading it brought to light
    answered: Coverage = NOTHING  # what sources have answered for good, where a store knows it

    def __post_init__(self) -> None:
        if "fetched_at" not in self.frame.columns:
            raise InputError("a history needs the columns source and fetched_at", advice="Read it: capacity.read(...).")
        problems = [Problem(message) for message in faults(self.frame)]
        if problems:
            raise InputError("this is no history:", problems, "Read it: capacity.read(...).")

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def keys(self) -> dict[SeriesKey, slice]:
        """Every series, sorted, with the rows that are its."""
        codes = series_codes(self.frame)
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        heads = self.frame.iloc[starts]
        names = zip(heads["service"], heads["metric"], heads["stat"], heads["interval"], strict=True)
        ends = [*starts[1:], len(codes)] if len(starts) else []
        return {
            SeriesKey(str(service), str(metric), str(stat), int(seconds)): slice(int(start), int(end))
            for (service, metric, stat, seconds), start, end in zip(names, starts, ends, strict=True)
        }

    @cached_property
    def _of_service(self) -> dict[str, list[SeriesKey]]:
        found: dict[str, list[SeriesKey]] = {}
        for key in self.keys:
            found.setdefault(key.service, []).append(key)
        return found

    @cached_property
    def _services(self) -> tuple[str, ...]:
        return tuple(self.frame["service"].cat.categories)  # asked for once a service, of which there are thousands

    @property
    def services(self) -> list[str]:
        """Names of the services, sorted."""
        return list(self._services)

    def metrics(self, service: str | None = None) -> list[str]:
        """Names of the metrics: of one service, or of any; sorted."""
        if service is None:
            return list(self.frame["metric"].cat.categories)
        return sorted({key.metric for key in self._of_service[self._known(service)]})

    @property
    def span(self) -> Span:
        """From the first interval's start to the last one's end."""
        if not len(self.frame):
            raise HistoryError("the history holds no rows")
        stamps = self.frame["timestamp"]
        ends = stamps + pd.to_timedelta(self.frame["interval"].astype("int64"), unit="s").astype("timedelta64[us]")
        return Span(stamps.min(), ends.max())

    def intervals(self, service: str, metric: str, stat: str = "mean") -> list[pd.Timedelta]:
        """Intervals this is known at, finest first."""
        mine = self._of_service[self._known(service)]
        return [pd.Timedelta(seconds=key.seconds) for key in mine if key[1:3] == (metric, stat)]

    def series(
        self, service: str, metric: str, stat: str = "mean", interval: str | pd.Timedelta | None = None
    ) -> pd.Series:
        """One series on a regular UTC grid from its first value to its last, NaN at gaps.

        interval  which, if it is known at several; None takes the one that spans the longest time (of equals, the
                  finest). Nothing is resampled here: where hours are followed by minutes, as CloudWatch keeps them,
                  `joined` has both. Raises HistoryError, naming what there is.
        """
        key = self._key(service, metric, stat, interval)
        rows = self.frame.iloc[self.keys[key]]
        us, size = rows["timestamp"].array.asi8, key.seconds * 1_000_000
        places = (us - us[0]) // size
        if places[-1] >= MOST_STEPS:
            raise HistoryHasGaps(
                f"{service} {metric} has {len(us):,} values in {places[-1] + 1:,} intervals of {key.seconds} s: the "
                "interval cannot be right. Say interval_seconds=... when reading."
            )
        values = np.full(int(places[-1]) + 1, np.nan)
        values[places] = rows["value"].to_numpy()
        grid = pd.date_range(rows["timestamp"].iloc[0], periods=len(values), freq=f"{key.seconds}s", unit="us")
        return pd.Series(values, index=grid, name=f"{service} {metric}")

    def joined(self, service: str, metric: str) -> pd.Series:
        """The mean over all the time it is known for, on a regular UTC grid, NaN at gaps.

        At the interval that, with finer ones that divide it, knows most (`timegrid.reaching`): finer values are
        averaged onto it where it has none of its own, and a mean of fewer than half of them is a gap.
        """
        from capacity.history.joining import joined, known_at

        self._key(service, metric, "mean", None)
        sizes = self.intervals(service, metric)
        parts = {int(size.total_seconds()): self.series(service, metric, interval=size) for size in sizes}
        seconds = reaching(known_at(parts))
        return joined(parts, seconds).rename(f"{service} {metric}")

    def select(
        self,
        services: Iterable[str] | str | None = None,
        metrics: Iterable[str] | str | None = None,
        span: Span | None = None,
    ) -> History:
        """Only these services and metrics, only intervals that start inside the span. A name there is not is refused.

        Findings about services that were left out are left out with them.
        """
        keep = np.ones(len(self.frame), dtype=bool)
        findings = self.findings
        if services is not None:
            named = [self._known(name) for name in named_once(services)]
            keep &= self.frame["service"].isin(named).to_numpy()
            findings = Findings(tuple(finding for finding in findings if finding.service in ("", *named)))
        if metrics is not None:
            keep &= self.frame["metric"].isin([known_metric(name) for name in named_once(metrics)]).to_numpy()
        if span is not None:
            stamps = self.frame["timestamp"]
            keep &= ((stamps >= span[0]) & (stamps < span[1])).to_numpy()
        return replace(self, frame=tidy(self.frame[keep]), findings=findings)

    def to_frame(self) -> pd.DataFrame:
        """The long table with plain text columns, to do with as you like."""
        return self.frame.astype(dict.fromkeys(("service", "metric", "stat", "source"), "str"))

    def save(self, path: str | Path) -> None:
        """Write all rows to one Parquet or CSV file (by its ending) that `capacity.read` reads back exactly."""
        from capacity.history.export import save

        save(self.frame, Path(path))

    def plot(self, metric: str | None = None, services: Sequence[str] | str | None = None) -> Any:
        """A chart of one metric (the first there is, in the order of `schema.METRICS`) over time, a line a service."""
        from capacity import charts

        metric = metric or next(name for name in METRICS if name in self.metrics())
        having = [key.service for key in self.keys if key.metric == metric and key.stat == "mean"]
        chosen = named_once(services) if services is not None else list(dict.fromkeys(having))[:DRAWN]
        lines = {name: self.joined(name, metric) for name in chosen}
        times = pd.DatetimeIndex(sorted(set().union(*(line.index for line in lines.values()))))
        values = {name: _held(line, times) for name, line in lines.items()}
        return charts.lines(times, values, unit=METRICS[metric].unit, title=metric)

    def _known(self, service: str) -> str:
        """The name, if the history has it."""
        if service in self.frame["service"].cat.categories:
            return service
        raise HistoryError(unknown_service(service, self.services))

    def _key(self, service: str, metric: str, stat: str, interval: str | pd.Timedelta | None) -> SeriesKey:
        mine = self._of_service[self._known(service)]
        found = [key for key in mine if key[1:3] == (metric, stat)]
        if interval is not None:
            seconds = duration(interval).total_seconds()
            exact = [key for key in found if key.seconds == seconds]
            if found and not exact:
                known = ", ".join(f"{key.seconds} s" for key in found)
                raise HistoryError(f"{service} {metric} ({stat}) is known at intervals of {known}, not {seconds:g} s")
            found = exact
        if not found:
            there = ", ".join(sorted({f"{key.metric} ({key.stat})" for key in mine}))
            raise HistoryError(f"{service} has no {metric} ({stat}); there is: {there}")
        return max(found, key=lambda key: (self._length(key), -key.seconds))

    def _length(self, key: SeriesKey) -> int:
        """Microseconds from the first interval's start to the last one's end."""
        stamps = self.frame["timestamp"].array.asi8
        rows = self.keys[key]
        return int(stamps[rows.stop - 1] - stamps[rows.start]) + key.seconds * 1_000_000

    def __str__(self) -> str:
        if not len(self.frame):
            return "History: no rows"
        start, end = self.span
        return (
            f"History: {len(self.services)} services, {len(self.keys)} series, {len(self):,} rows, "
            f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, {len(self.findings)} findings"
        )

    def _repr_html_(self) -> str:
        return table_html(str(self), self.frame)


def _held(line: pd.Series, times: pd.DatetimeIndex) -> np.ndarray:
    """The values of a regular series at other times: each holds from its stamp to the end of its interval."""
    places = line.index.searchsorted(times, side="right") - 1
    inside = (places >= 0) & (times < line.index[-1] + pd.Timedelta(line.index.freq))
    return np.where(inside, line.to_numpy()[places], np.nan)


def named_once(names: Iterable[str] | str) -> list[str]:
    """One name or several, as a list, each once.

    >>> named_once("web"), named_once(("web", "api", "web"))
    (['web'], ['web', 'api'])
    """
    return [names] if isinstance(names, str) else list(dict.fromkeys(names))


def known_metric(name: str) -> str:
    """The name, if it is in the metric table; it need not be in the history."""
    if name not in METRICS:
        raise InputError(f"unknown metric {name!r}", advice=f"Metrics: {', '.join(METRICS)}.")
    return name


def unknown_service(service: str, known: Sequence[str]) -> str:
    """A sentence that says what was asked for and what there is.

    >>> unknown_service("chekout", ["api", "checkout"])
    "no service 'chekout' in the history; did you mean 'checkout'?"
    """
    close = difflib.get_close_matches(service, known, n=1)
    rest = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known[:20]) or 'none'}"
    return f"no service {service!r} in the history; {rest}"
