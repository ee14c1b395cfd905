"""From demand to what models learn from: a log-like scale, gaps and outages masked, lone spikes tamed.

Models see `fit` (no gaps, no outages, spikes clipped) and are judged on `seen` (as measured, gaps as NaN), so that a
spike widens the tail without lifting the level. What a value usually is, the values before it say, except in the first
weeks, which have none. How long an outage lasted, how many there were and how widely a series scatters is judged by all
of it, so that an origin in the past knows these a little too well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from capacity.demand.demand import Demand
from capacity.findings import Finding
from capacity.forecasting.seasons import Seasons, seasons_of

#: History beyond this many intervals is left out: 4.5 years of hours, 139 days of 5 minutes. Keeps a fit quick.
MOST_INTERVALS: Final = 40_000

#: Share of zeros from which a series counts as sparse and is modelled nearer to its natural scale.
SPARSE: Final = 0.10

#: What is added, in units of the mean, before the logarithm: multiplicative for busy hours, additive for quiet ones.
#: Between 0.1 and 1 the tuning sets hardly tell values apart; above 1 upper tails get too thin, below they get too fat.
OFFSET: Final = 0.3

#: An outage: below this share of what the hour usually sees, in a busy hour, for at most this many days.
OUTAGE_SHARE, BUSY_SHARE, SUDDEN_SHARE, OUTAGE_DAYS = 0.10, 0.30, 0.40, 3.0

#: A spike is clipped to this many robust standard deviations from its day.
SPIKE: Final = 6.0

#: How many earlier seasons the usual value is the median of.
LOOK_BACK: Final = 5


@dataclass(frozen=True, eq=False)
class Prepared:
    """S series, n intervals, on the scale z = log(y / scale + offset).

    fit     (S, n) finite: what models learn from
    filled  (S, n) finite: as measured, with gaps filled only; what seasonal naive repeats
    seen    (S, n) as measured; NaN at gaps, outages and unscored intervals
    bound   (S, n) True where the value was saturated: the truth was at least this
    """

    fit: np.ndarray
    filled: np.ndarray
    seen: np.ndarray
    bound: np.ndarray
    scale: np.ndarray  # (S,)
    offset: np.ndarray  # (S,)
    largest: np.ndarray  # (S,) largest value measured
    seasons: Seasons
    findings: tuple[Finding, ...] = ()

    @property
    def length(self) -> int:
        return self.fit.shape[1]

    def back(self, z: np.ndarray) -> np.ndarray:
        """From z, with series on the first axis, to the metric's unit; never negative."""
        shape = (len(self.scale), *(1,) * (z.ndim - 1))
        y = np.exp(z)
        y -= self.offset.reshape(shape)
        np.maximum(y, 0, out=y)
        y *= self.scale.reshape(shape)
        return y


def measured(past: Demand) -> np.ndarray:
    """(S,) how many intervals hold a value, of those that models look at.

    >>> import pandas as pd
    >>> from capacity.demand import demand_from
    >>> hours = pd.date_range("2026-01-01", periods=4, freq="h", tz="UTC")
    >>> measured(demand_from(pd.Series([1.0, np.nan, 2.0, 3.0], index=hours))).tolist()
    [3]
    """
    return np.asarray(np.isfinite(past.values[:, -MOST_INTERVALS:]).sum(axis=1))


def prepare(past: Demand, made: np.ndarray | None = None) -> Prepared:
    """The past on the models' scale, cleaned; see the module for what that means.

    made  (S, n) True where a value was lent (see cold_starts): learnt from, not seen

    Values below zero cannot be demand and are read as zero; infinite ones as gaps; both with a finding. A series of
    nothing but zeros keeps scale 1. Saturated intervals are lifted to what the hour usually sees, if that is more.
    """
    start = max(0, past.values.shape[1] - MOST_INTERVALS)
    raw = past.values[:, start:]
    seasons = seasons_of(past.interval, raw.shape[1])
    y = np.where(np.isfinite(raw), np.maximum(raw, 0), np.nan)
    findings = _impossible(past, raw)
    largest = np.nanmax(y, axis=1)
    scale = _scale(y, seasons)
    zeros = (y == 0).sum(axis=1) / np.isfinite(y).sum(axis=1)
    offset = np.where(zeros > SPARSE, 0.5, OFFSET)

    usual = usual_values(y, seasons)
    outage = _outages(y, usual, scale, zeros, past, seasons)
    findings += _told(past, outage)
    bound = past.censored[:, start:] & np.isfinite(y)
    known = np.where(outage, np.nan, y)
    known = np.where(bound, np.fmax(known, usual), known)
    z_usual = np.log(complete(usual, y) / scale[:, None] + offset[:, None])
    z = np.log(known / scale[:, None] + offset[:, None])
    filled = np.where(np.isnan(z), z_usual, z)
    unseen = outage if made is None else outage | made[:, start:]
    seen = np.log(np.where(unseen, np.nan, y) / scale[:, None] + offset[:, None])
    fit = _tamed(filled, z_usual, seasons.block)
    return Prepared(fit, filled, seen, bound, scale, offset, largest, seasons, tuple(findings))


def _scale(y: np.ndarray, seasons: Seasons) -> np.ndarray:
    """(S,) mean of the values above zero in the last 28 blocks, or of all when there are none; 1 for all zero."""
    recent = y[:, -28 * seasons.block :]
    scale = np.ones(len(y))
    for part in (y, recent):
        positive = np.where(part > 0, part, np.nan)
        counts = np.isfinite(positive).sum(axis=1)
        top = np.nanmax(np.where(part > 0, part, 0), axis=1, initial=0)
        safe = np.where(top > 0, top, 1.0)
        mean = np.nansum(positive / safe[:, None], axis=1) / np.maximum(counts, 1) * safe  # no overflow on the way
        scale = np.where(counts > 0, mean, scale)
    return scale


def usual_values(y: np.ndarray, seasons: Seasons) -> np.ndarray:
    """(S, n) median of the last five values one season apart; NaN where nothing is known before or after.

    In a longer gap the last usual season goes on: were it filled from what came after, the past would know its future.
    """
    season = seasons.week or seasons.day or 1
    usual = _median_of_lags(y, season, backwards=True)
    if seasons.week and seasons.day:
        by_day = _median_of_lags(y, seasons.day, backwards=True)
        usual[:, : 2 * season] = by_day[:, : 2 * season]
        usual = np.where(np.isnan(usual), by_day, usual)
    if np.isnan(usual).any():
        usual = _repeated(usual, season)
    missing = np.isnan(usual)
    if missing.any():
        usual = np.where(missing, _median_of_lags(y, season, backwards=False), usual)
    return usual


def _repeated(usual: np.ndarray, season: int) -> np.ndarray:
    """(S, n) with each hole like the same step of the last season that knew it; NaN where none before did.

    >>> _repeated(np.array([[np.nan, 2.0, 3.0, np.nan, np.nan]]), 2).tolist()
    [[nan, 2.0, 3.0, 2.0, 3.0]]
    """
    count, length = usual.shape
    turns = np.pad(usual, ((0, 0), (0, -length % season)), constant_values=np.nan).reshape(count, -1, season)
    known = np.where(np.isnan(turns), 0, np.arange(turns.shape[1])[:, None])
    last = np.maximum.accumulate(known, axis=1)
    return np.take_along_axis(turns, last, axis=1).reshape(count, -1)[:, :length]


def _median_of_lags(y: np.ndarray, season: int, backwards: bool) -> np.ndarray:
    count, length = y.shape
    lags = np.full((LOOK_BACK, count, length), np.nan)
    for k in range(1, LOOK_BACK + 1):
        step = k * season
        if step >= length:
            break
        if backwards:
            lags[k - 1, :, step:] = y[:, :-step]
        else:
            lags[k - 1, :, :-step] = y[:, step:]
    return nanquantile(lags.reshape(LOOK_BACK, -1).T, (0.5,))[0].reshape(count, length)


def nanquantile(values: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """(Q, rows) quantiles along the last axis of a matrix, gaps left out; NaN for a row of gaps. Quick, quiet.

    >>> nanquantile(np.array([[3.0, np.nan, 1.0, 2.0]]), (0.5,)).tolist()
    [[2.0]]
    """
    ordered = np.sort(values, axis=-1)  # NaN last
    counts = np.isfinite(values).sum(axis=-1)
    rows = np.arange(len(values))
    quantiles = np.empty((len(levels), len(values)))
    for row, level in enumerate(levels):
        place = level * np.maximum(counts - 1, 0)
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, np.maximum(counts - 1, 0))
        share = place - low
        quantiles[row] = ordered[rows, low] * (1 - share) + ordered[rows, high] * share
    return quantiles


def complete(usual: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Usual values without holes: the last known value carried on, then the first carried back."""
    known = np.where(np.isnan(usual), y, usual)
    length = known.shape[1]
    last = np.maximum.accumulate(np.where(np.isnan(known), -1, np.arange(length)), axis=1)
    first = np.argmax(np.isfinite(known), axis=1)
    return np.take_along_axis(known, np.where(last < 0, first[:, None], last), axis=1)


def _outages(
    y: np.ndarray, usual: np.ndarray, scale: np.ndarray, zeros: np.ndarray, past: Demand, seasons: Seasons
) -> np.ndarray:
    """(S, n) True in runs near zero while the hour is usually busy, if they end or are young; longer runs are real."""
    with np.errstate(invalid="ignore"):
        low = (y < OUTAGE_SHARE * usual) & (usual > BUSY_SHARE * scale[:, None])
    low &= (zeros < SPARSE)[:, None]
    low &= seasons.longest > 1
    longest = max(1, round(OUTAGE_DAYS * 86400 / past.interval.total_seconds()))
    if past.interval.total_seconds() >= 86400:
        longest = 2
    for series, usual_row, row in zip(y, usual, low, strict=True):
        if row.any():
            _keep_short_runs(series, usual_row, row, longest)
    low[low.mean(axis=1) > 0.15] = False
    return low


def _keep_short_runs(series: np.ndarray, usual: np.ndarray, row: np.ndarray, longest: int) -> None:
    """In place: only runs that begin suddenly and last at most `longest` intervals stay True.

    Quiet hours do not end a run. Sudden: one of the three values before it was at least 40 % of the usual.
    """
    level = np.nanmedian(series[row])
    flat = row | (series <= max(level, 0.0) * 2) | np.isnan(series)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flat, [False]]).astype(int)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        before = slice(max(0, start - 3), start)
        with np.errstate(invalid="ignore"):
            sudden = start == 0 or bool((series[before] >= SUDDEN_SHARE * usual[before]).any())
        if stop - start > longest or not sudden:
            row[start:stop] = False


def _tamed(z: np.ndarray, z_usual: np.ndarray, block: int) -> np.ndarray:
    """z with lone spikes clipped: values far from what their own day makes of the usual."""
    length = z.shape[1]
    surplus = z - z_usual
    whole = length // block
    if whole < 4:
        return z
    days = surplus[:, length - whole * block :].reshape(len(z), whole, block)
    centre = np.median(days, axis=2, keepdims=True) if block > 1 else np.zeros_like(days)
    inside = days - centre
    usually = np.median(np.abs(inside).reshape(len(z), -1), axis=1)[:, None, None]
    today = np.median(np.abs(inside), axis=2, keepdims=True)
    spread = 1.4826 * np.maximum(usually, today if block > 1 else 0.0)  # a wild day is wild, not full of spikes
    clipped = np.clip(inside, -SPIKE * spread, SPIKE * spread)
    tame = z.copy()
    tame[:, length - whole * block :] += np.where(spread > 0, clipped - inside, 0.0).reshape(len(z), -1)
    return tame


def _impossible(past: Demand, raw: np.ndarray) -> list[Finding]:
    findings = []
    for key, row in zip(past.keys, raw, strict=True):
        negative, infinite = int((row < 0).sum()), int(np.isinf(row).sum())
        if negative:
            message = f"{negative} values are below zero; read as 0."
            findings.append(Finding(*key, "negative", "REVIEW", message, "Demand cannot be negative.", count=negative))
        if infinite:
            message = f"{infinite} values are infinite; read as gaps."
            findings.append(Finding(*key, "infinite", "REVIEW", message, "Check the source.", count=infinite))
        if not (np.nan_to_num(row) > 0).any():
            message = "every measured value is zero, and so is the forecast."
            findings.append(Finding(*key, "all zero", "REVIEW", message, "Check that the metric is the right one."))
    return findings


def _told(past: Demand, outage: np.ndarray) -> list[Finding]:
    return [
        Finding(
            *key,
            "outage",
            "REVIEW",
            f"{int(row.sum())} intervals near zero in busy hours were taken for an outage and not learnt.",
            "If they were real demand, say so by replacing them; if not, nothing is to be done.",
            count=int(row.sum()),
        )
        for key, row in zip(past.keys, outage, strict=True)
        if row.any()
    ]
