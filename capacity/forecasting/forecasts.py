"""`Forecast`: sample paths of where demand goes, and everything read from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from capacity.demand.demand import Demand, Key
from capacity.demand.gridding import WallClock
from capacity.display import table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Findings
from capacity.forecasting.knowledge.overrides import Override, When, inside_of, overridden
from capacity.forecasting.knowledge.totals import total
from capacity.timegrid import duration, steps_per

#: A function of values, (n, H) -> (n, H), that gives more, or as much, where the value is more.
Rising = Callable[[np.ndarray], np.ndarray]

#: Levels shown when none are asked for: median, central 90 %, and the planning tail.
DEFAULT_LEVELS = (0.05, 0.5, 0.95, 0.99)

#: Levels of the bands that a chart draws.
CHART_LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

#: A chart draws at most this many future intervals one by one: four weeks of hours.
DRAWN = 28 * 24


def level_name(level: float) -> str:
    """Column of a quantile level.

    >>> level_name(0.95), level_name(0.999)
    ('p95', 'p99.9')
    """
    return f"p{level * 100:.6g}"


@dataclass(frozen=True, eq=False)
class Forecast:
    """What we expect, with how sure we are. S series, P paths, H intervals.

    Each path is one possible future of the whole fleet: path p of every series belongs together, so that sums over
    services and maxima over time are computed path by path.
    """

    past: Demand  # what the models were shown
    times: pd.DatetimeIndex  # (H,) start of each interval, UTC
    paths: np.ndarray  # (S, P, H) in the metric's unit, finite, not negative; in single precision when drawn by us
    models: tuple[str, ...]  # (S,) which model made each series
    levels: tuple[float, ...] = DEFAULT_LEVELS
    scores: pd.DataFrame | None = None  # `schema.SCORES` of the models that were compared, when they were
    findings: Findings = NO_FINDINGS
    seed: int = 0
    overrides: tuple[Override, ...] = ()  # what experts changed on the paths, in the order they did

    def __post_init__(self) -> None:
        expected = (len(self.past.keys), len(self.times))
        if self.paths.ndim != 3 or (self.paths.shape[0], self.paths.shape[2]) != expected:
            raise InputError(f"paths have shape {self.paths.shape}, expected ({expected[0]}, paths, {expected[1]})")
        for level in self.levels:
            checked_level(level)
        self.paths.flags.writeable = False

    @property
    def keys(self) -> tuple[Key, ...]:
        return self.past.keys

    @property
    def interval(self) -> pd.Timedelta:
        return self.past.interval

    @property
    def cutoff(self) -> pd.Timestamp:
        """End of what the models were shown, UTC."""
        return self.past.end

    @property
    def model(self) -> str:
        """The model's name; with several, each once."""
        return ", ".join(dict.fromkeys(self.models))

    @property
    def index(self) -> pd.DatetimeIndex:
        """The intervals in the caller's clock: as the stamps came in, they go out."""
        return in_clock(self.times, self.past.clock)

    def quantile(self, level: float) -> pd.Series | pd.DataFrame:
        """Quantile of each interval's demand: Series for one series, else one column a (service, metric)."""
        return self._columns(quantiles(self.paths, (checked_level(level),))[0])

    @property
    def mean(self) -> pd.Series | pd.DataFrame:
        """Mean over the paths, shaped like `quantile`."""
        return self._columns(self.paths.mean(axis=1, dtype=float))

    def peak(self, level: float, window: str | None = None) -> float | pd.Series | pd.DataFrame:
        """Quantile of the maximum over the horizon (or of each `window`, such as '1d'), computed on the paths.

        It is not the largest interval quantile: a quarter has many chances to exceed any one of them. One number for
        one series, a Series by (service, metric) for several; with `window`, one row a window.
        """
        level = checked_level(level)
        if window is None:
            peaks = quantiles(self.paths.max(axis=2, keepdims=True), (level,))[0, :, 0]  # (S,)
            return float(peaks[0]) if len(self.keys) == 1 else pd.Series(peaks, index=self._names, name=f"peak {level}")
        size = max(1, round(duration(window) / self.interval))
        starts = np.arange(0, len(self.times), size)
        maxima = np.maximum.reduceat(self.paths, starts, axis=2)  # (S, P, windows)
        return self._columns(quantiles(maxima, (level,))[0], self.index[starts])

    def exceedance(self, limit: float | Sequence[float]) -> pd.Series | pd.DataFrame:
        """Probability that demand has been above `limit` (one, or one a series) by the end of each interval.

        Share of paths that have passed it so far, so it never falls. Shaped like `quantile`.
        """
        limits = np.broadcast_to(np.asarray(limit, dtype=float), (len(self.keys),))
        if np.isnan(limits).any():
            raise InputError("a limit is NaN: exceeding nothing has no probability")
        passed = [
            np.maximum.accumulate(paths > limit, axis=1).mean(axis=0)
            for paths, limit in zip(self.paths, limits, strict=True)
        ]
        return self._columns(np.array(passed))

    def plot(self, service: str | None = None, metric: str | None = None) -> Any:
        """Past and fan of one series: the first, or the first of that service and metric. An Altair chart.

        More than `DRAWN` intervals are drawn as the highest of each day, counted from the cutoff.
        """
        from capacity import charts

        rows = [n for n, key in enumerate(self.keys) if service in (None, key.service) and metric in (None, key.metric)]
        if not rows:
            raise InputError(f"there is no series of service {service!r} and metric {metric!r} in this forecast")
        row, key = rows[0], self.keys[rows[0]]
        size = max(1, steps_per("1d", self.interval)) if len(self.times) > DRAWN else 1
        ahead = len(self.times) // size * size
        behind = min(max(2 * ahead, 14), len(self.past.times)) // size * size
        known = slice(len(self.past.times) - behind, None)
        paths = highest(self.paths[row, :, :ahead], size)
        return charts.fan(
            in_clock(self.past.times[known][::size], self.past.clock),
            highest(self.past.values[row, known], size),
            self.index[:ahead:size],
            dict(zip(CHART_LEVELS, np.quantile(paths, CHART_LEVELS, axis=0), strict=True)),
            unit=key.unit,
            title=f"{key.service} {key.metric}" + (", highest of each day" if size > 1 else ""),
        )

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Long table: service, metric, timestamp, mean and one column a level (`schema.FORECAST`)."""
        count, _, length = self.paths.shape
        columns = {
            "service": np.repeat([key.service for key in self.keys], length),
            "metric": np.repeat([key.metric for key in self.keys], length),
            "timestamp": self.index.append([self.index] * (count - 1)),
            "mean": self.paths.mean(axis=1, dtype=float).ravel(),
        }
        for level, values in zip(self.levels, quantiles(self.paths, self.levels), strict=True):
            columns[level_name(level)] = values.ravel()
        return pd.DataFrame(columns)

    def select(self, keys: Sequence[Key]) -> Forecast:
        """Only these series, in this order."""
        place = {key: row for row, key in enumerate(self.keys)}
        rows = [place[key] for key in keys]
        return replace(
            self, past=self.past.select(keys), paths=self.paths[rows], models=tuple(self.models[row] for row in rows)
        )

    def of(self, service: str) -> Forecast:
        """Only one service's series."""
        return self.select([key for key in self.keys if key.service == service])

    def total(self, by: Mapping[str, str] | None = None, metric: str | None = None) -> Forecast:
        """Sums over services, path by path: of all, or by group; of one metric, or of each.

        by  service -> group; a service that is not named is a group by itself. None: one sum, called "total"

        At every path and interval the sums are exactly those of the services, so that groups add up to the whole.
        Raises InputError for metrics that do not add up.
        """
        return total(self, by, metric)

    def override(
        self,
        service: str,
        metric: str,
        start: When,
        end: When | None = None,
        *,
        multiply: float | None = None,
        to: float | None = None,
        by: str,
        why: str,
        made: str | None = None,
    ) -> Forecast:
        """A forecast with an expert's judgement on its paths, recorded in `overrides` and told in `findings`.

        start, end  which intervals: those that start from `start` to before `end` (None: to the end of the horizon);
                    without an offset on the local clock of the service
        multiply    what the paths are multiplied by
        to          or what their median is to be in each interval, in the metric's unit: a day told `to` is level, so
                    name the hours that are meant. Spread is kept as models see it
        by, why     who says so, and for what reason
        made        on which day; today (UTC) when not said

        Raises InputError for a series or times that are not there, and for a judgement without a name or a reason.
        """
        key = Key(service, metric)
        if key not in self.keys:
            known = ", ".join(f"{one.service} {one.metric}" for one in self.keys[:10])
            raise InputError(f"there is no series {service} {metric} in this forecast", advice=f"There are: {known}.")
        if not by.strip() or not why.strip():
            raise InputError("an override without a name and a reason", advice="Say by= whom and why= it is made.")
        inside = inside_of(self.past, key, self.times, start, end)
        row, places = self.keys.index(key), np.flatnonzero(inside)
        paths = np.array(self.paths)
        paths[row] = overridden(self.paths[row], inside, multiply=multiply, to=to)
        span = self.times[places[0]], self.times[places[-1]] + self.interval
        made = made or f"{pd.Timestamp.now('UTC'):%Y-%m-%d}"
        record = Override(service, metric, *span, multiply, to, by, why, made)
        findings = Findings.of(self.findings, [record.finding])
        return replace(self, paths=paths, findings=findings, overrides=(*self.overrides, record))

    @property
    def _names(self) -> pd.MultiIndex:
        return pd.MultiIndex.from_tuples(self.keys, names=["service", "metric"])

    def _columns(self, values: np.ndarray, index: pd.DatetimeIndex | None = None) -> pd.Series | pd.DataFrame:
        index = self.index if index is None else index
        if len(self.keys) == 1:
            return pd.Series(values[0], index=index, name=self.keys[0].service)
        return pd.DataFrame(values.T, index=index, columns=self._names)

    def __str__(self) -> str:
        sentence = (
            f"Forecast: {len(self.keys)} series, {len(self.times):,} intervals of {self.interval}, by {self.model}"
        )
        return ". Overridden: ".join([sentence, *map(str, self.overrides)])

    def _repr_html_(self) -> str:
        return table_html(str(self), self.frame)


def quantiles(paths: np.ndarray, levels: Sequence[float], rising: Rising = np.asarray) -> np.ndarray:
    """(S, P, H) -> (Q, S, H): quantiles over the paths, straight lines between neighbours, in double precision.

    Series by series, and all levels from one sort: a fleet's paths are never copied as a whole.

    rising  what the quantiles are to be of: the r-th of what it gives is what it gives of the r-th, so that it is asked
            for the neighbours of each level and not for every path

    >>> quantiles(np.array([[[1.0], [4.0], [2.0]]]), (0.5, 0.75)).ravel().tolist()
    [2.0, 3.0]
    >>> quantiles(np.array([[[1.2], [3.7], [2.0]]]), (0.5, 0.75), rising=np.ceil).ravel().tolist()
    [2.0, 3.0]
    """
    count, drawn, length = paths.shape
    places = np.asarray(levels) * (drawn - 1)
    low = places.astype(np.int64)
    high, part = np.minimum(low + 1, drawn - 1), (places - low)[:, None]
    found = np.empty((len(levels), count, length))
    for row, own in enumerate(paths):
        ordered = np.sort(
            np.ascontiguousarray(own.T), axis=1
        ).T  # (P, H); neighbours in memory sort several times faster
        below, above = (rising(ordered[ranks]).astype(float) for ranks in (low, high))
        found[:, row] = below + (above - below) * part
    return found


def highest(values: np.ndarray, size: int) -> np.ndarray:
    """(..., n) -> (..., n / size): the highest of each `size` neighbours; NaN only where all of them are.

    >>> highest(np.array([1.0, 5.0, np.nan, 2.0]), 2).tolist()
    [5.0, 2.0]
    """
    return np.asarray(np.fmax.reduce(values.reshape(*values.shape[:-1], -1, size), axis=-1))


def checked_level(level: float) -> float:
    """The level, if it is a probability strictly between 0 and 1."""
    if not 0 < level < 1:
        raise InputError(f"level {level!r} is not a probability between 0 and 1", advice="95 % is written 0.95.")
    return float(level)


def in_clock(times: pd.DatetimeIndex, clock: object) -> pd.DatetimeIndex:
    """UTC stamps in the caller's clock; None means naive stamps, which were read as UTC."""
    if isinstance(clock, WallClock):
        return clock.read(times)
    return times.tz_localize(None) if clock is None else times.tz_convert(clock)
