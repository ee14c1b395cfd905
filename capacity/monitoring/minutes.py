"""`Minutes`: the signals of one service on a grid of minutes, as an alarm would have seen them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from capacity.config import Account, Service
from capacity.errors import HistoryError, InputError
from capacity.history import History
from capacity.monitoring.formulas import computed
from capacity.monitoring.laying import MINUTE, US, answered, errors_told, grid, laid, measured
from capacity.monitoring.measuring import constants
from capacity.monitoring.signals import SIGNALS, signal
from capacity.sources.base import Span

#: A signal and the statistic of a minute; a bare name means its mean: "requests", ("latency", "p95").
Key = str | tuple[str, str]


@dataclass(frozen=True, eq=False)
class Minutes:
    """Signals of one service, minute by minute; NaN where nothing is known, never zero and never bridged.

    times    (n,) starts of the minutes, UTC, regular
    values   (signal, statistic) -> (n,) in the signal's unit, as measured
    seconds  (signal, statistic) -> (n,) interval each value was measured over: a value of an hour stands in its sixty
             minutes with 3600; 0 where there is none
    known    what formulas know of the service beside signals: `measuring.constants`
    notes    what was decided about the data, in sentences

    `minutes["requests"]` and `minutes["latency", "p95"]` are arrays; a signal that was not measured is computed by its
    formula, and is all NaN where that needs something unknown.

    >>> web = Service(name="web", max_tasks=4)
    >>> times = pd.date_range("2026-03-02", periods=3, freq="min", tz="UTC")
    >>> minutes = Minutes.of(web, times, {"requests": [50, 0, np.nan], "errors": [1, 0, 0], "running_tasks": [2, 2, 4]})
    >>> minutes["error_ratio"].tolist(), minutes["tasks_of_max"].tolist()
    ([0.02, nan, nan], [0.5, 0.5, 1.0])
    >>> minutes.has("latency", "p95")
    False
    """

    service: Service
    times: pd.DatetimeIndex
    values: Mapping[tuple[str, str], np.ndarray]
    seconds: Mapping[tuple[str, str], np.ndarray]
    known: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        service: Service,
        times: pd.DatetimeIndex,
        values: Mapping[Key, object],
        known: Mapping[str, float] | None = None,
    ) -> Minutes:
        """From arrays of one value a minute. Raises InputError for what is no signal, does not fit or is infinite."""
        stamps = times.as_unit("us")
        if len(stamps) > 1 and not (np.diff(stamps.asi8) == MINUTE * US).all():
            raise InputError("these times are not one minute apart")
        arrays = {_key(key): np.asarray(array, dtype=float) for key, array in values.items()}
        for (name, stat), array in arrays.items():
            signal(name)
            if array.shape != (len(stamps),) or np.isinf(array).any():
                raise InputError(f"{name} ({stat}): {array.shape} values for {len(stamps)} minutes, or infinite ones")
        seconds = {key: np.where(np.isfinite(array), MINUTE, 0) for key, array in arrays.items()}
        return cls(service, stamps, arrays, seconds, constants(service) if known is None else known)

    @classmethod
    def of_history(
        cls,
        history: History,
        service: Service,
        *,
        account: Account | None = None,
        usd_per_task_hour: float | None = None,
        span: Span | None = None,
        signals: Iterable[str] | None = None,
    ) -> Minutes:
        """All a history knows of a service, on the grid of its minutes.

        span     these minutes only; default: from the first value of the service to the last
        signals  read only these, where not all are needed

        Of each series the finest interval counts, from its first value to its last; before and after, the next
        coarser one, its value repeated over its minutes. Shorter intervals are averaged over the minute.
        Raises HistoryError where the history does not know the service.
        """
        wanted = set(SIGNALS if signals is None else signals)
        parts = measured(history, service.name, wanted)
        if not parts:
            raise HistoryError(f"the history holds no signal of {service.name!r}")
        start, count = grid(parts, span)
        values, seconds = {}, {}
        for key, series in parts.items():
            values[key], seconds[key] = laid(series, key[1], start, count)
        times = pd.date_range(pd.Timestamp(start, unit="us", tz="UTC"), periods=count, freq="min", unit="us")
        notes = errors_told(values, seconds, answered(history, service.name, times)) if "errors" in wanted else ()
        return cls(service, times, values, seconds, constants(service, account, usd_per_task_hour), notes)

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, key: Key) -> np.ndarray:
        """(n,) values; all NaN where neither measured nor computable. Raises InputError for what is no signal."""
        name, stat = _key(key)
        if (name, stat) not in self._found:
            self._found[name, stat] = self._computed(name, stat, frozenset())
        found = self._found[name, stat]
        return np.full(len(self), np.nan) if found is None else found

    def has(self, name: str, stat: str = "mean") -> bool:
        """Whether any minute has a value of it."""
        return bool(np.isfinite(self[name, stat]).any())

    def between(self, start: pd.Timestamp, end: pd.Timestamp) -> Minutes:
        """Only the minutes that start in [start, end)."""
        places = slice(*self.times.searchsorted([start, end]))
        return replace(
            self,
            times=self.times[places],
            values={key: array[places] for key, array in self.values.items()},
            seconds={key: array[places] for key, array in self.seconds.items()},
        )

    def measured_by_minute(self, name: str, stat: str = "mean") -> np.ndarray:
        """(n,) whether the value is of that very minute, and not of a longer interval.

        Of a computed signal: whether all that were measured for it are.
        """
        if (name, stat) in self.seconds:
            seconds = self.seconds[name, stat]
            return np.asarray((seconds > 0) & (seconds <= MINUTE))
        parts = self.measured_for(name)
        if not parts:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(np.logical_and.reduce([self.measured_by_minute(*part) for part in parts]))

    def measured_for(self, name: str, stat: str = "mean") -> set[tuple[str, str]]:
        """What was measured and is in the values of a signal: itself, or what its formulas are made of.

        >>> times = pd.date_range("2026-03-02", periods=1, freq="min", tz="UTC")
        >>> seen = Minutes.of(Service(name="web"), times, {"requests": [50], "errors": [1]})
        >>> sorted(seen.measured_for("error_ratio"))
        [('errors', 'mean'), ('requests', 'mean')]
        """
        return self._made_of(name, stat, frozenset())

    def _made_of(self, name: str, stat: str, asking: frozenset[str]) -> set[tuple[str, str]]:
        if (name, stat) in self.values:
            return {(name, stat)}
        if name in asking or stat != "mean":
            return set()
        others = (other for other in signal(name).inputs if other in SIGNALS)
        return set().union(*(self._made_of(other, "mean", asking | {name}) for other in others))

    @property
    def frame(self) -> pd.DataFrame:
        """A column for each signal measured, `latency p95` for a statistic other than the mean; index: the times."""
        columns = {name if stat == "mean" else f"{name} {stat}": array for (name, stat), array in self.values.items()}
        return pd.DataFrame(columns, index=self.times.rename("timestamp"))

    @cached_property
    def _found(self) -> dict[tuple[str, str], np.ndarray | None]:
        return dict(self.values)

    def _computed(self, name: str, stat: str, asking: frozenset[str]) -> np.ndarray | None:
        """By formula, on what was measured; of several formulas the largest value that is known."""
        if (name, stat) in self.values:
            return self.values[name, stat]
        one = signal(name)
        if name in asking or stat != "mean":
            return None
        inputs: dict[str, np.ndarray | float] = dict(self.known)
        for other in one.inputs:
            if other in SIGNALS and (found := self._computed(other, "mean", asking | {name})) is not None:
                inputs[other] = found
        answers = [answer for formula in one.formulas if (answer := computed(formula, inputs)) is not None]
        return np.asarray(np.fmax.reduce(answers)) if answers else None


def utc(at: object) -> pd.Timestamp:
    """A time as text, datetime or stamp; without an offset it is UTC. Raises InputError for what is none.

    >>> utc("2026-03-02 07:00+01:00")
    Timestamp('2026-03-02 06:00:00+0000', tz='UTC')
    """
    try:
        stamp = pd.Timestamp(at)
    except (ValueError, TypeError, OverflowError):
        stamp = pd.NaT
    if pd.isna(stamp):
        raise InputError(f"{at!r} is no time", advice="Write it as 2026-10-01, or as 2026-10-01T06:00Z.")
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")


def _key(key: Key) -> tuple[str, str]:
    return (key, "mean") if isinstance(key, str) else key
