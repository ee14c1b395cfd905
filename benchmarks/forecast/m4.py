"""M4 Hourly, the official test: 414 series, 48 hours ahead, from a folder of the competition's own files.

Hourly-train.csv and Hourly-test.csv (also under Train/ and Test/, as the competition's archive has them): a line a
series, its name and then its values, padded on the right with nothing. Makridakis et al. 2020, Int. J. Forecasting
36(1). The files give hours no date, so that all series start on one Monday: no model can learn a holiday here.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.forecast.scoring import P50, mase
from benchmarks.forecast.tasks import LEVELS, Answer, Task, Window
from capacity.errors import InputError

M4 = Task("M4 Hourly/48", "1h", 48, (), season=24, shortest=25)

#: What seasonal naive's MASE must be, by the competition's own benchmarks, if all else is to be believed.
NAIVE_MASE = 1.193


def windows(folder: Path) -> list[Window]:
    """Every series of the competition's files, in their order."""
    known, actual = _read(folder, "Train"), _read(folder, "Test")
    if set(known) != set(actual):
        odd = ", ".join(sorted(set(known) ^ set(actual))[:5])
        raise InputError(f"{folder}: not in both files: {odd}", advice="Take both from one copy of the M4 archive.")
    found = []
    for name, values in known.items():
        if len(values) < M4.shortest or len(actual[name]) != M4.horizon:
            raise InputError(
                f"{folder}: {name} has {len(values)} values to learn from and {len(actual[name])} to test, "
                f"expected at least {M4.shortest} and exactly {M4.horizon}"
            )
        hours = pd.date_range("2024-01-01", periods=len(values), freq=M4.grid, tz="UTC", unit="us")
        found.append(Window(M4, "M4 Hourly", name, pd.Series(values, index=hours, name=name), actual[name]))
    return found


def _read(folder: Path, part: str) -> dict[str, np.ndarray]:
    name = f"Hourly-{part.lower()}.csv"
    places = [place for place in (folder / name, folder / part / name) if place.is_file()]
    if not places:
        raise InputError(f"{folder} holds no {name}", advice="Give the folder of the M4 archive's CSV files.")
    with places[0].open(newline="", encoding="utf-8") as file:
        _, *lines = csv.reader(file)
    return {line[0]: np.array([float(value) for value in line[1:] if value.strip()]) for line in lines if line}


def table(windows: Sequence[Window], answers: Mapping[tuple[int, str], Answer]) -> pd.DataFrame:
    """One row a model: MASE as the competition takes it, WQL pooled over all series, median CPU time, failures.

    Pooled: the loss of all series over the sum of all actuals, as GluonTS and Chronos report it.
    """
    found = []
    size = sum(np.abs(window.actual).sum() for window in windows)
    share = np.array(LEVELS)[:, None]
    for model in dict.fromkeys(model for _, model in answers):
        errors, loss, seconds, failed = [], 0.0, [], 0
        for number, window in enumerate(windows):
            said = answers[number, model]
            miss = window.actual - said.quantiles
            errors.append(mase(window.actual, said.quantiles[P50], window.past.to_numpy(), M4.season))
            loss += float(np.maximum(share * miss, (share - 1) * miss).sum())
            seconds.append(said.seconds)
            failed += said.error != ""
        wql = 2 * loss / len(LEVELS) / size
        milliseconds = 1000 * float(np.median(seconds))
        found.append(
            {"model": model, "MASE": np.mean(errors), "WQL": wql, "CPU ms": milliseconds, "failed": int(failed)}
        )
    return pd.DataFrame(found)
