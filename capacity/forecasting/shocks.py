"""Futures of a linear model: its forecast plus past surprises, drawn by date for all series and carried forward.

For models that give one-step errors (ETS, SARIMAX): a surprise e moves the value k steps later by psi_k x e, so a path
is the forecast plus the convolution of drawn surprises with psi. Source: Hyndman et al. 2008, "Forecasting with
Exponential Smoothing", chapter 6; Box & Jenkins, "Time Series Analysis", section 5.2 (psi weights).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from capacity.demand.demand import Demand, Key
from capacity.errors import ForecastError, InputError
from capacity.forecasting.base import refuse_too_short
from capacity.forecasting.paths import CEILING
from capacity.forecasting.prepare import Prepared, prepare

#: Surprises are drawn from the newest blocks only, at most this many.
NEWEST_BLOCKS: Final = 90


class Linear(NamedTuple):
    """One series' fitted model: where it goes, one-step errors (newest last), and how an error is carried forward."""

    expected: np.ndarray  # (H,) on the models' scale
    errors: np.ndarray  # (n',)
    psi: np.ndarray  # (H,), psi[0] is 1


Fit = Callable[[Prepared, int], Linear]


def linear_paths(fit: Fit, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """(S, count, H) sample paths of a model fitted series by series; the same dates are drawn for all of them."""
    from scipy.signal import fftconvolve  # a second to import, and most forecasts do without

    refuse_too_short(past)
    if horizon < 1 or count < 1:
        raise InputError(f"horizon={horizon}, paths={count}: both are at least 1")
    prepared = prepare(past)
    uniform = rng.random((count, -(-horizon // prepared.seasons.block)))
    paths = np.empty((len(past.keys), count, horizon))
    for row, key in enumerate(past.keys):
        alone = one(prepared, row)
        if alone.largest[0] == 0:
            paths[row] = 0.0
            continue
        fitted = fitted_or_refused(fit, alone, horizon, key)
        shocks = drawn(fitted.errors, prepared.seasons.block, uniform)[:, :horizon]
        moved = fftconvolve(shocks, fitted.psi[None, :], axes=1)[:, :horizon]
        with np.errstate(over="ignore"):
            found = alone.back((fitted.expected + moved)[None])[0]
        paths[row] = np.minimum(found, CEILING * alone.largest[0])
    return paths


def fitted_or_refused(fit: Fit, alone: Prepared, horizon: int, key: Key) -> Linear:
    """The fit, or a ForecastError that names the series: libraries' own errors become ours, cause kept."""
    try:
        fitted = fit(alone, horizon)
    except ForecastError as error:
        raise type(error)(f"{key.service} {key.metric}: {error}") from error
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        raise ForecastError(f"{key.service} {key.metric}: the model could not be fitted: {error}") from error
    if not (np.isfinite(fitted.expected).all() and np.isfinite(fitted.psi).all() and np.isfinite(fitted.errors).all()):
        raise ForecastError(f"{key.service} {key.metric}: the fitted model explodes within the horizon")
    return fitted


def drawn(errors: np.ndarray, block: int, uniform: np.ndarray) -> np.ndarray:
    """(P, blocks x block) surprises in whole blocks, counted back from the newest, centred."""
    blocks = max(1, min(len(errors) // block, NEWEST_BLOCKS))
    block = min(block, len(errors))
    pool = errors[len(errors) - blocks * block :].reshape(blocks, block)
    pool = pool - pool.mean()
    shocks = pool[(uniform * blocks).astype(int)]  # (P, blocks, block)
    return shocks.reshape(len(uniform), -1)


def one(prepared: Prepared, row: int) -> Prepared:
    """Only one series."""
    part = slice(row, row + 1)
    names = ("fit", "filled", "seen", "bound", "scale", "offset", "largest")
    return replace(prepared, **{name: getattr(prepared, name)[part] for name in names})
