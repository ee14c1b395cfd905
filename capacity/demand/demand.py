"""`Demand`: absolute need of many series on one regular grid. What is forecast, and what planning is rehearsed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.display import table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Findings
from capacity.schema import DEMAND, METRICS

#: Services drawn by `plot` when none are named.
DRAWN = 8


class Key(NamedTuple):
    """Which series: of which service, of what."""

    service: str
    metric: str

    @property
    def unit(self) -> str:
        """Unit of the metric; '1' for a metric of the caller's own."""
        return METRICS[self.metric].unit if self.metric in METRICS else "1"


@dataclass(frozen=True, eq=False)
class Demand:
    """Absolute need per interval. S series, n intervals; a gap is NaN, never zero.

    values    (S, n) mean need over the interval, in the metric's unit
    peaks     (S, n) largest one-minute need inside the interval; NaN where not known
    censored  (S, n) True where the service was saturated: the real need was at least `values`
    derived   (S,) how each series came about: "measured", "cpu_utilization x cpu_reserved" ...
    clock     time zone of the caller's stamps (None: naive); inside, `times` is always UTC
    zones     (S,) IANA zone whose clock the people behind each series live by; "UTC" where not known
    tasks     service -> (n,) mean tasks that ran, NaN where not known. Never forecast: they tell what one task took
    """

    keys: tuple[Key, ...]
    times: pd.DatetimeIndex  # (n,) start of each interval, UTC, regular
    interval: pd.Timedelta
    values: np.ndarray
    peaks: np.ndarray
    censored: np.ndarray
    derived: tuple[str, ...] = ()
    findings: Findings = NO_FINDINGS
    clock: Any = "UTC"
    zones: tuple[str, ...] = ()
    tasks: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.keys), len(self.times))
        for name in ("values", "peaks", "censored"):
            if getattr(self, name).shape != shape:
                raise InputError(f"Demand.{name} has shape {getattr(self, name).shape}, keys and times say {shape}")
        if not self.zones:
            object.__setattr__(self, "zones", ("UTC",) * len(self.keys))
        if len(self.zones) != len(self.keys):
            raise InputError(f"Demand has {len(self.keys)} series and {len(self.zones)} zones")
        if len(set(self.keys)) != len(self.keys):
            raise InputError("Demand has two series with the same service and metric")
        for service, ran in self.tasks.items():
            if ran.shape != shape[1:]:
                raise InputError(f"Demand.tasks of {service!r} has shape {ran.shape}, times say {shape[1:]}")
        for name in ("values", "peaks", "censored"):
            getattr(self, name).flags.writeable = False

    @property
    def services(self) -> list[str]:
        """Names of the services, in order of appearance."""
        return list(dict.fromkeys(key.service for key in self.keys))

    @property
    def end(self) -> pd.Timestamp:
        """End of the last interval: where a forecast begins."""
        return self.times[-1] + self.interval

    def select(self, keys: Sequence[Key]) -> Demand:
        """Only these series, in this order."""
        place = {key: row for row, key in enumerate(self.keys)}
        return self.rows([place[key] for key in keys])

    def rows(self, rows: Sequence[int]) -> Demand:
        """Only the series in these places, in this order."""
        keys = tuple(self.keys[row] for row in rows)
        named = {key.service for key in keys}
        return replace(
            self,
            keys=keys,
            values=self.values[rows],
            peaks=self.peaks[rows],
            censored=self.censored[rows],
            derived=tuple(self.derived[row] for row in rows) if self.derived else (),
            zones=tuple(self.zones[row] for row in rows),
            tasks={name: ran for name, ran in self.tasks.items() if name in named},
        )

    def of(self, service: str) -> Demand:
        """Only one service's series."""
        return self.select([key for key in self.keys if key.service == service])

    def until(self, end: pd.Timestamp) -> Demand:
        """Only the intervals that start before `end`: what was known then."""
        return self._columns(slice(0, int(self.times.searchsorted(end, side="left"))))

    def since(self, start: pd.Timestamp) -> Demand:
        """Only the intervals that start at `start` or later."""
        return self._columns(slice(int(self.times.searchsorted(start, side="left")), None))

    def _columns(self, part: slice) -> Demand:
        return replace(
            self,
            times=self.times[part],
            values=self.values[:, part],
            peaks=self.peaks[:, part],
            censored=self.censored[:, part],
            tasks={name: ran[part] for name, ran in self.tasks.items()},
        )

    def series(self, service: str, metric: str) -> pd.Series:
        """Mean need of one series, indexed by UTC time, NaN at gaps."""
        row = self.keys.index(Key(service, metric))
        return pd.Series(self.values[row], index=self.times, name=f"{service} {metric}")

    @property
    def frame(self) -> pd.DataFrame:
        """Long table with the columns of `schema.DEMAND`."""
        count, length = self.values.shape
        return pd.DataFrame(
            {
                "service": np.repeat([key.service for key in self.keys], length),
                "metric": np.repeat([key.metric for key in self.keys], length),
                "timestamp": self.times.append([self.times] * (count - 1)) if count else self.times[:0],
                "value": self.values.ravel(),
                "peak": self.peaks.ravel(),
                "censored": self.censored.ravel(),
            },
            columns=DEMAND.names,
        )

    def plot(self, metric: str | None = None, services: Sequence[str] | None = None) -> Any:
        """A chart of one metric (the first there is) over time: a line a service, of the first eight or those named."""
        from capacity import charts

        metric = metric or self.keys[0].metric
        having = [key.service for key in self.keys if key.metric == metric]
        chosen = [name for name in (having[:DRAWN] if services is None else services) if name in having]
        if not chosen:
            raise InputError(f"no {metric} of these services", advice=f"There is {metric} of: {', '.join(having)}.")
        values = {name: self.series(name, metric).to_numpy() for name in chosen}
        return charts.lines(self.times, values, unit=Key("", metric).unit, title=f"{metric}: demand")

    def __str__(self) -> str:
        return f"Demand: {len(self.keys)} series, {len(self.times):,} intervals of {self.interval}"

    def _repr_html_(self) -> str:
        return table_html(str(self), self.frame)


def zones_of(keys: Sequence[Key], services: Sequence[Service], clock: object = "UTC") -> tuple[str, ...]:
    """Whose clock each series follows: its service's time zone, else the zone its stamps came in, else UTC.

    A single service says it for a single one, whatever the name of the series.

    >>> zones_of([Key("web", "cpu"), Key("api", "cpu")], [Service(name="web", timezone="Europe/Paris")])
    ('Europe/Paris', 'UTC')
    """
    stamps = getattr(clock, "key", None) or "UTC"  # a zoneinfo.ZoneInfo has its IANA name as `key`
    known = {service.name: service.timezone for service in services}
    if len(services) == 1 and len({key.service for key in keys}) == 1:
        known[keys[0].service] = services[0].timezone
    return tuple(known.get(key.service, stamps) for key in keys)
