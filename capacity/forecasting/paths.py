"""From errors to futures: sample paths around a centre that miss as its forecasts missed before.

An error trajectory is split in two. Its *slow* part, block by block (a day; a week for daily data), says how far the
level drifts with lead time; new slow parts are random mixtures of the past ones (a multiplier bootstrap), which keeps
their growth, their autocorrelation and, one mixture serving all series, the correlation between services. Its *fast*
part is drawn in whole blocks of the same weekday and date for all series, which keeps the shape of a day and shared
bursts. Sums over services and maxima over time are therefore meaningful path by path.

Sources: multiplier (wild) bootstrap, Wu 1986, Annals of Statistics 14(4); block bootstrap, Kunsch 1989, same journal
17(3). Student tails: a scale per path, sqrt(nu / chi2_nu).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from capacity.forecasting.evidence import Evidence
from capacity.forecasting.windows import MOST_ORIGINS, Windows

#: Degrees of freedom of the slow part's tails.
TAIL: Final = 8.0

#: What is believed of a level's drift before any error was seen: log units per square root of a day. It is divided by
#: the number of origins to the power 3/4, so that two weeks of history know little and a year overrules it; it also
#: keeps the fan of a constant series from being empty.
PRIOR_DRIFT: Final = 0.05

#: No path goes beyond this many times the largest value seen: nothing in the past speaks for more.
CEILING: Final = 8.0

#: A drawn day is moved by up to a twelfth of it to either side: two past launches at 9 and 11 say that 10 is possible.
SHIFTS: Final = 12

#: Weekday, then lead, are matched only where at least this many different dates can be drawn.
FEWEST_DATES: Final = 8

#: Beyond what the past can show, the drift's variance levels off after this many times the stretch that it showed.
LEVELS_OFF: Final = 3.0


@dataclass(frozen=True, eq=False)
class Draws:
    """Chance, drawn once and shared by every series: what makes path p one future of the whole fleet."""

    mixture: np.ndarray  # (O, P) standard normal, in pairs of opposite sign
    scale: np.ndarray  # (P,) Student scale
    walk: np.ndarray  # (B, P) standard Brownian motion on blocks, opposite in pairs
    pick: np.ndarray  # (B, P) uniform in [0, 1): which past block
    shift: np.ndarray  # (B, P) uniform in [0, 1): by how much it is moved

    @classmethod
    def of(cls, seed: int, count: int, blocks: int) -> Draws:
        """The draws of one seed; more blocks only add to fewer, so that groups of series agree."""
        half = -(-count // 2)
        streams = [np.random.default_rng([seed, part]) for part in range(5)]
        mixture = _paired(streams[0].standard_normal((MOST_ORIGINS, half)), count)
        chi2 = streams[1].chisquare(TAIL, half)
        scale = np.sqrt((TAIL - 2) / chi2)
        steps = _paired(streams[2].standard_normal((blocks, half)), count)
        return cls(
            mixture,
            np.concatenate([scale, scale])[:count],
            steps.cumsum(axis=0),
            *(stream.random((blocks, count)) for stream in streams[3:]),
        )


def _paired(draws: np.ndarray, count: int) -> np.ndarray:
    return np.concatenate([draws, -draws], axis=1)[:, :count]


def fan_paths(tested: Windows, evidence: Evidence, weights: np.ndarray, draws: Draws) -> np.ndarray:
    """(S, P, H) paths: centre + slow error + fast error, brought back to the metric's unit.

    weights  (M, S, H') with H' the longer of the horizon and the leads compared
    """
    past, block = tested.past, tested.past.seasons.block
    horizon = evidence.ahead.shape[2]
    centre = np.einsum("msh,msh->sh", weights[:, :, :horizon], evidence.ahead)
    errors = evidence.errors(weights)  # (O, S, He)
    slow = block_means(errors, block)  # (O, S, B)
    fast = errors - on_steps(np.nan_to_num(slow), block, tested.horizon)
    drift = slow_paths(slow, tested, draws, -(-horizon // block))  # (S, P, B')
    z = on_steps(drift, block, horizon)
    z += fast_paths(fast, tested, draws, horizon)
    z += centre[:, None, :]
    with np.errstate(over="ignore"):
        paths = past.back(z)
    np.minimum(paths, CEILING * past.largest[:, None, None], out=paths)
    paths[past.largest == 0] = 0.0
    return paths


def block_means(errors: np.ndarray, block: int) -> np.ndarray:
    """(..., B) mean error of each whole block; NaN where less than half of it was seen."""
    shape = (*errors.shape[:-1], errors.shape[-1] // block, block)
    parts = errors[..., : shape[-2] * block].reshape(shape)
    seen = np.isfinite(parts)
    counts = seen.sum(axis=-1)
    sums = np.where(seen, parts, 0.0).sum(axis=-1)
    return np.where(2 * counts >= block, sums / np.maximum(counts, 1), np.nan)


def on_steps(blocks: np.ndarray, block: int, steps: int) -> np.ndarray:
    """(..., steps) values of block centres, straight lines between, level before the first and after the last.

    >>> on_steps(np.array([0.0, 4.0]), 4, 8).tolist()
    [0.0, 0.0, 0.5, 1.5, 2.5, 3.5, 4.0, 4.0]
    """
    place = np.clip((np.arange(steps) + 0.5) / block - 0.5, 0, blocks.shape[-1] - 1)
    low = np.minimum(place.astype(int), blocks.shape[-1] - 1)
    high = np.minimum(low + 1, blocks.shape[-1] - 1)
    share = place - low
    found = blocks[..., low]
    if blocks.shape[-1] > 1:
        found = found + share * (blocks[..., high] - found)
    return np.asarray(found)


def slow_paths(slow: np.ndarray, tested: Windows, draws: Draws, blocks: int) -> np.ndarray:
    """(S, P, blocks) random mixtures of the past's slow errors, then a random walk beyond what the past shows.

    Each lead keeps its own second moment (bias included): sum of squares over the origins that saw it. The largest
    errors are limited to four times the median one, so that one launch does not rule every future.
    """
    count = len(slow)
    size = np.abs(slow)
    seen = np.isfinite(slow)
    number = seen.sum(axis=0)  # (S, B)
    middle = _median_over_origins(size)
    kept = np.where(seen, np.clip(np.nan_to_num(slow), -4 * middle - 1e-9, 4 * middle + 1e-9), 0.0)
    mixed = np.einsum("op,osb->spb", draws.mixture[:count], kept, optimize=True)
    mixed *= (inflation(number, tested) / np.sqrt(np.maximum(number, 1)))[:, None, :]
    mixed *= draws.scale[None, :, None]
    shown = mixed.shape[2]
    if blocks > shown:
        rate = drift_rate(np.sqrt((kept**2).sum(axis=0) / np.maximum(number, 1)))  # (S,)
        time = LEVELS_OFF * shown * -np.expm1(-np.arange(1, blocks - shown + 1) / (LEVELS_OFF * shown))
        slower = np.sqrt(time / np.arange(1, blocks - shown + 1))
        walk = draws.walk[: blocks - shown].T * slower * draws.scale[:, None]
        beyond = mixed[:, :, -1:] + rate[:, None, None] * walk[None]
        mixed = np.concatenate([mixed, beyond], axis=2)
    prior = PRIOR_DRIFT * np.sqrt(tested.past.seasons.block_days) / np.maximum(number.max(axis=1), 1) ** 0.75
    mixed = mixed[:, :, :blocks]
    mixed += prior[:, None, None] * draws.walk[:blocks].T[None]
    return mixed


def _median_over_origins(size: np.ndarray) -> np.ndarray:
    """(S, B) median over origins, gaps left out; zero where nothing was seen."""
    ordered = np.sort(size, axis=0)
    counts = np.isfinite(size).sum(axis=0)
    return np.nan_to_num(
        np.take_along_axis(ordered, np.maximum(counts // 2, 0)[None].clip(max=len(size) - 1), axis=0)[0]
    )


def inflation(number: np.ndarray, tested: Windows) -> np.ndarray:
    """(S, B) by how much a spread seen in few windows is widened: overlapping windows count as one.

    With w independent windows a second moment is known to about 1 / sqrt(w): widened by 1 + 1 / (2 w).
    """
    spacing = int(tested.backs[1] - tested.backs[0]) if len(tested.backs) > 1 else tested.past.seasons.block
    leads = (np.arange(number.shape[1]) + 1) * tested.past.seasons.block
    independent = np.maximum(1.0, number * np.minimum(1.0, spacing / leads))
    return 1 + 1 / (2 * independent)


def drift_rate(spread: np.ndarray) -> np.ndarray:
    """(S,) standard deviation that one more block adds, from how the spread grew over the blocks seen.

    The mean of what the second half added and of what a random walk through the last would add.
    """
    last, blocks = spread[:, -1] ** 2, spread.shape[1]
    walk = last / blocks
    if blocks < 4:
        return np.asarray(np.sqrt(walk))
    half = blocks // 2
    grown = np.clip((last - spread[:, half - 1] ** 2) / (blocks - half), 0, 2 * walk)
    return np.asarray(np.sqrt((walk + grown) / 2))


def fast_paths(fast: np.ndarray, tested: Windows, draws: Draws, horizon: int) -> np.ndarray:
    """(S, P, H) fast errors, drawn in whole blocks: of the first lead for the first block, of its weekday after."""
    block = tested.past.seasons.block
    origins, count, _ = fast.shape
    pool = fast.reshape(origins, count, -1, block).transpose(1, 0, 2, 3)  # (S, O, B, block)
    usable = np.arange(pool.shape[2])[None, :] * block + block <= tested.backs[:, None]  # (O, B) in the past
    pool = _without_gaps(pool[:, usable])  # (S, N, block)
    back, lead = (axis[usable] for axis in np.broadcast_arrays(tested.backs[:, None], np.arange(usable.shape[1])[None]))
    blocks = -(-horizon // block)
    picks = np.stack([_picked(lead, back, b, tested, draws.pick[b]) for b in range(blocks)], axis=1)  # (P, blocks)
    if tested.past.seasons.day and block >= 2 * SHIFTS:
        furthest = block // SHIFTS
        moved = np.floor(draws.shift[:blocks].T * (2 * furthest + 1)).astype(int) - furthest  # (P, blocks)
        steps = (np.arange(block) + moved[..., None]) % block
        found = pool[:, picks[..., None], steps]
    else:
        found = pool[:, picks]
    return found.reshape(count, len(picks), blocks * block)[:, :, :horizon]


def _picked(lead: np.ndarray, back: np.ndarray, wanted: int, tested: Windows, uniform: np.ndarray) -> np.ndarray:
    """(P,) which past block serves as block `wanted` ahead."""
    seasons = tested.past.seasons
    date = lead * seasons.block - back
    choices = [np.ones(len(lead), dtype=bool), lead > 0] if wanted else [np.ones(len(lead), dtype=bool), lead == 0]
    if wanted and seasons.week:
        choices.append((lead > 0) & ((date - wanted * seasons.block) % seasons.week == 0))
    for choice in reversed(choices):
        if len(np.unique(date[choice])) >= FEWEST_DATES:
            break
    fitting = np.flatnonzero(choice)
    return fitting[(uniform * len(fitting)).astype(int)]


def _without_gaps(pool: np.ndarray) -> np.ndarray:
    """The pool with each gap filled by the same step of another block: a gap must not look like a small error."""
    for shift in (1, 2, 3, 5, 8, 13, 21):
        gaps = np.isnan(pool)
        if not gaps.any():
            return pool
        pool = np.where(gaps, np.roll(pool, shift, axis=1), pool)
    return np.nan_to_num(pool)
