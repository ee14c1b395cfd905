"""Cutoffs in the past, and what a model said at each, beside what happened. Paths are read once and not kept."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from capacity.demand.demand import Demand, Key
from capacity.errors import CapacityError, HistoryTooShort, InputError
from capacity.findings import Finding
from capacity.forecasting import scores
from capacity.forecasting.base import FEWEST, Forecaster
from capacity.forecasting.clock import fan_on_local_clocks
from capacity.forecasting.forecasts import level_name
from capacity.forecasting.prepare import measured
from capacity.forecasting.run import checked
from capacity.forecasting.scores import Ranks
from capacity.forecasting.seasons import seasons_of
from capacity.history.line import how_long
from capacity.schema import BACKTEST
from capacity.timegrid import steps_per

#: Paths drawn per window: enough for the 99 % quantile, and what `forecast` draws.
PATHS: Final = 400

#: Levels read from the paths of every window, whatever is scored: both tails, the bands of a chart, the middle.
READ_LEVELS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)

#: Paths of a fleet are drawn for so many series at a time that they fill at most this many bytes: half of one of the
#: 4 GiB that 3,000 series may take, whatever the horizon. 238 series of 400 paths, four weeks of hours ahead.
MOST_BYTES: Final = 512 * 2**20

#: Numbers sorted at a time when quantiles are read.
CHUNK: Final = 6_000_000


@dataclass(frozen=True, eq=False)
class Window:
    """One rehearsal of one model: its quantiles beside what happened. S series, H scored intervals, Q levels, D days.

    Numbers are kept in single precision: seven digits are more than any forecast knows.
    """

    model: str
    keys: tuple[Key, ...]  # (S,)
    cutoff: pd.Timestamp  # end of what the model was shown
    times: pd.DatetimeIndex  # (H,) start of each scored interval, UTC
    day: int  # intervals in a day; 1 where a day has no more
    levels: tuple[float, ...]  # (Q,) ascending
    actual: np.ndarray  # (S, H) in the metric's unit; NaN is a gap
    quantiles: np.ndarray  # (Q, S, H)
    intervals: Ranks  # (S, H) what happened among the quantiles
    days: Ranks  # (S, D) the highest of each day among the quantiles of the paths' highest
    horizon: Ranks  # (S, 1) the highest of all

    def at(self, level: float) -> np.ndarray:
        """(S, H) one of the quantiles."""
        return np.asarray(self.quantiles[self.levels.index(level)])

    def of(self, keys: Sequence[Key]) -> Window:
        """Only these series, as far as they have a part in it."""
        rows = [row for row, key in enumerate(self.keys) if key in set(keys)]
        return replace(
            self,
            keys=tuple(self.keys[row] for row in rows),
            actual=self.actual[rows],
            quantiles=self.quantiles[:, rows],
            intervals=self.intervals.of(rows),
            days=self.days.of(rows),
            horizon=self.horizon.of(rows),
        )


@dataclass(frozen=True, eq=False)
class Task:
    """One model at one cutoff: all that a worker needs."""

    model: Forecaster
    name: str
    past: Demand
    future: Demand
    gap: int
    scored: tuple[float, ...]  # levels of wql
    level: float  # that plans are made at
    paths: int
    seed: int


@dataclass(frozen=True)
class Declined:
    """Why a model said nothing at a cutoff."""

    model: str
    cutoff: pd.Timestamp
    reason: str


Rehearsed = tuple[Window, pd.DataFrame]


def usual_distance(steps: int, interval: pd.Timedelta) -> int:
    """Intervals between cutoffs: a horizon, and a day more where that is whole weeks.

    Cutoffs whole weeks apart all fall on one weekday: what is harder about Mondays would be held against tomorrow.

    >>> usual_distance(168, pd.Timedelta("1h")), usual_distance(48, pd.Timedelta("1h"))
    (192, 48)
    """
    week, day = pd.Timedelta(days=7), pd.Timedelta(days=1)
    return steps + round(day / interval) if (steps * interval) % week == pd.Timedelta(0) and interval <= day else steps


def cut(
    demand: Demand, steps: int, gap: int, every: int, windows: int, findings: list[Finding]
) -> Iterator[tuple[Demand, Demand]]:
    """(past, future) at each cutoff, oldest first; the future starts after the gap. Blank series are left out."""
    if isinstance(windows, bool) or windows < 1:
        raise InputError(f"windows={windows!r}: at least one")
    length = len(demand.times)
    cutoffs = [length - gap - steps - k * every for k in reversed(range(windows))]
    usable = [cutoff for cutoff in cutoffs if cutoff >= FEWEST]
    if not usable:
        raise HistoryTooShort(
            f"A backtest {how_long(steps * demand.interval)} ahead",
            have=length,
            need=steps + gap + FEWEST,
            unit=f"intervals of {how_long(demand.interval)}",
            advice="Shorten the horizon.",
        )
    if len(usable) < len(cutoffs):
        message = f"{len(usable)} of {len(cutoffs)} windows could be tested: there is no history before the others."
        findings.append(Finding("", "", "backtest", "REVIEW", message, "Shorten the horizon, or bring more history."))
    for cutoff in usable:
        past = demand.until(demand.times[cutoff])
        future = demand.since(demand.times[cutoff + gap])
        future = future.until(future.times[0] + steps * demand.interval)
        enough = (measured(past) >= FEWEST) & np.isfinite(future.values).any(axis=1)
        keys = [key for key, known in zip(demand.keys, enough, strict=True) if known]
        if keys:
            yield (past, future) if enough.all() else (past.select(keys), future.select(keys))


def rehearsed(tasks: Iterable[Task], workers: int) -> Iterator[Rehearsed | Declined]:
    """What each task gives, in their order: here, or in that many processes, to the same numbers.

    Tasks are taken as they are needed: each may hold a copy of the fleet's history.
    """
    if workers == 1:
        yield from map(attempt, tasks)
        return
    from joblib import Parallel, delayed

    yield from Parallel(n_jobs=workers, return_as="generator")(delayed(attempt)(task) for task in tasks)


def attempt(task: Task) -> Rehearsed | Declined:
    """The rehearsal, or why there was none."""
    try:
        return rehearse(task)
    except CapacityError as error:
        return Declined(task.name, task.past.end, str(error))


def rehearse(task: Task, most_bytes: int = MOST_BYTES) -> Rehearsed:
    """One model at one cutoff: the window, and its rows of `schema.BACKTEST`.

    Fleets whose paths would not fit into `most_bytes` are asked for in parts, each with the same seed: what a model
    learns across services, it then learns across those of a part.
    """
    reach = task.gap + len(task.future.times)
    size = max(1, most_bytes // (8 * task.paths * reach))
    parts = [rehearse_part(task, task.past.keys[k : k + size]) for k in range(0, len(task.past.keys), size)]
    windows = [window for window, _ in parts]
    first = windows[0]
    window = Window(
        model=task.name,
        keys=task.past.keys,
        cutoff=task.past.end,
        times=task.future.times,
        day=first.day,
        levels=first.levels,
        actual=np.concatenate([one.actual for one in windows]),
        quantiles=np.concatenate([one.quantiles for one in windows], axis=1),
        intervals=joined([one.intervals for one in windows]),
        days=joined([one.days for one in windows]),
        horizon=joined([one.horizon for one in windows]),
    )
    return window, pd.concat([rows for _, rows in parts], ignore_index=True)


def joined(parts: Sequence[Ranks]) -> Ranks:
    """Ranks of several groups of series as one."""
    return Ranks(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def rehearse_part(task: Task, keys: tuple[Key, ...]) -> Rehearsed:
    """The same for some of the series, whose paths fit into memory."""
    past, future = (one if one.keys == keys else one.select(keys) for one in (task.past, task.future))
    started = time.perf_counter()
    rng = np.random.default_rng(task.seed)
    steps = len(future.times)
    fan = fan_on_local_clocks(task.model, past, task.gap + steps, task.paths, rng)
    seconds = (time.perf_counter() - started) / len(keys)
    paths = checked(fan, past, task.gap + steps, task.paths, task.model).paths[:, :, task.gap :]
    levels = tuple(sorted({*READ_LEVELS, *task.scored, task.level}))
    size = max(1, CHUNK // (task.paths * steps))
    read = [
        reading(paths[k : k + size], future.values[k : k + size], levels, future) for k in range(0, len(keys), size)
    ]
    quantiles = np.concatenate([one.quantiles for one in read], axis=1)
    days, horizon = (joined([getattr(one, name) for one in read]) for name in ("days", "horizon"))
    crps = np.concatenate([one.crps for one in read])
    ratios = np.concatenate([one.peak_ratio for one in read])
    marks = scores.ranks(future.values, quantiles)
    window = Window(
        model=task.name,
        keys=keys,
        cutoff=past.end,
        times=future.times,
        day=day_of(future),
        levels=levels,
        actual=future.values.astype(np.float32),
        quantiles=quantiles.astype(np.float32),
        intervals=marks,
        days=days,
        horizon=horizon,
    )
    season = seasons_of(past.interval, len(past.times)).longest
    rows = [
        {
            "service": key.service,
            "metric": key.metric,
            "model": task.name,
            "cutoff": past.end,
            "seconds": seconds,
            "crps": crps[row],
            "peak_ratio": ratios[row],
            **row_scores(future.values[row], quantiles[:, row], levels, past.values[row], season, task),
            **shares(marks.of(row), levels),
            "daily_peak_exceeded": share(days.above[row] > levels.index(0.95), days.above[row] >= 0),
        }
        for row, key in enumerate(keys)
    ]
    return window, pd.DataFrame(rows, columns=BACKTEST.names)


@dataclass(frozen=True, eq=False)
class Reading:
    """What is read from the paths of some series before they are let go."""

    quantiles: np.ndarray  # (Q, S, H)
    days: Ranks  # (S, D)
    horizon: Ranks  # (S, 1)
    crps: np.ndarray  # (S,) mean over the intervals seen
    peak_ratio: np.ndarray  # (S,)


def reading(paths: np.ndarray, actual: np.ndarray, levels: tuple[float, ...], future: Demand) -> Reading:
    """Quantiles, peaks and CRPS of paths (S, P, H) beside actuals (S, H): sorted once, read often.

    Only intervals that were seen take part in peaks, on both sides.
    """
    ordered = np.sort(paths.transpose(0, 2, 1), axis=-1)  # (S, H, P)
    seen = np.isfinite(actual)
    by_step = scores.fair_crps(np.where(seen, actual, 0.0), ordered)
    counts = seen.sum(axis=1)
    crps = np.where(seen, by_step, 0.0).sum(axis=1) / np.where(counts > 0, counts, np.nan)
    visible = paths if seen.all() else np.where(seen[:, None, :], paths, 0.0)
    days, _ = peaks_among(visible, actual, np.arange(0, actual.shape[1], day_of(future)), levels)
    horizon, ratio = peaks_among(visible, actual, np.zeros(1, dtype=np.int64), levels)
    return Reading(scores.quantiles_of(ordered, levels), days, horizon, crps, ratio[:, 0])


def peaks_among(
    paths: np.ndarray, actual: np.ndarray, starts: np.ndarray, levels: tuple[float, ...]
) -> tuple[Ranks, np.ndarray]:
    """Ranks (S, D) of each stretch's highest actual among the paths' highest, and its ratio to their 95 % quantile."""
    highest = np.maximum.reduceat(paths, starts, axis=2)  # (S, P, D)
    quantiles = scores.quantiles_of(np.sort(highest.transpose(0, 2, 1), axis=-1), levels)  # (Q, S, D)
    happened = np.fmax.reduceat(actual, starts, axis=1)
    planned = quantiles[levels.index(0.95)]
    return scores.ranks(happened, quantiles), happened / np.where(planned > 0, planned, np.nan)


def day_of(demand: Demand) -> int:
    """Intervals in a day; 1 for a grid that has no more, or no whole number of them."""
    return max(1, steps_per("1d", demand.interval))


def row_scores(
    actual: np.ndarray, said: np.ndarray, levels: tuple[float, ...], past: np.ndarray, season: int, task: Task
) -> dict[str, float]:
    """Losses of one series in one window."""
    weighed = said[[levels.index(level) for level in task.scored]]
    middle, planned = said[levels.index(0.5)], said[levels.index(task.level)]
    seen = np.isfinite(actual)
    return {
        "steps": int(seen.sum()),
        "wql": scores.wql(actual, weighed, task.scored),
        "pinball": float(scores.pinball(actual[seen], planned[seen], task.level).mean()),
        "mase": scores.mase(actual, middle, past, season),
        "bias": scores.bias(actual, middle),
    }


def shares(marks: Ranks, levels: tuple[float, ...]) -> dict[str, float]:
    """How often each tail was passed, and how often the central 90 % held, by one series in one window."""
    seen = marks.above >= 0
    low = marks.below >= len(levels) - levels.index(0.05)
    high = {level: marks.above > levels.index(level) for level in (0.95, 0.99, 0.999)}
    return {
        "coverage": share(~low & ~high[0.95], seen),
        "below_p5": share(low, seen),
        "exceeded": share(high[0.95], seen),
        **{f"above_{level_name(level)}": share(high[level], seen) for level in (0.99, 0.999)},
    }


def share(passed: np.ndarray, seen: np.ndarray) -> float:
    """Share of what was seen; NaN where nothing was."""
    return float(passed[seen].mean()) if seen.any() else float("nan")
