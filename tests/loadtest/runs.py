"""Load tests made up for the tests, as rows: what a generator would have written down."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from capacity.loadtest.samples import Samples

#: 2026-11-23 10:00:00 UTC, milliseconds.
START = 1_795_428_000_000


def poisson(rate: float, seconds: float, rng: np.random.Generator, start: float = 0.0) -> np.ndarray:
    """Times of a Poisson stream, seconds, ascending."""
    return start + np.sort(rng.random(rng.poisson(rate * seconds)) * seconds)


def served(arrivals: np.ndarray, workers: int, service: np.ndarray) -> np.ndarray:
    """Seconds that each request takes in a first-come first-served queue of `workers`: the obvious simulation."""
    free = [0.0] * workers
    heapq.heapify(free)
    took = np.empty(len(arrivals))
    for place, (arrival, length) in enumerate(zip(arrivals, service, strict=True)):
        begin = max(arrival, heapq.heappop(free))
        heapq.heappush(free, begin + length)
        took[place] = begin + length - arrival
    return took


def lognormal(count: int, rng: np.random.Generator, mean: float = 0.02, cv: float = 0.5) -> np.ndarray:
    """Service times, seconds."""
    spread = np.sqrt(np.log(1 + cv**2))
    return rng.lognormal(np.log(mean) - spread**2 / 2, spread, count)


def run(
    start: np.ndarray,
    took: np.ndarray,
    *,
    label: str | Sequence[str] | np.ndarray = "GET /",
    group: str | Sequence[str] | np.ndarray = "load",
    failed: np.ndarray | None = None,
    users: np.ndarray | int | None = None,
    **columns: object,
) -> pd.DataFrame:
    """Rows as JMeter writes them, in order of their ends: times in whole milliseconds."""
    frame = pd.DataFrame(
        {
            "timeStamp": START + np.round(np.asarray(start) * 1000).astype(np.int64),
            "elapsed": np.round(np.asarray(took) * 1000).astype(np.int64),
            "label": label,
            "threadName": group,
            "success": True if failed is None else ~np.asarray(failed, dtype=bool),
        }
    )
    frame["responseCode"] = np.where(frame["success"], "200", "500")
    frame["responseMessage"] = np.where(frame["success"], "OK", "Internal Server Error")
    frame["threadName"] = frame["threadName"] + " 1-1"
    if users is not None:
        frame["allThreads"] = users
    for name, values in columns.items():
        frame[name] = values
    order = np.argsort((frame["timeStamp"] + frame["elapsed"]).to_numpy(), kind="stable")
    return frame.iloc[order].reset_index(drop=True)


def written(frame: pd.DataFrame, path: Path) -> Path:
    """The rows as a file with a header."""
    frame.assign(success=frame["success"].map({True: "true", False: "false"})).to_csv(path, index=False)
    return path


def sampled(frame: pd.DataFrame) -> Samples:
    """The rows as a batch: labels by number in order of appearance, thread groups alike."""
    codes = {"label": frame["label"], "group": frame["threadName"]}
    extra = {"users": frame["allThreads"].to_numpy()} if "allThreads" in frame else {}
    return Samples.of(
        frame["timeStamp"].to_numpy() * 1000,
        frame["elapsed"].to_numpy() * 1000,
        (~frame["success"]).to_numpy().astype(np.int32),
        **{name: pd.factorize(texts)[0] for name, texts in codes.items()},
        **extra,
    )
