"""What naming an event is worth: `python -m benchmarks.events [--report] [--models auto,profile]`.

Forecasts from a few days before a known event, and scores only the intervals of the event: ours and Prophet are given
the same days. Prophet is used as its users do, with its defaults and a table of holidays. Printed for each set: the
relative error of the median (sum of |error| over sum of truth), WQL over the 5, 10, 50, 90, 95, 99 % levels, how often
the central 90 % interval covered, and the error over Prophet's.

    generated   fleets with known truth: sales that recur, launches of hours, holidays like Sundays, a weekly season,
                growth, correlated noise; 26 weeks of hours, and 60 of days
    real        public holidays in rte_load_hourly (second year) and bike_hourly, play-offs in wiki_daily_prophet,
                holidays in nyc_taxi: the tuning sets and the first 70 % of the others, or with --report the last 30 %
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from capacity.config.event import Event
from capacity.forecasting import forecast
from capacity.forecasting.knowledge.calendars import from_prophet, public_holidays

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95, 0.99)

#: Play-offs and finals that Prophet's own documentation names for its example series (Peyton Manning's page).
PLAYOFFS = (
    *("2008-01-13", "2009-01-03", "2010-01-16", "2010-01-24", "2010-02-07", "2011-01-08", "2013-01-12"),
    *("2014-01-12", "2014-01-19", "2014-02-02", "2015-01-11", "2016-01-17", "2016-01-24", "2016-02-07"),
)


class Case(NamedTuple):
    """One forecast that an event falls into."""

    set: str
    series: pd.Series  # past and future
    cutoff: pd.Timestamp
    window: tuple[pd.Timestamp, pd.Timestamp]  # what is scored, end exclusive
    holidays: pd.DataFrame  # Prophet's table; days of one calendar
    events: tuple[Event, ...] = ()  # in its place, where an event is shorter than a day


def generated(freq: str, weeks: int, count: int, kind: str) -> Iterator[Case]:
    """Services whose next event is known to the hour: sales of three days, launches of four hours, public holidays."""
    for seed in range(count):
        rng = np.random.default_rng([seed, weeks, len(kind)])
        times = pd.date_range("2025-03-03", periods=weeks * 7 * (24 if freq == "h" else 1), freq=freq)
        hours, days = times.hour.to_numpy(), (times - times[0]) / pd.Timedelta(days=1)
        sunday, weekend = rng.uniform(0.4, 0.8), np.array([1, 1.05, 1.05, 1, 0.95, 0.8, 0])
        weekend[5:] = 1 - 0.6 * (1 - sunday), sunday
        wave = 1 + rng.uniform(0.3, 0.7) * np.cos(2 * np.pi * (hours - 14) / 24) if freq == "h" else np.ones(len(times))
        place = times.day_of_week.to_numpy()
        if kind == "holiday":
            table = _table(public_holidays("DE", times[0].date(), times[-1].date()))
            whole = np.isin(times.normalize(), pd.to_datetime(table["ds"]))
            place = np.where(whole, 6, place)
            starts, last = [pd.Timestamp(day) for day in sorted(table["ds"])], pd.Timedelta("1D")
        elif kind == "sale":
            starts = [times[0] + pd.Timedelta(days=int(day)) for day in np.linspace(25, weeks * 7 - 8, 5)]
            last, table = pd.Timedelta("3D"), pd.DataFrame({"holiday": "sale", "ds": starts, "upper_window": 2})
        else:
            starts = [times[0] + pd.Timedelta(days=int(day), hours=17) for day in np.linspace(25, weeks * 7 - 8, 5)]
            last, table = pd.Timedelta("4h"), pd.DataFrame({"holiday": "launch", "ds": [s.normalize() for s in starts]})
        level = np.exp(rng.uniform(0, 0.4) * days / 365 + 0.05 * _wander(rng, len(times), 0.98 if freq == "h" else 0.7))
        noise = np.exp(rng.choice([0.03, 0.08]) * rng.standard_normal(len(times)))
        values = np.array(100 * weekend[place] * wave * level * noise)
        lift = 1.0 if kind == "holiday" else rng.uniform(1.5, 4)
        for start in starts:
            inside = (times >= start) & (times < start + last)
            values[inside] *= lift * np.exp(0.1 * rng.standard_normal())
        end = max(start for start in starts if start + last <= times[-1] and start > times[int(len(times) * 0.5)])
        events = () if kind != "launch" else (
            Event(name="launch", start=starts[0], end=starts[0] + last, dates=tuple(starts[1:])),
        )  # fmt: skip
        cutoff = end.normalize() - pd.Timedelta(days=3)
        series = pd.Series(values, index=times.tz_localize("UTC"), name=f"{kind}{seed}")
        yield Case(f"generated {kind} {freq}", series, cutoff, (end, end + last), table, events)


def _wander(rng: np.random.Generator, length: int, keep: float) -> np.ndarray:
    """First-order autoregression of variance one."""
    from scipy.signal import lfilter

    return np.asarray(lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.standard_normal(length)))


def _table(events: tuple[Event, ...]) -> pd.DataFrame:
    rows = [(event.name, day) for event in events for day in (event.start, *event.dates)]
    return pd.DataFrame(rows, columns=["holiday", "ds"])


def real(root: Path, name: str, freq: str, code: str, report: bool) -> Iterator[Case]:
    """Every public holiday of a set that a quarter of the history lies before."""
    frame = pd.read_csv(root / name / "data.csv.gz", parse_dates=["timestamp"])
    for label, part in frame.groupby("series_id"):
        series = part.set_index("timestamp")["value"].sort_index().resample(freq).mean().rename(str(label))
        span = series.index[-1] - series.index[0]
        tuning = name in ("rte_load_hourly", "website_daily")
        first = series.index[0] + span * (0.7 if report else 0.5 if tuning else 0.2)
        last = series.index[0] + span * (1.0 if report or tuning else 0.7)
        table = _holidays(code, series.index[0].date(), series.index[-1].date())
        for day in sorted(set(table["ds"])):
            start = pd.Timestamp(day, tz="UTC")
            end = start + pd.Timedelta(days=2 if code == "playoffs" else 1)
            if first <= start and end <= last and series[(series.index >= start) & (series.index < end)].notna().all():
                cutoff = start.tz_localize(None) - pd.Timedelta(days=7)
                window = (start.tz_localize(None), end.tz_localize(None))
                yield Case(f"{name} {freq}", series, cutoff, window, table)


def _holidays(code: str, first: date, last: date) -> pd.DataFrame:
    if code == "playoffs":
        return pd.DataFrame({"holiday": "playoff", "ds": PLAYOFFS, "upper_window": 1})
    return _table(public_holidays(code, first, last))


def ours(case: Case, model: str, told: bool = True) -> np.ndarray:
    """(Q, n) quantiles of the event's intervals."""
    past = case.series[case.series.index.tz_localize(None) < case.cutoff]
    events, holidays = (case.events, None) if case.events else ((), case.holidays)
    if "sale" in case.set:
        events, holidays = from_prophet(case.holidays), None
    if not told:
        events, holidays = (), None
    steps = int((case.window[1] - case.cutoff) / past.index.to_series().diff().median())
    found = forecast(past, steps, model=model, levels=LEVELS, events=events, holidays=holidays)
    inside = found.index.tz_localize(None) >= case.window[0]
    return np.array([np.asarray(found.quantile(level))[inside] for level in LEVELS])


def prophet(case: Case) -> np.ndarray:
    """(Q, n) the same by Prophet with its defaults and the table of holidays."""
    from prophet import Prophet

    past = case.series[case.series.index.tz_localize(None) < case.cutoff]
    table = case.holidays.assign(ds=pd.to_datetime(case.holidays["ds"]), lower_window=0)
    table["upper_window"] = table.get("upper_window", pd.Series(0, index=table.index)).astype(int)
    np.random.seed(0)  # noqa: NPY002  (the library's own choice)
    model = Prophet(holidays=table, uncertainty_samples=400)
    model.fit(pd.DataFrame({"ds": past.index.tz_localize(None), "y": past.to_numpy()}).dropna(), seed=0)
    times = case.series.index.tz_localize(None)
    inside = times[(times >= case.window[0]) & (times < case.window[1])]
    samples = np.maximum(model.predictive_samples(pd.DataFrame({"ds": inside}))["yhat"], 0)
    return np.quantile(samples, LEVELS, axis=1)


def scores(case: Case, quantiles: np.ndarray) -> dict[str, float]:
    times = case.series.index.tz_localize(None)
    truth = case.series[(times >= case.window[0]) & (times < case.window[1])].to_numpy()
    levels = np.array(LEVELS)[:, None]
    error = truth - quantiles
    return {
        "error": float(np.abs(error[2]).sum() / truth.sum()),
        "wql": float(2 * np.maximum(levels * error, (levels - 1) * error).mean(axis=0).sum() / truth.sum()),
        "covers": float(((quantiles[0] <= truth) & (truth <= quantiles[4])).mean()),
    }


def cases(root: Path, report: bool) -> Iterator[Case]:
    if report:
        yield from real(root, "nyc_taxi", "30min", "US-NY", True)
        yield from real(root, "nyc_taxi", "h", "US-NY", True)
        yield from real(root, "bike_hourly", "h", "US", True)
        yield from real(root, "wiki_daily_prophet", "D", "playoffs", True)
        return
    for kind in ("sale", "launch", "holiday"):
        yield from generated("h", 26, 8, kind)
    for kind in ("sale", "holiday"):
        yield from generated("D", 60, 8, kind)
    yield from real(root, "rte_load_hourly", "h", "FR", False)
    yield from real(root, "rte_load_hourly", "D", "FR", False)
    yield from real(root, "nyc_taxi", "30min", "US-NY", False)
    yield from real(root, "bike_hourly", "h", "US", False)
    yield from real(root, "wiki_daily_prophet", "D", "playoffs", False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--report", action="store_true", help="the last 30 % of the reporting sets, not the tuning part"
    )
    parser.add_argument("--models", default="auto,profile", help="ours, told of the event")
    parser.add_argument("--untold", action="store_true", help="ours without the event too: what knowing it is worth")
    parser.add_argument("--sets", default="", help="only sets whose name contains this")
    asked = parser.parse_args()
    for talkative in ("cmdstanpy", "prophet.plot"):
        logging.getLogger(talkative).disabled = True
    root = Path(os.environ.get("CAPACITY_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not root.is_dir():
        print(f"no real data at {root}: set CAPACITY_REAL_DATA to the folder that holds the sets", file=sys.stderr)
        return 1
    models = asked.models.split(",")
    names = ["prophet", *models, *(f"{model} untold" for model in models if asked.untold)]
    print(
        f"{'set':<24}{'model':<18}{'error':>7}{'wql':>7}{'covers':>8}{'seconds':>9}{'error/prophet':>15}{'events':>8}"
    )
    for title, of_set in groupby(cases(root, asked.report), key=lambda case: case.set):
        if asked.sets in title:
            print(shown(pd.DataFrame([row for case in of_set for row in scored(case, names)]), names), flush=True)
    return 0


def scored(case: Case, names: list[str]) -> Iterator[dict[str, float | str]]:
    """A row a model."""
    for name in names:
        begin = time.perf_counter()
        found = prophet(case) if name == "prophet" else ours(case, name.split()[0], "untold" not in name)
        seconds = time.perf_counter() - begin
        yield {"set": case.set, "model": name, "seconds": seconds, **scores(case, found)}


def shown(frame: pd.DataFrame, names: list[str]) -> str:
    means = frame.groupby("model")[["error", "wql", "covers", "seconds"]].mean()
    count, title = len(frame) // len(names), frame["set"].iloc[0]
    lines = []
    for name in names:
        one = means.loc[name]
        against = one["error"] / means.loc["prophet", "error"]
        numbers = f"{one['error']:>7.3f}{one['wql']:>7.3f}{one['covers']:>8.2f}{one['seconds']:>9.2f}{against:>15.2f}"
        lines.append(f"{title:<24}{name:<18}{numbers}{count:>8}")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
