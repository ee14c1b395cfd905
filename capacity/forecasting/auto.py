"""The default: several quick, unlike models, weighted by what rolling origins say of each, lead by lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from capacity.demand.demand import Demand
from capacity.errors import InputError
from capacity.forecasting.base import Fan
from capacity.forecasting.ensemble import combined
from capacity.forecasting.evidence import Evidence
from capacity.forecasting.harmonic import Harmonic
from capacity.forecasting.profile import Profile
from capacity.forecasting.seasonal_naive import SeasonalNaive

#: What `auto` compares unless told otherwise: two half-lives each of shape x level and of waves, and the naive.
CANDIDATES = (SeasonalNaive(), Profile(2.0, 2.0), Profile(6.0, 7.0), Harmonic(14.0, 14.0), Harmonic(90.0, 90.0))


@dataclass(frozen=True)
class Auto:
    """Seasonal naive, profiles and harmonics at two half-lives, mixed by their pinball loss at past origins.

    candidates  models with a `centre`; each is asked at every origin
    sharpness   weight falls with loss to this power: 0 averages all, large picks the best
    """

    candidates: tuple[Any, ...] = CANDIDATES
    sharpness: float = 8.0

    def __post_init__(self) -> None:
        if not self.candidates or any(not hasattr(model, "centre") for model in self.candidates):
            raise InputError(
                "auto compares models that have a centre",
                advice="Of ours: SeasonalNaive, Profile, Harmonic, Boosting. Others are selected by name.",
            )
        if not self.sharpness >= 0:
            raise InputError(f"sharpness={self.sharpness}: it is not negative")

    @property
    def name(self) -> str:
        return "auto"

    def paths(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
        return self.fan(past, horizon, count, rng).paths

    def fan(self, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> Fan:
        """Paths, the weights in words, and the scores of what was compared."""
        return combined(past, horizon, count, rng, self.candidates, self._weigh, self.name)

    def _weigh(self, evidence: Evidence) -> np.ndarray:
        return evidence.on_leads(weights_of(evidence.losses(), self.sharpness))


def weights_of(losses: np.ndarray, sharpness: float) -> np.ndarray:
    """(bands, M, S) weights that fall with loss and sum to one over the models.

    Losses are relative to the best; below 5 % a model is left out. Where nothing was measured, all weigh the same.

    >>> weights_of(np.array([[[1.0], [2.0], [9.0]]]), 1.0).round(3).tolist()
    [[[0.621], [0.31], [0.069]]]
    """
    best = np.min(np.where(np.isnan(losses), np.inf, losses), axis=1, keepdims=True)
    known = np.isfinite(best) & (best > 0)
    relative = np.where(known, losses / np.where(known, best, 1.0), 1.0)
    raw = np.maximum(np.nan_to_num(relative, nan=1e6), 1.0) ** -sharpness
    share = raw / raw.sum(axis=1, keepdims=True)
    share = np.where(share < 0.05, 0.0, share)
    return share / share.sum(axis=1, keepdims=True)
