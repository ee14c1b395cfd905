"""What the business plans: customers, orders, campaigns. How load follows them is learnt, what they will be is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.forecasting.knowledge.places import Grid

#: One driver's value in place of what the table says of the time to come: a multiple of it, or values of its own.
Scenario = Mapping[str, float | pd.Series]

#: A value of a driver holds until the next one; one this many usual distances away is after a gap, not the next.
GAP: Final = 1.5


@dataclass(frozen=True, eq=False)
class Drivers:
    """A table of business drivers, over history and horizon, and what to assume of them instead.

    table     index: times, the start of what a row speaks for (naive is UTC); a column a driver, none negative
    scenario  for drivers of the table; only what lies after the history is changed
    """

    table: pd.DataFrame
    scenario: Scenario = field(default_factory=dict)

    def __post_init__(self) -> None:
        table = self.table
        if not isinstance(table, pd.DataFrame) or not isinstance(table.index, pd.DatetimeIndex) or not len(table):
            raise InputError(
                "drivers is not a table over time", advice="A DataFrame: times as its index, one column a driver."
            )
        if not table.index.is_monotonic_increasing or not table.index.is_unique or table.index.hasnans:
            raise InputError("times of drivers are not ascending, each once", advice="Sort them: drivers.sort_index().")
        for name in table.columns:
            if not isinstance(name, str):
                raise InputError(
                    f"driver {name!r} has no name", advice="Name the columns: drivers.columns = ['orders']."
                )
            if not pd.api.types.is_numeric_dtype(table[name].dtype):
                raise InputError(f"driver {name!r} is {table[name].dtype}, not numbers")
            if (table[name] < 0).any() or np.isinf(table[name].to_numpy(dtype=float, na_value=np.nan)).any():
                raise InputError(
                    f"driver {name!r} has values below zero or infinite", advice="Drivers count something."
                )
        unknown = [name for name in self.scenario if name not in table.columns]
        if unknown:
            raise InputError(
                f"the scenario names a driver {unknown[0]!r} that is not in drivers",
                advice=f"There are: {', '.join(map(repr, table.columns))}.",
            )
        for name, instead in self.scenario.items():
            if isinstance(instead, pd.Series):
                if (instead < 0).any() or np.isinf(instead.to_numpy(dtype=float, na_value=np.nan)).any():
                    raise InputError(f"scenario {name!r} has values below zero or infinite")
            elif not (isinstance(instead, Real) and 0 <= float(instead) < np.inf):
                raise InputError(
                    f"scenario {name!r}={instead!r} is not a multiple of the driver",
                    advice="A fifth more is 1.2; a Series says values.",
                )

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.table.columns]

    def on(self, grid: Grid) -> np.ndarray:
        """(D, n + H) each driver on a grid, the scenario in place; NaN where the table says nothing of the past.

        Raises InputError, naming driver and time, when it says nothing of an interval to come.
        """
        found = np.stack([self._values(str(name), grid) for name in self.table.columns])
        ahead = found[:, grid.known :]
        if grid.zone != "UTC" and ahead.shape[1] > 1:  # a clock change may ask for one interval more than the horizon
            ahead[:, -1] = np.where(np.isnan(ahead[:, -1]), ahead[:, -2], ahead[:, -1])
        for name, values in zip(self.names, ahead, strict=True):
            if np.isnan(values).any():
                first = grid.moments[grid.known + int(np.argmax(np.isnan(values)))]
                raise InputError(
                    f"driver {name!r} has no value at {first:%Y-%m-%d %H:%M} UTC",
                    advice="Drivers cover history and horizon: say what they will be, or forecast less far.",
                )
        return found

    def _values(self, name: str, grid: Grid) -> np.ndarray:
        own = self.table[name]
        values = on_moments(own, grid)
        instead = self.scenario.get(name)
        if isinstance(instead, pd.Series):
            values[grid.known :] = on_moments(instead, grid)[grid.known :]
        elif instead is not None:
            values[grid.known :] *= float(instead)
        return values


def on_moments(values: pd.Series, grid: Grid) -> np.ndarray:
    """(n + H,) a driver on a grid: the mean of finer values; of coarser ones, the one that holds."""
    index = pd.DatetimeIndex(values.index)
    times = (index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")).as_unit("us").asi8
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    moments = grid.moments.as_unit("us").asi8
    interval = int(grid.interval / pd.Timedelta("1us"))
    low, high = np.searchsorted(times, moments), np.searchsorted(times, moments + interval)
    sums, counts = (np.concatenate([[0.0], part.cumsum()]) for part in (np.nan_to_num(numbers), np.isfinite(numbers)))
    inside = counts[high] - counts[low]
    averages = (sums[high] - sums[low]) / np.maximum(inside, 1)
    last = np.clip(np.searchsorted(times, moments, side="right") - 1, 0, None)
    apart = np.diff(times) if len(times) > 1 else np.array([interval])
    holds = apart[apart <= GAP * np.median(apart)].max()  # months differ in length
    held = (moments >= times[last]) & (moments < times[last] + holds)
    return np.where(inside > 0, averages, np.where(held, numbers[last], np.nan))


def logs_of(values: np.ndarray, known: int) -> np.ndarray:
    """(D, n + H) drivers as logarithms, relative to their past mean; of 1 + that, of a driver that is zero at times.

    >>> logs_of(np.array([[1.0, 1.0, np.e]]), known=2).round(6).tolist()
    [[0.0, 0.0, 1.0]]
    """
    typical = np.array([np.nanmean(row[:known]) if np.isfinite(row[:known]).any() else 1.0 for row in values])[:, None]
    zeros = (values == 0).any(axis=1, keepdims=True)
    relative = values / np.where(typical > 0, typical, 1.0)
    logs = np.log(np.where(zeros, 1 + relative, np.where(relative > 0, relative, 1.0)))
    logs[np.isnan(values)] = np.nan
    return logs
