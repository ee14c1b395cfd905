"""Rehearsal: what each model would have said at past cutoffs, against what happened. Always beside seasonal naive."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.demand import demand_from
from capacity.demand.demand import Demand, Key
from capacity.display import table_html
from capacity.errors import CapacityError, HistoryHasGaps, HistoryTooShort, InputError
from capacity.findings import NO_FINDINGS, Finding, Findings
from capacity.forecasting import scores
from capacity.forecasting.base import FEWEST, Forecaster, model_named
from capacity.forecasting.clock import fan_on_local_clocks
from capacity.forecasting.forecasts import checked_level
from capacity.forecasting.prepare import measured
from capacity.forecasting.seasonal_naive import SeasonalNaive
from capacity.forecasting.seasons import seasons_of
from capacity.schema import SCORES
from capacity.timegrid import horizon_steps

#: Levels whose quantile loss is scored: both tails, the middle, and where plans are made.
SCORED_LEVELS: Final = (0.05, 0.1, 0.5, 0.9, 0.95, 0.99)

#: Paths drawn per window: enough for the 99 % quantile, and what `forecast` draws.
PATHS: Final = 400

REFERENCE: Final = SeasonalNaive()


@dataclass(frozen=True, eq=False)
class Window:
    """One rehearsal of one model: its quantiles beside what happened."""

    model: str
    keys: tuple[Key, ...]
    past: Demand
    times: pd.DatetimeIndex  # (H,)
    actual: np.ndarray  # (S, H)
    quantiles: np.ndarray  # (Q, S, H)


@dataclass(frozen=True, eq=False)
class Backtest:
    """Scores of models at rolling cutoffs.

    frame    `schema.SCORES`: one row a series, model and cutoff
    horizon  intervals scored at each cutoff
    gap      intervals between the last measurement and the first scored one
    """

    frame: pd.DataFrame
    horizon: int
    gap: int
    interval: pd.Timedelta
    levels: tuple[float, ...]
    windows: tuple[Window, ...] = field(repr=False, default=())
    findings: Findings = NO_FINDINGS

    @property
    def summary(self) -> pd.DataFrame:
        """One row a model, best first: relative_wql (geometric mean over series; seasonal naive is 1), pooled shares.

        coverage, exceeded, bias are means weighted by the intervals scored; mase and peak_ratio means over rows;
        beaten is the share of series on which seasonal naive was beaten; seconds the median per series and window.
        """
        relative = relative_wql(self.frame)
        rows = []
        for model, part in self.frame.groupby("model", sort=False):
            ratios = relative[model].dropna()
            rows.append(
                {
                    "model": model,
                    "relative_wql": float(np.exp(np.log(ratios).mean())) if len(ratios) else np.nan,
                    "beaten": float((ratios < 1).mean()) if len(ratios) else np.nan,
                    **{name: _weighted(part, name) for name in ("coverage", "exceeded", "bias")},
                    "mase": part["mase"].mean(),
                    "peak_ratio": part["peak_ratio"].mean(),
                    "peak_exceeded": float((part["peak_ratio"].dropna() > 1).mean()),
                    "seconds": part["seconds"].median(),
                    "series": part.groupby(["service", "metric"]).ngroups,
                    "cutoffs": part["cutoff"].nunique(),
                }
            )
        return pd.DataFrame(rows).sort_values("relative_wql", kind="stable", ignore_index=True)

    def by_lead(self, every: str | int = "1d") -> pd.DataFrame:
        """Coverage, exceeded and relative loss by how far ahead: one row a model and `every` (a day, by default)."""
        size = horizon_steps(every, self.interval)
        parts = []
        for window in self.windows:
            lead = np.broadcast_to(np.arange(len(window.times)) // size, window.actual.shape)
            low, high = (_row(window, self.levels, level) for level in (0.05, 0.95))
            seen = np.isfinite(window.actual)
            inside = (window.actual >= low) & (window.actual <= high)
            columns = {"lead": lead[seen], "inside": inside[seen], "above": (window.actual > high)[seen]}
            parts.append(pd.DataFrame({"model": window.model, **columns}))
        table = pd.concat(parts).groupby(["model", "lead"], sort=False).agg(["mean", "size"])
        return pd.DataFrame(
            {
                "coverage": table[("inside", "mean")],
                "exceeded": table[("above", "mean")],
                "scored": table[("inside", "size")],
            }
        ).reset_index()

    def plot(self, service: str | None = None, model: str | None = None) -> Any:
        """The last window of one service: its past, what the model said, and what happened."""
        from capacity import charts

        chosen = [w for w in self.windows if model in (None, w.model)]
        chosen = [w for w in chosen if service is None or any(key.service == service for key in w.keys)]
        if not chosen:
            raise InputError(f"there is no window of service {service!r} by model {model!r}")
        window = max(chosen, key=lambda w: (w.times[0], w.model == chosen[0].model))
        row = next(i for i, key in enumerate(window.keys) if service in (None, key.service))
        key = window.keys[row]
        times = window.past.times[-4 * len(window.times) :].append(window.times)
        measured = np.concatenate([window.past.series(*key).to_numpy()[-4 * len(window.times) :], window.actual[row]])
        quantiles = {level: values[row] for level, values in zip(self.levels, window.quantiles, strict=True)}
        title = f"{key.service} {key.metric}: {window.model} at {window.times[0]:%Y-%m-%d}"
        return charts.fan(times, measured, window.times, quantiles, unit=key.unit, title=title)

    def _repr_html_(self) -> str:
        sentence = f"Backtest: {self.horizon:,} intervals of {self.interval} ahead, after a gap of {self.gap}"
        return table_html(sentence, self.summary.round(3))


def backtest(
    data: Any,
    models: Iterable[str | Forecaster] | str | Forecaster = ("auto", "seasonal-naive"),
    horizon: int | str | timedelta = "7d",
    windows: int = 4,
    *,
    gap: int | str = 0,
    levels: Iterable[float] = SCORED_LEVELS,
    seed: int = 0,
    services: Sequence[Service] = (),
    metric: str = "requests",
) -> Backtest:
    """How right each model would have been, at cutoffs one horizon apart, the last one a horizon before the end.

    data, services, metric  as for `forecast`
    models   names or models; seasonal naive is added when it is not among them
    windows  how many cutoffs; those before which there is too little history are left out with a finding
    gap      time between the last measurement and the first interval that can still be acted on: fetching, approval,
             start-up. Models forecast across it; it is not scored.
    levels   scored by wql; 0.05, 0.5 and 0.95 are added, as coverage and peaks need them

    A model sees only `past.until(cutoff)`. One that declines is left out of that window with a finding; when nothing
    can be scored at all, its error is raised.
    """
    scored = tuple(sorted({checked_level(level) for level in levels} | {0.05, 0.5, 0.95}))
    asked = [models] if isinstance(models, (str, Forecaster)) else list(models)
    makers = [model_named(model) for model in asked]
    if not makers:
        raise InputError("there is no model to test")
    if REFERENCE not in makers:
        makers.append(REFERENCE)
    names = _names(makers)
    demand = demand_from(data, services=services, metric=metric)
    steps = horizon_steps(horizon, demand.interval)
    apart = 0 if gap == 0 else horizon_steps(gap, demand.interval)
    found: list[Window] = []
    frames: list[pd.DataFrame] = []
    findings: list[Finding] = []
    refused: CapacityError | None = None
    for past, future in _cut(demand, steps, apart, windows, findings):
        for maker, name in zip(makers, names, strict=True):
            try:
                window, rows = _rehearse(maker, name, past, future, apart, scored, seed)
            except CapacityError as error:
                refused = refused or error
                message = f"{name} declined at {past.end:%Y-%m-%d %H:%M} UTC: {error}"
                findings.append(
                    Finding("", "", "backtest", "REVIEW", message, "Bring more history, or drop the model.")
                )
                continue
            found.append(window)
            frames.append(rows)
    if not frames:
        raise refused or HistoryHasGaps(
            f"Nothing could be scored: before or after each of {windows} cutoffs fewer than {FEWEST} intervals are "
            "measured. Look for stamps far from the others, or shorten the horizon."
        )
    frame = pd.concat(frames, ignore_index=True).sort_values(list(SCORES.key), ignore_index=True)
    return Backtest(frame, steps, apart, demand.interval, scored, tuple(found), Findings.of(demand.findings, findings))


def _cut(
    demand: Demand, steps: int, gap: int, windows: int, findings: list[Finding]
) -> Iterable[tuple[Demand, Demand]]:
    """(past, future) at each cutoff, oldest first; the future starts after the gap. Blank series are left out."""
    if isinstance(windows, bool) or windows < 1:
        raise InputError(f"windows={windows!r}: at least one")
    length = len(demand.times)
    cutoffs = [length - gap - k * steps for k in range(windows, 0, -1)]
    usable = [cutoff for cutoff in cutoffs if cutoff >= FEWEST]
    if not usable:
        raise HistoryTooShort(
            f"A backtest {steps} intervals ahead", have=length, need=steps + gap + FEWEST, advice="Shorten the horizon."
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
            yield past.select(keys), future.select(keys)


def _rehearse(
    maker: Forecaster, name: str, past: Demand, future: Demand, gap: int, levels: tuple[float, ...], seed: int
) -> tuple[Window, pd.DataFrame]:
    started = time.perf_counter()
    steps = len(future.times)
    paths = fan_on_local_clocks(maker, past, gap + steps, PATHS, np.random.default_rng(seed)).paths[:, :, gap:]
    seconds = (time.perf_counter() - started) / len(past.keys)
    quantiles = np.quantile(paths, levels, axis=1)  # (Q, S, H)
    window = Window(name, past.keys, past, future.times, future.values, quantiles)
    season = seasons_of(past.interval, len(past.times)).longest
    rows = []
    for row, key in enumerate(past.keys):
        actual, said = future.values[row], quantiles[:, row]
        low, middle, high = (said[levels.index(level)] for level in (0.05, 0.5, 0.95))
        rows.append(
            {
                "service": key.service,
                "metric": key.metric,
                "model": name,
                "cutoff": past.end,
                "steps": int(np.isfinite(actual).sum()),
                "wql": scores.wql(actual, said, levels),
                "mase": scores.mase(actual, middle, past.values[row], season),
                "coverage": scores.coverage(actual, low, high),
                "exceeded": scores.exceeded(actual, high),
                "peak_ratio": scores.peak_ratio(actual, paths[row]),
                "bias": scores.bias(actual, middle),
                "seconds": seconds,
            }
        )
    return window, pd.DataFrame(rows, columns=SCORES.names)


def relative_wql(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a series, one column a model: mean WQL over cutoffs, over that of seasonal naive at the same cutoffs.

    NaN where seasonal naive was perfect or could not be scored.
    """
    wide = frame.pivot_table(index=["service", "metric", "cutoff"], columns="model", values="wql", dropna=False)
    naive = wide[REFERENCE.name]
    means = {}
    for model in wide.columns:
        both = wide[model].notna() & naive.notna()
        levels = ["service", "metric"]
        ours, theirs = wide[model][both].groupby(level=levels).mean(), naive[both].groupby(level=levels).mean()
        means[model] = (ours / theirs.where(theirs > 0)).clip(lower=1e-6)
    return pd.DataFrame(means)


def _names(makers: Sequence[Forecaster]) -> list[str]:
    """Names of models; plain seasonal naive has its own, and a second model of one name is told by its settings."""
    if len({repr(maker) for maker in makers}) < len(makers):
        raise InputError("the same model is asked for twice")
    taken = [REFERENCE.name]
    for maker in makers:
        taken.append(maker.name if maker.name not in taken else repr(maker))
    return [REFERENCE.name if maker == REFERENCE else name for maker, name in zip(makers, taken[1:], strict=True)]


def _weighted(part: pd.DataFrame, name: str) -> float:
    known = part[part[name].notna() & (part["steps"] > 0)]
    return float(np.average(known[name], weights=known["steps"])) if len(known) else float("nan")


def _row(window: Window, levels: tuple[float, ...], level: float) -> np.ndarray:
    return np.asarray(window.quantiles[levels.index(level)])
