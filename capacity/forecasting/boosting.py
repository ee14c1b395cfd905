"""Gradient-boosted trees (scikit-learn) on lags, levels and the calendar: one model for all series and leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from capacity.demand.demand import Demand
from capacity.errors import ForecastError, InputError
from capacity.forecasting.base import quietly
from capacity.forecasting.ensemble import paths_around
from capacity.forecasting.windows import View


class Learnt(NamedTuple):
    """Fitted trees and the features they use; no trees where nothing varies."""

    trees: Any
    columns: np.ndarray


@dataclass(frozen=True)
class Boosting:
    """Direct forecasts with the lead as a feature, learnt over all series at once on the models' log scale.

    rounds  trees
    leaves  of each tree
    rows    most training examples; drawn evenly over series, origins and leads
    """

    rounds: int = 120
    leaves: int = 24
    rows: int = 20_000

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.leaves < 2 or self.rows < 100:
            raise InputError(f"{self!r}: rounds at least 1, leaves at least 2, rows at least 100")

    @property
    def name(self) -> str:
        return "boosting"

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        return paths_around(self, past, horizon, count, rng)

    def centre(self, view: View, horizon: int) -> np.ndarray:
        """(S, H) on the models' scale, from what this view holds."""
        return self._predict(self._learn(view, horizon), view, horizon)

    def centres(self, views: Sequence[View], horizon: int) -> list[np.ndarray]:
        """Two fits for all origins: on what the oldest saw, to judge the past; on everything, for the future."""
        oldest = min(views, key=lambda view: view.fit.shape[1])
        early, late = self._learn(oldest, horizon), self._learn(views[-1], horizon)
        return [self._predict(early, view, horizon) for view in views[:-1]] + [self._predict(late, views[-1], horizon)]

    def _learn(self, view: View, horizon: int) -> Learnt:
        from sklearn.ensemble import HistGradientBoostingRegressor

        origins, leads = self._examples(view, horizon)
        end = view.fit.shape[1]
        features = features_at(view, origins, leads, end)  # (S, R, F)
        target = view.fit[:, origins + leads] - level_at(view, origins)
        model = HistGradientBoostingRegressor(
            loss="absolute_error",
            max_iter=self.rounds,
            max_leaf_nodes=self.leaves,
            learning_rate=0.08,
            early_stopping=False,
            random_state=0,
        )
        table = features.reshape(-1, features.shape[2])
        columns = telling(table)
        if len(columns) == 0:
            return Learnt(None, columns)
        with quietly():
            return Learnt(model.fit(table[:, columns], target.ravel()), columns)

    def _examples(self, view: View, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """(R,) origins and leads within the view, spread by a fixed low-discrepancy sequence."""
        count, end = view.fit.shape
        first = min(max(view.seasons.longest, end // 4), end // 2)
        if end - first < 4:
            raise ForecastError(f"boosting needs more than {end} intervals; use the model 'auto'.")
        wanted = max(50, min(self.rows // count, 4 * end))
        step = np.arange(1, wanted + 1)
        lead = ((step * 0.6180339887498949) % 1 * min(horizon, end - first - 1)).astype(int)
        origin = first + ((step * 0.7548776662466927) % 1 * (end - first - lead)).astype(int)
        return origin, lead

    def _predict(self, learnt: Learnt, view: View, horizon: int) -> np.ndarray:
        count, end = view.fit.shape
        origins, leads = np.full(horizon, end), np.arange(horizon)
        level = level_at(view, origins)
        if learnt.trees is None:
            return level
        features = features_at(view, origins, leads, end)
        with quietly():
            found = learnt.trees.predict(features.reshape(-1, features.shape[2])[:, learnt.columns])
        return np.asarray(found.reshape(count, horizon) + level)


def telling(table: np.ndarray) -> np.ndarray:
    """Columns with at least two different values: trees refuse the others."""
    finite = np.isfinite(table)
    low = np.where(finite, table, np.inf).min(axis=0)
    high = np.where(finite, table, -np.inf).max(axis=0)
    return np.flatnonzero(high > low)


def level_at(view: View, origins: np.ndarray, blocks: int = 7) -> np.ndarray:
    """(S, R) mean of the last week (or what there is) before each origin: origin o is the first interval not seen."""
    return _mean_before(view.fit, origins, blocks * view.seasons.block)


def features_at(view: View, origins: np.ndarray, leads: np.ndarray, end: int) -> np.ndarray:
    """(S, R, F) what is known at each origin about the interval `lead` after it; values relative to the level."""
    z, seasons = view.fit, view.seasons
    level = level_at(view, origins)
    columns = [np.broadcast_to(np.log1p(leads), level.shape)]
    for season in (seasons.week, seasons.day):
        if season:
            columns.append(np.broadcast_to((origins + leads - end) % season, level.shape).astype(float))
            back = (leads // season + 1) * season
            for k in range(3):
                place = origins + leads - back - k * season
                columns.append(np.where(place >= 0, z[:, np.maximum(place, 0)], np.nan) - level)
    for width in (1, seasons.block, 3 * seasons.block, 28 * seasons.block):
        columns.append(_mean_before(z, origins, width) - level)
    return np.stack(columns, axis=2)


def _mean_before(z: np.ndarray, origins: np.ndarray, width: int) -> np.ndarray:
    total = np.concatenate([np.zeros((len(z), 1)), np.cumsum(z, axis=1)], axis=1)
    start = np.maximum(origins - width, 0)
    return np.asarray((total[:, origins] - total[:, start]) / np.maximum(origins - start, 1))
