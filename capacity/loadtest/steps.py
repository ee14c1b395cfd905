"""Load points: what was asked, what came, and how long it took, over the steady part of each stage of a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from capacity.loadtest.cells import SECOND, Cells
from capacity.loadtest.stages import Stage, levels, stages
from capacity.loadtest.tallied import Kept

Loop = Literal["open", "closed", "unknown"]

STEPS: Final = (
    *("step", "group", "start", "end", "seconds", "asked_per_s", "arrivals_per_s", "throughput_per_s", "goodput_per_s"),
    *("in_flight", "users", "samples", "error_share", "mean_ms", "p50_ms", "p95_ms", "p99_ms", "dispersion", "loop"),
    *("steady", "saturated", "reason"),
)

#: Of the start of a stage is dropped: this share, at least LEAST_WARMUP seconds, but never more than MOST_WARMUP of it;
#: and the last second (reference loadtest.md 5.2: 10-20 %, at least 5 s, and a step of 12 s has to survive it).
WARMUP: Final = 0.15
LEAST_WARMUP: Final = 5.0
MOST_WARMUP: Final = 0.2
TAIL: Final = 1.0

#: Fewest cells that are left for a steady part; else the stage is taken whole, and said to be too short.
FEWEST: Final = 3

#: A step is steady if its halves agree: throughput within 5 %, median latency within 10 % (loadtest.md 5.2.4) ...
SAME_RATE: Final = 0.05
SAME_LATENCY: Final = 0.10

#: ... and a difference counts if it is beyond this many standard errors, taken from the seconds of each half.
SURE: Final = 3.0

#: A step that delivered less than this share of what was asked is saturated (loadtest.md 2.3).
DELIVERED: Final = 0.97

#: A share of failures above this one counts as saturation: no SLO is looser by habit.
ERRORS: Final = 0.01

#: Where more than that fails already at the lowest load, a step fails by load if it fails this many times as often.
USUAL: Final = 2.0

#: Samples below which nothing is said about steadiness: the medians of its halves would be of a handful each.
FEW: Final = 30

#: Samples below which a p99 is left out (loadtest.md 5.1).
P99_SAMPLES: Final = 1_000

#: In a closed loop without think time every user waits for an answer: requests in flight are this share of the users.
CLOSED: Final = 0.9

#: In flight, at most this share of the variance that independent arrivals would give, is a number that is held.
HELD: Final = 0.1

#: A number of users stands still if it is the same, to 1 %, in this share of the seconds.
STILL: Final = 0.8


@dataclass(frozen=True, eq=False)
class Step:
    """One load point: a row of `LoadTest.steps`, the cells (begin to end - 1) it was taken from, and its first one."""

    first: int  # cell in which the stage began: what lies before `begin` was dropped as warm-up
    begin: int
    end: int
    row: dict[str, Any]


def load_points(cells: Cells, groups: Mapping[str, Kept], labels: Mapping[str, Kept]) -> list[Step]:
    """A step for every stage in which requests ended, in order of time."""
    found: list[Step] = []
    for stage in stages(cells, groups, labels):
        found += _points(cells, stage, found[-1].end if found else 0)
    mark_failing([step.row for step in found])
    for number, step in enumerate(found, start=1):
        step.row["step"] = number
    return found


def mark_failing(rows: Sequence[dict[str, Any]]) -> None:
    """Steps that fail more often than the lowest load does, or of which there is but one, are saturated.

    What fails at every load alike, such as a broken endpoint, is no sign of load; it stays in `error_share`.
    """
    if not rows:
        return
    least = min(rows, key=lambda row: row["throughput_per_s"])["error_share"]
    usual = least if len(rows) > 1 and least > ERRORS else 0.0
    for row in rows:
        if row["error_share"] > max(ERRORS, USUAL * usual):
            words = f"{row['error_share']:.1%} of requests failed"
            row.update(saturated=True, reason="; ".join(filter(None, (words, row["reason"]))))


def _points(cells: Cells, stage: Stage, after: int) -> list[Step]:
    """The load point of a stage; or several, where the load was level but what was in flight shows that the service
    went from keeping up to not keeping up."""
    step = measured(cells, stage, after)
    if step is None:
        return []
    if stage.ramp or stage.says or not step.row["saturated"] or step.row["error_share"] > ERRORS:
        return [step]
    again: list[Step] = []
    for part in levels(cells, stage):
        point = measured(cells, part, again[-1].end if again else after)
        again += [] if point is None else [point]
    lowest = min((point.row["p50_ms"] for point in again), default=np.nan)
    for point in again:
        if point.row["p50_ms"] > (1 + SAME_LATENCY) * lowest:
            grew = (
                f"at one load the median latency went from {lowest:.4g} to {point.row['p50_ms']:.4g} ms: a queue grew"
            )
            point.row.update(saturated=True, reason="; ".join(filter(None, (grew, point.row["reason"]))))
    return again if len(again) > 1 else [step]


def steps_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a table with the columns of STEPS."""
    frame = pd.DataFrame(rows, columns=[*STEPS])
    for column in ("start", "end"):
        frame[column] = pd.to_datetime(frame[column], utc=True).astype("datetime64[us, UTC]")
    numbers = [*STEPS[4:18]]
    frame[numbers] = frame[numbers].astype("float64")
    whole = {"step": "int64", "samples": "int64", "steady": "bool", "saturated": "bool"}
    return frame.astype(whole)


def measured(cells: Cells, stage: Stage, after: int = 0) -> Step | None:
    """The load point of a stage, of cells from `after` on: none is counted twice. None if nothing ended in it."""
    begin, end, dropped = steady_part(cells, stage)
    begin = max(begin, after)
    seconds = cells.length(begin, end)
    part = slice(begin, end)
    samples, errors = int(cells.completions[part].sum()), int(cells.errors[part].sum())
    if not samples or seconds <= 0:
        return None
    good = samples - errors
    histogram = cells.histogram(begin, end)
    p50, p95, p99 = histogram.quantiles((0.5, 0.95, 0.99)) / 1000
    users = cells.users[part]
    row: dict[str, Any] = {
        "group": stage.group,
        "start": pd.Timestamp(int(max(cells.start[begin], cells.first)), unit="us", tz="UTC"),
        "end": pd.Timestamp(int(min(cells.start[end - 1] + cells.width, cells.last)), unit="us", tz="UTC"),
        "seconds": seconds,
        "asked_per_s": stage.asked,
        "arrivals_per_s": cells.arrivals[part].sum() / seconds,
        "throughput_per_s": samples / seconds,
        "goodput_per_s": good / seconds,
        "in_flight": cells.busy[part].sum() / SECOND / seconds,
        "users": float(np.nanmean(users)) if np.isfinite(users).any() else stage.users,
        "samples": samples,
        "error_share": errors / samples,
        "mean_ms": cells.ok_time[part].sum() / good / 1000 if good else np.nan,
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99 if good >= P99_SAMPLES else np.nan,
        "dispersion": dispersion(cells, begin, end),
    }
    row |= judged(cells, begin, end, stage, row)
    row["loop"] = loop_of(row, users, cells.busy[part] / cells.width)
    row["reason"] = "; ".join(filter(None, (row["reason"], dropped)))
    first = max(after, int(np.searchsorted(cells.start, stage.begin - cells.width, side="right")))
    return Step(first, begin, end, row)


def steady_part(cells: Cells, stage: Stage) -> tuple[int, int, str]:
    """The cells of a stage without its warm-up and its last second, and words for what was dropped."""
    warm = min(max(LEAST_WARMUP, WARMUP * stage.seconds), MOST_WARMUP * stage.seconds)
    if not stage.ramp:
        half = cells.width // 2  # cells are taken from the edge that is nearest
        begin = int(np.searchsorted(cells.start, stage.begin + warm * SECOND - half, side="left"))
        end = int(np.searchsorted(cells.start, stage.end - TAIL * SECOND - cells.width + half, side="right"))
        if end - begin >= FEWEST:
            before = (cells.start[begin] - stage.begin) / SECOND
            after = (stage.end - cells.start[end - 1] - cells.width) / SECOND
            return begin, end, f"first {before:.1f} s and last {after:.1f} s dropped"
    begin = int(np.searchsorted(cells.start, stage.begin - cells.width, side="right"))
    end = int(np.searchsorted(cells.start, stage.end, side="left"))
    if stage.ramp:
        return begin, max(end, begin + 1), ""
    return begin, max(end, begin + 1), f"{stage.seconds:.1f} s are too short to drop a warm-up"


def dispersion(cells: Cells, begin: int, end: int) -> float:
    """Variance over mean of the arrivals per 100 ms, within seconds: 1 of a Poisson stream, near 0 of a metronome.

    Within seconds, so that a rate that drifts from second to second does not pass for bursts. NaN where stamps or
    cells are too coarse, or nothing arrived.
    """
    if cells.bins is None or not cells.arrivals[begin:end].any():
        return float("nan")
    bins = cells.bins[begin:end]
    return float(bins.var(axis=1, ddof=1).mean() / bins.mean())


def judged(cells: Cells, begin: int, end: int, stage: Stage, row: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the part is steady, whether the service was saturated, and why."""
    why: list[str] = []
    steady, saturated = True, False
    if stage.ramp:
        first, last = ends_of(cells.arrivals[begin:end] / cells.seconds)
        steady = False
        why.append(f"ramping: arrivals from {first:.4g} to {last:.4g} per second")
    elif end - begin < 2 * FEWEST:
        steady = False
        why.append(f"{row['seconds']:.3g} s are too short to say whether it was steady")
    elif row["samples"] < FEW:
        steady = False
        why.append(f"{row['samples']} requests are too few to say whether it was steady")
    else:
        rate = change(cells.completions[begin:end] / cells.seconds)
        median = change(cells.medians[begin:end])
        if abs(rate) > SAME_RATE:
            steady = False
            why.append(f"throughput changed by {rate:+.1%} between its halves")
        if abs(median) > SAME_LATENCY:
            steady = False
            saturated |= median > 0 and rate <= SAME_RATE
            grows = ": a queue grows" if saturated else ""
            why.append(f"median latency changed by {median:+.0%} between its halves{grows}")
    asked = row["asked_per_s"]
    noise = 2 * np.sqrt(max(row["samples"], 1)) / row["seconds"]  # of a Poisson stream of that many, per second
    if not stage.ramp and asked - row["throughput_per_s"] > max((1 - DELIVERED) * asked, noise):
        saturated = True
        why.append(f"delivered {row['throughput_per_s'] / asked:.1%} of the {asked:g}/s asked for")
    arrived = row["arrivals_per_s"]
    if not stage.ramp and arrived - row["throughput_per_s"] > max((1 - DELIVERED) * arrived, noise):
        saturated = True
        why.append(f"answered {row['throughput_per_s'] / arrived:.1%} of what arrived")
    return {"steady": bool(steady), "saturated": bool(saturated), "reason": "; ".join(why)}


def ends_of(values: np.ndarray) -> tuple[float, float]:
    """Both ends of the straight line through values: a single second of arrivals is mostly noise. At least 0.

    >>> [round(end, 1) for end in ends_of(np.array([9.0, 21.0, 29.0, 41.0]))]
    [9.4, 40.6]
    """
    if len(values) < 2:
        return float(values[0]), float(values[-1])
    slope, middle = np.polyfit(np.arange(len(values)) - (len(values) - 1) / 2, values, 1)
    half = slope * (len(values) - 1) / 2
    return float(max(0.0, middle - half)), float(max(0.0, middle + half))


def change(values: np.ndarray) -> float:
    """Relative change from the first half of the values to the second; 0 if noise explains it. NaN are left out.

    Noise by Welch's standard error of the two means.
    """
    middle = len(values) // 2
    one, other = (half[np.isfinite(half)] for half in (values[:middle], values[middle:]))
    if len(one) < 2 or len(other) < 2 or one.mean() <= 0:
        return 0.0
    difference = other.mean() - one.mean()
    error = np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    return float(difference / one.mean()) if abs(difference) > SURE * error else 0.0


def loop_of(row: Mapping[str, Any], users: np.ndarray, in_flight: np.ndarray) -> Loop:
    """Whether arrivals waited for answers. `users` and `in_flight` are those of each cell.

    closed   as many requests in flight as there are users, whose number stands still; or, where users are not told, a
             number in flight that stands still as no arrivals of their own could keep it; or a rate that was asked for
             and not reached, by a fixed number of users
    open     the asked rate was reached with users to spare; or, in a steady step, users come and go
    """
    known = users[np.isfinite(users)]
    middle = float(np.median(known)) if len(known) else 0.0
    still = len(known) > 1 and float(np.mean(np.abs(known - middle) <= max(0.05, 0.01 * middle))) >= STILL
    asked = row["asked_per_s"]
    if not len(known) and row["steady"] and _held(row, in_flight):
        return "closed"
    if still and row["in_flight"] >= CLOSED * row["users"]:
        return "closed"
    if np.isfinite(asked):
        if row["throughput_per_s"] >= DELIVERED * asked:
            return "open"
        return "closed" if still else "unknown"
    return "open" if row["steady"] and len(known) > 1 and not still else "unknown"


def _held(row: Mapping[str, Any], in_flight: np.ndarray) -> bool:
    """Whether requests in flight vary far less than those of independent arrivals would.

    Those are Poisson in an instant (M/G/infinity); the mean of a second has at most 2 R of their variance, for a
    latency of R seconds (their autocovariance falls from L to 0 within it).
    """
    latency = row["mean_ms"] / 1000
    return bool(in_flight.var() < HELD * row["in_flight"] * min(1.0, 2 * latency))
