"""Times when a service had no more to give: what was measured then is what it served, not what was asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.findings import Finding
from capacity.history.line import Line, how_long, runs

#: Use at or above this share of what is reserved is all of it: one-minute means hide the full seconds.
FULL_PERCENT: Final = 95.0
#: Worth a look from this share of the time, or this long at a stretch; beyond the second share, of the last four weeks,
#: demand is not known at all.
REVIEW_SHARE, REVIEW_STRETCH, FAIL_SHARE, RECENT = 0.01, "3h", 0.5, "28D"
_ADVICE: Final = "Real demand was higher than measured: raise the limit first, then measure again."


def saturation(lines: Sequence[Line], service: Service | None) -> Iterator[Finding]:
    """Findings of one service: at its maximum of tasks (and busy), or its tasks at the end of their size."""
    by_metric = {line.metric: line for line in lines}
    tasks = by_metric.get("running_tasks")
    if tasks is not None and service is not None and service.min_tasks < service.max_tasks:
        at_limit = np.nan_to_num(tasks.values) >= service.max_tasks
        busy = _busy(tasks, by_metric.get("cpu_utilization"), 100 * service.cpu_target)
        yield from _full(tasks, at_limit & busy, f"at its maximum of {service.max_tasks} tasks")
    for metric in ("cpu_utilization", "memory_utilization"):
        line = by_metric.get(metric)
        if line is not None:
            yield from _full(line, np.nan_to_num(line.values) >= FULL_PERCENT, f"at {FULL_PERCENT:g} % or more")


def _busy(tasks: Line, utilization: Line | None, target: float) -> np.ndarray:
    """Where the tasks are used up to their target; everywhere, when use is not known."""
    if utilization is None:
        return np.ones(len(tasks.values), dtype=bool)
    series = pd.Series(utilization.values, index=utilization.times).reindex(tasks.times)
    return ~(series < target).to_numpy()


def _full(line: Line, full: np.ndarray, what: str) -> Iterator[Finding]:
    starts, lengths = runs(full)
    if len(starts) == 0:
        return
    share = full.sum() / line.finite.sum()
    longest = int(np.argmax(lengths))
    if share < REVIEW_SHARE and lengths[longest] < max(2, line.steps(REVIEW_STRETCH)):
        return
    recent = slice(-line.steps(RECENT), None)
    lately = full[recent].sum() / max(1, line.finite[recent].sum())
    yield line.finding(
        "saturation",
        "FAIL" if lately >= FAIL_SHARE else "REVIEW",
        f"{what} for {share:.1%} of the time ({lately:.0%} of the last four weeks), the longest "
        f"{how_long(lengths[longest] * line.interval)} from {line.when(int(starts[longest]))}",
        _ADVICE,
        first=int(starts[0]),
        last=int(starts[-1] + lengths[-1] - 1),
        count=full.sum(),
    )
