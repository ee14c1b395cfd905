"""What rolling origins say about each model: centres, errors, losses by lead, and the table that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.demand.demand import Demand, Key
from capacity.forecasting.base import named
from capacity.forecasting.prepare import nanquantile
from capacity.forecasting.windows import Centred, Windows
from capacity.schema import SCORES

#: Quantile levels at which candidates are compared: the middle, the central 80 %, and the level plans are made at.
LEVELS: Final = (0.1, 0.5, 0.9, 0.95)

#: Leads are compared in bands that end here, in days: what is best tomorrow is seldom best in a quarter.
BAND_DAYS: Final = (0.25, 1.0, 7.0, 28.0)

#: Leads looked at per band: neighbouring ones say the same.
LEADS_A_BAND: Final = 60

#: Leads a band in the table of scores: it compares models, and is not what weights are made of.
SCORED_A_BAND: Final = 24


@dataclass(frozen=True, eq=False)
class Evidence:
    """M models at O origins, S series, He leads compared, H asked for.

    behind  (M, O, S, He) each model's centre after each origin, on the models' scale
    ahead   (M, S, H) each model's centre now
    truth   (O, S, He) what was seen; NaN where nothing was
    """

    names: tuple[str, ...]
    tested: Windows
    behind: np.ndarray
    ahead: np.ndarray
    truth: np.ndarray
    saturated: np.ndarray

    def errors(self, weights: np.ndarray) -> np.ndarray:
        """(O, S, He) seen less expected, by the weighted centre. Where the service was saturated and the centre is
        above what was seen, the error is not known: the truth was at least what was seen."""
        expected = np.einsum("msh,mosh->osh", weights[:, :, : self.tested.horizon], self.behind, optimize=True)
        errors = self.truth - expected
        with np.errstate(invalid="ignore"):
            return np.where(self.saturated & (errors < 0), np.nan, errors)

    def judged(self) -> np.ndarray:
        """(O, S, He) what models are compared by: seen, and not only known to be at least that. Where the service was
        saturated, who expected more was not wrong."""
        return np.where(self.saturated, np.nan, self.truth)

    def bands(self) -> list[np.ndarray]:
        """Leads of each band that the windows show, thinned."""
        seasons = self.tested.past.seasons
        days = (np.arange(self.tested.horizon) + 1) * seasons.block_days / seasons.block
        number = np.searchsorted(BAND_DAYS, days - 1e-9)
        return [thinned(np.flatnonzero(number == band), LEADS_A_BAND) for band in np.unique(number)]

    def band_numbers(self) -> np.ndarray:
        """(bands,) which of all bands each of `bands` is, 0 the nearest."""
        seasons = self.tested.past.seasons
        days = (np.arange(self.tested.horizon) + 1) * seasons.block_days / seasons.block
        return np.unique(np.searchsorted(BAND_DAYS, days - 1e-9))

    def independent_windows(self) -> np.ndarray:
        """(bands,) in how many windows that do not overlap each band was judged, about."""
        backs = self.tested.backs
        spacing = backs[1] - backs[0] if len(backs) > 1 else self.tested.past.seasons.block
        return np.array([(backs > band[0]).sum() * min(1.0, spacing / (band[-1] + 1)) for band in self.bands()])

    def losses(self) -> np.ndarray:
        """(bands, M, S) pinball loss of each model at LEVELS, in the metric's unit; NaN where nothing can be judged.

        Quantiles are as far to either side of the centre as its errors were, whatever their sign: a centre that is
        always too low pays for it.
        """
        return np.stack([self._loss(leads) for leads in self.bands()])

    def _loss(self, leads: np.ndarray) -> np.ndarray:
        models, _, count, _ = self.behind.shape
        past = self.tested.past
        behind = self.behind[..., leads].transpose(2, 0, 1, 3).reshape(count, models, -1)  # (S, M, O x h)
        truth = self.judged()[..., leads].transpose(1, 0, 2).reshape(count, 1, -1)
        sizes = nanquantile(np.abs(truth - behind).reshape(count * models, -1), (0.8, 0.9))
        narrow, wide = (size.reshape(count, models, 1) for size in sizes)
        offsets = (-narrow, 0.0, narrow, wide)
        actual = past.back(truth)
        total = np.zeros((count, models))
        for level, offset in zip(LEVELS, offsets, strict=True):
            miss = actual - past.back(behind + offset)
            pinball = np.maximum(level * miss, (level - 1) * miss)
            seen = np.isfinite(pinball)
            total += np.where(seen, pinball, 0).sum(axis=2) / np.where(seen.any(axis=2), seen.sum(axis=2), np.nan)
        return total.T

    def on_leads(self, weights: np.ndarray) -> np.ndarray:
        """(M, S, H') weights of bands carried to every lead: straight between the bands' middles, on log lead."""
        reach = max(self.tested.horizon, self.ahead.shape[2])
        middles = np.log([np.sqrt((band[0] + 1.0) * (band[-1] + 1.0)) for band in self.bands()])
        leads = np.log(np.arange(1, reach + 1))
        place = np.interp(leads, middles, np.arange(len(middles)))
        low = np.minimum(place.astype(int), len(middles) - 1)
        high = np.minimum(low + 1, len(middles) - 1)
        share = place - low
        spread = weights[low] * (1 - share)[:, None, None] + weights[high] * share[:, None, None]  # (H', M, S)
        return np.ascontiguousarray(spread.transpose(1, 2, 0))

    def labels(self, label: str, weights: np.ndarray) -> list[str]:
        """One label a series: the models with their mean weight over the horizon."""
        share = weights[:, :, : self.ahead.shape[2]].mean(axis=2)  # (M, S)
        return [f"{label}({named(_summed(self.names, column))})" for column in share.T]

    def scores(self, past: Demand, keys: Sequence[Key]) -> pd.DataFrame:
        """`schema.SCORES` of each model: one row a series, model and origin with something to score.

        Quantiles are the model's own error quantiles over all origins, so this compares models; `backtest` judges
        them. `peak_ratio` and `seconds` are not measured here.
        """
        prepared = self.tested.past
        leads = np.concatenate([thinned(band, SCORED_A_BAND) for band in self.bands()])
        behind = self.behind[..., leads].transpose(2, 0, 1, 3)  # (S, M, O, h)
        truth = self.judged()[..., leads].transpose(1, 0, 2)[:, None]  # (S, 1, O, h)
        count, models, origins, _ = behind.shape
        offsets = nanquantile((truth - behind).reshape(count * models, -1), (0.05, 0.5, 0.95))
        actual = prepared.back(truth)
        low, middle, high = (prepared.back(behind + part.reshape(count, models, 1, 1)) for part in offsets)
        seen = np.isfinite(actual)
        steps = seen.sum(axis=3)  # (S, 1, O)
        naive = _naive_error(prepared.back(prepared.seen), prepared.seasons.longest)[:, None, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            pinball = sum(
                np.where(seen, np.maximum(level * (actual - q), (level - 1) * (actual - q)), 0).sum(axis=3)
                for level, q in ((0.05, low), (0.5, middle), (0.95, high))
            )
            size = np.where(seen, actual, 0).sum(axis=3)
            columns = {
                "wql": 2 * pinball / (3 * size),
                "mase": np.where(seen, np.abs(middle - actual), 0).sum(axis=3) / steps / naive,
                "coverage": (seen & (actual >= low) & (actual <= high)).sum(axis=3) / steps,
                "exceeded": (seen & (actual > high)).sum(axis=3) / steps,
                "bias": np.where(seen, middle - actual, 0).sum(axis=3) / size,
            }
        cutoffs = past.end - self.tested.backs * past.interval
        each = models * origins
        frame = pd.DataFrame(
            {
                "service": np.repeat([key.service for key in keys], each),
                "metric": np.repeat([key.metric for key in keys], each),
                "model": np.tile(np.repeat(self.names, origins), count),
                "cutoff": pd.DatetimeIndex(np.tile(cutoffs, count * models)),
                "steps": np.broadcast_to(steps, (count, models, origins)).ravel(),
                **{name: np.where(np.isfinite(values), values, np.nan).ravel() for name, values in columns.items()},
                "peak_ratio": np.nan,
                "seconds": np.nan,
            }
        )
        return frame.loc[frame["steps"] > 0, SCORES.names].reset_index(drop=True)


def compare(tested: Windows, models: Sequence[Centred], horizon: int) -> Evidence:
    """Every model asked at every origin, and for the future."""
    found = [tested.centres(model, horizon) for model in models]
    return Evidence(
        names=unique_names(models),
        tested=tested,
        behind=np.stack([behind for behind, _ in found]),
        ahead=np.stack([ahead for _, ahead in found]),
        truth=tested.truth(),
        saturated=tested.saturated(),
    )


def unique_names(models: Sequence[Centred]) -> tuple[str, ...]:
    """Names of models; a second one of a name is told apart by its settings."""
    names = [model.name for model in models]
    return tuple(name if names.count(name) == 1 else repr(model) for name, model in zip(names, models, strict=True))


def _summed(names: Sequence[str], weights: np.ndarray) -> list[tuple[str, float]]:
    """Weights by family: settings in brackets left out."""
    total: dict[str, float] = {}
    for name, weight in zip(names, weights, strict=True):
        family = name.split("(")[0].lower()
        total[family] = total.get(family, 0.0) + float(weight)
    return list(total.items())


def thinned(leads: np.ndarray, most: int) -> np.ndarray:
    """At most so many of them, spread so that every hour of the day comes up."""
    if len(leads) <= most:
        return leads
    return leads[np.unique(np.linspace(0, len(leads) - 1, most).round().astype(int))]


def _naive_error(y: np.ndarray, season: int) -> np.ndarray:
    """(S,) mean absolute error of repeating the last season, inside the past, where both were seen; NaN: nowhere.

    >>> _naive_error(np.array([[1.0, 2.0, 4.0, np.nan]]), 1).tolist(), _naive_error(np.array([[1.0]]), 7).tolist()
    ([1.5], [nan])
    """
    missed = np.abs(y[:, season:] - y[:, :-season])
    seen = np.isfinite(missed)
    counts = seen.sum(axis=1)
    return np.where(counts > 0, np.where(seen, missed, 0.0).sum(axis=1) / np.maximum(counts, 1), np.nan)
