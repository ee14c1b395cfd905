"""Our answers: `capacity.forecast(series, horizon=H, levels=...)` and nothing else, timed on one thread."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

import numpy as np

import capacity
from benchmarks.forecast.tasks import LEVELS, Answer, Window


def cpu_seconds() -> float:
    """CPU time of this process and of the finished ones that it started."""
    others = os.times()
    return time.process_time() + others.children_user + others.children_system


def answer(window: Window, model: str) -> Answer:
    """What `model` says of a window. Whatever it raises is a failure that is counted, as a peer's is."""
    begin = cpu_seconds()
    try:
        found = capacity.forecast(window.past, horizon=window.task.horizon, levels=LEVELS, model=model)
        quantiles = np.stack([np.asarray(found.quantile(level), dtype=float) for level in LEVELS])
        peak, error = float(found.peak(0.95)), ""
    except Exception as failure:
        quantiles, peak = np.full((len(LEVELS), window.task.horizon), np.nan), float("nan")
        error = f"{type(failure).__name__}: {failure}"
    return Answer(quantiles, peak, cpu_seconds() - begin, error)


def answers(windows: Sequence[Window], models: Sequence[str]) -> dict[tuple[int, str], Answer]:
    """By window number and model. The first window is asked once more than counted: imports are not a forecast."""
    found = {}
    for model in models:
        answer(windows[0], model)
        for number, window in enumerate(windows):
            print(f"\r{number + 1} of {len(windows)}: {model:<24}", end="", file=sys.stderr, flush=True)
            found[number, model] = answer(window, model)
    print("\r" + " " * 40, end="\r", file=sys.stderr)
    return found
