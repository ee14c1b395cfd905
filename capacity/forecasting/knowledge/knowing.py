"""Any model, told what people know: it learns from ordinary load, and what is to come is put on its paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final
from zlib import crc32

import numpy as np
import pandas as pd
from scipy.special import ndtri

from capacity.config import Service
from capacity.config.event import Event
from capacity.demand.demand import Demand
from capacity.errors import InputError
from capacity.findings import Findings
from capacity.forecasting.base import FEWEST, Fan, Forecaster, fan_of, model_named
from capacity.forecasting.knowledge.applied import Applied, Put, applied
from capacity.forecasting.knowledge.calendars import (
    Holidays,
    Known,
    calendars_of,
    events_of,
    from_prophet,
    public_holidays,
)
from capacity.forecasting.knowledge.drivers import Drivers, Scenario
from capacity.forecasting.knowledge.following import following, standing_still, told_of_drivers
from capacity.forecasting.knowledge.places import Grid, grid_of
from capacity.forecasting.knowledge.telling import told

#: Series of one clock and calendar are taken together, this many at a time: bounds memory, not the result.
TOGETHER = 200

#: Metrics that do not follow load: a given uplift leaves them alone unless the event names them.
UNMOVED = ("memory",)

#: After the name of a model that was told, and after the label of what it made: "auto(profile 0.9), told".
TOLD: Final = ", told"


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What people know beside the history.

    events     of the caller's own
    holidays   a table's: they learn from each other, like those of a calendar
    calendars  service -> code of its public holidays; "" stands for all others
    drivers    what the business plans
    """

    events: tuple[Event, ...] = ()
    holidays: tuple[Event, ...] = ()
    calendars: Mapping[str, str] = field(default_factory=dict)
    drivers: Drivers | None = None

    @classmethod
    def of(
        cls,
        events: Sequence[Event] | pd.DataFrame = (),
        holidays: Holidays = None,
        services: Sequence[Service] = (),
        drivers: pd.DataFrame | None = None,
        scenario: Scenario | None = None,
    ) -> Knowledge:
        """From what `forecast` is called with; see there."""
        if scenario and drivers is None:
            raise InputError(
                "a scenario says what drivers will be instead, and there are none", advice="Give drivers=."
            )
        table = holidays if isinstance(holidays, pd.DataFrame) else None
        return cls(
            events_of(events),
            from_prophet(table) if table is not None else (),
            calendars_of(None if isinstance(holidays, pd.DataFrame) else holidays, services),
            Drivers(drivers, scenario or {}) if drivers is not None else None,
        )

    def __bool__(self) -> bool:
        return bool(self.events or self.holidays or self.calendars or self.drivers is not None)

    def calendar(self, service: str) -> str:
        """Code of the calendar that a service lives by; empty for none."""
        return self.calendars.get(service, self.calendars.get("", ""))

    def about(self, service: str, metric: str, grid: Grid) -> tuple[Known, ...]:
        """What concerns a series. An event that is called like a holiday stands for it."""
        own = [Known(event) for event in self.events if event.concerns(service, metric)]
        code = self.calendar(service)
        days = grid.wall[[0, -1]].astype("datetime64[D]").tolist()
        public = public_holidays(code, days[0], days[1] + timedelta(days=1)) if code else ()
        named = {event.name for event in self.events}
        tables = (("holidays", self.holidays), (code, public))
        return (*own, *(Known(event, name) for name, found in tables for event in found if event.name not in named))


@dataclass(frozen=True, eq=False)
class Knowing:
    """A model, and what it is told. A forecaster like any other: `backtest` takes it too.

    >>> hours = pd.date_range("2026-03-02", periods=24 * 28, freq="h", tz="UTC")
    >>> from capacity.demand import demand_from
    >>> load = demand_from(pd.Series(10.0, index=hours, name="shop"))
    >>> sale = Event(name="sale", start="2026-03-30T12:00", end="2026-03-30T14:00", uplift=3)
    >>> paths = Knowing("profile", Knowledge.of([sale])).paths(load, 24, 100, np.random.default_rng(0))
    >>> np.median(paths[0], axis=0).round(1)[10:16].tolist()
    [10.0, 10.0, 30.0, 30.0, 10.0, 10.0]
    """

    model: str | Forecaster
    knowledge: Knowledge

    @property
    def name(self) -> str:
        return model_named(self.model).name + TOLD

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        return self.fan(past, horizon, count, rng).paths

    def fan(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> Fan:
        """What the model says of ordinary load, with what is known put on its paths, and what there is to tell."""
        grids = {zone: grid_of(past, zone, horizon) for zone in dict.fromkeys(past.zones)}
        parts = list(self._applied(past, grids))
        calm, drivers = ordinary(past, parts), self.knowledge.drivers
        driven = following(calm, drivers, grids) if drivers is not None else []
        fan = fan_of(model_named(self.model), standing_still(calm, driven), horizon, count, rng)
        seed = int(rng.integers(2**31))
        paths = fan.paths if fan.paths.flags.writeable else fan.paths.copy()
        for rows, part in parts:
            for put in part.puts:
                paths[np.ix_(rows, np.arange(count), put.columns)] *= factors(put, count, seed)
        for one in driven:
            one.put_on(paths, seed)
        findings = told(self.knowledge.events, [part.accounts for _, part in parts])
        findings += told_of_drivers(drivers.names, driven) if drivers is not None else []
        labels = tuple(label + TOLD for label in fan.models)
        return replace(fan, paths=paths, models=labels, findings=Findings.of(fan.findings, findings))

    def _applied(self, past: Demand, grids: Mapping[str, Grid]) -> Iterator[tuple[np.ndarray, Applied]]:
        """Rows that the same is known of, on the same clock, and what it comes to."""
        alike: dict[tuple[str, str, tuple[str, ...]], list[int]] = {}
        about: dict[tuple[str, str, tuple[str, ...]], tuple[Known, ...]] = {}
        for row, (key, zone) in enumerate(zip(past.keys, past.zones, strict=True)):
            own = tuple(event.name for event in self.knowledge.events if event.concerns(*key))
            what = (zone, self.knowledge.calendar(key.service), own)
            if what not in about:
                about[what] = self.knowledge.about(*key, grids[zone])
            alike.setdefault(what, []).append(row)
        for what, rows in alike.items():
            if not about[what]:
                continue
            for first in range(0, len(rows), TOGETHER):
                part = np.array(rows[first : first + TOGETHER])
                stated = np.array([[_stated(one.event, past.keys[row].metric) for one in about[what]] for row in part])
                values = np.where(np.isfinite(past.values[part]), past.values[part], np.nan)
                yield part, applied(values, stated, about[what], grids[what[0]])


def _stated(event: Event, metric: str) -> bool:
    """Whether a given uplift is for this metric too."""
    return event.uplift is not None and (metric not in UNMOVED or metric in event.metrics)


def ordinary(past: Demand, parts: Sequence[tuple[np.ndarray, Applied]]) -> Demand:
    """The history as if no special day had been: divided by what they did, and gaps where nothing can be said of them.

    A series keeps what it has when gaps would leave too little to forecast from.
    """
    values, peaks = np.array(past.values), np.array(past.peaks)
    for rows, part in parts:
        factor = np.exp(-part.divide)
        left = (np.isfinite(values[rows]) & ~part.gap).sum(axis=1) >= 2 * FEWEST
        gap = part.gap & left[:, None]
        values[rows] = np.where(gap, np.nan, values[rows] * factor)
        peaks[rows] = np.where(gap, np.nan, peaks[rows] * factor)
    return replace(past, values=values, peaks=peaks)


def factors(put: Put, count: int, seed: int) -> np.ndarray:
    """(S, P, K) by what each path is multiplied: one draw a path for all hours of an occurrence, and for all services.

    Draws are evenly spread over the normal distribution, in random order: their median is the expected effect.
    """
    rng = np.random.default_rng([seed, crc32(put.event.encode()), put.number])
    level, hours = (ndtri((rng.permutation(count) + 0.5) / count)[None, :, None] for _ in range(2))
    return np.exp(put.expected[:, None, :] + put.spread[:, None, None] * level + put.swing[:, None, :] * hours)
