"""How soon a step of the level is followed: `python -m benchmarks.steps [--days 1,2,3,7] [--only generated,dips]`.

Each service is forecast a week ahead twice: as it is, and with everything since some days before the cutoff multiplied
by 0.5, 1.3 or 2. Printed for each step and each count of days that were seen of it:

    error     the median's error over that without the step, in units of the new level, as a geometric mean over
              services; a level is followed once this is at most 1.25
    tenth     the same for the worst tenth of the services
    exceeded  how often the truth was above P95; under 10 % from the second day on is what is asked for
    covered   how often the central 90 % interval held the truth

    generated  services with a day, a week, growth, a level that wanders and noise that lasts; 26 weeks of hours
    dips       the same with one to three days at 0.6 or 0.8 before the cutoff that then end, as holidays do: what is
               learnt from them is a false alarm, and `error` says what it costs
    hourly     the tuning sets and the first 70 % of the others (forecast/tasks.py has the split)
    daily      likewise, by the day

What the handling of steps costs where there is none is seen in `python -m benchmarks.forecast --tune`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.forecast.tasks import DAILY, HOURLY, INTERVALS, TUNING, series_of
from benchmarks.real_data import real_data
from capacity.forecasting import forecast

FACTORS, DIPS = (0.5, 1.3, 2.0), (0.6, 0.8)
LEVELS = (0.05, 0.5, 0.95)

#: Weeks of the past that a service shows at most, and fewest of them.
WEEKS, FEWEST_WEEKS = 26, 5


class Case(NamedTuple):
    """A service with a week after its cutoff."""

    values: np.ndarray  # (n,) gaps as NaN
    cutoff: int

    def multiplied(self, factor: float, begin: int, end: int | None = None) -> Case:
        """The same service with everything from `begin` on (to before `end`) multiplied."""
        values = self.values.copy()
        values[begin:end] *= factor
        return self._replace(values=values)


class Scores(NamedTuple):
    """(cases,) error of the median, and shares of the week above P95 and within the central 90 % interval."""

    error: np.ndarray
    exceeded: np.ndarray
    covered: np.ndarray


def generated(count: int) -> list[Case]:
    """Daily peak to trough 2 to 6, weekends at 0.5 to 0.9, growth up to 60 % a year, noise of 3 to 12 % an hour."""
    cases = []
    for seed in range(count):
        rng = np.random.default_rng([seed, WEEKS])
        hours = np.arange((WEEKS + 1) * 168)
        wave = 1 + rng.uniform(0.33, 0.7) * np.cos(2 * np.pi * (hours - rng.integers(24)) / 24)
        weekend = np.where(hours % 168 >= 120, rng.uniform(0.5, 0.9), 1.0)
        growth = np.exp(rng.uniform(0, 0.5) * hours / 8766)
        wander = np.cumsum(rng.normal(0, rng.uniform(0, 0.004), len(hours)))
        noise = np.convolve(rng.normal(0, rng.uniform(0.03, 0.12), len(hours)), 0.5 ** np.arange(12))[: len(hours)]
        cases.append(Case(100 * wave * weekend * growth * np.exp(wander + noise), WEEKS * 168))
    return cases


def real(grid: str) -> Iterator[Case]:
    """Four cutoffs a series, in the later half of what may be tuned on; not of series with gaps or many zeros."""
    week = round(pd.Timedelta("7D") / INTERVALS[grid])
    for name in HOURLY if grid == "1h" else DAILY:
        for series in series_of(real_data() / name, grid):
            values = series.to_numpy(dtype=float)[: None if name in TUNING else int(0.7 * len(series))]
            for share in (0.55, 0.7, 0.85, 1.0):
                cutoff = int(share * len(values)) - week
                part = values[max(0, cutoff - WEEKS * week) : cutoff + week]
                if cutoff >= FEWEST_WEEKS * week and np.isfinite(part).mean() > 0.95 and np.mean(part == 0) < 0.1:
                    yield Case(part, len(part) - week)


def scored(cases: list[Case], grid: str, model: str) -> Scores:
    """A week forecast from each cutoff; cases in order of length, those of one length in one call, as a fleet is."""
    rows: list[tuple[float, float, float]] = []
    for length in sorted({case.cutoff for case in cases}):
        same = [case for case in cases if case.cutoff == length]
        times = pd.date_range("2025-03-03", periods=length, freq=INTERVALS[grid], tz="UTC")
        frame = pd.DataFrame({f"{n}": case.values[:length] for n, case in enumerate(same)}, index=times)
        result = forecast(frame, len(same[0].values) - length, model=model, levels=LEVELS)
        for case, low, middle, high in zip(same, *np.quantile(result.paths, LEVELS, axis=1), strict=True):
            truth = case.values[length:]
            seen = np.isfinite(truth)
            held = float(((truth >= low) & (truth <= high))[seen].mean())
            rows.append((float(np.nansum(np.abs(middle - truth))), float((truth > high)[seen].mean()), held))
    return Scores(*np.array(rows).T)


def line(words: str, now: Scores, usual: Scores, factor: float = 1.0) -> str:
    ratio = now.error / factor / usual.error
    figures = f"{np.exp(np.log(ratio).mean()):>8.2f}{np.quantile(ratio, 0.9):>8.2f}"
    return f"  {words:<22}{figures}{now.exceeded.mean():>10.1%}{now.covered.mean():>9.1%}"


def show(name: str, cases: list[Case], ages: list[int], model: str) -> None:
    """The table of one set: of steps that last, or of dips that end."""
    grid = "1d" if name == "daily" else "1h"
    day = round(pd.Timedelta("1D") / INTERVALS[grid])
    cases = sorted(cases, key=lambda case: case.cutoff)
    usual = scored(cases, grid, model)
    print(f"{name}, {len(cases)} cases{'error':>20}{'tenth':>8}{'exceeded':>10}{'covered':>9}")
    print(line("as it is", usual, usual))
    for factor in DIPS if name == "dips" else FACTORS:
        for age in (1, 2, 3) if name == "dips" else ages:
            end = (lambda case: case.cutoff) if name == "dips" else (lambda case: None)
            moved = [case.multiplied(factor, case.cutoff - age * day, end(case)) for case in cases]
            scale = 1.0 if name == "dips" else factor
            print(line(f"x{factor} seen for {age} d", scored(moved, grid, model), usual, scale), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.steps", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="auto", help="%(default)s")
    parser.add_argument("--days", default="1,2,3,7,21", help="days seen of a step: %(default)s")
    parser.add_argument("--only", default="generated,dips,hourly,daily", help="%(default)s")
    parser.add_argument("--count", type=int, default=30, help="generated services")
    asked = parser.parse_args()
    ages = [int(age) for age in asked.days.split(",")]
    for name in asked.only.split(","):
        if name in ("hourly", "daily") and not real_data().is_dir():
            print(f"{name}: no real traces at {real_data()}: set CAPACITY_REAL_DATA to the folder that holds them.")
            continue
        cases = (
            generated(asked.count) if name in ("generated", "dips") else list(real("1d" if name == "daily" else "1h"))
        )
        show(name, cases, ages, asked.model)
    return 0


if __name__ == "__main__":
    sys.exit(main())
