"""What a plan promised, read from its snapshot once: quantiles of demand, of peaks and of counts, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from capacity.demand.demand import Key
from capacity.errors import InputError
from capacity.reviewing.actuals import plan_times, ratio_of
from capacity.reviewing.snapshot import Snapshot

#: Items of `schema.COST`: what one unit costs for an hour.
Prices = dict[str, float]

_MIDDLE: Final = "p50"


def levels_of(columns: Sequence[str]) -> dict[float, str]:
    """Level -> its column, ascending.

    >>> levels_of(["service", "peak", "p95", "p5", "p97.5"])
    {0.05: 'p5', 0.95: 'p95', 0.975: 'p97.5'}
    """
    found = {}
    for name in columns:
        number = name.removeprefix("p")
        if name.startswith("p") and number.replace(".", "", 1).isdigit():
            found[round(float(number) / 100, 9)] = name
    return dict(sorted(found.items()))


@dataclass(frozen=True, eq=False)
class Promised:
    """The promises of one plan. S series, H intervals, Q levels."""

    snapshot: Snapshot

    @cached_property
    def times(self) -> pd.DatetimeIndex:
        """(H,) intervals of the plan."""
        return plan_times(self.snapshot)

    @cached_property
    def cutoff(self) -> pd.Timestamp:
        """Where the plan begins: the end of what it was made from."""
        return self.times[0]

    @cached_property
    def end(self) -> pd.Timestamp:
        """End of its horizon."""
        return self.times[-1] + self.snapshot.demand.interval

    @cached_property
    def levels(self) -> dict[float, str]:
        """Levels of the forecast that were kept, each with its column."""
        return levels_of(list(self.snapshot.quantiles.columns))

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """Series that were forecast."""
        frame = self.snapshot.quantiles[["service", "metric"]].drop_duplicates()
        return tuple(Key(str(service), str(metric)) for service, metric in zip(*frame.to_numpy().T, strict=True))

    @cached_property
    def rows(self) -> dict[Key, int]:
        """Series -> its place."""
        return {key: row for row, key in enumerate(self.keys)}

    @cached_property
    def services(self) -> tuple[str, ...]:
        """Services that were planned, in the plan's order."""
        return tuple(map(str, self.snapshot.plan["service"].unique()))

    @cached_property
    def _cubes(self) -> dict[str, np.ndarray]:
        """Column -> (S, H)."""
        frame, index = self.snapshot.quantiles, pd.MultiIndex.from_tuples(self.keys)
        own = pd.MultiIndex.from_arrays([frame["service"].astype(str), frame["metric"].astype(str)])
        rows, columns = index.get_indexer(own), self.times.get_indexer(pd.DatetimeIndex(frame["timestamp"]))
        there = columns >= 0
        cubes = {}
        for name in ("mean", *self.levels.values()):
            cube = np.full((len(self.keys), len(self.times)), np.nan)
            cube[rows[there], columns[there]] = frame[name].to_numpy(dtype=float)[there]
            cubes[name] = cube
        return cubes

    def mean(self, key: Key) -> np.ndarray | None:
        """(H,) expected need; None for a series that was not forecast."""
        return self._cubes["mean"][self.rows[key]] if key in self.rows else None

    def quantile(self, key: Key, level: float) -> np.ndarray:
        """(H,) a kept quantile of one series."""
        return self._cubes[self.levels[level]][self.rows[key]]

    def quantiles(self, keys: Sequence[Key]) -> np.ndarray:
        """(Q, S, H) every kept quantile of some series."""
        rows = [self.rows[key] for key in keys]
        return np.stack([self._cubes[name][rows] for name in self.levels.values()])

    @cached_property
    def _past(self) -> dict[Key, int]:
        return {key: row for row, key in enumerate(self.snapshot.demand.keys)}

    def usual(self, key: Key) -> float:
        """Busiest minute over the mean, as the plan knew it; NaN where it knew of no busiest minutes."""
        row, past = self._past.get(key), self.snapshot.demand
        return float("nan") if row is None else ratio_of(past.values[row], past.peaks[row])

    @cached_property
    def _planned(self) -> dict[str, pd.DataFrame]:
        return {str(name): part for name, part in self.snapshot.plan.groupby("service", sort=False, observed=True)}

    @cached_property
    def _counts(self) -> dict[str, pd.DataFrame]:
        return {str(name): part for name, part in self.snapshot.counts.groupby("service", sort=False, observed=True)}

    @cached_property
    def _costs(self) -> dict[str, Prices]:
        return {
            str(name): {str(item): float(rate) for item, rate in zip(part["item"], part["rate"], strict=True)}
            for name, part in self.snapshot.cost.groupby("service", sort=False, observed=True)
        }

    def tasks(self, service: str) -> np.ndarray:
        """(H,) tasks the plan says to run."""
        return self._planned[service]["tasks"].to_numpy(dtype=float)

    def expected(self, service: str) -> np.ndarray:
        """(H,) the median over the paths of the tasks needed: the plan without its margin, not clipped to bounds."""
        part = self._counts.get(service)
        if part is None or _MIDDLE not in part:
            raise InputError(
                f"the plan's snapshot holds no median count of {service!r}",
                advice="Save it again with this version: capacity plan --save PATH.",
            )
        return part[_MIDDLE].to_numpy(dtype=float)

    def prices(self, service: str) -> Prices:
        """What one unit of each item cost by the hour when the plan was made; empty where no price was known."""
        return self._costs.get(service, {})
