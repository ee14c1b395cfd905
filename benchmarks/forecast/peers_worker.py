"""Other people's forecasts. Run by the peers' own Python: `python peers_worker.py QUESTIONS.npz ANSWERS_FOLDER`.

It imports nothing of ours, and they are installed nowhere else: hence the imports by name. QUESTIONS.npz holds `asked`,
a JSON list of {peer, grid, horizon, season, start, past, answer}, and each past (n,) under its name, without gaps. Each
answer is written as ANSWERS_FOLDER/answer.npz at once, so that an interrupted run keeps what it has:

    quantiles  (6, horizon) at LEVELS; NaN in full when the peer failed
    peak       its 95 % quantile of the horizon's maximum, where it gives sample paths; else NaN
    seconds    CPU time of the process, model building, fitting and forecasting
    error      what it raised; '' when it answered

Every peer runs with its library's defaults; the only settings are the seasons and lags, which they must be told.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95, 0.99)

#: Central intervals, in percent, whose ends are the outer five levels.
INTERVALS = [80, 90, 98]

DAY = {"1h": 24, "1d": 1, "5min": 288}


class Question(NamedTuple):
    past: np.ndarray  # (n,)
    grid: str
    horizon: int
    season: int  # what seasonal naive repeats
    start: str  # the past's first stamp, UTC without a zone

    @property
    def short_season(self) -> int:
        """The one season of a model that has room for one: a day; a week for daily data."""
        return 7 if self.grid == "1d" else DAY[self.grid]

    @property
    def stamps(self) -> Any:
        """The past's stamps and the horizon's."""
        pandas: Any = import_module("pandas")
        return pandas.date_range(self.start, periods=len(self.past) + self.horizon, freq=self.grid)


class Answer(NamedTuple):
    quantiles: np.ndarray  # (6, horizon)
    peak: float = float("nan")


def of_paths(paths: np.ndarray) -> Answer:
    """From sample paths (P, horizon)."""
    return Answer(np.quantile(paths, LEVELS, axis=0), float(np.quantile(paths.max(axis=1), 0.95)))


def flair(asked: Question) -> Answer:
    names = {"1h": "h", "1d": "D", "5min": "5T"}
    return of_paths(import_module("flaircast").forecast(asked.past, asked.horizon, names[asked.grid], seed=0))


def statsforecast(name: str, asked: Question) -> Answer:
    """A model of statsforecast, its intervals read as quantiles."""
    models: Any = import_module("statsforecast.models")
    if name == "MSTL":  # its default trend is ETS
        seasons = [24, 168] if asked.grid == "1h" and len(asked.past) > 2 * 168 else [asked.short_season]
        model = models.MSTL(season_length=seasons)
    else:
        model = getattr(models, name)(season_length=asked.season if name == "SeasonalNaive" else asked.short_season)
    found = model.forecast(y=asked.past, h=asked.horizon, level=INTERVALS)
    columns = ("lo-90", "lo-80", "mean", "hi-80", "hi-90", "hi-98")
    return Answer(np.array([found[column] for column in columns], dtype=float))


def prophet(asked: Question) -> Answer:
    pandas: Any = import_module("pandas")
    for talkative in ("cmdstanpy", "prophet.plot"):
        logging.getLogger(talkative).disabled = True
    np.random.seed(0)  # noqa: NPY002 - Prophet draws from the global generator
    model = import_module("prophet").Prophet()
    stamps = asked.stamps
    model.fit(pandas.DataFrame({"ds": stamps[: len(asked.past)], "y": asked.past}))
    return of_paths(model.predictive_samples(pandas.DataFrame({"ds": stamps[len(asked.past) :]}))["yhat"].T)


def quantile_trees() -> dict[str, Any]:
    """One LightGBM a level."""
    regressor: Any = import_module("lightgbm").LGBMRegressor
    same = {"objective": "quantile", "verbosity": -1, "n_jobs": 1, "random_state": 0}
    return {f"q{level}": regressor(alpha=level, **same) for level in LEVELS}


def mlforecast(asked: Question) -> Answer:
    """Trees on the last days' and weeks' same hour, hour and weekday; steps beyond the shortest lag are recursive."""
    pandas: Any = import_module("pandas")
    wanted, features = {"1h": ([24, 48, 168, 336], ["hour", "dayofweek"]), "1d": ([7, 14, 21, 28], ["dayofweek"])}[
        asked.grid
    ]
    lags = [lag for lag in wanted if lag <= len(asked.past) // 2]
    table = pandas.DataFrame({"unique_id": "one", "ds": asked.stamps[: len(asked.past)], "y": asked.past})
    models = quantile_trees()
    model = import_module("mlforecast").MLForecast(models, freq=asked.grid, lags=lags, date_features=features)
    found = model.fit(table).predict(asked.horizon)
    return Answer(np.array([found[name] for name in models], dtype=float))


def lightgbm(asked: Question) -> Answer:
    """Trees on lags beyond the horizon (four seasons, their running mean), hour and weekday: every step is direct."""
    season = 7 * DAY[asked.grid] if asked.grid != "5min" else DAY[asked.grid]
    first, count = -(-asked.horizon // season) * season, len(asked.past)
    if count <= first:
        raise ValueError(f"{count} intervals of past, and the shortest lag is {first}")
    lags = [lag for lag in range(first, first + 4 * season, season) if lag <= max(first, (count + first) // 2)]
    known = np.concatenate([asked.past, np.full(asked.horizon, np.nan)])
    lagged = [np.concatenate([np.full(lag, np.nan), known[:-lag]]) for lag in lags]
    before = np.concatenate([[0.0], np.cumsum(asked.past)])
    ends = np.clip(np.arange(len(known)) - first + 1, 0, count)
    starts = np.maximum(ends - season, 0)
    mean = (before[ends] - before[starts]) / np.maximum(ends - starts, 1)
    table = np.column_stack([*lagged, mean, asked.stamps.hour, asked.stamps.dayofweek])
    models = [model.fit(table[first:count], asked.past[first:]) for model in quantile_trees().values()]
    return Answer(np.array([model.predict(table[count:]) for model in models]))


PEERS: dict[str, Callable[[Question], Answer]] = {
    "FLAIR": flair,
    "LightGBM": lightgbm,
    "mlforecast": mlforecast,
    "Prophet": prophet,
    **{
        name: partial(statsforecast, name)
        for name in ("MSTL", "AutoETS", "DynamicOptimizedTheta", "AutoCES", "AutoARIMA", "SeasonalNaive")
    },
}


def answered(peer: str, asked: Question) -> dict[str, Any]:
    """What is written for one question; an answer that is not finite throughout is a failure that says so."""
    begin = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = PEERS[peer](asked)
        wrong = int((~np.isfinite(answer.quantiles)).sum())
        error = f"{wrong} of {answer.quantiles.size} quantiles are not finite" if wrong else ""
    except Exception as failure:  # a peer's failure of whatever kind is a result
        answer, error = Answer(np.empty(0)), f"{type(failure).__name__}: {failure}"
    seconds = time.process_time() - begin
    quantiles = np.full((len(LEVELS), asked.horizon), np.nan) if error else answer.quantiles
    return {"quantiles": quantiles, "peak": answer.peak, "seconds": seconds, "error": error}


def main(questions: Path, answers: Path) -> None:
    with np.load(questions) as file:
        listed = json.loads(str(file["asked"]))
        warm: set[str] = set()
        for number, one in enumerate(listed):
            asked = Question(file[one["past"]], one["grid"], one["horizon"], one["season"], one["start"])
            if one["peer"] not in warm:  # imports and compilation are not a forecast's time
                warm.add(one["peer"])
                answered(one["peer"], asked._replace(past=asked.past[-28 * DAY[asked.grid] :]))
            print(f"\r{number + 1} of {len(listed)}: {one['peer']:<24}", end="", file=sys.stderr, flush=True)
            unfinished = answers / f"{one['answer']}.unfinished.npz"
            np.savez(unfinished, **answered(one["peer"], asked))
            unfinished.rename(answers / f"{one['answer']}.npz")
    print("\r" + " " * 40, end="\r", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
