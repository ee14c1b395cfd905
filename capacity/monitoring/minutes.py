"""`Minutes`: the signals of one service on a grid of minutes, as an alarm would have seen them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from capacity.config import Account, Service
from capacity.errors import HistoryError, InputError
from capacity.history import History
from capacity.monitoring.formulas import computed
from capacity.monitoring.measuring import constants
from capacity.monitoring.signals import SIGNALS, signal
from capacity.sources.base import Span, microseconds

MINUTE: Final = 60  # seconds
_US: Final = 1_000_000  # microseconds of a second

#: A signal and the statistic of a minute; a bare name means its mean: "requests", ("latency", "p95").
Key = str | tuple[str, str]

#: How values of intervals below a minute become one of the minute, where that is not their mean.
_INSIDE: Final = {"max": "max", "min": "min"}

#: Errors that are told in at least this share of the minutes with requests are told everywhere: others are gaps.
TOLD_EVERYWHERE: Final = 0.9


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
        if len(stamps) > 1 and not (np.diff(stamps.asi8) == MINUTE * _US).all():
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
        parts = _measured(history, service.name, SIGNALS if signals is None else set(signals))
        if not parts:
            raise HistoryError(f"the history holds no signal of {service.name!r}")
        start, count = _grid(parts, span)
        values, seconds = {}, {}
        for key, series in parts.items():
            values[key], seconds[key] = _laid(series, key[1], start, count)
        notes = _errors_told(values, seconds, _nonzero_only(history, service.name))
        times = pd.date_range(pd.Timestamp(start, unit="us", tz="UTC"), periods=count, freq="min", unit="us")
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
    """A time as text, datetime or stamp; without an offset it is UTC.

    >>> utc("2026-03-02 07:00+01:00")
    Timestamp('2026-03-02 06:00:00+0000', tz='UTC')
    """
    stamp = pd.Timestamp(at)  # type: ignore[arg-type]  # what is no time is refused there
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")


def _key(key: Key) -> tuple[str, str]:
    return (key, "mean") if isinstance(key, str) else key


def _measured(history: History, service: str, wanted: Collection[str]) -> dict[tuple[str, str], list[pd.Series]]:
    """(signal, statistic) -> its series, the finest interval first."""
    if service not in history.services:
        return {}
    names = [name for name in history.metrics(service) if name in SIGNALS and name in wanted]
    kinds = ((name, stat) for name in names for stat in SIGNALS[name].stats)
    sizes = {kind: history.intervals(service, *kind) for kind in kinds}
    return {kind: [history.series(service, *kind, size) for size in found] for kind, found in sizes.items() if found}


def _grid(parts: Mapping[tuple[str, str], list[pd.Series]], span: Span | None) -> tuple[int, int]:
    """Start of the first minute, in microseconds since 1970, and how many minutes."""
    if span is None:
        each = [series for found in parts.values() for series in found]
        start, end = min(one.index[0] for one in each), max(one.index[-1] + one.index.freq for one in each)
    else:
        start, end = span
    first, last = microseconds(start.floor("min")), microseconds(end.ceil("min"))
    return first, max(0, (last - first) // (MINUTE * _US))


def _laid(found: list[pd.Series], stat: str, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(count,) values and intervals in seconds: the finer over the coarser, gaps of the finer included."""
    values, seconds = np.full(count, np.nan), np.zeros(count, dtype=np.int32)
    for series in reversed(found):
        size = int(pd.Timedelta(series.index.freq).total_seconds())
        by_minute = series if size >= MINUTE else series.resample("min").agg(_INSIDE.get(stat, "mean"))
        step = max(size, MINUTE) * _US
        first = int(by_minute.index.as_unit("us").asi8[0])
        low = min(max(0, -((start - first) // (MINUTE * _US))), count)
        high = min(max(low, -((start - first - len(by_minute) * step) // (MINUTE * _US))), count)
        places = (start + np.arange(low, high) * (MINUTE * _US) - first) // step
        values[low:high] = by_minute.to_numpy()[places]
        seconds[low:high] = np.where(np.isfinite(values[low:high]), size, 0)
    return values, seconds


def _errors_told(
    values: dict[tuple[str, str], np.ndarray], seconds: dict[tuple[str, str], np.ndarray], nonzero_only: bool
) -> tuple[str, ...]:
    """Put in the zeros of errors that are told only where there are some; says so.

    A load balancer of AWS counts errors "when there is a nonzero value". So does what reports to a history that has
    requests without errors in many minutes, and no minute with zero errors. Elsewhere a gap is a gap.
    """
    requests = values.get(("requests", "mean"))
    if requests is None:
        return ()
    asked = np.isfinite(requests)
    errors = values.get(("errors", "mean"), np.full(len(requests), np.nan))
    told = np.isfinite(errors)
    silent = asked & ~told
    partly = told.any() and told[asked].mean() < TOLD_EVERYWHERE and not (errors == 0).any()
    if not silent.any() or not (nonzero_only or partly):
        return ()
    values["errors", "mean"] = np.where(silent, 0.0, errors)
    seconds["errors", "mean"] = np.where(silent, seconds["requests", "mean"], seconds.get(("errors", "mean"), 0))
    reason = "CloudWatch tells of errors only where there are some" if nonzero_only else "no minute has zero errors"
    return (f"{int(silent.sum()):,} minutes with requests and without a count of errors had none: {reason}",)


def _nonzero_only(history: History, service: str) -> bool:
    """Whether its requests come from CloudWatch, which counts errors only where there are some (aws.md 1.7)."""
    keys = [key for key in history.keys if key[:3] == (service, "requests", "mean")]
    sources = {str(history.frame["source"].iloc[history.keys[key].start]) for key in keys}
    return bool(sources) and all(source.startswith("cloudwatch:") for source in sources)
