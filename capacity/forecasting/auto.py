"""The default: unlike, quick models, weighted by what such models are worth and by what rolling origins say of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from capacity.demand.demand import Demand
from capacity.errors import InputError
from capacity.findings import Findings
from capacity.forecasting.base import Fan
from capacity.forecasting.cold_starts import lent
from capacity.forecasting.ensemble import combined
from capacity.forecasting.evidence import BAND_DAYS, Evidence
from capacity.forecasting.harmonic import Harmonic
from capacity.forecasting.last_year import LastYear
from capacity.forecasting.profile import Profile
from capacity.forecasting.seasonal_naive import SeasonalNaive

_BANDS: Final = len(BAND_DAYS) + 1


@dataclass(frozen=True)
class Candidate:
    """A model that `auto` compares, and how much it is believed before any evidence: one weight a band of leads.

    within  for series finer than a day, and for fewer than four weeks of days
    across  for days and coarser, where a level is all that yesterday tells
    """

    model: Any
    within: tuple[float, ...] = (1.0,) * _BANDS
    across: tuple[float, ...] = (1.0,) * _BANDS


#: What `auto` compares: shapes and waves with short and long memories. Weights for leads up to 6 hours, a day, a week,
#: four weeks, and beyond; rounded from what minimised the error of the mean on the series that docs/accuracy.md names.
CANDIDATES: Final = (
    Candidate(SeasonalNaive(), (3, 3, 2, 1, 1), (0.5, 0.5, 0.5, 0.3, 0.3)),
    Candidate(Profile(1.0, 0.25), (3, 2, 1.5, 0.5, 0.5), (1.5, 1.5, 1, 0.5, 0.3)),
    Candidate(Profile(1.0, 3.0), (2, 2, 2.5, 2, 1), (2.5, 2.5, 1.5, 0.5, 0.3)),
    Candidate(Profile(2.0, 7.0), (2, 2, 2, 3, 2), (1, 1, 1, 1, 0.5)),
    Candidate(Profile(6.0, 1.0), (1, 1, 1, 1, 1), (2.5, 2.5, 2.5, 1, 0.3)),
    Candidate(Profile(20.0, 3.0), (1, 1, 1, 1, 1), (1, 1, 1.5, 3, 0.8)),
    Candidate(Profile(20.0, 60.0), (0.3, 0.3, 0.3, 1, 2), (0.3, 0.3, 0.3, 0.5, 1.5)),
    Candidate(Harmonic(14.0, 5.0), (1, 1, 1.5, 1.5, 1.5), (1, 1, 2.5, 2, 2)),
    Candidate(Harmonic(42.0, 5.0), (0.3, 0.3, 0.5, 1, 2), (0.3, 0.3, 0.5, 2, 4)),
    Candidate(Harmonic(90.0, 365.0, steadiness=0.005), (0.3, 0.3, 0.3, 0.5, 0.7), (0.3, 0.3, 0.3, 0.5, 0.7)),
    Candidate(Harmonic(180.0, 5.0), (0.3, 0.3, 0.3, 0.5, 2), (0.3, 0.3, 0.3, 0.8, 2)),
    Candidate(LastYear(), (0.3, 0.3, 0.5, 2, 6), (0.3, 0.3, 0.5, 3, 8)),
)

#: Evidence from this many independent windows counts half of what much more would: a week of origins is not a verdict.
DOUBT: Final = 2.0

#: A model with less than this share of the weight is left out.
LEAST_SHARE: Final = 0.02


@dataclass(frozen=True)
class Auto:
    """Repeats, profiles and harmonics of several memories, mixed by belief and by pinball loss at past origins.

    candidates  `Candidate`s, or models with a `centre` (believed equally); each is asked at every origin
    sharpness   weight falls with loss to this power when evidence is plenty: 0 keeps to belief, large picks the best
    """

    candidates: tuple[Any, ...] = CANDIDATES
    sharpness: float = 16.0

    def __post_init__(self) -> None:
        if not self.candidates or any(not hasattr(one.model, "centre") for one in _candidates(self.candidates)):
            raise InputError(
                "auto compares models that have a centre",
                advice="Of ours: SeasonalNaive, Profile, Harmonic, LastYear, Boosting. Others are selected by name.",
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
        models = [one.model for one in _candidates(self.candidates)]
        given = lent(past)
        fan = combined(given.past, horizon, count, rng, models, self.weigh, self.name, given.made)
        return replace(fan, findings=Findings.of(fan.findings, given.findings))

    def weigh(self, evidence: Evidence) -> np.ndarray:
        """(M, S, leads) weights of the candidates."""
        candidates = _candidates(self.candidates)
        fine = evidence.tested.past.seasons.block_days < 2
        believed = np.array([one.within if fine else one.across for one in candidates]).T  # (all bands, M)
        bands = believed[evidence.band_numbers()]
        windows = evidence.independent_windows()
        sharpness = self.sharpness * windows / (windows + DOUBT)
        return evidence.on_leads(weights_of(evidence.losses(), bands, sharpness))


def _candidates(given: Iterable[Any]) -> list[Candidate]:
    return [one if isinstance(one, Candidate) else Candidate(one) for one in given]


def weights_of(losses: np.ndarray, believed: np.ndarray, sharpness: np.ndarray) -> np.ndarray:
    """(bands, M, S) weights that fall with loss and sum to one over the models.

    losses     (bands, M, S); taken relative to their geometric mean under the belief; NaN: not measured, believed
    believed   (bands, M) weights before any loss was seen
    sharpness  (bands,) power of the loss

    >>> weights_of(np.array([[[1.0], [2.0], [9.0]]]), np.ones((1, 3)), np.array([1.0])).round(3).tolist()
    [[[0.621], [0.31], [0.069]]]
    """
    share = (believed / believed.sum(axis=1, keepdims=True))[:, :, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(losses)
    known = np.isfinite(log)
    usual = np.sum(np.where(known, log * share, 0.0), axis=1, keepdims=True)
    usual /= np.maximum(np.sum(known * share, axis=1, keepdims=True), 1e-12)
    relative = np.clip(np.where(known, log - usual, 0.0), -2.0, 2.0)
    raw = share * np.exp(-sharpness[:, None, None] * (relative - relative.min(axis=1, keepdims=True)))
    raw /= raw.sum(axis=1, keepdims=True)
    raw = np.where(raw < LEAST_SHARE, 0.0, raw)
    return raw / raw.sum(axis=1, keepdims=True)
