"""Every kind of policy, on weeks it was not made from, and on paths it was not made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from capacity.forecasting.forecasts import Forecast
from capacity.scaling.ahead import Futures
from capacity.scaling.batch import Candidates, Totals, replay_many
from capacity.scaling.bounds import bounds
from capacity.scaling.policy import ServicePolicy
from capacity.scaling.schedule import bin_minutes, lead_minutes, places, week_of
from capacity.scaling.search.compiling import Compiler, changes
from capacity.scaling.search.kinds import Kind
from capacity.scaling.search.weeks import MINUTES, WEEK, Window, like_the_next
from capacity.scaling.search.worth import Worth
from capacity.sources.base import Span

Limits = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Past:
    """The last weeks, minute by minute, and how kinds of policies do on them.

    times, load  (n,) from the first learnt minute on
    policies     kind.tracked -> tracking alone
    kept         load of a task that keeps the promise
    """

    times: pd.DatetimeIndex
    load: np.ndarray
    window: Window
    interval: pd.Timedelta
    policies: dict[tuple[float, int], ServicePolicy]
    kept: float

    @property
    def first(self) -> int:
        """The first judged minute."""
        return int(self.times.searchsorted(self.window.judged))

    @property
    def size(self) -> int:
        """Minutes a bin of a schedule."""
        return bin_minutes(self.lead, self.interval)

    @property
    def lead(self) -> int:
        """Minutes ahead that a rise is fired."""
        return lead_minutes(next(iter(self.policies.values())).service.startup_seconds)

    def limits_of(self, kinds: Sequence[Kind]) -> list[Limits]:
        """Bounds in force in the judged minutes, for each kind with a schedule: each week's made before it began."""
        judged = self.times[self.first :]
        minima = np.empty((len(kinds), len(judged)), dtype=np.int64)
        for start in range(0, len(judged) if kinds else 0, MINUTES):
            times = judged[start : start + MINUTES]
            minute = places(times, next(iter(self.policies.values())).service.timezone, 1)
            value, span = self._compiler(self.first + start).worths(), Span(times[0], times[0] + 2 * WEEK)
            for row, kind in enumerate(kinds):
                base = self.policies[kind.tracked]
                made = changes(kind, value(kind), base.service, self.size, span)
                week = week_of(made, floor=base.min_tasks, most=base.max_tasks, lead=self.lead)
                minima[row, start : start + MINUTES] = week[minute]
        most = [np.full(len(judged), self.policies[kind.tracked].max_tasks) for kind in kinds]
        return list(zip(minima, most, strict=True))

    def _compiler(self, start: int) -> Compiler:
        """What the week from that minute on may be like, by those before it."""
        times = pd.date_range(self.times[start], periods=MINUTES, freq="min", unit="us")
        return Compiler(times, like_the_next(self.load, start), self.kept, self.size, self.policies)

    def totals(self, policies: Sequence[ServicePolicy], limits: Sequence[Limits]) -> Totals:
        """How they did in the judged minutes."""
        load = self.load[self.first :]
        return replay_many(load, replace(Candidates.of(policies), full=self.kept), _stacked(limits))


@dataclass(frozen=True, eq=False)
class Coming:
    """Paths of the forecast, in two halves: schedules are made from the one and judged on the other."""

    learnt: Futures
    judged: Futures
    kept: float

    @classmethod
    def of(cls, about: Forecast, seed: int, kept: float, peaks: Callable[[Forecast], np.ndarray] | None) -> Coming:
        return cls(*Futures.halves(about, seed, peaks), kept)

    def worths(self, policies: dict[tuple[float, int], ServicePolicy], size: int) -> Callable[[Kind], Worth]:
        """What levels are worth on the half that schedules are made from; size in minutes a bin."""
        return Compiler(self.learnt.times, self.learnt.loads, self.kept, size, policies).worths()

    def totals(self, policies: Sequence[ServicePolicy]) -> list[Totals]:
        """How each did on each path of the other half: one `Totals` (paths,) a policy."""
        rows = len(self.judged.loads)
        limits = [bounds(policy, self.judged.times) for policy in policies]
        together = replay_many(
            self.judged.loads,
            replace(
                Candidates.of(
                    [policy for policy in policies for _ in range(rows)],
                    load=np.tile(np.arange(rows), len(policies)),
                    bounds=np.repeat(np.arange(len(policies)), rows),
                ),
                full=self.kept,
            ),
            _stacked(limits),
        )
        return [together.part(slice(n * rows, (n + 1) * rows)) for n in range(len(policies))]


def _stacked(limits: Sequence[Limits]) -> tuple[np.ndarray, np.ndarray]:
    return np.stack([least for least, _ in limits]), np.stack([most for _, most in limits])
