"""Minutes without a request: CloudWatch reports a request count only where there were any (docs/decisions/0007)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from capacity.findings import Finding
from capacity.sources.base import Span, microseconds
from capacity.sources.coverage import Asked, Coverage

#: Sources whose RequestCount has "Reporting criteria: There is a nonzero value" (Elastic Load Balancing user guide,
#: "CloudWatch metrics for your Application Load Balancer").
_NONZERO_ONLY: Final = "cloudwatch:"


def with_quiet(rows: pd.DataFrame, answered: Coverage) -> tuple[pd.DataFrame, list[Finding]]:
    """The rows, with zeros where it is known that nothing was asked; and one finding a service that says so.

    rows      of `schema.HISTORY`
    answered  what their sources have answered for good, as the store knows it

    An interval counts as quiet when CloudWatch reported running tasks of the service in it, so that it was delivering,
    and was asked for its requests and answered without any, while it did report some before and after. All else stays
    a gap: no running task, a delivery that failed, requests not fetched yet or measured by some other source, time
    before a load balancer was there.
    """
    theirs = [name for name in rows["source"].cat.categories if name.startswith(_NONZERO_ONLY)]
    measured = rows[(rows["source"].isin(theirs) & (rows["stat"] == "mean")).to_numpy()]
    added, findings = [], []
    for (service, seconds), part in measured.groupby(["service", "interval"], observed=True, sort=True):
        asked = part[(part["metric"] == "requests").to_numpy()]
        ran = part[((part["metric"] == "running_tasks") & (part["value"] > 0)).to_numpy()]
        if len(asked) == 0:
            continue
        known = answered.spans.get(
            Asked(str(asked["source"].iloc[0]), str(service), "requests", "mean", int(seconds)), ()
        )
        quiet = _quiet(asked["timestamp"].array.asi8, ran["timestamp"].array.asi8, known)
        if quiet.any():
            stamps = ran["timestamp"].array[quiet]
            added.append(asked.iloc[[0] * len(stamps)].assign(timestamp=stamps, value=0.0))
            findings.append(_told(str(service), int(seconds), len(stamps), len(asked)))
    return (pd.concat([rows, *added], ignore_index=True) if added else rows), findings


def _quiet(asked: np.ndarray, ran: np.ndarray, known: Sequence[Span]) -> np.ndarray:
    """Which of the intervals with running tasks had no request, of those `known` and between the first and the last.

    asked, ran  microseconds since 1970; asked is not empty
    """
    inside = np.zeros(len(ran), dtype=bool)
    for start, end in known:
        inside |= (ran >= microseconds(start)) & (ran < microseconds(end))
    return np.asarray(inside & (ran > asked.min()) & (ran < asked.max()) & ~np.isin(ran, asked))


def _told(service: str, seconds: int, quiet: int, asked: int) -> Finding:
    message = (
        f"in {quiet:,} of {quiet + asked:,} intervals of {seconds} s tasks ran and CloudWatch reported no request: "
        "it reports none where there were none, so these count as zero."
    )
    return Finding(service, "requests", "quiet", "PASS", message, count=quiet)
