"""Promises kept: how often each quantile was passed by what happened, over all plans that are given.

A plan that starts too low stays too low: its hours, and those of plans made a week apart, miss together. So a share
comes with the independent observations it is worth and with bounds (`forecasting.backtesting.calibration`). Time is cut
into blocks as long as the longest plan has been seen: a block is one observation until several have shown otherwise,
whether one plan speaks of it or thirteen that were made a week apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.demand.demand import Key
from capacity.forecasting.backtesting.calibration import Marks, Shares, Tally, independent, shares, tally, together
from capacity.forecasting.scores import bias, ranks, wql
from capacity.reviewing.actuals import KNOWN, Actual
from capacity.reviewing.promised import Promised, levels_of
from capacity.reviewing.taking import coarse
from capacity.reviewing.wording import FLEET
from capacity.schema import REVIEW_ACCURACY, REVIEW_COVERAGE, REVIEW_PIT

#: Levels of which tables tell: both tails, the middle, and where plans are made.
TOLD: Final = (0.05, 0.5, 0.9, 0.95, 0.99)


class Past(NamedTuple):
    """One plan, and what happened to it."""

    promised: Promised
    actual: Actual

    @property
    def hours(self) -> float:
        """Hours of its horizon that have passed."""
        return len(self.actual.times) * self.actual.hours

    def held(self, keys: Iterable[Key]) -> list[Key]:
        """Of these series, those that were both forecast and measured."""
        return [key for key in keys if key in self.actual.rows and key in self.promised.rows]


def series_of(pasts: Sequence[Past]) -> list[Key]:
    """Every series that some plan forecast and that was measured, sorted."""
    return sorted({key for past in pasts for key in past.held(past.promised.keys)})


def levels(pasts: Sequence[Past]) -> tuple[float, ...]:
    """Levels that every plan kept, ascending."""
    common = set.intersection(*(set(past.promised.levels) for past in pasts))
    return tuple(sorted(common))


def coverage(pasts: Sequence[Past], told: Sequence[float] = TOLD) -> pd.DataFrame:
    """`schema.REVIEW_COVERAGE`: promised and observed share above each quantile, by series and for the fleet.

    Intervals in which a service was saturated are counted apart and not judged: its real demand was at least that.
    """
    found = _marks(pasts, levels(pasts))
    return _table(found, [level for level in told if level in found.levels])


def _table(found: Marked, told: Sequence[float]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for metric in sorted({key.metric for key in found.keys}):
        mine = [row for row, key in enumerate(found.keys) if key.metric == metric]
        above, below = found.above[:, mine], found.below[:, mine]
        marks = Marks(found.levels, above, below, np.broadcast_to(found.blocks[:, None], above.shape))
        counts = by_block(tally(marks))
        worth = independent(counts)
        each = shares(counts.total(0), worth)
        for place, row in enumerate(mine):
            rows += _rows(found.keys[row], each, place, told, int(found.censored[row]))
        if len(mine) > 1:
            whole = shares(counts.total(0, 1), worth.sum(axis=0, keepdims=True) / together(marks))
            rows += _rows(Key(FLEET, metric), whole, 0, told, int(found.censored[mine].sum()))
    frame = pd.DataFrame(rows, columns=REVIEW_COVERAGE.names).astype(REVIEW_COVERAGE.types)
    return frame[frame["scored"] > 0].reset_index(drop=True)


def _rows(key: Key, found: Shares, place: int, told: Sequence[float], censored: int) -> Iterator[dict[str, Any]]:
    for level in told:
        row = found.levels.index(level)
        low, high = float(found.low[row, place, 0]), float(found.high[row, place, 0])
        yield {
            "service": key.service,
            "metric": key.metric,
            "level": level,
            "promised": round(1 - level, 9),
            "exceeded": float(found.above[row, place, 0]),
            "low": low,
            "high": high,
            "scored": int(found.scored[place, 0]),
            "effective": float(found.effective[place, 0]),
            "censored": censored,
            "verdict": verdict(1 - level, low, high, float(found.effective[place, 0])),
        }


def verdict(promised: float, low: float, high: float, effective: float) -> str:
    """Whether a share between `low` and `high` keeps a promise. "too few" observations expect less than one that passes
    the quantile, or less than one that does not: that the promise lies within such bounds says nothing.

    >>> verdict(0.05, 0.01, 0.2, 40), verdict(0.05, 0.08, 0.2, 40), verdict(0.5, 0, 0.3, 10), verdict(0.05, 0, 0.95, 1)
    ('kept', 'too low', 'too high', 'too few')
    """
    if np.isnan(low) or np.isnan(high):
        return "too few"
    if low > promised + 1e-9:
        return "too low"
    if high < promised - 1e-9:
        return "too high"
    return "kept" if effective * min(promised, 1 - promised) >= 1 else "too few"


class Marked(NamedTuple):
    """Ranks of what happened: W plans, S series, n intervals or windows; -1 where there is none."""

    keys: list[Key]
    levels: tuple[float, ...]
    above: np.ndarray  # (W, S, n) int8
    below: np.ndarray  # (W, S, n) int8
    censored: np.ndarray  # (S,) intervals in which the service was saturated
    blocks: np.ndarray  # (W, n) the block of time each interval lies in


def _marks(pasts: Sequence[Past], told: tuple[float, ...]) -> Marked:
    keys = series_of(pasts)
    place = {key: row for row, key in enumerate(keys)}
    shape = (len(pasts), len(keys), max(len(past.actual.times) for past in pasts))
    above, below = np.full(shape, -1, dtype=np.int8), np.full(shape, -1, dtype=np.int8)
    censored = np.zeros(len(keys), dtype=np.int64)
    for number, past in enumerate(pasts):
        held, size = past.held(keys), len(past.actual.times)
        if not held:
            continue
        rows = [place[key] for key in held]
        values, saturated = judged(past, held)
        every = list(past.promised.levels)
        found = ranks(values, past.promised.quantiles(held)[[every.index(level) for level in told], :, :size])
        above[number, rows, :size], below[number, rows, :size] = found.above, found.below
        censored[rows] += saturated.sum(axis=1)
    return Marked(keys, told, above, below, censored, blocks(pasts, [past.actual.times for past in pasts], shape[2]))


def blocks(pasts: Sequence[Past], times: Sequence[pd.DatetimeIndex], width: int) -> np.ndarray:
    """(W, width) the block of time in which the intervals of each plan lie; 0 past their end."""
    start, length = (
        min(past.actual.times[0] for past in pasts),
        max(past.actual.now - past.actual.times[0] for past in pasts),
    )
    found = np.zeros((len(pasts), width), dtype=np.int64)
    for row, own in zip(found, times, strict=True):
        row[: len(own)] = (own - start) // length
    return found


def by_block(counts: Tally) -> Tally:
    """Counts of blocks of time, whichever plan they are of: from groups of (W, S, B) to windows of (B, S, 1)."""
    scored = counts.scored.sum(axis=0).T[..., None]
    above, below = (np.swapaxes(one.sum(axis=1), 1, 2)[..., None] for one in (counts.above, counts.below))
    return Tally(counts.levels, scored, above, below)


def judged(past: Past, keys: Sequence[Key]) -> tuple[np.ndarray, np.ndarray]:
    """(S, n) what happened, NaN where it is not known or the service was saturated; and (S, n) where it was.

    Rounded as kept quantiles are, so that a load which is always the same stays on its quantiles.
    """
    rows = [past.actual.rows[key] for key in keys]
    known, censored = past.actual.demand.values[rows], past.actual.demand.censored[rows]
    return coarse(np.where(censored, np.nan, known)).astype(float), censored & np.isfinite(known)


def accuracy(pasts: Sequence[Past]) -> pd.DataFrame:
    """`schema.REVIEW_ACCURACY`: bias of the median and weighted quantile loss of each series, all plans together."""
    told, rows = levels(pasts), []
    seen: dict[Key, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
    for past in pasts:
        keys, every = past.held(past.promised.keys), list(past.promised.levels)
        if keys:
            values, saturated = judged(past, keys)
            places = [every.index(level) for level in told]
            said = past.promised.quantiles(keys)[places, :, : values.shape[1]]
            for row, key in enumerate(keys):
                seen.setdefault(key, []).append((values[row], saturated[row], said[:, row]))
    for key, parts in sorted(seen.items()):
        actual, censored = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
        quantiles = np.concatenate([part[2] for part in parts], axis=1)
        about = {
            "service": key.service,
            "metric": key.metric,
            "plans": len(parts),
            "scored": int(np.isfinite(actual).sum()),
            "censored": int(censored.sum()),
            "actual": float(np.nanmean(actual)) if np.isfinite(actual).any() else np.nan,
            "bias": bias(actual, quantiles[told.index(0.5)]),
            "wql": wql(actual, quantiles, told),
        }
        rows.append(about)
    return pd.DataFrame(rows, columns=REVIEW_ACCURACY.names).astype(REVIEW_ACCURACY.types)


def pit(pasts: Sequence[Past]) -> pd.DataFrame:
    """`schema.REVIEW_PIT`: share of what happened between neighbouring quantiles, beside what was promised.

    The probability integral transform, as far as kept quantiles tell it: a forecast whose spread is right puts as much
    between two quantiles as lies between their levels. What is on a quantile counts half to either side.
    Source: Dawid 1984, J. R. Stat. Soc. A 147(2).
    """
    found = _marks(pasts, levels(pasts))
    edges = (0.0, *found.levels, 1.0)
    rows: list[dict[str, Any]] = []
    for metric in sorted({key.metric for key in found.keys}):
        mine = [row for row, key in enumerate(found.keys) if key.metric == metric]
        groups = [(found.keys[row], [row]) for row in mine]
        groups += [(Key(FLEET, metric), mine)] if len(mine) > 1 else []
        for key, places in groups:
            above, below = found.above[:, places], found.below[:, places]
            seen = above >= 0
            # between two quantiles above == Q - below; on one of them the two places differ by one: half to each side
            low = np.bincount(above[seen], minlength=len(edges) - 1)
            high = np.bincount(len(found.levels) - below[seen], minlength=len(edges) - 1)
            observed = (low + high) / 2 / seen.sum() if seen.any() else np.full(len(edges) - 1, np.nan)
            rows += [
                {**key._asdict(), "low": bottom, "high": top, "promised": top - bottom, "observed": part}
                for bottom, top, part in zip(edges[:-1], edges[1:], observed, strict=True)
            ]
    return pd.DataFrame(rows, columns=REVIEW_PIT.names).astype(REVIEW_PIT.types)


def peaks(pasts: Sequence[Past], told: Sequence[float] = TOLD) -> pd.DataFrame:
    """The same for peaks: the highest interval of each day, and of the horizon, among the quantiles of such peaks.

    A day counts when nearly all of it is known. A horizon counts when it is over, for until then its peak may still
    come.
    """
    parts = []
    for window in ("day", "horizon"):
        found = peak_marks(pasts, window)
        if found is not None:
            table = _table(found, [level for level in told if level in found.levels])
            parts.append(table.assign(window=window))
    if not parts:
        return pd.DataFrame(columns=["window", *REVIEW_COVERAGE.names])
    return pd.concat(parts, ignore_index=True)[["window", *REVIEW_COVERAGE.names]]


def peak_marks(pasts: Sequence[Past], window: str) -> Marked | None:
    keys = series_of(pasts)
    place = {key: row for row, key in enumerate(keys)}
    kept = [levels_of(list(past.promised.snapshot.peaks.columns)) for past in pasts]
    told = tuple(sorted(set.intersection(*(set(one) for one in kept))))
    found = [peak_table(past, window) for past in pasts]
    if not told or 0.5 not in told or not any(len(table) for table in found):
        return None
    numbers = [table.groupby(["service", "metric"], sort=False, observed=True).cumcount().to_numpy() for table in found]
    width = max((int(each.max()) + 1 for each in numbers if len(each)), default=0)
    shape = (len(pasts), len(keys), width)
    above, below = np.full(shape, -1, dtype=np.int8), np.full(shape, -1, dtype=np.int8)
    for number, (table, each) in enumerate(zip(found, numbers, strict=True)):
        rows = np.array([place[Key(*key)] for key in zip(table["service"], table["metric"], strict=True)], dtype=int)
        columns = [kept[number][level] for level in told]
        marked = ranks(table["actual"].to_numpy(dtype=float), table[columns].to_numpy(dtype=float).T)
        above[number, rows, each], below[number, rows, each] = marked.above, marked.below
    starts = [pd.DatetimeIndex(table["timestamp"].unique()).sort_values() for table in found]
    return Marked(keys, told, above, below, np.zeros(len(keys), dtype=np.int64), blocks(pasts, starts, width))


def peak_table(past: Past, window: str) -> pd.DataFrame:
    """The kept quantiles of peaks of a window ("day", "horizon") with `actual`, the highest that was; of those that are
    over and of which nearly all is known. Stretches with saturation are left out: their peak was at least that.
    """
    said = past.promised.snapshot.peaks
    keys = past.held(series_of([past]))
    said = said[said["window"] == window]
    step = past.actual.interval
    ends = {"day": pd.Timedelta(days=1), "horizon": past.promised.end - past.promised.cutoff}
    size = max(1, round(ends[window] / step))
    values, saturated = judged(past, keys)
    whole = len(past.actual.times) // size * size
    if not len(said) or not keys or not whole:
        return said.iloc[:0].assign(actual=np.nan)
    cut = values[:, :whole].reshape(len(keys), -1, size)
    known = np.isfinite(cut).mean(axis=2) >= KNOWN
    clear = ~saturated[:, :whole].reshape(len(keys), -1, size).any(axis=2)
    highest = np.fmax.reduce(cut, axis=2)
    found = pd.DataFrame(
        {
            "service": np.repeat([key.service for key in keys], highest.shape[1]),
            "metric": np.repeat([key.metric for key in keys], highest.shape[1]),
            "timestamp": np.tile(past.actual.times[:whole:size], len(keys)),
            "actual": np.where(known & clear, highest, np.nan).ravel(),
        }
    )
    names = {"service": said["service"].astype(str), "metric": said["metric"].astype(str)}
    return said.assign(**names).merge(found, on=["service", "metric", "timestamp"])
