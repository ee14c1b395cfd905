"""From errors to futures: sample paths around a centre that miss as its forecasts missed before.

An error trajectory is split in two. Its *slow* part, block by block (a day; a week for daily data), says how far the
level drifts with lead time; new slow parts are random mixtures of the past ones (a multiplier bootstrap), which keeps
their autocorrelation and, one mixture serving all series, the correlation between services. How wide they are is told
by all leads together (`drift_scale`): a handful of windows knows a height, not one for every lead. Its *fast* part is
drawn in whole blocks by date, the same for all series, each step brought to the spread that its hour and weekday
usually have (`usual_spread`), which keeps the shape of a day and shared bursts. Sums over services and maxima over time
are therefore meaningful path by path.

Sources: multiplier (wild) bootstrap, Wu 1986, Annals of Statistics 14(4); block bootstrap, Kunsch 1989, same journal
17(3). Student tails: a scale per path, sqrt(nu / chi2_nu). The numbers below were chosen on the tuning sets for
coverage and quantile loss together (benchmarks/forecast); none was fitted to the sets that are reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from capacity.forecasting.evidence import Evidence
from capacity.forecasting.windows import MOST_ORIGINS, Windows


class Drift(NamedTuple):
    """How the level's uncertainty looks before a series has spoken: log units on the models' scale."""

    growth: float  # what each further block of lead adds to a drift's variance, its own noise being 1
    usual: float  # log of a usual standard deviation one block ahead
    trust: float  # how much of a series' own log height is believed; the rest is the usual
    widening: float  # how much wider at a lead as long as the reach of all origins: such leads were seen once, or never


#: In blocks of a day, for grids finer than that; and in blocks of a week (or of what the grid has), for days.
DAYS: Final = Drift(growth=0.024, usual=-2.4, trust=0.9, widening=0.9)
WEEKS: Final = Drift(growth=0.7, usual=-2.25, trust=0.6, widening=0.4)

#: Degrees of freedom of the slow part's tails: a level breaks more often than it bends.
TAIL: Final = 4.0

#: A spread seen in n independent windows, or on n dates, is known to about 1 / sqrt(2 n): widened by this over n.
FEW_WINDOWS: Final = 0.5

#: Smallest mean error believed: keeps the fan of a constant series from being empty.
LEAST_ERROR: Final = 1e-3

#: No path goes beyond this many times the largest value seen: nothing in the past speaks for more.
CEILING: Final = 8.0

#: A drawn day is moved by up to a twelfth of it to either side: two past launches at 9 and 11 say that 10 is possible.
#: A drawn week of days by any number of them.
SHIFTS: Final = 12

#: First blocks are drawn for the first block only where at least this many different dates can be.
FEWEST_DATES: Final = 8

#: So many blocks have to be seen for a step's own spread to count as much as the spread it is drawn towards.
STEP_DOUBT, HOUR_DOUBT = 16.0, 8.0

#: Share of the drawn paths' median that is taken out again: the centre knows better than the middle of a few draws.
RECENTRED: Final = 0.8


@dataclass(frozen=True, eq=False)
class Draws:
    """Chance, drawn once and shared by every series: what makes path p one future of the whole fleet."""

    mixture: np.ndarray  # (O, P) standard normal, in pairs of opposite sign
    scale: np.ndarray  # (P,) Student scale
    walk: np.ndarray  # (B, P) standard Brownian motion on blocks, opposite in pairs
    pick: np.ndarray  # (B, P) uniform in [0, 1): which past block
    shift: np.ndarray  # (B, P) uniform in [0, 1): by how much it is moved
    stay: np.ndarray  # (P,) uniform in [0, 1): which paths stay at the level of a young excursion

    @classmethod
    def of(cls, seed: int, count: int, blocks: int) -> Draws:
        """The draws of one seed; more blocks only add to fewer, so that groups of series agree."""
        half = -(-count // 2)
        streams = [np.random.default_rng([seed, part]) for part in range(6)]
        mixture = _paired(streams[0].standard_normal((MOST_ORIGINS, half)), count)
        chi2 = streams[1].chisquare(TAIL, half)
        scale = np.sqrt((TAIL - 2) / chi2)
        steps = _paired(streams[2].standard_normal((blocks, half)), count)
        return cls(
            mixture,
            np.concatenate([scale, scale])[:count],
            steps.cumsum(axis=0),
            pick=streams[3].random((blocks, count)),
            shift=streams[4].random((blocks, count)),
            stay=streams[5].random(count),
        )


def _paired(draws: np.ndarray, count: int) -> np.ndarray:
    return np.concatenate([draws, -draws], axis=1)[:, :count]


def fan_paths(tested: Windows, evidence: Evidence, weights: np.ndarray, draws: Draws) -> np.ndarray:
    """(S, P, H) paths, float32: centre + slow error + fast error, brought back to the metric's unit.

    weights  (M, S, H') with H' the longer of the horizon and the leads compared
    """
    past, block = tested.past, tested.past.seasons.block
    horizon = evidence.ahead.shape[2]
    centre = np.einsum("msh,msh->sh", weights[:, :, :horizon], evidence.ahead)
    errors = evidence.errors(weights)  # (O, S, He)
    slow = block_means(errors, block)  # (O, S, B)
    fast = errors - on_steps(np.nan_to_num(slow), block, tested.horizon)
    z = recentred(fast_paths(fast, tested, draws, horizon))
    z += centre.astype(np.float32)[:, None, :]
    z += on_steps(slow_paths(slow, tested, draws, -(-horizon // block)), block, horizon)
    z = tested.shifts.doubted(z, draws.stay)
    with np.errstate(over="ignore"):
        paths = past.back(z)
    np.minimum(paths, (CEILING * past.largest).astype(np.float32)[:, None, None], out=paths)
    paths[past.largest == 0] = 0.0
    return paths


def recentred(z: np.ndarray) -> np.ndarray:
    """(S, P, H) without RECENTRED of its median at each step, and as wide about zero, over all steps, as it was."""
    before = np.square(z).mean(axis=(1, 2), keepdims=True)
    z = z - np.float32(RECENTRED) * np.median(z, axis=1, keepdims=True)
    after = np.square(z).mean(axis=(1, 2), keepdims=True)
    z *= np.sqrt(before / np.maximum(after, 1e-30))
    return np.asarray(z)


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
    """(S, P, blocks) how far the level drifts: past drifts mixed at random, at the scale that all leads agree on.

    Beyond what the past can show, independent steps are added. The largest errors are limited to four times the
    median one, so that one launch does not rule every future.
    """
    count = len(slow)
    seen = np.isfinite(slow)
    number = seen.sum(axis=0)  # (S, B)
    middle = _median_over_origins(np.abs(slow))
    kept = np.where(seen, np.clip(np.nan_to_num(slow), -4 * middle - 1e-9, 4 * middle + 1e-9), 0.0)
    flawless = seen & (np.abs(kept).max(axis=0) < LEAST_ERROR)  # a constant: it may still move
    kept = np.where(flawless, LEAST_ERROR, kept)
    size = np.sqrt((kept**2).sum(axis=0))  # (S, B)
    scale = drift_scale(kept, number, tested, blocks)  # (S, max(B, blocks))
    shown = slow.shape[2]
    alike = _carried(kept / np.maximum(size, 1e-12), number > 0)
    mixed = np.einsum("op,osb->spb", draws.mixture[:count], alike, optimize=True)
    mixed *= scale[:, None, :shown]
    if blocks > shown:
        added = np.sqrt(np.diff(scale[:, shown - 1 :] ** 2, axis=1).clip(0))  # (S, blocks - shown)
        steps = np.diff(draws.walk[: blocks - shown].T, axis=1, prepend=0.0)  # (P, blocks - shown)
        mixed = np.concatenate([mixed, mixed[:, :, -1:] + np.cumsum(added[:, None] * steps, axis=2)], axis=2)
    return (mixed[:, :, :blocks] * draws.scale[:, None]).astype(np.float32)


def _carried(alike: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(O, S, B) with leads at which nothing was seen like the last seen before them, else the first after.

    A gap is not a sure thing: without this, paths would meet there. Where no lead was seen, any origin will do.
    """
    if seen.all():
        return alike
    before = np.maximum.accumulate(np.where(seen, np.arange(seen.shape[1]), -1), axis=1)
    place = np.where(before < 0, np.argmax(seen, axis=1)[:, None], before)
    carried = np.take_along_axis(alike, place[None], axis=2)
    carried[0, ~seen.any(axis=1)] = 1.0
    return carried


def drift_scale(kept: np.ndarray, number: np.ndarray, tested: Windows, blocks: int) -> np.ndarray:
    """(S, leads) standard deviation of the level's drift at each lead: a height of the series' own, a known shape.

    kept    (O, S, B) errors of blocks, zero where not seen
    number  (S, B) how many were seen

    The height is the mean of log mean absolute errors, less the growth that their leads explain, every lead weighted
    by its independent windows; it is drawn towards the usual, since the widest errors seen are wide by chance too. It
    is the usual where no error was seen.
    """
    seasons = tested.past.seasons
    prior = WEEKS if seasons.block_days >= 2 else DAYS
    shown = kept.shape[2]
    lead = np.arange(1, max(shown, blocks) + 1)
    error = np.sqrt(np.pi / 2) * np.abs(kept).sum(axis=0) / np.maximum(number, 1) + LEAST_ERROR
    spacing = (tested.backs[1] - tested.backs[0]) / seasons.block if len(tested.backs) > 1 else 1.0
    windows = number * np.minimum(1.0, spacing / lead[:shown])  # (S, B) that do not overlap
    shape = np.sqrt((1 + prior.growth * lead) / (1 + prior.growth))
    own = np.log(error / shape[:shown])
    height = (windows * own).sum(axis=1) / np.maximum(windows.sum(axis=1), 1e-9)
    height = np.where(number.any(axis=1), height, prior.usual)
    height = prior.trust * height + (1 - prior.trust) * prior.usual
    few = 1 + FEW_WINDOWS / np.maximum(windows[:, 0], 1)
    reach = max(1.0, tested.backs[-1] / seasons.block)
    widening = 1 + prior.widening * np.minimum(lead / reach, 2)
    return np.asarray((few * np.exp(height))[:, None] * shape * widening)


def _median_over_origins(size: np.ndarray) -> np.ndarray:
    """(S, B) median over origins, gaps left out; zero where nothing was seen."""
    ordered = np.sort(size, axis=0)
    counts = np.isfinite(size).sum(axis=0)
    return np.nan_to_num(
        np.take_along_axis(ordered, np.maximum(counts // 2, 0)[None].clip(max=len(size) - 1), axis=0)[0]
    )


def fast_paths(fast: np.ndarray, tested: Windows, draws: Draws, horizon: int) -> np.ndarray:
    """(S, P, H) fast errors: past blocks drawn by date, each step brought to the spread of the time it stands for."""
    seasons = tested.past.seasons
    block = seasons.block
    origins, count, _ = fast.shape
    pool = fast.reshape(origins, count, -1, block).transpose(1, 0, 2, 3)  # (S, O, B, block)
    usable = np.arange(pool.shape[2])[None, :] * block + block <= tested.backs[:, None]  # (O, B) in the past
    pool = _without_gaps(pool[:, usable])  # (S, N, block)
    back, lead = (axis[usable] for axis in np.broadcast_arrays(tested.backs[:, None], np.arange(usable.shape[1])[None]))
    blocks, days = -(-horizon // block), (seasons.week // block if seasons.week else 1)
    weekday = (lead - back // block) % days  # of each block; 0 is the weekday that comes next
    spread = usual_spread(pool, weekday, days)  # (S, days, block)
    pool = (pool / spread[:, weekday]).astype(np.float32)
    date = lead * block - back
    spread *= 1 + FEW_WINDOWS / len(np.unique(date))  # few days show less than they hide
    first, later = (_fitting(lead, date, wanted) for wanted in (lead == 0, lead > 0))
    places = [first, *[later] * (blocks - 1)]
    picks = np.stack([p[(u * len(p)).astype(int)] for p, u in zip(places, draws.pick[:blocks], strict=True)], axis=1)
    furthest = _furthest(tested)
    moved = np.floor(draws.shift[:blocks].T * (2 * furthest + 1)).astype(int) - furthest  # (P, B')
    found = pool[:, picks[..., None], (np.arange(block) + moved[..., None]) % block]  # (S, P, B', block)
    found *= spread[:, np.arange(blocks) % days][:, None].astype(np.float32)
    return found.reshape(count, len(picks), blocks * block)[:, :, :horizon]


def _furthest(tested: Windows) -> int:
    """By how many steps a drawn block may be moved."""
    seasons = tested.past.seasons
    if seasons.day:
        return seasons.block // SHIFTS if seasons.block >= 2 * SHIFTS else 0
    return seasons.block - 1 if seasons.week else 0


def usual_spread(pool: np.ndarray, weekday: np.ndarray, days: int) -> np.ndarray:
    """(S, days, block) root mean square of the errors at each step of each day of the week.

    pool     (S, N, block) errors; `weekday` (N,) of each, below `days`

    Few weeks say little about one hour of one weekday: each is drawn towards that hour of any day times that day of
    any hour, and these towards the whole.

    >>> usual_spread(np.full((1, 40, 2), 3.0), np.zeros(40, int), days=1).round(2).tolist()
    [[[3.01, 3.01]]]
    """
    number = np.bincount(weekday, minlength=days).astype(float)
    power = np.stack([(pool[:, weekday == day] ** 2).sum(axis=1) for day in range(days)], axis=1)  # (S, days, block)
    whole = power.sum(axis=(1, 2), keepdims=True) / (number.sum() * pool.shape[2]) + 1e-12
    target = np.broadcast_to(whole, power.shape)
    if days > 1:
        hour = (power.sum(axis=1, keepdims=True) + HOUR_DOUBT * whole) / (number.sum() + HOUR_DOUBT)
        seen = number[:, None]
        day = (power.mean(axis=2, keepdims=True) + STEP_DOUBT * whole) / (seen + STEP_DOUBT)
        target = hour * day / whole
    own = (power + STEP_DOUBT * target) / (number[:, None] + STEP_DOUBT)
    return np.sqrt(own + 0.01 * whole)


def _fitting(lead: np.ndarray, date: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Which past blocks may serve: those wanted, or all of them where those are of few dates."""
    fitting = np.flatnonzero(wanted)
    return fitting if len(np.unique(date[fitting])) >= FEWEST_DATES else np.arange(len(lead))


def _without_gaps(pool: np.ndarray) -> np.ndarray:
    """The pool with each gap filled by the same step of another block: a gap must not look like a small error.

    From ever further, until every block was reached; a step that no block saw is zero.

    >>> _without_gaps(np.array([[[2.0, np.nan]], [[np.nan, 3.0]]]).reshape(1, 2, 2)).tolist()
    [[[2.0, 3.0], [2.0, 3.0]]]
    """
    shift, further, reached = 1, 2, 0
    while reached < pool.shape[1]:
        gaps = np.isnan(pool)
        if not gaps.any():
            return pool
        pool = np.where(gaps, np.roll(pool, shift, axis=1), pool)
        shift, further, reached = further, shift + further, reached + shift
    return np.nan_to_num(pool)
