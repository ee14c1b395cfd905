"""A row of BlazeMeter's aggregate report, checked against itself (loadtest.md 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from capacity.errors import InputError, Problem
from capacity.loadtest.readers.finished import Row, number

#: Label and id of the row for all labels.
ALL: Final = "ALL"
_TIMES: Final = {
    "avgResponseTime": "mean_ms",
    "medianResponseTime": "p50_ms",
    "90line": "p90_ms",
    "95line": "p95_ms",
    "99line": "p99_ms",
    "minResponseTime": "min_ms",
    "maxResponseTime": "max_ms",
}
#: Percentage points that `errorsRate` may be off: exports round it to one to three decimals.
_RATE_ROUNDING: Final = 0.051
#: Seconds that `duration` may be off: it is whole.
_DURATION_ROUNDING: Final = 1.0
#: Of `avgThroughput`, which exports round to three decimals.
_THROUGHPUT_ROUNDING: Final = 0.001


def aggregate_row(figures: Mapping[str, object], where: str) -> Row:
    """Our columns of one row. Times are ms; the rate is samples / duration, the errors are `errorsCount`.

    Raises InputError when `errorsRate` (percent) or `avgThroughput` (per second) contradict the counts: then they are
    not what this reader knows, or someone changed the file.

    >>> figures = {"samples": 200, "errorsCount": 3, "errorsRate": 1.5, "duration": 40, "avgResponseTime": 80}
    >>> row = aggregate_row({**figures, "medianResponseTime": 0}, "row ALL")
    >>> row["throughput_per_s"], row["errors"], row["p50_ms"]  # a median of 0 under a mean of 80: not computed
    (5.0, 3.0, nan)
    """
    samples, duration = number(figures.get("samples")), number(figures.get("duration"))
    errors, rate = number(figures.get("errorsCount")), number(figures.get("errorsRate"))
    told = number(figures.get("avgThroughput"))
    throughput = samples / duration if duration > 0 else told
    if np.isnan(errors):
        errors = float(np.round(samples * rate / 100))
    known: dict[str, float] = {"samples": samples, "errors": errors, "throughput_per_s": throughput}
    if not samples > 0:
        return known
    _check(samples, errors, rate, duration, told, where)
    times = {ours: number(figures.get(theirs)) for theirs, ours in _TIMES.items()}
    if times["mean_ms"] > 0:  # percentiles of 0 were not computed
        times = {name: np.nan if name.startswith("p") and not time > 0 else time for name, time in times.items()}
    return {**known, **times}


def _check(samples: float, errors: float, rate: float, duration: float, throughput: float, where: str) -> None:
    problems = []
    share = 100 * errors / samples
    if abs(rate - share) > _RATE_ROUNDING:
        problems.append(Problem(f"errorsRate {rate:g} is not {errors:g} of {samples:g} samples in percent", where))
    if duration > 0:
        slack = _THROUGHPUT_ROUNDING + throughput * _DURATION_ROUNDING / duration
        if abs(throughput - samples / duration) > slack:
            problems.append(Problem(f"avgThroughput {throughput:g} is not {samples:g} / {duration:g} s", where))
    if problems:
        advice = "Export it again from BlazeMeter; if it says the same, these are other units than its API uses."
        raise InputError("An aggregate report that contradicts itself:", problems, advice)


def label_of(figures: Mapping[str, object]) -> str:
    """Its label; the row for all of them is ALL, by its id or its name."""
    for key in ("labelId", "id"):
        if figures.get(key) == ALL:
            return ALL
    for key in ("labelName", "name", "label", "lb", "labelId", "id"):
        if figures.get(key) not in (None, ""):
            return str(figures[key])
    return ""
