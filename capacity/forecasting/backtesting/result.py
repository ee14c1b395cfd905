"""`Backtest`: what a rehearsal found, in tables, words and pictures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity._version import __version__
from capacity.demand.demand import Demand, Key
from capacity.display import SHOWN_ROWS, table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Findings
from capacity.forecasting.backtesting import comparing, grouping, tables
from capacity.forecasting.backtesting.comparing import REFERENCE
from capacity.forecasting.backtesting.grouping import Grouping
from capacity.forecasting.backtesting.rehearsal import PATHS, Window
from capacity.forecasting.backtesting.verdicts import verdicts
from capacity.forecasting.forecasts import CHART_LEVELS, checked_level, in_clock, level_name
from capacity.forecasting.seasons import seasons_of
from capacity.timegrid import horizon_steps

#: Said levels that the reliability picture compares with what was observed.
RELIABILITY: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)

#: What `calibration` can be asked for, and where the marks are kept.
MARKED: Final = {"interval": "intervals", "day": "days", "horizon": "horizon"}


@dataclass(frozen=True, eq=False)
class Backtest:
    """How right models were at rolling cutoffs.

    frame     `schema.BACKTEST`: one row a series, model and cutoff
    summary   one row a model        verdicts      one row a series and model, in words
    by_lead, by_weekday, by_hour     coverage, tails and loss in parts, of all series together
    calibration                      promised and observed share of every quantile, with bounds
    about     what was tested on what     of            the same for one service or metric
    """

    frame: pd.DataFrame
    horizon: int  # intervals scored at each cutoff
    gap: int  # intervals between the last measurement and the first scored one
    interval: pd.Timedelta
    levels: tuple[float, ...]  # scored by wql
    demand: Demand = field(repr=False)  # what was rehearsed on
    windows: tuple[Window, ...] = field(repr=False, default=())
    level: float = 0.95  # that plans are made at: scored by pinball
    paths: int = PATHS  # drawn in each window
    seed: int = 0
    findings: Findings = NO_FINDINGS

    @property
    def models(self) -> list[str]:
        """Names of the models, as they were asked for; seasonal naive is among them."""
        return list(dict.fromkeys(window.model for window in self.windows))

    @property
    def keys(self) -> tuple[Key, ...]:
        """The series of which anything was scored."""
        held = {key for window in self.windows for key in window.keys}
        return tuple(key for key in self.demand.keys if key in held)

    @property
    def about(self) -> dict[str, Any]:
        """What was tested on what, to be kept with the scores: next year's can then be compared, or not be.

        `data` is a fingerprint of keys, times and values: equal for equal demand, whatever it was read from.
        """
        parts = (repr(self.demand.keys).encode(), self.demand.times.asi8.tobytes(), self.demand.values.tobytes())
        return {
            "capacity": __version__,
            "data": sha256(b"".join(parts)).hexdigest()[:16],
            "models": self.models,
            "cutoffs": [cutoff.isoformat() for cutoff in sorted({window.cutoff for window in self.windows})],
            "interval_seconds": self.interval.total_seconds(),
            **{name: getattr(self, name) for name in ("horizon", "gap", "levels", "level", "paths", "seed")},
        }

    def of(self, service: str | None = None, metric: str | None = None) -> Backtest:
        """Only the series of one service, or one metric."""
        keys = [key for key in self.keys if service in (None, key.service) and metric in (None, key.metric)]
        if not keys:
            known = ", ".join(f"{key.service} {key.metric}" for key in self.keys[:20])
            raise InputError(
                f"there is no series of service {service!r} and metric {metric!r}", advice=f"Known: {known}"
            )
        rows = pd.MultiIndex.from_frame(self.frame[["service", "metric"]]).isin(keys)
        windows = tuple(window.of(keys) for window in self.windows if set(keys) & set(window.keys))
        return replace(
            self, frame=self.frame[rows].reset_index(drop=True), demand=self.demand.select(keys), windows=windows
        )

    @property
    def summary(self) -> pd.DataFrame:
        """One row a model, best first: relative_wql (geometric mean over series; seasonal naive is 1), pooled shares.

        beaten is the share of series on which seasonal naive was beaten; coverage, exceeded, bias and the tails are
        means weighted by the intervals scored; mase and peak_ratio means over rows; peak_exceeded the share of rows
        whose highest load was above the P95 of the highest; seconds the median per series and window.
        relative_pinball (at the planning level) and relative_crps are as relative_wql is.
        """
        relative = {loss: comparing.relative(self.frame, loss) for loss in ("wql", "pinball", "crps")}
        rows = []
        for model, part in self.frame.groupby("model", sort=False):
            ratios = relative["wql"][model].dropna()
            rows.append(
                {
                    "model": model,
                    "relative_wql": _geometric(ratios),
                    "beaten": float((ratios < 1).mean()) if len(ratios) else np.nan,
                    **{name: _weighted(part, name) for name in ("coverage", "exceeded", "bias")},
                    "mase": part["mase"].mean(),
                    "peak_ratio": part["peak_ratio"].mean(),
                    "peak_exceeded": float((part["peak_ratio"].dropna() > 1).mean()),
                    "daily_peak_exceeded": part["daily_peak_exceeded"].mean(),
                    **{name: _weighted(part, name) for name in ("below_p5", "above_p99", "above_p99.9")},
                    **{f"relative_{name}": _geometric(relative[name][model].dropna()) for name in ("pinball", "crps")},
                    "seconds": part["seconds"].median(),
                    "series": part.groupby(["service", "metric"]).ngroups,
                    "cutoffs": part["cutoff"].nunique(),
                }
            )
        return pd.DataFrame(rows).sort_values("relative_wql", kind="stable", ignore_index=True)

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """One row a series and model, worst first: service, metric, model, status, windows, trust_days,
        against_naive, verdict.

        The verdict says how far ahead the model can be trusted, which quantile fails and on which weekday, and
        whether it beats seasonal naive; or that there are not enough windows to tell. `verdicts.py` holds the rules.
        """
        seasons = seasons_of(self.interval, len(self.demand.times))
        return verdicts(self.windows, self.frame, self.keys, self._zones, self.interval, seasons, self.paths)

    def calibration(self, by: str | None = None, of: str = "interval", every: str | int = "1d") -> pd.DataFrame:
        """Promised and observed share of every quantile, all series together: one row a model, group and level.

        by      None, "lead" (parts of `every`), "weekday" (0 is Monday) or "hour", on each series' own clock
        of      "interval"; "day": the highest load of each day; "horizon": the highest of all
        gives   model, the group, level, tail, promised, observed, low, high, scored, effective

        From the median up, `observed` is the share above the quantile, below it the share below. low and high bound
        what it may be, each wrong one time in twenty, for `effective` independent observations: intervals of a window
        and series of an hour miss together, so that there are many fewer than were scored.
        """
        if of not in MARKED:
            raise InputError(f"of={of!r}: it is one of {', '.join(map(repr, MARKED))}")
        if of == "horizon" and by is not None:
            raise InputError("the highest of the whole horizon has no lead, weekday or hour", advice="Leave out `by`.")
        if of == "day" and by == "hour":
            raise InputError("the highest of a day has no hour", advice='Give by="weekday" or by="lead".')
        group = self._grouping(by, every)
        parts = [
            tables.calibrated(self._of_model(model), self.keys, self._zones, by, MARKED[of], group)
            for model in self.models
        ]
        return pd.concat(parts, ignore_index=True)

    def by_lead(self, every: str | int = "1d") -> pd.DataFrame:
        """By how far ahead: one row a model and `every`, lead 0 first. See `by_weekday` for the columns."""
        return tables.grouped(self.windows, self.keys, self._zones, self.levels, "lead", self._grouping("lead", every))

    def by_weekday(self) -> pd.DataFrame:
        """By day of the week, on each series' own clock: one row a model and weekday, Monday is 0.

        coverage      share inside the central 90 %         exceeded      share above P95; 0.05 is promised
        below_p5, above_p99, above_p99.9: shares outside;   promised 0.05, 0.01, 0.001
        relative_wql  loss over seasonal naive's            scored        intervals
        effective     independent observations they are worth, for the bounds that `calibration` gives
        """
        return tables.grouped(self.windows, self.keys, self._zones, self.levels, "weekday", self._grouping("weekday"))

    def by_hour(self) -> pd.DataFrame:
        """By hour of the day, on each series' own clock: one row a model and hour. See `by_weekday`."""
        return tables.grouped(self.windows, self.keys, self._zones, self.levels, "hour", self._grouping("hour"))

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
        shown = self.demand.since(window.cutoff - max(len(window.times), 14) * self.interval)
        shown = shown.until(window.times[-1] + self.interval)
        quantiles = {level: window.at(level)[row] for level in CHART_LEVELS}
        return charts.fan(
            in_clock(shown.times, self.demand.clock),
            shown.series(*key).to_numpy(),
            in_clock(window.times, self.demand.clock),
            quantiles,
            unit=key.unit,
            title=f"{key.service} {key.metric}: {window.model} at {window.cutoff:%Y-%m-%d}",
        )

    def plot_calibration(self, model: str | None = None, every: str | int = "1d", level: float = 0.95) -> Any:
        """How often a quantile was passed by lead, with bounds, over the band that was promised (0.5 to 1.5 times)."""
        from capacity import charts

        level = self._read(level)
        table = self.calibration("lead", every=every)
        part = table[(table["model"] == self._model(model)) & (table["level"] == level)]
        tail, promised = part["tail"].iloc[0], float(part["promised"].iloc[0])
        return charts.calibration(
            (part["lead"].to_numpy() + 1)
            * horizon_steps(every, self.interval)
            * (self.interval / pd.Timedelta(days=1)),
            part["observed"].to_numpy(),
            part["low"].to_numpy(),
            part["high"].to_numpy(),
            promised=promised,
            title=f"{self._model(model)}: {tail} {level_name(level).upper()} by days ahead",
        )

    def plot_reliability(self, model: str | None = None) -> Any:
        """Said level against observed share below it, with its bounds; on the diagonal, promises are kept."""
        from capacity import charts

        table = self.calibration()
        part = table[(table["model"] == self._model(model)) & table["level"].isin(RELIABILITY)]
        upper = (part["tail"] == "above").to_numpy()
        observed, low, high = (part[name].to_numpy() for name in ("observed", "low", "high"))
        return charts.reliability(
            part["level"].to_numpy(),
            np.where(upper, 1 - observed, observed),
            np.where(upper, 1 - high, low),
            np.where(upper, 1 - low, high),
            title=f"{self._model(model)}: said and observed",
        )

    def plot_skill(self, every: str | int = "1d") -> Any:
        """Weighted quantile loss over that of seasonal naive, by lead, one line a model; below 1 is better."""
        from capacity import charts

        table = self.by_lead(every)
        size = horizon_steps(every, self.interval) * (self.interval / pd.Timedelta(days=1))
        others = [model for model in self.models if model != REFERENCE.name] or self.models
        wide = table.pivot_table(index="lead", columns="model", values="relative_wql", dropna=False)
        days = (wide.index.to_numpy() + 1) * size
        return charts.skill(days, {model: wide[model].to_numpy() for model in others}, title="Loss by days ahead")

    def __str__(self) -> str:
        told = [
            f"{row.status} {row.service} {row.metric} {row.model}: {row.verdict}" for row in self._told.itertuples()
        ]
        return "\n".join([self._sentence, *told])

    @property
    def _sentence(self) -> str:
        return f"Backtest: {self.horizon:,} intervals of {self.interval} ahead, after a gap of {self.gap}"

    @property
    def _told(self) -> pd.DataFrame:
        """The worst verdicts: as many as are shown."""
        return self.verdicts[["service", "metric", "model", "status", "verdict"]].head(SHOWN_ROWS)

    def _repr_html_(self) -> str:
        heading = f"{len(self.verdicts):,} verdicts, worst first, in .verdicts"
        return table_html(self._sentence, self.summary.round(3)) + table_html(heading, self._told)

    # --- parts of the tables ------------------------------------------------------------------------------------------

    @cached_property
    def _zones(self) -> list[str]:
        zones = dict(zip(self.demand.keys, self.demand.zones, strict=True))
        return [zones[key] for key in self.keys]

    def _of_model(self, model: str) -> list[Window]:
        return [window for window in self.windows if window.model == model]

    def _model(self, model: str | None) -> str:
        if model is not None and model not in self.models:
            raise InputError(f"model {model!r} was not tested", advice=f"Tested: {', '.join(self.models)}.")
        return model or self.models[0]

    def _read(self, level: float) -> float:
        known = self.windows[0].levels
        if checked_level(level) not in known:
            raise InputError(f"level {level} was not kept", advice=f"Kept: {', '.join(map(str, known))}.")
        return level

    def _grouping(self, by: str | None, every: str | int = "1d") -> Grouping:
        if by == "lead":
            return grouping.by_lead(every, self.interval)
        if by in ("weekday", "hour"):
            return (grouping.by_weekday if by == "weekday" else grouping.by_hour)(self.interval)
        if by is not None:
            raise InputError(f"by={by!r}: it is 'lead', 'weekday', 'hour' or left out")
        return grouping.all_as_one


def _geometric(ratios: pd.Series) -> float:
    return float(np.exp(np.log(ratios).mean())) if len(ratios) else float("nan")


def _weighted(part: pd.DataFrame, name: str) -> float:
    known = part[part[name].notna() & (part["steps"] > 0)]
    return float(np.average(known[name], weights=known["steps"])) if len(known) else float("nan")
